"""Ask for a run and what can be done with it: what page, API and command line call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drybench.ledger import Part
from drybench.model import Person, Run


@dataclass(frozen=True)
class RunRequest:
    notebook: bytes
    notebook_name: str = "notebook.ipynb"
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    name: str | None = None
    environment: str = "python"
    size: str | None = None
    timeout: float | None = None  # seconds, for the whole run
    folder: Path | None = None  # where the notebook came from, when it is the person's own file
    alone: bool = False
    cwd: Path | None = None


class Runs:
    """Synchronous; handlers call it in a thread. Raises errors.* with a sentence."""

    def submit(self, person: Person, request: RunRequest, key: str | None = None, origin: str = "api") -> Run:
        raise NotImplementedError

    def cancel(self, person: Person, id: str, origin: str = "api") -> Run:
        raise NotImplementedError

    def again(self, person: Person, id: str, key: str | None = None, origin: str = "api") -> Run:
        """A new run of the same notebook with the same parameters."""
        raise NotImplementedError

    def get(self, person: Person, id: str) -> Run:
        raise NotImplementedError

    def mine(self, person: Person, cursor: str | None = None, limit: int = 50, search: str = "") -> Part[Run]:
        raise NotImplementedError

    def ahead(self, run: Run) -> int:
        """How many stand before it in the line."""
        raise NotImplementedError

"""run.json: what was asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drybench_runner.reading import json_object

_LARGEST = 1 << 26


@dataclass(frozen=True)
class RunFile:
    id: str
    name: str
    kind: str = "notebook"
    notebook: str = "notebook.ipynb"
    notebook_name: str = "notebook.ipynb"
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    environment: str = ""
    kernel: str | None = None
    timeout: float | None = None
    cell_timeout: float | None = None
    folder: str | None = None
    alone: bool = False
    cwd: str | None = None
    created_at: str = ""
    allow_errors: bool = False  # a cell's error does not end the run
    requirements: str | None = None  # a file beside the notebook
    overlays: str | None = None  # where this person's packages for this environment are kept
    hold: float = 0  # seconds that the kernel of a failed run is kept
    inputs: Sequence[str] = ()  # files and folders that the parameters name
    tags: Sequence[str] = ()


def read_run(data: bytes) -> RunFile:
    """run.json, or ValueError. Keys of a later Drybench are passed over."""
    saved = json_object(data, _LARGEST)
    known = {key: saved[key] for key in RunFile.__dataclass_fields__ if key in saved}
    try:
        return RunFile(**known)
    except TypeError as problem:
        raise ValueError(f"this run.json is not whole: {problem}") from None

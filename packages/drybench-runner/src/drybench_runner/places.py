"""Where things lie in a run folder, as the runner sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """`given/` is only read; nothing is written outside `made/`."""

    folder: Path  # runs/RUN
    attempt: int

    @property
    def given(self) -> Path:
        return self.folder / "given"

    @property
    def made(self) -> Path:
        return self.folder / str(self.attempt) / "made"

    @property
    def output(self) -> Path:
        return self.made / "output"

    @property
    def journal(self) -> Path:
        return self.made / "progress.jsonl"

    @property
    def log(self) -> Path:
        return self.made / "log.txt"

    @property
    def notebook(self) -> Path:
        return self.made / "notebook.ipynb"

    @property
    def receipt(self) -> Path:
        return self.made / "receipt.json"

    @property
    def whole(self) -> Path:
        """What was too much for the notebook."""
        return self.made / "whole"

    @property
    def held(self) -> Path:
        """The kernel of a failed run, as long as it is kept."""
        return self.made / "held"

    @property
    def told(self) -> Path:
        """The portal's word to an attempt that is at work."""
        return self.folder / str(self.attempt) / "told"

    @property
    def result(self) -> Path:
        return self.made / "result.json"

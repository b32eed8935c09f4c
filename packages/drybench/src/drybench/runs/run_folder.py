"""The run folder is the message: `given/` is ours, `N/made/` is what attempt N wrote.

Everything below `made/` is hostile input: it is opened beneath the folder without following
links, is a regular file, and every read is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO


@dataclass(frozen=True)
class OutputFile:
    path: str  # relative to output/, with slashes
    size: int
    modified: float


@dataclass(frozen=True)
class Progress:
    """What a journal says so far. `events` are those since the offset that was asked for."""

    events: Sequence[Mapping[str, Any]]
    next_offset: int


class RunFolders:
    def __init__(self, root: Path) -> None:
        self._root = root

    def make(self, run_id: str, run_json: Mapping[str, Any], files: Mapping[str, bytes]) -> Mapping[str, str]:
        """Write `given/` once, whole or not at all, read-only; the sha256 of each file in it."""
        raise NotImplementedError

    def path(self, run_id: str) -> Path:
        raise NotImplementedError

    def new_attempt(self, run_id: str, attempt: int) -> Path:
        """The empty `N/made/` with its `output/`."""
        raise NotImplementedError

    def run_json(self, run_id: str) -> Mapping[str, Any]:
        raise NotImplementedError

    def given_notebook(self, run_id: str) -> bytes:
        raise NotImplementedError

    def given_unchanged(self, run_id: str, hashes: Mapping[str, str]) -> bool: ...

    def result(self, run_id: str, attempt: int) -> Mapping[str, Any] | None:
        """result.json, checked; None when there is none; errors.RecordUnreadable for nonsense."""
        raise NotImplementedError

    def progress(self, run_id: str, attempt: int, since: int = 0) -> Progress:
        """The journal's whole lines from a byte offset; a broken line is passed over."""
        raise NotImplementedError

    def notebook(self, run_id: str, attempt: int) -> bytes:
        """The executed notebook as far as it got: the task's own, else made from the journal."""
        raise NotImplementedError

    def log(self, run_id: str, attempt: int, since: int = 0, most: int = 1 << 20) -> bytes: ...

    def outputs(self, run_id: str, attempt: int, most: int = 10_000) -> Sequence[OutputFile]: ...

    def open_output(self, run_id: str, attempt: int, path: str) -> BinaryIO:
        """A file below output/, or errors.NotFound."""
        raise NotImplementedError

    def remove(self, run_id: str) -> None: ...


def blocks(file: BinaryIO, size: int = 1 << 16) -> Iterator[bytes]:
    while block := file.read(size):
        yield block

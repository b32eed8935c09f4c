"""progress.jsonl and log.txt while they are written: only ever appended, at a bounded rate."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drybench_runner.record import Event, lines, merged

SHORTEST_PAUSE = 0.05
_SLOWER_BY = 8 << 20

Later = Callable[[float, Callable[[], None]], Any]


class Journal:
    """Events wait for at most a moment, so that a cell that prints a lot costs few writes.

    `later` calls a function after some seconds. When the disk is full `broken` is called, once.
    """

    def __init__(self, file: Path, later: Later, broken: Callable[[], None]) -> None:
        self._fd = _open_to_append(file)
        self._later = later
        self._tell_broken = broken
        self._waiting: list[Event] = []
        self._is_due = False
        self._is_torn = False
        self._size = 0
        self.is_whole = True

    def add(self, event: Event) -> None:
        self._waiting.append(event)
        if not self._is_due:
            self._is_due = True
            self._later(self._pause(), self._flush_when_due)

    def flush(self) -> None:
        """Write what waits. What cannot be written is left out: the notebook still has it."""
        due, self._waiting = merged(self._waiting), []
        try:
            for event in due:
                for line in lines(event):
                    self._write(line)
        except OSError:
            self._is_torn = True
            if self.is_whole:
                self.is_whole = False
                self._tell_broken()

    def close(self) -> None:
        self.flush()
        os.close(self._fd)

    def _pause(self) -> float:
        # An animation of many hours writes less and less often, else its journal would fill the disk.
        return SHORTEST_PAUSE * (1 + self._size / _SLOWER_BY)

    def _flush_when_due(self) -> None:
        self._is_due = False
        if self._waiting:
            self.flush()

    def _write(self, line: bytes) -> None:
        if self._is_torn:
            line = b"\n" + line
        write_all(self._fd, line)
        self._is_torn = False
        self._size += len(line)


class Log:
    """What the run has to say to a person: its steps and what its cells print. Never stops a run."""

    def __init__(self, file: Path) -> None:
        self._fd = _open_to_append(file)

    def write(self, text: str) -> None:
        try:
            write_all(self._fd, text.encode("utf-8", "replace"))
        except OSError:
            return

    def close(self) -> None:
        os.close(self._fd)


def write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _open_to_append(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

"""The logs of the bench's parts: bounded, and shown as they grow.

The parts write to their files themselves, so that they go on when the supervisor is killed. A file
is therefore copied and emptied in place; a line written in that moment may be lost.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

MOST = 10 << 20  # bytes of one log; as much again in the one before
PAUSE = 0.3  # seconds between two looks at a growing log


def rotate(log: Path, most: int = MOST) -> None:
    if log.exists() and log.stat().st_size > most:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def last_lines(log: Path, count: int) -> list[str]:
    """The end of a log; what a part printed is text of any kind, so nothing in it is an error."""
    if not log.exists():
        return []
    with log.open(errors="replace") as lines:
        return [line.rstrip("\n") for line in deque(lines, maxlen=count)]


def growing(logs: Sequence[Path], pause: float = PAUSE) -> Iterator[tuple[Path, str]]:
    """Lines that any of them gets from now on, for ever."""
    return _grown({log: _size(log) for log in logs}, pause)


def _grown(read: dict[Path, int], pause: float) -> Iterator[tuple[Path, str]]:
    while True:
        for log, before in read.items():
            size = _size(log)
            start = before if size >= before else 0  # it was emptied
            for line, end in _whole_lines(log, start) if size > start else ():
                read[log] = end
                yield log, line
        time.sleep(pause)


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _whole_lines(log: Path, start: int) -> Iterator[tuple[str, int]]:
    with log.open("rb") as file:
        file.seek(start)
        for line in file:
            if line.endswith(b"\n"):
                start += len(line)
                yield line[:-1].decode(errors="replace"), start

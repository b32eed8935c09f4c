"""Who builds next: so many at a time on one bench, in the order in which they came, whichever process asks."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from drybench.images.records import Builds, Writer


class Turn:
    """Of one build. What it waits for is in its record; an ended process lets go of its place by itself."""

    def __init__(self, folder: Path, builds: Builds, writer: Writer, at_once: int) -> None:
        self._folder = folder
        self._builds = builds
        self._writer = writer
        self._at_once = at_once
        self._lock: int | None = None

    def take(self, now: str) -> bool:
        """Whether it may begin; asked again and again until then. `now`: what is to be built."""
        building, in_line = self._others()
        if not in_line:
            self._lock = next((lock for lock in map(self._locked, range(self._at_once)) if lock is not None), None)
        if self._lock is not None:
            self._writer.note(state="building", now=now, ahead=None)
        elif (ahead := building + in_line) != self._writer.build.ahead:
            self._writer.note(state="waiting", now=now, ahead=ahead, step=0, steps=0, doing="")
        return self._lock is not None

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)

    def _others(self) -> tuple[int, int]:
        """How many build, and how many are in line before it."""
        others = [one for one in self._builds.all() if not one.is_over and one.id != self._writer.build.id]
        before = [one for one in others if one.ahead is not None and one.id < self._writer.build.id]
        return sum(one.state == "building" and not one.pull for one in others), len(before)

    def _locked(self, number: int) -> int | None:
        return locked(self._folder / f"turn-{number}")


def locked(file: Path) -> int | None:
    """Until it is closed; None while somebody else has it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock

"""Memory and cores in use, from the kernel's own books: to ask Docker takes a second for each container.

Only on the machine that the containers run on; elsewhere nobody knows.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
NANO, MICRO = 1_000_000_000, 1_000_000


@dataclass(frozen=True)
class Books:
    """The files of one container, of the old kind of cgroups or the new."""

    memory: Path
    inactive: tuple[Path, str]  # file cache that could go at once
    cpu: tuple[Path, str]
    ticks: int  # in a second

    @classmethod
    def of(cls, pid: int) -> Books | None:
        try:
            lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        except OSError:
            return None
        paths = {name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")}
        if "memory" in paths:
            return cls._old(paths["memory"], paths.get("cpuacct", paths["memory"]))
        return cls._new(paths[""]) if "" in paths else None

    @classmethod
    def _old(cls, memory: str, cpu: str) -> Books:
        folder = CGROUPS / "memory" / memory.lstrip("/")
        used = CGROUPS / "cpuacct" / cpu.lstrip("/") / "cpuacct.usage"
        return cls(folder / "memory.usage_in_bytes", (folder / "memory.stat", "total_inactive_file"), (used, ""), NANO)

    @classmethod
    def _new(cls, path: str) -> Books:
        folder = CGROUPS / path.lstrip("/")
        inactive, cpu = (folder / "memory.stat", "inactive_file"), (folder / "cpu.stat", "usage_usec")
        return cls(folder / "memory.current", inactive, cpu, MICRO)


class Usage:
    """Cores in use come from two looks, so it remembers the last one."""

    def __init__(self) -> None:
        self._books: dict[str, Books | None] = {}
        self._last: dict[str, tuple[float, float]] = {}

    def knows(self, id: str) -> bool:
        return id in self._books

    def learn(self, id: str, pid: int) -> None:
        """The first process of this container."""
        self._books[id] = Books.of(pid) if pid > 0 else None

    def of(self, id: str) -> tuple[int | None, float | None]:
        books = self._books.get(id)
        if books is None:
            return None, None
        try:
            memory = _number(books.memory, "") - _number(*books.inactive)
            return max(0, memory), self._cores(id, _number(*books.cpu) / books.ticks)
        except (OSError, ValueError):
            return None, None

    def only(self, ids: Collection[str]) -> None:
        """The others are gone."""
        for of_each in (self._books, self._last):
            for id in of_each.keys() - set(ids):
                del of_each[id]

    def _cores(self, id: str, seconds: float) -> float | None:
        now = time.monotonic()
        before = self._last.get(id)
        self._last[id] = (now, seconds)
        if before is None or now <= before[0]:
            return None
        return max(0.0, round((seconds - before[1]) / (now - before[0]), 3))


def _number(file: Path, key: str) -> int:
    """Of a file with nothing else in it, or of the line with this key."""
    text = file.read_text()
    if not key:
        return int(text)
    return next(int(line.split()[1]) for line in text.splitlines() if line.split()[0] == key)

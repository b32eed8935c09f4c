"""The folder of one local task: what its watcher and the task itself write there.

A task can write anything at all into it, so nothing is followed and every read is bounded.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from drybench.engines.local_watcher import write
from drybench.engines.processes import Identity
from drybench.phases import Reason

ALLOWED_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
SMALL = 1 << 16
BLOCK = 1 << 16
MOST_CORES = 1 << 20
DOOR, TAKEN = "door", "taken.json"  # of a ready task: see `drybench_runner.claims`
NOT_A_FILE = {errno.ELOOP, errno.ENXIO, errno.ENOTDIR}


@dataclass(frozen=True)
class End:
    exit_code: int | None
    reason: Reason | None


@dataclass(frozen=True)
class TaskFolder:
    path: Path
    link: Path | None = None  # the name of a task that has claimed a ready one, whose folder this is

    @classmethod
    def of(cls, tasks: Path, id: object) -> TaskFolder | None:
        """None for a name that no task has."""
        if not isinstance(id, str) or not ALLOWED_ID.fullmatch(id):
            return None
        try:
            ready = str((tasks / id).readlink())
        except OSError:
            return cls(tasks / id)
        return cls(tasks / ready, tasks / id) if ALLOWED_ID.fullmatch(ready) else cls(tasks / id)

    @property
    def own(self) -> Path:
        """DRYBENCH_TASK_DIR."""
        return self.path / "own"

    @property
    def overlay(self) -> Path:
        return self.path / "env"

    def make(self) -> None:
        self.path.mkdir(mode=0o700, exist_ok=True)
        self.own.mkdir(mode=0o700, exist_ok=True)

    def exists(self) -> bool:
        """False only where the folder of all tasks is there and this one is not in it: else OSError."""
        try:
            self.path.lstat()
        except FileNotFoundError:
            self.path.parent.stat()
            return False
        return True

    def watcher(self) -> Identity | None:
        """Who watches, or watched last; None as long as nothing was started."""
        record = self._record("watcher.json")
        return Identity.from_json(record) if record else None

    def has_command(self) -> bool:
        return self._record("command.json") is not None

    def end(self) -> End | None:
        record = self._record("exit.json")
        if record is None:
            return None
        if record.get("format") != 1:
            return End(None, Reason.RECORD_UNREADABLE)
        return End(_integer(record.get("exit_code"), 255), _reason(record.get("reason")))

    def port(self) -> int | None:
        try:
            port = _integer((self._record("own", "address.json") or {}).get("port"), 65535)
        except OSError:  # what the task does to its own file says nothing about the engine
            return None
        return port or None

    def has_door(self) -> bool:
        """A ready task can be given its work."""
        try:
            return stat.S_ISSOCK((self.own / DOOR).lstat().st_mode)
        except OSError:
            return False

    def taken_by(self) -> str | None:
        """The task whose work a ready one has taken; empty for nonsense."""
        record = self._record("own", TAKEN)
        return None if record is None else str(record.get("task", ""))

    def usage(self) -> tuple[int | None, float | None]:
        record = self._record("usage.json") or {}
        return _integer(record.get("memory"), 1 << 62), _cores(record.get("cpu"))

    def wish_end(self, grace: float) -> None:
        """For the watcher, and for one that takes its place."""
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        write(self.path / "stop.json", {"format": 1, "grace": grace, "at": at})

    def log(self, since: int) -> Iterator[bytes]:
        """From this offset to what is there now."""
        try:
            file = self._open("log")
        except (FileNotFoundError, ValueError):
            return
        with file:
            size = os.fstat(file.fileno()).st_size
            file.seek(since)
            while since < size and (block := file.read(min(BLOCK, size - since))):
                since += len(block)
                yield block

    def complaint(self) -> str:
        """The last thing that the watcher itself complained of."""
        try:
            with self._open("watcher.log") as file:
                lines = file.read(SMALL).decode(errors="replace").split("\n")
        except (FileNotFoundError, ValueError):
            return ""
        return next((line for line in reversed(lines) if line.strip()), "")

    def remove(self) -> None:
        """Once more does no harm."""
        if self.exists():
            try:
                shutil.rmtree(self.path)
            except (OSError, RecursionError):
                self._remove_firmly()
        self.unlink()

    def unlink(self) -> None:
        if self.link is not None:
            self.link.unlink(missing_ok=True)

    def _remove_firmly(self) -> None:
        """However deep it is, and though the task took the right to write from its own folders."""
        for program in (("chmod", "-R", "u+rwx"), ("rm", "-rf")):
            subprocess.run([*program, "--", self.path], check=False, capture_output=True)
        with suppress(FileNotFoundError):
            shutil.rmtree(self.path)  # says why, if it is still there

    def _record(self, *parts: str) -> dict[str, Any] | None:
        """None when it is not there; {} for nonsense."""
        try:
            with self._open(*parts) as file:
                record = json.loads(file.read(SMALL))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):
            return {}
        return cast("dict[str, Any]", record) if isinstance(record, dict) else {}

    def _open(self, *parts: str) -> BinaryIO:
        """Part by part, so that no folder on the way is a link; ValueError for anything but a regular file."""
        at = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            for part in parts:
                found = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
                os.close(at)
                at = found
            if stat.S_ISREG(os.fstat(at).st_mode):
                return os.fdopen(at, "rb")
            raise ValueError("not a regular file")
        except BaseException as problem:
            os.close(at)
            if isinstance(problem, OSError) and problem.errno in NOT_A_FILE:
                raise ValueError("a link or the like") from problem
            raise


def _integer(value: object, most: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else None


def _cores(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < MOST_CORES else None


def _reason(word: object) -> Reason | None:
    return Reason(word) if isinstance(word, str) and word in set(Reason) else None

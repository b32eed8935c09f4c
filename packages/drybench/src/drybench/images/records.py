"""What is known of each build: DATA/images/builds/ID with `build.json` and `log.txt`, read while it goes on."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

from drybench.errors import NoSuchBuild

State = Literal["waiting", "building", "done", "failed", "cancelled", "lost"]
OVER: frozenset[State] = frozenset({"done", "failed", "cancelled", "lost"})
MOST_KEPT = 50  # builds
MOST_OF_A_LOG = 1 << 20
LONGEST_LOG = 32 << 20  # bytes that are kept: what is built may say anything, without end
CUT = b"[cut here: this log would be too long]\n"


@dataclass(frozen=True)
class Build:
    """One build of one environment's image, and of what it is built on where that is not there yet."""

    id: str
    environment: str
    image: str  # the name that it gets
    fresh: bool
    state: State
    began_at: datetime
    pull: bool = False  # it is got from where it is shared, not built
    ended_at: datetime | None = None
    now: str = ""  # whose image is being built: its parents come first
    step: int = 0
    steps: int = 0
    doing: str = ""  # the step, as its Dockerfile says it
    problem: str = ""  # why it failed
    digest: str = ""  # of what was built
    ahead: int | None = None  # so many builds go first, while it waits in line
    layers: tuple[str, ...] = ()  # nameless images that it left for the next build of it

    @property
    def is_over(self) -> bool:
        return self.state in OVER


class Builds:
    """The records of one bench. Several processes may write and read, each build has one who writes it."""

    def __init__(self, folder: Path, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._folder = folder / "builds"
        self._now = now
        self._new_id = new_id

    def begin(self, environment: str, image: str, fresh: bool = False, pull: bool = False) -> Writer:
        """It is in line from now on, unless it only gets an image."""
        ahead = None if pull else 0
        build = Build(self._new_id(), environment, image, fresh, "waiting", self._now(), pull, ahead=ahead)
        folder = self._folder / build.id
        folder.mkdir(mode=0o700, parents=True)
        self._remove_old()
        return Writer(folder, build, self._now)

    def find(self, id: str) -> Build:
        found = self._read(id) if id.isalnum() else None
        if found is None:
            raise NoSuchBuild
        return found

    def all(self, limit: int = MOST_KEPT) -> Sequence[Build]:
        """The newest first."""
        found = (self._read(id) for id in sorted(self._ids(), reverse=True)[:limit])
        return [build for build in found if build is not None]

    def newest(self, environment: str) -> Build | None:
        return next((build for build in self.all() if build.environment == environment), None)

    def log(self, id: str, since: int = 0, most: int = MOST_OF_A_LOG) -> bytes:
        """From a byte offset to what is there now, bounded."""
        with suppress(OSError), (self._folder / self.find(id).id / "log.txt").open("rb") as file:
            file.seek(since)
            return file.read(most)
        return b""

    def _ids(self) -> Iterator[str]:
        with suppress(OSError):
            yield from (entry.name for entry in self._folder.iterdir() if entry.is_dir())

    def _read(self, id: str) -> Build | None:
        try:
            said: dict[str, Any] = json.loads((self._folder / id / "build.json").read_bytes())
            build = _from_json(said)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not build.is_over and _is_free(self._folder / id):
            return replace(build, state="lost", problem="what built it has ended before it was done")
        return build

    def _remove_old(self) -> None:
        for id in sorted(self._ids(), reverse=True)[MOST_KEPT:]:
            shutil.rmtree(self._folder / id, ignore_errors=True)


class Writer:
    """Of one build. Its lock says that somebody still works at it."""

    def __init__(self, folder: Path, build: Build, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now
        self._lock = _locked(folder)
        self._log = (folder / "log.txt").open("ab", buffering=0)
        self._left = LONGEST_LOG
        self.build = build
        self.note()

    def say(self, line: str) -> None:
        with suppress(OSError):  # a full disk loses lines of a log, and no build
            if self._left > 0:
                said = f"{line}\n".encode(errors="replace")
                self._left -= len(said)
                self._log.write(said if self._left > 0 else CUT)

    def note(self, **changes: Any) -> Build:
        self.build = replace(self.build, **changes)
        new = self._folder / "build.json.new"
        new.write_text(json.dumps(_as_json(self.build)))
        new.replace(self._folder / "build.json")
        return self.build

    def note_step(self, step: int, steps: int, doing: str) -> None:
        if (step, steps, doing) != (self.build.step, self.build.steps, self.build.doing):
            self.note(step=step, steps=steps, doing=doing)

    def end(self, state: State, **changes: Any) -> Build:
        try:
            return self.note(state=state, ahead=None, ended_at=self._now(), **changes)
        finally:
            self.let_go()

    def let_go(self) -> None:
        self._log.close()
        os.close(self._lock)

    @property
    def log_file(self) -> Path:
        return self._folder / "log.txt"


def _as_json(build: Build) -> Mapping[str, Any]:
    times = {"began_at": build.began_at.isoformat(), "ended_at": build.ended_at and build.ended_at.isoformat()}
    return {"format": 1, **asdict(build), **times}


def _from_json(said: dict[str, Any]) -> Build:
    if said.pop("format") != 1:
        raise ValueError("of another format")
    ended = said.pop("ended_at")
    began = datetime.fromisoformat(said.pop("began_at"))
    layers = tuple(said.pop("layers"))
    return Build(began_at=began, ended_at=datetime.fromisoformat(ended) if ended else None, layers=layers, **said)


def _locked(folder: Path) -> int:
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _is_free(folder: Path) -> bool:
    try:
        with (folder / "lock").open("rb") as file:
            return _can_lock(file)
    except OSError:
        return True


def _can_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

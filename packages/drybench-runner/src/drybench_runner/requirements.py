"""What a run's requirements.txt adds to the environment it works in: installed once, used again by the same person.

    OVERLAYS/KEY/         what uv installed
    OVERLAYS/KEY/.ready   it is whole, and exactly this is in it; who uses it holds a shared lock on this file
    OVERLAYS/.KEY.lock    held by who makes it
    OVERLAYS/.new-KEY-*   being made, or left by one that was killed

OVERLAYS is a folder for one person and one environment's digest, so nothing is shared between people.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import re
import shutil
import sysconfig
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from drybench_runner import causes
from drybench_runner.causes import End
from drybench_runner.places import Places
from drybench_runner.record import RunFile
from drybench_runner.resolving import NoRoom, Requirements, RequirementsFailed, Say, install, resolve

MOST_KEPT = 20  # overlays of one person
_LOOK_AGAIN = 0.1
_OF_THE_INDEX = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"),
)
_THIN = "drybench.pth"  # what makes a task's own environment a thin one, above the environment proper


@dataclass(frozen=True)
class Overlay:
    folder: Path
    packages: tuple[str, ...]  # name==version
    cached: bool
    lock: int  # held open: so long nobody clears it away

    def as_json(self) -> dict[str, object]:
        return {"packages": list(self.packages), "cached": self.cached}


async def provide_for(places: Places, run: RunFile, say: Say) -> Overlay | End:
    """What a run asks for, in use from now on; or how the run ends where that cannot be had."""
    own = os.environ.get("DRYBENCH_TASK_DIR") or tempfile.gettempdir()
    try:
        asked = Requirements.read(places.given / (run.requirements or "requirements.txt"))
        overlay = await provide(asked, Path(run.overlays or f"{own}/overlays/of-this-task"), say)
        use(overlay)
    except NoRoom:
        return causes.DISK_FULL
    except RequirementsFailed as wrong:
        return End("failed", "requirements_failed", str(wrong))
    except OSError as problem:
        if causes.disk_is_full(problem):
            return causes.DISK_FULL
        return End("failed", "requirements_failed", f"requirements.txt could not be installed: {problem}.")
    say(f"requirements.txt: {len(overlay.packages)} packages{', from an earlier run' if overlay.cached else ''}")
    return overlay


async def provide(asked: Requirements, overlays: Path, say: Say) -> Overlay:
    """The overlay with what this list asks for. RequirementsFailed with words for the person."""
    folder = _place(overlays, asked)
    if there := _taken(folder):
        return there
    async with _only_one(folder.with_name(f".{folder.name}.lock"), say):
        if there := _taken(folder):
            return there
        await _make(asked, folder, say)
        made = _taken(folder)
    sweep(overlays.parent)
    if made is None:
        raise RequirementsFailed("What requirements.txt asked for was cleared away as soon as it was installed.")
    return replace(made, cached=False)


def use(overlay: Overlay) -> None:
    """From now on what is started here finds it before the environment's own, and %pip's before both."""
    os.environ["PATH"] = f"{overlay.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    own = Path(sysconfig.get_path("purelib"))
    if (own / _THIN).exists():
        # .pth files count in the order of their names, and this one comes before the environment's
        line = f"import site; site.addsitedir({str(overlay.folder)!r})\n"
        (own / "drybench-requirements.pth").write_text(line)
    else:
        rest = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([str(overlay.folder), *([rest] if rest else [])])


def sweep(overlays_of_person: Path, keep: int = MOST_KEPT) -> None:
    """Those used longest ago go, whatever environment they were for; one that is in use stays."""
    whole = [
        ready for ready in overlays_of_person.glob("*/*/.ready") if re.fullmatch("[0-9a-f]{32}", ready.parent.name)
    ]
    for ready in sorted(whole, key=_last_used)[: max(0, len(whole) - keep)]:
        _clear_if_idle(ready)


def _place(overlays: Path, asked: Requirements) -> Path:
    """The same list has the same place, however it is spaced, ordered and commented, while the index is the same."""
    overlays.mkdir(mode=0o700, parents=True, exist_ok=True)
    said = sorted({line for _, line in asked.lines})
    index = [f"{name}={os.environ.get(name, '')}" for name in _OF_THE_INDEX]
    return overlays / hashlib.sha256("\n".join([*said, "", *index]).encode()).hexdigest()[:32]


def _taken(folder: Path) -> Overlay | None:
    """Locked and whole, or None."""
    ready = folder / ".ready"
    try:
        lock = os.open(ready, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), ready.stat()):
            packages = tuple(json.loads(ready.read_bytes())["packages"])
            os.utime(ready)
            return Overlay(folder, packages, cached=True, lock=lock)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    os.close(lock)
    return None


@asynccontextmanager
async def _only_one(lock: Path, say: Say) -> AsyncGenerator[None]:
    """Waited for by looking, for whoever waits must hear that the run is cancelled."""
    told = False
    with lock.open("w") as held:
        while not _locked(held.fileno()):
            if not told:
                say("another run installs the same list: waiting for it")
            told = True
            await asyncio.sleep(_LOOK_AGAIN)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _make(asked: Requirements, folder: Path, say: Say) -> None:
    """Aside, and then renamed: who holds the lock may clear away what others have left half made."""
    for left in folder.parent.glob(f".new-{folder.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=f".new-{folder.name}-", dir=folder.parent))
    try:
        target = aside / "packages"
        target.mkdir(mode=0o700)
        exactly = await resolve(asked, aside, say)
        if exactly:
            await install(exactly, asked, target, say)
        packages = sorted(re.sub(r"\s--hash\S+", "", line) for line in exactly)
        (target / ".ready").write_text(json.dumps({"format": 1, "packages": packages}))
        _clear(folder)
        target.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _last_used(ready: Path) -> float:
    try:
        return ready.stat().st_mtime
    except OSError:
        return 0.0


def _clear_if_idle(ready: Path) -> None:
    with suppress(OSError):
        lock = os.open(ready, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _clear(ready.parent)
        finally:
            os.close(lock)


def _clear(folder: Path) -> None:
    """Out of the way at once, then gone."""
    old = folder.with_name(f".new-{folder.name}-old-{os.getpid()}")
    with suppress(FileNotFoundError):
        folder.rename(old)
        shutil.rmtree(old, ignore_errors=True)

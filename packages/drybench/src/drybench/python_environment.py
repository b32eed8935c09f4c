"""Makes the Python environment of sessions and runs: locked, in the data directory, never the bench's own.

Its folder is named by what is in it, so an upgrade makes a new one beside the old; tasks that
wait or run go on with the one they were planned for.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from drybench.data_folder import DataFolder
from drybench.own_packages import OURS, Part, Say, find_uv, installable, part, run

NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}
LOCK = Path(str(files("drybench").joinpath("environments", "python", "requirements.lock")))


def make(data: DataFolder, say: Say, lock: Path = LOCK) -> Path:
    """The environment's folder, made now if it is not there. Two who ask at once make it once."""
    ours = [part(name) for name in OURS]
    root = _root(data)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = root / _digest(lock, ours)
    with _one_at_a_time(root):
        if not _ready(folder).exists():
            say("Making the Python environment of sessions and runs (the first time this takes a minute or two)")
            _fill(folder, lock, ours, say)
            compile_all(folder, (root / "current", Path(sys.prefix)))
            _ready(folder).touch()
        _make_current(root, folder)
    return folder


def current(data: DataFolder) -> Path:
    """The folder that `make` made last."""
    return (_root(data) / "current").resolve(strict=True)


def folder(data: DataFolder) -> Path:
    """Where it is, or will be when `make` has made it."""
    return _root(data) / "current"


def compile_all(folder: Path, others: Sequence[Path]) -> None:
    """What lies in another environment too was compiled there: Python itself sees whether that fits the source.

    Compiling is most of the time that an environment takes. What another program is writing there just now has a
    name of its own, which is gone a moment later.
    """
    for other in others:
        for compiled in other.glob("lib/python3*/site-packages/**/__pycache__"):
            there = folder / compiled.relative_to(other)
            if there.parent.is_dir() and not there.exists():
                shutil.copytree(compiled, there, ignore=shutil.ignore_patterns("*.pyc.*"))
    command = [folder / "bin" / "python", "-m", "compileall", "-q", "-j", "0", folder / "lib"]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # not all is Python 3


def _root(data: DataFolder) -> Path:
    """Resolved, because the scripts in an environment name its folder in their first line."""
    return (data.environments / "python").resolve()


def _digest(lock: Path, ours: Sequence[Part]) -> str:
    told = hashlib.sha256(f"{sys.version_info[:3]} {sys.base_prefix} {NO_NEWS}".encode())
    for piece in (lock.read_bytes(), *(piece for one in ours for piece in one.fingerprint())):
        told.update(hashlib.sha256(piece).digest())
    return told.hexdigest()[:16]


@contextmanager
def _one_at_a_time(root: Path) -> Generator[None]:
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ready(folder: Path) -> Path:
    return folder / ".ready"


def _fill(folder: Path, lock: Path, ours: Sequence[Part], say: Say) -> None:
    """At its final place, for a virtual environment cannot be moved."""
    shutil.rmtree(folder, ignore_errors=True)
    uv = find_uv()
    run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], say)
    install = [uv, "pip", "install", "--python", str(folder / "bin" / "python")]
    run([*install, "--require-hashes", "-r", str(lock)], say)
    wheels = folder / "wheels"
    run([*install, "--no-deps", *(installable(uv, one, wheels, say) for one in ours)], say)
    shutil.rmtree(wheels, ignore_errors=True)
    _write_overrides(folder)


def _write_overrides(folder: Path) -> None:
    """JupyterLab asks nobody for news: a bench speaks to nothing outside by itself."""
    file = folder / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"@jupyterlab/apputils-extension:notification": NO_NEWS}))


def _make_current(root: Path, folder: Path) -> None:
    new = root / ".current.new"
    new.unlink(missing_ok=True)
    new.symlink_to(folder.name)
    new.replace(root / "current")

"""Makes the Python environment of sessions and runs: locked, in the data directory, never the bench's own.

Its folder is named by what is in it, so an upgrade makes a new one beside the old; tasks that
wait or run go on with the one they were planned for.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

from drybench.data_folder import DataFolder
from drybench.errors import EnvironmentNotMade

OURS = ("drybench-runner", "drybench-client", "drybench-session")
OF_A_SOURCE = frozenset({".py", ".js", ".css", ".json", ".toml"})
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}
Say = Callable[[str], None]
LOCK = Path(str(files("drybench").joinpath("environments", "python", "requirements.lock")))


def make(data: DataFolder, say: Say, lock: Path = LOCK) -> Path:
    """The environment's folder, made now if it is not there. Two who ask at once make it once."""
    ours = [_part(name) for name in OURS]
    root = _root(data)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = root / _digest(lock, ours)
    with _one_at_a_time(root):
        if not _ready(folder).exists():
            say("Making the Python environment of sessions and runs (the first time this takes a minute or two)")
            _fill(folder, lock, ours, say)
        _make_current(root, folder)
    return folder


def current(data: DataFolder) -> Path:
    """The folder that `make` made last."""
    return (_root(data) / "current").resolve(strict=True)


@dataclass(frozen=True)
class _Part:
    """One of our own packages, to be installed as the bench itself has it: from its folder, or by version."""

    name: str
    version: str
    source: Path | None

    def fingerprint(self) -> Iterator[bytes]:
        yield f"{self.name} {self.version}".encode()
        if self.source and self.source.is_dir():
            for file in sorted(self.source.rglob("*.*")):
                if file.suffix in OF_A_SOURCE:
                    yield str(file.relative_to(self.source)).encode()
                    yield file.read_bytes()


def _part(name: str) -> _Part:
    found = distribution(name)
    url: str = json.loads(found.read_text("direct_url.json") or "{}").get("url", "")
    source = Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
    return _Part(name, found.version, source)


def _root(data: DataFolder) -> Path:
    """Resolved, because the scripts in an environment name its folder in their first line."""
    return (data.environments / "python").resolve()


def _digest(lock: Path, ours: Sequence[_Part]) -> str:
    told = hashlib.sha256(f"{sys.version_info[:3]} {sys.base_prefix} {NO_NEWS}".encode())
    for piece in (lock.read_bytes(), *(piece for part in ours for piece in part.fingerprint())):
        told.update(hashlib.sha256(piece).digest())
    return told.hexdigest()[:16]


@contextmanager
def _one_at_a_time(root: Path) -> Generator[None]:
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ready(folder: Path) -> Path:
    return folder / ".ready"


def _fill(folder: Path, lock: Path, ours: Sequence[_Part], say: Say) -> None:
    """At its final place, for a virtual environment cannot be moved; `.ready` says that it is whole."""
    shutil.rmtree(folder, ignore_errors=True)
    uv = _uv()
    _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], say)
    install = [uv, "pip", "install", "--python", str(folder / "bin" / "python"), "--compile-bytecode"]
    _run([*install, "--require-hashes", "-r", str(lock)], say)
    wheels = folder / "wheels"
    _run([*install, "--no-deps", *(_installable(uv, part, wheels, say) for part in ours)], say)
    shutil.rmtree(wheels, ignore_errors=True)
    _write_overrides(folder)
    _ready(folder).touch()


def _write_overrides(folder: Path) -> None:
    """JupyterLab asks nobody for news: a bench speaks to nothing outside by itself."""
    file = folder / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"@jupyterlab/apputils-extension:notification": NO_NEWS}))


def _installable(uv: str, part: _Part, wheels: Path, say: Say) -> str:
    """A folder is built by the bench's own locked hatchling where there is one, else by one that uv fetches."""
    if part.source is None or not part.source.is_dir():
        return str(part.source or f"{part.name}=={part.version}")
    locked = ["--no-build-isolation", "--python", sys.executable] if importlib.util.find_spec("hatchling") else []
    _run([uv, "build", "--quiet", "--wheel", *locked, "--out-dir", str(wheels), str(part.source)], say)
    return str(next(wheels.glob(f"{part.name.replace('-', '_')}-*.whl")))


def _uv() -> str:
    from uv import find_uv_bin

    return find_uv_bin()


def _run(command: Sequence[str], say: Say) -> None:
    """Its lines are shown as they come, all but the names of what was installed."""
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    last: deque[str] = deque(maxlen=8)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            last.append(line.strip())
            if line.strip() and not line.startswith((" +", " -")):
                say(f"   {line.strip()}")
    if process.returncode:
        raise EnvironmentNotMade(problem=" ".join(last))


def _make_current(root: Path, folder: Path) -> None:
    new = root / ".current.new"
    new.unlink(missing_ok=True)
    new.symlink_to(folder.name)
    new.replace(root / "current")

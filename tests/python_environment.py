"""The Python environment of sessions and runs, made once for all tests and kept for the next time.

DRYBENCH_TEST_PYTHON names one that exists. Else it lies below ~/.cache, named by its lock and this file; our own
packages are in it as links to this checkout, so that a change needs no new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from drybench.python_environment import OURS, compile_all, current
from tests.bench import SHARED, make_environment

CHECKOUT = Path(__file__).parent.parent
LOCK = CHECKOUT / "packages/drybench/src/drybench/environments/python/requirements.lock"


@pytest.fixture(scope="session")
def python_environment() -> Path:
    """The environment's folder; `bin/python` in it has JupyterLab, ipykernel, runner and client."""
    named = os.environ.get("DRYBENCH_TEST_PYTHON")
    return Path(named) if named else make()


def make() -> Path:
    how = Path(__file__).read_bytes()
    identity = LOCK.read_bytes() + sys.version.encode() + f"{CHECKOUT} {OURS}".encode() + how
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "drybench-tests"
    folder = cache / f"python-{hashlib.sha256(identity).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _fill(folder / "env")
            (folder / "ready").touch()
    return folder / "env"


def _fill(env: Path) -> None:
    python = str(env / "bin/python")
    _uv(["venv", "--quiet", "--clear", "--python", sys.executable, str(env)])
    _uv(["pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(LOCK)])
    ours = [word for name in OURS for word in ("-e", f"{CHECKOUT}/packages/{name}")]
    _uv(["pip", "install", "--quiet", "--python", python, "--no-deps", *ours])
    copied = env / "share/jupyter/labextensions/drybench-session"
    shutil.rmtree(copied)
    copied.symlink_to(CHECKOUT / "packages/drybench-session/labextension")
    make_environment()
    compile_all(env, [current(SHARED)])


def _uv(words: Sequence[str]) -> None:
    from uv import find_uv_bin

    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    subprocess.run([find_uv_bin(), *words], check=True, env=env)

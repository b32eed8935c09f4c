"""The runner as it is carried into images that have a kernel and no runner of ours: a folder to be mounted read-only.

    drybench_runner/      as the bench itself has it
    drybench_carried/     what it needs beside a kernel, of which nothing is compiled (drybench_runner/carried.py)

Its name says what is in it, so a task goes on with the one that it was started with.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from importlib.resources import files
from pathlib import Path

from drybench import own_packages
from drybench.data_folder import DataFolder
from drybench.own_packages import Say

LOCK = Path(str(files("drybench").joinpath("images", "carried.lock")))
RUNNER, BESIDE = "drybench-runner", "drybench_carried"
COMPILED = ("*.so", "*.so.*", "*.libs", "*.pyd")


def carried(data: DataFolder, say: Say = lambda line: None) -> Path:
    """The folder, made now if it is not there. Two who ask at once make it once."""
    runner = own_packages.part(RUNNER)
    told = hashlib.sha256(LOCK.read_bytes())
    for piece in runner.fingerprint():
        told.update(hashlib.sha256(piece).digest())
    folder = data.runner / told.hexdigest()[:16]
    data.runner.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data.runner / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            say("Making the runner that is carried into other people's images")
            _make(folder, say)
    return folder


def _make(folder: Path, say: Say) -> None:
    """Elsewhere, and then renamed: what is there is whole. In a task it is read by another account."""
    uv, new = own_packages.find_uv(), folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    install = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--compile-bytecode"]
    own_packages.run([*install, "--require-hashes", "--target", str(new / BESIDE), "-r", str(LOCK)], say)
    ours = own_packages.installable(uv, own_packages.part(RUNNER), new / "wheels", say)
    own_packages.run([*install, "--target", str(new), ours], say)
    shutil.rmtree(new / "wheels", ignore_errors=True)
    for compiled in [found for pattern in COMPILED for found in (new / BESIDE).rglob(pattern)]:
        shutil.rmtree(compiled) if compiled.is_dir() else compiled.unlink(missing_ok=True)
    for file in (new, *new.rglob("*")):
        file.chmod(0o755 if file.is_dir() or file.stat().st_mode & 0o100 else 0o644)
    new.rename(folder)

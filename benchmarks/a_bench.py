"""A bench of its own for the time of the measurement."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers import KEPT
from drybench import python_environment
from drybench.data_folder import DataFolder
from drybench.up.child_processes import Children
from drybench.up.supervising import who_is_up

DRYBENCH = Path(sys.executable).with_name("drybench")


@contextmanager
def a_bench(settings: str = "") -> Generator[Path]:
    """Up while the block runs, on the machine itself; its data directory. `settings` is its drybench.toml."""
    with a_folder() as data, up(data, settings, DRYBENCH_ENGINES__DOCKER__USE="never"):
        yield data


@contextmanager
def up(data: Path, settings: str, **environ: str) -> Generator[None]:
    (data / "drybench.toml").write_text(settings)
    (data / "environments").mkdir(mode=0o700, exist_ok=True)
    (data / "environments" / "python").symlink_to(_python().parent)
    command = [DRYBENCH, "up", "--detach", "--data", data]
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environ})
        yield
    finally:
        subprocess.run([DRYBENCH, "down", "--tasks", "--data", data], check=False, stdout=subprocess.DEVNULL)


@contextmanager
def a_folder() -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="drybench-figures-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _python() -> Path:
    """The environment of the machine itself, made once for all benches."""
    shared = DataFolder(KEPT / "shared")
    shared.environments.mkdir(mode=0o700, parents=True, exist_ok=True)
    return python_environment.make(shared, lambda line: print(line, file=sys.stderr))


def public_address(data: Path) -> str:
    return json.loads((data / "bench.json").read_text())["public"]


def pids(data: Path) -> list[int]:
    """The supervisor and its three children."""
    folder = DataFolder(data)
    found = [who_is_up(folder), *Children(folder.children).alive().values()]
    return sorted(one.pid for one in found if one)

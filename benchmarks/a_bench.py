"""A bench of its own for the time of the measurement."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DRYBENCH = Path(sys.executable).with_name("drybench")


@contextmanager
def a_bench(settings: str = "") -> Iterator[Path]:
    """Up while the block runs; its data directory. `settings` is its drybench.toml."""
    data = Path(tempfile.mkdtemp(prefix="drybench-figures-"))
    (data / "drybench.toml").write_text(settings)
    try:
        subprocess.run([DRYBENCH, "up", "--detach", "--data", data], check=True, stdout=subprocess.DEVNULL)
        yield data
    finally:
        subprocess.run([DRYBENCH, "down", "--tasks", "--data", data], check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(data, ignore_errors=True)


def public_address(data: Path) -> str:
    return json.loads((data / "bench.json").read_text())["public"]


def pids(data: Path) -> list[int]:
    """The supervisor and its three children."""
    children = json.loads((data / "children.json").read_text())
    return sorted(_numbers(children, "pid"))


def _numbers(value: object, name: str) -> set[int]:
    if isinstance(value, dict):
        own = {value[name]} if isinstance(value.get(name), int) else set[int]()
        return own.union(*(_numbers(inner, name) for inner in value.values()))
    return set[int]().union(*(_numbers(inner, name) for inner in value)) if isinstance(value, list) else set()

"""The kernels of the environments that a person keeps in their home, as a task finds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from drybench_runner.own_kernels import find


def names(home: Path, seen_as: Path | None = None) -> Sequence[str]:
    """`seen_as` is the path of this home in a container, where it is another one there."""
    return [kernel.name for kernel in find(home, seen_as)]

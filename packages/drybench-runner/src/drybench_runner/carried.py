"""What is carried with the runner into an image that has a kernel and no runner of ours.

It lies beside this package and is the last place that is looked into: the image's own packages come first. Where one
of those that the runner speaks through is too old for it, ours is taken; of what is carried nothing is compiled. The
notebook sees none of it: its kernel is another process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

LEAST = {"nbclient": (0, 10), "nbformat": (5, 2), "jupyter_core": (5, 4), "traitlets": (5, 13)}


def look_beside(beside: Path) -> None:
    too_old = frozenset(name for name, least in LEAST.items() if (_there(name) or least) < least)
    sys.path.append(str(beside))
    if too_old:
        sys.meta_path.insert(0, _Instead(too_old, str(beside)))
    _hide_from_the_kernel(str(beside.parent))


class _Instead(MetaPathFinder):
    """These come from what was carried, with all that belongs to them."""

    def __init__(self, names: frozenset[str], place: str) -> None:
        self._names = names
        self._place = place

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(fullname, [self._place]) if fullname in self._names else None


def _there(name: str) -> tuple[int, ...] | None:
    try:
        return tuple(int(part) for part in version(name).split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return None


def _hide_from_the_kernel(place: str) -> None:
    """It was named in PYTHONPATH for this process alone."""
    rest = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one and one != place]
    os.environ["PYTHONPATH"] = os.pathsep.join(rest)
    if not rest:
        del os.environ["PYTHONPATH"]

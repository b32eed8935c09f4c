"""Engines by their names, our own through the same door as everybody's. Imported when first asked for."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from drybench.errors import EngineMissing

GROUP = "drybench.engines"


def names() -> list[str]:
    return sorted(_found())


def load(name: str) -> type[Any]:
    """The class of an engine; errors.EngineMissing says what to install."""
    found = _found()
    if name not in found:
        hint = f"Install the package that brings it, perhaps: uv pip install 'drybench[{name}]'"
        raise EngineMissing(name=name, known=", ".join(sorted(found)), hint=hint)
    try:
        return found[name].load()
    except ModuleNotFoundError as problem:
        hint = f"It needs {problem.name}: uv pip install 'drybench[{name}]'"
        raise EngineMissing(name=name, known=", ".join(sorted(found)), hint=hint) from problem


def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}

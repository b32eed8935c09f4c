"""Drybench: a lab's shared computers as a place to work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drybench_client import Bench

__all__ = ["Bench"]


def __getattr__(name: str) -> Any:
    """Imported at its first use: the server itself has none."""
    if name != "Bench":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from drybench_client import Bench

    return Bench

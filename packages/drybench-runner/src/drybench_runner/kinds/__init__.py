"""One module for each kind of run; it has `carry_out(places, run, ready)`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

from drybench_runner.places import Places
from drybench_runner.record import RunFile

if TYPE_CHECKING:
    from drybench_runner.ready import ReadyKernel

KINDS = ("notebook",)


def kind(name: str) -> Callable[[Places, RunFile, ReadyKernel | None], Awaitable[None]]:
    """What carries out runs of that kind; ValueError where this runner knows none."""
    if name not in KINDS:
        raise ValueError(f"this runner knows no kind of run named {name!r}")
    return import_module(f"drybench_runner.kinds.{name}").carry_out

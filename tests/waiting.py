"""Wait for a condition with a deadline; never sleep and hope."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")
PATIENCE = 60.0  # seconds for what takes one or two: a machine may be slow, and have other work
PAUSE = 0.02  # between two looks


def wait_for(condition: Callable[[], Answer], seconds: float = PATIENCE) -> Answer:
    """The first truthy answer of the condition."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(_too_late(condition, seconds, answer))
        time.sleep(PAUSE)
    return answer


async def eventually(condition: Callable[[], Answer], seconds: float = PATIENCE) -> Answer:
    """The same, while the event loop goes on."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(_too_late(condition, seconds, answer))
        await asyncio.sleep(PAUSE)
    return answer


def _too_late(condition: Callable[[], object], seconds: float, answer: object) -> str:
    name = getattr(condition, "__qualname__", repr(condition))
    return f"{name} did not come true within {seconds:g} s; its last answer was {answer!r}"

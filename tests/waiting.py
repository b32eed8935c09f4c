"""Wait for a condition with a deadline; never sleep and hope."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")
PATIENCE = 60.0  # seconds for what takes one or two: a machine may be slow, and have other work
A_START = 3 * PATIENCE  # for a session or a run: many modules are read, and others read theirs in that moment
PAUSE, LONGEST_PAUSE = 0.02, 0.1  # between two looks, which take from what is waited for the machine's time


def wait_for(condition: Callable[[], Answer], seconds: float = PATIENCE) -> Answer:
    """The first truthy answer of the condition."""
    began = time.monotonic()
    while not (answer := condition()):
        if (waited := time.monotonic() - began) > seconds:
            raise AssertionError(_too_late(condition, seconds, answer))
        time.sleep(_pause(waited))
    return answer


async def eventually(condition: Callable[[], Answer], seconds: float = PATIENCE) -> Answer:
    """The same, while the event loop goes on."""
    began = time.monotonic()
    while not (answer := condition()):
        if (waited := time.monotonic() - began) > seconds:
            raise AssertionError(_too_late(condition, seconds, answer))
        await asyncio.sleep(_pause(waited))
    return answer


def _pause(waited: float) -> float:
    """A tenth of what was waited already: what comes soon is seen soon."""
    return min(max(PAUSE, waited / 10), LONGEST_PAUSE)


def _too_late(condition: Callable[[], object], seconds: float, answer: object) -> str:
    name = getattr(condition, "__qualname__", repr(condition))
    return f"{name} did not come true within {seconds:g} s; its last answer was {answer!r}"

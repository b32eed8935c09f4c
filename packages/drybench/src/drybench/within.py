"""Wait, but no longer than so many seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Answer = TypeVar("Answer")


async def within(seconds: float | None, awaited: Awaitable[Answer]) -> Answer:
    """TimeoutError. Unlike `asyncio.wait_for`, which in Python 3.11 forgets that it was cancelled when the answer comes
    at the same moment: what is to go on until it is cancelled then goes on for ever."""
    async with asyncio.timeout(seconds):
        return await awaited

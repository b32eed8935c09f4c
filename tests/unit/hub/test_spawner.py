"""The spawner's look at a session, which may be anything that its owner made of it."""

from __future__ import annotations

import asyncio

import pytest

from drybench.hub.spawner import responds
from tests.talking import talks_without_end
from tests.waiting import PATIENCE


@pytest.mark.parametrize("forever", [b"\r\n" + b"x" * 100, b"x-more: y\r\n"])
async def test_a_session_that_talks_without_end_holds_up_nothing(forever: bytes) -> None:
    async with talks_without_end(forever) as address, asyncio.timeout(PATIENCE):
        await responds(f"{address}/")

"""Waiting no longer than so many seconds."""

from __future__ import annotations

import asyncio

import pytest

from drybench.within import within


async def test_who_is_cancelled_as_the_answer_comes_is_cancelled() -> None:
    answer = asyncio.Event()
    waiting = asyncio.create_task(within(60, answer.wait()))
    await asyncio.sleep(0)
    answer.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_it_answers_or_says_that_the_time_is_over() -> None:
    assert await within(None, asyncio.sleep(0, "there")) == "there"
    assert await within(0, asyncio.Queue[str]().join()) is None
    with pytest.raises(TimeoutError):
        await within(0, asyncio.Event().wait())

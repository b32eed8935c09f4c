"""What wakes a loop."""

from __future__ import annotations

import asyncio

from drybench.changes import Bell


async def test_it_wakes_from_any_thread() -> None:
    bell = Bell()
    bell.listen()
    _, rang = await asyncio.gather(asyncio.to_thread(bell.ring), bell.sleep(60))
    assert rang


async def test_what_rings_while_the_loop_looks_is_not_missed() -> None:
    bell = Bell()
    bell.listen()
    bell.ring()
    await asyncio.sleep(0)
    assert await bell.sleep(60)


async def test_a_look_is_done_with_what_rang_before_it() -> None:
    bell = Bell()
    bell.listen()
    bell.ring()
    assert await bell.sleep(60)
    bell.listen()
    assert not await bell.sleep(0.01)


async def test_one_that_does_not_listen_yet_is_not_woken() -> None:
    bell = Bell()
    bell.ring()
    assert not bell.is_heard
    bell.listen()
    assert not await bell.sleep(0.01)

"""The one stream of a browser: only one's own, gone with the sign-in and with the portal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from drybench.changes import Change
from drybench.errors import HubAway
from drybench.web import live
from drybench.web.door import Asker
from tests.unit.web.little_bench import ADA, LittleBench
from tests.waiting import PATIENCE, eventually


def stream(bench: LittleBench) -> AsyncIterator[str]:
    request: Any = SimpleNamespace(app=bench.app)
    return live._events(request, Asker(bench.person(), "browser", ADA))


async def test_changes_of_ones_own_are_told_from_any_thread_and_once(bench: LittleBench) -> None:
    ada, bob, told = bench.person(), bench.person("bob"), stream(bench)
    assert (await anext(told)).startswith("retry:")
    coming = asyncio.create_task(anext(told))
    await eventually(lambda: bench.portal.changes._listeners)
    for change in (Change("run", "theirs", bob.id), Change("run", "mine", ada.id), Change("run", "mine", ada.id)):
        await asyncio.to_thread(bench.portal.changes.tell, change)
    seen = await asyncio.wait_for(coming, PATIENCE)
    while "mine" not in seen:
        seen = await asyncio.wait_for(anext(told), PATIENCE)
    assert 'data: {"kind": "run", "id": "mine"}' in seen
    assert "theirs" not in seen
    await told.aclose()  # type: ignore[attr-defined]


async def test_a_quiet_stream_says_that_it_is_there(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUIET", 0.01)
    told = stream(bench)
    assert [await anext(told) for _ in range(3)][1:] == [": still here\n\n"] * 2
    await told.aclose()  # type: ignore[attr-defined]


async def test_it_ends_when_the_portal_ends(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUIET", 10 * PATIENCE)
    told = stream(bench)
    await anext(told)
    rest = asyncio.create_task(_rest(told))
    bench.app.state.ending.set()
    await asyncio.wait_for(rest, PATIENCE)


async def test_it_ends_with_the_sign_in(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUIET", 0.01)
    told = stream(bench)
    await anext(told)
    del bench.tokens.known[ADA]
    assert await asyncio.wait_for(_rest(told), PATIENCE) == []


async def test_with_the_hub_away_it_goes_on(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: str) -> None:
        raise HubAway()

    monkeypatch.setattr(live, "QUIET", 0.01)
    monkeypatch.setattr(bench.tokens, "of_token", away)
    told = stream(bench)
    await anext(told)
    assert await anext(told) == ": still here\n\n"
    await told.aclose()  # type: ignore[attr-defined]


async def _rest(told: AsyncIterator[str]) -> list[str]:
    return [words async for words in told]

"""A program that waits for a run is answered as soon as there is something to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from drybench.changes import Change
from drybench.model import Run
from drybench.phases import Outcome, Phase, Reason
from drybench.web.app import create_app
from tests.unit.web.little_bench import BOB, LittleBench
from tests.waiting import eventually

SOON = 20  # seconds, below those of the wait itself


@pytest.fixture
async def program(bench: LittleBench) -> AsyncIterator[httpx.AsyncClient]:
    async with bench.program() as program:
        yield program


@pytest.fixture
def run(bench: LittleBench) -> Run:
    run = bench.run()
    bench.move(run, Phase.RUNNING)
    return run


async def test_an_end_is_told_at_once(bench: LittleBench, program: httpx.AsyncClient, run: Run) -> None:
    waiting = await begun(bench, program, run)
    await asyncio.to_thread(bench.fail, run, Reason.OUT_OF_MEMORY)
    said = await said_by(waiting)
    assert (said["phase"], said["outcome"]) == ("ended", "failed")
    assert said["next_step"]


async def test_a_cell_is_told_at_once(bench: LittleBench, program: httpx.AsyncClient, run: Run) -> None:
    waiting = await begun(bench, program, run)
    bench.ledger.note_progress(run.id, 1, 2)
    bench.portal.changes.tell(Change("run", run.id, run.person_id))
    assert (await said_by(waiting))["cell"] == 1


@pytest.mark.parametrize("known", ["waiting:0", "running:1", "words"])
async def test_what_is_news_already_is_not_waited_for(program: httpx.AsyncClient, run: Run, known: str) -> None:
    said = await asyncio.wait_for(asked(program, run, known), SOON)
    assert said.json()["phase"] == "running"


async def test_what_has_ended_is_not_waited_for(bench: LittleBench, program: httpx.AsyncClient, run: Run) -> None:
    bench.move(run, Phase.ENDED, Outcome.DONE)
    assert (await asyncio.wait_for(asked(program, run, "ended:0"), SOON)).json()["outcome"] == "done"


async def test_what_others_do_is_no_news(bench: LittleBench, program: httpx.AsyncClient, run: Run) -> None:
    waiting = await begun(bench, program, run)
    queue = next(iter(bench.portal.changes._listeners))
    queue.put_nowait(Change("run", "another", run.person_id))
    await eventually(queue.empty)
    assert not waiting.done()
    bench.portal.changes.tell(Change("run", run.id, run.person_id))
    await said_by(waiting)


async def test_who_missed_some_is_told_to_look(bench: LittleBench, program: httpx.AsyncClient, run: Run) -> None:
    waiting = await begun(bench, program, run)
    next(iter(bench.portal.changes._listeners)).put_nowait(None)
    assert (await said_by(waiting))["phase"] == "running"


async def test_it_is_as_it_was_when_the_time_is_over(program: httpx.AsyncClient, run: Run) -> None:
    said = await asked(program, run, "running:0", seconds=0)
    assert (said.status_code, said.json()["phase"]) == (200, "running")


async def test_it_ends_with_the_portal(bench: LittleBench, program: httpx.AsyncClient, run: Run) -> None:
    waiting = await begun(bench, program, run)
    bench.app.state.ending.set()
    assert (await said_by(waiting))["phase"] == "running"


async def test_nobody_waits_for_ever_nor_for_what_is_not_theirs(bench: LittleBench, run: Run) -> None:
    async with bench.program() as ada, bench.program(BOB) as bob:
        assert (await asked(ada, run, None, seconds=26)).status_code == 422
        assert (await asked(bob, run, None)).json()["code"] == "no_such_run"
    assert not bench.portal.changes._listeners


async def test_the_owner_waits_at_the_socket_too(bench: LittleBench, run: Run) -> None:
    inner = httpx.ASGITransport(create_app(bench.portal, owner="ada"))
    async with httpx.AsyncClient(transport=inner, base_url="http://bench/api/v1") as owner:
        waiting = await begun(bench, owner, run)
        await asyncio.to_thread(bench.move, run, Phase.ENDED, Outcome.DONE)
        assert (await said_by(waiting))["outcome"] == "done"


async def begun(bench: LittleBench, program: httpx.AsyncClient, run: Run) -> asyncio.Task[httpx.Response]:
    """Somebody waits, and is listening."""
    waiting = asyncio.create_task(asked(program, run, "running:0"))
    await eventually(lambda: bench.portal.changes._listeners)
    return waiting


async def asked(program: httpx.AsyncClient, run: Run, known: str | None, seconds: float = 25) -> httpx.Response:
    params = {"seconds": str(seconds)} | ({"known": known} if known is not None else {})
    return await program.get(f"/runs/{run.id}/wait", params=params)


async def said_by(waiting: asyncio.Task[httpx.Response]) -> dict[str, str]:
    return (await asyncio.wait_for(waiting, SOON)).json()

"""A large sweep beside other people's work: who comes next, and what it costs the loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drybench import sweeping
from drybench.changes import Change
from drybench.endings import Endings
from drybench.engines.fake import FakeEngine, FakeMachine
from drybench.model import RUN, Run
from drybench.phases import Phase
from drybench.progressing import Progressing
from drybench.reconciler import Reconciler
from drybench.runs.requests import RunRequest
from drybench.runs.sweep_reading import SweepSaid
from drybench.starting import Starting
from drybench.sweep_book import SWEEP, Sweep, SweepBook
from drybench.sweeping import MOST_OPEN, Sweeping
from tests.unit.web.little_bench import LittleBench, little_bench, notebook, now
from tests.world import StandInHub, let_go_on

NOTEBOOK = notebook("print(x)", parameters="x = 1")
SIDE_BY_SIDE = 2  # runs that the machine has room for


class Busy:
    """A bench whose machine is one in memory, where time is counted in how long one run takes."""

    def __init__(self, bench: LittleBench) -> None:
        self.bench, self.book = bench, SweepBook(bench.ledger)
        self.engine = FakeEngine(FakeMachine(), cores=SIDE_BY_SIDE, memory=64 << 30)
        self.new_portal()

    def new_portal(self) -> None:
        """As after a kill -9: nothing is remembered but what the ledger and the engine hold."""
        portal, hub, engines = self.bench.portal, StandInHub(), {"local": self.engine}
        starting = Starting(portal.ledger, engines, hub, portal.changes, now)
        endings = Endings(portal.ledger, engines, hub, portal.run_folders, now)
        progressing = Progressing(portal.ledger, portal.run_folders, portal.changes)
        self.loop = Reconciler(portal.ledger, engines, starting, endings, progressing, portal.changes, now)
        starting.when_done(self.loop.wake)
        self.sweeping = Sweeping(self.book, portal.sweeps, portal.changes)

    def has_room_for(self, runs: int) -> None:
        self.engine = FakeEngine(self.engine.machine, cores=runs, memory=64 << 30)
        self.new_portal()

    def sweep(self, runs: int, person: str = "ada") -> Sweep:
        asked = RunRequest(NOTEBOOK, "disc.ipynb")
        said = SweepSaid(typed={"x": f"1..{runs}"})
        return self.bench.portal.sweeps.submit(self.bench.person(person), asked, said)

    def run(self, person: str) -> Run:
        return self.bench.portal.runs.submit(self.bench.person(person), RunRequest(NOTEBOOK, "other.ipynb"))

    async def settle(self) -> None:
        """What can be laid out and begun now is begun."""
        while await self.sweeping.look():
            pass
        for _ in range(3):
            await self.loop.look()
            await let_go_on()

    async def a_runs_time(self) -> None:
        """What runs now ends, and what has room then begins."""
        for id in list(self.engine.machine.tasks):
            self._writes_result(id)
            self.engine.machine.end(id)
        await self.settle()

    def begun(self, run: Run) -> bool:
        row = self.bench.ledger.task(run.task.id)
        return row is not None and row.phase > Phase.WAITING

    def _writes_result(self, task: str) -> None:
        row = self.bench.ledger.task(task)
        assert row
        made = self.bench.portal.run_folders.path(row.subject) / str(row.attempt) / "made"
        (made / "result.json").write_text('{"format": 1, "outcome": "done", "cells": 1, "executed": 1}')


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Busy]:
    bench = little_bench(tmp_path)
    yield Busy(bench)
    bench.ledger.close()


@pytest.mark.parametrize("cores", [1, 2, 4])
async def test_somebody_elses_single_run_begins_within_two_runs_time(busy: Busy, cores: int) -> None:
    busy.has_room_for(cores)
    busy.sweep(1000)
    busy.sweep(1000)
    await busy.settle()
    for _ in range(3):
        await busy.a_runs_time()
    run, waited = busy.run("bob"), 0
    while not busy.begun(run):
        await busy.a_runs_time()
        waited += 1
    assert waited <= 2


async def test_several_people_have_a_turn_each(busy: Busy) -> None:
    busy.sweep(1000)
    await busy.settle()
    runs = [busy.run(name) for name in ("bob", "cleo", "dan")]
    for _ in range(2):
        await busy.a_runs_time()
    assert all(busy.begun(run) for run in runs)


async def test_a_sweep_is_never_more_than_some_runs_for_the_loop(busy: Busy) -> None:
    sweep = busy.sweep(1000)
    for _ in range(5):
        await busy.a_runs_time()
        assert len(busy.bench.ledger.open_tasks()) <= MOST_OPEN
    assert len(busy.book.places(sweep.id)) <= MOST_OPEN + 5 * SIDE_BY_SIDE


async def test_each_place_once_whenever_the_portal_is_killed(busy: Busy) -> None:
    sweep = busy.sweep(25)
    for _ in range(60):
        await busy.a_runs_time()
        busy.new_portal()
        if busy.book.totals([sweep])[sweep.id].done == sweep.planned:
            break
    places = busy.book.places(sweep.id)
    assert [place.place for place in places] == list(range(25))
    assert set(busy.engine.machine.starts.values()) == {1}
    assert busy.engine.machine.starts.total() == 25


async def test_killed_between_the_run_and_the_mark_it_goes_on_without_a_second_run(busy: Busy) -> None:
    sweep = busy.sweep(3)
    busy.bench.portal.sweeps.lay_out(sweep, 0)
    busy.bench.portal.sweeps.lay_out(sweep, 0)  # `laid` still says 0, as if it had been killed before it was written
    await busy.settle()
    assert [place.place for place in busy.book.places(sweep.id)] == [0, 1, 2]
    folders = list(busy.bench.data.runs.iterdir())
    assert len(folders) == 3


async def test_a_sweep_of_somebody_who_is_gone_rests(busy: Busy) -> None:
    sweep = busy.sweep(3, "eve")
    busy.bench.ledger.person_gone("eve")
    await busy.settle()
    assert busy.book.places(sweep.id) == []


async def test_a_pass_of_the_loop_stays_cheap_beside_a_thousand(busy: Busy) -> None:
    """In processor time, for the machine that tests run on may be busy."""
    busy.sweep(1000)
    await busy.settle()
    began, passes = time.process_time(), 20
    for _ in range(passes):
        await busy.loop.look()
        await busy.sweeping.look()
    assert (time.process_time() - began) / passes < 0.05


async def test_a_page_is_told_now_and_then_and_in_the_end(busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "GATHER", 0.01)
    sweep, changes = busy.sweep(3), busy.bench.portal.changes
    await busy.settle()
    run = busy.book.places(sweep.id)[0].run
    with changes.listen() as heard:
        loop = asyncio.create_task(busy.sweeping.run())
        told: list[float] = []
        began = time.monotonic()
        while not told or told[-1] < sweeping.TELL_EVERY - 0.2 or time.monotonic() - began < 3 * sweeping.TELL_EVERY:
            if time.monotonic() - began < sweeping.TELL_EVERY:
                changes.tell(Change(RUN, run, sweep.person_id))
            await asyncio.sleep(0.01)
            while not heard.empty():
                if (change := heard.get_nowait()) and change.kind == SWEEP:
                    told.append(time.monotonic() - began)
        loop.cancel()
    assert 1 <= len(told) <= 3
    assert told[-1] >= sweeping.TELL_EVERY - 0.2

"""The loop and the sessions of nobody: whoever comes first has one, and nobody else ever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drybench import database, pool, warming
from drybench.engines.fake import FakeEngine
from drybench.model import READY, Account, Environment, Mount, Person, Session, Size, Surroundings, TaskRow
from drybench.phases import Outcome, Phase
from drybench.pool import NOBODY
from drybench.ready_tasks import ReadyTasks
from tests import faults
from tests.ledger import Clock, a_session, fresh_ledger
from tests.unit.test_loop_ready import OneEnvironment
from tests.world import GIB, World, let_go_on

ALL = Account(5000, 5000)
LAB = Environment("lab", "", "", "local", (), image="sha256:1ab")
KIND = pool.kind(LAB, Size("default", "", 1, GIB), Surroundings(Path("/home"), ALL))


class PoolWorld(World):
    wanted: Mapping[warming.Kind, int] = {KIND: 1}

    def keeps_ready(self, engines: Mapping[str, FakeEngine]) -> ReadyTasks:
        limits, catalogue = warming.Limits(2, 10), OneEnvironment()
        return ReadyTasks(
            self.ledger, engines, self.starting, catalogue, limits, {}, self.clock, lambda: dict(self.wanted)
        )

    def clicks(self, person: Person, name: str = "lab", memory: int = GIB, **more: Any) -> Session:
        asked = a_session(person, self.clock(), name)
        home = Path("/home", person.name)
        around = {"account": ALL, "home": home, "mounts": (Mount(Path("/homes", person.name), home),)}
        spec = replace(asked.task.spec, image=LAB.image, memory=memory, **around, **more)
        row = replace(asked.task, spec=spec, memory=memory)
        return self.ledger.add_session(replace(asked, task=row), spec)

    def standing(self) -> list[TaskRow]:
        return [task for task in self.ledger.open_tasks() if task.kind == READY]

    async def one_stands_ready(self) -> TaskRow:
        await self.until(lambda: [task.stands_ready for task in self.standing()] == [True])
        return self.standing()[0]

    async def runs(self, session: Session) -> TaskRow:
        await self.until(lambda: self.task(session).phase is Phase.RUNNING)
        return self.task(session)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PoolWorld]:
    clock = Clock()
    with fresh_ledger(database.sqlite_url(tmp_path / "portal.sqlite"), tmp_path, clock) as ledger:
        (tmp_path / "runs").mkdir()
        world = PoolWorld(ledger, tmp_path, clock)
        yield world
        await let_go_on()
        for id in list(world.engine.machine.tasks):
            world.engine.machine.forget(id)


async def test_who_clicks_has_it_and_another_comes(world: PoolWorld) -> None:
    first = await world.one_stands_ready()
    task = await world.runs(world.clicks(world.ada, memory=2 * GIB))
    assert (task.claimed, task.person) == (first.id, "ada")
    row = world.ledger.task(first.id)
    assert row
    assert (row.phase, row.outcome) == (Phase.ENDED, Outcome.DONE)
    assert (await world.one_stands_ready()).id != first.id


async def test_it_is_nobodys_and_nobody_is_on_no_list(world: PoolWorld) -> None:
    ready = await world.one_stands_ready()
    assert (ready.person_id, ready.person) == (NOBODY.id, NOBODY.name)
    assert [person.name for person in world.ledger.people()] == ["ada"]


async def test_two_people_never_get_the_same(world: PoolWorld) -> None:
    ready = await world.one_stands_ready()
    sessions = [world.clicks(person) for person in (world.ada, world.ledger.person_seen("bob"))]
    tasks = [await world.runs(session) for session in sessions]
    assert sorted(str(task.claimed) for task in tasks) == sorted([ready.id, "None"])


async def test_who_needs_its_memory_gets_it(world: PoolWorld) -> None:
    await world.one_stands_ready()
    run = world.run(memory=4 * GIB)
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    assert world.standing() == []


async def test_a_new_portal_finds_it(world: PoolWorld) -> None:
    ready = await world.one_stands_ready()
    world.new_portal()
    assert (await world.runs(world.clicks(world.ada))).claimed == ready.id
    assert set(world.engine.machine.starts.values()) == {1}


async def test_what_the_keeper_wants_no_more_ends(world: PoolWorld) -> None:
    await world.one_stands_ready()
    world.wanted = {}
    world.new_portal()
    await world.until(lambda: not world.standing())


@pytest.mark.parametrize("fault", [faults.LosesTheClaim, faults.HangsInClaim])
async def test_killed_in_the_middle_of_a_claim_there_is_one_session(
    world: PoolWorld, fault: type[faults.Faulty]
) -> None:
    ready = await world.one_stands_ready()
    engine = world.broken(fault)
    session = world.clicks(world.ada)
    await world.until(lambda: world.task(session).claimed == ready.id)
    engine.broken = False
    world.new_portal()
    await world.runs(session)
    assert world.engine.machine.claimed == {session.task.id: ready.id}
    assert world.engine.machine.starts[session.task.id] == 1

"""The loop and what stands ready: it is used, it gives way, and it is nobody's run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from drybench import database, warming
from drybench.catalogue import Catalogue
from drybench.engines.fake import FakeEngine
from drybench.model import READY, Environment, Run, Size, TaskRow
from drybench.phases import Outcome, Phase, Wanted
from drybench.ready_tasks import ReadyTasks
from tests import faults
from tests.ledger import Clock, fresh_ledger
from tests.world import GIB, World, let_go_on

PYTHON = Path("/environments/python")


class OneEnvironment(Catalogue):
    def __init__(self, modules: tuple[str, ...] = ()) -> None:
        self.modules = modules

    def environments(self) -> Sequence[Environment]:
        return [Environment("python", "Python", "", "local", (), PYTHON, preload=self.modules)]

    def sizes(self) -> Sequence[Size]:
        return [Size("default", "", 1, GIB), Size("large", "", 2, 3 * GIB)]


class ReadyWorld(World):
    most = 2
    catalogue = OneEnvironment()
    preload: Mapping[str, Sequence[str]] = {}

    def keeps_ready(self, engines: Mapping[str, FakeEngine]) -> ReadyTasks:
        limits = warming.Limits(self.most, 10)
        return ReadyTasks(self.ledger, engines, self.starting, self.catalogue, limits, self.preload, self.clock)

    def run(self, person: Any = None, **shape: Any) -> Run:
        return super().run(person, **{"python": PYTHON, "memory": GIB, **shape})

    def standing(self) -> list[TaskRow]:
        return [task for task in self.ledger.open_tasks() if task.kind == READY]

    async def done(self, run: Run) -> None:
        await self.until(lambda: self.task(run).phase is Phase.RUNNING)
        self.ends(run)
        await self.until(lambda: self.task(run).phase is Phase.ENDED)

    async def one_stands_ready(self) -> TaskRow:
        await self.done(self.run())
        await self.until(lambda: [task.stands_ready for task in self.standing()] == [True])
        return self.standing()[0]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ReadyWorld]:
    clock = Clock()
    with fresh_ledger(database.sqlite_url(tmp_path / "portal.sqlite"), tmp_path, clock) as ledger:
        (tmp_path / "runs").mkdir()
        world = ReadyWorld(ledger, tmp_path, clock)
        yield world
        await let_go_on()


async def test_the_next_run_takes_what_stands_ready(world: ReadyWorld) -> None:
    ready = await world.one_stands_ready()
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    assert world.engine.machine.claimed == {run.task.id: ready.id}
    assert world.task(run).claimed == ready.id
    taken = world.ledger.task(ready.id)
    assert taken
    assert (taken.phase, taken.outcome) == (Phase.ENDED, Outcome.DONE)
    await world.until(lambda: world.standing() and world.standing()[0].stands_ready)
    assert world.standing()[0].id != ready.id
    await world.done(run)
    await world.until(lambda: run.task.id in world.engine.machine.forgotten)


async def test_it_is_nobodys_run(world: ReadyWorld) -> None:
    ready = await world.one_stands_ready()
    assert [run.task.id for run in world.ledger.runs().rows] != [ready.id]
    assert world.ledger.sessions() == []


async def test_two_runs_do_not_share_one(world: ReadyWorld) -> None:
    ready = await world.one_stands_ready()
    runs = [world.run() for _ in range(2)]
    await world.until(lambda: all(world.task(run).phase is Phase.RUNNING for run in runs))
    assert [world.task(run).claimed for run in runs] == [ready.id, None]


async def test_another_person_environment_or_size_does_not_get_it(world: ReadyWorld) -> None:
    await world.one_stands_ready()
    bob = world.ledger.person_seen("bob")
    for run in (
        world.run(bob),
        world.run(python=Path("/environments/older")),
        world.run(memory=GIB // 2),
        world.run(hashes={"requirements.txt": "00"}),
    ):
        await world.done(run)
        assert world.task(run).claimed is None


async def test_some_time_after_the_last_run_nothing_is_at_rest(world: ReadyWorld) -> None:
    await world.one_stands_ready()
    world.clock.pass_by(minutes=11)
    await world.until(lambda: not world.standing())
    await world.until(lambda: not world.engine.machine.tasks)


async def test_it_gives_way_to_what_waits_for_its_memory(world: ReadyWorld) -> None:
    await world.one_stands_ready()
    large = world.run(memory=4 * GIB)
    await world.until(lambda: world.task(large).phase is Phase.RUNNING)
    assert world.standing() == []
    assert world.task(large).claimed is None


async def test_what_died_while_it_stood_ready_is_not_missed(world: ReadyWorld) -> None:
    ready = await world.one_stands_ready()
    world.engine.machine.tasks.pop(ready.id)
    run = world.run()
    await world.done(run)
    assert (world.task(run).outcome, world.engine.machine.starts[run.task.id]) == (Outcome.DONE, 1)


async def test_one_that_cannot_be_kept_ready_is_not_tried_again_and_again(world: ReadyWorld) -> None:
    ready = await world.one_stands_ready()
    world.engine.machine.end(ready.id, 1)
    await world.until(lambda: not world.standing())
    for _ in range(20):
        await world.loop.look()
        world.clock.pass_by(seconds=10)
    assert world.standing() == []


async def test_a_new_portal_finds_what_stands_ready(world: ReadyWorld) -> None:
    ready = await world.one_stands_ready()
    world.new_portal()
    run = world.run()
    await world.done(run)
    assert world.task(run).claimed == ready.id
    assert set(world.engine.machine.starts.values()) == {1}


@pytest.mark.parametrize("fault", [faults.LosesTheClaim, faults.HangsInClaim])
async def test_killed_in_the_middle_of_a_claim_it_still_runs_once(
    world: ReadyWorld, fault: type[faults.Faulty]
) -> None:
    ready = await world.one_stands_ready()
    engine = world.broken(fault)
    run = world.run()
    await world.until(lambda: world.task(run).claimed == ready.id)
    engine.broken = False
    world.new_portal()
    await world.done(run)
    assert world.engine.machine.claimed == {run.task.id: ready.id}
    assert world.engine.machine.starts[run.task.id] == 1
    await world.until(lambda: not {ready.id, run.task.id} & set(world.engine.machine.tasks))


@pytest.mark.parametrize("fault", [faults.LosesTheClaim, faults.HangsInClaim])
async def test_cancelled_in_the_middle_of_a_claim_nothing_is_left(
    world: ReadyWorld, fault: type[faults.Faulty]
) -> None:
    ready = await world.one_stands_ready()
    engine = world.broken(fault)
    run = world.run()
    await world.until(lambda: world.task(run).claimed == ready.id)
    world.ledger.want_stop(run.task.id, by="ada")
    engine.broken = False
    world.new_portal()
    await world.until(lambda: world.task(run).phase is Phase.ENDED)
    assert world.task(run).outcome is Outcome.STOPPED
    await world.until(lambda: not {ready.id, run.task.id} & set(world.engine.machine.tasks))


async def test_it_ends_with_its_person(world: ReadyWorld) -> None:
    await world.one_stands_ready()
    assert world.hub.handover
    world.hub.handover.person_gone("ada")
    await world.until(lambda: not world.standing())


async def test_what_the_settings_allow_no_more_ends(world: ReadyWorld) -> None:
    await world.one_stands_ready()
    world.most = 0
    world.new_portal()
    await world.until(lambda: not world.standing())


async def test_what_imports_something_else_ends(world: ReadyWorld) -> None:
    before = await world.one_stands_ready()
    world.catalogue = OneEnvironment(("numpy",))
    world.new_portal()
    await world.until(lambda: [task.stands_ready for task in world.standing()] == [True])
    assert world.standing()[0].id != before.id
    assert world.standing()[0].spec.command[-1] == "numpy"


async def test_a_stop_of_what_stands_ready_stops_no_run(world: ReadyWorld) -> None:
    """Wanted no more in the very moment in which somebody would take it."""
    ready = await world.one_stands_ready()
    world.ledger.want_stop(ready.id, by="drybench")
    run = world.run()
    await world.done(run)
    assert (world.task(run).claimed, world.task(run).wanted) == (None, Wanted.RUN)


async def test_what_the_keeper_says_takes_the_place_of_what_the_environment_says(world: ReadyWorld) -> None:
    world.catalogue, world.preload = OneEnvironment(("numpy",)), {"python": ["pandas"], "other": ["numpy"]}
    world.new_portal()
    assert (await world.one_stands_ready()).spec.command[-2:] == ("ready", "pandas")

"""A session that is started before its person asks: never in anybody's way, and theirs once they ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from drybench import planning
from drybench.engines.base import Capabilities, Room
from drybench.engines.fake import FakeEngine
from drybench.model import Session
from drybench.phases import Outcome, Phase, Wanted
from drybench.sessions_ahead import SessionsAhead
from tests.ledger import Clock
from tests.unit.web.little_bench import LittleBench, little_bench

GIB = 1 << 30


@dataclass
class Heard:
    task: str | None
    last_activity: datetime | None


class HeardHub:
    def __init__(self) -> None:
        self.there: list[Heard] = []

    async def servers(self) -> list[Heard]:
        return self.there


class Machine(FakeEngine):
    can = Capabilities(addresses=True, one_account=True)

    def has(self, memory: int) -> None:
        self._room = Room(2, memory)


@dataclass
class Morning:
    bench: LittleBench
    engine: Machine
    hub: HeardHub
    clock: Clock
    ahead: SessionsAhead
    session: Session  # of ada's yesterday

    async def ada_signs_in(self) -> None:
        self.ahead.signed_in(self.bench.person())
        await self.ahead.look()

    @property
    def now(self) -> Session:
        return self.bench.portal.sessions.get(self.bench.person(), self.session.id)

    def it_answers(self) -> None:
        self.bench.ledger.write_task(
            self.now.task.id, {"phase": Phase.RUNNING, "answers": True, "started_at": self.clock()}
        )


@pytest.fixture
def morning(tmp_path: Path) -> Iterator[Morning]:
    bench, clock, engine, hub = little_bench(tmp_path), Clock(), Machine(memory=4 * GIB), HeardHub()
    session = bench.session()
    bench.move(session, Phase.ENDED, Outcome.STOPPED)
    sessions = bench.portal.sessions
    clock.time = datetime.now(clock.time.tzinfo)
    sessions._desk = desk = replace(sessions._desk, now=clock)  # pyright: ignore[reportPrivateUsage] - its clock is ours
    ahead = SessionsAhead(desk, {"local": engine}, sessions, hub, 10)
    yield Morning(bench, engine, hub, clock, ahead, session)
    bench.ledger.close()


async def test_at_sign_in_the_last_one_is_started_as_an_ordinary_session(morning: Morning) -> None:
    await morning.ada_signs_in()
    assert morning.now.ahead_since is not None
    assert (morning.now.task.phase, morning.now.task.attempt) == (Phase.WAITING, 2)
    assert morning.now.task.spec.memory == morning.session.task.spec.memory


async def test_asked_for_it_is_theirs_and_stays(morning: Morning) -> None:
    await morning.ada_signs_in()
    morning.it_answers()
    asked = morning.bench.portal.sessions.start(morning.bench.person(), morning.session.id)
    assert (asked.ahead_since, asked.task.phase, asked.task.attempt) == (None, Phase.RUNNING, 2)
    morning.clock.pass_by(hours=8)
    assert not await morning.ahead.look()
    assert morning.now.task.wanted is Wanted.RUN


async def test_a_second_sign_in_starts_no_second_one(morning: Morning) -> None:
    await morning.ada_signs_in()
    await morning.ada_signs_in()
    assert len(morning.bench.ledger.open_tasks()) == 1


async def test_not_opened_it_ends_by_itself(morning: Morning) -> None:
    await morning.ada_signs_in()
    morning.it_answers()
    morning.clock.pass_by(minutes=9)
    assert await morning.ahead.look()
    assert morning.now.task.wanted is Wanted.RUN
    morning.clock.pass_by(minutes=2)
    await morning.ahead.look()
    assert (morning.now.task.wanted, morning.now.task.stopped_by) == (Wanted.STOP, "drybench")


async def test_opened_by_its_address_it_is_theirs_too(morning: Morning) -> None:
    await morning.ada_signs_in()
    morning.it_answers()
    morning.clock.pass_by(minutes=11)
    morning.hub.there = [Heard(morning.now.task.id, morning.clock() - timedelta(minutes=1))]
    await morning.ahead.look()
    assert (morning.now.ahead_since, morning.now.task.wanted) == (None, Wanted.RUN)


async def test_what_the_hub_hears_of_its_coming_up_is_not_somebody(morning: Morning) -> None:
    await morning.ada_signs_in()
    morning.it_answers()
    morning.hub.there = [Heard(morning.now.task.id, morning.clock() + timedelta(seconds=20))]
    morning.clock.pass_by(minutes=11)
    await morning.ahead.look()
    assert morning.now.task.wanted is Wanted.STOP


async def test_it_gives_way_to_whoever_waits(morning: Morning) -> None:
    await morning.ada_signs_in()
    morning.it_answers()
    await morning.ahead.look()
    assert morning.now.task.wanted is Wanted.RUN
    morning.bench.run("1")
    await morning.ahead.look()
    assert morning.now.task.wanted is Wanted.STOP


async def test_none_is_started_ahead_of_work_that_waits(morning: Morning) -> None:
    morning.bench.run("1")
    await morning.ada_signs_in()
    assert morning.now.task.phase is Phase.ENDED


async def test_none_is_started_where_there_is_no_room(morning: Morning) -> None:
    morning.engine.has(GIB)
    await morning.ada_signs_in()
    assert morning.now.task.phase is Phase.ENDED


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.LOST])
async def test_one_that_came_to_a_bad_end_is_left_alone(morning: Morning, outcome: Outcome) -> None:
    morning.bench.portal.sessions.start(morning.bench.person(), morning.session.id)
    morning.bench.move(morning.now, Phase.ENDED, outcome)
    await morning.ada_signs_in()
    assert morning.now.task.phase is Phase.ENDED


async def test_one_that_was_opened_on_the_kernel_of_a_run_is_left_alone(morning: Morning) -> None:
    spec = replace(morning.session.task.spec, id="another", env={planning.HELD: "/somewhere"})
    morning.bench.ledger.add_attempt(morning.now, spec)
    morning.bench.move(morning.now, Phase.ENDED, Outcome.STOPPED)
    await morning.ada_signs_in()
    assert morning.now.task.phase is Phase.ENDED


async def test_where_the_keeper_wants_none_there_is_none(morning: Morning) -> None:
    desk, sessions = morning.bench.portal.sessions._desk, morning.bench.portal.sessions  # pyright: ignore[reportPrivateUsage]
    morning.ahead = SessionsAhead(desk, {"local": morning.engine}, sessions, morning.hub, None)
    await morning.ada_signs_in()
    assert morning.now.task.phase is Phase.ENDED

"""A ledger, engines and a Hub that fail on order, and the portals that come and go over them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drybench import database
from drybench.addresses import Addresses
from drybench.agreeing import Server
from drybench.changes import Changes
from drybench.endings import Endings
from drybench.engines.fake import FakeEngine, FakeMachine
from drybench.errors import DrybenchError, HubAway
from drybench.handing_over import Handover
from drybench.ledger import Ledger
from drybench.model import Person, Run, Session, TaskRow
from drybench.progressing import Progressing
from drybench.ready_tasks import ReadyTasks
from drybench.reconciler import Reconciler
from drybench.runs.run_folder import RunFolders
from drybench.starting import Starting
from tests import faults
from tests.ledger import Clock, a_run, a_session, fresh_ledger

GIB = 1 << 30


class StandInHub:
    """Comes for what it was asked to start, as JupyterHub does; away or refusing on order."""

    def __init__(self) -> None:
        self.away = False
        self.awake = asyncio.Event()
        self.awake.set()
        self.comes = True
        self.refuses: DrybenchError | None = None
        self.before_it_answers: Callable[[str], object] = lambda task: None
        self.there: list[Server] = []
        self.asked: list[str] = []
        self.heard: list[str] = []
        self.stopped: list[str] = []
        self.handover: Handover | None = None

    async def start_server(self, person: str, session: str, task: str) -> None:
        if self.away:
            raise HubAway()
        self.asked.append(task)
        self.heard.append(f"start {session}")
        self.before_it_answers(task)
        if self.refuses:
            raise self.refuses
        if self.comes and self.handover:
            await self.handover.hand_over(task, person, session, {"TOKEN": "secret"}, ("serve",))

    async def stop_server(self, person: str, session: str) -> None:
        if self.away:
            raise HubAway()
        await self.awake.wait()
        self.stopped.append(session)
        self.heard.append(f"stop {session}")

    async def servers(self) -> Sequence[Server]:
        return self.there


ADDRESSES = Addresses(
    "http://localhost:8000", "127.0.0.1", 8000, 8001, 8002, 8003, "bench", tasks_door="http://10.5.0.1:4321"
)


class World:
    """A ledger, an engine, a Hub, and portals that come and go over them."""

    def __init__(self, ledger: Ledger, folder: Path, clock: Clock) -> None:
        self.ledger, self.folders, self.clock = ledger, RunFolders(folder / "runs"), clock
        self.engine: FakeEngine = FakeEngine(FakeMachine(), cores=2, memory=4 * GIB)
        self.hub = StandInHub()
        self.ada = ledger.person_seen("ada")
        self.new_portal()

    def new_portal(self, without_engine: bool = False) -> None:
        """As after a kill -9: nothing is remembered but what the ledger and the engine hold."""
        engines, changes = {} if without_engine else {"local": self.engine}, Changes()
        self.starting = Starting(self.ledger, engines, self.hub, changes, self.clock)
        self.endings = Endings(self.ledger, engines, self.hub, self.folders, self.clock)
        progressing = Progressing(self.ledger, self.folders, changes)
        ready = self.keeps_ready(engines)
        self.loop = Reconciler(
            self.ledger, engines, self.starting, self.endings, progressing, changes, self.clock, ready
        )
        self.starting.when_done(self.loop.wake)
        self.endings.when_cleared(self.loop.wake)
        self.hub.handover = Handover(self.ledger, self.starting, engines, ADDRESSES, self.loop.wake, "key of {}".format)

    def keeps_ready(self, engines: Mapping[str, FakeEngine]) -> ReadyTasks | None:
        """Nothing, unless a test is about that."""
        return None

    def broken(self, fault: type[faults.Faulty]) -> faults.Faulty:
        self.engine = fault(self.engine.machine, cores=2, memory=4 * GIB)
        self.new_portal()
        assert isinstance(self.engine, faults.Faulty)
        return self.engine

    def run(self, person: Person | None = None, **shape: Any) -> Run:
        asked = a_run(person or self.ada, self.clock())
        task = replace(asked.task.spec, **shape)
        row = replace(asked.task, spec=task, cores=task.cores, memory=task.memory)
        self.folders.path(asked.id).mkdir(parents=True)
        self.folders.new_attempt(asked.id, 1)
        return self.ledger.add_run(replace(asked, task=row), task)

    def session(self, name: str = "python") -> Session:
        asked = a_session(self.ada, self.clock(), name)
        return self.ledger.add_session(asked, asked.task.spec)

    def task(self, of: Run | Session) -> TaskRow:
        row = self.ledger.task(of.task.id)
        assert row
        return row

    def writes_result(self, run: Run, outcome: str = "done", reason: str | None = None) -> None:
        made = self.folders.path(run.id) / "1" / "made"
        record = {"format": 1, "outcome": outcome, "reason": reason, "cells": 1, "executed": 1}
        (made / "result.json").write_text(json.dumps(record))

    def ends(self, run: Run, outcome: str = "done", reason: str | None = None) -> None:
        """Its runner has written the result, and its process is over."""
        self.writes_result(run, outcome, reason)
        self.engine.machine.end(run.task.id)

    async def until(self, condition: Callable[[], object]) -> None:
        for _ in range(200):
            await self.loop.look()
            if condition():
                return
            self.clock.pass_by(seconds=1)
            await let_go_on()
        raise AssertionError("the loop never got there")


async def let_go_on() -> None:
    """For a moment, so that what was begun gets a turn."""
    await asyncio.sleep(0.01)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = Clock()
    with fresh_ledger(database.sqlite_url(tmp_path / "portal.sqlite"), tmp_path, clock) as ledger:
        (tmp_path / "runs").mkdir()
        world = World(ledger, tmp_path, clock)
        yield world
        for id in list(world.engine.machine.tasks):
            world.engine.machine.forget(id)
        await let_go_on()

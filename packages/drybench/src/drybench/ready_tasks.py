"""Keeps ready what `warming` and `pool` say, and gives it to who has room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from drybench import pool, warming
from drybench.allocating import Grant, Space
from drybench.catalogue import Catalogue
from drybench.engines.base import Engine
from drybench.errors import DrybenchError
from drybench.ids import uuid7
from drybench.ledger import Ledger
from drybench.machines import machines
from drybench.model import READY, RUN, Task, TaskRow
from drybench.phases import Outcome, Phase, Wanted
from drybench.ready_book import ReadyBook
from drybench.starting import Starting

log = structlog.get_logger("ready")

LOOK_AGAIN = timedelta(seconds=5)
ITSELF = "drybench"  # who stopped it


class ReadyTasks:
    def __init__(
        self,
        ledger: Ledger,
        engines: Mapping[str, Engine],
        starting: Starting,
        catalogue: Catalogue,
        limits: warming.Limits,
        preload: Mapping[str, Sequence[str]],
        now: Callable[[], datetime],
        for_anybody: Callable[[], Mapping[warming.Kind, int]] = dict[warming.Kind, int],
    ) -> None:
        self._ledger = ledger
        self._book = ReadyBook(ledger)
        self._engines = {name: engine for name, engine in engines.items() if engine.can.ready}
        self._machines = machines(engines)
        self._starting = starting
        self._catalogue = catalogue
        self._preload = preload
        self._limits = limits
        self._now = now
        self._for_anybody = for_anybody  # how many sessions of nobody the keeper wants
        self._seen: list[tuple[str, Phase, Wanted]] = []  # what was planned for
        self._look_at: datetime | None = None

    async def make_way(
        self, space: Space, grants: Sequence[Grant], held: Sequence[TaskRow], ready: Sequence[TaskRow]
    ) -> Sequence[tuple[Grant, TaskRow | None]]:
        """Who may start now, and what they claim. For whom it is too tight, what stands ready is stopped."""
        way = warming.make_way(grants, held, ready, space, self._shelf(), pool.serves)
        await self._stop(way.stop)
        return way.go

    async def look(self, open_tasks: Sequence[TaskRow]) -> None:
        """Only when something has moved, or some time has gone by. While somebody waits, what is ready gives way."""
        seen = [(task.id, task.phase, task.wanted) for task in open_tasks]
        if seen == self._seen and self._look_at and self._now() < self._look_at:
            return
        self._seen, self._look_at = seen, self._now() + LOOK_AGAIN
        if any(task.phase is Phase.WAITING for task in open_tasks):
            return
        shelf = self._shelf()
        failed = await asyncio.to_thread(self._failed)
        used = await asyncio.to_thread(self._used, shelf, failed)
        wanted = await asyncio.to_thread(self._for_anybody)
        for machine in self._machines:
            mine = [task for task in open_tasks if task.engine in machine.engines]
            here = self._engines.keys() & machine.engines
            space = await machine.space()
            anybodys = {kind: count for kind, count in wanted.items() if kind.engine in here and kind not in failed}
            await self._act(pool.keep(anybodys, mine, space))
            runs = [task for task in used if task.engine in here]
            await self._act(warming.keep(runs, *pool.without(mine, space), shelf, self._limits, self._now()))

    def _shelf(self) -> warming.Shelf:
        """As it is now: images come and go."""
        modules: dict[Path | str, tuple[str, ...]] = {}
        for one in self._catalogue.environments():
            if made_from := one.digest or one.image or one.python:
                modules[made_from] = tuple(self._preload.get(one.name, one.preload))
        return warming.Shelf(frozenset((size.cores, size.memory) for size in self._catalogue.sizes()), modules)

    def _failed(self) -> set[warming.Kind]:
        """Whose like could not be kept ready of late."""
        return {warming.kind_of(task) for task in self._book.last(READY) if self._has_failed(task)}

    def _used(self, shelf: warming.Shelf, failed: Container[warming.Kind | None]) -> Sequence[TaskRow]:
        """The last runs of those who are still here; but none whose like could not be kept ready of late."""
        if not self._limits.most:
            return []
        here = {person.id for person in self._ledger.people()}
        return [task for task in self._book.last(RUN) if task.person_id in here and shelf.kind(task) not in failed]

    def _has_failed(self, ready: TaskRow) -> bool:
        if ready.outcome not in (Outcome.FAILED, Outcome.LOST) or ready.ended_at is None:
            return False
        return self._now() - ready.ended_at < timedelta(minutes=self._limits.minutes)

    async def _act(self, plan: warming.Plan) -> None:
        await self._stop(plan.stop)
        for kind in plan.start:
            await self._start(kind)

    async def _stop(self, tasks: Sequence[TaskRow]) -> None:
        for task in tasks:
            await asyncio.to_thread(self._ledger.want_stop, task.id, ITSELF)
        if tasks:
            self._starting.look_again()

    async def _start(self, kind: warming.Kind) -> None:
        """Its row is there first, so that a portal that comes after this one finds it, whatever it finds of it."""
        row = _row(kind, self._now())
        try:
            self._engines[kind.engine].check(row.spec)
            await asyncio.to_thread(self._book.add, row)
        except DrybenchError:
            log.exception("nothing can be kept ready", engine=kind.engine)
            return
        self._starting.begin(row)


def _row(kind: warming.Kind, now: datetime) -> TaskRow:
    id = uuid7()
    task = Task(
        id=id,
        person=kind.person,
        kind=READY,
        command=kind.command,
        python=kind.python,
        image=kind.image,
        entrypoint=kind.entrypoint,
        account=kind.account,
        home=kind.home,
        cores=kind.cores,
        memory=kind.memory,
        mounts=kind.mounts,
        becomes=kind.becomes,
    )
    return TaskRow(
        id=id,
        person_id=kind.person_id,
        person=kind.person,
        kind=READY,
        subject=id,
        attempt=1,
        engine=kind.engine,
        spec=task,
        phase=Phase.STARTING,
        wanted=Wanted.RUN,
        created_at=now,
        cores=kind.cores,
        memory=kind.memory,
    )

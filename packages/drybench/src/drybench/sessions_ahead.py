"""Sessions started before their person asks: at sign-in the one that they used last, as an ordinary session of theirs.

It waits in no line: it is started where nobody waits and there is room, gives way as soon as somebody waits,
and is stopped when it was not opened for some minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from drybench import allocating
from drybench.asking import Desk
from drybench.changes import Bell
from drybench.engines.base import Engine
from drybench.errors import DrybenchError
from drybench.machines import machines
from drybench.model import READY, Person, Session, TaskRow
from drybench.phases import Phase, Wanted
from drybench.sessions import Sessions

log = structlog.get_logger("ahead")

EVERY = 2.0  # seconds, while there is one
COMES_UP = timedelta(minutes=1)  # what the Hub hears of a session in this time is the session itself
ITSELF = "drybench"  # who stopped it


class Server(Protocol):
    @property
    def task(self) -> str | None: ...
    @property
    def last_activity(self) -> datetime | None: ...


class Hub(Protocol):
    async def servers(self) -> Sequence[Server]: ...


class SessionsAhead:
    def __init__(
        self, desk: Desk, engines: Mapping[str, Engine], sessions: Sessions, hub: Hub, minutes: float | None
    ) -> None:
        self._desk = desk
        self._machines = machines(engines)
        self._sessions = sessions
        self._hub = hub
        self._minutes = minutes  # None: the keeper wants none
        self._came: dict[str, Person] = {}
        self._bell = Bell()

    def signed_in(self, person: Person) -> None:
        if self._minutes is not None:
            self._came[person.id] = person
            self._bell.ring()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._bell.listen()
            try:
                pause = EVERY if await self.look() else None
            except Exception:
                log.exception("could not look after sessions that were started ahead")
                pause = EVERY
            await self._bell.sleep(pause)

    async def look(self) -> bool:
        """Whether there is one to look after."""
        while self._came:
            _, person = self._came.popitem()
            await self._start(person)
        ahead = [one for one in await asyncio.to_thread(self._desk.ledger.sessions_ahead) if _goes_on(one)]
        if ahead:
            await self._look_after(ahead)
        return bool(ahead)

    async def _start(self, person: Person) -> None:
        last = await asyncio.to_thread(self._sessions.last, person)
        if last is None or not await self._has_room(last.task):
            return
        try:
            await asyncio.to_thread(self._sessions.start_ahead, person)
        except DrybenchError as error:  # its environment is gone, or its size: they will be told when they ask
            log.info("a session is not started ahead", session=last.id, why=error.sentence)

    async def _has_room(self, task: TaskRow) -> bool:
        open_tasks = await asyncio.to_thread(self._desk.ledger.open_tasks)
        if any(map(_waits, open_tasks)):
            return False
        for machine in self._machines:
            if task.engine in machine.engines:
                mine = [one for one in open_tasks if one.engine in machine.engines and one.kind != READY]
                return allocating.left(await machine.space(), mine).memory >= task.memory
        return False

    async def _look_after(self, ahead: Sequence[Session]) -> None:
        if any(_waits(task) and task.id not in _tasks(ahead) for task in await self._open()):
            await self._end(ahead)
        elif overdue := [one for one in ahead if self._is_overdue(one)]:
            used = await self._used(overdue)
            for session in used:
                await asyncio.to_thread(self._desk.ledger.take_session, session.id)
            await self._end([one for one in overdue if one not in used])

    async def _open(self) -> Sequence[TaskRow]:
        return await asyncio.to_thread(self._desk.ledger.open_tasks)

    def _is_overdue(self, session: Session) -> bool:
        minutes = timedelta(minutes=self._minutes or 0)
        return session.ahead_since is not None and self._desk.now() - session.ahead_since > minutes

    async def _used(self, sessions: Sequence[Session]) -> Sequence[Session]:
        """Those that somebody opened by their address, without asking us."""
        heard = {server.task: server.last_activity for server in await self._hub.servers()}
        return [one for one in sessions if _is_in_use(one.task, heard.get(one.task.id))]

    async def _end(self, sessions: Sequence[Session]) -> None:
        for session in sessions:
            await asyncio.to_thread(self._desk.ledger.want_stop, session.task.id, ITSELF)
        self._desk.wake()


def _goes_on(session: Session) -> bool:
    return session.task.phase is not Phase.ENDED and session.task.wanted is Wanted.RUN


def _waits(task: TaskRow) -> bool:
    return task.phase is Phase.WAITING and task.wanted is Wanted.RUN


def _tasks(sessions: Sequence[Session]) -> set[str]:
    return {session.task.id for session in sessions}


def _is_in_use(task: TaskRow, last_activity: datetime | None) -> bool:
    return bool(last_activity and task.started_at and last_activity - task.started_at > COMES_UP)

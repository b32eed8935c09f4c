"""Now and then the ledger and JupyterHub are held side by side: no session may be left without an owner.

A session that lives and that the Hub has lost is handed to it again, by its own task id. A
server that the Hub has kept although its task is over is stopped there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from drybench.errors import DrybenchError, HubAway, Refused
from drybench.ledger import Ledger
from drybench.model import SESSION, TaskRow
from drybench.phases import Phase, Wanted
from drybench.starting import Hub

log = structlog.get_logger("agreeing")

EVERY = 15.0  # seconds


class Server(Protocol):
    @property
    def person(self) -> str: ...
    @property
    def session(self) -> str: ...
    @property
    def task(self) -> str | None: ...


class TellingHub(Hub, Protocol):
    async def servers(self) -> Sequence[Server]: ...


class Agreeing:
    def __init__(self, ledger: Ledger, hub: TellingHub) -> None:
        self._ledger = ledger
        self._hub = hub
        self._missed: set[str] = set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except HubAway:
                pass  # it is asked again soon
            except DrybenchError as error:
                log.warning("the Hub and the ledger could not be compared", why=str(error))
            except Exception:
                log.exception("the Hub and the ledger could not be compared")
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        servers = await self._hub.servers()
        known = {server.task for server in servers}
        lost = {task.id: task for task in await asyncio.to_thread(self._ledger.open_tasks) if _lives(task)}
        lost = {id: task for id, task in lost.items() if id not in known}
        missed_twice = lost.keys() & self._missed  # not one that was on its way between two questions
        self._missed = set(lost)
        for id in missed_twice:
            await self._hand_back(lost[id])
        for server in servers:
            if await asyncio.to_thread(self._is_left_over, server):
                await self._hub.stop_server(server.person, server.session)

    async def _hand_back(self, task: TaskRow) -> None:
        session = await asyncio.to_thread(self._ledger.session, task.subject)
        if session is not None and session.task.id == task.id:
            log.info("a session that the Hub had lost is handed to it again", session=session.id)
            try:
                await self._hub.start_server(session.person, session.name, task.id)
            except Refused as refusal:  # it may take the others
                log.warning("the Hub would not take it", session=session.id, why=str(refusal))

    def _is_left_over(self, server: Server) -> bool:
        """Its task is over, and none has started in its place since the Hub was asked."""
        task = self._ledger.task(server.task) if server.task else None
        if task is None or task.phase is not Phase.ENDED:
            return False
        now = self._ledger.session_named(task.person_id, server.session)
        return now is None or now.task.id == task.id or now.task.handle is None


def _lives(task: TaskRow) -> bool:
    return task.kind == SESSION and task.wanted is Wanted.RUN and task.handle is not None and task.phase < Phase.ENDED

"""Starting what has room: runs by their engine, sessions by way of JupyterHub."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx
import structlog

from drybench.changes import Change, Changes
from drybench.engines.base import Engine, Handle
from drybench.errors import Conflict, DrybenchError, HubAway, HubBusy, ReadyGone, Refused
from drybench.ledger import Ledger
from drybench.model import RUN, SESSION, Task, TaskRow
from drybench.phases import Outcome, Phase, Reason, Seen, Wanted
from drybench.within import within

log = structlog.get_logger("starting")

READY_WITHIN = timedelta(minutes=3)
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 15.0
PAUSE_WHILE_AWAY = 1.0  # a Hub that is killed is back within a few seconds, and to ask costs nothing


class Hub(Protocol):
    async def start_server(self, person: str, session: str, task: str) -> None:
        """Ask; the Hub then comes and takes the task. Again for a server that is there already is no error."""

    async def stop_server(self, person: str, session: str) -> None:
        """The Hub no longer has it when this returns, or HubAway."""


class Starting:
    """Each start is tried until it is there, overdue, or no longer wanted; always with the same task id."""

    def __init__(
        self,
        ledger: Ledger,
        engines: Mapping[str, Engine],
        hub: Hub,
        changes: Changes,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._engines = engines
        self._hub = hub
        self._changes = changes
        self._now = now
        self._wake: Callable[[], None] = lambda: None
        self._since: dict[str, datetime] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._in_hand: set[str] = set()

    def when_done(self, wake: Callable[[], None]) -> None:
        """Whom to wake after each start: the loop, which itself needs us first."""
        self._wake = wake

    def look_again(self) -> None:
        """Something is to be stopped."""
        self._wake()

    def begin(self, task: TaskRow) -> None:
        if not self.under_way(task.id):
            ask = self._ask_the_hub if task.kind == SESSION else self._ask_the_engine
            self._news[task.id] = asyncio.Event()
            self._under_way[task.id] = asyncio.create_task(self._until_there(task.id, ask))

    def under_way(self, id: str) -> bool:
        return id in self._under_way or id in self._in_hand

    def in_hand(self, id: str) -> bool:
        """An engine is starting it at this moment."""
        return id in self._in_hand

    def hurry(self, id: str) -> None:
        """There is news of it in the ledger: do not wait out the pause."""
        if id in self._news:
            self._news[id].set()

    def overdue(self, task: TaskRow) -> bool:
        """It should have been ready by now. A run that its engine has taken may be long in coming up."""
        if task.handle is not None:
            self._since.setdefault(task.id, self._now())
        since = self._since.get(task.id)
        starting = task.phase is Phase.STARTING and (task.kind != RUN or task.handle is None)
        return starting and since is not None and self._now() - since > READY_WITHIN

    def over(self, id: str) -> None:
        self._since.pop(id, None)

    async def refuse(self, task: TaskRow, sentence: str) -> None:
        """End it with this sentence; but what was stopped meanwhile is refused for that, and the loop ends it."""
        row = await asyncio.to_thread(self._ledger.task, task.id)
        if row is not None and row.wanted is Wanted.RUN:
            ended = {"phase": Phase.ENDED, "outcome": Outcome.FAILED, "reason": Reason.REJECTED, "detail": sentence}
            await asyncio.to_thread(self._ledger.write_task, task.id, ended)
            self.over(task.id)
            self._changes.tell(Change(task.kind, task.subject, task.person_id))

    async def answers(self, address: str) -> bool:
        """Any answer will do: that there is a server, not that it likes us. Its beginning, for it may have no end."""
        plain_http = httpx.AsyncClient(trust_env=False, verify=False)  # on an address of ours
        try:
            async with asyncio.timeout(1), plain_http as client, client.stream("GET", address):
                return True
        except (TimeoutError, httpx.HTTPError):
            return False

    async def with_command(self, task: TaskRow, env: Mapping[str, str], command: Sequence[str]) -> None:
        """JupyterHub has come for a session: start it, or find what was started."""
        self._since.setdefault(task.id, self._now())
        await self._start(task, replace(task.spec, command=tuple(command), gpus=task.gpus), env)

    async def _until_there(self, id: str, ask: Callable[[TaskRow], Coroutine[Any, Any, None]]) -> None:
        pause = FIRST_PAUSE
        try:
            while (task := await asyncio.to_thread(self._ledger.task, id)) and self._still_to_start(task):
                self._news[id].clear()
                longest = await self._try(task, ask)
                if task.kind != SESSION and await self._has_handle(id):
                    return
                await self._wait_for_news(id, min(pause, longest))
                pause = min(pause * 2, LONGEST_PAUSE)
        except Exception:
            log.exception("could not start", task=id)
            await self._wait_for_news(id, LONGEST_PAUSE)  # not at once again: the disk may be full
        finally:
            self._under_way.pop(id, None)
            self._news.pop(id, None)
            self._wake()

    async def _wait_for_news(self, id: str, seconds: float) -> None:
        with suppress(TimeoutError):
            await within(seconds, self._news[id].wait())

    def _still_to_start(self, task: TaskRow) -> bool:
        wanted = task.phase is Phase.STARTING and task.wanted is Wanted.RUN
        return wanted and task.handle is None and not self.overdue(task)

    async def _try(self, task: TaskRow, ask: Callable[[TaskRow], Coroutine[Any, Any, None]]) -> float:
        """The longest that one may wait before the next try."""
        self._since.setdefault(task.id, self._now())
        try:
            if task.claimed is None and (waits := await self._engines[task.engine].prepare(task.spec)):
                self._since.pop(task.id, None)  # an image may take as long as it takes
                await self._say(task, waits)
                return PAUSE_WHILE_AWAY
            await ask(task)
        except HubBusy as busy:
            await self._say(task, busy.sentence)
            return PAUSE_WHILE_AWAY
        except HubAway:
            self._since.pop(task.id, None)  # the clock stands still while there is nobody to ask
            await self._say(task, "JupyterHub is away; it will be asked again")
            return PAUSE_WHILE_AWAY
        except Refused as refusal:
            await self.refuse(task, str(refusal))
        except DrybenchError as error:
            await self._say(task, error.sentence)
        except Exception as error:
            log.exception("a start failed and will be tried again", task=task.id)
            await self._say(task, f"not started yet ({type(error).__name__}); trying again")
        return LONGEST_PAUSE

    async def _ask_the_engine(self, task: TaskRow) -> None:
        await self._start(task, replace(task.spec, gpus=task.gpus), {})

    async def _ask_the_hub(self, task: TaskRow) -> None:
        if await self._found(task):
            return
        session = await asyncio.to_thread(self._ledger.session, task.subject)
        if session is not None:
            await self._hub.start_server(task.person, session.name, task.id)

    async def _found(self, task: TaskRow) -> bool:
        """A killed portal may have started it already: a second visit of the Hub would bring a token it never gets."""
        handle: Handle = {"format": 1, "task": task.id}
        asked = {**handle, "claimed": task.claimed} if task.claimed else handle  # one that took it counts, no other
        engine = self._engines[task.engine]
        if self.in_hand(task.id) or (await engine.poll([asked]))[0].seen not in (Seen.STARTING, Seen.RUNNING):
            return False
        await self._save(engine, task.id, handle)
        self.hurry(task.id)
        self._wake()
        return True

    async def _start(self, task: TaskRow, spec: Task, env: Mapping[str, str]) -> None:
        engine = self._engines[task.engine]
        self._in_hand.add(task.id)
        try:
            handle = await self._claimed(engine, task, spec, env) or await engine.start(spec, env)
            await self._save(engine, task.id, handle)
        finally:
            self._in_hand.discard(task.id)
        self._changes.tell(Change(task.kind, task.subject, task.person_id))
        self.hurry(task.id)
        self._wake()

    async def _claimed(self, engine: Engine, task: TaskRow, spec: Task, env: Mapping[str, str]) -> Handle | None:
        """As often as it takes: the ledger says for certain which ready task it is to be."""
        if task.claimed is None:
            return None
        try:
            return await engine.claim({"format": 1, "task": task.claimed}, spec, env)
        except ReadyGone:
            await asyncio.to_thread(self._ledger.write_task, task.id, {"claimed": None})
            return None

    async def _save(self, engine: Engine, id: str, handle: Handle) -> None:
        try:
            await asyncio.to_thread(self._ledger.write_task, id, {"handle": handle, "detail": ""})
        except Conflict:  # it ended in the ledger while it was being started, and may be cleared away already
            await engine.forget(handle)
            raise

    async def _has_handle(self, id: str) -> bool:
        task = await asyncio.to_thread(self._ledger.task, id)
        return task is None or task.handle is not None

    async def _say(self, task: TaskRow, detail: str) -> None:
        if detail != task.detail:
            await asyncio.to_thread(self._ledger.write_task, task.id, {"detail": detail})
            self._changes.tell(Change(task.kind, task.subject, task.person_id))

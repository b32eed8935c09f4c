"""How things ended, in words, and what is left to clear away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from drybench.engines.base import Engine, Handle
from drybench.errors import HubAway, RecordUnreadable
from drybench.ledger import Ledger
from drybench.model import RUN, SESSION, TaskRow
from drybench.phases import Outcome, Reason, Sight, State, Verdict
from drybench.runs.causes import cause, plain
from drybench.runs.run_folder import RunFolders
from drybench.starting import Hub
from drybench_runner import record

log = structlog.get_logger("endings")

LAST_WORDS = 4096
SHOWN = 1200  # of them, below the sentence: the ledger cuts what is longer, and the end counts most
TRY_AGAIN = timedelta(seconds=3)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Endings:
    def __init__(
        self,
        ledger: Ledger,
        engines: Mapping[str, Engine],
        hub: Hub,
        folders: RunFolders,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._engines = engines
        self._hub = hub
        self._folders = folders
        self._now = now
        self._left: set[str] = set()  # subjects with something left to clear away
        self._not_before: dict[str, datetime] = {}
        self._clearing: dict[str, asyncio.Task[None]] = {}
        self._wake: Callable[[], None] = lambda: None

    def when_cleared(self, wake: Callable[[], None]) -> None:
        """Whom to wake after each: the loop, for what waited may start now."""
        self._wake = wake

    @property
    def all_cleared(self) -> bool:
        return not self._left

    def pending(self, subject: str) -> bool:
        """Its last task is not yet cleared away, so the next one waits."""
        return subject in self._left

    def verdict(self, task: TaskRow, exit_code: int | None = None) -> Verdict | None:
        """What the run itself left written about how it went, or that it could not write anything."""
        if task.kind != RUN:
            return None
        try:
            result = self._folders.result(task.subject, task.attempt)
            if result is not None:
                reason = result.get("reason")
                return Verdict(Outcome(result["outcome"]), Reason(reason) if reason else None)
        except (RecordUnreadable, ValueError):  # no record, or one of a reason that nobody knows
            return Verdict(Outcome.FAILED, Reason.RECORD_UNREADABLE)
        return Verdict(Outcome.FAILED, Reason.DISK_FULL) if exit_code == record.NO_ROOM else None

    async def words(self, task: TaskRow, state: State, sight: Sight | None) -> str:
        """One sentence for the list; the page of the run says more."""
        if state.outcome is Outcome.DONE:
            return ""
        result = await asyncio.to_thread(self._result, task)
        said = cause(
            state.reason,
            result,
            memory=task.memory,
            used=task.memory_used,
            exit_code=sight.exit_code if sight else None,
            by=task.stopped_by,
            machine=task.machine,
        ).sentence
        if task.kind == RUN or state.outcome is Outcome.STOPPED:
            return said
        return f"{said}\n{plain(await self._last_words(task), LAST_WORDS)[-SHOWN:]}".strip()

    async def clear_up(self) -> None:
        """Begun and not waited for: a Hub that hangs must hold up nothing else."""
        under_way = set(self._clearing)  # before the ledger is asked: what ends meanwhile is not begun once more
        ended = await asyncio.to_thread(self._ledger.ended_not_forgotten)
        tasks = [task for task in ended if task.engine in self._engines]  # the settings may have it again one day
        self._left = {task.subject for task in tasks}
        for task in tasks:
            if task.id not in under_way and self._now() >= self._not_before.get(task.id, LONG_AGO):
                self._clearing[task.id] = asyncio.create_task(self._clear_safely(task))

    async def clear_all(self) -> None:
        """Of a bench that is down. Sessions are forgotten when the Hub, up again, has let go of them."""
        await asyncio.gather(*self._clearing.values())
        ended = await asyncio.to_thread(self._ledger.ended_not_forgotten)
        clearing = [
            self._clear_engine(task) if task.kind == SESSION else self._clear(task)
            for task in ended
            if task.engine in self._engines
        ]
        await asyncio.gather(*clearing, return_exceptions=True)  # what fails is done at the next `up`

    def _result(self, task: TaskRow) -> Mapping[str, Any] | None:
        try:
            return self._folders.result(task.subject, task.attempt) if task.kind == RUN else None
        except RecordUnreadable:
            return None

    async def _last_words(self, task: TaskRow) -> str:
        """As many as can be had: a log that nobody can read must not keep its task from ending."""
        if task.handle is None:
            return ""
        text = b""
        try:
            async for block in self._engines[task.engine].logs(task.handle):
                text = (text + block)[-LAST_WORDS:]
        except Exception:
            log.exception("a log could not be read", task=task.id)
        return text.decode(errors="replace")

    async def _clear_safely(self, task: TaskRow) -> None:
        try:
            await self._clear(task)
        except Exception as error:
            self._not_before[task.id] = self._now() + TRY_AGAIN
            if not isinstance(error, HubAway):
                log.exception("could not clear away", task=task.id)
        else:
            self._not_before.pop(task.id, None)
        finally:
            del self._clearing[task.id]
            self._wake()

    async def _clear(self, task: TaskRow) -> None:
        """The Hub lets go of a session's address first; only then may its next task start."""
        if task.kind == SESSION:
            session = await asyncio.to_thread(self._ledger.session, task.subject)
            if session is not None:
                await self._hub.stop_server(task.person, session.name)
        elif task.kind == RUN:
            await self._keep_log(task)
            await asyncio.to_thread(self._folders.seal, task.subject, task.attempt)
        await self._clear_engine(task)
        await asyncio.to_thread(self._ledger.forgotten, task.id)
        self._left.discard(task.subject)

    async def _clear_engine(self, task: TaskRow) -> None:
        handle: Handle = task.handle or {"format": 1, "task": task.id}
        await self._engines[task.engine].forget(handle)
        if task.claimed is not None:  # and stopped before it got it
            await self._engines[task.engine].forget({"format": 1, "task": task.claimed})

    async def _keep_log(self, task: TaskRow) -> None:
        """What the runner printed is told apart from what the notebook did."""
        if task.handle is not None and task.outcome is not Outcome.DONE:
            words = await self._last_words(task)
            await asyncio.to_thread(self._folders.keep_last_words, task.subject, task.attempt, words)

"""What follows from the end of a run: another attempt, or its values are kept and those who wait are told.

Derived from the ledger alone, so that a portal that was killed in between does it when it is back, and once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

import structlog
from sqlalchemy.exc import SQLAlchemyError

from drybench.asking import Desk
from drybench.changes import Change, Changes
from drybench.errors import Conflict, DrybenchError, RecordUnreadable
from drybench.ledger import Also, Ledger
from drybench.model import RUN, Run
from drybench.phases import Outcome, Reason, Wanted
from drybench.runs.attempts import next_attempt
from drybench.runs.run_folder import RunFolders
from drybench.within import within

log = structlog.get_logger("settling")

LOOK_EVERY = 30.0  # seconds, also when nobody says that something has ended
NOT_ITS_FAULT = (Reason.WATCHER_DIED, Reason.MACHINE_GONE, Reason.RUNNER_DIED, Reason.KILLED)


def tries_again(run: Run) -> bool:
    """Only where it was not the notebook's fault, unless asked for; never what somebody stopped."""
    task = run.task
    if run.attempt > run.retries or task.outcome in (Outcome.DONE, Outcome.STOPPED) or task.wanted is Wanted.STOP:
        return False
    return run.retry_any or task.outcome is Outcome.LOST or task.reason in NOT_ITS_FAULT


class Settling:
    def __init__(self, desk: Desk, folders: RunFolders, changes: Changes, also: Also) -> None:
        self._desk = desk
        self._ledger: Ledger = desk.ledger
        self._folders = folders
        self._changes = changes
        self._also = also

    async def run(self) -> None:
        """Until cancelled."""
        with self._changes.listen() as queue:
            while True:
                await self._look_safely()
                with suppress(TimeoutError):
                    await within(LOOK_EVERY, _news_of_runs(queue))

    def look(self) -> None:
        for run in self._ledger.unsettled_runs():
            try:
                self._settle(run)
            except SQLAlchemyError:  # the ledger is away: for the others too
                raise
            except Exception:
                log.exception("the end of a run could not be settled", run=run.id)
            self._changes.tell(Change(RUN, run.id, run.person_id))

    async def _look_safely(self) -> None:
        try:
            await asyncio.to_thread(self.look)
        except Exception:
            log.exception("the ends of runs could not be settled")
            await asyncio.sleep(1)  # the ledger itself may be away

    def _settle(self, run: Run) -> None:
        if not (tries_again(run) and self._tried_again(run)):
            self._ledger.settle(run, self._values(run), _duration(run), self._also)

    def _tried_again(self, run: Run) -> bool:
        """The next attempt waits in the line like every other task; False where it can never be made."""
        try:
            next_attempt(self._desk, self._folders, run)
        except Conflict:  # it was asked for again by hand in this very moment
            return True
        except DrybenchError as error:
            log.warning("cannot be tried again", run=run.id, why=error.sentence)
            return False
        return True

    def _values(self, run: Run) -> Mapping[str, Any] | None:
        try:
            result = self._folders.result(run.id, run.attempt) or {}
        except RecordUnreadable:
            return None
        values = result.get("values")
        return cast("Mapping[str, Any]", values) if isinstance(values, dict) and values else None


async def _news_of_runs(queue: asyncio.Queue[Change | None]) -> None:
    """All that came together are looked at together."""
    told = [await queue.get()]
    while not any(change is None or change.kind == RUN for change in told):
        told = [await queue.get()]
    while not queue.empty():
        queue.get_nowait()


def _duration(run: Run) -> float | None:
    """Of one that got done: how long the next one may take."""
    began: datetime | None = run.task.started_at
    if run.task.outcome is not Outcome.DONE or began is None or run.task.ended_at is None:
        return None
    return (run.task.ended_at - began).total_seconds()

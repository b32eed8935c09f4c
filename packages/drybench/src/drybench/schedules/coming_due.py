"""A loop of its own begins the runs whose time has come.

First the run is asked for, with a key that names schedule and time, then the schedule moves on: a portal that is
killed in between asks again with the same key and gets the same run. What is refused is said on the schedule,
and its next time is another try; what only went wrong here, such as a full disk, is tried again in a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from drybench.changes import Bell, Change, Changes
from drybench.errors import DiskFull, DrybenchError, HubAway, NotFound, PortalAway, PreviousGoesOn
from drybench.model import Person, Run
from drybench.phases import Phase
from drybench.runs.submitting import Runs
from drybench.schedules import times as schedules
from drybench.schedules.book import SCHEDULE, ScheduleBook
from drybench.schedules.folder import ScheduleFolders
from drybench.schedules.times import Schedule

log = structlog.get_logger("scheduling")

LONGEST_SLEEP = 15.0  # seconds: a machine's clock may be set, or stand still while it sleeps
AGAIN = timedelta(minutes=1)
ORIGIN = "schedule"
PASSES = (DiskFull, HubAway, PortalAway)  # by itself, or by the keeper's hand

Say = Callable[[Schedule, str], None]


class Scheduling:
    def __init__(
        self,
        book: ScheduleBook,
        folders: ScheduleFolders,
        runs: Runs,
        changes: Changes,
        now: Callable[[], datetime],
        tell_of_trouble: Say,
    ) -> None:
        self._book = book
        self._folders = folders
        self._runs = runs
        self._changes = changes
        self._now = now
        self._tell_of_trouble = tell_of_trouble
        self._not_before: dict[str, datetime] = {}
        self._bell = Bell()

    def wake(self) -> None:
        """From any thread: there is another time to wait for."""
        self._bell.ring()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._bell.listen()
            patience = await asyncio.to_thread(self._look_safely)
            await self._bell.sleep(patience)

    def look(self) -> float:
        """Begin all that is due; the seconds until there is something to look at again."""
        for schedule in self._book.due(self._now()):
            if self._not_before.get(schedule.id, self._now()) <= self._now() and self._still_comes(schedule):
                self._begin_safely(schedule)
        following = self._book.next_time()
        seconds = (following - self._now()).total_seconds() if following else LONGEST_SLEEP
        return min(max(seconds, 1.0 if self._not_before else 0.0), LONGEST_SLEEP)

    def _look_safely(self) -> float:
        try:
            return self.look()
        except Exception:
            log.exception("the schedules could not be looked at")
            return LONGEST_SLEEP

    def _still_comes(self, schedule: Schedule) -> bool:
        """Those before it took their time: it may be paused or removed by now."""
        now = self._book.get(schedule.id)
        return now is not None and now.next_at == schedule.next_at

    def _begin_safely(self, schedule: Schedule) -> None:
        self._not_before.pop(schedule.id, None)
        try:
            self._begin(schedule)
        except DrybenchError as error:
            self._later(schedule, str(error))
        except Exception:
            log.exception("a schedule's run could not be asked for", schedule=schedule.id)
            self._later(schedule, "")
        self._changes.tell(Change(SCHEDULE, schedule.id, schedule.person_id))

    def _begin(self, schedule: Schedule) -> None:
        assert schedule.next_at is not None
        turn = schedules.turn(schedule.when, schedule.missed, schedule.next_at, self._now())
        owner = self._book.owner(schedule)
        if turn.due is None or owner is None:
            self._book.came(schedule, turn.next_at)
            return
        try:
            run = self._ask(schedule, owner, turn.due)
        except DrybenchError as refusal:
            if isinstance(refusal, PASSES):
                raise
            self._refused(schedule, turn.next_at, refusal)
        else:
            self._book.came(schedule, turn.next_at, last_at=turn.due, last_run=run.id, problem="")

    def _ask(self, schedule: Schedule, owner: Person, due: datetime) -> Run:
        """As if the person asked now: what they may do, and what there is, is looked at again."""
        self._refuse_two_at_once(schedule, owner, due)
        return self._runs.submit(owner, self._folders.request(schedule), key_of(schedule.id, due), ORIGIN)

    def _refuse_two_at_once(self, schedule: Schedule, owner: Person, due: datetime) -> None:
        if schedule.last_run is None:
            return
        with suppress(NotFound):  # removed meanwhile
            if self._runs.get(owner, schedule.last_run).task.phase is not Phase.ENDED:
                raise PreviousGoesOn(time=f"{due:%Y-%m-%d %H:%M} UTC")

    def _refused(self, schedule: Schedule, next_at: datetime | None, refusal: DrybenchError) -> None:
        log.info("a schedule's time brought no run", schedule=schedule.id, why=refusal.code)
        self._book.came(schedule, next_at, problem=str(refusal))
        if not schedule.problem:  # told once, not each minute
            self._tell_of_trouble(schedule, str(refusal))

    def _later(self, schedule: Schedule, why: str) -> None:
        log.warning("a schedule's run could not be asked for", schedule=schedule.id, why=why)
        self._not_before[schedule.id] = self._now() + AGAIN
        self._book.write(schedule.id, problem=why or str(DrybenchError()))


def key_of(id: str, due: datetime) -> str:
    """One time of a schedule brings one run, however often it is asked for."""
    return f"schedule:{id}:{due.isoformat()}"

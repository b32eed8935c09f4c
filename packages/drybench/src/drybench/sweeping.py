"""A loop of its own lays the runs of sweeps out: some at a time, so that a thousand stay light for all others.

What is laid out is decided by the ledger alone, and each place has its own key: a portal that is killed
goes on at the place where it was, and no place gets two runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

import structlog

from drybench.changes import Change, Changes
from drybench.errors import DrybenchError
from drybench.model import RUN
from drybench.runs.sweep_submitting import Sweeps
from drybench.sweep_book import SWEEP, Sweep, SweepBook
from drybench.within import within

log = structlog.get_logger("sweeping")

MOST_OPEN = 40  # runs of one sweep that are in the ledger and have not ended
AT_ONCE = 10  # laid out before the others are looked at again
GATHER = 0.25  # seconds, so that changes which come together are looked at together
TELL_EVERY = 1.0  # seconds: a page of a sweep is not drawn more often
LOOK_EVERY = 30.0  # seconds, also when nobody says that something changed


class Sweeping:
    def __init__(self, book: SweepBook, sweeps: Sweeps, changes: Changes) -> None:
        self._book = book
        self._sweeps = sweeps
        self._changes = changes
        self._touched: set[str] = set()  # runs that changed since their pages were told
        self._told = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        with self._changes.listen() as queue:
            while True:
                left = await self._look_safely()
                await asyncio.sleep(GATHER)
                with suppress(TimeoutError):
                    news = await within(0 if left else self._patience(), queue.get())
                    self._note([news, *_all_of(queue)])
                await self._tell()

    async def look(self) -> bool:
        """One pass; whether there is more to lay out at once."""
        for sweep in await asyncio.to_thread(self._book.left_open):
            await asyncio.to_thread(self._book.stop, sweep.id, sweep.person)
        unfinished = await asyncio.to_thread(self._book.unfinished)
        return any([await self._go_on_safely(sweep) for sweep in unfinished])

    async def _look_safely(self) -> bool:
        try:
            return await self.look()
        except Exception:
            log.exception("the sweeps could not be looked at")
            return False

    async def _go_on_safely(self, sweep: Sweep) -> bool:
        """One that cannot go on keeps no other from it, and says why on its page."""
        try:
            more = await asyncio.to_thread(self._go_on, sweep)
        except DrybenchError as error:
            self._sweeps.troubles[sweep.id] = error
            log.warning("a sweep cannot go on", sweep=sweep.id, why=str(error))
            return False
        except Exception:
            log.exception("a sweep cannot go on", sweep=sweep.id)
            return False
        self._sweeps.troubles.pop(sweep.id, None)
        return more

    def _go_on(self, sweep: Sweep) -> bool:
        """What is to be run once more goes before what is new. Whether there is room and need for more."""
        room = MOST_OPEN - self._book.open_runs(sweep.id)
        now = max(0, min(room, AT_ONCE))
        again = self._try_again(sweep, now)
        places = range(sweep.laid, min(sweep.laid + now - again, sweep.planned))
        for place in places:
            self._sweeps.lay_out(sweep, place)
        return again + len(places) == now < room

    def _try_again(self, sweep: Sweep, most: int) -> int:
        if sweep.rerun_at is None:
            return 0
        found, all_of_them = self._book.to_rerun(sweep.id, sweep.rerun_at, most)
        for run in found:
            self._sweeps.try_again(run)
        if all_of_them:
            self._book.rerun_done(sweep.id, sweep.rerun_at)
        return len(found)

    def _patience(self) -> float:
        return TELL_EVERY if self._touched else LOOK_EVERY

    def _note(self, news: Iterable[Change | None]) -> None:
        for change in news:
            if change is None:  # some were missed
                self._changes.tell(Change("all", "", ""))
            elif change.kind == RUN:
                self._touched.add(change.id)

    async def _tell(self) -> None:
        """The pages of sweeps whose runs changed: now and then, and in the end for certain."""
        if self._touched and time.monotonic() - self._told >= TELL_EVERY:
            touched, self._touched = self._touched, set()
            self._told = time.monotonic()
            for sweep in await asyncio.to_thread(self._book.of_runs, touched):
                self._changes.tell(Change(SWEEP, sweep.id, sweep.person_id))


def _all_of(queue: asyncio.Queue[Change | None]) -> Sequence[Change | None]:
    found: list[Change | None] = []
    with suppress(asyncio.QueueEmpty):
        while True:
            found.append(queue.get_nowait())
    return found

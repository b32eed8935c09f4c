"""A loop of its own sends what people are to be told.

A message that is not taken is tried again after growing pauses, and in the end left, with the reason beside it;
no run waits for it. It is written down as sent after it was: a portal that is killed in between sends it once more,
with the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from drybench.changes import Bell, Change, Changes
from drybench.errors import DrybenchError, NotTaken, Refused
from drybench.model import RUN
from drybench.notices import messages as notices
from drybench.notices.book import NoticeBook
from drybench.notices.channels import Channels
from drybench.notices.messages import MOST_TRIES, Notice
from drybench.notices.sending import Sending
from drybench.notices.words import Words

log = structlog.get_logger("telling")

GATHER = 0.2  # seconds, so that what wakes it is written down, and what comes together is looked at together
LONGEST_SLEEP = 15.0
AT_ONCE = 8


class Telling:
    def __init__(
        self,
        book: NoticeBook,
        channels: Channels,
        words: Words,
        sending: Sending,
        changes: Changes,
        now: Callable[[], datetime],
    ) -> None:
        self._book = book
        self._channels = channels
        self._words = words
        self._sending = sending
        self._changes = changes
        self._now = now
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._bell = Bell()

    def wake(self) -> None:
        """From any thread: there is something to tell."""
        self._bell.ring()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._bell.listen()
            try:
                patience = await self.look()
            except Exception:
                log.exception("what is to be told could not be looked at")
                patience = LONGEST_SLEEP
            if await self._bell.sleep(patience):
                await asyncio.sleep(GATHER)

    async def look(self) -> float:
        """Send the oldest message of each channel that is due; the seconds until there is more."""
        due: Sequence[Notice] = await asyncio.to_thread(self._book.due, self._now())
        await asyncio.gather(*(self._send_safely(notice) for notice in due))
        following = await asyncio.to_thread(self._book.next_time)
        seconds = (following - self._now()) / timedelta(seconds=1) if following else LONGEST_SLEEP
        return min(max(seconds, 0.0), LONGEST_SLEEP)

    async def _send_safely(self, notice: Notice) -> None:
        async with self._turns:
            try:
                await self._send(notice)
            except NotTaken as error:
                await self._not_sent(notice, error.sentence, notice.tries + 1 < MOST_TRIES)
            except Refused as error:  # it will be so the next time too
                await self._not_sent(notice, str(error), again=False)
            except Exception as error:
                log.error("a notice could not be sent", notice=notice.id, why=type(error).__name__)  # no more of it
                said = error.sentence if isinstance(error, DrybenchError) else DrybenchError().sentence
                await self._not_sent(notice, said, notice.tries + 1 < MOST_TRIES)
        if notice.run_id:
            self._changes.tell(Change(RUN, notice.run_id, notice.person_id))

    async def _send(self, notice: Notice) -> None:
        message = await asyncio.to_thread(self._words.of, notice)
        if message is not None:
            await self._sending.send(await asyncio.to_thread(self._channels.letter, notice.channel, message))
        await asyncio.to_thread(self._book.sent, notice, self._now())

    async def _not_sent(self, notice: Notice, why: str, again: bool) -> None:
        log.info("a notice was not taken", notice=notice.id, channel=notice.channel.kind, why=why)
        again_at = self._now() + notices.pause(notice.tries + 1) if again else None
        await asyncio.to_thread(self._book.not_sent, notice, why, again_at)

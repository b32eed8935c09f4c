"""The keeper hears of programs that people ask for: by their own channels, as of the ends of their runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from drybench.errors import NotTaken, Refused
from drybench.images.wishes import Wish, Wishes
from drybench.model import Person
from drybench.notices import messages as notices
from drybench.notices.channels import Channels
from drybench.notices.messages import MOST_TRIES, Channel, Message

log = structlog.get_logger(__name__)

BETWEEN_LOOKS = 15.0  # seconds


class Wishing:
    def __init__(
        self,
        wishes: Wishes,
        channels: Channels,
        keeper: Callable[[], Person | None],
        public: str,
        now: Callable[[], datetime],
    ) -> None:
        self._wishes = wishes
        self._channels = channels
        self._keeper = keeper
        self._public = public
        self._now = now

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("what people ask for could not be told")
            await asyncio.sleep(BETWEEN_LOOKS)

    async def look(self) -> None:
        for wish in await asyncio.to_thread(self._wishes.every):
            if wish.next_at is not None and wish.next_at <= self._now():
                await self._tell(wish)

    async def _tell(self, wish: Wish) -> None:
        """Each channel once. One that does not take it is tried again, and in the end left: the page lists it."""
        told, left = list(wish.told), False
        for channel in await asyncio.to_thread(self._channels_left, wish):
            try:
                await self._channels.send(channel, self._message(wish))
                told.append(channel.id)
            except Refused:  # it will be so the next time too
                told.append(channel.id)
            except NotTaken:
                left = True
        await asyncio.to_thread(self._note, wish, tuple(told), left)

    def _channels_left(self, wish: Wish) -> list[Channel]:
        keeper = self._keeper()
        mine = self._channels.mine(keeper) if keeper else ()
        return [one for one in mine if one.on != "never" and one.id not in wish.told]

    def _note(self, wish: Wish, told: tuple[str, ...], left: bool) -> None:
        """It may have been answered meanwhile."""
        tries, now = wish.tries + 1, self._wishes.get(wish.id)
        goes_on = left and tries < MOST_TRIES and now.answered_at is None
        again = self._now() + notices.pause(tries) if goes_on else None
        self._wishes.write(replace(now, told=told, tries=tries, next_at=again))

    def _message(self, wish: Wish) -> Message:
        url = f"{self._public}/environments#wishes"
        facts = {"id": wish.id, "person": wish.person, "what": wish.what, "why": wish.why, "url": url}
        sentence = f"{wish.person} asks for it: {wish.why}"
        return notices.message(
            wish.id, "A program is asked for", wish.what, sentence, url, {"kind": "wish", "wish": facts}
        )

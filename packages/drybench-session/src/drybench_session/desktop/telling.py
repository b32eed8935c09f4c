"""What happens on a screen beside its picture, told to its owner's windows for as long as there are any."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from drybench_session.desktop import pictures, texts
from drybench_session.desktop.offers import Offers
from drybench_session.desktop.screens import Screen
from drybench_session.desktop.selection import copied
from drybench_session.desktop.stream import Viewers
from drybench_session.errors import ClipboardHangs, SessionError, TextTooLong


def tell(screen: Screen, viewers: Viewers, offers: Offers) -> None:
    async def say(event: dict[str, Any]) -> None:
        viewers.say(event, to_guests=False)

    async def things_copied() -> None:
        if not await screen.socket() or not (environ := screen.environ):
            return
        async for _ in copied(environ):
            with suppress(SessionError):  # it is gone again
                if kind := await _kind(environ):
                    await say({"event": "copied", **kind})

    for work in (lambda: offers.watch(say), things_copied):
        _WhileWatched(viewers, work)


async def _kind(environ: Mapping[str, str]) -> dict[str, str]:
    """Of what does not come with the stream; and why that cannot be had."""
    try:
        if await pictures.is_there(environ):
            return {"kind": "image"}
        return {"kind": "text"} if await texts.is_long(environ) else {}
    except (TextTooLong, ClipboardHangs) as error:
        return {"kind": "nothing", **error.as_json()}


class _WhileWatched:
    """A guest is told nothing of files and what is copied, so for guests alone nobody looks for them."""

    def __init__(self, viewers: Viewers, work: Callable[[], Awaitable[None]]) -> None:
        self._viewers = viewers
        self._work = work
        self._working: asyncio.Task[None] | None = None
        viewers.on_change.append(self._look)

    def _look(self) -> None:
        is_watched = any(not window.is_guest for window in self._viewers)
        if is_watched and self._working is None:
            self._working = asyncio.create_task(self._do())
        elif not is_watched and self._working:
            self._working.cancel()
            self._working = None

    async def _do(self) -> None:
        with suppress(OSError):  # a screen that ended: its windows are closed, and come again
            await self._work()

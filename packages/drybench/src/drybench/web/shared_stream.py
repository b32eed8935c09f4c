"""/shared/ID/stream: a guest's way to the picture, open as long as they may see it and not a moment longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from websockets.exceptions import WebSocketException

from drybench.changes import Change
from drybench.errors import DrybenchError, HubAway
from drybench.model import Person, Session
from drybench.sharing.asking import Seen
from drybench.sharing.guests import Guest
from drybench.sharing.rules import Share, Standing
from drybench.web.door import Asker, at_the_stream, identified
from drybench.web.portal import Portal
from drybench.web.relaying import CUT, SHARE_ENDED, Screen, first_of, relay

ASKED_AGAIN = 2.0  # seconds: so soon it is noticed who signed out or left a group, which nothing tells us
CLOSED_WITHIN = 5.0  # seconds, by a guest that may have gone to sleep
MOST_GUESTS = 60  # of one share at once: each is a viewer more for its session
SILENT = 1013  # the session does not answer: try again later

router = APIRouter()


@router.websocket("/shared/{id}/stream")
async def stream(socket: WebSocket, id: str) -> None:
    """What is refused before it begins is refused with a sentence, though no browser shows it: the page does."""
    portal: Portal = socket.app.state.portal
    try:
        asker = await at_the_stream(socket)
        seen = await run_in_threadpool(portal.shares.seen, asker.person, id)
    except DrybenchError as error:
        await socket.send_denial_response(JSONResponse(error.as_json(), error.status))
        return
    with suppress(WebSocketDisconnect, TimeoutError):  # the guest was gone first
        await socket.accept()
        code = await Visit(socket, portal, asker, seen).last()
        if socket.client_state is WebSocketState.CONNECTED:
            async with asyncio.timeout(CLOSED_WITHIN):
                await socket.close(code)


@dataclass(frozen=True)
class Visit:
    """One guest at one screen."""

    socket: WebSocket
    portal: Portal
    asker: Asker
    seen: Seen

    async def last(self) -> int:
        """Until the guest goes or may no longer be there; the code that tells the page why."""
        share, session = self.seen.share, self.seen.session
        is_owner = share.person_id == self.asker.person.id
        if session is None or is_owner or self.seen.standing is not Standing.OPEN:
            return SHARE_ENDED
        if len(self.portal.shares.guests.of_share(share.id)) >= MOST_GUESTS:
            return SILENT
        try:
            async with self._screen(session) as screen, self._on_the_list():
                return await first_of(relay(self.socket, screen, share.control), self._no_longer_allowed())
        except (OSError, WebSocketException):
            return SILENT

    def _screen(self, session: Session) -> Screen:
        """Where traefik and the Hub reach it, too."""
        return Screen(
            session.task.address or "",
            self.portal.sessions.root(session),
            self.seen.share.app,
            control=self.seen.share.control,
            key=self.portal.guest_key(session.task.id),
            name=self.asker.person.name,
        )

    @asynccontextmanager
    async def _on_the_list(self) -> AsyncGenerator[None]:
        person, share, shares = self.asker.person, self.seen.share, self.portal.shares
        with shares.guests.here(Guest(share, person.name, datetime.now(UTC))):
            await run_in_threadpool(shares.came, person, share)
            try:
                yield
            finally:
                await asyncio.shield(run_in_threadpool(shares.went, person, share))

    async def _no_longer_allowed(self) -> int:
        now = self.seen
        with self.portal.changes.listen() as news:
            while _is_the_same(now, self.seen):
                await _news_of(now.share, news)
                now = await self._look()
        return CUT if now.standing is Standing.OPEN else SHARE_ENDED

    async def _look(self) -> Seen:
        try:
            return await run_in_threadpool(self.portal.shares.seen, await self._person(), self.seen.share.id)
        except DrybenchError:
            return replace(self.seen, standing=Standing.ENDED)

    async def _person(self) -> Person:
        """As they were where the Hub is away: its silence takes nobody's right."""
        try:
            return await identified(self.socket, self.asker.token, fresh=True)
        except HubAway:
            return self.asker.person


def _is_the_same(now: Seen, before: Seen) -> bool:
    """Of another task, or with another right, they come again."""
    task, earlier = (one.session and one.session.task.id for one in (now, before))
    return now.standing is Standing.OPEN and (task, now.share.control) == (earlier, before.share.control)


async def _news_of(share: Share, news: asyncio.Queue[Change | None]) -> None:
    """Until something of it has changed, its time is over, or it is to be looked at all the same."""
    left = (share.until - datetime.now(UTC)).total_seconds()
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, min(ASKED_AGAIN, left))):
            while (change := await news.get()) is not None and change.id not in (share.id, share.session_id):
                pass

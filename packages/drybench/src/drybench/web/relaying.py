"""Between a guest and the screen of somebody else's session: what either of them sends is believed in nothing.

A session is its owner's code, so whatever it answers, its guest's browser gets pictures, and events that are known
here. A guest is a browser out of our hands, so what is no message of a viewer ends it, and what would be input is
dropped here where they may only look.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any, Protocol, cast
from urllib.parse import quote, urlencode, urlsplit

from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from drybench_session.desktop import rfb

MOST_IN_A_FRAME = 4 << 20  # bytes, from a session
MOST_FRAMES = 4  # of it that wait for a slow guest; then the session waits
MOST_SAID = 1 << 14  # characters of an event
MOST_VIEWERS, LONGEST_NAME = 100, 100
SHARE_ENDED, SCREEN_ENDED, NO_SUCH_APP, CUT, NO_VIEWER = 4004, 4003, 4005, 1012, 1008
GUEST, GUEST_NAME = "X-Drybench-Guest", "X-Drybench-Guest-Name"
STATES = frozenset({"not yet", "starting", "running", "ended"})
CAUSES = frozenset({"logged-out", "display", "windows", "program"})
MODES = frozenset({"control", "watch"})


class Sieve(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]: ...


class Controlling:
    """All messages of a viewer, and nothing else."""

    def __init__(self) -> None:
        self._messages = rfb.Messages()

    def feed(self, data: bytes) -> Iterator[bytes]:
        for piece in self._messages.feed(data):
            yield piece.data


class OthersMayLook:
    """The third of a viewer's greetings says whether it wants the screen alone: a guest sends nobody away."""

    def __init__(self, sieve: Sieve) -> None:
        self._sieve = sieve
        self._greetings = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        for passed in self._sieve.feed(data):
            self._greetings += 1
            yield b"\1" if self._greetings == 3 else passed


class Screen(connect):
    """The way to a session's screen, and nowhere else: a redirect would take the key along."""

    def __init__(self, address: str, root: str, app: str, *, control: bool, key: str, name: str) -> None:
        """`address` is where the engine says that it answers, `root` what browsers call it."""
        there, called = urlsplit(address), urlsplit(root)
        query = urlencode({"mode": "control" if control else "watch", "taken": "ask"})
        super().__init__(
            f"ws://{called.netloc}{called.path}drybench/screens/{quote(app, safe='')}/stream?{query}",
            host=there.hostname,
            port=there.port,
            additional_headers={GUEST: key, GUEST_NAME: quote(name)},
            user_agent_header=None,
            compression=None,
            proxy=None,
            open_timeout=10,
            close_timeout=1,
            max_size=MOST_IN_A_FRAME,
            max_queue=MOST_FRAMES,
        )

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def relay(guest: WebSocket, screen: ClientConnection, control: bool) -> int:
    """Until one of them is gone; the code with which the guest is to be closed."""
    sieve = OthersMayLook(Controlling() if control else rfb.Watching())
    return await first_of(_from_guest(guest, screen, sieve), _from_screen(screen, guest))


async def first_of(*ways: Coroutine[Any, Any, int]) -> int:
    """What the first of them comes to; the others are broken off."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _from_guest(guest: WebSocket, screen: ClientConnection, sieve: Sieve) -> int:
    """Text is for what comes later; now it means nothing."""
    while (message := await guest.receive())["type"] == "websocket.receive":
        try:
            for passed in sieve.feed(message.get("bytes") or b""):
                await screen.send(passed)
        except rfb.NotRfb:
            return NO_VIEWER
        except ConnectionClosed:
            return _why(screen)
    return CUT


async def _from_screen(screen: ClientConnection, guest: WebSocket) -> int:
    try:
        async for message in screen:
            if isinstance(message, bytes):
                await guest.send_bytes(message)
            elif (said := known_event(message)) is not None:
                await guest.send_text(said)
    except ConnectionClosed:
        pass
    return _why(screen)


def known_event(text: str) -> str | None:
    """Written anew from what is known of it; files and pictures that are offered are the owner's."""
    try:
        said: Any = json.loads(text) if len(text) <= MOST_SAID else None
    except (ValueError, RecursionError):
        return None
    match said:
        case {"event": "screen", "state": str(state)} if state in STATES:
            cause = cast("Mapping[str, Any]", said).get("cause")
            known = cause if isinstance(cause, str) and cause in CAUSES else None
            return json.dumps({"event": "screen", "state": state, "cause": known})
        case {"event": "mode", "mode": str(mode)} if mode in MODES:
            return json.dumps({"event": "mode", "mode": mode})
        case {"event": "viewers", "viewers": list()}:
            viewers = [_viewer(one) for one in cast("list[Any]", said["viewers"])[:MOST_VIEWERS]]
            return json.dumps({"event": "viewers", "viewers": [one for one in viewers if one]})
        case _:
            return None


def _viewer(one: Any) -> dict[str, str] | None:
    match one:
        case {"name": str(name), "mode": str(mode)} if mode in MODES:
            return {"name": "".join(filter(str.isprintable, name))[:LONGEST_NAME], "mode": mode}
        case _:
            return None


def _why(screen: ClientConnection) -> int:
    """What the page can say something to; all else is a cut, after which it comes again."""
    return screen.close_code if screen.close_code in (SCREEN_ENDED, NO_SUCH_APP) else CUT

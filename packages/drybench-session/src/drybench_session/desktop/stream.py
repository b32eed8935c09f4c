"""A screen's picture on a websocket: RFB both ways in binary frames, what happens around it as JSON in text frames.

Whoever is slower sets the pace: nothing is read that the other side has no room for. One window at a time controls a
screen; what the others send as input is dropped here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import IntEnum
from typing import Any, Protocol

from drybench_session.desktop.last_input import Deeds, LastInput
from drybench_session.desktop.rfb import Kind, Messages, NotRfb, Watching
from drybench_session.desktop.screens import Screen, State

CONTROL, WATCH = "control", "watch"
ASK, TAKE = "ask", "take"
NOT_YET = "not yet"  # opened by its owner, as guests hear of it
_AT_ONCE = 64 << 10  # bytes
_SETTLES_WITHIN = 5.0  # seconds until it is known how a screen ended whose picture broke off


class Closed(IntEnum):
    """Why a stream ended, for the page; anything else is a cut."""

    NOT_RFB = 1002
    CUT = 1011
    IN_USE = 4001
    TAKEN_OVER = 4002
    ENDED = 4003
    NO_SUCH_APP = 4005


class Window(Protocol):
    """Somebody's page that looks at a screen."""

    name: str
    viewer: str  # the page's own word for itself: after a cut it comes back before the cut was seen here
    mode: str
    may_control: bool  # though a guest may be held from it
    is_guest: bool

    def say(self, event: dict[str, Any]) -> None: ...
    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Viewers:
    """Who looks at one screen, and which of them controls it."""

    def __init__(self, screen: Screen) -> None:
        self.on_change: list[Callable[[], None]] = []
        self._screen = screen
        self._windows: list[Window] = []
        self._owner_works_alone = False
        screen.on_change.append(self._screen_changed)

    def __iter__(self) -> Iterator[Window]:
        return iter(self._windows)

    def add(self, window: Window, taken: str) -> bool:
        """False where another controls the screen, and this one would rather ask first.

        A guest who may control does so beside the owner, unless the owner took it back, and takes it from nobody.
        """
        if window.is_guest and window.mode == CONTROL and self._owner_works_alone:
            window.mode = WATCH
        if window.mode == CONTROL and not window.is_guest and (other := self._who_controls()):
            if taken != TAKE and not (window.viewer and window.viewer == other.viewer):
                return False
            self._windows.remove(other)
            other.close(Closed.TAKEN_OVER)
        self._windows.append(window)
        window.say(self._of_the_screen())
        if window.is_guest:
            window.say({"event": "mode", "mode": window.mode})
        self._changed()
        return True

    def remove(self, window: Window) -> None:
        if window in self._windows:
            self._windows.remove(window)
            self._changed()

    def say(self, event: dict[str, Any], to_guests: bool = True) -> None:
        for window in self._windows:
            if to_guests or not window.is_guest:
                window.say(event)

    def work_alone(self, alone: bool) -> None:
        """Guests only watch then, until they may work here again.

        They are cut off and come back as what they may be now: so none of their keys stays pressed.
        """
        if alone == self._owner_works_alone:
            return
        self._owner_works_alone = alone
        for guest in [one for one in self._windows if one.is_guest and one.may_control]:
            self._windows.remove(guest)
            guest.close(Closed.CUT)
        self._changed()

    def _who_controls(self) -> Window | None:
        return next((one for one in self._windows if one.mode == CONTROL and not one.is_guest), None)

    def _changed(self) -> None:
        listed = [{"name": one.name, "mode": one.mode, "guest": one.is_guest} for one in self._windows]
        held = [one.name for one in self._windows if one.may_control and one.mode == WATCH]
        self.say({"event": "viewers", "viewers": listed, "held": held, "alone": self._owner_works_alone})
        for tell in self.on_change:
            tell()

    def _screen_changed(self) -> None:
        self.say(self._of_the_screen())
        if self._screen.state is State.ENDED:
            windows, self._windows = self._windows, []
            for window in windows:
                window.close(Closed.ENDED)
            self._changed()

    def _of_the_screen(self) -> dict[str, Any]:
        screen, ending = self._screen, self._screen.ending
        cause = ending.cause if ending else None
        state = screen.state if screen.was_started else NOT_YET
        return {"event": "screen", "state": state, "cause": cause, "shows": screen.shows}


class Bridge:
    """Between one window and the screen's socket."""

    def __init__(self, screen: Screen, window: Window, last_input: LastInput, send: Callable[[bytes], Any]) -> None:
        self._screen = screen
        self._fits_the_owner = window.is_guest
        self._send = send
        self._last_input = last_input
        self._messages = Messages()
        self._deeds = Deeds()
        self._watching = Watching() if window.mode == WATCH else None
        self._writer: asyncio.StreamWriter | None = None

    async def show(self) -> Closed:
        """The picture, until it ends; why it did."""
        socket = await self._screen.socket()
        if socket is None:
            return Closed.ENDED
        try:
            reader, self._writer = await asyncio.open_unix_connection(socket)
            while picture := await reader.read(_AT_ONCE):
                await self._send(picture)
        except OSError:
            pass
        finally:
            self.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLES_WITHIN):
                await self._screen.ended()
            return Closed.ENDED
        return Closed.CUT

    async def take(self, sent: bytes) -> None:
        """What the window sent; NotRfb."""
        if self._writer is None:
            raise NotRfb("before it was asked")
        for allowed in self._watching.feed(sent) if self._watching else self._controlling(sent):
            self._writer.write(allowed)
        with suppress(OSError):
            await self._writer.drain()

    def _controlling(self, sent: bytes) -> Iterator[bytes]:
        """A guest's window has no say in the size: two that both do would never agree."""
        for piece in self._messages.feed(sent):
            if self._deeds.is_one(piece):
                self._last_input.is_now()
            if not (self._fits_the_owner and piece.kind is Kind.SIZE):
                yield piece.data

    def close(self) -> None:
        if self._writer:
            self._writer.close()

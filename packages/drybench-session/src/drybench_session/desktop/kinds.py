"""What runs on a screen, and how it can end: xfce, a window manager alone, or one program.

Each function runs one until it ends and says how, as an Ending. The screen's own end is not their matter.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from drybench_session.apps import App
from drybench_session.desktop import commands
from drybench_session.desktop.endings import (
    DesktopGone,
    Ending,
    LoggedOut,
    NoDesktop,
    ProgramFailed,
    ProgramGone,
    ProgramMissing,
    WindowsGone,
    how,
)
from drybench_session.desktop.programs import Program
from drybench_session.desktop.x11 import Display, Window
from drybench_session.desktop.x_server import XServer

_TRIES, _WITHIN = 3, 60.0  # a window manager that falls over more often in so many seconds is left alone
_PATIENCE = 3.0  # seconds in which xfce may start its own once more
_OFTEN = 0.2  # seconds
_DESKTOP_WITHIN, _PROGRAM_WITHIN = 15.0, 120.0  # seconds until it is shown as it is
_ASKED_AT_MOST = 50
_GROUND = 0x16324A  # as the upper part of the desktop's own background
Started = Callable[[], None]


@dataclass
class Place:
    """A screen that a desktop or a program can be put on."""

    app: App
    x_server: XServer
    environ: Mapping[str, str]
    home: Path
    is_new: bool  # and nothing has been on it yet
    started: list[Program] = field(default_factory=list[Program])

    def start(self, command: tuple[str, ...], environ: Mapping[str, str] | None = None) -> Program:
        program = Program.start(command, environ or self.environ, self.home)
        self.started.append(program)
        return program

    @asynccontextmanager
    async def display(self) -> AsyncGenerator[Display]:
        async with Display.open(self.x_server.x_socket, self.x_server.cookie) as display:
            yield display

    async def windows(self) -> list[Window]:
        """None where the screen does not answer."""
        try:
            async with self.display() as display:
                return await display.programs_windows()
        except (OSError, EOFError):
            return []

    async def shows_a_window(self) -> None:
        """Or is not going to: a program that takes longer without one may have none."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PROGRAM_WITHIN if self.app.command else _DESKTOP_WITHIN):
                while not await self._has_shown_one():
                    await asyncio.sleep(_OFTEN)

    async def _has_shown_one(self) -> bool:
        """False where the screen did not answer: that says nothing of windows."""
        try:
            async with self.display() as display:
                await display.shows_a_window()
                return True
        except (OSError, EOFError):
            return False

    async def paint(self) -> None:
        """X's own ground is black: seen before xfce has drawn its own, and around a program that leaves some free."""
        with suppress(OSError, EOFError):
            async with self.display() as display:
                display.paint(_GROUND)
                await display.size()  # so it was heard

    async def size(self) -> tuple[int, int]:
        try:
            async with self.display() as display:
                return await display.size()
        except (OSError, EOFError):
            return 0, 0


async def run(place: Place, started: Started) -> Ending:
    if place.app.command:
        return await _alone(place, started)
    if xfce := commands.xfce(place.environ):
        return await _xfce(place, xfce, started)
    if windows := commands.window_manager(place.environ):
        return await _plain(place, windows, started)
    return NoDesktop()


async def _xfce(place: Place, command: tuple[str, ...], started: Started) -> Ending:
    session = place.start(commands.with_gpu(command, place.environ), commands.for_xfce(place.environ))
    started()
    async with _meanwhile(_keep_frames(place)):
        code = await session.ended()
    return DesktopGone(how=how(code)) if code else LoggedOut()


async def _plain(place: Place, windows: tuple[str, ...], started: Started) -> Ending:
    async with _meanwhile(_first_terminal(place)):
        started()
        return await _until_it_ends_well(place, windows)


async def _alone(place: Place, started: Started) -> Ending:
    windows = commands.window_manager(place.environ)
    async with _meanwhile(_until_it_ends_well(place, windows) if windows else asyncio.sleep(0)):
        if settings := commands.settings(place.environ):
            place.start(settings)
        try:
            program = place.start(commands.with_gpu(place.app.command, place.environ))
        except OSError as error:
            return ProgramMissing(title=place.app.title, problem=f"{place.app.command[0]}: {error.strerror}")
        started()
        async with _meanwhile(_maximise_the_first(place)):
            code = await program.ended()
            if not code:
                await _all_closed(place, program)
    if code:
        return ProgramFailed(title=place.app.title, how=how(code), said=program.said or "nothing.")
    return ProgramGone(title=place.app.title)


async def _until_it_ends_well(place: Place, command: tuple[str, ...]) -> Ending:
    """Started again where it falls over: its windows are the programs', and live on."""
    begun: deque[float] = deque(maxlen=_TRIES)
    while True:
        begun.append(time.monotonic())
        code = await place.start(command).ended()
        if not code:
            return LoggedOut()
        if len(begun) == _TRIES and time.monotonic() - begun[0] < _WITHIN:
            return WindowsGone(name=Path(command[0]).name, how=how(code))


async def _first_terminal(place: Place) -> None:
    terminal = commands.terminal(place.environ)
    if terminal and place.is_new:
        place.start(terminal)


async def _keep_frames(place: Place) -> None:
    """xfce starts its window manager again by itself, most times; where it does not, we do."""
    command = commands.window_manager(place.environ)
    async with place.display() as display:
        await asyncio.sleep(_PATIENCE)
        while command:
            manager = await display.window_manager()
            await display.tell_of_changes(manager)
            if manager and await display.window_manager():
                await display.changed()
                continue
            await asyncio.sleep(_PATIENCE)
            if not await display.window_manager():
                await _until_it_ends_well(place, command)


async def _maximise_the_first(place: Place) -> None:
    """The program's main window; its dialogs, and what it opens later, are as they are.

    Asked more than once, for a window manager that begins may hear nothing yet; and not for ever, for some cannot.
    """
    asked = 0
    async with place.display() as display:
        while asked < _ASKED_AT_MOST:
            main = next((window.id for window in await display.programs_windows() if not window.is_dialog), None)
            if main and await display.is_maximised(main):
                return
            if main:
                await display.maximise(main)
                asked += 1
            await asyncio.sleep(_OFTEN)


async def _all_closed(place: Place, program: Program) -> None:
    """A command can be a script that starts the program and goes, before it has a window."""
    async with place.display() as display:
        await display.tell_of_changes()
        while not (windows := await display.programs_windows()) and program.has_children:
            await asyncio.sleep(_OFTEN)
        while windows:
            await display.changed()
            windows = await display.programs_windows()


@asynccontextmanager
async def _meanwhile(work: Awaitable[object]) -> AsyncGenerator[None]:
    """What may fail without an end to it all."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, OSError, EOFError):
            await task

"""The screens of this session, by app: each an X server, and on it a desktop or one program.

Nothing starts again by itself after an end: the page says how it ended, and has one button. Where the X server
still lives, what is started anew comes onto it, among the programs that are there.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from drybench_session.apps import App
from drybench_session.desktop import commands, kinds, scaling
from drybench_session.desktop.endings import Ending, NoScreen, ScreenGone, how
from drybench_session.desktop.opengl import OpenGL
from drybench_session.desktop.programs import Program, marked
from drybench_session.desktop.x_server import XServer, ends_with_us

_ENDS_WITHIN = 3.0  # seconds, when it is asked kindly


class State(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"


class Screen:
    def __init__(self, app: App, environ: Mapping[str, str], home: Path) -> None:
        self.app = app
        self.state = State.ENDED
        self.ending: Ending | None = None
        self.shows = False  # something, and not the bare ground alone
        self.opengl = OpenGL()
        self.on_change: list[Callable[[], None]] = []
        self._environ = commands.without_secrets(environ)
        self._home = home
        self._x_server: XServer | None = None
        self._place: kinds.Place | None = None
        self._bus: Program | None = None
        self._life: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._over = asyncio.Event()

    @property
    def was_started(self) -> bool:
        return self._life is not None

    def start(self) -> None:
        """Unless it runs."""
        if self._life is None or self._life.done():
            self._become(State.STARTING, None)
            self._life = asyncio.create_task(self._live())

    async def socket(self) -> Path | None:
        """Where its picture is to be had, once it is; None where it has ended."""
        await self._settled.wait()
        return self._x_server.rfb_socket if self._x_server and self.state is State.RUNNING else None

    @property
    def environ(self) -> Mapping[str, str] | None:
        """The variables of a program on it; None where it is not there."""
        return self._place.environ if self._place else None

    async def scale(self, factor: float) -> None:
        if self._place:
            await scaling.scale(self._place.environ, factor)

    async def ended(self) -> None:
        await self._over.wait()

    async def size(self) -> tuple[int, int]:
        """Zero where there is none."""
        return await self._place.size() if self._place else (0, 0)

    async def programs(self) -> int:
        """How many have a window on it."""
        windows = await self._place.windows() if self._place else []
        return len({window.program for window in windows})

    def end(self) -> None:
        """Now, with all that runs on it; also where no event loop goes on any more."""
        if self._x_server:
            _end_all(self._x_server)

    async def _live(self) -> None:
        try:
            is_new = self._x_server is None
            x_server = self._x_server = self._x_server or await XServer.start(self.app.title, self._environ)
            self._place = await self._put(x_server, is_new)
            ending = await self._ended(x_server, self._place)
        except Ending as error:
            ending = error
        except OSError as error:
            ending = NoScreen(problem=str(error))
        self._become(State.ENDED, ending)

    async def _put(self, x_server: XServer, is_new: bool) -> kinds.Place:
        environ = {**commands.environment(self._environ, x_server.folder), **x_server.variables}
        if self.app.command:
            environ = commands.alone(environ)
        if bus := await self._bus_address(x_server, environ):
            environ["DBUS_SESSION_BUS_ADDRESS"] = bus
        place = kinds.Place(self.app, x_server, environ, self._home, is_new)
        if is_new:
            self.opengl.ask(environ)
            await place.paint()
        return place

    async def _ended(self, x_server: XServer, place: kinds.Place) -> Ending:
        session = asyncio.create_task(kinds.run(place, lambda: self._become(State.RUNNING, None)))
        screen = asyncio.create_task(x_server.program.ended())
        looking = asyncio.create_task(self._look(place))
        try:
            await asyncio.wait((session, screen), return_when=asyncio.FIRST_COMPLETED)
            if not screen.done() and await _answers(place):
                return await session
            code = await screen  # it takes the session with it, whose end may be seen first
            self._x_server = self._place = None
            await asyncio.to_thread(_end_all, x_server)
            return ScreenGone(how=how(code))
        finally:
            for task in (session, screen, looking):
                task.cancel()

    async def _look(self, place: kinds.Place) -> None:
        """Whoever looks is shown that it starts until there is something to see, or nothing will come."""
        await place.shows_a_window()
        self.shows = True
        self._tell()

    async def _bus_address(self, x_server: XServer, environ: Mapping[str, str]) -> str | None:
        """One for all that is ever on this screen, so that programs are kept when the desktop around them is not."""
        address = f"unix:path={x_server.folder / 'bus'}"
        if self._bus and self._bus.lives:
            return address
        reading, told = os.pipe()
        words = (
            *ends_with_us(),
            "dbus-daemon",
            "--session",
            "--nofork",
            "--nopidfile",
            f"--address={address}",
            f"--print-address={told}",
        )
        try:
            self._bus = Program.start(words, environ, self._home, (told,))
        except OSError:
            os.close(reading)
            return None  # not installed: then there is none
        finally:
            os.close(told)
        await asyncio.to_thread(_until_something_is_said, reading)
        return address

    def _become(self, state: State, ending: Ending | None) -> None:
        self.state, self.ending = state, ending
        self.shows = self.shows and state is State.RUNNING
        _set(self._settled, state is not State.STARTING)
        _set(self._over, state is State.ENDED)
        self._tell()

    def _tell(self) -> None:
        for tell in self.on_change:
            tell()


class Screens:
    """Those of all apps that have one. They end with this process."""

    def __init__(self, apps: Mapping[str, App], environ: Mapping[str, str], home: Path) -> None:
        self._screens = {name: Screen(app, environ, home) for name, app in apps.items()}
        atexit.register(self.end)

    def __getitem__(self, name: str) -> Screen:
        """KeyError where no app of that name has a screen."""
        return self._screens[name]

    def __iter__(self) -> Iterator[Screen]:
        return iter(self._screens.values())

    def environ(self, name: str) -> Mapping[str, str] | None:
        return self._screens[name].environ if name in self._screens else None

    def end(self) -> None:
        for screen in self:
            screen.end()


async def _answers(place: kinds.Place) -> bool:
    try:
        async with place.display():
            return True
    except (OSError, EOFError):
        return False


def _until_something_is_said(reading: int) -> None:
    with os.fdopen(reading) as said:
        said.readline()


def _set(event: asyncio.Event, is_so: bool) -> None:
    if is_so:
        event.set()
    else:
        event.clear()


def _end_all(x_server: XServer) -> None:
    """Kindly, then not: the X server last, for programs may want to say something yet."""
    mine = set(marked(x_server.mark))
    for how_to in (signal.SIGTERM, signal.SIGKILL):
        x_server.end(how_to)
        for process in mine:
            with suppress(ProcessLookupError):
                os.kill(process, how_to)
        if _gone_within(mine, _ENDS_WITHIN):
            break
    x_server.forget()


def _gone_within(processes: set[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(_lives, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _lives(process: int) -> bool:
    """One that ended and was not yet asked how does not."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False

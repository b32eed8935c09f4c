"""An X server whose picture only we can have: TigerVNC on a Unix socket in a folder of ours.

No port, no password, and no abstract socket, which would have no owner. Programs open it with a cookie from a file:
without one every account of this machine could, by the socket that X puts below /tmp.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import struct
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from drybench_session.apps import X_SERVER
from drybench_session.desktop.endings import NoScreen, NoXServer
from drybench_session.desktop.programs import MARK, Program
from drybench_session.desktop.rfb import MOST_TEXT

SOCKETS = Path("/tmp/.X11-unix")
_SIZE = "1440x900"  # until a viewer asks for the size of its window
_RATE = 250  # how often it looks for what has changed, a second: at 60 that wait is the largest part of a key's way
_SOON = 30.0  # seconds; a screen is there after 0.1
_AT_ONCE = 1.0
_MOST_SCREENS = 1000
_PATH_LIMIT = 107  # of a socket
_SOCKET = "rfb"
_COOKIE_FILE, _COOKIE_LENGTH = "cookie", 16
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_ANY_HOST = 0xFFFF


class XServer:
    def __init__(self, folder: Path, number: int, program: Program) -> None:
        self.folder = folder
        self.program = program
        self._number = number

    @classmethod
    async def start(cls, name: str, environ: Mapping[str, str]) -> XServer:
        """NoXServer, NoScreen."""
        path = shutil.which(X_SERVER, path=environ.get("PATH"))
        if path is None:
            raise NoXServer(name=X_SERVER)
        folder = _folder(environ)
        try:
            return await _started(path, folder, name, environ)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @property
    def mark(self) -> str:
        """Of all that runs on it."""
        return str(self.folder)

    @property
    def rfb_socket(self) -> Path:
        return self.folder / _SOCKET

    @property
    def x_socket(self) -> Path:
        return SOCKETS / f"X{self._number}"

    @property
    def cookie(self) -> bytes:
        return (self.folder / _COOKIE_FILE).read_bytes()[-_COOKIE_LENGTH:]

    @property
    def variables(self) -> dict[str, str]:
        """What a program needs to draw on it."""
        cookie = str(self.folder / _COOKIE_FILE)
        return {"DISPLAY": f":{self._number}", "XAUTHORITY": cookie, MARK: self.mark}

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.program.end(how)

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


async def _started(path: str, folder: Path, name: str, environ: Mapping[str, str]) -> XServer:
    number, claim = _free_number()
    with claim:
        telling, told = os.pipe()
        words = [*ends_with_us(), path, f":{number}", *_options(folder, name), "-displayfd", str(told)]
        try:
            program = Program.start(words, environ, folder, (told, claim.fileno()))
        except OSError as error:
            os.close(telling)
            raise NoScreen(problem=f"{error.strerror}.") from None
        finally:
            os.close(told)
    if not await _is_told(telling):
        program.end(signal.SIGKILL)
        raise NoScreen(problem=program.said or "its server said nothing.")
    return XServer(folder, number, program)


def _options(folder: Path, name: str) -> list[str]:
    words = ["-auth", str(folder / _COOKIE_FILE), "-desktop", name, "-noreset", "-s", "0"]
    words += ["-nolisten", "tcp", "-nolisten", "local", "-rfbport", "-1", "-SecurityTypes", "None"]
    words += ["-SendPrimary=0"]  # what is only selected is not copied
    words += ["-rfbunixpath", str(folder / _SOCKET), "-rfbunixmode", "0600", "-AlwaysShared"]
    words += ["-geometry", _SIZE, "-depth", "24", "-dpi", "96", "-FrameRate", str(_RATE)]
    return [*words, "-MaxCutText", str(MOST_TEXT)]


def _free_number() -> tuple[int, socket.socket]:
    """A display's number, and what keeps it for as long as the X server holds it open.

    Asked to choose by itself, X finds a number taken by its abstract socket, and without one takes what is another's.
    So that name is bound for it, and nobody listens there: programs go on to the other socket.
    """
    _make_place_for_sockets()
    for number in range(_MOST_SCREENS):
        if _looks_free(number):
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(f"\0{SOCKETS}/X{number}")
            except OSError:
                claim.close()
            else:
                return number, claim
    raise NoScreen(problem=f"this machine shows {_MOST_SCREENS} screens already.")


def _looks_free(number: int) -> bool:
    """Neither locked by an X server of the usual kind, nor somebody else's to take away."""
    place = SOCKETS / f"X{number}"
    if Path(f"/tmp/.X{number}-lock").exists():
        return False
    return not place.exists() or (place.stat().st_uid == os.getuid() and not _answers(place))


def _answers(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_AT_ONCE)
        try:
            asking.connect(str(place))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


def ends_with_us() -> list[str]:
    """Also where we are killed: without its server nothing on a screen lives on."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _make_place_for_sockets() -> None:
    """As nobody in particular X makes none, and in a container there is none."""
    with suppress(OSError):
        SOCKETS.mkdir()
        SOCKETS.chmod(0o1777)


def _folder(environ: Mapping[str, str]) -> Path:
    """Not in the home, which may be full: the first place that has room for a few bytes."""
    problem = "there is no place for its socket."
    for place in (tempfile.gettempdir(), "/dev/shm", environ.get("DRYBENCH_TASK_DIR", "/")):
        folder = None
        try:
            folder = Path(tempfile.mkdtemp(prefix="drybench-screen-", dir=place))
            _write_cookie(folder / _COOKIE_FILE)
        except OSError as error:
            problem = f"{error.strerror}: {place}."
        else:
            if len(os.fsencode(folder / _SOCKET)) <= _PATH_LIMIT:
                return folder
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
    raise NoScreen(problem=problem)


def _write_cookie(file: Path) -> None:
    """One line of an Xauthority: it opens whatever display it is shown to, for the number is not known yet."""
    fields = (b"", b"", _COOKIE, secrets.token_bytes(_COOKIE_LENGTH))
    line = struct.pack(">H", _ANY_HOST) + b"".join(struct.pack(">H", len(field)) + field for field in fields)
    file.touch(0o600)
    file.write_bytes(line)


async def _is_told(telling: int) -> bool:
    """That it is ready, before its end and in time."""
    try:
        async with asyncio.timeout(_SOON):
            return bool(await asyncio.to_thread(_line, telling))
    except TimeoutError:
        return False


def _line(telling: int) -> str:
    with os.fdopen(telling) as said:
        return said.readline()

"""When a program on the desktop copies something.

The X server says nothing of it to viewers unless it is a short text, and asking again and again would never let an idle
desktop rest. So one connection asks to be told, and waits.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from drybench_session.desktop.x11 import Display

OFTEN = 0.2  # seconds: a program may copy whatever it marks, many times while the mouse moves
_COOKIE = b"MIT-MAGIC-COOKIE-1"


class NoDisplay(OSError):
    """Nobody answers there, or not in X's language."""


async def copied(environ: Mapping[str, str]) -> AsyncIterator[None]:
    """When programs took the clipboard, however often, until the display ends (then NoDisplay)."""
    async with clipboard(environ) as display:
        while True:
            await display.changed()
            if display.is_a_programs(await display.clipboard_owner()):
                yield
                await asyncio.sleep(OFTEN)


@asynccontextmanager
async def clipboard(environ: Mapping[str, str]) -> AsyncGenerator[Display]:
    """A display that changes when a program takes its clipboard."""
    try:
        async with Display.open(Path(f"/tmp/.X11-unix/X{_number(environ)}"), _cookie(environ)) as display:
            await display.tell_of_copies()
            yield display
    except (OSError, EOFError, struct.error) as error:
        raise NoDisplay(str(error)) from error


def _number(environ: Mapping[str, str]) -> int:
    try:
        return int(environ.get("DISPLAY", "").rpartition(":")[2].partition(".")[0])
    except ValueError:
        raise NoDisplay("there is no DISPLAY") from None


def _cookie(environ: Mapping[str, str]) -> bytes:
    """Of this display in the file XAUTHORITY, whose numbers are big-endian; nothing where none is asked."""
    try:
        rest = Path(environ["XAUTHORITY"]).read_bytes()
    except (KeyError, OSError):
        return b""
    while rest:
        fields: list[bytes] = []
        rest = rest[2:]
        for _ in ("address", "number", "name", "cookie"):
            length = struct.unpack_from(">H", rest)[0]
            fields.append(rest[2 : 2 + length])
            rest = rest[2 + length :]
        if fields[1] in (b"", b"%d" % _number(environ)) and fields[2] == _COOKIE:
            return fields[3]
    return b""

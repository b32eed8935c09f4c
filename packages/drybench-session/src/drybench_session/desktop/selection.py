"""When a program on the desktop copies something: the few words of X's own language that ask for it.

The X server says nothing of it to viewers unless it is text, and asking again and again would never let an idle
desktop rest. So one connection asks the XFIXES extension, and waits.
"""

from __future__ import annotations

import asyncio
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

OFTEN = 0.2  # seconds: a program may copy whatever it marks, many times while the mouse moves
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_INTERN_ATOM, _QUERY_EXTENSION = 16, 98
_QUERY_VERSION, _SELECT_SELECTION_INPUT = 0, 2  # XFIXES' own
_OWNER_CHANGES = 1
_REPLY, _ERROR = 1, 0


class NoDisplay(OSError):
    """Nobody answers there, or not in X's language."""


async def copied(environ: Mapping[str, str]) -> AsyncIterator[None]:
    """When programs took the clipboard, however often, until the display ends (then NoDisplay)."""
    try:
        async with _connection(environ) as (reader, writer):
            root = await _greet(reader, writer, _cookie(environ))
            first_event = await _select(reader, writer, root)
            taken = asyncio.Event()
            listening = asyncio.create_task(_listen(reader, first_event, taken))
            try:
                while await taken.wait():
                    taken.clear()
                    if listening.done():
                        listening.result()
                    yield
                    await asyncio.sleep(OFTEN)
            finally:
                listening.cancel()
    except (OSError, EOFError, struct.error) as error:
        raise NoDisplay(str(error)) from error


async def _listen(reader: StreamReader, first_event: int, taken: asyncio.Event) -> None:
    try:
        while True:
            event = await reader.readexactly(32)
            owner = struct.unpack_from("<I", event, 8)[0]
            if event[0] & 0x7F == first_event and owner:
                taken.set()
    finally:
        taken.set()


@asynccontextmanager
async def _connection(environ: Mapping[str, str]) -> AsyncGenerator[tuple[StreamReader, StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(f"/tmp/.X11-unix/X{_number(environ)}")
    try:
        yield reader, writer
    finally:
        writer.close()


async def _greet(reader: StreamReader, writer: StreamWriter, cookie: bytes) -> int:
    """The root window of the first screen."""
    name = _COOKIE if cookie else b""
    writer.write(struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie)) + _padded(name) + _padded(cookie))
    head = await reader.readexactly(8)
    answer = await reader.readexactly(4 * struct.unpack_from("<H", head, 6)[0])
    if head[0] != 1:
        raise NoDisplay("it lets nobody in")
    vendor, formats = struct.unpack_from("<H", answer, 16)[0], answer[21]
    return struct.unpack_from("<I", answer, 32 + len(_padded(bytes(vendor))) + 8 * formats)[0]


async def _select(reader: StreamReader, writer: StreamWriter, root: int) -> int:
    """The number by which the extension's events are known."""
    extension = await _ask(reader, writer, _QUERY_EXTENSION, _text(b"XFIXES"))
    present, major, first_event = extension[8], extension[9], extension[10]
    if not present:
        raise NoDisplay("it has no XFIXES")
    await _ask(reader, writer, major, struct.pack("<II", 5, 0), _QUERY_VERSION)
    atom = await _ask(reader, writer, _INTERN_ATOM, _text(b"CLIPBOARD"))
    clipboard = struct.unpack_from("<I", atom, 8)[0]
    _send(writer, major, struct.pack("<III", root, clipboard, _OWNER_CHANGES), _SELECT_SELECTION_INPUT)
    return first_event


async def _ask(reader: StreamReader, writer: StreamWriter, request: int, body: bytes, kind: int = 0) -> bytes:
    _send(writer, request, body, kind)
    while (answer := await reader.readexactly(32))[0] != _REPLY:
        if answer[0] == _ERROR:
            raise NoDisplay(f"it refuses request {request}")
    await reader.readexactly(4 * struct.unpack_from("<I", answer, 4)[0])
    return answer


def _send(writer: StreamWriter, request: int, body: bytes, kind: int = 0) -> None:
    writer.write(struct.pack("<BBH", request, kind, 1 + len(body) // 4) + body)


def _text(text: bytes) -> bytes:
    return struct.pack("<Hxx", len(text)) + _padded(text)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


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

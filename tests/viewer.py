"""A viewer of a screen as a browser's page is one, as far as tests need it: RFB on a websocket, pictures unpacked."""

from __future__ import annotations

import asyncio
import json
import struct
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.waiting import PATIENCE

EXTENDED_CLIPBOARD = 0xC0A1E5CE
DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE = 0xFFFFFF21, 0xFFFFFECC
_BGRX = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)

Colour = tuple[int, int, int]


class Ended(Exception):
    """The server has closed the stream; with its code."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Viewer:
    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket
        self.said: list[dict[str, Any]] = []  # JSON of text frames
        self.copied: list[bytes] = []  # what the server told of its clipboard
        self.size = (0, 0)
        self.has_ended = False
        self._unread = bytearray()

    @property
    def code(self) -> int | None:
        return self.socket.close_code

    async def read(self, count: int) -> bytes:
        while len(self._unread) < count:
            await self.more()
        taken = bytes(self._unread[:count])
        del self._unread[:count]
        return taken

    async def more(self) -> None:
        """The next frame, whatever it is; Ended."""
        message = await asyncio.wait_for(_read(self.socket), PATIENCE)
        if message is None:
            self.has_ended = True
            raise Ended(self.code)
        if isinstance(message, str):
            self.said.append(json.loads(message))
        else:
            self._unread += message

    async def send(self, data: bytes) -> None:
        await self.socket.write_message(data, binary=True)

    async def greet(self) -> Viewer:
        await self.send(await self.read(12))
        assert 1 in await self.read((await self.read(1))[0])
        await self.send(b"\1")
        assert await self.read(4) == bytes(4)
        await self.send(b"\1")
        width, height, name = struct.unpack(">HH16xI", await self.read(24))
        await self.read(name)
        self.size = (width, height)
        await self.send(struct.pack(">Bxxx", 0) + _BGRX)
        await self.ask_for(0)
        return self

    async def ask_for(self, *encodings: int) -> None:
        await self.send(struct.pack(f">BxH{len(encodings)}I", 2, len(encodings), *encodings))

    async def ask_to_look(self, only_changes: bool = False) -> None:
        await self.send(struct.pack(">BBHHHH", 3, only_changes, 0, 0, *self.size))

    async def picture(self) -> Counter[Colour]:
        """How often each colour is on the whole screen."""
        await self.ask_to_look()
        return await self.update()

    async def update(self) -> Counter[Colour]:
        """The next picture, or part of it."""
        while (kind := (await self.read(1))[0]) != 0:
            await self._other(kind)
        (parts,) = struct.unpack(">xH", await self.read(3))
        colours: Counter[Colour] = Counter()
        for _ in range(parts):
            colours.update(await self._part())
        return colours

    async def key(self, symbol: int) -> None:
        for pressed in (1, 0):
            await self.send(struct.pack(">BBxxI", 4, pressed, symbol))

    async def type(self, text: str) -> None:
        for letter in text:
            await self.key({"\n": 0xFF0D}.get(letter, ord(letter)))

    async def point(self, x: int, y: int, buttons: int = 0) -> None:
        await self.send(struct.pack(">BBHH", 5, buttons, x, y))

    async def paste(self, text: bytes) -> None:
        await self.send(struct.pack(">BxxxI", 6, len(text)) + text)

    async def resize(self, width: int, height: int) -> None:
        await self.send(struct.pack(">BxHHBxIHHHHI", 251, width, height, 1, 0, 0, 0, width, height, 0))

    async def until_closed(self) -> int | None:
        try:
            while True:
                await self.more()
                self._unread.clear()
        except Ended as ended:
            return ended.code

    async def until_said(self, **fields: Any) -> Mapping[str, Any]:
        while True:
            for event in self.said:
                if fields.items() <= event.items():
                    return event
            await self.more()

    async def _part(self) -> Counter[Colour]:
        _, _, width, height, encoding = struct.unpack(">HHHHI", await self.read(12))
        if encoding == 0:
            pixels = await self.read(4 * width * height)
            return Counter({_colour(pixel): count for pixel, count in Counter(memoryview(pixels).cast("I")).items()})
        if encoding == EXTENDED_DESKTOP_SIZE:
            (screens,) = struct.unpack(">Bxxx", await self.read(4))
            await self.read(16 * screens)
        self.size = (width, height)
        return Counter()

    async def _other(self, kind: int) -> None:
        assert kind in (2, 3), kind  # a bell, or copied text
        if kind == 3:
            (length,) = struct.unpack(">3xi", await self.read(7))
            self.copied.append(await self.read(abs(length)))


@asynccontextmanager
async def viewer(address: str, headers: Mapping[str, str] | None = None) -> AsyncGenerator[Viewer]:
    request = HTTPRequest(address, headers=dict(headers or {}), request_timeout=PATIENCE)
    socket = await websocket_connect(request, max_message_size=64 << 20)
    page = Viewer(socket)
    try:
        yield page
    finally:
        socket.close()
        while not page.has_ended and await asyncio.wait_for(_read(socket), PATIENCE) is not None:
            pass  # what was on its way


def _colour(pixel: int) -> Colour:
    return pixel >> 16 & 255, pixel >> 8 & 255, pixel & 255


async def _read(socket: WebSocketClientConnection) -> str | bytes | None:
    return await socket.read_message()

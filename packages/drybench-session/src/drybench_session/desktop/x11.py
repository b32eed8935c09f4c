"""As much of X's own protocol as tells which windows there are, whether something looks after them, and who copied.

A client of our own, for what would do it otherwise (xprop, wmctrl) is not in every image and would be started again
and again. Replies come in the order of what was asked; events only wake who waits for a change.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_COOKIE = b"MIT-MAGIC-COOKIE-1"
_PROPERTIES, _STRUCTURE, _CHILDREN = 1 << 22, 1 << 17, 1 << 19
_SELECT, _GET_WINDOW, _GET_GEOMETRY, _QUERY_TREE = 2, 3, 14, 15  # requests
_INTERN, _GET_PROPERTY, _GET_OWNER, _SEND_EVENT, _CLEAR, _QUERY_EXTENSION = 16, 20, 23, 25, 61, 98
_BACKGROUND, _EVENTS = 1 << 1, 1 << 11  # of a window
_VIEWABLE = 2
_XFIXES_VERSION, _XFIXES_SELECT, _OWNER_CHANGES = 0, 2, 1
_LARGEST = 1 << 16  # four-byte units of a property
_WORTH_A_LOOK = 100  # pixels of its shorter side
_NO_PROGRAMS = ("DOCK", "DESKTOP", "SPLASH", "NOTIFICATION")
_MAXIMISED = ("_NET_WM_STATE_MAXIMIZED_VERT", "_NET_WM_STATE_MAXIMIZED_HORZ")


@dataclass(frozen=True)
class Window:
    id: int
    program: int  # which client of the X server it belongs to
    is_dialog: bool


class Display:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, root: int, mask: int) -> None:
        self._reader = reader
        self._writer = writer
        self._root = root
        self._mask = mask  # what of a window's number is its client's own
        self._sent = 0
        self._asked: deque[tuple[int, asyncio.Future[bytes]]] = deque()
        self._atoms: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    @asynccontextmanager
    async def open(cls, socket: Path, cookie: bytes) -> AsyncGenerator[Display]:
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(_hello(cookie))
            display = cls(reader, writer, *await _welcome(reader))
            try:
                yield display
            finally:
                display._listening.cancel()
        finally:
            writer.close()

    async def size(self) -> tuple[int, int]:
        return await self._size(self._root)

    async def programs_windows(self) -> list[Window]:
        """What programs have opened, also where no window manager is left to know of it."""
        found: list[Window] = []
        for top in await self._children(self._root):
            for window in (top, *await self._children(top)):
                if await self._property(window, "WM_STATE") and not await self._is_furniture(window):
                    dialog = bool(await self._property(window, "WM_TRANSIENT_FOR"))
                    found.append(Window(window, window & ~self._mask, dialog))
        return found

    def paint(self, colour: int) -> None:
        """What lies behind all windows."""
        self._send(_SELECT, 0, struct.pack("<III", self._root, _BACKGROUND, colour))
        self._send(_CLEAR, 0, struct.pack("<I4H", self._root, 0, 0, 0, 0))

    async def shows_a_window(self) -> None:
        """Until there is one that is worth a look: a panel's strip is not."""
        self._select(self._root, _CHILDREN)
        while True:
            for window in await self._children(self._root):
                if await self._is_seen(window):
                    return
            await self.changed()

    async def window_manager(self) -> int:
        """The window by which one says that it is there; 0 where none is."""
        said = await self._property(self._root, "_NET_SUPPORTING_WM_CHECK")
        window = struct.unpack("<I", said)[0] if len(said) == 4 else 0
        return window if window and await self._property(window, "_NET_SUPPORTING_WM_CHECK") == said else 0

    async def tell_of_changes(self, window_manager: int = 0) -> None:
        """From now on: windows that come and go, and the end of this window manager."""
        self._select(self._root, _PROPERTIES)
        if window_manager:
            self._select(window_manager, _STRUCTURE)

    async def tell_of_copies(self) -> None:
        """From now on: programs that take the clipboard."""
        extension = await self._ask(_QUERY_EXTENSION, 0, _text("XFIXES"))
        present, major = extension[8:10]
        if not present:
            raise EOFError("it has no XFIXES")
        await self._ask(major, _XFIXES_VERSION, struct.pack("<II", 5, 0))
        clipboard = await self._atom("CLIPBOARD")
        self._send(major, _XFIXES_SELECT, struct.pack("<III", self._root, clipboard, _OWNER_CHANGES))

    async def clipboard_owner(self) -> int:
        """The window of the program that copied last; 0 where it has gone."""
        reply = await self._ask(_GET_OWNER, 0, struct.pack("<I", await self._atom("CLIPBOARD")))
        return struct.unpack_from("<I", reply, 8)[0]

    def is_a_programs(self, window: int) -> bool:
        """And not the X server's own, by which it has what was copied in the browser; nor none."""
        return bool(window & ~self._mask)

    async def changed(self) -> None:
        """Since it was asked for last."""
        await self._changed.wait()
        self._changed.clear()

    async def maximise(self, window: int) -> None:
        """As a pager asks the window manager."""
        both = [await self._atom(name) for name in _MAXIMISED]
        event = struct.pack("<BBHII5I", 33, 32, 0, window, await self._atom("_NET_WM_STATE"), 1, *both, 1, 0)
        self._send(_SEND_EVENT, 0, struct.pack("<II", self._root, 1 << 19 | 1 << 20) + event)

    async def is_maximised(self, window: int) -> bool:
        """As far as the window manager wants it to be."""
        said = await self._property(window, "_NET_WM_STATE")
        return await self._atom(_MAXIMISED[0]) in (one for (one,) in struct.iter_unpack("<I", said))

    async def _is_seen(self, window: int) -> bool:
        said = await self._ask(_GET_WINDOW, 0, struct.pack("<I", window))
        return said[0] == 1 and said[26] == _VIEWABLE and min(await self._size(window)) >= _WORTH_A_LOOK

    async def _size(self, window: int) -> tuple[int, int]:
        reply = await self._ask(_GET_GEOMETRY, 0, struct.pack("<I", window))
        width, height = struct.unpack_from("<HH", reply, 16) if reply[0] else (0, 0)
        return width, height

    async def _is_furniture(self, window: int) -> bool:
        kinds = await self._property(window, "_NET_WM_WINDOW_TYPE")
        furniture = [await self._atom(f"_NET_WM_WINDOW_TYPE_{name}") for name in _NO_PROGRAMS]
        return any(kind in furniture for (kind,) in struct.iter_unpack("<I", kinds))

    async def _children(self, window: int) -> list[int]:
        reply = await self._ask(_QUERY_TREE, 0, struct.pack("<I", window))
        (count,) = struct.unpack_from("<H", reply, 16)
        return list(struct.unpack_from(f"<{count}I", reply, 32)) if reply[0] else []

    async def _property(self, window: int, name: str) -> bytes:
        """In whole numbers; empty where there is none, or no such window any more."""
        reply = await self._ask(_GET_PROPERTY, 0, struct.pack("<5I", window, await self._atom(name), 0, 0, _LARGEST))
        form, count = reply[1], struct.unpack_from("<I", reply, 16)[0]
        return reply[32 : 32 + count * form // 8] if reply[0] and form == 32 else b""

    async def _atom(self, name: str) -> int:
        if name not in self._atoms:
            reply = await self._ask(_INTERN, 0, _text(name))
            self._atoms[name] = struct.unpack_from("<I", reply, 8)[0]
        return self._atoms[name]

    def _select(self, window: int, events: int) -> None:
        self._send(_SELECT, 0, struct.pack("<III", window, _EVENTS, events))

    async def _ask(self, kind: int, detail: int, body: bytes) -> bytes:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._send(kind, detail, body)
        self._asked.append((self._sent, answer))
        return await answer

    def _send(self, kind: int, detail: int, body: bytes) -> None:
        if self._listening.done():
            raise EOFError
        self._sent = (self._sent + 1) % (1 << 16)
        self._writer.write(struct.pack("<BBH", kind, detail, 1 + len(body) // 4) + body)

    async def _listen(self) -> None:
        """An error answers, too: of a window that has gone meanwhile. Not every request is a question."""
        try:
            while True:
                head = await self._reader.readexactly(32)
                rest = 4 * struct.unpack_from("<I", head, 4)[0] if head[0] in (1, 35) else 0
                message = head + await self._reader.readexactly(rest)
                if head[0] > 1:
                    self._changed.set()
                elif self._asked and self._asked[0][0] == struct.unpack_from("<H", head, 2)[0]:
                    _answer(self._asked.popleft()[1], message)
        except (OSError, EOFError):
            self._changed.set()
            for _, asked in self._asked:
                _answer(asked, EOFError())


def _answer(asked: asyncio.Future[bytes], answer: bytes | EOFError) -> None:
    """Whoever asked may have gone meanwhile."""
    if asked.done():
        return
    if isinstance(answer, bytes):
        asked.set_result(answer)
    else:
        asked.set_exception(answer)


def _text(text: str) -> bytes:
    said = text.encode()
    return struct.pack("<Hxx", len(said)) + said + bytes(-len(said) % 4)


def _hello(cookie: bytes) -> bytes:
    name = _COOKIE + bytes(-len(_COOKIE) % 4)
    return struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(_COOKIE), len(cookie)) + name + cookie


async def _welcome(reader: asyncio.StreamReader) -> tuple[int, int]:
    """The root window, and the mask of numbers."""
    answer, _, _, _, length = struct.unpack("<BBHHH", await reader.readexactly(8))
    said = await reader.readexactly(4 * length)
    if answer != 1:
        raise PermissionError(said[:100].decode(errors="replace"))
    mask, vendor, formats = struct.unpack_from("<I4xH3xB", said, 8)
    (root,) = struct.unpack_from("<I", said, 32 + vendor + -vendor % 4 + 8 * formats)
    return root, mask

"""Routes beside a desktop's stream, for the session's owner only: files both ways, pictures copied, the trace.

PUT  files?name&offset&size&id   a piece of a file for Downloads → {received, path}; 409 {received} says where to go on
DELETE files?id                  give a half upload up
GET  files                       what lies in "To my computer" → {files: [{id, name, size}]}
GET  files/ID                    one of them, as a download
GET, PUT clipboard/image?app     the picture on the desktop's clipboard (204 where there is none)
GET  clipboard/text?app          a text that is too long for the stream → {text}
POST trace?app                   how well it went
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from jupyter_server.base.handlers import APIHandler
from tornado.iostream import StreamClosedError
from tornado.web import authenticated

from drybench_session.desktop import pictures, texts
from drybench_session.desktop.offers import Offer, Offers
from drybench_session.desktop.trace import Trace
from drybench_session.desktop.uploads import Piece, Uploads
from drybench_session.errors import AskWrong, NoClipboard, SessionError
from drybench_session.owners import only_the_owner

Displays = Callable[[str], Mapping[str, str] | None]
_BLOCK = 1 << 20
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?")
_HARMLESS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Beside:
    """`environ` gives the variables of an app's display; None where there is none now."""

    uploads: Uploads
    offers: Offers
    trace: Trace | None
    environ: Displays
    owner: str = ""

    @classmethod
    def of(
        cls, home: Path, task: Path | None, environ: Callable[[str], Mapping[str, str] | None], owner: str
    ) -> Beside:
        return cls(Uploads(home), Offers(home), Trace(task) if task else None, environ, owner)


def routes(beside: Beside) -> list[tuple[str, type[APIHandler], dict[str, Any]]]:
    """Their paths are relative to BASE_URL/drybench/."""
    known = {"beside": beside}
    return [
        ("files", Files, known),
        (r"files/([0-9a-f]{32})", File, known),
        ("clipboard/image", Picture, known),
        ("clipboard/text", Text, known),
        ("trace", TraceLine, known),
    ]


class _Handler(APIHandler):
    def initialize(self, beside: Beside) -> None:
        self.beside = beside

    async def answer(self, ask: Callable[[], Awaitable[None]]) -> None:
        """A refusal is a code, a sentence and a next step, as everywhere."""
        try:
            only_the_owner(self.current_user, self.beside.owner)
            await ask()
        except SessionError as error:
            self.set_status(error.status)
            self.finish(error.as_json())

    def display(self) -> Mapping[str, str]:
        environ = self.beside.environ(self.get_query_argument("app", "desktop"))
        if environ is None:
            raise NoClipboard(problem="the desktop is not there")
        return environ

    def number(self, name: str) -> int:
        given = self.get_query_argument(name)
        if not re.fullmatch(r"[0-9]{1,18}", given):
            raise AskWrong(problem=f"{name} is no number")
        return int(given)


class Files(_Handler):
    @authenticated
    async def get(self) -> None:
        await self.answer(self._list)

    @authenticated
    async def put(self) -> None:
        await self.answer(self._add)

    @authenticated
    async def delete(self) -> None:
        await self.answer(self._cancel)

    async def _list(self) -> None:
        offers = await asyncio.to_thread(self.beside.offers.look)
        self.finish({"files": [offer.as_json() for offer in offers]})

    async def _add(self) -> None:
        """In a thread, for the picture of the desktop goes through this same loop."""
        name = self.get_query_argument("name", strip=False)
        piece = Piece(self.get_query_argument("id"), name, self.number("offset"), self.number("size"))
        received = await asyncio.to_thread(self.beside.uploads.add, piece, self.request.body)
        self.set_status(200 if received.expected else 409)
        self.finish({"received": received.received, "path": received.path})

    async def _cancel(self) -> None:
        await asyncio.to_thread(self.beside.uploads.cancel, self.get_query_argument("id"))
        self.set_status(204)
        self.finish()


class File(_Handler):
    @authenticated
    async def get(self, id: str) -> None:
        await self.answer(lambda: self._send(id))

    async def _send(self, id: str) -> None:
        offer, file = await asyncio.to_thread(self.beside.offers.open, id)
        with file:
            first, end = self._say(offer)
            await asyncio.to_thread(file.seek, first)
            try:
                await self._stream(file, end - first)
            except StreamClosedError:
                return
        self.finish(set_content_type="application/octet-stream")

    def _say(self, offer: Offer) -> tuple[int, int]:
        """A download that was cut goes on where it was."""
        first, end = _asked_part(self.request.headers.get("Range", ""), offer.size)
        if (first, end) != (0, offer.size):
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {first}-{end - 1}/{offer.size}")
        for name, value in _HARMLESS.items():
            self.set_header(name, value)
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("ETag", f'"{offer.id}"')
        self.set_header("Content-Length", str(end - first))
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(offer.name, safe='')}")
        return first, end

    async def _stream(self, file: BinaryIO, left: int) -> None:
        while left and (block := await asyncio.to_thread(file.read, min(left, _BLOCK))):
            left -= len(block)
            self.write(block)  # pyright: ignore[reportUnknownMemberType]
            await self.flush()


class Picture(_Handler):
    @authenticated
    async def get(self) -> None:
        await self.answer(self._read)

    @authenticated
    async def put(self) -> None:
        await self.answer(self._write)

    async def _read(self) -> None:
        picture = await pictures.read(self.display())
        for name, value in _HARMLESS.items():
            self.set_header(name, value)
        if picture is None:
            self.set_status(204)
            self.finish()
            return
        self.write(picture)  # pyright: ignore[reportUnknownMemberType]
        self.finish(set_content_type="image/png")

    async def _write(self) -> None:
        await pictures.write(self.display(), self.request.body)
        self.set_status(204)
        self.finish()


class Text(_Handler):
    @authenticated
    async def get(self) -> None:
        await self.answer(self._read)

    async def _read(self) -> None:
        text = await texts.read(self.display())
        self.set_header("Cache-Control", "no-store")
        self.finish({"text": text})


class TraceLine(_Handler):
    @authenticated
    async def post(self) -> None:
        await self.answer(self._add)

    async def _add(self) -> None:
        if self.beside.trace:
            app = self.get_query_argument("app", "desktop")[:40]
            await asyncio.to_thread(self.beside.trace.add, app, self.request.body)
        self.set_status(204)
        self.finish()


def _asked_part(header: str, size: int) -> tuple[int, int]:
    """The whole where no part, or none that there is, was asked for."""
    asked = _RANGE.fullmatch(header)
    if not asked or int(asked[1]) >= size:
        return 0, size
    return int(asked[1]), min(size, int(asked[2]) + 1) if asked[2] and int(asked[2]) >= int(asked[1]) else size

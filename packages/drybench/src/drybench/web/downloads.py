"""Hand out what a task wrote, so that nothing of it is ever shown or run on our origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from drybench.runs.run_folder import blocks

INERT = {"content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'"}


def download(content: bytes | Iterable[bytes], name: str) -> Response:
    headers = {**INERT, "content-disposition": attachment(name)}
    kind = "application/octet-stream"
    if isinstance(content, bytes):
        return Response(content, media_type=kind, headers=headers)
    return StreamingResponse(content, media_type=kind, headers=headers)


def stream(file: BinaryIO) -> Iterator[bytes]:
    """Closed at its end, and when nobody reads on."""
    with file:
        yield from blocks(file)


def plain_text(content: bytes, more: Mapping[str, str] | None = None) -> Response:
    return Response(content, media_type="text/plain; charset=utf-8", headers={**INERT, **(more or {})})


def attachment(name: str) -> str:
    """RFC 6266 with a plain name for old readers and the true one by RFC 5987."""
    true = PurePosixPath(name).name or "file"
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\%;' else "_" for letter in true
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(true, safe='')}"

"""What every request passes before a page or the API sees it, and every answer on its way out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from drybench.addresses import Addresses
from drybench.errors import DrybenchError, TooLarge, WrongAddress
from drybench.quantities import bytes_in_words

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
Answer = Callable[[Request, Exception], Awaitable[Response]]


class SafeHeaders:
    """Every answer carries them unless its route has said something else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class EveryErrorSpeaks:
    """What nobody foresaw is logged whole and answered by a sentence, with the headers of any other answer."""

    def __init__(self, app: ASGIApp, answer: Answer) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_noticed)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            if not isinstance(error, DrybenchError):
                log.exception("%s %s failed", scope["method"], scope["path"])
            response = await self.answer(Request(scope), error)
            await response(scope, receive, send)


class OwnAddress:
    """One bench has one address: localhost and 127.0.0.1 share no cookies, and foreign names are no names of ours.

    A token is no cookie, no foreign page can send it: with one any name will do, so that the command
    line reaches the bench where localhost does not lead to it.
    """

    def __init__(self, app: ASGIApp, addresses: Addresses, free: tuple[str, ...] = ("/health", "/static/")) -> None:
        self.app = app
        self.public = addresses.public
        self.host = addresses.public.partition("://")[2]
        self.free = free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_ours(scope):
            await self.app(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await RedirectResponse(self._here(scope))(scope, receive, send)
        else:
            raise WrongAddress(address=self.public)

    def _is_ours(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        named = headers.get("host", "").lower() == self.host
        return named or "authorization" in headers or scope["path"].startswith(self.free)

    def _here(self, scope: Scope) -> str:
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        return self.public + scope["raw_path"].decode("latin-1") + query


class BoundedBody:
    """Counts while a body streams in: what is too large is refused before anything is parsed.

    `beside` is for the words around what somebody sends: the limit that people read is without it.
    """

    def __init__(self, app: ASGIApp, most: Callable[[str], int], beside: int) -> None:
        self.app = app
        self.most = most
        self.beside = beside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most, seen = self.most(scope["path"]), 0
        said = Headers(scope=scope).get("content-length", "0")
        if not said.isdigit() or int(said) > most + self.beside:
            raise _too_large(int(said) if said.isdigit() else 0, most)

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most + self.beside:
                raise _too_large(seen, most)
            return message

        await self.app(scope, receive_counted, send)


def _too_large(size: int, most: int) -> TooLarge:
    return TooLarge(name="What you sent", size=f"{size / 1e6:.1f} MB", limit=bytes_in_words(most))

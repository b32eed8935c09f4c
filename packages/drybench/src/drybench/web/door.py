"""Who asks: a browser's cookie or a token, turned into a Person, and what that person may ask for.

A page of another origin must never act as the one who looks at it, also where it is same-site
(`bob.bench.example` beside `bench.example`). So with a cookie the origin must be exactly ours, and what
changes something needs the XSRF token that is bound to the sign-in. A token is sent by nobody's browser
by itself, so it needs neither.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, APIKeyHeader
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from drybench.addresses import Addresses
from drybench.errors import ForeignPage, FormTooOld, NotSignedIn, TokenTooNarrow
from drybench.hub.identity import Identified
from drybench.model import Person
from drybench.people import permissions

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class Asker:
    """One request's person, and how they came in."""

    person: Person
    origin: str  # browser, api, command line: as deeds name it
    token: str = ""  # of a browser's sign-in, to look again whether it still counts
    xsrf: str = ""


def cookie_name(addresses: Addresses) -> str:
    """Cookies know no ports, so the name does; `__Host-` keeps a sub-domain from planting one."""
    return "__Host-drybench" if addresses.secure else f"drybench-{addresses.port}"


def own_path(wanted: str | None) -> str:
    """Where to go afterwards: a path on this host, else home."""
    path = wanted or "/"
    split = urlsplit(path)
    foreign = split.scheme or split.netloc or not path.startswith("/") or path.startswith("//")
    return "/" if foreign or "\\" in path or not path.isprintable() else path


async def asker_of(request: Request) -> Asker:
    """Who it is, or NotSignedIn."""
    owner: str | None = request.app.state.owner
    if owner is not None:
        return Asker(await _person(request, owner), "command line")
    if "authorization" in request.headers:
        return await _by_token(request)
    return await _by_cookie(request)


async def asking(
    request: Request,
    _token: Annotated[str | None, Depends(APIKeyHeader(name="Authorization", auto_error=False))] = None,
    _cookie: Annotated[str | None, Depends(APIKeyCookie(name="drybench", auto_error=False))] = None,
) -> AsyncIterator[Asker]:
    """The two headers are declared for the API's description only. Files that came are closed when all is over."""
    try:
        yield await asker_of(request)
    finally:
        await request.close()


async def for_runs(asker: Annotated[Asker, Depends(asking)]) -> Asker:
    """A session's own token is enough."""
    return asker


async def for_all(asker: Annotated[Asker, Depends(asking)]) -> Asker:
    return _wide(asker)


ForRuns = Annotated[Asker, Depends(for_runs)]
ForAll = Annotated[Asker, Depends(for_all)]
Known = Callable[[str], Awaitable[Identified | None]]


async def at_the_stream(socket: WebSocket) -> Asker:
    """Of a WebSocket: by the cookie alone, and only a page of this very origin opens one."""
    portal: Any = socket.app.state.portal
    public: str = portal.addresses.public
    named = (socket.headers.get("origin"), socket.headers.get("host", "").lower())
    ours = named == (public, public.partition("://")[2])
    if not ours or socket.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForeignPage()
    token = token_of(socket)
    return _wide(Asker(await identified(socket, token), "browser", token))


async def still_counts(request: Request, asker: Asker) -> bool:
    """For what outlives its first check, such as a stream."""
    return not asker.token or await request.app.state.portal.identity.of_token(asker.token) is not None


async def _by_token(request: Request) -> Asker:
    kind, _, token = request.headers["authorization"].partition(" ")
    if kind.lower() not in ("token", "bearer") or not token:
        raise NotSignedIn()
    return Asker(await identified(request, token.strip()), "api")


async def _by_cookie(request: Request) -> Asker:
    portal: Any = request.app.state.portal
    _refuse_foreign_pages(request, portal.addresses.public)
    token = token_of(request)
    person = await identified(request, token)
    xsrf: str = portal.identity.xsrf(token)
    if request.method not in SAFE:
        await _check_xsrf(request, xsrf)
    return Asker(person, "browser", token, xsrf)


def token_of(request: HTTPConnection) -> str:
    """Of the sign-in that its cookie seals."""
    portal: Any = request.app.state.portal
    sealed = request.cookies.get(cookie_name(portal.addresses))
    token = portal.identity.unseal(sealed) if sealed else None
    if not token:
        raise NotSignedIn()
    return token


def _wide(asker: Asker) -> Asker:
    if permissions.ALL not in asker.person.scopes:
        raise TokenTooNarrow()
    return asker


async def identified(request: HTTPConnection, token: str, fresh: bool = False) -> Person:
    who: Identified | None = await request.app.state.portal.identity.of_token(token, fresh)
    if who is None:
        raise NotSignedIn()
    scopes = who.scopes & {permissions.ALL, permissions.RUNS}
    if not scopes:
        raise TokenTooNarrow()
    return replace(await _person(request, who.name, who.groups), scopes=scopes)


async def _person(request: HTTPConnection, name: str, groups: frozenset[str] | None = None) -> Person:
    return await run_in_threadpool(request.app.state.portal.ledger.person_seen, name, groups)


def _refuse_foreign_pages(request: Request, public: str) -> None:
    """Plain http sends no Sec-Fetch-Site: there the exact Origin and SameSite=Lax do the work."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    changes = request.method not in SAFE
    if origin != public and (changes or origin is not None):
        raise ForeignPage()
    followed_a_link = not changes and request.headers.get("sec-fetch-mode") == "navigate"
    if site not in (None, "same-origin", "none") and not followed_a_link:
        raise ForeignPage()


async def _check_xsrf(request: Request, expected: str) -> None:
    given: object = request.headers.get("x-xsrftoken")
    if given is None and request.headers.get("content-type", "").startswith(FORMS):
        given = (await request.form()).get("_xsrf")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), expected.encode()):
        raise FormTooOld()

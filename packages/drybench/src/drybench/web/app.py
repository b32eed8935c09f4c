"""The portal as an application: for people over TCP, and for the Hub and the owner over the Unix socket."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from importlib.metadata import version
from typing import Any, cast
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from drybench.errors import DiskFull, DrybenchError, NoSuchPage, NotAllowed, NotSignedIn, RequestWrong
from drybench.runs.paces import Paces
from drybench.web import (
    api,
    doctor_pages,
    environment_api,
    environment_pages,
    form_api,
    holding_pages,
    keeping_pages,
    live,
    new_run_pages,
    notice_api,
    notice_pages,
    opening,
    pages,
    pictures,
    receipt_api,
    receipt_pages,
    result_api,
    result_pages,
    run_pages,
    sandbox,
    schedule_api,
    schedule_pages,
    share_api,
    share_pages,
    shared_stream,
    sign_in,
    socket,
    static_files,
    sweep_api,
    sweep_pages,
)
from drybench.web.guards import BoundedBody, EveryErrorSpeaks, OwnAddress, SafeHeaders
from drybench.web.journals import Journals
from drybench.web.portal import Portal
from drybench.web.taking import Inspections
from drybench.web.templating import page, wants_html
from drybench.web.uploads import BESIDE, most_in_a_body, wrong_field

__all__ = ["Portal", "create_app"]

API = (
    receipt_api.router,  # before the runs themselves, as /runs/differences is no run
    api.router,
    environment_api.router,
    result_api.router,
    sweep_api.router,
    form_api.router,
    schedule_api.router,
    notice_api.router,
    pictures.router,
    keeping_pages.api,
    holding_pages.api,
    opening.api,
    doctor_pages.api,
    share_api.router,
)
PAGES = (
    receipt_pages.router,
    keeping_pages.router,
    holding_pages.router,
    pages.router,
    new_run_pages.router,
    sweep_pages.router,
    run_pages.router,
    result_pages.router,
    opening.router,
    schedule_pages.router,
    notice_pages.router,
    doctor_pages.router,
    environment_pages.router,
    share_pages.router,
    shared_stream.router,
    sign_in.router,
    live.router,
    sandbox.router,
)


def create_app(portal: Portal, owner: str | None = None) -> FastAPI:
    """With an `owner` it is the app of the Unix socket: whoever reaches that is the owner.

    `app.state.ending` is set by the server when it is told to end, so that streams end by themselves.
    """
    app = FastAPI(
        title="Drybench",
        version=version("drybench"),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        routes=_routes(owner),
    )
    app.state.portal, app.state.owner, app.state.ending = portal, owner, asyncio.Event()
    app.state.journals, app.state.paces = Journals(portal.run_folders), Paces(portal.ledger, portal.run_folders)
    app.state.inspections = Inspections()
    if owner is None:
        static_files.mount(app)
    app.add_api_route("/health", _health, include_in_schema=False)
    for kind in (DrybenchError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _answer)
    _guard(app, portal, owner)
    return app


def _routes(owner: str | None) -> list[BaseRoute]:
    """The routers' own: those of an included router would be built once more, by the first request."""
    routers = (*API, *(PAGES if owner is None else (socket.router,)))
    return [route for router in routers for route in router.routes]


def _guard(app: FastAPI, portal: Portal, owner: str | None) -> None:
    """The last one added is the outermost."""
    app.add_middleware(BoundedBody, most=lambda path: most_in_a_body(portal.settings, path), beside=BESIDE)
    if owner is None:
        app.add_middleware(OwnAddress, addresses=portal.addresses)
    app.add_middleware(EveryErrorSpeaks, answer=_answer)
    app.add_middleware(SafeHeaders)


async def _health() -> dict[str, str]:
    """That it answers; nothing else, for anybody may ask."""
    return {"status": "ok"}


async def _answer(request: Request, error: Exception) -> Response:
    """The same sentence on a page and in JSON."""
    said = _as_ours(error)
    if not wants_html(request):
        return JSONResponse(said.as_json(), said.status)
    if isinstance(said, NotSignedIn) and request.method in ("GET", "HEAD"):
        wanted = f"{request.url.path}?{request.url.query}".rstrip("?")
        return RedirectResponse(f"/sign-in?{urlencode({'next': wanted})}", 303)
    return page(request, "error.html", status=said.status, error=said)


def _as_ours(error: Exception) -> DrybenchError:
    if isinstance(error, DrybenchError):
        return error
    if _is_full_disk(error):
        return DiskFull()
    if isinstance(error, RequestValidationError):
        return wrong_field(cast("list[Any]", error.errors()))
    if isinstance(error, HTTPException) and error.status_code in (404, 405):
        return NoSuchPage()
    if isinstance(error, HTTPException) and error.status_code == 400:
        return RequestWrong(field="body", problem=error.detail)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return NotAllowed()
    return DrybenchError()


def _is_full_disk(error: BaseException | None) -> bool:
    """As a file's system says it, SQLite, or PostgreSQL."""
    if error is None:
        return False
    said = [getattr(error, name, None) for name in ("errno", "sqlite_errorcode", "sqlstate")]
    full = said[0] in (errno.ENOSPC, errno.EDQUOT) or said[1] == sqlite3.SQLITE_FULL or said[2] == "53100"
    return full or _is_full_disk(error.__cause__)

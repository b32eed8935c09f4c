"""Home, Start, Engines, and what stands at the address of a session that does not run."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.errors import NoSuchPage, SessionNotRunning
from drybench.model import LAB, Session
from drybench.phases import Phase, Wanted
from drybench.sessions import SessionRequest
from drybench.sharing.rules import screens
from drybench.web import gpu_form
from drybench.web.door import ForAll, asker_of
from drybench.web.environment_view import choices
from drybench.web.limits import limits_of
from drybench.web.machine import machine
from drybench.web.portal import Here, Portal
from drybench.web.routing import PageRoute
from drybench.web.showing import shown_run, shown_session
from drybench.web.templating import page, wants_html

LATEST = 6  # runs on Home

Word = Annotated[str, Form(max_length=200)]
Place = Annotated[str, Form(max_length=2000)]
router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/")
def home(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    latest = portal.runs.mine(asker.person, limit=LATEST)
    return page(
        request,
        "home.html",
        asker=asker,
        sessions=sorted(
            (shown_session(portal, one) for one in portal.sessions.mine(asker.person)),
            key=lambda shown: shown.session.task.phase is Phase.ENDED,
        ),
        shares=portal.shares.mine(asker.person),
        shared=portal.shares.with_me(asker.person),
        screens=screens,
        teaching=portal.shares.teaching,
        runs=[shown_run(portal, one) for one in latest.rows],
        choices=choices(portal, asker.person),
        sizes=portal.catalogue.sizes(),
        gpus=portal.gpus,
        machine=machine(portal.ledger.open_tasks(), portal.settings.engines.local, len(portal.gpus)),
    )


@router.post("/sessions")
def ask(
    portal: Here,
    asker: ForAll,
    environment: Word,
    app: Word,
    name: Word = "",
    size: Word = "",
    gpus: Annotated[list[Word], Form()] = [],  # noqa: B006 - FastAPI copies it
    key: Word = "",
) -> Response:
    wanted = SessionRequest(environment, app, name.strip() or None, size or None, gpu_form.read(gpus))
    session = portal.sessions.ask(asker.person, wanted, key or None, asker.origin)
    return _way_into(portal, session, "" if app == session.app else _place_of(app))


@router.post("/sessions/{id}/start")
def start_again(portal: Here, asker: ForAll, id: str, next: Place = "") -> Response:
    """`next` is the place within it where they were."""
    return _way_into(portal, portal.sessions.start(asker.person, id, asker.origin), next)


@router.post("/sessions/{id}/stop")
def stop(portal: Here, asker: ForAll, id: str) -> Response:
    portal.sessions.stop(asker.person, id, asker.origin)
    return RedirectResponse("/", 303)


@router.post("/sessions/{id}/remove")
def remove(portal: Here, asker: ForAll, id: str) -> Response:
    portal.sessions.remove(asker.person, id, asker.origin)
    return RedirectResponse("/", 303)


@router.get("/start/{id}")
def start(
    request: Request, portal: Here, asker: ForAll, id: str, next: Annotated[str, Query(max_length=2000)] = ""
) -> HTMLResponse:
    """`next` is a place within the session."""
    session = portal.sessions.get(asker.person, id)
    shown = shown_session(portal, session)
    within = next if _is_within(next) else ""
    return page(
        request,
        "start.html",
        asker=asker,
        shown=shown,
        ready=_is_ready(session),
        there=portal.sessions.root(session) + within if within else shown.url,
        within=within,
        here=f"{request.url.path}?{request.url.query}".rstrip("?"),
    )


@router.get("/engines")
def engines(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    return page(request, "engines.html", asker=asker, limits=limits_of(portal))


@router.api_route("/user/{rest:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def stopped(request: Request, portal: Here, rest: str) -> Response:
    """The proxy sends here what no running session takes. JupyterLab's own requests get 424, as it knows it."""
    if not wants_html(request) or request.method not in ("GET", "HEAD"):
        raise SessionNotRunning()
    asker = await asker_of(request)
    owner, name, within = (*rest.split("/", 2), "", "")[:3]
    if owner != asker.person.name:
        raise NoSuchPage()
    session = await run_in_threadpool(portal.sessions.named, asker.person, name) if name else None
    if session is None:
        return RedirectResponse("/", 303)
    shown = await run_in_threadpool(shown_session, portal, session)
    there = f"{portal.sessions.root(session)}{quote(within)}?{request.url.query}".rstrip("?")
    return page(
        request, "stopped.html", asker=asker, shown=shown, ready=_is_ready(session), there=there, within=quote(within)
    )


def _way_into(portal: Portal, session: Session, place: str = "") -> Response:
    """At once where it is there: it was started ahead, or is open already. The place is another than its own app's."""
    if not _is_within(place):
        place = ""
    if _is_ready(session):
        return RedirectResponse(portal.sessions.root(session) + place if place else portal.sessions.url(session), 303)
    return RedirectResponse(f"/start/{session.id}{f'?next={quote(place)}' if place else ''}", 303)


def _place_of(app: str) -> str:
    return LAB if app == LAB else f"{app}/"


def _is_ready(session: Session) -> bool:
    return session.task.phase is Phase.RUNNING and session.task.wanted is Wanted.RUN


def _is_within(place: str) -> bool:
    """A path below the session's own address, which leads nowhere else, however a browser reads it."""
    parts = unquote(place).removesuffix("/").split("/")
    plain = place.isascii() and place.isprintable() and not set(place) & set("\\ ?#:")
    return plain and not {"", ".", ".."} & set(parts)

"""Share a desktop, and see one that is shared."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.errors import DrybenchError, Refused
from drybench.sharing import rules
from drybench.sharing.asking import ShareRequest
from drybench.web.door import Asker, ForAll
from drybench.web.guards import POLICY
from drybench.web.portal import Here, Portal
from drybench.web.routing import PageRoute
from drybench.web.templating import page

LENGTHS = {"1 h": "an hour", "today": "until the end of today", "week": "a week"}

Word = Annotated[str, Form(max_length=200)]
router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/sessions/{id}/shares")
def shares(request: Request, portal: Here, asker: ForAll, id: str) -> HTMLResponse:
    return _page(request, portal, asker, id)


@router.post("/sessions/{id}/shares")
async def share(
    request: Request,
    portal: Here,
    asker: ForAll,
    id: str,
    kind: Word = "person",
    whom: Word = "",
    rights: Word = "see",
    length: Word = "1 h",
    own: Word = "",
    zone: Word = "UTC",
    app: Word = "",
) -> Response:
    wanted = ShareRequest(
        person=whom.strip() if kind == rules.PERSON else "",
        group=whom.strip() if kind == rules.GROUP else "",
        teachers=whom if kind == rules.TEACHERS else "",
        control=rights == "control",
        length=own.strip() or length,
        zone=zone,
        app=app,
    )
    try:
        await portal.shares.share(asker.person, id, wanted, asker.origin)
    except Refused as refusal:
        return await run_in_threadpool(_page, request, portal, asker, id, refusal, wanted)
    return RedirectResponse(f"/sessions/{id}/shares", 303)


@router.post("/shared/{id}/end")
def end(portal: Here, asker: ForAll, id: str) -> Response:
    session = portal.shares.seen(asker.person, id).share.session_id
    portal.shares.end(asker.person, id, asker.origin)
    return RedirectResponse(f"/sessions/{session}/shares", 303)


@router.get("/shared/{id}")
def shared(request: Request, portal: Here, asker: ForAll, id: str) -> HTMLResponse:
    """The guest's, of the portal's own files: of the session there is a picture on it, and no word as it was sent."""
    seen = portal.shares.seen(asker.person, id)
    answer = page(request, "shared.html", asker=asker, seen=seen, mine=seen.share.person_id == asker.person.id)
    return _with_pictures(portal, answer)


@router.get("/wall/{id}")
def wall(request: Request, portal: Here, asker: ForAll, id: str) -> HTMLResponse:
    """The desktops of a course, for who teaches it: those that are shown to them."""
    seen = sorted(portal.shares.wall(asker.person, id), key=lambda one: one.share.person)
    return _with_pictures(portal, page(request, "wall.html", asker=asker, group=id, shares=seen))


def _with_pictures(portal: Portal, answer: HTMLResponse) -> HTMLResponse:
    """The page itself may connect to the bench alone, and draw."""
    stream = portal.addresses.public.replace("http", "ws", 1)
    policy = POLICY.replace("img-src", "img-src blob:")
    answer.headers["content-security-policy"] = f"{policy}; connect-src 'self' {stream}"
    return answer


def _page(
    request: Request,
    portal: Portal,
    asker: Asker,
    id: str,
    refusal: DrybenchError | None = None,
    typed: ShareRequest | None = None,
) -> HTMLResponse:
    session = portal.sessions.get(asker.person, id)
    people, groups = portal.shares.choices(asker.person)
    return page(
        request,
        "shares.html",
        status=refusal.status if refusal else 200,
        asker=asker,
        session=session,
        why_not=portal.shares.why_not(session),
        shares=portal.shares.of_session(asker.person, id),
        screens=rules.screens(session),
        people=people,
        groups=groups,
        lengths=LENGTHS,
        refusal=refusal,
        typed=typed or ShareRequest(),
    )

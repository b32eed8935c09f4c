"""Runs, and Run."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.phases import Standing
from drybench.web.door import ForAll
from drybench.web.portal import Here
from drybench.web.routing import PageRoute
from drybench.web.run_view import MOST_OUTPUTS, now, run_view
from drybench.web.screen import Look
from drybench.web.showing import shown_run
from drybench.web.templating import page
from drybench.web.uploads import closed_form

ON_A_PAGE = 50

router = APIRouter(include_in_schema=False, route_class=PageRoute, dependencies=[Depends(closed_form)])


@router.get("/runs")
def runs(
    request: Request,
    portal: Here,
    asker: ForAll,
    search: Annotated[str, Query(max_length=200)] = "",
    state: str = "",
    cursor: str | None = None,
) -> HTMLResponse:
    part = portal.runs.mine(asker.person, cursor or None, ON_A_PAGE, search, state)
    return page(
        request,
        "runs.html",
        asker=asker,
        runs=[shown_run(portal, one) for one in part.rows],
        next=part.next,
        cursor=cursor,
        search=search,
        state=state,
        looks=[Look(one, one) for one in Standing],
        at=partial(_at, search=search, state=state),
    )


@router.get("/runs/{id}")
def run(request: Request, portal: Here, asker: ForAll, id: str) -> HTMLResponse:
    found = portal.runs.get(asker.person, id)
    state = request.app.state
    return page(
        request,
        "run.html",
        asker=asker,
        view=run_view(portal, found),
        now_is=now(found, state.journals, state.paces),
        most_outputs=MOST_OUTPUTS,
    )


@router.get("/runs/{id}/now")
def at_this_moment(request: Request, portal: Here, asker: ForAll, id: str) -> HTMLResponse:
    """The line that changes from second to second, without all the rest."""
    found = portal.runs.get(asker.person, id)
    state = request.app.state
    return page(request, "run_now.html", asker=asker, now_is=now(found, state.journals, state.paces))


@router.post("/runs/{id}/cancel")
def cancel(portal: Here, asker: ForAll, id: str) -> Response:
    portal.runs.cancel(asker.person, id, asker.origin)
    return RedirectResponse(f"/runs/{id}", 303)


@router.post("/runs/{id}/again")
def again(
    portal: Here,
    asker: ForAll,
    id: str,
    key: Annotated[str, Form(max_length=200)] = "",
    environment: Annotated[Literal["same", "newer"], Form()] = "newer",
) -> Response:
    run = portal.runs.again(asker.person, id, key or None, asker.origin, environment)
    return RedirectResponse(f"/runs/{run.id}", 303)


def _at(**chosen: str | None) -> str:
    """The address of the list with what was chosen of it."""
    query = {name: value for name, value in chosen.items() if value}
    return f"/runs?{urlencode(query)}" if query else "/runs"

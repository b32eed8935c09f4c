"""Runs, and Run."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.errors import ChooseTwo
from drybench.phases import Standing
from drybench.web.door import ForAll
from drybench.web.portal import Here
from drybench.web.routing import PageRoute
from drybench.web.run_list import Filter, rows
from drybench.web.run_view import MOST_OUTPUTS, now, run_view
from drybench.web.screen import Look
from drybench.web.templating import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/runs")
def runs(
    request: Request,
    portal: Here,
    asker: ForAll,
    search: Annotated[str, Query(max_length=200)] = "",
    state: str = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    starred: bool = False,
    cursor: str = "",
) -> HTMLResponse:
    asked = f'{search} tag:"{tag}"'.strip() if tag else search
    wanted = Filter(asked, state, starred, cursor)
    part = rows(portal, asker.person, wanted)
    looks = [Look(one, one) for one in Standing]
    return page(request, "runs.html", asker=asker, rows=part.rows, next=part.next, wanted=wanted, looks=looks)


@router.get("/runs/compare")
def compare(asker: ForAll, run: Annotated[list[str] | None, Query(max_length=100)] = None) -> Response:
    """Where the two lead that were chosen in the list."""
    chosen = list(dict.fromkeys(run or ()))
    if len(chosen) != 2:
        raise ChooseTwo(count=len(chosen))
    return RedirectResponse(f"/runs/differences?{urlencode({'a': chosen[1], 'b': chosen[0]})}", 303)


@router.get("/runs/{id}")
def run(request: Request, portal: Here, asker: ForAll, id: str) -> HTMLResponse:
    found = portal.runs.get(asker.person, id)
    state = request.app.state
    return page(
        request,
        "run.html",
        asker=asker,
        notices=portal.channels.of_run(found),
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

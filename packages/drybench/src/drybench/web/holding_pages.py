"""What can be done with the kernel of a failed run while it is kept: from its page, and its JSON twins."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from drybench.web.door import ForAll
from drybench.web.portal import Here
from drybench.web.routing import PageRoute
from drybench.web.shapes import Ask, Problem, RunJson, SessionJson
from drybench.web.showing import run_json, session_json

router = APIRouter(include_in_schema=False, route_class=PageRoute)
api = APIRouter(
    prefix="/api/v1/runs", responses={status: {"model": Problem} for status in (401, 403, 404, 409, 422, 503)}
)


class GoOnAsk(Ask):
    """`next`: from the cell after the one that failed."""

    next: bool = False


@router.post("/runs/{id}/attach")
def attach(portal: Here, asker: ForAll, id: str) -> Response:
    """In a workspace of its own: what was open elsewhere would come up too, and ask for kernels that are not here."""
    session = portal.holding.attach(asker.person, id, asker.origin)
    notebook = portal.holding.notebook(portal.runs.get(asker.person, id))
    place = f"lab/workspaces/{session.name}/tree/{quote(notebook)}"
    there = f"?{urlencode({'next': place})}" if notebook else ""
    return RedirectResponse(f"/start/{session.id}{there}", 303)


@router.post("/runs/{id}/go-on")
def go_on(portal: Here, asker: ForAll, id: str, next: Annotated[str, Form(max_length=3)] = "") -> Response:
    portal.holding.go_on(asker.person, id, next == "yes", asker.origin)
    return RedirectResponse(f"/runs/{id}", 303)


@router.post("/runs/{id}/let-go")
def let_go(portal: Here, asker: ForAll, id: str) -> Response:
    portal.holding.let_go(asker.person, id, asker.origin)
    return RedirectResponse(f"/runs/{id}", 303)


@api.post("/{id}/attach", status_code=201)
def attach_by_program(portal: Here, asker: ForAll, id: str) -> SessionJson:
    """A session that is open on the kept kernel of a failed run."""
    session = portal.holding.attach(asker.person, id, asker.origin)
    return session_json(portal, session)


@api.post("/{id}/go-on", status_code=202)
def go_on_by_program(portal: Here, asker: ForAll, id: str, ask: GoOnAsk | None = None) -> RunJson:
    """The failed run goes on in its kept kernel, from the cell that failed, as the mended notebook has it."""
    portal.holding.go_on(asker.person, id, bool(ask and ask.next), asker.origin)
    return run_json(portal, portal.runs.get(asker.person, id))


@api.post("/{id}/let-go", status_code=202)
def let_go_by_program(portal: Here, asker: ForAll, id: str) -> RunJson:
    """The kept kernel is kept no longer; the run ends as it failed."""
    portal.holding.let_go(asker.person, id, asker.origin)
    return run_json(portal, portal.runs.get(asker.person, id))

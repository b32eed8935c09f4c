"""Open what a run left behind in JupyterLab: from its page, and the JSON twin."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from drybench.model import Session
from drybench.sessions import SessionRequest
from drybench.web.door import Asker, ForAll
from drybench.web.portal import Here, Portal
from drybench.web.routing import PageRoute
from drybench.web.shapes import Problem, SessionJson
from drybench.web.showing import session_json

router = APIRouter(include_in_schema=False, route_class=PageRoute)
api = APIRouter(prefix="/api/v1", responses={status: {"model": Problem} for status in (401, 403, 404, 409, 422, 503)})


@router.post("/runs/{id}/open")
def open_in_jupyterlab(portal: Here, asker: ForAll, id: str) -> Response:
    _, there = _opened(portal, asker, id)
    return RedirectResponse(there, 303)


@api.post("/runs/{id}/open", status_code=201)
def open_by_program(portal: Here, asker: ForAll, id: str) -> SessionJson:
    """The session of its environment, started if need be; its `url` leads to the run's folder in it."""
    session, there = _opened(portal, asker, id)
    return session_json(portal, session).model_copy(update={"url": f"{portal.addresses.public}{there}"})


def _opened(portal: Portal, asker: Asker, id: str) -> tuple[Session, str]:
    """The Start page goes on from there."""
    run = portal.runs.get(asker.person, id)
    session = portal.sessions.ask(asker.person, SessionRequest(run.environment), None, asker.origin)
    shelf = portal.settings.folders.runs_link
    within = f"{shelf}/{portal.runs.on_the_shelf(run)}/{run.attempt}/made"
    if portal.run_folders.has_made(run.id, run.attempt, "notebook.ipynb"):
        within += "/notebook.ipynb"
    there = f"?{urlencode({'next': f'lab/tree/{quote(within)}'})}" if shelf else ""
    return session, f"/start/{session.id}{there}"

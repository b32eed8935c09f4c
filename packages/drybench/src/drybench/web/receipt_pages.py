"""The receipt as a part of the Run page, and the page that shows what differs between two runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from drybench.model import Person, Run
from drybench.runs.comparing import compare
from drybench.runs.receipts import receipt
from drybench.web.door import ForAll
from drybench.web.portal import Here, Portal
from drybench.web.routing import PageRoute
from drybench.web.templating import page

MOST_TO_CHOOSE = 20

router = APIRouter(include_in_schema=False, route_class=PageRoute)
RunId = Annotated[str, Query(max_length=64)]


@router.get("/runs/differences")
def differences(request: Request, portal: Here, asker: ForAll, a: RunId, b: RunId = "") -> HTMLResponse:
    """Without a second run it offers those of the same notebook, and else the newest."""
    one = portal.runs.get(asker.person, a)
    others = _others(portal, asker.person, one)
    chosen = b or one.again_of or next((run.id for run in others), "")
    other = portal.runs.get(asker.person, chosen) if chosen else None
    found = compare(portal.run_folders, other, one) if other else None
    return page(request, "differences.html", asker=asker, one=one, other=other, others=others, found=found)


@router.get("/runs/{id}/receipt")
def the_receipt(request: Request, portal: Here, asker: ForAll, id: str) -> HTMLResponse:
    """A page, and without what is around it for the Run page, which fetches it when it is to be seen."""
    run = portal.runs.get(asker.person, id)
    template = "receipt.html" if "hx-request" in request.headers else "receipt_page.html"
    return page(request, template, asker=asker, run=run, receipt=receipt(portal.run_folders, run))


def _others(portal: Portal, person: Person, one: Run) -> list[Run]:
    """Of the same notebook first, each the newest first."""
    newest = [run for run in portal.runs.mine(person, limit=MOST_TO_CHOOSE * 5).rows if run.id != one.id]
    akin = [run for run in newest if run.notebook_hash == one.notebook_hash or run.name == one.name]
    return [*akin, *(run for run in newest if run not in akin)][:MOST_TO_CHOOSE]

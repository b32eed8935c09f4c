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

MOST_TO_CHOOSE, MOST_LOOKED_AT = 20, 100

router = APIRouter(include_in_schema=False, route_class=PageRoute)
RunId = Annotated[str, Query(max_length=64)]


@router.get("/runs/differences")
def differences(request: Request, portal: Here, asker: ForAll, a: RunId, b: RunId = "") -> HTMLResponse:
    """Without a second run it is the one that this repeats, the last of the same notebook, or the last at all."""
    one = portal.runs.get(asker.person, a)
    others = _others(portal, asker.person, one)
    other = portal.runs.get(asker.person, b) if b else next(iter(others), None)
    if other is not None:
        others = [other, *(run for run in others if run.id != other.id)]
    found = compare(portal.run_folders, other, one) if other else None
    return page(request, "differences.html", asker=asker, one=one, other=other, others=others, found=found)


@router.get("/runs/{id}/receipt")
def the_receipt(request: Request, portal: Here, asker: ForAll, id: str) -> HTMLResponse:
    """A page, and without what is around it for the Run page, which fetches it when it is to be seen."""
    run = portal.runs.get(asker.person, id)
    template = "receipt.html" if "hx-request" in request.headers else "receipt_page.html"
    return page(request, template, asker=asker, run=run, receipt=receipt(portal.run_folders, run))


def _others(portal: Portal, person: Person, one: Run) -> list[Run]:
    """The likeliest first; those that are as likely by their age."""
    newest = [run for run in portal.runs.mine(person, limit=MOST_LOOKED_AT).rows if run.id != one.id]

    def unlikely(run: Run) -> int:
        akin = run.notebook_hash == one.notebook_hash or run.name == one.name
        return 0 if run.id == one.again_of else 1 if akin else 2

    return sorted(newest, key=unlikely)[:MOST_TO_CHOOSE]

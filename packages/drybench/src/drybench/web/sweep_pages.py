"""The page of a sweep, and what can be done there."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.web.door import ForAll
from drybench.web.portal import Here
from drybench.web.routing import PageRoute
from drybench.web.sweep_showing import picture, shown_sweep
from drybench.web.templating import page

ON_A_PAGE = 100

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/sweeps/{id}")
def sweep(
    request: Request,
    portal: Here,
    asker: ForAll,
    id: str,
    state: Annotated[str, Query(max_length=20)] = "",
    sort: Annotated[str, Query(max_length=200)] = "",
    page_number: Annotated[int, Query(ge=1, le=100_000, alias="page")] = 1,
) -> HTMLResponse:
    shown = shown_sweep(portal, portal.sweeps.get(asker.person, id))
    table = shown.table(portal, state, sort)
    pages = max(1, -(-len(table.rows) // ON_A_PAGE))
    number = min(page_number, pages)
    rows = table.rows[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
    return page(
        request,
        "sweep.html",
        asker=asker,
        sweep=shown.sweep,
        totals=shown.totals,
        median=shown.median,
        left=shown.left,
        trouble=shown.trouble,
        table=table,
        rows=rows,
        numbers=table.numbers(),
        pictures={row.number: picture(portal, row) for row in rows},
        number=number,
        pages=pages,
        state=state,
        sort=sort or "number",
        at=partial(_at, id, {"state": state, "sort": sort, "page": number}),
    )


@router.post("/sweeps/{id}/cancel")
def cancel(portal: Here, asker: ForAll, id: str) -> Response:
    portal.sweeps.cancel(asker.person, id, asker.origin)
    return RedirectResponse(f"/sweeps/{id}", 303)


@router.post("/sweeps/{id}/rerun-failed")
def rerun_failed(portal: Here, asker: ForAll, id: str) -> Response:
    portal.sweeps.rerun_failed(asker.person, id, asker.origin)
    return RedirectResponse(f"/sweeps/{id}", 303)


@router.post("/sweeps/{id}/remove")
def remove(portal: Here, asker: ForAll, id: str) -> Response:
    portal.keeping.sweeps.remove(asker.person, id, asker.origin)
    return RedirectResponse("/runs", 303)


def _at(id: str, here: dict[str, Any], **chosen: Any) -> str:
    """The address of this page with something chosen otherwise."""
    query = {name: said for name, said in {**here, **chosen}.items() if said not in ("", "number", 1)}
    return f"/sweeps/{id}?{urlencode(query)}" if query else f"/sweeps/{id}"

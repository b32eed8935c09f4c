"""Sweeps in /api/v1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from drybench.runs.sweep_matrix import STATES, as_csv
from drybench.web.api import RAW, TEXT, Key
from drybench.web.door import ForAll, ForRuns
from drybench.web.downloads import INERT, attachment
from drybench.web.form_description import form
from drybench.web.portal import Here
from drybench.web.shapes import Items, Problem
from drybench.web.sweep_results import results
from drybench.web.sweep_shapes import CountedJson, PlaceJson, SweepAsk, SweepJson
from drybench.web.sweep_showing import listed, place_json, shown_sweep, sweep_json
from drybench.web.uploads import sent_ask
from drybench.web.zipping import stream_zip

SHOWN = 3  # of the sets that are counted
BOM = "\ufeff"  # without it some spreadsheets take UTF-8 for something else

router = APIRouter(
    prefix="/api/v1/sweeps",
    tags=["sweeps"],
    responses={status: {"model": Problem} for status in (401, 403, 404, 409, 413, 422, 503)},
)


@router.post("", status_code=201, openapi_extra=form(SweepAsk))
async def submit(request: Request, portal: Here, asker: ForRuns, key: Key = None) -> SweepJson:
    """Run a notebook many times: a form with the field `notebook` (a file) and the field `request` (SweepAsk)."""
    ask, asked = await sent_ask(request, portal, asker.person, SweepAsk)
    sweep = await run_in_threadpool(portal.sweeps.submit, asker.person, asked, ask.sweep.said(), key, asker.origin)
    return await run_in_threadpool(sweep_json, portal, sweep)


@router.post("/count", openapi_extra=form(SweepAsk))
async def count(request: Request, portal: Here, asker: ForRuns) -> CountedJson:
    """How many runs the same request would be. Nothing is asked for."""
    ask, asked = await sent_ask(request, portal, asker.person, SweepAsk)
    plan = await run_in_threadpool(portal.sweeps.plan, asker.person, asked, ask.sweep.said())
    return CountedJson(count=plan.count, limit=portal.sweeps.most, first=list(plan.sets(SHOWN)))


@router.get("")
def sweeps(
    portal: Here, asker: ForRuns, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Items[SweepJson]:
    part = portal.sweeps.mine(asker.person, cursor or None, limit)
    return Items(items=listed(portal, part.rows), next=part.next)


@router.get("/{id}")
def sweep(portal: Here, asker: ForRuns, id: str) -> SweepJson:
    return sweep_json(portal, portal.sweeps.get(asker.person, id))


@router.get("/{id}/runs")
def runs(
    portal: Here,
    asker: ForRuns,
    id: str,
    sort: Annotated[
        str, Query(max_length=200, description="number, state, seconds, p.NAME or v.NAME; - in front: the last first")
    ] = "number",
    state: Annotated[str, Query(max_length=20, description=", ".join(STATES))] = "",
    cursor: Annotated[str, Query(max_length=20, pattern=r"^\d*$")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Items[PlaceJson]:
    """The rows of the matrix, also of runs that are planned only."""
    found = shown_sweep(portal, portal.sweeps.get(asker.person, id)).table(portal, state, sort)
    begin = int(cursor or 0)
    rows = found.rows[begin : begin + limit]
    more = str(begin + limit) if len(found.rows) > begin + limit else None
    return Items(items=[place_json(portal, row) for row in rows], next=more)


@router.post("/{id}/cancel", status_code=202)
def cancel(portal: Here, asker: ForAll, id: str) -> SweepJson:
    """End what runs and begin nothing more. What has been done is kept."""
    return sweep_json(portal, portal.sweeps.cancel(asker.person, id, asker.origin))


@router.post("/{id}/rerun-failed", status_code=202)
def rerun_failed(portal: Here, asker: ForAll, id: str) -> SweepJson:
    """Run once more what did not get done, and go on with what was cancelled."""
    return sweep_json(portal, portal.sweeps.rerun_failed(asker.person, id, asker.origin))


@router.delete("/{id}", status_code=204)
def remove(portal: Here, asker: ForAll, id: str) -> None:
    """One of which nothing is open, with all its runs but for those with a star; for good."""
    portal.keeping.sweeps.remove(asker.person, id, asker.origin)


@router.get("/{id}/matrix.csv", response_class=Response, responses=TEXT)
def matrix_csv(portal: Here, asker: ForRuns, id: str) -> Response:
    """Parameters, states and returned values. A cell that would be a formula begins with an apostrophe."""
    found = portal.sweeps.get(asker.person, id)
    table = shown_sweep(portal, found).table(portal, "", "number")
    return _download(iter([BOM + "".join(as_csv(table))]), "text/csv", f"{found.name}.csv")


@router.get("/{id}/results.zip", response_class=Response, responses=RAW)
def results_zip(portal: Here, asker: ForRuns, id: str) -> Response:
    """The executed notebook and the files of each run, in a folder of its own."""
    found = portal.sweeps.get(asker.person, id)
    table = shown_sweep(portal, found).table(portal, "", "number")
    return _download(stream_zip(results(portal, table)), "application/zip", f"{found.name}.zip")


def _download(content: Iterator[Any], kind: str, name: str) -> Response:
    headers = {**INERT, "content-disposition": attachment(name)}
    return StreamingResponse(content, media_type=kind, headers=headers)

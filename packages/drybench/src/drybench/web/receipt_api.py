"""Receipts, crates and what differs between two runs, in JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from drybench.runs.comparing import compare
from drybench.runs.differences import Differences
from drybench.runs.receipts import Receipt, receipt
from drybench.web.crates import crate
from drybench.web.door import ForRuns
from drybench.web.portal import Here
from drybench.web.shapes import Problem

ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}
RunId = Annotated[str, Query(max_length=64)]

router = APIRouter(
    prefix="/api/v1", responses={status: {"model": Problem} for status in (401, 403, 404, 409, 422, 503)}
)


@router.get("/runs/differences")
def the_differences(portal: Here, asker: ForRuns, a: RunId, b: RunId) -> Differences:
    """What differs between two of one's runs."""
    one, other = portal.runs.get(asker.person, a), portal.runs.get(asker.person, b)
    return compare(portal.run_folders, one, other)


@router.get("/runs/{id}/receipt")
def the_receipt(portal: Here, asker: ForRuns, id: str) -> Receipt:
    """With what a run worked, on what, and what came of it."""
    return receipt(portal.run_folders, portal.runs.get(asker.person, id))


@router.get("/runs/{id}/crate.zip", response_class=Response, responses=ZIP)
def the_crate(portal: Here, asker: ForRuns, id: str) -> Response:
    """A run that has ended as an RO-Crate (Workflow Run Crate 0.5), for archives and other people."""
    return crate(portal.run_folders, portal.runs.get(asker.person, id))

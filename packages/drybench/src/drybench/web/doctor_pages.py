"""What `drybench doctor` finds, as a page and as JSON, for the keeper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import HTMLResponse

from drybench.web.door import ForAll
from drybench.web.portal import Here
from drybench.web.routing import PageRoute
from drybench.web.shapes import Problem
from drybench.web.templating import page

api = APIRouter(prefix="/api/v1", responses={status: {"model": Problem} for status in (401, 403, 422, 503)})
router = APIRouter(include_in_schema=False, route_class=PageRoute)


class FindingJson(BaseModel):
    """`needed`: without it the bench does not do what its settings say."""

    model_config = ConfigDict(from_attributes=True)

    part: str
    stands: Literal["ok", "missing", "wrong", "not looked at"]
    says: str
    command: str
    step: str
    needed: bool


class DoctorJson(BaseModel):
    well: bool
    findings: Sequence[FindingJson]


@api.get("/doctor")
def examined(portal: Here, asker: ForAll) -> DoctorJson:
    """Looks at the machine, which takes some seconds. For the keeper."""
    found = portal.examine(asker.person)
    shown = [FindingJson.model_validate(one) for one in found]
    return DoctorJson(well=not any(one.ill for one in found), findings=shown)


@router.get("/doctor")
def doctor(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    return page(request, "doctor.html", asker=asker, findings=portal.examine(asker.person))

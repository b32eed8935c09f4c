"""/api/v1/schedules: the JSON twin of the page Schedules."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from drybench.errors import RequestWrong
from drybench.model import Person
from drybench.schedules.asking import ScheduleRequest
from drybench.schedules.times import Schedule
from drybench.web.door import ForAll
from drybench.web.form_description import form
from drybench.web.portal import Here, Portal
from drybench.web.schedule_shapes import ComingJson, ScheduleAsk, ScheduleJson, WhenAsk
from drybench.web.shapes import Items, Problem, RunJson
from drybench.web.showing import run_json
from drybench.web.uploads import sent_run, wrong_field

Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


router = APIRouter(
    prefix="/api/v1/schedules",
    responses={status: {"model": Problem} for status in (401, 403, 404, 409, 413, 422, 503)},
)


@router.get("")
def schedules(portal: Here, asker: ForAll) -> Items[ScheduleJson]:
    return Items(items=[schedule_json(portal, one) for one in portal.schedules.mine(asker.person)])


@router.post("", status_code=201, openapi_extra=form(schedule=ScheduleAsk))
async def ask(request: Request, portal: Here, asker: ForAll, key: Key = None) -> ScheduleJson:
    """Keep a notebook and run it at its times: the form of a run with the field `schedule` (JSON)."""
    run = await sent_run(request, portal, asker.person)
    asked = _asked((await request.form()).get("schedule"))
    wanted = ScheduleRequest(run, asked.cron, asked.at, asked.zone, asked.missed, asked.notebook == "then")
    made = await run_in_threadpool(portal.schedules.ask, asker.person, wanted, key, asker.origin)
    return await run_in_threadpool(schedule_json, portal, made)


@router.post("/preview")
def preview(portal: Here, asker: ForAll, ask: WhenAsk) -> ComingJson:
    """What it means, in words and times; nothing is kept."""
    return ComingJson.of(portal.schedules.preview(ask.cron, ask.at, ask.zone))


@router.get("/{id}")
def schedule(portal: Here, asker: ForAll, id: str) -> ScheduleJson:
    return _one(portal, asker.person, id)


@router.post("/{id}/pause")
def pause(portal: Here, asker: ForAll, id: str) -> ScheduleJson:
    return schedule_json(portal, portal.schedules.pause(asker.person, id, asker.origin))


@router.post("/{id}/resume")
def resume(portal: Here, asker: ForAll, id: str) -> ScheduleJson:
    return schedule_json(portal, portal.schedules.resume(asker.person, id, asker.origin))


@router.post("/{id}/run-now", status_code=201)
def run_now(portal: Here, asker: ForAll, id: str, key: Key = None) -> RunJson:
    return run_json(portal, portal.schedules.run_now(asker.person, id, key, asker.origin))


@router.delete("/{id}", status_code=204)
def remove(portal: Here, asker: ForAll, id: str) -> None:
    """The runs that it began stay."""
    portal.schedules.remove(asker.person, id, asker.origin)


def schedule_json(portal: Portal, schedule: Schedule) -> ScheduleJson:
    reads_again = portal.schedules.file(schedule) is not None
    return ScheduleJson.of(schedule, reads_again, f"{portal.addresses.public}/schedules#schedule-{schedule.id}")


def _one(portal: Portal, person: Person, id: str) -> ScheduleJson:
    return schedule_json(portal, portal.schedules.get(person, id))


def _asked(text: object) -> ScheduleAsk:
    if not isinstance(text, str):
        raise RequestWrong(field="schedule", problem="it is missing, or came as a file")
    try:
        return ScheduleAsk.model_validate_json(text)
    except ValidationError as error:
        raise wrong_field(error.errors(include_url=False)) from None

"""Schedules: what comes by itself, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.errors import DrybenchError
from drybench.model import Run
from drybench.schedules import times as schedules
from drybench.schedules.times import Schedule
from drybench.web.door import Asker, ForAll
from drybench.web.portal import Here, Portal
from drybench.web.routing import PageRoute
from drybench.web.templating import page
from drybench.web.when_form import filled
from drybench.web.when_preview import times, when_preview

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@dataclass(frozen=True)
class ShownSchedule:
    schedule: Schedule
    words: str
    times: Sequence[str]  # to come, in its own zone
    reads: Path | None
    last_run: Run | None


@router.get("/schedules")
def the_schedules(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    mine = portal.schedules.mine(asker.person)
    return page(request, "schedules.html", asker=asker, schedules=[_shown(portal, asker, one) for one in mine])


@router.post("/schedules/preview")
async def preview(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    """The part of the form that says what was typed, in words and times."""
    form = filled(await request.form())
    said = await run_in_threadpool(when_preview, portal, form)
    return page(request, "when_preview.html", asker=asker, preview=said)


@router.post("/schedules/{id}/pause")
def pause(portal: Here, asker: ForAll, id: str) -> Response:
    portal.schedules.pause(asker.person, id, asker.origin)
    return _back(id)


@router.post("/schedules/{id}/resume")
def resume(portal: Here, asker: ForAll, id: str) -> Response:
    portal.schedules.resume(asker.person, id, asker.origin)
    return _back(id)


@router.post("/schedules/{id}/run-now")
def run_now(portal: Here, asker: ForAll, id: str, key: Annotated[str, Form(max_length=200)] = "") -> Response:
    run = portal.schedules.run_now(asker.person, id, key or None, asker.origin)
    return RedirectResponse(f"/runs/{run.id}", 303)


@router.post("/schedules/{id}/remove")
def remove(portal: Here, asker: ForAll, id: str) -> Response:
    portal.schedules.remove(asker.person, id, asker.origin)
    return RedirectResponse("/schedules", 303)


def _back(id: str) -> Response:
    return RedirectResponse(f"/schedules#schedule-{id}", 303)


def _shown(portal: Portal, asker: Asker, schedule: Schedule) -> ShownSchedule:
    return ShownSchedule(
        schedule,
        schedules.in_words(schedule.when),
        times(schedule.when) if schedule.next_at else (),
        _file(portal, schedule),
        portal.schedules.last_run(asker.person, schedule),
    )


def _file(portal: Portal, schedule: Schedule) -> Path | None:
    """A page with one damaged record still shows all others."""
    try:
        return portal.schedules.file(schedule)
    except DrybenchError:
        return None

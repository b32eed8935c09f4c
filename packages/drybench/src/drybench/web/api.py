"""/api/v1: the JSON twins of the pages. Handlers are plain functions, so that they run in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from drybench.model import Person, Run
from drybench.phases import Phase, Standing
from drybench.sessions import SessionRequest
from drybench.web.door import ForAll, ForRuns
from drybench.web.downloads import INERT, download, plain_text, stream
from drybench.web.form_description import form
from drybench.web.limits import limits_of
from drybench.web.machine import machine
from drybench.web.portal import Here, Portal
from drybench.web.shapes import (
    AgainAsk,
    FileJson,
    InspectedJson,
    Items,
    JournalJson,
    LimitJson,
    MachineJson,
    PersonJson,
    Problem,
    RunJson,
    SessionAsk,
    SessionJson,
    SizeJson,
)
from drybench.web.showing import inspected, run_json, session_json
from drybench.web.uploads import sent_run
from drybench.web.waiting import LONGEST, news
from drybench.within import within

BETWEEN_LOOKS = 0.5  # seconds between two looks at a log that is followed
MOST_OF_A_LOG = 1 << 20  # bytes in one look
RAW: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}
TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}


Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
Since = Annotated[int, Query(ge=0, description="Bytes that are known already")]

router = APIRouter(
    prefix="/api/v1",
    responses={status: {"model": Problem} for status in (401, 403, 404, 409, 413, 422, 503)},
)


@router.get("/me")
def me(asker: ForRuns) -> PersonJson:
    return PersonJson.of(asker.person)


@router.get("/sizes")
def sizes(portal: Here, asker: ForRuns) -> Items[SizeJson]:
    """How much a session or a run may have; an environment says which it has when nobody chooses."""
    return Items(items=[SizeJson.of(one) for one in portal.catalogue.sizes()])


@router.get("/machine")
def the_machine(portal: Here, asker: ForAll) -> MachineJson:
    return MachineJson.of(machine(portal.ledger.open_tasks(), portal.settings.engines.local, len(portal.gpus)))


@router.get("/engines")
def engines(portal: Here, asker: ForAll) -> Items[LimitJson]:
    """Where sessions and runs work, then what is off on this bench, and why."""
    return Items(items=limits_of(portal))


@router.get("/sessions")
def sessions(portal: Here, asker: ForAll) -> Items[SessionJson]:
    return Items(items=[session_json(portal, one) for one in portal.sessions.mine(asker.person)])


@router.post("/sessions", status_code=201)
def ask_for_session(portal: Here, asker: ForAll, ask: SessionAsk, key: Key = None) -> SessionJson:
    """A new session, or the one of that name started again."""
    gpus = tuple(one.vram for one in ask.gpus)
    request = SessionRequest(ask.environment, ask.app, ask.name, ask.size, gpus)
    asked = portal.sessions.ask(asker.person, request, key, asker.origin)
    return session_json(portal, replace(asked, app=request.app))


@router.get("/sessions/{id}")
def session(portal: Here, asker: ForAll, id: str) -> SessionJson:
    return session_json(portal, portal.sessions.get(asker.person, id))


@router.post("/sessions/{id}/stop", status_code=202)
def stop_session(portal: Here, asker: ForAll, id: str) -> SessionJson:
    return session_json(portal, portal.sessions.stop(asker.person, id, asker.origin))


@router.post("/sessions/{id}/start", status_code=202)
def start_session(portal: Here, asker: ForAll, id: str) -> SessionJson:
    return session_json(portal, portal.sessions.start(asker.person, id, asker.origin))


@router.delete("/sessions/{id}", status_code=204)
def remove_session(portal: Here, asker: ForAll, id: str) -> None:
    """Take an ended session off the list."""
    portal.sessions.remove(asker.person, id, asker.origin)


@router.get("/runs")
def runs(
    portal: Here,
    asker: ForRuns,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    search: Annotated[str, Query(max_length=200)] = "",
    state: Annotated[str, Query(description=", ".join(Standing))] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    starred: bool = False,
) -> Items[RunJson]:
    part = portal.runs.mine(asker.person, cursor or None, limit, search, state, tag=tag, starred=starred)
    return Items(items=[run_json(portal, one) for one in part.rows], next=part.next)


@router.post("/runs", status_code=201, openapi_extra=form())
async def submit(request: Request, portal: Here, asker: ForRuns, key: Key = None) -> RunJson:
    """Run a notebook: a form with the field `notebook` (a file) and the field `request` (JSON)."""
    asked = await sent_run(request, portal, asker.person)
    run = await run_in_threadpool(portal.runs.submit, asker.person, asked, key, asker.origin)
    return await run_in_threadpool(run_json, portal, run)


@router.post("/notebooks/inspect", openapi_extra=form())
async def inspect(request: Request, portal: Here, asker: ForRuns) -> InspectedJson:
    """What parameters and which kernel a notebook has."""
    asked = await sent_run(request, portal, asker.person)
    return await run_in_threadpool(inspected, portal, asked.notebook, asked.notebook_name)


@router.get("/runs/{id}")
def run(portal: Here, asker: ForRuns, id: str) -> RunJson:
    return run_json(portal, portal.runs.get(asker.person, id), whole=True)


@router.get("/runs/{id}/wait")
async def wait(
    request: Request,
    portal: Here,
    asker: ForRuns,
    id: str,
    seconds: Annotated[float, Query(ge=0, le=LONGEST)] = 20,
    known: Annotated[str | None, Query(description="PHASE:CELL, as last seen; else its next change counts")] = None,
) -> RunJson:
    """The run as soon as it has ended or is no longer what is known of it, at the latest when the time is over."""
    run = await news(portal, asker.person, id, known, seconds, request.app.state.ending)
    return await run_in_threadpool(run_json, portal, run, whole=True)


@router.post("/runs/{id}/cancel", status_code=202)
def cancel(portal: Here, asker: ForAll, id: str) -> RunJson:
    return run_json(portal, portal.runs.cancel(asker.person, id, asker.origin))


@router.post("/runs/{id}/again", status_code=201)
def again(portal: Here, asker: ForAll, id: str, ask: AgainAsk | None = None, key: Key = None) -> RunJson:
    """A new run of the same notebook with the same parameters."""
    which = ask.environment if ask else "newer"
    return run_json(portal, portal.runs.again(asker.person, id, key, asker.origin, which))


@router.get("/runs/{id}/notebook", response_class=Response, responses=RAW)
def notebook(portal: Here, asker: ForRuns, id: str) -> Response:
    """The executed notebook as far as it got."""
    found = portal.runs.get(asker.person, id)
    return download(portal.run_folders.notebook(found.id, found.attempt), f"{found.name}.ipynb")


@router.get("/runs/{id}/journal")
def journal(portal: Here, asker: ForRuns, id: str, since: Since = 0) -> JournalJson:
    """What happened since an offset in bytes, as the runner wrote it."""
    found = portal.runs.get(asker.person, id)
    progress = portal.run_folders.progress(found.id, found.attempt, since)
    return JournalJson(events=progress.events, next=progress.next_offset, ended=found.task.phase is Phase.ENDED)


@router.get("/runs/{id}/log", response_class=Response, responses=TEXT)
async def the_log(
    request: Request, portal: Here, asker: ForRuns, id: str, since: Since = 0, follow: bool = False
) -> Response:
    """What the run had to say; with `follow` until it has ended."""
    found = await run_in_threadpool(portal.runs.get, asker.person, id)
    if follow:
        text = _followed(request, portal, asker.person, id, since)
        return StreamingResponse(text, media_type="text/plain; charset=utf-8", headers=INERT)
    log = await run_in_threadpool(portal.run_folders.log, found.id, found.attempt, since, MOST_OF_A_LOG)
    return plain_text(log, {"drybench-next": str(since + len(log))})


@router.get("/runs/{id}/files")
def files(portal: Here, asker: ForRuns, id: str) -> Items[FileJson]:
    """What it left in its output folder."""
    found = portal.runs.get(asker.person, id)
    outputs = portal.run_folders.outputs(found.id, found.attempt)
    return Items(items=[FileJson.model_validate(one) for one in outputs])


@router.get("/runs/{id}/files/{path:path}", response_class=Response, responses=RAW)
def file(portal: Here, asker: ForRuns, id: str, path: str) -> Response:
    found = portal.runs.get(asker.person, id)
    return download(stream(portal.run_folders.open_output(found.id, found.attempt, path)), path)


async def _followed(request: Request, portal: Portal, person: Person, id: str, since: int) -> AsyncIterator[bytes]:
    """The run is looked at before its log, so that what came last is not missed."""
    ending: asyncio.Event = request.app.state.ending
    while not ending.is_set():
        run: Run = await run_in_threadpool(portal.runs.get, person, id)
        log = await run_in_threadpool(portal.run_folders.log, run.id, run.attempt, since, MOST_OF_A_LOG)
        since += len(log)
        if log:
            yield log
        elif run.task.phase is Phase.ENDED:
            return
        else:
            with suppress(TimeoutError):
                await within(BETWEEN_LOOKS, ending.wait())

"""New run: a form made from notebooks. What was chosen is kept here while the form is filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from markupsafe import escape
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench import gpus
from drybench.errors import DrybenchError, Refused
from drybench.runs import requirement_lines
from drybench.runs.requests import RunRequest
from drybench.web import gpu_form, run_fields, screen, sweep_form
from drybench.web.asking_by_form import ask
from drybench.web.choosing import Chosen, with_chosen
from drybench.web.door import Asker, ForAll
from drybench.web.environment_view import choices
from drybench.web.portal import Here, Portal
from drybench.web.prefilling import Wish, begun
from drybench.web.routing import PageRoute
from drybench.web.run_form import MOST, OF_A_NOTEBOOK, RunForm, filled, said
from drybench.web.taking import Inspections
from drybench.web.templating import page
from drybench.web.uploads import BESIDE, sent_requirements
from drybench.web.when_preview import when_preview

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Word = Annotated[str, Query(max_length=200)]


@router.get("/runs/new")
def new(
    request: Request,
    portal: Here,
    asker: ForAll,
    again: Word = "",
    from_sweep: Word = "",
    notebook: Annotated[list[str], Query(max_length=MOST)] = [],  # noqa: B006 - FastAPI copies it
    add: Word = "",
    size: Word = "",
    environment: Word = "",
) -> HTMLResponse:
    """Empty, or as something was asked for before, with what is to be changed."""
    wish = Wish(again, from_sweep, tuple(notebook), add, size, environment)
    return _form(request, portal, asker, begun(portal, asker.person, wish, _inspections(request)))


@router.post("/runs/new/notebooks")
async def notebooks(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    """The form again, with a part for each notebook that was just chosen, or without one."""
    form, _ = await _filled(request, portal, asker)
    return await run_in_threadpool(_form, request, portal, asker, form)


@router.post("/runs/new/check")
async def check(
    request: Request, portal: Here, asker: ForAll, field: Annotated[str, Query(max_length=300)]
) -> Response:
    """What is wrong with what stands in one field; nothing where it fits."""
    problem, fits = await run_in_threadpool(_checked, request, portal, asker, await request.form(), field)
    words = f'<span class="wrong">{screen.said(problem)}</span>' if problem else str(escape(fits))
    return HTMLResponse(words)


@router.post("/runs/new/count")
async def count(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    """How many runs a sweep would be, while it is typed. Whether its values fit is said when it is submitted."""
    fields = await request.form()
    sweep = sweep_form.filled(fields, await _table(fields))
    try:
        kinds = sweep_form.kinds(fields)
        environment = str(fields.get("environment") or RunRequest.environment)
        plan = await run_in_threadpool(portal.sweeps.counted, asker.person, environment, sweep.said(), kinds)
        words = sweep_form.count_in_words(plan) if sweep.on else ""
    except DrybenchError as refusal:
        words = said(refusal) if sweep.on else ""
    return page(request, "sweep_fields.html", asker=asker, form=RunForm(sweep=replace(sweep, counted=words)))


@router.post("/runs/new")
async def submit(request: Request, portal: Here, asker: ForAll) -> Response:
    """One press asks for all of them. What was refused stays in the form with its sentence."""
    form, complete = await _filled(request, portal, asker)
    if complete:
        form = await run_in_threadpool(ask, portal, asker, form)
    if form.notebooks or form.refusal or len(form.made) != 1:
        return await run_in_threadpool(_form, request, portal, asker, form)
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"hx-redirect": form.made[0].address})
    return RedirectResponse(form.made[0].address, 303)


async def _filled(request: Request, portal: Portal, asker: Asker) -> tuple[RunForm, bool]:
    """What was typed and chosen, and whether all that was chosen could be taken."""
    fields = await request.form(max_files=MOST + 3, max_fields=20_000, max_part_size=BESIDE)
    files = [file for file in fields.getlist("notebook") if isinstance(file, UploadFile) and file.filename]
    paths = [path.strip() for path in fields.getlist("path") if isinstance(path, str) and path.strip()]
    chosen = Chosen(files, paths, str(fields.get("remove", "")))
    form = filled(fields)
    try:
        form = filled(fields, await _table(fields))
        if sent := await sent_requirements(fields, "requirements.file"):
            form = replace(form, requirements=sent.strip())
        form = await run_in_threadpool(with_chosen, portal, asker.person, form, chosen, _inspections(request))
    except DrybenchError as refusal:
        form = form.refused(refusal)
    return form, not (form.refusal or form.not_taken)


def _checked(request: Request, portal: Portal, asker: Asker, fields: FormData, field: str) -> tuple[str, str]:
    """The problem, or what the field takes."""
    text = str(fields.get(field, ""))
    if field == "requirements":
        return _checked_requirements(text, portal.settings.runs.requirements_from_anywhere)
    if field == gpu_form.FIELD:
        return _checked_gpus(portal, filled(fields)), ""
    if named := OF_A_NOTEBOOK.fullmatch(field):
        source, name = str(fields.get("source", "")), str(fields.get("notebook_name", ""))
        found = _inspections(request).of(portal, asker.person, source, name)
        parameter = next((one for one in found.parameters if f"p.{one.name}" == named[2]), None)
        return (run_fields.problem(parameter, text), run_fields.field(parameter).says) if parameter else ("", "")
    return filled(fields).wishes_wrong(portal.settings.runs.hold_most).get(field, ""), ""


def _checked_gpus(portal: Portal, form: RunForm) -> str:
    """With those of the size: together they must be there."""
    of_the_size = next((size.gpus for size in portal.catalogue.sizes() if size.name == form.size), ())
    try:
        gpus.must_be_there((*of_the_size, *gpu_form.read(form.gpus)), portal.gpus)
    except Refused as refusal:
        return said(refusal)
    return ""


def _checked_requirements(text: str, from_anywhere: bool) -> tuple[str, str]:
    try:
        requirement_lines.check(text, from_anywhere)
        count = len(requirement_lines.lines(text))
    except Refused as refusal:
        return said(refusal), ""
    return "", f"{count} {'package' if count == 1 else 'packages'}" if count else ""


async def _table(fields: FormData) -> bytes:
    file = fields.get("sweep.table")
    return await file.read(BESIDE) if isinstance(file, UploadFile) else b""


def _inspections(request: Request) -> Inspections:
    return request.app.state.inspections


def _form(request: Request, portal: Portal, asker: Asker, form: RunForm) -> HTMLResponse:
    wrong = form.not_taken or any(one.refusal for one in form.notebooks)
    status = form.refusal.status if form.refusal else 422 if wrong else 200
    shown: dict[str, Any] = {
        "channels": portal.channels.mine(asker.person),
        "choices": choices(portal, asker.person),
        "sizes": portal.catalogue.sizes(),
        "gpus": portal.gpus,
        "limit": portal.settings.runs.notebook_limit,
        "timeout": portal.settings.runs.timeout,
        "hold_most": portal.settings.runs.hold_most,
        "preview": when_preview(portal, form.when),
        "files_shown": portal.files.are_shown(asker.person),
    }
    return page(request, "run_new.html", status=status, asker=asker, form=form, most=MOST, **shown)

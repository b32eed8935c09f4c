"""Take a notebook that somebody sends. The body's size was bounded while it came (`guards.BoundedBody`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from fastapi import Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from drybench.errors import NoNotebookSent, RequestWrong
from drybench.images import own
from drybench.model import Person
from drybench.runs import requirement_lines
from drybench.runs.requests import RunRequest
from drybench.settings import Settings
from drybench.web.portal import Portal
from drybench.web.shapes import RunAsk
from drybench.web.taking import take

Ask = TypeVar("Ask", bound=RunAsk)

BESIDE = 2 << 20  # bytes for all that comes with a notebook
ANYTHING_ELSE = 1 << 20
TAKES_NOTEBOOKS = frozenset(
    f"/api/v1/{path}" for path in ("runs", "schedules", "sweeps", "sweeps/count", "notebooks/inspect")
)
TAKES_SEVERAL = frozenset({"/runs/new", "/runs/new/notebooks"})
TAKES_FILES = frozenset({"/environments/new", "/api/v1/environments"})
SEVERAL = 4  # times the limit of one: for all that are chosen at once


@dataclass(frozen=True)
class Sent:
    notebook: bytes
    name: str
    form: FormData


def most_in_a_body(settings: Settings, path: str) -> int:
    if path in TAKES_SEVERAL:
        return settings.runs.notebook_limit * SEVERAL
    if path in TAKES_FILES:
        return own.MOST_BYTES
    return settings.runs.notebook_limit if path in TAKES_NOTEBOOKS else ANYTHING_ELSE


async def sent_notebook(request: Request) -> Sent:
    form = await request.form(max_files=2, max_fields=1000, max_part_size=BESIDE)
    file = form.get("notebook")
    if not isinstance(file, UploadFile) or not file.filename:
        raise NoNotebookSent()
    return Sent(await file.read(), file.filename, form)


async def sent_run(request: Request, portal: Portal, person: Person) -> RunRequest:
    return (await sent_ask(request, portal, person, RunAsk))[1]


async def sent_ask(request: Request, portal: Portal, person: Person, shape: type[Ask]) -> tuple[Ask, RunRequest]:
    """The notebook comes with it, or is named: by its path on this machine, or by a run that had it."""
    form = await request.form(max_files=2, max_fields=1000, max_part_size=BESIDE)
    ask = _asked(form.get("request") or "{}", shape)
    source = f"path:{ask.path}" if ask.path else f"run:{ask.from_run}" if ask.from_run else ""
    if source and not form.get("notebook"):
        taken = await run_in_threadpool(take, portal, person, source)
        asked = ask.request(taken.notebook, taken.name, await sent_requirements(form))
        return ask, replace(asked, **{**taken.where_from, "folder": asked.folder or taken.where_from.get("folder")})
    sent = await sent_notebook(request)
    return ask, ask.request(sent.notebook, sent.name, await sent_requirements(form))


async def sent_requirements(form: FormData, field: str = "requirements") -> str:
    """The text of a requirements.txt that came as a file."""
    file = form.get(field)
    if not isinstance(file, UploadFile):
        return ""
    return (await file.read(requirement_lines.MOST_BYTES + 1)).decode("utf-8-sig", "replace")


def wrong_field(problems: Sequence[Any]) -> RequestWrong:
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"]) or "request"
    return RequestWrong(field=where, problem=first["msg"])


def _asked(text: object, shape: type[Ask]) -> Ask:
    if not isinstance(text, str):
        raise RequestWrong(field="request", problem="it came as a file")
    try:
        return shape.model_validate_json(text)
    except ValidationError as error:
        raise wrong_field(error.errors(include_url=False)) from None

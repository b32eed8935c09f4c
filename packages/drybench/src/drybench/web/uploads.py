"""Take a notebook that somebody sends. The body's size was bounded while it came (`guards.BoundedBody`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from drybench.errors import NoNotebookSent, RequestWrong
from drybench.runs import requirement_lines
from drybench.runs.requests import RunRequest
from drybench.settings import Settings
from drybench.web.shapes import RunAsk

BESIDE = 2 << 20  # bytes for all that comes with a notebook
ANYTHING_ELSE = 1 << 20
TAKES_NOTEBOOKS = frozenset(
    f"/api/v1/{path}" for path in ("runs", "sweeps", "sweeps/count", "notebooks/inspect")
) | {"/runs/new", "/runs/new/parameters"}
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["notebook"],
                    "properties": {
                        "notebook": {"type": "string", "format": "binary", "description": "The notebook (.ipynb)"},
                        "requirements": {
                            "type": "string",
                            "format": "binary",
                            "description": "What it needs beside the environment (requirements.txt)",
                        },
                        "request": {
                            "type": "string",
                            "description": "JSON, as RunAsk",
                            "contentMediaType": "application/json",
                        },
                    },
                },
                "encoding": {"request": {"contentType": "application/json"}},
            }
        },
    }
}


@dataclass(frozen=True)
class Sent:
    notebook: bytes
    name: str
    form: FormData


def most_in_a_body(settings: Settings, path: str) -> int:
    takes_notebooks = path in TAKES_NOTEBOOKS
    return settings.runs.notebook_limit if takes_notebooks else ANYTHING_ELSE


async def closed_form(request: Request) -> AsyncIterator[None]:
    """What came with a form lies in temporary files until it is closed, also when it was refused."""
    try:
        yield
    finally:
        await request.close()


async def sent_notebook(request: Request) -> Sent:
    form = await request.form(max_files=2, max_fields=1000, max_part_size=BESIDE)
    file = form.get("notebook")
    if not isinstance(file, UploadFile) or not file.filename:
        raise NoNotebookSent()
    return Sent(await file.read(), file.filename, form)


async def sent_run(request: Request) -> RunRequest:
    sent = await sent_notebook(request)
    ask = _ask(sent.form.get("request") or "{}")
    return ask.request(sent.notebook, sent.name, await sent_requirements(sent.form))


async def sent_requirements(form: FormData) -> str:
    """The text of a requirements.txt that came as a file."""
    file = form.get("requirements")
    if not isinstance(file, UploadFile):
        return ""
    return (await file.read(requirement_lines.MOST_BYTES + 1)).decode("utf-8-sig", "replace")


def wrong_field(problems: Sequence[Any]) -> RequestWrong:
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"]) or "request"
    return RequestWrong(field=where, problem=first["msg"])


def _ask(text: object) -> RunAsk:
    if not isinstance(text, str):
        raise RequestWrong(field="request", problem="it came as a file")
    try:
        return RunAsk.model_validate_json(text)
    except ValidationError as error:
        raise wrong_field(error.errors(include_url=False)) from None

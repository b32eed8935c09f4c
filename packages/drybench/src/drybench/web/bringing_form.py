"""An environment that somebody brings, as the form and the API send it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from drybench.errors import BroughtWrong, RequestWrong
from drybench.images import own
from drybench.images.bringing import Bringing
from drybench.images.repositories import read_files
from drybench.model import Person
from drybench.web.environment_shapes import BringAsk
from drybench.web.portal import Portal
from drybench.web.uploads import BESIDE, wrong_field

FIELDS = ("files", "folder_files")


async def sent_ask(request: Request) -> tuple[BringAsk, Mapping[str, bytes]]:
    """By the API: the field `request` (JSON), and a field `files` for each file, named by its path."""
    form = await _form(request)
    text = form.get("request") or "{}"
    if not isinstance(text, str):
        raise RequestWrong(field="request", problem="it came as a file")
    try:
        return BringAsk.model_validate_json(text), await _files(form)
    except ValidationError as error:
        raise wrong_field(error.errors(include_url=False)) from None


async def typed_ask(request: Request) -> tuple[BringAsk, Mapping[str, bytes]]:
    """By the page."""
    form = await _form(request)
    typed: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
    known = {name: value for name, value in typed.items() if name in BringAsk.model_fields}
    ticked = {name: name in typed for name in ("everybody", "build")}
    try:
        return BringAsk.model_validate(known | ticked), await _files(form)
    except ValidationError as error:
        raise wrong_field(error.errors(include_url=False)) from None


async def bringing(portal: Portal, person: Person, ask: BringAsk, files: Mapping[str, bytes]) -> Bringing:
    said = {name: value for name, value in ask if name not in ("folder", "build")}
    asked = Bringing(**said, files=files)
    if not ask.folder:
        return asked
    if files:
        raise BroughtWrong(problems="it comes from one of an image's name, a repository, or files")
    return replace(asked, files=await run_in_threadpool(_of_folder, portal, person, ask.folder))


def _of_folder(portal: Portal, person: Person, folder: str) -> Mapping[str, bytes]:
    """One that is shown to choose from, and nothing that a link in it leads to."""
    return portal.files.look(person, folder, read_files)


async def _form(request: Request) -> FormData:
    return await request.form(max_files=own.MOST_FILES + 1, max_fields=100, max_part_size=BESIDE)


async def _files(form: FormData) -> Mapping[str, bytes]:
    found = dict[str, bytes]()
    for field in FIELDS:
        sent = [one for one in form.getlist(field) if isinstance(one, UploadFile) and one.filename]
        names = [one.filename or "" for one in sent]
        for name, one in zip(_without_their_folder(names) if field == "folder_files" else names, sent, strict=True):
            if not name.startswith(".git/") and "/.git/" not in name:
                found[name] = await one.read()
    return found


def _without_their_folder(names: list[str]) -> list[str]:
    """A browser names the chosen folder with each of its files."""
    tops = {name.partition("/")[0] for name in names}
    in_one = len(tops) == 1 and all("/" in name for name in names)
    return [name.partition("/")[2] for name in names] if in_one else names

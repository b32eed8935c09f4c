"""Notebooks are put into the form of New run, and taken out of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex

from starlette.datastructures import UploadFile

from drybench.errors import DrybenchError, TooManyNotebooks
from drybench.model import Person
from drybench.runs.notebooks import safe_name
from drybench.web.portal import Portal
from drybench.web.run_form import MOST, NotebookForm, RunForm
from drybench.web.showing import inspected
from drybench.web.taking import Inspections


@dataclass(frozen=True)
class Chosen:
    """By one press of a button."""

    files: Sequence[UploadFile] = ()
    paths: Sequence[str] = ()
    removed: str = ""  # the id of what is taken out


def with_chosen(portal: Portal, person: Person, form: RunForm, chosen: Chosen, known: Inspections) -> RunForm:
    """What cannot be run is said, and all else is taken."""
    stay = [one for one in form.notebooks if one.id != chosen.removed]
    count = len(stay) + len(chosen.files) + len(chosen.paths)
    if count > MOST:
        raise TooManyNotebooks(count=count, most=MOST)
    form = replace(form, notebooks=tuple(_looked_at(portal, person, one, known) for one in stay))
    for file in chosen.files:
        form = _with(form, partial(_kept, portal, person, file, known))
    for path in chosen.paths:
        form = _with(form, partial(_by_path, portal, person, path))
    return form


def new_id() -> str:
    return token_hex(8)


def _with(form: RunForm, put_in: Callable[[], NotebookForm]) -> RunForm:
    try:
        return replace(form, notebooks=(*form.notebooks, put_in()))
    except DrybenchError as refusal:
        if refusal.status >= 500:
            raise
        return replace(form, not_taken=(*form.not_taken, refusal))


def _looked_at(portal: Portal, person: Person, notebook: NotebookForm, known: Inspections) -> NotebookForm:
    """It may be gone meanwhile; what was typed stays."""
    try:
        return replace(notebook, found=known.of(portal, person, notebook.source, notebook.name))
    except DrybenchError as refusal:
        if refusal.status >= 500:
            raise
        return replace(notebook, refusal=refusal)


def _kept(portal: Portal, person: Person, file: UploadFile, known: Inspections) -> NotebookForm:
    name, content = safe_name(file.filename or ""), file.file.read()
    found = inspected(portal, content, name)
    source = f"kept:{portal.handed_in.keep(person.id, content)}"
    known.note(person, source, found)
    return NotebookForm(new_id(), source, name, found)


def _by_path(portal: Portal, person: Person, path: str) -> NotebookForm:
    file, content = portal.files.notebook(person, path, portal.settings.runs.notebook_limit)
    return NotebookForm(new_id(), f"path:{file}", file.name, inspected(portal, content, file.name))

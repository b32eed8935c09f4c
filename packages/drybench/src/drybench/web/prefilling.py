"""New run as it begins: empty, or with what was asked for before and is to be changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from drybench.model import Person
from drybench.runs.requests import RunRequest
from drybench.web import run_fields, sweep_form
from drybench.web.choosing import Chosen, new_id, with_chosen
from drybench.web.portal import Portal
from drybench.web.run_form import NotebookForm, RunForm, prefilled
from drybench.web.showing import inspected
from drybench.web.taking import Inspections


@dataclass(frozen=True)
class Wish:
    """What the address of the page says."""

    again: str = ""  # a run
    from_sweep: str = ""
    paths: Sequence[str] = ()
    add: str = ""  # a package
    size: str = ""
    environment: str = ""


def begun(portal: Portal, person: Person, wish: Wish, known: Inspections) -> RunForm:
    form = _with_wishes(_before(portal, person, wish), wish)
    return with_chosen(portal, person, form, Chosen(paths=wish.paths), known) if wish.paths else form


def _before(portal: Portal, person: Person, wish: Wish) -> RunForm:
    if wish.again:
        return _like(portal, portal.runs.request_of(person, wish.again), f"run:{wish.again}")
    if wish.from_sweep:
        sweep = portal.sweeps.get(person, wish.from_sweep)
        form = _like(portal, portal.sweeps.request_of(sweep), f"sweep:{sweep.id}")
        return replace(form, name=sweep.name, sweep=sweep_form.once_more(portal.sweeps.plan_of(sweep)))
    return RunForm()


def _like(portal: Portal, request: RunRequest, source: str) -> RunForm:
    found = inspected(portal, request.notebook, request.notebook_name)
    typed = run_fields.typed_of(request.parameters, found)
    names = {one.name for one in found.parameters}
    others = "\n".join(f"{name}={text}" for name, text in typed.items() if name not in names)
    values = {name: text for name, text in typed.items() if name in names}
    notebook = NotebookForm(new_id(), source, request.notebook_name, found, values, others)
    return replace(prefilled(request), notebooks=(notebook,))


def _with_wishes(form: RunForm, wish: Wish) -> RunForm:
    package = wish.add.strip()
    there = form.requirements.splitlines()
    lines = [*there, package] if package and package not in there else there
    return replace(
        form,
        requirements="\n".join(lines),
        size=wish.size or form.size,
        environment=wish.environment or form.environment,
    )

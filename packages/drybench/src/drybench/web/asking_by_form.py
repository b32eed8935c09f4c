"""What stands in the form of New run is asked for: runs, a sweep, or schedules, by the service functions of each."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from drybench.errors import (
    DrybenchError,
    NoNotebookSent,
    NoParametersCell,
    NoSuchKernel,
    NotANotebook,
    NotebookGone,
    NotebookTooOld,
    NotebookUnreadable,
    ParametersWrong,
    RecordUnreadable,
    SweepNotLater,
)
from drybench.runs.requests import RunRequest
from drybench.web.door import Asker
from drybench.web.portal import Portal
from drybench.web.run_form import Made, NotebookForm, RunForm
from drybench.web.taking import take

OF_ONE = (
    NotANotebook,
    NotebookTooOld,
    NotebookUnreadable,
    NotebookGone,
    NoParametersCell,
    NoSuchKernel,
    ParametersWrong,
    RecordUnreadable,
)  # what concerns one notebook alone; all else would be refused for each of them


def ask(portal: Portal, asker: Asker, form: RunForm) -> RunForm:
    """The form with what was refused only; `made` says what came of the others."""
    if not form.notebooks:
        return form.refused(NoNotebookSent())
    made, left = list[Made](), list[NotebookForm]()
    for place, notebook in enumerate(form.notebooks):
        try:
            made.append(_ask(portal, asker, form, notebook))
        except OF_ONE as refusal:
            left.append(notebook.refused(refusal))
        except DrybenchError as refusal:
            if refusal.status >= 500:
                raise
            left += form.notebooks[place:]
            refused = form.refused(refusal, portal.settings.runs.hold_most)
            return replace(refused, made=tuple(made), notebooks=tuple(left))
    return replace(form, made=tuple(made), notebooks=tuple(left))


def _ask(portal: Portal, asker: Asker, form: RunForm, notebook: NotebookForm) -> Made:
    taken = take(portal, asker.person, notebook.source, notebook.name)
    asked = form.request(notebook, taken.notebook, **taken.where_from)
    key = _key(form, notebook, asked)
    schedule = form.when.schedule(asked)
    many = form.one is not None and form.sweep.on
    if schedule and many:
        raise SweepNotLater()
    if schedule:
        planned = portal.schedules.ask(asker.person, schedule, key, asker.origin)
        return Made(planned.name, "schedule", f"/schedules#schedule-{planned.id}")
    if many:
        sweep = portal.sweeps.submit(asker.person, asked, form.sweep.said(), key, asker.origin)
        return Made(sweep.name, "sweep", f"/sweeps/{sweep.id}")
    run = portal.runs.submit(asker.person, asked, key, asker.origin)
    return Made(run.name, "run", f"/runs/{run.id}")


def _key(form: RunForm, notebook: NotebookForm, asked: RunRequest) -> str:
    """The same press twice is one; the same form with something changed is another."""
    said = repr((replace(asked, notebook=b""), form.sweep.said() if form.sweep.on else None, form.when))
    return f"form:{notebook.id}:{hashlib.sha256(said.encode(errors='surrogatepass')).hexdigest()[:24]}"

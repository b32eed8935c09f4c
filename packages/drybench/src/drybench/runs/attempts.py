"""A further attempt of a run that has ended: a new task, which waits in the line like every other."""

from __future__ import annotations

from dataclasses import replace

from drybench import gpus, planning
from drybench.asking import Desk
from drybench.model import Environment, Person, Run, TaskRow
from drybench.runs.run_folder import RunFolders


def next_attempt(desk: Desk, folders: RunFolders, run: Run) -> TaskRow:
    """Refused where no engine would take it any more; errors.Conflict where it has not ended, or goes on already."""
    environment = environment_of(desk, run)
    size = desk.catalogue.size(run.size, environment).with_gpus(gpus.added(run.task.spec))
    attempt, person = run.attempt + 1, Person(run.person_id, run.person)
    around = desk.around(person, environment)
    laid_over = next((m.source for m in run.task.spec.mounts if m.target == planning.OVERLAYS_INSIDE), None)
    id, folder = desk.new_id(), folders.path(run.id)
    task = planning.plan_run(id, person, environment, size, around, folder, attempt, laid_over)
    desk.check(person, task, environment.engine)
    folders.new_attempt(run.id, attempt, task.account)
    row = desk.ledger.add_attempt(run, replace(task, hashes=run.task.spec.hashes))
    desk.wake()
    return row


def environment_of(desk: Desk, run: Run) -> Environment:
    """The one that it began in, as long as that is here: its record names it, and its requirements are for it."""
    today, python = desk.catalogue.environment(run.environment), run.task.spec.python
    if today.image and run.task.spec.image:
        return replace(today, digest=run.task.spec.image)
    return replace(today, python=python) if python is not None and python.is_dir() else today

"""A further attempt of a run that has ended: a new task, which waits in the line like every other."""

from __future__ import annotations

from dataclasses import replace

from drybench import planning
from drybench.asking import Desk
from drybench.model import Environment, Person, Run, TaskRow
from drybench.runs.run_folder import RunFolders


def next_attempt(desk: Desk, folders: RunFolders, run: Run) -> TaskRow:
    """Refused where no engine would take it any more; errors.Conflict where it has not ended, or goes on already."""
    environment = environment_of(desk, run)
    size = desk.catalogue.size(run.size, environment)
    attempt, person = run.attempt + 1, Person(run.person_id, run.person)
    task = planning.plan_run(desk.new_id(), person, environment, size, folders.path(run.id), attempt)
    desk.check(person, task, environment.engine)
    folders.new_attempt(run.id, attempt)
    row = desk.ledger.add_attempt(run, replace(task, hashes=run.task.spec.hashes))
    desk.wake()
    return row


def environment_of(desk: Desk, run: Run) -> Environment:
    """The one that it began in, as long as that is here: its record names it, and its requirements are for it."""
    today, python = desk.catalogue.environment(run.environment), run.task.spec.python
    return replace(today, python=python) if python is not None and python.is_dir() else today

"""A ledger to write in, a clock to set, and values to put in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert, make_url

from drybench import database, tables
from drybench.ids import uuid7
from drybench.ledger import Ledger, open_ledger
from drybench.ledger_rows import columns_of, columns_of_task
from drybench.model import RUN, SESSION, Person, Run, Session, Task, TaskRow
from drybench.phases import Outcome, Phase, Wanted


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **time: float) -> None:
        self.time += timedelta(**time)


@contextmanager
def fresh_ledger(url: str, folder: Path, clock: Clock) -> Iterator[Ledger]:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        Path(str(address.database)).write_bytes(empty_ledger())
    else:
        database.prepare(url, folder / "hub.sqlite", folder, clock)
    ledger = open_ledger(url, clock)
    try:
        yield ledger
    finally:
        ledger.close()


@cache
def empty_ledger() -> bytes:
    """A file of SQLite, migrated once for all tests of a process."""
    with TemporaryDirectory() as name:
        file = Path(name) / "empty.sqlite"
        database.prepare(database.sqlite_url(file), Path(name) / "hub.sqlite", Path(name), Clock())
        return file.read_bytes()


def a_task(person: Person, kind: Any = RUN, **changes: Any) -> Task:
    task = Task(uuid7(), person.name, kind, ("python", "-m", "drybench_runner"), workdir=Path("/data"))
    return replace(task, **changes)


def first_row(person: Person, task: Task, subject: str, now: datetime) -> TaskRow:
    return TaskRow(
        id=task.id,
        person_id=person.id,
        person=person.name,
        kind=task.kind,
        subject=subject,
        attempt=1,
        engine="local",
        spec=task,
        phase=Phase.WAITING,
        wanted=Wanted.RUN,
        created_at=now,
        cores=task.cores,
        memory=task.memory,
    )


def a_run(person: Person, now: datetime, name: str = "analysis", **changes: Any) -> Run:
    task, id = a_task(person), uuid7()
    run = Run(
        id=id,
        person_id=person.id,
        person=person.name,
        group=None,
        name=name,
        kind="notebook",
        environment="python",
        size="default",
        parameters={"alpha": 0.1},
        created_at=now,
        attempt=1,
        task=first_row(person, task, id, now),
    )
    return replace(run, **changes)


def a_session(person: Person, now: datetime, name: str = "python") -> Session:
    task, id = a_task(person, SESSION, needs_address=True), uuid7()
    row = first_row(person, task, id, now)
    return Session(id, person.id, person.name, name, "python", "lab", "default", now, row)


def add_ended(ledger: Ledger, person: Person, now: datetime, count: int) -> None:
    """So many runs that are over and settled, every twentieth of which failed: what a ledger is full of."""
    made = [_ended(a_run(person, now, f"analysis {number}"), failed=number % 20 == 0) for number in range(count)]
    with ledger.writing() as connection:
        connection.execute(insert(tables.runs), [columns_of(run, tables.runs) for run in made])
        connection.execute(
            insert(tables.tasks), [{**columns_of_task(run.task), "forgotten_at": run.settled_at} for run in made]
        )


def _ended(run: Run, failed: bool) -> Run:
    over = {"phase": Phase.ENDED, "outcome": Outcome.FAILED if failed else Outcome.DONE, "ended_at": run.created_at}
    return replace(run, settled_at=run.created_at, task=replace(run.task, **over))

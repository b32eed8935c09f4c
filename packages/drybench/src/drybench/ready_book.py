"""The pages of the ledger that tell what was run of late, and what stands ready for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from drybench import ledger_rows as rows
from drybench.ledger import Ledger
from drybench.model import TaskKind, TaskRow
from drybench.pool import NOBODY
from drybench.tables import people, tasks

LAST = 50


class ReadyBook:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def last(self, kind: TaskKind) -> Sequence[TaskRow]:
        """The newest first. By their ids, which are in order: nothing else is read, however long the ledger is."""
        newest = rows.select_tasks().where(tasks.c.kind == kind).order_by(tasks.c.id.desc()).limit(LAST)
        with self._ledger.reading() as connection:
            return [rows.task_of(row) for row in connection.execute(newest)]

    def add(self, ready: TaskRow) -> None:
        with self._ledger.writing() as connection:
            if ready.person_id == NOBODY.id:
                _enter_nobody(connection, ready.created_at)
            connection.execute(insert(tasks).values(rows.columns_of_task(ready)))


def _enter_nobody(connection: Connection, now: datetime) -> None:
    """A row that was never anybody's, gone from the start: so each task has one, and no list of people shows it."""
    if connection.execute(select(people.c.id).where(people.c.id == NOBODY.id)).first() is None:
        nobody: dict[str, Any] = {"id": NOBODY.id, "name": NOBODY.name, "groups": [], "seen_at": now, "gone_at": now}
        connection.execute(insert(people).values(nobody))

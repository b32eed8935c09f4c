"""The pages of the ledger that tell what was run of late, and what stands ready for it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert

from drybench import ledger_rows as rows
from drybench.ledger import Ledger
from drybench.model import TaskKind, TaskRow
from drybench.tables import tasks

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
            connection.execute(insert(tasks).values(rows.columns_of_task(ready)))

"""In a long ledger every question is answered by an index that leads to its rows, in SQLite and in PostgreSQL.

By the databases' own plans: how long it takes is in `benchmarks/long_ledger.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from drybench.ids import uuid7
from drybench.ledger import Ledger
from drybench.model import RUN, Person
from drybench.phases import Standing
from drybench.ready_book import ReadyBook
from drybench.retention_book import RetentionBook
from drybench.sweep_book import SweepBook
from tests.ledger import Clock, add_ended

MANY = 3000  # so that PostgreSQL does not rather read everything

MAY_READ_ALL = ("runs_person_id_id_name",)  # where a name is nowhere, PostgreSQL reads half of a table as it likes

Question = Callable[[Ledger, str], object]
Asked = tuple[str, Any]

QUESTIONS: dict[str, tuple[str, Question]] = {
    "what is open": ("tasks_open", lambda ledger, _: ledger.open_tasks()),
    "what is to be forgotten": ("tasks_to_forget", lambda ledger, _: ledger.ended_not_forgotten()),
    "what is not settled": ("runs_unsettled", lambda ledger, _: ledger.unsettled_runs()),
    "sweeps left open": ("tasks_open", lambda ledger, _: SweepBook(ledger).left_open()),
    "those that waited": (
        "tasks_person_id_outcome_subject",
        lambda ledger, ada: ledger.runs(ada, standing=Standing.WAITING),
    ),
    "those that failed": (
        "tasks_person_id_outcome_subject",
        lambda ledger, ada: ledger.runs(ada, standing=Standing.FAILED),
    ),
    "those of no sweep that were lost": (
        "tasks_person_id_outcome_subject",
        lambda ledger, ada: ledger.runs(ada, standing=Standing.LOST, loose=True),
    ),
    "those with a star": ("runs_starred", lambda ledger, ada: ledger.runs(ada, starred=True)),
    "those of no sweep": ("runs_loose", lambda ledger, ada: ledger.runs(ada, loose=True)),
    "those of a name": ("runs_person_id_id_name", lambda ledger, ada: ledger.runs(ada, search="x")),
    "how long it took": ("runs_person_id_notebook_hash_id", lambda ledger, ada: ledger.usual_duration(ada, "h")),
    "what goes next": (
        "runs_may_go",
        lambda ledger, ada: RetentionBook(ledger).ended(ada, Clock()() - timedelta(days=1), 200),
    ),
    "what was run of late": ("tasks_kind_id", lambda ledger, _: ReadyBook(ledger).last(RUN)),
}


@pytest.fixture(scope="module")
def ada(ledger: Ledger) -> Person:
    """One of two who have run a lot; and SQLite never counts by itself, so nor is it made to here."""
    for person in (ledger.person_seen(f"bob-{uuid7()}"), ada := ledger.person_seen(f"ada-{uuid7()}")):
        add_ended(ledger, person, Clock()(), MANY)
    with ledger.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))
    return ada


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_index_leads_to_the_rows(ledger: Ledger, ada: Person, question: str) -> None:
    index, ask = QUESTIONS[question]
    with asked_of_the_database() as asked:
        ask(ledger, ada.id)
    with ledger.reading() as connection:
        plan = plan_of(connection, *asked[0])
    if connection.dialect.name == "sqlite":  # it counts nothing, so what it takes is always the same
        assert f"USING INDEX {index}" in plan, plan
    elif index not in MAY_READ_ALL:
        assert "Seq Scan on runs" not in plan, plan
        assert "Seq Scan on tasks" not in plan, plan


@contextmanager
def asked_of_the_database() -> Iterator[list[Asked]]:
    asked: list[Asked] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def plan_of(connection: Connection, statement: str, parameters: Any) -> str:
    word = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    found = connection.exec_driver_sql(f"{word} {statement}", parameters)
    return "".join(f"{row[-1]}\n" for row in found)

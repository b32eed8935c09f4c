"""Rows of the tables ↔ the values of `model`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Select, Table, and_, select

from drybench.model import Account, Deed, Mount, Person, Run, Session, Task, TaskRow, Tell
from drybench.phases import Outcome, Phase, Reason, Wanted
from drybench.tables import people, runs, sessions, tasks

FORMAT = 1  # of a task's spec
PATHS = ("workdir", "python", "home")
TUPLES = ("command", "gpus", "vram")
TASK_COLUMNS = tuple(field.name for field in fields(TaskRow) if field.name != "person")

Query = Select[*tuple[Any, ...]]
Found = Row[*tuple[Any, ...]]


def select_tasks() -> Query:
    return select(tasks, people.c.name.label("person")).join(people, people.c.id == tasks.c.person_id)


def select_sessions() -> Query:
    """Each with its newest task, whose columns are called task_…"""
    return _with_task(sessions)


def select_runs() -> Query:
    return _with_task(runs)


def _with_task(subjects: Table) -> Query:
    newest = and_(tasks.c.subject == subjects.c.id, tasks.c.attempt == subjects.c.attempt)
    name = people.c.name
    of_the_task = [tasks.c[column].label(f"task_{column}") for column in TASK_COLUMNS]
    columns: list[Any] = [subjects, name.label("person"), name.label("task_person"), *of_the_task]
    return select(*columns).join(tasks, newest).join(people, people.c.id == subjects.c.person_id)


def person_of(row: Found) -> Person:
    return Person(id=row.id, name=row.name, groups=frozenset(row.groups))


def session_of(row: Found) -> Session:
    return Session(**_plain(row, Session), task=_task(row, "task_"))


def run_of(row: Found) -> Run:
    said = _plain(row, Run)
    said["tags"] = tuple(said["tags"])
    said["tell"] = said["tell"] and Tell(said["tell"]["on"], tuple(said["tell"]["channels"]))
    return Run(**said, task=_task(row, "task_"))


def columns_of(subject: Session | Run, table: Table) -> dict[str, Any]:
    said = {column.name: getattr(subject, column.name, None) for column in table.columns}
    return {name: asdict(value) if isinstance(value, Tell) else value for name, value in said.items()}


def task_of(row: Found) -> TaskRow:
    return _task(row, "")


def deed_of(row: Found) -> Deed:
    return Deed(**_plain(row, Deed))


def columns_of_task(row: TaskRow) -> dict[str, Any]:
    return as_columns({name: getattr(row, name) for name in TASK_COLUMNS})


def as_columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Some fields of a TaskRow as its table takes them."""
    return {name: spec_as_json(value) if name == "spec" else value for name, value in changes.items()}


def spec_as_json(task: Task) -> dict[str, Any]:
    said = {field.name: getattr(task, field.name) for field in fields(Task)}
    for name in PATHS:
        said[name] = said[name] and str(said[name])
    said["mounts"] = [{"source": str(m.source), "target": str(m.target), "read_only": m.read_only} for m in task.mounts]
    said["account"] = said["account"] and asdict(said["account"])
    return {"format": FORMAT, **said}


def spec_of(saved: Mapping[str, Any]) -> Task:
    """What a newer Drybench wrote is refused with its database, so only what is older is met here."""
    said = {name: value for name, value in saved.items() if name != "format"}
    for name in PATHS:
        said[name] = None if said.get(name) is None else Path(said[name])
    for name in TUPLES:
        said[name] = tuple(said.get(name, ()))
    said["mounts"] = tuple(Mount(Path(one["source"]), Path(one["target"]), one["read_only"]) for one in said["mounts"])
    if account := said.get("account"):
        said["account"] = Account(account["uid"], account["gid"], tuple(account["groups"]))
    return Task(**said)


def _plain(row: Found, kind: type[Any]) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(kind) if field.name != "task"}


def _task(row: Found, prefix: str) -> TaskRow:
    said = {field.name: getattr(row, prefix + field.name) for field in fields(TaskRow)}
    said["spec"] = spec_of(said["spec"])
    said["phase"] = Phase(said["phase"])
    said["wanted"] = Wanted(said["wanted"])
    said["outcome"] = said["outcome"] and Outcome(said["outcome"])
    said["reason"] = said["reason"] and Reason(said["reason"])
    said["gpus"] = tuple(said["gpus"])
    return TaskRow(**said)

"""A database is held alone, brought up to date, copied before, and refused when it is newer."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from drybench import database, tables
from drybench import ledger_rows as rows
from drybench.errors import NewerData, SecondPortal
from drybench.ledger import open_ledger
from drybench.model import RUN, Task
from drybench.phases import Outcome, Phase
from tests.ledger import Clock
from tests.waiting import wait_for

NEWEST = ScriptDirectory.from_config(database._migrations()).get_current_head()
ENDED = "2026-01-01 13:00:00.000000"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return database.sqlite_url(tmp_path / "portal.sqlite")


@pytest.fixture
def hub_database(tmp_path: Path) -> Path:
    file = tmp_path / "hub.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript("CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('ada');")
    return file


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = database.connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


def execute(url: str, sentence: str) -> None:
    with opened(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql(sentence)


def one_value(file: Path, query: str) -> Any:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchone()[0]


def test_the_migrations_make_the_tables_that_the_code_knows(url: str, tmp_path: Path, clock: Clock) -> None:
    database.prepare(url, tmp_path / "none", tmp_path, clock)
    with opened(url) as engine, engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        checks = inspect(connection).get_check_constraints("tasks")
        assert {check["name"] for check in checks} == {"tasks_phase", "tasks_outcome"}


def test_an_empty_database_is_migrated_without_a_copy(
    url: str, hub_database: Path, backups: Path, clock: Clock
) -> None:
    database.prepare(url, hub_database, backups, clock)
    database.prepare(url, hub_database, backups, clock)
    assert not list(backups.iterdir())


def first_version(url: str) -> None:
    """The database as the first Drybench made it, with a person, a run that has ended and one that has not."""
    with opened(url) as engine, engine.execution_options(writing=True).begin() as connection:
        config = database._migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    execute(url, "INSERT INTO people (id, name, groups, seen_at) VALUES ('p', 'ada', '[]', '2026-01-01 12:00:00')")
    for run, phase, outcome, ended in (("old", 4, "'done'", f"'{ENDED}'"), ("open", 3, "NULL", "NULL")):
        execute(
            url,
            f"""INSERT INTO runs (id, person_id, name, kind, environment, size, parameters, created_at, attempt,
            cell, cells) VALUES ('{run}', 'p', '{run}', 'notebook', 'python', 'default', '{{}}',
            '2026-01-01 12:00:00', 1, 0, 0)""",
        )
        spec = json.dumps(rows.spec_as_json(Task(f"t-{run}", "ada", RUN, ("python",))))
        execute(
            url,
            f"""INSERT INTO tasks (id, person_id, kind, subject, attempt, engine, spec, phase, wanted, created_at,
            cores, memory, gpus, priority, detail, answers, outcome, ended_at)
            VALUES ('t-{run}', 'p', 'run', '{run}', 1, 'local', '{spec}', {phase}, 'run',
            '2026-01-01 12:00:00', 1, 1, '[]', 0, '', false, {outcome}, {ended})""",
        )


def test_older_data_are_copied_before_they_are_migrated(
    url: str, hub_database: Path, backups: Path, clock: Clock
) -> None:
    first_version(url)
    database.prepare(url, hub_database, backups, clock)
    ours = [] if url.startswith("postgresql") else [f"portal-before-{NEWEST}-20260101T120000Z.sqlite"]
    assert sorted(file.name for file in backups.iterdir()) == [f"hub-before-{NEWEST}-20260101T120000Z.sqlite", *ours]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in backups.iterdir())
    assert one_value(backups / f"hub-before-{NEWEST}-20260101T120000Z.sqlite", "SELECT name FROM users") == "ada"
    for name in ours:
        assert one_value(backups / name, "SELECT name FROM people") == "ada"


def test_runs_of_the_first_version_are_read_and_those_that_had_ended_stay_settled(
    url: str, hub_database: Path, backups: Path, clock: Clock
) -> None:
    first_version(url)
    database.prepare(url, hub_database, backups, clock)
    ledger = open_ledger(url, clock)
    assert {run.id: run.tags for run in ledger.runs("p").rows} == {"old": (), "open": ()}
    old = ledger.run("old")
    assert old
    assert old.settled_at == old.task.ended_at == datetime.fromisoformat(f"{ENDED}+00:00")
    ledger.write_task("t-open", {"phase": Phase.ENDED, "outcome": Outcome.DONE})
    assert [run.id for run in ledger.unsettled_runs()] == ["open"]
    ledger.close()


def test_data_of_a_newer_drybench_are_refused_by_name(
    url: str, hub_database: Path, backups: Path, clock: Clock
) -> None:
    database.prepare(url, hub_database, backups, clock)
    execute(url, "UPDATE alembic_version SET version_num = 'from-the-future'")
    execute(url, "UPDATE bench SET drybench = '99.1'")
    with pytest.raises(NewerData, match=r"newer Drybench \(99\.1\)"):
        database.prepare(url, hub_database, backups, clock)
    assert not list(backups.iterdir())


def test_a_failed_migration_changes_nothing(
    url: str, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(database, "_sign", fails)
        with pytest.raises(RuntimeError):
            database.prepare(url, tmp_path / "none", tmp_path, clock)
    with opened(url) as engine:
        assert inspect(engine).get_table_names() == []
    database.prepare(url, tmp_path / "none", tmp_path, clock)


def test_a_second_portal_is_refused_by_name(url: str, tmp_path: Path) -> None:
    with database.hold(url, tmp_path / "lock"):
        with pytest.raises(SecondPortal, match=f"process {os.getpid()} on "):
            with database.hold(url, tmp_path / "lock"):
                pass
    with database.hold(url, tmp_path / "lock"):
        pass


def test_two_data_directories_cannot_share_a_database(postgres_url: str, tmp_path: Path) -> None:
    with database.hold(postgres_url, tmp_path / "one"):
        with pytest.raises(SecondPortal, match=f"process {os.getpid()} on "):
            with database.hold(postgres_url, tmp_path / "other"):
                pass


def test_a_killed_portal_leaves_no_lock(url: str, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    portal = holding(url, lock)
    try:
        with pytest.raises(SecondPortal, match=f"process {portal.pid} on "):
            with database.hold(url, lock):
                pass
    finally:
        portal.send_signal(signal.SIGKILL)
        portal.communicate()
    wait_for(lambda: is_free(url, lock))


def holding(url: str, lock: Path) -> subprocess.Popen[str]:
    code = "import sys, pathlib; from drybench import database\n"
    code += "with database.hold(sys.argv[1], pathlib.Path(sys.argv[2])): print('held', flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, url, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def is_free(url: str, lock: Path) -> bool:
    try:
        with database.hold(url, lock):
            return True
    except SecondPortal:
        return False


def test_no_password_is_shown() -> None:
    assert "secret" not in str(database.connect("postgresql://ada:secret@nowhere/bench").url)


def test_the_embedded_database_is_set_up_for_one_writer_and_many_readers(tmp_path: Path) -> None:
    with opened(database.sqlite_url(tmp_path / "a b#?.sqlite")) as engine, engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}
    assert (tmp_path / "a b#?.sqlite").exists()

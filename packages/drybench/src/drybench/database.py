"""One database, SQLite or PostgreSQL: connect to it, hold it alone, bring it up to date."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

from drybench.errors import NewerData, SecondPortal
from drybench.tables import bench

LOCK = 0x6472796265  # of the whole PostgreSQL database: "drybe"
BUSY = 30  # seconds that SQLite waits for another writer

log = structlog.get_logger()


def sqlite_url(file: Path) -> str:
    """The embedded default."""
    return URL.create("sqlite", database=str(file)).render_as_string()


def connect(url: str, **options: Any) -> Engine:
    """An engine; `execution_options(writing=True)` of it takes SQLite's write lock when it begins."""
    address = _with_driver(url)
    if address.get_backend_name() != "sqlite":
        return create_engine(address, hide_parameters=True, pool_pre_ping=True, **options)
    engine = create_engine(address, hide_parameters=True, connect_args={"timeout": BUSY}, **options)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def hold(url: str, lock: Path) -> Generator[None]:
    """Within the block no second portal works on this data directory or this database."""
    with _hold_file(lock), _hold_postgresql(url):
        yield


def prepare(url: str, hub_database: Path, backups: Path, now: Callable[[], datetime]) -> None:
    """Refuse data of a newer Drybench; when they are older, copy both databases and migrate.

    To be called while the portal holds the database (`hold`).
    """
    engine = connect(url, poolclass=NullPool)
    scripts = ScriptDirectory.from_config(_migrations())
    found, newest = _revision(engine), scripts.get_current_head()
    if found is not None and found not in _known(scripts):
        raise NewerData(database=_shown(url), theirs=_written_by(engine), ours=version("drybench"))
    if found == newest:
        return
    if found is not None:
        _copy_both(engine.url, hub_database, backups, f"before-{newest}-{now():%Y%m%dT%H%M%SZ}")
    with engine.execution_options(writing=True).begin() as connection:
        _migrate(connection)
        _sign(connection, now())
    log.info("database migrated", database=_shown(url), since=found, to=newest)


def _with_driver(url: str | URL) -> URL:
    address = make_url(url)
    if address.drivername in ("postgres", "postgresql"):
        return address.set(drivername="postgresql+psycopg")
    return address


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # sqlite3 shall begin nothing by itself: `_begin_sqlite` does
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}").close()


def _begin_sqlite(connection: Connection) -> None:
    """A transaction that reads before it writes would be refused at once when another wrote meanwhile."""
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def _hold_file(lock: Path) -> Generator[None]:
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise SecondPortal(what=lock.parent, who=file.read(200).strip() or "unknown") from None
        file.truncate(0)
        file.write(_who())
        file.flush()
        yield


@contextmanager
def _hold_postgresql(url: str) -> Generator[None]:
    """The lock lives as long as its connection, so a killed portal leaves none behind."""
    address = _with_driver(url)
    if address.get_backend_name() != "postgresql":
        yield
        return
    engine = create_engine(
        address, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"application_name": _who()}
    )
    with engine.connect() as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
            raise SecondPortal(what=_shown(url), who=_holder(connection))
        yield


def _holder(connection: Connection) -> str:
    query = text(
        "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory'"
        " AND (classid::bigint << 32 | objid::bigint) = :lock AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return connection.scalar(query, {"lock": LOCK}) or "unknown"


def _who() -> str:
    """At most 63 bytes, as PostgreSQL cuts an application's name there."""
    return f"process {os.getpid()} on {socket.gethostname()}"[:63]


def _shown(url: str | URL) -> str:
    return _with_driver(url).render_as_string(hide_password=True)


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", "drybench:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _known(scripts: ScriptDirectory) -> set[str]:
    return {script.revision for script in scripts.walk_revisions()}


def _written_by(engine: Engine) -> str:
    try:
        with engine.connect() as connection:
            return connection.scalar(select(bench.c.drybench)) or "unknown"
    except SQLAlchemyError:
        return "unknown"


def _migrate(connection: Connection) -> None:
    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _sign(connection: Connection, now: datetime) -> None:
    """Write down which Drybench these data need at least."""
    connection.execute(bench.delete())
    connection.execute(bench.insert().values(id=1, drybench=version("drybench"), written_at=now))


def _copy_both(ours: URL, hub_database: Path, backups: Path, name: str) -> None:
    if ours.get_backend_name() == "sqlite":
        _copy(Path(ours.database or ""), backups / f"portal-{name}.sqlite")
    else:
        log.warning("not copied: PostgreSQL has backups of its own", database=_shown(ours))
    if hub_database.exists():
        _copy(hub_database, backups / f"hub-{name}.sqlite")


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all, also while another process writes the source."""
    unfinished = target.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)
    with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(unfinished)) as here:
        there.backup(here)
    unfinished.replace(target)

"""The tables of the ledger. What they were at each version is in `migrations/`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
    text,
)
from sqlalchemy.types import TypeDecorator

MOST_WORDS = 2000


class UtcTime(TypeDecorator[datetime]):
    """Aware and UTC outside; SQLite keeps it as text without a zone, which sorts as time does."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """JSON as text, for PostgreSQL's own type refuses NaN, which a parameter may well be."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, default=dict)  # any Mapping

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class Words(TypeDecorator[str]):
    """Words that anybody may have chosen: without what a database cannot hold, and not for ever."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and value[:MOST_WORDS].replace("\0", "").encode(errors="backslashreplace").decode()


metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_once",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_of_%(referred_table_name)s",
        "pk": "%(table_name)s_key",
    }
)

bench = Table(
    "bench",  # one row, and these columns stay for ever: an older Drybench reads them to say who wrote the data
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("drybench", Words, nullable=False),
    Column("written_at", UtcTime, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

people = Table(
    "people",
    metadata,
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("groups", Json, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("gone_at", UtcTime),
    Column("keep_days", Integer),  # their own wish, how long their runs are kept
    Column("keep_since", UtcTime),
    Column("uid", Integer),  # of their tasks, where the machine has no account for them
    Index(None, "uid", unique=True),
)
_living = text("gone_at IS NULL")
Index("people_living_name", people.c.name, unique=True, sqlite_where=_living, postgresql_where=_living)

group_numbers = Table(
    "group_numbers",  # of groups that the machine does not know
    metadata,
    Column("name", Words, primary_key=True),
    Column("gid", Integer, nullable=False),
    Index(None, "gid", unique=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Words, primary_key=True),
    Column("person_id", Words, ForeignKey(people.c.id), nullable=False),
    Column("name", Words, nullable=False),
    Column("environment", Words, nullable=False),
    Column("app", Words, nullable=False),
    Column("size", Words, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("removed_at", UtcTime),
    Column("ahead_since", UtcTime),  # as long as its person has not asked for it
)
_kept = text("removed_at IS NULL")
Index(
    "sessions_kept_name",
    sessions.c.person_id,
    sessions.c.name,
    unique=True,
    sqlite_where=_kept,
    postgresql_where=_kept,
)

shares = Table(
    "shares",
    metadata,
    Column("id", Words, primary_key=True),
    Column("session_id", Words, ForeignKey(sessions.c.id), nullable=False),
    Column("app", Words, nullable=False),
    Column("person_id", Words, ForeignKey(people.c.id), nullable=False),  # whose session it is
    Column("with_kind", Words, nullable=False),
    Column("with_id", Words, ForeignKey(people.c.id)),
    Column("with_name", Words, nullable=False),
    Column("control", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_by", Words),
)
_not_ended = text("ended_at IS NULL")
Index(
    "shares_open_person_id",
    shares.c.person_id,
    shares.c.session_id,
    sqlite_where=_not_ended,
    postgresql_where=_not_ended,
)
Index("shares_open_until", shares.c.until, sqlite_where=_not_ended, postgresql_where=_not_ended)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", Words, primary_key=True),
    Column("person_id", Words, ForeignKey(people.c.id), nullable=False),
    Column("name", Words, nullable=False),
    Column("environment", Words, nullable=False),
    Column("size", Words, nullable=False),
    Column("notebook_name", Words, nullable=False),
    Column("axes", Json, nullable=False),  # the names of its parameters
    Column("planned", Integer, nullable=False),
    Column("laid", Integer, nullable=False),  # so many of them are runs by now
    Column("wanted", Words, nullable=False),
    Column("rerun_at", UtcTime),  # what had not got done by then is run once more
    Column("hashes", Json, nullable=False),  # of what was handed in for it
    Column("created_at", UtcTime, nullable=False),
    Column("removed_at", UtcTime),
    Index(None, "person_id", "id"),
)

schedules = Table(
    "schedules",
    metadata,
    Column("id", Words, primary_key=True),
    Column("person_id", Words, ForeignKey(people.c.id), nullable=False),
    Column("name", Words, nullable=False),
    Column("cron", Words),
    Column("zone", Words, nullable=False),
    Column("at", UtcTime),
    Column("missed", Words, nullable=False),
    Column("hashes", Json, nullable=False),  # of what was handed in for it
    Column("paused_at", UtcTime),
    Column("next_at", UtcTime),
    Column("last_at", UtcTime),
    Column("last_run", Words),
    Column("problem", Words, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("removed_at", UtcTime),
    Index(None, "person_id", "id"),
    Index(None, "next_at"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Words, primary_key=True),
    Column("person_id", Words, ForeignKey(people.c.id), nullable=False),
    Column("group", Words),
    Column("name", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("environment", Words, nullable=False),
    Column("size", Words, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("cell", Integer, nullable=False),
    Column("cells", Integer, nullable=False),
    Column("failed_cell", Integer),
    Column("tags", Json, nullable=False),
    Column("starred_at", UtcTime),
    Column("removed_at", UtcTime),  # its folder is gone, and it is on no list any more
    Column("sweep_id", Words),
    Column("place", Integer),  # in its sweep
    Column("schedule_id", Words),
    Column("again_of", Words),
    Column("retries", Integer, nullable=False),
    Column("retry_any", Boolean, nullable=False),
    Column("notebook_hash", Words, nullable=False),  # of what was handed in, before parameters went in
    Column("values", Json),  # what it returned
    Column("tell", Json),
    Column("settled_at", UtcTime),  # all that follows from its end has been done
    Column("duration", Float),  # seconds, of one that is done
    Column("held_until", UtcTime),  # it failed, and its kernel is kept
    Index(None, "person_id", "id", "name"),
    Index(None, "person_id", "notebook_hash", "id"),
    Index(None, "schedule_id", "id"),
)
_of_a_sweep = text("sweep_id IS NOT NULL")
Index(
    "runs_of_a_sweep",
    runs.c.sweep_id,
    runs.c.place,
    unique=True,
    sqlite_where=_of_a_sweep,
    postgresql_where=_of_a_sweep,
)
_unsettled = text("settled_at IS NULL")
Index("runs_unsettled", runs.c.id, sqlite_where=_unsettled, postgresql_where=_unsettled)
_starred = text("starred_at IS NOT NULL")
Index("runs_starred", runs.c.person_id, runs.c.id, sqlite_where=_starred, postgresql_where=_starred)
_loose = text("sweep_id IS NULL")
Index("runs_loose", runs.c.person_id, runs.c.id, runs.c.name, sqlite_where=_loose, postgresql_where=_loose)
_may_go = text("starred_at IS NULL AND removed_at IS NULL")
Index("runs_may_go", runs.c.person_id, runs.c.settled_at, sqlite_where=_may_go, postgresql_where=_may_go)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Words, primary_key=True),
    Column("person_id", Words, ForeignKey(people.c.id), nullable=False),
    Column("kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("engine", Words, nullable=False),
    Column("machine", Words),
    Column("spec", Json, nullable=False),
    Column("phase", Integer, nullable=False),
    Column("wanted", Words, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("cores", Float, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("gpus", Json, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("outcome", Words),
    Column("reason", Words),
    Column("detail", Words, nullable=False),
    Column("handle", Json),
    Column("address", Words),
    Column("answers", Boolean, nullable=False),
    Column("silent_since", UtcTime),
    Column("exit_code", Integer),
    Column("memory_used", BigInteger),
    Column("cpu_used", Float),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("stopped_by", Words),
    Column("forgotten_at", UtcTime),
    Column("claimed", Words),  # the ready task that it took
    UniqueConstraint("subject", "attempt"),
    CheckConstraint("phase BETWEEN 1 AND 4", name="phase"),
    CheckConstraint("(phase = 4) = (outcome IS NOT NULL)", name="outcome"),
    Index(None, "person_id", "outcome", "subject"),
    Index(None, "kind", "id"),
)
# Written out and never bound: only so does a planner see that a partial index holds all that is asked for
still_open = tasks.c.phase < literal_column("4")
to_forget = and_(tasks.c.phase == literal_column("4"), tasks.c.forgotten_at.is_(None))
Index("tasks_open", tasks.c.id, sqlite_where=still_open, postgresql_where=still_open)
Index("tasks_to_forget", tasks.c.id, sqlite_where=to_forget, postgresql_where=to_forget)

deeds = Table(
    "deeds",
    metadata,
    Column("id", Words, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("person_id", Words, ForeignKey(people.c.id)),
    Column("person", Words, nullable=False),
    Column("origin", Words, nullable=False),
    Column("deed", Words, nullable=False),
    Column("subject_kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Index(None, "person_id", "id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("person_id", Words, ForeignKey(people.c.id), primary_key=True),
    Column("key", Words, primary_key=True),
    Column("subject_kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

channels = Table(
    "channels",
    metadata,
    Column("id", Words, primary_key=True),
    Column("person_id", Words, ForeignKey(people.c.id), nullable=False),
    Column("name", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("sealed", Text, nullable=False),  # its address, which may well be a secret
    Column("on", Words, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("removed_at", UtcTime),
    Column("last_problem", Words, nullable=False),
    Index(None, "person_id", "id"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Words, primary_key=True),
    Column("person_id", Words, ForeignKey(people.c.id), nullable=False),
    Column("run_id", Words, ForeignKey(runs.c.id)),
    Column("schedule_id", Words, ForeignKey(schedules.c.id)),  # when it had no run to tell of
    Column("attempt", Integer, nullable=False),
    Column("channel_id", Words, ForeignKey(channels.c.id), nullable=False),
    Column("about", Words, nullable=False),  # the end of the run, or the kernel that is held
    Column("state", Words, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", UtcTime),
    Column("said", Words, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    UniqueConstraint("run_id", "attempt", "channel_id", "about"),
    Index(None, "state", "next_at"),
)

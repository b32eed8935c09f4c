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
)
_living = text("gone_at IS NULL")
Index("people_living_name", people.c.name, unique=True, sqlite_where=_living, postgresql_where=_living)

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
    Index(None, "person_id", "id"),
)

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
    UniqueConstraint("subject", "attempt"),
    CheckConstraint("phase BETWEEN 1 AND 4", name="phase"),
    CheckConstraint("(phase = 4) = (outcome IS NOT NULL)", name="outcome"),
    Index(None, "phase", "forgotten_at"),
)

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

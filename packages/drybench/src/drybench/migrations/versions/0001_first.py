"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _bench()
    _people()
    _sessions()
    _runs()
    _tasks()
    _deeds()
    _idempotency()


def _bench() -> None:
    op.create_table(
        "bench",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("drybench", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("bench_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("bench_key")),
    )


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("people_key")),
    )
    op.create_index(
        "people_living_name",
        "people",
        ["name"],
        unique=True,
        sqlite_where=sa.text("gone_at IS NULL"),
        postgresql_where=sa.text("gone_at IS NULL"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("size", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("sessions_person_id_of_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("sessions_key")),
    )
    op.create_index(
        "sessions_kept_name",
        "sessions",
        ["person_id", "name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("group", sa.String()),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("size", sa.String(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("cells", sa.Integer(), nullable=False),
        sa.Column("failed_cell", sa.Integer()),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("runs_person_id_of_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("runs_key")),
    )
    op.create_index(op.f("runs_person_id_id"), "runs", ["person_id", "id"])


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("machine", sa.String()),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cores", sa.Float(), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("gpus", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String()),
        sa.Column("reason", sa.String()),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("handle", sa.Text()),
        sa.Column("address", sa.String()),
        sa.Column("answers", sa.Boolean(), nullable=False),
        sa.Column("silent_since", sa.DateTime(timezone=True)),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("memory_used", sa.BigInteger()),
        sa.Column("cpu_used", sa.Float()),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("stopped_by", sa.String()),
        sa.Column("forgotten_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("(phase = 4) = (outcome IS NOT NULL)", name=op.f("tasks_outcome")),
        sa.CheckConstraint("phase BETWEEN 1 AND 4", name=op.f("tasks_phase")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("tasks_person_id_of_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("tasks_key")),
        sa.UniqueConstraint("subject", "attempt", name=op.f("tasks_subject_attempt_once")),
    )
    op.create_index(op.f("tasks_phase_forgotten_at"), "tasks", ["phase", "forgotten_at"])


def _deeds() -> None:
    op.create_table(
        "deeds",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.String()),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("deed", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("deeds_person_id_of_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("deeds_key")),
    )
    op.create_index(op.f("deeds_person_id_id"), "deeds", ["person_id", "id"])


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("idempotency_person_id_of_people")),
        sa.PrimaryKeyConstraint("person_id", "key", name=op.f("idempotency_key")),
    )

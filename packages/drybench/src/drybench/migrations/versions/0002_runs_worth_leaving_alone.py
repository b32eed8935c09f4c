"""Sweeps, schedules, notices, and what a run knows of itself beside its parameters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Nobody is told today of what ended before there was anybody to tell.
ENDED_BEFORE = """
    UPDATE runs SET settled_at = created_at WHERE EXISTS (
        SELECT 1 FROM tasks WHERE tasks.subject = runs.id AND tasks.attempt = runs.attempt AND tasks.phase = 4
    )
"""


def upgrade() -> None:
    op.add_column("people", sa.Column("keep_days", sa.Integer()))
    op.add_column("people", sa.Column("keep_since", sa.DateTime(timezone=True)))
    _sweeps()
    _schedules()
    _runs()
    op.add_column("tasks", sa.Column("claimed", sa.String()))
    _channels()
    _notices()


def _runs() -> None:
    for column in (
        sa.Column("tags", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("starred_at", sa.DateTime(timezone=True)),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.Column("sweep_id", sa.String()),
        sa.Column("place", sa.Integer()),
        sa.Column("schedule_id", sa.String()),
        sa.Column("again_of", sa.String()),
        sa.Column("retries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("retry_any", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("notebook_hash", sa.String(), nullable=False, server_default=""),
        sa.Column("values", sa.Text()),
        sa.Column("tell", sa.Text()),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("duration", sa.Float()),
        sa.Column("held_until", sa.DateTime(timezone=True)),
    ):
        op.add_column("runs", column)
    op.execute(ENDED_BEFORE)
    op.create_index(op.f("runs_person_id_notebook_hash"), "runs", ["person_id", "notebook_hash"])
    op.create_index(op.f("runs_sweep_id_place"), "runs", ["sweep_id", "place"], unique=True)
    op.create_index(op.f("runs_schedule_id_id"), "runs", ["schedule_id", "id"])
    unsettled = sa.text("settled_at IS NULL")
    op.create_index("runs_unsettled", "runs", ["id"], sqlite_where=unsettled, postgresql_where=unsettled)


def _sweeps() -> None:
    op.create_table(
        "sweeps",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("size", sa.String(), nullable=False),
        sa.Column("notebook_name", sa.String(), nullable=False),
        sa.Column("axes", sa.Text(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("laid", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.String(), nullable=False),
        sa.Column("rerun_at", sa.DateTime(timezone=True)),
        sa.Column("hashes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("sweeps_person_id_of_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("sweeps_key")),
    )
    op.create_index(op.f("sweeps_person_id_id"), "sweeps", ["person_id", "id"])


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("cron", sa.String()),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("missed", sa.String(), nullable=False),
        sa.Column("hashes", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True)),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("last_at", sa.DateTime(timezone=True)),
        sa.Column("last_run", sa.String()),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("schedules_person_id_of_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("schedules_key")),
    )
    op.create_index(op.f("schedules_person_id_id"), "schedules", ["person_id", "id"])
    op.create_index(op.f("schedules_next_at"), "schedules", ["next_at"])


def _channels() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("on", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.Column("last_problem", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("channels_person_id_of_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("channels_key")),
    )
    op.create_index(op.f("channels_person_id_id"), "channels", ["person_id", "id"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String()),
        sa.Column("schedule_id", sa.String()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("notices_person_id_of_people")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("notices_run_id_of_runs")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name=op.f("notices_schedule_id_of_schedules")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("notices_channel_id_of_channels")),
        sa.PrimaryKeyConstraint("id", name=op.f("notices_key")),
        sa.UniqueConstraint("run_id", "attempt", "channel_id", name=op.f("notices_run_id_attempt_channel_id_once")),
    )
    op.create_index(op.f("notices_state_next_at"), "notices", ["state", "next_at"])

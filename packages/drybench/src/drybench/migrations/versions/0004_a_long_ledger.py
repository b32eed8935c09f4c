"""Indexes by which a list stays quick in a ledger of a hundred thousand runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Before 0002 a run was settled when it was made; now it is kept for so long after it was settled
SETTLED_WHEN_IT_ENDED = """
    UPDATE runs SET settled_at = (
        SELECT ended_at FROM tasks WHERE tasks.subject = runs.id AND tasks.attempt = runs.attempt
    ) WHERE settled_at < (
        SELECT ended_at FROM tasks WHERE tasks.subject = runs.id AND tasks.attempt = runs.attempt
    )
"""


def upgrade() -> None:
    op.execute(SETTLED_WHEN_IT_ENDED)
    op.drop_index(op.f("runs_person_id_notebook_hash"), "runs")
    op.create_index(op.f("runs_person_id_notebook_hash_id"), "runs", ["person_id", "notebook_hash", "id"])
    op.drop_index(op.f("runs_person_id_id"), "runs")
    op.create_index(op.f("runs_person_id_id_name"), "runs", ["person_id", "id", "name"])
    op.drop_index(op.f("runs_sweep_id_place"), "runs")
    _partial("runs_of_a_sweep", "runs", ["sweep_id", "place"], "sweep_id IS NOT NULL", unique=True)
    _partial("runs_starred", "runs", ["person_id", "id"], "starred_at IS NOT NULL")
    _partial("runs_loose", "runs", ["person_id", "id", "name"], "sweep_id IS NULL")
    _partial("runs_may_go", "runs", ["person_id", "settled_at"], "starred_at IS NULL AND removed_at IS NULL")
    op.drop_index(op.f("tasks_phase_forgotten_at"), "tasks")  # of the few that are open or ended, as SQLite believed
    op.create_index(op.f("tasks_person_id_outcome_subject"), "tasks", ["person_id", "outcome", "subject"])
    op.create_index(op.f("tasks_kind_id"), "tasks", ["kind", "id"])
    _partial("tasks_open", "tasks", ["id"], "phase < 4")
    _partial("tasks_to_forget", "tasks", ["id"], "phase = 4 AND forgotten_at IS NULL")


def _partial(name: str, table: str, columns: list[str], where: str, unique: bool = False) -> None:
    when = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=when, postgresql_where=when)

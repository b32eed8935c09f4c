"""Sessions are shared with colleagues and groups, for a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from drybench.tables import UtcTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("with_kind", sa.String(), nullable=False),
        sa.Column("with_id", sa.String(), nullable=True),
        sa.Column("with_name", sa.String(), nullable=False),
        sa.Column("control", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("shares_person_id_of_people")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("shares_session_id_of_sessions")),
        sa.ForeignKeyConstraint(["with_id"], ["people.id"], name=op.f("shares_with_id_of_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("shares_key")),
    )
    open_still = sa.text("ended_at IS NULL")
    for name, columns in {"shares_open_person_id": ["person_id", "session_id"], "shares_open_until": ["until"]}.items():
        op.create_index(name, "shares", columns, sqlite_where=open_still, postgresql_where=open_still)

"""A notice says what it is about: the end of a run, or that its kernel is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notices") as notices:
        notices.add_column(sa.Column("about", sa.String(), nullable=False, server_default="end"))
        notices.drop_constraint(op.f("notices_run_id_attempt_channel_id_once"), type_="unique")
        notices.create_unique_constraint(
            op.f("notices_run_id_attempt_channel_id_about_once"), ["run_id", "attempt", "channel_id", "about"]
        )

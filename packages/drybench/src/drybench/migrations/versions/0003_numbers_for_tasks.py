"""The numbers by which tasks go in containers, for people and groups that the machine does not know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people", sa.Column("uid", sa.Integer()))
    op.create_index(op.f("people_uid"), "people", ["uid"], unique=True)
    op.create_table(
        "group_numbers",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("gid", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("group_numbers_key")),
    )
    op.create_index(op.f("group_numbers_gid"), "group_numbers", ["gid"], unique=True)

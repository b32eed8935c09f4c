"""Sessions are started before their person asks for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from drybench.tables import UtcTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("ahead_since", UtcTime(), nullable=True))

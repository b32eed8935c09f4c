"""Alembic runs this file; the connection comes from `database.prepare`, within its transaction."""

from __future__ import annotations

from alembic import context

from drybench.tables import metadata


def migrate() -> None:
    # SQLite can add a column and little more: batch mode makes the table anew instead
    context.configure(
        connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
    )
    with context.begin_transaction():
        context.run_migrations()


migrate()

"""Alembic's environment: the application's own engine and metadata, on SQLite and PostgreSQL."""

from typing import Any

from alembic import context
from flask import current_app

from quizapp.core.db import db

config = context.config
target_metadata = db.metadata


def _skip_empty(ctx: Any, revision: Any, directives: list[Any]) -> None:
    if getattr(config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def run_offline() -> None:
    context.configure(url=str(db.engine.url), target_metadata=target_metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    options = dict(current_app.extensions["migrate"].configure_args)
    options.setdefault("process_revision_directives", _skip_empty)
    with db.engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            # A table that is made anew (batch mode) is dropped in between, which its own references would forbid. Outside a
            # transaction, where alone this switch works: through the driver's own connection.
            _set_foreign_keys(connection, "OFF")
        context.configure(connection=connection, target_metadata=target_metadata, **options)
        with context.begin_transaction():
            context.run_migrations()
        if is_sqlite:
            _set_foreign_keys(connection, "ON")


def _set_foreign_keys(connection: Any, state: str) -> None:
    cursor = connection.connection.dbapi_connection.cursor()
    if state == "ON":
        broken = cursor.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"migration left broken references: {broken[:5]}")
    cursor.execute(f"PRAGMA foreign_keys={state}")
    cursor.close()


if context.is_offline_mode():
    run_offline()
else:
    run_online()

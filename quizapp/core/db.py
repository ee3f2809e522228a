"""The database: one metadata, one place where a transaction begins and ends.

The *edge* (a view, a job, a command) opens ``with transaction():``; services flush and never commit.
"""

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry
from sqlalchemy.types import TypeDecorator

from quizapp.core.ids import new_id

log = logging.getLogger(__name__)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment: aware, stored and read back as UTC on both databases (SQLite forgets the zone by itself)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


JsonValue = sa.JSON().with_variant(JSONB(), "postgresql")

IdPk = Annotated[uuid.UUID, mapped_column(sa.Uuid, primary_key=True, default=new_id)]
Id = Annotated[uuid.UUID, mapped_column(sa.Uuid)]
Moment = Annotated[dt.datetime, mapped_column(UtcDateTime)]


class Base(DeclarativeBase):
    """What every table inherits."""

    registry = registry(
        metadata=sa.MetaData(naming_convention=NAMING),
        type_annotation_map={
            uuid.UUID: sa.Uuid,
            dt.datetime: UtcDateTime,
            int: sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        },
    )


db = SQLAlchemy(metadata=Base.registry.metadata, session_options={"expire_on_commit": False})

_WRITING = "quizapp_writing"


@event.listens_for(Engine, "connect")
def _prepare_connection(dbapi_connection: Any, connection_record: Any) -> None:
    """SQLite: hand transaction control to us, write-ahead log, wait for the lock, keep foreign keys."""
    if type(dbapi_connection).__module__.startswith("sqlite3"):
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
            cursor.execute("PRAGMA " + pragma)
        cursor.close()


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    """SQLite: a writing transaction takes its lock at once. A deferred one that reads and then writes
    fails with "database is locked" without waiting (the busy timeout does not help an upgrade)."""
    if connection.dialect.name == "sqlite":
        writing = connection.get_execution_options().get(_WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


class TransactionAlreadyOpen(RuntimeError):
    """``transaction()`` was opened inside another one: two edges in one call, a programming mistake."""


_state = threading.local()


def in_transaction() -> bool:
    return getattr(_state, "hooks", None) is not None


@contextmanager
def transaction() -> Iterator[None]:
    """Open the writing transaction of this request, job or command; commit at the end, roll back on error.

    It first ends the read transaction that loading the user began, so rows read before must be read again inside.
    Hooks given to :func:`on_commit` run after the commit; one that fails is logged and does not undo anything.
    """
    if in_transaction():
        raise TransactionAlreadyOpen
    hooks: list[Callable[[], None]] = []
    _state.hooks = hooks
    session = db.session
    try:
        session.rollback()
        session.connection(execution_options={_WRITING: True})
        try:
            yield
            session.commit()
        except BaseException:
            session.rollback()
            raise
    finally:
        _state.hooks = None
    for hook in hooks:
        try:
            hook()
        except Exception:
            log.exception("a hook after commit failed")


def on_commit(hook: Callable[[], None]) -> None:
    """Run ``hook`` after the transaction commits. Only for what may be lost (caches, counters)."""
    if not in_transaction():
        raise RuntimeError("on_commit outside transaction()")
    _state.hooks.append(hook)

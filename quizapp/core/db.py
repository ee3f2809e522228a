"""The database: one metadata, one place where a transaction begins and ends.

The *edge* (a view, a job, a command) opens ``with transaction():``; services flush and never commit.
"""

import datetime as dt
import functools
import logging
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from flask import current_app
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


@dataclass(frozen=True)
class Write:
    """One INSERT or UPDATE of a hot path, to be sent together with others of the same transaction.

    ``sql`` uses named parameters (``:name``), whose names carry a prefix of the feature so that writes can be joined,
    and must be valid on both databases and without RETURNING.
    """

    sql: str
    params: Mapping[str, Any]


def _sqlite_value(value: Any) -> Any:
    """What SQLAlchemy's types would store: text() statements bypass them."""
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


_PARAMETER = re.compile(r"(?<![:\w]):([a-z]\w*)")


@functools.lru_cache(maxsize=512)
def _joined(statements: tuple[str, ...]) -> str:
    """Statements as one for psycopg, which names parameters ``%(name)s``."""
    if len(statements) == 1:
        text = statements[0]
    else:
        text = "WITH " + ", ".join(f"w{number} AS ({sql} RETURNING 1)" for number, sql in enumerate(statements)) + " SELECT 1"
    return _PARAMETER.sub(r"%(\1)s", text.replace("%", "%%"))


def run_writes(*writes: Write) -> None:
    """Execute all writes: in one statement on PostgreSQL (data-modifying CTEs: one round trip instead of several), one
    after the other on SQLite, which has no round trips to save.

    On PostgreSQL the parts see the same snapshot and not each other's rows; foreign keys are checked at the end.
    """
    if not writes:
        return
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        for write in writes:
            connection.exec_driver_sql(write.sql, {name: _sqlite_value(value) for name, value in write.params.items()})
        return
    merged = {name: value for write in writes for name, value in write.params.items()}
    if len(merged) != sum(len(write.params) for write in writes):
        raise ValueError("two writes use the same parameter name")
    connection.exec_driver_sql(_joined(tuple(write.sql for write in writes)), merged)


_driver_sql: dict[int, tuple[sa.Select[*tuple[Any, ...]], str, dict[str, Any]]] = {}
"""Statements of hot paths as psycopg takes them, by identity. The statement is kept, so that its id stays its own."""


def _run(connection: Connection, statement: sa.Select[*tuple[Any, ...]], params: Mapping[str, Any]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """On PostgreSQL the SQL is compiled once for good: psycopg reads our types (UUIDs, aware moments, bytes) by itself.
    SQLite needs SQLAlchemy's types, and has no round trips beside which they would count."""
    if connection.dialect.name == "sqlite":
        return connection.execute(statement, params).all()
    known = _driver_sql.get(id(statement))
    if known is None:
        compiled = statement.compile(dialect=connection.dialect)
        known = _driver_sql[id(statement)] = (statement, str(compiled), dict(compiled.params))
    return connection.exec_driver_sql(known[1], {**known[2], **params}).all()


def fetch(statement: sa.Select[*tuple[Any, ...]], params: Mapping[str, Any]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Rows of a Core statement in the session's transaction, without the cost of the ORM's session: for hot paths.

    :param statement: one made once and kept (a module's constant), without expanding parameters
    """
    return _run(db.session.connection(), statement, params)


_readers: dict[Engine, Engine] = {}


def _reader(engine: Engine) -> Engine:
    """A second pool whose connections commit by themselves: switching one of the first pool there and back with every
    request costs more than the statement."""
    if engine not in _readers:
        options = current_app.config["SQLALCHEMY_ENGINE_OPTIONS"]
        _readers[engine] = sa.create_engine(engine.url, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, **options)
    return _readers[engine]


def fetch_alone(statement: sa.Select[*tuple[Any, ...]], params: Mapping[str, Any]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Rows of one SELECT that needs no transaction around it. On PostgreSQL this saves sending BEGIN and ROLLBACK; SQLite
    has no such cost, and a session that has begun already is used as it is."""
    if db.session.registry().in_transaction() or db.engine.dialect.name == "sqlite":
        return fetch(statement, params)
    with _reader(db.engine).connect() as connection:
        return _run(connection, statement, params)


def dispose() -> None:
    """Close every connection of this process: before forking, and when tests end."""
    reader = _readers.pop(db.engine, None)
    if reader is not None:
        reader.dispose()
    db.engine.dispose()

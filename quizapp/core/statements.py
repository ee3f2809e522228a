"""The hot paths' way to the database: statements made once, sent as the driver takes them, several writes in one.

SQL goes to the driver itself, over SQLAlchemy's pools: the description of every result, which SQLAlchemy reads anew each
time, costs more than the rows. psycopg reads our types (UUIDs, aware moments, bytes) by itself; what SQLite keeps as text is
read with SQLAlchemy's types. What listens to the engine's ``before_cursor_execute`` hears these statements too.
"""

import collections
import datetime as dt
import functools
import itertools
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa
from flask import Flask, current_app, g
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import PoolProxiedConnection

from quizapp.core.db import db, in_transaction

_Holder = Connection | PoolProxiedConnection
Row = Any
"""What a statement's rows are: values by place or by the column's name."""


class Stale(Exception):
    """A guarded write found that somebody had changed its row since it was read; nothing was written."""


@dataclass(frozen=True)
class Write:
    """One INSERT or UPDATE of a hot path, to be sent together with others of the same transaction.

    ``sql`` uses named parameters (``:name``), whose names carry a prefix of the feature so that writes can be joined,
    and must be valid on both databases and without RETURNING.

    :param is_guarded: it must change a row: if its condition finds none, none of the writes happen (:class:`Stale`)
    """

    sql: str
    params: Mapping[str, Any]
    is_guarded: bool = False


def _sqlite_values(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _sqlite_value(value) for name, value in params.items()}


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
def _joined(statements: tuple[tuple[str, bool], ...]) -> str:
    """Statements as one for psycopg, which names parameters ``%(name)s``. A guard that finds no row divides by zero: of
    all errors the one that ends the statement with everything in it and that no column or constraint could raise."""
    parts = ", ".join(f"w{number} AS ({sql} RETURNING 1)" for number, (sql, _) in enumerate(statements))
    guards = "".join(f" / (SELECT count(*) FROM w{number})" for number, (_, is_guarded) in enumerate(statements) if is_guarded)  # noqa: S608 - a number of ours
    text = f"WITH {parts} SELECT 1{guards}"
    return _PARAMETER.sub(r"%(\1)s", text.replace("%", "%%"))


def _as_one(writes: Sequence[Write]) -> tuple[str, dict[str, Any]]:
    merged = {name: value for write in writes for name, value in write.params.items()}
    if len(merged) != sum(len(write.params) for write in writes):
        raise ValueError("two writes use the same parameter name")
    return _joined(tuple((write.sql, write.is_guarded) for write in writes)), merged


def run_writes(*writes: Write) -> None:
    """Execute all writes in the session's transaction: in one statement on PostgreSQL (data-modifying CTEs: one round trip
    instead of several), one after the other on SQLite.

    On PostgreSQL the parts see the same snapshot and not each other's rows; foreign keys are checked at the end.

    :raises Stale: if a guarded write changes no row; the transaction must then be given up
    """
    if not writes:
        return
    connection = db.session.connection()
    if _is_sqlite():
        _write_each(connection.engine, connection, writes)
    else:
        _execute(connection.engine, connection, *_as_one(writes))


def _write_each(engine: Engine, holder: _Holder, writes: Sequence[Write]) -> None:
    for write in writes:
        with _executed(engine, holder, write.sql, _sqlite_values(write.params)) as cursor:
            if cursor.rowcount == 0 and write.is_guarded:
                raise Stale


def run_many(sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute one INSERT or UPDATE for many rows in the session's transaction: prepared once, sent without waiting for each
    answer (PostgreSQL), in the order of ``rows``.

    :param sql: with named parameters, as in :class:`Write`
    """
    if not rows:
        return
    connection = db.session.connection()
    if _is_sqlite():
        connection.exec_driver_sql(sql, [_sqlite_values(row) for row in rows])
        return
    text = _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
    pooled: Any = connection.connection
    with pooled.cursor() as cursor:
        for listener in connection.engine.dispatch.before_cursor_execute:
            listener(None, cursor, text, rows, None, True)
        try:
            cursor.executemany(text, rows)
        except psycopg.Error as error:
            if pooled.dbapi_connection.closed:
                connection.invalidate(error)
            raise _as_ours(error, text, connection.engine) from error


COPY_ROWS = 5000
"""How many rows are sent at a time."""


def run_copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write very many rows of plain values in the session's transaction: COPY on PostgreSQL, else INSERT in batches. Triggers
    and constraints hold as for any insert.

    :param table: a name of ours, and so are ``columns``; rows hold texts, numbers, booleans, ids, days, moments and None
    """
    connection = db.session.connection()
    waiting = iter(rows)
    if _is_sqlite():
        marks = ", ".join("?" for _ in columns)
        text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of ours
        while part := [tuple(map(_sqlite_value, row)) for row in itertools.islice(waiting, COPY_ROWS)]:
            connection.exec_driver_sql(text, part)
        return
    pooled: Any = connection.connection
    text = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with pooled.cursor() as cursor:
        for listener in connection.engine.dispatch.before_cursor_execute:
            listener(None, cursor, text, None, None, True)
        try:
            with cursor.copy(text) as copy:
                while chunk := "".join("\t".join(map(_copy_text, row)) + "\n" for row in itertools.islice(waiting, COPY_ROWS)):
                    copy.write(chunk)
        except psycopg.Error as error:
            if pooled.dbapi_connection.closed:
                connection.invalidate(error)
            raise _as_ours(error, text, connection.engine) from error


def _escaped(value: str) -> str:
    if "\\" in value or "\t" in value or "\n" in value or "\r" in value:
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return value


_COPY_TEXTS: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: "\\N",
    str: _escaped,
    dt.datetime: lambda value: value.isoformat(),
    dt.date: lambda value: value.isoformat(),
}


def _copy_text(value: Any) -> str:
    """A value as COPY's text format takes it."""
    return _COPY_TEXTS.get(type(value), str)(value)


def _as_ours(error: psycopg.Error | sqlite3.Error, sql: str, engine: Engine) -> BaseException:
    """What the driver raised as SQLAlchemy's error of the same kind, without the values."""
    base = psycopg.Error if isinstance(error, psycopg.Error) else sqlite3.Error
    return sa.exc.DBAPIError.instance(sql, None, error, base, hide_parameters=True, dialect=engine.dialect)


def can_write_alone() -> bool:
    """Whether :func:`run_writes_alone` may be used: no transaction has been begun by this request or job."""
    return not in_transaction() and not _has_begun()


def run_writes_alone(*writes: Write) -> None:
    """Execute all writes as a transaction of their own, on PostgreSQL one statement: neither BEGIN nor COMMIT travel, and no
    lock is held longer than the writes take. What was read before must be guarded.

    :raises Stale: if a guarded write changes no row; nothing was written
    """
    engine, pooled = _alone()
    if not _is_sqlite():
        _execute(engine, pooled, *_as_one(writes))
        return
    _execute(engine, pooled, "BEGIN IMMEDIATE", {})
    try:
        _write_each(engine, pooled, writes)
        _execute(engine, pooled, "COMMIT", {})
    except BaseException:
        pooled.rollback()
        raise


class _Compiled(NamedTuple):
    statement: sa.Select[*tuple[Any, ...]]
    sql: str
    params: dict[str, Any]
    make: Callable[[Sequence[Any]], Row]


_compiled: dict[tuple[int, str], _Compiled] = {}
"""Statements of hot paths as the driver takes them, by identity. The statement is kept, so that its id stays its own."""


def _compile(engine: Engine, statement: sa.Select[*tuple[Any, ...]]) -> _Compiled:
    key = id(statement), engine.dialect.name
    known = _compiled.get(key)
    if known is None:
        dialect = sqlite.dialect(paramstyle="named") if engine.dialect.name == "sqlite" else engine.dialect
        compiled = statement.compile(dialect=dialect)
        row = collections.namedtuple("Row", statement.selected_columns.keys(), rename=True)  # type: ignore[misc]  # names known at run time
        make: Callable[[Any], Row] = row._make
        if dialect.name == "sqlite":
            make = _reading(row._make, [column.type.dialect_impl(dialect) for column in statement.selected_columns], dialect)
        known = _compiled[key] = _Compiled(statement, str(compiled), dict(compiled.params), make)
    return known


def _reading(make: Callable[[Iterable[Any]], Row], types: Sequence[Any], dialect: sa.Dialect) -> Callable[[Sequence[Any]], Row]:
    """A maker of rows that first reads the few columns which SQLite keeps in another form."""
    read = [(place, reader) for place, reader in enumerate(kind.result_processor(dialect, None) for kind in types) if reader is not None]

    def made(values: Sequence[Any]) -> Row:
        row = list(values)
        for place, reader in read:
            row[place] = reader(row[place])
        return make(row)

    return made


def _fetch(engine: Engine, holder: _Holder, statement: sa.Select[*tuple[Any, ...]], params: Mapping[str, Any]) -> Sequence[Row]:
    known = _compile(engine, statement)
    values = {**known.params, **params}
    return [known.make(row) for row in _execute(engine, holder, known.sql, _sqlite_values(values) if _is_sqlite() else values)]


def fetch(statement: sa.Select[*tuple[Any, ...]], params: Mapping[str, Any]) -> Sequence[Row]:
    """Rows of a Core statement in the session's transaction, without the cost of the ORM's session: for hot paths.

    :param statement: one made once and kept (a module's constant), without expanding parameters
    """
    connection = db.session.connection()
    return _fetch(connection.engine, connection, statement, params)


def fetch_alone(statement: sa.Select[*tuple[Any, ...]], params: Mapping[str, Any]) -> Sequence[Row]:
    """Rows of one SELECT that needs no transaction around it, which saves sending BEGIN and ROLLBACK. A session that has begun
    already is used as it is."""
    if _has_begun():
        return fetch(statement, params)
    return _fetch(*_alone(), statement, params)


# ---- connections


def _is_sqlite() -> bool:
    return bool(current_app.config["IS_SQLITE"])


def _has_begun() -> bool:
    """Whether the session of this request has begun a transaction; asking does not make a session."""
    return db.session.registry.has() and db.session.registry().in_transaction()


_HELD = "quizapp_alone"
_alone_engines: dict[Engine, Engine] = {}


def _alone() -> tuple[Engine, PoolProxiedConnection]:
    """A connection that commits by itself, of a second pool: switching one of the first pool there and back with every
    request costs more than the statement. It stays with the request (or job) until its application context ends."""
    held: tuple[Engine, PoolProxiedConnection] | None = g.get(_HELD)
    if held is None or not held[1].is_valid:
        engine = _alone_engine()
        held = engine, engine.raw_connection()
        setattr(g, _HELD, held)
    return held


def _give_back(error: BaseException | None) -> None:
    held = g.pop(_HELD, None)
    if held is not None:
        held[1].close()


def init_app(app: Flask) -> None:
    """Give connections back at the end of every request and job."""
    app.teardown_appcontext(_give_back)


def _alone_engine() -> Engine:
    engine = _alone_engines.get(db.engine)
    if engine is None:
        options = current_app.config["SQLALCHEMY_ENGINE_OPTIONS"]
        engine = sa.create_engine(db.engine.url, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, **options)
        _alone_engines[db.engine] = engine
    return engine


def _execute(engine: Engine, holder: _Holder, sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with _executed(engine, holder, sql, params) as cursor:
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _executed(engine: Engine, holder: _Holder, sql: str, params: Mapping[str, Any]) -> "closing[Any]":
    """Run one statement on the driver's connection; errors are SQLAlchemy's, a broken connection leaves the pool."""
    pooled: Any = holder.connection if isinstance(holder, Connection) else holder
    cursor = pooled.cursor()
    for listener in engine.dispatch.before_cursor_execute:
        listener(None, cursor, sql, params, None, False)
    try:
        cursor.execute(sql, params)
    except (psycopg.Error, sqlite3.Error) as error:
        cursor.close()
        if isinstance(error, psycopg.errors.DivisionByZero):
            raise Stale from error
        if getattr(pooled.dbapi_connection, "closed", False):
            holder.invalidate(error)
        raise _as_ours(error, sql, engine) from error
    return closing(cursor)


def dispose() -> None:
    """Close every connection of this process: before forking, and when tests end."""
    alone = _alone_engines.pop(db.engine, None)
    if alone is not None:
        alone.dispose()
    db.engine.dispose()

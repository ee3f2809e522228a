"""Who leads among several workers, and its last sign of life (in Redis when there is one, else a row).

On PostgreSQL the lead is an advisory lock on a connection of its own: the server lets go of it the moment the process is
gone. On SQLite it is a row with an expiry that the leader keeps renewing.
"""

import datetime as dt
import logging
import zlib
from typing import Protocol

import redis
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core import redis_keys
from quizapp.core.db import Base, Moment, db, transaction
from quizapp.extensions import redis_client

log = logging.getLogger(__name__)

SIGN_SECONDS = 120
LEASE = dt.timedelta(seconds=20)
"""How long a silent leader on SQLite is waited for."""


class WorkerLease(Base):
    """One named lead. ``seen_at`` is the holder's last sign of life."""

    __tablename__ = "worker_leases"

    name: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(80))
    seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]


def take_lease(name: str, holder: str, now: dt.datetime) -> bool:
    """Take the lease, renew it, or take it over once it ran out. The caller holds the transaction.

    :returns: whether ``holder`` has it now
    """
    values = {"holder": holder, "seen_at": now, "expires_at": now + LEASE}
    mine = sa.or_(WorkerLease.holder == holder, WorkerLease.expires_at <= now)
    update = sa.update(WorkerLease).where(WorkerLease.name == name, mine).values(values).returning(WorkerLease.name)
    if db.session.execute(update).first() is not None:
        return True
    if db.session.scalar(sa.select(WorkerLease.name).filter_by(name=name).with_for_update()) is not None:
        return False
    db.session.execute(sa.insert(WorkerLease).values(name=name, **values))
    return True


def drop_lease(name: str, holder: str, now: dt.datetime) -> None:
    """Let go, so that the next one need not wait for the expiry."""
    db.session.execute(sa.update(WorkerLease).filter_by(name=name, holder=holder).values(expires_at=now))


def say_alive(name: str, holder: str, now: dt.datetime) -> None:
    """Leave a sign of life. The caller holds no transaction."""
    if redis_client.client is not None:
        try:
            redis_client.client.set(redis_keys.worker_seen(), now.isoformat(), ex=SIGN_SECONDS)
            return
        except redis.RedisError:
            log.warning("Redis does not answer; the sign of life goes to the database")
    with transaction():
        seen = sa.update(WorkerLease).filter_by(name=name).values(holder=holder, seen_at=now).returning(WorkerLease.name)
        if db.session.execute(seen).first() is None:
            db.session.execute(sa.insert(WorkerLease).values(name=name, holder=holder, seen_at=now, expires_at=now))


def find_last_sign(name: str) -> dt.datetime | None:
    """When the leading worker was last heard of; None when never, or not for a while with Redis."""
    if redis_client.client is not None:
        try:
            text = redis_client.client.get(redis_keys.worker_seen())
            return dt.datetime.fromisoformat(text.decode()) if isinstance(text, bytes) else None
        except (redis.RedisError, ValueError):
            log.warning("no readable sign of life in Redis")
    return db.session.scalar(sa.select(WorkerLease.seen_at).filter_by(name=name))


class Lead(Protocol):
    """The right to run the timetable."""

    def take(self, now: dt.datetime) -> bool:
        """Try to become the leader, or make sure of still being it."""
        ...

    def drop(self, now: dt.datetime) -> None:
        """Give it up."""
        ...


class AdvisoryLead:
    """PostgreSQL: a session-level advisory lock on a connection that does nothing else."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = zlib.crc32(f"quizapp/{name}".encode())
        self._connection: Connection | None = None

    def take(self, now: dt.datetime) -> bool:
        try:
            if self._connection is not None:
                self._connection.execute(sa.text("SELECT 1"))
                return True
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}):
                self._connection = connection
                return True
            connection.close()
        except sa.exc.DBAPIError:
            self._forget()
        return False

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def drop(self, now: dt.datetime) -> None:
        """Unlock, then close the connection for good (not back into the pool). Closing alone would do, but the server
        notices a closed connection a moment later."""
        if self._connection is not None:
            try:
                self._connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
            except sa.exc.DBAPIError:
                log.info("the connection of the lead was lost already, and the lead with it")
        self._forget()


class LeaseLead:
    """SQLite: the row, renewed well within :data:`LEASE`."""

    def __init__(self, name: str, holder: str) -> None:
        self._name = name
        self._holder = holder

    def take(self, now: dt.datetime) -> bool:
        with transaction():
            return take_lease(self._name, self._holder, now)

    def drop(self, now: dt.datetime) -> None:
        with transaction():
            drop_lease(self._name, self._holder, now)

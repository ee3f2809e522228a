"""Idempotency keys: a POST repeated with the same key gets the first answer again, not a second effect."""

import datetime as dt
import hashlib
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, Moment, db
from quizapp.core.errors import AppError, Conflict
from quizapp.core.text import N_

KEEP = dt.timedelta(hours=24)
ABANDONED_AFTER = dt.timedelta(seconds=60)


class KeyReused(AppError):
    code = "idempotency_key_reused"
    message = N_("同一个防重复编号用在了不同的内容上。")
    http_status = 422


class KeyInProgress(Conflict):
    code = "idempotency_key_in_progress"
    message = N_("同样的请求正在处理，请稍等。")


class IdempotencyRecord(Base):
    """One key of one caller. ``response`` is encrypted, since an answer may hold a token."""

    __tablename__ = "idempotency_records"
    __table_args__ = (sa.UniqueConstraint("caller", "key"), sa.Index(None, "created_at"))

    id: Mapped[IdPk]
    caller: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    key: Mapped[str] = mapped_column(sa.String(200))
    request_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    status: Mapped[int | None] = mapped_column(sa.Integer)
    response: Mapped[bytes | None]
    created_at: Mapped[Moment]


def request_hash(method: str, path: str, body: bytes) -> bytes:
    return hashlib.sha256(b"\x1f".join((method.encode(), path.encode(), body))).digest()


def begin(caller: bytes, key: str, digest: bytes, now: dt.datetime) -> tuple[uuid.UUID, IdempotencyRecord | None]:
    """Take the key, or find the finished first answer.

    :returns: the record's id, and the record when its answer is to be repeated
    :raises KeyReused: the same key came with another body
    :raises KeyInProgress: the first request has not been answered yet
    """
    record = db.session.scalar(sa.select(IdempotencyRecord).filter_by(caller=caller, key=key).with_for_update())
    if record is None:
        record = IdempotencyRecord(caller=caller, key=key, request_hash=digest, created_at=now)
        db.session.add(record)
        try:
            db.session.flush()
        except sa.exc.IntegrityError:
            raise KeyInProgress from None
        return record.id, None
    if record.request_hash != digest:
        raise KeyReused
    if record.status is None:
        if now - record.created_at < ABANDONED_AFTER:
            raise KeyInProgress
        record.created_at = now
        return record.id, None
    return record.id, record


def finish(record_id: uuid.UUID, status: int, response: bytes) -> None:
    db.session.execute(sa.update(IdempotencyRecord).filter_by(id=record_id).values(status=status, response=response))


def release(record_id: uuid.UUID) -> None:
    """Forget a key whose request failed on our side, so that it may be tried again."""
    db.session.execute(sa.delete(IdempotencyRecord).filter_by(id=record_id))


def delete_old(now: dt.datetime) -> int:
    gone = sa.delete(IdempotencyRecord).where(IdempotencyRecord.created_at < now - KEEP).returning(IdempotencyRecord.id)
    return len(db.session.execute(gone).all())

"""Sessions of citizens and staff, by cookie or bearer token. Only the hash of a token is kept."""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.accounts.models import Citizen, StaffAccount, UserSession
from quizapp.core.crypto import new_token, token_hash
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.ids import new_id
from quizapp.core.statements import Write, run_writes
from quizapp.core.text import clean_line

SEEN_EVERY = dt.timedelta(minutes=10)
"""How often a session's last use is written."""


@dataclass(frozen=True)
class Limits:
    """How long a session lasts without use, and at most."""

    idle: dt.timedelta
    absolute: dt.timedelta


CITIZEN_LIMITS = Limits(dt.timedelta(days=30), dt.timedelta(days=180))
STAFF_LIMITS = Limits(dt.timedelta(minutes=30), dt.timedelta(hours=12))


def open_session(
    *,
    now: dt.datetime,
    citizen_id: uuid.UUID | None = None,
    staff_id: uuid.UUID | None = None,
    is_bearer: bool = False,
    device_label: str = "",
) -> str:
    """Begin a session of one citizen or one member of staff and return its token; nobody can read it again."""
    token = new_token()
    db.session.flush()
    run_writes(session_write(token, now=now, citizen_id=citizen_id, staff_id=staff_id, is_bearer=is_bearer, device_label=device_label))
    return token


_INSERT = (
    "INSERT INTO user_sessions "
    "(id, token_hash, citizen_id, staff_id, is_bearer, device_label, created_at, last_seen_at, idle_seconds, expires_at) "
    "VALUES (:s_id, :s_token_hash, :s_citizen, :s_staff, :s_is_bearer, :s_label, :s_now, :s_now, :s_idle, :s_expires)"
)


def session_write(
    token: str, *, now: dt.datetime, citizen_id: uuid.UUID | None, staff_id: uuid.UUID | None = None, is_bearer: bool, device_label: str
) -> Write:
    """The row of a session that begins with ``token``, to be written with others."""
    limits = STAFF_LIMITS if staff_id else CITIZEN_LIMITS
    values = {
        "s_id": new_id(),
        "s_token_hash": token_hash(token),
        "s_citizen": citizen_id,
        "s_staff": staff_id,
        "s_is_bearer": is_bearer,
        "s_label": clean_line(device_label, 80),
        "s_now": now,
        "s_idle": int(limits.idle.total_seconds()),
        "s_expires": now + limits.absolute,
    }
    return Write(_INSERT, values)


def issue_bearer(person_id: uuid.UUID, now: dt.datetime, device_label: str = "") -> str:
    """A bearer token for the citizen or staff account with this id.

    :raises NotFound: if the id is neither
    """
    if db.session.get(Citizen, person_id) is not None:
        return open_session(now=now, citizen_id=person_id, is_bearer=True, device_label=device_label)
    if db.session.get(StaffAccount, person_id) is not None:
        return open_session(now=now, staff_id=person_id, is_bearer=True, device_label=device_label)
    raise NotFound


def touch_session(session_id: uuid.UUID, now: dt.datetime) -> None:
    """Write that a session was used, unless somebody just did."""
    db.session.execute(
        sa.update(UserSession)
        .where(UserSession.id == session_id, UserSession.last_seen_at <= now - SEEN_EVERY)
        .values(last_seen_at=now)
        .execution_options(synchronize_session=False)
    )


def end_session(session_id: uuid.UUID, now: dt.datetime) -> None:
    """End one session; nothing happens if it has ended."""
    _end(UserSession.id == session_id, now)


def end_citizen_session(citizen_id: uuid.UUID, session_id: uuid.UUID, now: dt.datetime) -> None:
    """End one of the citizen's own sessions.

    :raises NotFound: if it is not theirs or has ended
    """
    if not _end(sa.and_(UserSession.id == session_id, UserSession.citizen_id == citizen_id), now):
        raise NotFound


def end_citizen_sessions(citizen_id: uuid.UUID, now: dt.datetime, keep: uuid.UUID | None = None) -> int:
    """End all sessions of a citizen but ``keep``; returns how many."""
    condition = UserSession.citizen_id == citizen_id
    return _end(condition if keep is None else sa.and_(condition, UserSession.id != keep), now)


def end_staff_sessions(staff_id: uuid.UUID, now: dt.datetime, keep: uuid.UUID | None = None) -> int:
    """End all sessions of a staff account but ``keep``; returns how many."""
    condition = UserSession.staff_id == staff_id
    return _end(condition if keep is None else sa.and_(condition, UserSession.id != keep), now)


def _end(condition: sa.ColumnElement[bool], now: dt.datetime) -> int:
    ended = (
        sa.update(UserSession)
        .where(condition, UserSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(UserSession.id)
        .execution_options(synchronize_session=False)
    )
    return len(db.session.execute(ended).all())

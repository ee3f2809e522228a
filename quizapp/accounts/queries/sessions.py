"""Reads about sessions: one statement tells everything a request needs to know about who is asking."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa

from quizapp.accounts.models import Citizen, Organisation, StaffAccount, StaffRole, UserSession
from quizapp.core.db import db
from quizapp.core.statements import Row, fetch_alone

# Core tables and not mapped classes: these statements run with every request, and the ORM would double their cost.
_sessions = cast(sa.Table, UserSession.__table__)
_citizens = cast(sa.Table, Citizen.__table__)
_staff = cast(sa.Table, StaffAccount.__table__)
_roles = cast(sa.Table, StaffRole.__table__)
_units = cast(sa.Table, Organisation.__table__)
_LIVE = (
    _sessions.c.token_hash == sa.bindparam("token_hash", type_=sa.LargeBinary(32)),
    _sessions.c.ended_at.is_(None),
)
_SESSION = (
    _sessions.c.id.label("session_id"),
    _sessions.c.is_bearer,
    _sessions.c.last_seen_at,
    _sessions.c.idle_seconds,
    _sessions.c.expires_at,
)
_CITIZEN_SESSION = (
    sa.select(*_SESSION, _citizens.c.id.label("citizen_id"), _citizens.c.nickname)
    .join_from(_sessions, _citizens, _citizens.c.id == _sessions.c.citizen_id)
    .where(*_LIVE, _citizens.c.status == "active")
)
_STAFF_SESSION = (
    sa.select(
        *_SESSION,
        _staff.c.id.label("staff_id"),
        _staff.c.display_name,
        _staff.c.must_change_password,
        _staff.c.totp_confirmed_at,
        _roles.c.role,
        _roles.c.organisation_id,
        _units.c.path,
        _units.c.parent_id,
    )
    .join_from(_sessions, _staff, _staff.c.id == _sessions.c.staff_id)
    .outerjoin(_roles, _roles.c.staff_id == _staff.c.id)
    .outerjoin(_units, _units.c.id == _roles.c.organisation_id)
    .where(*_LIVE, _staff.c.is_active)
    .order_by(_roles.c.role, _units.c.path)
)


def find_citizen_session(token_hash: bytes) -> Row | None:
    """The session with this token and its citizen; limits of time are the caller's to check."""
    rows = fetch_alone(_CITIZEN_SESSION, {"token_hash": token_hash})
    return rows[0] if rows else None


def find_staff_session(token_hash: bytes) -> Sequence[Row]:
    """The session with this token, once per role of its account; empty if there is none."""
    return fetch_alone(_STAFF_SESSION, {"token_hash": token_hash})


def list_sessions(citizen_id: uuid.UUID, now: dt.datetime) -> list[UserSession]:
    """Sessions of a citizen that still work, the last used first."""
    found = sa.select(UserSession).where(
        UserSession.citizen_id == citizen_id,
        UserSession.ended_at.is_(None),
        UserSession.expires_at > now,
    )
    sessions = db.session.scalars(found.order_by(UserSession.last_seen_at.desc()))
    return [row for row in sessions if row.last_seen_at + dt.timedelta(seconds=row.idle_seconds) > now]

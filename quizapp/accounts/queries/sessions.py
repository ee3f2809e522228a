"""Reads about sessions: one statement tells everything a request needs to know about who is asking."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Citizen, Organisation, StaffAccount, StaffRole, UserSession
from quizapp.core.db import db

_LIVE = (
    UserSession.token_hash == sa.bindparam("token_hash", type_=sa.LargeBinary(32)),
    UserSession.ended_at.is_(None),
)
_SESSION = (
    UserSession.id.label("session_id"),
    UserSession.is_bearer,
    UserSession.last_seen_at,
    UserSession.idle_seconds,
    UserSession.expires_at,
)
_CITIZEN_SESSION = (
    sa.select(*_SESSION, Citizen.id.label("citizen_id"), Citizen.nickname)
    .join(Citizen, Citizen.id == UserSession.citizen_id)
    .where(*_LIVE, Citizen.status == "active")
)
_STAFF_SESSION = (
    sa.select(
        *_SESSION,
        StaffAccount.id.label("staff_id"),
        StaffAccount.display_name,
        StaffAccount.must_change_password,
        StaffAccount.totp_confirmed_at,
        StaffRole.role,
        StaffRole.organisation_id,
        Organisation.path,
        Organisation.parent_id,
    )
    .join(StaffAccount, StaffAccount.id == UserSession.staff_id)
    .outerjoin(StaffRole, StaffRole.staff_id == StaffAccount.id)
    .outerjoin(Organisation, Organisation.id == StaffRole.organisation_id)
    .where(*_LIVE, StaffAccount.is_active)
    .order_by(StaffRole.role, Organisation.path)
)


def find_citizen_session(token_hash: bytes) -> sa.Row[*tuple[Any, ...]] | None:
    """The session with this token and its citizen; limits of time are the caller's to check."""
    return db.session.execute(_CITIZEN_SESSION, {"token_hash": token_hash}).one_or_none()


def find_staff_session(token_hash: bytes) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The session with this token, once per role of its account; empty if there is none."""
    return db.session.execute(_STAFF_SESSION, {"token_hash": token_hash}).all()


def list_sessions(citizen_id: uuid.UUID, now: dt.datetime) -> list[UserSession]:
    """Sessions of a citizen that still work, the last used first."""
    found = sa.select(UserSession).where(
        UserSession.citizen_id == citizen_id,
        UserSession.ended_at.is_(None),
        UserSession.expires_at > now,
    )
    sessions = db.session.scalars(found.order_by(UserSession.last_seen_at.desc()))
    return [row for row in sessions if row.last_seen_at + dt.timedelta(seconds=row.idle_seconds) > now]

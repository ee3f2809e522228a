"""Citizens, their identities and consents; staff and their roles; sessions; regions and organisations."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, Moment

AGE_BANDS = ("under_14", "14_17", "18_59", "60_plus")
EXCLUSIVE_ROLES = ("system_admin", "security_admin", "audit_admin")
STAFF_ROLES = (
    *EXCLUSIVE_ROLES,
    "campaign_manager",
    "approver",
    "question_editor",
    "question_reviewer",
    "finance",
    "report_reader",
    "cohost",
)


def _in(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class DemographicGroup(Base):
    """One of the groups figures are reported by (人群); data, extendable."""

    __tablename__ = "demographic_groups"

    code: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64))
    position: Mapped[int] = mapped_column(sa.Integer)


class Region(Base):
    """An administrative division: GB/T 2260 to the county (six digits), GB/T 10114 for towns (nine), twelve for
    communities. ``county_code`` is the ancestor at county level, or null above it."""

    __tablename__ = "regions"
    __table_args__ = (sa.Index(None, "parent_code"), sa.Index(None, "county_code"))

    code: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64))
    level: Mapped[str] = mapped_column(sa.String(16))
    """``city``, ``county``, ``town``, ``community`` or ``grid``."""
    parent_code: Mapped[str | None] = mapped_column(sa.String(20), sa.ForeignKey("regions.code"))
    county_code: Mapped[str | None] = mapped_column(sa.String(20))


class Organisation(Base):
    """A unit: citizens belong to one, units host campaigns, staff act in a subtree.

    ``path`` is ``/<hex id>/<hex id>/``, from the root to itself, so that a subtree is a prefix.
    """

    __tablename__ = "organisations"
    __table_args__ = (sa.Index(None, "path"), sa.Index(None, "name"))

    id: Mapped[IdPk]
    name: Mapped[str] = mapped_column(sa.String(100))
    parent_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("organisations.id"))
    path: Mapped[str] = mapped_column(sa.String(400))
    region_code: Mapped[str | None] = mapped_column(sa.String(20), sa.ForeignKey("regions.code"))
    is_host: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment]


class Citizen(Base):
    """A person who answers. Kept under this pseudonymous id for good; everything personal hangs on it and can go."""

    __tablename__ = "citizens"
    __table_args__ = (
        sa.CheckConstraint(_in("age_band", AGE_BANDS), "age_band"),
        sa.CheckConstraint(_in("status", ("active", "blocked", "deleted")), "status"),
    )

    id: Mapped[IdPk]
    nickname: Mapped[str] = mapped_column(sa.String(24))
    demographic_group: Mapped[str | None] = mapped_column(sa.String(32), sa.ForeignKey("demographic_groups.code"))
    region_code: Mapped[str | None] = mapped_column(sa.String(20), sa.ForeignKey("regions.code"))
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("organisations.id"))
    age_band: Mapped[str | None] = mapped_column(sa.String(16))
    age_band_set_at: Mapped[dt.datetime | None]
    status: Mapped[str] = mapped_column(sa.String(16), default="active")
    created_at: Mapped[Moment]
    guardian_confirmed_at: Mapped[dt.datetime | None]
    deleted_at: Mapped[dt.datetime | None]


class Identity(Base):
    """A way to be recognised: a phone number now, a WeChat openid later. One identity is one citizen."""

    __tablename__ = "identities"
    __table_args__ = (sa.UniqueConstraint("kind", "subject_tag"), sa.Index(None, "citizen_id"), sa.Index(None, "block_tag"))

    id: Mapped[IdPk]
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    kind: Mapped[str] = mapped_column(sa.String(16))
    subject_tag: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    """Keyed hash of the number or openid."""
    subject_encrypted: Mapped[bytes]
    block_tag: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))
    """Keyed hash of a phone number without its last two digits: a hundred numbers share it, so that numbers bought in a row
    show without any of them being read (docs/decisions/023-signs-not-verdicts.md). Goes with the number."""
    verified_at: Mapped[Moment]


class Consent(Base):
    """Consent to one purpose under one version of its text; withdrawn, never deleted while the citizen exists."""

    __tablename__ = "consents"
    __table_args__ = (sa.Index(None, "citizen_id", "purpose"),)

    id: Mapped[IdPk]
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    purpose: Mapped[str] = mapped_column(sa.String(32))
    """``account``, ``publicity`` (naming a winner) …"""
    version: Mapped[str] = mapped_column(sa.String(32))
    given_by: Mapped[str] = mapped_column(sa.String(16), default="self")
    given_at: Mapped[Moment]
    withdrawn_at: Mapped[dt.datetime | None]


class Guardian(Base):
    """The guardian who confirmed a child's account with a code sent to the own phone."""

    __tablename__ = "guardians"

    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"), primary_key=True)
    phone_tag: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    phone_encrypted: Mapped[bytes]
    confirmed_at: Mapped[Moment]


class SmsCode(Base):
    """A one-time code: only its keyed hash, five minutes, few tries, used once."""

    __tablename__ = "sms_codes"
    __table_args__ = (sa.Index(None, "phone_tag", "purpose", "created_at"), sa.Index(None, "created_at"))

    id: Mapped[IdPk]
    phone_tag: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    purpose: Mapped[str] = mapped_column(sa.String(16))
    code_tag: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    failed_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    used_at: Mapped[dt.datetime | None]


class DailyCounter(Base):
    """How often something guarded happened on one Shanghai day, per phone, device or address."""

    __tablename__ = "daily_counters"

    scope: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    counted_on: Mapped[dt.date] = mapped_column(sa.Date, primary_key=True)
    count: Mapped[int] = mapped_column(sa.Integer, default=0)


class StaffAccount(Base):
    """Somebody of the bureau or a co-host. Password by argon2, second factor by TOTP."""

    __tablename__ = "staff_accounts"

    id: Mapped[IdPk]
    username: Mapped[str] = mapped_column(sa.String(64), unique=True)
    display_name: Mapped[str] = mapped_column(sa.String(64))
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    must_change_password: Mapped[bool] = mapped_column(default=True)
    password_changed_at: Mapped[dt.datetime | None]
    totp_secret_encrypted: Mapped[bytes | None]
    totp_confirmed_at: Mapped[dt.datetime | None]
    totp_last_step: Mapped[int] = mapped_column(default=0)
    """The last time step whose code was accepted: a code works once."""
    failed_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    locked_until: Mapped[dt.datetime | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    last_signed_in_at: Mapped[dt.datetime | None]
    created_at: Mapped[Moment]


class StaffRole(Base):
    """A role in an organisation subtree. No account holds two of the three administrator roles: the partial unique
    index on ``staff_id`` sees to it."""

    __tablename__ = "staff_roles"
    __table_args__ = (
        sa.UniqueConstraint("staff_id", "role", "organisation_id"),
        sa.CheckConstraint(_in("role", STAFF_ROLES), "role"),
        sa.Index(
            "uq_staff_roles_one_administrator",
            "staff_id",
            unique=True,
            sqlite_where=sa.text(_in("role", EXCLUSIVE_ROLES)),
            postgresql_where=sa.text(_in("role", EXCLUSIVE_ROLES)),
        ),
    )

    id: Mapped[IdPk]
    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    role: Mapped[str] = mapped_column(sa.String(32))
    organisation_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    granted_at: Mapped[Moment]


class UserSession(Base):
    """A signed-in session of a citizen or of staff, by cookie or bearer token; only the token's hash is kept."""

    __tablename__ = "user_sessions"
    __table_args__ = (
        sa.Index(None, "citizen_id"),
        sa.Index(None, "staff_id"),
        sa.Index(None, "expires_at"),
        sa.CheckConstraint("(citizen_id IS NULL) <> (staff_id IS NULL)", "one_owner"),
    )

    id: Mapped[IdPk]
    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("citizens.id"))
    staff_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    is_bearer: Mapped[bool] = mapped_column(default=False)
    device_label: Mapped[str] = mapped_column(sa.String(80), default="")
    """What the citizen sees in the list: "安卓手机 · 微信"."""
    created_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    idle_seconds: Mapped[int] = mapped_column(sa.Integer)
    expires_at: Mapped[Moment]
    """Absolute end."""
    ended_at: Mapped[dt.datetime | None]

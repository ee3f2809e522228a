"""Reads about citizens, groups, regions and organisations; staff and sessions are in the modules beside."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from quizapp.accounts import rules
from quizapp.accounts.models import Citizen, Consent, DemographicGroup, Identity, Organisation, Region
from quizapp.core.crypto import Vault, mask_phone
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.statements import Row, fetch

ACCOUNT = "account"
"""The purpose of the consent everybody gives at registration."""


def _no_points(citizen_id: uuid.UUID) -> int:
    return 0


point_balance_of: Callable[[uuid.UUID], int] = _no_points
"""Points of a citizen; the package that keeps them puts its own function here."""


me_counts: dict[str, Callable[[uuid.UUID], str]] = {}
"""What stands at the right of a row of the page 我的, by the endpoint it leads to ("1 个待领取"); filled by others."""


@dataclass(frozen=True)
class Profile:
    """A citizen as other packages see them: who counts where, never how to reach them."""

    citizen_id: uuid.UUID
    nickname: str
    demographic_group: str | None = None
    region_code: str | None = None
    organisation_id: uuid.UUID | None = None
    organisation_path: str | None = None
    age_band: str | None = None
    status: str = "active"
    is_registered: bool = False
    consent_version: str | None = None
    guardian_confirmed_at: dt.datetime | None = None


CITIZENS = cast(sa.Table, Citizen.__table__)
_units = cast(sa.Table, Organisation.__table__)
_consents = cast(sa.Table, Consent.__table__)
_CONSENT_VERSION = (
    sa.select(_consents.c.version)
    .where(_consents.c.citizen_id == CITIZENS.c.id, _consents.c.purpose == ACCOUNT, _consents.c.withdrawn_at.is_(None))
    .order_by(_consents.c.given_at.desc(), _consents.c.id.desc())
    .limit(1)
    .correlate(CITIZENS)
    .scalar_subquery()
)
PROFILE_COLUMNS = tuple(
    column.label(f"profile_{name}")
    for name, column in (
        ("citizen_id", CITIZENS.c.id),
        ("nickname", CITIZENS.c.nickname),
        ("demographic_group", CITIZENS.c.demographic_group),
        ("region_code", CITIZENS.c.region_code),
        ("organisation_id", CITIZENS.c.organisation_id),
        ("organisation_path", _units.c.path),
        ("age_band", CITIZENS.c.age_band),
        ("status", CITIZENS.c.status),
        ("consent_version", _CONSENT_VERSION),
        ("guardian_confirmed_at", CITIZENS.c.guardian_confirmed_at),
    )
)
"""Columns that :func:`as_profile` reads, for statements that join :data:`CITIZENS_WITH_UNIT`."""
CITIZENS_WITH_UNIT = CITIZENS.outerjoin(_units, _units.c.id == CITIZENS.c.organisation_id)
_PROFILE = sa.select(*PROFILE_COLUMNS).select_from(CITIZENS_WITH_UNIT).where(CITIZENS.c.id == sa.bindparam("citizen_id", type_=sa.Uuid))
_LOCKED_PROFILE = _PROFILE.with_for_update(of=CITIZENS)


def as_profile(row: Row) -> Profile:
    """A profile from a row with :data:`PROFILE_COLUMNS`."""
    consent, group, region = row.profile_consent_version, row.profile_demographic_group, row.profile_region_code
    return Profile(
        citizen_id=row.profile_citizen_id,
        nickname=row.profile_nickname,
        demographic_group=group,
        region_code=region,
        organisation_id=row.profile_organisation_id,
        organisation_path=row.profile_organisation_path,
        age_band=row.profile_age_band,
        status=row.profile_status,
        consent_version=consent,
        guardian_confirmed_at=row.profile_guardian_confirmed_at,
        is_registered=rules.is_registered(has_consent=consent is not None, demographic_group=group, region_code=region),
    )


def _profile(statement: sa.Select[*tuple[Any, ...]], citizen_id: uuid.UUID) -> Profile:
    rows = fetch(statement, {"citizen_id": citizen_id})
    if not rows:
        raise NotFound
    return as_profile(rows[0])


def get_profile(citizen_id: uuid.UUID) -> Profile:
    """:raises NotFound: if there is no such citizen"""
    return _profile(_PROFILE, citizen_id)


def lock_citizen(citizen_id: uuid.UUID) -> Profile:
    """Lock the citizen's row until the transaction ends (order: attempt → citizen → prize pool → account) and read it.

    :raises NotFound: if there is no such citizen
    """
    return _profile(_LOCKED_PROFILE, citizen_id)


@dataclass(frozen=True)
class Me:
    """A profile with the names of what it refers to, as the citizen sees it."""

    profile: Profile
    group_name: str | None = None
    region_name: str | None = None
    organisation_name: str | None = None


_groups = cast(sa.Table, DemographicGroup.__table__)
_regions = cast(sa.Table, Region.__table__)
ME_COLUMNS = (
    *PROFILE_COLUMNS,
    _groups.c.name.label("group_name"),
    _regions.c.name.label("region_name"),
    _units.c.name.label("organisation_name"),
)
"""Columns that :func:`as_me` reads, for statements from :func:`with_names`."""


def with_names(found: sa.FromClause) -> sa.FromClause:
    """``found``, which has :data:`CITIZENS`, with what their profiles refer to."""
    return (
        found.outerjoin(_units, _units.c.id == CITIZENS.c.organisation_id)
        .outerjoin(_groups, _groups.c.code == CITIZENS.c.demographic_group)
        .outerjoin(_regions, _regions.c.code == CITIZENS.c.region_code)
    )


_ME = sa.select(*ME_COLUMNS).select_from(with_names(CITIZENS)).where(CITIZENS.c.id == sa.bindparam("citizen_id", type_=sa.Uuid))


def as_me(row: Row) -> Me:
    """What the citizen sees, from a row with :data:`ME_COLUMNS`."""
    return Me(as_profile(row), row.group_name, row.region_name, row.organisation_name)


def get_me(citizen_id: uuid.UUID) -> Me:
    """:raises NotFound: if there is no such citizen"""
    rows = fetch(_ME, {"citizen_id": citizen_id})
    if not rows:
        raise NotFound
    return as_me(rows[0])


def find_citizen_by_phone(vault: Vault, phone: str) -> uuid.UUID | None:
    """The citizen who signs in with this number (eleven digits)."""
    return db.session.scalar(sa.select(Identity.citizen_id).filter_by(kind="phone", subject_tag=vault.tag("phone", phone)))


def find_masked_phone(vault: Vault, citizen_id: uuid.UUID) -> str | None:
    """The citizen's number as it is shown, ``138****5602``."""
    identity = db.session.scalar(sa.select(Identity).filter_by(kind="phone", citizen_id=citizen_id).limit(1))
    return mask_phone(vault.decrypt(identity.subject_encrypted)) if identity else None


def get_phone(vault: Vault, citizen_id: uuid.UUID) -> str:
    """The whole number: only behind ``phones.unmask`` and with an audit entry of the caller.

    :raises NotFound: if the citizen has none
    """
    identity = db.session.scalar(sa.select(Identity).filter_by(kind="phone", citizen_id=citizen_id).limit(1))
    if identity is None:
        raise NotFound
    return vault.decrypt(identity.subject_encrypted)


def list_consents(citizen_id: uuid.UUID) -> list[Consent]:
    """Consents of a citizen, the newest first."""
    return list(
        db.session.scalars(sa.select(Consent).filter_by(citizen_id=citizen_id).order_by(Consent.given_at.desc(), Consent.id.desc()))
    )


# ---- groups


def list_groups() -> list[DemographicGroup]:
    """The groups figures are reported by, in their order."""
    return list(db.session.scalars(sa.select(DemographicGroup).order_by(DemographicGroup.position, DemographicGroup.code)))


def group_names() -> dict[str, str]:
    """Code to name, in order."""
    return {group.code: group.name for group in list_groups()}


def find_group(code: str) -> DemographicGroup | None:
    return db.session.get(DemographicGroup, code)


# ---- regions


def region_names() -> dict[str, str]:
    """Code to name of every region."""
    return dict(db.session.execute(sa.select(Region.code, Region.name)).all())


def list_counties() -> list[Region]:
    """Banners, counties and districts in the order of their codes; "elsewhere" comes last."""
    return list(db.session.scalars(sa.select(Region).filter_by(level="county").order_by(Region.code)))


def list_regions(parent_code: str | None = None) -> list[Region]:
    """The regions directly below ``parent_code``; without it those at the top."""
    return list(db.session.scalars(sa.select(Region).filter_by(parent_code=parent_code).order_by(Region.code)))


def find_region(code: str) -> Region | None:
    return db.session.get(Region, code)


# ---- organisations


def search_organisations(q: str, limit: int = 20) -> list[Organisation]:
    """Active units whose name contains ``q``, those beginning with it first; nothing for an empty query."""
    q = q.strip()
    if not q:
        return []
    found = sa.select(Organisation).where(Organisation.is_active, Organisation.name.contains(q, autoescape=True))
    ordered = found.order_by(sa.case((Organisation.name.startswith(q, autoescape=True), 0), else_=1), Organisation.name)
    return list(db.session.scalars(ordered.limit(limit)))


def get_organisation(organisation_id: uuid.UUID) -> Organisation:
    """:raises NotFound: if there is no such unit"""
    organisation = db.session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound
    return organisation


def find_root_organisation() -> Organisation | None:
    """The unit everything hangs under."""
    return db.session.scalar(sa.select(Organisation).where(Organisation.parent_id.is_(None)).order_by(Organisation.created_at).limit(1))


def is_below(path: str) -> sa.ColumnElement[bool]:
    """Condition: an organisation lies in the subtree of ``path``; ``/`` is everything."""
    return sa.true() if path == "/" else Organisation.path.startswith(path, autoescape=True)


def organisation_subtree_ids(path: str) -> list[uuid.UUID]:
    """Ids of the unit with this path and of all below it; ``/`` is everything."""
    return list(db.session.scalars(sa.select(Organisation.id).where(is_below(path)).order_by(Organisation.path)))


def organisations_in(paths: tuple[str, ...], q: str = "") -> sa.Select[Organisation]:
    """Units within any of these subtrees, by path, for a list in pages."""
    statement = sa.select(Organisation).where(sa.or_(*map(is_below, paths)) if paths else sa.false())
    if q:
        statement = statement.where(Organisation.name.contains(q, autoescape=True))
    return statement.order_by(Organisation.path)


def list_organisations(paths: tuple[str, ...] = ("/",)) -> list[Organisation]:
    """Units within any of these subtrees, by path."""
    return list(db.session.scalars(organisations_in(paths)))

"""Campaigns as hand-overs see them: named here as tables only, their package lies further down the map."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app

from quizapp.accounts.models import Organisation
from quizapp.accounts.queries import is_below
from quizapp.core.crypto import Vault
from quizapp.core.db import JsonValue, UtcDateTime, db
from quizapp.core.errors import NotFound
from quizapp.core.statements import fetch
from quizapp.payouts import rules
from quizapp.payouts.models import PayoutItem

CAMPAIGNS = sa.table(
    "campaigns",
    sa.column("id", sa.Uuid),
    sa.column("slug", sa.String),
    sa.column("title", sa.String),
    sa.column("host_organisation_id", sa.Uuid),
    sa.column("terms_id", sa.Uuid),
    sa.column("opens_at", UtcDateTime),
    sa.column("closes_at", UtcDateTime),
)
_TERMS = sa.table("campaign_terms", sa.column("id", sa.Uuid), sa.column("body", JsonValue))


def vault() -> Vault:
    return cast(Vault, current_app.extensions["vault"])


@dataclass(frozen=True)
class ClaimTerms:
    """What the terms of a campaign say about handing over and about the winners' notice (``campaigns.terms.Claim`` and
    ``Publicity``), with their defaults."""

    deferred_until: dt.datetime | None = None
    void_hours: int | None = None
    pickup_points: tuple[str, ...] = ()
    pickup_after_days: int = 0
    forfeits: str = "void"
    notice_after_days: int = 0
    notice_days: int = rules.NOTICE_DAYS
    objection_days: int = 5
    """Until when the notice can be objected to."""


def _claim_terms(body: Mapping[str, Any]) -> ClaimTerms:
    claim, publicity, plain = body.get("claim") or {}, body.get("publicity") or {}, ClaimTerms()
    until = claim.get("deferred_until")
    return ClaimTerms(
        deferred_until=dt.datetime.fromisoformat(until) if until else None,
        void_hours=claim.get("void_hours"),
        pickup_points=tuple(claim.get("pickup_points") or ()),
        pickup_after_days=claim.get("pickup_after_days", 0),
        forfeits=claim.get("forfeits", plain.forfeits),
        notice_after_days=publicity.get("after_days", 0),
        notice_days=publicity.get("days", plain.notice_days),
        objection_days=body.get("objection_days", plain.objection_days),
    )


@lru_cache(maxsize=256)
def _claim_terms_of(terms_id: uuid.UUID) -> ClaimTerms:
    """A version of the terms never changes, so every process keeps what it says."""
    return _claim_terms(db.session.scalar(sa.select(_TERMS.c.body).where(_TERMS.c.id == terms_id)) or {})


_TERMS_ID = sa.select(CAMPAIGNS.c.terms_id).where(CAMPAIGNS.c.id == sa.bindparam("campaign_id", type_=sa.Uuid))


def find_claim_terms(campaign_id: uuid.UUID | None) -> ClaimTerms:
    """What the terms in force say; the defaults for what belongs to no campaign. Drawing asks this: one small read."""
    rows = fetch(_TERMS_ID, {"campaign_id": campaign_id}) if campaign_id is not None else ()
    return _claim_terms_of(rows[0].terms_id) if rows and rows[0].terms_id is not None else ClaimTerms()


@dataclass(frozen=True)
class CampaignFacts:
    """What a hand-over needs to know of a campaign. ``host_path`` is the path of the hosting unit."""

    id: uuid.UUID
    slug: str
    title: str
    host_name: str
    host_path: str
    opens_at: dt.datetime | None
    closes_at: dt.datetime | None
    claim: ClaimTerms


_FACTS = (
    sa.select(
        CAMPAIGNS.c.id,
        CAMPAIGNS.c.slug,
        CAMPAIGNS.c.title,
        Organisation.name.label("host_name"),
        Organisation.path.label("host_path"),
        CAMPAIGNS.c.opens_at,
        CAMPAIGNS.c.closes_at,
        _TERMS.c.body,
    )
    .select_from(CAMPAIGNS)
    .join(Organisation, Organisation.id == CAMPAIGNS.c.host_organisation_id)
    .outerjoin(_TERMS, _TERMS.c.id == CAMPAIGNS.c.terms_id)
)


def _facts(row: sa.Row[Any]) -> CampaignFacts:
    values = dict(row._mapping)
    claim = _claim_terms(values.pop("body") or {})
    return CampaignFacts(**values, claim=claim)


def within(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether the host of a campaign lies in one of these subtrees."""
    return sa.or_(sa.false(), *map(is_below, paths))


def get_campaign_facts(campaign_id: uuid.UUID, paths: Sequence[str] = ("/",)) -> CampaignFacts:
    """:raises NotFound: if there is no such campaign within these subtrees"""
    row = db.session.execute(_FACTS.where(CAMPAIGNS.c.id == campaign_id, within(paths))).one_or_none()
    if row is None:
        raise NotFound
    return _facts(row)


def host_path(campaign_id: uuid.UUID | None) -> str:
    """The path of the hosting unit, for the audit trail; ``/`` for what belongs to no campaign."""
    if campaign_id is None:
        return "/"
    host = sa.select(Organisation.path).join(CAMPAIGNS, Organisation.id == CAMPAIGNS.c.host_organisation_id)
    return db.session.scalar(host.where(CAMPAIGNS.c.id == campaign_id)) or "/"


def list_campaign_facts(paths: Sequence[str] = ("/",)) -> list[CampaignFacts]:
    """Campaigns within these subtrees that have something to hand over, the latest first."""
    has_items = sa.exists().where(PayoutItem.campaign_id == CAMPAIGNS.c.id)
    rows = db.session.execute(_FACTS.where(within(paths), has_items).order_by(CAMPAIGNS.c.opens_at.desc(), CAMPAIGNS.c.id))
    return [_facts(row) for row in rows]

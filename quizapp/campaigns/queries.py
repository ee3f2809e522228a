"""Reading campaigns.

Citizens' requests read the same few campaigns all the time, so a process keeps what it has read. A kept campaign is asked
for its version again after three seconds (with Redis: for the common stamp, and at least every minute for the version);
a process that changes one forgets it at once. Terms never change and are kept for good.
"""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import redis
import sqlalchemy as sa

from quizapp.accounts.models import Organisation, StaffAccount
from quizapp.campaigns import rules
from quizapp.campaigns.errors import CampaignNotFound
from quizapp.campaigns.models import Campaign, CampaignHost, CampaignTermsVersion
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import PaperPart, Terms, from_dict
from quizapp.core import redis_keys
from quizapp.core.db import db
from quizapp.extensions import redis_client
from quizapp.questions.queries import list_pool
from quizapp.questions.rules import PoolItem

__all__ = ["CampaignView", "get_campaign", "get_campaign_by_id", "get_terms", "list_visible"]

FRESH_SECONDS = 3.0
STAMP_SECONDS = 60.0
VISIBLE = ("published", "paused", "closed")


@dataclass(frozen=True)
class _Kept:
    view: CampaignView
    fresh_until: float
    read_at: float
    stamp: str | None


_lock = threading.Lock()
_by_slug: dict[str, _Kept] = {}
_slugs: dict[uuid.UUID, str] = {}
_terms: dict[uuid.UUID, Terms] = {}
_visible: list[tuple[float, tuple[str, ...]]] = []


def get_campaign(slug: str) -> CampaignView:
    """A published, paused or closed campaign.

    :raises CampaignNotFound: for a draft or a name nobody uses
    """
    kept = _by_slug.get(slug)
    now = time.monotonic()
    if kept is not None and (kept.fresh_until > now or _is_unchanged(kept, slug, now)):
        return kept.view
    view = _read(Campaign.slug == slug)
    if view is None:
        forget_campaigns()
        raise CampaignNotFound
    _keep(view, now)
    return view


def get_campaign_by_id(campaign_id: uuid.UUID) -> CampaignView:
    """The same by id.

    :raises CampaignNotFound: for a draft or an id nobody has
    """
    slug = _slugs.get(campaign_id)
    if slug is not None:
        view = get_campaign(slug)
        if view.id == campaign_id:
            return view
    found = _read(Campaign.id == campaign_id)
    if found is None:
        raise CampaignNotFound
    _keep(found, time.monotonic())
    return found


def _is_unchanged(kept: _Kept, slug: str, now: float) -> bool:
    stamp = _stamp()
    if stamp is None or stamp != kept.stamp or now - kept.read_at > STAMP_SECONDS:
        version = db.session.scalar(sa.select(Campaign.version).where(Campaign.slug == slug, Campaign.status.in_(VISIBLE)))
        if version != kept.view.version:
            return False
        kept = replace(kept, read_at=now, stamp=stamp)
    _by_slug[slug] = replace(kept, fresh_until=now + FRESH_SECONDS)
    return True


def _keep(view: CampaignView, now: float) -> None:
    with _lock:
        if len(_by_slug) > 2000:
            _by_slug.clear()
            _slugs.clear()
        _by_slug[view.slug] = _Kept(view, now + FRESH_SECONDS, now, _stamp())
        _slugs[view.id] = view.slug


def _stamp() -> str | None:
    if redis_client.client is None:
        return None
    try:
        value = redis_client.client.get(redis_keys.campaign_stamp())
    except redis.RedisError:
        return None
    return value.decode() if isinstance(value, bytes) else None


def forget_campaigns() -> None:
    """Read campaigns afresh; to be called after a change was committed. Tells other processes where there is Redis."""
    with _lock:
        _by_slug.clear()
        _slugs.clear()
        _visible.clear()


def announce_change() -> None:
    """What to do after a change was committed."""
    forget_campaigns()
    if redis_client.client is not None:
        redis_client.client.incr(redis_keys.campaign_stamp())


def _read(condition: sa.ColumnElement[bool]) -> CampaignView | None:
    row = db.session.execute(
        sa.select(Campaign, CampaignTermsVersion, Organisation.name, Organisation.path)
        .join(CampaignTermsVersion, CampaignTermsVersion.id == Campaign.terms_id)
        .join(Organisation, Organisation.id == Campaign.host_organisation_id)
        .where(condition, Campaign.status.in_(VISIBLE))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    campaign, version, host_name, host_path = row
    return as_view(campaign, version, host_name, host_path, cohost_names(campaign.id))


def as_view(campaign: Campaign, version: CampaignTermsVersion, host_name: str, host_path: str, cohosts: Sequence[str]) -> CampaignView:
    terms = _terms.get(version.id)
    if terms is None:
        terms = _terms[version.id] = from_dict(version.body)
    return CampaignView(
        id=campaign.id,
        slug=campaign.slug,
        title=campaign.title,
        summary=campaign.summary,
        kind=campaign.kind,
        legal_basis=campaign.legal_basis,
        theme=campaign.theme,
        status=campaign.status,
        pause_reason=campaign.pause_reason,
        version=campaign.version,
        host_name=host_name,
        host_path=host_path,
        cohosts=tuple(cohosts),
        terms_id=version.id,
        terms=terms,
        terms_number=version.number,
        terms_hash=version.body_hash,
        resumes_at=campaign.resumes_at,
        closed_at=campaign.closed_at,
        closing_reason=campaign.closing_reason if campaign.status == "closed" else "",
    )


def cohost_names(campaign_id: uuid.UUID) -> list[str]:
    return list(
        db.session.scalars(
            sa.select(Organisation.name)
            .join(CampaignHost, CampaignHost.organisation_id == Organisation.id)
            .where(CampaignHost.campaign_id == campaign_id)
            .order_by(Organisation.name)
        )
    )


def get_terms(terms_id: uuid.UUID) -> Terms:
    """One published version of some campaign's terms; it never changes.

    :raises CampaignNotFound: if there is none
    """
    terms = _terms.get(terms_id)
    if terms is None:
        body = db.session.scalar(sa.select(CampaignTermsVersion.body).where(CampaignTermsVersion.id == terms_id))
        if body is None:
            raise CampaignNotFound
        terms = _terms[terms_id] = from_dict(body)
    return terms


def list_visible(now: dt.datetime) -> list[CampaignView]:
    """Every published campaign: open ones by their end, then paused, soon by their start, ended (latest first)."""
    kept = _visible[0] if _visible else None
    if kept is None or kept[0] <= time.monotonic():
        slugs = tuple(db.session.scalars(sa.select(Campaign.slug).where(Campaign.status.in_(VISIBLE), Campaign.terms_id.is_not(None))))
        kept = (time.monotonic() + FRESH_SECONDS, slugs)
        _visible[:] = [kept]
    return sorted((get_campaign(slug) for slug in kept[1]), key=lambda view: _sort_key(view, now))


def _sort_key(view: CampaignView, now: dt.datetime) -> tuple[int, float]:
    phase = rules.phase(view.status, view.terms, now)
    place = ("open", "paused", "soon", "ended").index(phase)
    opens, closes = view.terms.opens_at.timestamp(), view.terms.closes_at.timestamp()
    return place, -closes if phase == "ended" else opens if phase == "soon" else closes


def pool_of(part: PaperPart) -> tuple[PoolItem, ...]:
    """The questions that a part of a paper is drawn from."""
    return list_pool(banks=part.banks, kinds=part.kinds, tags=part.tags, difficulties=part.difficulties)


# ---- the bureau's side


def lock_campaign(campaign_id: uuid.UUID) -> Campaign:
    """The row, locked and read afresh.

    :raises CampaignNotFound: if there is none
    """
    statement = sa.select(Campaign).where(Campaign.id == campaign_id).with_for_update()
    campaign = db.session.scalar(statement.execution_options(populate_existing=True))
    if campaign is None:
        raise CampaignNotFound
    return campaign


def list_due(now: dt.datetime) -> list[uuid.UUID]:
    """Campaigns for which the worker has something to do: release or close."""
    is_due = sa.or_(
        sa.and_(Campaign.status == "pending_approval", Campaign.release_at <= now),
        sa.and_(Campaign.status.in_(("published", "paused")), Campaign.closes_at <= now),
    )
    return list(db.session.scalars(sa.select(Campaign.id).where(is_due).order_by(Campaign.release_at, Campaign.id)))


def find_campaign(campaign_id: uuid.UUID) -> Campaign | None:
    """A campaign of any status."""
    return db.session.get(Campaign, campaign_id)


def find_by_slug(slug: str) -> Campaign | None:
    """A campaign of any status."""
    return db.session.scalar(sa.select(Campaign).where(Campaign.slug == slug))


def find_version(terms_id: uuid.UUID | None) -> CampaignTermsVersion | None:
    return db.session.get(CampaignTermsVersion, terms_id) if terms_id else None


def list_versions(campaign_id: uuid.UUID) -> list[CampaignTermsVersion]:
    """All published versions of a campaign's terms, oldest first."""
    statement = sa.select(CampaignTermsVersion).where(CampaignTermsVersion.campaign_id == campaign_id)
    return list(db.session.scalars(statement.order_by(CampaignTermsVersion.number)))


def list_hosts(campaign_id: uuid.UUID) -> list[tuple[CampaignHost, Organisation]]:
    """Co-hosting units with their sign-off, by name."""
    rows = db.session.execute(
        sa.select(CampaignHost, Organisation)
        .join(Organisation, Organisation.id == CampaignHost.organisation_id)
        .where(CampaignHost.campaign_id == campaign_id)
        .order_by(Organisation.name)
    )
    return [(host, organisation) for host, organisation in rows]


def host_path(campaign: Campaign) -> str:
    path = db.session.scalar(sa.select(Organisation.path).where(Organisation.id == campaign.host_organisation_id))
    return path or "/"


def in_scopes(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    """Campaigns hosted, or co-hosted, in one of these organisation subtrees."""
    hosts: list[Any] = []
    for path in paths:
        inside = sa.select(Organisation.id).where(Organisation.path.startswith(path, autoescape=True))
        hosts.append(Campaign.host_organisation_id.in_(inside))
        hosts.append(Campaign.id.in_(sa.select(CampaignHost.campaign_id).where(CampaignHost.organisation_id.in_(inside))))
    return sa.or_(sa.false(), *hosts)


def names_of_staff(ids: Sequence[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """Display names by staff id."""
    wanted = {staff_id for staff_id in ids if staff_id}
    rows = db.session.execute(sa.select(StaffAccount.id, StaffAccount.display_name).where(StaffAccount.id.in_(wanted)))
    return dict(rows.all())

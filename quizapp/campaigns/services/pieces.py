"""What the verbs share: versions, the trail, the counter of changes."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from quizapp.accounts.models import Organisation
from quizapp.audit.services import Actor, record
from quizapp.campaigns import pool_plans, queries, rules
from quizapp.campaigns.checks import Problem
from quizapp.campaigns.errors import CampaignChanged
from quizapp.campaigns.models import Campaign, CampaignTermsVersion
from quizapp.campaigns.terms import Terms, body_hash, from_dict, to_dict
from quizapp.core.db import db, on_commit
from quizapp.core.ids import new_id
from quizapp.lottery import pooldraw


def staff_id(actor: Actor) -> uuid.UUID | None:
    return actor.id if actor.kind == "staff" else None


def expect_version(campaign: Campaign, version: int | None) -> None:
    """:raises CampaignChanged: if somebody saved since ``version``; None is not compared"""
    if version is not None and campaign.version != version:
        raise CampaignChanged(current_version=campaign.version)


def touch(campaign: Campaign) -> None:
    """Count the change and, after the commit, make every process read the campaign afresh."""
    campaign.version += 1
    db.session.flush()
    on_commit(queries.announce_change)


def unit_name(organisation_id: uuid.UUID) -> str:
    unit = db.session.get(Organisation, organisation_id)
    return unit.name if unit else str(organisation_id)


def first_terms(campaign: Campaign) -> Terms:
    return from_dict(queries.list_versions(campaign.id)[0].body)


def spare_problems(first: Terms, new: Terms) -> list[Problem]:
    """An extension uses day secrets that were committed before the first ticket; there are only so many."""
    if first.draw is None or len(rules.draw_days(new)) - len(rules.draw_days(first)) <= first.draw.spare_days:
        return []
    return [Problem("closes_at", f"备用密钥只够延长 {first.draw.spare_days} 天。")]


def bind_draws(campaign: Campaign, terms: Terms, now: dt.datetime) -> None:
    """Pool draws of a longer campaign: new days take secrets committed to at publication, lists wait for the new end."""
    for plan in pool_plans.plans(terms):
        pooldraw.bind_scopes(campaign_id=campaign.id, draw_code=plan.draw["id"], scopes=plan.scopes, now=now)


def add_version(campaign: Campaign, terms: Terms, actor: Actor, now: dt.datetime) -> CampaignTermsVersion:
    """Put terms in force as the campaign's next version."""
    body = to_dict(terms)
    number = len(queries.list_versions(campaign.id)) + 1
    version = CampaignTermsVersion(
        id=new_id(),
        campaign_id=campaign.id,
        kind=campaign.kind,
        has_rewards=rules.has_rewards(terms),
        number=number,
        body=body,
        body_hash=body_hash(body),
        created_at=now,
        created_by=staff_id(actor),
    )
    db.session.add(version)
    campaign.terms_id = version.id
    campaign.opens_at, campaign.closes_at = terms.opens_at, terms.closes_at
    db.session.flush()
    return version


def utc_text(moment: dt.datetime) -> str:
    """A moment as bodies of terms keep it."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def record_change(action: str, campaign: Campaign, actor: Actor, now: dt.datetime, changes: Mapping[str, Any]) -> None:
    """Record a deed on a campaign, within the reach of its host."""
    record(
        action,
        actor=actor,
        target_type="campaign",
        target_id=campaign.id,
        target_name=campaign.title,
        organisation_path=queries.host_path(campaign),
        changes=changes,
        now=now,
    )

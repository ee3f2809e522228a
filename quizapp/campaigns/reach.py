"""What console and API share on the bureau's side: within whose reach a campaign is, and what state it is in."""

import datetime as dt

import sqlalchemy as sa
from flask import current_app

from quizapp.accounts.models import Organisation
from quizapp.accounts.queries import list_organisations
from quizapp.campaigns import queries
from quizapp.campaigns.models import Campaign
from quizapp.web.access import current_principal


def may_reach(campaign: Campaign, permission: str) -> bool:
    """Whether this member of staff may do that with this campaign. Co-hosts may look; everything else needs the hosting
    unit in one's subtree."""
    principal = current_principal()
    paths = [queries.host_path(campaign)]
    if permission == "campaigns.view":
        paths += [organisation.path for _host, organisation in queries.list_hosts(campaign.id)]
    return any(principal.covers(permission, path) for path in paths)


def units() -> list[Organisation]:
    """Units that may host, within this member's reach."""
    return [unit for unit in list_organisations(current_principal().scopes("campaigns.edit")) if unit.is_host]


def needs_second_person() -> bool:
    """Setting: the submitter may not be the publisher, unless an installation turns it off."""
    return bool(current_app.config["PUBLISH_NEEDS_SECOND_PERSON"])


def state_of(campaign: Campaign, now: dt.datetime) -> str:
    """``draft``, ``pending_approval``, ``scheduled`` (approved, to be released by the worker) or the phase of a published
    campaign."""
    if campaign.status == "pending_approval" and campaign.release_at is not None:
        return "scheduled"
    if campaign.status in ("draft", "pending_approval"):
        return campaign.status
    if campaign.status == "closed" or (campaign.closes_at is not None and now >= campaign.closes_at):
        return "ended"
    if campaign.status == "paused":
        return "paused"
    return "soon" if campaign.opens_at is not None and now < campaign.opens_at else "open"


def in_state(state: str, now: dt.datetime) -> sa.ColumnElement[bool]:
    """What :func:`state_of` says, as a condition over the rows; ``pending_approval`` takes in later versions that wait."""
    is_out = Campaign.status.in_(("published", "paused"))
    waits = sa.and_(Campaign.status == "pending_approval", Campaign.release_at.is_(None))
    conditions: dict[str, sa.ColumnElement[bool]] = {
        "draft": Campaign.status == "draft",
        "scheduled": sa.and_(Campaign.status == "pending_approval", Campaign.release_at.is_not(None)),
        "pending_approval": sa.or_(waits, sa.and_(is_out, Campaign.submitted_by.is_not(None))),
        "ended": sa.or_(Campaign.status == "closed", sa.and_(is_out, Campaign.closes_at <= now)),
        "paused": sa.and_(Campaign.status == "paused", Campaign.closes_at > now),
        "soon": sa.and_(Campaign.status == "published", Campaign.opens_at > now),
        "open": sa.and_(Campaign.status == "published", Campaign.opens_at <= now, Campaign.closes_at > now),
    }
    return conditions.get(state, sa.false())

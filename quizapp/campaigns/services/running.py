"""What is done with a campaign that is out: pause with notice, resume, extend, close early, and the worker's part."""

import datetime as dt
import uuid

from quizapp.audit.services import SYSTEM, Actor
from quizapp.campaigns import queries, rules
from quizapp.campaigns.checks import Problem
from quizapp.campaigns.errors import CampaignEnded, SamePerson, TermsInvalid, WrongCampaignState, WrongMoment
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.services import checked_terms, put_in_force, return_to_draft
from quizapp.campaigns.services.pieces import add_version, bind_draws, first_terms, record_change, spare_problems, staff_id, touch, utc_text
from quizapp.campaigns.terms import from_dict
from quizapp.core.clock import rfc3339
from quizapp.core.errors import AppError
from quizapp.core.text import N_

OUT = ("published", "paused")


def pause_campaign(
    campaign_id: uuid.UUID, *, reason: str, now: dt.datetime, actor: Actor, resumes_at: dt.datetime | None = None
) -> Campaign:
    """Stop new attempts at once; papers already begun can be finished. Citizens see ``reason``.

    :param resumes_at: when it is expected to go on, as citizens read it; nothing happens by itself then
    :raises WrongMoment: if that is not ahead
    """
    campaign = queries.lock_campaign(campaign_id)
    if campaign.status != "published":
        raise WrongCampaignState
    if resumes_at is not None and resumes_at <= now:
        raise WrongMoment(N_("预计恢复的时间要晚于现在。"), field="resumes_at")
    campaign.status = "paused"
    campaign.pause_reason = reason.strip()[:200]
    campaign.resumes_at = resumes_at
    touch(campaign)
    record_change("campaign.paused", campaign, actor, now, {"reason": campaign.pause_reason, "resumes_at": rfc3339(resumes_at)})
    return campaign


def resume_campaign(campaign_id: uuid.UUID, *, now: dt.datetime, actor: Actor) -> Campaign:
    campaign = queries.lock_campaign(campaign_id)
    if campaign.status != "paused":
        raise WrongCampaignState
    campaign.status = "published"
    campaign.pause_reason = ""
    campaign.resumes_at = None
    touch(campaign)
    record_change("campaign.resumed", campaign, actor, now, {})
    return campaign


def extend_campaign(campaign_id: uuid.UUID, *, closes_at: dt.datetime, now: dt.datetime, actor: Actor) -> Campaign:
    """Move the end to a later moment; this adds a version of the terms.

    :raises CampaignEnded: if it is over already
    :raises TermsInvalid: if the new end is not later, or beyond the spare days of the prize pool
    """
    campaign = queries.lock_campaign(campaign_id)
    in_force = queries.find_version(campaign.terms_id)
    if campaign.status not in ("published", "paused") or in_force is None:
        raise WrongCampaignState
    old = from_dict(in_force.body)
    if now >= old.closes_at:
        raise CampaignEnded
    body = {**in_force.body, "closes_at": utc_text(closes_at)}
    new = from_dict(body)
    found = [problem for problem in rules.problems(body, kind=campaign.kind, legal_basis=campaign.legal_basis) if problem.is_error]
    found += spare_problems(first_terms(campaign), new)
    if closes_at <= old.closes_at:
        found.append(Problem("closes_at", N_("结束时间只能往后延，不能提前。")))
    if found:
        raise TermsInvalid(found)
    if campaign.draft.get("closes_at") == in_force.body["closes_at"]:
        campaign.draft = {**campaign.draft, "closes_at": body["closes_at"]}
    version = add_version(campaign, new, actor, now)
    bind_draws(campaign, new, now)
    touch(campaign)
    changes = {"closes_at": [rfc3339(old.closes_at), rfc3339(closes_at)], "terms_number": version.number}
    record_change("campaign.extended", campaign, actor, now, changes)
    return campaign


# ---- closing early


def request_closing(campaign_id: uuid.UUID, *, reason: str, now: dt.datetime, actor: Actor) -> Campaign:
    """Ask for an end before the announced one; somebody else has to confirm. Nothing changes for citizens yet.

    :raises CampaignEnded: if it is over already
    :raises WrongCampaignState: if it is not out, or closing has been asked for
    """
    campaign = queries.lock_campaign(campaign_id)
    if campaign.status not in OUT or campaign.closing_requested_at is not None:
        raise WrongCampaignState
    if campaign.closes_at is not None and now >= campaign.closes_at:
        raise CampaignEnded
    campaign.closing_reason = reason.strip()[:200]
    campaign.closing_requested_by, campaign.closing_requested_at = staff_id(actor), now
    touch(campaign)
    record_change("campaign.closing_requested", campaign, actor, now, {"reason": campaign.closing_reason})
    return campaign


def drop_closing(campaign_id: uuid.UUID, *, now: dt.datetime, actor: Actor) -> Campaign:
    """Take the request for an early end back, or turn it down."""
    campaign = queries.lock_campaign(campaign_id)
    if campaign.status not in OUT or campaign.closing_requested_at is None:
        raise WrongCampaignState
    _forget_closing(campaign)
    touch(campaign)
    record_change("campaign.closing_dropped", campaign, actor, now, {})
    return campaign


def close_early(campaign_id: uuid.UUID, *, now: dt.datetime, actor: Actor) -> Campaign:
    """End a campaign now, as somebody else asked for. No attempt begins any more; papers that run can be finished, tickets
    are drawn as long as they are good, prizes claimed as announced. The terms and the secrets of the days stay as they are.

    :raises SamePerson: for whoever asked for it
    """
    campaign = queries.lock_campaign(campaign_id)
    if campaign.status not in OUT or campaign.closing_requested_at is None:
        raise WrongCampaignState
    if campaign.closes_at is not None and now >= campaign.closes_at:
        raise CampaignEnded
    if campaign.closing_requested_by == staff_id(actor):
        raise SamePerson(N_("申请提前结束的人不能自己批准，请另一位审批人来办。"))
    _close(campaign, now)
    record_change("campaign.closed_early", campaign, actor, now, {"reason": campaign.closing_reason})
    return campaign


def _close(campaign: Campaign, now: dt.datetime) -> None:
    campaign.status = "closed"
    campaign.closed_at = now
    campaign.submitted_by = campaign.resumes_at = None
    campaign.pause_reason = ""
    touch(campaign)


def _forget_closing(campaign: Campaign) -> None:
    campaign.closing_reason = ""
    campaign.closing_requested_by = campaign.closing_requested_at = None


# ---- the worker's part


def advance_campaign(campaign_id: uuid.UUID, *, now: dt.datetime, allows_cash: bool = True) -> str:
    """Do what is due for one campaign: release an approved one, close one whose end has come. What another worker has done
    meanwhile is not done again, since the row is locked and looked at afresh.

    :returns: ``released``, ``returned`` (approved, but the rule check refuses it now), ``closed`` or an empty text
    """
    campaign = queries.lock_campaign(campaign_id)
    if campaign.status == "pending_approval" and campaign.release_at is not None and campaign.release_at <= now:
        return _release(campaign, now, allows_cash)
    if campaign.status in OUT and campaign.closes_at is not None and campaign.closes_at <= now:
        _forget_closing(campaign)
        _close(campaign, now)
        record_change("campaign.closed", campaign, SYSTEM, now, {})
        return "closed"
    return ""


def _release(campaign: Campaign, now: dt.datetime, allows_cash: bool) -> str:
    try:
        terms = checked_terms(campaign, now, allows_cash=allows_cash)
    except AppError as refusal:
        sentence = next(iter(refusal.fields.values()), refusal.message) if isinstance(refusal, TermsInvalid) else refusal.message
        return_to_draft(campaign.id, reason=f"到了定时发布的时间，规则检查没有通过：{sentence}", now=now, actor=SYSTEM)
        return "returned"
    put_in_force(campaign, terms, is_first=True, now=now, actor=SYSTEM, publisher_id=campaign.approved_by)
    return "released"

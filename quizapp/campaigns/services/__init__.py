"""The bureau's verbs: create, edit, submit, sign off, publish. Each is audited where it happens.

What is done with a campaign that is out - pause, resume, extend, close, and the worker's part - is in ``services.running``.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.audit.services import Actor
from quizapp.campaigns import pool_plans, queries, rules
from quizapp.campaigns.checks import Problem, check_head, has_errors
from quizapp.campaigns.checks.entrants import version_problems
from quizapp.campaigns.errors import CampaignNotFound, SamePerson, SlugTaken, TermsInvalid, WrongCampaignState, WrongMoment
from quizapp.campaigns.models import Campaign, CampaignHost, CampaignTermsVersion
from quizapp.campaigns.services.pieces import (
    add_version,
    bind_draws,
    expect_version,
    first_terms,
    record_change,
    spare_problems,
    staff_id,
    touch,
    unit_name,
)
from quizapp.campaigns.terms import SCHEMA, PoolTier, StockPrize, Terms, body_hash, check_shape, from_dict, to_dict
from quizapp.campaigns.terms.mapping import normal
from quizapp.core.clock import rfc3339
from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.core.text import N_
from quizapp.lottery import pooldraw
from quizapp.lottery.errors import PrizeKindNotServed
from quizapp.lottery.services import open_pool
from quizapp.payouts import services as payouts

EDITABLE = ("draft", "pending_approval", "published", "paused")


def create_campaign(
    *,
    slug: str,
    title: str,
    host_organisation_id: uuid.UUID,
    now: dt.datetime,
    actor: Actor,
    kind: str = "voluntary",
    summary: str = "",
    theme: str = "consumer",
    legal_basis: str = "",
    draft: Mapping[str, Any] | None = None,
    cohost_ids: Sequence[uuid.UUID] = (),
) -> Campaign:
    """Begin a draft.

    :param draft: terms so far, in the shape of ``terms.to_dict``; may be incomplete
    :raises SlugTaken: if another campaign has that address
    :raises InvalidInput: for a title, address or kind that cannot be
    """
    values = check_head({"slug": slug, "title": title, "summary": summary, "theme": theme, "kind": kind, "legal_basis": legal_basis})
    campaign = Campaign(
        id=new_id(),
        **values,
        host_organisation_id=host_organisation_id,
        draft=normal(draft or {}),
        version=1,
        created_at=now,
        created_by=staff_id(actor),
    )
    _refuse_taken(campaign.slug, campaign.id)
    db.session.add(campaign)
    _flush_slug()
    _set_cohosts(campaign, cohost_ids)
    record_change("campaign.created", campaign, actor, now, {"slug": campaign.slug, "kind": campaign.kind})
    return campaign


def save_draft(
    campaign_id: uuid.UUID,
    *,
    expected_version: int,
    now: dt.datetime,
    actor: Actor,
    head: Mapping[str, Any] | None = None,
    draft: Mapping[str, Any] | None = None,
    cohost_ids: Sequence[uuid.UUID] | None = None,
    host_organisation_id: uuid.UUID | None = None,
) -> Campaign:
    """Save what an editor has: any part may be left out. A submitted draft that is changed has to be submitted again.

    :param head: new values of ``slug, title, summary, theme, kind, legal_basis``; slug and kind are fixed once published
    :param draft: replaces the draft terms
    :raises CampaignChanged: if somebody saved since ``expected_version``
    """
    campaign = queries.lock_campaign(campaign_id)
    expect_version(campaign, expected_version)
    if campaign.status not in EDITABLE:
        raise WrongCampaignState
    changes: dict[str, Any] = {}
    if head is not None:
        changes.update(_change_head(campaign, head))
    if host_organisation_id is not None and host_organisation_id != campaign.host_organisation_id:
        _refuse_published(campaign, "host_organisation_id")
        changes["host"] = [unit_name(campaign.host_organisation_id), unit_name(host_organisation_id)]
        campaign.host_organisation_id = host_organisation_id
    cohosts = _cohost_names(campaign)
    if cohost_ids is not None and _set_cohosts(campaign, cohost_ids):
        changes["cohosts"] = [cohosts, _cohost_names(campaign)]
    if draft is not None and normal(draft) != campaign.draft:
        changes["draft"] = _differences(campaign.draft, normal(draft))
        if changes["draft"].keys() & {"paper", "quizzes"}:
            _forget_signatures(campaign)
        campaign.draft = normal(draft)
    if not changes:
        return campaign
    _take_back(campaign)
    touch(campaign)
    record_change("campaign.saved", campaign, actor, now, changes)
    return campaign


def check_campaign(campaign: Campaign, now: dt.datetime | None) -> list[Problem]:
    """The rule check of a campaign's draft, with the question pools as they are and what publishing adds to it."""
    found = rules.problems(
        campaign.draft,
        kind=campaign.kind,
        legal_basis=campaign.legal_basis,
        now=now,
        find_pool=queries.pool_of,
    )
    for host, organisation in queries.list_hosts(campaign.id):
        if host.signed_off_at is None:
            found.append(Problem("cohosts", f"{organisation.name}还没有签字确认题目。"))
    return found if has_errors(found) else [*found, *change_problems(campaign, campaign.draft, now)]


def change_problems(campaign: Campaign, body: Mapping[str, Any], now: dt.datetime | None) -> list[Problem]:
    """What a published campaign refuses of a new body; nothing before the first version, or for a body that is not whole."""
    in_force = queries.find_version(campaign.terms_id)
    if in_force is None or check_shape(body):
        return []
    new = from_dict({"schema": SCHEMA, **body})
    return [*version_problems(from_dict(in_force.body), new, now), *spare_problems(first_terms(campaign), new)]


def submit_for_approval(campaign_id: uuid.UUID, *, now: dt.datetime, actor: Actor, expected_version: int | None = None) -> Campaign:
    """Hand the draft (or, for a campaign that runs, its changed draft) to an approver.

    :raises TermsInvalid: while the rule check finds errors
    """
    campaign = queries.lock_campaign(campaign_id)
    expect_version(campaign, expected_version)
    if campaign.status not in ("draft", "published", "paused"):
        raise WrongCampaignState
    _check(campaign, now)
    campaign.submitted_by = staff_id(actor)
    campaign.return_reason = ""
    if campaign.status == "draft":
        campaign.status = "pending_approval"
    touch(campaign)
    record_change("campaign.submitted", campaign, actor, now, {"draft_hash": body_hash(canonical(campaign.draft))})
    return campaign


def return_to_draft(campaign_id: uuid.UUID, *, reason: str, now: dt.datetime, actor: Actor) -> Campaign:
    """Send a submitted campaign back with a reason, or take it back; also one that is approved and waits for its release.

    :raises WrongCampaignState: if nothing waits, because it has been released meanwhile too
    """
    campaign = queries.lock_campaign(campaign_id)
    if campaign.status != "pending_approval" and campaign.submitted_by is None:
        raise WrongCampaignState
    _take_back(campaign)
    campaign.return_reason = reason.strip()[:200]
    touch(campaign)
    record_change("campaign.returned", campaign, actor, now, {"reason": campaign.return_reason})
    return campaign


def _take_back(campaign: Campaign) -> None:
    """Nothing waits for approval or release any more."""
    campaign.submitted_by = campaign.approved_by = campaign.approved_at = campaign.release_at = None
    if campaign.status == "pending_approval":
        campaign.status = "draft"


def publish_campaign(
    campaign_id: uuid.UUID,
    *,
    now: dt.datetime,
    actor: Actor,
    needs_second_person: bool = True,
    allows_cash: bool = True,
    expected_version: int | None = None,
    release_at: dt.datetime | None = None,
) -> Campaign:
    """Approve the submitted draft and put it in force: as the first version, which opens the prize pool, or as a later one.

    :param needs_second_person: whether the submitter may not be the publisher (a setting, on by default)
    :param allows_cash: whether this installation hands out cash (the setting ``CASH_PAYOUTS``)
    :param release_at: approve now; the worker publishes at that moment (``services.running.advance_campaign``). Until then
        no citizen sees it and it can be taken back
    :raises SamePerson: if they are the same
    :raises PrizeKindNotServed: for a cash prize where cash is not handed out
    :raises TermsInvalid: if the rule check finds errors, at the moment of the release too
    :raises WrongMoment: for a release in the past, or of a later version
    :raises WrongCampaignState: if nothing waits for publication, a second click included
    """
    campaign = queries.lock_campaign(campaign_id)
    expect_version(campaign, expected_version)
    is_first = campaign.status == "pending_approval"
    if not is_first and (campaign.status not in ("published", "paused") or campaign.submitted_by is None):
        raise WrongCampaignState
    if needs_second_person and campaign.submitted_by is not None and campaign.submitted_by == actor.id:
        raise SamePerson
    if release_at is not None and (release_at <= now or not is_first):
        raise WrongMoment(N_("定时发布的时间要晚于现在。") if is_first else N_("已经发布的活动，改动批准后马上生效，不能定时。"))
    terms = checked_terms(campaign, release_at or now, allows_cash=allows_cash)
    if release_at is not None:
        campaign.approved_by, campaign.approved_at, campaign.release_at = staff_id(actor), now, release_at
        touch(campaign)
        changes = {"release_at": rfc3339(release_at), "draft_hash": body_hash(to_dict(terms))}
        record_change("campaign.approved", campaign, actor, now, changes)
        return campaign
    return put_in_force(campaign, terms, is_first=is_first, now=now, actor=actor, publisher_id=staff_id(actor))


def checked_terms(campaign: Campaign, now: dt.datetime, *, allows_cash: bool) -> Terms:
    """The draft as terms that may be published at ``now``."""
    _check(campaign, now)
    terms = from_dict({"schema": SCHEMA, **campaign.draft})
    if not allows_cash and _has_cash(terms):
        raise PrizeKindNotServed(N_("这里没有开通现金发放，请把现金奖换成积分、兑换码或自取。"))
    return terms


def put_in_force(
    campaign: Campaign, terms: Terms, *, is_first: bool, now: dt.datetime, actor: Actor, publisher_id: uuid.UUID | None
) -> Campaign:
    """Add approved terms as the next version of a locked campaign."""
    version = add_version(campaign, terms, actor, now)
    if is_first:
        campaign.status = "published"
        campaign.published_at = now
        campaign.published_by = publisher_id
        _open_pool(campaign, version, now)
    else:
        bind_draws(campaign, terms, now)
    campaign.submitted_by = campaign.release_at = None
    touch(campaign)
    record_change("campaign.published", campaign, actor, now, {"terms_number": version.number, "terms_hash": version.body_hash})
    return campaign


def _has_cash(terms: Terms) -> bool:
    kinds = {prize.kind for prize in terms.draw.prizes} if terms.draw else set()
    return "cash" in kinds.union(tier.kind for draw in terms.draws for tier in draw.tiers)


def _open_pool(campaign: Campaign, version: CampaignTermsVersion, now: dt.datetime) -> None:
    terms = from_dict(version.body)
    if terms.draw is not None:
        open_pool(
            campaign_id=campaign.id,
            terms_hash=version.body_hash,
            draw={**version.body["draw"], "returns": terms.claim.forfeits == "stock"},
            days=rules.draw_days(terms),
            spare_days=terms.draw.spare_days,
            now=now,
            opens_at=terms.opens_at,
            closes_at=terms.closes_at,
        )
    given: list[tuple[str, StockPrize | PoolTier]] = [(item.name, item) for item in terms.prizes]
    given += [(f"{ranked.board}:{tier.name}", tier) for ranked in terms.rank_prizes for tier in ranked.tiers]
    payouts.register_items(
        campaign_id=campaign.id,
        items=[
            payouts.NewItem(rules.stock_prize_id(campaign.id, key), item.kind, item.name, item.tier, item.value_fen, item.quantity)
            for key, item in given
            if item.kind != "points"
        ],
        now=now,
    )
    if terms.draws:
        pooldraw.open_pool_draws(campaign_id=campaign.id, terms_hash=version.body_hash, plans=pool_plans.plans(terms), now=now)


def sign_off(campaign_id: uuid.UUID, *, organisation_id: uuid.UUID, now: dt.datetime, actor: Actor) -> Campaign:
    """A co-host confirms that it has seen the questions. Editing the paper afterwards asks for a new signature."""
    campaign = queries.lock_campaign(campaign_id)
    host = db.session.get(CampaignHost, (campaign_id, organisation_id))
    if host is None:
        raise CampaignNotFound
    if host.signed_off_at is None:
        host.signed_off_at = now
        host.signed_off_by = staff_id(actor)
        touch(campaign)
        record_change("campaign.signed_off", campaign, actor, now, {"organisation": unit_name(organisation_id)})
    return campaign


def delete_draft(campaign_id: uuid.UUID, *, now: dt.datetime, actor: Actor) -> None:
    """Throw away a draft that was never published."""
    campaign = queries.lock_campaign(campaign_id)
    if campaign.status != "draft" or campaign.terms_id is not None:
        raise WrongCampaignState
    record_change("campaign.deleted", campaign, actor, now, {"slug": campaign.slug})
    db.session.execute(sa.delete(CampaignHost).where(CampaignHost.campaign_id == campaign_id))
    db.session.delete(campaign)
    db.session.flush()


# ---- pieces


def _refuse_taken(slug: str, own_id: uuid.UUID) -> None:
    other = queries.find_by_slug(slug)
    if other is not None and other.id != own_id:
        raise SlugTaken


def _flush_slug() -> None:
    """Write a new address; somebody else may have taken it since it was looked up."""
    try:
        db.session.flush()
    except sa.exc.IntegrityError as error:
        if "slug" in str(error.orig):
            raise SlugTaken from None
        raise


def _refuse_published(campaign: Campaign, field: str) -> None:
    if campaign.terms_id is not None:
        raise TermsInvalid([Problem(field, N_("活动发布后，这一项不能再改。"))])


def _change_head(campaign: Campaign, head: Mapping[str, Any]) -> dict[str, Any]:
    names = ("slug", "title", "summary", "theme", "kind", "legal_basis")
    values = check_head({**{name: getattr(campaign, name) for name in names}, **head})
    changes = {name: [getattr(campaign, name), value] for name, value in values.items() if getattr(campaign, name) != value}
    for name in ("slug", "kind"):
        if name in changes:
            _refuse_published(campaign, name)
    if "slug" in changes:
        _refuse_taken(values["slug"], campaign.id)
    for name in changes:
        setattr(campaign, name, values[name])
    _flush_slug()
    return changes


def _set_cohosts(campaign: Campaign, cohost_ids: Sequence[uuid.UUID]) -> bool:
    wanted = set(cohost_ids) - {campaign.host_organisation_id}
    existing = {host.organisation_id: host for host, _ in queries.list_hosts(campaign.id)}
    if wanted == existing.keys():
        return False
    known = set(db.session.scalars(sa.select(Organisation.id).where(Organisation.id.in_(wanted))))
    if known != wanted:
        raise TermsInvalid([Problem("cohosts", N_("有一个协办单位不在单位名录里。"))])
    for organisation_id, host in existing.items():
        if organisation_id not in wanted:
            db.session.delete(host)
    db.session.add_all(CampaignHost(campaign_id=campaign.id, organisation_id=new) for new in wanted - existing.keys())
    db.session.flush()
    return True


def _cohost_names(campaign: Campaign) -> list[str]:
    return [organisation.name for _, organisation in queries.list_hosts(campaign.id)]


def _forget_signatures(campaign: Campaign) -> None:
    """Co-hosts signed for another paper."""
    for host, _ in queries.list_hosts(campaign.id):
        host.signed_off_at = host.signed_off_by = None


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return {name: [before.get(name), after.get(name)] for name in names}


def canonical(draft: Mapping[str, Any]) -> dict[str, Any]:
    """A whole draft as it would be published."""
    return to_dict(from_dict({"schema": SCHEMA, **draft}))


def _check(campaign: Campaign, now: dt.datetime) -> None:
    found = check_campaign(campaign, now)
    if has_errors(found):
        raise TermsInvalid(found)

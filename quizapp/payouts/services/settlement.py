"""The money of prizes: what is won is reserved, what is handed over is spent, what nobody got is given back. The worker posts it
row by row, each step once; nothing here can hold up a prize."""

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.ledger import budgets
from quizapp.payouts import queries, rules
from quizapp.payouts.models import Payout, PayoutItem


def settle_money(*, now: dt.datetime, limit: int = 200) -> int:
    """Post what prizes have done to their budgets since the last time. Returns how many rows were brought up to date."""
    payouts = db.session.scalars(_unsettled().order_by(Payout.id).limit(limit).with_for_update(skip_locked=True)).all()
    for payout in payouts:
        _settle(payout, now)
    db.session.flush()
    return len(payouts)


def _unsettled() -> sa.Select[Payout]:
    is_over = Payout.state.in_((*rules.LOST_STATES, "done"))
    return sa.select(Payout).where(
        Payout.amount_fen > 0,
        Payout.kind != "points",
        Payout.campaign_id.is_not(None),
        Payout.source_type.in_(rules.WON_SOURCES),
        sa.or_(Payout.money_state == "", sa.and_(Payout.money_state == "reserved", is_over)),
    )


def _settle(payout: Payout, now: dt.datetime) -> None:
    """One prize: reserved first, then spent or released when it is over."""
    if payout.campaign_id is None:
        raise ValueError("a prize without a campaign has no budget")
    if payout.money_state == "":
        budget_id = _budget_for(payout.item_id, payout.campaign_id, now)
        budgets.post_step(budget_id=budget_id, step="reserve", amount_fen=payout.amount_fen, payout_id=payout.id, now=now)
        payout.money_state = "reserved"
    step = rules.money_step(payout.state)
    if step is None:
        return
    budget = budgets.find_budget_of(payout.id, payout.campaign_id)
    if budget is None:
        raise ValueError("a reserved prize has its budget")
    budgets.post_step(budget_id=budget.id, step=step, amount_fen=payout.amount_fen, payout_id=payout.id, now=now)
    payout.money_state = {"spend": "spent", "release": "released"}[step]


def _budget_for(item_id: uuid.UUID, campaign_id: uuid.UUID, now: dt.datetime) -> uuid.UUID:
    """Who pays for an item: the budget staff assigned, else the host's."""
    assigned = db.session.scalar(sa.select(PayoutItem.budget_id).filter_by(id=item_id))
    if assigned is not None:
        return assigned
    return budgets.open_budget(campaign_id=campaign_id, organisation_id=queries.get_host_id(campaign_id), now=now).id


def enter_money(
    *,
    campaign_id: uuid.UUID,
    organisation_id: uuid.UUID,
    kind: str,
    amount_fen: int,
    document: str,
    note: str,
    staff_id: uuid.UUID,
    paths: Sequence[str],
    review_above_fen: int,
    actor: audit.Actor,
    now: dt.datetime,
) -> str:
    """Enter what a host or co-host brings or takes back. Returns the state: ``posted``, or ``waiting`` for a second person.

    :raises NotFound: for a campaign outside these subtrees, or a unit that neither hosts nor co-hosts it
    :raises InsufficientBalance: for more than is free
    """
    facts = queries.get_campaign_facts(campaign_id, paths)
    queries.get_party(campaign_id, organisation_id)
    budget = budgets.open_budget(campaign_id=campaign_id, organisation_id=organisation_id, now=now)
    move = budgets.enter_move(
        budget_id=budget.id,
        kind=kind,
        amount_fen=amount_fen,
        document=document,
        note=note,
        staff_id=staff_id,
        review_above_fen=review_above_fen,
        now=now,
    )
    _record("budget.entered", move.id, facts, actor, now, kind=kind, amount_fen=amount_fen, document=document, state=move.state)
    return move.state


def find_move_campaign(move_id: uuid.UUID) -> uuid.UUID:
    """The campaign money was entered for. :raises NotFound: if there is no such entry"""
    return budgets.get_budget(budgets.get_move(move_id).budget_id).campaign_id


def decide_money(
    *, move_id: uuid.UUID, agrees: bool, staff_id: uuid.UUID, paths: Sequence[str], actor: audit.Actor, now: dt.datetime
) -> uuid.UUID:
    """Agree to money somebody else entered, or refuse it. Returns the campaign.

    :raises SameHand: for whoever entered it
    """
    campaign_id = find_move_campaign(move_id)
    facts = queries.get_campaign_facts(campaign_id, paths)
    move = budgets.decide_move(move_id=move_id, agrees=agrees, staff_id=staff_id, now=now)
    _record("budget.posted" if agrees else "budget.refused", move.id, facts, actor, now, kind=move.kind, amount_fen=move.amount_fen)
    return campaign_id


def assign_item(*, item_id: uuid.UUID, organisation_id: uuid.UUID, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> uuid.UUID:
    """Say whose money pays for an item from now on; what is reserved stays where it is. Returns the campaign."""
    found = queries.get_item(item_id, paths)
    campaign_id = found.item.campaign_id
    if campaign_id is None:
        raise ValueError("an item without a campaign has no budget")
    party = queries.get_party(campaign_id, organisation_id)
    budget = budgets.open_budget(campaign_id=campaign_id, organisation_id=organisation_id, now=now)
    db.session.get_one(PayoutItem, item_id).budget_id = budget.id
    db.session.flush()
    facts = queries.get_campaign_facts(campaign_id, paths)
    _record("budget.item_assigned", item_id, facts, actor, now, item=found.item.title, organisation=party.name)
    return campaign_id


def _record(
    action: str, target_id: uuid.UUID, facts: queries.CampaignFacts, actor: audit.Actor, now: dt.datetime, **changes: object
) -> None:
    audit.record(
        action,
        actor=actor,
        target_type="budget",
        target_id=target_id,
        target_name=facts.title,
        organisation_path=facts.host_path,
        changes=changes,
        now=now,
    )

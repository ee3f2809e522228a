"""Holding whatever one person wins in a campaign while somebody looks into it, also what is won after that was begun.

The watch is written first and the person's open prizes are locked after it, so that a claim under way is over before it is
held, and a later claim reads the watch after its own lock (``claims.claim_payout``).
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.payouts import queries, rules
from quizapp.payouts.models import Payout, PayoutEvent, PayoutWatch
from quizapp.payouts.services.holds import hold, release

REVIEW, BREACH = "review", "breach"


def watch_prizes(*, citizen_id: uuid.UUID, campaign_id: uuid.UUID, actor: audit.Actor, now: dt.datetime) -> int:
    """Hold what this citizen has won or will win in a campaign; a second watch changes nothing.

    :returns: how many prizes it holds now
    """
    if not queries.is_watched(citizen_id, campaign_id):
        db.session.add(PayoutWatch(citizen_id=citizen_id, campaign_id=campaign_id, began_at=now))
        db.session.flush()
    return _hold_open(citizen_id, campaign_id, actor, now)


def end_watch(
    *, citizen_id: uuid.UUID, campaign_id: uuid.UUID, actor: audit.Actor, now: dt.datetime, keeps: Collection[uuid.UUID] = ()
) -> int:
    """Stop watching and let go what the watch held, the time to claim put off by the time it was held.

    :param keeps: payouts that stay held
    :returns: how many were let go
    """
    on = sa.select(PayoutWatch).filter_by(citizen_id=citizen_id, campaign_id=campaign_id, ended_at=None)
    for row in db.session.scalars(on.with_for_update()):
        row.ended_at = now
    db.session.flush()
    held = sa.select(Payout.id).filter_by(citizen_id=citizen_id, campaign_id=campaign_id, state="held", hold_reason=REVIEW)
    ids = [payout_id for payout_id in db.session.scalars(held.order_by(Payout.id)) if payout_id not in set(keeps)]
    for payout_id in ids:
        release(payout_id, REVIEW, actor, now)
    return len(ids)


def hold_watched(*, now: dt.datetime, limit: int = 500) -> int:
    """Hold prizes that were won by somebody who is watched. Returns how many."""
    found = sa.select(Payout.id).where(_IS_OPEN, queries.IS_WATCHED).order_by(Payout.id).limit(limit)
    ids = list(db.session.scalars(found))
    for payout_id in ids:
        hold(payout_id, REVIEW, audit.SYSTEM, now)
    return len(ids)


def withhold(*, payout_id: uuid.UUID, actor: audit.Actor, now: dt.datetime) -> bool:
    """Hold a prize because of a decision against its winner. It is not void yet: whoever answers the decision in time and is
    right gets it.

    :returns: False for one that is handed over, may be on its way, or is lost already
    """
    payout = queries.lock_payout(payout_id)
    if payout.state == "held":
        payout.hold_reason = BREACH
        event = PayoutEvent(payout_id=payout.id, at=now, from_state="held", to_state="held", reason=BREACH, actor_name="工作人员")
        db.session.add(event)
        db.session.flush()
        return True
    if payout.state not in rules.HOLDABLE_STATES or (payout.state == "processing" and payout.cash_list_id is not None):
        return False
    hold(payout_id, BREACH, actor, now)
    return True


_IS_OPEN = sa.and_(Payout.state.in_(rules.HOLDABLE_STATES), sa.or_(Payout.state != "processing", Payout.cash_list_id.is_(None)))


def _hold_open(citizen_id: uuid.UUID, campaign_id: uuid.UUID, actor: audit.Actor, now: dt.datetime) -> int:
    mine = sa.select(Payout).where(Payout.citizen_id == citizen_id, Payout.campaign_id == campaign_id, _IS_OPEN).order_by(Payout.id)
    payouts: Sequence[Payout] = db.session.scalars(mine.with_for_update().execution_options(populate_existing=True)).all()
    for payout in payouts:
        hold(payout.id, REVIEW, actor, now)
    return len(payouts)

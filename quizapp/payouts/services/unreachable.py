"""A winner nobody can reach: calls are written down; after enough of them the prize is given up for the winner."""

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.payouts import queries, rules
from quizapp.payouts.errors import NotClaimable, OnAList, ReasonNeeded, StillInReach
from quizapp.payouts.models import Payout, PayoutEvent
from quizapp.payouts.services.moves import move

CONTACTED = "contacted:"


def record_contact(*, payout_id: uuid.UUID, note: str, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> None:
    """Write down that somebody tried to reach the winner, and how it went.

    :raises PayoutNotFound: for one outside these subtrees
    :raises ReasonNeeded: for a note that says nothing
    :raises NotClaimable: for one that is handed over or lost
    """
    payout = _lock_open(payout_id, paths)
    if not rules.is_reason(note):
        raise ReasonNeeded
    reason = (CONTACTED + note.strip())[:64]
    db.session.add(
        PayoutEvent(payout_id=payout.id, at=now, from_state=payout.state, to_state=payout.state, reason=reason, actor_name=actor.name[:64])
    )
    db.session.flush()
    _record("payout.contacted", payout, actor, now)


def give_up_unreachable(*, payout_id: uuid.UUID, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> Payout:
    """Give the prize of a winner up whom nobody could reach.

    :raises StillInReach: with too few calls, or on too few days
    :raises OnAList: for cash on a list
    """
    payout = _lock_open(payout_id, paths)
    if payout.state == "processing" and payout.cash_list_id is not None:
        raise OnAList
    calls = db.session.scalars(
        sa.select(PayoutEvent.at).where(PayoutEvent.payout_id == payout_id, PayoutEvent.reason.startswith(CONTACTED, autoescape=True))
    )
    if not rules.is_out_of_reach(shanghai_day(at) for at in calls):
        raise StillInReach
    move(payout, "forfeited", now=now, reason="unreachable", actor_name=actor.name)
    _record("payout.given_up_unreachable", payout, actor, now)
    return payout


def _lock_open(payout_id: uuid.UUID, paths: Sequence[str]) -> Payout:
    queries.get_case(payout_id, paths)
    payout = queries.lock_payout(payout_id)
    if payout.state not in rules.HOLDABLE_STATES:
        raise NotClaimable
    return payout


def _record(action: str, payout: Payout, actor: audit.Actor, now: dt.datetime) -> None:
    audit.record(
        action,
        actor=actor,
        target_type="payout",
        target_id=payout.id,
        target_name=payout.title,
        organisation_path=queries.host_path(payout.campaign_id),
        changes={"reference": payout.reference},
        now=now,
    )

"""A prize under review: held with a reason its winner can read, then released or cancelled. Never silent, never a loss by
itself: the time to claim stands still meanwhile."""

import datetime as dt
import uuid

from quizapp.audit import services as audit
from quizapp.certificates import services as certificates
from quizapp.payouts import queries, rules
from quizapp.payouts.errors import OnAList, WrongMove
from quizapp.payouts.models import Payout
from quizapp.payouts.services.moves import move


def hold(payout_id: uuid.UUID, reason_code: str, actor: audit.Actor, now: dt.datetime) -> Payout:
    """Hold a prize until somebody has decided. Held again, it stays as it is.

    :param reason_code: one of ``rules.HOLD_REASONS``; the winner reads what it means
    :raises OnAList: for cash on a list, whose money may be on the way
    :raises WrongMove: for one that is handed over, lost, or whose payment has no answer yet
    :raises ValueError: for a reason nobody could be told
    """
    if reason_code not in rules.HOLD_REASONS:
        raise ValueError(f"not a reason to hold a prize: {reason_code}")
    payout = queries.lock_payout(payout_id)
    if payout.state == "held":
        return payout
    _refuse_on_list(payout)
    if payout.state not in rules.HOLDABLE_STATES:
        raise WrongMove
    payout.held_at, payout.held_from, payout.hold_reason = now, payout.state, reason_code
    move(payout, "held", now=now, reason=reason_code, actor_name=_name(actor))
    _record("payout.held", payout, actor, now, reason=reason_code)
    return payout


def release(payout_id: uuid.UUID, reason_code: str, actor: audit.Actor, now: dt.datetime) -> Payout:
    """Give a held prize back to where it was; the time it was held is added to the time to claim. One that is not held stays
    as it is."""
    payout = queries.lock_payout(payout_id)
    if payout.state != "held":
        return payout
    if payout.claim_deadline_at is not None and payout.held_at is not None:
        payout.claim_deadline_at += max(now - payout.held_at, dt.timedelta())
    back = payout.held_from
    payout.held_at, payout.held_from = None, ""
    move(payout, back, now=now, reason="released", actor_name=_name(actor))
    _record("payout.released", payout, actor, now, reason=reason_code)
    return payout


def cancel(payout_id: uuid.UUID, reason_code: str, actor: audit.Actor, now: dt.datetime) -> Payout:
    """Void a prize by a decision. What becomes of it follows from the terms, like of any other that nobody got;
    a certificate of it is revoked.

    :param reason_code: one of ``rules.HOLD_REASONS``
    :raises OnAList: for cash on a list
    :raises WrongMove: for one that is handed over, or whose payment has no answer yet
    """
    if reason_code not in rules.HOLD_REASONS:
        raise ValueError(f"not a reason to cancel a prize: {reason_code}")
    payout = queries.lock_payout(payout_id)
    if payout.state == "void":
        return payout
    _refuse_on_list(payout)
    payout.hold_reason = reason_code
    move(payout, "void", now=now, reason=reason_code, actor_name=_name(actor))
    certificates.revoke_source(
        source_type=payout.source_type, source_id=payout.source_id, reason=rules.HOLD_REASONS[reason_code], actor=actor, now=now
    )
    _record("payout.cancelled", payout, actor, now, reason=reason_code)
    return payout


def _refuse_on_list(payout: Payout) -> None:
    if payout.state == "processing" and payout.cash_list_id is not None:
        raise OnAList


def _name(actor: audit.Actor) -> str:
    """Whom the winner sees: the office, not the person."""
    return "系统" if actor.kind == "system" else "工作人员"


def _record(action: str, payout: Payout, actor: audit.Actor, now: dt.datetime, **changes: object) -> None:
    audit.record(
        action,
        actor=actor,
        target_type="payout",
        target_id=payout.id,
        target_name=payout.title,
        organisation_path=queries.host_path(payout.campaign_id),
        changes={"reference": payout.reference, **changes},
        now=now,
    )

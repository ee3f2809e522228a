"""Cash lists: made by finance, reviewed by somebody else above an amount, marked row by row."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.core.errors import Conflict
from quizapp.payouts import queries, rules
from quizapp.payouts.errors import NothingToPay, PaidLater, ReasonNeeded, ReviewNeeded, SameReviewer, WrongMove
from quizapp.payouts.models import CashList, Payout
from quizapp.payouts.services.moves import move

MAX_ROWS = 5000
NUMBER_TRIES = 5
RESULTS = ("done", "returned", "unknown")


def make_cash_list(
    *,
    campaign_id: uuid.UUID,
    staff_id: uuid.UUID,
    paths: Sequence[str],
    review_above_fen: int,
    actor: audit.Actor,
    now: dt.datetime,
    limit: int = MAX_ROWS,
) -> CashList:
    """Put claimed cash prizes of one campaign that are on no list yet on a new one, the oldest claims first.

    :param review_above_fen: a list above this total needs a second person; below zero none does
    :raises NothingToPay: if nobody waits
    :raises PaidLater: before the moment at which the terms pay everything together
    :raises NotFound: for a campaign outside these subtrees
    """
    facts = queries.get_campaign_facts(campaign_id, paths)
    if facts.claim.deferred_until is not None and now < facts.claim.deferred_until:
        raise PaidLater
    waiting = sa.select(Payout).filter_by(campaign_id=campaign_id, kind="cash", state="processing", cash_list_id=None)
    payouts = db.session.scalars(waiting.order_by(Payout.claimed_at, Payout.id).limit(limit).with_for_update(skip_locked=True)).all()
    if not payouts:
        raise NothingToPay
    total_fen = sum(payout.amount_fen for payout in payouts)
    cash_list = _insert_numbered(
        campaign_id=campaign_id,
        payout_count=len(payouts),
        total_fen=total_fen,
        needs_review=rules.needs_review(total_fen, review_above_fen),
        created_at=now,
        created_by=staff_id,
    )
    for payout in payouts:
        payout.cash_list_id = cash_list.id
    db.session.flush()
    _record("payout.cash_list_made", cash_list, facts.host_path, actor, now, count=len(payouts), total_fen=total_fen)
    return cash_list


def _insert_numbered(**values: Any) -> CashList:
    """Insert a list under the next number of its Shanghai day, ``XJ20270315-003``; of two made at the same moment the
    second one takes the number after."""
    day = f"XJ{shanghai_day(values['created_at']):%Y%m%d}-"
    for _ in range(NUMBER_TRIES):
        count = db.session.scalar(sa.select(sa.func.count()).select_from(CashList).where(CashList.number.startswith(day))) or 0
        cash_list = CashList(number=f"{day}{count + 1:03d}", **values)
        try:
            with db.session.begin_nested():
                db.session.add(cash_list)
        except sa.exc.IntegrityError:
            continue
        return cash_list
    raise Conflict


def review_cash_list(*, cash_list_id: uuid.UUID, staff_id: uuid.UUID, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> None:
    """Agree to a list somebody else made. A second review changes nothing.

    :raises SameReviewer: if the reviewer made the list
    """
    cash_list, facts = queries.lock_cash_list(cash_list_id, paths)
    if cash_list.created_by == staff_id:
        raise SameReviewer
    if cash_list.reviewed_at is not None:
        return
    cash_list.reviewed_at, cash_list.reviewed_by = now, staff_id
    _record("payout.cash_list_reviewed", cash_list, facts.host_path, actor, now)


def export_rows(
    *, cash_list_id: uuid.UUID, paths: Sequence[str], unmask_reason: str | None, actor: audit.Actor, now: dt.datetime
) -> tuple[CashList, queries.CampaignFacts, list[Payout]]:
    """The rows of a list for a file; the export is audited, with the typed reason where whole numbers leave the house.

    :param unmask_reason: None for masked numbers
    :raises ReviewNeeded: if the list waits for a second person
    :raises ReasonNeeded: for a reason that says nothing
    """
    cash_list, facts = queries.lock_cash_list(cash_list_id, paths)
    if cash_list.needs_review and cash_list.reviewed_at is None:
        raise ReviewNeeded
    if unmask_reason is not None and not rules.is_reason(unmask_reason):
        raise ReasonNeeded
    action = "payout.cash_list_exported" if unmask_reason is None else "payout.phones_unmasked"
    details = {} if unmask_reason is None else {"reason": unmask_reason.strip()}
    _record(action, cash_list, facts.host_path, actor, now, count=cash_list.payout_count, **details)
    return cash_list, facts, queries.list_cash_rows(cash_list_id)


def mark_payouts(
    *,
    cash_list_id: uuid.UUID,
    payout_ids: Collection[uuid.UUID],
    result: str,
    reason: str,
    staff_id: uuid.UUID,
    paths: Sequence[str],
    actor: audit.Actor,
    now: dt.datetime,
) -> int:
    """Write down what became of rows of a list: ``done``, ``returned`` (can be claimed again) or ``unknown``.

    An unknown row is never paid again; it can only turn out done or returned. Rows that already are what is asked for
    are left alone.

    :raises ReviewNeeded: for a list that waits for a second person
    :raises WrongMove: for a row from which that step does not exist
    """
    if result not in RESULTS:
        raise WrongMove
    cash_list, facts = queries.lock_cash_list(cash_list_id, paths)
    if cash_list.needs_review and cash_list.reviewed_at is None:
        raise ReviewNeeded
    rows = sa.select(Payout).where(Payout.cash_list_id == cash_list_id, Payout.id.in_(payout_ids))
    changed = [payout for payout in db.session.scalars(rows.order_by(Payout.id).with_for_update()) if payout.state != result]
    for payout in changed:
        payout.handled_by = staff_id
        if result == "returned":
            _reopen(payout, now)
        move(payout, result, now=now, reason=reason.strip() or f"finance_{result}", actor_name=actor.name)
    if not queries.count_unsettled(cash_list_id):
        cash_list.settled_at, cash_list.settled_by = now, staff_id
    if changed:
        _record(
            "payout.rows_marked", cash_list, facts.host_path, actor, now, result=result, count=len(changed), reason=reason.strip()[:100]
        )
    return len(changed)


def _reopen(payout: Payout, now: dt.datetime) -> None:
    """Money that came back can be claimed again: at least a week from now."""
    again = now + dt.timedelta(days=7)
    payout.claim_deadline_at = max(payout.claim_deadline_at or again, again)


def _record(action: str, cash_list: CashList, host_path: str, actor: audit.Actor, now: dt.datetime, **changes: object) -> None:
    audit.record(
        action,
        actor=actor,
        target_type="cash_list",
        target_id=cash_list.id,
        target_name=cash_list.number,
        organisation_path=host_path,
        changes=changes,
        now=now,
    )

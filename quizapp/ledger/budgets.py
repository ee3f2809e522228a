"""What units put into a campaign and what becomes of it, in fen, by double entry.

Four accounts a budget, which always add up to zero: ``outside`` (where the money comes from; minus what was brought), ``free``,
``reserved`` (won and not handed over) and ``spent``. None is bounded: what is won is owed, whether the money is there or not;
``free`` below zero is a shortage that staff are warned of.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.core.errors import AppError, Conflict, NotFound
from quizapp.core.text import N_
from quizapp.ledger import services
from quizapp.ledger.errors import InsufficientBalance
from quizapp.ledger.models import Budget, BudgetMove, LedgerEntry
from quizapp.ledger.queries import sum_entries

UNIT = "fen"
OUTSIDE, FREE, RESERVED, SPENT = "fund_outside", "fund_free", "fund_reserved", "fund_spent"
POCKETS = (OUTSIDE, FREE, RESERVED, SPENT)
STEPS = {"reserve": (FREE, RESERVED), "spend": (RESERVED, SPENT), "release": (RESERVED, FREE)}
"""What the hand-over of a prize does with its worth."""


class SameHand(AppError):
    code = "same_reviewer"
    message = N_("登记和复核不能是同一个人。")
    http_status = 403


class AlreadyDecided(Conflict):
    code = "already_decided"
    message = N_("这一笔已经处理过了。")


@dataclass(frozen=True)
class Sums:
    """What a budget holds, in fen. ``brought`` is what came in less what was taken back."""

    brought: int
    free: int
    reserved: int
    spent: int

    @property
    def is_short(self) -> bool:
        return self.free < 0


def _owner(pocket: str, budget_id: uuid.UUID) -> tuple[str, str]:
    return pocket, str(budget_id)


def _post(
    budget_id: uuid.UUID, giver: str, taker: str, amount: int, source_type: str, source_id: object, reason: str, now: dt.datetime
) -> None:
    services.post(
        services.Posting(
            unit=UNIT,
            from_owner=_owner(giver, budget_id),
            to_owner=_owner(taker, budget_id),
            amount=amount,
            source_type=source_type,
            source_id=source_id,
            reason=reason,
            now=now,
        )
    )


# ---- budgets


def open_budget(*, campaign_id: uuid.UUID, organisation_id: uuid.UUID, now: dt.datetime) -> Budget:
    """The budget of a unit in a campaign, opened when it is first needed."""
    found = find_budget(campaign_id, organisation_id)
    if found is not None:
        return found
    made = Budget(campaign_id=campaign_id, organisation_id=organisation_id, created_at=now)
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except sa.exc.IntegrityError:
        again = find_budget(campaign_id, organisation_id)
        if again is None:
            raise
        return again
    return made


def find_budget(campaign_id: uuid.UUID, organisation_id: uuid.UUID) -> Budget | None:
    return db.session.scalar(sa.select(Budget).filter_by(campaign_id=campaign_id, organisation_id=organisation_id))


def list_budgets(campaign_id: uuid.UUID) -> list[Budget]:
    return list(db.session.scalars(sa.select(Budget).filter_by(campaign_id=campaign_id).order_by(Budget.id)))


def get_budget(budget_id: uuid.UUID) -> Budget:
    """:raises NotFound: if there is none"""
    found = db.session.get(Budget, budget_id)
    if found is None:
        raise NotFound
    return found


def get_sums(budget_id: uuid.UUID) -> Sums:
    """What the entries add up to."""
    outside, free, reserved, spent = (sum_entries(services.account_id(*_owner(pocket, budget_id), UNIT)) for pocket in POCKETS)
    return Sums(-outside, free, reserved, spent)


# ---- what prizes do


def post_step(*, budget_id: uuid.UUID, step: str, amount_fen: int, payout_id: uuid.UUID, now: dt.datetime) -> None:
    """``reserve``, ``spend`` or ``release`` the worth of one prize, once each.

    :raises AlreadyPosted: if this prize has taken this step
    """
    giver, taker = STEPS[step]
    _post(budget_id, giver, taker, amount_fen, "payout", payout_id, step, now)


def find_budget_of(payout_id: uuid.UUID, campaign_id: uuid.UUID) -> Budget | None:
    """The budget a prize was reserved from."""
    entry = sa.select(LedgerEntry.credit_account_id).filter_by(source_type="payout", source_id=str(payout_id), reason="reserve")
    account = db.session.scalar(entry)
    reserved = {services.account_id(*_owner(RESERVED, budget.id), UNIT): budget for budget in list_budgets(campaign_id)}
    return reserved.get(account) if account is not None else None


# ---- money brought and taken back


def enter_move(
    *,
    budget_id: uuid.UUID,
    kind: str,
    amount_fen: int,
    document: str,
    note: str,
    staff_id: uuid.UUID,
    review_above_fen: int,
    now: dt.datetime,
) -> BudgetMove:
    """Enter money that a unit brings (``deposit``) or takes back (``withdrawal``).

    :param review_above_fen: above this a second person must agree before it counts; below zero none does
    :raises InsufficientBalance: for more than is free
    """
    lock_budget(budget_id)
    move = BudgetMove(
        budget_id=budget_id,
        kind=kind,
        amount_fen=amount_fen,
        document=document,
        note=note,
        state="waiting",
        created_at=now,
        created_by=staff_id,
    )
    db.session.add(move)
    db.session.flush()
    if not 0 <= review_above_fen < amount_fen:
        _post_move(move, now)
    else:
        _check_free(move)
    return move


def lock_budget(budget_id: uuid.UUID) -> Budget:
    """:raises NotFound: if there is none"""
    found = db.session.scalar(sa.select(Budget).filter_by(id=budget_id).with_for_update())
    if found is None:
        raise NotFound
    return found


def _check_free(move: BudgetMove) -> None:
    if move.kind == "withdrawal" and get_sums(move.budget_id).free < move.amount_fen:
        raise InsufficientBalance


def _post_move(move: BudgetMove, now: dt.datetime) -> None:
    _check_free(move)
    giver, taker = (OUTSIDE, FREE) if move.kind == "deposit" else (FREE, OUTSIDE)
    _post(move.budget_id, giver, taker, move.amount_fen, "budget_move", move.id, move.kind, now)
    move.state = "posted"
    db.session.flush()


def get_move(move_id: uuid.UUID) -> BudgetMove:
    """:raises NotFound: if there is none"""
    found = db.session.get(BudgetMove, move_id)
    if found is None:
        raise NotFound
    return found


def decide_move(*, move_id: uuid.UUID, agrees: bool, staff_id: uuid.UUID, now: dt.datetime) -> BudgetMove:
    """Agree to a move somebody else entered, or refuse it.

    :raises SameHand: for whoever entered it
    :raises AlreadyDecided: for one that does not wait
    :raises InsufficientBalance: for more than is free by now
    """
    lock_budget(get_move(move_id).budget_id)
    move = db.session.scalars(sa.select(BudgetMove).filter_by(id=move_id).with_for_update().execution_options(populate_existing=True)).one()
    if move.created_by == staff_id:
        raise SameHand
    if move.state != "waiting":
        raise AlreadyDecided
    move.decided_at, move.decided_by = now, staff_id
    if agrees:
        _post_move(move, now)
    else:
        move.state = "refused"
        db.session.flush()
    return move


def list_moves(budget_id: uuid.UUID, states: Sequence[str] = ("waiting", "posted", "refused")) -> list[BudgetMove]:
    found = sa.select(BudgetMove).where(BudgetMove.budget_id == budget_id, BudgetMove.state.in_(states))
    return list(db.session.scalars(found.order_by(BudgetMove.created_at, BudgetMove.id)))

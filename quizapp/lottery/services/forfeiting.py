"""Prizes nobody got, by the rows of ``payouts``: back into the instant draw's stock, or on to the next of a reserve list.

Both are records of the draw's own chain; a prize goes back or on at most once, because its row is worked once.
"""

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.accounts.models import Citizen
from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.lottery.errors import NoReserveLeft, PlaceStillHeld
from quizapp.lottery.models import Win
from quizapp.lottery.pool_models import PoolDrawEntry, PoolWin
from quizapp.lottery.pooldraw import pass_reserve, substitute
from quizapp.lottery.pooldraw.chain import lock_run
from quizapp.lottery.pooldraw.reserves import next_reserve
from quizapp.lottery.services.upkeep import return_wins
from quizapp.payouts import queries as payout_queries
from quizapp.payouts import services as payouts
from quizapp.payouts.models import PayoutForfeit

RETURN_REASONS = {"expired": "unclaimed", "forfeited": "given_up", "void": "excluded"}
"""From how a prize was lost to what the public ledger says."""
PASS_REASONS = {"expired": "expired", "forfeited": "given_up", "void": "excluded_person"}


def return_forfeits(*, campaign_id: uuid.UUID, now: dt.datetime, limit: int = 500) -> int:
    """Put lost prizes of a campaign's instant draw back where its terms say so. Returns how many rows were worked."""
    rows = payouts.lock_forfeits(source_type="win", rule="stock", campaign_id=campaign_id, limit=limit)
    for reason in sorted({_reason(row) for row in rows}):
        return_wins(campaign_id=campaign_id, win_ids=[row.source_id for row in rows if _reason(row) == reason], reason=reason, now=now)
    returned = _returned([row.source_id for row in rows])
    for row in rows:
        payouts.settle_forfeit(row, "returned" if row.source_id in returned else "kept", now)
    return len(rows)


def _reason(row: PayoutForfeit) -> str:
    if row.cause == "forfeited" and any(event.reason == "unreachable" for event in payout_queries.list_events(row.payout_id)):
        return "undeliverable"
    return RETURN_REASONS[row.cause]


def _returned(win_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    return set(db.session.scalars(sa.select(Win.id).where(Win.id.in_(win_ids), Win.returned_at.is_not(None))))


def pass_on_forfeits(*, now: dt.datetime, limit: int = 50) -> int:
    """Give lost prizes of pool draws to the next of their reserve lists, in the order they were lost. Returns how many rows were
    worked."""
    rows = payouts.lock_forfeits(source_type="pool_win", rule="reserve", limit=limit)
    for row in rows:
        payouts.settle_forfeit(row, _pass_on(row, now), now)
    return len(rows)


def _pass_on(row: PayoutForfeit, now: dt.datetime) -> str:
    win = db.session.get_one(PoolWin, row.source_id)
    path = payout_queries.host_path(row.campaign_id)
    try:
        _skip_deleted(win.pool_draw_id, path, now)
        substitute(
            pool_draw_id=win.pool_draw_id,
            tier=win.tier,
            place=win.place,
            reason=PASS_REASONS[row.cause],
            actor=audit.SYSTEM,
            organisation_path=path,
            now=now,
        )
    except NoReserveLeft:
        return "no_reserve"
    except PlaceStillHeld:  # staff have given it on already
        return "passed_on"
    return "passed_on"


def _skip_deleted(pool_draw_id: uuid.UUID, path: str, now: dt.datetime) -> None:
    """Pass over those on the reserve list who have left, on the record."""
    while True:
        run = lock_run(pool_draw_id)
        following = next_reserve(run)
        status = db.session.scalar(
            sa.select(Citizen.status)
            .join(PoolDrawEntry, PoolDrawEntry.citizen_id == Citizen.id)
            .where(PoolDrawEntry.pool_draw_id == run.id, PoolDrawEntry.serial == following.serial)
        )
        if status != "deleted":
            return
        pass_reserve(pool_draw_id=run.id, reason="citizen_deleted", actor=audit.SYSTEM, organisation_path=path, now=now)


def keep_forfeits(*, now: dt.datetime, limit: int = 500) -> int:
    """Close rows whose rule has nothing to work on: a reserve list in an instant draw, stock in a pool draw. Returns how many."""
    count = 0
    for source_type, rule in (("win", "reserve"), ("pool_win", "stock")):
        for row in payouts.lock_forfeits(source_type=source_type, rule=rule, limit=limit):
            payouts.settle_forfeit(row, "kept", now)
            count += 1
    return count

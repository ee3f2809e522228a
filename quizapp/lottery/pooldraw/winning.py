"""From results to prizes that are handed over."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.core.clock import day_end, shanghai_day
from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.core.statements import run_copy
from quizapp.lottery.pool_models import PoolDrawEntry, PoolDrawRun, PoolDrawTier
from quizapp.lottery.pooldraw.chain import draw_of
from quizapp.payouts import services as payouts

_COLUMNS = (
    "id", "pool_draw_id", "tier_id", "campaign_id", "citizen_id", "tier", "place", "turn", "serial", "alias", "substitute_of",
    "reserve", "is_outside", "won_at", "claim_deadline_at",
)  # fmt: skip
_IDS_PER_QUERY = 500


@dataclass(frozen=True)
class Won:
    """A place of a tier and the line of the list that has it."""

    tier: int
    place: int
    serial: int
    alias: str
    turn: int = 0
    substitute_of: uuid.UUID | None = None
    reserve: int | None = None


def open_wins(run: PoolDrawRun, won: Sequence[Won], now: dt.datetime) -> list[uuid.UUID]:
    """Keep wins of a locked draw and open their hand-overs. Returns their ids in order."""
    tiers = {tier.position: tier for tier in db.session.scalars(_tiers(run))}
    citizens = _citizens(run.id, [each.serial for each in won])
    deadline = day_end(shanghai_day(now) + dt.timedelta(days=draw_of(run)["claim_days"]))
    ids = [new_id() for _ in won]
    rows: list[tuple[Any, ...]] = [
        (
            win_id, run.id, tiers[each.tier].id, run.campaign_id, citizens[each.serial], each.tier, each.place, each.turn, each.serial,
            each.alias, each.substitute_of, each.reserve, run.is_outside, now, deadline,
        )
        for win_id, each in zip(ids, won, strict=True)
    ]  # fmt: skip
    run_copy("pool_wins", _COLUMNS, rows)
    payouts.open_many(
        [_opening(win_id, run, tiers[each.tier], each, citizens, deadline, now) for win_id, each in zip(ids, won, strict=True)]
    )
    for position, tier in tiers.items():
        count = sum(each.tier == position and not each.turn for each in won)
        payouts.raise_item_quantity(item_id=tier.id, at_least=count)
    return ids


def _opening(
    win_id: uuid.UUID,
    run: PoolDrawRun,
    tier: PoolDrawTier,
    each: Won,
    citizens: dict[int, uuid.UUID],
    deadline: dt.datetime,
    now: dt.datetime,
) -> payouts.Opening:
    return payouts.Opening(
        source_type="pool_win",
        source_id=win_id,
        citizen_id=citizens[each.serial],
        campaign_id=run.campaign_id,
        kind=tier.kind,
        title=tier.name,
        item_id=tier.id,
        amount_fen=tier.value_fen,
        points=tier.points,
        claim_deadline_at=deadline,
        now=now,
        reference=each.alias,
        tier=tier.tier,
        draw_key=str(run.id),
    )


def _tiers(run: PoolDrawRun) -> sa.Select[PoolDrawTier]:
    return sa.select(PoolDrawTier).filter_by(campaign_id=run.campaign_id, draw_code=run.draw_code)


def _citizens(pool_draw_id: uuid.UUID, serials: Sequence[int]) -> dict[int, uuid.UUID]:
    found: dict[int, uuid.UUID] = {}
    for start in range(0, len(serials), _IDS_PER_QUERY):
        part = serials[start : start + _IDS_PER_QUERY]
        columns = (PoolDrawEntry.serial, PoolDrawEntry.citizen_id)
        statement = sa.select(*columns).where(PoolDrawEntry.pool_draw_id == pool_draw_id, PoolDrawEntry.serial.in_(part))
        found.update({row[0]: row[1] for row in db.session.execute(statement)})
    return found

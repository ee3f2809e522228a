"""Reads for pages of campaigns and of one's wins, and for the worker."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.statements import Row
from quizapp.lottery.models import DaySecret, Draw, DrawTicket, Prize, PrizePool, Win
from quizapp.lottery.pool_models import PoolWin
from quizapp.lottery.queries.drawing import PoolCampaign
from quizapp.payouts.models import Payout
from quizapp.payouts.queries import CAMPAIGNS

# ---- what the campaign page shows


def list_prizes(campaign_id: uuid.UUID) -> list[Prize]:
    """The prizes of a campaign in the manifest's order; none without a draw."""
    statement = sa.select(Prize).join(PrizePool, PrizePool.id == Prize.pool_id).where(PrizePool.campaign_id == campaign_id)
    return list(db.session.scalars(statement.order_by(Prize.position)))


@dataclass(frozen=True)
class RecentWin:
    """One line of the ticker: the 抽奖号 and the prize, nothing about the person."""

    alias: str
    prize_name: str
    won_at: dt.datetime


def recent_wins_for_ticker(campaign_id: uuid.UUID, limit: int = 10) -> list[RecentWin]:
    """The latest wins of a campaign, the newest first."""
    statement = (
        sa.select(Draw.alias, Prize.name, Win.won_at)
        .join(Draw, Draw.id == Win.draw_id)
        .join(Prize, Prize.id == Win.prize_id)
        .where(Win.campaign_id == campaign_id)
    )
    return [RecentWin(*row) for row in db.session.execute(statement.order_by(Win.won_at.desc()).limit(limit))]


# ---- a citizen's wins


@dataclass(frozen=True)
class OwnWin:
    """A win with its hand-over."""

    win_id: uuid.UUID
    draw_id: uuid.UUID | None
    """Of an instant draw; a pool draw has ``pool_draw_id``."""
    pool_draw_id: uuid.UUID | None
    alias: str
    campaign: PoolCampaign
    won_at: dt.datetime
    payout: Payout


_OWN_WINS = (
    sa.select(
        Payout.source_id, Win.draw_id, PoolWin.pool_draw_id, Payout.reference, CAMPAIGNS.c.id, CAMPAIGNS.c.slug, CAMPAIGNS.c.title,
        sa.func.coalesce(Win.won_at, PoolWin.won_at), Payout,
    )
    .outerjoin(Win, sa.and_(Payout.source_type == "win", Payout.source_id == Win.id))
    .outerjoin(PoolWin, sa.and_(Payout.source_type == "pool_win", Payout.source_id == PoolWin.id))
    .join(CAMPAIGNS, CAMPAIGNS.c.id == Payout.campaign_id)
    .where(Payout.source_type.in_(("win", "pool_win")))
)  # fmt: skip


def _own_win(row: Row) -> OwnWin:
    return OwnWin(row[0], row[1], row[2], row[3], PoolCampaign(row[4], row[5], row[6]), row[7], row[8])


def list_own_wins(citizen_id: uuid.UUID, *, before: uuid.UUID | None = None, limit: int = 20) -> list[OwnWin]:
    """Wins of a citizen, the newest first.

    :param before: the id of the last one already seen (ids grow with time)
    """
    statement = _OWN_WINS.where(Payout.citizen_id == citizen_id)
    if before is not None:
        statement = statement.where(Payout.source_id < before)
    return [_own_win(row) for row in db.session.execute(statement.order_by(Payout.source_id.desc()).limit(limit))]


def get_own_win(win_id: uuid.UUID, citizen_id: uuid.UUID) -> OwnWin:
    """:raises NotFound: if there is none or it is somebody else's"""
    row = db.session.execute(_OWN_WINS.where(Payout.source_id == win_id, Payout.citizen_id == citizen_id)).one_or_none()
    if row is None:
        raise NotFound
    return _own_win(row)


# ---- for the worker


def list_campaigns_to_chain() -> Sequence[uuid.UUID]:
    """Campaigns with tickets that are on no list yet."""
    return db.session.scalars(sa.select(DrawTicket.campaign_id).where(DrawTicket.chained_in.is_(None)).distinct()).all()


def list_campaigns_with_late_tickets(now: dt.datetime) -> Sequence[uuid.UUID]:
    """Campaigns with tickets that nobody drew in time."""
    late = sa.select(DrawTicket.campaign_id).where(DrawTicket.state == "granted", DrawTicket.expires_at <= now)
    return db.session.scalars(late.distinct()).all()


def list_campaigns_to_reveal(now: dt.datetime) -> Sequence[uuid.UUID]:
    """Campaigns with a day that is over and whose secret is still closed."""
    statement = (
        sa.select(PrizePool.campaign_id)
        .join(DaySecret, DaySecret.pool_id == PrizePool.id)
        .where(DaySecret.revealed_at.is_(None), DaySecret.day_on < shanghai_day(now))
    )
    return db.session.scalars(statement.distinct()).all()

"""What the console's home and menu count: cheap figures of today and things somebody should look at."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.attempts.models import Attempt
from quizapp.campaigns.models import Campaign
from quizapp.core import leases
from quizapp.core.clock import day_end, day_start, shanghai_day
from quizapp.core.db import db
from quizapp.lottery.models import Prize, PrizePool
from quizapp.payouts.models import Payout
from quizapp.questions.models import Question, QuestionBank
from quizapp.questions.queries import in_scopes as banks_in_scopes
from quizapp.reporting.queries import campaigns_in_scope

LEAD = "worker"
SILENT = dt.timedelta(seconds=60)
"""A worker not heard of for so long is worth a look."""


@dataclass(frozen=True)
class OpenCampaign:
    """A campaign that takes attempts now."""

    id: uuid.UUID
    slug: str
    title: str
    closes_at: dt.datetime | None


@dataclass(frozen=True)
class Stock:
    """What is left in the pools of some campaigns; value in fen."""

    quantity: int
    left: int
    left_fen: int


def list_open_campaigns(scope_paths: Sequence[str], now: dt.datetime) -> list[OpenCampaign]:
    """Published campaigns whose window is open, the latest first."""
    is_open = sa.and_(Campaign.status == "published", Campaign.opens_at <= now, Campaign.closes_at > now)
    columns = (Campaign.id, Campaign.slug, Campaign.title, Campaign.closes_at)
    statement = sa.select(*columns).where(is_open, campaigns_in_scope(scope_paths)).order_by(Campaign.opens_at.desc(), Campaign.slug)
    return [OpenCampaign(*row) for row in db.session.execute(statement)]


def find_latest_campaign(scope_paths: Sequence[str], now: dt.datetime) -> OpenCampaign | None:
    """What the home page draws: the campaign that began last among those somebody took part in, else the one that began
    last."""
    columns = (Campaign.id, Campaign.slug, Campaign.title, Campaign.closes_at)
    began = sa.and_(Campaign.status.in_(("published", "paused", "closed")), Campaign.opens_at <= now)
    has_attempts = sa.exists().where(Attempt.campaign_id == Campaign.id, Attempt.state == "graded")
    order = (sa.case((has_attempts, 0), else_=1), Campaign.opens_at.desc(), Campaign.slug)
    statement = sa.select(*columns).where(began, campaigns_in_scope(scope_paths)).order_by(*order).limit(1)
    row = db.session.execute(statement).first()
    return None if row is None else OpenCampaign(*row)


def _payouts(scope_paths: Sequence[str]) -> sa.ColumnElement[bool]:
    if "/" in scope_paths:
        return sa.true()
    return Payout.campaign_id.in_(sa.select(Campaign.id).where(campaigns_in_scope(scope_paths)))


def count_payouts(states: Sequence[str], scope_paths: Sequence[str]) -> int:
    """Hand-overs in these states."""
    statement = sa.select(sa.func.count()).select_from(Payout).where(Payout.state.in_(states), _payouts(scope_paths))
    return db.session.scalar(statement) or 0


def sum_cash_done(scope_paths: Sequence[str], day: dt.date) -> int:
    """Cash that reached winners on a Shanghai day, in fen."""
    on_the_day = sa.and_(Payout.done_at >= day_start(day), Payout.done_at < day_end(day))
    is_cash = sa.and_(Payout.kind == "cash", Payout.state == "done")
    statement = sa.select(sa.func.coalesce(sa.func.sum(Payout.amount_fen), 0)).where(is_cash, on_the_day, _payouts(scope_paths))
    return int(db.session.scalar(statement) or 0)


def get_stock(campaign_ids: Sequence[uuid.UUID]) -> Stock | None:
    """What is left to win in these campaigns; None when none of them has a draw."""
    left = Prize.quantity - Prize.won_count
    columns = (sa.func.sum(Prize.quantity), sa.func.sum(left), sa.func.sum(left * Prize.value_fen))
    row = db.session.execute(
        sa.select(*columns).join(PrizePool, PrizePool.id == Prize.pool_id).where(PrizePool.campaign_id.in_(campaign_ids))
    )
    quantity, rest, value = row.one()
    return None if not quantity else Stock(int(quantity), int(rest), int(value))


def count_campaigns(status: str, scope_paths: Sequence[str]) -> int:
    """Those that wait for somebody: an approved one that the worker releases does not."""
    waits = sa.and_(Campaign.status == status, Campaign.release_at.is_(None))
    statement = sa.select(sa.func.count()).select_from(Campaign).where(waits, campaigns_in_scope(scope_paths))
    return db.session.scalar(statement) or 0


def count_questions_in_review(scope_paths: Sequence[str]) -> int:
    """Questions nobody has approved yet."""
    statement = sa.select(sa.func.count()).select_from(Question).join(QuestionBank, QuestionBank.id == Question.bank_id)
    return db.session.scalar(statement.where(Question.status == "in_review", banks_in_scopes(scope_paths))) or 0


@dataclass(frozen=True)
class WorkerState:
    """The leading worker's last sign of life."""

    seen_at: dt.datetime | None
    is_silent: bool


def get_worker_state(now: dt.datetime) -> WorkerState:
    """Whether the timetable is being worked."""
    seen_at = leases.find_last_sign(LEAD)
    return WorkerState(seen_at, seen_at is None or now - seen_at > SILENT)


def today(now: dt.datetime) -> dt.date:
    return shanghai_day(now)

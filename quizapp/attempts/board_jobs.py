"""What the worker does for boards: compute them while a campaign runs, a last time when it is over, then give rank prizes."""

import datetime as dt
import logging
import uuid

import sqlalchemy as sa

from quizapp.accounts.models import Citizen
from quizapp.accounts.rules import is_minor
from quizapp.attempts import boards
from quizapp.attempts.models import BoardRow
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns import rules as campaign_rules
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import Board, PoolTier, RankPrize
from quizapp.core.clock import day_end, shanghai_day, utc_now
from quizapp.core.db import db, transaction
from quizapp.payouts import queries as payout_queries
from quizapp.payouts import services as payouts

log = logging.getLogger(__name__)
SOURCE = "rank"
EVERY = dt.timedelta(minutes=10)


def compute_boards(now: dt.datetime | None = None) -> int:
    """Every few minutes: compute the boards that are due, and give the prizes of those that are final.

    :returns: how many boards were computed
    """
    moment = now or utc_now()
    with transaction():
        views = [view for view in campaign_queries.list_visible(moment) if view.terms.boards]
    done = 0
    for view in views:
        for board in view.terms.boards:
            try:
                done += _compute(view, board, moment)
            except Exception:
                log.exception("board %s of %s cannot be computed", board.id, view.slug)
    return done


def _compute(view: CampaignView, board: Board, now: dt.datetime) -> int:
    if now < view.terms.opens_at:
        return 0
    with transaction():
        computed_at = boards.find_computed_at(view.id, board.id)
        is_final = boards.is_frozen(view, board, now)
        was_final = computed_at is not None and boards.is_frozen(view, board, computed_at)
        is_due = not was_final and (is_final or computed_at is None or now - computed_at >= EVERY)
        if is_due:
            boards.compute_board(view, board, now)
        if is_final and not was_final:
            for prize in view.terms.rank_prizes:
                if prize.board == board.id:
                    _give_rank_prizes(view, board, prize, now)
    return int(is_due)


def _give_rank_prizes(view: CampaignView, board: Board, prize: RankPrize, now: dt.datetime) -> int:
    """Open the hand-over of a final board's prizes, tier after tier from the first place; a repeat finds them open.

    Equal places at the edge of a tier all get it. Minors get no cash, who takes no part in prizes here nothing. Returns how
    many were opened.
    """
    if board.of != "person":
        return 0
    rows = list(db.session.scalars(sa.select(BoardRow).filter_by(campaign_id=view.id, board_id=board.id).order_by(BoardRow.place)))
    ages = dict(
        db.session.execute(sa.select(Citizen.id, Citizen.age_band).where(Citizen.id.in_([uuid.UUID(row.subject) for row in rows]))).all()
    )
    opened, last = 0, 0
    for tier in prize.tiers:
        first, last = last + 1, last + tier.quantity
        for row in rows:
            citizen_id = uuid.UUID(row.subject)
            if citizen_id in ages and first <= row.place <= last and not (tier.kind == "cash" and is_minor(ages[citizen_id])):
                opened += _open(view, board, tier, citizen_id, prize.claim_days, now)
    return opened


def _open(view: CampaignView, board: Board, tier: PoolTier, citizen_id: uuid.UUID, claim_days: int, now: dt.datetime) -> int:
    source_id = uuid.uuid5(citizen_id, f"{view.id}:{board.id}")
    if payout_queries.find_by_source(SOURCE, source_id) is not None:
        return 0
    payouts.open_payout(
        payouts.Opening(
            source_type=SOURCE,
            source_id=source_id,
            citizen_id=citizen_id,
            campaign_id=view.id,
            kind=tier.kind,
            title=tier.name,
            item_id=campaign_rules.stock_prize_id(view.id, f"{board.id}:{tier.name}"),
            amount_fen=tier.value_fen,
            points=tier.points,
            claim_deadline_at=day_end(shanghai_day(now) + dt.timedelta(days=claim_days)),
            now=now,
            tier=tier.tier,
        )
    )
    return 1

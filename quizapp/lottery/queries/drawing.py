"""Reads of tickets, and all that decides a draw."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from quizapp.accounts.models import Identity
from quizapp.accounts.queries import CITIZENS, CITIZENS_WITH_UNIT, PROFILE_COLUMNS, Profile, as_profile
from quizapp.core.db import db
from quizapp.core.statements import Row, fetch, fetch_alone
from quizapp.lottery.models import DaySecret, Draw, DrawTicket, Prize, PrizeBar, QuotaUse, Win
from quizapp.lottery.pool_models import PoolDrawRun
from quizapp.payouts.queries import CAMPAIGNS

_ATTEMPTS = sa.table(
    "attempts",
    sa.column("id", sa.Uuid),
    sa.column("citizen_id", sa.Uuid),
    sa.column("campaign_id", sa.Uuid),
    sa.column("is_passed", sa.Boolean),
)


@dataclass(frozen=True)
class DrawResult:
    """What a draw gave, as it is stored and told. ``outcome`` is ``won`` or ``none``; money in fen."""

    draw_id: uuid.UUID
    outcome: str
    prize_name: str | None
    prize_kind: str | None
    value_fen: int
    win_id: uuid.UUID | None
    alias: str
    serial: int
    prize_tier: str = ""
    points: int = 0
    is_fallback: bool = False

    @property
    def is_won(self) -> bool:
        return self.outcome == "won"


@dataclass(frozen=True)
class Ticket:
    """A ticket, with its result once it has been drawn."""

    id: uuid.UUID
    campaign_id: uuid.UUID
    citizen_id: uuid.UUID
    sequence: int
    client_nonce: str
    granted_at: dt.datetime
    granted_on: dt.date
    expires_at: dt.datetime
    state: str
    result: DrawResult | None


_TICKET_COLUMNS = (
    DrawTicket.id,
    DrawTicket.campaign_id,
    DrawTicket.citizen_id,
    DrawTicket.sequence,
    DrawTicket.client_nonce,
    DrawTicket.granted_at,
    DrawTicket.granted_on,
    DrawTicket.expires_at,
    DrawTicket.state,
)
_RESULT_COLUMNS = (
    Draw.id.label("draw_id"),
    Draw.outcome,
    Draw.alias,
    Draw.serial,
    Prize.name.label("prize_name"),
    Prize.kind.label("prize_kind"),
    sa.func.coalesce(Draw.amount_fen, Prize.value_fen).label("value_fen"),
    Prize.tier.label("prize_tier"),
    Prize.points,
    Win.id.label("win_id"),
    Win.is_fallback,
)
TICKETS = (
    sa.select(*_TICKET_COLUMNS, *_RESULT_COLUMNS)
    .select_from(DrawTicket)
    .outerjoin(Draw, Draw.ticket_id == DrawTicket.id)
    .outerjoin(Prize, Prize.id == Draw.prize_id)
    .outerjoin(Win, Win.draw_id == Draw.id)
)
_OF_SOURCE = TICKETS.where(
    DrawTicket.source_type == sa.bindparam("source_type"),
    DrawTicket.source_id == sa.bindparam("source_id", type_=sa.Uuid),
).order_by(DrawTicket.sequence)
_IS_ASKED = (
    DrawTicket.source_type == sa.bindparam("source_type"),
    DrawTicket.source_id == sa.bindparam("source_id", type_=sa.Uuid),
    DrawTicket.sequence == sa.bindparam("sequence", type_=sa.Integer),
    DrawTicket.citizen_id == sa.bindparam("citizen_id", type_=sa.Uuid),
)
_ONE_OF_SOURCE = TICKETS.where(*_IS_ASKED)
_ONE_TO_DRAW = (
    sa.select(*_TICKET_COLUMNS, *_RESULT_COLUMNS, *PROFILE_COLUMNS)
    .select_from(
        sa.join(DrawTicket, CITIZENS_WITH_UNIT, CITIZENS.c.id == DrawTicket.citizen_id)
        .outerjoin(Draw, Draw.ticket_id == DrawTicket.id)
        .outerjoin(Prize, Prize.id == Draw.prize_id)
        .outerjoin(Win, Win.draw_id == Draw.id)
    )
    .where(*_IS_ASKED)
    .with_for_update(of=CITIZENS)
)


def as_result(row: Row) -> DrawResult:
    return DrawResult(
        draw_id=row.draw_id,
        outcome=row.outcome,
        prize_name=row.prize_name,
        prize_kind=row.prize_kind,
        value_fen=row.value_fen or 0,
        win_id=row.win_id,
        alias=row.alias,
        serial=row.serial,
        prize_tier=row.prize_tier or "",
        points=row.points or 0,
        is_fallback=bool(row.is_fallback),
    )


def _ticket(row: Row) -> Ticket:
    return Ticket(
        id=row.id,
        campaign_id=row.campaign_id,
        citizen_id=row.citizen_id,
        sequence=row.sequence,
        client_nonce=row.client_nonce,
        granted_at=row.granted_at,
        granted_on=row.granted_on,
        expires_at=row.expires_at,
        state=row.state,
        result=as_result(row) if row.draw_id is not None else None,
    )


def find_ticket(citizen_id: uuid.UUID, source_type: str, source_id: uuid.UUID, sequence: int) -> Ticket | None:
    """One ticket of a source, if it is this citizen's."""
    params = {"citizen_id": citizen_id, "source_type": source_type, "source_id": source_id, "sequence": sequence}
    row = db.session.execute(_ONE_OF_SOURCE, params).one_or_none()
    return _ticket(row) if row is not None else None


def lock_ticket_owner(citizen_id: uuid.UUID, source_type: str, source_id: uuid.UUID, sequence: int) -> tuple[Ticket, Profile] | None:
    """One ticket of a source, if it is this citizen's, and the citizen, whose row is locked until the transaction ends
    (order: attempt → citizen → prize pool → account). What the ticket says may be older than the lock."""
    params = {"citizen_id": citizen_id, "source_type": source_type, "source_id": source_id, "sequence": sequence}
    rows = fetch(_ONE_TO_DRAW, params)
    return (_ticket(rows[0]), as_profile(rows[0])) if rows else None


def list_tickets(source_type: str, source_id: uuid.UUID) -> list[Ticket]:
    """The tickets of a source in their order, drawn ones with their results."""
    return [_ticket(row) for row in db.session.execute(_OF_SOURCE, {"source_type": source_type, "source_id": source_id})]


def get_result(ticket_id: uuid.UUID) -> DrawResult:
    """The stored result of a drawn ticket."""
    return as_result(db.session.execute(TICKETS.where(DrawTicket.id == ticket_id)).one())


@dataclass(frozen=True)
class Stock:
    """A prize and how often it has been won, ever, on the day and in the hour asked for; only certain under the pool's lock."""

    position: int
    id: uuid.UUID
    name: str
    tier: str
    kind: str
    value_fen: int
    points: int
    won_count: int
    spent_fen: int
    won_today: int
    won_this_hour: int


_GRANTED = sa.select(sa.func.count().label("granted")).where(
    DrawTicket.citizen_id == sa.bindparam("citizen_id", type_=sa.Uuid),
    DrawTicket.campaign_id == sa.bindparam("campaign_id", type_=sa.Uuid),
    DrawTicket.granted_on == sa.bindparam("today", type_=sa.Date),
    DrawTicket.state != "void",
)


def count_granted(citizen_id: uuid.UUID, campaign_id: uuid.UUID, today: dt.date) -> int:
    """Tickets a citizen was granted in a campaign on a Shanghai day, void ones not counted."""
    [row] = fetch_alone(_GRANTED, {"citizen_id": citizen_id, "campaign_id": campaign_id, "today": today})
    return int(row.granted)


def is_barred(citizen_id: sa.ColumnElement[uuid.UUID], campaign_id: sa.ColumnElement[uuid.UUID]) -> sa.ColumnElement[bool]:
    """Condition: this citizen takes no part in the chances of this campaign (``PrizeBar``), by name or by phone number."""
    numbers = sa.select(Identity.subject_tag).where(Identity.citizen_id == citizen_id, Identity.kind == "phone")
    is_the_one = sa.or_(PrizeBar.citizen_id == citizen_id, PrizeBar.phone_tag.in_(numbers))
    return sa.exists().where(PrizeBar.campaign_id == campaign_id, PrizeBar.ended_at.is_(None), is_the_one)


@dataclass(frozen=True)
class UnderLock:
    """What may have changed before the pool's lock was ours, and what only the lock makes certain. ``today`` is the secret of
    the day of the draw, where stock is released over the day; ``prizes`` are in the manifest's order."""

    state: str
    is_drawn: bool
    day_index: int | None
    secret_encrypted: bytes | None
    is_revealed: bool
    wins_total: int
    wins_today: int
    is_barred: bool
    today_encrypted: bytes | None
    is_today_revealed: bool
    segment_wins: int
    prizes: tuple[Stock, ...]


_POOL_ID = sa.bindparam("pool_id", type_=sa.Uuid)
_TODAY = sa.bindparam("today", type_=sa.Date)
_WINS = sa.select(sa.func.count()).where(
    Win.citizen_id == sa.bindparam("citizen_id", type_=sa.Uuid),
    Win.campaign_id == sa.bindparam("campaign_id", type_=sa.Uuid),
    Win.is_fallback.is_(False),
)
_STATE = (
    DrawTicket.state,
    Draw.id.is_not(None).label("is_drawn"),
    DaySecret.day_index,
    DaySecret.secret_encrypted,
    DaySecret.revealed_at.is_not(None).label("is_revealed"),
    _WINS.scalar_subquery().label("wins_total"),
    _WINS.where(Win.won_on == _TODAY).scalar_subquery().label("wins_today"),
    is_barred(sa.bindparam("citizen_id", type_=sa.Uuid), sa.bindparam("campaign_id", type_=sa.Uuid)).label("is_barred"),
)
_PRIZE = (
    Prize.position,
    Prize.id,
    Prize.name,
    Prize.tier,
    Prize.kind,
    Prize.value_fen,
    Prize.points,
    Prize.won_count,
    Prize.spent_fen,
)
_TICKET_AND_PRIZES = (
    sa.join(DrawTicket, Prize, Prize.pool_id == _POOL_ID)
    .outerjoin(Draw, Draw.ticket_id == DrawTicket.id)
    .outerjoin(DaySecret, sa.and_(DaySecret.pool_id == _POOL_ID, DaySecret.day_on == DrawTicket.granted_on))
)
_IS_TICKET = DrawTicket.id == sa.bindparam("ticket_id", type_=sa.Uuid)
_UNDER_LOCK = (
    sa.select(*_STATE, sa.null(), sa.false(), sa.literal(0), *_PRIZE, sa.literal(0), sa.literal(0))
    .select_from(_TICKET_AND_PRIZES)
    .where(_IS_TICKET)
    .order_by(Prize.position)
)
_today, _of_day, _of_hour, _of_segment = (
    aliased(DaySecret),
    aliased(QuotaUse),
    aliased(QuotaUse),
    aliased(QuotaUse),
)


def _scope_of_prize(when: str) -> sa.ColumnElement[str]:
    return sa.literal("prize/") + sa.cast(Prize.position, sa.String) + sa.literal("/") + sa.bindparam(when, type_=sa.String)


_UNDER_LOCK_WITH_QUOTAS = (
    sa.select(
        *_STATE,
        _today.secret_encrypted,
        _today.revealed_at.is_not(None),
        sa.func.coalesce(_of_segment.used_count, 0),
        *_PRIZE,
        sa.func.coalesce(_of_day.used_count, 0),
        sa.func.coalesce(_of_hour.used_count, 0),
    )
    .select_from(
        _TICKET_AND_PRIZES.outerjoin(_today, sa.and_(_today.pool_id == _POOL_ID, _today.day_on == _TODAY))
        .outerjoin(_of_day, sa.and_(_of_day.pool_id == _POOL_ID, _of_day.scope == _scope_of_prize("day")))
        .outerjoin(_of_hour, sa.and_(_of_hour.pool_id == _POOL_ID, _of_hour.scope == _scope_of_prize("hour")))
        .outerjoin(_of_segment, sa.and_(_of_segment.pool_id == _POOL_ID, _of_segment.scope == sa.bindparam("segment", type_=sa.String)))
    )
    .where(_IS_TICKET)
    .order_by(Prize.position)
)


def read_under_lock(
    ticket: Ticket, pool_id: uuid.UUID, today: dt.date, *, hour: str = "", segment: int = 0, has_quotas: bool = False
) -> UnderLock:
    """Read anew, after the pool was locked, all that decides a draw.

    :param hour: the hour of the draw as scopes of quotas name it; ``segment`` the citizen's region group
    :param has_quotas: whether the pool counts by day, hour or region group, or releases stock over the day
    """
    params: dict[str, object] = {
        "citizen_id": ticket.citizen_id,
        "campaign_id": ticket.campaign_id,
        "pool_id": pool_id,
        "ticket_id": ticket.id,
        "today": today,
    }
    if has_quotas:
        params |= {"day": today.isoformat(), "hour": hour, "segment": f"segment/{segment}"}
    rows = fetch(_UNDER_LOCK_WITH_QUOTAS if has_quotas else _UNDER_LOCK, params)
    width = len(_STATE) + 3
    first = rows[0]
    values: tuple[Any, ...] = (*first[:width], tuple(Stock(*row[width:]) for row in rows))
    return UnderLock(*values)


_SEGMENT = (
    sa.select(Draw.segment)
    .where(Draw.citizen_id == sa.bindparam("citizen_id", type_=sa.Uuid), Draw.pool_id == _POOL_ID, Draw.segment.is_not(None))
    .order_by(Draw.drawn_at)
    .limit(1)
)


def find_segment(citizen_id: uuid.UUID, pool_id: uuid.UUID) -> int | None:
    """The region group the ledger has named for a citizen already. Whoever holds the citizen's row may rely on it."""
    rows = fetch(_SEGMENT, {"citizen_id": citizen_id, "pool_id": pool_id})
    return rows[0].segment if rows else None


def find_secret(pool_id: uuid.UUID, day: int) -> bytes | None:
    """The encrypted secret of a day, unless it has been published."""
    statement = sa.select(DaySecret.secret_encrypted).filter_by(pool_id=pool_id, day_index=day, revealed_at=None)
    return db.session.scalar(statement)


def new_result(
    draw_id: uuid.UUID,
    outcome: str,
    won: Stock | None,
    win_id: uuid.UUID | None,
    alias: str,
    serial: int,
    amount_fen: int,
    *,
    is_fallback: bool,
) -> DrawResult:
    """The result of a draw just made, without asking the database again."""
    return DrawResult(
        draw_id=draw_id,
        outcome=outcome,
        prize_name=won.name if won else None,
        prize_kind=won.kind if won else None,
        value_fen=amount_fen if won else 0,
        win_id=win_id,
        alias=alias,
        serial=serial,
        prize_tier=won.tier if won else "",
        points=won.points if won else 0,
        is_fallback=is_fallback,
    )


@dataclass(frozen=True)
class PoolCampaign:
    id: uuid.UUID
    slug: str
    title: str


def is_own_attempt(attempt_id: uuid.UUID, citizen_id: uuid.UUID) -> bool:
    """Whether an attempt is this citizen's: tells "not yours" from "no ticket" after a refusal."""
    return (
        db.session.scalar(sa.select(_ATTEMPTS.c.id).where(_ATTEMPTS.c.id == attempt_id, _ATTEMPTS.c.citizen_id == citizen_id)) is not None
    )


def waits_for_pool_draw(attempt_id: uuid.UUID) -> bool:
    """Whether a passed attempt without a ticket of its own has its place in a pool draw that is still to come."""
    waiting = sa.select(PoolDrawRun.id).where(
        PoolDrawRun.campaign_id == _ATTEMPTS.c.campaign_id, PoolDrawRun.state.in_(("open", "frozen", "ready"))
    )
    own = sa.select(DrawTicket.id).where(DrawTicket.source_type == "attempt", DrawTicket.source_id == _ATTEMPTS.c.id)
    statement = sa.select(_ATTEMPTS.c.id).where(_ATTEMPTS.c.id == attempt_id, _ATTEMPTS.c.is_passed, waiting.exists(), ~own.exists())
    return db.session.scalar(statement) is not None


def find_attempt_campaign(attempt_id: uuid.UUID, citizen_id: uuid.UUID) -> PoolCampaign | None:
    """The campaign of one's own attempt."""
    statement = (
        sa.select(CAMPAIGNS.c.id, CAMPAIGNS.c.slug, CAMPAIGNS.c.title)
        .join(_ATTEMPTS, _ATTEMPTS.c.campaign_id == CAMPAIGNS.c.id)
        .where(_ATTEMPTS.c.id == attempt_id, _ATTEMPTS.c.citizen_id == citizen_id)
    )
    row = db.session.execute(statement).one_or_none()
    return PoolCampaign(*row) if row is not None else None

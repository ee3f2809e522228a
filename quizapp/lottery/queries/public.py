"""Proofs, the public ledger, one's own lines in it, the public list of heads."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.statements import Row
from quizapp.lottery.models import ChainHead, DaySecret, Draw, DrawTicket, PoolRecord, PrizePool
from quizapp.lottery.queries.drawing import TICKETS, DrawResult, PoolCampaign, as_result
from quizapp.payouts.queries import CAMPAIGNS


@dataclass(frozen=True)
class PublicPool:
    """A pool as everybody may see it."""

    id: uuid.UUID
    campaign: PoolCampaign
    manifest: str
    manifest_hash: str
    draw_count: int
    record_count: int
    chain_head: str


_POOLS = sa.select(
    PrizePool.id,
    CAMPAIGNS.c.id,
    CAMPAIGNS.c.slug,
    CAMPAIGNS.c.title,
    PrizePool.manifest,
    PrizePool.manifest_hash,
    PrizePool.draw_count,
    PrizePool.record_count,
    PrizePool.chain_head,
).join(CAMPAIGNS, CAMPAIGNS.c.id == PrizePool.campaign_id)


def _pool(row: Row | None) -> PublicPool:
    if row is None:
        raise NotFound
    return PublicPool(row[0], PoolCampaign(row[1], row[2], row[3]), *row[4:])


def get_pool(slug: str) -> PublicPool:
    """:raises NotFound: if the campaign does not exist or has no draw"""
    return _pool(db.session.execute(_POOLS.where(CAMPAIGNS.c.slug == slug)).one_or_none())


def get_pool_by_id(pool_id: uuid.UUID) -> PublicPool:
    """:raises NotFound: if there is no such pool"""
    return _pool(db.session.execute(_POOLS.where(PrizePool.id == pool_id)).one_or_none())


def cut_pool(pool: PublicPool, until: int) -> PublicPool:
    """The pool as it stood when record ``until`` was its last; unchanged when it has fewer.

    :raises NotFound: for a number below 1
    """
    if until >= pool.record_count:
        return pool
    head = db.session.scalar(sa.select(PoolRecord.hash).filter_by(pool_id=pool.id, number=until))
    if head is None:
        raise NotFound
    return replace(pool, record_count=until, chain_head=head)


def list_records(pool_id: uuid.UUID, *, after: int = 0, until: int | None = None, limit: int = 500) -> list[tuple[int, str, str]]:
    """Records of a chain as (number, body, hash), in order, behind number ``after`` and not beyond ``until``."""
    statement = sa.select(PoolRecord.number, PoolRecord.body, PoolRecord.hash).where(
        PoolRecord.pool_id == pool_id, PoolRecord.number > after
    )
    if until is not None:
        statement = statement.where(PoolRecord.number <= until)
    return [(number, body, link) for number, body, link in db.session.execute(statement.order_by(PoolRecord.number).limit(limit))]


def iterate_records(pool: PublicPool) -> Iterator[str]:
    """The bodies of all records up to the end that ``pool`` was read with, a few hundred at a time."""
    after = 0
    while after < pool.record_count:
        rows = list_records(pool.id, after=after, until=pool.record_count)
        if not rows:
            return
        for number, body, _link in rows:
            yield body
            after = number


@dataclass(frozen=True)
class DayState:
    """A day of a pool as everybody may see it; ``secret`` and ``draw_count`` (draws of tickets granted on that day) only
    once the secret has been published."""

    index: int
    on: dt.date | None
    commitment: str
    revealed_at: dt.datetime | None
    secret: str | None
    draw_count: int | None
    reveal_record: int | None


def list_days(pool_id: uuid.UUID) -> list[DayState]:
    """The days of a pool, spare days last."""
    columns = (
        DaySecret.day_index,
        DaySecret.day_on,
        DaySecret.commitment,
        DaySecret.revealed_at,
        DaySecret.secret_revealed,
        DaySecret.draw_count,
        DaySecret.reveal_record,
    )
    return [DayState(*row) for row in db.session.execute(sa.select(*columns).filter_by(pool_id=pool_id).order_by(DaySecret.day_index))]


def count_spare_days(campaign_id: uuid.UUID) -> int:
    """Secrets not yet bound to a date: how many days a campaign can still be extended by."""
    statement = (
        sa.select(sa.func.count())
        .select_from(DaySecret)
        .join(PrizePool, PrizePool.id == DaySecret.pool_id)
        .where(PrizePool.campaign_id == campaign_id, DaySecret.day_on.is_(None))
    )
    return db.session.scalar(statement) or 0


@dataclass(frozen=True)
class DrawProof:
    """Everything the receipt of a draw says. ``record`` is the link of the chain that holds it, ``seal`` its seal."""

    draw_id: uuid.UUID
    citizen_id: uuid.UUID
    pool: PublicPool
    record: str
    seal: str
    result: DrawResult
    day: DayState


def get_proof(draw_id: uuid.UUID) -> DrawProof:
    """:raises NotFound: if there is no such draw"""
    draw = db.session.get(Draw, draw_id)
    if draw is None:
        raise NotFound
    row = db.session.execute(TICKETS.where(Draw.id == draw_id)).one()
    record = db.session.execute(
        sa.select(PoolRecord.body, PoolRecord.hash).filter_by(pool_id=draw.pool_id, number=draw.record_number)
    ).one()
    day = next(day for day in list_days(draw.pool_id) if day.on == row.granted_on)
    return DrawProof(draw.id, draw.citizen_id, get_pool_by_id(draw.pool_id), record[0], record[1], as_result(row), day)


# ---- one's own lines, and the public list of heads


@dataclass(frozen=True)
class LedgerLine:
    """A record as the page of one's own lines shows it; ``is_own`` if it names this 抽奖号."""

    number: int
    kind: str
    recorded_at: dt.datetime
    body: str
    seal: str
    is_own: bool


MAX_OWN_LINES = 60
_NEIGHBOURS = 2


def list_own_lines(proof: DrawProof) -> list[LedgerLine]:
    """The records of the ledger that name the citizen of a receipt — lists of tickets and draws, the newest ones —, each draw of
    the receipt between its neighbours, in the ledger's order."""
    pool_id = proof.pool.id
    drawn = sa.select(Draw.record_number).where(Draw.pool_id == pool_id, Draw.citizen_id == proof.citizen_id)
    listed = sa.select(DrawTicket.chained_in).where(
        DrawTicket.citizen_id == proof.citizen_id, DrawTicket.campaign_id == proof.pool.campaign.id, DrawTicket.chained_in.is_not(None)
    )
    newest = db.session.scalars(drawn.order_by(Draw.record_number.desc()).limit(MAX_OWN_LINES)).all()
    lists = db.session.scalars(listed.order_by(DrawTicket.chained_in.desc()).limit(MAX_OWN_LINES)).all()
    this = db.session.scalars(sa.select(Draw.record_number).filter_by(id=proof.draw_id)).one()
    own = {*newest, *(number for number in lists if number is not None), this}
    beside = range(max(1, this - _NEIGHBOURS), this + _NEIGHBOURS + 1)
    columns = (PoolRecord.number, PoolRecord.kind, PoolRecord.recorded_at, PoolRecord.body, PoolRecord.hash)
    statement = sa.select(*columns).where(PoolRecord.pool_id == pool_id, PoolRecord.number.in_({*own, *beside}))
    return [LedgerLine(*row, is_own=row.number in own) for row in db.session.execute(statement.order_by(PoolRecord.number))]


@dataclass(frozen=True)
class PublishedHead:
    """A line of the public list of heads; ``body`` to the byte."""

    number: int
    campaign: PoolCampaign
    record_count: int
    head: str
    body: str
    seal: str
    published_at: dt.datetime


_HEADS = (
    sa.select(
        ChainHead.number,
        CAMPAIGNS.c.id,
        CAMPAIGNS.c.slug,
        CAMPAIGNS.c.title,
        ChainHead.record_count,
        ChainHead.head,
        ChainHead.body,
        ChainHead.seal,
        ChainHead.published_at,
    )
    .join(PrizePool, PrizePool.id == ChainHead.pool_id)
    .join(CAMPAIGNS, CAMPAIGNS.c.id == PrizePool.campaign_id)
)


def _published(row: Row) -> PublishedHead:
    return PublishedHead(row[0], PoolCampaign(*row[1:4]), *row[4:])


def list_heads(*, after: int = 0, limit: int = 500) -> list[PublishedHead]:
    """Lines of the public list behind number ``after``, the oldest first."""
    statement = _HEADS.where(ChainHead.number > after).order_by(ChainHead.number).limit(limit)
    return [_published(row) for row in db.session.execute(statement)]


def list_newest_heads(*, before: int | None = None, limit: int = 30) -> list[PublishedHead]:
    """Lines of the public list in front of number ``before``, the newest first."""
    statement = _HEADS if before is None else _HEADS.where(ChainHead.number < before)
    return [_published(row) for row in db.session.execute(statement.order_by(ChainHead.number.desc()).limit(limit))]

"""The end of a pool's chain: the lock, the next records, the days and their secrets, the lists of tickets."""

import datetime as dt
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.core.statements import Row, Write, fetch, run_writes
from quizapp.lottery import proof, rules
from quizapp.lottery.errors import DrawUnavailable
from quizapp.lottery.models import DaySecret, DrawTicket, PrizePool
from quizapp.lottery.services.pools import vault

TICKETS_PER_RECORD = 200
TICKETS_PER_TURN = 4000
"""How many grants one turn chains while it holds the pool."""

_RECORD = (
    "INSERT INTO pool_records (id, pool_id, number, kind, body, hash, recorded_at) "
    "VALUES (:{0}_id, :{0}_pool, :{0}_number, :{0}_kind, :{0}_body, :{0}_hash, :{0}_at)"
)
_POOL = "UPDATE prize_pools SET draw_count = :pool_draws, record_count = :pool_records, chain_head = :pool_head WHERE id = :pool_id"
_LOCK = (
    sa.select(PrizePool.id, PrizePool.manifest_hash, PrizePool.draw_count, PrizePool.record_count, PrizePool.chain_head)
    .where(PrizePool.campaign_id == sa.bindparam("campaign_id", type_=sa.Uuid))
    .with_for_update()
)


@dataclass
class LockedPool:
    """A pool whose row is locked until the transaction ends, with the records to be written to its chain."""

    id: uuid.UUID
    campaign_id: uuid.UUID
    manifest_hash: str
    draw_count: int
    record_count: int
    chain_head: str
    pending: list[Write] = field(default_factory=list)

    def add(self, kind: str, now: dt.datetime, **fields: Any) -> int:
        """Put a record at the end of the chain; :meth:`writes` writes it. Returns its number."""
        self.record_count += 1
        body = proof.canonical(
            {
                **fields,
                "at": proof.moment_text(now),
                "kind": kind,
                "number": self.record_count,
                "pool": str(self.id),
                "previous": self.chain_head,
            }
        )
        self.chain_head = proof.seal(body)
        prefix = f"r{len(self.pending)}"
        params = {
            f"{prefix}_id": new_id(),
            f"{prefix}_pool": self.id,
            f"{prefix}_number": self.record_count,
            f"{prefix}_kind": kind,
            f"{prefix}_body": body,
            f"{prefix}_hash": self.chain_head,
            f"{prefix}_at": now,
        }
        self.pending.append(Write(_RECORD.format(prefix), params))
        return self.record_count

    def writes(self) -> tuple[Write, ...]:
        """The records added so far and the pool's new end, to be sent together; empty when nothing was added."""
        if not self.pending:
            return ()
        end = Write(
            _POOL,
            {
                "pool_draws": self.draw_count,
                "pool_records": self.record_count,
                "pool_head": self.chain_head,
                "pool_id": self.id,
            },
        )
        writes = (*self.pending, end)
        self.pending = []
        return writes


def lock_pool(campaign_id: uuid.UUID) -> LockedPool:
    """Lock the pool of a campaign (order: attempt → citizen → prize pool → account) and read its end.

    :raises DrawUnavailable: if the campaign has no pool
    """
    rows = fetch(_LOCK, {"campaign_id": campaign_id})
    if not rows:
        raise DrawUnavailable
    row = rows[0]
    return LockedPool(row.id, campaign_id, row.manifest_hash, row.draw_count, row.record_count, row.chain_head)


@lru_cache(maxsize=64)
def _read_manifest(text: str) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(text)
    return manifest


@lru_cache(maxsize=256)
def _manifest_text(pool_id: uuid.UUID) -> str:
    return db.session.scalars(sa.select(PrizePool.manifest).filter_by(id=pool_id)).one()


def manifest_of(pool_id: uuid.UUID) -> dict[str, Any]:
    """The manifest of a pool; it never changes, so every process keeps it."""
    return _read_manifest(_manifest_text(pool_id))


@lru_cache(maxsize=256)
def pool_id_of(campaign_id: uuid.UUID) -> uuid.UUID:
    """:raises DrawUnavailable: if the campaign has no pool"""
    found = db.session.scalar(sa.select(PrizePool.id).filter_by(campaign_id=campaign_id))
    if found is None:
        raise DrawUnavailable
    return found


@lru_cache(maxsize=256)
def rules_of(pool_id: uuid.UUID) -> proof.Rules:
    """What of a pool's manifest decides draws."""
    return proof.read_manifest(manifest_of(pool_id))


def has_quotas(by: proof.Rules) -> bool:
    """Whether a draw must know more than the stock: counts of the day, the hour or a region group, or what is released."""
    return bool(by.segments or by.windows) or any(prize.per_day is not None or prize.per_hour is not None for prize in by.prizes)


def manifest_for(campaign_id: uuid.UUID) -> dict[str, Any]:
    """The manifest of a campaign's pool."""
    return manifest_of(pool_id_of(campaign_id))


def ticket_end(campaign_id: uuid.UUID, granted_at: dt.datetime) -> dt.datetime:
    """When a ticket granted then is over: by the manifest, which no later version of the terms changes."""
    return granted_at + dt.timedelta(hours=manifest_for(campaign_id)["ticket_hours"])


def alias_for(campaign_id: uuid.UUID, citizen_id: uuid.UUID) -> str:
    """The 抽奖号 of a citizen in a campaign, known before the first draw."""
    return alias_of(pool_id_of(campaign_id), citizen_id)


# ---- days


def day_index(pool: LockedPool, day: dt.date, now: dt.datetime) -> int | None:
    """The day of the pool that a Shanghai date is, taking the next spare day for a date that has none yet.

    :returns: None when the spare days are used up, or when the secret of that date is public already (a clock that was
        wrong by more than the reveal waits): a ticket of such a date cannot be drawn
    """
    columns = (DaySecret.day_index, DaySecret.revealed_at)
    known = db.session.execute(sa.select(*columns).filter_by(pool_id=pool.id, day_on=day)).one_or_none()
    if known is not None:
        return known.day_index if known.revealed_at is None else None
    spare = db.session.scalars(sa.select(DaySecret).filter_by(pool_id=pool.id, day_on=None).order_by(DaySecret.day_index).limit(1)).first()
    if spare is None:
        return None
    spare.day_on = day
    db.session.flush()
    pool.add("day", now, day=spare.day_index, on=day.isoformat())
    return spare.day_index


# ---- lists of tickets


def alias_of(pool_id: uuid.UUID, citizen_id: uuid.UUID) -> str:
    """The 抽奖号 of a citizen in a pool: a keyed tag, of which nobody can find the citizen without the key."""
    return rules.alias(vault().tag("draw-alias", f"{pool_id}:{citizen_id}"))


def _unchained(campaign_id: uuid.UUID, limit: int) -> Sequence[Row]:
    columns = (DrawTicket.id, DrawTicket.citizen_id, DrawTicket.client_nonce, DrawTicket.granted_at, DrawTicket.granted_on)
    statement = sa.select(*columns).where(DrawTicket.campaign_id == campaign_id, DrawTicket.chained_in.is_(None))
    return db.session.execute(statement.order_by(DrawTicket.granted_at, DrawTicket.id).limit(limit)).all()


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), TICKETS_PER_RECORD):
        yield rows[start : start + TICKETS_PER_RECORD]


def chain_unlisted(pool: LockedPool, now: dt.datetime, limit: int = TICKETS_PER_TURN) -> int:
    """List the tickets granted since the last list, under the pool's lock. A ticket whose day has no secret left to draw
    with is listed without a day and voided.

    :returns: how many were listed; ``limit`` or more means that there may be others
    """
    rows = _unchained(pool.campaign_id, limit)
    days: dict[dt.date, int | None] = {}
    for row in rows:
        if row.granted_on not in days:
            days[row.granted_on] = day_index(pool, row.granted_on, now)
    listed = 0
    for part in _parts(rows):
        listed += len(part)
        has_more = listed < len(rows) or len(rows) >= limit
        entries = [_entry(pool, row, days[row.granted_on]) for row in part]
        number = pool.add("tickets", now, more=has_more, tickets=entries)
        ids = [row.id for row in part]
        db.session.execute(sa.update(DrawTicket).where(DrawTicket.id.in_(ids)).values(chained_in=number), execution_options=_NO_SYNC)
    for row in rows:
        if days[row.granted_on] is None:
            _void_without_day(pool, row.id, now)
    run_writes(*pool.writes())
    return len(rows)


_NO_SYNC = {"synchronize_session": False}


def _entry(pool: LockedPool, row: Row, day: int | None) -> dict[str, Any]:
    return {
        "alias": alias_of(pool.id, row.citizen_id),
        "client_nonce": row.client_nonce,
        "day": day,
        "granted_at": proof.moment_text(row.granted_at),
        "ticket": rules.ticket_number(row.id),
    }


def _void_without_day(pool: LockedPool, ticket_id: uuid.UUID, now: dt.datetime) -> None:
    statement = sa.update(DrawTicket).where(DrawTicket.id == ticket_id, DrawTicket.state == "granted")
    db.session.execute(statement.values(state="void", void_reason="no_day_secret"), execution_options=_NO_SYNC)
    pool.add("void", now, reason="no_day_secret", ticket=rules.ticket_number(ticket_id))

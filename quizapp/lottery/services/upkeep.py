"""What the worker does with a pool under its lock: let tickets expire, void them, publish secrets."""

import datetime as dt
import uuid
from collections.abc import Collection

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.clock import day_end
from quizapp.core.db import db
from quizapp.core.statements import run_writes
from quizapp.lottery import proof, rules
from quizapp.lottery.models import DaySecret, Draw, DrawTicket, Prize, Win
from quizapp.lottery.services.chain import TICKETS_PER_RECORD, LockedPool, chain_unlisted, lock_pool, manifest_of, rules_of
from quizapp.lottery.services.pools import vault

REVEAL_DELAY = dt.timedelta(minutes=10)
"""A secret stays closed so long after the end of its day, so that a grant of the last second has been written."""
_NO_SYNC = {"synchronize_session": False}


def chain_grants(*, campaign_id: uuid.UUID, now: dt.datetime) -> int:
    """List the tickets granted since the last list. Returns how many."""
    return chain_unlisted(lock_pool(campaign_id), now)


def _chain_all(pool: LockedPool, now: dt.datetime) -> None:
    while chain_unlisted(pool, now):
        pass


def expire_tickets(*, campaign_id: uuid.UUID, now: dt.datetime) -> int:
    """Close the tickets of a campaign that nobody drew in time. Returns how many."""
    pool = lock_pool(campaign_id)
    _chain_all(pool, now)
    granted_by = now - dt.timedelta(hours=manifest_of(pool.id)["ticket_hours"])
    late = sa.select(DrawTicket.id).where(
        DrawTicket.campaign_id == campaign_id, DrawTicket.state == "granted", DrawTicket.granted_at <= granted_by
    )
    ids = list(db.session.scalars(late.order_by(DrawTicket.granted_at, DrawTicket.id)))
    for start in range(0, len(ids), TICKETS_PER_RECORD):
        part = ids[start : start + TICKETS_PER_RECORD]
        db.session.execute(sa.update(DrawTicket).where(DrawTicket.id.in_(part)).values(state="expired"), execution_options=_NO_SYNC)
        pool.add("expire", now, tickets=[rules.ticket_number(ticket_id) for ticket_id in part])
    run_writes(*pool.writes())
    return len(ids)


def void_tickets(
    *, campaign_id: uuid.UUID, ticket_ids: Collection[uuid.UUID], reason: str, actor: audit.Actor, organisation_path: str, now: dt.datetime
) -> int:
    """Take tickets back that have not been drawn; they stay in the ledger with the reason. Drawn ones are left alone.

    :param reason: one of ``proof.VOID_REASONS``
    :raises ValueError: for another reason
    :returns: how many were voided
    """
    if reason not in proof.VOID_REASONS:
        raise ValueError(f"not a reason to void a ticket: {reason}")
    pool = lock_pool(campaign_id)
    _chain_all(pool, now)
    open_ones = sa.select(DrawTicket.id).where(
        DrawTicket.campaign_id == campaign_id, DrawTicket.id.in_(ticket_ids), DrawTicket.state == "granted"
    )
    ids = list(db.session.scalars(open_ones.order_by(DrawTicket.id)))
    for ticket_id in ids:
        pool.add("void", now, reason=reason, ticket=rules.ticket_number(ticket_id))
    statement = sa.update(DrawTicket).where(DrawTicket.id.in_(ids)).values(state="void", void_reason=reason)
    db.session.execute(statement, execution_options=_NO_SYNC)
    run_writes(*pool.writes())
    if ids:
        audit.record(
            "draws.tickets_voided",
            actor=actor,
            target_type="prize_pool",
            target_id=pool.id,
            organisation_path=organisation_path,
            changes={"reason": reason, "tickets": [rules.ticket_number(ticket_id) for ticket_id in ids]},
            now=now,
        )
    return len(ids)


def return_wins(*, campaign_id: uuid.UUID, win_ids: Collection[uuid.UUID], reason: str, now: dt.datetime) -> int:
    """Put prizes back that nobody will have, so that they can be won again; the ledger says of which draws. Once each; what the
    citizen's caps and the quotas counted stays counted. Who decided it, the caller writes down.

    :param reason: one of ``proof.RETURN_REASONS``
    :raises ValueError: for another reason
    :returns: how many went back; none where the manifest lets nothing come back
    """
    if reason not in proof.RETURN_REASONS:
        raise ValueError(f"not a reason for a prize to come back: {reason}")
    pool = lock_pool(campaign_id)
    if not rules_of(pool.id).allows_returns:
        return 0
    columns = (Win.id, Win.prize_id, Draw.serial, Draw.amount_fen)
    statement = sa.select(*columns).join(Draw, Draw.id == Win.draw_id)
    found = db.session.execute(
        statement.where(Win.campaign_id == campaign_id, Win.id.in_(win_ids), Win.returned_at.is_(None)).order_by(Draw.serial)
    ).all()
    for row in found:
        pool.add("return", now, draw=row.serial, reason=reason)
        less = {"won_count": Prize.won_count - 1, "spent_fen": Prize.spent_fen - (row.amount_fen or 0)}
        db.session.execute(sa.update(Prize).where(Prize.id == row.prize_id).values(less), execution_options=_NO_SYNC)
    returned = sa.update(Win).where(Win.id.in_([row.id for row in found])).values(returned_at=now)
    db.session.execute(returned, execution_options=_NO_SYNC)
    run_writes(*pool.writes())
    return len(found)


def give_up_tickets(citizen_id: uuid.UUID, now: dt.datetime) -> None:
    """Void what a citizen who deletes the account has not drawn. The caller holds the citizen's row."""
    statement = sa.select(DrawTicket.campaign_id, DrawTicket.id).filter_by(citizen_id=citizen_id, state="granted")
    by_campaign: dict[uuid.UUID, list[uuid.UUID]] = {}
    for campaign_id, ticket_id in db.session.execute(statement.order_by(DrawTicket.campaign_id)):
        by_campaign.setdefault(campaign_id, []).append(ticket_id)
    for campaign_id, ticket_ids in by_campaign.items():
        void_tickets(
            campaign_id=campaign_id,
            ticket_ids=ticket_ids,
            reason="citizen_deleted",
            actor=audit.Actor("citizen", citizen_id, ""),
            organisation_path="/",
            now=now,
        )


def reveal_secrets(*, campaign_id: uuid.UUID, now: dt.datetime) -> int:
    """Publish the secrets of days that are over and whose tickets are all drawn, expired or void. Returns how many."""
    pool = lock_pool(campaign_id)
    _chain_all(pool, now)
    closed = sa.select(DaySecret).where(DaySecret.pool_id == pool.id, DaySecret.revealed_at.is_(None), DaySecret.day_on.is_not(None))
    revealed = 0
    for day in db.session.scalars(closed.order_by(DaySecret.day_index)):
        if day.day_on is None or now < day_end(day.day_on) + REVEAL_DELAY or _has_open_tickets(campaign_id, day.day_on):
            continue
        secret = vault().decrypt_bytes(day.secret_encrypted)
        day.revealed_at, day.secret_revealed, day.draw_count = now, secret.hex(), _count_draws(campaign_id, day.day_on)
        day.reveal_record = pool.add("reveal", now, day=day.day_index, secret=secret.hex())
        revealed += 1
        audit.record(
            "draws.secret_revealed",
            actor=audit.SYSTEM,
            target_type="prize_pool",
            target_id=pool.id,
            changes={"day": day.day_on.isoformat()},
            now=now,
        )
    db.session.flush()
    run_writes(*pool.writes())
    return revealed


def _has_open_tickets(campaign_id: uuid.UUID, day: dt.date) -> bool:
    found = sa.select(DrawTicket.id).filter_by(campaign_id=campaign_id, granted_on=day, state="granted").limit(1)
    return db.session.scalar(found) is not None


def _count_draws(campaign_id: uuid.UUID, day: dt.date) -> int:
    drawn = sa.select(sa.func.count()).select_from(DrawTicket).filter_by(campaign_id=campaign_id, granted_on=day, state="drawn")
    return db.session.scalar(drawn) or 0

"""Drawing. What a draw gives follows from the manifest, the day's secret and the chain before it; nothing else enters."""

import datetime as dt
import uuid
from typing import Any

from quizapp.accounts.rules import is_minor
from quizapp.core.clock import day_end, shanghai_day
from quizapp.core.ids import new_id
from quizapp.core.statements import Write, run_writes
from quizapp.lottery import proof, queries, rules
from quizapp.lottery.errors import DrawUnavailable, MinorExcluded, NoTicket, ProfileIncomplete, TicketExpired, TicketVoid
from quizapp.lottery.queries import DrawResult
from quizapp.lottery.services.chain import LockedPool, alias_of, day_index, lock_pool, manifest_of, ticket_end
from quizapp.lottery.services.pools import vault
from quizapp.payouts import services as payouts

_DRAW = (
    "INSERT INTO draws (id, pool_id, campaign_id, ticket_id, citizen_id, serial, alias, outcome, prize_id, "
    "record_number, drawn_at, drawn_on) VALUES (:d_id, :d_pool, :d_campaign, :d_ticket, :d_citizen, :d_serial, "
    ":d_alias, :d_outcome, :d_prize, :d_record, :d_at, :d_on)"
)
_USE_TICKET = "UPDATE draw_tickets SET state = 'drawn' WHERE id = :u_id AND state = 'granted'"
_TAKE_STOCK = "UPDATE prizes SET won_count = won_count + 1 WHERE id = :s_id"
_WIN = (
    "INSERT INTO wins (id, draw_id, prize_id, citizen_id, campaign_id, won_at, won_on, claim_deadline_at) "
    "VALUES (:w_id, :w_draw, :w_prize, :w_citizen, :w_campaign, :w_at, :w_on, :w_deadline)"
)


def draw_ticket(*, citizen_id: uuid.UUID, source_type: str, source_id: uuid.UUID, sequence: int, now: dt.datetime) -> DrawResult:
    """Draw with a ticket, or give again what it has given: the same ticket always has the same answer.

    :param sequence: which ticket of the source, from 1
    :raises NoTicket: if this citizen has no such ticket
    :raises TicketExpired, TicketVoid: if it can no longer be drawn
    :raises ProfileIncomplete: while the age band is unknown; the ticket stays
    :raises MinorExcluded: for a minor where the manifest leaves minors out
    :raises DrawUnavailable: if the pool has no secret left for the day of the ticket
    """
    found = queries.lock_ticket_owner(citizen_id, source_type, source_id, sequence)
    if found is None:
        raise NoTicket
    ticket, profile = found
    if ticket.result is not None:
        return ticket.result
    ends_at = ticket_end(ticket.campaign_id, ticket.granted_at)
    _check_state(ticket.state, ends_at, now)
    if profile.age_band is None:
        raise ProfileIncomplete
    pool = lock_pool(ticket.campaign_id)
    manifest = manifest_of(pool.id)
    if is_minor(profile.age_band) and not manifest["allows_minors"]:
        raise MinorExcluded
    today = shanghai_day(now)
    moment = queries.read_under_lock(ticket, pool.id, today)
    if moment.is_drawn:
        return queries.get_result(ticket.id)
    _check_state(moment.state, ends_at, now)
    day, secret = _day_and_secret(pool, ticket, moment, now)
    return _draw(pool, manifest, ticket, day=day, secret=secret, wins_total=moment.wins_total, wins_today=moment.wins_today, now=now)


def _check_state(state: str, ends_at: dt.datetime, now: dt.datetime) -> None:
    """A ticket past its end is over, worker or no worker."""
    if state == "void":
        raise TicketVoid
    if state == "expired" or (state == "granted" and now >= ends_at):
        raise TicketExpired


def _day_and_secret(pool: LockedPool, ticket: queries.Ticket, moment: queries.UnderLock, now: dt.datetime) -> tuple[int, bytes]:
    """The day of the grant and its secret; a grant on a day not known before takes a spare day.

    :raises DrawUnavailable: if there is none left, or the secret has been published
    """
    day, cipher = moment.day_index, moment.secret_encrypted
    if day is None:
        day = day_index(pool, ticket.granted_on, now)
        cipher = queries.find_secret(pool.id, day) if day is not None else None
    if day is None or cipher is None or moment.is_revealed:
        raise DrawUnavailable
    return day, vault().decrypt_bytes(cipher)


def _draw(
    pool: LockedPool,
    manifest: dict[str, Any],
    ticket: queries.Ticket,
    *,
    day: int,
    secret: bytes,
    wins_total: int,
    wins_today: int,
    now: dt.datetime,
) -> DrawResult:
    serial = pool.draw_count + 1
    where = proof.position(secret, str(pool.id), day, serial, ticket.client_nonce)
    tier = proof.tier_at([prize["odds_ppm"] for prize in manifest["prizes"]], where)
    prize = queries.get_stock(pool.id, tier) if tier is not None else None
    outcome, won_tier, reason = proof.settle(
        manifest, tier, won_count=prize.won_count if prize else 0, wins_total=wins_total, wins_today=wins_today
    )
    alias, today, draw_id = alias_of(pool.id, ticket.citizen_id), shanghai_day(now), new_id()
    pool.draw_count = serial
    record_number = pool.add(
        "draw",
        now,
        alias=alias,
        client_nonce=ticket.client_nonce,
        day=day,
        granted_at=proof.moment_text(ticket.granted_at),
        on=today.isoformat(),
        outcome=outcome,
        position=where,
        prize=won_tier,
        reason=reason,
        serial=serial,
        ticket=rules.ticket_number(ticket.id),
    )
    won = prize if outcome == "won" else None
    writes = [*pool.writes(), *_draw_writes(pool, ticket, draw_id, serial, alias, outcome, won, record_number, now)]
    win_id = None
    if won is not None:
        win_id = new_id()
        writes += _win_writes(ticket, won, draw_id, win_id, alias, manifest["claim_days"], now)
    run_writes(*writes)
    return queries.new_result(draw_id, outcome, won, win_id, alias, serial)


def _draw_writes(
    pool: LockedPool,
    ticket: queries.Ticket,
    draw_id: uuid.UUID,
    serial: int,
    alias: str,
    outcome: str,
    won: queries.Stock | None,
    record_number: int,
    now: dt.datetime,
) -> tuple[Write, ...]:
    params = {
        "d_id": draw_id,
        "d_pool": pool.id,
        "d_campaign": ticket.campaign_id,
        "d_ticket": ticket.id,
        "d_citizen": ticket.citizen_id,
        "d_serial": serial,
        "d_alias": alias,
        "d_outcome": outcome,
        "d_prize": won.id if won else None,
        "d_record": record_number,
        "d_at": now,
        "d_on": shanghai_day(now),
    }
    return Write(_DRAW, params), Write(_USE_TICKET, {"u_id": ticket.id})


def _win_writes(
    ticket: queries.Ticket,
    prize: queries.Stock,
    draw_id: uuid.UUID,
    win_id: uuid.UUID,
    alias: str,
    claim_days: int,
    now: dt.datetime,
) -> tuple[Write, ...]:
    """Stock, win and hand-over. The database itself refuses a win beyond the quantity."""
    today = shanghai_day(now)
    deadline = day_end(today + dt.timedelta(days=claim_days))
    win = {
        "w_id": win_id,
        "w_draw": draw_id,
        "w_prize": prize.id,
        "w_citizen": ticket.citizen_id,
        "w_campaign": ticket.campaign_id,
        "w_at": now,
        "w_on": today,
        "w_deadline": deadline,
    }
    return (
        Write(_TAKE_STOCK, {"s_id": prize.id}),
        Write(_WIN, win),
        *payouts.opening_writes(
            "p",
            payouts.Opening(
                source_type="win",
                source_id=win_id,
                citizen_id=ticket.citizen_id,
                campaign_id=ticket.campaign_id,
                kind=prize.kind,
                title=prize.name,
                item_id=prize.id,
                amount_fen=prize.value_fen,
                points=prize.points,
                claim_deadline_at=deadline,
                now=now,
                reference=alias,
                tier=prize.tier,
            ),
        ),
    )

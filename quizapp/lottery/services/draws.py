"""Drawing. What a draw gives follows from the manifest, the day's secret and the chain before it; nothing else enters."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quizapp.accounts.queries import Profile
from quizapp.accounts.rules import is_minor
from quizapp.core.clock import day_end, shanghai_day
from quizapp.core.ids import new_id
from quizapp.core.statements import Write, run_writes
from quizapp.lottery import proof, queries, rules
from quizapp.lottery.errors import BarredFromDraw, DrawUnavailable, MinorExcluded, NoTicket, ProfileIncomplete, TicketExpired, TicketVoid
from quizapp.lottery.proof import Rules
from quizapp.lottery.queries import DrawResult
from quizapp.lottery.services.chain import (
    LockedPool,
    alias_of,
    day_index,
    has_quotas,
    lock_pool,
    manifest_of,
    pool_id_of,
    rules_of,
    ticket_end,
)
from quizapp.lottery.services.pools import vault
from quizapp.payouts import services as payouts

_DRAW = (
    "INSERT INTO draws (id, pool_id, campaign_id, ticket_id, citizen_id, serial, alias, outcome, amount_fen, segment, prize_id, "
    "record_number, drawn_at, drawn_on) VALUES (:d_id, :d_pool, :d_campaign, :d_ticket, :d_citizen, :d_serial, "
    ":d_alias, :d_outcome, :d_amount, :d_segment, :d_prize, :d_record, :d_at, :d_on)"
)
_USE_TICKET = "UPDATE draw_tickets SET state = 'drawn' WHERE id = :u_id AND state = 'granted'"
_TAKE_STOCK = "UPDATE prizes SET won_count = won_count + 1, spent_fen = spent_fen + :s_amount WHERE id = :s_id"
_USE_QUOTA = (
    "INSERT INTO quota_uses (id, pool_id, scope, quota, used_count) VALUES (:{0}_id, :{0}_pool, :{0}_scope, :{0}_quota, 1) "
    "ON CONFLICT (pool_id, scope) DO UPDATE SET used_count = quota_uses.used_count + 1"
)
_WIN = (
    "INSERT INTO wins (id, draw_id, prize_id, citizen_id, campaign_id, won_at, won_on, claim_deadline_at, is_fallback) "
    "VALUES (:w_id, :w_draw, :w_prize, :w_citizen, :w_campaign, :w_at, :w_on, :w_deadline, :w_fallback)"
)


def draw_ticket(*, citizen_id: uuid.UUID, source_type: str, source_id: uuid.UUID, sequence: int, now: dt.datetime) -> DrawResult:
    """Draw with a ticket, or give again what it has given: the same ticket always has the same answer.

    :param sequence: which ticket of the source, from 1
    :raises NoTicket: if this citizen has no such ticket
    :raises TicketExpired, TicketVoid: if it can no longer be drawn
    :raises ProfileIncomplete: while the age band is unknown; the ticket stays
    :raises MinorExcluded: for a minor where the manifest leaves minors out
    :raises BarredFromDraw: for somebody on the campaign's list of who takes no part, read under the locks
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
    drawing = _prepare(ticket, profile, now)
    pool = lock_pool(ticket.campaign_id)
    moment = queries.read_under_lock(
        ticket,
        pool.id,
        drawing.today,
        hour=proof.hour_of(proof.moment_text(now)),
        segment=drawing.segment or 0,
        has_quotas=drawing.has_quotas,
    )
    if moment.is_drawn:
        return queries.get_result(ticket.id)
    _check_state(moment.state, ends_at, now)
    if moment.is_barred:
        raise BarredFromDraw
    day, secret = _day_and_secret(pool, ticket, moment, now)
    return _draw(pool, drawing, _settle(pool, drawing, moment, day, secret))


@dataclass(frozen=True)
class _Drawing:
    """What is known of a draw before its pool is locked."""

    manifest: Mapping[str, Any]
    rules: Rules
    ticket: queries.Ticket
    alias: str
    segment: int | None
    now: dt.datetime
    today: dt.date

    @property
    def has_quotas(self) -> bool:
        return has_quotas(self.rules)


@dataclass(frozen=True)
class _Settled:
    """What a draw gives: ``prize`` is None for nothing; with a ``reason``, a prize is the fallback."""

    day: int
    serial: int
    position: int
    outcome: str
    prize: queries.Stock | None
    reason: str
    amount_fen: int
    segment: int | None


def _prepare(ticket: queries.Ticket, profile: Profile, now: dt.datetime) -> _Drawing:
    """:raises MinorExcluded: for a minor where the manifest leaves minors out"""
    pool_id = pool_id_of(ticket.campaign_id)
    manifest = manifest_of(pool_id)
    if is_minor(profile.age_band) and not manifest["allows_minors"]:
        raise MinorExcluded
    segment = None
    if manifest.get("segments"):
        known = queries.find_segment(ticket.citizen_id, pool_id)
        segment = known if known is not None else rules.segment_for(manifest, profile.region_code)
    return _Drawing(
        manifest=manifest,
        rules=rules_of(pool_id),
        ticket=ticket,
        alias=alias_of(pool_id, ticket.citizen_id),
        segment=segment,
        now=now,
        today=shanghai_day(now),
    )


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


def _settle(pool: LockedPool, drawing: _Drawing, moment: queries.UnderLock, day: int, secret: bytes) -> _Settled:
    """:raises DrawUnavailable: where stock is released over the day and the secret of today is public already"""
    by, serial, nonce = drawing.rules, pool.draw_count + 1, drawing.ticket.client_nonce
    at = proof.milliseconds(proof.moment_text(drawing.now))
    is_in_window = proof.window_at(by, at) is not None
    if is_in_window and moment.is_today_revealed:
        raise DrawUnavailable
    where = proof.position(secret, by.pool, day, serial, nonce, by.version)
    tier = proof.tier_at(by.odds, where)

    def standing(prize: int) -> proof.Standing:
        stock, released = moment.prizes[prize], None
        if by.prizes[prize].is_paced:
            today = vault().decrypt_bytes(moment.today_encrypted) if is_in_window and moment.today_encrypted else None
            released = proof.released_count(by, prize, at, today)
        return proof.Standing(stock.won_count, stock.won_today, stock.won_this_hour, released)

    segment = drawing.segment if tier is not None else None
    outcome, won, reason = proof.settle(
        by,
        tier,
        standing_of=standing,
        wins_total=moment.wins_total,
        wins_today=moment.wins_today,
        segment=segment,
        segment_wins=moment.segment_wins,
    )
    prize = moment.prizes[won] if won is not None else None
    amount = 0
    if prize is not None and won is not None:
        bounds = proof.amount_bounds(by.prizes[won], prize.won_count, prize.spent_fen)
        amount = proof.amount_of(secret, by.pool, day, serial, nonce, bounds)
    return _Settled(day, serial, where, outcome, prize, reason, amount, segment)


def _draw(pool: LockedPool, drawing: _Drawing, settled: _Settled) -> DrawResult:
    ticket, now, draw_id, won = drawing.ticket, drawing.now, new_id(), settled.prize
    pool.draw_count = settled.serial
    more: dict[str, Any] = {}
    if drawing.rules.version != proof.FIRST:
        more = {"amount_fen": settled.amount_fen if won else None, "segment": settled.segment}
    record_number = pool.add(
        "draw",
        now,
        alias=drawing.alias,
        client_nonce=ticket.client_nonce,
        day=settled.day,
        granted_at=proof.moment_text(ticket.granted_at),
        on=drawing.today.isoformat(),
        outcome=settled.outcome,
        position=settled.position,
        prize=won.position if won else None,
        reason=settled.reason,
        serial=settled.serial,
        ticket=rules.ticket_number(ticket.id),
        **more,
    )
    writes = [*pool.writes(), *_draw_writes(pool, drawing, settled, draw_id, record_number)]
    win_id = None
    if won is not None:
        win_id = new_id()
        writes += _win_writes(drawing, settled, won, draw_id, win_id)
        writes += _quota_writes(drawing, settled, won)
    run_writes(*writes)
    is_fallback = won is not None and bool(settled.reason)
    return queries.new_result(
        draw_id, settled.outcome, won, win_id, drawing.alias, settled.serial, settled.amount_fen, is_fallback=is_fallback
    )


def _draw_writes(pool: LockedPool, drawing: _Drawing, settled: _Settled, draw_id: uuid.UUID, record_number: int) -> tuple[Write, ...]:
    ticket, won = drawing.ticket, settled.prize
    params = {
        "d_id": draw_id,
        "d_pool": pool.id,
        "d_campaign": ticket.campaign_id,
        "d_ticket": ticket.id,
        "d_citizen": ticket.citizen_id,
        "d_serial": settled.serial,
        "d_alias": drawing.alias,
        "d_outcome": settled.outcome,
        "d_amount": settled.amount_fen if won else None,
        "d_segment": settled.segment,
        "d_prize": won.id if won else None,
        "d_record": record_number,
        "d_at": drawing.now,
        "d_on": drawing.today,
    }
    return Write(_DRAW, params), Write(_USE_TICKET, {"u_id": ticket.id})


def _quota_writes(drawing: _Drawing, settled: _Settled, won: queries.Stock) -> list[Write]:
    """Count a win against the quotas of its prize and, unless it is the fallback, of its region group. The database itself
    refuses one beyond a quota."""
    rule, pool_id = drawing.rules.prizes[won.position], uuid.UUID(drawing.rules.pool)
    hour = proof.hour_of(proof.moment_text(drawing.now))
    used: list[tuple[str, int]] = []
    if rule.per_day is not None:
        used.append((f"prize/{won.position}/{drawing.today.isoformat()}", rule.per_day))
    if rule.per_hour is not None:
        used.append((f"prize/{won.position}/{hour}", rule.per_hour))
    if settled.segment and not settled.reason:
        used.append((f"segment/{settled.segment}", drawing.rules.segments[settled.segment - 1]))
    return [
        Write(
            _USE_QUOTA.format(f"q{number}"),
            {f"q{number}_id": new_id(), f"q{number}_pool": pool_id, f"q{number}_scope": scope, f"q{number}_quota": quota},
        )
        for number, (scope, quota) in enumerate(used)
    ]


def _win_writes(drawing: _Drawing, settled: _Settled, prize: queries.Stock, draw_id: uuid.UUID, win_id: uuid.UUID) -> tuple[Write, ...]:
    """Stock, win and hand-over. The database itself refuses a win beyond the quantity or the budget."""
    ticket, now, today = drawing.ticket, drawing.now, drawing.today
    deadline = day_end(today + dt.timedelta(days=drawing.manifest["claim_days"]))
    win = {
        "w_id": win_id,
        "w_draw": draw_id,
        "w_prize": prize.id,
        "w_citizen": ticket.citizen_id,
        "w_campaign": ticket.campaign_id,
        "w_at": now,
        "w_on": today,
        "w_deadline": deadline,
        "w_fallback": bool(settled.reason),
    }
    return (
        Write(_TAKE_STOCK, {"s_id": prize.id, "s_amount": settled.amount_fen}),
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
                amount_fen=settled.amount_fen,
                points=prize.points,
                claim_deadline_at=deadline,
                now=now,
                reference=drawing.alias,
                tier=prize.tier,
            ),
        ),
    )

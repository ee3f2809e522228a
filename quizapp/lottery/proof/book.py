"""All that the lines of an instant draw's ledger have said so far, and what the next may say (docs/draw-proof.md §5)."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quizapp.lottery.proof.basics import (
    FIRST,
    PPM,
    VERSION,
    BadLedger,
    Shape,
    Wrong,
    day_of,
    hour_of,
    is_hex,
    need,
    need_date,
    need_shape,
    read_moment,
    seal,
)
from quizapp.lottery.proof.manifests import MAYBE, TEXT, WHOLE, Rules, milliseconds
from quizapp.lottery.proof.outcomes import (
    Standing,
    amount_bounds,
    amount_of,
    commitment,
    position,
    released_count,
    settle,
    tier_at,
    window_at,
)

VOID_REASONS = ("citizen_deleted", "duplicate", "excluded_attempt", "granted_by_mistake", "no_day_secret")
RETURN_REASONS = ("excluded", "given_up", "unclaimed", "undeliverable")
_TICKET: Shape = {"alias": TEXT, "client_nonce": TEXT, "day": MAYBE, "granted_at": TEXT, "ticket": TEXT}
_LINK: Shape = {"at": TEXT, "kind": TEXT, "number": WHOLE, "pool": TEXT, "previous": TEXT}
_DRAW: Shape = {
    **_LINK,
    "alias": TEXT,
    "client_nonce": TEXT,
    "day": WHOLE,
    "granted_at": TEXT,
    "on": TEXT,
    "outcome": TEXT,
    "position": WHOLE,
    "prize": MAYBE,
    "reason": TEXT,
    "serial": WHOLE,
    "ticket": TEXT,
}
_BOTH: dict[str, Shape] = {
    "open": {**_LINK, "manifest": TEXT},
    "day": {**_LINK, "day": WHOLE, "on": TEXT},
    "tickets": {**_LINK, "more": (bool,), "tickets": (list,)},
    "draw": _DRAW,
    "void": {**_LINK, "reason": TEXT, "ticket": TEXT},
    "expire": {**_LINK, "tickets": (list,)},
    "reveal": {**_LINK, "day": WHOLE, "secret": TEXT},
}
_RECORDS: dict[str, dict[str, Shape]] = {
    FIRST: _BOTH,
    VERSION: {
        **_BOTH,
        "draw": {**_DRAW, "amount_fen": MAYBE, "segment": MAYBE},
        "return": {**_LINK, "draw": WHOLE, "reason": TEXT},
    },
}


class BrokenLink(Wrong):
    """A record that does not carry the seal of the one before: one of the two was changed."""


@dataclass(slots=True)
class _Ticket:
    alias: str
    day: int | None
    granted_at: str
    client_nonce: str
    is_listed: bool = False
    state: str = "granted"

    def is_as(self, entry: dict[str, Any]) -> bool:
        """Whether a list or a draw says the same of this ticket."""
        said = (entry["alias"], entry["day"], entry["granted_at"], entry["client_nonce"])
        return (self.alias, self.day, self.granted_at, self.client_nonce) == said


@dataclass(slots=True)
class _Sealed:
    """What a draw said that only its day's secret can show."""

    number: int
    serial: int
    nonce: str
    position: int
    bounds: tuple[int, int] | None = None
    amount: int | None = None


@dataclass
class Book:
    """All that the lines so far have said."""

    manifest: dict[str, Any]
    rules: Rules
    manifest_seal: str
    head: str
    record_count: int = 0
    draw_count: int = 0
    day_on: dict[int, str] = field(default_factory=dict)
    tickets: dict[str, _Ticket] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    open_of_day: Counter[int] = field(default_factory=Counter)
    draws_of_day: dict[int, list[_Sealed]] = field(default_factory=dict)
    releases_on: dict[str, list[tuple[int, int, int, int, bool]]] = field(default_factory=dict)
    """By date: number of the record, prize, moment, how many had been won, whether it said that one more was out."""
    revealed: set[int] = field(default_factory=set)
    revealed_dates: set[str] = field(default_factory=set)
    won: Counter[int] = field(default_factory=Counter)
    spent: Counter[int] = field(default_factory=Counter)
    won_in: Counter[tuple[int, str]] = field(default_factory=Counter)
    """By prize and date or hour."""
    wins_of: Counter[str] = field(default_factory=Counter)
    wins_on: Counter[tuple[str, str]] = field(default_factory=Counter)
    segment_of: dict[str, int] = field(default_factory=dict)
    segment_wins: Counter[int] = field(default_factory=Counter)
    wins: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By serial: prize and amount of what can still be returned."""
    win_lines: list[str] = field(default_factory=list)
    recomputed_count: int = 0
    lines_of: dict[int, int] = field(default_factory=dict)

    @property
    def pool(self) -> str:
        return self.rules.pool

    def read(self, line: int, text: str, record: dict[str, Any]) -> None:
        """Take the next record.

        :raises Wrong: if it cannot be that
        """
        kind, shapes = record.get("kind"), _RECORDS[self.rules.version]
        need(type(kind) is str and kind in shapes, "unknown_kind", "a kind of record that the version does not know")
        need_shape(record, shapes[str(kind)])
        self._need_next(record)
        need(record["pool"] == self.pool, "other_pool", "it belongs to another pool")
        read_moment(record["at"])
        need((kind == "open") == (record["number"] == 1), "record_moved", "the chain begins with one open record")
        handler: Callable[[dict[str, Any]], None] = getattr(self, f"_read_{kind}")
        self.lines_of[record["number"]] = line
        handler(record)
        self.record_count += 1
        self.head = seal(text)

    def _need_next(self, record: dict[str, Any]) -> None:
        wanted = self.record_count + 1
        need(record["number"] >= wanted, "record_added", f"its number is not {wanted}: a record was added here, or comes again")
        need(record["number"] <= wanted, "record_missing", f"its number is not {wanted}: a record is missing before it")
        if record["previous"] != self.head:
            raise BrokenLink("record_changed", "it does not carry the seal of the record before it")

    def _read_open(self, record: dict[str, Any]) -> None:
        need(record["manifest"] == self.manifest_seal, "manifest_changed", "it names another manifest")

    def _read_day(self, record: dict[str, Any]) -> None:
        spare = [day["day"] for day in self.manifest["days"] if day["day"] not in self.day_on]
        need(bool(spare) and record["day"] == spare[0], "wrong_day", "not the next spare day")
        need_date(record["on"])
        need(record["on"] not in self.day_on.values(), "wrong_day", "that date has a secret already")
        self.day_on[record["day"]] = record["on"]

    # ---- tickets

    def _check_ticket_day(self, day: int | None, granted_at: str) -> None:
        on = day_of(granted_at)
        if day is None:
            known = [index for index, date in self.day_on.items() if date == on]
            is_used_up = len(self.day_on) == len(self.manifest["days"])
            need(known[0] in self.revealed if known else is_used_up, "wrong_day", "a day was there for this ticket")
            return
        need(self.day_on.get(day) == on, "wrong_day", "the day is not that of the grant")
        need(day not in self.revealed, "late_ticket", "a ticket of a day whose secret is public")

    def _add_ticket(self, number: str, entry: dict[str, Any]) -> _Ticket:
        need(is_hex(number, 32), "malformed", "not a ticket number")
        nonce = entry["client_nonce"]
        need(len(nonce) <= 64 and is_hex(nonce, len(nonce)), "malformed", "not a client nonce")
        self._check_ticket_day(entry["day"], entry["granted_at"])
        ticket = _Ticket(entry["alias"], entry["day"], entry["granted_at"], nonce)
        self.tickets[number] = ticket
        if ticket.day is not None:
            self.open_of_day[ticket.day] += 1
        return ticket

    def _read_tickets(self, record: dict[str, Any]) -> None:
        need(bool(record["tickets"]), "malformed", "an empty list of tickets")
        for entry in record["tickets"]:
            need_shape(entry, _TICKET)
            number = entry["ticket"]
            known = self.tickets.get(number) or self._add_ticket(number, entry)
            need(not known.is_listed, "ticket_twice", f"ticket {number} is listed twice")
            need(known.is_as(entry), "ticket_changed", f"ticket {number} was drawn differently")
            known.is_listed = True
            self.unlisted.discard(number)
        need(record["more"] or not self.unlisted, "ticket_missing", "a ticket was drawn that is on no list")

    def _close_ticket(self, number: str, state: str) -> _Ticket:
        ticket = self.tickets.get(number)
        if ticket is None:
            raise Wrong("ticket_missing", f"ticket {number} is unknown")
        need(ticket.state == "granted", "ticket_twice", f"ticket {number} is {ticket.state} already")
        ticket.state = state
        if ticket.day is not None:
            self.open_of_day[ticket.day] -= 1
        return ticket

    def _ends_at(self, ticket: _Ticket) -> dt.datetime:
        return read_moment(ticket.granted_at) + dt.timedelta(hours=self.rules.ticket_hours)

    def _read_void(self, record: dict[str, Any]) -> None:
        need(record["reason"] in VOID_REASONS, "unknown_reason", "not a reason of the list")
        ticket = self._close_ticket(record["ticket"], "void")
        need(ticket.is_listed, "ticket_missing", "a ticket that is on no list")

    def _read_expire(self, record: dict[str, Any]) -> None:
        need(bool(record["tickets"]), "malformed", "an empty list of tickets")
        at = read_moment(record["at"])
        for number in record["tickets"]:
            need(type(number) is str, "malformed", "not a ticket number")
            ticket = self._close_ticket(number, "expired")
            need(ticket.is_listed, "ticket_missing", f"ticket {number} is on no list")
            need(at >= self._ends_at(ticket), "wrong_time", f"ticket {number} had not expired yet")

    # ---- draws

    def _read_draw(self, record: dict[str, Any]) -> None:
        number, day, on = record["ticket"], record["day"], record["on"]
        if number not in self.tickets:
            self._add_ticket(number, record)
            self.unlisted.add(number)
        ticket = self._close_ticket(number, "drawn")
        need(ticket.is_as(record), "ticket_changed", "the ticket was granted differently")
        need(day not in self.revealed, "late_draw", "a draw of a day whose secret is public")
        need(read_moment(record["at"]) <= self._ends_at(ticket), "wrong_time", "the ticket had expired")
        need(on == day_of(record["at"]), "wrong_time", "its date is not that of its moment")
        need(record["serial"] == self.draw_count + 1, "draw_missing", f"its serial is not {self.draw_count + 1}")
        need(0 <= record["position"] < PPM, "malformed", "a position outside 0 to 999,999")
        sealed = _Sealed(record["number"], record["serial"], record["client_nonce"], record["position"])
        self._settle(record, tier_at(self.rules.odds, record["position"]), sealed)
        self.draw_count += 1
        self.draws_of_day.setdefault(day, []).append(sealed)

    def _settle(self, record: dict[str, Any], tier: int | None, sealed: _Sealed) -> None:
        alias, on, hour = record["alias"], record["on"], hour_of(record["at"])
        segment = self._segment(record, tier)
        released = self._released(record, tier)

        def standing(prize: int) -> Standing:
            of_tier = released if prize == tier else None
            return Standing(self.won[prize], self.won_in[prize, on], self.won_in[prize, hour], of_tier)

        expected = settle(
            self.rules,
            tier,
            standing_of=standing,
            wins_total=self.wins_of[alias],
            wins_today=self.wins_on[alias, on],
            segment=segment,
            segment_wins=self.segment_wins[segment or 0],
        )
        said = (record["outcome"], record["prize"], record["reason"])
        need(said == expected, "wrong_outcome", f"its outcome should be {expected}")
        amount = self._amount(record, expected[1], sealed)
        if expected[1] is not None:
            self._count_win(record["serial"], expected[1], amount, alias, on, hour, segment, is_fallback=bool(expected[2]))

    def _segment(self, record: dict[str, Any], tier: int | None) -> int | None:
        segment: Any = record.get("segment")
        if tier is None or not self.rules.segments:
            need(segment is None, "wrong_segment", "a region group where none is to be named")
            return None
        need(type(segment) is int and 0 <= segment <= len(self.rules.segments), "wrong_segment", "not a region group of the manifest")
        known = self.segment_of.setdefault(record["alias"], int(segment))
        need(known == segment, "wrong_segment", "this 抽奖号 belongs to another region group")
        return int(segment)

    def _released(self, record: dict[str, Any], tier: int | None) -> int | None:
        """How many of a paced prize are out: computed where no secret is needed, else as the outcome says it, to be recomputed
        when the secret of the date is public."""
        if tier is None or not self.rules.prizes[tier].is_paced:
            return None
        moment, won = milliseconds(record["at"]), self.won[tier]
        if window_at(self.rules, moment) is None:
            return released_count(self.rules, tier, moment, None)
        need(record["on"] not in self.revealed_dates, "late_draw", "a draw on a day whose secret is public")
        is_out = record["reason"] != "not_released"
        if record["reason"] in ("", "not_released", "day_quota", "hour_quota"):
            self.releases_on.setdefault(record["on"], []).append((record["number"], tier, moment, won, is_out))
        return won + 1 if is_out else won

    def _amount(self, record: dict[str, Any], prize: int | None, sealed: _Sealed) -> int:
        if self.rules.version == FIRST:
            return 0 if prize is None else self.rules.prizes[prize].value_fen
        amount: Any = record["amount_fen"]
        if prize is None:
            need(amount is None, "wrong_amount", "an amount without a prize")
            return 0
        low, high = amount_bounds(self.rules.prizes[prize], self.won[prize], self.spent[prize])
        need(type(amount) is int and low <= amount <= high, "wrong_amount", f"an amount outside {low} to {high}")
        if low != high:
            sealed.bounds, sealed.amount = (low, high), amount
        return int(amount)

    def _count_win(
        self, serial: int, prize: int, amount: int, alias: str, on: str, hour: str, segment: int | None, *, is_fallback: bool
    ) -> None:
        self.won[prize] += 1
        self.spent[prize] += amount
        self.won_in[prize, on] += 1
        self.won_in[prize, hour] += 1
        self.wins[serial] = (prize, amount)
        self.win_lines.append(f"{serial} {prize} {amount} {alias}\n")
        if is_fallback:
            return
        self.wins_of[alias] += 1
        self.wins_on[alias, on] += 1
        if segment:
            self.segment_wins[segment] += 1

    def _read_return(self, record: dict[str, Any]) -> None:
        need(self.rules.allows_returns, "wrong_return", "the manifest lets nothing come back")
        need(record["reason"] in RETURN_REASONS, "unknown_reason", "not a reason of the list")
        found = self.wins.pop(record["draw"], None)
        if found is None:
            raise Wrong("wrong_return", "no prize of that draw is out")
        self.won[found[0]] -= 1
        self.spent[found[0]] -= found[1]

    # ---- secrets

    def _read_reveal(self, record: dict[str, Any]) -> None:
        day = record["day"]
        need(day in self.day_on, "wrong_day", "a day that was not used")
        need(day not in self.revealed, "wrong_day", "a secret that is public already")
        need(day_of(record["at"]) > self.day_on[day], "wrong_time", "the day was not over")
        need(not self.open_of_day[day] and not self.unlisted, "early_reveal", "a ticket of that day is still open or on no list")
        need(is_hex(record["secret"], 64), "malformed", "not a secret")
        secret, committed = bytes.fromhex(record["secret"]), self.manifest["days"][day]["commitment"]
        right = commitment(self.pool, day, secret, self.rules.version)
        need(right == committed, "wrong_secret", "the secret is not the one committed to")
        self.revealed.add(day)
        self.revealed_dates.add(self.day_on[day])
        for sealed in self.draws_of_day.pop(day, []):
            self._recompute(secret, day, sealed)
        for number, prize, moment, won, is_out in self.releases_on.pop(self.day_on[day], []):
            if (won < released_count(self.rules, prize, moment, secret)) != is_out:
                why = f"stock was {'not out' if is_out else 'out'} at its moment, recomputed from the revealed secret"
                raise BadLedger(self.lines_of[number], "draw", why, "wrong_release")

    def _recompute(self, secret: bytes, day: int, sealed: _Sealed) -> None:
        inputs = secret, self.pool, day, sealed.serial, sealed.nonce
        where = position(*inputs, self.rules.version)
        self._need_same(sealed.number, "wrong_position", "its position", where, sealed.position)
        if sealed.bounds is not None:
            self._need_same(sealed.number, "wrong_amount", "its amount", amount_of(*inputs, sealed.bounds), sealed.amount)
        self.recomputed_count += 1

    def _need_same(self, number: int, code: str, what: str, right: int, said: int | None) -> None:
        if right != said:
            raise BadLedger(self.lines_of[number], "draw", f"{what} should be {right}, recomputed from the revealed secret", code)

    def hidden_days(self) -> tuple[int, ...]:
        """Days whose draws cannot be recomputed yet, or on which stock was released that cannot be yet."""
        dates = {on: day for day, on in self.day_on.items()}
        return tuple(sorted({*self.draws_of_day, *(dates[on] for on in self.releases_on)}))

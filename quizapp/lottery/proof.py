"""The arithmetic and the check of ``docs/draw-proof.md`` version 1. Standard library only: no web, no database, no clock,
no dice. The server draws with these functions; ``flask draws verify`` and everybody who downloads this file check with
them:

    python3 draw_check.py LEDGER.jsonl [SEAL FROM A RECEIPT …]
"""

import datetime as dt
import hashlib
import hmac
import json
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

VERSION = "draw-proof/1"
PPM = 1_000_000
SHANGHAI = dt.timezone(dt.timedelta(hours=8))
VOID_REASONS = ("citizen_deleted", "duplicate", "excluded_attempt", "granted_by_mistake", "no_day_secret")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""


# ---- §2, §3: text and seals


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, non-ASCII as itself; floats are refused."""
    if _holds_float(value):
        raise ValueError("a number with a fraction")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _holds_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_float(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_float(item) for item in value)
    return isinstance(value, float)


def seal(text: str) -> str:
    """SHA-256 of the UTF-8 text, lower-case hex: what ``sha256sum`` prints for the line without its newline."""
    return hashlib.sha256(text.encode()).hexdigest()


def base32(data: bytes, length: int) -> str:
    """The first ``length`` base-32 characters of ``data``, most significant bits first."""
    number, bits = int.from_bytes(data, "big"), len(data) * 8
    return "".join(_ALPHABET[number >> (bits - 5 * (index + 1)) & 31] for index in range(length))


def moment_text(moment: dt.datetime) -> str:
    """A moment in the ledger: UTC, milliseconds, cut: ``2027-03-15T01:42:07.318Z``."""
    utc = moment.astimezone(dt.UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def read_moment(text: str) -> dt.datetime:
    """:raises ValueError: if the text is not exactly what :func:`moment_text` writes"""
    moment = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
    if moment_text(moment) != text:
        raise ValueError(f"not a moment of the ledger: {text}")
    return moment


def day_of(text: str) -> str:
    """The Shanghai date (UTC+8) of a moment of the ledger."""
    return read_moment(text).astimezone(SHANGHAI).date().isoformat()


# ---- §4, §6, §7: commitment, number, outcome


def commitment(pool: str, day: int, secret: bytes) -> str:
    """The seal of a day's secret, published before the first ticket."""
    return hashlib.sha256(f"{VERSION}/commit\n{pool}\n{day}\n".encode() + secret).hexdigest()


def draw_number(secret: bytes, pool: str, day: int, serial: int, nonce: str) -> int:
    """The 128-bit number of one draw."""
    message = canonical([f"{VERSION}/outcome", pool, day, serial, nonce])
    return int.from_bytes(hmac.digest(secret, message.encode(), "sha256")[:16], "big")


def position(secret: bytes, pool: str, day: int, serial: int, nonce: str) -> int:
    """The position of one draw, 0 to 999,999."""
    return (draw_number(secret, pool, day, serial, nonce) * PPM) >> 128


def tier_at(odds: Sequence[int], where: int) -> int | None:
    """The index of the prize whose stretch holds the position, or None beyond the sum of the odds."""
    upper = 0
    for index, share in enumerate(odds):
        upper += share
        if where < upper:
            return index
    return None


def settle(manifest: dict[str, Any], tier: int | None, *, won_count: int, wins_total: int, wins_today: int) -> tuple[str, int | None, str]:
    """What a draw gives, from the manifest and the ledger before it.

    :param tier: index of the prize its position fell on, None for no prize
    :param won_count: how often that prize has been won so far
    :param wins_total: wins so far under this 抽奖号; ``wins_today`` of them on the Shanghai day of the draw
    :returns: outcome (``won`` or ``none``), index of the prize or None, reason (empty when won)
    """
    if tier is None:
        return "none", None, "no_prize"
    if manifest["wins_total"] is not None and wins_total >= manifest["wins_total"]:
        return "none", None, "wins_total"
    if manifest["wins_per_day"] is not None and wins_today >= manifest["wins_per_day"]:
        return "none", None, "wins_per_day"
    if won_count >= manifest["prizes"][tier]["quantity"]:
        return "none", None, "stock"
    return "won", tier, ""


# ---- §5, §8, §9: the ledger and its check


class BadLedger(Exception):
    """The first line that is wrong, counted from 1, and why."""

    def __init__(self, line: int, what: str, why: str) -> None:
        super().__init__(f"line {line} ({what}): {why}")
        self.line = line
        self.what = what
        self.why = why


@dataclass(frozen=True)
class Summary:
    """What a whole ledger holds. ``recomputed_count`` draws were made again from revealed secrets."""

    pool: str
    record_count: int
    ticket_count: int
    draw_count: int
    win_count: int
    recomputed_count: int
    hidden_days: tuple[int, ...]
    head: str


class _Wrong(Exception):
    """Why a record is wrong; the reader adds the line."""


class _BrokenLink(_Wrong):
    """A record that does not carry the seal of the one before: one of the two was changed."""


def _need(condition: bool, why: str) -> None:
    if not condition:
        raise _Wrong(why)


_TEXT, _WHOLE, _MAYBE = (str,), (int,), (int, type(None))
_MANIFEST: dict[str, tuple[type, ...]] = {
    "allows_minors": (bool,),
    "campaign": _TEXT,
    "claim_days": _WHOLE,
    "days": (list,),
    "fallback": _TEXT,
    "kind": _TEXT,
    "pool": _TEXT,
    "prizes": (list,),
    "published_at": _TEXT,
    "release": _TEXT,
    "terms_hash": _TEXT,
    "ticket_hours": _WHOLE,
    "total_odds": _WHOLE,
    "version": _TEXT,
    "wins_per_day": _MAYBE,
    "wins_total": _MAYBE,
}
_PRIZE: dict[str, tuple[type, ...]] = {
    "kind": _TEXT,
    "name": _TEXT,
    "odds_ppm": _WHOLE,
    "points": _WHOLE,
    "quantity": _WHOLE,
    "tier": _TEXT,
    "value_fen": _WHOLE,
}
_DAY: dict[str, tuple[type, ...]] = {"commitment": _TEXT, "day": _WHOLE, "on": (str, type(None))}
_TICKET: dict[str, tuple[type, ...]] = {"alias": _TEXT, "client_nonce": _TEXT, "day": _MAYBE, "granted_at": _TEXT, "ticket": _TEXT}
_LINK: dict[str, tuple[type, ...]] = {"at": _TEXT, "kind": _TEXT, "number": _WHOLE, "pool": _TEXT, "previous": _TEXT}
_RECORDS: dict[str, dict[str, tuple[type, ...]]] = {
    "open": {**_LINK, "manifest": _TEXT},
    "day": {**_LINK, "day": _WHOLE, "on": _TEXT},
    "tickets": {**_LINK, "more": (bool,), "tickets": (list,)},
    "draw": {
        **_LINK,
        "alias": _TEXT,
        "client_nonce": _TEXT,
        "day": _WHOLE,
        "granted_at": _TEXT,
        "on": _TEXT,
        "outcome": _TEXT,
        "position": _WHOLE,
        "prize": _MAYBE,
        "reason": _TEXT,
        "serial": _WHOLE,
        "ticket": _TEXT,
    },
    "void": {**_LINK, "reason": _TEXT, "ticket": _TEXT},
    "expire": {**_LINK, "tickets": (list,)},
    "reveal": {**_LINK, "day": _WHOLE, "secret": _TEXT},
}
_HEAD: dict[str, tuple[type, ...]] = {"head": _TEXT, "kind": _TEXT, "pool": _TEXT, "records": _WHOLE}


def _need_shape(value: Any, shape: dict[str, tuple[type, ...]]) -> None:
    _need(type(value) is dict and set(value) == set(shape), "its fields are not those of the specification")
    for name, types in shape.items():
        _need(type(value[name]) in types, f"the field {name} is of the wrong kind")


def _need_date(text: str) -> None:
    _need(dt.date.fromisoformat(text).isoformat() == text, "not a date")


def _hex(text: str, length: int) -> bool:
    return len(text) == length and all(char in "0123456789abcdef" for char in text)


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


@dataclass
class _Book:
    """All that the lines so far have said."""

    manifest: dict[str, Any]
    manifest_seal: str
    head: str
    record_count: int = 0
    draw_count: int = 0
    day_on: dict[int, str] = field(default_factory=dict)
    tickets: dict[str, _Ticket] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    open_of_day: Counter[int] = field(default_factory=Counter)
    draws_of_day: dict[int, list[tuple[int, int, str, int]]] = field(default_factory=dict)
    revealed: set[int] = field(default_factory=set)
    won: Counter[int] = field(default_factory=Counter)
    wins_of: Counter[str] = field(default_factory=Counter)
    wins_on: Counter[tuple[str, str]] = field(default_factory=Counter)
    recomputed_count: int = 0
    lines_of: dict[int, int] = field(default_factory=dict)

    @property
    def pool(self) -> str:
        return str(self.manifest["pool"])

    def read(self, line: int, text: str, record: dict[str, Any]) -> None:
        kind = record.get("kind")
        _need(type(kind) is str and kind in _RECORDS, "a kind of record that version 1 does not know")
        _need_shape(record, _RECORDS[str(kind)])
        _need(record["number"] == self.record_count + 1, f"its number is not {self.record_count + 1}: a record is missing, added or moved")
        if record["previous"] != self.head:
            raise _BrokenLink("it does not carry the seal of the record before it")
        _need(record["pool"] == self.pool, "it belongs to another pool")
        read_moment(record["at"])
        _need((kind == "open") == (record["number"] == 1), "the chain begins with one open record")
        handler: Callable[[dict[str, Any]], None] = getattr(self, f"_read_{kind}")
        self.lines_of[record["number"]] = line
        handler(record)
        self.record_count += 1
        self.head = seal(text)

    def _read_open(self, record: dict[str, Any]) -> None:
        _need(record["manifest"] == self.manifest_seal, "it names another manifest")

    def _read_day(self, record: dict[str, Any]) -> None:
        spare = [day["day"] for day in self.manifest["days"] if day["day"] not in self.day_on]
        _need(bool(spare) and record["day"] == spare[0], "not the next spare day")
        _need_date(record["on"])
        _need(record["on"] not in self.day_on.values(), "that date has a secret already")
        self.day_on[record["day"]] = record["on"]

    def _check_ticket_day(self, day: int | None, granted_at: str) -> None:
        on = day_of(granted_at)
        if day is None:
            known = [index for index, date in self.day_on.items() if date == on]
            is_used_up = len(self.day_on) == len(self.manifest["days"])
            _need(known[0] in self.revealed if known else is_used_up, "a day was there for this ticket")
            return
        _need(self.day_on.get(day) == on, "the day is not that of the grant")
        _need(day not in self.revealed, "a ticket of a day whose secret is public")

    def _add_ticket(self, number: str, entry: dict[str, Any]) -> _Ticket:
        _need(_hex(number, 32), "not a ticket number")
        _need(len(entry["client_nonce"]) <= 64 and _hex(entry["client_nonce"], len(entry["client_nonce"])), "not a client nonce")
        self._check_ticket_day(entry["day"], entry["granted_at"])
        ticket = _Ticket(entry["alias"], entry["day"], entry["granted_at"], entry["client_nonce"])
        self.tickets[number] = ticket
        if ticket.day is not None:
            self.open_of_day[ticket.day] += 1
        return ticket

    def _read_tickets(self, record: dict[str, Any]) -> None:
        _need(bool(record["tickets"]), "an empty list of tickets")
        for entry in record["tickets"]:
            _need_shape(entry, _TICKET)
            number = entry["ticket"]
            known = self.tickets.get(number) or self._add_ticket(number, entry)
            _need(not known.is_listed, f"ticket {number} is listed twice")
            _need(known.is_as(entry), f"ticket {number} was drawn differently")
            known.is_listed = True
            self.unlisted.discard(number)
        _need(record["more"] or not self.unlisted, "a ticket was drawn that is on no list")

    def _close_ticket(self, number: str, state: str) -> _Ticket:
        ticket = self.tickets.get(number)
        if ticket is None:
            raise _Wrong(f"ticket {number} is unknown")
        _need(ticket.state == "granted", f"ticket {number} is {ticket.state} already")
        ticket.state = state
        if ticket.day is not None:
            self.open_of_day[ticket.day] -= 1
        return ticket

    def _ends_at(self, ticket: _Ticket) -> dt.datetime:
        return read_moment(ticket.granted_at) + dt.timedelta(hours=self.manifest["ticket_hours"])

    def _read_draw(self, record: dict[str, Any]) -> None:
        number, day = record["ticket"], record["day"]
        if number not in self.tickets:
            self._add_ticket(number, record)
            self.unlisted.add(number)
        ticket = self._close_ticket(number, "drawn")
        _need(ticket.is_as(record), "the ticket was granted differently")
        _need(day not in self.revealed, "a draw of a day whose secret is public")
        _need(read_moment(record["at"]) <= self._ends_at(ticket), "the ticket had expired")
        _need(record["on"] == day_of(record["at"]), "its date is not that of its moment")
        _need(record["serial"] == self.draw_count + 1, f"its serial is not {self.draw_count + 1}")
        _need(0 <= record["position"] < PPM, "a position outside 0 to 999,999")
        self._settle(record)
        self.draw_count += 1
        self.draws_of_day.setdefault(day, []).append((record["number"], record["serial"], record["client_nonce"], record["position"]))

    def _settle(self, record: dict[str, Any]) -> None:
        alias, on = record["alias"], record["on"]
        tier = tier_at([prize["odds_ppm"] for prize in self.manifest["prizes"]], record["position"])
        expected = settle(
            self.manifest,
            tier,
            won_count=self.won[tier] if tier is not None else 0,
            wins_total=self.wins_of[alias],
            wins_today=self.wins_on[alias, on],
        )
        _need((record["outcome"], record["prize"], record["reason"]) == expected, f"its outcome should be {expected}")
        if expected[0] == "won" and tier is not None:
            self.won[tier] += 1
            self.wins_of[alias] += 1
            self.wins_on[alias, on] += 1

    def _read_void(self, record: dict[str, Any]) -> None:
        _need(record["reason"] in VOID_REASONS, "not a reason of the list")
        ticket = self._close_ticket(record["ticket"], "void")
        _need(ticket.is_listed, "a ticket that is on no list")

    def _read_expire(self, record: dict[str, Any]) -> None:
        _need(bool(record["tickets"]), "an empty list of tickets")
        at = read_moment(record["at"])
        for number in record["tickets"]:
            _need(type(number) is str, "not a ticket number")
            ticket = self._close_ticket(number, "expired")
            _need(ticket.is_listed, f"ticket {number} is on no list")
            _need(at >= self._ends_at(ticket), f"ticket {number} had not expired yet")

    def _read_reveal(self, record: dict[str, Any]) -> None:
        day = record["day"]
        _need(day in self.day_on, "a day that was not used")
        _need(day not in self.revealed, "a secret that is public already")
        _need(day_of(record["at"]) > self.day_on[day], "the day was not over")
        _need(not self.open_of_day[day] and not self.unlisted, "a ticket of that day is still open or on no list")
        _need(_hex(record["secret"], 64), "not a secret")
        secret = bytes.fromhex(record["secret"])
        _need(commitment(self.pool, day, secret) == self.manifest["days"][day]["commitment"], "the secret is not the one committed to")
        self.revealed.add(day)
        for number, serial, nonce, where in self.draws_of_day.get(day, []):
            right = position(secret, self.pool, day, serial, nonce)
            if right != where:
                raise BadLedger(self.lines_of[number], "draw", f"its position should be {right}, recomputed from the revealed secret")
            self.recomputed_count += 1

    def summary(self) -> Summary:
        hidden = tuple(sorted(day for day in self.draws_of_day if day not in self.revealed))
        return Summary(
            pool=self.pool,
            record_count=self.record_count,
            ticket_count=len(self.tickets),
            draw_count=self.draw_count,
            win_count=sum(self.won.values()),
            recomputed_count=self.recomputed_count,
            hidden_days=hidden,
            head=self.head,
        )


def _open_book(text: str, manifest: dict[str, Any]) -> _Book:
    _need_shape(manifest, _MANIFEST)
    _need(manifest["kind"] == "manifest" and manifest["version"] == VERSION, "not a manifest of draw-proof/1")
    _need((manifest["release"], manifest["fallback"], manifest["total_odds"]) == ("all", "none", PPM), "a rule version 1 does not know")
    read_moment(manifest["published_at"])
    _need(bool(manifest["prizes"]), "no prizes")
    for prize in manifest["prizes"]:
        _need_shape(prize, _PRIZE)
        _need(prize["quantity"] >= 0 and 0 <= prize["odds_ppm"] <= PPM, "a quantity or odds out of range")
    _need(sum(prize["odds_ppm"] for prize in manifest["prizes"]) <= PPM, "odds above 1")
    caps = [manifest[name] for name in ("wins_per_day", "wins_total") if manifest[name] is not None]
    _need(min([manifest["ticket_hours"], *caps]) >= 1, "a cap or a ticket life below 1")
    book = _Book(manifest, seal(text), seal(text))
    for index, day in enumerate(manifest["days"]):
        _need_shape(day, _DAY)
        _need(day["day"] == index and _hex(day["commitment"], 64), "the days are not counted from 0 with their commitments")
        if day["on"] is not None:
            _need_date(day["on"])
            _need(day["on"] not in book.day_on.values() and len(book.day_on) == index, "a date twice, or behind a spare day")
            book.day_on[index] = day["on"]
    return book


def _parse(raw: bytes) -> tuple[str, dict[str, Any]]:
    _need(raw.endswith(b"\n"), "it does not end with a newline")
    text = raw[:-1].decode()
    value = json.loads(text)
    _need(type(value) is dict, "not a JSON object")
    _need(canonical(value) == text, "not in canonical form")
    return text, value


def _what(raw: bytes) -> str:
    """The kind of a broken line, as far as it can be told."""
    try:
        return str(json.loads(raw)["kind"])[:20]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "unreadable"


_MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


def _is_followed(text: str, after: bytes | None) -> bool:
    """Whether the line after carries the seal of this one, which then was not changed."""
    try:
        value = _parse(after or b"")[1]
    except (_Wrong, *_MALFORMED):
        return False
    return seal(text) in (value.get("previous"), value.get("head"))


def _pairs(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Each line with its number from 1 and the line after it."""
    iterator = iter(lines)
    raw = next(iterator, None)
    number = 1
    while raw is not None:
        after = next(iterator, None)
        yield number, raw, after
        raw, number = after, number + 1


class _Reader:
    """Takes the lines of a file one by one."""

    def __init__(self, receipts: Collection[str]) -> None:
        self.book: _Book | None = None
        self.is_closed = False
        self.missing = set(receipts)

    def take(self, line: int, raw: bytes, after: bytes | None) -> None:
        _need(not self.is_closed, "a line after the head")
        text, value = _parse(raw)
        if self.book is None:
            self.book = _open_book(text, value)
        elif value.get("kind") == "head":
            self._close(value)
        else:
            self._read(self.book, line, text, value, after)

    def _close(self, value: dict[str, Any]) -> None:
        book = self.book
        _need_shape(value, _HEAD)
        said = (value["pool"], value["records"], value["head"])
        is_head = book is not None and said == (book.pool, book.record_count, book.head)
        _need(is_head, "it is not the head of the records above: the last one, or this line, was changed, added or removed")
        self.is_closed = True

    def _read(self, book: _Book, line: int, text: str, value: dict[str, Any], after: bytes | None) -> None:
        try:
            book.read(line, text, value)
        except _BrokenLink:
            if _is_followed(text, after):
                raise BadLedger(line - 1, "the record before", "it was changed: the record after it carries another seal") from None
            raise
        self.missing.discard(book.head)


def verify(lines: Iterable[bytes], receipts: Collection[str] = ()) -> Summary:
    """Check a ledger, line by line: manifest, records, head (§9).

    :param lines: with their newlines, as a file opened in binary mode gives them
    :param receipts: seals from citizens' receipts; each must be the seal of a record of this chain
    :raises BadLedger: naming the first line that is wrong and why
    """
    reader, line = _Reader(receipts), 0
    for line, raw, after in _pairs(lines):
        try:
            reader.take(line, raw, after)
        except _Wrong as error:
            raise BadLedger(line, _what(raw), str(error)) from None
        except _MALFORMED as error:
            raise BadLedger(line, _what(raw), f"malformed: {error}") from None
    if reader.book is None or not reader.is_closed:
        raise BadLedger(line + 1, "end", "the file ends without its head")
    if reader.missing:
        raise BadLedger(line + 1, "end", f"the seal {min(reader.missing)} of a receipt is not in this chain: it has been rebuilt")
    return reader.book.summary()


def head_line(pool: str, records: int, head: str) -> str:
    """The last line of an exported ledger."""
    return canonical({"head": head, "kind": "head", "pool": pool, "records": records})


def describe(summary: Summary) -> str:
    """A whole ledger in a few lines of English and Chinese."""
    lines = [
        f"OK / 账本完好: pool {summary.pool}",
        f"  records / 记录 {summary.record_count} · tickets / 抽奖机会 {summary.ticket_count}",
        f"  draws / 抽奖 {summary.draw_count} · wins / 中奖 {summary.win_count}",
        f"  recomputed from revealed secrets / 用已公布的密钥重算 {summary.recomputed_count}",
        f"  head / 链头 {summary.head}",
    ]
    if summary.hidden_days:
        hidden = ", ".join(map(str, summary.hidden_days))
        lines.append(f"  days not revealed yet, positions not recomputed / 密钥还没公布的日序号: {hidden}")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Check a file: 0 when whole, 1 when not."""
    if not arguments:
        sys.stderr.write("usage: python3 draw_check.py LEDGER.jsonl [SEAL FROM A RECEIPT ...]\n")
        return 2
    try:
        with open(arguments[0], "rb") as file:
            sys.stdout.write(describe(verify(file, arguments[1:])) + "\n")
    except BadLedger as error:
        sys.stdout.write(f"BAD / 账本不对: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The arithmetic and the check of ``docs/draw-proof-pools.md`` version 1. Standard library only: no web, no database, no
clock, no dice. The server draws with these functions; ``flask draws verify`` and everybody who downloads this file check
with them, which is why it is one file:

    python3 pool_check.py POOL-DRAW.jsonl [SEAL, LIST HASH OR MANIFEST HASH WRITTEN DOWN BEFORE …]
"""

import datetime as dt
import hashlib
import hmac
import json
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

VERSION = "draw-proof-pool/1"
PPM = 1_000_000
MOST_TICKETS = 2**37 - 1
"""Of one list: small enough for exact arithmetic in a browser."""
INPUTS = {"none": r"", "spoken": r"[0-9]{4,64}", "public_figure": r"[0-9.]{1,128}"}
EXCLUDE_REASONS = ("citizen_deleted", "excluded_attempts", "excluded_person", "won_before")
PASS_REASONS = ("citizen_deleted", "excluded_attempts", "excluded_person", "expired", "given_up")
_ALIAS = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}")
_SCOPE = re.compile(r"[a-z0-9_-]{1,32}(?:/[0-9]{1,6})?")


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
    """SHA-256 of the UTF-8 text, lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def moment_text(moment: dt.datetime) -> str:
    """UTC, milliseconds, cut: ``2027-03-15T01:42:07.318Z``."""
    utc = moment.astimezone(dt.UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def read_moment(text: str) -> dt.datetime:
    """:raises ValueError: if the text is not exactly what :func:`moment_text` writes"""
    moment = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
    if moment_text(moment) != text:
        raise ValueError(f"not a moment: {text}")
    return moment


def lines_hash(lines: Iterable[str]) -> str:
    """SHA-256 over lines, each ended by LF: what ``sha256sum`` prints for a file of them."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


# ---- §4, §6, §7: commitment, list, seed, numbers


def commitment(pool: str, secret: bytes) -> str:
    """What the manifest says of a secret before anybody can take part."""
    return hashlib.sha256(f"{VERSION}/commit\n{pool}\n".encode() + secret).hexdigest()


def entry_line(serial: int, alias: str, tickets: int, band: int) -> str:
    """One line of a frozen list."""
    return f'[{serial},"{alias}",{tickets},{band}]'


def seed_of(secret: bytes, list_hash: str, public_input: str) -> bytes:
    """The 32 bytes everything is drawn from."""
    return hashlib.sha256(f"{VERSION}/seed\n".encode() + secret + f"{list_hash}\n{public_input}".encode()).digest()


def words(seed: bytes) -> Iterator[int]:
    """Unsigned 64-bit numbers without end: HMAC-SHA256 blocks of a counter, four numbers each."""
    counter = 0
    while True:
        block = hmac.digest(seed, f"{VERSION}/stream\n{counter}".encode(), "sha256")
        for start in (0, 8, 16, 24):
            yield int.from_bytes(block[start : start + 8], "big")
        counter += 1


def below(numbers: Iterator[int], bound: int) -> int:
    """A number from 0 to ``bound`` - 1, each as likely: numbers beyond the last whole multiple are left out."""
    limit = 2**64 - 2**64 % bound
    for number in numbers:
        if number < limit:
            return number % bound
    raise ValueError("the stream has ended")


class Urn:
    """Tickets in the order of the list; takes out by position among those still in (a Fenwick tree of their counts)."""

    def __init__(self, tickets: Sequence[int]) -> None:
        self._left = list(tickets)
        self.total = sum(tickets)
        self._size = len(tickets)
        self._top = 1 << self._size.bit_length() >> 1
        tree = [0, *tickets]
        for place in range(1, self._size + 1):
            above = place + (place & -place)
            if above <= self._size:
                tree[above] += tree[place]
        self._tree = tree

    def at(self, position: int) -> int:
        """The index whose tickets hold this position, 0 to ``total`` - 1."""
        place, step, tree, size = 0, self._top, self._tree, self._size
        while step:
            following = place + step
            if following <= size and tree[following] <= position:
                position -= tree[following]
                place = following
            step >>= 1
        return place

    def change(self, index: int, tickets: int) -> None:
        """Set what is left of one line."""
        difference = tickets - self._left[index]
        self._left[index] = tickets
        self.total += difference
        place = index + 1
        while place <= self._size:
            self._tree[place] += difference
            place += place & -place

    def left(self, index: int) -> int:
        return self._left[index]


def quantity_of(tier: Mapping[str, Any], qualified: int) -> int:
    """How many a tier draws, with ``qualified`` lines of band 0."""
    if tier["ratio_ppm"] is None:
        return int(tier["quantity"])
    share = int(tier["ratio_ppm"]) * qualified // PPM
    return min(share, tier["quantity"]) if tier["quantity"] else share


@dataclass(frozen=True)
class FrozenList:
    """The columns of a frozen list in the order of its serials."""

    aliases: Sequence[str]
    tickets: Sequence[int]
    bands: Sequence[int]


Result = tuple[Any, ...]


def results(draw: Mapping[str, Any], entries: FrozenList, excluded: Mapping[int, str], seed: bytes) -> Iterator[Result]:
    """Everything a draw gives, in order (§8): ``("band", b)``, ``("skip", serial, alias, reason)``,
    ``("win", tier, place, serial, alias)``, ``("reserve", place, serial, alias)``.

    :param draw: of the manifest; :param excluded: reasons by serial
    """
    numbers, bands, joined = words(seed), entries.bands, [0]
    urn = Urn([count if band == 0 else 0 for count, band in zip(entries.tickets, bands, strict=True)])

    def picks() -> Iterator[Result | int]:
        """Lines that only happen, and the indexes of entries that may win."""
        while True:
            while not urn.total:
                if joined[0] >= draw["cascade"]:
                    return
                joined[0] += 1
                yield "band", joined[0]
                for index, band in enumerate(bands):
                    if band == joined[0]:
                        urn.change(index, entries.tickets[index])
            index = urn.at(below(numbers, urn.total))
            if index + 1 in excluded:
                urn.change(index, 0)
                yield "skip", index + 1, entries.aliases[index], excluded[index + 1]
            else:
                yield index

    def take(count: int, head: tuple[Any, ...], *, whole: bool, taken: set[int]) -> Iterator[Result]:
        place = 0
        source = picks()
        while place < count and (pick := next(source, None)) is not None:
            if isinstance(pick, tuple):
                yield pick
                continue
            place += 1
            urn.change(pick, 0 if whole else urn.left(pick) - 1)
            taken.add(pick)
            yield *head, place, pick + 1, entries.aliases[pick]

    won: set[int] = set()
    qualified = sum(band == 0 for band in bands)
    for number, tier in enumerate(draw["tiers"]):
        yield from take(quantity_of(tier, qualified), ("win", number), whole=draw["one_win"], taken=won)
    for index in won:
        urn.change(index, 0)
    yield from take(draw["reserves"], ("reserve",), whole=True, taken=set())


def result_line(result: Result) -> str:
    return canonical(list(result))


# ---- §5, §9: the file and its check


class BadPoolDraw(Exception):
    """The first line that is wrong, counted from 1, and why."""

    def __init__(self, line: int, what: str, why: str) -> None:
        super().__init__(f"line {line} ({what}): {why}")
        self.line = line
        self.what = what
        self.why = why


@dataclass(frozen=True)
class PoolSummary:
    """What a whole file holds. ``state`` is open, frozen, drawn or outside."""

    pool: str
    draw: str
    scope: str
    state: str
    manifest_hash: str
    list_hash: str
    entry_count: int
    ticket_count: int
    public_input: str
    win_count: int
    reserve_count: int
    substitute_count: int
    head: str


class _Wrong(Exception):
    """Why a line is wrong; the reader adds the line."""


class _BrokenLink(_Wrong):
    """A record that does not carry the seal of the one before: one of the two was changed."""


class _At(_Wrong):
    """Something wrong with a line read before."""

    def __init__(self, line: int, what: str, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.what = what


def _need(condition: bool, why: str) -> None:
    if not condition:
        raise _Wrong(why)


Shape = dict[str, tuple[type, ...]]
_TEXT, _WHOLE, _MAYBE_TEXT, _MAYBE_WHOLE, _FLAG, _LIST = (str,), (int,), (str, type(None)), (int, type(None)), (bool,), (list,)
_MANIFEST: Shape = {"campaign": _TEXT, "draws": _LIST, "kind": _TEXT, "published_at": _TEXT, "terms_hash": _TEXT, "version": _TEXT}
_DRAW: Shape = {
    "allows_minors": _FLAG,
    "cascade": _WHOLE,
    "claim_days": _WHOLE,
    "id": _TEXT,
    "max_tickets": _MAYBE_WHOLE,
    "mode": _TEXT,
    "one_win": _FLAG,
    "one_win_per_campaign": _FLAG,
    "per": _TEXT,
    "public_figure": _TEXT,
    "reserves": _WHOLE,
    "seed_input": _TEXT,
    "slots": _LIST,
    "sponsor": _TEXT,
    "tickets": _TEXT,
    "tiers": _LIST,
    "title": _TEXT,
    "witness": _TEXT,
}
_TIER: Shape = {
    "kind": _TEXT,
    "name": _TEXT,
    "points": _WHOLE,
    "quantity": _WHOLE,
    "ratio_ppm": _MAYBE_WHOLE,
    "tier": _TEXT,
    "value_fen": _WHOLE,
}
_SLOT: Shape = {"commitment": _MAYBE_TEXT, "due_at": _MAYBE_TEXT, "pool": _TEXT, "scope": _MAYBE_TEXT}
_LINK: Shape = {"at": _TEXT, "kind": _TEXT, "number": _WHOLE, "pool": _TEXT, "previous": _TEXT}
_RECORDS: dict[str, Shape] = {
    "open": {**_LINK, "draw": _TEXT, "due_at": _TEXT, "manifest": _TEXT, "scope": _TEXT, "slot": _WHOLE},
    "move": {**_LINK, "due_at": _TEXT},
    "freeze": {**_LINK, "bands": _LIST, "entries": _WHOLE, "list_hash": _TEXT, "tickets": _WHOLE},
    "exclude": {**_LINK, "reason": _TEXT, "serials": _LIST},
    "input": {**_LINK, "input": _TEXT, "text": _TEXT},
    "reveal": {**_LINK, "secret": _TEXT},
    "draw": {**_LINK, "lines": _WHOLE, "result_hash": _TEXT, "seed": _TEXT},
    "outside": {**_LINK, "document": _TEXT, "held_at": _TEXT, "lines": _WHOLE, "place": _TEXT, "result_hash": _TEXT, "witness": _TEXT},
    "substitute": {**_LINK, "place": _WHOLE, "reason": _TEXT, "reserve": _WHOLE, "tier": _WHOLE},
    "pass": {**_LINK, "reason": _TEXT, "reserve": _WHOLE},
}
_HEAD: Shape = {"head": _TEXT, "kind": _TEXT, "pool": _TEXT, "records": _WHOLE}


def _need_shape(value: Any, shape: Shape) -> None:
    _need(type(value) is dict and set(value) == set(shape), "its fields are not those of the specification")
    for name, types in shape.items():
        _need(type(value[name]) in types, f"the field {name} is of the wrong kind")


def _is_hex(text: Any, length: int) -> bool:
    return type(text) is str and len(text) == length and all(char in "0123456789abcdef" for char in text)


def _is_whole(value: Any, low: int = 0) -> bool:
    return type(value) is int and value >= low


def _check_draw(draw: Any) -> None:
    _need_shape(draw, _DRAW)
    _need(draw["mode"] in ("automatic", "ceremony", "outside"), "a mode that version 1 does not know")
    _need(draw["seed_input"] in INPUTS, "an input that version 1 does not know")
    _need(draw["per"] in ("day", "round", "stage", "campaign") and draw["tickets"] in ("one", "awards"), "a kind of draw not known")
    _need(draw["cascade"] >= 0 and draw["reserves"] >= 0, "a number below zero")
    _need(bool(draw["tiers"]), "no prizes")
    for tier in draw["tiers"]:
        _need_shape(tier, _TIER)
        _need(min(tier["points"], tier["quantity"], tier["value_fen"]) >= 0, "a number below zero")
        _need(tier["ratio_ppm"] is None or 1 <= tier["ratio_ppm"] <= PPM, "a share above the whole")
    is_over = False
    for slot in draw["slots"]:
        _need_shape(slot, _SLOT)
        _need((slot["scope"] is None) == (slot["due_at"] is None), "a slot with half a date")
        _need(not is_over or slot["scope"] is None, "spare slots come last")
        is_over = slot["scope"] is None
        if slot["due_at"] is not None:
            read_moment(slot["due_at"])
        has_secret = draw["mode"] != "outside"
        _need(_is_hex(slot["commitment"], 64) if has_secret else slot["commitment"] is None, "not a commitment")
    scopes = [slot["scope"] for slot in draw["slots"] if slot["scope"] is not None]
    _need(len(scopes) == len(set(scopes)), "two slots of one scope")


def check_manifest(manifest: Any) -> None:
    """:raises _Wrong: for one that §4 does not allow"""
    _need_shape(manifest, _MANIFEST)
    _need(manifest["kind"] == "manifest" and manifest["version"] == VERSION, f"not a manifest of {VERSION}")
    read_moment(manifest["published_at"])
    for draw in manifest["draws"]:
        _check_draw(draw)
    pools = [slot["pool"] for draw in manifest["draws"] for slot in draw["slots"]]
    ids = [draw["id"] for draw in manifest["draws"]]
    _need(len(pools) == len(set(pools)) and len(ids) == len(set(ids)), "two draws of one name")


@dataclass
class _Book:
    """All that the lines so far have said."""

    manifest: dict[str, Any]
    manifest_seal: str
    head: str
    record_count: int = 0
    state: str = "new"
    draw: dict[str, Any] = field(default_factory=dict)
    slot: dict[str, Any] = field(default_factory=dict)
    pool: str = ""
    scope: str = ""
    due_at: dt.datetime | None = None
    aliases: list[str] = field(default_factory=list)
    tickets: list[int] = field(default_factory=list)
    bands: list[int] = field(default_factory=list)
    freeze: dict[str, Any] = field(default_factory=dict)
    excluded: dict[int, str] = field(default_factory=dict)
    public_input: str = ""
    secret: bytes = b""
    expected: Iterator[Result] | None = None
    lines_left: int = 0
    announced: dict[str, Any] = field(default_factory=dict)
    digest: Any = None
    wins: dict[tuple[int, int], int] = field(default_factory=dict)
    reserves: dict[int, int] = field(default_factory=dict)
    reserves_used: int = 0
    substitute_count: int = 0
    seals: set[str] = field(default_factory=set)
    first_line: int = 0

    # -- records

    def read(self, line: int, text: str, record: dict[str, Any]) -> None:
        kind = record.get("kind")
        _need(type(kind) is str and kind in _RECORDS, "a kind of record that version 1 does not know")
        self._need_lists_whole()
        _need_shape(record, _RECORDS[str(kind)])
        _need(record["number"] == self.record_count + 1, f"its number is not {self.record_count + 1}: a record is missing, added or moved")
        if record["previous"] != self.head:
            _need(self.record_count > 0, "it names another manifest: the manifest was changed")
            raise _BrokenLink("it does not carry the seal of the record before it")
        moment = read_moment(record["at"])
        if kind == "open":
            self._read_open(record)
        else:
            _need(record["pool"] == self.pool, "it belongs to another draw")
            handler: Callable[[dict[str, Any], dt.datetime], None] = getattr(self, f"_read_{kind}")
            handler(record, moment)
        self.record_count += 1
        self.head = seal(text)
        self.seals.add(self.head)
        self.first_line = line + 1

    def _need_lists_whole(self) -> None:
        if self.state == "listing":
            missing = self.freeze["entries"] - len(self.aliases)
            raise _Wrong(f"the list ends {missing} lines early: a line was dropped")
        _need(not self.lines_left, f"the results end {self.lines_left} lines early: a line was dropped")

    def _read_open(self, record: dict[str, Any]) -> None:
        _need(self.state == "new", "the chain begins with one open record")
        _need(record["manifest"] == self.manifest_seal, "it names another manifest: the manifest was changed")
        found = [draw for draw in self.manifest["draws"] if draw["id"] == record["draw"]]
        _need(bool(found), "the manifest has no such draw")
        self.draw = found[0]
        _need(0 <= record["slot"] < len(self.draw["slots"]), "the manifest has no such slot")
        self.slot = self.draw["slots"][record["slot"]]
        _need(record["pool"] == self.slot["pool"], "it belongs to another draw")
        _need(_SCOPE.fullmatch(record["scope"]) is not None, "not a scope")
        self.due_at = read_moment(record["due_at"])
        if self.slot["scope"] is not None:
            _need(
                (record["scope"], record["due_at"]) == (self.slot["scope"], self.slot["due_at"]), "not what the manifest says of the slot"
            )
        else:
            _need(record["scope"] not in [slot["scope"] for slot in self.draw["slots"]], "that scope has a slot already")
        self.pool, self.scope, self.state = record["pool"], record["scope"], "open"

    def _read_move(self, record: dict[str, Any], moment: dt.datetime) -> None:
        _need(self.state == "open", "the list is frozen already")
        due_at = read_moment(record["due_at"])
        _need(self.due_at is not None and due_at > self.due_at, "the freeze can only be put off")
        self.due_at = due_at

    def _read_freeze(self, record: dict[str, Any], moment: dt.datetime) -> None:
        _need(self.state == "open", "a list can be frozen once")
        _need(self.due_at is not None and moment >= self.due_at, "frozen before the moment that was published")
        bands = record["bands"]
        _need(len(bands) == self.draw["cascade"] + 1 and all(map(_is_whole, bands)), "not a count for every band")
        _need(record["entries"] == sum(bands) and record["tickets"] >= record["entries"], "counts that do not fit")
        _need(record["tickets"] <= MOST_TICKETS and _is_hex(record["list_hash"], 64), "not a list")
        self.freeze, self.digest = record, hashlib.sha256()
        self.state = "listing"
        if not record["entries"]:
            self._end_list()

    def _read_exclude(self, record: dict[str, Any], moment: dt.datetime) -> None:
        _need(self.state == "frozen", "exclusions come after the list and before the public input")
        _need(record["reason"] in EXCLUDE_REASONS, "a reason that version 1 does not know")
        for serial in record["serials"]:
            _need(_is_whole(serial, 1) and serial <= len(self.aliases), "no such line in the list")
            _need(serial not in self.excluded, f"line {serial} of the list is excluded twice")
            self.excluded[serial] = record["reason"]
        _need(bool(record["serials"]), "an empty list of exclusions")

    def _read_input(self, record: dict[str, Any], moment: dt.datetime) -> None:
        _need(self.state == "frozen" and self.draw["mode"] != "outside", "public input is taken once, after the list is frozen")
        _need(record["input"] == self.draw["seed_input"], "not the input the manifest names")
        _need(re.fullmatch(INPUTS[record["input"]], record["text"]) is not None, "not such an input")
        self.public_input, self.state = record["text"], "ready"

    def _read_reveal(self, record: dict[str, Any], moment: dt.datetime) -> None:
        _need(self.state == "ready", "the secret is published once, after the public input")
        _need(_is_hex(record["secret"], 64), "not a secret")
        self.secret = bytes.fromhex(record["secret"])
        _need(commitment(self.pool, self.secret) == self.slot["commitment"], "not the secret that was committed to")
        self.state = "revealed"

    def _read_draw(self, record: dict[str, Any], moment: dt.datetime) -> None:
        _need(self.state == "revealed", "a draw is made once, after the secret is published")
        seed = seed_of(self.secret, self.freeze["list_hash"], self.public_input)
        _need(record["seed"] == seed.hex(), "the seed does not follow from secret, list and public input")
        entries = FrozenList(self.aliases, self.tickets, self.bands)
        self.expected = results(self.draw, entries, self.excluded, seed)
        self._announce(record, "drawn")

    def _announce(self, record: dict[str, Any], state: str) -> None:
        _need(record["lines"] >= 0 and _is_hex(record["result_hash"], 64), "not a result")
        self.announced, self.lines_left, self.digest, self.state = record, record["lines"], hashlib.sha256(), state
        if not self.lines_left:
            self._end_results()

    def _read_outside(self, record: dict[str, Any], moment: dt.datetime) -> None:
        _need(self.state == "frozen" and self.draw["mode"] == "outside", "the manifest does not announce a draw held elsewhere")
        _need(_is_hex(record["document"], 64), "no digest of the document")
        _need(bool(record["place"]) and bool(record["witness"]), "who and where is not said")
        held_at = read_moment(record["held_at"])
        _need(held_at <= moment, "held after it was recorded")
        _need(held_at >= read_moment(self.freeze["at"]), "held before the list was frozen")
        self._announce(record, "outside")

    def _read_substitute(self, record: dict[str, Any], moment: dt.datetime) -> None:
        self._use_reserve(record)
        _need((record["tier"], record["place"]) in self.wins, "there is no such place")
        self.wins[record["tier"], record["place"]] = self.reserves[record["reserve"]]
        self.substitute_count += 1

    def _read_pass(self, record: dict[str, Any], moment: dt.datetime) -> None:
        self._use_reserve(record)

    def _use_reserve(self, record: dict[str, Any]) -> None:
        _need(self.state in ("drawn", "outside"), "nothing has been drawn yet")
        _need(record["reason"] in PASS_REASONS, "a reason that version 1 does not know")
        self.reserves_used += 1
        _need(record["reserve"] == self.reserves_used, f"not the next of the reserve list, which is {self.reserves_used}")
        _need(self.reserves_used in self.reserves, "the reserve list is used up")

    # -- lines of the list and of the results

    def read_line(self, line: int, text: str, value: list[Any]) -> None:
        if self.state == "listing":
            self._read_entry(line, text, value)
        elif self.lines_left:
            self._read_result(text, value)
        elif self.state == "frozen":
            raise _Wrong("a line after the end of the frozen list: it was added late")
        else:
            raise _Wrong("a line that no record announces")

    def _read_entry(self, line: int, text: str, value: list[Any]) -> None:
        _need(len(value) == 4 and type(value[1]) is str, "not a line of a list")
        serial, alias, tickets, band = value
        _need(serial == len(self.aliases) + 1, f"its serial is not {len(self.aliases) + 1}: a line was dropped, added or moved")
        _need(_ALIAS.fullmatch(alias) is not None, "not a 抽奖号")
        _need(not self.aliases or alias > self.aliases[-1], "its 抽奖号 is not behind the one before: lines were moved or doubled")
        _need(_is_whole(tickets, 1) and _is_whole(band) and band <= self.draw["cascade"], "tickets or a band that cannot be")
        _need(self.draw["max_tickets"] is None or tickets <= self.draw["max_tickets"], "more tickets than one citizen can have")
        _need(self.draw["tickets"] == "awards" or tickets == 1, "more tickets than one citizen can have")
        self.aliases.append(alias)
        self.tickets.append(tickets)
        self.bands.append(band)
        self.digest.update(text.encode() + b"\n")
        if len(self.aliases) == self.freeze["entries"]:
            self._end_list()

    def _end_list(self) -> None:
        record = self.freeze
        if self.digest.hexdigest() != record["list_hash"]:
            what = f"list, lines {self.first_line} to {self.first_line + len(self.aliases) - 1}"
            raise _At(self.first_line, what, "the lines do not give the list hash of the freeze record: a line was changed")
        counts = [0] * (self.draw["cascade"] + 1)
        for band in self.bands:
            counts[band] += 1
        _need(counts == record["bands"] and sum(self.tickets) == record["tickets"], "the list does not hold what the freeze record counts")
        self.state = "frozen"

    def _read_result(self, text: str, value: list[Any]) -> None:
        if self.expected is not None:
            following = next(self.expected, None)
            _need(following is not None, "a line more than the draw gives")
            _need(text == result_line(following or ()), f"the draw gives here {result_line(following or ())}")
        else:
            self._check_entered(value)
        self._note(value)
        self.digest.update(text.encode() + b"\n")
        self.lines_left -= 1
        if not self.lines_left:
            self._end_results()

    def _check_entered(self, value: list[Any]) -> None:
        """A result of a draw held elsewhere: whom it names must be in the list, within the quantities, once."""
        _need(bool(value) and value[0] in ("win", "reserve") and len(value) == {"win": 5, "reserve": 4}[value[0]], "not a result")
        serial, alias = value[-2:]
        _need(_is_whole(serial, 1) and serial <= len(self.aliases) and self.aliases[serial - 1] == alias, "not in the frozen list")
        if value[0] == "reserve":
            _need(value[1] == len(self.reserves) + 1 and value[1] <= self.draw["reserves"], "not the next place of the reserve list")
            _need(serial not in self.reserves.values() and serial not in self.wins.values(), "drawn twice")
            return
        _need(_is_whole(value[1]) and value[1] < len(self.draw["tiers"]) and not self.reserves, "not the next place of a tier")
        places = [place for tier, place in self.wins if tier == value[1]]
        _need(all(tier <= value[1] for tier, _ in self.wins) and value[2] == len(places) + 1, "not the next place of a tier")
        quantity = quantity_of(self.draw["tiers"][value[1]], self.freeze["bands"][0])
        _need(value[2] <= quantity, "more than the tier has")
        won = list(self.wins.values()).count(serial)
        _need(won < (1 if self.draw["one_win"] else self.tickets[serial - 1]), "drawn twice")

    def _note(self, value: list[Any]) -> None:
        if value[0] == "win":
            self.wins[value[1], value[2]] = value[3]
        elif value[0] == "reserve":
            self.reserves[value[1]] = value[2]

    def _end_results(self) -> None:
        if self.expected is not None and next(self.expected, None) is not None:
            raise _Wrong("the draw gives more lines than these: a result was dropped")
        _need(self.digest.hexdigest() == self.announced["result_hash"], "the lines do not give the result hash of their record")
        self.expected = None


def _parse(raw: bytes, limit: int = 4_000_000) -> tuple[str, Any]:
    _need(len(raw) <= limit, "the line is too long")
    try:
        text = raw.decode("utf-8")
        value = json.loads(text)
    except ValueError:
        raise _Wrong("not JSON in UTF-8") from None
    _need(type(value) in (dict, list), "neither an object nor a list")
    _need(canonical(value) == text, "not in canonical form (keys sorted, no spaces)")
    return text, value


def _lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, raw in enumerate(lines, 1):
        if not raw.endswith(b"\n"):
            raise BadPoolDraw(number, "end", "the line does not end with a line feed: the file was cut")
        yield number, raw[:-1]


def verify(lines: Iterable[bytes], known: Collection[str] = ()) -> PoolSummary:
    """Check a file line by line (§9).

    :param known: hashes written down before (manifest, list, records): each must stand in the file
    :raises BadPoolDraw: naming the first line that is wrong
    """
    source = _lines(lines)
    number, what = 1, "manifest"
    try:
        book = _open_book(source)
        for number, raw in source:
            what = f"line after record {book.record_count}"
            text, value = _parse(raw)
            what = _name(value, book)
            if type(value) is list:
                book.read_line(number, text, value)
            elif value.get("kind") == "head":
                return _finish(book, value, source, known)
            else:
                book.read(number, text, value)
    except _At as wrong:
        raise BadPoolDraw(wrong.line, wrong.what, str(wrong)) from None
    except _BrokenLink as wrong:
        raise BadPoolDraw(number, what, f"{wrong}: it or record {book.record_count} was changed") from None
    except _Wrong as wrong:
        raise BadPoolDraw(number, what, str(wrong)) from None
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise BadPoolDraw(number, what, f"not as the specification says: {error}") from None
    raise BadPoolDraw(number + 1, "head", "the file ends without a head: records at the end are missing")


def _open_book(source: Iterator[tuple[int, bytes]]) -> _Book:
    _number, raw = next(source, (1, b""))
    text, manifest = _parse(raw)
    check_manifest(manifest)
    return _Book(manifest, seal(text), seal(text))


def _name(value: Any, book: _Book) -> str:
    if type(value) is list:
        if book.state == "listing":
            return f"list {len(book.aliases) + 1}"
        return "result" if book.lines_left else "line"
    return f"{value.get('kind')} {book.record_count + 1}"


def _finish(book: _Book, head: dict[str, Any], rest: Iterator[tuple[int, bytes]], known: Collection[str]) -> PoolSummary:
    book._need_lists_whole()
    _need_shape(head, _HEAD)
    _need(book.record_count > 0 and head["pool"] == book.pool, "it belongs to another draw")
    _need((head["records"], head["head"]) == (book.record_count, book.head), "not the end of this chain: records are missing")
    _need(next(rest, None) is None, "something follows the head")
    list_hash = book.freeze.get("list_hash", "")
    have = book.seals | {book.manifest_seal, list_hash}
    for text in known:
        _need(text.strip().lower() in have, f"{text} was written down before and is not in this file: the file was made anew")
    state = {"listing": "frozen", "ready": "frozen", "revealed": "frozen"}.get(book.state, book.state)
    return PoolSummary(
        pool=book.pool,
        draw=book.draw["title"],
        scope=book.scope,
        state=state,
        manifest_hash=book.manifest_seal,
        list_hash=list_hash,
        entry_count=len(book.aliases),
        ticket_count=sum(book.tickets),
        public_input=book.public_input,
        win_count=len(book.wins),
        reserve_count=len(book.reserves),
        substitute_count=book.substitute_count,
        head=book.head,
    )


def describe(summary: PoolSummary) -> str:
    """A few lines for a person."""
    words_of = {
        "open": "OK / 没有发现问题: the list is not frozen yet / 名单还没有冻结",
        "frozen": "OK / 没有发现问题: the list is frozen, nothing drawn yet / 名单已冻结，还没有摇号",
        "drawn": "OK / 没有发现问题: every result was computed again / 每一个结果都重新算过，一致",
        "outside": "OK, BUT HELD ELSEWHERE / 场外摇号: entered by hand, cannot be computed again / 结果是录入的，不能重算",
    }
    return "\n".join(
        (
            words_of[summary.state],
            f"draw / 摇号     {summary.draw} {summary.scope} ({summary.pool})",
            f"manifest / 清单 {summary.manifest_hash}",
            f"list / 名单     {summary.list_hash or '-'}  {summary.entry_count} lines, {summary.ticket_count} tickets",
            f"input / 现场数  {summary.public_input or '-'}",
            f"wins / 中奖     {summary.win_count}, reserves / 候补 {summary.reserve_count}, substitutes / 递补 {summary.substitute_count}",
            f"head / 链头     {summary.head}",
        )
    )


def main(arguments: Sequence[str]) -> int:
    if not arguments:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        with open(arguments[0], "rb") as file:
            summary = verify(file, arguments[1:])
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BadPoolDraw as error:
        sys.stdout.write(f"BAD / 对不上: {error}\n")
        return 1
    sys.stdout.write(describe(summary) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

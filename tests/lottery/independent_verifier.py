"""A second checker, written from docs/draw-proof.md alone. It imports nothing of the project.

``check(data)`` returns None for a whole file, else a sentence that says what is wrong.
"""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

HEX64 = re.compile(r"[0-9a-f]{64}\Z")
HEX32 = re.compile(r"[0-9a-f]{32}\Z")
NONCE = re.compile(r"(?:[0-9a-f]){0,64}\Z")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
VOIDS = {"excluded_attempt", "duplicate", "granted_by_mistake", "citizen_deleted", "no_day_secret"}
FIELDS = {
    "open": "manifest",
    "day": "day on",
    "tickets": "more tickets",
    "draw": "alias client_nonce day granted_at on outcome position prize reason serial ticket",
    "void": "reason ticket",
    "expire": "tickets",
    "reveal": "day secret",
}


class Wrong(Exception):
    pass


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def whole(value: Any, low: int = 0) -> int:
    if type(value) is not int or value < low:
        raise Wrong(f"{value!r} is not a whole number from {low}")
    return value


def text(value: Any, pattern: re.Pattern[str] | None = None) -> str:
    if type(value) is not str or (pattern is not None and not pattern.match(value)):
        raise Wrong(f"{value!r} is not the text it should be")
    return value


def moment(value: Any) -> datetime:
    return datetime.strptime(text(value, MOMENT), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def date_of(value: Any) -> str:
    return (moment(value) + timedelta(hours=8)).strftime("%Y-%m-%d")


def fields(value: Any, names: str) -> dict[str, Any]:
    if type(value) is not dict or set(value) != set(names.split()):
        raise Wrong("wrong fields")
    return value


def strict_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if [key for key, _ in pairs] != sorted({key for key, _ in pairs}):
        raise Wrong("keys out of order or twice")
    return dict(pairs)


def refuse_number(literal: str) -> Any:
    raise Wrong(f"{literal} is no whole number")


def parse(line: bytes) -> dict[str, Any]:
    """§2: parse, then compare with the canonical bytes."""
    try:
        value = json.loads(line.decode("utf-8"), object_pairs_hook=strict_pairs, parse_float=refuse_number, parse_constant=refuse_number)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"not JSON: {error}") from None
    again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")
    if type(value) is not dict or again != line:
        raise Wrong("not canonical")
    return value


class Checker:
    def __init__(self, line: bytes) -> None:
        m = fields(
            parse(line),
            "kind version pool campaign terms_hash published_at prizes total_odds wins_total wins_per_day ticket_hours claim_days "
            "allows_minors fallback release days",
        )
        if (m["kind"], m["version"], m["total_odds"], m["fallback"], m["release"]) != (
            "manifest",
            "draw-proof/1",
            1_000_000,
            "none",
            "all",
        ):
            raise Wrong("not this version")
        if type(m["total_odds"]) is not int or type(m["allows_minors"]) is not bool:
            raise Wrong("wrong kind of value")
        for name in ("pool", "campaign", "terms_hash"):
            text(m[name])
        moment(m["published_at"])
        whole(m["ticket_hours"], 1)
        whole(m["claim_days"])
        for name in ("wins_total", "wins_per_day"):
            if m[name] is not None:
                whole(m[name], 1)
        for prize in m["prizes"]:
            fields(prize, "kind name odds_ppm points quantity tier value_fen")
            for name in ("kind", "name", "tier"):
                text(prize[name])
            for name in ("odds_ppm", "points", "quantity", "value_fen"):
                whole(prize[name])
        if not m["prizes"] or sum(prize["odds_ppm"] for prize in m["prizes"]) > 1_000_000:
            raise Wrong("no prizes, or odds above one")
        self.m, self.seal, self.last, self.count = m, sha(line), sha(line), 0
        self.date: dict[int, str] = {}
        for index, day in enumerate(m["days"]):
            fields(day, "commitment day on")
            text(day["commitment"], HEX64)
            if whole(day["day"]) != index:
                raise Wrong("days are not counted")
            if day["on"] is not None:
                if len(self.date) != index or text(day["on"], DATE) in self.date.values():
                    raise Wrong("dates are not in front, or twice")
                self.date[index] = day["on"]
        self.tickets: dict[str, dict[str, Any]] = {}
        self.state: dict[str, str] = {}
        self.listed: set[str] = set()
        self.draws: list[dict[str, Any]] = []
        self.public: set[int] = set()

    def record(self, line: bytes) -> None:
        r = parse(line)
        kind = r.get("kind")
        if type(kind) is not str or kind not in FIELDS:
            raise Wrong("unknown kind")
        fields(r, "kind number previous pool at " + FIELDS[kind])
        if whole(r["number"], 1) != self.count + 1 or r["previous"] != self.last or r["pool"] != self.m["pool"]:
            raise Wrong(f"record {r['number']} does not follow record {self.count}")
        if (kind == "open") != (self.count == 0):
            raise Wrong("open is the first record and only that")
        moment(r["at"])
        getattr(self, "on_" + kind)(r)
        self.count, self.last = self.count + 1, sha(line)

    def on_open(self, r: dict[str, Any]) -> None:
        if r["manifest"] != self.seal:
            raise Wrong("another manifest")

    def on_day(self, r: dict[str, Any]) -> None:
        free = [day for day in range(len(self.m["days"])) if day not in self.date]
        if not free or whole(r["day"]) != free[0] or text(r["on"], DATE) in self.date.values():
            raise Wrong("not the next spare day")
        self.date[free[0]] = r["on"]

    def meet(self, entry: dict[str, Any]) -> None:
        """A ticket seen for the first time, by a list or by its draw."""
        number = text(entry["ticket"], HEX32)
        said = {name: entry[name] for name in ("alias", "client_nonce", "day", "granted_at")}
        if number in self.tickets:
            if self.tickets[number] != said:
                raise Wrong("list and draw differ")
            return
        text(said["alias"])
        text(said["client_nonce"], NONCE)
        on = date_of(said["granted_at"])
        if said["day"] is None:
            same = [day for day, date in self.date.items() if date == on]
            if (same and same[0] not in self.public) or (not same and len(self.date) < len(self.m["days"])):
                raise Wrong("there was a day for this ticket")
        elif self.date.get(whole(said["day"])) != on or said["day"] in self.public:
            raise Wrong("wrong day")
        self.tickets[number], self.state[number] = said, "open"

    def close(self, number: Any, state: str) -> dict[str, Any]:
        if text(number) not in self.tickets or self.state[number] != "open":
            raise Wrong("no such open ticket")
        self.state[number] = state
        return self.tickets[number]

    def end(self, ticket: dict[str, Any]) -> datetime:
        return moment(ticket["granted_at"]) + timedelta(hours=self.m["ticket_hours"])

    def drawn_unlisted(self) -> bool:
        return any(draw["ticket"] not in self.listed for draw in self.draws)

    def on_tickets(self, r: dict[str, Any]) -> None:
        if type(r["more"]) is not bool or type(r["tickets"]) is not list or not r["tickets"]:
            raise Wrong("not a list of tickets")
        for entry in r["tickets"]:
            self.meet(fields(entry, "alias client_nonce day granted_at ticket"))
            if entry["ticket"] in self.listed:
                raise Wrong("listed twice")
            self.listed.add(entry["ticket"])
        if not r["more"] and self.drawn_unlisted():
            raise Wrong("a drawn ticket is missing on the lists")

    def on_draw(self, r: dict[str, Any]) -> None:
        if r["day"] is None:
            raise Wrong("a draw without a day")
        self.meet(r)
        ticket = self.close(r["ticket"], "drawn")
        if r["day"] in self.public or moment(r["at"]) > self.end(ticket) or r["on"] != date_of(r["at"]):
            raise Wrong("drawn at a wrong time")
        if whole(r["serial"], 1) != len(self.draws) + 1 or whole(r["position"]) > 999_999:
            raise Wrong("serial or position")
        if (r["outcome"], r["prize"], r["reason"]) != self.outcome(r) or type(r["prize"]) not in (int, type(None)):
            raise Wrong("another outcome follows from the position")
        self.draws.append(r)

    def outcome(self, r: dict[str, Any]) -> tuple[str, int | None, str]:
        edge, tier = 0, None
        for index, prize in enumerate(self.m["prizes"]):
            if edge <= r["position"] < edge + prize["odds_ppm"]:
                tier = index
            edge += prize["odds_ppm"]
        if tier is None:
            return "none", None, "no_prize"
        wins = [draw for draw in self.draws if draw["outcome"] == "won"]
        mine = [draw for draw in wins if draw["alias"] == r["alias"]]
        if self.m["wins_total"] is not None and len(mine) >= self.m["wins_total"]:
            return "none", None, "wins_total"
        if self.m["wins_per_day"] is not None and sum(draw["on"] == r["on"] for draw in mine) >= self.m["wins_per_day"]:
            return "none", None, "wins_per_day"
        if sum(draw["prize"] == tier for draw in wins) >= self.m["prizes"][tier]["quantity"]:
            return "none", None, "stock"
        return "won", tier, ""

    def on_void(self, r: dict[str, Any]) -> None:
        self.close(r["ticket"], "void")
        if r["reason"] not in VOIDS or r["ticket"] not in self.listed:
            raise Wrong("not voided by the rules")

    def on_expire(self, r: dict[str, Any]) -> None:
        if type(r["tickets"]) is not list or not r["tickets"]:
            raise Wrong("not a list of tickets")
        for number in r["tickets"]:
            ticket = self.close(number, "expired")
            if number not in self.listed or self.end(ticket) > moment(r["at"]):
                raise Wrong("not expired")

    def on_reveal(self, r: dict[str, Any]) -> None:
        day = whole(r["day"])
        if day in self.public or day not in self.date or date_of(r["at"]) <= self.date[day] or self.drawn_unlisted():
            raise Wrong("revealed at a wrong time")
        if any(self.state[number] == "open" for number, ticket in self.tickets.items() if ticket["day"] == day):
            raise Wrong("a ticket of the day is open")
        secret = bytes.fromhex(text(r["secret"], HEX64))
        if sha(f"draw-proof/1/commit\n{self.m['pool']}\n{day}\n".encode("ascii") + secret) != self.m["days"][day]["commitment"]:
            raise Wrong("not the secret committed to")
        for draw in self.draws:
            if draw["day"] == day and draw["position"] != self.position(secret, draw):
                raise Wrong(f"draw {draw['serial']}: another position follows from the secret")
        self.public.add(day)

    def position(self, secret: bytes, draw: dict[str, Any]) -> int:
        parts = [
            '"draw-proof/1/outcome"',
            json.dumps(self.m["pool"]),
            str(draw["day"]),
            str(draw["serial"]),
            json.dumps(draw["client_nonce"]),
        ]
        digest = hmac.new(secret, ("[" + ",".join(parts) + "]").encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:16], "big") * 1_000_000 // 2**128

    def head(self, line: bytes) -> None:
        expected = f'{{"head":"{self.last}","kind":"head","pool":{json.dumps(self.m["pool"])},"records":{self.count}}}'
        if line != expected.encode():
            raise Wrong("not the head")


def check(data: bytes) -> str | None:
    lines = data.split(b"\n")
    if len(lines) < 3 or lines.pop() != b"":
        return "the file does not end with a newline, or is too short"
    number = 0
    try:
        checker = Checker(lines[0])
        for line in lines[1:-1]:
            number += 1
            checker.record(line)
        number += 1
        checker.head(lines[-1])
    except (Wrong, ValueError, KeyError, TypeError, OverflowError, AttributeError) as error:
        return f"line {number + 1}: {error}"
    return None

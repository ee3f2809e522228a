"""A second checker, written from docs/draw-proof.md alone. It imports nothing of the project.

``check(data)`` returns None for a whole file, else a sentence that says what is wrong; ``wins_seal(data)`` the seal of its wins.
Slow and plain: it looks through all draws again for each.
"""

import hashlib
import hmac
import json
import math
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
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
MANIFEST = (
    "kind version pool campaign terms_hash published_at prizes total_odds wins_total wins_per_day ticket_hours claim_days allows_minors "
    "fallback days "
)
PRIZE = "kind name odds_ppm points quantity tier value_fen"
RETURNS = {"unclaimed", "given_up", "excluded", "undeliverable"}


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


def shanghai(milliseconds: int) -> str:
    return (datetime.fromtimestamp(milliseconds // 1000, UTC) + timedelta(hours=8)).strftime("%Y-%m-%d")


def ms(value: Any) -> int:
    """Milliseconds since 1970."""
    return (moment(value) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


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


def optional(value: Any, low: int = 1) -> None:
    if value is not None:
        whole(value, low)


class Checker:
    def __init__(self, line: bytes) -> None:
        m = parse(line)
        if m.get("kind") != "manifest" or m.get("version") not in ("draw-proof/1", "draw-proof/2"):
            raise Wrong("not a manifest")
        self.v = m["version"]
        self.first = self.v == "draw-proof/1"
        fields(m, MANIFEST + ("release" if self.first else "draw returns segments windows"))
        if self.first and (m["fallback"], m["release"]) != ("none", "all"):
            raise Wrong("not this version")
        if type(m["total_odds"]) is not int or m["total_odds"] != 1_000_000 or type(m["allows_minors"]) is not bool:
            raise Wrong("wrong kind of value")
        for name in ("pool", "campaign", "terms_hash"):
            text(m[name])
        moment(m["published_at"])
        whole(m["ticket_hours"], 1)
        whole(m["claim_days"])
        optional(m["wins_total"])
        optional(m["wins_per_day"])
        for prize in m["prizes"]:
            fields(prize, PRIZE + ("" if self.first else " budget_fen max_fen paced per_day per_hour"))
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
        if not self.first:
            self.second(m)
        self.tickets: dict[str, dict[str, Any]] = {}
        self.state: dict[str, str] = {}
        self.listed: set[str] = set()
        self.draws: list[dict[str, Any]] = []
        self.gone: set[int] = set()
        self.public: set[int] = set()

    def second(self, m: dict[str, Any]) -> None:
        """What version 2 adds to the manifest (§4)."""
        if m["draw"] != "instant" or type(m["returns"]) is not bool:
            raise Wrong("not an instant draw")
        for prize in m["prizes"]:
            optional(prize["per_day"])
            optional(prize["per_hour"])
            optional(prize["max_fen"], 0)
            optional(prize["budget_fen"], 0)
            if type(prize["paced"]) is not bool or (prize["max_fen"] is None) != (prize["budget_fen"] is None):
                raise Wrong("a prize against itself")
            if prize["max_fen"] is not None:
                least, most = (prize["quantity"] * prize[name] for name in ("value_fen", "max_fen"))
                if prize["max_fen"] < prize["value_fen"] or not least <= prize["budget_fen"] <= most:
                    raise Wrong("a budget that does not fit")
        end = -1
        for window in m["windows"]:
            fields(window, "day from share to")
            whole(window["share"], 1)
            start, stop = ms(window["from"]), ms(window["to"])
            date = m["days"][whole(window["day"])]["on"]
            if start < max(end, 0) or stop <= start or date_of(window["from"]) != date or shanghai(stop - 1) != date:
                raise Wrong("a window that does not fit")
            end = stop
        if any(prize["paced"] for prize in m["prizes"]) and not m["windows"]:
            raise Wrong("paced without windows")
        for segment in m["segments"]:
            fields(segment, "quantity regions")
            whole(segment["quantity"])
            if type(segment["regions"]) is not list or not segment["regions"]:
                raise Wrong("a group without regions")
            for region in segment["regions"]:
                text(region)
        optional(m["fallback"], 0)
        if m["fallback"] is not None:
            last = m["prizes"][m["fallback"]]
            if last["odds_ppm"] or last["paced"]:
                raise Wrong("a fallback that is drawn")

    def record(self, line: bytes) -> None:
        r = parse(line)
        kind = r.get("kind")
        known = FIELDS if self.first else {**FIELDS, "return": "draw reason", "draw": FIELDS["draw"] + " amount_fen segment"}
        if type(kind) is not str or kind not in known:
            raise Wrong("unknown kind")
        fields(r, "kind number previous pool at " + known[kind])
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
        self.place(r)
        if (r["outcome"], r["prize"], r["reason"]) != self.outcome(r) or type(r["prize"]) not in (int, type(None)):
            raise Wrong("another outcome follows from the position")
        self.worth(r)
        self.draws.append(r)

    def tier(self, r: dict[str, Any]) -> int | None:
        edge = 0
        for index, prize in enumerate(self.m["prizes"]):
            edge += prize["odds_ppm"]
            if r["position"] < edge:
                return index
        return None

    def place(self, r: dict[str, Any]) -> None:
        """§7: the region group."""
        if self.first:
            return
        if self.tier(r) is None or not self.m["segments"]:
            if r["segment"] is not None:
                raise Wrong("a region group for nothing")
            return
        if whole(r["segment"]) > len(self.m["segments"]):
            raise Wrong("no such region group")
        before = [draw["segment"] for draw in self.draws if draw["alias"] == r["alias"] and draw["segment"] is not None]
        if before and before[0] != r["segment"]:
            raise Wrong("another region group than before")

    def out(self, prize: int) -> list[dict[str, Any]]:
        """Wins of a prize that have not come back."""
        return [draw for draw in self.draws if draw["prize"] == prize and draw["serial"] not in self.gone]

    def outcome(self, r: dict[str, Any]) -> tuple[str, int | None, str]:
        tier = self.tier(r)
        if tier is None:
            return "none", None, "no_prize"
        reason = self.person(r) or self.shelf(r, tier)
        if reason == "":
            return "won", tier, ""
        second = None if self.first else self.m["fallback"]
        if second is not None and self.shelf(r, second) == "":
            return "won", second, reason
        return "none", None, reason

    def person(self, r: dict[str, Any]) -> str:
        real = [draw for draw in self.draws if draw["outcome"] == "won" and draw["reason"] == ""]
        mine = [draw for draw in real if draw["alias"] == r["alias"]]
        if self.m["wins_total"] is not None and len(mine) >= self.m["wins_total"]:
            return "wins_total"
        if self.m["wins_per_day"] is not None and sum(draw["on"] == r["on"] for draw in mine) >= self.m["wins_per_day"]:
            return "wins_per_day"
        if not self.first and r["segment"]:
            quota = self.m["segments"][r["segment"] - 1]["quantity"]
            if sum(draw["segment"] == r["segment"] for draw in real) >= quota:
                return "region_quota"
        return ""

    def shelf(self, r: dict[str, Any], index: int) -> str:
        prize = self.m["prizes"][index]
        won = len(self.out(index))
        if won >= prize["quantity"]:
            return "stock"
        if self.first:
            return ""
        if prize["paced"] and not self.is_released(r, index, won):
            return "not_released"
        ever = [draw for draw in self.draws if draw["prize"] == index]
        if prize["per_day"] is not None and sum(draw["on"] == r["on"] for draw in ever) >= prize["per_day"]:
            return "day_quota"
        if prize["per_hour"] is not None and sum(draw["at"][:13] == r["at"][:13] for draw in ever) >= prize["per_hour"]:
            return "hour_quota"
        return ""

    def is_released(self, r: dict[str, Any], index: int, won: int) -> bool:
        """§8. Inside a window the record is believed until the secret of its date is public."""
        at = ms(r["at"])
        inside = [place for place, window in enumerate(self.m["windows"]) if ms(window["from"]) <= at < ms(window["to"])]
        if not inside:
            return won < sum(self.units(index, place) for place, window in enumerate(self.m["windows"]) if ms(window["to"]) <= at)
        day = self.m["windows"][inside[0]]["day"]
        if day in self.public:
            raise Wrong("a draw on a day whose secret is public")
        r.setdefault("later", []).append((day, index, inside[0], won, r["reason"] != "not_released"))
        return bool(r["reason"] != "not_released")

    def units(self, index: int, place: int) -> int:
        shares = [window["share"] for window in self.m["windows"]]
        quantity = self.m["prizes"][index]["quantity"]
        return int(quantity * sum(shares[: place + 1]) // sum(shares) - quantity * sum(shares[:place]) // sum(shares))

    def number(self, secret: bytes, label: str, *parts: str | int) -> int:
        message = "[" + ",".join(json.dumps(part) for part in (f"{self.v}/{label}", self.m["pool"], *parts)) + "]"
        return int.from_bytes(hmac.new(secret, message.encode(), hashlib.sha256).digest()[:16], "big")

    def released(self, secret: bytes, index: int, place: int, at: int) -> int:
        """§8: unit by unit."""
        window, units = self.m["windows"][place], self.units(index, place)
        start, stop = ms(window["from"]), ms(window["to"])
        total = sum(self.units(index, earlier) for earlier in range(place))
        for unit in range(units):
            x = self.number(secret, "release", window["day"], place, index, unit)
            moment = Fraction(stop - start) * (unit + Fraction(x, 2**128)) / units
            total += moment <= at - start
        return total

    def worth(self, r: dict[str, Any]) -> None:
        """§9: the amount, as far as it can be told before the secret is public."""
        if self.first:
            r["worth"] = 0 if r["prize"] is None else self.m["prizes"][r["prize"]]["value_fen"]
            return
        if r["prize"] is None:
            if r["amount_fen"] is not None:
                raise Wrong("worth something without a prize")
            return
        r["worth"] = whole(r["amount_fen"])
        prize = self.m["prizes"][r["prize"]]
        low = high = prize["value_fen"]
        if prize["max_fen"] is not None:
            out = self.out(r["prize"])
            m, w = prize["quantity"] - len(out), prize["max_fen"] - prize["value_fen"]
            e = prize["budget_fen"] - sum(draw["worth"] for draw in out) - m * prize["value_fen"]
            reach = 0 if m == 1 else min(e, m * w - e)
            low, high = prize["value_fen"] + math.ceil(Fraction(e - reach, m)), prize["value_fen"] + math.floor(Fraction(e + reach, m))
        if not low <= r["worth"] <= high:
            raise Wrong("worth what it cannot be")
        r["between"] = (low, high)

    def on_return(self, r: dict[str, Any]) -> None:
        serial = whole(r["draw"], 1)
        found = self.draws[serial - 1 : serial]
        if not self.m["returns"] or r["reason"] not in RETURNS or not found or found[0]["outcome"] != "won" or serial in self.gone:
            raise Wrong("nothing to come back")
        self.gone.add(serial)

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
        if sha(f"{self.v}/commit\n{self.m['pool']}\n{day}\n".encode("ascii") + secret) != self.m["days"][day]["commitment"]:
            raise Wrong("not the secret committed to")
        for draw in self.draws:
            if draw["day"] == day:
                self.redo(secret, draw)
            for of, index, place, won, said in draw.get("later", []):
                if of == day and (won < self.released(secret, index, place, ms(draw["at"]))) != said:
                    raise Wrong(f"draw {draw['serial']}: released stock was not as it says")
        self.public.add(day)

    def redo(self, secret: bytes, draw: dict[str, Any]) -> None:
        parts = draw["day"], draw["serial"], draw["client_nonce"]
        if draw["position"] != self.number(secret, "outcome", *parts) * 1_000_000 // 2**128:
            raise Wrong(f"draw {draw['serial']}: another position follows from the secret")
        low, high = draw.get("between", (0, 0))
        if low < high and draw["amount_fen"] != low + self.number(secret, "amount", *parts) * (high - low + 1) // 2**128:
            raise Wrong(f"draw {draw['serial']}: another amount follows from the secret")

    def head(self, line: bytes) -> None:
        expected = f'{{"head":"{self.last}","kind":"head","pool":{json.dumps(self.m["pool"])},"records":{self.count}}}'
        if line != expected.encode():
            raise Wrong("not the head")


def read(data: bytes) -> tuple[Checker | None, str | None]:
    lines = data.split(b"\n")
    if len(lines) < 3 or lines.pop() != b"":
        return None, "the file does not end with a newline, or is too short"
    number = 0
    try:
        checker = Checker(lines[0])
        for line in lines[1:-1]:
            number += 1
            checker.record(line)
        number += 1
        checker.head(lines[-1])
    except (Wrong, ValueError, KeyError, TypeError, OverflowError, AttributeError, IndexError) as error:
        return None, f"line {number + 1}: {error}"
    return checker, None


def check(data: bytes) -> str | None:
    return read(data)[1]


def wins_seal(data: bytes) -> str:
    """§11: SHA-256 of a line per win."""
    checker, fault = read(data)
    assert checker is not None, fault
    won = [draw for draw in checker.draws if draw["prize"] is not None]
    return sha("".join(f"{draw['serial']} {draw['prize']} {draw['worth']} {draw['alias']}\n" for draw in won).encode())

"""Ledgers without a server: a scribe who keeps the book of one pool in memory, and random campaigns for it.

The scribe uses the project's own arithmetic; what it writes is for the other checkers to judge. ``bench.proof`` writes its
millions of draws with it.
"""

import datetime as dt
import random
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quizapp.lottery import proof, rules

Z = dt.UTC
FIRST_DAY = dt.date(2027, 3, 15)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


def moment(day: int, hour: float) -> dt.datetime:
    """An hour of the Shanghai day."""
    return dt.datetime(2027, 3, 14, 16, tzinfo=Z) + dt.timedelta(days=day, hours=hour)


@dataclass
class Ticket:
    number: str
    alias: str
    day: int | None
    granted_at: dt.datetime
    nonce: str
    region: str = ""


@dataclass
class Scribe:
    """Writes one pool's ledger; ``write`` takes each line as it comes."""

    draw: dict[str, Any]
    day_count: int = 1
    spare_days: int = 1
    seed: int = 0
    version: str = proof.VERSION
    opens_at: dt.datetime | None = None
    closes_at: dt.datetime | None = None
    write: Callable[[str], None] | None = None
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        self.pool = str(uuid.UUID(int=rng.getrandbits(128)))
        self.secrets = [rng.randbytes(32) for _ in range(self.day_count + self.spare_days)]
        days = [FIRST_DAY + dt.timedelta(days=number) for number in range(self.day_count)]
        manifest = rules.manifest(
            pool_id=uuid.UUID(self.pool),
            campaign_id=uuid.UUID(int=rng.getrandbits(128)),
            terms_hash="ab" * 32,
            draw=self.draw,
            days=days,
            commitments=[proof.commitment(self.pool, day, secret, self.version) for day, secret in enumerate(self.secrets)],
            now=moment(0, -5),
            opens_at=self.opens_at,
            closes_at=self.closes_at,
        )
        self.manifest = as_version_1(manifest) if self.version == proof.FIRST else manifest
        self.rules = proof.read_manifest(self.manifest)
        self.day_of = {day.isoformat(): number for number, day in enumerate(days)}
        self.revealed: set[int] = set()
        self.waiting: list[Ticket] = []
        self.open: dict[str, Ticket] = {}
        self.number = self.serial = 0
        self.won: Counter[int] = Counter()
        self.spent: Counter[int] = Counter()
        self.won_in: Counter[tuple[int, str]] = Counter()
        self.wins_of: Counter[str] = Counter()
        self.wins_on: Counter[tuple[str, str]] = Counter()
        self.group_of: dict[str, int] = {}
        self.group_wins: Counter[int] = Counter()
        self.given: dict[int, tuple[int, int]] = {}
        text = proof.canonical(self.manifest)
        self.head = proof.seal(text)
        self._put(text)
        self.add("open", moment(0, -5), manifest=self.head)

    def _put(self, text: str) -> None:
        if self.write is not None:
            self.write(text + "\n")
        else:
            self.lines.append(text + "\n")

    def add(self, kind: str, at: dt.datetime, **values: Any) -> None:
        self.number += 1
        record = {**values, "at": proof.moment_text(at), "kind": kind, "number": self.number, "pool": self.pool, "previous": self.head}
        text = proof.canonical(record)
        self.head = proof.seal(text)
        self._put(text)

    def _day(self, at: dt.datetime) -> int | None:
        on = proof.day_of(proof.moment_text(at))
        if on in self.day_of:
            day = self.day_of[on]
            return None if day in self.revealed else day
        if len(self.day_of) == len(self.secrets):
            return None
        day = len(self.day_of)
        self.day_of[on] = day
        self.add("day", at, day=day, on=on)
        return day

    def grant(self, alias: str, at: dt.datetime, nonce: str = "", region: str = "") -> Ticket:
        number = proof.seal(f"{self.pool} {self.seed} {len(self.open)} {self.number} {self.serial} {alias} {len(self.waiting)}")[:32]
        ticket = Ticket(number, alias, self._day(at), at, nonce, region)
        self.waiting.append(ticket)
        self.open[number] = ticket
        return ticket

    def _entry(self, ticket: Ticket) -> dict[str, Any]:
        granted = proof.moment_text(ticket.granted_at)
        return {"alias": ticket.alias, "client_nonce": ticket.nonce, "day": ticket.day, "granted_at": granted, "ticket": ticket.number}

    def list_tickets(self, at: dt.datetime, size: int = 200) -> None:
        while self.waiting:
            part, self.waiting = self.waiting[:size], self.waiting[size:]
            self.add("tickets", at, more=bool(self.waiting), tickets=[self._entry(ticket) for ticket in part])

    def take(self, ticket: Ticket, at: dt.datetime) -> tuple[int | None, str]:
        """Draw: the prize's index or None, and the reason."""
        by, day, text = self.rules, ticket.day, proof.moment_text(at)
        assert day is not None
        serial, secret, on, hour = self.serial + 1, self.secrets[day], proof.day_of(text), proof.hour_of(text)
        inputs = secret, self.pool, day, serial, ticket.nonce
        where = proof.position(*inputs, by.version)
        tier = proof.tier_at(by.odds, where)
        at_ms = proof.milliseconds(text)

        def standing(prize: int) -> proof.Standing:
            released = None
            if by.prizes[prize].is_paced:
                place = proof.window_at(by, at_ms)
                released = proof.released_count(by, prize, at_ms, self.secrets[by.windows[place].day] if place is not None else None)
            return proof.Standing(self.won[prize], self.won_in[prize, on], self.won_in[prize, hour], released)

        group = None
        if tier is not None and by.segments:
            group = self.group_of.setdefault(ticket.alias, rules.segment_for(self.manifest, ticket.region))
        outcome, prize, reason = proof.settle(
            by,
            tier,
            standing_of=standing,
            wins_total=self.wins_of[ticket.alias],
            wins_today=self.wins_on[ticket.alias, on],
            segment=group,
            segment_wins=self.group_wins[group or 0],
        )
        amount = None
        if prize is not None:
            amount = proof.amount_of(*inputs, proof.amount_bounds(by.prizes[prize], self.won[prize], self.spent[prize]))
            self._count(ticket.alias, serial, prize, amount, on, hour, 0 if reason else group, bool(reason))
        more = {} if by.version == proof.FIRST else {"amount_fen": amount, "segment": group}
        self.serial = serial
        del self.open[ticket.number]
        self.add(
            "draw", at, **self._entry(ticket), on=on, outcome=outcome, position=where, prize=prize, reason=reason, serial=serial, **more
        )
        return prize, reason

    def _count(self, alias: str, serial: int, prize: int, amount: int, on: str, hour: str, group: int | None, is_fallback: bool) -> None:
        self.won[prize] += 1
        self.spent[prize] += amount
        self.won_in[prize, on] += 1
        self.won_in[prize, hour] += 1
        self.given[serial] = (prize, amount)
        if not is_fallback:
            self.wins_of[alias] += 1
            self.wins_on[alias, on] += 1
            self.group_wins[group or 0] += 1

    def give_back(self, serial: int, at: dt.datetime) -> None:
        prize, amount = self.given.pop(serial)
        self.won[prize] -= 1
        self.spent[prize] -= amount
        self.add("return", at, draw=serial, reason="unclaimed")

    def void(self, ticket: Ticket, at: dt.datetime) -> None:
        self.list_tickets(at)
        del self.open[ticket.number]
        self.add("void", at, reason="duplicate", ticket=ticket.number)

    def settle_days(self, at: dt.datetime) -> None:
        """Expire and reveal what is over."""
        self.list_tickets(at)
        life = self.rules.ticket_hours * HOUR
        late = [ticket.number for ticket in self.open.values() if ticket.granted_at + life <= at]
        for start in range(0, len(late), 50):
            self.add("expire", at, tickets=late[start : start + 50])
        for number in late:
            del self.open[number]
        today = proof.day_of(proof.moment_text(at))
        for on, day in self.day_of.items():
            if on < today and day not in self.revealed and not any(ticket.day == day for ticket in self.open.values()):
                self.revealed.add(day)
                self.add("reveal", at, day=day, secret=self.secrets[day].hex())

    def close(self) -> bytes:
        """The whole file."""
        self._put(proof.head_line(self.pool, self.number, self.head))
        return "".join(self.lines).encode()


def as_version_1(manifest: dict[str, Any]) -> dict[str, Any]:
    """The same manifest as version 1 wrote it."""
    prize_names = ("kind", "name", "odds_ppm", "points", "quantity", "tier", "value_fen")
    kept = {name: value for name, value in manifest.items() if name not in ("draw", "fallback", "returns", "segments", "windows")}
    prizes = [{name: prize[name] for name in prize_names} for prize in manifest["prizes"]]
    return {**kept, "prizes": prizes, "fallback": "none", "release": "all", "version": proof.FIRST}


# ---- random campaigns

REGIONS = ("150402", "150403", "150421", "150422", "")


def random_prize(rng: random.Random, number: int, odds: int) -> dict[str, Any]:
    quantity = rng.choice((0, 1, 2, 5, 20, 400))
    low = rng.choice((0, 1, 50, 1000))
    prize: dict[str, Any] = {"name": f"奖{number}“\\{number}", "kind": "pickup", "quantity": quantity, "odds_ppm": odds, "value_fen": low}
    if rng.random() < 0.4:
        prize["max_fen"] = low + rng.choice((0, 1, 3, 700))
        prize["budget_fen"] = rng.randint(low * quantity, prize["max_fen"] * quantity)
    if rng.random() < 0.5:
        prize["release"] = "paced"
    if rng.random() < 0.3:
        prize["per_day"] = rng.choice((1, 3, 10))
    if rng.random() < 0.3:
        prize["per_hour"] = rng.choice((1, 2))
    return prize


def random_draw(rng: random.Random) -> dict[str, Any]:
    """Terms of a draw: any odds, caps, quotas, pacing, amounts, fallback and region groups."""
    count = rng.randint(1, 4)
    cuts = sorted(rng.randint(0, rng.choice((300_000, proof.PPM))) for _ in range(count))
    prizes = [random_prize(rng, number, high - low) for number, (low, high) in enumerate(zip([0, *cuts], cuts, strict=False))]
    draw: dict[str, Any] = {
        "prizes": prizes,
        "wins_total": rng.choice((None, 1, 2, 5)),
        "wins_per_day": rng.choice((None, 1, 2)),
        "ticket_hours": rng.choice((1, 24, 72)),
        "claim_days": 7,
        "returns": rng.random() < 0.5,
    }
    if rng.random() < 0.5:
        last = random_prize(rng, 9, 0)
        last.pop("release", None)
        prizes.append(last)
        draw["fallback"] = last["name"]
    if rng.random() < 0.3:
        draw["region_quotas"] = [{"regions": ["150402", "150403"], "quantity": rng.randint(0, 4)}, {"regions": ["150421"], "quantity": 3}]
    if rng.random() < 0.5:
        draw["paced_from_hour"], draw["paced_to_hour"] = sorted(rng.sample(range(25), 2)) if rng.random() < 0.5 else (9, 12)
        draw["paced_from_hour"] = min(draw["paced_from_hour"], 23)
    return draw


def random_ledger(seed: int, steps: int = 40) -> bytes:
    """The ledger of a random campaign: days that jump, clocks that go back, tickets drawn before and after their list, voided,
    expired, prizes that come back, days revealed and days still closed."""
    rng = random.Random(seed)
    draw, version = random_draw(rng), proof.FIRST if rng.random() < 0.1 else proof.VERSION
    if version == proof.FIRST:
        draw["prizes"] = [prize for prize in draw["prizes"] if prize["odds_ppm"]] or draw["prizes"][:1]
        draw["fallback"] = ""
    opening = {} if rng.random() < 0.5 else {"opens_at": moment(0, rng.uniform(0, 9)), "closes_at": moment(3, rng.uniform(-20, 20))}
    scribe = Scribe(draw, day_count=rng.randint(1, 4), spare_days=rng.randint(1, 2), seed=seed, version=version, **opening)
    people = [(f"AAAA-BBBB-{number:04d}", rng.choice(REGIONS)) for number in range(rng.randint(1, 12))]
    now = moment(0, rng.uniform(0, 23))
    for _ in range(steps):
        now += dt.timedelta(minutes=rng.choice((0, 1, 7, 50, 400)), milliseconds=rng.randrange(60_000))
        _random_step(rng, scribe, people, now)
    if rng.random() < 0.8:
        scribe.settle_days(now + 80 * HOUR)
    scribe.list_tickets(now + 80 * HOUR)
    return scribe.close()


def _random_step(rng: random.Random, scribe: Scribe, people: list[tuple[str, str]], now: dt.datetime) -> None:
    kind = rng.random()
    at = now - dt.timedelta(minutes=rng.choice((0, 0, 0, 0, 3)))
    if kind < 0.75:
        alias, region = rng.choice(people)
        tickets = [
            scribe.grant(alias, now, f"{rng.getrandbits(64):x}" if rng.random() < 0.7 else "", region) for _ in range(rng.choice((1, 1, 2)))
        ]
        for ticket in tickets:
            if ticket.day is not None and rng.random() < 0.8:
                scribe.take(ticket, max(at, ticket.granted_at) if rng.random() < 0.5 else at)
        return
    life, window = scribe.rules.ticket_hours * HOUR, scribe.open.values()
    drawable = [t for t in window if t.day is not None and t.day not in scribe.revealed and t.granted_at + life > now]
    if kind < 0.85 and drawable:
        ticket = rng.choice(drawable)
        if rng.random() < 0.8:
            scribe.take(ticket, now)
        else:
            scribe.void(ticket, now)
    elif kind < 0.9 and scribe.given and scribe.rules.allows_returns:
        scribe.give_back(rng.choice(sorted(scribe.given)), now)
    elif kind < 0.97:
        scribe.list_tickets(now, rng.choice((3, 200)))
    else:
        scribe.settle_days(now)

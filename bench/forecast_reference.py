"""A season played person by person with dice, to measure the forecast against.

Written from the words of the terms alone: it imports neither the forecast nor the lottery. Rule sets and turnouts are plain
dictionaries, as in a campaign file; one run of some ten thousand attempts takes a tenth of a second.
"""

import bisect
import datetime as dt
import itertools
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

ZONE = dt.timezone(dt.timedelta(hours=8))
HOURS = (1, 1, 0, 0, 0, 1, 3, 8, 10, 8, 7, 9, 14, 9, 5, 6, 7, 9, 12, 18, 20, 15, 7, 2)


def random_rules(number: int) -> dict[str, Any]:
    """Rule set ``number``: a campaign of 3 to 15 days whose stock, quotas and personal caps bind here and there, and a
    bursty turnout for it."""
    dice = random.Random(f"rules {number}")
    days = dice.randint(3, 15)
    opens = dt.datetime(2027, 3, dice.randint(1, 20), 9, tzinfo=ZONE)
    closes = (opens + dt.timedelta(days=days)).replace(hour=0)
    people, attempts = dice.randrange(1500, 6000), dice.uniform(1.0, 3.0)
    right = dice.uniform(0.65, 0.92)
    draws = people * attempts * 0.7
    prizes = [_prize(dice, place, draws, days) for place in range(dice.randint(2, 4))]
    fallback = ""
    if dice.random() < 0.3:
        prizes.append({"name": "P-last", "kind": "points", "points": 10, "quantity": int(draws * 0.1), "odds_ppm": 0})
        fallback = "P-last"
    weights = [dice.choice((0.5, 1.0, 1.0, 2.0, 6.0)) for _ in range(days)]
    peak = dice.randrange(24)
    hours = [weight * (6 if place == peak else 1) for place, weight in enumerate(HOURS)]
    bands = [
        {"when": {"measure": "correct", "at_least": 5}, "tickets": 2},
        {"when": {"measure": "correct", "at_least": 4}, "tickets": 1},
    ]
    return {
        "terms": {
            "schema": 1,
            "opens_at": opens.isoformat(),
            "closes_at": closes.isoformat(),
            "paper": {"parts": [{"banks": ["clean-world"], "count": 5}]},
            "pass_count": 4,
            "tries": {"per_day": dice.choice((1, 2, 3, None)), "total": dice.choice((None, None, 5))},
            "draw": {
                "prizes": prizes,
                "wins_total": dice.choice((None, 1, 2, 3)),
                "wins_per_day": dice.choice((None, None, 1)),
                "draws_per_day": dice.choice((None, None, 2)),
                "bands": bands if dice.random() < 0.3 else [],
                "fallback": fallback,
                "paced_weights": [1 + 10 * weight for weight in hours] if dice.random() < 0.5 else [],
                "per_day": max(5, round(draws / days * dice.uniform(0.1, 0.4))) if dice.random() < 0.15 else None,
                "excluded_groups": [],
            },
        },
        "turnout": {"people": people, "attempts": attempts, "right": right, "spread": 0.08, "days": weights, "hours": hours},
    }


def _prize(dice: random.Random, place: int, draws: float, days: int) -> dict[str, Any]:
    odds = (dice.uniform(0.002, 0.02), dice.uniform(0.02, 0.08), dice.uniform(0.05, 0.2), dice.uniform(0.1, 0.25))[place]
    demand = draws * odds
    prize: dict[str, Any] = {
        "name": f"P{place}",
        "kind": "cash",
        "value_fen": (5000, 1000, 200, 100)[place],
        "odds_ppm": round(odds * 1_000_000),
        "quantity": max(3, round(demand * dice.choice((0.4, 0.6, 0.8, 1.0, 1.5, 3.0)))),
        "release": "paced" if dice.random() < 0.3 else "all",
    }
    if dice.random() < 0.25:
        prize["per_day"] = max(1, round(demand / days * dice.uniform(0.6, 1.5)))
    elif dice.random() < 0.15:
        prize["per_hour"] = max(1, round(demand / days / 8))
    if place == 2 and dice.random() < 0.4:
        prize["max_fen"] = 900
        prize["budget_fen"] = prize["quantity"] * 300
    return prize


@dataclass
class Outcome:
    """One season: wins by prize, fen in hand, when each prize ran out, tickets and wins by hour of the day."""

    draws: int = 0
    wins: list[int] = field(default_factory=list)
    spend: int = 0
    out_at: list[dt.datetime | None] = field(default_factory=list)
    tickets: list[int] = field(default_factory=lambda: [0] * 24)
    won: list[int] = field(default_factory=lambda: [0] * 24)


class Game:
    """One rule set with its turnout, ready to be played many times."""

    def __init__(self, rules: dict[str, Any]) -> None:
        self.terms, self.turnout = rules["terms"], rules["turnout"]
        self.draw = self.terms["draw"]
        self.prizes = self.draw["prizes"]
        self.opens = dt.datetime.fromisoformat(self.terms["opens_at"])
        self.closes = dt.datetime.fromisoformat(self.terms["closes_at"])
        self._cut_hours()
        self.bounds = list(itertools.accumulate(prize["odds_ppm"] for prize in self.prizes))
        self.last = next((place for place, prize in enumerate(self.prizes) if prize["name"] == self.draw.get("fallback")), None)

    def _cut_hours(self) -> None:
        self.hours: list[tuple[float, float, int, int]] = []
        weights = []
        moment = self.opens
        while moment < self.closes:
            day = (moment.date() - self.opens.date()).days
            second = (moment - self.opens).total_seconds()
            self.hours.append((second, 3600.0, day, moment.hour))
            weights.append(self.turnout["days"][day] * self.turnout["hours"][moment.hour])
            moment += dt.timedelta(hours=1)
        self.curve = list(itertools.accumulate(weights))

    def _events(self, dice: random.Random) -> list[tuple[float, int, int, int]]:
        """(second, person, day, hour) of every attempt somebody would like to make, in order."""
        again = 1 - 1 / self.turnout["attempts"]
        most = self.terms["tries"].get("total") or 10**9
        events = []
        top, curve, hours, chance = self.curve[-1], self.curve, self.hours, dice.random
        for person in range(self.turnout["people"]):
            count = 1
            while count < most and chance() < again:
                count += 1
            for _ in range(count):
                start, length, day, hour = hours[bisect.bisect(curve, chance() * top)]
                events.append((start + chance() * length, person, day, hour))
        events.sort()
        return events

    def _releases(self, dice: random.Random) -> list[list[float]]:
        """Per paced prize the seconds at which its pieces come out: one in each of as many equal parts of the hours of
        release, at any moment of it."""
        first, last = self.draw.get("paced_from_hour", 6), self.draw.get("paced_to_hour", 23)
        weights = self.draw.get("paced_weights") or [1] * 24
        windows = [(second, length, weights[hour]) for second, length, _, hour in self.hours if first <= hour < last and weights[hour]]
        ends = list(itertools.accumulate(length * weight for _, length, weight in windows))
        whole = ends[-1]
        found: list[list[float]] = []
        for prize in self.prizes:
            if prize.get("release") != "paced":
                found.append([])
                continue
            slice_ = whole / prize["quantity"]
            moments = [(number + dice.random()) * slice_ for number in range(prize["quantity"])]
            places = [min(bisect.bisect(ends, moment), len(ends) - 1) for moment in moments]
            found.append([sum(windows[at][:2]) - (ends[at] - moment) / windows[at][2] for at, moment in zip(places, moments, strict=True)])
        return found

    def play(self, seed: int) -> Outcome:
        dice = random.Random(seed)
        outcome = Outcome(wins=[0] * len(self.prizes), out_at=[None] * len(self.prizes))
        releases = self._releases(dice)
        spent = [0] * len(self.prizes)
        skill = [self.turnout["right"] + dice.choice((-1, 0, 1)) * self.turnout["spread"] for _ in range(self.turnout["people"])]
        tries: dict[tuple[int, int], int] = defaultdict(int)
        granted: dict[tuple[int, int], int] = defaultdict(int)
        day_wins: dict[tuple[int, int], int] = defaultdict(int)
        wins: dict[int, int] = defaultdict(int)
        used: dict[tuple[int, int, int], int] = defaultdict(int)
        per_day, daily = self.terms["tries"].get("per_day"), self.draw.get("draws_per_day")
        for second, person, day, hour in self._events(dice):
            if per_day is not None and tries[person, day] >= per_day:
                continue
            tries[person, day] += 1
            right = sum(dice.random() < skill[person] for _ in range(5))
            for _ in range(self._tickets(right)):
                if daily is not None and granted[person, day] >= daily:
                    break
                granted[person, day] += 1
                outcome.draws += 1
                outcome.tickets[hour] += 1
                place = bisect.bisect(self.bounds, dice.randrange(1_000_000))
                if place >= len(self.prizes):
                    continue
                taken = None
                if not self._is_capped(wins[person], day_wins[person, day]):
                    taken = self._take(place, second, day, hour, outcome, used, releases)
                if taken is not None:
                    wins[person] += 1
                    day_wins[person, day] += 1
                elif self.last is not None:
                    taken = self._take(self.last, second, day, hour, outcome, used, releases)
                if taken is not None:
                    outcome.won[hour] += 1
                    outcome.spend += self._amount(taken, outcome.wins[taken], spent, dice)
        return outcome

    def _tickets(self, right: int) -> int:
        for band in self.draw.get("bands") or ():
            if right >= band["when"]["at_least"]:
                return int(band["tickets"])
        return 0 if self.draw.get("bands") else int(right >= self.terms["pass_count"])

    def _is_capped(self, wins: int, today: int) -> bool:
        total, daily = self.draw.get("wins_total"), self.draw.get("wins_per_day")
        return (total is not None and wins >= total) or (daily is not None and today >= daily)

    def _take(
        self,
        place: int,
        second: float,
        day: int,
        hour: int,
        outcome: Outcome,
        used: dict[tuple[int, int, int], int],
        releases: list[list[float]],
    ) -> int | None:
        prize, taken = self.prizes[place], outcome.wins[place]
        if taken >= prize["quantity"]:
            return None
        if place != self.last and self.draw.get("per_day") is not None and used[-1, day, -1] >= self.draw["per_day"]:
            return None
        if releases[place] and taken >= bisect.bisect(releases[place], second):
            return None
        if prize.get("per_day") is not None and used[place, day, -1] >= prize["per_day"]:
            return None
        if prize.get("per_hour") is not None and used[place, day, hour] >= prize["per_hour"]:
            return None
        used[-1, day, -1] += place != self.last
        used[place, day, -1] += 1
        used[place, day, hour] += 1
        outcome.wins[place] += 1
        if outcome.wins[place] == prize["quantity"]:
            outcome.out_at[place] = self.opens + dt.timedelta(seconds=second)
        return place

    def _amount(self, place: int, number: int, spent: list[int], dice: random.Random) -> int:
        """What the ``number``-th of a prize is worth: any amount as far above as below the mean of what is left."""
        prize = self.prizes[place]
        if not prize.get("max_fen"):
            return int(prize.get("value_fen", 0))
        left = prize["quantity"] - number + 1
        mean = (prize["budget_fen"] - spent[place]) / left
        width = min(mean - prize["value_fen"], prize["max_fen"] - mean) if left > 1 else 0
        amount = round(mean + dice.uniform(-width, width))
        spent[place] += amount
        return amount

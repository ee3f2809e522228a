"""The crowd of a season: who they are, how well they know the law, when they come. Plain values and dice.

Everybody comes once and, each time, once more with a fixed chance; faithful ones come every day. Hours follow the curve.
"""

import bisect
import datetime as dt
import itertools
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quizapp.core.clock import SHANGHAI

HOURS = (1, 0, 0, 0, 0, 1, 3, 7, 9, 8, 8, 9, 12, 9, 6, 6, 6, 8, 10, 14, 16, 13, 8, 3)
SKILL_WIDTH = 0.1
GROUPS = (("resident", 26), ("enterprise", 30), ("farmer_herder", 22), ("youth", 14), ("civil_servant", 8))
Weights = Sequence[tuple[str, float]]
MOST_VISITS = 400


@dataclass(frozen=True)
class Curve:
    """How people come. Shapes of days: ``even``, ``ends`` (first and last day busy), ``opening`` (fewer every day), ``burst``.

    :param attempts: visits of one person on average; ``faithful`` is the share of people who come every day instead
    :param right: the chance of a right answer on average; ``abandoned`` the share of papers left in the middle
    :param days: weights of the days, instead of a shape
    """

    attempts: float = 1.6
    right: float = 0.8
    shape: str = "ends"
    faithful: float = 0.0
    abandoned: float = 0.03
    claimed: float = 0.9
    days: tuple[float, ...] = ()
    hours: tuple[float, ...] = HOURS

    @classmethod
    def read(cls, text: str) -> "Curve":
        """From JSON such as ``{"attempts": 2, "shape": "burst"}``, or the name of a shape.

        :raises ValueError: for an unknown name or a number that cannot be
        """
        body: dict[str, Any] = json.loads(text) if text.strip().startswith("{") else {"shape": text.strip()}
        unknown = set(body) - set(cls.__dataclass_fields__)
        if unknown:
            raise ValueError(f"a curve has no {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}
        curve = cls(**values)
        if curve.shape not in ("even", "ends", "opening", "burst"):
            raise ValueError(f"no shape {curve.shape}")
        if curve.attempts < 1 or not all(0 <= part <= 1 for part in (curve.right, curve.faithful, curve.abandoned, curve.claimed)):
            raise ValueError("attempts is at least 1, the others are shares from 0 to 1")
        if len(curve.hours) != 24 or min(curve.hours) < 0 or (curve.days and min(curve.days) < 0):
            raise ValueError("24 hours and no negative weights")
        return curve

    def day_weights(self, count: int) -> list[float]:
        """Weights of ``count`` days."""
        if self.days:
            return [self.days[day % len(self.days)] for day in range(count)]
        if self.shape == "ends":
            return [2.5 if day in (0, count - 1) else 1.0 for day in range(count)]
        if self.shape == "opening":
            return [0.3 + 2.7 * 0.75**day for day in range(count)]
        if self.shape == "burst":
            return [8.0 if day in (count // 5, count // 2, 4 * count // 5) else 0.5 for day in range(count)]
        return [1.0] * count


@dataclass(frozen=True)
class Person:
    """One invented citizen. ``visits`` are the moments they come, in order."""

    number: int
    group: str
    age_band: str
    region: str
    skill: float
    visits: tuple[dt.datetime, ...] = field(repr=False)


def make_people(
    count: int,
    curve: Curve,
    *,
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    is_open: Callable[[dt.datetime], bool],
    groups: Sequence[str],
    regions: Sequence[str],
    dice: random.Random,
    weights: Weights = GROUPS,
) -> list[Person]:
    """``count`` people and their visits within a window.

    :param is_open: whether there is something to answer in the hour that begins then
    :param groups: those that may take part; empty is everybody
    :param regions: codes they live in
    :param weights: how they spread over the groups
    """
    hours = _hours(curve, opens_at, closes_at, is_open)
    sums = list(itertools.accumulate(weight for _, _, weight in hours))
    known = [(group, weight) for group, weight in weights if not groups or group in groups] or [(groups[0], 1)]
    names, shares = [name for name, _ in known], [weight for _, weight in known]
    people = []
    for number in range(count):
        group = dice.choices(names, shares)[0]
        skill = min(0.99, max(0.01, curve.right + dice.choice((-1, 0, 1)) * SKILL_WIDTH))
        visits = sorted(_visits(curve, hours, sums, dice))
        age = dice.choices(("18_59", "60_plus"), (3, 1))[0]
        people.append(Person(number, group, age, dice.choice(regions), skill, tuple(visits)))
    return people


Hour = tuple[dt.datetime, dt.datetime, float]


def _hours(curve: Curve, opens_at: dt.datetime, closes_at: dt.datetime, is_open: Callable[[dt.datetime], bool]) -> list[Hour]:
    first, found = opens_at.astimezone(SHANGHAI), []
    days = curve.day_weights(((closes_at - dt.timedelta(seconds=1)).astimezone(SHANGHAI).date() - first.date()).days + 1)
    moment, end = first, closes_at.astimezone(SHANGHAI)
    while moment < end:
        until = min(end, moment.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1))
        weight = days[(moment.date() - first.date()).days] * curve.hours[moment.hour] * (until - moment).total_seconds()
        if weight and is_open(moment):
            found.append((moment.astimezone(dt.UTC), until.astimezone(dt.UTC), weight))
        moment = until
    return found


def _visits(curve: Curve, hours: Sequence[Hour], sums: Sequence[float], dice: random.Random) -> list[dt.datetime]:
    if not hours:
        return []
    if dice.random() < curve.faithful:
        return _every_day(hours, dice)
    count = 1
    while count < MOST_VISITS and dice.random() < 1 - 1 / curve.attempts:
        count += 1
    return [_within(hours[bisect.bisect(sums, dice.random() * sums[-1])], dice) for _ in range(count)]


def _every_day(hours: Sequence[Hour], dice: random.Random) -> list[dt.datetime]:
    found = []
    for _, of_day in itertools.groupby(hours, key=lambda hour: hour[0].astimezone(SHANGHAI).date()):
        choices = list(of_day)
        found.append(_within(dice.choices(choices, [weight for _, _, weight in choices])[0], dice))
    return found


def _within(hour: Hour, dice: random.Random) -> dt.datetime:
    return hour[0] + (hour[1] - hour[0]) * dice.random()


def plain(curve: Curve) -> Mapping[str, Any]:
    """The curve as it was read, for the account."""
    return {name: getattr(curve, name) for name in ("attempts", "right", "shape", "faithful", "abandoned", "claimed")}

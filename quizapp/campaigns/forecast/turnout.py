"""Who is expected, and when: the stated numbers and shapes, cut into hours of the campaign.

The model behind the figures: every one of ``people`` wants to answer once and, after each time, once more with a fixed
chance, so that ``attempts`` is the mean; each moment follows the curve of days and hours, whatever the others were. What the
terms do not allow is not done. Skill is one of three classes: ``right`` less, at, or above the mean by ``spread``.
"""

import datetime as dt
from dataclasses import dataclass
from math import comb

from quizapp.campaigns.terms import Terms
from quizapp.core.clock import SHANGHAI
from quizapp.core.text import N_

HOURS = (1, 0.5, 0.3, 0.2, 0.3, 1, 3, 7, 9, 8, 8, 8, 12, 9, 6, 6, 6, 8, 10, 14, 16, 13, 8, 3)
"""How a day's visits spread over its hours, from 00:00: noon and evening are the peaks."""
SHAPES = {
    "even": N_("每天差不多"),
    "ends": N_("头尾两天多"),
    "opening": N_("开头多，以后慢慢少"),
    "burst": N_("集中在两三天"),
}
MAX_ATTEMPTS = 400
"""Of one person; what lies beyond changes no figure."""


@dataclass(frozen=True)
class Turnout:
    """``drawing`` is the share of people who may draw, ``abandoned`` the share of papers left without a result.

    :param correct_counts: chances of 0, 1, 2 … right answers; instead of ``right`` and ``spread`` when given
    :param days: weights of the campaign's days, repeated if there are more days; empty is ``shape``
    :param hours: weights of the 24 Shanghai hours
    """

    people: int
    attempts: float = 1.6
    right: float = 0.8
    spread: float = 0.1
    drawing: float = 1.0
    abandoned: float = 0.0
    shape: str = "ends"
    days: tuple[float, ...] = ()
    hours: tuple[float, ...] = HOURS
    correct_counts: tuple[float, ...] = ()

    @property
    def again(self) -> float:
        """The chance of one more attempt after each."""
        return 1 - 1 / max(1.0, self.attempts)

    @property
    def skills(self) -> tuple[float, ...]:
        """The chance of a right answer in the three classes, each a third of the people."""
        if not self.spread:
            return (self.right,)
        return tuple(min(0.995, max(0.005, self.right + shift)) for shift in (-self.spread, 0.0, self.spread))


@dataclass(frozen=True)
class Slot:
    """One Shanghai hour of the window, or the part of it that lies inside. ``share`` of all attempts fall in it."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    day: int
    hour: int
    share: float


def day_weights(shape: str, count: int) -> tuple[float, ...]:
    """Weights of ``count`` days under one of :data:`SHAPES`."""
    if shape == "ends":
        return tuple(2.5 if place in (0, count - 1) else 1.0 for place in range(count))
    if shape == "opening":
        return tuple(0.3 + 2.7 * 0.75**place for place in range(count))
    if shape == "burst":
        busy = {count // 5, count // 2, (4 * count) // 5}
        return tuple(8.0 if place in busy else 0.5 for place in range(count))
    return (1.0,) * count


def slots(turnout: Turnout, opens_at: dt.datetime, closes_at: dt.datetime) -> tuple[Slot, ...]:
    """The hours of a window with what falls into each; shares sum to 1."""
    found: list[tuple[dt.datetime, dt.datetime, int, int, float]] = []
    moment, first = opens_at.astimezone(SHANGHAI), opens_at.astimezone(SHANGHAI).date()
    end = closes_at.astimezone(SHANGHAI)
    count = ((end - dt.timedelta(microseconds=1)).date() - first).days + 1
    weights = turnout.days or day_weights(turnout.shape, count)
    while moment < end:
        until = min(end, moment.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1))
        day = (moment.date() - first).days
        weight = weights[day % len(weights)] * turnout.hours[moment.hour] * (until - moment).total_seconds()
        if weight > 0:
            found.append((moment.astimezone(dt.UTC), until.astimezone(dt.UTC), day, moment.hour, weight))
        moment = until
    total = sum(item[4] for item in found) or 1.0
    return tuple(Slot(start, until, day, hour, weight / total) for start, until, day, hour, weight in found)


def counts_right(turnout: Turnout, questions: int) -> tuple[tuple[float, ...], ...]:
    """Chances of 0 … ``questions`` right answers, one row per class of skill; abandoned papers stand under 0."""
    if turnout.correct_counts:
        total = sum(turnout.correct_counts)
        rows = [tuple(chance / total for chance in turnout.correct_counts[: questions + 1])]
    else:
        rows = [
            tuple(comb(questions, right) * skill**right * (1 - skill) ** (questions - right) for right in range(questions + 1))
            for skill in turnout.skills
        ]
    kept = 1 - turnout.abandoned
    return tuple((row[0] * kept + turnout.abandoned, *(chance * kept for chance in row[1:])) for row in rows)


def most_attempts(terms: Terms) -> int:
    """How often one person may answer in all, over all quizzes."""
    totals = [quiz.tries.total for quiz in terms.quizzes]
    return MAX_ATTEMPTS if None in totals else min(MAX_ATTEMPTS, sum(total for total in totals if total is not None))


def most_attempts_a_day(terms: Terms) -> int | None:
    limits = [quiz.tries.per_day for quiz in terms.quizzes]
    return None if None in limits else sum(limit for limit in limits if limit is not None)

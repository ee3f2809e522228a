"""The most that can happen: attempts, measures and points in one scope. Pure; ``math.inf`` where the terms set no limit.

Bounds are never too low: a condition above its bound cannot be met by anybody.
"""

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from quizapp.campaigns.season.rounds import windows_for
from quizapp.campaigns.season.scoring import highest_score
from quizapp.campaigns.terms import RISKY_ACTIONS, Award, Condition, ExtraTries, Gift, Measure, Quiz, Round, Terms
from quizapp.core.clock import shanghai_day

CHANNEL_COUNT = 5
Number = float


@dataclass(frozen=True)
class _Span:
    """The largest scope of a kind: how many days, rounds and stages it holds."""

    days: Number
    rounds: Number
    stages: Number = 1


def _days_of(window: Round) -> range:
    """The ordinals of the Shanghai days that a window touches; its end is exclusive."""
    last = shanghai_day(window.closes_at - dt.timedelta(microseconds=1))
    return range(shanghai_day(window.opens_at).toordinal(), last.toordinal() + 1)


def _window_days(window: Round) -> int:
    return max(1, len(_days_of(window)))


@dataclass(frozen=True)
class Bounds:
    """The most that one citizen can reach under these terms.

    :param only: the quizzes that can be begun at all; None is every quiz
    """

    terms: Terms
    only: frozenset[str] | None = None

    # ---- scopes

    @cached_property
    def _windows(self) -> dict[str, tuple[Round, ...]]:
        return {quiz.id: windows_for(self.terms, quiz) for quiz in self.terms.quizzes}

    def span(self, quiz: Quiz, per: str, stages: Sequence[str] = ()) -> _Span:
        windows = [found for found in self._windows[quiz.id] if not stages or found.stage_id in stages or not found.stage_id]
        if not windows:
            return _Span(0, 0, 0)
        if per in ("attempt", "action"):
            return _Span(1, 1)
        if per == "day":
            on = Counter(day for found in windows for day in _days_of(found))
            return _Span(1, max(on.values()))
        if per == "round":
            return _Span(max(_window_days(found) for found in windows), 1)
        by_stage = Counter[str]()
        days = Counter[str]()
        for found in windows:
            by_stage[found.stage_id] += 1
            days[found.stage_id] += _window_days(found)
        if per == "stage":
            return _Span(max(days.values()), max(by_stage.values()))
        return _Span(sum(days.values()), len(windows), len(by_stage))

    # ---- attempts

    def attempts(self, quiz: Quiz, per: str, stages: Sequence[str] = ()) -> Number:
        """How often one citizen can begin a quiz within a scope."""
        if self.only is not None and quiz.id not in self.only:
            return 0
        span = self.span(quiz, per, stages)
        if not span.rounds:
            return 0
        if per == "attempt":
            return 1
        tries, extra = quiz.tries, sum(self._extra(one, span.days) for one in quiz.tries.extra)
        extra += sum(math.inf for gift in self._gifts("tries") if gift.name == quiz.id)
        limits = [math.inf]
        limits += [tries.per_day * span.days + extra] if tries.per_day is not None else []
        limits += [tries.per_round * span.rounds + extra] if tries.per_round is not None else []
        limits += [tries.total + extra] if tries.total is not None else []
        return min(limits) * (self._channels(quiz) if tries.per_channel else 1)

    def _channels(self, quiz: Quiz) -> int:
        return len(quiz.channels) or CHANNEL_COUNT

    def _extra(self, extra: ExtraTries, days: Number) -> Number:
        if extra.action in RISKY_ACTIONS and not extra.is_confirmed:
            return 0
        per_day = math.inf if extra.per_day is None else extra.per_day
        per_day = min(per_day, self.actions(extra.action, "day") * extra.tries)
        return min(per_day * days, math.inf if extra.total is None else extra.total)

    def actions(self, kind: str, per: str, days: Number = 1) -> Number:
        """How many actions of a kind of one citizen count within a scope of so many days."""
        action = next((one for one in self.terms.actions if one.kind == kind), None)
        if action is None:
            return 0
        if per == "action":
            return 1
        per_day = math.inf if action.per_day is None else action.per_day * days
        return min(per_day, math.inf if action.total is None else action.total)

    # ---- measures

    def of_attempt(self, name: str, quizzes: Iterable[Quiz] | None = None) -> Number:
        """The most of a measure of one graded attempt."""
        chosen = [quiz for quiz in (quizzes if quizzes is not None else self.terms.quizzes) if self.only is None or quiz.id in self.only]
        if not chosen:
            return 0
        return max(_of_attempt(name, quiz) for quiz in chosen)

    def measure(self, name: str, per: str, stages: Sequence[str] = (), quizzes: Sequence[str] = ()) -> Number:
        """The most a measure can come to within a scope; unknown names count 0.

        :param quizzes: where an award looks at some quizzes only, for the measures of one attempt
        """
        declared = next((one for one in self.terms.measures if one.id == name), None)
        if declared is None:
            return self.of_attempt(name, [quiz for quiz in self.terms.quizzes if not quizzes or quiz.id in quizzes])
        if declared.of == "attempts":
            return self._over_attempts(declared, per, stages)
        if declared.of.startswith("action:"):
            return self._over_actions(declared, per, stages)
        return self._over_gifts(declared, per, stages)

    def _over_attempts(self, measure: Measure, per: str, stages: Sequence[str]) -> Number:
        where = [*stages] or [*measure.stages]
        if stages and measure.stages:
            where = [one for one in stages if one in measure.stages]
            if not where:
                return 0
        chosen = [quiz for quiz in self.terms.quizzes if not measure.quizzes or quiz.id in measure.quizzes]
        chosen = [quiz for quiz in chosen if is_possible(measure.where, partial(_of_attempt, quiz=quiz))]
        counts = {quiz.id: self.attempts(quiz, per, where) for quiz in chosen}
        chosen = [quiz for quiz in chosen if counts[quiz.id]]
        if not chosen:
            return 0
        value = 1 if measure.value == "one" else max(_of_attempt(measure.value, quiz) for quiz in chosen)
        total = sum(counts.values())
        spans = [self.span(quiz, per, where) for quiz in chosen]
        groups, inside = {
            "": (total, 1.0),
            "day": (max(one.days for one in spans), sum(self.attempts(quiz, "day", where) for quiz in chosen)),
            "round": (sum(one.rounds for one in spans), sum(self.attempts(quiz, "round", where) for quiz in chosen)),
            "stage": (max(one.stages for one in spans), sum(self.attempts(quiz, "stage", where) for quiz in chosen)),
            "quiz": (len(chosen), max(counts.values())),
            "name": (1, total),
        }[measure.within]
        return _combined(measure, groups, inside, value, total)

    def _over_actions(self, measure: Measure, per: str, stages: Sequence[str]) -> Number:
        kind = measure.of.removeprefix("action:")
        action = next((one for one in self.terms.actions if one.kind == kind), None)
        if action is None:
            return 0
        days = max((self.span(quiz, per, stages).days for quiz in self.terms.quizzes), default=1) or 1
        total = self.actions(kind, per, days)
        value = action.max_amount if measure.value == "amount" else 1
        groups, inside = {"": (total, 1.0), "day": (days, self.actions(kind, "day")), "name": (total, total)}.get(
            measure.within, (total, total)
        )
        return _combined(measure, groups, inside, value, total)

    def _over_gifts(self, measure: Measure, per: str, stages: Sequence[str]) -> Number:
        if measure.of.startswith("win:"):
            return math.inf
        if measure.of == "points":
            return math.inf if self._gifts("points") else 0
        gifts = self._gifts(measure.of.removeprefix("gift:"))
        if not gifts:
            return 0
        if measure.within == "name" and measure.inner == "any":
            return len({gift.name for gift in gifts})
        return math.inf

    def _gifts(self, kind: str) -> list[Gift]:
        return [gift for award in self.terms.awards for band in award.bands for gift in band.gifts if gift.kind == kind]

    # ---- points

    def award_times(self, award: Award) -> Number:
        """How often one citizen can get an award on one day."""
        quizzes = [quiz for quiz in self.terms.quizzes if not award.quizzes or quiz.id in award.quizzes]
        if award.per == "attempt":
            times = sum(self.attempts(quiz, "day", award.stages) for quiz in quizzes)
        elif award.per == "action":
            times = self.actions(award.action or "", "day")
        elif award.per == "quiz":
            times = len(quizzes)
        elif award.per in ("round", "stage"):
            times = max((self.span(quiz, "day", award.stages).rounds for quiz in quizzes), default=1) or 1
        else:
            times = 1
        if award.per not in ("attempt", "action"):
            times *= len(award.bands)  # a better band that is reached later gives again
        return min(times, *(limit for limit in (award.per_day, award.total) if limit is not None), math.inf)


def max_points_per_day(terms: Terms) -> int | None:
    """The most points one citizen can earn on a day by answering, actions and awards; None if nothing limits them.

    Prizes of points won by lot or at a rank are not counted.
    """
    bounds = Bounds(terms)
    total: Number = 0
    for award in terms.awards:
        best = max(sum(gift.amount for gift in band.gifts if gift.kind == "points") for band in award.bands)
        if best:
            total += best * award.times * bounds.award_times(award)
    if terms.points_per_day is not None:
        total = min(total, terms.points_per_day)
    best = max(terms.points.passed, terms.points.failed)
    if best:
        total += best * min(terms.points.daily_limit, sum(bounds.attempts(quiz, "day") for quiz in terms.quizzes))
    total += terms.fixed_reward.points
    return None if math.isinf(total) else int(total)


def is_possible(condition: Condition, most: Callable[[str], Number]) -> bool:
    """Whether somebody can meet a condition, given the most of each measure."""
    if condition.measure and condition.at_least is not None:
        if most(condition.measure) < condition.at_least:
            return False
        if condition.at_most is not None and condition.at_least > condition.at_most:
            return False
    if condition.measure and condition.at_most is not None and condition.at_most < 0:
        return False
    if not all(is_possible(part, most) for part in condition.all):
        return False
    if condition.any and not any(is_possible(part, most) for part in condition.any):
        return False
    return not condition.of or sum(is_possible(part, most) for part in condition.of) >= condition.some


def reachable_quizzes(terms: Terms) -> frozenset[str]:
    """The quizzes that somebody can begin: those whose ``requires`` can be met through quizzes that can be begun.

    What waits for itself, alone or in a ring, is not among them.
    """
    found: frozenset[str] = frozenset()
    while True:
        more = frozenset(quiz.id for quiz in terms.quizzes if _can_begin(Bounds(terms, found), quiz))
        if more <= found:
            return found
        found = found | more


def _can_begin(bounds: Bounds, quiz: Quiz) -> bool:
    return is_possible(quiz.requires, lambda name: bounds.measure(name, quiz.requires_per))


def _of_attempt(name: str, quiz: Quiz) -> Number:
    count = quiz.question_count
    if name == "seconds":
        return math.inf
    known: dict[str, Number] = {"correct": count, "wrong": count, "run": count, "score": highest_score(quiz), "percent": 100}
    return known.get(name, 1 if name in ("all_right", "passed", "amount") else 0)


def _combined(measure: Measure, groups: Number, inside: Number, value: Number, total: Number) -> Number:
    """``inside`` things in each of ``groups`` groups, each worth ``value``, put together as the measure says."""
    inner = value
    if measure.within and measure.inner in ("any", "sum"):
        inner = 1 if measure.inner == "any" else _times(inside, value)
    if measure.outer == "run":
        return groups if measure.within else 0
    if measure.outer != "sum":
        return inner
    return min(_times(groups, inner), math.inf if measure.inner == "any" and measure.within else _times(total, value))


def _times(left: Number, right: Number) -> Number:
    return 0 if not left or not right else left * right

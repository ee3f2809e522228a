"""What one citizen has done and what is counted over it."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from quizapp.campaigns.terms import ATTEMPT_MEASURES, Condition, Gift, Measure, Terms

Number = int | Fraction
LEAST = frozenset({"seconds", "wrong"})
"""Of these the least is the best."""


@dataclass(frozen=True)
class Done:
    """A graded attempt (``kind`` attempt) or an action (``action:<kind>``) of one citizen.

    ``day`` is the Shanghai day of the hand-in; ``round_key`` and ``stage_id`` are those of the start.
    """

    kind: str
    key: str
    at: dt.datetime
    day: dt.date
    values: Mapping[str, Number]
    quiz: str = ""
    track: str = ""
    channel: str = ""
    round_key: str = ""
    stage_id: str = ""
    name: str = ""

    @property
    def is_attempt(self) -> bool:
        return self.kind == "attempt"


@dataclass(frozen=True)
class Granted:
    """An award that was given: which band, in which scope, and what it brought. ``points`` is what was really posted."""

    award_id: str
    scope: str
    band: int
    at: dt.datetime
    day: dt.date
    gifts: tuple[Gift, ...]
    points: int = 0
    round_key: str = ""
    stage_id: str = ""
    quiz: str = ""


@dataclass(frozen=True)
class History:
    """What one citizen did in one campaign, in the order of time, and what it has brought."""

    done: tuple[Done, ...] = ()
    granted: tuple[Granted, ...] = field(default=())

    def within(self, scope: str) -> "History":
        """The part of it in one scope: ``campaign``, ``day:2026-12-04``, ``round:s1/3``, ``stage:s1``, ``quiz:q``, ``attempt:…``."""
        kind, _, key = scope.partition(":")
        if kind == "campaign":
            return self
        return History(
            tuple(item for item in self.done if _scope_key(kind, item) == key),
            tuple(item for item in self.granted if item.scope == scope or _scope_key(kind, item) == key),
        )


def _scope_key(kind: str, item: Any) -> str:
    keys: dict[str, Callable[[], str]] = {
        "day": lambda: str(item.day.isoformat()),
        "round": lambda: str(item.round_key),
        "stage": lambda: str(item.stage_id),
        "quiz": lambda: str(item.quiz),
        "attempt": lambda: str(getattr(item, "key", "")),
        "action": lambda: str(getattr(item, "key", "")),
    }
    return keys[kind]()


def value_of(terms: Terms, history: History) -> Callable[[str], Number]:
    """Ask for measures by name over a (part of a) history.

    An attempt's own measures over several attempts are the best attempt's: the highest, of seconds and wrong answers the
    lowest. What has not happened counts 0, seconds without an attempt as a million.
    """
    declared = {measure.id: measure for measure in terms.measures}

    def ask(name: str) -> Number:
        if name in declared:
            return measure(declared[name], history)
        if name not in ATTEMPT_MEASURES:
            raise KeyError(name)
        found = [item.values[name] for item in history.done if item.is_attempt]
        if name in LEAST:
            return min(found, default=1_000_000)
        return max(found, default=0)

    return ask


def is_met(terms: Terms, condition: Condition, history: History) -> bool:
    """Whether a history meets a condition."""
    return condition.is_met(value_of(terms, history))


@dataclass(frozen=True)
class _Counted:
    value: Number
    day: dt.date
    round_key: str
    stage_id: str
    quiz: str
    name: str


def measure(kind: Measure, history: History) -> Number:
    """One declared measure over a history; 0 if nothing of it happened."""
    counted = list(_counted(kind, history))
    if not kind.within:
        return _combine(kind.outer, [(None, item.value) for item in counted])
    groups: dict[Any, list[Number]] = {}
    for item in counted:
        groups.setdefault(getattr(item, _GROUPS[kind.within]), []).append(item.value)
    return _combine(kind.outer, [(key, _inner(kind.inner, values)) for key, values in groups.items()])


_GROUPS = {"day": "day", "round": "round_key", "stage": "stage_id", "quiz": "quiz", "name": "name"}


def _counted(kind: Measure, history: History) -> Iterable[_Counted]:
    if kind.of == "points" or kind.of.startswith("gift:"):
        yield from _counted_gifts(kind, history.granted)
        return
    for item in history.done:
        if _is_counted(kind, item):
            value = 1 if kind.value == "one" else item.values.get(kind.value, 0)
            yield _Counted(value, item.day, item.round_key, item.stage_id, item.quiz, item.name)


def _counted_gifts(kind: Measure, granted: Iterable[Granted]) -> Iterable[_Counted]:
    wanted = kind.of.removeprefix("gift:")
    for item in granted:
        if kind.of == "points":
            yield _Counted(item.points, item.day, item.round_key, item.stage_id, item.quiz, "")
            continue
        for gift in item.gifts:
            if gift.kind == wanted:
                value = 1 if kind.value == "one" else gift.amount
                yield _Counted(value, item.day, item.round_key, item.stage_id, item.quiz, gift.name)


def _is_counted(kind: Measure, item: Done) -> bool:
    source = "attempt" if kind.of == "attempts" else kind.of
    filters = ((kind.quizzes, item.quiz), (kind.tracks, item.track), (kind.channels, item.channel), (kind.stages, item.stage_id))
    if item.kind != source or any(wanted and got not in wanted for wanted, got in filters):
        return False
    return kind.where.is_met(lambda name: item.values.get(name, 0))


def _inner(how: str, values: Sequence[Number]) -> Number:
    if how == "any":
        return int(any(values))
    return _combine(how, [(None, value) for value in values])


def _combine(how: str, pairs: Sequence[tuple[Any, Number]]) -> Number:
    values = [value for _, value in pairs]
    if not values:
        return 0
    if how == "run":
        return _longest_run([key for key, value in pairs if value > 0])
    if how == "mean":
        return Fraction(sum(values)) / len(values)
    plain: dict[str, Callable[[], Number]] = {
        "sum": lambda: sum(values),
        "best": lambda: max(values),
        "worst": lambda: min(values),
        "first": lambda: values[0],
        "last": lambda: values[-1],
    }
    return plain[how]()


def _longest_run(keys: Sequence[Any]) -> int:
    """The longest row of days, or of rounds of one stage, without a gap."""
    best = current = 0
    previous: tuple[str, int] | None = None
    for key in sorted(_place(key) for key in keys):
        current = current + 1 if previous is not None and (key[0], key[1] - 1) == previous else 1
        best, previous = max(best, current), key
    return best


def _place(key: Any) -> tuple[str, int]:
    if isinstance(key, dt.date):
        return "", key.toordinal()
    stage, _, number = str(key).rpartition("/")
    return (stage, int(number)) if number.isdigit() else (str(key), 0)

"""Conditions: what must be reached, put together with all, any and "so many of".

A condition tests measures. On one graded attempt these exist by themselves (:data:`ATTEMPT_MEASURES`); what is counted over
several attempts or actions is declared under ``measures`` (:class:`Measure`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal

from quizapp.campaigns.terms.reading import Matching, Size, Text, Whole
from quizapp.core.text import N_

CODE = Matching(r"[a-z0-9][a-z0-9_-]{0,31}", N_("代号只能用小写字母、数字、横线和下划线，最多 32 个字符。"))
Code = Annotated[str, CODE]
Codes = Annotated[tuple[str, ...], CODE, Size(0, 200)]

ATTEMPT_MEASURES = ("correct", "wrong", "score", "percent", "all_right", "passed", "run", "seconds")
"""Of one graded attempt: right and wrong answers, score, score in per cent of the highest possible, 1 if all was right,
1 if it passed, the longest run of right answers, seconds from the start to the hand-in."""


@dataclass(frozen=True)
class Condition:
    """One test (``measure`` with ``at_least`` and/or ``at_most``), or conditions joined by ``all``, ``any`` or ``some`` of
    ``of``. An empty one is always met."""

    measure: Annotated[str, Text(32, may_be_empty=True)] = ""
    at_least: Annotated[int | None, Whole(-1_000_000_000, 1_000_000_000)] = None
    at_most: Annotated[int | None, Whole(-1_000_000_000, 1_000_000_000)] = None
    all: Annotated[tuple["Condition", ...], Size(0, 30)] = ()
    any: Annotated[tuple["Condition", ...], Size(0, 30)] = ()
    some: Annotated[int, Whole(0, 30)] = 0
    of: Annotated[tuple["Condition", ...], Size(0, 30)] = ()

    @property
    def parts(self) -> tuple["Condition", ...]:
        return (*self.all, *self.any, *self.of)

    @property
    def measures(self) -> frozenset[str]:
        """Every measure this condition looks at."""
        own = frozenset({self.measure} if self.measure else ())
        return own.union(*(part.measures for part in self.parts))

    def is_met(self, value_of: Callable[[str], int | Fraction]) -> bool:
        """Ask the condition of somebody's measures.

        :param value_of: the value of a measure by its name
        """
        if self.measure:
            value = value_of(self.measure)
            if self.at_least is not None and value < self.at_least:
                return False
            if self.at_most is not None and value > self.at_most:
                return False
        if not all(part.is_met(value_of) for part in self.all):
            return False
        if self.any and not any(part.is_met(value_of) for part in self.any):
            return False
        return not self.of or sum(part.is_met(value_of) for part in self.of) >= self.some


ALWAYS = Condition()
Within = Literal["", "day", "round", "stage", "quiz", "name"]


@dataclass(frozen=True)
class Measure:
    """A number counted over what one citizen did within an award's scope (its ``per``), a board's or a draw's.

    What is counted: graded attempts that meet ``where``, or actions of one kind. Each counts with ``value``: for attempts one
    of :data:`ATTEMPT_MEASURES` or ``one``; for actions ``amount`` or ``one``; for awards the gifts of that kind received
    (``gift:card``); ``win:<draw>`` counts wins in another pool draw of the campaign.

    ``within`` first puts together what happened on one day (round, stage, quiz; ``name``: one article, video …) by
    ``inner``; ``outer`` puts those together. "Days with a full score" is ``where`` all_right, ``within`` day, ``inner`` any,
    ``outer`` sum; "the best of each day, summed" ``within`` day, ``inner`` best, ``outer`` sum; ``outer`` run is the longest
    row of days (rounds) without a gap.
    """

    id: Code
    of: Annotated[
        str,
        Matching(
            r"attempts|action:[a-z_]{1,32}|points|gift:[a-z0-9_-]{1,32}|win:[a-z0-9][a-z0-9_-]{0,31}",
            N_("只能是 attempts、action:…、points、gift:… 或 win:…。"),
        ),
    ] = "attempts"
    value: Literal["one", "correct", "score", "percent", "seconds", "amount", "run"] = "one"
    where: Condition = ALWAYS
    quizzes: Codes = ()
    tracks: Codes = ()
    channels: Codes = ()
    stages: Codes = ()
    within: Within = ""
    inner: Literal["best", "last", "first", "sum", "any", "worst"] = "sum"
    outer: Literal["sum", "best", "last", "first", "mean", "run", "worst"] = "sum"
    title: Annotated[str, Text(40, may_be_empty=True)] = ""
    """How the rule page calls it, such as 全对的天数."""

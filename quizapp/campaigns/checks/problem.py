"""What the rule check says, and what it looks at."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from quizapp.campaigns.terms import PaperPart, Quiz, Terms
from quizapp.core.clock import shanghai_day
from quizapp.questions.rules import PoolItem

FindPool = Callable[[PaperPart], Sequence[PoolItem]]


@dataclass(frozen=True)
class Problem:
    """``field`` is a path into the body, such as ``draw.prizes[1].odds_ppm`` (items of lists count from 1)."""

    field: str
    message: str
    severity: Literal["error", "warning"] = "error"

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


Problems = Iterable[Problem]


def warning(path: str, message: str) -> Problem:
    return Problem(path, message, "warning")


@dataclass(frozen=True)
class Case:
    """A body whose shape is right, with what the check knows beside it."""

    terms: Terms
    body: Mapping[str, Any]
    kind: str = "voluntary"
    legal_basis: str = ""
    now: dt.datetime | None = None
    find_pool: FindPool | None = None
    plan: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_voluntary(self) -> bool:
        return self.kind == "voluntary"

    @property
    def days(self) -> int:
        """Shanghai days that the window touches."""
        return days_between(self.terms.opens_at, self.terms.closes_at)

    def quiz_path(self, place: int, name: str) -> str:
        """Where a field of the quiz at ``place`` (from 1) stands: a body with one quiz has it at the top."""
        return f"quizzes[{place}].{name}" if "quizzes" in self.body else name

    def each_quiz(self) -> Iterable[tuple[int, Quiz]]:
        return enumerate(self.terms.quizzes, 1)

    def named(self, quiz: Quiz) -> str:
        """``“第一关”`` before a sentence about one of several quizzes."""
        return f"“{quiz.title or quiz.id}”" if len(self.terms.quizzes) > 1 else ""


def days_between(opens_at: dt.datetime, closes_at: dt.datetime) -> int:
    """Shanghai days touched by a window with an exclusive end."""
    return (shanghai_day(closes_at - dt.timedelta(microseconds=1)) - shanghai_day(opens_at)).days + 1

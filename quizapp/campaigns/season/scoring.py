"""From marks to a score, by one quiz's terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from quizapp.campaigns.terms import Quiz


@dataclass(frozen=True)
class Item:
    """One answered question: right, partly right (no wrong choice, not all right ones), seconds it took (None: not saved)."""

    is_right: bool
    is_partly_right: bool = False
    seconds: int | None = None


@dataclass(frozen=True)
class Scored:
    """What a paper came to. ``marks`` are those that count (sudden death ends them); ``run`` the longest row of right ones."""

    marks: tuple[bool, ...]
    score: int
    highest: int
    run: int

    @property
    def correct(self) -> int:
        return sum(self.marks)

    @property
    def percent(self) -> Fraction:
        return Fraction(100 * self.score, self.highest) if self.highest else Fraction(0)


def highest_score(quiz: Quiz) -> int:
    """The most a paper of this quiz can bring."""
    scoring, count = quiz.scoring, quiz.question_count
    speed = count * scoring.per_second_left * (scoring.item_seconds or 0)
    return sum(quiz.paper.points) + speed + max(0, count - 1) * scoring.run_bonus


def score(quiz: Quiz, items: Sequence[Item], points: Sequence[int] | None = None) -> Scored:
    """Score a paper.

    :param items: by position
    :param points: what each question is worth where the paper's order differs from its parts'
    """
    scoring = quiz.scoring
    worth = tuple(points) if points is not None else quiz.paper.points
    marks, total, run, longest = [], 0, 0, 0
    is_over = False
    for item, value in zip(items, worth, strict=True):
        is_right = item.is_right and not is_over
        marks.append(is_right)
        if is_right:
            total += value + (scoring.run_bonus if run else 0) + _speed(quiz, item)
            run += 1
            longest = max(longest, run)
            continue
        run = 0
        if item.is_partly_right and not is_over:
            total += value * scoring.partial // 100
        else:
            total -= scoring.wrong
        is_over = is_over or scoring.sudden_death
    return Scored(tuple(marks), max(0, total), highest_score(quiz), longest)


def _speed(quiz: Quiz, item: Item) -> int:
    limit = quiz.scoring.item_seconds
    if limit is None or item.seconds is None:
        return 0
    return quiz.scoring.per_second_left * max(0, limit - item.seconds)


def values_of(scored: Scored, *, passed: bool, seconds: int) -> dict[str, int | Fraction]:
    """The measures of one graded attempt (``terms.ATTEMPT_MEASURES``)."""
    count = len(scored.marks)
    return {
        "correct": scored.correct,
        "wrong": count - scored.correct,
        "score": scored.score,
        "percent": scored.percent,
        "all_right": int(scored.correct == count),
        "passed": int(passed),
        "run": scored.run,
        "seconds": seconds,
    }


def has_passed(quiz: Quiz, scored: Scored, seconds: int) -> bool:
    """Whether a paper passes: ``pass_when`` if the quiz has one, else the count of right answers."""
    if quiz.pass_when is None:
        return scored.correct >= quiz.pass_count
    values = values_of(scored, passed=False, seconds=seconds)
    return quiz.pass_when.is_met(values.__getitem__)

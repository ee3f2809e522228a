"""What the answers to a question say about the question. Plain values in, plain values out.

Papers are counted into a *tally* per question revision: so many papers of this length, with so many of their other
questions right, chose this and were marked so; so many took this many seconds. Every figure comes from a tally, tallies
of several campaigns add up, and a tally grows with the lengths of papers and not with their number.
"""

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from quizapp.core.text import N_
from quizapp.questions.rules import LETTERS, Accepted

MINIMUM_ANSWERS = 30
"""With fewer answers nothing is judged, and staff of a unit are not shown how they were."""
MINIMUM_TAKEN = 100
"""With fewer answers a choice that nobody took may be chance."""
IDLE_SHARE = Fraction(1, 100)
EASY = Fraction(95, 100)
HARD: Mapping[str, Fraction] = {
    "single": Fraction(30, 100),
    "judge": Fraction(50, 100),
    "multiple": Fraction(15, 100),
    "indefinite": Fraction(15, 100),
}
MAX_SECONDS = 3600
MAX_PATTERNS = 6

Flag = Literal["easy", "hard", "negative", "idle"]
FLAGS: tuple[Flag, ...] = ("negative", "hard", "easy", "idle")
FLAG_TITLES: Mapping[str, str] = {
    "negative": N_("区分度为负"),
    "hard": N_("太难"),
    "easy": N_("太容易"),
    "idle": N_("有选项没人选"),
}
FLAG_ADVICE: Mapping[str, str] = {
    "negative": N_("别的题答得好的人，这题反而更容易错。先核对答案和题干有没有歧义。"),
    "hard": N_("答对的人太少。先核对答案，再看题干和选项是不是说不清楚。"),
    "easy": N_("差不多人人都会，分不出懂和不懂。"),
    "idle": N_("有的错误选项几乎没人选，起不到作用，可以换一个更像的。"),
}
DEFINITIONS: Mapping[str, str] = {
    "shown_count": N_("这一版题出现在多少份有效答卷上。有效答卷是已登记的人交上来的答卷，减去有记录剔除的。"),
    "answered_count": N_("其中作答的份数。"),
    "facility": N_("答对的份数 ÷ 出现次数，没作答的算没答对。按现在生效的判分算，改过答案重判的用重判后的。"),
    "discrimination": N_(
        "这题对错和同一份答卷其余题答对比例的相关系数，从 -1 到 1。每份卷子抽的题不同，所以只和它自己的其余题比。"
        "全对、全错或其余题都一样时算不出。"
    ),
    "thirds": N_("按同一份答卷其余题的答对比例排队，取最好的三分之一和最差的三分之一；并列的按比例分进去。"),
    "median_seconds": N_(
        "从上一题最后一次存好（第一题从开卷）到这题最后一次存好，按整秒，取中位数。只算按顺序答、没有回头改的答卷；读题、走神、网络慢都在里面，不是净答题时间。"
    ),
    "flags": N_(
        "答过 30 次以上才评。太容易：答对率不低于 95%。太难：答对率低于 30%（单选）、50%（判断）、15%（多选和不定项）。"
        "区分度为负：小于 0，而且不像碰巧（低于 -1/√份数）。有选项没人选：答过 100 次以上，某个错误选项选的人不到 1%，判断题不看。"
    ),
}
WITHHOLDING = N_("单位的账号看不到作答不足 30 次的题答得怎样，免得认出某个人。")

Cell = tuple[int, int, str, bool]
"""Length of the paper, how many of its other questions were right, the choices taken (indices in the revision, sorted,
empty for none), and whether it counts as right."""


# ---- counting


class Sheet(NamedTuple):
    """One question of a paper. ``answered_at`` is in seconds since any fixed moment; ``chosen`` are displayed letters."""

    paper: str
    position: int
    revision_id: uuid.UUID | str
    choice_order: str
    chosen: str | None
    answered_at: float | None


def taken(choice_order: str, chosen: str | None) -> str:
    """Displayed letters as the revision's own choices: ``taken("201", "A")`` is ``"2"``."""
    return "".join(sorted(choice_order[LETTERS.index(letter)] for letter in chosen or ""))


def seconds_taken(started_at: float, sheets: Sequence[Sheet]) -> list[int | None]:
    """Whole seconds each question took: from the last save of the one before it (the first: from the start) to its own.

    Only the last save of a question is known. Where the saves do not follow the order of the paper, somebody went back,
    and no interval belongs to one question: all are None then. So is a question after one without an answer.
    """
    before: float | None = started_at
    latest = started_at
    found: list[int | None] = []
    for sheet in sheets:
        now = sheet.answered_at
        if now is not None:
            if now < latest:
                return [None] * len(sheets)
            latest = now
        found.append(None if now is None or before is None else min(MAX_SECONDS, round((now - before) * 1000) // 1000))
        before = now
    return found


class Tally:
    """The counts of one revision. ``seconds`` has whole seconds, :data:`MAX_SECONDS` and more in one."""

    def __init__(self, cells: Mapping[Cell, int] | None = None, seconds: Mapping[int, int] | None = None) -> None:
        self.cells: dict[Cell, int] = dict(cells or {})
        self.seconds: dict[int, int] = dict(seconds or {})

    def merge(self, other: "Tally") -> None:
        """Add the counts of other papers."""
        for cell, count in other.cells.items():
            self.cells[cell] = self.cells.get(cell, 0) + count
        for seconds, count in other.seconds.items():
            self.seconds[seconds] = self.seconds.get(seconds, 0) + count

    def to_dict(self) -> dict[str, Any]:
        return {
            "cells": [[length, rest, chosen, int(is_right), n] for (length, rest, chosen, is_right), n in sorted(self.cells.items())],
            "seconds": [list(pair) for pair in sorted(self.seconds.items())],
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> "Tally":
        cells = {(length, rest, chosen, bool(is_right)): count for length, rest, chosen, is_right, count in body["cells"]}
        return cls(cells, dict(body["seconds"]))


class Counting:
    """Papers counted as they come by. Keeps tallies, never papers."""

    def __init__(self) -> None:
        self.tallies: dict[uuid.UUID | str, Tally] = {}
        self.paper_count = 0
        self._taken: dict[tuple[str, str], str] = {}

    def add(self, marks: str, started_at: float, sheets: Sequence[Sheet]) -> None:
        """Count one paper.

        :param marks: per position ``1`` for right and ``0`` for wrong, as they are in force
        :param sheets: all questions of the paper, by position
        """
        self.paper_count += 1
        total, length = marks.count("1"), len(marks)
        for sheet, seconds in zip(sheets, seconds_taken(started_at, sheets), strict=True):
            _, position, revision_id, order, chosen, _ = sheet
            is_right = marks[position - 1] == "1"
            tally = self.tallies.get(revision_id)
            if tally is None:
                tally = self.tallies[revision_id] = Tally()
            cell = (length, total - is_right, self._indices(order, chosen), is_right)
            tally.cells[cell] = tally.cells.get(cell, 0) + 1
            if seconds is not None:
                tally.seconds[seconds] = tally.seconds.get(seconds, 0) + 1

    def _indices(self, order: str, chosen: str | None) -> str:
        if not chosen:
            return ""
        known = self._taken.get((order, chosen))
        if known is None:
            known = self._taken[order, chosen] = taken(order, chosen)
        return known


# ---- figures


@dataclass(frozen=True)
class ChoiceFigures:
    """Who took one choice; ``index`` None is who took none. Shares are of papers: all, those of the third whose other
    questions were answered best, and worst (None where no paper has other questions)."""

    index: int | None
    is_right: bool
    count: int
    share: float | None
    upper_share: float | None
    lower_share: float | None
    is_idle: bool = False


@dataclass(frozen=True)
class Level:
    """Papers of one length with the same number of other questions right."""

    length: int
    rest: int
    count: int
    right_count: int


@dataclass(frozen=True)
class Pattern:
    """A whole answer (choice indices, empty for none) and how many gave it."""

    taken: str
    is_right: bool
    count: int


@dataclass(frozen=True)
class ItemFigures:
    """Everything that is said about one revision. ``facility``, ``discrimination`` and ``median_seconds`` are None where
    they cannot be computed."""

    shown_count: int
    answered_count: int
    correct_count: int
    measured_count: int
    """Papers that have other questions."""
    facility: float | None
    discrimination: float | None
    timed_count: int
    median_seconds: float | None
    choices: tuple[ChoiceFigures, ...]
    levels: tuple[Level, ...]
    patterns: tuple[Pattern, ...]
    flags: tuple[Flag, ...]
    is_withheld: bool = False
    """Only how often it was shown and answered may be seen; the rest is empty."""

    @property
    def is_judged(self) -> bool:
        """Whether there are answers enough to flag anything."""
        return self.answered_count >= MINIMUM_ANSWERS


def point_biserial(cells: Mapping[Cell, int]) -> float | None:
    """Correlation of being right with the share of the paper's other questions that are right; papers of one question are
    left out. Exact up to the last division. None where either does not vary.

    With papers of one length this is the corrected point-biserial (item against total without the item).
    """
    scale = math.lcm(*(length - 1 for length, *_ in cells if length > 1))
    n = sum_x = sum_y = sum_yy = sum_xy = 0
    for (length, rest, _, is_right), count in cells.items():
        if length > 1:
            y = rest * scale // (length - 1)
            n += count
            sum_x += count if is_right else 0
            sum_y += y * count
            sum_yy += y * y * count
            sum_xy += y * count if is_right else 0
    spread = (n * sum_x - sum_x**2) * (n * sum_yy - sum_y**2)
    return (n * sum_xy - sum_x * sum_y) / math.sqrt(spread) if spread > 0 else None


def median(histogram: Mapping[int, int]) -> float | None:
    """The middle value, or the mean of the two middle ones; None of nothing."""
    values = sorted(histogram)
    upto = list(accumulate(histogram[value] for value in values))
    if not upto or not upto[-1]:
        return None
    low, high = (upto[-1] - 1) // 2, upto[-1] // 2
    at = [next(value for value, reached in zip(values, upto, strict=True) if reached > place) for place in (low, high)]
    return sum(at) / 2


@dataclass(frozen=True)
class Third:
    """Whole answers within a third of the papers: ``parts`` out of ``whole`` took these choices."""

    parts: Mapping[str, int]
    whole: int

    def share(self, index: int | None) -> float | None:
        """Of the papers that took this choice (None: none at all)."""
        return sum(part for chosen, part in self.parts.items() if _holds(chosen, index)) / self.whole if self.whole else None


def thirds(cells: Mapping[Cell, int]) -> tuple[Third, Third]:
    """The best and the worst third of papers by the share of their other questions that are right. Papers that tie at the
    border go in by the fraction that fills the third: what any order among equals gives on average."""
    scale = math.lcm(*(length - 1 for length, *_ in cells if length > 1))
    levels: dict[int, dict[str, int]] = {}
    for (length, rest, chosen, _), count in cells.items():
        if length > 1:
            level = levels.setdefault(rest * scale // (length - 1), {})
            level[chosen] = level.get(chosen, 0) + count
    ascending = [levels[share] for share in sorted(levels)]
    return _first_third(ascending[::-1]), _first_third(ascending)


def _first_third(levels: Sequence[Mapping[str, int]]) -> Third:
    """The first third of papers in groups of equals; counted in thirds of a paper, so that all stays whole numbers."""
    total = missing = sum(sum(level.values()) for level in levels)
    full: dict[str, int] = {}
    for level in levels:
        size = sum(level.values())
        if 3 * size > missing:
            parts = {chosen: 3 * full.get(chosen, 0) * size + level.get(chosen, 0) * missing for chosen in {*full, *level}}
            return Third(parts, total * size)
        for chosen, count in level.items():
            full[chosen] = full.get(chosen, 0) + count
        missing -= 3 * size
    return Third({}, 0)


def _holds(chosen: str, index: int | None) -> bool:
    return not chosen if index is None else str(index) in chosen


def _choices(cells: Mapping[Cell, int], kind: str, choice_count: int, accepted: Accepted) -> tuple[ChoiceFigures, ...]:
    upper, lower = thirds(cells)
    counts: dict[str, int] = {}
    for (_, _, chosen, _), number in cells.items():
        counts[chosen] = counts.get(chosen, 0) + number
    shown = sum(counts.values())
    answered = shown - counts.get("", 0)
    right: frozenset[int] = frozenset().union(*accepted)
    found = []
    for index in (*range(choice_count), None):
        count = sum(number for chosen, number in counts.items() if _holds(chosen, index))
        is_wrong = index is not None and bool(accepted) and index not in right
        found.append(
            ChoiceFigures(
                index=index,
                is_right=index in right,
                count=count,
                share=count / shown if shown else None,
                upper_share=upper.share(index),
                lower_share=lower.share(index),
                is_idle=is_wrong and kind != "judge" and answered >= MINIMUM_TAKEN and count < IDLE_SHARE * answered,
            )
        )
    return tuple(found)


def _levels(cells: Mapping[Cell, int]) -> tuple[Level, ...]:
    counts: dict[tuple[int, int], list[int]] = {}
    for (length, rest, _, is_right), count in cells.items():
        level = counts.setdefault((length, rest), [0, 0])
        level[0] += count
        level[1] += count if is_right else 0
    return tuple(Level(length, rest, *counts[length, rest]) for length, rest in sorted(counts))


def _patterns(cells: Mapping[Cell, int]) -> tuple[Pattern, ...]:
    counts: dict[tuple[str, bool], int] = {}
    for (_, _, chosen, is_right), count in cells.items():
        counts[chosen, is_right] = counts.get((chosen, is_right), 0) + count
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_PATTERNS]
    return tuple(Pattern(chosen, is_right, count) for (chosen, is_right), count in most)


def figures(tally: Tally, *, kind: str, choice_count: int, accepted: Accepted) -> ItemFigures:
    """Compute what a tally says.

    :param accepted: sets of choice indices that count as right; none at all: everybody got the mark
    """
    cells = tally.cells
    shown = sum(cells.values())
    answered = sum(count for (_, _, chosen, _), count in cells.items() if chosen)
    right = sum(count for (_, _, _, is_right), count in cells.items() if is_right)
    measured = sum(count for (length, *_), count in cells.items() if length > 1)
    choices = _choices(cells, kind, choice_count, accepted)
    discrimination = point_biserial(cells)
    return ItemFigures(
        shown_count=shown,
        answered_count=answered,
        correct_count=right,
        measured_count=measured,
        facility=right / shown if shown else None,
        discrimination=discrimination,
        timed_count=sum(tally.seconds.values()),
        median_seconds=median(tally.seconds),
        choices=choices,
        levels=_levels(cells),
        patterns=_patterns(cells),
        flags=_flags(kind, shown, answered, right, measured, discrimination, any(choice.is_idle for choice in choices)),
    )


def _flags(
    kind: str, shown: int, answered: int, right: int, measured: int, discrimination: float | None, has_idle: bool
) -> tuple[Flag, ...]:
    if answered < MINIMUM_ANSWERS:
        return ()
    facility = Fraction(right, shown)
    is_negative = discrimination is not None and discrimination < 0 and discrimination**2 * measured > 1
    told: dict[Flag, bool] = {"negative": is_negative, "hard": facility < HARD[kind], "easy": facility >= EASY, "idle": has_idle}
    return tuple(flag for flag in FLAGS if told[flag])


def withhold(figures: ItemFigures) -> ItemFigures:
    """What an employer may see: nothing of how they answered while it is few (an employer never sees a person's wrong
    answers)."""
    if figures.is_judged:
        return figures
    nothing = ItemFigures(figures.shown_count, figures.answered_count, 0, 0, None, None, 0, None, (), (), (), ())
    return replace(nothing, is_withheld=True)


def flag_detail(flag: str, figures: ItemFigures) -> str:
    """The figure behind a flag, in words: ``太难：答对率 12.5%，答过 320 次``."""
    if flag == "negative":
        said = f"区分度 {figures.discrimination:.2f}"
    elif flag == "idle":
        said = "选项 " + "、".join(LETTERS[choice.index or 0] for choice in figures.choices if choice.is_idle)
    else:
        said = f"答对率 {figures.facility:.1%}"
    return f"{FLAG_TITLES[flag]}：{said}，答过 {figures.answered_count:,} 次"

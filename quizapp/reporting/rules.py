"""What a figure means and who must not be seen in it. Plain values in, plain values out."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from quizapp.core.text import N_

DIMENSIONS = ("demographic_group", "region", "organisation", "day", "campaign")
REGION_LEVELS = ("city", "county", "town")
MINIMUM_PERSONS = 5
"""Groups of fewer persons are masked in public exports."""
RESULT_NAMES = ("passed_count", "pass_rate", "person_passed_count", "person_pass_rate", "mean_correct")
"""Figures that say how well somebody answered, not whether somebody took part."""
MAX_PUBLIC_DIMENSIONS = 2
"""Public exports cross at most this many dimensions: beyond, too many cells are one person."""

DIMENSION_NAMES: Mapping[str, str] = {
    "demographic_group": N_("人群"),
    "region": N_("旗县区"),
    "organisation": N_("单位"),
    "day": N_("日期"),
    "campaign": N_("活动"),
}
REGION_LEVEL_NAMES: Mapping[str, str] = {"city": N_("盟市"), "county": N_("旗县区"), "town": N_("苏木乡镇街道")}
NOT_FILLED = N_("未填写")
MASKED = N_("隐去")
WITHHELD = N_("不足 5 人")
WITHHELD_FEW = N_("不足 30 次")

FIGURE_NAMES: Mapping[str, str] = {
    "attempt_count": N_("人次"),
    "valid_attempt_count": N_("有效人次"),
    "participant_count": N_("人数"),
    "passed_count": N_("合格人次"),
    "pass_rate": N_("人次合格率"),
    "person_passed_count": N_("合格人数"),
    "person_pass_rate": N_("人数合格率"),
    "mean_correct": N_("平均答对题数"),
}
DEFINITIONS: Mapping[str, str] = {
    "attempt_count": N_("已登记的人交上来的答卷，各算一次；到时自动交卷的，存过至少一题才算；没有作答的、没有认领的不算。"),
    "valid_attempt_count": N_("人次减去有记录剔除的。"),
    "participant_count": N_("筛选范围内至少有一次有效人次的人，同一人只算一次；合计重新数人，不是各行相加。"),
    "passed_count": N_("达到活动合格标准的有效人次。"),
    "pass_rate": N_("合格人次 ÷ 有效人次。"),
    "person_passed_count": N_("筛选范围内至少合格一次的人，同一人只算一次。"),
    "person_pass_rate": N_("至少合格一次的人 ÷ 人数。"),
    "mean_correct": N_("有效人次的答对题数之和 ÷ 有效人次。"),
}
DIMENSION_DEFINITIONS: Mapping[str, str] = {
    "demographic_group": N_("交卷（先答后登记的，认领）那一刻填写的人群，之后改了也不动旧数。"),
    "region": N_("交卷（先答后登记的，认领）那一刻填写的地区，之后改了也不动旧数；按区划代码排列，不排名次。"),
    "organisation": N_("交卷（先答后登记的，认领）那一刻填写的单位，之后改了也不动旧数；按名称排列，不排名次。"),
    "day": N_("交卷（先答后登记的，认领）的日子，北京时间，起止两天都算在内。"),
    "campaign": N_("答卷所属的活动。"),
}
MASKING_DEFINITION = N_("不足 5 人的行隐去；为了不让人用合计倒推，再隐去一些；合计本身会说破的也隐去。")
WITHHOLDING_DEFINITION = N_(
    "单位的账号看不到不足 5 人的合格和答对情况，免得认出某个人答得怎样；为了不让人倒推，有时再多留几行不给。参加的数照常给。"
)
EXCLUSION_NAMES: Mapping[str, str] = {
    "script": N_("脚本作答"),
    "one_person_many_accounts": N_("一人多号"),
    "staff_test": N_("工作人员试答"),
}


def rate(part: int, whole: int) -> float | None:
    """``part / whole`` with four decimals, half up; None over zero. Exact, so that a recount gives the same digits."""
    return None if whole == 0 else (part * 20_000 + whole) // (2 * whole) / 10_000


@dataclass(frozen=True)
class Figures:
    """The counts behind one line of a report; ``correct_sum`` is over valid attempts. Without results the last three are
    zero and mean nothing: see :func:`withhold_results`."""

    attempt_count: int = 0
    valid_attempt_count: int = 0
    participant_count: int = 0
    passed_count: int = 0
    person_passed_count: int = 0
    correct_sum: int = 0
    has_results: bool = field(default=True, kw_only=True)

    @property
    def pass_rate(self) -> float | None:
        return rate(self.passed_count, self.valid_attempt_count) if self.has_results else None

    @property
    def person_pass_rate(self) -> float | None:
        return rate(self.person_passed_count, self.participant_count) if self.has_results else None

    @property
    def mean_correct(self) -> float | None:
        """Questions answered right per valid attempt, four decimals."""
        return rate(self.correct_sum, self.valid_attempt_count) if self.has_results else None

    def to_dict(self) -> dict[str, Any]:
        """The figures as the API writes them."""
        return {name: getattr(self, name) if self.has_results or name not in RESULT_NAMES else None for name in FIGURE_NAMES}

    def without_results(self) -> "Figures":
        return replace(self, passed_count=0, person_passed_count=0, correct_sum=0, has_results=False)


@dataclass(frozen=True)
class Row:
    """One line: ``codes`` and ``labels`` by dimension, in the order asked for. ``figures`` is None where masked."""

    codes: tuple[str | None, ...]
    labels: tuple[str, ...]
    figures: Figures | None


def definitions(by: Sequence[str], *, is_public: bool = False, withholds: bool = False) -> dict[str, str]:
    """The sentences to print under a table, by figure and dimension code."""
    sentences = {**DEFINITIONS, **{name: DIMENSION_DEFINITIONS[name] for name in by}}
    if withholds:
        sentences["withholding"] = WITHHOLDING_DEFINITION
    return {**sentences, "masking": MASKING_DEFINITION} if is_public else sentences


def exclusion_name(reason: str | None) -> str:
    """The Chinese name of a reason; one that has none is shown as recorded."""
    return EXCLUSION_NAMES.get(reason or "", reason or N_("没有写原因"))


def exclusion_sentence(exclusions: Sequence[tuple[str, int]]) -> str:
    """``剔除 3 次：脚本作答 2 次、一人多号 1 次``, or that nothing was excluded."""
    if not exclusions:
        return N_("没有剔除")
    parts = "、".join(f"{name} {count:,} 次" for name, count in exclusions)
    return f"剔除 {sum(count for _, count in exclusions):,} 次：{parts}"


def day_range_sentence(first_day: dt.date | None, last_day: dt.date | None) -> str:
    """The days of a filter line: ``2026-03-10 至 2026-03-15，起止两天都算``."""
    if first_day is None and last_day is None:
        return N_("全部日期")
    if first_day == last_day:
        return f"{first_day}"
    return f"{first_day or '最早'} 至 {last_day or '现在'}，起止两天都算"


# ---- masking


def _lines(rows: Sequence[Row]) -> list[tuple[int, ...]]:
    """Every set of rows whose sum somebody may know: the whole table, and, where two dimensions cross, each line of the
    cross, since the same figures can be exported by one dimension alone."""
    lines = [tuple(range(len(rows)))]
    if rows and len(rows[0].codes) > 1:
        for dimension in range(len(rows[0].codes)):
            found: dict[tuple[str | None, ...], list[int]] = {}
            for index, row in enumerate(rows):
                found.setdefault(row.codes[:dimension] + row.codes[dimension + 1 :], []).append(index)
            lines.extend(tuple(members) for members in found.values())
    return lines


class _Table:
    """Persons per row, which rows are small, and which are hidden so far."""

    def __init__(self, rows: Sequence[Row], minimum: int) -> None:
        self.sizes = [row.figures.participant_count if row.figures else 0 for row in rows]
        self.small = {index for index, size in enumerate(self.sizes) if size < minimum}
        self.hidden = set(self.small)
        self.minimum = minimum
        self.lines = _lines(rows)

    def _unknown(self) -> set[int]:
        """What stays unknown to somebody who subtracts along every line, again and again, until nothing more comes out.
        A line whose own sum is small is not known to anybody: it is masked wherever it is printed."""
        unknown = set(self.hidden)
        is_changed = True
        while is_changed:
            is_changed = False
            for line in self.lines:
                rest = [index for index in line if index in unknown]
                if len(rest) == 1 and sum(self.sizes[index] for index in line) >= self.minimum:
                    unknown.discard(rest[0])
                    is_changed = True
        return unknown

    def _leaking_lines(self) -> list[tuple[int, ...]]:
        """Lines that give a small row away: by itself, or as part of a rest of fewer than ``minimum`` persons."""
        unknown = self._unknown()
        leaking = []
        for line in self.lines:
            secret = [index for index in line if index in self.small]
            if not secret or sum(self.sizes[index] for index in line) < self.minimum:
                continue
            rest = sum(self.sizes[index] for index in line if index in unknown)
            if rest < self.minimum or not unknown.issuperset(secret):
                leaking.append(line)
        return leaking

    def _hide_smallest(self, among: Sequence[int]) -> bool:
        shown = [index for index in among if index not in self.hidden]
        if shown:
            self.hidden.add(min(shown, key=lambda index: (self.sizes[index], index)))
        return bool(shown)

    def hide_enough(self) -> bool:
        """Hide the smallest further rows until no line leaks. False if even hiding all of them does not help."""
        while leaking := self._leaking_lines():
            more = [line for line in leaking if self._hide_smallest(line)]
            if not more and not self._hide_smallest(range(len(self.sizes))):
                return False
        return True


def mask_small_groups(rows: Sequence[Row], total: Row, minimum: int = MINIMUM_PERSONS) -> tuple[tuple[Row, ...], Row]:
    """Hide the figures of every row of fewer than ``minimum`` persons, and as many more, smallest first, as it takes that
    no hidden small row can be had by subtraction along a printed total. All hidden rows look alike, so that nobody
    learns which of them is a small one. A total that would itself give a small group away is hidden as well.

    Where a cross is so thin that its empty cells together with the one-way totals say everything, no row is listed at all.

    :raises ValueError: for more than two crossed dimensions
    """
    if rows and len(rows[0].codes) > MAX_PUBLIC_DIMENSIONS:
        raise ValueError("a public table crosses at most two dimensions")
    table = _Table(rows, minimum)
    is_enough = table.hide_enough()
    whole = total.figures or Figures()
    is_total_small = whole.attempt_count > 0 and whole.participant_count < minimum
    masked = tuple(replace(row, figures=None) if index in table.hidden else row for index, row in enumerate(rows))
    return masked if is_enough else (), replace(total, figures=None) if is_total_small else total


def withhold_results(rows: Sequence[Row], total: Row, minimum: int = MINIMUM_PERSONS) -> tuple[tuple[Row, ...], Row]:
    """Keep from an employer how well a person answered: lines of fewer than ``minimum`` persons lose their results, and as
    many more as it takes that none can be had by subtraction (:func:`mask_small_groups`). Who takes part stays counted.

    Three or more crossed dimensions lose all results: nearly every cell is one person.
    """
    is_deep = bool(rows) and len(rows[0].codes) > MAX_PUBLIC_DIMENSIONS
    masked = () if is_deep else mask_small_groups(rows, total, minimum)[0]
    shown = {index for index, row in enumerate(masked) if row.figures is not None}
    figures = total.figures or Figures()
    is_total_small = figures.attempt_count > 0 and figures.participant_count < minimum
    return (
        tuple(row if index in shown else _without_results(row) for index, row in enumerate(rows)),
        _without_results(total) if is_total_small else total,
    )


def _without_results(row: Row) -> Row:
    return replace(row, figures=row.figures.without_results() if row.figures else None)

"""Item statistics as a file: one row per revision with its choices, and everything that must be printed above it."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quizapp.core.clock import SHANGHAI, rfc3339
from quizapp.core.spreadsheets import Cell, Column, Table, write_csv, write_xlsx
from quizapp.core.text import N_
from quizapp.questions.rules import KIND_TITLES, LETTERS
from quizapp.reporting import items_queries, items_rules, rules
from quizapp.reporting.items_queries import DataState, ItemFilter, ItemLine, ItemStatistics, RevisionStatistics
from quizapp.reporting.items_rules import DEFINITIONS, FLAG_TITLES, ItemFigures
from quizapp.reporting.scopes import is_whole

TITLE = N_("题目分析（内部使用）")
FIGURE_TITLES = {
    "shown_count": N_("出现次数"),
    "answered_count": N_("作答次数"),
    "facility": N_("答对率"),
    "discrimination": N_("区分度"),
    "thirds": N_("前后三分之一"),
    "median_seconds": N_("用时中位数"),
    "flags": N_("标记"),
}
_COLUMNS = (
    Column(N_("题库"), width=22),
    Column(N_("题号"), width=16),
    Column(N_("版本"), "count", 6),
    Column(N_("现在用"), width=8),
    Column(N_("题型"), width=8),
    Column(N_("难度"), "count", 6),
    Column(N_("题干"), width=50),
    Column(N_("正确答案"), width=10),
    Column(N_("出现次数"), "count", 10),
    Column(N_("作答次数"), "count", 10),
    Column(N_("答对次数"), "count", 10),
    Column(N_("答对率"), "rate", 10),
    Column(N_("区分度"), "mean", 10),
    Column(N_("用时中位数（秒）"), "mean", 12),
    Column(N_("计时份数"), "count", 10),
    Column(N_("标记"), width=20),
)


def _rounded(value: float | None) -> float | None:
    """Rates and correlations with four decimals."""
    return None if value is None else round(value, 4)


def line_dict(line: ItemLine) -> dict[str, Any]:
    """A line of the list as JSON."""
    return {
        "question_id": str(line.question_id),
        "revision_id": str(line.revision_id),
        "bank": line.bank,
        "bank_title": line.bank_title,
        "code": line.code,
        "revision": line.number,
        "is_current": line.is_current,
        "kind": line.view.kind,
        "difficulty": line.view.difficulty,
        "stem": line.view.stem,
        "shown_count": line.shown_count,
        "answered_count": line.answered_count,
        "correct_count": line.correct_count,
        "facility": None if line.correct_count is None else rules.rate(line.correct_count, line.shown_count),
        "discrimination": _rounded(line.discrimination),
        "timed_count": line.timed_count,
        "median_seconds": line.median_seconds,
        "flags": list(line.flags),
        "is_judged": line.answered_count >= items_rules.MINIMUM_ANSWERS,
        "is_withheld": line.is_withheld,
    }


def choice_dicts(figures: ItemFigures, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Who took which choice, in the order of the revision; the last, without a key, is who took none."""
    return [
        {
            "key": None if choice.index is None else LETTERS[choice.index],
            "text": None if choice.index is None else texts[choice.index],
            "is_right": choice.is_right,
            "count": choice.count,
            "share": _rounded(choice.share),
            "upper_share": _rounded(choice.upper_share),
            "lower_share": _rounded(choice.lower_share),
            "is_idle": choice.is_idle,
        }
        for choice in figures.choices
    ]


def state_dict(state: DataState, sentence: str) -> dict[str, Any]:
    """What is printed beside any of it, as JSON."""
    return {
        "definitions": dict(DEFINITIONS),
        "filter": sentence,
        "as_of": rfc3339(state.as_of) if state.as_of else None,
        "paper_count": state.paper_count,
        "excluded_count": sum(count for _, count in state.exclusions),
        "exclusions": [{"reason": rules.exclusion_name(reason), "count": count} for reason, count in state.exclusions],
    }


def _revision_dict(item: RevisionStatistics) -> dict[str, Any]:
    figures = item.figures
    return {
        "revision_id": str(item.view.id),
        "revision": item.view.number,
        "is_current": item.is_current,
        "kind": item.view.kind,
        "stem": item.view.stem,
        "shown_count": figures.shown_count,
        "answered_count": figures.answered_count,
        "correct_count": None if figures.is_withheld else figures.correct_count,
        "facility": None if figures.is_withheld else rules.rate(figures.correct_count, figures.shown_count),
        "discrimination": _rounded(figures.discrimination),
        "timed_count": figures.timed_count,
        "median_seconds": figures.median_seconds,
        "flags": list(figures.flags),
        "is_judged": figures.is_judged,
        "is_withheld": figures.is_withheld,
        "choices": choice_dicts(figures, item.view.choices),
        "levels": [
            {
                "question_count": level.length,
                "rest_correct_count": level.rest,
                "count": level.count,
                "correct_count": level.right_count,
            }
            for level in figures.levels
        ],
    }


def item_dict(item: ItemStatistics, sentence: str) -> dict[str, Any]:
    """One question as JSON."""
    return {
        "question_id": str(item.question_id),
        "bank": item.bank,
        "bank_title": item.bank_title,
        "code": item.code,
        "status": item.status,
        "revisions": [_revision_dict(revision) for revision in item.revisions],
        **state_dict(item.state, sentence),
    }


@dataclass(frozen=True)
class ItemTable:
    """The statistics of a filter. Lines are held: there are as many as questions, not as papers."""

    lines: tuple[tuple[ItemLine, ItemFigures], ...]
    state: DataState
    sentence: str
    format: str
    asked_at: dt.datetime
    withholds: bool

    @classmethod
    def read(cls, chosen: ItemFilter, scope_paths: Sequence[str], format: str, now: dt.datetime) -> "ItemTable":
        withholds = not is_whole(scope_paths)
        lines = tuple(items_queries.stream_items(chosen, scope_paths, withholds=withholds))
        state = items_queries.get_state(items_queries.find_scope(chosen.campaign, scope_paths))
        return cls(lines, state, items_queries.filter_sentence(chosen), format, now, withholds)

    @property
    def file_name(self) -> str:
        """``题目分析-20260320-1200.xlsx``, the moment in Shanghai."""
        return f"题目分析-{self.asked_at.astimezone(SHANGHAI):%Y%m%d-%H%M}.{self.format}"

    def facts(self) -> list[tuple[str, str]]:
        as_of = self.state.as_of
        moment = f"{as_of.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}（北京时间）" if as_of else N_("还没有统计过")
        exclusions = [(rules.exclusion_name(reason), count) for reason, count in self.state.exclusions]
        return [
            (N_("筛选"), self.sentence),
            (N_("数据时间"), moment),
            (N_("有效答卷"), f"{self.state.paper_count:,} 份"),
            (N_("排除"), rules.exclusion_sentence(exclusions)),
            *((f"口径：{FIGURE_TITLES[name]}", sentence) for name, sentence in DEFINITIONS.items()),
            *([(rules.WITHHELD_FEW, items_rules.WITHHOLDING)] if self.withholds else []),
        ]

    def _columns(self, choice_count: int) -> tuple[Column, ...]:
        choices = []
        for name in (*LETTERS[:choice_count], N_("未作答")):
            choices.append(Column(f"{name} 人次", "count", 9))
            choices += [Column(f"{name} {what}", "rate", 9) for what in (N_("占比"), N_("前三分之一"), N_("后三分之一"))]
        return (*_COLUMNS, *choices)

    def _rows(self, choice_count: int) -> Iterator[list[Cell]]:
        for line, figures in self.lines:
            cells: list[Cell] = [
                line.bank_title,
                line.code,
                line.number,
                N_("是") if line.is_current else N_("否"),
                KIND_TITLES[line.view.kind],
                line.view.difficulty,
                line.view.stem,
                "".join(LETTERS[choice.index] for choice in figures.choices if choice.is_right and choice.index is not None),
                line.shown_count,
                line.answered_count,
                line.correct_count,
                line.facility,
                line.discrimination,
                line.median_seconds,
                line.timed_count,
                rules.WITHHELD_FEW if line.is_withheld else "、".join(FLAG_TITLES[flag] for flag in line.flags),
            ]
            blank: list[Cell] = [None] * 4
            by_index = {choice.index: [choice.count, choice.share, choice.upper_share, choice.lower_share] for choice in figures.choices}
            for index in (*range(choice_count), None):
                cells += by_index.get(index, blank)
            yield cells

    def to_dict(self) -> dict[str, Any]:
        items = [{**line_dict(line), "choices": choice_dicts(figures, line.view.choices)} for line, figures in self.lines]
        return {"items": items, **state_dict(self.state, self.sentence)}

    def write(self, path: Path) -> int:
        if self.format == "json":
            path.write_text(json.dumps(self.to_dict(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            return len(self.lines)
        choice_count = max((len(line.view.choices) for line, _ in self.lines), default=0)
        table = Table(TITLE, self.facts(), self._columns(choice_count), self._rows(choice_count))
        return write_csv(path, table) if self.format == "csv" else write_xlsx(path, table)

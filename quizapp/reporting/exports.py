"""A report as a file: the table with everything that must be printed beside it."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from quizapp.core.clock import SHANGHAI
from quizapp.core.spreadsheets import Cell, Column, Table, write_csv, write_xlsx
from quizapp.core.text import N_
from quizapp.reporting import rules
from quizapp.reporting.queries import ParticipationTable
from quizapp.reporting.rules import Row

Format = Literal["xlsx", "csv", "json"]
FORMATS: tuple[Format, ...] = ("xlsx", "csv", "json")
MEDIA_TYPES: dict[str, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
_COLUMNS = tuple(
    Column(rules.FIGURE_NAMES[name], "rate" if name.endswith("_rate") else "mean" if name == "mean_correct" else "count", 12)
    for name in rules.FIGURE_NAMES
)


def public_version(table: ParticipationTable) -> ParticipationTable:
    """The table as it may be published: small groups masked, and the sentence that says so."""
    rows, total = rules.mask_small_groups(table.rows, table.total)
    withholds = "withholding" in table.definitions
    return replace(table, rows=rows, total=total, definitions=rules.definitions(table.by, is_public=True, withholds=withholds))


def title(is_public: bool) -> str:
    return N_("参与统计（公开版）") if is_public else N_("参与统计（内部使用）")


def file_name(table: ParticipationTable, extension: str, is_public: bool) -> str:
    """``参与统计-公开版-spring-20260320-1200.xlsx``: latin, digits and Chinese only, the data time in Shanghai."""
    campaigns = table.filter.campaigns
    what = N_("全部活动") if campaigns is None else campaigns[0] if len(campaigns) == 1 else f"{len(campaigns)}个活动"
    kind = N_("公开版") if is_public else N_("内部")
    return f"参与统计-{kind}-{what}-{table.as_of.astimezone(SHANGHAI):%Y%m%d-%H%M}.{extension}"


def facts(table: ParticipationTable) -> list[tuple[str, str]]:
    """What is printed above every exported table: filter, data time, exclusions, definitions."""
    names = {**rules.FIGURE_NAMES, **rules.DIMENSION_NAMES, "masking": N_("隐去"), "withholding": rules.WITHHELD}
    return [
        (N_("筛选"), table.filter_sentence),
        (N_("数据时间"), f"{table.as_of.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}（北京时间）"),
        (N_("排除"), rules.exclusion_sentence(table.exclusions)),
        *((f"口径：{names[code]}", sentence) for code, sentence in table.definitions.items()),
    ]


def _figures(row: Row) -> list[Cell]:
    if row.figures is None:
        return [rules.MASKED] * len(rules.FIGURE_NAMES)
    is_bare = not row.figures.has_results
    return [rules.WITHHELD if is_bare and name in rules.RESULT_NAMES else value for name, value in row.figures.to_dict().items()]


def _lines(table: ParticipationTable) -> Iterator[list[Cell]]:
    for row in table.rows:
        codes: list[Cell] = [
            dt.date.fromisoformat(code) if name == "day" and code else label
            for name, code, label in zip(table.by, row.codes, row.labels, strict=True)
        ]
        yield [*codes, *_figures(row)]
    yield [N_("合计"), *([""] * (max(1, len(table.by)) - 1)), *_figures(table.total)]


def sheet(table: ParticipationTable, is_public: bool) -> Table:
    """The table for ``core.spreadsheets``; the last line is the total, which is a recount and not a sum."""
    level = rules.REGION_LEVEL_NAMES[table.region_level]
    heads = [
        Column(level if name == "region" else rules.DIMENSION_NAMES[name], "day" if name == "day" else "text", 26) for name in table.by
    ]
    return Table(title(is_public), facts(table), (*(heads or [Column("")]), *_COLUMNS), _lines(table))


def write(table: ParticipationTable, format: str, path: Path, *, is_public: bool = False) -> int:
    """Write the report to ``path``; returns its number of rows without the total.

    :param is_public: mask groups of fewer than :data:`rules.MINIMUM_PERSONS` persons
    """
    if is_public:
        table = public_version(table)
    if format == "json":
        path.write_text(json.dumps(table.to_dict(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    elif format == "csv":
        write_csv(path, sheet(table, is_public))
    else:
        write_xlsx(path, sheet(table, is_public))
    return len(table.rows)

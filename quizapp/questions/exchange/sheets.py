"""Spreadsheets as rows of text: Excel .xlsx and .xls, WPS .et, .ods, and CSV or tab-separated text."""

import csv
import io
from dataclasses import dataclass, field

from quizapp.questions.exchange.opened import is_zip, weigh_zip
from quizapp.questions.exchange.outside import open_outside
from quizapp.questions.exchange.parsed import Parsed, Problem, file_problem

DELIMITERS = ",\t;，；|"


@dataclass(frozen=True)
class Sheet:
    """Rows of texts, all equally long.

    :param doubtful: places (row, column) from 0 whose look in the file is not known: dates and numbers with a format
    :param merged: vertical merges (first row, last row, column)
    :param first_row: number of the first row in the file
    """

    name: str
    rows: list[list[str]]
    doubtful: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: tuple[tuple[int, int, int], ...] = ()
    first_row: int = 1


def read_workbook(raw: bytes, format: str) -> tuple[list[Sheet], list[Problem]] | Parsed:
    """The visible sheets of a workbook, merged cells filled downwards."""
    refusal = weigh_zip(raw, format) if is_zip(raw) else None
    if refusal is not None:
        return refusal
    result = open_outside(raw, "sheets", format)
    if isinstance(result, Parsed):
        return result
    problems = []
    hidden = [sheet["name"] for sheet in result["sheets"] if sheet["is_hidden"]]
    if hidden:
        problems.append(file_problem(f"隐藏的工作表没有读：{'、'.join(hidden)}", "里面有题就取消隐藏再传", severity="note"))
    if result["has_pictures"]:
        problems.append(file_problem("表格里有图片，图片不会导入", "题目要靠图才能答的，请把图里的内容写成文字", severity="note"))
    return [_sheet(sheet) for sheet in result["sheets"] if not sheet["is_hidden"]], problems


def _sheet(body: dict[str, object]) -> Sheet:
    doubtful: dict[tuple[int, int], str] = {}
    rows: list[list[str]] = []
    for r, cells in enumerate(body["rows"]):  # type: ignore[arg-type, var-annotated]  # the child's JSON
        row: list[str] = []
        for c, cell in enumerate(cells):
            if isinstance(cell, dict):
                doubtful[(r, c)] = cell["w"]
                cell = cell["t"]
            row.append(cell)
        rows.append(row)
    merged = []
    for (top, left), (bottom, _right) in body["merged"]:  # type: ignore[attr-defined]  # the child's JSON
        if bottom > top and top < len(rows) and left < len(rows[0]):
            bottom = min(bottom, len(rows) - 1)
            merged.append((top, bottom, left))
            for r in range(top + 1, bottom + 1):
                rows[r][left] = rows[top][left]
    return Sheet(str(body["name"]), rows, doubtful, tuple(merged))


def read_delimited(text: str) -> list[Sheet]:
    """CSV or tab-separated text as one sheet; each row keeps the number of the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append([unguarded(cell) for cell in row])
    except csv.Error:
        return []
    width = max((len(row) for row in rows), default=0)
    return [Sheet("", [row + [""] * (width - len(row)) for row in rows])]


def _delimiter(text: str) -> str:
    """The sign that divides the header best."""
    lines = [line for line in text[:20_000].split("\n") if line.strip()]
    if not lines:
        return ","
    return max(DELIMITERS, key=lines[0].count)


FORMULA_SIGNS = "=+-@\t＝＋－＠"


def guarded(text: str) -> str:
    """A text as a CSV cell that no spreadsheet takes for a formula: with an apostrophe before it. Texts that begin with
    apostrophes of their own get one too where they would be mistaken for guarded ones, so that nothing is lost."""
    return "'" + text if text.lstrip("' \n").startswith(tuple(FORMULA_SIGNS)) and text[:1] in ("'", " ", "\n", *FORMULA_SIGNS) else text


def unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and guarded(text[1:]) == text else text

"""Tables as files: Excel and CSV, each opening with what the table is. Rows come from any iterable, one at a time.

Text cannot start a formula: in xlsx it is stored as text whatever it looks like; in CSV, where a spreadsheet guesses, a
cell that would be read as a formula gets a leading apostrophe.
"""

import csv
import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import xlsxwriter

from quizapp.core.text import has_forbidden_characters

Cell = str | int | float | dt.date | None
Kind = Literal["text", "count", "rate", "mean", "day"]

MAX_ROWS = 1_048_576
"""A sheet of Excel ends here."""
MAX_CELL = 32_767
_FORMULA_START = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BAD_IN_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")
_XLSX_FORMATS: dict[Kind, dict[str, str]] = {
    "text": {},
    "count": {"num_format": "#,##0"},
    "rate": {"num_format": "0.00%"},
    "mean": {"num_format": "0.0000"},
    "day": {"num_format": "yyyy-mm-dd"},
}


@dataclass(frozen=True)
class Column:
    """``kind`` decides how numbers look; a text in a number column stays text. ``width`` is in characters."""

    title: str
    kind: Kind = "text"
    width: int = 14


@dataclass(frozen=True)
class Table:
    """A file to be: ``facts`` are (word, sentence) lines above the table, e.g. 口径, 筛选, 数据时间, 排除."""

    title: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]


def safe_text(value: str) -> str:
    """Drop what no spreadsheet can hold: control characters and lone surrogates. Line ends become ``\\n``."""
    if has_forbidden_characters(value):
        value = "".join(char for char in value if not has_forbidden_characters(char))
    return value.replace("\r\n", "\n").replace("\r", "\n")[:MAX_CELL]


def csv_text(value: str) -> str:
    """A text as a CSV cell that no spreadsheet takes for a formula (also behind spaces, tabs and line breaks, and with
    the full-width signs that Chinese and Japanese versions accept)."""
    value = safe_text(value)
    bare = value.lstrip()
    if bare.startswith(_FORMULA_START) or value[:1] in ("\t", "\n"):
        return "'" + value[: MAX_CELL - 1]
    return value


def _csv_cell(value: Cell) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, str):
        return csv_text(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def write_csv(path: Path, table: Table) -> int:
    """Write UTF-8 with a byte-order mark, so that Excel reads Chinese. Returns the number of table rows."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([csv_text(table.title)])
        for word, sentence in table.facts:
            writer.writerow([csv_text(word), csv_text(sentence)])
        writer.writerow([])
        writer.writerow([csv_text(column.title) for column in table.columns])
        for row in table.rows:
            writer.writerow([_csv_cell(value) for value in row])
            count += 1
    return count


def sheet_name(title: str, number: int = 1) -> str:
    """A title as Excel allows it: 31 characters, none of ``[]:*?/\\``, no apostrophe at the ends; numbered from 2 on."""
    suffix = "" if number == 1 else f" ({number})"
    clean = _BAD_IN_SHEET_NAME.sub(" ", safe_text(title)).strip("' ") or "Sheet"
    return clean[: 31 - len(suffix)].rstrip("' ") + suffix


class _Sheets:
    """The sheets of one workbook under construction: the next one begins where Excel's rows end."""

    def __init__(self, book: Any, table: Table, max_rows: int) -> None:
        self._book = book
        self._table = table
        self._max_rows = max_rows
        self._formats = {kind: book.add_format(spec) for kind, spec in _XLSX_FORMATS.items()}
        self._bold = book.add_format({"bold": True})
        self._head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._number = 0
        self._row = 0
        self._begin()

    def _begin(self) -> None:
        self._number += 1
        self._sheet = self._book.add_worksheet(sheet_name(self._table.title, self._number))
        for index, column in enumerate(self._table.columns):
            self._sheet.set_column(index, index, column.width)
        self._row = 0
        if self._number == 1:
            self._line([self._table.title], self._bold)
            for word, sentence in self._table.facts:
                self._line([word, sentence], None)
            self._row += 1
        self._line([column.title for column in self._table.columns], self._head)

    def _line(self, texts: Sequence[str], look: Any) -> None:
        for index, text in enumerate(texts):
            self._sheet.write_string(self._row, index, safe_text(text), look)
        self._row += 1

    def add(self, row: Sequence[Cell]) -> None:
        if self._row >= self._max_rows:
            self._begin()
        for index, (value, column) in enumerate(zip(row, self._table.columns, strict=True)):
            if value is None:
                continue
            if isinstance(value, str):
                self._sheet.write_string(self._row, index, safe_text(value))
            elif isinstance(value, dt.date):
                moment = dt.datetime.combine(value, dt.time())
                self._sheet.write_datetime(self._row, index, moment, self._formats["day"])
            else:
                self._sheet.write_number(self._row, index, value, self._formats[column.kind])
        self._row += 1


def write_xlsx(path: Path, table: Table, max_rows: int = MAX_ROWS) -> int:
    """Write an Excel file row by row (constant memory), on further sheets where one is full. Returns the number of
    table rows. Rates and counts are numbers, everything else is text."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    count = 0
    with xlsxwriter.Workbook(str(path), options) as book:
        sheets = _Sheets(book, table, max_rows)
        for row in table.rows:
            sheets.add(row)
            count += 1
    return count

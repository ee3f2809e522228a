import csv
import datetime as dt
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from quizapp.core.spreadsheets import Cell, Column, Table, csv_text, safe_text, sheet_name, write_csv, write_xlsx

COLUMNS = (Column("单位"), Column("人次", "count"), Column("合格率", "rate"), Column("平均", "mean"), Column("日期", "day"))
ROWS: Sequence[Sequence[Cell]] = (
    ("红山区", 31208, 0.6514, 3.2, dt.date(2026, 3, 10)),
    ("=1+1", 0, None, None, None),
    ("@SUM(A1)", 5, 1.0, 5.0, dt.date(2026, 3, 11)),
    ("http://example.cn/", 1, 0.0, 0.0, None),
    ("隐去", "隐去", "隐去", "隐去", None),
)
DANGEROUS = ["=1+1", "+1", "-1+2", "@x", " =1", "\t=1", "\n=1", "\r1", "＝1+1", "＋1", "－1", "＠x", "=cmd|'/c calc'!A0"]


def _table(rows: Sequence[Sequence[Cell]] = ROWS) -> Table:
    return Table("参与统计", [("口径", "=不是公式"), ("筛选", "全部活动")], COLUMNS, rows)


def test_an_excel_file_holds_facts_header_and_typed_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    assert write_xlsx(path, _table()) == 5
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    lines = list(sheet.iter_rows())
    assert [cell.value for cell in lines[0]][:2] == ["参与统计", None]
    assert [cell.value for cell in lines[1]][:2] == ["口径", "=不是公式"]
    assert [cell.value for cell in lines[4]] == [column.title for column in COLUMNS]
    assert [cell.value for cell in lines[5]] == ["红山区", 31208, 0.6514, 3.2, dt.datetime(2026, 3, 10)]  # noqa: DTZ001 - Excel knows no zones
    assert [lines[5][index].number_format for index in (1, 2, 3, 4)] == ["#,##0", "0.00%", "0.0000", "yyyy-mm-dd"]
    assert [cell.value for cell in lines[9]] == ["隐去"] * 4 + [None]
    assert {cell.data_type for line in lines for cell in line} <= {"s", "n", "d"}
    assert sheet["A9"].hyperlink is None


def test_another_reader_sees_the_same(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    write_xlsx(path, _table())
    book = CalamineWorkbook.from_path(str(path))
    assert book.sheet_names == ["参与统计"]
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[5] == ["红山区", 31208.0, 0.6514, 3.2, dt.date(2026, 3, 10)]
    assert rows[6][0] == "=1+1"


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_that_looks_like_a_formula_stays_text_in_excel(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.xlsx"
    write_xlsx(path, Table(text, [(text, text)], [Column(text)], [[text]]))
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    cells = [cell for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert cells[-1].value == text.replace("\r", "\n")


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_that_looks_like_a_formula_is_defused_in_csv(text: str) -> None:
    assert csv_text(text) == "'" + text.replace("\r", "\n")


@given(st.text(max_size=40))
def test_no_csv_cell_begins_like_a_formula(text: str) -> None:
    cell = csv_text(text)
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert cell.removeprefix("'") == safe_text(text).removeprefix("'") or cell == safe_text(text)
    cell.encode()


def test_a_csv_file_opens_in_excel_as_chinese(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    assert write_csv(path, _table()) == 5
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert lines[0] == ["参与统计"]
    assert lines[1] == ["口径", "'=不是公式"]
    assert lines[3] == []
    assert lines[5] == ["红山区", "31208", "0.6514", "3.2", "2026-03-10"]
    assert lines[6] == ["'=1+1", "0", "", "", ""]


@pytest.mark.parametrize(
    ("title", "number", "name"),
    [
        ("a/b:c*d?[e]\\", 1, "a b c d  e"),
        ("'x'", 1, "x"),
        ("", 1, "Sheet"),
        ("统" * 40, 1, "统" * 31),
        ("统" * 40, 12, "统" * 26 + " (12)"),
    ],
)
def test_sheet_names_are_what_excel_allows(title: str, number: int, name: str) -> None:
    assert sheet_name(title, number) == name


def test_a_full_sheet_goes_on_in_the_next(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    rows = [[f"{number}"] for number in range(25)]
    assert write_xlsx(path, Table("长表", [("筛选", "全部")], [Column("号")], rows), max_rows=12) == 25
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["长表", "长表 (2)", "长表 (3)"]
    values = [[line[0] for line in sheet.iter_rows(values_only=True)] for sheet in book]
    assert values[0][:4] == ["长表", "筛选", None, "号"]
    assert [value for sheet, head in zip(values, (4, 1, 1), strict=True) for value in sheet[head:]] == [str(n) for n in range(25)]
    assert max(len(sheet) for sheet in values) == 12


def test_what_no_file_can_hold_is_dropped(tmp_path: Path) -> None:
    text = "a\x00b\x0b\ud800c" + "长" * 40_000
    assert len(safe_text(text)) == 32_767
    path = tmp_path / "t.xlsx"
    write_xlsx(path, Table("t", [], [Column("x")], [[text]]))
    assert CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()[-1][0].startswith("abc长")


@pytest.mark.parametrize("write", [write_xlsx, write_csv])
def test_rows_are_taken_one_at_a_time(tmp_path: Path, write: object) -> None:
    """Twenty thousand rows from a generator must not sit in memory."""

    def rows() -> Iterator[list[Cell]]:
        for number in range(20_000):
            yield [f"单位{number}", number, 0.5, 2.5, None]

    tracemalloc.start()
    try:
        count = write(tmp_path / "big", _table(rows()))  # type: ignore[operator, arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 8 * 1024 * 1024

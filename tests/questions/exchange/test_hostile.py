"""Files made to harm, or broken by accident: refused in words, quickly, and nothing of them is run, fetched or shortened."""

import io
import struct
import zipfile

import docx
import openpyxl
import pytest
import xlsxwriter
from docx.oxml import OxmlElement
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.questions.exchange import child, formats, opened, outside
from quizapp.questions.exchange.formats import BY_NAME
from quizapp.questions.exchange.parsed import Parsed
from tests.factories.questions import make_entry


def _archive(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return out.getvalue()


def _repacked(raw: bytes, changes: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return _archive({**members, **changes})


def _book(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


HEADER = ["题干", "选项A", "选项B", "答案"]
GOOD = ["哪个对？", "甲", "乙", "A"]


def _refused(parsed: Parsed) -> str:
    assert not parsed.questions
    assert len(parsed.errors) == 1
    assert parsed.errors[0].row == 0
    assert parsed.errors[0].mend
    return parsed.errors[0].reason


def test_an_archive_that_unpacks_to_too_much_is_weighed_first() -> None:
    bomb = _archive({"xl/workbook.xml": b"", "xl/bomb.xml": b"\x00" * (opened.MAX_UNPACKED_BYTES + 1)})
    assert len(bomb) < 1024 * 1024
    assert "展开后超过" in _refused(formats.read(bomb, "x.xlsx"))


def test_an_archive_that_lies_about_its_sizes_is_refused() -> None:
    raw = bytearray(_archive({"questions.yaml": b"x" * 100_000}))
    place = raw.rindex(b"PK\x01\x02")
    raw[place + 24 : place + 28] = struct.pack("<I", 10)
    assert "打不开" in _refused(formats.read(bytes(raw), "x.zip"))


def test_a_sheet_that_claims_millions_of_cells_takes_only_its_own_process_down() -> None:
    raw = _book(HEADER, GOOD)
    sheet = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )
    reason = _refused(formats.read(_repacked(raw, {"xl/worksheets/sheet1.xml": sheet}), "x.xlsx"))
    assert "太大" in reason


def test_one_long_string_used_a_million_times_does_not_fill_the_server() -> None:
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (row, row) for row in range(1, 150_001))
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' + cells + b"</sheetData></worksheet>"
    )
    strings = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>' + b"x" * 32_000 + b"</t></si></sst>"
    raw = _book(["a"], ["b"])
    parsed = formats.read(_repacked(raw, {"xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": strings}), "x.xlsx")
    assert "太大" in _refused(parsed)


@pytest.mark.parametrize("name", ["xlsx", "docx"])
def test_a_file_that_takes_for_ever_is_given_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "SECONDS", 0.001)
    assert "没有读完" in _refused(formats.read(BY_NAME[name].write([make_entry(1)]), f"x.{name}"))


def test_entities_are_refused_before_anything_is_parsed() -> None:
    laughs = '<?xml version="1.0"?><!DOCTYPE quiz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><quiz><question type="truefalse"/></quiz>'
    outside_file = '<!DOCTYPE quiz SYSTEM "file:///etc/passwd"><quiz></quiz>'
    for text in (laughs, outside_file, f"\ufeff{laughs}"):
        for raw in (text.encode(), text.encode("utf-16")):
            assert "DOCTYPE" in _refused(formats.read(raw, "x.xml"))
    external = _repacked(BY_NAME["docx"].write([make_entry(1)]), {"word/document.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x/>'})
    assert "外部引用" in _refused(formats.read(external, "x.docx"))


def test_deep_nesting_is_refused() -> None:
    for raw in ("[" * 100_000).encode(), b"<quiz>" + b"<a>" * 100_000, ("- " * 50_000).encode(), b"{" * 100_000:
        assert formats.read(raw, "x").errors


def test_formulas_are_not_run_their_stored_values_are_read() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, GOOD)
        sheet.write_formula(1, 0, '="哪个"&"对？"', None, "哪个对？")
        sheet.write_row(2, 0, ["没有算过的公式", "甲", "乙"])
        sheet.write_formula(2, 3, "=NOW()", None, "")
        sheet.write_row(3, 0, ["算错的公式", "甲", "乙"])
        sheet.write_formula(3, 3, "=1/0", None, "#DIV/0!")
    parsed = formats.read(out.getvalue(), "x.xlsx")
    assert [question.entry.stem for question in parsed.questions] == ["哪个对？"]
    assert [(problem.row, problem.column) for problem in parsed.errors] == [(3, "答案"), (4, "答案")]


@pytest.mark.parametrize("name", ["xlsx", "csv"])
def test_no_text_leaves_as_a_formula(name: str) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", '=HYPERLINK("http://x")', "'=1"]
    raw = BY_NAME[name].write([make_entry(1, stem=f"{text} 的题", choices=tuple(texts[:4]), explanation=text) for text in texts])
    if name == "csv":
        import csv as reader

        cells = [cell for row in reader.reader(io.StringIO(raw.decode("utf-8-sig"))) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\uff1d"))]
        return
    sheet = openpyxl.load_workbook(io.BytesIO(raw)).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}


def test_a_workbook_with_macros_is_read_like_any_other() -> None:
    raw = _repacked(_book(HEADER, GOOD), {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0 macro"})
    assert len(formats.read(raw, "x.xlsm").questions) == 1


def test_locked_files_say_so() -> None:
    encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504 + "EncryptedPackage".encode("utf-16-le")
    assert "密码" in _refused(formats.read(encrypted, "x.xlsx"))
    old_word = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504 + "WordDocument".encode("utf-16-le")
    assert ".doc" in _refused(formats.read(old_word, "x.doc"))
    assert _refused(formats.read(b"%PDF-1.7", "x.pdf"))


def test_stems_of_500_characters_come_whole_and_501_are_refused_not_cut() -> None:
    parsed = formats.read(_book(HEADER, ["长" * 500, *GOOD[1:]], ["长" * 501, *GOOD[1:]]), "x.xlsx")
    assert [len(question.entry.stem) for question in parsed.questions] == [500]
    assert [(problem.row, problem.column, "501" in problem.reason) for problem in parsed.errors] == [(3, "题干", True)]
    assert "不会替您截断" in parsed.errors[0].mend


def test_numbers_and_dates_arrive_as_they_look_or_are_named() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["题干", "选项A", "选项B", "选项C", "选项D", "答案"])
        formats_used = {
            code: book.add_format({"num_format": code})
            for code in ("0%", "0.00%", 'm"月"d"日"', "yyyy-mm-dd", "0.00", "#,##0", "h:mm", "0.0E+00")
        }
        sheet.write_string(1, 0, "看得清的")
        sheet.write_number(1, 1, 0.15, formats_used["0%"])
        sheet.write_number(1, 2, 0.015, formats_used["0.00%"])
        sheet.write_number(1, 3, 46096, formats_used['m"月"d"日"'])
        sheet.write_number(1, 4, 12345, formats_used["#,##0"])
        sheet.write_string(1, 5, "A")
        sheet.write_string(2, 0, "看得清的二")
        for column, value in enumerate([3, 0.5, 46096], 1):
            sheet.write_number(2, column, value, formats_used["yyyy-mm-dd"] if value > 9 else None)
        sheet.write_number(2, 4, 2.5, formats_used["0.00"])
        sheet.write_string(2, 5, "B")
        sheet.write_string(3, 0, "看不清的")
        sheet.write_number(3, 1, 0.5, formats_used["h:mm"])
        sheet.write_number(3, 2, 5, formats_used["0.0E+00"])
        sheet.write_string(3, 5, "A")
    parsed = formats.read(out.getvalue(), "x.xlsx")
    assert [question.entry.choices for question in parsed.questions] == [
        ("15%", "1.50%", "3月15日", "12,345"),
        ("3", "0.5", "2026-03-15", "2.50"),
    ]
    assert [(problem.row, problem.column) for problem in parsed.errors] == [(4, "选项A"), (4, "选项B")]


def test_pictures_are_never_lost_without_a_word() -> None:
    document = docx.Document()
    document.add_paragraph("1. 看图，这是什么标志？")
    drawing = OxmlElement("w:drawing")
    document.paragraphs[0].add_run()._r.append(drawing)
    for line in ("A. 甲", "B. 乙", "答案：A", "2. 不用看图的题", "A. 甲", "B. 乙", "答案：B"):
        document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    parsed = formats.read(out.getvalue(), "x.docx")
    assert [question.entry.stem for question in parsed.questions] == ["不用看图的题"]
    assert "图片" in parsed.errors[0].reason
    stem = '<questiontext format="html"><text><![CDATA[<p>看图<img src="@@PLUGINFILE@@/a.png"></p>]]></text></questiontext>'
    answers = '<answer fraction="100"><text>true</text></answer><answer fraction="0"><text>false</text></answer>'
    quiz = f'<quiz><question type="truefalse">{stem}{answers}</question></quiz>'
    assert "图片" in formats.read(quiz.encode()).errors[0].reason
    with_media = _repacked(_book(HEADER, GOOD), {"xl/media/image1.png": b"png"})
    notes = [problem.reason for problem in formats.read(with_media, "x.xlsx").problems]
    assert any("图片" in reason for reason in notes)


def test_a_line_as_long_as_a_book_is_named_and_the_rest_is_read() -> None:
    text = "1. 第一题\nA. 甲\nB. 乙\n答案：A\n" + "（ A" * 10_000 + "\n2. 第二题\nA. 甲\nB. 乙\n答案：B"
    parsed = formats.read_text(text)
    assert [question.entry.stem for question in parsed.questions] == ["第一题", "第二题"]
    assert [problem.row for problem in parsed.errors] == [5]


def test_hidden_sheets_are_named() -> None:
    book = openpyxl.Workbook()
    for row in (HEADER, GOOD):
        book.active.append(row)
    book.create_sheet("旧题").sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    parsed = formats.read(out.getvalue(), "x.xlsx")
    assert len(parsed.questions) == 1
    assert "旧题" in parsed.problems[0].reason


def test_ticks_that_are_letters_of_a_picture_font_are_read() -> None:
    assert child.SYMBOLS["wingdings 2"][0x50] == "√"
    document = docx.Document()
    document.add_paragraph("一、判断题")
    for number, char in ((1, "F050"), (2, "F04F")):
        paragraph = document.add_paragraph(f"{number}. 这句话第 {number} 次说。（")
        symbol = OxmlElement("w:sym")
        symbol.set(docx.oxml.ns.qn("w:font"), "Wingdings 2")
        symbol.set(docx.oxml.ns.qn("w:char"), char)
        paragraph.add_run()._r.append(symbol)
        paragraph.add_run("）")
    out = io.BytesIO()
    document.save(out)
    assert [question.entry.answer for question in formats.read(out.getvalue(), "x.docx").questions] == [(0,), (1,)]


@given(raw=st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_no_bytes_raise(raw: bytes) -> None:
    assert isinstance(formats.read(raw, "x"), Parsed)


@given(text=st.text(st.sampled_from("1234.、ABCD()（）{}=~#:： \n答案解析题判断单选√×<>[]|\t|-"), max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_text_raises_and_every_question_is_whole(text: str) -> None:
    for question in formats.read_text(text).questions:
        entry = question.entry
        assert entry.stem
        assert len(entry.choices) >= 2
        assert entry.answer
        assert max(entry.answer) < len(entry.choices)


@given(cut=st.integers(0, 20_000), name=st.sampled_from(["xlsx", "docx", "moodle", "gift", "csv"]))
@settings(max_examples=25, deadline=None)
def test_a_file_cut_off_anywhere_raises_nothing(cut: int, name: str) -> None:
    raw = BY_NAME[name].write([make_entry(number) for number in range(1, 4)])
    formats.read(raw[: cut % len(raw)], f"x.{BY_NAME[name].extension}")

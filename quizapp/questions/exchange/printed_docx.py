"""A printable paper as Word, for those who want to change it before they print."""

from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.shared import Pt

from quizapp.questions.exchange.printed import Line, Paper
from quizapp.questions.exchange.word_files import new_document, saved

SHEET_COLUMNS = 2
_SHORT = 16
"""Choices of at most so many characters share a line, two by two."""


def write(paper: Paper) -> bytes:
    document = new_document()
    _heading(document, paper.title, 18)
    _centred(document, f"卷号 {paper.serial}　共 {paper.count} 题")
    _centred(document, "姓名：______________　单位：____________________　得分：________")
    for section in paper.sections:
        title = document.add_paragraph()
        title.paragraph_format.space_before = Pt(12)
        title.paragraph_format.keep_with_next = True
        title.add_run(section.title).bold = True
        title.add_run(f"　{section.hint}").font.size = Pt(9)
        for line in section.lines:
            _question(document, line)
    _sheet(document, paper)
    if paper.has_key:
        _key(document, paper)
    return saved(document)


def _heading(document: Document, text: str, size: int) -> None:
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run(text)
    run.bold = True
    run.font.size = Pt(size)


def _centred(document: Document, text: str) -> None:
    document.add_paragraph(text).alignment = WD_ALIGN_PARAGRAPH.CENTER


def _question(document: Document, line: Line) -> None:
    stem = document.add_paragraph(f"{line.number}. {line.stem}" + ("" if line.choices else "（　　）"))
    stem.paragraph_format.space_before = Pt(6)
    stem.paragraph_format.keep_with_next = bool(line.choices)
    texts = [f"{mark}. {choice}" for mark, choice in zip(line.marks, line.choices, strict=False)]
    step = 2 if all(len(text) <= _SHORT for text in texts) else 1
    for start in range(0, len(texts), step):
        choices = document.add_paragraph("\t".join(texts[start : start + step]))
        choices.paragraph_format.left_indent = Pt(18)
        choices.paragraph_format.tab_stops.add_tab_stop(Pt(240))
        choices.paragraph_format.keep_with_next = start + step < len(texts)


def _new_page(document: Document, title: str, paper: Paper) -> None:
    document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    _heading(document, title, 16)
    _centred(document, f"{paper.title}　卷号 {paper.serial}")


def _sheet(document: Document, paper: Paper) -> None:
    _new_page(document, "答题卡", paper)
    _centred(document, "姓名：______________　单位：____________________")
    for section in paper.sections:
        document.add_paragraph().add_run(section.title).bold = True
        rows = -(-len(section.lines) // SHEET_COLUMNS)
        table = document.add_table(rows=rows, cols=SHEET_COLUMNS * 2, style="Table Grid")
        for place, line in enumerate(section.lines):
            cells = table.rows[place % rows].cells
            column = place // rows * 2
            cells[column].text = str(line.number)
            cells[column + 1].text = "　".join(f"[{mark}]" for mark in line.marks)


def _key(document: Document, paper: Paper) -> None:
    _new_page(document, "参考答案和讲解（阅卷用）", paper)
    for section in paper.sections:
        document.add_paragraph().add_run(section.title).bold = True
        for line in section.lines:
            paragraph = document.add_paragraph()
            paragraph.add_run(f"{line.number}. {line.key}　").bold = True
            paragraph.add_run(line.explanation)
            if line.citations:
                paragraph.add_run(f"（依据：{line.citations}）")

"""A bank as a Word file that reads well and comes back to the letter: one paragraph for each field."""

import io
from collections.abc import Sequence

import docx
from docx.oxml.ns import qn
from docx.shared import Pt

from quizapp.questions.exchange import words
from quizapp.questions.exchange.papers import OUR_TITLE
from quizapp.questions.loader import Entry
from quizapp.questions.rules import JUDGE_CHOICES, LETTERS

FONT = "宋体"


def new_document() -> "docx.document.Document":
    """An empty A4 document in a font that every Chinese Word and WPS has."""
    document = docx.Document()
    style = document.styles["Normal"]
    style.font.name = FONT
    style.font.size = Pt(11)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    style.paragraph_format.space_after = Pt(2)
    section = document.sections[0]
    section.page_width, section.page_height = Pt(595.3), Pt(841.9)
    section.left_margin = section.right_margin = Pt(62)
    section.top_margin = section.bottom_margin = Pt(62)
    document.core_properties.author = ""
    document.core_properties.comments = ""
    return document


def saved(document: "docx.document.Document") -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def write(entries: Sequence[Entry]) -> bytes:
    document = new_document()
    document.add_paragraph().add_run(OUR_TITLE).bold = True
    for number, entry in enumerate(entries, 1):
        _add(document, number, entry)
    return saved(document)


def _add(document: "docx.document.Document", number: int, entry: Entry) -> None:
    stem = document.add_paragraph()
    stem.paragraph_format.space_before = Pt(10)
    stem.paragraph_format.keep_with_next = True
    stem.add_run(f"{number}. 【{words.kind_title(entry.kind)}】{entry.stem}").bold = True
    is_judge = entry.kind == "judge"
    for letter, choice in zip(LETTERS, () if is_judge else entry.choices, strict=False):
        document.add_paragraph(f"{letter}. {choice}")
    fields = [("答案", JUDGE_CHOICES[entry.answer[0]] if is_judge else words.letters_of(entry.answer)), ("解析", entry.explanation)]
    fields += [("依据", words.write_citation(citation)) for citation in entry.citations]
    fields += [("难度", str(entry.difficulty)), ("标签", words.write_tags(entry.tags))]
    fields += [("复核人", entry.reviewed_by or ""), ("复核日期", entry.reviewed_on or ""), ("平台编号", entry.code)]
    for name, value in fields:
        if value:
            document.add_paragraph(f"{name}：{value}")

"""A bank as a Word file that reads well and comes back to the letter: one paragraph for each field."""

import io
from collections.abc import Sequence
from typing import cast

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.text.paragraph import CT_P
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from quizapp.questions.exchange import words
from quizapp.questions.exchange.papers import OUR_TITLE
from quizapp.questions.loader import Entry
from quizapp.questions.rules import JUDGE_CHOICES, LETTERS

FONT = "宋体"
STEM_STYLE = "题干"


def new_document() -> Document:
    """An empty A4 document in a font that every Chinese Word and WPS has."""
    document = docx.Document()
    style = document.styles["Normal"]
    style.font.name = FONT
    style.font.size = Pt(11)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    style.paragraph_format.space_after = Pt(2)
    stem = document.styles.add_style(STEM_STYLE, WD_STYLE_TYPE.PARAGRAPH)
    stem.base_style = style
    stem.font.bold = True
    stem.paragraph_format.space_before = Pt(10)
    stem.paragraph_format.keep_with_next = True
    section = document.sections[0]
    section.page_width, section.page_height = Pt(595.3), Pt(841.9)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Pt(62)
    document.core_properties.author = ""
    document.core_properties.comments = ""
    return document


def saved(document: Document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


class Body:
    """Adds paragraphs at the end of a document. The library's own ``add_paragraph`` looks through all that are there."""

    def __init__(self, document: Document) -> None:
        self._end = document.element.body.sectPr
        self._parent = document._body
        self._stem_style = document.styles[STEM_STYLE].style_id

    def add(self, text: str, *, is_stem: bool = False) -> None:
        element = cast(CT_P, OxmlElement("w:p"))
        self._end.addprevious(element)
        if is_stem:
            element.style = self._stem_style
        Paragraph(element, self._parent).add_run(text)


def write(entries: Sequence[Entry]) -> bytes:
    document = new_document()
    body = Body(document)
    body.add(OUR_TITLE, is_stem=True)
    for number, entry in enumerate(entries, 1):
        _add(body, number, entry)
    return saved(document)


def _add(body: Body, number: int, entry: Entry) -> None:
    body.add(f"{number}. 【{words.kind_title(entry.kind)}】{entry.stem}", is_stem=True)
    is_judge = entry.kind == "judge"
    for letter, choice in zip(LETTERS, () if is_judge else entry.choices, strict=False):
        body.add(f"{letter}. {choice}")
    fields = [("答案", JUDGE_CHOICES[entry.answer[0]] if is_judge else words.letters_of(entry.answer)), ("解析", entry.explanation)]
    fields += [("依据", words.write_citation(citation)) for citation in entry.citations]
    fields += [("难度", str(entry.difficulty)), ("标签", words.write_tags(entry.tags))]
    fields += [("复核人", entry.reviewed_by or ""), ("复核日期", entry.reviewed_on or ""), ("平台编号", entry.code)]
    for name, value in fields:
        if value:
            body.add(f"{name}：{value}")

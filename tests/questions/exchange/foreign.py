"""Files as other people and programs write them, made by other libraries than those that read them. Each layout takes the
questions of a shipped bank, so that their texts are real ones."""

import csv
import html
import io
from collections.abc import Callable, Sequence

import docx
import openpyxl
import xlwt
from docx.document import Document
from docx.shared import Pt

from quizapp.questions.loader import Entry

LETTERS = "ABCDEFGH"
TITLES = {"single": "单选题", "multiple": "多选题", "indefinite": "不定项选择题", "judge": "判断题"}


def letters(entry: Entry) -> str:
    return "".join(LETTERS[index] for index in entry.answer)


def is_true(entry: Entry) -> bool:
    return entry.answer == (0,)


def _by_kind(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    kinds = ("single", "multiple", "indefinite", "judge")
    return [(kind, [entry for entry in entries if entry.kind == kind]) for kind in kinds if any(entry.kind == kind for entry in entries)]


# ---- spreadsheets


def exam_system_xlsx(entries: Sequence[Entry]) -> bytes:
    """Title, instructions, starred headers, 正确/错误 as choices of judge questions, words for difficulty, columns of its own."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "试题导入"
    sheet["A1"] = "某区普法考试题库"
    sheet.merge_cells("A1:M1")
    sheet["A2"] = "填写说明：带 * 的必填；判断题选项 A 填正确，选项 B 填错误；多选答案直接连写。"
    sheet.merge_cells("A2:M2")
    sheet.append(
        ["序号", "题型*", "题干（必填）", *(f"选项 {letter}" for letter in "ABCDEF"), "正确答案*", "答案解析", "难易程度", "知识点", "分值"]
    )
    for number, entry in enumerate(entries, 1):
        choices = ["正确", "错误"] if entry.kind == "judge" else list(entry.choices)
        level = ["易", "较易", "中", "较难", "难"][entry.difficulty - 1]
        sheet.append(
            [
                number,
                TITLES[entry.kind],
                entry.stem,
                *choices,
                *[None] * (6 - len(choices)),
                letters(entry),
                entry.explanation,
                level,
                "普法",
                2,
            ]
        )
    notes = book.create_sheet("说明")
    notes["A1"] = "请勿改动表头"
    return _book(book)


def _book(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def old_xls_one_cell(entries: Sequence[Entry]) -> bytes:
    """Excel 97: all choices in one cell, 1 and 0 for judge questions, commas between letters."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Sheet1")
    for column, name in enumerate(["编号", "试题类型", "试题内容", "选项", "标准答案", "试题解析"]):
        sheet.write(0, column, name)
    for row, entry in enumerate(entries, 1):
        is_judge = entry.kind == "judge"
        choices = "" if is_judge else "；".join(f"{letter}.{text}" for letter, text in zip(LETTERS, entry.choices, strict=False))
        answer: object = (1 if is_true(entry) else 0) if is_judge else ",".join(letters(entry))
        for column, value in enumerate([row, TITLES[entry.kind].removesuffix("题"), entry.stem, choices, answer, entry.explanation]):
            sheet.write(row, column, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def wps_et_one_row_per_choice(entries: Sequence[Entry]) -> bytes:
    """WPS .et (the old binary workbook): the stem is merged over the rows of its choices."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("题库")
    for column, name in enumerate(["题号", "题目", "类型", "备选项", "参考答案"]):
        sheet.write(0, column, name)
    row = 1
    for number, entry in enumerate(entries, 1):
        choices = [""] if entry.kind == "judge" else list(entry.choices)
        last = row + len(choices) - 1
        answer = ("对" if is_true(entry) else "错") if entry.kind == "judge" else letters(entry)
        for column, value in ((0, number), (1, entry.stem), (2, TITLES[entry.kind]), (4, answer)):
            if last > row:
                sheet.write_merge(row, last, column, column, value)
            else:
                sheet.write(row, column, value)
        for place, choice in enumerate(choices):
            sheet.write(row + place, 3, f"{LETTERS[place]}、{choice}" if choice else "")
        row = last + 1
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def gb18030_csv(entries: Sequence[Entry]) -> bytes:
    """CSV of Chinese Windows: choices between bars without letters, √ and ×, numbers for letters."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["题目", "题目类型", "选项内容", "正确答案", "出处"])
    for entry in entries:
        is_judge = entry.kind == "judge"
        answer = ("√" if is_true(entry) else "×") if is_judge else "、".join(str(index + 1) for index in entry.answer)
        writer.writerow([entry.stem, TITLES[entry.kind], "" if is_judge else "|".join(entry.choices), answer, ""])
    return out.getvalue().encode("gb18030")


def pasted_from_a_sheet(entries: Sequence[Entry]) -> bytes:
    """Cells copied in Excel and pasted: tab-separated; kinds left out, choices lettered a to f in small."""
    lines = ["题干\t选项a\t选项b\t选项c\t选项d\t选项e\t选项f\t答案\t解析"]
    for entry in entries:
        choices = [] if entry.kind == "judge" else list(entry.choices)
        answer = ("正确" if is_true(entry) else "错误") if entry.kind == "judge" else letters(entry).lower()
        lines.append("\t".join([entry.stem, *choices, *[""] * (6 - len(choices)), answer, entry.explanation]))
    return "\n".join(lines).encode()


def flags_for_choices_xlsx(entries: Sequence[Entry]) -> bytes:
    """A 1 or 0 for each choice; headers in English; the kind as a number."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["No.", "Question Type", "Question", *(f"Option {letter}" for letter in "ABCDEF"), "Correct Answer", "Explanation"])
    for number, entry in enumerate(entries, 1):
        is_judge = entry.kind == "judge"
        choices = [] if is_judge else [f"{letter}. {text}" for letter, text in zip(LETTERS, entry.choices, strict=False)]
        flags = " ".join("1" if place in entry.answer else "0" for place in range(len(entry.choices)))
        answer = ("TRUE" if is_true(entry) else "FALSE") if is_judge else flags
        sheet.append(
            [
                number,
                {"single": "Single", "multiple": "Multiple", "judge": "True/False", "indefinite": "Indefinite"}[entry.kind],
                entry.stem,
                *choices,
                *[None] * (6 - len(choices)),
                answer,
                entry.explanation,
            ]
        )
    return _book(book)


# ---- Word


def _saved(document: Document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def word_with_labels(entries: Sequence[Entry]) -> bytes:
    """Typed numbers, a choice a line, 【答案】 and 【解析】 lines, blank paragraphs; sections name the kind."""
    document = docx.Document()
    document.add_heading("普法知识题库（含答案）", 0)
    document.add_paragraph("考试时间 60 分钟，满分 100 分")
    for numeral, (kind, some) in zip("一二三四", _by_kind(entries), strict=False):
        document.add_paragraph(f"{numeral}、{TITLES[kind]}（共 {len(some)} 题，每题 2 分）")
        for number, entry in enumerate(some, 1):
            document.add_paragraph(f"{number}、{entry.stem}").runs[0].font.size = Pt(12)
            for letter, choice in zip(LETTERS, () if kind == "judge" else entry.choices, strict=False):
                document.add_paragraph(f"{letter}．{choice}")
            answer = ("正确" if is_true(entry) else "错误") if kind == "judge" else letters(entry)
            document.add_paragraph(f"【答案】{answer}")
            document.add_paragraph(f"【解析】{entry.explanation}")
            document.add_paragraph("")
    return _saved(document)


def word_counted_by_word(entries: Sequence[Entry]) -> bytes:
    """Numbers that Word counts itself, two choices to a line with tabs, the key in the stem's brackets, （ √ ） for judge."""
    document = docx.Document()
    document.add_heading("知识竞赛试题", 1)
    for numeral, (kind, some) in zip("一二三四", _by_kind(entries), strict=False):
        document.add_paragraph(f"{numeral}、{TITLES[kind]}")
        for entry in some:
            key = ("√" if is_true(entry) else "×") if kind == "judge" else letters(entry)
            document.add_paragraph(f"{entry.stem}（ {key} ）", style="List Number")
            choices = [] if kind == "judge" else [f"{letter}. {text}" for letter, text in zip(LETTERS, entry.choices, strict=False)]
            for start in range(0, len(choices), 2):
                document.add_paragraph("\t\t".join(choices[start : start + 2]))
    return _saved(document)


def word_table(entries: Sequence[Entry]) -> bytes:
    """A table in a Word file."""
    document = docx.Document()
    document.add_paragraph("附件 1：题库")
    names = ["序号", "题型", "题目", "选项", "答案", "法条依据"]
    table = document.add_table(rows=1, cols=len(names))
    for cell, name in zip(table.rows[0].cells, names, strict=True):
        cell.text = name
    for number, entry in enumerate(entries[:40], 1):
        is_judge = entry.kind == "judge"
        choices = "" if is_judge else "\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, entry.choices, strict=False))
        answer = ("对" if is_true(entry) else "错") if is_judge else letters(entry)
        for cell, value in zip(
            table.add_row().cells,
            [str(number), TITLES[entry.kind], entry.stem, choices, answer, "《消费者权益保护法》第五十五条第一款"],
            strict=True,
        ):
            cell.text = value
    return _saved(document)


# ---- text


def survey_tool_text(entries: Sequence[Entry]) -> bytes:
    """A survey tool's exam as text: the kind behind the stem, round and square marks, （正确答案） behind the choice."""
    lines = ["2026 年普法测验", ""]
    for number, entry in enumerate(entries, 1):
        title = "单选题" if entry.kind == "judge" else TITLES[entry.kind]
        choices = ("对", "错") if entry.kind == "judge" else entry.choices
        lines.append(f"{number}. {entry.stem} [{title}] *")
        lines += [f"○{choice}{'(正确答案)' if place in entry.answer else ''}" for place, choice in enumerate(choices)]
        lines += [f"答案解析：{entry.explanation}", ""]
    return "\n".join(lines).encode()


def paper_with_answers_at_the_end(entries: Sequence[Entry]) -> bytes:
    """Choices on one line, no answers in the paper; a list by sections at its end. GB18030 with Windows line ends."""
    lines = ["法律知识竞赛试卷", "姓名：______ 单位：______"]
    answers = ["参考答案"]
    for numeral, (kind, some) in zip("一二三四", _by_kind(entries), strict=False):
        lines.append(f"{numeral}、{TITLES[kind]}")
        answers.append(f"{numeral}、{TITLES[kind]}")
        for number, entry in enumerate(some, 1):
            lines.append(f"{number}．{entry.stem}")
            if kind != "judge":
                lines.append("   ".join(f"{letter}、{text}" for letter, text in zip(LETTERS, entry.choices, strict=False)))
        keys = [("√" if is_true(entry) else "×") if kind == "judge" else letters(entry) for entry in some]
        for start in range(0, len(keys), 5):
            part = keys[start : start + 5]
            joined = "".join(part) if kind in ("single", "judge") else " ".join(part)
            answers.append(f"{start + 1}-{start + len(part)}：{joined}" if len(part) > 1 else f"{start + 1}. {part[0]}")
    return "\r\n".join([*lines, "", *answers]).encode("gb18030")


def key_in_the_stem_text(entries: Sequence[Entry]) -> bytes:
    """Old contest sheets: the key inside the stem's brackets, choices run together on one line."""
    lines = []
    for number, entry in enumerate(entries, 1):
        if entry.kind == "judge":
            lines.append(f"{number}.（{'√' if is_true(entry) else '×'}）{entry.stem}")
        else:
            stem = entry.stem[:-1] if entry.stem[-1] in "？?。" else entry.stem
            lines.append(f"{number}.{stem}（{letters(entry)}）。")
            lines.append("".join(f"{letter}.{text}" for letter, text in zip(LETTERS, entry.choices, strict=False)))
    return "\n".join(lines).encode()


def _gift(text: str) -> str:
    for sign in "\\~=#{}:":
        text = text.replace(sign, f"\\{sign}")
    return text


def gift_by_hand(entries: Sequence[Entry]) -> bytes:
    """As Moodle's manual writes it: titles, comments, categories, feedback, weights, one line or several."""
    blocks = ["$CATEGORY: $course$/top/普法", "// 第一组"]
    for number, entry in enumerate(entries, 1):
        head = f"::Q{number}:: {_gift(entry.stem)}"
        if entry.kind == "judge":
            blocks.append(f"{head} {{{'T' if is_true(entry) else 'FALSE'}}}")
        elif entry.kind == "single" and number % 2:
            blocks.append(
                f"{head} {{{' '.join(('=' if place in entry.answer else '~') + _gift(text) for place, text in enumerate(entry.choices))}}}"
            )
        elif entry.kind == "single":
            body = "\n".join(
                f"  {'=' if place in entry.answer else '~'} {_gift(text)} # 反馈 {place}" for place, text in enumerate(entry.choices)
            )
            blocks.append(f"// question {number}\n{head}\n{{\n{body}\n}}")
        else:
            share = f"{100 / len(entry.answer):.5f}"
            body = "\n".join(f"\t~%{share if place in entry.answer else '-50'}%{_gift(text)}" for place, text in enumerate(entry.choices))
            blocks.append(f"[html]{head}{{\n{body}\n####{_gift(entry.explanation)}\n}}".replace("[html]::", "::"))
    return "\n\n".join(blocks).encode("utf-8-sig")


def _held(tag: str, text: str, attributes: str = 'format="html"', inner: str = "") -> str:
    return f"<{tag} {attributes}><text><![CDATA[{text}]]></text>{inner}</{tag}>"


def _moodle_answer(share: float, text: str, form: str = "html") -> str:
    return _held("answer", text, f'fraction="{share:.5f}" format="{form}"', _held("feedback", ""))


def moodle_export(entries: Sequence[Entry]) -> bytes:
    """HTML in CDATA, categories, numeric ids, feedback for all, as Moodle exports."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "<quiz>"]
    parts.append('<!-- question: 0 --><question type="category"><category><text>top/普法</text></category></question>')
    for number, entry in enumerate(entries, 1):
        kind = "truefalse" if entry.kind == "judge" else "multichoice"
        parts += [f'<!-- question: {number}  --><question type="{kind}">', f"<name><text>第 {number} 题</text></name>"]
        parts.append(_held("questiontext", f"<p dir='ltr'>{html.escape(entry.stem)}<br></p>"))
        parts.append(_held("generalfeedback", f"<p>{html.escape(entry.explanation)}</p>"))
        parts.append(f"<defaultgrade>1.0000000</defaultgrade><penalty>0.3333333</penalty><hidden>0</hidden><idnumber>{number}</idnumber>")
        if entry.kind == "judge":
            parts += [_moodle_answer(100 * (is_true(entry) == (word == "true")), word, "moodle_auto_format") for word in ("true", "false")]
        else:
            parts.append(f"<single>{'true' if entry.kind == 'single' else 'false'}</single><shuffleanswers>true</shuffleanswers>")
            parts.append(_held("correctfeedback", "您答对了。"))
            share = 100 / len(entry.answer)
            parts += [
                _moodle_answer(share * (place in entry.answer), f"<p>{html.escape(text)}</p>") for place, text in enumerate(entry.choices)
            ]
        parts.append("</question>")
    return "\n".join([*parts, "</quiz>"]).encode()


def aiken_by_hand(entries: Sequence[Entry]) -> bytes:
    """Only what Aiken can hold, with brackets behind the letters, as its manual allows."""
    blocks = []
    for entry in entries:
        choices = ("正确", "错误") if entry.kind == "judge" else entry.choices
        lines = [entry.stem, *(f"{letter}) {text}" for letter, text in zip(LETTERS, choices, strict=False)), f"ANSWER: {letters(entry)[0]}"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks).encode()


def _only(*kinds: str) -> Callable[[Sequence[Entry]], list[Entry]]:
    return lambda entries: [entry for entry in entries if entry.kind in kinds]


def _all(entries: Sequence[Entry]) -> list[Entry]:
    return list(entries)


def _in_sections(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for _, some in _by_kind(entries) for entry in some]


def _first_forty(entries: Sequence[Entry]) -> list[Entry]:
    return list(entries[:40])


_WITHOUT_INDEFINITE = _only("single", "multiple", "judge")
LAYOUTS: dict[str, tuple[Callable[[Sequence[Entry]], bytes], str, Callable[[Sequence[Entry]], list[Entry]]]] = {
    "exam system, xlsx": (exam_system_xlsx, "题库.xlsx", _all),
    "one cell, xls": (old_xls_one_cell, "题库.xls", _all),
    "one row a choice, et": (wps_et_one_row_per_choice, "题库.et", _all),
    "GB18030 csv": (gb18030_csv, "题库.csv", _all),
    "pasted cells": (pasted_from_a_sheet, "", _WITHOUT_INDEFINITE),
    "flags, xlsx": (flags_for_choices_xlsx, "export.xlsx", _all),
    "Word with labels": (word_with_labels, "题库.docx", _in_sections),
    "Word that counts": (word_counted_by_word, "竞赛.docx", _in_sections),
    "Word table": (word_table, "附件.docx", _first_forty),
    "survey tool": (survey_tool_text, "", _all),
    "answers at the end": (paper_with_answers_at_the_end, "试卷.txt", _in_sections),
    "key in the stem": (key_in_the_stem_text, "竞赛.txt", _WITHOUT_INDEFINITE),
    "GIFT": (gift_by_hand, "gift.txt", _all),
    "Moodle XML": (moodle_export, "quiz.xml", _all),
    "Aiken": (aiken_by_hand, "aiken.txt", _only("single", "judge")),
}
"""How it is written, its name, and which of the given questions it holds, in its order."""

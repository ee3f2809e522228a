"""Rows of a table as questions: our template, and the layouts that other systems give out.

A header row is looked for, not prescribed; choices may stand in columns, in one cell, or one to a row under their question.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from quizapp.questions.exchange import words
from quizapp.questions.exchange.parsed import Problem, Raw, shortened
from quizapp.questions.exchange.sheets import Sheet
from quizapp.questions.rules import LETTERS

HEADER_ROWS = 30
"""Titles and instructions may stand above the header, but not more than this."""
MAX_HEADER = 60
"""A longer cell is no header."""
OUR_CODE = "平台编号"
_NAMES = {
    "stem": (
        "题干 题目 试题 试题内容 题目内容 题干内容 试题题干 题目题干 问题 问题内容 题目名称 试题名称 考题 题面 内容 "
        "标题 题目描述 试题描述 question stem title "
        "questiontext"
    ),
    "kind": "题型 类型 题目类型 试题类型 试题题型 题类 题目题型 题型名称 questiontype type kind",
    "choices": "选项 选项内容 备选答案 备选项 可选项 题目选项 试题选项 全部选项 候选答案 选择项 答案选项 options choices",
    "answer": "答案 正确答案 参考答案 标准答案 试题答案 题目答案 正确选项 答案内容 正确项 answer correctanswer key correct",
    "explanation": (
        "解析 答案解析 试题解析 题目解析 讲解 题解 答案说明 解释 注解 分析 试题分析 答案详解 详解 点评 explanation analysis feedback"
    ),
    "citations": (
        "依据 法条 法条依据 法律依据 法规依据 条款依据 出题依据 命题依据 答案依据 引用法条 来源依据 出处 答案出处 "
        "试题出处 citation reference"
    ),
    "difficulty": "难度 难易度 难易程度 难度等级 难度系数 试题难度 题目难度 难易 difficulty level",
    "topic": "知识点 考点 知识点名称 所属知识点 考核点 考查点",
    "tags": "标签 题目标签 试题标签 关键词 关键字 章节 所属章节 所属分类 分类 类别 题目分类 试题分类 题库分类 tags category",
    "code": OUR_CODE,
    "reviewed_by": "复核人 审核人 审题人",
    "reviewed_on": "复核日期 审核日期",
    "serial": "序号 编号 题号 试题编号 题目编号 id no no. number",
}
"""What headers are called, without blanks and in small letters."""
_FIELDS = {name: field for field, names in _NAMES.items() for name in names.split()}
_CHOICE = re.compile(r"(?:选项|备选答案|备选项|答案选项|选择项|option|choice|答案)?[_\-:]?([a-h])(?:选项|项)?", re.I)
_CHOICE_NUMBER = re.compile(r"(?:选项|备选答案|备选项|答案选项|选择项|option|choice)[_\-:]?([1-8一二三四五六七八])", re.I)
_BRACKETS = re.compile(r"[(\[【〔（].*?[)\]】〕）]")


def _name(cell: str) -> str:
    """A header cell without stars, brackets, blanks and 必填."""
    if len(cell) > MAX_HEADER:
        return ""
    text = unicodedata.normalize("NFKC", cell).strip().lower()
    bare = _BRACKETS.sub("", text)
    return re.sub(r"[\s*:]+|必填|选填", "", bare or text)


@dataclass
class _Header:
    """Which column holds what."""

    row: int
    fields: dict[str, int] = field(default_factory=dict)
    choices: dict[int, int] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)

    @property
    def is_header(self) -> bool:
        return "stem" in self.fields and (
            "answer" in self.fields or bool(self.choices) or "choices" in self.fields or "kind" in self.fields
        )

    @property
    def is_ours(self) -> bool:
        return "code" in self.fields


def _read_header(row: Sequence[str], number: int) -> _Header:
    header = _Header(number)
    for column, cell in enumerate(row):
        name = _name(cell)
        if not name:
            continue
        letter = _CHOICE.fullmatch(name)
        digit = _CHOICE_NUMBER.fullmatch(name)
        known = _FIELDS.get(name)
        if known and known not in header.fields:
            header.fields[known] = column
            header.titles[known] = cell.strip()
        elif letter or digit:
            place = "abcdefgh".index(letter[1].lower()) if letter else "12345678一二三四五六七八".index(digit[1]) % 8 if digit else 0
            header.choices.setdefault(place, column)
        else:
            header.unused.append(cell.strip())
    return header


def find_header(sheet: Sheet) -> _Header | None:
    for number, row in enumerate(sheet.rows[:HEADER_ROWS]):
        header = _read_header(row, number)
        if header.is_header:
            return header
    return None


def read_tables(sheets: Sequence[Sheet]) -> tuple[list[Raw], list[Problem]]:
    """The questions of every sheet that has a header."""
    raws: list[Raw] = []
    problems: list[Problem] = []
    headers = [find_header(sheet) for sheet in sheets]
    for sheet, header in zip(sheets, headers, strict=True):
        has_content = any(cell.strip() for row in sheet.rows for cell in row)
        if header is not None:
            raws += _Table(sheet, header).read()
            problems += _notes(sheet, header)
        elif has_content and any(headers):
            problems.append(
                Problem(
                    0,
                    "",
                    "这张工作表没有题目的表头，没有读",
                    "里面有题就加上表头：题干、题型、选项A、选项B…、正确答案",
                    sheet.name,
                    severity="note",
                )
            )
    if not any(headers):
        problems.append(
            Problem(
                0,
                "",
                "没有找到表头：至少要有“题干”和“答案”两列",
                "请下载模板对照，或者把第一行写成 题干、题型、选项A、选项B…、正确答案、解析",
            )
        )
    return raws, problems


def _notes(sheet: Sheet, header: _Header) -> Iterator[Problem]:
    unused = [name for name in header.unused if name]
    if unused:
        yield Problem(
            header.row + sheet.first_row,
            "",
            f"这几列平台没有对应的内容，没有导入：{'、'.join(unused)[:200]}",
            "要紧的内容请写进解析或标签",
            sheet.name,
            severity="note",
        )


_TEXT_FIELDS = ("kind", "stem", "answer", "explanation", "difficulty", "tags", "topic", "code", "reviewed_by", "reviewed_on")


class _Table:
    """One sheet with its header."""

    def __init__(self, sheet: Sheet, header: _Header) -> None:
        self.sheet = sheet
        self.header = header
        self.continued = {
            row
            for top, bottom, column in sheet.merged
            if column == header.fields["stem"] and top > header.row
            for row in range(top + 1, bottom + 1)
        }

    def _cell(self, row: Sequence[str], field: str) -> str:
        column = self.header.fields.get(field)
        return row[column] if column is not None else ""

    def read(self) -> list[Raw]:
        raws: list[Raw] = []
        for number in range(self.header.row + 1, len(self.sheet.rows)):
            row = self.sheet.rows[number]
            if not any(cell.strip() for cell in row) or self._is_header_again(row):
                continue
            if raws and self._continues(number, row):
                raws[-1].choices += [text for text in self._choice_cells(row) if text.strip()]
                self._join_answer(raws[-1], number, row)
            else:
                raws.append(self._raw(number, row))
        self._strip_serials(raws)
        for raw in raws:
            self._settle(raw)
        return raws

    def _is_header_again(self, row: Sequence[str]) -> bool:
        """Printed tables repeat their header on each page."""
        return _name(self._cell(row, "stem")) == _name(self.header.titles["stem"]) and _name(self._cell(row, "answer")) == _name(
            self.header.titles.get("answer", "")
        )

    def _continues(self, number: int, row: Sequence[str]) -> bool:
        """A further choice of the question above: its stem is merged downwards, or left empty beside a choice."""
        if number in self.continued:
            return True
        is_lone = "choices" in self.header.fields and bool(self._cell(row, "choices").strip())
        return is_lone and not any(self._cell(row, field).strip() for field in ("stem", "kind"))

    def _join_answer(self, raw: Raw, number: int, row: Sequence[str]) -> None:
        """One to a row, choices may each carry their own 1 or 0, √ or blank."""
        answer = self._cell(row, "answer").strip()
        column = self.header.fields.get("answer")
        is_merged = any(top < number <= bottom and column == at for top, bottom, at in self.sheet.merged)
        if answer and not is_merged:
            raw.answer = f"{raw.answer}\n{answer}" if raw.answer else answer

    def _choice_cells(self, row: Sequence[str]) -> list[str]:
        if self.header.choices:
            texts = [
                row[self.header.choices[place]] if place in self.header.choices else "" for place in range(max(self.header.choices) + 1)
            ]
            while texts and not texts[-1].strip():
                texts.pop()
            return texts
        text = self._cell(row, "choices")
        return [text] if text.strip() else []

    def _raw(self, number: int, row: Sequence[str]) -> Raw:
        header = self.header
        raw = Raw(
            row=number + self.sheet.first_row,
            place=self.sheet.name,
            choices=self._choice_cells(row),
            citations=self._cell(row, "citations") if "citations" in header.fields else None,
            is_ours=header.is_ours,
            columns=header.titles,
        )
        for name in _TEXT_FIELDS:
            setattr(raw, name, self._cell(row, name))
        raw.faults += self._doubts(number, raw)
        return raw

    def _doubts(self, number: int, raw: Raw) -> Iterator[Problem]:
        columns = {
            self.header.fields[name]: self.header.titles[name] for name in ("stem", "explanation", "choices") if name in self.header.fields
        }
        columns |= {column: f"选项{LETTERS[place]}" for place, column in self.header.choices.items()}
        for column, title in columns.items():
            what = self.sheet.doubtful.get((number, column))
            if what:
                value = self.sheet.rows[number][column]
                reason = (
                    "这一格是日期格式，读出来可能和看到的不一样"
                    if what == "date"
                    else "这一格是数字格式，读出来可能和看到的不一样（例如 15% 会成 0.15）"
                )
                yield Problem(raw.row, title, reason, "请把这一格设成文本格式，再照原样打一遍", raw.place, value, shortened(raw.stem))

    def _strip_serials(self, raws: list[Raw]) -> None:
        """Serial numbers that stand before the stems of a whole table (1、2、3…) are not part of them."""
        if self.header.is_ours or len(raws) < 2:
            return
        matches = [re.match(r"\s*(\d{1,5})\s*(?:[、．]|\.(?!\d))\s*", raw.stem) for raw in raws]
        if all(matches) and all(int(match[1]) == place for place, match in enumerate(matches, 1) if match):
            for raw, match in zip(raws, matches, strict=True):
                raw.stem = raw.stem[match.end() :] if match else raw.stem

    def _settle(self, raw: Raw) -> None:
        """One cell with all choices becomes several; letters before the choices go, where each has its own."""
        if not self.header.choices and len(raw.choices) == 1:
            raw.choices = split_choices(raw.choices[0])
        elif not raw.is_ours:
            raw.choices = strip_letters(raw.choices)


# ---- choices


def strip_letters(choices: list[str]) -> list[str]:
    """``A. 可以`` → ``可以``, if every choice carries its own letter."""
    matches = [
        re.match(rf"\s*[(（]?\s*{_either(LETTERS[place])}\s*[)）]?\s*[.、．:：)）]?\s*(?=\S)", text)
        for place, text in enumerate(choices)
        if place < len(LETTERS)
    ]
    if not choices or len(matches) < len(choices) or not all(match and not match[0].isalpha() for match in matches):
        return choices
    return [text[match.end() :] for text, match in zip(choices, matches, strict=True) if match]


def _either(letter: str) -> str:
    """A letter in its four forms: A a Ａ ａ."""
    return f"[{letter}{letter.lower()}{chr(ord(letter) + 0xFEE0)}{chr(ord(letter.lower()) + 0xFEE0)}]"


def _marks(text: str, *, is_tight: bool) -> list[re.Match[str]]:
    """A, B, C… in a row, as far as they go."""
    found: list[re.Match[str]] = []
    position = 0
    for letter in LETTERS:
        before = r"(?<![A-Za-z])" if is_tight else r"(?:^|(?<=[\s;；|,，。$]))"
        match = re.compile(rf"{before}[(（]?{_either(letter)}[)）]?\s*[.、．:：)）]\s*", re.M).search(text, position)
        if match is None:
            break
        found.append(match)
        position = match.end()
    return found


def split_lettered(text: str, *, is_tight: bool = False) -> list[str] | None:
    """``A. 甲 B. 乙`` as [甲, 乙]; None if there are not at least two letters in a row from A, or words before the first."""
    marks = _marks(text, is_tight=is_tight)
    if len(marks) < 2 or text[: marks[0].start()].strip():
        return None
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [text[mark.end() : end].strip().rstrip(";；|$").strip() for mark, end in zip(marks, ends, strict=True)]


def split_choices(text: str) -> list[str]:
    """All choices of one cell: lettered, as a JSON list, one to a line, or with signs between them."""
    text = text.strip()
    if not text:
        return []
    if text.startswith("["):
        listed = words.read_json(text)
        if isinstance(listed, list) and all(isinstance(item, str | int | float) for item in listed):
            return strip_letters([str(item) for item in listed])
    if text.startswith("{"):
        listed = words.read_json(text)
        if isinstance(listed, dict) and list(listed) == list(LETTERS[: len(listed)]):
            return [value if isinstance(value, str) else json.dumps(value) for value in listed.values()]
    lettered = split_lettered(text) or split_lettered(text, is_tight=True)
    if lettered is not None:
        return lettered
    for sign in (r"\n+", r"\|+", r"\$+", r"[#＃]{2,}", r"[;；]", r"\t+", r"\s{2,}", r"[,，]", r"\s+"):
        parts = [part.strip() for part in re.split(sign, text) if part.strip()]
        if len(parts) >= 2:
            return strip_letters(parts)
    return [text]

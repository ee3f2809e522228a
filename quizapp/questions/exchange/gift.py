"""GIFT, Moodle's text format. Ours carries everything: the id as ``[id:]``, what GIFT has no field for as ``[tag:名:值]``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from quizapp.questions.exchange import carried
from quizapp.questions.exchange.parsed import Parsed, Problem, Raw, shortened
from quizapp.questions.exchange.plain import plain
from quizapp.questions.exchange.reading import build_all
from quizapp.questions.loader import Entry

_SPECIAL = re.compile(r"[\\~=#{}:]")
_FORMAT = re.compile(r"\[(html|moodle|plain|markdown)\]\s*", re.I)
_MARK = re.compile(r"\[(id|tag):((?:\\.|[^\\\]\[])*)\]")
_TRUTH = {"T": 0, "TRUE": 0, "F": 1, "FALSE": 1}


_ANSWERED = re.compile(r"\{[^{}]*(?:[=~]|\bT(?:RUE)?\b|\bF(?:ALSE)?\b)[^{}]*\}", re.I)


def looks_like(text: str) -> bool:
    """Whether something stands in braces that GIFT would take for answers."""
    if carried.MARK in text[:400]:
        return True
    return not text.lstrip().startswith(("<", "- ", "[")) and _ANSWERED.search(re.sub(r"\\.", "", text)) is not None


# ---- reading


@dataclass
class _Block:
    """One question's text with the comments before it."""

    row: int
    lines: list[str] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)


_BRACE = re.compile(r"(?<!\\)[{}]")


def _blocks(text: str) -> Iterator[_Block]:
    """Questions are parted by blank lines. An open brace keeps them together, unless another opens first: then the one
    before was forgotten, and only that question suffers."""
    block = _Block(0)
    marks: list[tuple[str, str]] = []
    depth = position = 0
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        position += len(line) + 1
        if not bare and depth:
            brace = _BRACE.search(text, position)
            depth = depth if brace and brace[0] == "}" else 0
        if bare.startswith("//") and not depth:
            marks += [
                (name, re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], value)) for name, value in _MARK.findall(bare)
            ]
            continue
        if bare.startswith("$CATEGORY:"):
            continue
        if not bare and not depth:
            if block.lines:
                yield block
            block = _Block(0)
            continue
        if not block.lines:
            block = _Block(number, [], marks)
            marks = []
        block.lines.append(line)
        unescaped = re.sub(r"\\.", "", line)
        depth = max(0, depth + unescaped.count("{") - unescaped.count("}"))
    if block.lines:
        yield block


def read(text: str) -> Parsed:
    is_ours = carried.MARK in text[:400]
    return build_all("gift", [_question(block, is_ours) for block in _blocks(text)])


def _find(text: str, sign: str, start: int = 0) -> int:
    """Where an unescaped sign stands, -1 if nowhere."""
    position = start
    while position < len(text):
        if text[position] == "\\":
            position += 2
            continue
        if text.startswith(sign, position):
            return position
        position += 1
    return -1


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1] if _SPECIAL.match(found[1]) else found[0], text, flags=re.S)


def _question(block: _Block, is_ours: bool) -> Raw:
    text = "\n".join(block.lines).strip()
    raw = Raw(block.row, is_ours=is_ours)
    title = ""
    if text.startswith("::"):
        end = _find(text, "::", 2)
        if end > 0:
            title, text = text[2:end], text[end + 2 :].lstrip()
    form = _FORMAT.match(text)
    is_html = form is not None and form[1].lower() == "html"
    text = text[form.end() :] if form else text
    start = _find(text, "{")
    end = _find(text, "}", start + 1) if start >= 0 else -1

    def words(part: str) -> str:
        part = part.strip()
        nested = _FORMAT.match(part)
        part = part[nested.end() :] if nested else part
        is_marked = is_html or (nested is not None and nested[1].lower() == "html")
        body = _unescape(part.strip())
        body, has_picture = plain(body) if is_marked else (body, False)
        if has_picture:
            raw.faults.append(Problem(raw.row, "题干", "题目里有图片或媒体，导入不了", "请把图里的内容写成文字", stem=shortened(raw.stem)))
        return body

    carried.apply_marks(raw, block.marks)
    if start < 0 or end < 0:
        raw.stem = words(text) or title
        raw.faults.append(_fault(raw, "没有用大括号写的答案", "这段只是说明文字的，不用导入；是题目就补上 { … }"))
        return raw
    before, body, after = text[:start].rstrip(), text[start + 1 : end], text[end + 1 :].strip()
    raw.stem = words(f"{before} _____ {after}" if after else before)
    _read_answers(raw, body, words)
    return raw


def _fault(raw: Raw, reason: str, mend: str) -> Problem:
    return Problem(raw.row, "答案", reason, mend, stem=shortened(raw.stem))


def _read_answers(raw: Raw, body: str, words: "carried.Words") -> None:
    general = _find(body, "####")
    feedback = words(body[general + 4 :]) if general >= 0 else ""
    body = (body[:general] if general >= 0 else body).strip()
    first = body.split("#")[0].strip().upper()
    if not body:
        raw.faults.append(_fault(raw, "这是简答题，平台只有单选、多选、不定项和判断", "请改成选择题或判断题，或者不导入"))
    elif body.startswith("#"):
        raw.faults.append(_fault(raw, "这是数值题，平台只有单选、多选、不定项和判断", "请改成选择题，或者不导入"))
    elif first in _TRUTH:
        raw.kind, raw.key = "judge", (_TRUTH[first],)
        notes = [words(part) for part in _split(body, "#")[1:]]
        raw.explanation = "\n".join(part for part in (feedback, *notes) if part)
    else:
        _read_choices(raw, body, feedback, words)


def _split(text: str, sign: str) -> list[str]:
    parts: list[str] = []
    start = 0
    while (end := _find(text, sign, start)) >= 0:
        parts.append(text[start:end])
        start = end + len(sign)
    return [*parts, text[start:]]


def _items(body: str) -> Iterator[tuple[str, str]]:
    """Sign and text of each answer."""
    position, places = 0, []
    while position < len(body):
        if body[position] == "\\":
            position += 2
            continue
        if body[position] in "=~":
            places.append(position)
        position += 1
    for start, end in zip(places, [*places, len(body)][1:], strict=True):
        yield body[start], body[start + 1 : end].strip()


def _read_choices(raw: Raw, body: str, general: str, words: "carried.Words") -> None:
    items = list(_items(body))
    if not items:
        raw.faults.append(_fault(raw, "大括号里没有 = 或 ~ 开头的选项", "正确的选项前写 =，其他的写 ~"))
        return
    if any(_find(text, "->") >= 0 for sign, text in items if sign == "="):
        raw.faults.append(_fault(raw, "这是匹配题，平台只有单选、多选、不定项和判断", "请改成选择题，或者不导入"))
        return
    if all(sign == "=" for sign, _ in items):
        raw.faults.append(_fault(raw, "这是填空题（只有 = 没有 ~），平台只有单选、多选、不定项和判断", "请补上错误选项，或者不导入"))
        return
    options: list[carried.Option] = []
    for sign, text in items:
        weight = re.match(r"%(-?\d+(?:\.\d+)?)%", text)
        share = float(weight[1]) if weight else (100.0 if sign == "=" else 0.0)
        answer, *notes = _split(text[weight.end() :] if weight else text, "#")
        options.append(carried.Option(words(answer), share, words("#".join(notes)) if notes else ""))
    is_single = any(sign == "=" for sign, _ in items)
    carried.settle_options(raw, options, general, is_single=is_single)


# ---- writing


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text).replace("\n", "\\n")


def _mark(name: str, value: str) -> str:
    escaped = re.sub(r"[\\\]\[]", lambda found: f"\\{found[0]}", value).replace("\n", "\\n")
    return f"[{name}:{escaped}]"


def write(entries: Sequence[Entry]) -> str:
    blocks = [f"// {carried.MARK}"]
    for entry in entries:
        marks = "// " + " ".join([_mark("id", entry.code), *(_mark("tag", tag) for tag in carried.marks_of(entry))])
        feedback = f"####{_escape(entry.explanation)}" if entry.explanation else ""
        if entry.kind == "judge":
            body = ("TRUE" if entry.answer == (0,) else "FALSE") + feedback
        else:
            shares = carried.shares_of(entry)
            body = "".join(f"\n\t{sign}{_escape(choice)}" for sign, choice in zip(shares, entry.choices, strict=True)) + f"\n\t{feedback}\n"
        blocks.append(f"{marks}\n::{_escape(entry.code)}::[plain]{_escape(entry.stem)}{{{body}}}")
    return "\n\n".join(blocks) + "\n"

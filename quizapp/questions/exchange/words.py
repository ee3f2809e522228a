"""The words in which files say a kind, a key, a difficulty, a citation, tags; both ways."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quizapp.questions.loader import DOCUMENT_FIELDS
from quizapp.questions.rules import KIND_TITLES, LETTERS

# ---- kinds

UNSUPPORTED_KINDS = (
    ("填空", "填空题"),
    ("简答", "简答题"),
    ("问答", "问答题"),
    ("论述", "论述题"),
    ("名词解释", "名词解释题"),
    ("计算", "计算题"),
    ("材料", "材料题"),
    ("排序", "排序题"),
    ("匹配", "匹配题"),
    ("连线", "连线题"),
    ("组合", "组合题"),
    ("主观", "主观题"),
    ("打字", "打字题"),
    ("改错", "改错题"),
    ("作文", "作文题"),
)
_KIND_SIGNS = (
    ("indefinite", ("不定项", "不定向", "任选题", "indefinite")),
    ("multiple", ("多项", "多选", "复选", "multiple", "multi")),
    ("judge", ("判断", "是非", "对错", "正误", "truefalse", "true/false", "judge", "t/f")),
    ("single", ("单项", "单选", "single", "radio")),
)


def read_kind(text: str) -> tuple[str | None, str]:
    """A word for a kind as (kind, name of a kind that is not taken). (None, "") where the word leaves it open."""
    word = unicodedata.normalize("NFKC", text).lower().replace(" ", "")
    for kind, signs in _KIND_SIGNS:
        if any(sign in word for sign in signs):
            return kind, ""
    for sign, name in UNSUPPORTED_KINDS:
        if sign in word:
            return None, name
    return None, ""


def leaves_kind_open(text: str) -> bool:
    """Whether a word says nothing about the kind without being wrong: empty, a bare number, 选择题, 客观题, 案例题."""
    word = text.strip()
    return not word or word.isdecimal() or any(sign in word for sign in ("选择", "客观", "案例", "试题", "题目"))


def kind_title(kind: str) -> str:
    return str(KIND_TITLES[kind])


# ---- right and wrong

JUDGE_WORDS: dict[str, int] = {
    **dict.fromkeys(("对", "正确", "是", "√", "✓", "✔", "☑", "v", "t", "true", "y", "yes", "1", "1.0", "对的", "正确的", "right", "ok"), 0),
    **dict.fromkeys(
        (
            "错",
            "错误",
            "否",
            "×",
            "✗",
            "✘",
            "✕",
            "╳",
            "☒",
            "x",
            "f",
            "false",
            "n",
            "no",
            "0",
            "0.0",
            "不对",
            "不正确",
            "不是",
            "错的",
            "错误的",
            "wrong",
        ),
        1,
    ),
}


def judge_word(text: str) -> int | None:
    """0 for a word that means right, 1 for wrong, None for any other."""
    return JUDGE_WORDS.get(unicodedata.normalize("NFKC", text).strip(" \t\n.。()（）[]【】“”\"'").lower())


# ---- difficulty

_DIFFICULTY_WORDS = (
    ("5", ("很难", "极难", "非常难", "特难")),
    ("1", ("很易", "很容易", "极易", "非常容易", "非常简单", "很简单")),
    ("2", ("较易", "偏易", "较容易", "容易", "简单", "易", "低", "easy")),
    ("4", ("较难", "偏难", "困难", "难", "高", "hard", "difficult")),
    ("3", ("中等", "一般", "普通", "适中", "中", "medium", "normal")),
)


def read_difficulty(text: str) -> int | None:
    """1 to 5 from a number, stars or a word; None if it says nothing we know."""
    word = unicodedata.normalize("NFKC", text).strip().lower()
    stars = word.count("★") + word.count("⭐")
    if stars and not word.strip("★☆⭐ \ufe0f"):
        return stars if stars <= 5 else None
    match = re.fullmatch(r"(?:难度)?\s*([1-5])(?:\.0)?\s*(?:级|星|颗星)?", word)
    if match:
        return int(match[1])
    word = word.removesuffix("题").removeprefix("难度")
    return next((int(level) for level, signs in _DIFFICULTY_WORDS if word in signs), None)


# ---- tags


def write_tags(tags: Sequence[str]) -> str:
    """One a line; as JSON where a tag would not come back so."""
    text = "\n".join(tags)
    return text if read_tags(text) == tuple(tags) else json.dumps(list(tags), ensure_ascii=False)


def read_tags(text: str) -> tuple[str, ...]:
    text = text.strip()
    if text.startswith("["):
        found = read_json(text)
        if isinstance(found, list) and all(isinstance(item, str) for item in found):
            return tuple(dict.fromkeys(found))
    parts = (part.strip() for part in re.split(r"[\n,，、;；|]", text))
    return tuple(dict.fromkeys(part for part in parts if part))


def read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# ---- citations

_CHINESE_DIGITS = {digit: number for number, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}


def read_number(text: str) -> int | None:
    """``一百三十三`` or ``133`` → 133; None for anything else or out of 1 to 9999."""
    if text.isascii() and text.isdecimal():
        number = int(text)
    else:
        number, digit = 0, 0
        for char in text:
            if char in _CHINESE_DIGITS:
                digit = _CHINESE_DIGITS[char]
            elif char in _CHINESE_UNITS:
                number += (digit or 1) * _CHINESE_UNITS[char]
                digit = 0
            else:
                return None
        number += digit
    return number if 0 < number < 10_000 else None


_NUMBER = r"(?:\d{1,4}|[零〇一二三四五六七八九十百千]{1,9})"
_PARAGRAPH = rf"(?:第{_NUMBER}[款项目]|第?[(（]{_NUMBER}[)）]项)"
_ARTICLE = re.compile(
    rf"第?\s*({_NUMBER})(?:-(\d{{1,3}}))?\s*条(?:\s*之\s*({_NUMBER}))?((?:\s*{_PARAGRAPH})*)|(?<![\d.])(\d{{1,4}})(?:-(\d{{1,3}}))?(?![\d.])"
)
_LAW = re.compile(
    r"《([^《》\n]{2,80})》|(?:中华人民共和国)?([\u4e00-\u9fff·]{1,30}?(?:法典|法|条例|办法|规定|细则|决定|宪法|章程))(?=\s*第?\s*[\d零一二三四五六七八九十百])"
)
_DOCUMENT = re.compile(r"《(.+)》（([^，（）]+)，([^，（）]+)，(\d{4}-\d{2}-\d{2})）(.+)", re.S)
_PLAIN_LAW = re.compile(r"《([^《》\n]+)》第(\d{1,4})条(?:之(\d{1,3}))?")
_IGNORED = re.compile(r"[\s,，、;；。.:：和及与]+|参见|根据|依据|依照|按照|规定|中华人民共和国|等|的")


def write_citation(citation: Mapping[str, str]) -> str:
    """As a reader of a file reads it; as JSON where the words would not come back so."""
    if "law" in citation:
        first, _, after = citation["article"].partition("-")
        text = f"《{citation['law']}》第{first}条" + (f"之{after}" if after else "")
    else:
        text = "《{document}》（{issuer}，{number}，{date}）{clause}".format(**citation)
    found, rest, _ = read_citations(text)
    return text if not rest and found == (dict(citation),) and "\n" not in text else json.dumps(dict(citation), ensure_ascii=False)


def write_citations(citations: Iterable[Mapping[str, str]]) -> str:
    return "\n".join(write_citation(citation) for citation in citations)


def read_citations(text: str) -> tuple[tuple[dict[str, str], ...], str, bool]:
    """Citations of a cell or line.

    :returns: what was understood; the words that were not; whether a paragraph or item was named, which is not kept
    """
    found: list[dict[str, str]] = []
    rest: list[str] = []
    is_finer = False
    for line in text.split("\n"):
        if not line.strip():
            continue
        citation = _one(line.strip())
        if citation is not None:
            found.append(citation)
            continue
        some, left, finer = _scan(line)
        found += [citation for place, citation in enumerate(some) if citation not in some[:place]]
        is_finer = is_finer or finer
        if left:
            rest.append(line.strip())
    return tuple(found), "\n".join(rest), is_finer


def _one(line: str) -> dict[str, str] | None:
    """A line in one of the forms :func:`write_citation` gives."""
    if line.startswith("{"):
        body = read_json(line)
        names = set(body) if isinstance(body, dict) else set()
        is_known = names in ({"law", "article"}, set(DOCUMENT_FIELDS))
        return dict(body) if is_known and all(isinstance(value, str) for value in body.values()) else None
    match = _PLAIN_LAW.fullmatch(line)
    if match:
        return {"law": match[1], "article": match[2] + (f"-{match[3]}" if match[3] else "")}
    match = _DOCUMENT.fullmatch(line)
    if match:
        return {"document": match[1], "issuer": match[2], "number": match[3], "clause": match[5], "date": match[4]}
    return None


def _scan(line: str) -> tuple[list[dict[str, str]], bool, bool]:
    """Laws named in running words, each with the articles that follow it."""
    found: list[dict[str, str]] = []
    used: list[tuple[int, int]] = []
    is_finer = False
    laws = list(_LAW.finditer(line))
    for place, law in enumerate(laws):
        end = laws[place + 1].start() if place + 1 < len(laws) else len(line)
        articles = list(_ARTICLE.finditer(line, law.end(), end))
        for article in articles:
            number = read_number(article[1] or article[5])
            after = article[2] or article[6] or (str(read_number(article[3]) or "") if article[3] else "")
            if number is None:
                continue
            found.append({"law": _short_title(law[1] or law[2]), "article": f"{number}-{after}" if after else str(number)})
            is_finer = is_finer or bool((article[4] or "").strip())
            used.append(article.span())
        if articles:
            used.append(law.span())
    left = "".join(char for place, char in enumerate(line) if not any(start <= place < end for start, end in used))
    return found, bool(_IGNORED.sub("", left)), is_finer


def _short_title(title: str) -> str:
    title = title.strip()
    return title.removeprefix("中华人民共和国") or title


def find_laws(text: str) -> tuple[dict[str, str], ...]:
    """Citations written out inside an explanation: only 《title》第…条, nothing guessed."""
    found: dict[str, dict[str, str]] = {}
    for law in re.finditer(r"《([^《》\n]{2,80})》", text):
        position = law.end()
        while match := re.compile(rf"\s*[、和及,，]?\s*第({_NUMBER})条(?:之({_NUMBER}))?(?:{_PARAGRAPH})*").match(text, position):
            number = read_number(match[1])
            after = read_number(match[2]) if match[2] else None
            if number is not None:
                article = f"{number}-{after}" if after else str(number)
                found[f"{law[1]} {article}"] = {"law": _short_title(law[1]), "article": article}
            position = match.end()
    return tuple(found.values())


def letters_of(indices: Iterable[int]) -> str:
    return "".join(LETTERS[index] for index in indices)

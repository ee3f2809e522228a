"""Numbers and names of articles, which version holds on a day, cutting typed text into articles, pages of a long law."""

import datetime as dt
import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from quizapp.core.text import N_

KIND_TITLES = {
    "law": N_("法律"),
    "regulation": N_("行政法规"),
    "interpretation": N_("司法解释"),
    "local_regulation": N_("地方性法规、规章"),
    "party_rule": N_("党内法规"),
    "document": N_("文件"),
}
_KIND_OF_CATEGORY = {
    "行政法规": "regulation",
    "国务院文件": "document",
    "司法解释": "interpretation",
    "地方性法规": "local_regulation",
    "地方政府规章": "local_regulation",
    "自治条例": "local_regulation",
    "单行条例": "local_regulation",
    "党内法规": "party_rule",
    "部门规章": "document",
    "规范性文件": "document",
    "文件": "document",
}
FACT_TITLES = {
    "title": N_("全称"),
    "kind": N_("种类"),
    "category": N_("分类"),
    "issuer": N_("机关"),
    "number": N_("文号"),
    "adopted_on": N_("通过日期"),
    "effective_on": N_("施行日期"),
    "last_amended_on": N_("最近修改"),
    "amendment_effective_on": N_("修改施行"),
    "repealed_on": N_("废止日期"),
    "repealed_by": N_("由谁代替"),
    "is_repealed": N_("已经废止"),
    "is_outdated": N_("文本旧了"),
    "note": N_("备注"),
    "source": N_("来源"),
    "as_of": N_("收录到"),
}
PREAMBLE = "0"
"""The number under which a preamble (序言) is kept."""
PAGE_ARTICLES = 100
PAGE_CHARACTERS = 20_000
"""A page of the reader: with stylesheets and scripts it stays below the budget of a first load."""
MAX_QUERY = 60
MAX_TERMS = 5
SNIPPET = 90

_NUMBER = re.compile(r"(\d{1,4})(?:-(\d{1,3}))?")
_DIGITS = "零一二三四五六七八九"
_VALUES = {**{char: value for value, char in enumerate(_DIGITS)}, "〇": 0, "两": 2}
_NUMERAL = "[零〇一二两三四五六七八九十百千]{1,9}|\\d{1,4}"
_ARTICLE = re.compile(rf"第({_NUMERAL})条(?:之({_NUMERAL}))?")
_ARTICLE_LINE = re.compile(rf"^第\s*({_NUMERAL})\s*条(?:之({_NUMERAL}))?(?P<rest>.*)$", re.S)
_SECTION_LINE = re.compile(r"^([零〇一二两三四五六七八九十百]{1,7})、(?P<rest>.+)$", re.S)
_HEADING_LINE = re.compile(rf"^第(?:{_NUMERAL})(?:编|分编|章|节)(?:[\s\u3000].*)?$")

Status = Literal["in_force", "not_yet_in_force", "repealed"]
STATUS_TITLES = {"in_force": N_("现行有效"), "not_yet_in_force": N_("还没施行"), "repealed": N_("已废止")}


def kind_of_category(category: str) -> str:
    """The kind of a statute by the category that its file names; the many branches of law are all ``law``."""
    return _KIND_OF_CATEGORY.get(category, "law")


# ---- numbers


def chinese_number(number: int) -> str:
    """``133`` → 一百三十三, as statutes count their articles.

    :param number: 1 to 9999
    """
    if not 0 < number < 10_000:
        raise ValueError("articles are numbered from 1 to 9999")
    words = ""
    for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, power)
        if digit:
            words += _DIGITS[digit] + unit
        elif words and number and not words.endswith("零"):
            words += "零"
    return words[1:] if words.startswith("一十") else words


def to_number(text: str) -> int:
    """A whole number below 10 000 from Chinese or Arabic numerals.

    :raises ValueError: if it is none
    """
    if text.isascii() and text.isdigit():
        return int(text)
    total = digit = 0
    for char in text:
        if char in _VALUES:
            digit = _VALUES[char]
        elif char in "十百千":
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[char]
            digit = 0
        else:
            raise ValueError(text)
    return total + digit


def is_number(number: str) -> bool:
    """Whether a text is an article's number (``25``, ``133-1``) or the preamble's."""
    return number == PREAMBLE or bool(_NUMBER.fullmatch(number) and not number.startswith("0"))


def sort_key(number: str) -> tuple[int, int]:
    """The place of an article in its statute: 133, 133-1, 134."""
    first, _, after = number.partition("-")
    return int(first), int(after or 0)


def position(number: str) -> int:
    """The same as one whole number, for the database."""
    first, after = sort_key(number)
    return first * 1000 + after


def article_words(article: str) -> str:
    """``55`` → 第五十五条, ``133-1`` → 第一百三十三条之一, ``0`` → 序言."""
    first, _, after = article.partition("-")
    if not int(first):
        return N_("序言")
    return f"第{chinese_number(int(first))}条" + (f"之{chinese_number(int(after))}" if after else "")


def label(number: str, unit: str = "article") -> str:
    """What an article is called: 第二十五条, 序言, or 二、 in a document that numbers so."""
    return f"{chinese_number(int(number))}、" if unit == "section" and number.isdigit() and int(number) else article_words(number)


_SECTION = re.compile(rf"^第?({_NUMERAL})(?:、|部分|点)")


def numbers_in(text: str) -> tuple[str, ...]:
    """The articles that a clause names, in order: 第十三条第二款、第十五条之一 are 13 and 15-1; 三、（二） is 3."""
    found = [f"{to_number(first)}-{to_number(after)}" if after else str(to_number(first)) for first, after in _ARTICLE.findall(text)]
    section = _SECTION.match(text.strip())
    if not found and section is not None:
        found = [str(to_number(section[1]))]
    if not found and "序言" in text:
        return (PREAMBLE,)
    return tuple(dict.fromkeys(number for number in found if is_number(number) and number != PREAMBLE))


@dataclass(frozen=True)
class Query:
    """What a citizen looks for: words to be found together, and, where the words end in one, an article's number."""

    terms: tuple[str, ...]
    name: str = ""
    number: str = ""


_ENDS_IN_NUMBER = re.compile(rf"^(?P<name>.*?\D)\s*(?:第\s*)?(?P<first>{_NUMERAL})(?:\s*条)?(?:(?:之|-)(?P<after>{_NUMERAL}))?\s*(?:条)?$")


def parse_query(text: str) -> Query:
    """Read a search: at most five words; 民法典 1064 and 民法典第一千零六十四条 also name an article."""
    text = " ".join(unicodedata.normalize("NFC", text).replace("《", " ").replace("》", " ").split())[:MAX_QUERY]
    terms = tuple(dict.fromkeys(text.split()))[:MAX_TERMS]
    match = _ENDS_IN_NUMBER.match(text)
    if match is None:
        return Query(terms)
    number = str(to_number(match["first"])) + (f"-{to_number(match['after'])}" if match["after"] else "")
    return Query(terms, match["name"].strip(), number) if is_number(number) else Query(terms)


def snippet(text: str, terms: Sequence[str]) -> list[tuple[str, bool]]:
    """A stretch of the text around the first word found, in pieces that tell whether they are one of the words."""
    flat = " ".join(text.split())
    lower = flat.lower()
    places = [place for place in (lower.find(term.lower()) for term in terms) if place >= 0]
    start = max(0, min(places, default=0) - 20)
    part = flat[start : start + SNIPPET]
    words = "|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True))
    pieces = re.split(f"({words})", part, flags=re.I) if words else [part]
    wanted = {term.lower() for term in terms}
    found = [(piece, piece.lower() in wanted) for piece in pieces if piece]
    if start:
        found.insert(0, ("…", False))
    return [*found, ("…", False)] if start + SNIPPET < len(flat) else found


# ---- versions


@dataclass(frozen=True)
class Version:
    """One version of an article. ``text`` None: not there any more from ``effective_from`` on."""

    id: uuid.UUID
    number: str
    text: str | None
    effective_from: dt.date
    recorded_at: dt.datetime
    source: str = "file"
    note: str = ""
    changed_by: uuid.UUID | None = None

    @property
    def order(self) -> tuple[dt.date, dt.datetime, uuid.UUID]:
        return self.effective_from, self.recorded_at, self.id


def pick(versions: Iterable[Version], on: dt.date, known_at: dt.datetime | None = None) -> Version | None:
    """The version of one article that was in force on a day.

    :param known_at: only by what was recorded up to that moment; where nothing was recorded yet, by what was recorded
        first, so that what somebody saw stays what they see
    """
    begun = [version for version in versions if version.effective_from <= on]
    if known_at is not None and begun:
        first = min(version.recorded_at for version in begun)
        begun = [version for version in begun if version.recorded_at <= max(first, known_at)]
    return max(begun, key=lambda version: version.order, default=None)


def ends_on(version: Version, versions: Iterable[Version]) -> dt.date | None:
    """The day from which a later version holds (exclusive end); None while none is known."""
    return min((other.effective_from for other in versions if other.effective_from > version.effective_from), default=None)


def matters_from(versions: Sequence[Version], effective_from: dt.date, today: dt.date) -> bool:
    """Whether a version recorded now with this day changes anything from today on: not where a later one holds already."""
    later = min((version.effective_from for version in versions if version.effective_from > effective_from), default=None)
    return later is None or later > today


def status_on(on: dt.date, *, effective_on: dt.date | None, repealed_on: dt.date | None, is_repealed: bool) -> Status:
    """Whether a statute was in force on a day. A repeal whose day is not known counts always."""
    if is_repealed and (repealed_on is None or repealed_on <= on):
        return "repealed"
    return "not_yet_in_force" if effective_on is not None and effective_on > on else "in_force"


# ---- text


def clean_text(text: str) -> str:
    """An article's text as it is kept: one line for each paragraph, no blanks around lines, no empty ones."""
    lines = (unicodedata.normalize("NFC", line).strip(" \t\u3000\xa0\ufeff") for line in re.split(r"\r\n|[\r\n\u2028\u2029\x85]", text))
    return "\n".join(line for line in lines if line)


@dataclass(frozen=True)
class Cut:
    """Typed text cut into articles. ``gap`` names what is missing between two of them; then nothing should be kept."""

    unit: str
    articles: Mapping[str, str]
    gap: tuple[str, str] | None = None


def cut_text(text: str) -> Cut:
    """Cut a whole text at lines that begin with 第…条 or, where there is none, with 一、 二、. What stands before the first
    is left out (title, contents), headings of chapters too. A line that begins with the number of an earlier article is part
    of the one it stands in; a number that leaves some out is a gap."""
    lines = clean_text(text).split("\n")
    if any(_ARTICLE_LINE.match(line) for line in lines):
        return _cut(lines, _ARTICLE_LINE, "article")
    return _cut(lines, _SECTION_LINE, "section")


def _cut(lines: Sequence[str], pattern: re.Pattern[str], unit: str) -> Cut:
    articles: dict[str, list[str]] = {}
    current = ""
    for line in lines:
        match = pattern.match(line)
        if match is not None:
            after = match[2] if unit == "article" else None
            number = f"{to_number(match[1])}-{to_number(after)}" if after else str(to_number(match[1]))
            if _follows(current, number):
                current = number
                articles[current] = [match["rest"].strip(" \u3000")]
                continue
            if not current or sort_key(number) > _next(current):
                return Cut(unit, {}, (label(current, unit) if current else "", label(number, unit)))
        elif _HEADING_LINE.match(line):
            continue
        if current:
            articles[current].append(line)
    return Cut(unit, {number: "\n".join(part for part in parts if part) for number, parts in articles.items()})


def _next(current: str) -> tuple[int, int]:
    return sort_key(current)[0] + 1, 0


def _follows(current: str, number: str) -> bool:
    if not current:
        return number == "1"
    first, after = sort_key(current)
    return sort_key(number) in ((first + 1, 0), (first, after + 1))


def page_starts(lengths: Sequence[int], limit: int = PAGE_CHARACTERS, most: int = PAGE_ARTICLES) -> list[int]:
    """Where the pages of a long statute begin, as places in its list of articles.

    :param lengths: characters of each article
    """
    starts, count, characters = [0], 0, 0
    for place, length in enumerate(lengths):
        if count and (count >= most or characters + length > limit):
            starts.append(place)
            count = characters = 0
        count += 1
        characters += length
    return starts


# ---- where to read it


WHERE_TO_READ = {
    "party_rule": (N_("共产党员网的党内法规库"), "https://www.12371.cn/special/dnfg/"),
    "document": (N_("发文机关的网站"), ""),
}
DATABASE = (N_("国家法律法规数据库"), "https://flk.npc.gov.cn/")


def where_to_read(kind: str) -> tuple[str, str]:
    """The official place of a kind of statute: its name and, where there is one for all, its address."""
    return WHERE_TO_READ.get(kind, DATABASE)


def may_change(scopes: Sequence[str]) -> bool:
    """Whether staff with these subtrees may change what all units share: only those at the top."""
    return any(path.count("/") <= 2 for path in scopes)

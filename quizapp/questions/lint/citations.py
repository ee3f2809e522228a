"""Citations against the registry: known, in force, unchanged since somebody looked, and about what the question asks."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from quizapp.questions.lint.findings import Context, Remark, Remarks, Severity
from quizapp.questions.loader import Entry
from quizapp.statutes.facts import ArticleFacts, facts_of, pairs_of
from quizapp.statutes.registry import Registry, StatuteFacts
from quizapp.statutes.rules import article_words, numbers_in

APART = 4
"""A question that shares fewer telling pairs of characters with all its articles together does not speak of them."""
FAR = 6
APART_SHARE = 0.25
"""For an article of few words: the share of its pairs that a question must have."""

_GONE_WORDS = re.compile(r"废止|失效|取代|代替|并入|旧|原|过去|以前|不再|曾|当时|老")
_NAMED_BASIS = re.compile(r"(?:按照|依照|依据|根据|按|依)《?$")
_GOES_ON = "院律定规官庭则理学人条制"
"""Characters that turn the end of a name into another word: 继承法 in 法定继承法院, 合同法 in 合同法律."""


@dataclass(frozen=True)
class CitedArticle:
    """One article that a citation names. ``is_document`` where it is cited with issuer and number."""

    name: str
    number: str
    is_document: bool


def cited_articles(citations: Iterable[Mapping[str, str]]) -> Iterator[CitedArticle]:
    """The articles that citations name; a clause without an article (an official document) gives none."""
    for citation in citations:
        if "law" in citation:
            yield CitedArticle(citation["law"], citation["article"], False)
        else:
            for number in numbers_in(citation["clause"]):
                yield CitedArticle(citation["document"], number, True)


def find_facts(cited: CitedArticle, context: Context) -> ArticleFacts | None:
    """Facts about an article: from the texts where they are given, else from the registry."""
    statute = context.registry.find(cited.name, context.today)
    if statute is None:
        return None
    text = context.texts.get(statute.short_title, {}).get(cited.number)
    return facts_of(text, context.registry.common) if text is not None else context.registry.article(cited.name, cited.number)


def remarks(entry: Entry, context: Context, read_on: dt.date | None = None, *, is_shipped: bool = False) -> Remarks:
    """:param read_on: the day of the second reading, which counts as a review where there was no other
    :param is_shipped: the registry is made for this bank and must know every article it cites
    """
    looked_on = dt.date.fromisoformat(entry.reviewed_on) if entry.reviewed_on else read_on
    for citation in entry.citations:
        name = citation.get("law") or citation["document"]
        statute = context.registry.find(name, context.today)
        if statute is None:
            yield from _unknown(citation)
        else:
            yield from _of_statute(citation, statute, context, looked_on)
            for cited in cited_articles([citation]):
                yield from _of_article(cited, statute, context, is_shipped)
    yield from _names_in_text(entry, context)
    yield from _numbers_in_text(entry)
    yield from _vocabulary(entry, context)


def _unknown(citation: Mapping[str, str]) -> Remarks:
    if "law" in citation:
        yield Remark("citation-unknown", f"登记里没有《{citation['law']}》")
    elif not numbers_in(citation["clause"]):
        yield Remark("document-clause", f"《{citation['document']}》写的是“{citation['clause']}”，没有条号", "warning")


def _of_statute(citation: Mapping[str, str], statute: StatuteFacts, context: Context, looked_on: dt.date | None) -> Remarks:
    name = citation.get("law") or citation["document"]
    if "law" in citation and name != statute.short_title:
        yield Remark("citation-name", f"“{name}”要写正式短标题“{statute.short_title}”")
    status = statute.status_on(context.today)
    if status == "repealed":
        since = f"自 {statute.repealed_on} 起" if statute.repealed_on else ""
        by = f"，现在是《{statute.repealed_by}》" if statute.repealed_by else ""
        yield Remark("citation-repealed", f"《{statute.short_title}》{since}已经废止{by}")
        return
    if status == "not_yet_in_force":
        yield Remark("citation-not-in-force", f"《{statute.short_title}》{statute.effective} 才施行")
    if statute.text_outdated:
        yield Remark("citation-outdated", f"《{statute.short_title}》已经修改，登记的还是旧文本，先不要引用")
    changed = statute.changed_on(context.today)
    if looked_on and changed and changed > looked_on:
        yield Remark("citation-amended", f"《{statute.short_title}》{changed} 起有变动，题目上次核对是 {looked_on}")
    elif looked_on is None and statute.superseded_on and statute.superseded_on <= context.today:
        yield Remark("citation-amended", f"《{statute.short_title}》{statute.superseded_on} 起有新文本，题目还没有核对过")
    if "document" in citation:
        yield from _document(citation, statute)


def _of_article(cited: CitedArticle, statute: StatuteFacts, context: Context, is_shipped: bool) -> Remarks:
    if statute.status_on(context.today) == "repealed":
        return
    words = f"《{statute.short_title}》{article_words(cited.number)}"
    if statute.article_numbers and cited.number not in statute.number_set:
        yield Remark("article-missing", f"没有{words}，最后一条是{article_words(statute.article_numbers[-1])}")
        return
    registered = context.registry.article(cited.name, cited.number)
    facts = find_facts(cited, context)
    if facts is None:
        severity: Severity = "error" if is_shipped else "warning"
        yield Remark("article-unregistered", f"{words}没有登记过，数字和内容没法核对；先核对原文，再更新登记", severity)
    elif registered is not None and registered.sha256 != facts.sha256:
        yield Remark("article-changed", f"{words}和登记时的文字不一样，要重新核对")


def _document(citation: Mapping[str, str], statute: StatuteFacts) -> Remarks:
    day = dt.date.fromisoformat(citation["date"])
    if statute.kind in ("law", "regulation"):
        yield Remark("citation-form", f"《{statute.short_title}》写成 law 和 article", "warning")
    amended = statute.amendment_effective or statute.last_amended or statute.effective
    if (statute.adopted and day < statute.adopted) or (amended and day > amended):
        yield Remark("document-date", f"《{statute.title}》的日期写的是 {day}，应当在通过和施行之间")


# ---- what the text itself names


@lru_cache(maxsize=4)
def _name_pattern(registry: Registry) -> re.Pattern[str]:
    """Every short title, longest first, so that 合同法 is not found in 劳动合同法."""
    names = {statute.short_title for statute in registry.statutes} | {statute.title for statute in registry.statutes}
    return re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)))


def _named(text: str, registry: Registry) -> Iterator[re.Match[str]]:
    for match in _name_pattern(registry).finditer(text):
        if text[match.end() : match.end() + 1] not in _GOES_ON or match.end() == len(text):
            yield match


def _names_in_text(entry: Entry, context: Context) -> Remarks:
    """Names of statutes in the stem, the right choices and the explanation."""
    cited = {statute.short_title for citation in entry.citations if (statute := _statute_of(citation, context))}
    kinds = {statute.kind for citation in entry.citations if (statute := _statute_of(citation, context))}
    keys = [entry.choices[place] for place in entry.answer] if entry.kind != "judge" else []
    told: set[str] = set()
    for sentence in ("、".join((entry.stem, *keys)), *re.split(r"[。！？；]", entry.explanation)):
        for match in _named(sentence, context.registry):
            statute = context.registry.find(match[0], context.today)
            if statute is None or statute.short_title in told:
                continue
            is_gone = statute.status_on(context.today) == "repealed"
            if is_gone and not _GONE_WORDS.search(sentence.replace(match[0], "")):
                told.add(statute.short_title)
                yield Remark("repealed-name", f"文字里写到《{statute.short_title}》，它已经废止")
    for match in _named(entry.stem, context.registry):
        statute = context.registry.find(match[0], context.today)
        is_basis = _NAMED_BASIS.search(entry.stem[: match.start()])
        if statute and is_basis and statute.short_title not in cited and kinds <= {"law", "regulation"}:
            yield Remark("basis", f"题干说按照《{statute.short_title}》，依据里没有它")


def _statute_of(citation: Mapping[str, str], context: Context) -> StatuteFacts | None:
    return context.registry.find(citation.get("law") or citation["document"], context.today)


def _numbers_in_text(entry: Entry) -> Remarks:
    cited = {cited.number for cited in cited_articles(entry.citations)}
    for number in numbers_in(f"{entry.stem}。{entry.explanation}"):
        if cited and number not in cited:
            yield Remark("article-in-text", f"文字里写到{article_words(number)}，依据里没有这一条")


# ---- vocabulary


def _vocabulary(entry: Entry, context: Context) -> Remarks:
    """Whether the cited articles speak of what the question asks. Silent where facts about one of them are missing."""
    found = [find_facts(cited, context) for cited in cited_articles(entry.citations)]
    facts = [item for item in found if item is not None]
    if not facts or len(facts) < len(found) or len(facts) < len(entry.citations):
        return
    words = frozenset[int]().union(*(item.pairs for item in facts))
    shared = len(pairs_of(_all_text(entry)) & words)
    if shared >= FAR or shared >= APART_SHARE * len(words):
        return
    if shared < APART:
        yield Remark("article-apart", "依据的条文几乎没有谈到题里说的事，条号可能写错了")
    else:
        yield Remark("article-far", "依据的条文很少谈到题里说的事，请核对条号", "warning")


def _all_text(entry: Entry) -> str:
    return "。".join((entry.stem, *(() if entry.kind == "judge" else entry.choices), entry.explanation))

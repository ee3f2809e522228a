"""What the law reader shows: a statute's facts, its text of a day in pages, and the addresses that lead there."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from flask import url_for

from quizapp.core.clock import shanghai_day
from quizapp.statutes import queries, rules
from quizapp.statutes.models import Statute
from quizapp.statutes.queries import ArticleText
from quizapp.statutes.registry import StatuteFacts, load_registry
from quizapp.statutes.services import Facts


@dataclass(frozen=True)
class Head(Facts):
    """What is known of a statute besides its text, from the database or, where it is not there, from the shipped facts."""

    as_of: str = ""
    article_count: int = 0

    def status_on(self, on: dt.date) -> rules.Status:
        return rules.status_on(on, effective_on=self.effective_on, repealed_on=self.repealed_on, is_repealed=self.is_repealed)


_SHARED = tuple(field.name for field in fields(Facts) if field.name != "aliases")


def head_of(statute: Statute) -> Head:
    shared: dict[str, Any] = {name: getattr(statute, name) for name in _SHARED}
    return Head(**shared, as_of=statute.as_of)


def head_of_facts(facts: StatuteFacts) -> Head:
    return Head(
        short_title=facts.short_title,
        title=facts.title,
        kind=facts.kind,
        adopted_on=facts.adopted,
        effective_on=facts.effective,
        last_amended_on=facts.last_amended,
        is_repealed=facts.is_repealed,
        repealed_on=facts.repealed_on,
        repealed_by=facts.repealed_by or "",
        is_outdated=facts.text_outdated,
        article_count=len(facts.article_numbers),
    )


def find_head(name: str, on: dt.date) -> tuple[Head, Statute | None] | None:
    """The statute of that name, and its row where it is in the database."""
    statute = queries.find_statute(name)
    if statute is not None:
        return head_of(statute), statute
    facts = load_registry().find(name, on)
    return None if facts is None else (head_of_facts(facts), None)


def is_known(name: str) -> bool:
    """Whether the reader has a page for this name."""
    return queries.has_name(name) or load_registry().find(name) is not None


# ---- pages of a text


@dataclass(frozen=True)
class Part:
    """One page of a long text: its number from 1 and the first and last article on it."""

    number: int
    first: str
    last: str


@dataclass(frozen=True)
class TextPage:
    articles: list[ArticleText]
    parts: list[Part]
    number: int


def page_of(articles: list[ArticleText], number: int = 1, article: str = "") -> TextPage:
    """One page of a text: the one that holds ``article`` where that is given and there, else the numbered one."""
    starts = rules.page_starts([len(item.text) for item in articles])
    ends = [*starts[1:], len(articles)]
    if article:
        place = next((place for place, item in enumerate(articles) if item.number == article), None)
        if place is not None:
            number = sum(start <= place for start in starts)
    number = min(max(number, 1), len(starts))
    bounds = enumerate(zip(starts, ends, strict=True), 1) if articles else ()
    parts = [Part(page, articles[start].label, articles[end - 1].label) for page, (start, end) in bounds]
    return TextPage(articles[starts[number - 1] : ends[number - 1]], parts, number)


# ---- addresses


def article_url(law: str, number: str, *, on: dt.date | None = None, at: dt.datetime | None = None) -> str:
    """The place of an article in the reader, as of a day or as it was shown at a moment."""
    query: dict[str, Any] = {}
    if at is not None:
        query["at"] = at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    elif on is not None:
        query["on"] = on.isoformat()
    if not number:
        return url_for("statutes.show", short_title=law, **query)
    return url_for("statutes.show", short_title=law, article=number, **query, _anchor=f"a{number}")


def citation_url(citation: Mapping[str, Any], at: dt.datetime | None = None) -> str:
    """Where a question's citation can be read as it was at a moment; "" for what the reader does not know."""
    if "law" in citation:
        name, number = str(citation["law"]), str(citation["article"])
    else:
        name, number = str(citation["document"]), next(iter(rules.numbers_in(str(citation["clause"]))), "")
    if "/" in name or not is_known(name):
        return ""
    return article_url(name, number, at=at)


def day_of(at: dt.datetime) -> dt.date:
    """The Shanghai day whose text was in force at a moment."""
    return shanghai_day(at)

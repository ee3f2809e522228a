"""The shipped registry: facts about statutes, and about each article that the shipped questions cite. No texts.

``data/registry.json`` is built by ``python -m tools.registry`` from a folder of statutes as data. Everything here holds for
a given day: a law that takes effect or is superseded later changes its status by itself.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from quizapp.statutes.facts import ArticleFacts, unpack_pairs

REGISTRY_FILE = Path(__file__).parent / "data" / "registry.json"
COUNTRY = "中华人民共和国"
Status = Literal["in_force", "not_yet_in_force", "repealed"]


@dataclass(frozen=True)
class StatuteFacts:
    """One statute, or what is known of one that is gone. Days are those of the statute itself.

    ``effective`` is when the law or its last full revision took effect, ``last_amended`` the day an amendment was adopted and
    ``amendment_effective`` when that took effect. ``superseded_on`` is the day from which a newer text holds that is not here.
    """

    short_title: str
    title: str
    aliases: tuple[str, ...]
    kind: str
    adopted: dt.date | None
    effective: dt.date | None
    last_amended: dt.date | None
    amendment_effective: dt.date | None
    is_repealed: bool
    repealed_by: str | None
    repealed_on: dt.date | None
    superseded_on: dt.date | None
    text_outdated: bool
    article_numbers: tuple[str, ...]
    number_set: frozenset[str] = field(compare=False, repr=False)

    def status_on(self, day: dt.date) -> Status:
        if self.is_repealed and (self.repealed_on is None or self.repealed_on <= day):
            return "repealed"
        if self.effective is not None and self.effective > day:
            return "not_yet_in_force"
        return "in_force"

    def changed_on(self, day: dt.date) -> dt.date | None:
        """The last day, up to ``day``, on which what this statute says changed."""
        amended = self.amendment_effective or self.last_amended
        return max((moment for moment in (self.effective, amended, self.superseded_on) if moment and moment <= day), default=None)

    @property
    def dates(self) -> frozenset[dt.date]:
        """Every day the statute itself is known by."""
        return frozenset(filter(None, (self.adopted, self.effective, self.last_amended, self.amendment_effective, self.repealed_on)))


@dataclass(frozen=True, eq=False)
class Registry:
    """Facts by name. ``common`` holds the pairs of characters that stand in so many articles that they tell nothing."""

    as_of: dt.date
    statutes: tuple[StatuteFacts, ...]
    articles: Mapping[str, Mapping[str, ArticleFacts]]
    common: frozenset[int]
    _by_name: Mapping[str, tuple[StatuteFacts, ...]] = field(repr=False)

    def find(self, name: str, on: dt.date | None = None) -> StatuteFacts | None:
        """The statute of this title, short title or alias; where several bear the name, the one in force on the day.

        :param on: the day asked about; without one, the day the registry was built for
        """
        day = on or self.as_of
        found = self._by_name.get(plain_name(name), ())
        rank = {"in_force": 0, "not_yet_in_force": 1, "repealed": 2}
        return min(found, key=lambda statute: rank[statute.status_on(day)], default=None)

    def article(self, name: str, number: str) -> ArticleFacts | None:
        """Facts about an article (``"25"``, ``"133-1"``); None where no shipped question cites it."""
        statute = self.find(name)
        return None if statute is None else self.articles.get(statute.short_title, {}).get(number)


def plain_name(name: str) -> str:
    """A name without book-title marks, blanks and the country's name."""
    text = re.sub(r"[\s《》〈〉]", "", name).replace("(", "（").replace(")", "）")
    return text.removeprefix(COUNTRY) or text


@cache
def load_registry() -> Registry:
    """The shipped registry; read once in a process."""
    return parse_registry(json.loads(REGISTRY_FILE.read_text(encoding="utf-8")))


def parse_registry(raw: Mapping[str, Any]) -> Registry:
    statutes = tuple(_statute(item) for item in raw["statutes"])
    by_name: dict[str, list[StatuteFacts]] = {}
    for statute in statutes:
        for name in dict.fromkeys(map(plain_name, (statute.title, statute.short_title, *statute.aliases))):
            by_name.setdefault(name, []).append(statute)
    articles = {short: {number: _article(facts) for number, facts in numbers.items()} for short, numbers in raw["articles"].items()}
    return Registry(
        as_of=dt.date.fromisoformat(raw["as_of"]),
        statutes=statutes,
        articles=articles,
        common=unpack_pairs(raw["common_pairs"]),
        _by_name={name: tuple(found) for name, found in by_name.items()},
    )


def _article(facts: Mapping[str, Any]) -> ArticleFacts:
    near = {figure: unpack_pairs(packed) for figure, packed in facts.get("near", {}).items()}
    return ArticleFacts(facts["sha256"], frozenset(facts["figures"]), unpack_pairs(facts["pairs"]), near)


def _statute(item: Mapping[str, Any]) -> StatuteFacts:
    def day(name: str) -> dt.date | None:
        return dt.date.fromisoformat(item[name]) if item.get(name) else None

    numbers = expand(item["article_numbers"])
    return StatuteFacts(
        short_title=item["short_title"],
        title=item["title"],
        aliases=tuple(item["aliases"]),
        kind=item["kind"],
        adopted=day("adopted"),
        effective=day("effective"),
        last_amended=day("last_amended"),
        amendment_effective=day("amendment_effective"),
        is_repealed=item["status"] == "repealed",
        repealed_by=item.get("repealed_by"),
        repealed_on=day("repealed_on"),
        superseded_on=day("superseded_on"),
        text_outdated=bool(item.get("text_outdated")),
        article_numbers=numbers,
        number_set=frozenset(numbers),
    )


def expand(numbers: list[str]) -> tuple[str, ...]:
    """``["1..3", "3-1"]`` are 1, 2, 3 and 3-1."""
    found: list[str] = []
    for item in numbers:
        first, dots, last = item.partition("..")
        found += [str(number) for number in range(int(first), int(last) + 1)] if dots else [item]
    return tuple(found)


def shorten(numbers: list[str]) -> list[str]:
    """Consecutive article numbers written as ``first..last``; the other way round is done on reading."""
    runs: list[list[int | str]] = []
    for number in numbers:
        last = runs[-1][-1] if runs else None
        if number.isdigit() and isinstance(last, int) and int(number) == last + 1:
            runs[-1].append(int(number))
        else:
            runs.append([int(number) if number.isdigit() else number])
    return [str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs]

"""Building the registry from a folder of statutes as data (``index.json``, ``repealed.json``, one file per statute)."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from quizapp.statutes.facts import facts_of, pack_pairs, pairs_of
from quizapp.statutes.registry import plain_name, shorten
from quizapp.statutes.rules import kind_of_category

COMMON_SHARE = 1 / 30
"""A pair of characters that stands in a larger share of all articles tells nothing about one of them (about 200 do)."""
MIN_COMMON = 20
"""Fewer articles make nothing common."""
Cited = tuple[str, str]
"""A statute's name and an article's number."""


class FolderInvalid(Exception):
    """The folder cannot be read as statutes, or does not hold what is cited; the message says what."""


def read_folder(folder: Path) -> list[dict[str, Any]]:
    """Every statute of the folder, with its articles.

    :raises FolderInvalid: if a file is missing or no JSON
    """
    index = _read(folder / "index.json")
    return [_read(folder / entry["file"]) for entry in index]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FolderInvalid(f"{path}: {error}") from error


def build_registry(folder: Path, *, must: AbstractSet[Cited], may: AbstractSet[Cited] = frozenset(), as_of: str) -> dict[str, Any]:
    """What ``registry.json`` holds: facts about every statute of the folder and about the cited articles.

    :param must: name and article of what is cited as a statute
    :param may: the same of what is cited as a document, whose text need not be in the folder
    :raises FolderInvalid: if one that must be there is not
    """
    laws = read_folder(folder)
    common = _common_pairs(laws)
    repealed = _read(folder / "repealed.json")
    return {
        "as_of": as_of,
        "statutes": [_statute(law) for law in laws] + _only_repealed(repealed, laws),
        "common_pairs": pack_pairs(common),
        "articles": _articles(laws, must, may, common),
    }


def _common_pairs(laws: Iterable[Mapping[str, Any]]) -> frozenset[int]:
    texts = [text for law in laws for text in law["articles"].values()]
    counts = Counter(pair for text in texts for pair in pairs_of(text))
    return frozenset(pair for pair, count in counts.items() if count > max(MIN_COMMON, COMMON_SHARE * len(texts)))


def _statute(law: Mapping[str, Any]) -> dict[str, Any]:
    later = law.get("later_amendment") or {}
    facts = {
        "short_title": law["short_title"],
        "title": law["title"],
        "aliases": law["aliases"],
        "kind": kind_of_category(law["category"]),
        "adopted": law["adopted"],
        "effective": law["effective"],
        "last_amended": law["last_amended"],
        "amendment_effective": law.get("amendment_effective"),
        "status": law["status"],
        "repealed_by": law["repealed_by"],
        "repealed_on": law.get("repealed_on"),
        "superseded_on": law.get("superseded_on") or later.get("effective"),
        "text_outdated": law.get("text_outdated", False),
        "article_numbers": shorten(list(law["articles"])),
    }
    return {name: value for name, value in facts.items() if value or name in ("aliases", "article_numbers", "last_amended")}


def _only_repealed(repealed: Iterable[Mapping[str, Any]], laws: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Names of statutes that are gone and of which no text is here. A name that lives on in a new statute is not among them."""
    alive = {plain_name(name) for law in laws for name in (law["title"], law["short_title"])}
    return [
        {
            "short_title": record["short_title"],
            "title": record["title"],
            "aliases": [],
            "kind": "regulation" if record["short_title"].endswith("条例") else "law",
            "last_amended": None,
            "status": "repealed",
            "repealed_by": record["repealed_by"],
            "repealed_on": record["repealed_on"],
            "article_numbers": [],
        }
        for record in repealed
        if plain_name(record["title"]) not in alive
    ]


def _articles(
    laws: Iterable[Mapping[str, Any]], must: AbstractSet[Cited], may: AbstractSet[Cited], common: frozenset[int]
) -> dict[str, dict[str, dict[str, Any]]]:
    by_name = {plain_name(name): law for law in laws for name in (law["title"], law["short_title"]) if law["status"] == "in_force"}
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, number in sorted(must | may, key=lambda pair: (pair[0], *_order(pair[1]))):
        law = by_name.get(plain_name(name))
        if law is None or number not in law["articles"]:
            if (name, number) in must:
                raise FolderInvalid(f"{name} {number} is cited and not in force in the folder")
            continue
        facts = facts_of(law["articles"][number], common)
        found.setdefault(law["short_title"], {})[number] = {
            "sha256": facts.sha256,
            "figures": sorted(facts.figures),
            "pairs": pack_pairs(facts.pairs),
        }
        if facts.near:
            found[law["short_title"]][number]["near"] = {figure: pack_pairs(facts.near[figure]) for figure in sorted(facts.near)}
    return found


def _order(number: str) -> tuple[int, int]:
    first, _, after = number.partition("-")
    return int(first), int(after or 0)


def write_registry(registry: Mapping[str, Any]) -> str:
    """The file's text: one statute and one article a line, so that a change shows as what it is."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    statutes = ",\n".join(f"    {line(statute)}" for statute in registry["statutes"])
    articles = ",\n".join(
        f"    {line(short)}: {{\n" + ",\n".join(f"      {line(number)}: {line(facts)}" for number, facts in numbers.items()) + "\n    }"
        for short, numbers in registry["articles"].items()
    )
    return (
        "{\n"
        f'  "as_of": {line(registry["as_of"])},\n'
        f'  "common_pairs": {line(registry["common_pairs"])},\n'
        f'  "statutes": [\n{statutes}\n  ],\n'
        f'  "articles": {{\n{articles}\n  }}\n'
        "}\n"
    )

"""What hangs on articles in packages below. They register here what to do when an article changes and how often a statute
is cited, so that this package need not know them."""

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from quizapp.audit.services import Actor


@dataclass(frozen=True)
class ArticleChange:
    """An article that says something else from ``effective_on``; ``number`` None stands for the whole statute.

    ``before_id`` and ``after_id`` are versions; after a removal or a repeal there is none.
    """

    statute_id: uuid.UUID
    law: str
    names: frozenset[str]
    number: str | None
    before_id: uuid.UUID | None
    after_id: uuid.UUID | None
    effective_on: dt.date
    kind: Literal["changed", "removed", "repealed"]


@dataclass(frozen=True)
class Coverage:
    """How far the banks ask about a statute: questions in use that cite it, by bank, and the articles they cite."""

    question_count: int
    articles: tuple[str, ...]
    banks: Mapping[str, int]


Watch = Callable[[Sequence[ArticleChange], bool, Actor, dt.datetime], int]
Count = Callable[[Sequence[ArticleChange]], int]
Suspends = Callable[[], bool]
Cover = Callable[[Sequence[Collection[str]]], Sequence[Coverage]]


@dataclass(frozen=True)
class Dependents:
    """``on_change`` lists (and, where asked, suspends) what depends on the articles and returns how much that is;
    ``count`` tells without doing it; ``cover`` answers for sets of names, one for each statute; ``suspends`` tells
    what the bureau has set for questions whose article changes."""

    on_change: Watch
    count: Count
    cover: Cover
    suspends: Suspends


_registered: dict[str, Dependents] = {}


def register(name: str, dependents: Dependents) -> None:
    """Add or replace what one package depends with (an application may be built more than once)."""
    _registered[name] = dependents


def tell(changes: Sequence[ArticleChange], *, suspend: bool, actor: Actor, now: dt.datetime) -> int:
    """Tell everybody of changed articles, in the caller's transaction. Returns how many questions were listed."""
    return sum(item.on_change(changes, suspend, actor, now) for item in _registered.values()) if changes else 0


def count(changes: Sequence[ArticleChange]) -> int:
    """How many questions :func:`tell` would list."""
    return sum(item.count(changes) for item in _registered.values()) if changes else 0


def cover(statutes: Sequence[Collection[str]]) -> list[Coverage]:
    """The coverage of each statute (given by its names) by the banks."""
    for item in _registered.values():
        return list(item.cover(statutes))
    return [Coverage(0, (), {}) for _ in statutes]


def suspends() -> bool:
    """Whether the bureau has set that what depends on a changed article is out of use at once."""
    return all(item.suspends() for item in _registered.values())

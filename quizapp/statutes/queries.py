"""Reading statutes: by any of their names, an article as it was on a day, words in titles and texts.

``on`` is a Shanghai day; ``known_at`` asks for what was recorded up to a moment (see :func:`rules.pick`).
"""

import datetime as dt
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import sqlalchemy.orm

from quizapp.accounts.models import DemographicGroup, StaffAccount
from quizapp.core.db import db
from quizapp.core.text import has_forbidden_characters
from quizapp.statutes import rules
from quizapp.statutes.errors import StatuteNotFound
from quizapp.statutes.models import ReadingList, ReadingListItem, Statute, StatuteArticle, StatuteName
from quizapp.statutes.rules import Version

NAMES_SECONDS = 10.0

_lock = threading.Lock()
_names: tuple[float, frozenset[str]] = (0.0, frozenset())


@dataclass(frozen=True)
class ArticleText:
    """An article as it was on a day. ``effective_to`` is the first day of the next version, None while none is known."""

    id: uuid.UUID
    law: str
    title: str
    number: str
    label: str
    text: str
    effective_from: dt.date
    effective_to: dt.date | None
    is_corrected: bool = False
    """Whether it reads otherwise by what is known now: what was typed has been put right since."""


# ---- statutes


def find_statute(name: str) -> Statute | None:
    """A statute by its short title, title or alias; of several with that name, one that holds, the latest."""
    if not name or len(name) > 200 or has_forbidden_characters(name):
        return None
    exact = db.session.scalar(sa.select(Statute).filter_by(short_title=name))
    if exact is not None:
        return exact
    named = (
        sa.select(Statute)
        .join(StatuteName, StatuteName.statute_id == Statute.id)
        .where(StatuteName.name == name)
        .order_by(Statute.is_repealed, Statute.effective_on.desc(), Statute.id.desc())
        .limit(1)
    )
    return db.session.scalar(named)


def get_statute(name: str) -> Statute:
    """:raises StatuteNotFound: if there is none of that name"""
    statute = find_statute(name)
    if statute is None:
        raise StatuteNotFound
    return statute


def lock_statute(statute_id: uuid.UUID) -> Statute:
    """:raises StatuteNotFound: if there is none"""
    statement = sa.select(Statute).filter_by(id=statute_id).with_for_update().execution_options(populate_existing=True)
    statute = db.session.scalar(statement)
    if statute is None:
        raise StatuteNotFound
    return statute


def lock_statutes(short_titles: Collection[str]) -> dict[str, Statute]:
    """Those that are there, by short title, locked until the transaction ends (always in the same order)."""
    statement = sa.select(Statute).where(Statute.short_title.in_(short_titles)).order_by(Statute.short_title).with_for_update()
    return {row.short_title: row for row in db.session.scalars(statement.execution_options(populate_existing=True))}


def list_by_titles(short_titles: Collection[str]) -> dict[str, Statute]:
    """Those that are there, by short title."""
    return {row.short_title: row for row in db.session.scalars(sa.select(Statute).where(Statute.short_title.in_(short_titles)))}


def get_by_ids(statute_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Statute]:
    """Statutes by id."""
    return {row.id: row for row in db.session.scalars(sa.select(Statute).where(Statute.id.in_(statute_ids)))}


def names_of(statute_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, frozenset[str]]:
    """Every name of these statutes."""
    found: dict[uuid.UUID, set[str]] = {statute_id: set() for statute_id in statute_ids}
    for row in db.session.execute(sa.select(StatuteName.statute_id, StatuteName.name).where(StatuteName.statute_id.in_(statute_ids))):
        found[row.statute_id].add(row.name)
    return {statute_id: frozenset(names) for statute_id, names in found.items()}


def has_name(name: str) -> bool:
    """Whether a statute of that name is here, asked of this process's memory, which is a few seconds old at most."""
    global _names
    if _names[0] < time.monotonic():
        with _lock:
            _names = (time.monotonic() + NAMES_SECONDS, frozenset(db.session.scalars(sa.select(StatuteName.name).distinct())))
    return name in _names[1]


def forget_names() -> None:
    """Read the names afresh in this process; to be called after a change was committed."""
    global _names
    with _lock:
        _names = (0.0, frozenset())


def select_statutes(text: str = "", kind: str = "") -> sa.Select[Statute]:
    """Statutes whose names hold every word, by kind and short title."""
    statement = sa.select(Statute).order_by(Statute.is_repealed, sa.case(_KIND_ORDER, value=Statute.kind), Statute.short_title)
    for term in rules.parse_query(text).terms:
        named = sa.select(StatuteName.statute_id).where(StatuteName.name.contains(term, autoescape=True))
        statement = statement.where(sa.or_(Statute.id.in_(named), Statute.number.contains(term, autoescape=True)))
    return statement.where(Statute.kind == kind) if kind else statement


def list_found(text: str, kind: str, on: dt.date, *, limit: int, offset: int = 0) -> list[Statute]:
    """Statutes for a citizen's list, those in force first."""
    rows = db.session.scalars(select_statutes(text, kind).limit(limit).offset(offset)).all()
    return sorted(rows, key=lambda row: row.is_repealed and (row.repealed_on is None or row.repealed_on <= on))


_KIND_ORDER = {kind: place for place, kind in enumerate(rules.KIND_TITLES)}


def count_by_kind() -> dict[str, int]:
    rows = db.session.execute(sa.select(Statute.kind, sa.func.count()).group_by(Statute.kind))
    counts = {row[0]: row[1] for row in rows}
    return {kind: counts[kind] for kind in rules.KIND_TITLES if kind in counts}


# ---- versions of articles

_COLUMNS = (
    StatuteArticle.id,
    StatuteArticle.number,
    StatuteArticle.text,
    StatuteArticle.effective_from,
    StatuteArticle.recorded_at,
    StatuteArticle.source,
    StatuteArticle.note,
    StatuteArticle.changed_by,
)


def list_versions(statute_id: uuid.UUID, number: str) -> list[Version]:
    """Every version of an article, the one that counts last at the end."""
    rows = db.session.execute(sa.select(*_COLUMNS).where(StatuteArticle.statute_id == statute_id, StatuteArticle.number == number))
    return sorted((Version(*row) for row in rows), key=lambda version: version.order)


def versions_by_number(statute_id: uuid.UUID) -> dict[str, list[Version]]:
    """Every version of every article of a statute, articles in their order."""
    return versions_of([statute_id]).get(statute_id, {})


def versions_of(statute_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[str, list[Version]]]:
    """The same for several statutes in one reading."""
    found: dict[uuid.UUID, dict[str, list[Version]]] = defaultdict(lambda: defaultdict(list))
    statement = sa.select(StatuteArticle.statute_id, *_COLUMNS).where(StatuteArticle.statute_id.in_(statute_ids))
    for row in db.session.execute(statement):
        version = Version(*row[1:])
        found[row[0]][version.number].append(version)
    return {
        statute_id: {number: sorted(articles[number], key=lambda version: version.order) for number in sorted(articles, key=rules.sort_key)}
        for statute_id, articles in found.items()
    }


def get_versions(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Version]:
    """Versions by id."""
    rows = db.session.execute(sa.select(*_COLUMNS).where(StatuteArticle.id.in_(set(ids))))
    return {row.id: Version(*row) for row in rows}


def _as_text(statute: Statute, versions: Sequence[Version], on: dt.date, known_at: dt.datetime | None) -> ArticleText | None:
    version = rules.pick(versions, on, known_at)
    if version is None or version.text is None:
        return None
    seen = [other for other in versions if known_at is None or other.recorded_at <= max(known_at, version.recorded_at)]
    now = rules.pick(versions, on)
    return ArticleText(
        id=version.id,
        law=statute.short_title,
        title=statute.title,
        number=version.number,
        label=rules.label(version.number, statute.unit),
        text=version.text,
        effective_from=version.effective_from,
        effective_to=rules.ends_on(version, seen),
        is_corrected=now is not None and now.text != version.text,
    )


def get_article(short_title: str, number: str, on: dt.date, known_at: dt.datetime | None = None) -> ArticleText | None:
    """The article in force on a day; None where the statute, the article or its text of that day is not here."""
    statute = find_statute(short_title)
    return None if statute is None else article_of(statute, number, on, known_at)


def article_of(statute: Statute, number: str, on: dt.date, known_at: dt.datetime | None = None) -> ArticleText | None:
    return _as_text(statute, list_versions(statute.id, number), on, known_at)


def list_articles(short_title: str, on: dt.date, known_at: dt.datetime | None = None) -> list[ArticleText]:
    """The whole text in force on a day, in order; empty where none is here."""
    statute = find_statute(short_title)
    return [] if statute is None else articles_of(statute, on, known_at)


def articles_of(statute: Statute, on: dt.date, known_at: dt.datetime | None = None) -> list[ArticleText]:
    texts = (_as_text(statute, versions, on, known_at) for versions in versions_by_number(statute.id).values())
    return [text for text in texts if text is not None]


def list_change_days(statute_id: uuid.UUID) -> list[dt.date]:
    """The days on which some article of a statute began to read as it does, the latest first."""
    statement = sa.select(StatuteArticle.effective_from).where(StatuteArticle.statute_id == statute_id).distinct()
    return sorted(db.session.scalars(statement), reverse=True)


def count_articles(statute_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many articles each statute has had a text for."""
    statement = sa.select(StatuteArticle.statute_id, sa.func.count(StatuteArticle.number.distinct()))
    statement = statement.where(StatuteArticle.statute_id.in_(statute_ids), StatuteArticle.number != rules.PREAMBLE)
    return {row[0]: row[1] for row in db.session.execute(statement.group_by(StatuteArticle.statute_id))}


# ---- search


@dataclass(frozen=True)
class Hit:
    """An article that holds the words."""

    law: str
    number: str
    label: str
    text: str


def search_articles(terms: Sequence[str], on: dt.date, *, limit: int, offset: int = 0) -> list[Hit]:
    """Articles in force on a day that hold every word, in the order of laws, then regulations and the rest."""
    if not terms:
        return []
    later = sa.orm.aliased(StatuteArticle)
    is_over = sa.exists().where(
        later.statute_id == StatuteArticle.statute_id,
        later.number == StatuteArticle.number,
        later.effective_from <= on,
        sa.tuple_(later.effective_from, later.recorded_at, later.id)
        > sa.tuple_(StatuteArticle.effective_from, StatuteArticle.recorded_at, StatuteArticle.id),
    )
    holds = sa.and_(*(StatuteArticle.text.contains(term, autoescape=True) for term in terms))
    repealed = sa.and_(Statute.is_repealed, sa.or_(Statute.repealed_on.is_(None), Statute.repealed_on <= on))
    place = (sa.case(_KIND_ORDER, value=Statute.kind), Statute.short_title, StatuteArticle.position)
    found = (
        sa.select(StatuteArticle.id)
        .join(Statute, Statute.id == StatuteArticle.statute_id)
        .where(holds, StatuteArticle.effective_from <= on, ~is_over, ~repealed)
        .order_by(*place)
        .limit(limit)
        .offset(offset)
    )
    ids = db.session.scalars(found).all()
    statement = (
        sa.select(Statute.short_title, Statute.unit, StatuteArticle.number, StatuteArticle.text)
        .join(Statute, Statute.id == StatuteArticle.statute_id)
        .where(StatuteArticle.id.in_(ids))
        .order_by(*place)
    )
    return [Hit(row.short_title, row.number, rules.label(row.number, row.unit), row.text) for row in db.session.execute(statement)]


# ---- reading lists


@dataclass(frozen=True)
class ListItem:
    """One statute of a list; ``statute`` None where no text or fact of it is in the database."""

    law: str
    note: str
    statute: Statute | None


def list_reading_lists(*, shown_only: bool = False) -> list[tuple[ReadingList, str, int]]:
    """Lists with the group's name and the number of statutes, in the order of the groups."""
    size = sa.select(sa.func.count()).where(ReadingListItem.list_id == ReadingList.id).scalar_subquery()
    statement = (
        sa.select(ReadingList, DemographicGroup.name, size)
        .join(DemographicGroup, DemographicGroup.code == ReadingList.demographic_group)
        .order_by(DemographicGroup.position)
    )
    if shown_only:
        statement = statement.where(ReadingList.is_shown)
    return [(row[0], row[1], row[2]) for row in db.session.execute(statement)]


def find_reading_list(group: str) -> ReadingList | None:
    return db.session.scalar(sa.select(ReadingList).filter_by(demographic_group=group))


def list_items(list_id: uuid.UUID) -> list[ListItem]:
    """The statutes of a list in its order."""
    items = db.session.scalars(sa.select(ReadingListItem).filter_by(list_id=list_id).order_by(ReadingListItem.position)).all()
    known = list_by_titles([item.law for item in items])
    return [ListItem(item.law, item.note, known.get(item.law)) for item in items]


def names_of_authors(versions: Iterable[Version]) -> dict[uuid.UUID, str]:
    """Display names of the staff who recorded these versions."""
    ids = {version.changed_by for version in versions if version.changed_by}
    rows = db.session.execute(sa.select(StaffAccount.id, StaffAccount.display_name).where(StaffAccount.id.in_(ids)))
    return {row[0]: row[1] for row in rows}

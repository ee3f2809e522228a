"""What staff change: a statute's facts, one article from one day on, a document they type in, the reading lists."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa

from quizapp.audit.services import Actor, record
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db, on_commit
from quizapp.core.errors import Conflict
from quizapp.core.ids import new_id
from quizapp.statutes import dependents, queries, rules
from quizapp.statutes.dependents import ArticleChange
from quizapp.statutes.errors import ArticleChanged, ArticleNotFound, NothingChanged, StatuteExists
from quizapp.statutes.importing import Imported, import_statutes, keep_names, plan_import
from quizapp.statutes.models import ReadingList, ReadingListItem, Statute, StatuteArticle
from quizapp.statutes.rules import Version

__all__ = ["Facts", "Imported", "change_article", "create_statute", "import_statutes", "plan_import", "save_facts", "save_reading_list"]


@dataclass(frozen=True)
class Facts:
    """What is known of a statute besides its text; days are Shanghai days."""

    short_title: str
    title: str
    kind: str
    aliases: tuple[str, ...] = ()
    issuer: str = ""
    number: str = ""
    adopted_on: dt.date | None = None
    effective_on: dt.date | None = None
    last_amended_on: dt.date | None = None
    is_repealed: bool = False
    repealed_on: dt.date | None = None
    repealed_by: str = ""
    is_outdated: bool = False
    note: str = ""


_COLUMNS = tuple(field.name for field in fields(Facts) if field.name not in ("short_title", "aliases"))


def create_statute(facts: Facts, articles: Mapping[str, str], *, unit: str, now: dt.datetime, actor: Actor) -> Statute:
    """Add a document that staff typed in. Its text holds from the day it took effect.

    :param articles: clean texts by number; empty where only the facts are known
    :raises StatuteExists: if the short title is taken
    :raises ValueError: for a text without any day it could hold from
    """
    if queries.list_by_titles([facts.short_title]):
        raise StatuteExists
    text_from = facts.effective_on or facts.adopted_on
    if articles and text_from is None:
        raise ValueError("a text needs the day from which it holds")
    statute = Statute(
        id=new_id(),
        short_title=facts.short_title,
        unit=unit,
        aliases=[],
        text_from=text_from if articles else None,
        created_at=now,
        changed_at=now,
        **{column: getattr(facts, column) for column in _COLUMNS},
    )
    db.session.add(statute)
    try:
        db.session.flush()
    except sa.exc.IntegrityError:
        raise StatuteExists from None
    keep_names(statute, frozenset({facts.short_title, facts.title, *facts.aliases}), frozenset())
    for number, text in articles.items():
        _add_version(statute, number, text, text_from or dt.date.min, "", actor, now)
    db.session.flush()
    on_commit(queries.forget_names)
    _record("statute.created", statute, actor, now, {**_plain(asdict(facts)), "articles": len(articles)})
    return statute


def save_facts(statute_id: uuid.UUID, facts: Facts, *, suspend: bool, now: dt.datetime, actor: Actor) -> int:
    """Change what is known of a statute. When it turns out to be repealed, everything that cites it is to be looked at.

    Names it had stay findable: questions may cite them. Returns how many questions were listed.
    :param suspend: whether those are out of papers until somebody has looked at them
    """
    statute = queries.lock_statute(statute_id)
    before = {column: getattr(statute, column) for column in _COLUMNS}
    after = {column: getattr(facts, column) for column in _COLUMNS}
    changed = {column: [before[column], after[column]] for column in _COLUMNS if before[column] != after[column]}
    for column in changed:
        setattr(statute, column, after[column])
    known = queries.names_of([statute.id])[statute.id]
    keep_names(statute, frozenset({statute.short_title, facts.title, *facts.aliases}), known)
    if added := sorted({facts.title, *facts.aliases} - known):
        changed["aliases"] = [tuple(sorted(known)), tuple(sorted(known | set(added)))]
    if not changed:
        return 0
    statute.changed_at = now
    db.session.flush()
    on_commit(queries.forget_names)
    _record("statute.changed", statute, actor, now, _plain(changed))
    if "is_repealed" not in changed or not facts.is_repealed:
        return 0
    names = queries.names_of([statute.id])[statute.id]
    places = (statute.id, statute.short_title, names, None, None, None)
    gone = ArticleChange(*places, facts.repealed_on or shanghai_day(now), "repealed")
    return dependents.tell([gone], suspend=suspend, actor=actor, now=now)


@dataclass(frozen=True)
class ArticleChanges:
    """What a change of one article did: the version it added, and how many questions are to be looked at."""

    version_id: uuid.UUID
    listed: int


def change_article(
    statute_id: uuid.UUID,
    number: str,
    text: str | None,
    *,
    effective_from: dt.date,
    seen_id: uuid.UUID | None,
    note: str,
    suspend: bool,
    now: dt.datetime,
    actor: Actor,
) -> ArticleChanges:
    """Let an article read otherwise from a day on; what it said before stays. A day on which a version begins already is a
    correction of that version.

    :param text: None takes the article out from that day on
    :param seen_id: the newest version of the article that the editor saw; None for an article that is new
    :param suspend: whether questions that depend on it are out of papers, from that day, until somebody has looked at them
    :raises ArticleChanged: if there is a newer version than the one seen
    :raises NothingChanged: if that is what it says on that day already
    """
    statute = queries.lock_statute(statute_id)
    versions = queries.list_versions(statute.id, number)
    if seen_id != newest_id(versions):
        raise ArticleChanged
    clean = rules.clean_text(text) if text is not None else None
    before = rules.pick(versions, effective_from)
    if (before.text if before else None) == (clean or None):
        raise NothingChanged
    matters = rules.matters_from(versions, effective_from, shanghai_day(now))
    row = _add_version(statute, number, clean or None, effective_from, note, actor, now)
    statute.changed_at = now
    if statute.text_from is None:
        statute.text_from = effective_from
    db.session.flush()
    label = rules.label(number, statute.unit)
    changes = {"article": label, "effective_from": effective_from.isoformat(), "text": [before.text if before else None, row.text]}
    _record("statute.article_changed", statute, actor, now, {**changes, "note": note})
    if not matters or before is None or before.text is None:
        return ArticleChanges(row.id, 0)
    change = _as_change(statute, row, before)
    return ArticleChanges(row.id, dependents.tell([change], suspend=suspend, actor=actor, now=now))


def newest_id(versions: Sequence[Version]) -> uuid.UUID | None:
    """The version recorded last, whatever day it holds from: an editor's page is stale once there is a newer one."""
    newest = max(versions, key=lambda version: (version.recorded_at, version.id), default=None)
    return newest.id if newest else None


def _as_change(statute: Statute, row: StatuteArticle, before: Version) -> ArticleChange:
    names = queries.names_of([statute.id])[statute.id]
    places = (statute.id, statute.short_title, names, row.number, before.id)
    if row.text is None:
        return ArticleChange(*places, None, row.effective_from, "removed")
    return ArticleChange(*places, row.id, row.effective_from, "changed")


def describe_change(law: str, number: str) -> ArticleChange:
    """The latest change of an article, as :func:`dependents.tell` takes it.

    :raises StatuteNotFound, ArticleNotFound: if there is no such statute, or it has never had such an article
    """
    statute = queries.get_statute(law)
    versions = queries.list_versions(statute.id, number)
    if not versions:
        raise ArticleNotFound
    newest = versions[-1]
    before = versions[-2] if len(versions) > 1 else newest
    names = queries.names_of([statute.id])[statute.id]
    after_id = newest.id if newest.text is not None else None
    kind = "removed" if after_id is None else "changed"
    return ArticleChange(statute.id, statute.short_title, names, number, before.id, after_id, newest.effective_from, kind)  # type: ignore[arg-type]  # one of two words


def _add_version(
    statute: Statute, number: str, text: str | None, effective_from: dt.date, note: str, actor: Actor, now: dt.datetime
) -> StatuteArticle:
    row = StatuteArticle(
        id=new_id(),
        statute_id=statute.id,
        number=number,
        position=rules.position(number),
        text=text,
        effective_from=effective_from,
        source="staff",
        note=note[:200],
        changed_by=actor.id if actor.kind == "staff" else None,
        recorded_at=now,
    )
    db.session.add(row)
    return row


# ---- reading lists


@dataclass(frozen=True)
class ListEntry:
    """One line of a reading list: a statute by the name questions cite, and a word why."""

    law: str
    note: str = ""


def save_reading_list(
    group: str, *, title: str, note: str, is_shown: bool, entries: Sequence[ListEntry], now: dt.datetime, actor: Actor
) -> ReadingList:
    """Write the whole list of a group anew.

    :raises Conflict: if two lines name the same statute, or somebody else makes the group's list at the same moment
    """
    if len({entry.law for entry in entries}) < len(entries):
        raise Conflict
    found = db.session.scalar(sa.select(ReadingList).filter_by(demographic_group=group).with_for_update())
    before = [item.law for item in queries.list_items(found.id)] if found else []
    if found is None:
        found = ReadingList(id=new_id(), demographic_group=group)
        db.session.add(found)
    found.title, found.note, found.is_shown, found.changed_at = title, note, is_shown, now
    try:
        db.session.flush()
    except sa.exc.IntegrityError:
        raise Conflict from None
    db.session.execute(sa.delete(ReadingListItem).filter_by(list_id=found.id))
    items = [ReadingListItem(list_id=found.id, position=place, law=entry.law, note=entry.note) for place, entry in enumerate(entries, 1)]
    db.session.add_all(items)
    db.session.flush()
    after = [entry.law for entry in entries]
    changes = {
        "is_shown": is_shown,
        "added": "、".join(law for law in after if law not in before),
        "removed": "、".join(law for law in before if law not in after),
    }
    record(
        "reading_list.saved",
        actor=actor,
        target_type="reading_list",
        target_id=found.id,
        target_name=title,
        changes={name: value for name, value in changes.items() if value != ""},
        now=now,
    )
    return found


def _plain(changes: Mapping[str, object]) -> dict[str, object]:
    """Days as text, for the audit trail."""

    def plain(value: object) -> object:
        return value.isoformat() if isinstance(value, dt.date) else "、".join(value) if isinstance(value, tuple) else value

    def both(value: object) -> object:
        return [plain(item) for item in value] if isinstance(value, list) else plain(value)

    return {_FIELD_NAMES.get(name, name): both(value) for name, value in changes.items() if value not in ("", None, ())}


_FIELD_NAMES = {"title": "full_title"}
"""Fields whose name means something else elsewhere in the audit trail."""


def _record(action: str, statute: Statute, actor: Actor, now: dt.datetime, changes: Mapping[str, object]) -> None:
    record(action, actor=actor, target_type="statute", target_id=statute.id, target_name=statute.short_title, changes=changes, now=now)

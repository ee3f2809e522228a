"""Taking in whole texts. What will change is planned first and shown; taking in does exactly what the plan says.

A text holds from its file's day. It never undoes what is known of later days, and what staff typed is kept unless the
file is to replace it.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from quizapp.audit.services import Actor, record
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db, on_commit
from quizapp.core.errors import Conflict
from quizapp.core.ids import new_id
from quizapp.statutes import dependents, queries, rules
from quizapp.statutes.dependents import ArticleChange
from quizapp.statutes.facts import sha256_of
from quizapp.statutes.loader import LawFile, LawFiles, read_folder
from quizapp.statutes.models import Statute, StatuteArticle, StatuteName
from quizapp.statutes.registry import load_registry
from quizapp.statutes.rules import Version

FACTS = {
    "title": "title",
    "kind": "kind",
    "category": "category",
    "issuer": "issuer",
    "number": "number",
    "adopted_on": "adopted",
    "effective_on": "effective",
    "last_amended_on": "last_amended",
    "amendment_effective_on": "amendment_effective",
    "repealed_on": "repealed_on",
    "repealed_by": "repealed_by",
    "is_repealed": "is_repealed",
    "is_outdated": "is_outdated",
    "note": "note",
    "source": "source",
    "as_of": "as_of",
}
"""Columns of a statute and the fields of a file they come from."""
_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class ArticleStep:
    """What becomes of one article. ``kept``: staff changed it since, and the file does not replace it."""

    number: str
    kind: Literal["new", "changed", "removed", "kept"]
    text: str | None
    effective_from: dt.date
    before: Version | None = None
    matters: bool = False
    """Whether anything reads differently from today on."""
    id: uuid.UUID = field(default_factory=new_id)
    """Of the version that the step will add."""


@dataclass(frozen=True)
class Difference:
    """An article that the shipped questions cite and that reads otherwise, in a statute's first text, than the one they were
    checked with (only its hash is shipped). ``text`` is None where the text has no such article."""

    number: str
    text: str | None
    version_id: uuid.UUID | None


@dataclass(frozen=True)
class StatutePlan:
    """What becomes of one statute. ``facts`` maps columns to what they were and will be."""

    law: LawFile
    statute_id: uuid.UUID
    is_new: bool
    had_text: bool
    facts: Mapping[str, tuple[Any, Any]]
    steps: tuple[ArticleStep, ...]
    unchanged: int
    differences: tuple[Difference, ...] = ()

    def of(self, kind: str) -> list[ArticleStep]:
        return [step for step in self.steps if step.kind == kind]

    @property
    def is_unchanged(self) -> bool:
        return not self.is_new and not self.facts and not any(step.kind != "kept" for step in self.steps)


@dataclass(frozen=True)
class ImportPlan:
    """Everything an import will do, and what of the upload is passed over."""

    statutes: tuple[StatutePlan, ...]
    passed_over: tuple[tuple[str, str], ...]
    changes: tuple[ArticleChange, ...]
    """Articles that read differently from today on, or from a coming day: what depends on them is to be looked at."""

    def total(self, kind: str) -> int:
        return sum(len(plan.of(kind)) for plan in self.statutes)

    @property
    def new_statutes(self) -> int:
        return sum(plan.is_new for plan in self.statutes)

    @property
    def unchanged(self) -> int:
        return sum(plan.is_unchanged for plan in self.statutes)

    @property
    def differing(self) -> list[tuple[str, str]]:
        """Statute and number of every article that reads otherwise than the one the shipped questions were checked with."""
        return [(plan.law.short_title, one.number) for plan in self.statutes for one in plan.differences]


@dataclass(frozen=True)
class Imported:
    """What an import did. ``listed`` questions are to be looked at; ``differing`` as in the plan."""

    statutes: int
    new_statutes: int
    added: int
    changed: int
    removed: int
    kept: int
    listed: int
    differing: tuple[tuple[str, str], ...] = ()


def plan_import(files: LawFiles, *, now: dt.datetime, replace: bool = False) -> ImportPlan:
    """What importing these files would do now."""
    return _plan(files, queries.list_by_titles([law.short_title for law in files.statutes]), shanghai_day(now), replace)


def import_statutes(files: LawFiles | Path, *, now: dt.datetime, actor: Actor, suspend: bool, replace: bool = False) -> Imported:
    """Take in statutes, all of them or none.

    :param files: as read, or a folder or zip to read
    :param suspend: whether questions that depend on what changes are out of papers until somebody has looked at them
    :param replace: whether the files win over what staff typed for the same day
    :raises LawFilesInvalid: with every mistake of the files
    :raises Conflict: if somebody else imports the same new statute at the same moment
    """
    read = read_folder(files) if isinstance(files, Path) else files
    known = queries.lock_statutes([law.short_title for law in read.statutes])
    plan = _plan(read, known, shanghai_day(now), replace)
    try:
        rows = [_keep_statute(known.get(item.law.short_title), item, now) for item in plan.statutes]
        db.session.flush()
        names = queries.names_of([row.id for row in rows])
        for row, item in zip(rows, plan.statutes, strict=True):
            keep_names(row, item.law.names, names[row.id])
        db.session.flush()
        _keep_articles(plan, actor, now)
    except sa.exc.IntegrityError:
        raise Conflict from None
    listed = dependents.tell(plan.changes, suspend=suspend, actor=actor, now=now)
    on_commit(queries.forget_names)
    done = Imported(
        statutes=len(plan.statutes),
        new_statutes=plan.new_statutes,
        added=plan.total("new"),
        changed=plan.total("changed"),
        removed=plan.total("removed"),
        kept=plan.total("kept"),
        listed=listed,
        differing=tuple(plan.differing),
    )
    _record(plan, done, actor, now)
    return done


# ---- planning


def _plan(files: LawFiles, known: Mapping[str, Statute], today: dt.date, replace: bool) -> ImportPlan:
    versions = queries.versions_of([statute.id for statute in known.values()])
    plans = []
    for law in files.statutes:
        statute = known.get(law.short_title)
        plans.append(_plan_statute(law, statute, versions.get(statute.id, {}) if statute else {}, today, replace))
    changes = [change for plan in plans for change in _changes(plan, today)]
    return ImportPlan(tuple(plans), files.passed_over, tuple(changes))


def _plan_statute(law: LawFile, statute: Statute | None, known: Mapping[str, list[Version]], today: dt.date, replace: bool) -> StatutePlan:
    steps: list[ArticleStep] = []
    unchanged = 0
    present = {number: list(versions) for number, versions in known.items()}
    for text in (law, *law.successors):
        if text.articles:
            unchanged += _plan_text(text, present, steps, today, replace)
    is_older = statute is not None and statute.text_from is not None and statute.text_from > _newest(law)
    facts = {} if statute is None or is_older else _fact_changes(law, statute)
    statute_id = new_id() if statute is None else statute.id
    differences = () if known else _differences(law.short_title, present, today)
    return StatutePlan(law, statute_id, statute is None, bool(known), facts, tuple(steps), unchanged, differences)


def _differences(short_title: str, present: Mapping[str, Sequence[Version]], today: dt.date) -> tuple[Difference, ...]:
    """Compare a first text, where it holds today, with the hashes of the articles that the shipped questions cite."""
    held = {number: rules.pick(versions, today) for number, versions in present.items()}
    if not any(version and version.text for version in held.values()):
        return ()
    found = []
    for number, facts in load_registry().articles.get(short_title, {}).items():
        version = held.get(number)
        text = version.text if version else None
        if text is None or sha256_of(text) != facts.sha256:
            found.append(Difference(number, text, version.id if version and text is not None else None))
    return tuple(sorted(found, key=lambda one: rules.sort_key(one.number)))


def _newest(law: LawFile) -> dt.date:
    return max(text.text_from for text in (law, *law.successors))


def _plan_text(law: LawFile, present: dict[str, list[Version]], steps: list[ArticleStep], today: dt.date, replace: bool) -> int:
    """Compare one whole text with what is known, and add to ``present`` what it brings. Returns how many articles say the
    same already."""
    day, unchanged = law.text_from, 0
    next_text = min((v.effective_from for versions in present.values() for v in versions if v.effective_from > day), default=None)
    for number in sorted(law.articles.keys() | present.keys(), key=rules.sort_key):
        versions = present.setdefault(number, [])
        text, before = law.articles.get(number), rules.pick(versions, day)
        if (before.text if before else None) == text:
            unchanged += text is not None
            continue
        if before is not None and before.source == "staff" and not replace:
            steps.append(ArticleStep(number, "kept", text, day, before))
            continue
        had = before is not None and before.text is not None
        kind: Literal["new", "changed", "removed"] = "removed" if text is None else "changed" if had else "new"
        _step(ArticleStep(number, kind, text, day, before, rules.matters_from(versions, day, today)), versions, steps)
        if kind == "new" and next_text is not None and not any(version.effective_from >= next_text for version in versions):
            _step(ArticleStep(number, "removed", None, next_text, versions[-1]), versions, steps)
    return unchanged


def _step(step: ArticleStep, versions: list[Version], steps: list[ArticleStep]) -> None:
    """Note a step, and count its version among those that the next text is compared with."""
    steps.append(step)
    versions.append(Version(step.id, step.number, step.text, step.effective_from, dt.datetime.max.replace(tzinfo=dt.UTC)))


def _fact_changes(law: LawFile, statute: Statute) -> dict[str, tuple[Any, Any]]:
    new = {column: getattr(law, field) for column, field in FACTS.items()}
    return {column: (getattr(statute, column), value) for column, value in new.items() if getattr(statute, column) != value}


def _changes(plan: StatutePlan, today: dt.date) -> list[ArticleChange]:
    """What depends on these articles is to be looked at. A statute's first text changes nothing, for it was cited before it
    came, except where it is not the text that the shipped questions were checked with."""
    law = plan.law.short_title
    found = []
    if plan.law.is_repealed and (plan.is_new or "is_repealed" in plan.facts):
        found.append(ArticleChange(plan.statute_id, law, plan.law.names, None, None, None, plan.law.repealed_on or today, "repealed"))
    for one in plan.differences:
        kind_of_first: Literal["changed", "removed"] = "removed" if one.text is None else "changed"
        found.append(ArticleChange(plan.statute_id, law, plan.law.names, one.number, None, one.version_id, today, kind_of_first))
    for step in plan.steps:
        if step.matters and step.kind in ("changed", "removed") and step.before is not None:
            after_id = step.id if step.text is not None else None
            kind: Literal["changed", "removed"] = "removed" if after_id is None else "changed"
            places = (plan.statute_id, law, plan.law.names, step.number, step.before.id, after_id)
            found.append(ArticleChange(*places, step.effective_from, kind))
    return found


# ---- taking in


def _keep_statute(statute: Statute | None, plan: StatutePlan, now: dt.datetime) -> Statute:
    law = plan.law
    if statute is None:
        statute = Statute(id=plan.statute_id, short_title=law.short_title, aliases=[], created_at=now, changed_at=now)
        for column, field in FACTS.items():
            setattr(statute, column, getattr(law, field))
        db.session.add(statute)
    for column, (_, value) in plan.facts.items():
        setattr(statute, column, value)
    if law.articles and (statute.text_from is None or statute.text_from < _newest(law)):
        statute.text_from = _newest(law)
    if not plan.is_unchanged:
        statute.changed_at = now
    return statute


def keep_names(statute: Statute, names: frozenset[str], known: frozenset[str]) -> None:
    """Let a statute be found under these names too; those it is known by stay."""
    fresh = sorted(names - known)
    db.session.add_all(StatuteName(statute_id=statute.id, name=name) for name in fresh)
    own = {statute.short_title, statute.title}
    statute.aliases = sorted((known | names) - own)


def _keep_articles(plan: ImportPlan, actor: Actor, now: dt.datetime) -> None:
    author = actor.id if actor.kind == "staff" else None
    rows = [
        {
            "id": step.id,
            "statute_id": item.statute_id,
            "number": step.number,
            "position": rules.position(step.number),
            "text": step.text,
            "effective_from": step.effective_from,
            "source": "file",
            "note": "",
            "changed_by": author,
            "recorded_at": now,
        }
        for item in plan.statutes
        for step in item.steps
        if step.kind != "kept"
    ]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        db.session.execute(sa.insert(StatuteArticle), rows[start : start + _ROWS_AT_ONCE])


def _differing_words(done: Imported) -> dict[str, str]:
    return {"differing": "、".join(" ".join(one) for one in done.differing)[:2000]} if done.differing else {}


def _record(plan: ImportPlan, done: Imported, actor: Actor, now: dt.datetime) -> None:
    """One entry for the import, and one for each statute of which something changed."""
    if all(item.is_unchanged for item in plan.statutes):
        return
    totals = {"statutes": done.statutes, "added": done.added, "changed": done.changed, "removed": done.removed}
    record(
        "statutes.imported",
        actor=actor,
        target_type="statute",
        target_id="",
        target_name="、".join(item.law.short_title for item in plan.statutes[:5]) + ("等" if len(plan.statutes) > 5 else ""),
        changes={**totals, "kept": done.kept, "listed": done.listed, **_differing_words(done)},
        now=now,
    )
    for item in plan.statutes:
        if item.had_text and (item.of("changed") or item.of("removed") or item.of("new")):
            record(
                "statute.revised",
                actor=actor,
                target_type="statute",
                target_id=item.statute_id,
                target_name=item.law.short_title,
                changes={kind: "、".join(step.number for step in item.of(kind)) for kind in ("new", "changed", "removed") if item.of(kind)},
                now=now,
            )

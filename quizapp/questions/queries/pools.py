"""Reading banks, questions and pools.

Revisions never change, so each process keeps those it has read. Pools do change: a process keeps them for a few seconds
and forgets them at once when it changes a question itself (:func:`forget_pools`).
"""

import json
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from quizapp.accounts.models import Organisation, StaffAccount
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.questions.errors import BankNotFound
from quizapp.questions.models import KINDS, STATUSES, FaultReport, Question, QuestionAlias, QuestionBank, QuestionFlag, QuestionRevision
from quizapp.questions.rules import PoolItem, RevisionView

POOL_SECONDS = 3.0
MAX_KEPT = 20_000

_lock = threading.Lock()
_revisions: dict[uuid.UUID, RevisionView] = {}
_pools: dict[tuple[tuple[str | int, ...], ...], tuple[float, tuple[PoolItem, ...]]] = {}


def as_view(row: QuestionRevision) -> RevisionView:
    return RevisionView(
        id=row.id,
        question_id=row.question_id,
        kind=row.kind,
        stem=row.stem,
        choices=tuple(row.choices),
        answer=frozenset(row.answer),
        explanation=row.explanation,
        citations=tuple(row.citations),
        difficulty=row.difficulty,
        tags=tuple(row.tags),
        number=row.number,
        reviewed_by=row.reviewed_by,
        reviewed_on=row.reviewed_on,
    )


def get_revisions(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, RevisionView]:
    """The revisions with these ids; from this process's memory where it has read them before.

    :raises KeyError: for an id that does not exist
    """
    wanted = set(ids)
    found = {revision_id: _revisions[revision_id] for revision_id in wanted if revision_id in _revisions}
    missing = wanted - found.keys()
    if missing:
        rows = db.session.scalars(sa.select(QuestionRevision).where(QuestionRevision.id.in_(missing)))
        read = {row.id: as_view(row) for row in rows}
        if len(_revisions) > MAX_KEPT:
            _revisions.clear()
        _revisions.update(read)
        found.update(read)
        lost = missing - read.keys()
        if lost:
            raise KeyError(f"no such question revision: {lost.pop()}")
    return found


def list_pool(
    *,
    banks: Sequence[str],
    kinds: Sequence[str] = (),
    tags: Sequence[str] = (),
    difficulties: Sequence[int] = (),
) -> tuple[PoolItem, ...]:
    """The published questions of these banks (slugs), narrowed where something is given, sorted by revision id.

    A question has one kind and one difficulty and may carry several tags; one matching tag is enough.
    """
    key = (tuple(sorted(banks)), tuple(sorted(kinds)), tuple(sorted(tags)), tuple(sorted(difficulties)))
    kept = _pools.get(key)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    statement = (
        sa.select(QuestionRevision)
        .join(Question, Question.current_revision_id == QuestionRevision.id)
        .join(QuestionBank, QuestionBank.id == Question.bank_id)
        .where(QuestionBank.slug.in_(banks), Question.status == "published")
        .order_by(QuestionRevision.id)
    )
    if kinds:
        statement = statement.where(QuestionRevision.kind.in_(kinds))
    if difficulties:
        statement = statement.where(QuestionRevision.difficulty.in_(difficulties))
    wanted = set(tags)
    pool = tuple(
        PoolItem(row.id, row.question_id, row.kind, row.difficulty, len(row.choices))
        for row in db.session.scalars(statement)
        if not wanted or wanted & set(row.tags)
    )
    with _lock:
        if len(_pools) > 200:
            _pools.clear()
        _pools[key] = (time.monotonic() + POOL_SECONDS, pool)
    return pool


def count_pool(
    *,
    banks: Sequence[str],
    kinds: Sequence[str] = (),
    tags: Sequence[str] = (),
    difficulties: Sequence[int] = (),
) -> int:
    return len(list_pool(banks=banks, kinds=kinds, tags=tags, difficulties=difficulties))


def forget_pools() -> None:
    """Read pools afresh in this process; to be called after a change was committed."""
    with _lock:
        _pools.clear()


def find_bank(slug: str) -> QuestionBank | None:
    return db.session.scalar(sa.select(QuestionBank).filter_by(slug=slug))


def get_bank(slug: str) -> QuestionBank:
    """:raises BankNotFound: if there is none"""
    bank = find_bank(slug)
    if bank is None:
        raise BankNotFound
    return bank


def bank_titles() -> dict[str, str]:
    """Slug to title of every bank."""
    return dict(db.session.execute(sa.select(QuestionBank.slug, QuestionBank.title)).all())


def lock_bank(slug: str) -> QuestionBank | None:
    return db.session.scalar(sa.select(QuestionBank).filter_by(slug=slug).with_for_update().execution_options(populate_existing=True))


@dataclass(frozen=True)
class LatestRevision:
    """A question of a bank with its newest revision, which may still wait for review."""

    question: Question
    revision: QuestionRevision


def list_latest(bank_id: uuid.UUID) -> list[LatestRevision]:
    """Every question of a bank with its newest revision, by the file's id. The newest is looked up question by question in
    the unique index: grouping all revisions first let PostgreSQL, right after an import, join them row against row."""
    rows = db.session.execute(
        sa.select(Question, QuestionRevision)
        .join(QuestionRevision, sa.and_(QuestionRevision.question_id == Question.id, QuestionRevision.number == _newest_number()))
        .where(Question.bank_id == bank_id)
        .order_by(Question.code)
    )
    return [LatestRevision(question, revision) for question, revision in rows]


@dataclass(frozen=True)
class BankCounts:
    """How many questions a bank holds, by the current revision's kind and difficulty and by status."""

    slug: str
    title: str
    theme: str
    total: int
    by_kind: dict[str, int]
    by_difficulty: dict[int, int]
    by_status: dict[str, int]
    waiting: int
    """Questions whose newest revision is not the one papers are drawn with, or that are in review."""


def list_bank_counts(condition: sa.ColumnElement[bool] | None = None) -> list[BankCounts]:
    """Counts of every bank (that meets ``condition``), by slug."""
    banks = db.session.scalars(sa.select(QuestionBank).where(condition if condition is not None else sa.true()).order_by(QuestionBank.slug))
    rows = db.session.execute(
        sa.select(Question.bank_id, QuestionRevision.kind, QuestionRevision.difficulty, Question.status, sa.func.count())
        .join(QuestionRevision, QuestionRevision.id == Question.current_revision_id)
        .group_by(Question.bank_id, QuestionRevision.kind, QuestionRevision.difficulty, Question.status)
    ).all()
    waiting = dict(db.session.execute(_waiting().with_only_columns(Question.bank_id, sa.func.count()).group_by(Question.bank_id)).all())
    return [_counts(bank, [row for row in rows if row[0] == bank.id], waiting.get(bank.id, 0)) for bank in banks]


def _counts(bank: QuestionBank, rows: Sequence[sa.Row[*tuple[Any, ...]]], waiting: int) -> BankCounts:
    def by(place: int, order: Sequence[Any]) -> dict[Any, int]:
        sums = {value: sum(row[4] for row in rows if row[place] == value) for value in order}
        return {value: number for value, number in sums.items() if number}

    return BankCounts(
        slug=bank.slug,
        title=bank.title,
        theme=bank.theme,
        total=sum(row[4] for row in rows),
        by_kind=by(1, KINDS),
        by_difficulty=by(2, range(1, 6)),
        by_status=by(3, STATUSES),
        waiting=waiting,
    )


def _newest_number() -> sa.ScalarSelect[int]:
    """Number of a question's newest revision, for a statement over questions."""
    inner = sa.orm.aliased(QuestionRevision)
    return sa.select(sa.func.max(inner.number)).where(inner.question_id == Question.id).correlate(Question).scalar_subquery()


def is_waiting() -> sa.ColumnElement[bool]:
    """Condition over questions joined with ``current``: something waits for review."""
    newer = sa.and_(_CURRENT.number < _newest_number(), Question.has_draft.is_(False))
    return sa.and_(Question.status != "retired", sa.or_(Question.status == "in_review", newer))


_CURRENT = sa.orm.aliased(QuestionRevision, name="current")


def _waiting() -> sa.Select[*tuple[Any, ...]]:
    """Questions of which something waits for review."""
    return sa.select(Question).join(_CURRENT, _CURRENT.id == Question.current_revision_id).where(is_waiting())


def _like(text: str) -> str:
    return f"%{text.replace('/', '//').replace('%', '/%').replace('_', '/_')}%"


def _cites(text: str) -> sa.ColumnElement[bool]:
    """Whether the newest revision's citations hold this text. SQLite keeps JSON in ASCII, PostgreSQL as it is."""
    kept = json.dumps(text)[1:-1] if db.engine.dialect.name == "sqlite" else text
    return sa.cast(QuestionRevision.citations, sa.Text).ilike(_like(kept), escape="/")


def _has_flag(source: str) -> sa.ColumnElement[bool]:
    reported = sa.select(FaultReport.id).where(FaultReport.question_id == Question.id, FaultReport.state == "open").exists()
    if source == "faults":
        return reported
    flagged = sa.select(QuestionFlag.code).where(QuestionFlag.question_id == Question.id)
    if source == "any":
        return sa.or_(flagged.exists(), reported)
    return flagged.where(QuestionFlag.source == source).exists()


def select_questions(
    bank_id: uuid.UUID | None = None,
    *,
    banks: sa.ColumnElement[bool] | None = None,
    text: str = "",
    kind: str = "",
    difficulty: int = 0,
    status: str = "",
    law: str = "",
    tag: str = "",
    flag: str = "",
) -> sa.Select[*tuple[Any, ...]]:
    """Questions with their newest revision, filtered, by bank and the file's id.

    :param banks: condition over banks; without it and without ``bank_id`` every bank
    :param status: a status; ``waiting`` takes in every question of which something waits for review, ``drafted`` those
        somebody works on
    :param flag: a source of remarks (``lint``, ``items`` …), ``faults`` for open reports of citizens, ``any`` for all
    """
    statement = (
        sa.select(Question, QuestionRevision)
        .join(QuestionRevision, sa.and_(QuestionRevision.question_id == Question.id, QuestionRevision.number == _newest_number()))
        .join(QuestionBank, QuestionBank.id == Question.bank_id)
        .order_by(QuestionBank.slug, Question.code)
    )
    conditions = [] if banks is None else [banks]
    if bank_id is not None:
        conditions.append(Question.bank_id == bank_id)
    if text:
        places = (QuestionRevision.stem.ilike(_like(text), escape="/"), Question.code.ilike(_like(text), escape="/"), _cites(text))
        conditions.append(sa.or_(*places))
    if law:
        conditions.append(_cites(law))
    if tag:
        kept = json.dumps(tag) if db.engine.dialect.name == "sqlite" else f'"{tag}"'
        conditions.append(sa.cast(QuestionRevision.tags, sa.Text).ilike(_like(kept), escape="/"))
    if kind:
        conditions.append(QuestionRevision.kind == kind)
    if difficulty:
        conditions.append(QuestionRevision.difficulty == difficulty)
    if status == "waiting":
        conditions.append(Question.id.in_(_waiting().with_only_columns(Question.id)))
    elif status == "drafted":
        conditions.append(sa.or_(Question.status == "draft", Question.has_draft))
    elif status:
        conditions.append(Question.status == status)
    if flag:
        conditions.append(_has_flag(flag))
    return statement.where(*conditions)


def list_banks(condition: sa.ColumnElement[bool] | None = None) -> list[QuestionBank]:
    """Banks (that meet ``condition``), by slug."""
    return list(
        db.session.scalars(sa.select(QuestionBank).where(sa.true() if condition is None else condition).order_by(QuestionBank.slug))
    )


def get_bank_by_id(bank_id: uuid.UUID) -> QuestionBank:
    """:raises BankNotFound: if there is none"""
    bank = db.session.get(QuestionBank, bank_id)
    if bank is None:
        raise BankNotFound
    return bank


def list_aliases(bank_id: uuid.UUID) -> frozenset[str]:
    """Ids of the file whose questions were moved out of this bank."""
    return frozenset(db.session.scalars(sa.select(QuestionAlias.code).filter_by(bank_id=bank_id)))


def get_question(question_id: uuid.UUID) -> Question:
    """:raises NotFound: if there is none"""
    question = db.session.get(Question, question_id)
    if question is None:
        raise NotFound
    return question


def find_question(bank_id: uuid.UUID, code: str) -> Question | None:
    return db.session.scalar(sa.select(Question).filter_by(bank_id=bank_id, code=code))


def lock_question(question_id: uuid.UUID) -> Question:
    """:raises KeyError: if there is none"""
    statement = sa.select(Question).filter_by(id=question_id).with_for_update().execution_options(populate_existing=True)
    question = db.session.scalar(statement)
    if question is None:
        raise KeyError(question_id)
    return question


def list_revisions(question_id: uuid.UUID) -> list[QuestionRevision]:
    """All revisions of a question, newest first."""
    statement = sa.select(QuestionRevision).filter_by(question_id=question_id).order_by(QuestionRevision.number.desc())
    return list(db.session.scalars(statement))


def in_scopes(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    """Banks that staff with these subtrees may see: shared ones and those of units in the subtrees."""
    owners = [
        QuestionBank.organisation_id.in_(sa.select(Organisation.id).where(Organisation.path.startswith(path, autoescape=True)))
        for path in paths
    ]
    return sa.or_(QuestionBank.organisation_id.is_(None), *owners)


def owner_path(bank: QuestionBank) -> str | None:
    """Path of the unit a bank belongs to; None for a shared bank."""
    if bank.organisation_id is None:
        return None
    return db.session.scalar(sa.select(Organisation.path).where(Organisation.id == bank.organisation_id))


def names_of_authors(revisions: Sequence[QuestionRevision]) -> dict[uuid.UUID, str]:
    """Display names of the staff who made these revisions."""
    return names_of_staff({revision.created_by for revision in revisions if revision.created_by})


def names_of_staff(staff_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Display names of staff."""
    rows = db.session.execute(sa.select(StaffAccount.id, StaffAccount.display_name).where(StaffAccount.id.in_(set(staff_ids))))
    return dict(rows.all())

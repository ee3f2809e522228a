"""Reading banks, questions and pools.

Revisions never change, so each process keeps those it has read. Pools do change: a process keeps them for a few seconds
and forgets them at once when it changes a question itself (:func:`forget_pools`).
"""

import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.questions.errors import BankNotFound
from quizapp.questions.models import Question, QuestionBank, QuestionRevision
from quizapp.questions.rules import PoolItem, RevisionView

__all__ = ["PoolItem", "RevisionView", "count_pool", "get_revisions", "list_pool"]

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


def lock_bank(slug: str) -> QuestionBank | None:
    return db.session.scalar(sa.select(QuestionBank).filter_by(slug=slug).with_for_update().execution_options(populate_existing=True))


@dataclass(frozen=True)
class LatestRevision:
    """A question of a bank with its newest revision, which may still wait for review."""

    question: Question
    revision: QuestionRevision


def list_latest(bank_id: uuid.UUID) -> list[LatestRevision]:
    """Every question of a bank with its newest revision, by the file's id."""
    newest = (
        sa.select(QuestionRevision.question_id, sa.func.max(QuestionRevision.number).label("number"))
        .join(Question, Question.id == QuestionRevision.question_id)
        .where(Question.bank_id == bank_id)
        .group_by(QuestionRevision.question_id)
        .subquery()
    )
    rows = db.session.execute(
        sa.select(Question, QuestionRevision)
        .join(newest, newest.c.question_id == Question.id)
        .join(
            QuestionRevision,
            sa.and_(QuestionRevision.question_id == Question.id, QuestionRevision.number == newest.c.number),
        )
        .order_by(Question.code)
    )
    return [LatestRevision(question, revision) for question, revision in rows]

"""Questions and their revisions: what every way of changing a question is made of."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from quizapp.audit.services import Actor, record
from quizapp.core.db import db, on_commit
from quizapp.core.ids import new_id
from quizapp.questions import queries, rules
from quizapp.questions.law_models import QuestionCitation
from quizapp.questions.loader import Entry
from quizapp.questions.models import Question, QuestionBank, QuestionRevision


def add_question(
    bank: QuestionBank,
    entry: Entry,
    *,
    now: dt.datetime,
    publish: bool,
    created_by: uuid.UUID | None,
    origin: str = "file",
    is_draft: bool = False,
) -> Question:
    """A new question with its first revision: in use, waiting for review, or a draft."""
    question = Question(**_question_values(bank, entry, now=now, publish=publish, is_draft=is_draft))
    db.session.add(question)
    question.current_revision_id = add_revision(question, entry, number=1, now=now, created_by=created_by, origin=origin).id
    return question


def add_questions(
    bank: QuestionBank,
    entries: Sequence[tuple[Entry, bool]],
    *,
    now: dt.datetime,
    created_by: uuid.UUID | None,
    origin: str = "file",
) -> list[uuid.UUID]:
    """Many new questions at once, without an object for each: 20,000 hold the transaction for seconds, not for half a
    minute.

    :param entries: each with whether it is a draft; otherwise it waits for review
    :returns: their ids, in the same order
    """
    questions, revisions, citations = [], [], []
    for entry, is_draft in entries:
        question = _question_values(bank, entry, now=now, publish=False, is_draft=is_draft)
        revision = _revision_values(question["id"], entry, number=1, now=now, created_by=created_by, origin=origin)
        questions.append({**question, "current_revision_id": revision["id"]})
        revisions.append(revision)
        citations += [
            {"revision_id": revision["id"], "law": law, "article": article, "question_id": question["id"]}
            for law, article in rules.cited_articles(entry.citations)
        ]
    models: tuple[tuple[type[Any], list[dict[str, Any]]], ...] = (
        (Question, questions),
        (QuestionRevision, revisions),
        (QuestionCitation, citations),
    )
    for model, rows in models:
        if rows:
            db.session.execute(sa.insert(model), rows)
    return [question["id"] for question in questions]


def _question_values(bank: QuestionBank, entry: Entry, *, now: dt.datetime, publish: bool, is_draft: bool) -> dict[str, Any]:
    return {
        "id": new_id(),
        "bank_id": bank.id,
        "code": entry.code,
        "status": "draft" if is_draft else "published" if publish else "in_review",
        "has_draft": False,
        "review_round": 0 if is_draft else 1,
        "created_at": now,
    }


def _revision_values(
    question_id: uuid.UUID, entry: Entry, *, number: int, now: dt.datetime, created_by: uuid.UUID | None, origin: str
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "question_id": question_id,
        "number": number,
        "kind": entry.kind,
        "stem": entry.stem,
        "choices": list(entry.choices),
        "answer": list(entry.answer),
        "explanation": entry.explanation,
        "citations": [dict(citation) for citation in entry.citations],
        "difficulty": entry.difficulty,
        "tags": list(entry.tags),
        "reviewed_by": entry.reviewed_by,
        "reviewed_on": dt.date.fromisoformat(entry.reviewed_on) if entry.reviewed_on else None,
        "origin": origin,
        "content_hash": entry.content_hash(),
        "created_at": now,
        "created_by": created_by,
    }


def add_revision(
    question: Question, entry: Entry, *, number: int, now: dt.datetime, created_by: uuid.UUID | None, origin: str = "file"
) -> QuestionRevision:
    """Write what a question says from now on; which revision papers are drawn with is decided by :func:`serve`."""
    revision = QuestionRevision(**_revision_values(question.id, entry, number=number, now=now, created_by=created_by, origin=origin))
    db.session.add(revision)
    db.session.add_all(
        QuestionCitation(revision=revision, law=law, article=article, question=question)
        for law, article in rules.cited_articles(entry.citations)
    )
    return revision


def serve(question: Question, revision_id: uuid.UUID, *, publish: bool, is_draft: bool = False) -> None:
    """Decide what papers are drawn with after a new revision. One that has been in use keeps its reviewed revision until
    the new one is reviewed, so that an import never empties the pool of a running campaign."""
    if publish:
        release(question, revision_id)
        return
    if question.status in ("draft", "in_review"):
        question.current_revision_id = revision_id
        question.status = "draft" if is_draft else "in_review"
    else:
        question.has_draft = is_draft
    if not is_draft:
        question.review_round += 1


def release(question: Question, revision_id: uuid.UUID) -> None:
    """Draw papers with this revision; a question out of use stays out."""
    question.current_revision_id = revision_id
    question.has_draft = False
    if question.status in ("draft", "in_review"):
        question.status = "published"


def changed(action: str, question: Question, actor: Actor, now: dt.datetime, changes: Mapping[str, object]) -> None:
    """Record a change of a question and let pools be read afresh after the commit."""
    db.session.flush()
    on_commit(queries.forget_pools)
    record(action, actor=actor, target_type="question", target_id=question.id, target_name=question.code, changes=changes, now=now)


def as_entry(question: Question, revision: QuestionRevision) -> Entry:
    """A revision in the shape of the file."""
    return Entry(
        code=question.code,
        kind=revision.kind,
        stem=revision.stem,
        choices=tuple(revision.choices),
        answer=tuple(sorted(revision.answer)),
        explanation=revision.explanation,
        citations=tuple(_ordered(citation) for citation in revision.citations),
        difficulty=revision.difficulty,
        tags=tuple(revision.tags),
        reviewed_by=revision.reviewed_by,
        reviewed_on=revision.reviewed_on.isoformat() if revision.reviewed_on else None,
    )


def _ordered(citation: Mapping[str, str]) -> dict[str, str]:
    """JSONB forgets the order of keys; files keep one."""
    names = ("law", "article", "document", "issuer", "number", "clause", "date")
    return {name: citation[name] for name in names if name in citation}

"""What citizens report about questions."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.questions.models import FaultReport, Question, QuestionBank, QuestionRevision
from quizapp.questions.queries.pools import in_scopes


@dataclass(frozen=True)
class FaultItem:
    """A citizen's own report: what was said and what came of it."""

    id: uuid.UUID
    question_id: uuid.UUID
    revision_id: uuid.UUID
    stem: str
    reason: str
    text: str
    state: str
    reported_at: dt.datetime
    answer: str
    answered_at: dt.datetime | None


_ITEMS: sa.Select[*tuple[Any, ...]] = sa.select(
    FaultReport.id,
    FaultReport.question_id,
    FaultReport.revision_id,
    QuestionRevision.stem,
    FaultReport.reason,
    FaultReport.text,
    FaultReport.state,
    FaultReport.reported_at,
    FaultReport.answer,
    FaultReport.answered_at,
).join(QuestionRevision, QuestionRevision.id == FaultReport.revision_id)


def list_own_faults(citizen_id: uuid.UUID, question_ids: Collection[uuid.UUID] | None = None, limit: int = 100) -> list[FaultItem]:
    """A citizen's reports, the newest first; of these questions only, where given."""
    found = _ITEMS.where(FaultReport.citizen_id == citizen_id)
    if question_ids is not None:
        found = found.where(FaultReport.question_id.in_(question_ids))
    return [
        FaultItem(*row) for row in db.session.execute(found.order_by(FaultReport.reported_at.desc(), FaultReport.id.desc()).limit(limit))
    ]


def find_fault(citizen_id: uuid.UUID, question_id: uuid.UUID) -> FaultReport | None:
    return db.session.scalar(sa.select(FaultReport).filter_by(citizen_id=citizen_id, question_id=question_id))


def get_fault(fault_id: uuid.UUID) -> FaultReport:
    """:raises NotFound: if there is none"""
    fault = db.session.get(FaultReport, fault_id)
    if fault is None:
        raise NotFound
    return fault


def lock_fault(fault_id: uuid.UUID) -> FaultReport:
    """:raises NotFound: if there is none"""
    locked = sa.select(FaultReport).filter_by(id=fault_id).with_for_update().execution_options(populate_existing=True)
    fault = db.session.scalar(locked)
    if fault is None:
        raise NotFound
    return fault


def select_faults(scopes: Collection[str], *, state: str = "open", question_id: uuid.UUID | None = None) -> sa.Select[*tuple[Any, ...]]:
    """Reports with their question, bank and the revision that was met; open ones the oldest first, answered ones the newest."""
    statement = (
        sa.select(FaultReport, Question, QuestionBank, QuestionRevision)
        .join(Question, Question.id == FaultReport.question_id)
        .join(QuestionBank, QuestionBank.id == Question.bank_id)
        .join(QuestionRevision, QuestionRevision.id == FaultReport.revision_id)
        .where(in_scopes(tuple(scopes)))
    )
    if question_id is not None:
        statement = statement.where(FaultReport.question_id == question_id)
    if state == "open":
        return statement.where(FaultReport.state == "open").order_by(FaultReport.reported_at, FaultReport.id)
    if state:
        statement = statement.where(FaultReport.state != "open")
    return statement.order_by(FaultReport.reported_at.desc(), FaultReport.id.desc())


def count_open_faults(scopes: Collection[str]) -> int:
    """Reports nobody has answered yet."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(select_faults(scopes).order_by(None).subquery())) or 0


def list_open_faults(question_id: uuid.UUID) -> list[uuid.UUID]:
    """Reports of one question that wait for an answer, the oldest first."""
    found = sa.select(FaultReport.id).filter_by(question_id=question_id, state="open")
    return list(db.session.scalars(found.order_by(FaultReport.reported_at, FaultReport.id)))


def count_question_faults(question_id: uuid.UUID) -> int:
    """Reports of one question that wait for an answer."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(FaultReport).filter_by(question_id=question_id, state="open")) or 0

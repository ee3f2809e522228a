"""Corrected keys for tests."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from quizapp.attempts import jobs, remark_queries
from quizapp.attempts.models import RemarkRun
from quizapp.audit.services import SYSTEM, Actor
from quizapp.core.clock import utc_now
from quizapp.core.db import db, in_transaction, transaction
from quizapp.questions import queries, services
from quizapp.questions.models import KeyCorrection, Question


def revision_of(code: str) -> uuid.UUID:
    """The revision papers are drawn with, of the question with this id of the file."""
    found = db.session.scalars(sa.select(Question.current_revision_id).filter_by(code=code)).one()
    assert found is not None
    return found


def propose(
    revision_id: uuid.UUID, *accepted: set[int], actor: Actor = SYSTEM, now: dt.datetime | None = None, **values: Any
) -> KeyCorrection:
    """Somebody says that these answers are right."""
    fields = {"reason": "对照第二十五条，原答案错了", "notice": "原来的答案写错了，已经按法条改正。", **values}
    proposal = services.Proposal(revision_id, tuple(frozenset(answer) for answer in accepted), **fields)
    if in_transaction():
        return services.propose_correction(proposal, now=now or utc_now(), actor=actor)
    with transaction():
        return services.propose_correction(proposal, now=now or utc_now(), actor=actor)


def correct(revision_id: uuid.UUID, *accepted: set[int], now: dt.datetime | None = None, **values: Any) -> uuid.UUID:
    """Propose and confirm a correction."""
    row = propose(revision_id, *accepted, now=now, **values)
    with transaction():
        services.confirm_correction(row.id, now=now or utc_now(), actor=SYSTEM)
    queries.forget_corrections()
    return row.id


def work(now: dt.datetime | None = None) -> int:
    """Let the worker's job run once."""
    queries.forget_corrections()
    return jobs.remark_attempts(now)


def run_of(correction_id: uuid.UUID) -> RemarkRun:
    db.session.rollback()
    run = remark_queries.find_run(correction_id)
    assert run is not None
    return run

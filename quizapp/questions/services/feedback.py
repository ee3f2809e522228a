"""Reports of citizens that a question is wrong (纠错), and their answers."""

import datetime as dt
import uuid

from quizapp.accounts.services import count_up
from quizapp.audit.services import Actor, record
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.core.errors import Conflict, InvalidInput
from quizapp.core.text import N_, clean_line
from quizapp.questions import queries
from quizapp.questions.errors import AlreadyReported, TooManyReports
from quizapp.questions.models import FaultReport
from quizapp.questions.rules import FAULT_REASONS

MAX_TEXT = 300
REPORTS_PER_DAY = 10


def report_fault(
    *, citizen_id: uuid.UUID, attempt_id: uuid.UUID, revision_id: uuid.UUID, reason: str, text: str, now: dt.datetime
) -> FaultReport:
    """Keep what a citizen says about a question of their own graded paper (the caller has made sure of that).

    :raises AlreadyReported: one report per citizen and question
    :raises TooManyReports: ten a Shanghai day
    :raises InvalidInput: for an unknown reason, or 别的问题 without a word
    """
    text = clean_line(text, MAX_TEXT)
    if reason not in FAULT_REASONS:
        raise InvalidInput(fields={"reason": N_("请选一项。")})
    if reason == "other" and not text:
        raise InvalidInput(fields={"text": N_("请写一句是什么问题。")})
    question_id = queries.get_revisions([revision_id])[revision_id].question_id
    if queries.find_fault(citizen_id, question_id) is not None:
        raise AlreadyReported
    if count_up("fault_report", citizen_id.hex, shanghai_day(now)) > REPORTS_PER_DAY:
        raise TooManyReports
    fault = FaultReport(
        question_id=question_id,
        revision_id=revision_id,
        attempt_id=attempt_id,
        citizen_id=citizen_id,
        reason=reason,
        text=text,
        state="open",
        reported_at=now,
    )
    db.session.add(fault)
    db.session.flush()
    return fault


def answer_fault(fault_id: uuid.UUID, *, state: str, answer: str, now: dt.datetime, actor: Actor) -> FaultReport:
    """Answer a citizen; the answer shows on the citizen's result.

    :param state: ``accepted`` or ``declined``
    :raises Conflict: if somebody has answered already
    :raises InvalidInput: without an answer in words
    """
    answer = clean_line(answer, MAX_TEXT)
    if state not in ("accepted", "declined"):
        raise InvalidInput(fields={"state": N_("请选核对的结果。")})
    if not answer:
        raise InvalidInput(fields={"answer": N_("请写给市民的答复。")})
    fault = queries.lock_fault(fault_id)
    if fault.state != "open":
        raise Conflict(N_("这条反映已经有人答复了。"))
    fault.state, fault.answer, fault.answered_at = state, answer, now
    fault.answered_by = actor.id if actor.kind == "staff" else None
    record(
        "question.fault_answered",
        actor=actor,
        target_type="fault_report",
        target_id=fault.id,
        target_name=queries.get_question(fault.question_id).code,
        changes={"state": state, "answer": answer},
        now=now,
    )
    db.session.flush()
    return fault

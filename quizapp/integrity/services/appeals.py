"""A citizen answers a decision; somebody else than who decided answers the citizen."""

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.core.text import has_forbidden_characters
from quizapp.integrity import queries, rules
from quizapp.integrity.errors import AlreadyDecided, AppealExists, CaseNotFound, SamePerson, TextNeeded
from quizapp.integrity.models import Appeal
from quizapp.integrity.services.cases import check_note
from quizapp.integrity.services.deciding import deciders_of, restore


def check_text(text: str, longest: int) -> str:
    """What somebody wrote, as it is kept.

    :raises TextNeeded: for too little, too much or characters nobody types
    """
    words = text.replace("\r\n", "\n").strip()
    if not 4 <= len(words) <= longest or has_forbidden_characters(words):
        raise TextNeeded
    return words


def file_appeal(*, decision_id: uuid.UUID, citizen_id: uuid.UUID, text: str, now: dt.datetime) -> Appeal:
    """Say why a decision is wrong; once per decision.

    :raises CaseNotFound: for a decision about somebody else
    :raises AppealExists: the second time
    :raises TextNeeded: without words
    """
    queries.get_own_decision(decision_id, citizen_id)
    words = check_text(text, 1000)
    appeal = Appeal(
        decision_id=decision_id,
        citizen_id=citizen_id,
        text=words,
        filed_at=now,
        due_on=rules.due_on(shanghai_day(now), rules.APPEAL_DAYS),
    )
    try:
        with db.session.begin_nested():
            db.session.add(appeal)
    except sa.exc.IntegrityError:
        raise AppealExists from None
    return appeal


def answer_appeal(
    *, appeal_id: uuid.UUID, is_granted: bool, reply: str, paths: Sequence[str], actor: audit.Actor, now: dt.datetime
) -> Appeal:
    """Answer an appeal; one that is granted reverses the decision in the same step.

    :raises SamePerson: for whoever decided or proposed
    :raises AlreadyDecided: if it has been answered
    """
    found = db.session.get(Appeal, appeal_id)
    if found is None:
        raise CaseNotFound
    decision = queries.get_decision(found.decision_id)
    case, facts = queries.lock_case(decision.case_id, paths)
    appeal = db.session.scalars(sa.select(Appeal).filter_by(id=appeal_id).with_for_update().execution_options(populate_existing=True)).one()
    if appeal.state != "open":
        raise AlreadyDecided
    if actor.id in deciders_of(decision):
        raise SamePerson
    words = check_note(reply)
    if is_granted:
        restore(decision_id=decision.id, note=words, paths=paths, actor=actor, now=now)
    appeal.state, appeal.reply, appeal.replied_at = "granted" if is_granted else "dismissed", words, now
    appeal.replied_by = actor.id
    db.session.flush()
    audit.record(
        "integrity.appeal_answered",
        actor=actor,
        target_type="integrity_case",
        target_id=case.id,
        target_name=facts.title,
        organisation_path=facts.host_path,
        changes={"result": appeal.state, "answer": words},
        now=now,
    )
    return appeal

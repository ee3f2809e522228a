"""Complaints: taken by page, telephone or visit, answered in time, with a log that nobody edits."""

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.accounts.queries import find_root_organisation
from quizapp.audit import services as audit
from quizapp.core.clock import shanghai_day
from quizapp.core.crypto import token_hash
from quizapp.core.db import db
from quizapp.core.errors import Conflict
from quizapp.core.text import clean_line
from quizapp.integrity import complaint_queries, rules
from quizapp.integrity.errors import AlreadyDecided, SamePerson, UnknownReason
from quizapp.integrity.models import Complaint, ComplaintEvent
from quizapp.integrity.services.appeals import check_text

NUMBER_TRIES = 5
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Filed:
    """A complaint that was taken; ``word`` is told this once to somebody who is not signed in."""

    number: str
    due_on: dt.date
    word: str = ""


def file_complaint(
    *,
    kind: str,
    text: str,
    reference: str,
    source: str,
    citizen_id: uuid.UUID | None,
    actor_name: str,
    now: dt.datetime,
    staff: audit.Actor | None = None,
) -> Filed:
    """Take a complaint or suggestion. It lies on the desk of the campaign that its reference names, else of the root.

    :param reference: 抽奖号 or number of an attempt; may be empty or wrong
    :param staff: who wrote down a call or visit
    :raises UnknownReason, TextNeeded: without a kind or words
    """
    if kind not in rules.COMPLAINT_KINDS:
        raise UnknownReason
    words, said = check_text(text, 2000), clean_line(reference, 64)
    about = complaint_queries.find_campaign_of(said, citizen_id)
    root = find_root_organisation()
    word = "" if citizen_id is not None else "".join(secrets.choice(_ALPHABET) for _ in range(6))
    complaint = _insert_numbered(
        now,
        Complaint(
            kind=kind,
            source=source,
            text=words,
            reference=said,
            citizen_id=citizen_id,
            campaign_id=about.id if about else None,
            organisation_id=about.host_id if about else root.id if root else None,
            word_hash=token_hash(word) if word else None,
            filed_at=now,
            due_on=rules.due_on(shanghai_day(now), rules.COMPLAINT_DAYS),
        ),
    )
    _log(complaint, "filed", words, actor_name, staff.id if staff else None, now)
    if staff is not None:
        _record("complaint.filed", complaint, staff, now)
    return Filed(complaint.number, complaint.due_on, word)


def answer_complaint(*, complaint_id: uuid.UUID, reply: str, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> Complaint:
    """Answer. What touches a decision or a draw is seen by a second person before the citizen sees it.

    :raises AlreadyDecided: if it has been answered
    """
    complaint = complaint_queries.lock_complaint(complaint_id, paths)
    if complaint.state != "open":
        raise AlreadyDecided
    complaint.reply, complaint.replied_by, complaint.replied_at = check_text(reply, 2000), actor.id, now
    complaint.state = "review" if complaint.kind in rules.REVIEWED_KINDS else "answered"
    _log(complaint, "answered", complaint.reply, actor.name, actor.id, now)
    _record("complaint.answered", complaint, actor, now)
    return complaint


def confirm_answer(
    *, complaint_id: uuid.UUID, is_agreed: bool, note: str, paths: Sequence[str], actor: audit.Actor, now: dt.datetime
) -> Complaint:
    """Agree to somebody else's answer, or send it back.

    :raises SamePerson: for who wrote it
    """
    complaint = complaint_queries.lock_complaint(complaint_id, paths)
    if complaint.state != "review":
        raise AlreadyDecided
    if complaint.replied_by == actor.id:
        raise SamePerson
    complaint.state = "answered" if is_agreed else "open"
    words = note.strip()[:500]
    _log(complaint, "confirmed" if is_agreed else "returned", words, actor.name, actor.id, now)
    _record("complaint.confirmed" if is_agreed else "complaint.returned", complaint, actor, now)
    return complaint


def note_complaint(*, complaint_id: uuid.UUID, note: str, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> None:
    """Write down what was done about a complaint; the citizen does not see it."""
    complaint = complaint_queries.lock_complaint(complaint_id, paths)
    _log(complaint, "noted", check_text(note, 500), actor.name, actor.id, now)


def _insert_numbered(now: dt.datetime, complaint: Complaint) -> Complaint:
    """Under the next number of its Shanghai day, ``T-20270315-003``; of two at the same moment the second takes the next."""
    day = f"T-{shanghai_day(now):%Y%m%d}-"
    for _ in range(NUMBER_TRIES):
        count = db.session.scalar(sa.select(sa.func.count()).select_from(Complaint).where(Complaint.number.startswith(day))) or 0
        complaint.number = f"{day}{count + 1:03d}"
        try:
            with db.session.begin_nested():
                db.session.add(complaint)
        except sa.exc.IntegrityError:
            continue
        return complaint
    raise Conflict


def _log(complaint: Complaint, kind: str, text: str, name: str, staff_id: uuid.UUID | None, now: dt.datetime) -> None:
    event = ComplaintEvent(complaint_id=complaint.id, at=now, kind=kind, text=text, actor_name=name[:64], staff_id=staff_id)
    db.session.add(event)
    db.session.flush()


def _record(action: str, complaint: Complaint, actor: audit.Actor, now: dt.datetime) -> None:
    audit.record(
        action,
        actor=actor,
        target_type="complaint",
        target_id=complaint.id,
        target_name=complaint.number,
        organisation_path=complaint_queries.path_of(complaint),
        changes={"kind": complaint.kind},
        now=now,
    )

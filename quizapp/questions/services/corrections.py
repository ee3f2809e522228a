"""Corrected keys: one person proposes, another confirms, the attempts' job marks the papers again.

The decision stands here; what it does to attempts lies below (``attempts.services.remarking``).
"""

import datetime as dt
import uuid
from dataclasses import dataclass, replace

import sqlalchemy as sa

from quizapp.audit.services import Actor
from quizapp.core.db import db, on_commit
from quizapp.core.errors import InvalidInput
from quizapp.core.text import N_, clean_line
from quizapp.questions import queries
from quizapp.questions.errors import CorrectionClosed, CorrectionPending, NothingCorrected, SecondPersonNeeded
from quizapp.questions.models import KeyCorrection, KeyCorrectionRevision, Question
from quizapp.questions.queries import CorrectionView
from quizapp.questions.rules import LETTERS, Accepted, RevisionView, answer_problem
from quizapp.questions.services.revisions import add_revision, as_entry, changed

MAX_REASON, MAX_NOTICE, MAX_EXPLANATION = 400, 200, 2000


@dataclass(frozen=True)
class Proposal:
    """What somebody wants to correct.

    :param revision_id: a revision with the wrong key; all revisions of the question with the same choices and the same
        key are corrected with it
    :param accepted: sets of choice indices that are right; none gives everybody the mark
    :param reason: for the file · ``notice``: for the citizens · ``explanation``: of the revision with the new key
    """

    revision_id: uuid.UUID
    accepted: Accepted
    reason: str
    notice: str
    explanation: str = ""
    suspends: bool = True


def affected_revisions(base: RevisionView) -> dict[uuid.UUID, Accepted]:
    """The revisions that show the same choices and count the same answers as right, with what counts until now."""
    revisions = [queries.as_view(row) for row in queries.list_revisions(base.question_id)]
    changes = queries.list_key_changes()
    keys = {view.id: changes[view.id].accepted if view.id in changes else (view.answer,) for view in revisions}
    return {
        view.id: keys[view.id]
        for view in revisions
        if (view.kind, view.choices) == (base.kind, base.choices) and set(keys[view.id]) == set(keys[base.id])
    }


def propose_correction(proposal: Proposal, *, now: dt.datetime, actor: Actor) -> KeyCorrection:
    """Write down that a key is wrong, and take the question out of new papers meanwhile if asked to.

    :raises InvalidInput: naming what is missing or impossible
    :raises NothingCorrected: if the answers are those that count already
    :raises CorrectionPending: if another proposal for this question waits
    """
    view = queries.get_revisions([proposal.revision_id])[proposal.revision_id]
    question = queries.lock_question(view.question_id)
    before = affected_revisions(view)
    reason, notice = _check(proposal, view, before)
    waiting = sa.select(KeyCorrection.id).filter_by(question_id=question.id, status="proposed")
    if db.session.scalar(waiting) is not None:
        raise CorrectionPending
    is_suspending = proposal.suspends and question.status == "published"
    row = KeyCorrection(
        question_id=question.id,
        accepted=[sorted(answer) for answer in proposal.accepted],
        reason=reason,
        notice=notice,
        explanation=clean_line(proposal.explanation, MAX_EXPLANATION),
        status="proposed",
        is_suspending=is_suspending,
        proposed_at=now,
        proposed_by=actor.id,
    )
    db.session.add(row)
    db.session.flush()
    for revision_id, accepted in before.items():
        stored = [sorted(answer) for answer in accepted]
        db.session.add(KeyCorrectionRevision(correction_id=row.id, revision_id=revision_id, accepted_before=stored))
    if is_suspending:
        question.status = "suspended"
    key = [_words(before[view.id]), _words(proposal.accepted)]
    changed("question.correction_proposed", question, actor, now, {"key": key, "reason": reason, "revisions": len(before)})
    return row


def _check(proposal: Proposal, view: RevisionView, before: dict[uuid.UUID, Accepted]) -> tuple[str, str]:
    fields: dict[str, str] = {}
    reason, notice = clean_line(proposal.reason, MAX_REASON), clean_line(proposal.notice, MAX_NOTICE)
    problem = answer_problem(view.kind, len(view.choices), proposal.accepted)
    if problem:
        fields["accepted"] = problem
    if not reason:
        fields["reason"] = N_("请写明哪里错了、依据是哪一条。")
    if not notice:
        fields["notice"] = N_("请写一句给市民看的说明。")
    if fields:
        raise InvalidInput(fields=fields)
    if set(before[view.id]) == set(proposal.accepted):
        raise NothingCorrected(fields={"accepted": NothingCorrected.message})
    return reason, notice


def _words(accepted: Accepted) -> str:
    """A key for the file: ``B``, ``A 或 B``, or that everybody gets the mark. Letters follow the revision's own order."""
    return " 或 ".join("".join(LETTERS[index] for index in sorted(answer)) for answer in accepted) or N_("送分")


def confirm_correction(correction_id: uuid.UUID, *, now: dt.datetime, actor: Actor) -> CorrectionView:
    """Decide it: from now on the new answers count, and the attempts' job marks what was graded before.

    A new key for the revision in use becomes a revision of its own, which two people have seen and which papers are drawn
    with again. Where several answers count or everybody gets the mark, the question stays out until it is rewritten.

    :raises SecondPersonNeeded: for whoever proposed it
    :raises CorrectionClosed: if it is decided already
    """
    row = queries.get_correction(correction_id).row
    question = queries.lock_question(row.question_id)
    correction = queries.lock_correction(correction_id)
    row = correction.row
    if row.status != "proposed":
        raise CorrectionClosed
    if actor.id is not None and actor.id == row.proposed_by:
        raise SecondPersonNeeded
    row.status, row.confirmed_at, row.confirmed_by = "confirmed", now, actor.id
    is_rekeyed = len(correction.accepted) == 1 and question.current_revision_id in correction.revisions
    if is_rekeyed and question.status != "retired":
        _rekey(question, correction, now)
    on_commit(queries.forget_corrections)
    before = next(iter(correction.revisions.values()))
    changes = {"key": [_words(before), _words(correction.accepted)], "reason": row.reason, "revisions": len(correction.revisions)}
    changed("question.correction_confirmed", question, actor, now, changes)
    return correction


def _rekey(question: Question, correction: CorrectionView, now: dt.datetime) -> None:
    row = correction.row
    revisions = queries.list_revisions(question.id)
    current = next(revision for revision in revisions if revision.id == question.current_revision_id)
    entry = as_entry(question, current)
    entry = replace(entry, answer=tuple(sorted(correction.accepted[0])), explanation=row.explanation or entry.explanation)
    revision = add_revision(question, entry, number=revisions[0].number + 1, now=now, created_by=row.proposed_by, origin="staff")
    question.current_revision_id = row.new_revision_id = revision.id
    question.has_draft = False
    if row.is_suspending and question.status == "suspended":
        question.status = "published"


def cancel_correction(correction_id: uuid.UUID, *, now: dt.datetime, actor: Actor) -> None:
    """Drop a proposal; the question comes back if the proposal took it out.

    :raises CorrectionClosed: if it is decided already
    """
    row = queries.get_correction(correction_id).row
    question = queries.lock_question(row.question_id)
    row = queries.lock_correction(correction_id).row
    if row.status != "proposed":
        raise CorrectionClosed
    row.status, row.cancelled_at = "cancelled", now
    if row.is_suspending and question.status == "suspended":
        question.status = "published"
    changed("question.correction_cancelled", question, actor, now, {"reason": row.reason})

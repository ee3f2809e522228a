"""Review: one to three steps by different people, the co-host's sign-off, then papers; and out of papers again."""

import datetime as dt
import uuid
from collections.abc import Mapping

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.audit.services import Actor, record
from quizapp.core.db import db
from quizapp.questions import queries
from quizapp.questions.errors import NotInReview, OwnWork, QuestionChanged, QuestionIncomplete, SecondPersonNeeded
from quizapp.questions.models import Question, QuestionBank, QuestionReview, ReviewPolicy, ThemeOwner
from quizapp.questions.queries import ReviewStanding
from quizapp.questions.services.revisions import changed, release

MAX_NOTE = 400


def submit_question(question_id: uuid.UUID, *, revision_id: uuid.UUID, now: dt.datetime, actor: Actor) -> Question:
    """Send a draft to review; a new round begins, in which every step is taken anew.

    :raises QuestionChanged: if there is a newer revision
    :raises NotInReview: if there is nothing to send
    :raises QuestionIncomplete: if it came from a file without an explanation or a citation
    """
    question = queries.lock_question(question_id)
    newest = queries.list_revisions(question_id)[0]
    if newest.id != revision_id:
        raise QuestionChanged
    if question.status != "draft" and not question.has_draft:
        raise NotInReview
    if not newest.explanation or not newest.citations:
        raise QuestionIncomplete
    question.has_draft = False
    question.review_round += 1
    if question.status == "draft":
        question.status = "in_review"
    changed("question.submitted", question, actor, now, {"revision": newest.number})
    return question


def approve_question(question_id: uuid.UUID, *, revision_id: uuid.UUID, now: dt.datetime, actor: Actor, note: str = "") -> Question:
    """Take the next step of review. After the last one, and the sign-off where there is one to give, papers are drawn
    with this revision. A question out of use comes back the same way.

    :param revision_id: what the reviewer has read; must be the newest
    :raises QuestionChanged: if there is a newer one
    :raises OwnWork: if the reviewer wrote part of it
    :raises SecondPersonNeeded: if the reviewer took an earlier step of this round
    :raises NotInReview: if no step of review waits
    """
    question = queries.lock_question(question_id)
    standing = _standing(question, revision_id)
    if question.status == "published" and question.current_revision_id == revision_id:
        return question
    if not standing.next_step:
        raise NotInReview
    _check_person(standing, actor)
    _take(standing, standing.next_step, "passed", note, now, actor)
    return _go_on(standing, actor, now, "question.approved")


def sign_off_question(question_id: uuid.UUID, *, revision_id: uuid.UUID, now: dt.datetime, actor: Actor, note: str = "") -> Question:
    """The co-host's signature, after the last step of review. The caller has made sure that the actor speaks for the unit.

    :raises QuestionChanged, OwnWork, SecondPersonNeeded: as for a step of review
    :raises NotInReview: unless the signature is what is missing
    """
    question = queries.lock_question(question_id)
    standing = _standing(question, revision_id)
    if standing.next_step != 0:
        raise NotInReview
    _check_person(standing, actor)
    _take(standing, 0, "passed", note, now, actor)
    return _go_on(standing, actor, now, "question.signed_off")


def return_question(question_id: uuid.UUID, *, revision_id: uuid.UUID, note: str, now: dt.datetime, actor: Actor) -> Question:
    """Send what waits for review or signature back to its editor, with a word why; a revision in use stays in use.

    :raises QuestionChanged, NotInReview: as for a step of review
    """
    question = queries.lock_question(question_id)
    standing = _standing(question, revision_id)
    if standing.next_step is None:
        raise NotInReview
    _take(standing, standing.next_step, "returned", note, now, actor)
    if question.status == "in_review":
        question.status = "draft"
    else:
        question.has_draft = True
    changed("question.returned", question, actor, now, {"revision": standing.newest.number, "reason": note[:200]})
    return question


def _standing(question: Question, revision_id: uuid.UUID) -> ReviewStanding:
    standing = queries.review_standing(question, queries.get_bank_by_id(question.bank_id))
    if standing.newest.id != revision_id or question.status == "retired":
        raise QuestionChanged
    return standing


def _check_person(standing: ReviewStanding, actor: Actor) -> None:
    if actor.id is None:
        return
    if actor.id in standing.contributors:
        raise OwnWork
    if any(review.staff_id == actor.id for review in standing.taken):
        raise SecondPersonNeeded


def _take(standing: ReviewStanding, step: int, decision: str, note: str, now: dt.datetime, actor: Actor) -> None:
    db.session.add(
        QuestionReview(
            question_id=standing.question.id,
            revision_id=standing.newest.id,
            round=standing.question.review_round,
            step=step,
            decision=decision,
            note=note[:MAX_NOTE],
            staff_id=actor.id if actor.kind == "staff" else None,
            decided_at=now,
        )
    )
    db.session.flush()


def _go_on(standing: ReviewStanding, actor: Actor, now: dt.datetime, action: str) -> Question:
    """Publish when nothing is missing any more."""
    question = standing.question
    later = _standing(question, standing.newest.id)
    is_published = later.next_step is None
    if is_published:
        release(question, standing.newest.id)
        question.status = "published"
    changes = {"revision": standing.newest.number, "step": standing.next_step, "published": is_published}
    changed(action, question, actor, now, changes)
    return question


def approve_bank(bank: QuestionBank, *, now: dt.datetime, actor: Actor) -> int:
    """Take the next step of everything that waits for one in a bank, except what the reviewer wrote or has passed already.
    Returns how many questions that was."""
    count = 0
    for question, revision in db.session.execute(queries.select_questions(bank.id, status="waiting")).all():
        standing = queries.review_standing(question, bank)
        if question.status == "suspended" or not standing.next_step:
            continue
        try:
            _check_person(standing, actor)
        except (OwnWork, SecondPersonNeeded):
            continue
        approve_question(question.id, revision_id=revision.id, now=now, actor=actor)
        count += 1
    return count


def suspend_question(question_id: uuid.UUID, *, reason: str, now: dt.datetime, actor: Actor) -> Question:
    """Take a question out of every new paper; attempts keep what they have. It comes back through review."""
    question = queries.lock_question(question_id)
    if question.status in ("suspended", "retired"):
        return question
    question.status = "suspended"
    question.review_round += 1
    changed("question.suspended", question, actor, now, {"reason": reason[:200]})
    return question


def retire_question(question_id: uuid.UUID, *, reason: str, now: dt.datetime, actor: Actor) -> Question:
    """Take a question out for good; attempts keep what they have, nothing is deleted."""
    question = queries.lock_question(question_id)
    if question.status == "retired":
        return question
    question.status = "retired"
    question.has_draft = False
    changed("question.retired", question, actor, now, {"reason": reason[:200]})
    return question


# ---- what the bureau sets


def set_review_steps(organisation: Organisation, *, steps: int, now: dt.datetime, actor: Actor) -> None:
    """How many steps of review a bureau asks for from now on; what is half reviewed needs the new number too.

    :param organisation: one at the top of the tree
    :raises ValueError: for another number than 1 to 3, or a unit below the top
    """
    if steps not in (1, 2, 3) or organisation.parent_id is not None:
        raise ValueError("one to three steps, set by a bureau at the top")
    policy = db.session.get(ReviewPolicy, organisation.id)
    before = policy.steps if policy else 1
    if before == steps:
        return
    if policy is None:
        policy = ReviewPolicy(organisation_id=organisation.id)
        db.session.add(policy)
    policy.steps, policy.changed_at, policy.changed_by = steps, now, actor.id
    _record_setting("questions.review_steps_set", organisation, actor, now, {"steps": [before, steps]})


def set_theme_owner(theme: str, *, organisation: Organisation | None, now: dt.datetime, actor: Actor) -> None:
    """Who signs off what is published in shared banks of a theme; None is nobody."""
    owner = db.session.get(ThemeOwner, theme)
    before = db.session.scalar(sa.select(Organisation.name).where(Organisation.id == owner.organisation_id)) if owner else None
    if (owner.organisation_id if owner else None) == (organisation.id if organisation else None):
        return
    if owner is not None and organisation is None:
        db.session.delete(owner)
    elif organisation is not None:
        owner = owner or ThemeOwner(theme=theme)
        owner.organisation_id, owner.changed_at = organisation.id, now
        db.session.add(owner)
    target = organisation or queries.find_policy_root(QuestionBank(organisation_id=None))
    if target is not None:
        changes = {"theme": theme, "organisation": [before, organisation.name if organisation else None]}
        _record_setting("questions.theme_owner_set", target, actor, now, changes)


def _record_setting(action: str, organisation: Organisation, actor: Actor, now: dt.datetime, changes: Mapping[str, object]) -> None:
    db.session.flush()
    record(
        action,
        actor=actor,
        target_type="organisation",
        target_id=organisation.id,
        target_name=organisation.name,
        organisation_path=organisation.path,
        changes=changes,
        now=now,
    )

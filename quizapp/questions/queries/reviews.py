"""Where reviews stand: how many steps a bureau asks for, which were taken, who signs."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.accounts.queries import find_root_organisation
from quizapp.core.db import db
from quizapp.questions.models import (
    Question,
    QuestionBank,
    QuestionFlag,
    QuestionReview,
    QuestionRevision,
    ReviewPolicy,
    ThemeOwner,
)
from quizapp.questions.queries.pools import list_revisions, select_questions


@dataclass(frozen=True)
class ReviewStanding:
    """Where a question's review stands.

    ``taken`` are the steps of the present round; ``contributors`` everybody who changed what is to be reviewed.
    ``next_step`` is the number of the step that waits, 0 for the sign-off, None when nothing waits.
    """

    question: Question
    newest: QuestionRevision
    steps: int
    signer: Organisation | None
    taken: tuple[QuestionReview, ...]
    contributors: frozenset[uuid.UUID]
    next_step: int | None

    @property
    def passed_steps(self) -> int:
        return sum(review.decision == "passed" and review.step > 0 for review in self.taken)


def find_policy_root(bank: QuestionBank) -> Organisation | None:
    """The bureau at the top of the tree a bank belongs to; a shared bank belongs to the first."""
    if bank.organisation_id is not None:
        path = db.session.scalar(sa.select(Organisation.path).where(Organisation.id == bank.organisation_id)) or ""
        top = "/".join(path.split("/")[:2]) + "/"
        return db.session.scalar(sa.select(Organisation).where(Organisation.path == top))
    return find_root_organisation()


def review_steps(bank: QuestionBank) -> int:
    """Steps of review the bureau of this bank asks for, 1 to 3."""
    root = find_policy_root(bank)
    policy = db.session.get(ReviewPolicy, root.id) if root else None
    return policy.steps if policy else 1


def sign_off_unit(bank: QuestionBank) -> Organisation | None:
    """The unit whose sign-off publishing in this bank needs: the bank's owner, for a shared bank the theme's owner; the
    bureau itself signs nothing beyond its review."""
    owner_id = bank.organisation_id
    if owner_id is None:
        owner_id = db.session.scalar(sa.select(ThemeOwner.organisation_id).where(ThemeOwner.theme == bank.theme))
    owner = db.session.get(Organisation, owner_id) if owner_id else None
    return owner if owner is not None and owner.parent_id is not None else None


def list_reviews(question_id: uuid.UUID) -> list[QuestionReview]:
    """Every step anybody took on a question, the newest first."""
    return list(
        db.session.scalars(
            sa.select(QuestionReview)
            .filter_by(question_id=question_id)
            .order_by(QuestionReview.decided_at.desc(), QuestionReview.id.desc())
        )
    )


def review_standing(question: Question, bank: QuestionBank) -> ReviewStanding:
    """Where the review of a question's newest revision stands."""
    revisions = list_revisions(question.id)
    newest = revisions[0]
    taken = tuple(review for review in reversed(list_reviews(question.id)) if review.round == question.review_round)
    steps, signer = review_steps(bank), sign_off_unit(bank)
    return ReviewStanding(
        question, newest, steps, signer, taken, _contributors(question, revisions), _next(question, newest, steps, signer, taken)
    )


def _contributors(question: Question, revisions: Sequence[QuestionRevision]) -> frozenset[uuid.UUID]:
    """Who made what has not been reviewed yet: all revisions after the one in use, at least the newest."""
    in_use = next((row.number for row in revisions if row.id == question.current_revision_id), 0)
    was_published = question.status not in ("draft", "in_review")
    newer = [row for row in revisions if not was_published or row.number > in_use] or revisions[:1]
    return frozenset(row.created_by for row in newer if row.created_by)


def _next(
    question: Question, newest: QuestionRevision, steps: int, signer: Organisation | None, taken: Sequence[QuestionReview]
) -> int | None:
    if question.status in ("draft", "retired") or question.has_draft:
        return None
    if question.status == "published" and question.current_revision_id == newest.id:
        return None
    if any(review.decision == "returned" for review in taken):
        return None
    passed = sum(review.step > 0 for review in taken)
    if passed < steps:
        return passed + 1
    return 0 if signer is not None and not any(review.step == 0 for review in taken) else None


def select_for_reviewer(
    stepping: Sequence[QuestionBank], signing: Sequence[QuestionBank], staff_id: uuid.UUID
) -> sa.Select[*tuple[Any, ...]]:
    """Questions with their newest revision that wait for this member of staff: for a step of review in some banks, for the
    signature in others. What they wrote last or have passed already in this round is left out."""
    in_round = sa.and_(QuestionReview.question_id == Question.id, QuestionReview.round == Question.review_round)
    passed = sa.select(sa.func.count(QuestionReview.id)).where(in_round, QuestionReview.step > 0).scalar_subquery()
    is_signed = sa.select(QuestionReview.id).where(in_round, QuestionReview.step == 0).exists()
    is_mine = sa.select(QuestionReview.id).where(in_round, QuestionReview.staff_id == staff_id).exists()
    wanted: list[sa.ColumnElement[bool]] = [sa.false()]
    wanted += [sa.and_(Question.bank_id == bank.id, passed < review_steps(bank)) for bank in stepping]
    wanted += [sa.and_(Question.bank_id == bank.id, passed >= review_steps(bank), ~is_signed) for bank in signing]
    wrote_last = sa.func.coalesce(QuestionRevision.created_by == staff_id, sa.false())
    return select_questions(status="waiting").where(Question.status != "suspended", sa.or_(*wanted), ~is_mine, ~wrote_last)


def list_policies() -> dict[uuid.UUID, ReviewPolicy]:
    """The bureaus' settings by organisation."""
    return {policy.organisation_id: policy for policy in db.session.scalars(sa.select(ReviewPolicy))}


def list_themes() -> list[str]:
    """The themes that shared banks have."""
    found = sa.select(QuestionBank.theme).where(QuestionBank.organisation_id.is_(None)).distinct()
    return list(db.session.scalars(found.order_by(QuestionBank.theme)))


def list_theme_owners() -> dict[str, uuid.UUID]:
    """Theme to the unit that answers for it."""
    return dict(db.session.execute(sa.select(ThemeOwner.theme, ThemeOwner.organisation_id)).all())


def list_flags(question_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[QuestionFlag]]:
    """Remarks on these questions."""
    found: dict[uuid.UUID, list[QuestionFlag]] = {}
    rows = db.session.scalars(
        sa.select(QuestionFlag).where(QuestionFlag.question_id.in_(question_ids)).order_by(QuestionFlag.source, QuestionFlag.code)
    )
    for flag in rows:
        found.setdefault(flag.question_id, []).append(flag)
    return found

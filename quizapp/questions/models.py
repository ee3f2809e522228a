"""Banks, questions, revisions that never change, their review, and what citizens and later knowledge say about them."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, JsonValue, Moment

KINDS = ("single", "multiple", "indefinite", "judge")
STATUSES = ("draft", "in_review", "published", "suspended", "retired")


class QuestionBank(Base):
    __tablename__ = "question_banks"

    id: Mapped[IdPk]
    slug: Mapped[str] = mapped_column(sa.String(64), unique=True)
    title: Mapped[str] = mapped_column(sa.String(100))
    theme: Mapped[str] = mapped_column(sa.String(32))
    description: Mapped[str] = mapped_column(sa.String(400), default="")
    licence: Mapped[str] = mapped_column(sa.String(64), default="")
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("organisations.id"))
    created_at: Mapped[Moment]


class Question(Base):
    """A question of one bank; what it says is in its revisions. ``code`` is the id in the bank's file."""

    __tablename__ = "questions"
    __table_args__ = (
        sa.UniqueConstraint("bank_id", "code"),
        sa.CheckConstraint("status IN ('draft', 'in_review', 'published', 'suspended', 'retired')", "status"),
        sa.Index(None, "bank_id", "status"),
    )

    id: Mapped[IdPk]
    bank_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("question_banks.id"))
    code: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[str] = mapped_column(sa.String(16), default="draft")
    current_revision_id: Mapped[uuid.UUID | None]
    """The revision that papers are drawn with. No foreign key: the two tables would need each other first."""
    has_draft: Mapped[bool] = mapped_column(default=False)
    """The newest revision of a question that has been in use is still worked on and not sent to review yet."""
    review_round: Mapped[int] = mapped_column(sa.Integer, default=0)
    """Raised whenever something is sent to review: steps passed in an earlier round do not count."""
    created_at: Mapped[Moment]


class QuestionRevision(Base):
    """What a question said from one moment on. The database refuses to change or delete it.

    ``choices`` are the texts in file order (judge: 对, 错); ``answer`` holds the indices of the right ones, from 0.
    ``citations`` are ``{"law", "article"}`` or ``{"document", "issuer", "number", "clause", "date"}``.
    """

    __tablename__ = "question_revisions"
    __table_args__ = (
        sa.UniqueConstraint("question_id", "number"),
        sa.CheckConstraint("kind IN ('single', 'multiple', 'indefinite', 'judge')", "kind"),
        sa.CheckConstraint("difficulty BETWEEN 1 AND 5", "difficulty"),
    )

    id: Mapped[IdPk]
    question_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("questions.id"))
    number: Mapped[int] = mapped_column(sa.Integer)
    kind: Mapped[str] = mapped_column(sa.String(16))
    stem: Mapped[str] = mapped_column(sa.Text)
    choices: Mapped[list[str]] = mapped_column(JsonValue)
    answer: Mapped[list[Any]] = mapped_column(JsonValue)
    explanation: Mapped[str] = mapped_column(sa.Text)
    citations: Mapped[list[Any]] = mapped_column(JsonValue)
    difficulty: Mapped[int] = mapped_column(sa.Integer)
    tags: Mapped[list[str]] = mapped_column(JsonValue)
    reviewed_by: Mapped[str | None] = mapped_column(sa.String(64))
    reviewed_on: Mapped[dt.date | None]
    origin: Mapped[str] = mapped_column(sa.String(16))
    """``file`` (loaded from question_banks/) or ``staff``."""
    content_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    created_at: Mapped[Moment]
    created_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))


class QuestionReview(Base):
    """One step of a review that somebody took. The database refuses to change or delete it.

    ``step`` counts from 1; 0 is the co-host's sign-off. ``decision`` is ``passed`` or ``returned``.
    """

    __tablename__ = "question_reviews"
    __table_args__ = (
        sa.UniqueConstraint("question_id", "round", "step"),
        sa.CheckConstraint("step BETWEEN 0 AND 3", "step"),
        sa.CheckConstraint("decision IN ('passed', 'returned')", "decision"),
        sa.Index(None, "revision_id"),
    )

    id: Mapped[IdPk]
    question_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("questions.id"))
    revision_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("question_revisions.id"))
    round: Mapped[int] = mapped_column(sa.Integer)
    step: Mapped[int] = mapped_column(sa.Integer)
    decision: Mapped[str] = mapped_column(sa.String(16))
    note: Mapped[str] = mapped_column(sa.String(400), default="")
    staff_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    decided_at: Mapped[Moment]


class ReviewPolicy(Base):
    """How many steps of review a bureau asks for: one row per organisation at the top, one step without a row."""

    __tablename__ = "question_review_policies"
    __table_args__ = (sa.CheckConstraint("steps BETWEEN 1 AND 3", "steps"),)

    organisation_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    steps: Mapped[int] = mapped_column(sa.Integer)
    changed_at: Mapped[Moment]
    changed_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))


class ThemeOwner(Base):
    """The unit that answers for a theme (the tax bureau for tax): it signs off what is published in shared banks of it."""

    __tablename__ = "question_theme_owners"

    theme: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    organisation_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    changed_at: Mapped[Moment]


class QuestionAlias(Base):
    """Where a question was before it was moved: a file of its old bank does not bring it back as a new one."""

    __tablename__ = "question_aliases"

    bank_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("question_banks.id"), primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    question_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("questions.id"))


class QuestionFlag(Base):
    """A remark on a question's quality. Each ``source`` (``lint``, ``items`` …) replaces its own and leaves the others."""

    __tablename__ = "question_flags"
    __table_args__ = (sa.Index(None, "source", "code"),)

    question_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("questions.id"), primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    detail: Mapped[str] = mapped_column(sa.String(300), default="")
    flagged_at: Mapped[Moment]


class FaultReport(Base):
    """A citizen says that a question is wrong (纠错): once per citizen and question, answered by staff."""

    __tablename__ = "fault_reports"
    __table_args__ = (
        sa.UniqueConstraint("citizen_id", "question_id"),
        sa.CheckConstraint("state IN ('open', 'accepted', 'declined')", "state"),
        sa.CheckConstraint("(state = 'open') = (answered_at IS NULL)", "answered"),
        sa.Index(None, "question_id", "state"),
        sa.Index(None, "state", "reported_at"),
        sa.Index(None, "citizen_id", "reported_at"),
    )

    id: Mapped[IdPk]
    question_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("questions.id"))
    revision_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("question_revisions.id"))
    attempt_id: Mapped[uuid.UUID]
    """The paper it was met in. No foreign key: attempts lie below."""
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    reason: Mapped[str] = mapped_column(sa.String(16))
    text: Mapped[str] = mapped_column(sa.String(300), default="")
    state: Mapped[str] = mapped_column(sa.String(16), default="open")
    reported_at: Mapped[Moment]
    answer: Mapped[str] = mapped_column(sa.String(300), default="")
    answered_at: Mapped[dt.datetime | None]
    answered_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))


class KeyCorrection(Base):
    """The decision that a key was wrong: proposed by one, confirmed by another, then worked by the attempts' job.

    ``accepted`` holds the sets of choice indices that count as right from now on: one set is a new key, several are each
    right, none gives everybody the mark.
    """

    __tablename__ = "key_corrections"
    __table_args__ = (
        sa.CheckConstraint("status IN ('proposed', 'confirmed', 'cancelled')", "status"),
        sa.CheckConstraint("status <> 'confirmed' OR confirmed_at IS NOT NULL", "confirmed"),
        sa.CheckConstraint("confirmed_by IS NULL OR confirmed_by <> proposed_by", "two_persons"),
        sa.Index(
            "uq_key_corrections_one_proposed",
            "question_id",
            unique=True,
            sqlite_where=sa.text("status = 'proposed'"),
            postgresql_where=sa.text("status = 'proposed'"),
        ),
        sa.Index(None, "status", "confirmed_at"),
    )

    id: Mapped[IdPk]
    question_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("questions.id"))
    accepted: Mapped[list[Any]] = mapped_column(JsonValue)
    reason: Mapped[str] = mapped_column(sa.String(400))
    """For the file: what is wrong and which article says so."""
    notice: Mapped[str] = mapped_column(sa.String(200))
    """For the citizens, on their result."""
    explanation: Mapped[str] = mapped_column(sa.Text, default="")
    """What the revision with the new key explains."""
    status: Mapped[str] = mapped_column(sa.String(16), default="proposed")
    is_suspending: Mapped[bool] = mapped_column(default=True)
    """The proposal took the question out of new papers until it is decided."""
    proposed_at: Mapped[Moment]
    proposed_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    confirmed_at: Mapped[dt.datetime | None]
    confirmed_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    cancelled_at: Mapped[dt.datetime | None]
    new_revision_id: Mapped[uuid.UUID | None]


class KeyCorrectionRevision(Base):
    """A revision whose key a correction changes, and what its key was until then (sets of choice indices)."""

    __tablename__ = "key_correction_revisions"
    __table_args__ = (sa.Index(None, "revision_id"),)

    correction_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("key_corrections.id"), primary_key=True)
    revision_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("question_revisions.id"), primary_key=True)
    accepted_before: Mapped[list[Any]] = mapped_column(JsonValue)

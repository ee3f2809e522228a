"""Banks, questions, and revisions that never change."""

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

"""What ties questions to articles, and the questions that wait for somebody's eyes because an article changed."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quizapp.core.db import Base, IdPk, Moment
from quizapp.questions.models import Question, QuestionRevision

REVIEW_STATES = ("open", "confirmed", "rekeyed")


class QuestionCitation(Base):
    """One article that a revision cites, written with the revision. The database refuses to change or delete it.

    ``law`` is the name as the question gives it (a short title, or a document's name); ``article`` is its number, empty
    where a document is cited as a whole.
    """

    __tablename__ = "question_citations"
    __table_args__ = (sa.Index(None, "law", "article"), sa.Index(None, "question_id"))

    revision_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("question_revisions.id"), primary_key=True)
    law: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    article: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    question_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("questions.id"))
    revision: Mapped[QuestionRevision] = relationship(lazy="raise")
    question: Mapped[Question] = relationship(lazy="raise")
    """Both only so that a flush writes them first."""


class LawReview(Base):
    """A question that is to be looked at because an article it cites reads otherwise from ``effective_on``.

    ``suspends``: from that day it is out of papers until then; ``suspended_at`` is when that happened. ``confirmed``: the
    question still stands; ``rekeyed``: a later revision took its place.
    """

    __tablename__ = "law_reviews"
    __table_args__ = (
        sa.CheckConstraint("state IN ('open', 'confirmed', 'rekeyed')", "state"),
        sa.CheckConstraint("kind IN ('changed', 'removed', 'repealed')", "kind"),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", "decided"),
        sa.Index(None, "question_id", "state"),
        sa.Index(None, "state", "effective_on"),
    )

    id: Mapped[IdPk]
    question_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("questions.id"))
    statute_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("statutes.id"))
    law: Mapped[str] = mapped_column(sa.String(200))
    article: Mapped[str] = mapped_column(sa.String(16))
    kind: Mapped[str] = mapped_column(sa.String(16))
    before_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("statute_articles.id"))
    after_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("statute_articles.id"))
    effective_on: Mapped[dt.date]
    suspends: Mapped[bool]
    suspended_at: Mapped[dt.datetime | None]
    state: Mapped[str] = mapped_column(sa.String(16), default="open")
    listed_at: Mapped[Moment]
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    note: Mapped[str] = mapped_column(sa.String(200), default="")


class LawWatchPolicy(Base):
    """What a bureau has set for questions whose article changes: one row per organisation at the top; without a row they are
    out of papers at once."""

    __tablename__ = "law_watch_policies"

    organisation_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    suspends: Mapped[bool]
    changed_at: Mapped[Moment]
    changed_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))

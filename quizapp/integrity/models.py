"""Signs and cases, decisions with what they did, appeals; complaints and what was said about them."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, JsonValue, Moment

CASE_STATES = ("waiting", "proposed", "cleared", "excluded")
DECISION_KINDS = ("clear", "exclude_attempts", "exclude_person", "restore")
DECISION_STEPS = ("decided", "proposed", "confirmed", "returned")
COMPLAINT_STATES = ("open", "review", "answered")


def _in(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class IntegrityPolicy(Base):
    """From which score prizes are held in a campaign, and from which worth an exclusion needs a second person. Without a row
    the defaults of ``integrity.rules`` hold."""

    __tablename__ = "integrity_policies"
    __table_args__ = (
        sa.CheckConstraint("hold_score BETWEEN 1 AND 1000", "hold_score"),
        sa.CheckConstraint("second_above_fen >= -1", "second_above_fen"),
    )

    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"), primary_key=True)
    hold_score: Mapped[int] = mapped_column(sa.Integer)
    second_above_fen: Mapped[int]
    """Below zero no second person is needed."""
    changed_at: Mapped[Moment]
    changed_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))


class ScanCursor(Base):
    """How far the worker has looked at a campaign's graded attempts, by the moment they counted and their id."""

    __tablename__ = "integrity_cursors"

    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"), primary_key=True)
    seen_at: Mapped[Moment]
    seen_id: Mapped[uuid.UUID]


class Mark(Base):
    """Somebody who took part shares something with others in this campaign: a device (its keyed tag), a block of numbers (the
    identity's tag) or a set of mistakes. Kept so that counting who shares it costs nothing at a hand-in."""

    __tablename__ = "integrity_marks"

    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    """``device``, ``block`` or ``pattern``."""
    tag: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"), primary_key=True)


class Signal(Base):
    """One sign about one citizen in one campaign. ``facts`` are plain numbers: never a number of a phone, a name or another
    person. Found again it is brought up to date."""

    __tablename__ = "integrity_signals"
    __table_args__ = (sa.UniqueConstraint("campaign_id", "citizen_id", "code", "subject"),)

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    code: Mapped[str] = mapped_column(sa.String(32))
    subject: Mapped[str] = mapped_column(sa.String(64))
    """The attempt it is about, or empty for the person's whole part."""
    points: Mapped[int] = mapped_column(sa.Integer)
    facts: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    found_at: Mapped[Moment]


class Case(Base):
    """One citizen's part in one campaign, to be looked at by a person. ``state``:

    waiting 待复核 · proposed 等第二人 · cleared 没有问题 · excluded 已剔除 (what was taken out stands in the decisions)
    """

    __tablename__ = "integrity_cases"
    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "citizen_id"),
        sa.CheckConstraint(_in("state", CASE_STATES), "state"),
        sa.Index(None, "state", "opened_at"),
        sa.Index(None, "citizen_id"),
    )

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    state: Mapped[str] = mapped_column(sa.String(16), default="waiting")
    score: Mapped[int] = mapped_column(sa.Integer)
    cleared_score: Mapped[int | None] = mapped_column(sa.Integer)
    """The score a reviewer found harmless: only a clearly higher one opens the case again."""
    was_held: Mapped[bool] = mapped_column(default=True)
    opened_at: Mapped[Moment]
    decided_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(sa.Integer, default=1)
    """Raised by every decision; a reviewer decides about the version that was on the page."""


class Decision(Base):
    """What a reviewer decided, with the reason. Append-only: a proposal, its confirmation and a reversal are rows of their own
    and name the row they follow."""

    __tablename__ = "integrity_decisions"
    __table_args__ = (
        sa.CheckConstraint(_in("kind", DECISION_KINDS), "kind"),
        sa.CheckConstraint(_in("step", DECISION_STEPS), "step"),
        sa.CheckConstraint("(kind = 'restore' OR step IN ('confirmed', 'returned')) = (follows_id IS NOT NULL)", "follows"),
        sa.UniqueConstraint("follows_id"),
        sa.Index(None, "case_id", "decided_at"),
    )

    id: Mapped[IdPk]
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("integrity_cases.id"))
    kind: Mapped[str] = mapped_column(sa.String(20))
    step: Mapped[str] = mapped_column(sa.String(12))
    follows_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("integrity_decisions.id"))
    reason: Mapped[str] = mapped_column(sa.String(32))
    note: Mapped[str] = mapped_column(sa.String(500))
    attempt_ids: Mapped[list[Any]] = mapped_column(JsonValue, default=list)
    worth_fen: Mapped[int] = mapped_column(default=0)
    """What the open and received prizes were worth that it is about."""
    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    staff_name: Mapped[str] = mapped_column(sa.String(64))
    decided_at: Mapped[Moment]


class Effect(Base):
    """One thing a decision did, or could not do. Append-only; a reversal works from these rows."""

    __tablename__ = "integrity_effects"
    __table_args__ = (sa.UniqueConstraint("decision_id", "kind", "subject"),)

    id: Mapped[IdPk]
    decision_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("integrity_decisions.id"))
    kind: Mapped[str] = mapped_column(sa.String(24))
    """``attempt_excluded, ticket_voided, payout_withheld, payout_cancelled, payout_kept, points_taken, points_short, barred,
    finished`` and for a reversal ``attempt_restored, ticket_granted, payout_reinstated, payout_gone, points_returned, unbarred``."""
    subject: Mapped[str] = mapped_column(sa.String(64))
    amount: Mapped[int] = mapped_column(default=0)
    happened_at: Mapped[Moment]


class Appeal(Base):
    """A citizen's answer to a decision, and ours by somebody else than who decided. One per decision."""

    __tablename__ = "integrity_appeals"
    __table_args__ = (
        sa.UniqueConstraint("decision_id"),
        sa.CheckConstraint(_in("state", ("open", "granted", "dismissed")), "state"),
        sa.CheckConstraint("(state = 'open') = (replied_at IS NULL)", "replied"),
        sa.Index(None, "state", "filed_at"),
    )

    id: Mapped[IdPk]
    decision_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("integrity_decisions.id"))
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    text: Mapped[str] = mapped_column(sa.String(1000))
    filed_at: Mapped[Moment]
    due_on: Mapped[dt.date]
    state: Mapped[str] = mapped_column(sa.String(12), default="open")
    reply: Mapped[str] = mapped_column(sa.String(1000), default="")
    replied_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    replied_at: Mapped[dt.datetime | None]


class Complaint(Base):
    """A complaint or suggestion, by page, telephone or visit. ``state``: open 待答复 · review 要复核 · answered 已答复.

    Somebody who is not signed in gets a number and a word to look the answer up with; of the word only a hash is kept.
    """

    __tablename__ = "complaints"
    __table_args__ = (
        sa.CheckConstraint(_in("state", COMPLAINT_STATES), "state"),
        sa.CheckConstraint(_in("source", ("page", "phone", "visit")), "source"),
        sa.Index(None, "state", "due_on"),
        sa.Index(None, "citizen_id", "filed_at"),
    )

    id: Mapped[IdPk]
    number: Mapped[str] = mapped_column(sa.String(24), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(24))
    source: Mapped[str] = mapped_column(sa.String(8))
    text: Mapped[str] = mapped_column(sa.String(2000))
    reference: Mapped[str] = mapped_column(sa.String(64), default="")
    """抽奖号 or number of an attempt, as it was given."""
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("citizens.id"))
    campaign_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("campaigns.id"))
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("organisations.id"))
    """Whose desk it lies on: the campaign's host, else the root's."""
    word_hash: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))
    state: Mapped[str] = mapped_column(sa.String(12), default="open")
    filed_at: Mapped[Moment]
    due_on: Mapped[dt.date]
    reply: Mapped[str] = mapped_column(sa.String(2000), default="")
    replied_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    replied_at: Mapped[dt.datetime | None]


class ComplaintEvent(Base):
    """What happened to a complaint, in order; append-only."""

    __tablename__ = "complaint_events"
    __table_args__ = (sa.Index(None, "complaint_id", "at"),)

    id: Mapped[IdPk]
    complaint_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("complaints.id"))
    at: Mapped[Moment]
    kind: Mapped[str] = mapped_column(sa.String(16))
    """``filed, noted, answered, returned, confirmed, reopened``."""
    text: Mapped[str] = mapped_column(sa.String(2000), default="")
    actor_name: Mapped[str] = mapped_column(sa.String(64))
    staff_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))

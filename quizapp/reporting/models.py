"""Reports asked for, built by the worker."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, JsonValue, Moment


class ReportRequest(Base):
    """One export: asked for by staff, built in the background, kept until ``expires_at``."""

    __tablename__ = "report_requests"
    __table_args__ = (
        sa.CheckConstraint("state IN ('pending', 'building', 'ready', 'failed', 'expired')", "state"),
        sa.Index(None, "state", "created_at"),
        sa.Index(None, "requested_by", "created_at"),
    )

    id: Mapped[IdPk]
    report: Mapped[str] = mapped_column(sa.String(32))
    format: Mapped[str] = mapped_column(sa.String(8))
    parameters: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    """What was asked for, in the shape of ``reporting.services.ReportOrder.to_dict``, the asker's scope included."""
    state: Mapped[str] = mapped_column(sa.String(16), default="pending")
    progress: Mapped[int] = mapped_column(sa.Integer, default=0)
    error: Mapped[str] = mapped_column(sa.String(200), default="")
    file_key: Mapped[str] = mapped_column(sa.String(100), default="")
    file_name: Mapped[str] = mapped_column(sa.String(200), default="")
    row_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    build_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    """How often a worker began; also the token of the one that builds now."""
    claimed_until: Mapped[dt.datetime | None]
    """While building: a worker that has not renewed this is taken for dead, and another may begin again."""
    requested_by: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    created_at: Mapped[Moment]
    started_at: Mapped[dt.datetime | None]
    ready_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]


class ItemStatistic(Base):
    """What the answers to one revision come to, in one campaign or (``scope`` nil) in all of them. Folded by the worker
    from the attempts and written anew whenever they change; nothing here is a source of anything."""

    __tablename__ = "item_statistics"
    __table_args__ = (sa.Index(None, "revision_id"), sa.Index(None, "question_id"))

    scope: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    """A campaign's id, or nil. No foreign key: nil is no campaign."""
    revision_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("question_revisions.id"), primary_key=True)
    question_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("questions.id"))
    shown_count: Mapped[int]
    answered_count: Mapped[int]
    correct_count: Mapped[int]
    timed_count: Mapped[int]
    facility: Mapped[float | None]
    discrimination: Mapped[float | None]
    median_seconds: Mapped[float | None]
    is_negative: Mapped[bool]
    is_hard: Mapped[bool]
    is_easy: Mapped[bool]
    has_idle: Mapped[bool]
    tally: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    """The counts all of it comes from, in the shape of ``reporting.items_rules.Tally.to_dict``."""


class ItemFold(Base):
    """When the attempts of a scope were last folded into :class:`ItemStatistic`, and what they looked like then. The row of
    the nil scope is what folds wait for one another by."""

    __tablename__ = "item_folds"

    scope: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    stamp: Mapped[str] = mapped_column(sa.String(200))
    """Counts and moments that change with every hand-in, exclusion and re-mark."""
    paper_count: Mapped[int]
    exclusions: Mapped[list[Any]] = mapped_column(JsonValue)
    """(reason, attempts) left out."""
    folded_at: Mapped[Moment]
    checked_at: Mapped[Moment]
    """When it was last known that nothing had changed since."""
    took_ms: Mapped[int]

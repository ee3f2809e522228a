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

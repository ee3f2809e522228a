"""Certificates: issued once per source and kind, checked by number, revoked and never deleted."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, JsonValue, Moment

KINDS = ("win", "certificate", "title", "hours")


class Certificate(Base):
    """One document. ``number`` cannot be guessed: whoever has it has seen the paper. No name is on it, none is asked for."""

    __tablename__ = "certificates"
    __table_args__ = (
        sa.UniqueConstraint("source_type", "source_id", "kind"),
        sa.CheckConstraint("kind IN ('win', 'certificate', 'title', 'hours')", "kind"),
        sa.Index(None, "citizen_id", "issued_at"),
    )

    id: Mapped[IdPk]
    number: Mapped[str] = mapped_column(sa.String(24), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    source_type: Mapped[str] = mapped_column(sa.String(16))
    source_id: Mapped[uuid.UUID]
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    title: Mapped[str] = mapped_column(sa.String(60))
    lines: Mapped[list[str]] = mapped_column(JsonValue)
    issuer: Mapped[str] = mapped_column(sa.String(100))
    organisation_path: Mapped[str] = mapped_column(sa.String(400), default="/")
    issued_at: Mapped[Moment]
    revoked_at: Mapped[dt.datetime | None]
    revoke_reason: Mapped[str] = mapped_column(sa.String(100), default="")
    revoked_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))

"""The audit trail."""

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, JsonValue, Moment


class AuditEntry(Base):
    """One thing somebody did. The database refuses to change or delete it (triggers of the first migration).

    ``action`` is a dotted code (``campaign.published``); ``changes`` holds ``{field: [before, after]}`` or facts of the
    deed, never a phone number or a secret.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        sa.Index(None, "at"),
        sa.Index(None, "target_type", "target_id"),
        sa.Index(None, "actor_id", "at"),
        sa.Index(None, "action", "at"),
    )

    id: Mapped[IdPk]
    at: Mapped[Moment]
    actor_kind: Mapped[str] = mapped_column(sa.String(16))
    """``staff``, ``citizen`` or ``system``."""
    actor_id: Mapped[uuid.UUID | None]
    actor_name: Mapped[str] = mapped_column(sa.String(64))
    action: Mapped[str] = mapped_column(sa.String(64))
    target_type: Mapped[str] = mapped_column(sa.String(32))
    target_id: Mapped[str] = mapped_column(sa.String(64))
    target_name: Mapped[str] = mapped_column(sa.String(200), default="")
    organisation_path: Mapped[str] = mapped_column(sa.String(400), default="/")
    """Path of the organisation concerned, for readers scoped to a subtree."""
    changes: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    request_id: Mapped[str] = mapped_column(sa.String(64), default="")

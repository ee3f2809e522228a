"""Files that staff bring, from the upload to what became of them."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, JsonValue, Moment


class QuestionImport(Base):
    """One file: looked through, then taken in when somebody says so. Who, what and how many stays as a record; the file
    itself and what was read in it are kept for a few days only.

    ``state``: ``waiting_check → checking → checked → waiting_import → importing → done``; ``failed``, ``cancelled``.
    """

    __tablename__ = "question_imports"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('waiting_check', 'checking', 'checked', 'waiting_import', 'importing', 'done', 'failed', 'cancelled')", "state"
        ),
        sa.Index(None, "state", "created_at"),
        sa.Index(None, "requested_by", "created_at"),
    )

    id: Mapped[IdPk]
    bank_slug: Mapped[str] = mapped_column(sa.String(64), default="")
    """Where the questions go; "" until the file has named its bank itself."""
    file_name: Mapped[str] = mapped_column(sa.String(200))
    size: Mapped[int]
    format: Mapped[str] = mapped_column(sa.String(16), default="")
    state: Mapped[str] = mapped_column(sa.String(16))
    progress: Mapped[int] = mapped_column(sa.Integer, default=0)
    message: Mapped[str] = mapped_column(sa.String(300), default="")
    """Why it failed."""
    counts: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    """What the check found and what the import did, in numbers of questions."""
    options: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    """What was chosen, in the shape of ``exchange.saving.Options``."""
    done_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    """Good questions already worked: where another worker goes on after this one died."""
    claim_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    """How often a worker began; also the token of the one that works now."""
    claimed_until: Mapped[dt.datetime | None]
    organisation_id: Mapped[uuid.UUID | None]
    """The unit a new bank would belong to."""
    requested_by: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    created_at: Mapped[Moment]
    finished_at: Mapped[dt.datetime | None]

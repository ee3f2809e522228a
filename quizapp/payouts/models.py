"""Payouts, the items they hand over, code pools, cash lists."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, Moment

STATES = ("claimable", "processing", "ready", "done", "unknown", "returned", "expired", "forfeited", "void")


class PayoutItem(Base):
    """Something that is handed over many times: a prize of a pool, later an item of the shop. Registered by its owner
    under the owner's id, so that codes can be uploaded and hand-overs counted without looking into that package."""

    __tablename__ = "payout_items"
    __table_args__ = (sa.Index(None, "campaign_id"),)

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID | None]
    kind: Mapped[str] = mapped_column(sa.String(16))
    title: Mapped[str] = mapped_column(sa.String(100))
    tier: Mapped[str] = mapped_column(sa.String(32), default="")
    amount_fen: Mapped[int] = mapped_column(default=0)
    quantity: Mapped[int]
    created_at: Mapped[Moment]


class Payout(Base):
    """One hand-over. ``state``:

    claimable 待领取 · processing 发放中 (on a cash list, being posted) · ready 待领取实物/待核销 (claimed, waiting at the desk)
    · done 已到账/已领取 · unknown 状态未知 (asked, no answer: query, never a second number) · returned 已退回
    · expired 已过期 · forfeited 已放弃 · void 已作废
    """

    __tablename__ = "payouts"
    __table_args__ = (
        sa.UniqueConstraint("source_type", "source_id"),
        sa.CheckConstraint("state IN (" + ", ".join(repr(s) for s in STATES) + ")", "state"),
        sa.CheckConstraint("amount_fen >= 0", "amount_fen"),
        sa.Index(None, "citizen_id", "created_at"),
        sa.Index(None, "state", "claim_deadline_at"),
        sa.Index(None, "campaign_id", "state"),
        sa.Index(None, "item_id", "state"),
        sa.Index(None, "reference"),
        sa.Index(None, "cash_list_id"),
    )

    id: Mapped[IdPk]
    source_type: Mapped[str] = mapped_column(sa.String(16))
    source_id: Mapped[uuid.UUID]
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    campaign_id: Mapped[uuid.UUID | None]
    kind: Mapped[str] = mapped_column(sa.String(16))
    """``cash, code, pickup, post, points, service, ticket`` (the API's prize kinds)."""
    title: Mapped[str] = mapped_column(sa.String(100))
    item_type: Mapped[str] = mapped_column(sa.String(16), default="prize")
    item_id: Mapped[uuid.UUID]
    """The prize (or shop item), whose code pool and pick-up points serve it."""
    reference: Mapped[str] = mapped_column(sa.String(24), default="")
    """The 抽奖号 it was won under: the only name of the winner in a public notice."""
    tier: Mapped[str] = mapped_column(sa.String(32), default="")
    amount_fen: Mapped[int] = mapped_column(default=0)
    points: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(sa.String(16))
    claim_deadline_at: Mapped[dt.datetime | None]
    created_at: Mapped[Moment]
    claimed_at: Mapped[dt.datetime | None]
    done_at: Mapped[dt.datetime | None]
    is_phone_public: Mapped[bool] = mapped_column(default=False)
    """The citizen agreed, for this prize, to a masked phone number in the notice."""
    cash_list_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("cash_lists.id"))
    pickup_tag: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32), unique=True)
    """Hash of the verification code in the QR."""
    pickup_code_encrypted: Mapped[bytes | None]
    handled_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))


class PayoutEvent(Base):
    """What happened to a payout, in order; append-only."""

    __tablename__ = "payout_events"
    __table_args__ = (sa.Index(None, "payout_id", "at"),)

    id: Mapped[IdPk]
    payout_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("payouts.id"))
    at: Mapped[Moment]
    from_state: Mapped[str | None] = mapped_column(sa.String(16))
    to_state: Mapped[str] = mapped_column(sa.String(16))
    reason: Mapped[str] = mapped_column(sa.String(64), default="")
    actor_name: Mapped[str] = mapped_column(sa.String(64), default="系统")


class PrizeCode(Base):
    """One code of an uploaded pool; given to at most one payout (``payout_id`` is unique)."""

    __tablename__ = "prize_codes"
    __table_args__ = (sa.UniqueConstraint("item_id", "code_tag"), sa.UniqueConstraint("payout_id"), sa.Index(None, "item_id", "payout_id"))

    id: Mapped[IdPk]
    item_id: Mapped[uuid.UUID]
    code_tag: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    code_encrypted: Mapped[bytes]
    payout_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("payouts.id"))
    uploaded_at: Mapped[Moment]
    uploaded_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))


class CashList(Base):
    """A list for the finance desk: once made, its payouts are on no other."""

    __tablename__ = "cash_lists"

    id: Mapped[IdPk]
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    campaign_id: Mapped[uuid.UUID | None]
    payout_count: Mapped[int] = mapped_column(sa.Integer)
    total_fen: Mapped[int]
    needs_review: Mapped[bool] = mapped_column(default=False)
    """Above the set amount somebody else must agree before it can be exported."""
    created_at: Mapped[Moment]
    created_by: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    reviewed_at: Mapped[dt.datetime | None]
    reviewed_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    settled_at: Mapped[dt.datetime | None]
    settled_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))

"""Payouts, the items they hand over, code pools, cash lists."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, Moment

STATES = ("claimable", "processing", "ready", "done", "unknown", "returned", "expired", "forfeited", "void", "held")


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
    budget_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("budgets.id"))
    """Whose money pays for it; None is the host's."""
    created_at: Mapped[Moment]


class Payout(Base):
    """One hand-over. ``state``:

    claimable 待领取 · processing 发放中 (on a cash list, being posted) · ready 待领取实物/待核销 (claimed, waiting at the desk)
    · done 已到账/已领取 · unknown 状态未知 (asked, no answer: query, never a second number) · returned 已退回
    · expired 已过期 · forfeited 已放弃 · void 已作废 · held 核查中 (waits for a decision, from ``held_from``)
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
        sa.Index(None, "money_state", "state"),
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
    money_state: Mapped[str] = mapped_column(sa.String(16), default="", server_default="")
    """How far its worth has gone through its budget: ``reserved``, then ``spent`` or ``released``; empty before (and for points)."""
    draw_key: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")
    """The pool draw it was won in; empty for the instant draw and for prizes that were not drawn."""
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
    pickup_point: Mapped[str] = mapped_column(sa.String(60), default="", server_default="")
    """Where the citizen chose to fetch it."""
    pickup_from_on: Mapped[dt.date | None] = mapped_column(sa.Date)
    """The Shanghai day from which it lies ready there."""
    held_at: Mapped[dt.datetime | None]
    held_from: Mapped[str] = mapped_column(sa.String(16), default="", server_default="")
    hold_reason: Mapped[str] = mapped_column(sa.String(32), default="", server_default="")
    """A code of ``rules.HOLD_REASONS``; stays after the decision."""
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


class PayoutWatch(Base):
    """What a citizen wins in a campaign is held as it comes, while somebody looks into it. At most one is on."""

    __tablename__ = "payout_watches"
    __table_args__ = (
        sa.Index(
            "uq_payout_watches_one_on",
            "citizen_id",
            "campaign_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: Mapped[IdPk]
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    campaign_id: Mapped[uuid.UUID]
    began_at: Mapped[Moment]
    ended_at: Mapped[dt.datetime | None]


class PayoutForfeit(Base):
    """What became of a prize that nobody got: written once, with the step that lost it. ``rule`` is what the terms said then;
    the job of the package the prize came from works the row (``worked_at``) and says what it did (``outcome``)."""

    __tablename__ = "payout_forfeits"
    __table_args__ = (
        sa.CheckConstraint("rule IN ('void', 'stock', 'reserve')", "rule"),
        sa.CheckConstraint("cause IN ('expired', 'forfeited', 'void')", "cause"),
        sa.Index(None, "worked_at", "source_type", "rule"),
        sa.Index(None, "campaign_id"),
    )

    payout_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("payouts.id"), primary_key=True)
    source_type: Mapped[str] = mapped_column(sa.String(16))
    source_id: Mapped[uuid.UUID]
    campaign_id: Mapped[uuid.UUID | None]
    item_id: Mapped[uuid.UUID]
    cause: Mapped[str] = mapped_column(sa.String(16))
    rule: Mapped[str] = mapped_column(sa.String(16))
    at: Mapped[Moment]
    worked_at: Mapped[dt.datetime | None]
    outcome: Mapped[str] = mapped_column(sa.String(32), default="")
    """``kept`` (nothing), ``returned`` (back in stock), ``passed_on`` (to the next on the reserve list), ``no_reserve`` …"""


class WinnersNotice(Base):
    """The notice of the winners of a campaign's instant draw (``draw_key`` empty) or of one pool draw.

    The worker publishes it at ``publish_at`` and takes it down at ``down_at``; it is kept inside. One that is up before the
    campaign's end grows each morning by the day before.
    """

    __tablename__ = "winners_notices"
    __table_args__ = (sa.UniqueConstraint("campaign_id", "draw_key"), sa.Index(None, "down_at"))

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    draw_key: Mapped[str] = mapped_column(sa.String(64), default="")
    title: Mapped[str] = mapped_column(sa.String(100))
    publish_at: Mapped[Moment]
    published_at: Mapped[dt.datetime | None]
    objection_until: Mapped[Moment]
    down_at: Mapped[Moment]
    taken_down_at: Mapped[dt.datetime | None]


class NoticeObjection(Base):
    """Somebody objects to a notice. Nobody has to say who they are; ``number`` lets them look the answer up."""

    __tablename__ = "notice_objections"
    __table_args__ = (
        sa.CheckConstraint("state IN ('open', 'upheld', 'rejected')", "state"),
        sa.Index(None, "state", "due_on"),
        sa.Index(None, "notice_id"),
    )

    id: Mapped[IdPk]
    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    notice_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("winners_notices.id"))
    reference: Mapped[str] = mapped_column(sa.String(24), default="")
    reason: Mapped[str] = mapped_column(sa.String(500))
    state: Mapped[str] = mapped_column(sa.String(16), default="open")
    created_at: Mapped[Moment]
    due_on: Mapped[dt.date]
    answered_at: Mapped[dt.datetime | None]


class ObjectionReply(Base):
    """A written answer to an objection; append-only."""

    __tablename__ = "objection_replies"
    __table_args__ = (sa.Index(None, "objection_id", "at"),)

    id: Mapped[IdPk]
    objection_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("notice_objections.id"))
    at: Mapped[Moment]
    result: Mapped[str] = mapped_column(sa.String(16))
    text: Mapped[str] = mapped_column(sa.String(500))
    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    staff_name: Mapped[str] = mapped_column(sa.String(64))


class WorkdayChange(Base):
    """A day that is not what the week says: a holiday on a weekday, or a weekend day worked (调休). Staff keep it by the
    State Council's yearly notice."""

    __tablename__ = "workday_changes"

    day: Mapped[dt.date] = mapped_column(sa.Date, primary_key=True)
    is_working: Mapped[bool]
    note: Mapped[str] = mapped_column(sa.String(40), default="")


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

"""Prize pools, prizes, secrets, tickets, draws, the chained ledger, wins. ``docs/draw-proof.md`` is the specification."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, Moment


class PrizePool(Base):
    """The pool of one campaign. ``manifest`` is the canonical JSON published before the first ticket; it never changes.

    The row is the lock of everything drawn from it.
    """

    __tablename__ = "prize_pools"

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"), unique=True)
    manifest: Mapped[str] = mapped_column(sa.Text)
    manifest_hash: Mapped[str] = mapped_column(sa.String(64))
    published_at: Mapped[Moment]
    draw_count: Mapped[int] = mapped_column(default=0)
    """Serial of the last draw: serials have no gaps."""
    record_count: Mapped[int] = mapped_column(default=0)
    chain_head: Mapped[str] = mapped_column(sa.String(64))


class Prize(Base):
    """One tier of a pool. ``won_count`` is kept from passing ``quantity`` by the database, and ``spent_fen``, what the wins are
    worth, from passing the budget of random amounts."""

    __tablename__ = "prizes"
    __table_args__ = (
        sa.UniqueConstraint("pool_id", "position"),
        sa.CheckConstraint("quantity >= 0", "quantity"),
        sa.CheckConstraint("won_count >= 0 AND won_count <= quantity", "stock"),
        sa.CheckConstraint("odds_ppm >= 0 AND odds_ppm <= 1000000", "odds"),
        sa.CheckConstraint("value_fen >= 0", "value"),
        sa.CheckConstraint("spent_fen >= 0 AND (budget_fen IS NULL OR spent_fen <= budget_fen)", "budget"),
    )

    id: Mapped[IdPk]
    pool_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("prize_pools.id"))
    position: Mapped[int] = mapped_column(sa.Integer)
    name: Mapped[str] = mapped_column(sa.String(64))
    tier: Mapped[str] = mapped_column(sa.String(32), default="")
    """一等奖 …"""
    kind: Mapped[str] = mapped_column(sa.String(16))
    value_fen: Mapped[int] = mapped_column(default=0)
    points: Mapped[int] = mapped_column(default=0)
    quantity: Mapped[int]
    odds_ppm: Mapped[int]
    budget_fen: Mapped[int | None]
    won_count: Mapped[int] = mapped_column(default=0)
    spent_fen: Mapped[int] = mapped_column(default=0, server_default="0")


class QuotaUse(Base):
    """Wins counted against one quota: a prize's of a Shanghai day or of an hour, or a region group's. The database keeps
    ``used_count`` from passing ``quota``."""

    __tablename__ = "quota_uses"
    __table_args__ = (
        sa.UniqueConstraint("pool_id", "scope"),
        sa.CheckConstraint("used_count >= 0 AND used_count <= quota", "quota"),
    )

    id: Mapped[IdPk]
    pool_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("prize_pools.id"))
    scope: Mapped[str] = mapped_column(sa.String(40))
    """``prize/0/2027-03-15``, ``prize/0/2027-03-15T01`` (hour in UTC), ``segment/1``."""
    quota: Mapped[int]
    used_count: Mapped[int]


class DaySecret(Base):
    """The secret of one day of one pool (or a spare day, ``day_on`` null until it is used). Encrypted until revealed."""

    __tablename__ = "day_secrets"
    __table_args__ = (sa.UniqueConstraint("pool_id", "day_index"), sa.UniqueConstraint("pool_id", "day_on"))

    id: Mapped[IdPk]
    pool_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("prize_pools.id"))
    day_index: Mapped[int] = mapped_column(sa.Integer)
    day_on: Mapped[dt.date | None]
    commitment: Mapped[str] = mapped_column(sa.String(64))
    secret_encrypted: Mapped[bytes]
    revealed_at: Mapped[dt.datetime | None]
    secret_revealed: Mapped[str | None] = mapped_column(sa.String(64))
    draw_count: Mapped[int | None]
    """Draws of tickets granted on this day, counted when the secret was published."""
    reveal_record: Mapped[int | None]
    """Number of the record that published the secret: the ledger up to it can be checked by itself."""


class DrawTicket(Base):
    """The right to draw once. Granted without locking the pool; ``source`` is what earned it, ``sequence`` from 1."""

    __tablename__ = "draw_tickets"
    __table_args__ = (
        sa.UniqueConstraint("source_type", "source_id", "sequence"),
        sa.CheckConstraint("state IN ('granted', 'drawn', 'expired', 'void')", "state"),
        sa.Index(None, "campaign_id", "state", "expires_at"),
        sa.Index(None, "citizen_id", "campaign_id"),
        sa.Index(
            "ix_draw_tickets_unchained",
            "campaign_id",
            "granted_at",
            sqlite_where=sa.text("chained_in IS NULL"),
            postgresql_where=sa.text("chained_in IS NULL"),
        ),
    )

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID]
    citizen_id: Mapped[uuid.UUID]
    """Both without a foreign key: they are the attempt's, whose keys hold, and the draw's rows carry their own
    (docs/decisions/006-hot-rows.md)."""
    source_type: Mapped[str] = mapped_column(sa.String(16))
    source_id: Mapped[uuid.UUID]
    sequence: Mapped[int] = mapped_column(sa.Integer)
    client_nonce: Mapped[str] = mapped_column(sa.String(64), default="")
    granted_at: Mapped[Moment]
    granted_on: Mapped[dt.date]
    expires_at: Mapped[Moment]
    state: Mapped[str] = mapped_column(sa.String(16), default="granted")
    void_reason: Mapped[str] = mapped_column(sa.String(32), default="")
    chained_in: Mapped[int | None]
    """Number of the pool record that holds this grant."""


class Draw(Base):
    """One draw and its stored outcome: a ticket is drawn once (``ticket_id`` unique), serials have no gaps."""

    __tablename__ = "draws"
    __table_args__ = (
        sa.UniqueConstraint("pool_id", "serial"),
        sa.UniqueConstraint("ticket_id"),
        sa.Index(None, "citizen_id", "drawn_at"),
    )

    id: Mapped[IdPk]
    pool_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("prize_pools.id"))
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    ticket_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("draw_tickets.id"))
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    serial: Mapped[int]
    alias: Mapped[str] = mapped_column(sa.String(24))
    """抽奖号: the citizen's pseudonym in this pool."""
    outcome: Mapped[str] = mapped_column(sa.String(8))
    amount_fen: Mapped[int | None]
    """What the win is worth; empty without one, and for draws of before random amounts, whose prize says it."""
    segment: Mapped[int | None] = mapped_column(sa.Integer)
    """Region group the ledger names, where the pool has quotas of regions and the draw fell on a prize."""
    prize_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("prizes.id"))
    record_number: Mapped[int]
    drawn_at: Mapped[Moment]
    drawn_on: Mapped[dt.date]


class PoolRecord(Base):
    """One link of a pool's chain: canonical JSON and its hash over the link before. Append-only by trigger."""

    __tablename__ = "pool_records"
    __table_args__ = (sa.UniqueConstraint("pool_id", "number"),)

    id: Mapped[IdPk]
    pool_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("prize_pools.id"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(sa.String(16))
    body: Mapped[str] = mapped_column(sa.Text)
    hash: Mapped[str] = mapped_column(sa.String(64))
    recorded_at: Mapped[Moment]


class PrizeBar(Base):
    """Somebody who takes no part in the chances of a campaign, with the reason: staff of the host, who made the questions, or
    whom a recorded decision took out. They may answer; nothing is drawn for them. A row is ended, never deleted.

    Either a citizen or the keyed hash of a phone number, so that somebody can be listed before they register.
    """

    __tablename__ = "prize_bars"
    __table_args__ = (
        sa.CheckConstraint("(citizen_id IS NULL) <> (phone_tag IS NULL)", "one_person"),
        sa.Index(
            "uq_prize_bars_citizen",
            "campaign_id",
            "citizen_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL AND citizen_id IS NOT NULL"),
            postgresql_where=sa.text("ended_at IS NULL AND citizen_id IS NOT NULL"),
        ),
        sa.Index(
            "uq_prize_bars_phone",
            "campaign_id",
            "phone_tag",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL AND phone_tag IS NOT NULL"),
            postgresql_where=sa.text("ended_at IS NULL AND phone_tag IS NOT NULL"),
        ),
    )

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("citizens.id"))
    phone_tag: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))
    reason: Mapped[str] = mapped_column(sa.String(32))
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    barred_at: Mapped[Moment]
    barred_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    ended_at: Mapped[dt.datetime | None]
    ended_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))


class Win(Base):
    """A prize won by a draw. Its hand-over is a payout row with source ``("win", id)``."""

    __tablename__ = "wins"
    __table_args__ = (sa.UniqueConstraint("draw_id"), sa.Index(None, "citizen_id", "campaign_id"), sa.Index(None, "campaign_id", "won_at"))

    id: Mapped[IdPk]
    draw_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("draws.id"))
    prize_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("prizes.id"))
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    won_at: Mapped[Moment]
    won_on: Mapped[dt.date]
    claim_deadline_at: Mapped[Moment]
    is_fallback: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Given because the drawn prize was gone or capped; it does not count against the citizen's caps."""
    returned_at: Mapped[dt.datetime | None]
    """When the prize went back to the stock."""


class ChainHead(Base):
    """One line of the public list of chain heads: where a pool's chain stood. Each line carries the seal of the one before, over
    all pools, so that a witness who keeps the last one holds them all. Append-only by trigger."""

    __tablename__ = "chain_heads"
    __table_args__ = (sa.UniqueConstraint("number"), sa.Index(None, "pool_id", "number"))

    id: Mapped[IdPk]
    number: Mapped[int]
    pool_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("prize_pools.id"))
    record_count: Mapped[int]
    head: Mapped[str] = mapped_column(sa.String(64))
    body: Mapped[str] = mapped_column(sa.Text)
    seal: Mapped[str] = mapped_column(sa.String(64))
    published_at: Mapped[Moment]

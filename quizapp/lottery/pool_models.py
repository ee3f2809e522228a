"""Pool draws: manifest, draws, frozen lists, chains, results, wins. ``docs/draw-proof-pools.md`` is the specification.

What is only ever added to is kept so by triggers; the list of a draw takes no line once its hash stands.
"""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, JsonValue, Moment

STATES = ("spare", "open", "frozen", "ready", "drawn")


class PoolManifest(Base):
    """The pool draws of one campaign as they were published, canonical JSON; it never changes."""

    __tablename__ = "pool_manifests"

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"), unique=True)
    manifest: Mapped[str] = mapped_column(sa.Text)
    manifest_hash: Mapped[str] = mapped_column(sa.String(64))
    published_at: Mapped[Moment]


class PoolDrawTier(Base):
    """A prize of a pool draw, shared by all its days (rounds, stages); payouts hand it over under this id."""

    __tablename__ = "pool_draw_tiers"
    __table_args__ = (sa.UniqueConstraint("campaign_id", "draw_code", "position"),)

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    draw_code: Mapped[str] = mapped_column(sa.String(32))
    position: Mapped[int] = mapped_column(sa.Integer)
    """Its place in the manifest's order, from 0."""
    name: Mapped[str] = mapped_column(sa.String(64))
    tier: Mapped[str] = mapped_column(sa.String(32), default="")
    kind: Mapped[str] = mapped_column(sa.String(16))
    value_fen: Mapped[int] = mapped_column(default=0)
    points: Mapped[int] = mapped_column(default=0)


class PoolDrawRun(Base):
    """One pool draw of one scope (day, round, stage, campaign), or a spare of it for a scope not known yet.

    The row is the lock of everything done with the draw. ``state``: spare → open → frozen (the list) → ready (public
    input taken) → drawn.
    """

    __tablename__ = "pool_draws"
    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "draw_code", "slot"),
        sa.UniqueConstraint("campaign_id", "draw_code", "scope"),
        sa.CheckConstraint("state IN (" + ", ".join(repr(s) for s in STATES) + ")", "state"),
        sa.CheckConstraint("(state = 'spare') = (scope IS NULL)", "spare"),
        sa.CheckConstraint("(state IN ('frozen', 'ready', 'drawn')) = (list_hash IS NOT NULL)", "list"),
        sa.Index(None, "state", "due_at"),
    )

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    draw_code: Mapped[str] = mapped_column(sa.String(32))
    slot: Mapped[int] = mapped_column(sa.Integer)
    scope: Mapped[str | None] = mapped_column(sa.String(40))
    title: Mapped[str] = mapped_column(sa.String(100))
    mode: Mapped[str] = mapped_column(sa.String(16))
    seed_input: Mapped[str] = mapped_column(sa.String(16))
    state: Mapped[str] = mapped_column(sa.String(16))
    due_at: Mapped[dt.datetime | None]
    """Not before this moment the list is frozen."""
    commitment: Mapped[str | None] = mapped_column(sa.String(64))
    secret_encrypted: Mapped[bytes | None]
    """Null for a draw held elsewhere, which needs none."""
    secret_revealed: Mapped[str | None] = mapped_column(sa.String(64))
    entry_count: Mapped[int] = mapped_column(default=0)
    ticket_count: Mapped[int] = mapped_column(default=0)
    list_hash: Mapped[str | None] = mapped_column(sa.String(64))
    frozen_at: Mapped[dt.datetime | None]
    public_input: Mapped[str | None] = mapped_column(sa.String(128))
    ready_at: Mapped[dt.datetime | None]
    drawn_at: Mapped[dt.datetime | None]
    is_outside: Mapped[bool] = mapped_column(default=False)
    """The results were drawn elsewhere and entered; every page says so."""
    record_count: Mapped[int] = mapped_column(default=0)
    chain_head: Mapped[str] = mapped_column(sa.String(64), default="")


class PoolDrawEntry(Base):
    """One line of a frozen list: a citizen under the 抽奖号, with as many tickets as they have, in their band.

    Without foreign keys, like tickets (docs/decisions/006-hot-rows.md): three hundred thousand are written at once.
    """

    __tablename__ = "pool_draw_entries"
    __table_args__ = (sa.Index(None, "citizen_id", "pool_draw_id"),)

    pool_draw_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True)
    serial: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    citizen_id: Mapped[uuid.UUID]
    alias: Mapped[str] = mapped_column(sa.String(24))
    tickets: Mapped[int]
    band: Mapped[int] = mapped_column(sa.SmallInteger)


class PoolDrawRecord(Base):
    """One link of a draw's chain: canonical JSON and its seal. Append-only by trigger."""

    __tablename__ = "pool_draw_records"
    __table_args__ = (sa.UniqueConstraint("pool_draw_id", "number"),)

    id: Mapped[IdPk]
    pool_draw_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("pool_draws.id"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(sa.String(16))
    body: Mapped[str] = mapped_column(sa.Text)
    hash: Mapped[str] = mapped_column(sa.String(64))
    recorded_at: Mapped[Moment]


class PoolDrawResult(Base):
    """One line of the results, as the file says it. Append-only by trigger."""

    __tablename__ = "pool_draw_results"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('band', 'skip', 'win', 'reserve')", "kind"),
        sa.Index(None, "pool_draw_id", "serial"),
    )

    pool_draw_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("pool_draws.id"), primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    """Its place among the results, from 1."""
    kind: Mapped[str] = mapped_column(sa.String(8))
    tier: Mapped[int | None] = mapped_column(sa.Integer)
    place: Mapped[int | None] = mapped_column(sa.Integer)
    serial: Mapped[int | None] = mapped_column(sa.Integer)
    alias: Mapped[str] = mapped_column(sa.String(24), default="")
    body: Mapped[str] = mapped_column(sa.String(200))
    """The line to the byte."""


class PoolWin(Base):
    """A prize of a pool draw that is somebody's. Its hand-over is a payout row with source ``("pool_win", id)``. Append-only:
    a substitute is a row of its own."""

    __tablename__ = "pool_wins"
    __table_args__ = (
        sa.UniqueConstraint("pool_draw_id", "tier", "place", "turn"),
        sa.Index(None, "citizen_id", "campaign_id"),
        sa.Index(None, "campaign_id", "won_at"),
    )

    id: Mapped[IdPk]
    pool_draw_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("pool_draws.id"))
    tier_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("pool_draw_tiers.id"))
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    tier: Mapped[int] = mapped_column(sa.Integer)
    place: Mapped[int] = mapped_column(sa.Integer)
    turn: Mapped[int] = mapped_column(sa.Integer, default=0)
    """0 for who was drawn, 1 for the first substitute of this place, and so on."""
    serial: Mapped[int] = mapped_column(sa.Integer)
    alias: Mapped[str] = mapped_column(sa.String(24))
    substitute_of: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("pool_wins.id"))
    reserve: Mapped[int | None] = mapped_column(sa.Integer)
    """The place on the reserve list a substitute came from."""
    is_outside: Mapped[bool] = mapped_column(default=False)
    won_at: Mapped[Moment]
    claim_deadline_at: Mapped[Moment]


class OutsideDraw(Base):
    """The record of a draw held elsewhere as one member of staff has entered it, until another confirms or refuses."""

    __tablename__ = "outside_draws"
    __table_args__ = (
        sa.CheckConstraint("state IN ('waiting', 'confirmed', 'refused')", "state"),
        sa.Index(
            "uq_outside_draws_one_waiting",
            "pool_draw_id",
            unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
    )

    id: Mapped[IdPk]
    pool_draw_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("pool_draws.id"))
    state: Mapped[str] = mapped_column(sa.String(16), default="waiting")
    place: Mapped[str] = mapped_column(sa.String(100))
    witness: Mapped[str] = mapped_column(sa.String(100))
    held_at: Mapped[Moment]
    document_hash: Mapped[str] = mapped_column(sa.String(64))
    """SHA-256 of the file (minutes, notarial deed) that proves it."""
    document_name: Mapped[str] = mapped_column(sa.String(200))
    lines: Mapped[list[Any]] = mapped_column(JsonValue)
    """The results in the form of the file."""
    entered_by: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    entered_at: Mapped[Moment]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    decided_at: Mapped[dt.datetime | None]

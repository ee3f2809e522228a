"""Accounts and entries. One row moves an amount from one account to another, so every posting balances by its shape."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, Moment

UNITS = ("points", "fen", "hours")


class LedgerAccount(Base):
    """Something that holds an amount. A bounded account carries its balance, which the database keeps from going
    below zero; an unbounded one (where points come from and go to) carries none, so that it is never a hot row."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        sa.UniqueConstraint("owner_type", "owner_id", "unit"),
        sa.CheckConstraint("unit IN ('points', 'fen', 'hours')", "unit"),
        sa.CheckConstraint("NOT is_bounded OR balance >= 0", "balance_not_negative"),
    )

    id: Mapped[IdPk]
    owner_type: Mapped[str] = mapped_column(sa.String(16))
    """``citizen``, ``campaign``, ``system`` …"""
    owner_id: Mapped[str] = mapped_column(sa.String(64))
    unit: Mapped[str] = mapped_column(sa.String(16))
    is_bounded: Mapped[bool]
    balance: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment]


class LedgerEntry(Base):
    """``amount`` moves from the debit account to the credit account. One source posts once per reason."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        sa.UniqueConstraint("source_type", "source_id", "reason"),
        sa.CheckConstraint("amount > 0", "amount_positive"),
        sa.CheckConstraint("debit_account_id <> credit_account_id", "two_accounts"),
        sa.Index(None, "credit_account_id", "posted_at"),
        sa.Index(None, "debit_account_id", "posted_at"),
    )

    id: Mapped[IdPk]
    debit_account_id: Mapped[uuid.UUID]
    credit_account_id: Mapped[uuid.UUID]
    """Both without a foreign key: its check would lock the issuing account's row at every hand-in. The statement that
    writes the entry opens or changes both accounts (docs/decisions/006-hot-rows.md)."""
    amount: Mapped[int]
    source_type: Mapped[str] = mapped_column(sa.String(16))
    source_id: Mapped[str] = mapped_column(sa.String(64))
    reason: Mapped[str] = mapped_column(sa.String(32))
    posted_at: Mapped[Moment]
    posted_on: Mapped[dt.date]


class Budget(Base):
    """What one unit (host or co-host) puts into one campaign. The money itself is entries between the accounts of
    ``ledger.budgets``; this row names them."""

    __tablename__ = "budgets"
    __table_args__ = (sa.UniqueConstraint("campaign_id", "organisation_id"),)

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    organisation_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    created_at: Mapped[Moment]


class BudgetMove(Base):
    """Money a unit brings or takes back, as finance entered it; posted at once, or after a second person agreed."""

    __tablename__ = "budget_moves"
    __table_args__ = (
        sa.CheckConstraint("amount_fen > 0", "amount_positive"),
        sa.CheckConstraint("kind IN ('deposit', 'withdrawal')", "kind"),
        sa.CheckConstraint("state IN ('waiting', 'posted', 'refused')", "state"),
        sa.Index(None, "budget_id", "created_at"),
    )

    id: Mapped[IdPk]
    budget_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("budgets.id"))
    kind: Mapped[str] = mapped_column(sa.String(16))
    amount_fen: Mapped[int]
    document: Mapped[str] = mapped_column(sa.String(60))
    """Number of the voucher or transfer."""
    note: Mapped[str] = mapped_column(sa.String(100), default="")
    state: Mapped[str] = mapped_column(sa.String(16))
    created_at: Mapped[Moment]
    created_by: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))

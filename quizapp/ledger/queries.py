"""Balances and entries."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.ledger import rules
from quizapp.ledger.models import LedgerAccount, LedgerEntry
from quizapp.ledger.services import account_id


@dataclass(frozen=True)
class EntryView:
    """One entry seen from one of its accounts: ``amount`` is above zero when it came in, below when it went out."""

    id: uuid.UUID
    amount: int
    reason: str
    title: str
    source_type: str
    source_id: str
    posted_at: datetime


def get_balance(owner_type: str, owner_id: str, unit: str) -> int:
    """The balance of a bounded account; 0 for one that was never opened. For the system's, the sum of its entries."""
    account = account_id(owner_type, owner_id, unit)
    if not rules.is_bounded(owner_type):
        return sum_entries(account)
    return db.session.scalar(sa.select(LedgerAccount.balance).filter_by(id=account)) or 0


def sum_entries(account: uuid.UUID) -> int:
    """What the entries of an account add up to: the balance must equal it."""
    came = sa.select(sa.func.coalesce(sa.func.sum(LedgerEntry.amount), 0)).where(LedgerEntry.credit_account_id == account)
    went = sa.select(sa.func.coalesce(sa.func.sum(LedgerEntry.amount), 0)).where(LedgerEntry.debit_account_id == account)
    return int(db.session.scalar(came) or 0) - int(db.session.scalar(went) or 0)


def list_entries(owner_type: str, owner_id: str, unit: str, *, before: uuid.UUID | None = None, limit: int = 20) -> list[EntryView]:
    """Entries of an account, the newest first.

    :param before: the id of the last entry already seen (ids grow with time)
    """
    account = account_id(owner_type, owner_id, unit)
    statement = sa.select(LedgerEntry).where(sa.or_(LedgerEntry.credit_account_id == account, LedgerEntry.debit_account_id == account))
    if before is not None:
        statement = statement.where(LedgerEntry.id < before)
    rows = db.session.scalars(statement.order_by(LedgerEntry.id.desc()).limit(limit))
    return [
        EntryView(
            id=row.id,
            amount=row.amount if row.credit_account_id == account else -row.amount,
            reason=row.reason,
            title=rules.reason_title(row.reason),
            source_type=row.source_type,
            source_id=row.source_id,
            posted_at=row.posted_at,
        )
        for row in rows
    ]


def sum_for_source(owner_type: str, owner_id: str, unit: str, *, source_type: str, source_id: str, reasons: Collection[str] = ()) -> int:
    """What one source brought to one owner, over all reasons or some of them."""
    account = account_id(owner_type, owner_id, unit)
    statement = sa.select(sa.func.sum(LedgerEntry.amount)).where(
        LedgerEntry.credit_account_id == account, LedgerEntry.source_type == source_type, LedgerEntry.source_id == source_id
    )
    if reasons:
        statement = statement.where(LedgerEntry.reason.in_(reasons))
    return int(db.session.scalar(statement) or 0)

"""Posting: one entry moves an amount from one account to another, so that every posting balances by its shape."""

import datetime as dt
import functools
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.core.statements import Write, run_many, run_writes
from quizapp.ledger import rules
from quizapp.ledger.errors import AlreadyPosted, InsufficientBalance
from quizapp.ledger.models import UNITS, LedgerAccount, LedgerEntry

NAMESPACE = uuid.UUID("6f0a3c52-5b1e-5d0a-9f43-1d2a7c0e8b11")

_CREDIT = (
    "INSERT INTO ledger_accounts (id, owner_type, owner_id, unit, is_bounded, balance, created_at) "
    "VALUES (:{0}_id, :{0}_type, :{0}_owner, :{0}_unit, :{0}_bounded, :{0}_amount, :{0}_at) "
    "ON CONFLICT (id) DO UPDATE SET balance = ledger_accounts.balance + excluded.balance"
)
_DEBIT = "UPDATE ledger_accounts SET balance = balance - :{0}_amount WHERE id = :{0}_id"
_OPEN = (
    "INSERT INTO ledger_accounts (id, owner_type, owner_id, unit, is_bounded, balance, created_at) "
    "VALUES (:{0}_id, :{0}_type, :{0}_owner, :{0}_unit, :{0}_bounded, 0, :{0}_at) ON CONFLICT (id) DO NOTHING"
)
_ENTRY = (
    "INSERT INTO ledger_entries (id, debit_account_id, credit_account_id, amount, source_type, source_id, reason, posted_at, posted_on) "
    "VALUES (:{0}_id, :{0}_from, :{0}_to, :{0}_amount, :{0}_source_type, :{0}_source_id, :{0}_reason, :{0}_at, :{0}_on)"
)


@functools.lru_cache(maxsize=4096)
def account_id(owner_type: str, owner_id: str, unit: str) -> uuid.UUID:
    """The id of an account follows from its owner and unit, so that nobody has to look it up before posting."""
    return uuid.uuid5(NAMESPACE, f"{owner_type}\x1f{owner_id}\x1f{unit}")


def _open_write(prefix: str, owner: tuple[str, str], unit: str, now: dt.datetime) -> Write:
    return Write(_OPEN.format(prefix), _account_params(prefix, owner, unit, now))


def _account_params(prefix: str, owner: tuple[str, str], unit: str, now: dt.datetime) -> dict[str, object]:
    return {
        f"{prefix}_id": account_id(*owner, unit),
        f"{prefix}_type": owner[0],
        f"{prefix}_owner": owner[1],
        f"{prefix}_unit": unit,
        f"{prefix}_bounded": rules.is_bounded(owner[0]),
        f"{prefix}_at": now,
    }


def _from_write(prefix: str, owner: tuple[str, str], unit: str, amount: int, now: dt.datetime) -> Write:
    """A bounded account must exist to be debited (:func:`post` has looked); an unbounded one is opened."""
    if not rules.is_bounded(owner[0]):
        return _open_write(prefix, owner, unit, now)
    return Write(_DEBIT.format(prefix), {f"{prefix}_id": account_id(*owner, unit), f"{prefix}_amount": amount})


def _to_write(prefix: str, owner: tuple[str, str], unit: str, amount: int, now: dt.datetime) -> Write:
    if not rules.is_bounded(owner[0]):
        return _open_write(prefix, owner, unit, now)
    return Write(_CREDIT.format(prefix), {**_account_params(prefix, owner, unit, now), f"{prefix}_amount": amount})


@dataclass(frozen=True)
class Posting:
    """What moves from whom to whom, and why.

    :param amount: whole units (points, fen, hours), above zero
    :param source_type: with ``source_id`` and ``reason`` what earned it: posted once
    :raises ValueError: for an amount below one, an unknown unit, or an account that would pay itself
    """

    unit: str
    from_owner: tuple[str, str]
    to_owner: tuple[str, str]
    amount: int
    source_type: str
    source_id: object
    reason: str
    now: dt.datetime

    def __post_init__(self) -> None:
        if self.amount < 1:
            raise ValueError("an entry moves at least one unit")
        if self.unit not in UNITS:
            raise ValueError(f"unknown unit {self.unit}")
        if self.from_owner == self.to_owner:
            raise ValueError("an account cannot pay itself")

    @property
    def bounded_accounts(self) -> tuple[uuid.UUID, ...]:
        return tuple(account_id(*owner, self.unit) for owner in (self.from_owner, self.to_owner) if rules.is_bounded(owner[0]))


def posting_writes(prefix: str, posting: Posting) -> tuple[Write, ...]:
    """The writes of a posting, for hot paths that send them together with others by ``run_writes``.

    The caller must hold a lock that keeps the source from being posted twice (the attempt's row), or be ready for the
    database's refusal. Only out of an unbounded owner: what a bounded one gives goes through :func:`post`, which looks
    for the account and locks it.

    :param prefix: of the parameter names, unique among the writes sent together
    :raises ValueError: for a bounded giver
    """
    if rules.is_bounded(posting.from_owner[0]):
        raise ValueError("what a bounded account gives is posted by post()")
    return _writes(prefix, posting)


def _writes(prefix: str, posting: Posting) -> tuple[Write, ...]:
    unit, now, entry = posting.unit, posting.now, f"{prefix}e"
    return (
        _from_write(f"{prefix}f", posting.from_owner, unit, posting.amount, now),
        _to_write(f"{prefix}t", posting.to_owner, unit, posting.amount, now),
        Write(
            _ENTRY.format(entry),
            {
                f"{entry}_id": new_id(),
                f"{entry}_from": account_id(*posting.from_owner, unit),
                f"{entry}_to": account_id(*posting.to_owner, unit),
                f"{entry}_amount": posting.amount,
                f"{entry}_source_type": posting.source_type,
                f"{entry}_source_id": str(posting.source_id),
                f"{entry}_reason": posting.reason,
                f"{entry}_at": now,
                f"{entry}_on": shanghai_day(now),
            },
        ),
    )


def post_many(postings: Sequence[Posting]) -> None:
    """Move many amounts out of unbounded owners, for jobs that work in batches. The same guard as for
    :func:`posting_writes`: the caller holds what keeps a source from being posted twice, or the database refuses all of it.

    Accounts are taken in the order of their ids, so that two such batches never wait for each other crosswise.

    :raises ValueError: for a bounded giver
    """
    if any(rules.is_bounded(posting.from_owner[0]) for posting in postings):
        raise ValueError("what a bounded account gives is posted by post()")
    opened: dict[uuid.UUID, Mapping[str, object]] = {}
    credited: list[tuple[uuid.UUID, Mapping[str, object]]] = []
    entries: list[Mapping[str, object]] = []
    for posting in postings:
        giver, taker, entry = _writes("m", posting)
        opened[account_id(*posting.from_owner, posting.unit)] = giver.params
        if rules.is_bounded(posting.to_owner[0]):
            credited.append((account_id(*posting.to_owner, posting.unit), taker.params))
        else:
            opened[account_id(*posting.to_owner, posting.unit)] = _account_params("mf", posting.to_owner, posting.unit, posting.now)
        entries.append(entry.params)
    run_many(_OPEN.format("mf"), [opened[key] for key in sorted(opened)])
    run_many(_CREDIT.format("mt"), [params for _, params in sorted(credited, key=lambda item: item[0])])
    run_many(_ENTRY.format("me"), entries)


def post(posting: Posting) -> None:
    """Move the amount. A refusal leaves the caller's transaction usable.

    :raises AlreadyPosted: if this source has been posted for this reason
    :raises InsufficientBalance: if a bounded account would go below zero
    """
    found = _lock_accounts(posting.bounded_accounts)
    if _is_posted(posting):
        raise AlreadyPosted
    if rules.is_bounded(posting.from_owner[0]) and account_id(*posting.from_owner, posting.unit) not in found:
        raise InsufficientBalance
    try:
        with db.session.begin_nested():
            run_writes(*_writes("post", posting))
    except sa.exc.IntegrityError as error:
        raise _refusal(error) from None


def take_back(posting: Posting) -> int:
    """Move what a bounded giver has of the amount, and no more: what was spent meanwhile is not owed.

    :returns: how much moved, 0 to the amount
    :raises AlreadyPosted: if this source has been posted for this reason
    :raises ValueError: for an unbounded giver
    """
    if not rules.is_bounded(posting.from_owner[0]):
        raise ValueError("only a bounded account can have too little")
    _lock_accounts(posting.bounded_accounts)
    if _is_posted(posting):
        raise AlreadyPosted
    held = sa.select(LedgerAccount.balance).filter_by(id=account_id(*posting.from_owner, posting.unit))
    amount = min(posting.amount, db.session.scalar(held) or 0)
    if amount > 0:
        run_writes(*_writes("back", replace(posting, amount=amount)))
    return amount


def _lock_accounts(ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Lock in the order of the ids, so that two postings in opposite directions never wait for each other.

    :returns: those that exist
    """
    wanted = sorted(ids)
    found = sa.select(LedgerAccount.id).where(LedgerAccount.id.in_(wanted)).order_by(LedgerAccount.id).with_for_update()
    return set(db.session.scalars(found))


def _is_posted(posting: Posting) -> bool:
    source = {"source_type": posting.source_type, "source_id": str(posting.source_id), "reason": posting.reason}
    return db.session.scalar(sa.select(LedgerEntry.id).filter_by(**source)) is not None


def _refusal(error: sa.exc.IntegrityError) -> Exception:
    text = str(error.orig).lower()
    if "ledger_entries.source_type" in text or "uq_ledger_entries" in text:
        return AlreadyPosted()
    if "balance_not_negative" in text:
        return InsufficientBalance()
    return error

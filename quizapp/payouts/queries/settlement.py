"""Reads for the settlement sheet of one campaign: who pays, what is there, what it was spent on."""

import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.ledger import budgets
from quizapp.ledger.models import BudgetMove
from quizapp.payouts.models import Payout, PayoutItem
from quizapp.payouts.queries.campaigns import CAMPAIGNS

_HOSTS = sa.table("campaign_hosts", sa.column("campaign_id", sa.Uuid), sa.column("organisation_id", sa.Uuid))
_NO_SUMS = budgets.Sums(0, 0, 0, 0)


@dataclass(frozen=True)
class Party:
    """A unit that hosts or co-hosts, with its path."""

    id: uuid.UUID
    name: str
    path: str
    is_host: bool


@dataclass(frozen=True)
class ItemMoney:
    """One prize that a unit pays for: pieces and money that are still owed, handed over, given back."""

    item_id: uuid.UUID
    title: str
    tier: str
    open_count: int
    open_fen: int
    done_count: int
    done_fen: int
    lost_count: int
    lost_fen: int


@dataclass(frozen=True)
class Account:
    """One unit's account in one campaign."""

    party: Party
    budget_id: uuid.UUID | None
    sums: budgets.Sums
    moves: tuple[BudgetMove, ...]
    items: tuple[ItemMoney, ...]


def get_host_id(campaign_id: uuid.UUID) -> uuid.UUID:
    """:raises NotFound: if there is no such campaign"""
    found: uuid.UUID | None = db.session.scalar(sa.select(CAMPAIGNS.c.host_organisation_id).where(CAMPAIGNS.c.id == campaign_id))
    if found is None:
        raise NotFound
    return found


def list_parties(campaign_id: uuid.UUID) -> list[Party]:
    """The host, then the co-hosts by name."""
    host_id = get_host_id(campaign_id)
    co_hosts = sa.select(_HOSTS.c.organisation_id).where(_HOSTS.c.campaign_id == campaign_id)
    units = sa.select(Organisation).where(sa.or_(Organisation.id == host_id, Organisation.id.in_(co_hosts)))
    found = [Party(unit.id, unit.name, unit.path, unit.id == host_id) for unit in db.session.scalars(units)]
    return sorted(found, key=lambda party: (not party.is_host, party.name))


def get_party(campaign_id: uuid.UUID, organisation_id: uuid.UUID) -> Party:
    """:raises NotFound: for a unit that neither hosts nor co-hosts this campaign"""
    for party in list_parties(campaign_id):
        if party.id == organisation_id:
            return party
    raise NotFound


def list_accounts(campaign_id: uuid.UUID) -> list[Account]:
    """Every unit's account of a campaign. What counts for an item follows from the entries' own states (``money_state``)."""
    return [_account(party, campaign_id) for party in list_parties(campaign_id)]


def get_account(campaign_id: uuid.UUID, organisation_id: uuid.UUID) -> Account:
    """:raises NotFound: for a unit that neither hosts nor co-hosts this campaign"""
    return _account(get_party(campaign_id, organisation_id), campaign_id)


def _account(party: Party, campaign_id: uuid.UUID) -> Account:
    budget = budgets.find_budget(campaign_id, party.id)
    if budget is None:
        return Account(party, None, _NO_SUMS, (), _items(campaign_id, None, party.is_host))
    items = _items(campaign_id, budget.id, party.is_host)
    return Account(party, budget.id, budgets.get_sums(budget.id), tuple(budgets.list_moves(budget.id)), items)


def _items(campaign_id: uuid.UUID, budget_id: uuid.UUID | None, is_host: bool) -> tuple[ItemMoney, ...]:
    """Prizes a unit pays for now; what was reserved before an item was assigned to another unit shows in that unit's sums."""
    mine = sa.and_(PayoutItem.budget_id.is_not(None), PayoutItem.budget_id == budget_id)
    if is_host:
        mine = sa.or_(mine, PayoutItem.budget_id.is_(None))

    def both(state: str) -> tuple[sa.ColumnElement[int], sa.ColumnElement[int]]:
        is_it = Payout.money_state == state
        return sa.func.sum(sa.case((is_it, 1), else_=0)), sa.func.sum(sa.case((is_it, Payout.amount_fen), else_=0))

    statement = (
        sa.select(PayoutItem.id, PayoutItem.title, PayoutItem.tier, *both("reserved"), *both("spent"), *both("released"))
        .outerjoin(Payout, Payout.item_id == PayoutItem.id)
        .where(PayoutItem.campaign_id == campaign_id, mine)
        .group_by(PayoutItem.id, PayoutItem.title, PayoutItem.tier)
        .order_by(PayoutItem.id)
    )
    return tuple(ItemMoney(row[0], row[1], row[2], *(int(value or 0) for value in row[3:])) for row in db.session.execute(statement))

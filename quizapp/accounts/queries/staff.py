"""Reads about staff accounts and their roles."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.accounts.models import Organisation, StaffAccount, StaffRole
from quizapp.accounts.queries import is_below
from quizapp.core.db import db
from quizapp.core.errors import NotFound


@dataclass(frozen=True)
class HeldRole:
    """A role and where it is held."""

    id: uuid.UUID
    role: str
    organisation_id: uuid.UUID
    organisation_name: str
    organisation_path: str


@dataclass(frozen=True)
class StaffMember:
    """A staff account with its roles, as the users page shows it."""

    account: StaffAccount
    roles: tuple[HeldRole, ...]


def _role_paths(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*(is_below(path) for path in paths))


def staff_in(paths: Sequence[str], *, q: str = "", role: str = "") -> sa.Select[StaffAccount]:
    """Accounts that hold a role within these subtrees; with ``/`` also those that hold none."""
    statement = sa.select(StaffAccount).order_by(StaffAccount.created_at, StaffAccount.id)
    held = sa.select(StaffRole.id).join(Organisation).where(StaffRole.staff_id == StaffAccount.id)
    if "/" not in paths:
        statement = statement.where(held.where(_role_paths(paths)).exists() if paths else sa.false())
    if role:
        statement = statement.where(held.where(StaffRole.role == role).exists())
    if q:
        statement = statement.where(
            sa.or_(StaffAccount.username.contains(q, autoescape=True), StaffAccount.display_name.contains(q, autoescape=True))
        )
    return statement


def list_roles(staff_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[HeldRole, ...]]:
    """Roles of these accounts."""
    found = (
        sa.select(StaffRole, Organisation.name, Organisation.path)
        .join(Organisation)
        .where(StaffRole.staff_id.in_(staff_ids))
        .order_by(StaffRole.granted_at, StaffRole.id)
    )
    roles: dict[uuid.UUID, tuple[HeldRole, ...]] = dict.fromkeys(staff_ids, ())
    for row, name, path in db.session.execute(found):
        roles[row.staff_id] += (HeldRole(row.id, row.role, row.organisation_id, name, path),)
    return roles


def list_members(accounts: Sequence[StaffAccount]) -> list[StaffMember]:
    """These accounts with their roles."""
    roles = list_roles([account.id for account in accounts])
    return [StaffMember(account, roles[account.id]) for account in accounts]


def get_member(staff_id: uuid.UUID, paths: Sequence[str]) -> StaffMember:
    """An account all of whose roles lie within these subtrees.

    :raises NotFound: if there is none, or part of it lies outside
    """
    account = db.session.get(StaffAccount, staff_id)
    if account is None:
        raise NotFound
    member = list_members([account])[0]
    if "/" not in paths:
        inside = [any(held.organisation_path.startswith(path) for path in paths) for held in member.roles]
        if not inside or not all(inside):
            raise NotFound
    return member


def count_by_role(role: str) -> int:
    """Active accounts that hold a role anywhere."""
    held = sa.select(sa.func.count(sa.distinct(StaffRole.staff_id))).join(StaffAccount, StaffAccount.id == StaffRole.staff_id)
    return db.session.scalar(held.where(StaffRole.role == role, StaffAccount.is_active)) or 0


def find_account(username: str) -> StaffAccount | None:
    return db.session.scalar(sa.select(StaffAccount).filter_by(username=username))


def get_account(staff_id: uuid.UUID) -> StaffAccount:
    """:raises NotFound: if there is no such account"""
    account = db.session.get(StaffAccount, staff_id)
    if account is None:
        raise NotFound
    return account


def lock_account(staff_id: uuid.UUID) -> StaffAccount:
    """Lock the account's row and read it.

    :raises NotFound: if there is no such account
    """
    locked = sa.select(StaffAccount).filter_by(id=staff_id).with_for_update().execution_options(populate_existing=True)
    account = db.session.scalar(locked)
    if account is None:
        raise NotFound
    return account

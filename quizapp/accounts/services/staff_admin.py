"""The security administrator's work: accounts, roles, locks."""

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from quizapp.accounts import queries, rules
from quizapp.accounts.errors import BadValue, ExclusiveRoles, OwnAccount, RoleHeld, UsernameTaken
from quizapp.accounts.models import StaffAccount, StaffRole
from quizapp.accounts.queries import staff as staff_queries
from quizapp.accounts.services.sessions import end_staff_sessions
from quizapp.accounts.services.staff import DEMO_PREFIX, hash_password
from quizapp.audit.services import Actor, record
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.text import N_, clean_line


@dataclass(frozen=True)
class FirstPassword:
    """A password made by us, shown once and to be changed at the next sign-in."""

    staff_id: uuid.UUID
    username: str
    password: str = field(repr=False)


def _new_password() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _require_other(actor: Actor, staff_id: uuid.UUID) -> None:
    if actor.id == staff_id:
        raise OwnAccount


def create_staff(
    *,
    username: str,
    display_name: str,
    role: str,
    organisation_id: uuid.UUID,
    actor: Actor,
    paths: Sequence[str],
    now: dt.datetime,
) -> FirstPassword:
    """Make an account with a first role; the password is to be changed at the first sign-in.

    :param paths: organisation subtrees in which the actor may give roles
    :raises BadValue, UsernameTaken:
    """
    username, display_name = username.strip(), clean_line(display_name, 64)
    problems = {}
    if not (2 <= len(username) <= 64 and username.isascii() and username.replace("-", "").replace("_", "").replace(".", "").isalnum()):
        problems["username"] = N_("工号用 2 到 64 个字母、数字、点或横线。")
    elif username.lower().startswith(DEMO_PREFIX):
        problems["username"] = N_("以 demo- 开头的名字留给演示环境。")
    if not display_name:
        problems["display_name"] = N_("请填姓名。")
    if problems:
        raise BadValue(problems)
    password = _new_password()
    account = StaffAccount(username=username, display_name=display_name, password_hash=hash_password(password), created_at=now)
    try:
        with db.session.begin_nested():
            db.session.add(account)
    except sa.exc.IntegrityError:
        raise UsernameTaken from None
    _record("staff.created", account, actor, now, username=username)
    grant_role(account.id, role=role, organisation_id=organisation_id, actor=actor, paths=paths, now=now)
    return FirstPassword(account.id, username, password)


def grant_role(staff_id: uuid.UUID, *, role: str, organisation_id: uuid.UUID, actor: Actor, paths: Sequence[str], now: dt.datetime) -> None:
    """Give a role in an organisation subtree within the actor's own.

    :raises OwnAccount: nobody gives roles to themselves
    :raises ExclusiveRoles: if the account would combine two of the three administrators
    :raises RoleHeld: if it has this role there already
    """
    _require_other(actor, staff_id)
    account = staff_queries.lock_account(staff_id)
    organisation = queries.get_organisation(organisation_id)
    if not any(path == "/" or organisation.path.startswith(path) for path in paths):
        raise NotFound
    if role not in rules.ROLE_PERMISSIONS:
        raise BadValue({"role": N_("没有这个角色。")})
    held = staff_queries.list_roles([staff_id])[staff_id]
    if any(each.role == role and each.organisation_id == organisation_id for each in held):
        raise RoleHeld
    if rules.clashing_roles([role, *(each.role for each in held)]):
        raise ExclusiveRoles
    try:
        with db.session.begin_nested():
            db.session.add(StaffRole(staff_id=staff_id, role=role, organisation_id=organisation_id, granted_at=now))
    except sa.exc.IntegrityError:
        raise ExclusiveRoles from None
    _record("staff.role_granted", account, actor, now, path=organisation.path, role=rules.ROLE_TITLES[role], organisation=organisation.name)


def revoke_role(staff_id: uuid.UUID, role_id: uuid.UUID, *, actor: Actor, paths: Sequence[str], now: dt.datetime) -> None:
    """Take a role away.

    :raises OwnAccount: nobody changes their own roles
    :raises NotFound: if the account does not hold it within the actor's subtrees
    """
    _require_other(actor, staff_id)
    account = staff_queries.lock_account(staff_id)
    held = {each.id: each for each in staff_queries.list_roles([staff_id])[staff_id]}
    role = held.get(role_id)
    if role is None or not any(path == "/" or role.organisation_path.startswith(path) for path in paths):
        raise NotFound
    db.session.execute(sa.delete(StaffRole).where(StaffRole.id == role_id))
    _record(
        "staff.role_revoked",
        account,
        actor,
        now,
        path=role.organisation_path,
        role=rules.ROLE_TITLES[role.role],
        organisation=role.organisation_name,
    )


def set_active(staff_id: uuid.UUID, *, is_active: bool, actor: Actor, now: dt.datetime) -> None:
    """Stop an account and end its sessions, or let it in again.

    :raises OwnAccount: nobody stops their own account
    """
    _require_other(actor, staff_id)
    account = staff_queries.lock_account(staff_id)
    if account.is_active == is_active:
        return
    account.is_active = is_active
    if not is_active:
        end_staff_sessions(staff_id, now)
    _record("staff.activated" if is_active else "staff.deactivated", account, actor, now)


def reset_password(staff_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> FirstPassword:
    """Give an account a new first password, drop its second factor and end its sessions: for a lost phone or password.

    :raises OwnAccount: the own password is changed with the old one
    """
    _require_other(actor, staff_id)
    account = staff_queries.lock_account(staff_id)
    password = _new_password()
    account.password_hash, account.must_change_password = hash_password(password), True
    account.totp_secret_encrypted = account.totp_confirmed_at = None
    account.failed_count, account.locked_until = 0, None
    end_staff_sessions(staff_id, now)
    _record("staff.password_reset", account, actor, now)
    return FirstPassword(staff_id, account.username, password)


def unlock_staff(staff_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> None:
    """End a lock-out early.

    :raises OwnAccount: nobody unlocks themselves
    """
    _require_other(actor, staff_id)
    account = staff_queries.lock_account(staff_id)
    account.failed_count, account.locked_until = 0, None
    _record("staff.unlocked", account, actor, now)


def _record(action: str, account: StaffAccount, actor: Actor, now: dt.datetime, *, path: str = "/", **changes: str) -> None:
    record(
        action,
        actor=actor,
        target_type="staff",
        target_id=account.id,
        target_name=account.display_name,
        organisation_path=path,
        changes=changes,
        now=now,
    )
    db.session.flush()

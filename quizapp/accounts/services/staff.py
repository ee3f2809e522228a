"""Staff signing in: password, lock-out, second factor."""

import datetime as dt
import hmac
import uuid
from dataclasses import dataclass

import pyotp
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from quizapp.accounts import rules
from quizapp.accounts.errors import AccountLocked, SignInFailed, TotpWrong, WeakPassword, WrongPassword
from quizapp.accounts.models import StaffAccount
from quizapp.accounts.queries import staff as queries
from quizapp.accounts.services.sessions import end_staff_sessions
from quizapp.audit.services import Actor, record
from quizapp.core.crypto import Vault
from quizapp.core.db import db
from quizapp.core.errors import AppError

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
"""argon2id at OWASP's minimum, about 30 ms."""

FAILURES = 5
LOCKED_FOR = dt.timedelta(minutes=15)
TOTP_STEP = 30
DEMO_PREFIX = "demo-"
"""Usernames of the demo, whose password is printed on its sign-in page; they work nowhere else."""

_NOBODY = HASHER.hash("nobody has this password")


@dataclass(frozen=True)
class StaffSignIn:
    """What became of a try to sign in: exactly one of the two is set."""

    staff_id: uuid.UUID | None = None
    refusal: AppError | None = None


def hash_password(password: str) -> str:
    return HASHER.hash(password)


def _is_password(account_hash: str, password: str) -> bool:
    if len(password) > rules.PASSWORD_LENGTH[1]:
        return False
    try:
        return HASHER.verify(account_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def sign_in_staff(vault: Vault, *, username: str, password: str, totp: str, is_demo: bool, now: dt.datetime) -> StaffSignIn:
    """Check username, password and, once set up, the second factor. The account's row is locked while we look, so
    that no number of guesses at once gets more than five tries. The refusal is returned, not raised, so that the
    caller's transaction commits the failed try.

    :param is_demo: whether accounts of the demo may sign in
    """
    account = queries.find_account(username)
    if account is None or (username.startswith(DEMO_PREFIX) and not is_demo):
        _is_password(_NOBODY, password)
        return StaffSignIn(refusal=SignInFailed())
    account = queries.lock_account(account.id)
    if account.locked_until is not None and now < account.locked_until:
        return StaffSignIn(refusal=AccountLocked())
    if account.locked_until is not None:
        account.locked_until, account.failed_count = None, 0
    if not (account.is_active and _is_password(account.password_hash, password) and _passes_totp(vault, account, totp, now)):
        return StaffSignIn(refusal=_count_failure(account, now, SignInFailed()))
    account.failed_count, account.last_signed_in_at = 0, now
    if HASHER.check_needs_rehash(account.password_hash):
        account.password_hash = hash_password(password)
    db.session.flush()
    return StaffSignIn(staff_id=account.id)


def _count_failure(account: StaffAccount, now: dt.datetime, refusal: AppError) -> AppError:
    account.failed_count += 1
    if account.failed_count < FAILURES:
        db.session.flush()
        return refusal
    account.locked_until = now + LOCKED_FOR
    actor = Actor("staff", account.id, account.display_name)
    record("staff.locked", actor=actor, target_type="staff", target_id=account.id, target_name=account.display_name, now=now)
    db.session.flush()
    return AccountLocked()


# ---- second factor


def new_totp_secret() -> str:
    return pyotp.random_base32()


def totp_uri(secret: str, username: str, issuer: str) -> str:
    """What the QR code of an authenticator holds."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def matching_step(secret: str, code: str, now: dt.datetime, *, after: int) -> int | None:
    """The time step a code belongs to: this one or a neighbour, and later than ``after``, since a code works once."""
    code = "".join(code.split())
    if not rules.is_code(code):
        return None
    generator = pyotp.TOTP(secret)
    current = int(now.timestamp()) // TOTP_STEP
    for step in (current, current - 1, current + 1):
        if step > after and hmac.compare_digest(generator.generate_otp(step), code):
            return step
    return None


def _passes_totp(vault: Vault, account: StaffAccount, code: str, now: dt.datetime) -> bool:
    """True without a second factor set up: such an account gets no further than setting it up."""
    if account.totp_confirmed_at is None or account.totp_secret_encrypted is None:
        return True
    step = matching_step(vault.decrypt(account.totp_secret_encrypted), code, now, after=account.totp_last_step)
    if step is None:
        return False
    account.totp_last_step = step
    return True


def confirm_totp(vault: Vault, staff_id: uuid.UUID, *, secret: str, code: str, actor: Actor, now: dt.datetime) -> None:
    """Take ``secret`` as the second factor once a code of it proves that the authenticator has it.

    :raises TotpWrong: if the code does not belong to it
    """
    account = queries.lock_account(staff_id)
    step = matching_step(secret, code, now, after=0)
    if step is None:
        raise TotpWrong
    account.totp_secret_encrypted, account.totp_confirmed_at, account.totp_last_step = vault.encrypt(secret), now, step
    record("staff.totp_set", actor=actor, target_type="staff", target_id=staff_id, target_name=account.display_name, now=now)
    db.session.flush()


# ---- password


def change_password(
    staff_id: uuid.UUID, *, old: str, new: str, actor: Actor, session_id: uuid.UUID | None, now: dt.datetime
) -> AppError | None:
    """Set a new password and end the account's other sessions. A wrong old password counts towards the lock-out, so
    the refusal is returned for the caller to raise after the commit.

    :raises WeakPassword: if the new one will not do
    """
    account = queries.lock_account(staff_id)
    if account.locked_until is not None and now < account.locked_until:
        return AccountLocked()
    if not _is_password(account.password_hash, old):
        return _count_failure(account, now, WrongPassword())
    if problem := rules.password_problem(new, account.username):
        raise WeakPassword(problem)
    if hmac.compare_digest(old.encode(), new.encode()):
        raise WeakPassword("新密码要和现在的不一样。")
    account.password_hash, account.must_change_password, account.password_changed_at = hash_password(new), False, now
    account.failed_count = 0
    end_staff_sessions(staff_id, now, keep=session_id)
    record("staff.password_changed", actor=actor, target_type="staff", target_id=staff_id, target_name=account.display_name, now=now)
    db.session.flush()
    return None


def record_sign_in(staff_id: uuid.UUID, request_id: str, now: dt.datetime) -> None:
    """Note in the audit trail that somebody signed in."""
    account = db.session.scalars(sa.select(StaffAccount).filter_by(id=staff_id)).one()
    actor = Actor("staff", account.id, account.display_name, request_id)
    record("staff.signed_in", actor=actor, target_type="staff", target_id=staff_id, target_name=account.display_name, now=now)

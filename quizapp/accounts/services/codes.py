"""One-time codes by text message: making, sending and checking them."""

import datetime as dt
import hmac
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from quizapp.accounts import rules
from quizapp.accounts.errors import CodeExpired, CodeTriesExceeded, CodeWrong, GuardianPhoneSame, InvalidPhone, SmsNotSent, TooManyCodes
from quizapp.accounts.models import SmsCode
from quizapp.accounts.services.counters import count_write, counted_on, total
from quizapp.adapters.sms import SmsError, SmsRecipientRefused, SmsSender
from quizapp.core.clock import day_end, shanghai_day
from quizapp.core.crypto import Vault
from quizapp.core.db import UtcDateTime
from quizapp.core.errors import AppError, InvalidInput
from quizapp.core.ids import new_id
from quizapp.core.statements import Row, Write, fetch, fetch_alone, run_writes
from quizapp.core.text import N_

log = logging.getLogger(__name__)

LIFETIME = dt.timedelta(minutes=5)
TRIES = 5
PHONE_GAP = dt.timedelta(seconds=60)
PHONE_PER_HOUR = 5
PHONE_PER_DAY = 10
DEVICE_PER_DAY = 20
ADDRESS_PER_DAY = 1000
"""Loose: a whole village may come from one address."""

SIGN_IN = "sign_in"
GUARDIAN = "guardian"
PURPOSES = (SIGN_IN, GUARDIAN)


@dataclass(frozen=True)
class IssuedCode:
    """A code that was made and is still to be sent."""

    phone: str = field(repr=False)
    code: str = field(repr=False)
    expires_at: dt.datetime
    retry_after_seconds: int = int(PHONE_GAP.total_seconds())


def require_phone(text: str) -> str:
    """Eleven digits.

    :raises InvalidPhone: if it is not a mainland mobile number
    """
    phone = rules.clean_phone(text)
    if phone is None:
        raise InvalidPhone
    return phone


def require_guardian_phone(text: str, child_phone: str | None) -> str:
    """Eleven digits of a number that is not the child's.

    :raises InvalidPhone: naming the guardian's field
    :raises GuardianPhoneSame: if both are one number
    """
    phone = rules.clean_phone(text)
    if phone is None:
        raise InvalidInput(fields={"guardian_phone": InvalidPhone.message})
    if phone == child_phone:
        raise GuardianPhoneSame
    return phone


_codes = cast(sa.Table, SmsCode.__table__)
PHONE_TAG = sa.bindparam("phone_tag", type_=sa.LargeBinary(32))
_today = sa.bindparam("day", type_=sa.Date) == counted_on
_HOUR = dt.timedelta(hours=1)
_within_hour = _codes.c.created_at > sa.bindparam("hour_ago", type_=UtcDateTime)
_latest = sa.select(_codes.c.created_at).where(_codes.c.phone_tag == PHONE_TAG, _within_hour).order_by(_codes.c.created_at.desc()).limit(1)
_SENT = sa.select(
    *(total(f"sms-{whose}", sa.bindparam(whose, type_=sa.String), _today).label(whose) for whose in ("phone", "device", "address")),
    _latest.scalar_subquery().label("newest"),
    _latest.offset(PHONE_PER_HOUR - 1).scalar_subquery().label("last_of_hour"),
)
"""What was sent to a phone, from a device and from an address on one day, and to the phone within the hour."""
_INSERT = (
    "INSERT INTO sms_codes (id, phone_tag, purpose, code_tag, created_at, expires_at, failed_count) "
    "VALUES (:c_id, :c_phone, :c_purpose, :c_code, :c_at, :c_expires, 0)"
)


def issue_code(
    vault: Vault, *, phone: str, purpose: str, device: str | None, address: str, now: dt.datetime, write: Callable[..., None] = run_writes
) -> IssuedCode:
    """Make a code for ``phone`` (eleven digits); send it with :func:`send_code` once this is committed.

    Of two requests at once the second finds the phone's counter changed and is stale.

    :param device: random name of the browser, None where a client has none
    :raises TooManyCodes: over a limit of the phone, the device or the address, with ``retry_after_seconds``
    :raises Stale: if somebody else was counted since the read; begin again
    """
    day, tag = shanghai_day(now), vault.tag("phone", phone)
    subjects = {
        "phone": tag.hex(),
        "device": vault.tag("device", device).hex() if device else "",
        "address": vault.tag("address", address).hex(),
    }
    [sent] = fetch_alone(_SENT, {**subjects, "phone_tag": tag, "day": day, "hour_ago": now - _HOUR})
    _check_limits(sent, day, now)
    below = {"phone": sent.phone + 1, "device": DEVICE_PER_DAY, "address": ADDRESS_PER_DAY}
    counts = [count_write(whose, f"sms-{whose}", subject, day, below=below[whose]) for whose, subject in subjects.items() if subject]
    code = f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}d}"
    values = {
        "c_id": new_id(),
        "c_phone": tag,
        "c_purpose": purpose,
        "c_code": _code_tag(vault, tag, purpose, code),
        "c_at": now,
        "c_expires": now + LIFETIME,
    }
    write(*counts, Write(_INSERT, values))
    return IssuedCode(phone, code, now + LIFETIME)


def _check_limits(sent: Row, day: dt.date, now: dt.datetime) -> None:
    if sent.phone >= PHONE_PER_DAY or sent.device >= DEVICE_PER_DAY or sent.address >= ADDRESS_PER_DAY:
        raise TooManyCodes(retry_after_seconds=int((day_end(day) - now).total_seconds()) + 1)
    if sent.newest is not None and sent.newest > now - PHONE_GAP:
        raise TooManyCodes(retry_after_seconds=_seconds_left(sent.newest + PHONE_GAP, now))
    if sent.last_of_hour is not None:
        raise TooManyCodes(retry_after_seconds=_seconds_left(sent.last_of_hour + _HOUR, now))


def _seconds_left(moment: dt.datetime, now: dt.datetime) -> int:
    return max(1, int((moment - now).total_seconds()) + 1)


def _code_tag(vault: Vault, phone_tag: bytes, purpose: str, code: str) -> bytes:
    return vault.tag("sms-code", f"{phone_tag.hex()}:{purpose}:{code}")


def send_code(sender: SmsSender, issued: IssuedCode) -> None:
    """Send what :func:`issue_code` made. A code that was not sent still counts: the limits guard against floods.

    :raises SmsNotSent: whatever the service's reason; neither number nor code is logged
    """
    try:
        sender.send_code(issued.phone, issued.code, int(LIFETIME.total_seconds()) // 60)
    except SmsRecipientRefused:
        raise SmsNotSent(N_("这个号码收不到短信，请换一个号码。")) from None
    except SmsError as error:
        log.error("a code was not sent: %s", type(error).__name__)
        raise SmsNotSent from None


NEWEST_CODE = (
    sa.select(
        _codes.c.id.label("code_id"),
        _codes.c.code_tag,
        _codes.c.expires_at.label("code_expires_at"),
        _codes.c.failed_count.label("code_failed_count"),
        _codes.c.used_at.label("code_used_at"),
    )
    .where(_codes.c.phone_tag == PHONE_TAG, _codes.c.purpose == sa.bindparam("purpose", type_=sa.String))
    .order_by(_codes.c.created_at.desc(), _codes.c.id.desc())
    .limit(1)
)
"""The newest code of a phone and purpose, for :func:`judge_code`."""
_LOCKED_CODE = NEWEST_CODE.with_for_update()
_UNCHANGED = "WHERE id = :c_id AND used_at IS NULL AND failed_count = :c_failed"
_USE = f"UPDATE sms_codes SET used_at = :c_now {_UNCHANGED}"  # noqa: S608 - constants
_COUNT_TRY = f"UPDATE sms_codes SET failed_count = failed_count + 1 {_UNCHANGED}"  # noqa: S608 - constants


def check_shape(code: str) -> AppError | None:
    """The refusal of what cannot be a code; it costs no try."""
    return None if rules.is_code(code.strip()) else CodeWrong(N_("验证码是 6 位数字，请再看一眼短信。"))


def judge_code(
    vault: Vault, row: Row | None, *, phone_tag: bytes, purpose: str, code: str, now: dt.datetime
) -> tuple[AppError | None, tuple[Write, ...]]:
    """Whether this is the code in ``row`` (with the columns of :data:`NEWEST_CODE`): the refusal, and the writes that use it up
    or count the try, guarded against a row that has changed.

    Five wrong tries kill a code: the sixth is refused even if right.
    """
    if row is None or row.code_used_at is not None or now >= row.code_expires_at:
        return CodeExpired(), ()
    if row.code_failed_count >= TRIES:
        return CodeTriesExceeded(), ()
    seen: dict[str, Any] = {"c_id": row.code_id, "c_failed": row.code_failed_count}
    if not hmac.compare_digest(row.code_tag, _code_tag(vault, phone_tag, purpose, code.strip())):
        return CodeWrong(tries_left=TRIES - row.code_failed_count - 1), (Write(_COUNT_TRY, seen, is_guarded=True),)
    return None, (Write(_USE, {**seen, "c_now": now}, is_guarded=True),)


def check_code(vault: Vault, *, phone: str, purpose: str, code: str, now: dt.datetime) -> AppError | None:
    """Use up the newest code of this phone and purpose. The refusal is returned, not raised, so that the caller's
    transaction commits the failed try; raise it afterwards."""
    refusal = check_shape(code)
    if refusal is not None:
        return refusal
    tag = vault.tag("phone", phone)
    rows = fetch(_LOCKED_CODE, {"phone_tag": tag, "purpose": purpose})
    refusal, writes = judge_code(vault, rows[0] if rows else None, phone_tag=tag, purpose=purpose, code=code, now=now)
    run_writes(*writes)
    return refusal

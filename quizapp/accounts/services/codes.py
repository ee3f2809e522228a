"""One-time codes by text message: making, sending and checking them."""

import datetime as dt
import hmac
import logging
import secrets
from dataclasses import dataclass, field

import sqlalchemy as sa

from quizapp.accounts import rules
from quizapp.accounts.errors import CodeExpired, CodeTriesExceeded, CodeWrong, GuardianPhoneSame, InvalidPhone, SmsNotSent, TooManyCodes
from quizapp.accounts.models import SmsCode
from quizapp.accounts.services.counters import count_up
from quizapp.adapters.sms import SmsError, SmsRecipientRefused, SmsSender
from quizapp.core.clock import day_end, shanghai_day
from quizapp.core.crypto import Vault
from quizapp.core.db import db
from quizapp.core.errors import AppError, InvalidInput
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


def issue_code(vault: Vault, *, phone: str, purpose: str, device: str | None, address: str, now: dt.datetime) -> IssuedCode:
    """Make a code for ``phone`` (eleven digits); send it with :func:`send_code` once this is committed.

    The phone's counter row is locked first, so that two requests at once see each other's codes.

    :param device: random name of the browser, None where a client has none
    :raises TooManyCodes: over a limit of the phone, the device or the address, with ``retry_after_seconds``
    """
    day = shanghai_day(now)
    until_tomorrow = int((day_end(day) - now).total_seconds()) + 1
    tag = vault.tag("phone", phone)
    limits = [("sms-phone", tag.hex(), PHONE_PER_DAY)]
    if device:
        limits.append(("sms-device", vault.tag("device", device).hex(), DEVICE_PER_DAY))
    limits.append(("sms-address", vault.tag("address", address).hex(), ADDRESS_PER_DAY))
    for scope, subject, limit in limits:
        if count_up(scope, subject, day) > limit:
            raise TooManyCodes(retry_after_seconds=until_tomorrow)
    _check_recent(tag, now)
    code = f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}d}"
    row = SmsCode(phone_tag=tag, purpose=purpose, code_tag=_code_tag(vault, tag, purpose, code), created_at=now, expires_at=now + LIFETIME)
    db.session.add(row)
    db.session.flush()
    return IssuedCode(phone, code, row.expires_at)


def _check_recent(tag: bytes, now: dt.datetime) -> None:
    hour = dt.timedelta(hours=1)
    recent = sa.select(SmsCode.created_at).where(SmsCode.phone_tag == tag, SmsCode.created_at > now - hour)
    moments = list(db.session.scalars(recent.order_by(SmsCode.created_at.desc())))
    if moments and moments[0] > now - PHONE_GAP:
        raise TooManyCodes(retry_after_seconds=_seconds_left(moments[0] + PHONE_GAP, now))
    if len(moments) >= PHONE_PER_HOUR:
        raise TooManyCodes(retry_after_seconds=_seconds_left(moments[PHONE_PER_HOUR - 1] + hour, now))


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


def check_code(vault: Vault, *, phone: str, purpose: str, code: str, now: dt.datetime) -> AppError | None:
    """Use up the newest code of this phone and purpose. The refusal is returned, not raised, so that the caller's
    transaction commits the failed try; raise it afterwards.

    Five wrong tries kill a code: the sixth is refused even if right.
    """
    code = code.strip()
    if not rules.is_code(code):
        return CodeWrong(N_("验证码是 6 位数字，请再看一眼短信。"))
    tag = vault.tag("phone", phone)
    newest = sa.select(SmsCode).filter_by(phone_tag=tag, purpose=purpose).order_by(SmsCode.created_at.desc(), SmsCode.id.desc()).limit(1)
    row = db.session.scalar(newest.with_for_update().execution_options(populate_existing=True))
    if row is None or row.used_at is not None or now >= row.expires_at:
        return CodeExpired()
    if row.failed_count >= TRIES:
        return CodeTriesExceeded()
    if not hmac.compare_digest(row.code_tag, _code_tag(vault, tag, purpose, code)):
        row.failed_count += 1
        db.session.flush()
        return CodeWrong(tries_left=TRIES - row.failed_count)
    row.used_at = now
    db.session.flush()
    return None

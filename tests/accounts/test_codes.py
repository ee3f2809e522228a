import datetime as dt
import logging

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts import services
from quizapp.accounts.errors import CodeExpired, CodeTriesExceeded, CodeWrong, SmsNotSent, TooManyCodes
from quizapp.accounts.models import DailyCounter, SmsCode
from quizapp.accounts.services import codes
from quizapp.adapters.sms import SmsRecipientRefused, SmsUnreachable
from quizapp.core.clock import day_start, shanghai_day, utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError
from tests.accounts.helpers import at_once, issue, vault, wrong
from tests.factories.accounts import make_phone

pytestmark = pytest.mark.usefixtures("app")
NOON = day_start(shanghai_day(utc_now())) + dt.timedelta(hours=12)
SECOND, MINUTE, HOUR = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1)


def check(phone: str, code: str, now: dt.datetime = NOON, purpose: str = "sign_in") -> AppError | None:
    with transaction():
        return services.check_code(vault(), phone=phone, purpose=purpose, code=code, now=now)


def test_a_right_code_works_once() -> None:
    phone = make_phone()
    code = issue(phone, now=NOON)
    assert check(phone, code) is None
    assert isinstance(check(phone, code), CodeExpired)


def test_a_code_lives_five_minutes() -> None:
    phone = make_phone()
    code = issue(phone, now=NOON)
    assert isinstance(check(phone, code, NOON + 5 * MINUTE), CodeExpired)
    assert check(phone, code, NOON + 5 * MINUTE - SECOND) is None


def test_the_sixth_try_is_refused_even_if_right() -> None:
    phone = make_phone()
    code = issue(phone, now=NOON)
    for left in (4, 3, 2, 1, 0):
        refusal = check(phone, wrong(code))
        assert isinstance(refusal, CodeWrong)
        assert refusal.extra["tries_left"] == left
    assert isinstance(check(phone, code), CodeTriesExceeded)


def test_a_new_code_replaces_the_old_one_and_its_tries() -> None:
    phone = make_phone()
    old = issue(phone, now=NOON)
    for _ in range(5):
        check(phone, wrong(old))
    new = issue(phone, now=NOON + MINUTE)
    if old != new:
        assert isinstance(check(phone, old, NOON + MINUTE), CodeWrong)
    assert check(phone, new, NOON + MINUTE) is None


def test_a_code_is_bound_to_its_phone_and_its_purpose() -> None:
    phone, other = make_phone(), make_phone()
    code = issue(phone, now=NOON)
    assert isinstance(check(other, code), CodeExpired)
    assert isinstance(check(phone, code, purpose="guardian"), CodeExpired)


def test_what_is_no_code_costs_no_try() -> None:
    phone = make_phone()
    code = issue(phone, now=NOON)
    for text in ("", "12345", "abcdef", "1234567", "１２３４５６", "\x00\x00\x00\x00\x00\x00"):
        assert isinstance(check(phone, text), CodeWrong)
    assert check(phone, f" {code} ") is None


def test_twenty_wrong_tries_at_once_get_five(app: Flask) -> None:
    """A right code among them cannot be found by guessing many at a time."""
    phone = make_phone()
    code = issue(phone, now=NOON)
    results = at_once(app, lambda _: check(phone, wrong(code)), 20)
    assert sum(type(result) is CodeWrong for result in results) == 5
    assert sum(isinstance(result, CodeTriesExceeded) for result in results) == 15
    assert isinstance(check(phone, code), CodeTriesExceeded)


def test_a_right_code_used_at_once_by_ten_works_for_one(app: Flask) -> None:
    phone = make_phone()
    code = issue(phone, now=NOON)
    results = at_once(app, lambda _: check(phone, code), 10)
    assert results.count(None) == 1


def test_sends_per_phone() -> None:
    """One in 60 seconds, five in an hour, ten in a Shanghai day."""
    phone = make_phone()
    issue(phone, now=NOON)
    with pytest.raises(TooManyCodes) as early:
        issue(phone, now=NOON + 59 * SECOND)
    assert early.value.extra["retry_after_seconds"] in (1, 2)
    for minute in range(1, 5):
        issue(phone, now=NOON + minute * MINUTE)
    with pytest.raises(TooManyCodes):
        issue(phone, now=NOON + 59 * MINUTE)
    for minute in range(5):
        issue(phone, now=NOON + 2 * HOUR + minute * MINUTE)
    with pytest.raises(TooManyCodes) as full:
        issue(phone, now=NOON + 5 * HOUR)
    assert full.value.extra["retry_after_seconds"] == 7 * 3600 + 1
    issue(phone, now=NOON + 12 * HOUR)


def test_sends_per_device_and_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(codes.DEVICE_PER_DAY):
        issue(make_phone(), device="a" * 32, now=NOON)
    with pytest.raises(TooManyCodes):
        issue(make_phone(), device="a" * 32, now=NOON)
    monkeypatch.setattr(codes, "ADDRESS_PER_DAY", codes.DEVICE_PER_DAY + 1)
    issue(make_phone(), device="b" * 32, now=NOON)
    with pytest.raises(TooManyCodes):
        issue(make_phone(), device="c" * 32, now=NOON)
    issue(make_phone(), address="10.0.0.2", now=NOON)


def test_ten_requests_at_once_send_one_code(app: Flask) -> None:
    phone = make_phone()
    results = at_once(app, lambda _: issue(phone, now=NOON), 10)
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, TooManyCodes) for result in results) == 9
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SmsCode)) == 1


def test_the_device_limit_holds_under_concurrency(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "DEVICE_PER_DAY", 4)
    phones = [make_phone() for _ in range(12)]
    results = at_once(app, lambda number: issue(phones[number], device="d" * 32, now=NOON), 12)
    assert sum(isinstance(result, str) for result in results) == 4
    assert sum(isinstance(result, TooManyCodes) for result in results) == 8
    counted = db.session.scalar(sa.select(DailyCounter.count).filter_by(scope="sms-device"))
    assert (counted, db.session.scalar(sa.select(sa.func.count()).select_from(SmsCode))) == (4, 4)


def test_a_refused_request_counts_for_nobody() -> None:
    phone = make_phone()
    issue(phone, device="f" * 32, now=NOON)
    for now in (NOON, NOON + 59 * SECOND):
        with pytest.raises(TooManyCodes):
            issue(phone, device="f" * 32, now=now)
    assert db.session.scalars(sa.select(DailyCounter.count)).all() == [1, 1, 1]


def test_counters_are_exact_under_concurrency(app: Flask) -> None:
    day = shanghai_day(NOON)

    def count(_: int) -> int:
        with transaction():
            return services.count_up("test", "s", day)

    assert sorted(at_once(app, count, 20)) == list(range(1, 21))
    assert services.count_of("test", "s", since=day) == 20
    assert services.count_of("test", "s", since=day + dt.timedelta(days=1)) == 0


def test_neither_number_nor_code_nor_address_is_kept_in_clear() -> None:
    phone = make_phone()
    code = issue(phone, device="e" * 32, address="10.9.8.7", now=NOON)
    row = db.session.scalars(sa.select(SmsCode)).one()
    assert phone.encode() not in row.phone_tag + row.code_tag
    assert code.encode() not in row.code_tag
    subjects = db.session.scalars(sa.select(DailyCounter.subject)).all()
    assert len(subjects) == 3
    assert not [text for text in subjects if phone in text or "10.9.8.7" in text or "e" * 32 in text]


@pytest.mark.parametrize("failure", [SmsUnreachable("to 13912345678"), SmsRecipientRefused("13912345678")])
def test_a_failing_sender_is_reported_without_the_number(sms, failure, caplog: pytest.LogCaptureFixture) -> None:  # type: ignore[no-untyped-def]
    sms.failure = failure
    with transaction():
        issued = services.issue_code(vault(), phone="13912345678", purpose="sign_in", device=None, address="-", now=NOON)
    assert "13912345678" not in repr(issued)
    assert issued.code not in repr(issued)
    with caplog.at_level(logging.DEBUG), pytest.raises(SmsNotSent) as raised:
        services.send_code(sms, issued)
    assert "13912345678" not in caplog.text + str(raised.value)
    assert raised.value.__suppress_context__

"""Signing in by code while others do the same: what reads without a lock must not write on what it read."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts import edge, queries, services
from quizapp.accounts.errors import AccountBlocked, CodeExpired, CodeTriesExceeded, CodeWrong, RecentlyDeleted, TooManyCodes
from quizapp.accounts.models import DailyCounter, SmsCode, UserSession
from quizapp.accounts.services import codes
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.statements import Stale, Write
from tests.accounts.helpers import at_once, issue, vault, wrong
from tests.conftest import postgresql_only
from tests.factories.accounts import count_citizens, make_citizen, make_phone, reference_data

pytestmark = pytest.mark.usefixtures("app")
Writer = Callable[..., None]


def enter(phone: str, code: str, *, takes_newcomers: bool = True) -> services.Entered | None:
    return edge.enter(phone=phone, code=code, now=utc_now(), device_label="程序", takes_newcomers=takes_newcomers)


def count(table: type) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def after(others: list[Callable[[], object]], write: Writer) -> Writer:
    """A writer that lets somebody else go first, as long as there are ``others``."""

    def late(*writes: Write) -> None:
        if others:
            others.pop()()
        write(*writes)

    return late


def test_a_newcomer_gets_a_citizen_and_a_session_whose_token_works() -> None:
    reference_data()
    phone = make_phone()
    entered = enter(phone, issue(phone))
    assert entered is not None
    assert entered.is_new
    citizen_id = queries.find_citizen_by_phone(vault(), phone)
    assert entered.me == queries.get_me(entered.me.profile.citizen_id)
    assert citizen_id == entered.me.profile.citizen_id
    assert queries.find_masked_phone(vault(), citizen_id) == f"{phone[:3]}****{phone[-4:]}"
    assert entered.token not in repr(entered)
    with pytest.raises(CodeExpired):
        enter(phone, "000000")


def test_somebody_known_is_read_as_they_are() -> None:
    phone = make_phone()
    citizen = make_citizen("youth", "150423", phone=phone)
    entered = enter(phone, issue(phone))
    assert entered is not None
    assert (entered.is_new, entered.me.profile) == (False, queries.get_profile(citizen.id))
    assert (entered.me.group_name, entered.me.region_name) == ("青少年", "巴林右旗")


def test_a_stopped_account_keeps_its_code_and_gets_no_session() -> None:
    phone = make_phone()
    make_citizen(phone=phone, status="blocked")
    code = issue(phone)
    for _ in range(2):
        with pytest.raises(AccountBlocked):
            enter(phone, code)
    assert count(UserSession) == 0


def test_a_number_that_just_left_waits() -> None:
    phone, now = make_phone(), utc_now()
    citizen = make_citizen(phone=phone)
    with transaction():
        services.delete_citizen(citizen.id, now)
    code = issue(phone)
    with pytest.raises(RecentlyDeleted):
        enter(phone, code)
    assert enter(phone, code, takes_newcomers=False) is None


def test_a_page_uses_up_a_newcomers_code_and_stores_nobody() -> None:
    phone = make_phone()
    code = issue(phone)
    assert enter(phone, code, takes_newcomers=False) is None
    assert count_citizens() == count(UserSession) == 0
    with pytest.raises(CodeExpired):
        enter(phone, code)


def test_twelve_wrong_tries_at_once_are_five(app: Flask) -> None:
    phone = make_phone()
    code = issue(phone)
    results = at_once(app, lambda _: enter(phone, wrong(code)), 12)
    tried = [result.extra["tries_left"] for result in results if type(result) is CodeWrong]
    assert sorted(tried) == [0, 1, 2, 3, 4]
    assert sum(isinstance(result, CodeTriesExceeded) for result in results) == 7
    with pytest.raises(CodeTriesExceeded):
        enter(phone, code)
    assert count(UserSession) == 0


def test_a_right_code_on_ten_devices_at_once_begins_one_session(app: Flask) -> None:
    reference_data()
    phone = make_phone()
    code = issue(phone)
    results = at_once(app, lambda _: enter(phone, code), 10)
    assert sum(isinstance(result, services.Entered) for result in results) == 1
    assert sum(isinstance(result, CodeExpired) for result in results) == 9
    assert count_citizens() == count(UserSession) == 1


@postgresql_only
def test_a_number_claimed_between_read_and_write_keeps_its_owner() -> None:
    reference_data()
    phone = make_phone()
    code = issue(phone)
    others = [lambda: _claim(phone)]

    def once(write: Writer) -> object:
        return services.enter(vault(), phone=phone, code=code, now=utc_now(), write=after(others, write))

    entered = edge.guarded(once)
    assert isinstance(entered, services.Entered)
    assert (entered.is_new, count_citizens(), count(UserSession)) == (False, 1, 1)


def _claim(phone: str) -> None:
    with transaction():
        services.find_or_create_citizen(vault(), phone, utc_now())


@postgresql_only
def test_a_right_code_whose_tries_were_spent_since_the_read_is_refused() -> None:
    phone = make_phone()
    code = issue(phone)
    others = [lambda: [spend(phone, wrong(code)) for _ in range(5)]]

    def once(write: Writer) -> object:
        return services.enter(vault(), phone=phone, code=code, now=utc_now(), write=after(others, write))

    assert isinstance(edge.guarded(once), CodeTriesExceeded)
    assert count(UserSession) == 0


def spend(phone: str, code: str) -> None:
    with pytest.raises(CodeWrong):
        enter(phone, code)


@postgresql_only
def test_a_code_sent_since_the_read_is_the_only_one() -> None:
    phone, now = make_phone(), utc_now()
    others = [lambda: issue(phone, now=now)]

    def once(write: Writer) -> object:
        return services.issue_code(vault(), phone=phone, purpose="sign_in", device=None, address="-", now=now, write=after(others, write))

    with pytest.raises(TooManyCodes):
        edge.guarded(once)
    assert count(SmsCode) == 1
    assert sorted(db.session.scalars(sa.select(DailyCounter.count))) == [1, 1]


@postgresql_only
def test_a_limit_reached_since_the_read_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "DEVICE_PER_DAY", 1)
    phone, now = make_phone(), utc_now()
    others = [lambda: issue(make_phone(), device="d" * 32, now=now)]

    def once(write: Writer) -> object:
        return services.issue_code(
            vault(), phone=phone, purpose="sign_in", device="d" * 32, address="-", now=now, write=after(others, write)
        )

    with pytest.raises(TooManyCodes):
        edge.guarded(once)
    assert count(SmsCode) == 1


def test_who_is_stale_every_time_is_not_left_waiting() -> None:
    rounds: list[int] = []

    def never(write: Writer) -> None:
        rounds.append(1)
        raise Stale

    with pytest.raises(Stale):
        edge.guarded(never)
    assert len(rounds) == 10

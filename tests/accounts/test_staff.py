import datetime as dt
import uuid

import pyotp
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher, extract_parameters
from flask import Flask

from quizapp.accounts import seeds, services
from quizapp.accounts.errors import (
    AccountLocked,
    BadValue,
    ExclusiveRoles,
    OwnAccount,
    RoleHeld,
    SignInFailed,
    TotpWrong,
    UsernameTaken,
    WeakPassword,
    WrongPassword,
)
from quizapp.accounts.models import STAFF_ROLES, StaffAccount, StaffRole, UserSession
from quizapp.accounts.queries import staff as staff_queries
from quizapp.accounts.services import staff as staff_services
from quizapp.audit.models import AuditEntry
from quizapp.audit.services import Actor
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError, NotFound
from tests.accounts.helpers import at_once, vault
from tests.factories.accounts import PASSWORD, add_role, make_organisation, make_staff, reference_data

pytestmark = pytest.mark.usefixtures("app")
NOW = utc_now()
MINUTE = dt.timedelta(minutes=1)
BOSS = Actor("staff", uuid.uuid4(), "图雅")


def sign_in(
    account: StaffAccount, password: str = PASSWORD, totp: str = "", now: dt.datetime = NOW, is_demo: bool = False
) -> services.StaffSignIn:
    with transaction():
        return services.sign_in_staff(vault(), username=account.username, password=password, totp=totp, is_demo=is_demo, now=now)


def refusal(tried: services.StaffSignIn) -> type[AppError]:
    assert tried.staff_id is None
    return type(tried.refusal)  # type: ignore[return-value]


def give(staff_id: uuid.UUID, role: str, organisation_id: uuid.UUID, actor: Actor = BOSS, paths: tuple[str, ...] = ("/",)) -> None:
    with transaction():
        services.grant_role(staff_id, role=role, organisation_id=organisation_id, actor=actor, paths=paths, now=NOW)


def actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.at, AuditEntry.id)))


# ---- signing in


def test_the_right_password_signs_in_and_a_wrong_one_does_not() -> None:
    account = make_staff()
    assert sign_in(account).staff_id == account.id
    assert refusal(sign_in(account, "wrong")) is SignInFailed
    assert refusal(sign_in(StaffAccount(username="nobody"))) is SignInFailed


def test_five_failures_lock_for_fifteen_minutes_even_the_right_password() -> None:
    account = make_staff()
    for _ in range(4):
        assert refusal(sign_in(account, "wrong")) is SignInFailed
    assert refusal(sign_in(account, "wrong")) is AccountLocked
    assert refusal(sign_in(account, now=NOW + 14 * MINUTE)) is AccountLocked
    assert sign_in(account, now=NOW + 15 * MINUTE).staff_id == account.id
    assert actions() == ["staff.locked"]


def test_a_success_forgets_earlier_failures_and_a_lock_that_ran_out_counts_anew() -> None:
    account = make_staff()
    for _ in range(3):
        for _ in range(4):
            sign_in(account, "wrong")
        assert sign_in(account).staff_id == account.id
    for _ in range(5):
        sign_in(account, "wrong")
    for _ in range(4):
        assert refusal(sign_in(account, "wrong", now=NOW + 16 * MINUTE)) is SignInFailed
    assert sign_in(account, now=NOW + 16 * MINUTE).staff_id == account.id


def test_twenty_guesses_at_once_get_five_tries(app: Flask) -> None:
    """The right password is among them, and nobody may find it past the fifth."""
    account = make_staff()
    results = at_once(app, lambda _: sign_in(account, "wrong"), 20)
    assert sum(isinstance(result.refusal, SignInFailed) for result in results) == 4
    assert sum(isinstance(result.refusal, AccountLocked) for result in results) == 16
    assert refusal(sign_in(account)) is AccountLocked
    assert actions() == ["staff.locked"]


def test_a_stopped_account_and_one_of_the_demo_do_not_sign_in() -> None:
    account = make_staff()
    with transaction():
        services.set_active(account.id, is_active=False, actor=BOSS, now=NOW)
    assert refusal(sign_in(account)) is SignInFailed
    demo = make_staff(username="demo-finance")
    assert refusal(sign_in(demo)) is SignInFailed
    assert sign_in(demo, is_demo=True).staff_id == demo.id


def test_an_endless_password_is_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_staff()
    monkeypatch.setattr(staff_services, "HASHER", None)
    assert refusal(sign_in(account, "x" * 100_000)) is SignInFailed


def test_hashes_follow_the_parameters() -> None:
    account = make_staff()
    assert extract_parameters(account.password_hash).memory_cost == 8
    sign_in(account)
    db.session.rollback()
    parameters = extract_parameters(db.session.get_one(StaffAccount, account.id).password_hash)
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19456, 2, 1)
    assert parameters.type.name == "ID"
    assert PasswordHasher().verify(db.session.get_one(StaffAccount, account.id).password_hash, PASSWORD)


# ---- second factor


def with_totp(account: StaffAccount) -> pyotp.TOTP:
    secret = services.new_totp_secret()
    generator = pyotp.TOTP(secret)
    with transaction():
        services.confirm_totp(vault(), account.id, secret=secret, code=generator.at(NOW - 5 * MINUTE), actor=BOSS, now=NOW - 5 * MINUTE)
    return generator


def test_the_second_factor_is_asked_for_once_it_is_set() -> None:
    account = make_staff()
    generator = with_totp(account)
    assert refusal(sign_in(account)) is SignInFailed
    assert refusal(sign_in(account, totp="000000")) is SignInFailed
    assert sign_in(account, totp=generator.at(NOW)).staff_id == account.id
    db.session.rollback()
    stored = db.session.get_one(StaffAccount, account.id).totp_secret_encrypted
    assert stored is not None
    assert generator.secret.encode() not in stored


def test_a_code_works_once() -> None:
    account = make_staff()
    code = with_totp(account).at(NOW)
    assert sign_in(account, totp=code).staff_id == account.id
    assert refusal(sign_in(account, totp=code)) is SignInFailed


def test_a_code_used_at_once_by_eight_works_for_one(app: Flask) -> None:
    account = make_staff()
    code = with_totp(account).at(NOW)
    results = at_once(app, lambda _: sign_in(account, totp=code), 8)
    assert sum(result.staff_id is not None for result in results) == 1


@pytest.mark.parametrize(("steps", "works"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_of_drift_is_forgiven(steps: int, works: bool) -> None:
    account = make_staff()
    generator = with_totp(account)
    code = generator.at(NOW + steps * dt.timedelta(seconds=30))
    assert (sign_in(account, totp=code).staff_id is not None) is works


def test_a_secret_is_taken_only_with_a_code_of_it() -> None:
    account = make_staff()
    with pytest.raises(TotpWrong), transaction():
        services.confirm_totp(vault(), account.id, secret=services.new_totp_secret(), code="123456", actor=BOSS, now=NOW)
    db.session.rollback()
    assert db.session.get_one(StaffAccount, account.id).totp_confirmed_at is None


# ---- password


def change_password(account: StaffAccount, old: str, new: str, session_id: uuid.UUID | None = None) -> AppError | None:
    with transaction():
        return services.change_password(account.id, old=old, new=new, actor=BOSS, session_id=session_id, now=NOW)


def test_changing_the_password_ends_other_sessions() -> None:
    account = make_staff(must_change_password=True)
    for _ in range(3):
        with transaction():
            services.open_session(now=NOW, staff_id=account.id)
    own = db.session.scalars(sa.select(UserSession.id).limit(1)).one()
    assert change_password(account, PASSWORD, "a new long sentence", own) is None
    db.session.rollback()
    live = db.session.scalars(sa.select(UserSession.id).where(UserSession.ended_at.is_(None))).all()
    assert live == [own]
    assert not db.session.get_one(StaffAccount, account.id).must_change_password
    assert refusal(sign_in(account)) is SignInFailed
    assert sign_in(account, "a new long sentence").staff_id == account.id


@pytest.mark.parametrize("new", ["short", "x" * 200, "aaaaaaaaaaaaaaaaaa", PASSWORD])
def test_weak_or_same_passwords_are_refused(new: str) -> None:
    with pytest.raises(WeakPassword):
        change_password(make_staff(), PASSWORD, new)


def test_a_borrowed_screen_cannot_try_passwords_for_ever() -> None:
    account = make_staff()
    for _ in range(4):
        assert isinstance(change_password(account, "wrong", "a new long sentence"), WrongPassword)
    assert isinstance(change_password(account, "wrong", "a new long sentence"), AccountLocked)
    assert isinstance(change_password(account, PASSWORD, "a new long sentence"), AccountLocked)


# ---- roles


def test_no_account_combines_two_administrators() -> None:
    root = reference_data()
    account = make_staff("system_admin")
    with pytest.raises(ExclusiveRoles):
        give(account.id, "audit_admin", root.id)
    give(account.id, "report_reader", root.id)
    assert "staff.role_granted" in actions()


@pytest.mark.parametrize("pair", [("system_admin", "security_admin"), ("security_admin", "audit_admin"), ("system_admin", "audit_admin")])
def test_the_database_itself_refuses_two_administrators(pair: tuple[str, str]) -> None:
    account = make_staff(pair[0])
    unit = make_organisation()
    with pytest.raises(sa.exc.IntegrityError):
        add_role(account, pair[1], unit)


def test_the_database_knows_no_other_roles() -> None:
    make_staff("finance")
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(StaffRole).values(role="emperor"))


def test_an_ordinary_role_cannot_be_turned_into_a_second_administrator() -> None:
    account = make_staff("system_admin")
    add_role(account, "finance")
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(StaffRole).where(StaffRole.role == "finance").values(role="audit_admin"))


def test_two_administrators_given_at_once_leave_one(app: Flask) -> None:
    root = reference_data()
    account = make_staff(None)
    roles = ["system_admin", "security_admin", "audit_admin"] * 2
    results = at_once(app, lambda number: give(account.id, roles[number], root.id), 6)
    assert results.count(None) == 1
    assert all(isinstance(result, ExclusiveRoles | RoleHeld) for result in results if result is not None)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StaffRole)) == 1


def test_nobody_changes_their_own_account() -> None:
    root = reference_data()
    account = make_staff("security_admin")
    own = Actor("staff", account.id, "自己")
    role_id = db.session.scalars(sa.select(StaffRole.id)).one()
    calls = (
        lambda: services.grant_role(account.id, role="finance", organisation_id=root.id, actor=own, paths=("/",), now=NOW),
        lambda: services.revoke_role(account.id, role_id, actor=own, paths=("/",), now=NOW),
        lambda: services.set_active(account.id, is_active=False, actor=own, now=NOW),
        lambda: services.reset_password(account.id, actor=own, now=NOW),
        lambda: services.unlock_staff(account.id, actor=own, now=NOW),
    )
    for call in calls:
        with pytest.raises(OwnAccount), transaction():
            call()
    assert actions() == []


def test_roles_are_given_and_taken_only_within_the_own_subtree() -> None:
    inside, outside = make_organisation("红山区司法局"), make_organisation("宁城县司法局")
    account = make_staff("report_reader", outside)
    paths = (inside.path,)
    with pytest.raises(NotFound):
        give(account.id, "finance", outside.id, paths=paths)
    give(account.id, "finance", inside.id, paths=paths)
    held = staff_queries.list_roles([account.id])[account.id]
    outer = next(each for each in held if each.organisation_id == outside.id)
    with pytest.raises(NotFound), transaction():
        services.revoke_role(account.id, outer.id, actor=BOSS, paths=paths, now=NOW)
    with pytest.raises(NotFound):
        staff_queries.get_member(account.id, paths)
    with pytest.raises(RoleHeld):
        give(account.id, "finance", inside.id)


def test_a_new_account_has_a_password_to_change() -> None:
    root = reference_data()
    with transaction():
        first = services.create_staff(
            username="CF0137", display_name="高娃", role="campaign_manager", organisation_id=root.id, actor=BOSS, paths=("/",), now=NOW
        )
    account = staff_queries.get_account(first.staff_id)
    assert account.must_change_password
    assert first.password not in repr(first)
    assert sign_in(account, first.password).staff_id == account.id
    assert set(actions()) == {"staff.created", "staff.role_granted"}
    entries = db.session.scalars(sa.select(AuditEntry)).all()
    assert first.password not in str([entry.changes for entry in entries])


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"username": "taken"}, UsernameTaken),
        ({"username": "x"}, BadValue),
        ({"username": "高娃"}, BadValue),
        ({"username": "demo-finance"}, BadValue),
        ({"display_name": " "}, BadValue),
        ({"role": "emperor"}, BadValue),
    ],
)
def test_bad_accounts_are_refused_whole(values: dict[str, str], error: type[Exception]) -> None:
    root = reference_data()
    make_staff(username="taken")
    good = {"username": "CF0137", "display_name": "高娃", "role": "finance"}
    with pytest.raises(error), transaction():
        services.create_staff(**{**good, **values}, organisation_id=root.id, actor=BOSS, paths=("/",), now=NOW)
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StaffAccount)) == 1


def test_a_reset_takes_password_second_factor_and_sessions() -> None:
    account = make_staff()
    with_totp(account)
    with transaction():
        services.open_session(now=NOW, staff_id=account.id)
    with transaction():
        first = services.reset_password(account.id, actor=BOSS, now=NOW)
    assert refusal(sign_in(account)) is SignInFailed
    assert sign_in(account, first.password).staff_id == account.id
    db.session.rollback()
    fresh = db.session.get_one(StaffAccount, account.id)
    assert fresh.must_change_password
    assert fresh.totp_confirmed_at is None
    assert all(db.session.scalars(sa.select(UserSession.ended_at)))


def test_unlocking_lets_in_again() -> None:
    account = make_staff()
    for _ in range(5):
        sign_in(account, "wrong")
    with transaction():
        services.unlock_staff(account.id, actor=BOSS, now=NOW)
    assert sign_in(account).staff_id == account.id


def test_lists_of_staff_keep_to_the_subtree() -> None:
    inside, outside = make_organisation("甲"), make_organisation("乙")
    below = make_organisation("甲之下", inside)
    make_staff("finance", outside)
    mine = {make_staff("finance", inside).id, make_staff("report_reader", below).id}
    found = db.session.scalars(staff_queries.staff_in((inside.path,))).all()
    assert {account.id for account in found} == mine
    assert len(db.session.scalars(staff_queries.staff_in(("/",))).all()) == 3
    assert len(db.session.scalars(staff_queries.staff_in(("/",), role="finance")).all()) == 2
    assert db.session.scalars(staff_queries.staff_in(())).all() == []


def test_the_demo_has_an_account_of_each_role_and_two_approvers() -> None:
    for _ in range(2):
        with transaction():
            seeds.load_demo_staff()
    accounts = {account.username: account for account in seeds.list_demo_accounts()}
    assert set(accounts) == {f"demo-{role}" for role in STAFF_ROLES} | {"demo-approver-2"}
    roles = staff_queries.list_roles([account.id for account in accounts.values()])
    assert roles[accounts["demo-approver-2"].id][0].role == "approver"
    assert sign_in(accounts["demo-finance"], seeds.DEMO_PASSWORD, is_demo=True).staff_id is not None
    assert refusal(sign_in(accounts["demo-finance"], seeds.DEMO_PASSWORD)) is SignInFailed

import datetime as dt
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from quizapp.accounts import services
from quizapp.accounts.models import StaffAccount, UserSession
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import NotSignedIn
from quizapp.web.access import Principal, current_principal
from tests.factories.accounts import add_role, bearer_for, headers_for, make_citizen, make_organisation, make_staff

pytestmark = pytest.mark.usefixtures("app")


def load(app: Flask, path: str, token: str | None = None, cookie: str | None = None) -> Principal:
    """The principal of one request with a bearer token, a cookie or both."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with app.app_context(), app.test_request_context(path, headers=headers) as context:
        context.request.routing_exception = None
        if cookie is not None:
            context.session["_user_id"] = cookie
        return current_principal()


def open_session(**kw: object) -> str:
    with transaction():
        return services.open_session(now=kw.pop("now", None) or utc_now(), **kw)  # type: ignore[arg-type]


@contextmanager
def counted_statements():
    seen: list[str] = []

    def note(conn, cursor, statement, *rest):  # type: ignore[no-untyped-def]
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_citizen_is_known_by_bearer_and_by_cookie(app: Flask) -> None:
    citizen = make_citizen(nickname="草原秀兰")
    by_bearer = load(app, "/", token=bearer_for(citizen))
    by_cookie = load(app, "/", cookie=open_session(citizen_id=citizen.id))
    assert (by_bearer.kind, by_bearer.id, by_bearer.display_name, by_bearer.is_bearer) == ("citizen", citizen.id, "草原秀兰", True)
    assert (by_cookie.id, by_cookie.is_bearer) == (citizen.id, False)


def test_a_citizen_costs_one_select(app: Flask) -> None:
    token = bearer_for(make_citizen())
    with counted_statements() as seen:
        load(app, "/", token=token)
    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) == 1


def test_staff_cost_one_select_with_all_roles(app: Flask) -> None:
    unit = make_organisation("巴林右旗司法局")
    staff = make_staff("report_reader", unit)
    add_role(staff, "finance")
    token = bearer_for(staff)
    with counted_statements() as seen:
        principal = load(app, "/admin/", token=token)
    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) == 1
    assert principal.scopes("payouts.handle") == ("/",)
    assert set(principal.scopes("reports.view")) == {"/", unit.path}
    assert not principal.may("campaigns.edit")


@pytest.mark.parametrize(("is_staff", "path"), [(False, "/admin/"), (False, "/api/v1/admin/x"), (True, "/"), (True, "/api/v1/me")])
def test_a_token_of_one_side_is_unknown_on_the_other(app: Flask, is_staff: bool, path: str) -> None:
    person = make_staff() if is_staff else make_citizen()
    with pytest.raises(NotSignedIn):
        load(app, path, token=bearer_for(person))
    cookie = open_session(staff_id=person.id) if is_staff else open_session(citizen_id=person.id)
    assert load(app, path, cookie=cookie).kind == "anonymous"


def test_a_bad_bearer_is_refused_even_with_a_good_cookie(app: Flask) -> None:
    cookie = open_session(citizen_id=make_citizen().id)
    assert load(app, "/", cookie=cookie).is_citizen
    for bad in ("nonsense", "", "x" * 5000, "é"):
        with pytest.raises(NotSignedIn):
            load(app, "/", token=bad, cookie=cookie)


def test_the_bearer_wins_over_the_cookie(app: Flask) -> None:
    first, second = make_citizen(), make_citizen()
    assert load(app, "/", token=bearer_for(first), cookie=open_session(citizen_id=second.id)).id == first.id


def test_another_scheme_than_bearer_is_refused(app: Flask) -> None:
    cookie = open_session(citizen_id=make_citizen().id)
    with app.app_context(), app.test_request_context("/", headers={"Authorization": "Basic eDp5"}) as context:
        context.request.routing_exception = None
        context.session["_user_id"] = cookie
        with pytest.raises(NotSignedIn):
            current_principal()


def test_a_bad_bearer_never_makes_a_fault(client: FlaskClient) -> None:
    for path, status in (("/no-such-page", 404), ("/api/v1/nothing", 404)):
        assert client.get(path, headers={"Authorization": "Bearer nonsense"}).status_code == status


def test_a_cookie_token_is_no_bearer_token_and_the_other_way_round(app: Flask) -> None:
    citizen = make_citizen()
    with pytest.raises(NotSignedIn):
        load(app, "/", token=open_session(citizen_id=citizen.id))
    assert load(app, "/", cookie=bearer_for(citizen)).kind == "anonymous"


@pytest.mark.parametrize(
    ("is_staff", "unused", "age", "works"),
    [
        (False, dt.timedelta(days=29), dt.timedelta(days=100), True),
        (False, dt.timedelta(days=30), dt.timedelta(days=100), False),
        (False, dt.timedelta(), dt.timedelta(days=180), False),
        (True, dt.timedelta(minutes=29), dt.timedelta(hours=11), True),
        (True, dt.timedelta(minutes=30), dt.timedelta(hours=11), False),
        (True, dt.timedelta(), dt.timedelta(hours=12), False),
    ],
)
def test_limits_of_time(app: Flask, is_staff: bool, unused: dt.timedelta, age: dt.timedelta, works: bool) -> None:
    now = utc_now()
    person = make_staff() if is_staff else make_citizen()
    token = open_session(now=now - age, **({"staff_id": person.id} if is_staff else {"citizen_id": person.id}))
    with transaction():
        db.session.execute(sa.update(UserSession).values(last_seen_at=now - unused))
    principal = load(app, "/admin/" if is_staff else "/", cookie=token)
    assert principal.is_authenticated is works


def test_last_use_is_written_at_most_every_ten_minutes(app: Flask) -> None:
    now = utc_now()
    token = bearer_for(make_citizen())

    def last_seen(before: dt.timedelta) -> dt.timedelta:
        with transaction():
            db.session.execute(sa.update(UserSession).values(last_seen_at=now - before))
        load(app, "/", token=token)
        db.session.rollback()
        return utc_now() - db.session.scalars(sa.select(UserSession.last_seen_at)).one()

    assert last_seen(dt.timedelta(minutes=9)) >= dt.timedelta(minutes=9)
    assert last_seen(dt.timedelta(minutes=11)) < dt.timedelta(minutes=1)


def test_an_ended_session_and_a_blocked_person_are_nobody(app: Flask) -> None:
    citizen, staff = make_citizen(), make_staff()
    ended = open_session(citizen_id=citizen.id)
    with transaction():
        services.end_citizen_sessions(citizen.id, utc_now())
    blocked = open_session(citizen_id=make_citizen(status="blocked").id)
    gone = open_session(staff_id=staff.id)
    with transaction():
        db.session.execute(sa.update(StaffAccount).values(is_active=False))
    assert load(app, "/", cookie=ended).kind == "anonymous"
    assert load(app, "/", cookie=blocked).kind == "anonymous"
    assert load(app, "/admin/", cookie=gone).kind == "anonymous"


def test_staff_without_second_factor_must_set_it_up_unless_in_the_demo(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    staff, ready, newcomer = make_staff(), make_staff(has_totp=True), make_staff(must_change_password=True)
    assert load(app, "/admin/", token=bearer_for(staff)).must_change == ""
    monkeypatch.setitem(app.config, "IS_DEMO_SIGN_IN", False)
    assert load(app, "/admin/", token=bearer_for(staff)).must_change == "totp"
    assert load(app, "/admin/", token=bearer_for(ready)).must_change == ""
    assert load(app, "/admin/", token=bearer_for(newcomer)).must_change == "password"


def test_only_hashes_of_tokens_are_kept(app: Flask) -> None:
    token = bearer_for(make_citizen())
    assert headers_for(make_citizen())["Authorization"].startswith("Bearer ")
    kept = db.session.scalars(sa.select(UserSession.token_hash)).all()
    assert all(token.encode() not in value and len(value) == 32 for value in kept)

import re
import uuid

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts import queries, seeds
from quizapp.accounts.models import DemographicGroup, Organisation, StaffAccount, StaffRole, UserSession
from quizapp.audit.models import AuditEntry
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from tests.accounts.helpers import csrf_token, submit
from tests.factories.accounts import PASSWORD, bearer_for, make_citizen, make_organisation, make_staff, reference_data, sign_in

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def strict(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production: no demo sign-in, the second factor is required."""
    monkeypatch.setitem(app.config, "IS_DEMO_SIGN_IN", False)


def actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.at, AuditEntry.id)))


def sign_in_by_form(client: FlaskClient, account: StaffAccount, password: str = PASSWORD, totp: str = ""):  # type: ignore[no-untyped-def]
    return submit(client, "/admin/sign-in", {"username": account.username, "password": password, "totp": totp})


def signed_in_as(client: FlaskClient, role: str, organisation: Organisation | None = None) -> StaffAccount:
    account = make_staff(role, organisation)
    sign_in(client, account)
    return account


# ---- signing in


def test_staff_sign_in_and_out(client: FlaskClient) -> None:
    account = make_staff("security_admin")
    answer = submit(client, "/admin/sign-in?next=/admin/users", {"username": account.username, "password": PASSWORD})
    assert (answer.status_code, answer.location) == (302, "/admin/users")
    assert client.get("/admin/users").status_code == 200
    assert "SameSite=Strict" in answer.headers["Set-Cookie"]
    assert actions() == ["staff.signed_in"]
    submit(client, "/admin/sign-out", {}, form_on="/admin/security")
    assert client.get("/admin/users").location == "/admin/sign-in?next=/admin/users"
    assert all(db.session.scalars(sa.select(UserSession.ended_at)))


def test_a_wrong_password_says_neither_which_nor_whether(client: FlaskClient) -> None:
    account = make_staff()
    known = sign_in_by_form(client, account, "wrong")
    unknown = sign_in_by_form(client, StaffAccount(username="nobody"), "wrong")
    assert known.status_code == unknown.status_code == 401
    sentences = [re.findall(r"<p>(账号、密码[^<]+)</p>", page.get_data(as_text=True)) for page in (known, unknown)]
    assert sentences[0] == sentences[1] != []
    assert PASSWORD not in known.get_data(as_text=True)


def test_the_lock_is_said(client: FlaskClient) -> None:
    account = make_staff()
    statuses = [sign_in_by_form(client, account, "wrong").status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 401, 423]
    assert sign_in_by_form(client, account).status_code == 423


def test_signing_in_rotates_the_session(client: FlaskClient) -> None:
    account = make_staff()
    page = client.get("/admin/sign-in")
    with client.session_transaction("/admin/") as session:
        session["planted"], session["guest_x"] = 1, 1
        old = session["csrf_token"]
    client.post("/admin/sign-in", data={"username": account.username, "password": PASSWORD, "csrf_token": csrf_token(page)})
    with client.session_transaction("/admin/") as session:
        assert "planted" not in session
        assert "guest_x" not in session
        assert session.get("csrf_token") != old
        assert session["_user_id"]


def test_a_citizens_cookie_and_a_staff_cookie_live_side_by_side(client: FlaskClient) -> None:
    sign_in(client, make_citizen())
    assert client.get("/admin/security").location == "/admin/sign-in?next=/admin/security"
    signed_in_as(client, "finance")
    assert client.get("/admin/security").status_code == 200
    assert client.get("/me").status_code == 200
    submit(client, "/admin/sign-out", {}, form_on="/admin/security")
    assert client.get("/me").status_code == 200


def test_accounts_of_the_demo_are_offered_only_in_the_demo(client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction():
        seeds.load_demo_staff()
    page = client.get("/admin/sign-in").get_data(as_text=True)
    assert seeds.DEMO_PASSWORD in page
    assert "demo-approver-2" in page
    monkeypatch.setitem(app.config, "IS_DEMO_SIGN_IN", False)
    page = client.get("/admin/sign-in").get_data(as_text=True)
    assert seeds.DEMO_PASSWORD not in page
    answer = submit(client, "/admin/sign-in", {"username": "demo-finance", "password": seeds.DEMO_PASSWORD})
    assert answer.status_code == 401


# ---- first sign-in: password, then second factor


@pytest.mark.usefixtures("strict")
def test_a_newcomer_gets_nowhere_before_password_and_second_factor(client: FlaskClient) -> None:
    account = make_staff("security_admin", must_change_password=True)
    sign_in_by_form(client, account)
    for path in ("/admin/users", "/admin/users/new"):
        assert client.get(path).location == "/admin/security"
    body = client.get("/admin/users", headers={"Accept": "application/json"})
    assert body.status_code == 403
    data = {"old_password": PASSWORD, "new_password": "a new long sentence", "again": "a new long sentence"}
    submit(client, "/admin/security/password", data, form_on="/admin/security")
    assert client.get("/admin/users").location == "/admin/security"
    page = client.get("/admin/security").get_data(as_text=True)
    secret = re.search(r'<b class="num">([A-Z2-7 ]+)</b>', page)
    assert secret
    assert "<svg" in page
    assert not re.search(r"\sstyle=", page)
    generator = pyotp.TOTP(secret[1].replace(" ", ""))
    wrong_code = submit(client, "/admin/security/totp", {"totp": "000000"}, form_on="/admin/security")
    assert wrong_code.status_code == 422
    assert client.get("/admin/users").location == "/admin/security"
    submit(client, "/admin/security/totp", {"totp": generator.now()}, form_on="/admin/security")
    assert client.get("/admin/users").status_code == 200
    assert {"staff.password_changed", "staff.totp_set"} <= set(actions())
    again = submit(client, "/admin/security/totp", {"totp": generator.now()}, form_on="/admin/security")
    assert again.status_code == 403


@pytest.mark.usefixtures("strict")
def test_a_bearer_of_staff_without_second_factor_is_refused(client: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {bearer_for(make_staff('security_admin'))}", "Accept": "application/json"}
    answer = client.get("/admin/users", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "data",
    [
        {"old_password": "wrong", "new_password": "a new long sentence", "again": "a new long sentence"},
        {"old_password": PASSWORD, "new_password": "short", "again": "short"},
        {"old_password": PASSWORD, "new_password": "a new long sentence", "again": "another sentence"},
        {"old_password": PASSWORD, "new_password": "", "again": ""},
    ],
)
def test_bad_new_passwords_are_refused_under_their_field(client: FlaskClient, data: dict[str, str]) -> None:
    account = signed_in_as(client, "finance")
    answer = submit(client, "/admin/security/password", data, form_on="/admin/security")
    assert answer.status_code == 422
    assert 'class="err"' in answer.get_data(as_text=True)
    db.session.rollback()
    assert db.session.get_one(StaffAccount, account.id).password_changed_at is None


# ---- users


def test_an_account_is_made_with_a_password_shown_once(client: FlaskClient) -> None:
    root = reference_data()
    signed_in_as(client, "security_admin")
    data = {"username": "CF0137", "display_name": "高娃", "role": "campaign_manager", "organisation_id": str(root.id)}
    answer = submit(client, "/admin/users/new", data)
    assert answer.status_code == 201
    shown = re.search(r'<b class="num">([0-9a-f-]{19})</b>', answer.get_data(as_text=True))
    assert shown
    account = db.session.scalars(sa.select(StaffAccount).filter_by(username="CF0137")).one()
    assert shown[1] not in client.get(f"/admin/users/{account.id}").get_data(as_text=True)
    assert sign_in_by_form(client.application.test_client(), account, shown[1]).status_code == 302
    assert submit(client, "/admin/users/new", data).status_code == 409


def test_the_exclusive_rule_is_said_on_the_page(client: FlaskClient) -> None:
    root = reference_data()
    signed_in_as(client, "security_admin")
    other = make_staff("audit_admin")
    answer = submit(
        client,
        f"/admin/users/{other.id}/roles",
        {"role": "system_admin", "organisation_id": str(root.id)},
        form_on=f"/admin/users/{other.id}",
    )
    assert answer.status_code == 409
    assert "一个账号不能同时担任两个" in answer.get_data(as_text=True)
    assert db.session.scalars(sa.select(StaffRole.role).filter_by(staff_id=other.id)).all() == ["audit_admin"]


def test_roles_accounts_and_locks_are_managed_and_audited(client: FlaskClient) -> None:
    root = reference_data()
    signed_in_as(client, "security_admin")
    other = make_staff("finance")
    url = f"/admin/users/{other.id}"
    submit(client, f"{url}/roles", {"role": "report_reader", "organisation_id": str(root.id)}, form_on=url)
    role_id = db.session.scalars(sa.select(StaffRole.id).filter_by(role="finance")).one()
    for path, data in (
        (f"/roles/{role_id}/revoke", {}),
        ("/active", {"is_active": "0"}),
        ("/active", {"is_active": "1"}),
        ("/unlock", {}),
        ("/reset-password", {}),
    ):
        assert submit(client, url + path, data, form_on=url).status_code in (200, 302)
    assert actions() == [
        "staff.role_granted",
        "staff.role_revoked",
        "staff.deactivated",
        "staff.activated",
        "staff.unlocked",
        "staff.password_reset",
    ]
    entry = db.session.scalars(sa.select(AuditEntry).limit(1)).one()
    assert entry.actor_name
    assert entry.request_id


def test_nobody_changes_the_own_roles_even_by_hand(client: FlaskClient) -> None:
    root = reference_data()
    own = signed_in_as(client, "security_admin")
    url = f"/admin/users/{own.id}"
    assert "授予角色" not in client.get(url).get_data(as_text=True)
    role_id = db.session.scalars(sa.select(StaffRole.id)).one()
    tries = (
        ("/roles", {"role": "finance", "organisation_id": str(root.id)}),
        (f"/roles/{role_id}/revoke", {}),
        ("/active", {"is_active": "0"}),
        ("/reset-password", {}),
        ("/unlock", {}),
    )
    for path, data in tries:
        assert submit(client, url + path, data, form_on="/admin/security").status_code == 403, path
    assert db.session.scalars(sa.select(StaffRole.role)).all() == ["security_admin"]


def test_a_scoped_security_administrator_stays_in_the_subtree(client: FlaskClient) -> None:
    inside, outside = make_organisation("红山区司法局"), make_organisation("宁城县司法局")
    root = reference_data()
    signed_in_as(client, "security_admin", inside)
    mine, foreign, both = make_staff("finance", inside), make_staff("finance", outside), make_staff("finance", inside)
    with transaction():
        db.session.add(StaffRole(staff_id=both.id, role="report_reader", organisation_id=outside.id, granted_at=utc_now()))
    page = client.get("/admin/users").get_data(as_text=True)
    assert mine.username in page
    assert foreign.username not in page
    assert client.get(f"/admin/users/{mine.id}").status_code == 200
    for other in (foreign, both):
        assert client.get(f"/admin/users/{other.id}").status_code == 404
        assert submit(client, f"/admin/users/{other.id}/reset-password", {}, form_on="/admin/security").status_code == 404
    for unit in (outside, root):
        data = {"role": "finance", "organisation_id": str(unit.id)}
        answer = submit(client, f"/admin/users/{mine.id}/roles", data, form_on=f"/admin/users/{mine.id}")
        assert answer.status_code == 422
    assert str(outside.id) not in client.get("/admin/users/new").get_data(as_text=True)


def test_the_list_is_filtered(client: FlaskClient) -> None:
    signed_in_as(client, "security_admin")
    gaowa, chen = make_staff("finance", display_name="高娃"), make_staff("cohost", display_name="陈立新")
    page = client.get("/admin/users?q=高娃").get_data(as_text=True)
    assert gaowa.username in page
    assert chen.username not in page
    page = client.get("/admin/users?role=cohost").get_data(as_text=True)
    assert chen.username in page
    assert gaowa.username not in page
    assert client.get("/admin/users?role=emperor&page=99").status_code == 200


# ---- doors

STAFF_PAGES = {
    "/admin/users": {"security_admin"},
    "/admin/users/new": {"security_admin"},
    "/admin/settings": {"system_admin"},
    "/admin/organisations": {"system_admin"},
    "/admin/audit": {"audit_admin"},
    "/admin/audit/entries.csv": {"audit_admin"},
}


@pytest.mark.parametrize("path", STAFF_PAGES)
def test_pages_open_for_their_role_alone(app: Flask, path: str) -> None:
    for role in ("system_admin", "security_admin", "audit_admin", "campaign_manager", "finance"):
        client = app.test_client()
        signed_in_as(client, role)
        assert client.get(path).status_code == (200 if role in STAFF_PAGES[path] else 403), role
    nobody = app.test_client()
    assert nobody.get(path).status_code == 302
    sign_in(nobody, make_citizen())
    assert nobody.get(path).status_code == 302


@pytest.mark.parametrize(
    "path",
    ["/users/new", "/users/{id}/roles", "/users/{id}/active", "/users/{id}/reset-password", "/users/{id}/unlock", "/settings/groups"],
)
def test_posts_of_the_wrong_role_are_refused(client: FlaskClient, path: str) -> None:
    target = make_staff("finance")
    signed_in_as(client, "campaign_manager")
    answer = submit(client, "/admin" + path.format(id=target.id), {"is_active": "0"}, form_on="/admin/security")
    assert answer.status_code == 403
    assert actions() == []


# ---- settings


def test_settings_are_shown_without_secrets(client: FlaskClient, app: Flask) -> None:
    reference_data()
    signed_in_as(client, "system_admin")
    page = client.get("/admin/settings").get_data(as_text=True)
    assert app.config["SITE_NAME"] in page
    for secret in (app.config["SECRET_KEY"], app.config["FIELD_HASH_KEY"], *app.config["FIELD_ENCRYPTION_KEYS"]):
        assert secret not in page


def test_groups_are_added_and_renamed(client: FlaskClient) -> None:
    signed_in_as(client, "system_admin")
    assert submit(client, "/admin/settings/groups", {"code": "veteran", "name": "退役军人"}, form_on="/admin/settings").status_code == 302
    submit(client, "/admin/settings/groups/youth", {"name": "青少年和学生"}, form_on="/admin/settings")
    assert queries.group_names()["veteran"] == "退役军人"
    assert queries.group_names()["youth"] == "青少年和学生"
    assert actions() == ["group.added", "group.renamed"]
    for data in ({"code": "veteran", "name": "再来"}, {"code": "Bad Code", "name": "x"}, {"code": "ok", "name": ""}):
        assert submit(client, "/admin/settings/groups", data, form_on="/admin/settings").status_code == 422
    assert submit(client, "/admin/settings/groups/nobody", {"name": "x"}, form_on="/admin/settings").status_code == 404
    assert db.session.scalar(sa.select(sa.func.count()).select_from(DemographicGroup)) == 6


def test_organisations_are_added_renamed_and_stopped(client: FlaskClient) -> None:
    root = reference_data()
    signed_in_as(client, "system_admin")
    page = "/admin/organisations"
    data = {"name": "赤峰第一中学", "parent_id": str(root.id), "region_code": "150402"}
    assert submit(client, page, data).status_code == 302
    unit = queries.search_organisations("第一中学")[0]
    assert unit.path == f"{root.path}{unit.id.hex}/"
    assert submit(client, page, data).status_code == 422
    submit(client, f"{page}/{unit.id}/rename", {"name": "赤峰市第一中学"}, form_on=page)
    submit(client, f"{page}/{unit.id}/active", {"is_active": "0"}, form_on=page)
    assert queries.search_organisations("第一中学") == []
    submit(client, f"{page}/{unit.id}/active", {"is_active": "1"}, form_on=page)
    assert [each.name for each in queries.search_organisations("第一中学")] == ["赤峰市第一中学"]
    assert actions() == ["organisation.added", "organisation.renamed", "organisation.deactivated", "organisation.activated"]
    assert submit(client, f"{page}/{root.id}/active", {"is_active": "0"}, form_on=page).status_code == 422
    assert submit(client, f"{page}/{uuid.uuid4()}/rename", {"name": "x"}, form_on=page).status_code == 404


def test_organisations_outside_the_subtree_are_not_there(client: FlaskClient) -> None:
    inside, outside = make_organisation("甲单位"), make_organisation("乙单位")
    signed_in_as(client, "system_admin", inside)
    page = client.get("/admin/organisations").get_data(as_text=True)
    assert "甲单位" in page
    assert "乙单位" not in page
    assert submit(client, f"/admin/organisations/{outside.id}/rename", {"name": "x"}, form_on="/admin/organisations").status_code == 404
    data = {"name": "新单位", "parent_id": str(outside.id)}
    assert submit(client, "/admin/organisations", data).status_code == 422

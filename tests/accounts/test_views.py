import re
import uuid

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts import queries, services
from quizapp.accounts.models import Guardian, Identity, SmsCode, UserSession
from quizapp.accounts.services import citizens
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from tests.accounts.helpers import csrf_token, issue, submit, vault, wrong
from tests.factories.accounts import count_citizens, make_citizen, make_organisation, make_phone, make_staff, reference_data, sign_in

pytestmark = pytest.mark.usefixtures("app")
PROFILE = {"demographic_group": "resident", "region": "150423", "age_band": "18_59", "agree": "1"}


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/me").status_code == 200


def session_of(client: FlaskClient, path: str = "/") -> dict[str, object]:
    with client.session_transaction(path) as session:
        return dict(session)


def field_error(page: str, name: str) -> str | None:
    found = re.search(rf'id="{name}-err">.*?</svg>([^<]+)<', page, re.S)
    return found[1] if found else None


# ---- signing in


def test_somebody_known_signs_in_and_goes_where_they_wanted(client: FlaskClient) -> None:
    phone = make_phone()
    make_citizen(phone=phone)
    answer = submit(client, "/sign-in?next=/me/profile", {"phone": phone, "code": issue(phone)})
    assert (answer.status_code, answer.location) == (302, "/me/profile")
    assert is_signed_in(client)
    assert client.get("/sign-in?next=/me").location == "/me"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\r\nX: y"])
def test_signing_in_never_leads_to_another_site(client: FlaskClient, target: str) -> None:
    phone = make_phone()
    make_citizen(phone=phone)
    page = client.get("/sign-in", query_string={"next": target})
    data = {"phone": phone, "code": issue(phone), "csrf_token": csrf_token(page)}
    answer = client.post("/sign-in", query_string={"next": target}, data=data)
    assert answer.status_code == 302
    assert answer.location.startswith("/")
    assert not answer.location.startswith(("//", "/\\"))


def test_signing_in_throws_away_what_the_browser_held(client: FlaskClient) -> None:
    """A planted session value, CSRF value or token does not survive; what a guest began does."""
    phone = make_phone()
    make_citizen(phone=phone)
    page = client.get("/sign-in")
    with client.session_transaction() as session:
        session["planted"], session["guest_attempts"], session["_user_id"] = "x", ["kept"], "stolen"
    before = session_of(client)
    answer = client.post("/sign-in", data={"phone": phone, "code": issue(phone), "csrf_token": csrf_token(page)})
    assert answer.status_code == 302
    after = session_of(client)
    assert "planted" not in after
    assert after["guest_attempts"] == ["kept"]
    assert after["_user_id"] not in (None, "stolen")
    assert after.get("csrf_token") != before["csrf_token"]
    stale = client.post("/sign-out", data={"csrf_token": csrf_token(page)})
    assert stale.status_code == 400


def test_a_wrong_code_is_said_under_its_field_and_keeps_the_number(client: FlaskClient) -> None:
    phone = make_phone()
    make_citizen(phone=phone)
    code = issue(phone)
    answer = submit(client, "/sign-in", {"phone": phone, "code": wrong(code)})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert field_error(page, "code") == "验证码不对，请再看一眼短信。"
    assert f'value="{phone}"' in page
    assert not is_signed_in(client)


def test_a_form_without_the_csrf_value_is_refused(client: FlaskClient) -> None:
    phone = make_phone()
    make_citizen(phone=phone)
    for path in ("/sign-in", "/sign-in/code", "/register", "/register/code", "/guardian", "/guardian/code", "/sign-out"):
        assert client.post(path, data={"phone": phone, "code": issue(make_phone())}).status_code == 400, path
    assert not is_signed_in(client)


def test_a_newcomer_leaves_nothing_here_before_agreeing(client: FlaskClient) -> None:
    reference_data()
    phone = make_phone()
    answer = submit(client, "/sign-in?next=/me", {"phone": phone, "code": issue(phone)})
    assert answer.location == "/register?next=/me"
    assert count_citizens() == 0
    cookie = str(client.get_cookie("quiz_citizen"))
    assert phone not in cookie
    page = client.get(answer.location).get_data(as_text=True)
    assert f"{phone[:3]}****{phone[-4:]}" in page
    assert phone not in page
    assert 'name="phone"' not in page
    refused = submit(client, answer.location, {key: value for key, value in PROFILE.items() if key != "agree"})
    assert refused.status_code == 422
    assert count_citizens() == 0
    assert submit(client, "/register?next=/me", PROFILE).location == "/me"
    assert is_signed_in(client)


def test_another_number_can_be_chosen_before_agreeing(client: FlaskClient) -> None:
    reference_data()
    phone = make_phone()
    submit(client, "/sign-in", {"phone": phone, "code": issue(phone)})
    submit(client, "/register/another-number", {}, form_on="/register")
    assert 'name="phone"' in client.get("/register").get_data(as_text=True)


def test_a_code_is_sent_without_javascript(client: FlaskClient, sms, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    phone = make_phone()
    answer = submit(client, "/sign-in/code", {"phone": phone}, form_on="/sign-in")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert sms.sent[-1][0] == phone
    assert sms.sent[-1][1] not in page
    again = submit(client, "/sign-in/code", {"phone": phone}, form_on="/sign-in")
    assert again.status_code == 429
    assert len(sms.sent) == 1
    monkeypatch.setattr(type(sms), "shows_codes", True)
    shown = submit(client, "/sign-in/code", {"phone": make_phone()}, form_on="/sign-in").get_data(as_text=True)
    assert sms.sent[-1][1] in shown
    assert "演示环境" in shown


def test_sends_are_limited_per_browser(client: FlaskClient, sms, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("quizapp.accounts.services.codes.DEVICE_PER_DAY", 3)
    statuses = [submit(client, "/sign-in/code", {"phone": make_phone()}, form_on="/sign-in").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert len(sms.sent) == 3


# ---- registering


def test_everything_at_once_on_one_page(client: FlaskClient) -> None:
    unit = make_organisation("赤峰第一中学")
    phone = make_phone()
    data = {**PROFILE, "phone": phone, "code": issue(phone), "organisation": str(unit.id)}
    answer = submit(client, "/register?next=/me&asks_organisation=1", data)
    assert answer.location == "/me"
    citizen_id = queries.find_citizen_by_phone(vault(), phone)
    assert citizen_id is not None
    profile = queries.get_profile(citizen_id)
    assert profile.is_registered
    assert (profile.organisation_id, profile.region_code) == (unit.id, "150423")
    assert client.get("/register?next=/me").location == "/me"


def test_fields_are_asked_only_where_the_campaign_needs_them(client: FlaskClient) -> None:
    reference_data()
    page = client.get("/register").get_data(as_text=True)
    assert 'name="organisation"' not in page
    assert 'name="age_band"' in page
    page = client.get("/register?asks_organisation=1&asks_age_band=0").get_data(as_text=True)
    assert 'name="organisation"' in page
    assert 'name="age_band"' not in page
    assert "已满 14 周岁" in page
    sign_in(client, make_citizen(age_band=None))
    assert client.get("/register?asks_age_band=0&next=/me").location == "/me"
    page = client.get("/register?next=/me").get_data(as_text=True)
    assert 'name="age_band"' in page
    assert 'name="region"' not in page
    assert submit(client, "/register?next=/me", {"age_band": "60_plus"}).location == "/me"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"region": "999999"}, "region"),
        ({"region": ""}, "region"),
        ({"demographic_group": "kings"}, "demographic_group"),
        ({"age_band": "7"}, "age_band"),
        ({"agree": ""}, "agree"),
        ({"code": ""}, "code"),
        ({"phone": "123"}, "phone"),
    ],
)
def test_a_bad_form_is_shown_again_with_what_was_filled_in(client: FlaskClient, values: dict[str, str], field: str) -> None:
    reference_data()
    phone = make_phone()
    answer = submit(client, "/register", {**PROFILE, "phone": phone, "code": issue(phone), **values})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert field_error(page, field)
    assert count_citizens() == 0
    if field != "region":
        assert re.search(r'<option value="150423" selected', page)


def test_a_bad_form_does_not_use_up_the_code(client: FlaskClient) -> None:
    reference_data()
    phone = make_phone()
    code = issue(phone)
    submit(client, "/register", {**PROFILE, "phone": phone, "code": code, "region": "999999"})
    assert submit(client, "/register?next=/me", {**PROFILE, "phone": phone, "code": code}).location == "/me"


def test_organisations_are_found_without_javascript(client: FlaskClient) -> None:
    unit = make_organisation("赤峰第一中学")
    data = {**PROFILE, "agree": "", "org_q": "第一", "org_find": "1"}
    answer = submit(client, "/register?asks_organisation=1", data)
    assert answer.status_code == 200
    assert f'<option value="{unit.id}"' in answer.get_data(as_text=True)
    assert count_citizens() == 0


# ---- guardian


def child_at_the_guardian(client: FlaskClient, phone: str) -> None:
    reference_data()
    data = {**PROFILE, "age_band": "under_14", "demographic_group": "youth", "phone": phone, "code": issue(phone)}
    assert submit(client, "/register?next=/me", data).location == "/guardian?next=/me"


def test_under_14_nothing_is_stored_before_the_guardian_agrees(client: FlaskClient) -> None:
    phone = make_phone()
    child_at_the_guardian(client, phone)
    assert count_citizens() == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Identity)) == 0
    assert not is_signed_in(client)
    guardian_phone = make_phone()
    code = issue(guardian_phone, "guardian")
    unticked = submit(client, "/guardian?next=/me", {"guardian_phone": guardian_phone, "code": code})
    assert unticked.status_code == 422
    assert count_citizens() == 0
    bad = submit(client, "/guardian?next=/me", {"guardian_phone": guardian_phone, "code": wrong(code), "agree": "1"})
    assert bad.status_code == 422
    assert count_citizens() == 0
    answer = submit(client, "/guardian?next=/me", {"guardian_phone": guardian_phone, "code": code, "agree": "1"})
    assert answer.location == "/me"
    assert is_signed_in(client)
    profile = queries.get_profile(db.session.scalars(sa.select(Guardian.citizen_id)).one())
    assert (profile.age_band, profile.is_registered) == ("under_14", True)


def test_a_child_is_not_the_own_guardian(client: FlaskClient) -> None:
    phone = make_phone()
    child_at_the_guardian(client, phone)
    code = issue(phone, "guardian", now=db.session.scalars(sa.select(SmsCode.created_at)).one() + citizens.UNCONSENTED_KEEP / 24)
    answer = submit(client, "/guardian", {"guardian_phone": phone, "code": code, "agree": "1"})
    assert field_error(answer.get_data(as_text=True), "guardian_phone") == "监护人的手机号要和孩子登录用的不一样。"
    assert count_citizens() == 0


def test_a_code_for_signing_in_does_not_confirm_a_guardian(client: FlaskClient) -> None:
    child_at_the_guardian(client, make_phone())
    guardian_phone = make_phone()
    answer = submit(client, "/guardian", {"guardian_phone": guardian_phone, "code": issue(guardian_phone), "agree": "1"})
    assert answer.status_code == 422
    assert count_citizens() == 0


def test_the_guardians_page_without_a_child_goes_back(client: FlaskClient) -> None:
    assert client.get("/guardian").location == "/register"


def test_a_guardians_code_without_javascript(client: FlaskClient, sms) -> None:  # type: ignore[no-untyped-def]
    child_at_the_guardian(client, make_phone())
    phone = make_phone()
    answer = submit(client, "/guardian/code", {"guardian_phone": phone}, form_on="/guardian")
    assert answer.status_code == 200
    code = sms.sent[-1][1]
    assert submit(client, "/guardian?next=/me", {"guardian_phone": phone, "code": code, "agree": "1"}).location == "/me"


def test_somebody_signed_in_who_turns_out_to_be_a_child_needs_the_guardian(client: FlaskClient) -> None:
    citizen = make_citizen(age_band=None)
    sign_in(client, citizen)
    assert submit(client, "/register?next=/me", {"age_band": "under_14"}).location == "/guardian?next=/me"
    assert queries.get_profile(citizen.id).age_band is None
    phone = make_phone()
    data = {"guardian_phone": phone, "code": issue(phone, "guardian"), "agree": "1"}
    assert submit(client, "/guardian?next=/me", data).location == "/me"
    assert queries.get_profile(citizen.id).age_band == "under_14"


# ---- the own pages


@pytest.mark.parametrize("path", ["/me", "/me/profile", "/me/sessions", "/me/export", "/me/delete"])
def test_own_pages_ask_to_sign_in_first(client: FlaskClient, path: str) -> None:
    assert client.get(path).location == f"/sign-in?next={path}"
    sign_in(client, make_staff())
    assert client.get(path).location == f"/sign-in?next={path}"


def test_me_shows_the_masked_number_and_what_is_there(client: FlaskClient) -> None:
    phone = make_phone()
    sign_in(client, make_citizen("farmer_herder", "150423", nickname="草原秀兰", phone=phone))
    page = client.get("/me").get_data(as_text=True)
    assert f"{phone[:3]}****{phone[-4:]}" in page
    assert phone not in page
    assert "农牧民，巴林右旗" in page


def test_the_profile_is_changed_on_its_page(client: FlaskClient) -> None:
    citizen = make_citizen()
    sign_in(client, citizen)
    data = {"nickname": "草原秀兰", "demographic_group": "youth", "region": "150423", "town": "150402001", "age_band": "60_plus"}
    assert submit(client, "/me/profile", data).location == "/me"
    profile = queries.get_profile(citizen.id)
    assert (profile.nickname, profile.demographic_group, profile.region_code) == ("草原秀兰", "youth", "150423")
    town = queries.list_regions("150423")[0].code
    submit(client, "/me/profile", {**data, "town": town})
    assert queries.get_profile(citizen.id).region_code == town
    assert f'<option value="{town}" selected' in client.get("/me/profile").get_data(as_text=True)
    bad = submit(client, "/me/profile", {**data, "nickname": "13800001111"})
    assert bad.status_code == 422
    assert field_error(bad.get_data(as_text=True), "nickname") == "昵称里不要写手机号、证件号。"


def test_the_profile_leads_back_to_the_page_that_asked(client: FlaskClient) -> None:
    citizen = make_citizen(age_band=None)
    sign_in(client, citizen)
    path = "/me/profile?next=/attempts/1/draw?ticket%3D2"
    page = client.get(path).get_data(as_text=True)
    assert 'href="/attempts/1/draw?ticket=2"' in page
    action = re.search(r'<form[^>]+id="f"[^>]+action="([^"]+)"', page)
    assert action is not None
    data = {"nickname": "草原秀兰", "demographic_group": "youth", "region": "150423", "age_band": "60_plus"}
    assert submit(client, action[1], data, form_on=path).location == "/attempts/1/draw?ticket=2"
    assert queries.get_profile(citizen.id).age_band == "60_plus"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_profile_never_leads_to_another_site(client: FlaskClient, target: str) -> None:
    sign_in(client, make_citizen())
    page = client.get("/me/profile", query_string={"next": target})
    data = {"nickname": "草原秀兰", "demographic_group": "youth", "region": "150423", "csrf_token": csrf_token(page)}
    answer = client.post("/me/profile", query_string={"next": target}, data=data)
    assert (answer.status_code, answer.location) == (302, "/me")
    assert f'href="{target}"' not in page.get_data(as_text=True)


def test_sessions_are_listed_and_ended_one_by_one_and_all(client: FlaskClient, app: Flask) -> None:
    citizen = make_citizen()
    others = [app.test_client() for _ in range(3)]
    for each in (client, *others):
        sign_in(each, citizen)
    stranger = app.test_client()
    sign_in(stranger, make_citizen())
    db.session.rollback()
    ids = {str(row.id): row for row in db.session.scalars(sa.select(UserSession).filter_by(citizen_id=citizen.id))}
    page = client.get("/me/sessions").get_data(as_text=True)
    assert len([one for one in ids if one in page]) == 4
    foreign = db.session.scalars(sa.select(UserSession.id).where(UserSession.citizen_id != citizen.id)).one()
    assert str(foreign) not in page
    assert submit(client, f"/me/sessions/{foreign}/end", {}, form_on="/me/sessions").status_code == 404
    assert is_signed_in(stranger)
    own = re.search(r"这台设备.*?sessions/([0-9a-f-]+)/end", page, re.S)
    assert own
    other = next(one for one in ids if one != own[1])
    submit(client, f"/me/sessions/{other}/end", {}, form_on="/me/sessions")
    assert sum(is_signed_in(each) for each in others) == 2
    submit(client, "/me/sessions/end-others", {}, form_on="/me/sessions")
    assert sum(is_signed_in(each) for each in others) == 0
    assert is_signed_in(client)
    submit(client, f"/me/sessions/{own[1]}/end", {}, form_on="/me/sessions")
    assert not is_signed_in(client)


def test_signing_out_ends_the_session_for_good(client: FlaskClient) -> None:
    sign_in(client, make_citizen())
    token = session_of(client)["_user_id"]
    submit(client, "/sign-out", {}, form_on="/me")
    assert not is_signed_in(client)
    with client.session_transaction() as session:
        session["_user_id"] = token
    assert not is_signed_in(client)


def test_privacy_is_public_and_shows_the_own_consents(client: FlaskClient) -> None:
    assert client.get("/agreement").status_code == 200
    page = client.get("/privacy").get_data(as_text=True)
    assert "导出我的数据" not in page
    citizen = make_citizen()
    sign_in(client, citizen)
    page = client.get("/privacy").get_data(as_text=True)
    assert "导出我的数据" in page
    assert "test 版" in page


def test_a_consent_is_withdrawn_and_the_accounts_own_leads_to_deleting(client: FlaskClient) -> None:

    citizen = make_citizen()
    with transaction():
        services.give_consent(citizen.id, "publicity", "2026-11", utc_now())
    sign_in(client, citizen)
    submit(client, "/me/consents/publicity/withdraw", {}, form_on="/privacy")
    db.session.rollback()
    states = {consent.purpose: consent.withdrawn_at is None for consent in queries.list_consents(citizen.id)}
    assert states == {"account": True, "publicity": False}
    assert submit(client, "/me/consents/account/withdraw", {}, form_on="/me/sessions").location == "/me/delete"
    assert queries.get_profile(citizen.id).is_registered


def test_export_is_a_download(client: FlaskClient) -> None:
    citizen = make_citizen()
    sign_in(client, citizen)
    answer = client.get("/me/export")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.json["account"]["id"] == str(citizen.id)


def test_deleting_on_the_page_names_what_is_open(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citizens, "on_delete_checks", [lambda _: "您还有 1 个奖品没领。"])
    citizen = make_citizen(phone=make_phone())
    sign_in(client, citizen)
    assert "您还有 1 个奖品没领。" in client.get("/me/delete").get_data(as_text=True)
    assert submit(client, "/me/delete", {}).status_code == 409
    assert queries.get_profile(citizen.id).status == "active"
    assert submit(client, "/me/delete", {"gives_up": "1"}).status_code == 302
    assert queries.get_profile(citizen.id).status == "deleted"
    assert not is_signed_in(client)


def test_no_url_ever_holds_the_number(client: FlaskClient) -> None:
    reference_data()
    phone = make_phone()
    answers = [submit(client, "/sign-in", {"phone": phone, "code": issue(phone)}), submit(client, "/register", PROFILE)]
    assert all(phone not in (answer.location or "") for answer in answers)


def test_a_nonsense_cookie_is_nobody(client: FlaskClient) -> None:
    for token in ("nonsense", "", "x" * 3000, str(uuid.uuid4())):
        with client.session_transaction() as session:
            session["_user_id"] = token
        assert client.get("/me").status_code == 302
    client.set_cookie("quiz_citizen", "not.signed.atall")
    assert client.get("/me").status_code == 302

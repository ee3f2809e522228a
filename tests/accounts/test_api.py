import json
import logging
import uuid

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts import queries, services
from quizapp.accounts.models import Identity, SmsCode, UserSession
from quizapp.accounts.services import citizens
from quizapp.core.db import db, transaction
from tests.accounts.helpers import at_once, issue, wrong
from tests.factories.accounts import (
    bearer_for,
    count_citizens,
    headers_for,
    make_citizen,
    make_organisation,
    make_phone,
    make_staff,
    reference_data,
    sign_in,
)

pytestmark = pytest.mark.usefixtures("app")
API = "/api/v1"


def request_code(client: FlaskClient, sms, phone: str, purpose: str = "sign_in") -> str:  # type: ignore[no-untyped-def]
    answer = client.post(f"{API}/auth/sms-codes", json={"phone": phone, "purpose": purpose})
    assert answer.status_code == 201, answer.json
    assert sms.sent[-1][0] == phone
    return sms.sent[-1][1]


def new_code(phone: str, purpose: str = "sign_in") -> str:
    """A further code without waiting the minute."""
    with transaction():
        db.session.execute(sa.delete(SmsCode))
    return issue(phone, purpose)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_signing_in_by_code_makes_a_citizen_who_needs_a_profile(client: FlaskClient, sms) -> None:  # type: ignore[no-untyped-def]
    reference_data()
    phone = make_phone()
    code = request_code(client, sms, phone)
    answer = client.post(f"{API}/auth/sessions", json={"phone": phone, "code": code})
    assert answer.status_code == 201
    citizen = answer.json["citizen"]
    assert citizen["needs_profile"] is True
    assert citizen["phone"] == f"{phone[:3]}****{phone[-4:]}"
    me = client.get(f"{API}/me", headers=bearer(answer.json["token"])).json
    assert me["id"] == citizen["id"]
    assert (me["demographic_group"], me["region"], me["organisation"], me["point_balance"]) == (None, None, None, 0)
    assert "Set-Cookie" not in answer.headers


def test_the_profile_is_given_field_by_field(client: FlaskClient) -> None:
    unit = make_organisation("赤峰第一中学")
    headers = headers_for(make_citizen(None, None, None, has_consent=False))
    assert client.patch(f"{API}/me", headers=headers, json={"group": "youth", "region": "150423"}).json["needs_profile"] is True
    body = {"consent_version": services.CONSENT_VERSION, "organisation": str(unit.id), "age_band": "18_59", "nickname": "草原 秀兰"}
    answer = client.patch(f"{API}/me", headers=headers, json=body)
    assert answer.status_code == 200
    assert answer.json["needs_profile"] is False
    assert answer.json["demographic_group"] == {"code": "youth", "name": "青少年"}
    assert answer.json["region"] == {"code": "150423", "name": "巴林右旗"}
    assert answer.json["organisation"] == {"code": str(unit.id), "name": "赤峰第一中学", "id": str(unit.id)}
    assert answer.json["age_band"]["code"] == "18_59"
    assert answer.json["nickname"] == "草原 秀兰"
    assert client.patch(f"{API}/me", headers=headers, json={"organisation": None}).json["organisation"] is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"region": "000000"}, 422, "unknown_region"),
        ({"region": "150400"}, 422, "unknown_region"),
        ({"group": "kings"}, 422, "unknown_group"),
        ({"demographic_group": "kings"}, 422, "unknown_group"),
        ({"organisation": "nonsense"}, 422, "unknown_organisation"),
        ({"organisation": str(uuid.uuid4())}, 422, "unknown_organisation"),
        ({"age_band": "7"}, 422, "unknown_age_band"),
        ({"age_band": "under_14"}, 409, "guardian_consent_required"),
        ({"nickname": "13800001111"}, 422, "bad_nickname"),
        ({"consent_version": "1999"}, 422, "unknown_consent_version"),
        ({"region": 150402}, 422, "invalid_input"),
        ({"region": None}, 422, "invalid_input"),
        ({"region": "1504\x00"}, 422, "invalid_input"),
        ({"region": "\ud800"}, 422, "invalid_input"),
        ({"phone": "13800001111"}, 422, "invalid_input"),
        ({"nickname": "x" * 100_000}, 422, "invalid_input"),
        ([], 422, "invalid_input"),
    ],
)
def test_bad_profiles_are_refused_with_a_code_and_a_sentence(client: FlaskClient, body: object, status: int, code: str) -> None:
    citizen = make_citizen(age_band=None)
    before = queries.get_profile(citizen.id)
    answer = client.patch(f"{API}/me", headers=headers_for(citizen), data=json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"]
    assert queries.get_profile(citizen.id) == before


@pytest.mark.parametrize("phone", ["", "1380000560", "23800005602", "13800005602\x00", "x" * 10_000, "１３８００００５６０２"])
def test_bad_numbers_are_refused(client: FlaskClient, sms, phone: str) -> None:  # type: ignore[no-untyped-def]
    for path, body in (("sms-codes", {"phone": phone}), ("sessions", {"phone": phone, "code": "123456"})):
        answer = client.post(f"{API}/auth/{path}", json=body)
        assert answer.status_code == 422
        assert phone == "" or phone not in answer.get_data(as_text=True)
    assert sms.sent == []


def test_wrong_expired_and_exhausted_codes(client: FlaskClient, sms) -> None:  # type: ignore[no-untyped-def]
    phone = make_phone()
    code = request_code(client, sms, phone)

    def attempt(text: str) -> tuple[int, str]:
        answer = client.post(f"{API}/auth/sessions", json={"phone": phone, "code": text})
        return answer.status_code, (answer.json or {}).get("code", "")

    for _ in range(5):
        assert attempt(wrong(code)) == (422, "code_wrong")
    assert attempt(code) == (429, "code_tries_exceeded")
    fresh = new_code(phone)
    with transaction():
        db.session.execute(sa.update(SmsCode).values(expires_at=SmsCode.created_at))
    assert attempt(fresh) == (422, "code_expired")
    assert count_citizens() == 0


def test_a_second_code_within_a_minute_is_refused_with_its_wait(client: FlaskClient, sms) -> None:  # type: ignore[no-untyped-def]
    phone = make_phone()
    request_code(client, sms, phone)
    answer = client.post(f"{API}/auth/sms-codes", json={"phone": phone})
    assert (answer.status_code, answer.json["code"]) == (429, "too_many_codes")
    assert 55 <= answer.json["retry_after_seconds"] <= 61
    assert answer.headers["Retry-After"] == str(answer.json["retry_after_seconds"])
    assert len(sms.sent) == 1


def test_the_code_is_shown_only_by_a_sender_that_shows_codes_in_the_demo(client: FlaskClient, app: Flask, sms, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    ask = lambda: client.post(f"{API}/auth/sms-codes", json={"phone": make_phone()}).json  # noqa: E731
    assert "demo_code" not in ask()
    monkeypatch.setattr(type(sms), "shows_codes", True)
    shown = ask()
    assert shown["demo_code"] == sms.sent[-1][1]
    monkeypatch.setitem(app.config, "IS_DEMO_SIGN_IN", False)
    assert "demo_code" not in ask()


def test_one_phone_on_two_devices_at_once_is_one_citizen(app: Flask) -> None:
    """The same code from eight devices: one gets in, no second citizen, no fault."""
    reference_data()
    phone = make_phone()
    code = issue(phone)
    clients = [app.test_client() for _ in range(8)]

    def enter(number: int) -> int:
        return clients[number].post(f"{API}/auth/sessions", json={"phone": phone, "code": code}).status_code

    results = at_once(app, enter, 8)
    assert sorted(results) == [201] + [422] * 7
    assert count_citizens() == 1
    second = client_token(app, phone)
    assert queries.get_profile(uuid.UUID(second["citizen"]["id"])).citizen_id == db.session.scalars(sa.select(Identity.citizen_id)).one()


def client_token(app: Flask, phone: str) -> dict[str, dict[str, str]]:
    answer = app.test_client().post(f"{API}/auth/sessions", json={"phone": phone, "code": new_code(phone)})
    assert answer.status_code == 201
    body: dict[str, dict[str, str]] = answer.json
    return body


def test_signing_out_ends_the_token(client: FlaskClient) -> None:
    headers = headers_for(make_citizen())
    assert client.delete(f"{API}/auth/sessions/current", headers=headers).status_code == 204
    assert client.get(f"{API}/me", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/me"), ("PATCH", "/me"), ("DELETE", "/me"), ("GET", "/me/export"), ("DELETE", "/auth/sessions/current")],
)
def test_doors_of_the_own_endpoints(client: FlaskClient, method: str, path: str) -> None:
    for headers in ({}, bearer("nonsense"), headers_for(make_staff())):
        answer = client.open(API + path, method=method, headers=headers, json={} if method == "PATCH" else None)
        assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in")


def test_a_bad_bearer_is_refused_even_with_a_good_cookie(client: FlaskClient) -> None:
    sign_in(client, make_citizen())
    assert client.get(f"{API}/me").status_code == 200
    assert client.get(f"{API}/me", headers=bearer("nonsense")).status_code == 401


def test_the_cookie_needs_the_csrf_value_and_the_bearer_does_not(client: FlaskClient) -> None:
    citizen = make_citizen()
    sign_in(client, citizen)
    answer = client.patch(f"{API}/me", json={"nickname": "别人改的"})
    assert (answer.status_code, answer.json["code"]) == (400, "csrf_failed")
    assert client.delete(f"{API}/me").status_code == 400
    assert client.patch(f"{API}/me", json={"nickname": "自己改的"}, headers=headers_for(citizen)).status_code == 200
    assert queries.get_profile(citizen.id).nickname == "自己改的"


def test_under_14_by_the_api_needs_the_guardians_code(client: FlaskClient, sms) -> None:  # type: ignore[no-untyped-def]
    phone, guardian_phone = make_phone(), make_phone()
    citizen = make_citizen("youth", "150402", None, phone=phone, has_consent=False)
    headers = headers_for(citizen)
    body = {"age_band": "under_14", "consent_version": services.CONSENT_VERSION}
    code = request_code(client, sms, guardian_phone, "guardian")
    for guardian, expected in (
        ({"phone": guardian_phone, "code": wrong(code)}, "code_wrong"),
        ({"phone": guardian_phone, "code": "12"}, "code_wrong"),
        ({"phone": phone, "code": issue(phone, "guardian")}, "guardian_phone_same"),
        ({"phone": make_phone(), "code": code}, "code_expired"),
    ):
        answer = client.patch(f"{API}/me", headers=headers, json={**body, "guardian": guardian})
        assert answer.json["code"] == expected
    assert queries.get_profile(citizen.id).age_band is None
    answer = client.patch(f"{API}/me", headers=headers, json={**body, "guardian": {"phone": guardian_phone, "code": code}})
    assert answer.status_code == 200
    assert answer.json["is_guardian_confirmed"] is True
    assert [consent.given_by for consent in queries.list_consents(citizen.id)] == ["guardian"]


def test_export_is_a_file_of_the_own_data(client: FlaskClient) -> None:
    phone = make_phone()
    citizen = make_citizen(phone=phone)
    answer = client.get(f"{API}/me/export", headers=headers_for(citizen))
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.json["account"]["id"] == str(citizen.id)
    assert phone not in answer.get_data(as_text=True)


def test_deleting_the_own_account(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citizens, "on_delete_checks", [lambda _: "您还有 1 个奖品没领。"])
    headers = headers_for(make_citizen(phone=make_phone()))
    refused = client.delete(f"{API}/me", headers=headers)
    assert (refused.status_code, refused.json["code"], refused.json["reasons"]) == (409, "open_claims", ["您还有 1 个奖品没领。"])
    assert client.delete(f"{API}/me?gives_up=true", headers=headers).status_code == 204
    assert client.get(f"{API}/me", headers=headers).status_code == 401
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Identity)) == 0


def test_lists_to_choose_from(client: FlaskClient) -> None:
    unit = make_organisation("赤峰第一中学")
    counties = client.get(f"{API}/regions").json
    assert len(counties["items"]) == 13
    assert counties["items"][0] == {"code": "150402", "name": "红山区", "level": "county", "parent": "150400"}
    assert counties["next"] is None
    towns = client.get(f"{API}/regions?parent=150423").json["items"]
    assert {town["level"] for town in towns} == {"town"}
    assert client.get(f"{API}/regions?parent=nowhere").json["items"] == []
    found = client.get(f"{API}/organisations?q=二中").json["items"]
    assert found == []
    assert client.get(f"{API}/organisations?q=第一").json["items"][0]["id"] == str(unit.id)
    assert client.get(f"{API}/organisations").json["items"] == []
    assert client.get(f"{API}/organisations?q=%00").status_code == 422
    assert len(client.get(f"{API}/demographic-groups").json["items"]) == 5


def test_nobody_reads_another_citizen(client: FlaskClient) -> None:
    mine, other = make_citizen(nickname="我自己"), make_citizen(nickname="别的人")
    seen = client.get(f"{API}/me", headers=headers_for(mine)).get_data(as_text=True)
    assert str(other.id) not in seen
    exported = client.get(f"{API}/me/export", headers=headers_for(mine)).get_data(as_text=True)
    assert "别的人" not in exported


def test_no_number_code_or_token_is_logged(client: FlaskClient, sms, caplog: pytest.LogCaptureFixture, capfd) -> None:  # type: ignore[no-untyped-def]
    reference_data()
    phone = make_phone()
    with caplog.at_level(logging.DEBUG):
        code = request_code(client, sms, phone)
        client.post(f"{API}/auth/sms-codes", json={"phone": phone})
        client.post(f"{API}/auth/sessions", json={"phone": phone, "code": wrong(code)})
        token = client.post(f"{API}/auth/sessions", json={"phone": phone, "code": code}).json["token"]
        client.get(f"{API}/me", headers=bearer(token))
    written = caplog.text + capfd.readouterr().err
    assert phone not in written
    assert token not in written
    assert code not in written


def test_tokens_are_not_in_the_database_and_bodies_hold_no_more_than_promised(client: FlaskClient) -> None:
    token = bearer_for(make_citizen())
    body = client.get(f"{API}/me", headers=bearer(token)).json
    assert token not in json.dumps(body)
    assert token.encode() not in b"".join(db.session.scalars(sa.select(UserSession.token_hash)))

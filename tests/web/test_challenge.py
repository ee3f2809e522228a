"""A little work at peaks only: solved, replayed, borrowed, late; waiting instead; and a whole village behind one address."""

import base64
import hashlib
import json
import re
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from quizapp.campaigns.models import Campaign
from quizapp.core import challenges
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError
from quizapp.web import challenge, limits
from tests.factories.accounts import headers_for, make_citizen
from tests.factories.campaigns import make_campaign

PHONE = {"X-Device-Id": "a1b2c3d4e5f60718"}


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    limits._counts.clear()
    challenge.forget_mode()
    yield
    challenge.forget_mode()


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make_campaign()


def _switch(mode: str) -> None:
    with transaction():
        challenges.set_mode(mode, utc_now())
    challenge.forget_mode()


def _solve(asked: dict[str, Any]) -> str:
    for number in range(asked["maxnumber"]):
        if hashlib.sha256(f"{asked['salt']}{number}".encode()).hexdigest() == asked["challenge"]:
            return base64.b64encode(json.dumps({**asked, "number": number}).encode()).decode()
    raise AssertionError("no solution")


def _start(client: FlaskClient, solution: str = "", device: dict[str, str] = PHONE) -> Any:
    headers = {**device, **({"X-Challenge-Solution": solution} if solution else {})}
    return client.post("/api/v1/campaigns/c/attempts", json={}, headers=headers)


def test_nothing_is_asked_off_peak(client: FlaskClient, campaign: Campaign) -> None:
    assert _start(client).status_code == 201


def test_load_switches_it_on_and_staff_can_switch_it_off(app: Flask, client: FlaskClient, campaign: Campaign) -> None:
    before = app.config["CHALLENGE_PER_MINUTE"]
    app.config["CHALLENGE_PER_MINUTE"] = 2
    try:
        assert [_start(client).status_code for _ in range(3)] == [201, 201, 428]
        _switch("off")
        assert _start(client).status_code == 201
    finally:
        app.config["CHALLENGE_PER_MINUTE"] = before


def test_a_solution_lets_one_request_of_its_device_through(client: FlaskClient, campaign: Campaign) -> None:
    _switch("on")
    refused = _start(client)
    assert (refused.status_code, refused.get_json()["code"]) == (428, "challenge_required")
    solution = _solve(refused.get_json()["challenge"])
    assert _start(client, solution, {"X-Device-Id": "ffffffffffffffff"}).status_code == 428
    assert _start(client, solution).status_code == 201
    assert _start(client, solution).status_code == 428


def test_wrong_borrowed_and_late_solutions_are_refused(client: FlaskClient, campaign: Campaign) -> None:
    _switch("on")
    asked = _start(client).get_json()["challenge"]
    right = json.loads(base64.b64decode(_solve(asked)))
    for change in ({"number": right["number"] + 1}, {"signature": "0" * 64}, {"salt": right["salt"].replace("for=", "for=x")}):
        assert _start(client, base64.b64encode(json.dumps({**right, **change}).encode()).decode()).status_code == 428
    for nonsense in ("x", "wait:", "wait:1.2.3.4", "e30=", base64.b64encode(b"[" * 500).decode()):
        assert _start(client, nonsense).status_code == 428
    with time_machine.travel(utc_now() + challenge.LIFE, tick=False):
        assert _start(client, _solve(asked)).status_code == 428


def test_who_cannot_solve_waits_and_goes_on(client: FlaskClient, campaign: Campaign) -> None:
    _switch("on")
    slip = _start(client).get_json()["wait"]["slip"]
    early = _start(client, slip)
    assert early.status_code == 428
    assert early.get_json()["wait"]["slip"] == slip, "waiting does not begin anew"
    with time_machine.travel(utc_now() + challenge.LIFE / 10, tick=False):
        assert _start(client, slip).status_code == 201
        assert _start(client, slip).status_code == 428


def test_the_page_keeps_what_was_sent_and_works_without_script(client: FlaskClient, campaign: Campaign) -> None:
    _switch("on")
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/campaigns/c").get_data(as_text=True))
    assert token is not None
    page = client.post("/campaigns/c/start", data={"csrf_token": token[1], "client_nonce": "ab12"})
    text = page.get_data(as_text=True)
    assert page.status_code == 428
    assert 'name="client_nonce" value="ab12"' in text
    slip = re.search(r'name="challenge_solution" value="([^"]+)"', text)
    assert slip is not None
    with time_machine.travel(utc_now() + challenge.LIFE / 10, tick=False):
        done = client.post("/campaigns/c/start", data={"csrf_token": token[1], "client_nonce": "ab12", "challenge_solution": slip[1]})
    assert done.status_code == 303


def test_text_messages_ask_for_it_too_and_signed_in_citizens_never(app: Flask, client: FlaskClient, campaign: Campaign, sms: Any) -> None:
    _switch("on")
    sent = client.post("/api/v1/auth/sms-codes", json={"phone": "13800000001"}, headers=PHONE)
    assert sent.status_code == 428
    solved = {**PHONE, "X-Challenge-Solution": _solve(sent.get_json()["challenge"])}
    assert client.post("/api/v1/auth/sms-codes", json={"phone": "13800000001"}, headers=solved).status_code == 201
    assert client.post("/api/v1/campaigns/c/attempts", json={}, headers=headers_for(make_citizen())).status_code == 201


def test_used_challenges_are_forgotten_when_they_ran_out(app: Flask, client: FlaskClient, campaign: Campaign) -> None:
    _switch("on")
    assert _start(client, _solve(_start(client).get_json()["challenge"])).status_code == 201
    with transaction():
        assert challenges.delete_old(utc_now() + 2 * challenge.LIFE) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(challenges.UsedChallenge)) == 0


def test_two_hundred_people_behind_one_address_play_and_get_their_codes(
    app: Flask, client: FlaskClient, campaign: Campaign, sms: Any
) -> None:
    """A carrier puts a whole city behind one address; each phone has its own limits."""
    for number in range(200):
        phone = {"X-Device-Id": f"{number:016x}"}
        assert _start(client, device=phone).status_code == 201
        sent = client.post("/api/v1/auth/sms-codes", json={"phone": f"138{number:08d}"}, headers=phone)
        assert sent.status_code == 201, sent.get_json()
    again = client.post("/api/v1/auth/sms-codes", json={"phone": "13800000000"}, headers=phone)
    assert (again.status_code, again.get_json()["code"]) == (429, "too_many_codes")


def test_an_unknown_mode_is_refused(app: Flask) -> None:
    with pytest.raises(ValueError), transaction():
        challenges.set_mode("sometimes", utc_now())
    assert issubclass(challenge.ChallengeRequired, AppError)

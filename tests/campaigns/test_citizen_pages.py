import datetime as dt

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from quizapp.campaigns import queries
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from tests.factories import accounts, campaigns, questions

PRIZES = ({"name": "帆布袋", "kind": "pickup", "quantity": 10, "odds_ppm": 20_000},)


@pytest.fixture(autouse=True)
def _bank(app: Flask) -> None:
    with transaction():
        accounts.reference_data()
        questions.make_bank("consumer-rights", count=12)


def _make(slug: str, **kw: object) -> None:
    with transaction():
        campaigns.make_campaign(slug, **kw)
    queries.forget_campaigns()


def _soup(client: FlaskClient, path: str) -> BeautifulSoup:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def test_a_running_campaign_leads_straight_to_the_first_question_without_a_form(client: FlaskClient) -> None:
    _make("now", prizes=PRIZES)
    page = _soup(client, "/campaigns/now")
    button = page.select_one("button[form=start]")
    form = page.select_one("form#start")
    assert button is not None
    assert form is not None
    assert form["action"] == "/campaigns/now/start"
    assert {field.get("name") for field in form.select("input")} == {"csrf_token", "client_nonce"}
    assert "百分之 2" in page.text


@pytest.mark.parametrize(("opens", "closes", "state"), [(1, 3, "soon"), (-3, -1, "ended")])
def test_outside_its_window_a_campaign_cannot_be_started(client: FlaskClient, opens: int, closes: int, state: str) -> None:
    now = utc_now()
    _make("off", opens_at=now + dt.timedelta(days=opens), closes_at=now + dt.timedelta(days=closes))
    page = _soup(client, "/campaigns/off")
    assert page.select_one("form#start") is None
    body = client.get("/api/v1/campaigns/off").json
    assert body["state"] == state
    assert [item["slug"] for item in client.get(f"/api/v1/campaigns?state={state}").json["items"]] == ["off"]


def test_the_rules_page_states_terms_odds_and_seals(client: FlaskClient) -> None:
    _make("now", prizes=PRIZES)
    view = queries.get_campaign("now")
    text = _soup(client, "/campaigns/now/rules").text
    assert view.terms_hash in text
    assert "未成年人不抽奖" in text
    body = client.get("/api/v1/campaigns/now/rules").json
    assert body["manifest_hash"] in text
    assert body["terms_hash"] == view.terms_hash


def test_home_and_list_show_what_is_on(client: FlaskClient) -> None:
    _make("now")
    for path in ("/", "/campaigns"):
        assert _soup(client, path).select_one("a[href='/campaigns/now']") is not None


def test_an_unknown_campaign_is_a_page_and_a_problem(client: FlaskClient) -> None:
    assert client.get("/campaigns/none").status_code == 404
    answer = client.get("/api/v1/campaigns/none")
    assert (answer.status_code, answer.mimetype, answer.json["code"]) == (404, "application/problem+json", "not_found")


def test_an_unknown_state_is_refused(client: FlaskClient) -> None:
    answer = client.get("/api/v1/campaigns?state=later")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")

"""Pages and API of campaigns with several quizzes: what can be begun, the registration, what was earned."""

import datetime as dt
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Citizen
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import Award, Band, Board, Component, Condition, Entry, EntryField, Gift, Measure, Stage, Terms, Track
from quizapp.core.clock import utc_now
from tests.factories import attempts as make
from tests.factories.accounts import bearer_for, make_citizen
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_terms

HOUR = dt.timedelta(hours=1)
FIELDS = (
    EntryField("school", "学校", "给学校计算参与率"),
    EntryField("grade", "年级", "分年级出榜", kind="choice", choices=("初一", "初二")),
)


def _terms() -> Terms:
    now = utc_now()
    terms = make_terms(now=now, prizes=ONE_CODE_PRIZE)
    first = replace(terms.main, id="one", title="第一关")
    second = replace(terms.main, id="two", title="第二关", requires=Condition("done", at_least=1))
    later = replace(terms.main, id="late", title="决赛", stages=("final",))
    bands = (Band((Gift("points", 5), Gift("tickets", 2)), Condition("all_right", at_least=1)),)
    return replace(
        terms,
        quizzes=(first, second, later),
        stages=(Stage("first", terms.opens_at, now + 48 * HOUR), Stage("final", now + 48 * HOUR, terms.closes_at)),
        tracks=(Track("solo", "个人赛"), Track("team", "团队赛", kind="team")),
        entry=Entry(fields=FIELDS),
        measures=(Measure("done", where=Condition("passed", at_least=1), quizzes=("one",), title="通过第一关的次数"),),
        awards=(Award("full", bands, title="全对奖"),),
        boards=(Board("people", "个人榜", by=(Component("done"),)),),
    )


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make_campaign("levels", terms=_terms())


@pytest.fixture
def citizen(app: Flask) -> Citizen:
    return make_citizen()


def _me(citizen: Citizen) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer_for(citizen)}"}


ENTRY = {"track": "team", "team": "红山先锋", "answers": {"school": "松山二中", "grade": "初一"}, "is_on_boards": True}


def test_the_api_leads_from_registration_to_the_next_level(client: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    me = _me(citizen)
    refused = client.post("/api/v1/campaigns/levels/attempts", json={"quiz": "one"}, headers=me)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "entry_required")
    missing = client.put("/api/v1/campaigns/levels/entry", json={"track": "team", "team": "红山先锋"}, headers=me)
    assert missing.status_code == 422
    assert set(missing.get_json()["errors"]) == {"school", "grade"}
    entered = client.put("/api/v1/campaigns/levels/entry", json=ENTRY, headers=me)
    assert entered.status_code == 200
    assert {key: entered.get_json()[key] for key in ENTRY} == ENTRY
    fixed = client.put("/api/v1/campaigns/levels/entry", json={**ENTRY, "track": "solo"}, headers=me)
    assert (fixed.status_code, fixed.get_json()["code"]) == (409, "track_fixed")
    states = client.get("/api/v1/campaigns/levels/season", headers=me).get_json()
    assert [(quiz["id"], quiz["code"]) for quiz in states["quizzes"]] == [("one", None), ("two", "not_unlocked"), ("late", "round_closed")]
    assert states["quizzes"][2]["next_at"] is not None
    make.play(campaign, citizen, quiz_id="one")
    states = client.get("/api/v1/campaigns/levels/season", headers=me).get_json()
    assert states["quizzes"][1]["can_start"]
    assert states["progress"] == [{"title": "通过第一关的次数", "value": 1}]
    assert [(item["title"], item["points"]) for item in states["earned"]] == [("全对奖", 5)]
    assert client.post("/api/v1/campaigns/levels/attempts", json={"quiz": "two"}, headers=me).status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"quiz": "none"}, "not_found"),
        ({"quiz": 3}, "invalid_input"),
        ({"channel": "fax"}, "invalid_input"),
        ({"channel": None}, "invalid_input"),
    ],
)
def test_nonsense_is_refused(client: FlaskClient, campaign: Campaign, citizen: Citizen, body: dict[str, object], code: str) -> None:
    refused = client.post("/api/v1/campaigns/levels/attempts", json=body, headers=_me(citizen))
    assert refused.get_json()["code"] == code


@pytest.mark.parametrize("body", [{"answers": []}, {"answers": {"school": 1}}, {"track": 1}, {"is_on_boards": "yes"}, {"track": "nobody"}])
def test_a_registration_of_the_wrong_shape_is_refused(
    client: FlaskClient, campaign: Campaign, citizen: Citizen, body: dict[str, object]
) -> None:
    assert client.put("/api/v1/campaigns/levels/entry", json=body, headers=_me(citizen)).status_code == 422


def test_a_plain_campaign_has_no_registration(client: FlaskClient, citizen: Citizen) -> None:
    make_campaign("plain")
    assert client.put("/api/v1/campaigns/plain/entry", json=ENTRY, headers=_me(citizen)).status_code == 404
    assert client.get("/campaigns/plain/season").status_code == 302


def test_a_guest_is_led_to_sign_in(client: FlaskClient, campaign: Campaign) -> None:
    page = client.get("/campaigns/levels/season").get_data(as_text=True)
    assert "/sign-in" in page
    assert "/campaigns/levels/season" in client.get("/campaigns/levels").get_data(as_text=True)


def test_tickets_of_awards_are_drawn_on_the_attempts_own_page(client: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    me = _me(citizen)
    client.put("/api/v1/campaigns/levels/entry", json=ENTRY, headers=me)
    attempt = make.play(campaign, citizen, quiz_id="one")
    assert attempt.ticket_count == 3
    for number in (1, 2, 3):
        assert client.post(f"/api/v1/attempts/{attempt.id}/draws", json={"ticket": number}, headers=me).status_code == 200
    fourth = client.post(f"/api/v1/attempts/{attempt.id}/draws", json={"ticket": 4}, headers=me)
    assert fourth.get_json()["code"] == "no_ticket"

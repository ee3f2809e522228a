import datetime as dt

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from quizapp.audit.services import SYSTEM
from quizapp.campaigns import queries
from quizapp.campaigns.services import running
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


def test_where_guests_are_not_allowed_the_way_in_is_signing_in(client: FlaskClient) -> None:
    _make("exam", kind="statutory_exam")
    page = _soup(client, "/campaigns/exam")
    assert page.select_one("button[form=start]") is None
    (link,) = page.select(".act a.btn")
    assert link["href"].startswith("/sign-in?next=")
    accounts.sign_in(client, accounts.make_citizen())
    assert _soup(client, "/campaigns/exam").select_one("button[form=start]") is not None


def test_a_paused_campaign_says_why_and_cannot_be_started(client: FlaskClient) -> None:
    _make("now")
    campaigns.pause(queries.get_campaign("now"), "奖品补货")  # type: ignore[arg-type]  # only its id is used
    page = _soup(client, "/campaigns/now")
    assert "奖品补货" in page.text
    assert page.select_one("button[form=start]") is None
    assert client.get("/api/v1/campaigns/now").json["state"] == "paused"


def test_somebody_outside_the_circle_is_told_why(client: FlaskClient) -> None:
    _make("now", eligibility={"regions": ("150404",)})
    accounts.sign_in(client, accounts.make_citizen(region="150402"))
    page = _soup(client, "/campaigns/now")
    assert page.select_one("button[form=start]") is None
    assert "旗县区" in page.select_one(".chance").text


def test_an_earlier_version_of_the_rules_stays_readable(client: FlaskClient) -> None:
    now = utc_now()
    _make("now")
    view = queries.get_campaign("now")
    with transaction():
        running.extend_campaign(view.id, closes_at=view.terms.closes_at + dt.timedelta(days=1), now=now, actor=SYSTEM)
    current, old = _soup(client, "/campaigns/now/rules"), _soup(client, "/campaigns/now/rules?version=1")
    closes = [page.select("dl.facts time")[1]["datetime"] for page in (old, current)]
    assert dt.datetime.fromisoformat(closes[0]) + dt.timedelta(days=1) == dt.datetime.fromisoformat(closes[1])
    assert old.select_one(".note-gold") is not None
    assert current.select_one(".note-gold") is None
    assert _soup(client, "/campaigns/now/rules?version=99").select_one(".note-gold") is None
    assert len(client.get("/api/v1/campaigns/now/rules").json["versions"]) == 2


def test_what_staff_typed_cannot_become_markup(client: FlaskClient) -> None:
    nasty = "<script>alert(1)</script>"
    _make("now", title=nasty, prizes=({"name": '"><img src=x>', "kind": "pickup", "quantity": 1, "odds_ppm": 1},))
    for path in ("/", "/campaigns", "/campaigns/now", "/campaigns/now/rules"):
        page = _soup(client, path)
        assert not page.find_all("script", src=None)
        assert not page.select('img[src="x"]')
        assert nasty in page.text


def test_pages_are_not_kept_by_caches(client: FlaskClient) -> None:
    _make("now")
    for path in ("/", "/campaigns", "/campaigns/now"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_a_campaign_that_begins_later_today_does_not_say_zero_days(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
    _make("soon", now=noon, opens_at=noon + dt.timedelta(hours=2), closes_at=noon + dt.timedelta(days=2))
    monkeypatch.setattr("quizapp.campaigns.views.utc_now", lambda: noon)
    text = _soup(client, "/campaigns/soon").select_one(".chance").text
    assert "今天" in text
    assert "0" not in text.replace("14:00", "")


def test_an_ended_campaign_shows_its_days(client: FlaskClient) -> None:
    now = utc_now()
    _make("over", opens_at=now - dt.timedelta(days=5), closes_at=now - dt.timedelta(days=2), prizes=PRIZES)
    page = _soup(client, "/campaigns/over")
    assert page.select_one("a[href='/campaigns/over/rules']") is not None
    assert page.select_one("a[href='/campaigns/over/verify']") is not None

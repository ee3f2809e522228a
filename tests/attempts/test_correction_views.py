"""Pages of corrected keys, and what the citizen sees: report, answer, correction, new score."""

import uuid
from collections.abc import Iterator

import pytest
import time_machine
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Citizen
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import Points
from quizapp.core.db import db, transaction
from quizapp.questions import queries, services
from quizapp.questions.models import KeyCorrection, Question
from tests.attempts.conftest import MINUTE, NOW
from tests.attempts.test_remarking import play
from tests.factories import corrections as fix
from tests.factories.accounts import add_role, headers_for, make_citizen, make_organisation, make_staff, sign_in
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign
from tests.factories.questions import make_bank


@pytest.fixture(autouse=True)
def no_csrf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quizapp.web.security.csrf.protect", lambda: None)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW + 2 * MINUTE, tick=False):
        yield


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    queries.forget_corrections()
    make_bank(count=5, kinds=("single",), now=NOW)
    return make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, points=Points(passed=20, failed=5, daily_limit=3))


@pytest.fixture
def citizen(campaign: Campaign) -> Citizen:
    return make_citizen(now=NOW)


def _question() -> Question:
    db.session.rollback()
    return db.session.query(Question).filter_by(code="q-001").one()


def _propose(client: FlaskClient, **changes: object) -> object:
    data = {"mode": "rekey", "answer": ["1"], "reason": "对照第二十五条", "notice": "原答案错了，已改正。", "suspends": "1", **changes}
    return client.post(f"/admin/corrections/new/{_question().id}", data=data)


def test_one_proposes_with_a_look_at_the_effect_and_another_confirms(client: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    play(campaign, citizen, {"q-001": {1}, "q-002": {1}})
    editor = make_staff("question_editor")
    sign_in(client, editor)
    looked = _propose(client, preview="1")
    assert [tag.text for tag in BeautifulSoup(looked.text, "html.parser").select(".sum b")] == ["1", "0", "1", "0"]  # type: ignore[attr-defined]
    assert db.session.query(KeyCorrection).count() == 0
    assert _propose(client, reason="").status_code == 422  # type: ignore[attr-defined]
    assert _propose(client, answer=["0"]).status_code == 422  # type: ignore[attr-defined]
    url = _propose(client).location  # type: ignore[attr-defined]
    assert _question().status == "suspended"
    assert client.get(url).status_code == 200
    assert client.post(f"{url}/confirmation").status_code == 403
    sign_in(client, make_staff("question_reviewer", make_organisation("松山区司法局")))
    assert client.post(f"{url}/confirmation").status_code == 404
    sign_in(client, make_staff("question_reviewer"))
    assert client.post(f"{url}/confirmation").status_code == 302
    assert client.get(f"{url}/progress").json["state"] == "running"
    fix.work(NOW + 2 * MINUTE)
    body = client.get(f"{url}/progress").json
    assert (body["state"], body["location"], body["percent"]) == ("ready", url, 100)
    assert client.get(url).status_code == 200
    assert client.get("/admin/corrections").status_code == 200


def test_somebody_with_both_roles_still_needs_a_second_person(client: FlaskClient, campaign: Campaign) -> None:
    staff = make_staff("question_editor")
    add_role(staff, "question_reviewer")
    sign_in(client, staff)
    url = _propose(client).location  # type: ignore[attr-defined]
    assert client.post(f"{url}/confirmation").status_code == 403
    assert client.post(f"{url}/cancellation").status_code == 302
    assert _question().status == "published"


@pytest.mark.parametrize("role", ["campaign_manager", "approver", "finance", "system_admin", "cohost", "question_reviewer"])
def test_proposing_is_for_editors(client: FlaskClient, campaign: Campaign, role: str) -> None:
    sign_in(client, make_staff(role))
    assert _propose(client).status_code == 403  # type: ignore[attr-defined]


def test_the_citizen_is_told_on_the_result_and_by_the_api(client: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    attempt = play(campaign, citizen, {"q-001": {1}, "q-002": {1}})
    sign_in(client, citizen)
    before = client.get(f"/attempts/{attempt.id}/result").text
    assert "更正" not in before
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW + MINUTE, explanation="改正后的讲解：七日内可以退。")
    fix.work(NOW + 2 * MINUTE)
    page = client.get(f"/attempts/{attempt.id}/result").text
    assert "原来的答案写错了，已经按法条改正。" in page
    assert "从答对 3 题改为 4 题" in page
    assert "补给您 1 个红包" in page
    assert "补给您 15 积分" in page
    assert "改正后的讲解" in page
    body = client.get(f"/api/v1/attempts/{attempt.id}", headers=headers_for(citizen)).json
    corrected = [question for question in body["questions"] if question["correction"]]
    assert len(corrected) == 1
    assert corrected[0]["answer"] == corrected[0]["chosen"] != corrected[0]["correction"]["answer_before"]
    assert (body["correct_count"], body["passed"], body["ticket_count"], body["points"]) == (4, True, 1, 20)


def test_a_correction_gives_no_key_away_while_feedback_is_withheld(client: FlaskClient, app: Flask) -> None:
    make_bank(count=5, kinds=("single",), now=NOW)
    campaign = make_campaign(now=NOW, feedback="after_close")
    citizen = make_citizen(now=NOW)
    attempt = play(campaign, citizen, {"q-001": {1}})
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW + MINUTE)
    fix.work(NOW + 2 * MINUTE)
    body = client.get(f"/api/v1/attempts/{attempt.id}", headers=headers_for(citizen)).json
    assert {question["correction"] for question in body["questions"]} == {None}
    sign_in(client, citizen)
    page = client.get(f"/attempts/{attempt.id}/result")
    assert "更正" not in page.text


def test_a_citizen_reports_a_question_and_reads_the_answer(client: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    attempt = play(campaign, citizen, {})
    url = f"/attempts/{attempt.id}/2/report"
    sign_in(client, citizen)
    assert client.get(url).status_code == 200
    assert client.post(url, data={"reason": ""}).status_code == 422
    assert client.post(url, data={"reason": "other", "text": ""}).status_code == 422
    assert client.post(url, data={"reason": "key", "text": "对照第二十五条"}).status_code == 302
    assert client.post(url, data={"reason": "typo"}).status_code == 302
    (own,) = queries.list_own_faults(citizen.id)
    assert (own.reason, own.text, own.state) == ("key", "对照第二十五条", "open")
    with transaction():
        services.answer_fault(own.id, state="declined", answer="核对过，第二十五条就是这样写的。", now=NOW, actor=fix.SYSTEM)
    for page in (url, f"/attempts/{attempt.id}/result", "/me/reports"):
        assert "第二十五条就是这样写的" in client.get(page).text, page


def test_only_ones_own_graded_paper_can_be_reported(client: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    attempt = play(campaign, citizen, {})
    url = f"/api/v1/attempts/{attempt.id}/questions/1/reports"
    assert client.post(url, json={"reason": "key"}).status_code == 401
    stranger = headers_for(make_citizen(now=NOW))
    assert client.post(url, json={"reason": "key"}, headers=stranger).status_code == 404
    me = headers_for(citizen)
    for wrong in ("9", "0"):
        assert client.post(url.replace("/1/", f"/{wrong}/"), json={"reason": "key"}, headers=me).status_code == 404
    for body in ({"reason": "x"}, {"reason": 1}, {"reason": "key", "text": "a\u0000b"}, {"reason": "key", "more": 1}, {}):
        assert client.post(url, json=body, headers=me).status_code == 422, body
    made = client.post(url, json={"reason": "key", "text": "错了"}, headers=me)
    assert (made.status_code, made.json["state"]) == (201, "open")
    assert client.post(url, json={"reason": "key"}, headers=me).status_code == 409
    open_paper = client.post("/api/v1/campaigns/c/attempts", headers=me).json["id"]
    assert client.post(f"/api/v1/attempts/{open_paper}/questions/1/reports", json={"reason": "key"}, headers=me).status_code == 404
    assert client.post(f"/api/v1/attempts/{uuid.uuid4()}/questions/1/reports", json={"reason": "key"}, headers=me).status_code == 404

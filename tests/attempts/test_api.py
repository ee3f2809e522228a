import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Citizen
from quizapp.attempts import queries
from quizapp.attempts.models import Attempt, AttemptEvent
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db
from quizapp.questions.queries import get_revisions, list_pool
from tests.attempts.conftest import MINUTE, NOW
from tests.factories import attempts as make
from tests.factories.accounts import headers_for, make_citizen
from tests.factories.campaigns import make_campaign

API = "/api/v1"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def me(clock: time_machine.Traveller, citizen: Citizen) -> dict[str, str]:
    return headers_for(citizen)


def _start(client: FlaskClient, headers: dict[str, str] | None = None, slug: str = "c", **body: Any) -> Any:
    return client.post(f"{API}/campaigns/{slug}/attempts", json=body or None, headers=headers)


def _put(client: FlaskClient, paper: str, position: int, choices: Any, headers: dict[str, str] | None = None, **more: Any) -> Any:
    return client.put(f"{API}/attempts/{paper}/answers/{position}", json={"choices": choices, **more}, headers=headers)


def _submit(client: FlaskClient, paper: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return client.post(f"{API}/attempts/{paper}/submission", json=body or None, headers=headers)


def _answer_all(client: FlaskClient, paper: str, headers: dict[str, str], right: int = 5) -> None:
    for question in queries.get_attempt(uuid.UUID(paper)).questions:
        letters = make.right_letters(question) if question.position <= right else make.wrong_letters(question)
        assert _put(client, paper, question.position, letters, headers).status_code == 200


# ---- bodies other programs count on


def test_a_whole_attempt(client: FlaskClient, campaign: Campaign, me: dict[str, str]) -> None:
    started = _start(client, me, client_nonce="ab" * 32)
    assert started.status_code == 201
    paper = started.json
    assert paper["deadline_at"] == "2026-11-22T10:05:00+08:00"
    assert (paper["question_count"], [q["position"] for q in paper["questions"]]) == (5, [1, 2, 3, 4, 5])
    for question in paper["questions"]:
        assert set(question) == {"position", "kind", "stem", "choices"}
        assert question["kind"] in ("single", "multiple", "indefinite", "judge")
        keys = [choice["key"] for choice in question["choices"]]
        assert keys == list("ABCD"[: len(keys)])
        if question["kind"] == "judge":
            assert question["choices"] == [{"key": "A", "text": "对"}, {"key": "B", "text": "错"}]
    assert "guest_token" not in paper

    again = _start(client, me)
    assert (again.status_code, again.json) == (200, paper)

    _answer_all(client, paper["id"], me, right=4)
    read = client.get(f"{API}/attempts/{paper['id']}", headers=me).json
    assert (read["state"], read["campaign"]) == ("open", {"slug": "c", "title": "测试竞答"})
    assert all(question["chosen"] for question in read["questions"])

    result = _submit(client, paper["id"], me)
    assert result.status_code == 200
    body = result.json
    assert (body["correct_count"], body["question_count"], body["passed"], body["ticket_count"]) == (4, 5, True, 1)
    assert body["feedback_at"] is None
    assert [question["correct"] for question in body["questions"]] == [True] * 4 + [False]
    for question in body["questions"]:
        assert {"position", "chosen", "answer", "correct", "explanation", "citations"} <= set(question)
        assert question["citations"] == [{"law": "消费者权益保护法", "article": "25"}]
    assert _submit(client, paper["id"], me).json == body
    assert result.data == _submit(client, paper["id"], me).data

    later = client.get(f"{API}/attempts/{paper['id']}", headers=me).json
    assert (later["state"], later["correct_count"], later["points"]) == ("graded", 4, 20)
    assert later["questions"][0]["stem"] == paper["questions"][0]["stem"]
    assert later["questions"][4]["answer"] == body["questions"][4]["answer"]


def test_the_displayed_letters_are_the_graded_ones(client: FlaskClient, campaign: Campaign, me: dict[str, str]) -> None:
    """By the texts alone, as a citizen answers: what was displayed under a letter is what the letter means."""
    paper = _start(client, me).json
    by_stem = {view.stem: view for view in _views()}
    for question in paper["questions"]:
        view = by_stem[question["stem"]]
        right = {view.choices[index] for index in view.answer}
        letters = [choice["key"] for choice in question["choices"] if choice["text"] in right]
        assert _put(client, paper["id"], question["position"], letters, me).json == {"position": question["position"], "choices": letters}
    assert _submit(client, paper["id"], me).json["correct_count"] == 5


def _views() -> list[Any]:
    return list(get_revisions(item.revision_id for item in list_pool(banks=("consumer-rights",))).values())


def test_large_type_lengthens_the_time(client: FlaskClient, campaign: Campaign, me: dict[str, str]) -> None:
    assert _start(client, me, large_type=True).json["deadline_at"] == "2026-11-22T10:08:00+08:00"


def test_a_guests_whole_attempt(client: FlaskClient, campaign: Campaign, me: dict[str, str]) -> None:
    started = _start(client)
    assert started.status_code == 201
    paper, token = started.json["id"], started.json["guest_token"]
    guest = {"X-Guest-Token": token}
    _answer_all(client, paper, guest)
    right = make.right_letters(queries.get_attempt(uuid.UUID(paper)).questions[0])
    assert _put(client, paper, 1, right, guest_token=token).status_code == 200
    read = client.get(f"{API}/attempts/{paper}", headers=guest)
    assert read.json["state"] == "open"
    for _ in range(2):
        refused = _submit(client, paper, guest_token=token)
        assert (refused.status_code, refused.json["code"]) == (401, "registration_required")
        assert refused.mimetype == "application/problem+json"
    read = client.get(f"{API}/attempts/{paper}", headers=guest).json
    assert (read["state"], "questions" in read, "correct_count" in read) == ("handed_in", False, False)
    assert _put(client, paper, 1, ["A"], guest).json["code"] == "attempt_closed"

    adopted = client.post(f"{API}/attempts/{paper}/adoption", json={"guest_token": token}, headers=me)
    assert (adopted.status_code, adopted.json["state"], adopted.json["correct_count"]) == (200, "graded", 5)
    assert client.post(f"{API}/attempts/{paper}/adoption", json={"guest_token": token}, headers=me).json == adopted.json
    stranger = headers_for(make_citizen())
    again = client.post(f"{API}/attempts/{paper}/adoption", json={"guest_token": token}, headers=stranger)
    assert (again.status_code, again.json["code"]) == (409, "already_adopted")
    assert client.get(f"{API}/attempts/{paper}", headers=guest).status_code == 404
    assert _submit(client, paper, me).json["correct_count"] == 5


def test_adoption_is_for_citizens(client: FlaskClient, campaign: Campaign, clock: Any) -> None:
    started = _start(client).json
    refused = client.post(f"{API}/attempts/{started['id']}/adoption", json={"guest_token": started["guest_token"]})
    assert (refused.status_code, refused.json["code"]) == (401, "not_signed_in")


def test_the_own_list_is_paged(client: FlaskClient, campaign: Campaign, me: dict[str, str], clock: time_machine.Traveller) -> None:
    ids = []
    for number in range(3):
        clock.move_to(NOW + number * 10 * MINUTE)
        paper = _start(client, me).json["id"]
        _answer_all(client, paper, me)
        _submit(client, paper, me)
        ids.append(paper)
    first = client.get(f"{API}/me/attempts?limit=2", headers=me).json
    assert [item["id"] for item in first["items"]] == [ids[2], ids[1]]
    second = client.get(f"{API}/me/attempts?limit=2&after={first['next']}", headers=me).json
    assert ([item["id"] for item in second["items"]], second["next"]) == ([ids[0]], None)
    item = second["items"][0]
    assert (item["state"], item["correct_count"], item["passed"], item["campaign"]["slug"]) == ("graded", 5, True, "c")
    assert client.get(f"{API}/me/attempts").status_code == 401


@pytest.mark.parametrize("after", ["x", "%00", "MjAyNg", "MjAyNi0xMS0yMlQwMDowMDowMHx4", "~~~"])
def test_a_nonsense_cursor_is_refused(client: FlaskClient, campaign: Campaign, me: dict[str, str], after: str) -> None:
    answer = client.get(f"{API}/me/attempts?after={after}", headers=me)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")


# ---- refusals


def test_the_days_tries_run_out(client: FlaskClient, citizen: Citizen, me: dict[str, str]) -> None:
    make_campaign("once", now=NOW, per_day=1)
    paper = _start(client, me, slug="once").json["id"]
    _submit(client, paper, me)
    refused = _start(client, me, slug="once")
    assert (refused.status_code, refused.json["code"], refused.json["detail"]) == (409, "attempt_limit_reached", "今日答题次数已用完")


def test_a_late_answer_is_refused_and_its_event_survives_the_refusal(
    client: FlaskClient, campaign: Campaign, me: dict[str, str], clock: time_machine.Traveller
) -> None:
    paper = _start(client, me).json["id"]
    assert _put(client, paper, 1, ["A"], me).status_code == 200
    clock.move_to(NOW + 5 * MINUTE)
    late = _put(client, paper, 2, ["B"], me)
    assert (late.status_code, late.json["code"]) == (409, "attempt_closed")
    db.session.rollback()
    [event] = db.session.scalars(sa.select(AttemptEvent)).all()
    assert (event.kind, event.details) == ("late_answer", {"position": 2, "choices": ["B"]})
    read = client.get(f"{API}/attempts/{paper}", headers=me).json
    assert (read["state"], "questions" in read) == ("handed_in", False)
    result = _submit(client, paper, me).json
    assert [question["chosen"] for question in result["questions"]] == [["A"], [], [], [], []]


def test_a_paper_without_answers_is_closed_at_its_deadline(
    client: FlaskClient, campaign: Campaign, me: dict[str, str], clock: time_machine.Traveller
) -> None:
    paper = _start(client, me).json["id"]
    clock.move_to(NOW + 5 * MINUTE)
    assert client.get(f"{API}/attempts/{paper}", headers=me).json["state"] == "lapsed"
    refused = _submit(client, paper, me)
    assert (refused.status_code, refused.json["code"]) == (409, "attempt_closed")
    db.session.rollback()
    assert db.session.scalar(sa.select(Attempt.state)) == "lapsed"
    assert _start(client, me).status_code == 201


def test_a_result_waits_for_the_profile_and_says_what_is_missing(client: FlaskClient, campaign: Campaign, clock: Any) -> None:
    new = headers_for(make_citizen(group=None, region=None))
    paper = _start(client, new).json["id"]
    _answer_all(client, paper, new)
    for _ in range(2):
        refused = _submit(client, paper, new)
        assert (refused.status_code, refused.json["code"]) == (409, "profile_incomplete")
        assert refused.json["missing"] == ["demographic_group", "region"]
    assert client.get(f"{API}/attempts/{paper}", headers=new).json["state"] == "handed_in"
    told = client.patch(f"{API}/me", json={"demographic_group": "youth", "region": "150402"}, headers=new)
    assert told.status_code == 200
    assert _submit(client, paper, new).json["correct_count"] == 5


def test_an_unknown_age_band_is_the_draws_question_not_the_results(client: FlaskClient, campaign: Campaign, clock: Any) -> None:
    person = headers_for(make_citizen(age_band=None))
    paper = _start(client, person).json["id"]
    _answer_all(client, paper, person)
    assert _submit(client, paper, person).json["ticket_count"] == 1
    refused = client.post(f"{API}/attempts/{paper}/draws", json={"ticket": 1}, headers=person)
    assert (refused.status_code, refused.json["code"]) == (409, "profile_incomplete")


def test_nobody_reads_or_touches_anothers_attempt(client: FlaskClient, campaign: Campaign, me: dict[str, str]) -> None:
    paper = _start(client, me).json["id"]
    own_guest = _start(client).json
    strangers: list[dict[str, str]] = [headers_for(make_citizen()), {}, {"X-Guest-Token": own_guest["guest_token"]}]
    for headers in strangers:
        for answer in (
            client.get(f"{API}/attempts/{paper}", headers=headers),
            _put(client, paper, 1, ["A"], headers),
            _submit(client, paper, headers),
        ):
            assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert client.get(f"{API}/attempts/{own_guest['id']}", headers=me).status_code == 404
    assert client.get(f"{API}/attempts/{uuid.uuid4()}", headers=me).status_code == 404


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        (["E"], "invalid_choice"),
        ([], "invalid_choice"),
        (["A", "A"], "invalid_choice"),
        (["AB"], "invalid_choice"),
        (["a"], "invalid_choice"),
        (["\x00"], "invalid_choice"),
        ("A", "invalid_input"),
        (None, "invalid_input"),
        ([1], "invalid_input"),
        ([["A"]], "invalid_input"),
        ([None], "invalid_input"),
        (["A"] * 9, "invalid_input"),
        (["x" * 5000], "invalid_input"),
        ({"A": 1}, "invalid_input"),
    ],
)
def test_choices_that_are_none_are_refused(client: FlaskClient, campaign: Campaign, me: dict[str, str], choices: Any, code: str) -> None:
    paper = _start(client, me).json["id"]
    answer = _put(client, paper, 1, choices, me)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert queries.get_attempt(uuid.UUID(paper)).saved_positions == ()


@pytest.mark.parametrize("position", ["0", "6", "99", "501", "99999999999999999999999"])
def test_positions_that_do_not_exist_are_not_found(client: FlaskClient, campaign: Campaign, me: dict[str, str], position: str) -> None:
    paper = _start(client, me).json["id"]
    assert client.put(f"{API}/attempts/{paper}/answers/{position}", json={"choices": ["A"]}, headers=me).status_code == 404


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 201),
        (b"{}", "application/json", 201),
        (b"null", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"1", "application/json", 422),
        (b'"x"', "application/json", 422),
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"client_nonce": 5}', "application/json", 422),
        (b'{"client_nonce": "xyz"}', "application/json", 422),
        (b'{"client_nonce": "%s"}' % (b"a" * 65), "application/json", 422),
        (b'{"large_type": "yes"}', "application/json", 422),
        (b'{"large_type": 1}', "application/json", 422),
        (b'{"other": 1}', "application/json", 422),
        (b'{"client_nonce": null}', "application/json", 201),
        (b"client_nonce=ab", "application/x-www-form-urlencoded", 415),
        (b"[" * 200_000, "application/json", 400),
        (b"x" * (10 * 1024 * 1024), "application/json", 413),
    ],
)
def test_odd_bodies(client: FlaskClient, campaign: Campaign, me: dict[str, str], body: bytes, kind: str, status: int) -> None:
    answer = client.post(f"{API}/campaigns/c/attempts", data=body, content_type=kind, headers=me)
    assert answer.status_code == status, answer.text[:300]
    if status >= 400:
        assert answer.mimetype == "application/problem+json"
        assert answer.json["code"]


@pytest.mark.parametrize("token", [5, None, ["x"], "x" * 101, "\x00"])
def test_odd_guest_tokens_are_refused(client: FlaskClient, campaign: Campaign, clock: Any, token: Any) -> None:
    paper = _start(client).json["id"]
    assert _put(client, paper, 1, ["A"], guest_token=token).status_code == 422
    assert client.post(f"{API}/attempts/{paper}/submission", json={"guest_token": token}).status_code == 422


@pytest.mark.parametrize("slug", ["nothing", "%00", "a%0ab", "%F0%9F%98%80", "x" * 300])
def test_a_campaign_that_does_not_exist(client: FlaskClient, campaign: Campaign, me: dict[str, str], slug: str) -> None:
    assert client.post(f"{API}/campaigns/{slug}/attempts", headers=me).status_code == 404


def test_an_idempotency_key_repeats_the_first_answer(client: FlaskClient, campaign: Campaign, clock: Any) -> None:
    headers = {"Idempotency-Key": "k1", "X-Device-Id": "0123456789abcdef"}
    first, second = (client.post(f"{API}/campaigns/c/attempts", headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code, second.json) == (201, 201, first.json)
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) == 1


def test_a_bad_bearer_is_not_a_guest(client: FlaskClient, campaign: Campaign, clock: Any) -> None:
    assert _start(client, {"Authorization": "Bearer nonsense"}).status_code == 401


def test_no_more_guests_than_the_device_may(client: FlaskClient, citizen: Citizen, clock: Any) -> None:
    make_campaign("few", now=NOW, eligibility={"guest_starts_per_device_day": 2})
    phone = {"X-Device-Id": "0123456789abcdef"}
    assert [_start(client, phone, slug="few").status_code for _ in range(3)] == [201, 201, 409]
    refused = _start(client, phone, slug="few")
    assert (refused.json["code"], refused.json["limit"]) == ("guest_limit_reached", 2)
    assert _start(client, {"X-Device-Id": "fedcba9876543210"}, slug="few").status_code == 201


# ---- the key


def test_no_answer_before_the_hand_in_carries_the_key(client: FlaskClient, campaign: Campaign, me: dict[str, str]) -> None:
    """Every body that leaves before the answer is final is searched for the words and the texts of the key."""
    texts = {text for view in _views() for text in (view.explanation, "第 1 题的讲解", "消费者权益保护法")}
    guest = _start(client).json
    token = {"X-Guest-Token": guest["guest_token"]}
    paper = _start(client, me).json["id"]
    seen = [json.dumps(guest), _start(client, me).text]
    for headers, attempt in ((me, paper), (token, guest["id"])):
        for position in range(1, 6):
            seen.append(_put(client, attempt, position, ["A"], headers).text)
            seen.append(_put(client, attempt, position, ["Z"], headers).text)
            seen.append(_put(client, attempt, position, ["A"], {}).text)
            seen.append(client.get(f"{API}/attempts/{attempt}", headers=headers).text)
    seen.append(_submit(client, guest["id"], token).text)
    seen.append(client.get(f"{API}/attempts/{guest['id']}", headers=token).text)
    seen.append(client.get(f"{API}/me/attempts", headers=me).text)
    seen.append(client.get(f"{API}/campaigns/c").text)
    for body in seen:
        for word in ('"answer"', '"correct"', '"explanation"', '"citations"', *texts):
            assert word not in body
    assert any(text in _submit(client, paper, me).text for text in texts)


def test_withheld_feedback_stays_withheld_everywhere(client: FlaskClient, citizen: Citizen, me: dict[str, str]) -> None:
    make_campaign("later", now=NOW, feedback="after_close")
    paper = _start(client, me, slug="later").json["id"]
    _answer_all(client, paper, me, right=3)
    result = _submit(client, paper, me)
    read = client.get(f"{API}/attempts/{paper}", headers=me)
    for answer in (result, read):
        assert answer.json["correct_count"] == 3
        assert answer.json["feedback_at"] == "2026-12-02T10:00:00+08:00"
        for question in answer.json["questions"]:
            assert [question[name] for name in ("answer", "correct", "explanation", "citations")] == [None] * 4
            assert question["chosen"]
        assert "的讲解" not in answer.text


def test_bodies_stay_small(client: FlaskClient, campaign: Campaign, me: dict[str, str]) -> None:
    paper = _start(client, me)
    assert len(paper.data) < 4096
    assert len(_submit(client, paper.json["id"], me).data) < 6144


def test_the_document_names_every_endpoint(client: FlaskClient, app: Flask) -> None:
    paths = client.get(f"{API}/openapi.json").json["paths"]
    for path, method in (
        ("/api/v1/campaigns/{slug}/attempts", "post"),
        ("/api/v1/attempts/{attempt_id}", "get"),
        ("/api/v1/attempts/{attempt_id}/answers/{position}", "put"),
        ("/api/v1/attempts/{attempt_id}/submission", "post"),
        ("/api/v1/attempts/{attempt_id}/adoption", "post"),
        ("/api/v1/me/attempts", "get"),
    ):
        operation = paths[path][method]
        assert operation["summary"]
        assert {"200", "201"} & set(operation["responses"])
        if method in ("put",) or path.endswith("adoption"):
            assert operation["requestBody"]["content"]["application/json"]["schema"]["required"]

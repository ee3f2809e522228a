"""Forty citizens play through the API from eight threads; the report equals what was played."""

import datetime as dt
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Citizen
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import db, transaction
from quizapp.questions import queries as questions_queries
from tests.factories import accounts, campaigns, questions

SLUG = "main-job"
KEY_WORDS = ("answer", "correct", "explanation", "citations")


@pytest.fixture
def campaign(app: Flask) -> str:
    with transaction():
        accounts.reference_data()
        questions.make_bank("consumer-rights", count=12)
        campaigns.make_campaign(
            SLUG,
            now=utc_now() - dt.timedelta(hours=1),
            prizes=({"name": "帆布袋", "kind": "pickup", "quantity": 1000, "odds_ppm": 300_000},),
        )
    return SLUG


def _call(client: FlaskClient, method: str, path: str, token: str, body: Any = None) -> Any:
    return client.open(f"/api/v1/{path}", method=method, json=body, headers={"Authorization": f"Bearer {token}"})


def _right_answers() -> dict[str, list[str]]:
    """Texts of the right choices by stem: what a perfect citizen knows."""
    pool = questions_queries.list_pool(banks=("consumer-rights",))
    views = questions_queries.get_revisions([item.revision_id for item in pool])
    return {view.stem: [view.choices[n] for n in view.answer] for view in views.values()}


def _play(app: Flask, token: str, number: int, known: dict[str, list[str]]) -> dict[str, Any]:
    """One round; every third citizen errs on purpose. Returns what the citizen saw."""
    client = app.test_client()
    started = _call(client, "POST", f"campaigns/{SLUG}/attempts", token, {"client_nonce": f"{number:032x}"})
    assert started.status_code == 201, started.text
    paper = started.json
    again = _call(client, "POST", f"campaigns/{SLUG}/attempts", token, {})
    assert (again.status_code, again.json) == (200, paper)
    for question in paper["questions"]:
        assert not set(KEY_WORDS) & set(question)
        right = [c["key"] for c in question["choices"] if c["text"] in known[question["stem"]]]
        chosen = right if number % 3 else [question["choices"][0]["key"]]
        saved = _call(client, "PUT", f"attempts/{paper['id']}/answers/{question['position']}", token, {"choices": chosen})
        assert saved.status_code == 200, saved.text
    read = _call(client, "GET", f"attempts/{paper['id']}", token)
    assert not any(f'"{word}"' in json.dumps(read.json["questions"]) for word in KEY_WORDS)

    results: list[Any] = []
    draws: list[Any] = []

    def together(path: str, body: Any, into: list[Any]) -> None:
        def one() -> None:
            answer = _call(app.test_client(), "POST", path, token, body)
            into.append((answer.status_code, answer.json))

        threads = [threading.Thread(target=one) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    together(f"attempts/{paper['id']}/submission", None, results)
    assert [status for status, _ in results] == [200, 200, 200], results
    assert results[0] == results[1] == results[2]
    result = results[0][1]
    if result["ticket_count"]:
        together(f"attempts/{paper['id']}/draws", {"ticket": 1}, draws)
        assert [status for status, _ in draws] == [200, 200, 200], draws
        assert draws[0] == draws[1] == draws[2]
    else:
        refused = _call(client, "POST", f"attempts/{paper['id']}/draws", token, {"ticket": 1})
        assert (refused.status_code, refused.json["code"]) == (409, "no_ticket")
    with app.app_context():
        db.session.remove()
    return {
        "attempt": paper["id"],
        "passed": result["passed"],
        "correct": result["correct_count"],
        "won": bool(draws) and draws[0][1]["outcome"] == "won",
    }


def test_forty_citizens_from_eight_threads_and_the_report_equals_what_was_played(app: Flask, campaign: str) -> None:
    result = app.test_cli_runner().invoke(
        args=["demo", "citizens", "--count", "40", "--tokens", str(app.config["DATA_DIR"] + "/tokens.txt")]
    )
    assert result.exit_code == 0, result.output
    with open(app.config["DATA_DIR"] + "/tokens.txt", encoding="ascii") as file:
        tokens = file.read().split()
    assert len(set(tokens)) == 40
    known = _right_answers()
    db.session.remove()
    with ThreadPoolExecutor(8) as threads:
        played = list(threads.map(lambda pair: _play(app, pair[1], pair[0], known), enumerate(tokens)))

    client = app.test_client()
    strangers = [_call(client, "GET", f"attempts/{played[0]['attempt']}", tokens[n]).status_code for n in range(1, 40)]
    assert set(strangers) == {404}
    put = _call(client, "PUT", f"attempts/{played[0]['attempt']}/answers/1", tokens[1], {"choices": ["A"]})
    assert put.status_code == 404

    with transaction():
        reader = accounts.bearer_for(accounts.make_staff("report_reader", has_totp=True))
    today = shanghai_day(utc_now()).isoformat()
    report = _call(client, "GET", f"admin/reports/participation?campaign={SLUG}&from={today}&to={today}&by=demographic_group", reader)
    assert report.status_code == 200, report.text
    total = report.json["total"]
    passed = sum(one["passed"] for one in played)
    assert 0 < passed < 40
    assert (total["attempt_count"], total["valid_attempt_count"], total["participant_count"], total["passed_count"]) == (40, 40, 40, passed)
    assert total["pass_rate"] == round(passed / 40, 4)
    assert total["mean_correct"] == pytest.approx(sum(one["correct"] for one in played) / 40, abs=0.0001)
    groups = Counter(db.session.scalars(sa.select(Citizen.demographic_group)).all())
    assert {row["demographic_group"]: row["attempt_count"] for row in report.json["rows"]} == dict(groups)

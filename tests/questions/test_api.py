from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from quizapp.questions import loader, queries
from tests.factories.accounts import headers_for, make_citizen, make_organisation, make_staff
from tests.factories.questions import make_bank, make_entry

pytestmark = pytest.mark.usefixtures("app")
PATH = "/api/v1/admin/question-banks/consumer-rights/imports"
HEAD = {"title": "题库", "theme": "consumer"}


@pytest.fixture
def editor(client: FlaskClient) -> dict[str, str]:
    return headers_for(make_staff("question_editor"))


def _entry(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"q-{number}",
        "kind": "single",
        "stem": "网购的毛衣第 5 天想退，可以怎么办？",
        "choices": ["换货", "退货", "鉴定", "求情"],
        "answer": "B",
        "explanation": "可以退，七日内不用说理由。",
        "citations": [{"law": "消费者权益保护法", "article": 25}],
        "difficulty": 2,
        **changes,
    }


def test_entries_make_a_new_bank_and_then_revisions(client: FlaskClient, editor: dict[str, str]) -> None:
    body = {"bank": HEAD, "entries": [_entry(1), _entry(2)]}
    answer = client.post(PATH, json=body, headers=editor)
    assert answer.status_code == 201
    assert answer.json == {
        "bank": "consumer-rights",
        "is_new": True,
        "added": ["q-1", "q-2"],
        "revised": [],
        "unchanged_count": 0,
        "kept": [],
        "missing": [],
    }
    answer = client.post(PATH, json={"entries": [_entry(2, stem="改过的题干")]}, headers=editor)
    assert (answer.json["revised"], answer.json["missing"], answer.json["is_new"]) == (["q-2"], ["q-1"], False)


@pytest.mark.parametrize("as_body", [True, False])
def test_yaml_is_taken_as_a_field_and_as_the_body(client: FlaskClient, editor: dict[str, str], as_body: bool) -> None:
    make_bank(count=2)
    text = loader.write_entries((make_entry(1), make_entry(9)))
    if as_body:
        answer = client.post(PATH, data=text.encode(), content_type="application/yaml", headers=editor)
    else:
        answer = client.post(PATH, json={"yaml": text}, headers=editor)
    assert answer.status_code == 201, answer.json
    assert answer.json["added"] == ["q-009"]


def test_mistakes_come_back_row_by_row_and_nothing_is_taken(client: FlaskClient, editor: dict[str, str]) -> None:
    body = {"bank": HEAD, "entries": [_entry(1), _entry(2, answer="Z"), 5]}
    answer = client.post(PATH, json=body, headers=editor)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "bank_file_invalid"
    assert [(row["number"], row["entry"], row["field"]) for row in answer.json["rows"]] == [(2, "q-2", "answer"), (3, "", "")]
    assert queries.list_bank_counts() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"entries": [], "yaml": "x"},
        {"bank": HEAD, "entries": []},
        {"bank": HEAD, "entries": {}},
        {"bank": HEAD, "yaml": "- {"},
        {"bank": {"title": "x"}, "entries": [_entry(1)]},
        {"bank": {"title": "x" * 101, "theme": "x"}, "entries": [_entry(1)]},
        {"bank": HEAD, "entries": [_entry(1)], "unknown": 1},
        {"bank": HEAD, "entries": [{"id": {"a": []}, "kind": [], "answer": {}, "citations": 3}]},
        {"bank": HEAD, "entries": [[[[[]]]]]},
    ],
)
def test_bodies_that_make_no_sense_are_refused(client: FlaskClient, editor: dict[str, str], body: dict[str, Any]) -> None:
    assert client.post(PATH, json=body, headers=editor).status_code == 422


@pytest.mark.parametrize("raw", [b"[1]", b'"x"', b"{", b"\xff\xfe"])
def test_json_that_is_not_an_object_is_refused(client: FlaskClient, editor: dict[str, str], raw: bytes) -> None:
    assert client.post(PATH, data=raw, content_type="application/json", headers=editor).status_code in (400, 422)


def test_a_body_over_the_limit_is_refused(client: FlaskClient, app: Flask, editor: dict[str, str]) -> None:
    raw = b'{"yaml": "' + b"x" * app.config["MAX_CONTENT_LENGTH"] + b'"}'
    assert client.post(PATH, data=raw, content_type="application/json", headers=editor).status_code == 413


def test_an_unknown_bank_without_a_head_is_not_found(client: FlaskClient, editor: dict[str, str]) -> None:
    assert client.post(PATH, json={"entries": [_entry(1)]}, headers=editor).status_code == 404
    assert (
        client.post(PATH.replace("consumer-rights", "Bad_Slug"), json={"bank": HEAD, "entries": [_entry(1)]}, headers=editor).status_code
        == 422
    )


def test_only_editors_may_and_only_in_their_own_banks(client: FlaskClient) -> None:
    county = make_organisation("松山区司法局")
    make_bank(count=2)
    make_bank("county-bank", count=2, organisation_id=county.id)
    body = {"entries": [_entry(1)]}
    for person, status in (
        (make_citizen(), 401),
        (make_staff("campaign_manager"), 403),
        (make_staff("question_reviewer"), 403),
        (make_staff("question_editor", county), 404),
        (make_staff("question_editor", make_organisation("红山区司法局")), 404),
    ):
        assert client.post(PATH, json=body, headers=headers_for(person)).status_code == status
    assert client.post(PATH, json=body).status_code == 401
    path = PATH.replace("consumer-rights", "county-bank")
    assert client.post(path, json=body, headers=headers_for(make_staff("question_editor", county))).status_code == 201
    stranger = make_staff("question_editor", make_organisation("红山区司法局"))
    assert client.post(path, json=body, headers=headers_for(stranger)).status_code == 404


def test_a_repeated_import_with_its_key_answers_the_same(client: FlaskClient, editor: dict[str, str]) -> None:
    body = {"bank": HEAD, "entries": [_entry(1)]}
    headers = {**editor, "Idempotency-Key": "import-1"}
    first = client.post(PATH, json=body, headers=headers)
    second = client.post(PATH, json=body, headers=headers)
    assert first.json == second.json
    assert second.headers["Idempotent-Replay"] == "true"


def test_the_document_describes_both_bodies(client: FlaskClient) -> None:
    spec = client.get("/api/v1/openapi.json").json
    content = spec["paths"]["/api/v1/admin/question-banks/{slug}/imports"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "application/yaml"}

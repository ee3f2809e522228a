import datetime as dt
import hashlib
import json

import pytest
from flask.testing import FlaskClient

from quizapp.core.clock import utc_now
from quizapp.core.ids import new_id
from quizapp.lottery import jobs, proof
from quizapp.lottery.models import Draw
from tests.factories.accounts import headers_for, make_citizen
from tests.factories.lottery import Pool, count_rows, grant, ledger_lines, make_attempt, make_pool, win

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.timedelta(days=1)


@pytest.fixture
def pool() -> Pool:
    return make_pool(now=utc_now())


def _draw(client: FlaskClient, headers: dict[str, str], attempt: object, body: object = None):  # type: ignore[no-untyped-def]
    return client.post(f"/api/v1/attempts/{attempt}/draws", json={} if body is None else body, headers=headers)


def test_a_draw_answers_with_the_outcome_and_repeats_it(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    headers, attempt = headers_for(citizen), make_attempt(pool, citizen, now=utc_now(), tickets=2)
    first = _draw(client, headers, attempt)
    assert first.status_code == 200
    body = first.get_json()
    assert (body["outcome"], body["prize"]["name"], body["prize"]["kind"], body["prize"]["value_fen"]) == (
        "won",
        "普法帆布袋",
        "pickup",
        800,
    )
    assert _draw(client, headers, attempt, {"ticket": 1}).get_json() == body
    assert client.post(f"/api/v1/attempts/{attempt}/draws", headers=headers).get_json() == body
    assert _draw(client, headers, attempt, {"ticket": 2}).get_json()["draw_id"] != body["draw_id"]
    proved = client.get(body["proof_url"]).get_json()
    assert proved["draw_id"] == body["draw_id"]
    assert hashlib.sha256(proved["record_text"].encode()).hexdigest() == proved["seal"]
    assert json.loads(proved["record_text"]) == proved["record"]
    assert (proved["alias"], proved["serial"], proved["day"]["secret"]) == (body["alias"], 1, None)


@pytest.mark.parametrize("body", [{"ticket": 0}, {"ticket": -1}, {"ticket": "1"}, {"ticket": 1.5}, {"ticket": True}, {"who": 1}, []])
def test_nonsense_is_refused_without_a_draw(client: FlaskClient, pool: Pool, body: object) -> None:
    citizen = make_citizen()
    attempt = make_attempt(pool, citizen, now=utc_now())
    response = _draw(client, headers_for(citizen), attempt, body)
    assert response.status_code == 422
    assert response.get_json()["code"] == "invalid_input"
    assert count_rows(Draw) == 0


def test_refusals_of_a_draw_have_their_codes(client: FlaskClient, pool: Pool) -> None:
    citizen, other, unknown, child = (make_citizen(), make_citizen(), make_citizen(age_band=None), make_citizen(age_band="under_14"))
    now = utc_now()
    attempt = make_attempt(pool, citizen, now=now)
    stale = make_attempt(pool, citizen, now=now - 2 * DAY)
    cases = [
        (citizen, attempt, {"ticket": 2}, 409, "no_ticket"),
        (citizen, make_attempt(pool, citizen, now=now, tickets=0), {}, 409, "no_ticket"),
        (citizen, stale, {}, 409, "ticket_expired"),
        (other, attempt, {}, 404, "not_found"),
        (citizen, new_id(), {}, 404, "not_found"),
        (unknown, make_attempt(pool, unknown, now=now), {}, 409, "profile_incomplete"),
        (child, make_attempt(pool, child, now=now), {}, 409, "minor_excluded"),
    ]
    for person, where, body, status, code in cases:
        response = _draw(client, headers_for(person), where, body)
        assert (response.status_code, response.get_json()["code"]) == (status, code)
    assert _draw(client, {}, attempt).status_code == 401
    assert count_rows(Draw) == 0


def test_the_ledger_is_public_paged_and_whole(client: FlaskClient) -> None:
    pool = make_pool()
    for _ in range(3):
        win(pool)
    jobs.chain_grants()
    text = client.get("/api/v1/campaigns/draws/draws/ledger?format=jsonl")
    assert text.status_code == 200
    assert text.get_data() == b"".join(ledger_lines())
    assert proof.verify(text.get_data().splitlines(keepends=True)).draw_count == 3
    numbers, after = [], 0
    while after is not None:
        page = client.get(f"/api/v1/campaigns/draws/draws/ledger?limit=2&after={after}").get_json()
        for item in page["items"]:
            assert proof.seal(item["text"]) == item["seal"]
            numbers.append(item["number"])
        after = page["next"]
    assert numbers == [1, 2, 3, 4, 5]
    assert proof.seal(page["manifest"]) == page["manifest_hash"]
    assert page["head"] == proof.seal(json.loads(json.dumps(page["items"][-1]["text"])))


def test_a_ledger_can_be_cut_at_a_record_and_stays_whole(client: FlaskClient) -> None:
    pool = make_pool()
    for _ in range(3):
        win(pool)
    cut = client.get("/api/v1/campaigns/draws/draws/ledger?format=jsonl&until=2").get_data()
    assert proof.verify(cut.splitlines(keepends=True)).draw_count == 1


@pytest.mark.parametrize("query", ["format=xml", "after=-1", "after=x", "limit=0", "limit=9999", "until=0"])
def test_a_ledger_refuses_nonsense(client: FlaskClient, query: str) -> None:
    make_pool()
    assert client.get(f"/api/v1/campaigns/draws/draws/ledger?{query}").status_code == 422


def test_what_does_not_exist_is_not_found(client: FlaskClient) -> None:
    for path in (f"draws/{new_id()}/proof", "campaigns/nowhere/draws/ledger"):
        response = client.get(f"/api/v1/{path}")
        assert (response.status_code, response.get_json()["code"]) == (404, "not_found")


def test_a_revealed_secret_shows_in_the_proof(client: FlaskClient) -> None:
    pool = make_pool()
    _citizen, result = win(pool)
    jobs.reveal_secrets(dt.datetime(2027, 3, 20, tzinfo=dt.UTC))
    body = client.get(f"/api/v1/draws/{result.draw_id}/proof").get_json()
    secret = bytes.fromhex(body["day"]["secret"])
    assert proof.commitment(body["pool"], body["day"]["day"], secret) == body["day"]["commitment"]
    assert proof.position(secret, body["pool"], body["day"]["day"], body["serial"], body["client_nonce"]) == body["position"]


def test_wins_are_listed_and_claimed_by_their_owner_alone(client: FlaskClient, pool: Pool) -> None:
    citizen, result = win(pool, now=utc_now())
    headers = headers_for(citizen)
    wins = client.get("/api/v1/me/wins", headers=headers).get_json()
    assert wins["next"] is None
    assert [(each["id"], each["state"]["code"], each["prize"]["kind"]) for each in wins["items"]] == [
        (str(result.win_id), "claimable", "pickup")
    ]
    stranger = headers_for(make_citizen())
    assert client.get("/api/v1/me/wins", headers=stranger).get_json()["items"] == []
    assert client.post(f"/api/v1/wins/{result.win_id}/claim", headers=stranger).status_code == 404
    claimed = client.post(f"/api/v1/wins/{result.win_id}/claim", headers=headers, json={}).get_json()
    assert claimed["state"]["code"] == "ready"
    assert len(claimed["pickup_code"]) == 8
    assert client.post(f"/api/v1/wins/{result.win_id}/claim", headers=headers, json={}).get_json() == claimed
    assert client.post(f"/api/v1/wins/{result.win_id}/claim", headers=headers, json={"publicity": "maybe"}).status_code == 422


def test_wins_are_paged(client: FlaskClient) -> None:
    pool = make_pool()
    citizen = make_citizen()
    for _ in range(5):
        win(pool, citizen)
    headers, seen, after = headers_for(citizen), [], ""
    while after is not None:
        page = client.get(f"/api/v1/me/wins?limit=2&after={after}", headers=headers).get_json()
        seen += [each["id"] for each in page["items"]]
        after = page["next"]
    assert len(set(seen)) == len(seen) == 5
    assert client.get("/api/v1/me/wins?after=!!", headers=headers).status_code == 422


def test_an_idempotency_key_repeats_the_draw(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    attempt = grant(pool, citizen, now=utc_now())
    headers = {**headers_for(citizen), "Idempotency-Key": "k1"}
    bodies = [_draw(client, headers, attempt, {"ticket": 1}).get_json() for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert count_rows(Draw) == 1

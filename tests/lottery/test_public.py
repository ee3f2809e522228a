"""What everybody can fetch: the list of heads, one's own lines, the checkers."""

import datetime as dt
import json

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from quizapp.core.db import db, transaction
from quizapp.lottery import jobs, proof
from quizapp.lottery.models import ChainHead
from quizapp.lottery.services.heads import START
from tests.factories.accounts import make_citizen, sign_in
from tests.factories.lottery import NOW, count_rows, draw, grant, ledger_lines, make_attempt, make_pool, win

pytestmark = pytest.mark.usefixtures("app")
HOUR = dt.timedelta(hours=1)


def test_heads_are_published_when_a_chain_has_grown_and_hang_together_over_all_pools(client: FlaskClient) -> None:
    first, second = make_pool(), make_pool(slug="other")
    assert jobs.publish_heads(NOW) == 2
    win(first)
    assert jobs.publish_heads(NOW + HOUR) == 1
    assert jobs.publish_heads(NOW + HOUR) == 0
    win(second)
    jobs.publish_heads(NOW + 2 * HOUR)
    body = client.get("/api/v1/draws/heads").get_json()
    assert (len(body["items"]), body["next"]) == (4, None)
    previous = START
    for number, item in enumerate(body["items"], 1):
        line = json.loads(item["text"])
        assert proof.canonical(line) == item["text"]
        assert (line["kind"], line["number"], line["previous"]) == ("published", number, previous)
        assert proof.seal(item["text"]) == item["seal"]
        previous = item["seal"]
    heads = {json.loads(item["text"])["pool"]: json.loads(item["text"])["head"] for item in body["items"]}
    proof.verify(ledger_lines(), [heads[str(first.id)]])
    with pytest.raises(proof.BadLedger) as found:
        proof.verify(ledger_lines("other"), [heads[str(first.id)]])
    assert found.value.code == "rebuilt"
    later = client.get("/api/v1/draws/heads?after=1&limit=2").get_json()
    assert ([item["number"] for item in later["items"]], later["next"]) == ([2, 3], 3)


def test_nobody_changes_or_removes_a_published_head() -> None:
    make_pool()
    jobs.publish_heads(NOW)
    for statement in (sa.update(ChainHead).values(head="00" * 32), sa.delete(ChainHead)):
        with pytest.raises(sa.exc.DBAPIError), transaction():
            db.session.execute(statement)
    assert count_rows(ChainHead) == 1


def test_the_page_of_heads_goes_back_to_the_first(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "还没有公布过" in client.get("/draws/heads").get_data(as_text=True)
    pool = make_pool()
    for hour in range(3):
        win(pool)
        jobs.publish_heads(NOW + hour * HOUR)
    monkeypatch.setattr("quizapp.lottery.views._HEADS_SHOWN", 2)
    page = client.get("/draws/heads").get_data(as_text=True)
    assert "第 3 行" in page
    assert "第 1 行" not in page
    assert "第 1 行" in client.get("/draws/heads?before=2").get_data(as_text=True)
    assert client.get("/draws/heads?before=nonsense").status_code == 200


def test_a_citizen_finds_the_own_lines_marked_and_nobody_elses(client: FlaskClient) -> None:
    pool = make_pool()
    citizen, other = make_citizen(), make_citizen()
    _, before = win(pool, other)
    attempt = grant(pool, citizen, count=2)
    first = draw(citizen, attempt)
    _, after = win(pool, other)
    jobs.chain_grants(NOW)
    second = draw(citizen, attempt, sequence=2)
    page = client.get(f"/draws/{first.draw_id}/ledger").get_data(as_text=True)
    assert "有 3 条" in page
    assert page.count(f"<mark>{first.alias}</mark>") == 4
    assert before.alias in page, "the neighbour"
    assert f"<mark>{after.alias}</mark>" not in page
    records = [line.decode().strip() for line in ledger_lines()]
    for result in (first, second):
        line = next(text for text in records if f'"serial":{result.serial},' in text)
        seal = proof.seal(line)
        assert " ".join(seal[start : start + 4] for start in range(0, 64, 4)) in page
    listed = next(text for text in records if '"kind":"tickets"' in text)
    assert other.id.hex not in page
    assert page.count(json.loads(listed)["tickets"][0]["ticket"]) <= 1
    assert f"/draws/{first.draw_id}/ledger" in client.get(f"/campaigns/draws/verify?draw={first.draw_id}").get_data(as_text=True)


def test_the_page_that_needs_no_network_is_a_download_and_asks_for_nothing(client: FlaskClient) -> None:
    response = client.get("/draws/draw-check.html")
    assert "attachment" in response.headers["Content-Disposition"]
    text = response.get_data(as_text=True)
    assert "default-src 'none'" in text
    for word in ("http://", "https://", "src=", "fetch(", "XMLHttpRequest", "import(", "<link"):
        assert word not in text, word


@pytest.mark.parametrize(
    ("prize", "terms", "words"),
    [
        ({"quantity": 0}, {}, "已经发完"),
        ({"per_day": 1}, {}, "今天的份数"),
        ({"per_hour": 1}, {}, "这个小时的份数"),
        ({}, {"region_quotas": [{"regions": ["15"], "quantity": 1}]}, "地区组的名额"),
        ({"release": "paced", "quantity": 1}, {"paced_from_hour": 9, "paced_to_hour": 10}, "还会放出"),
    ],
)
def test_every_reason_is_told_in_plain_words(client: FlaskClient, prize: dict[str, object], terms: dict[str, object], words: str) -> None:
    moment = NOW - HOUR if "release" in prize else NOW
    whole = {"name": "奖", "kind": "pickup", "quantity": 9, "odds_ppm": 1_000_000, **prize}
    pool = make_pool([whole], **terms)  # type: ignore[arg-type]
    win(pool, make_citizen(region="150402"), now=moment)
    citizen = make_citizen(region="150403")
    attempt = make_attempt(pool, citizen, now=moment)
    result = draw(citizen, attempt, now=moment)
    sign_in(client, citizen)
    assert words in client.get(f"/attempts/{attempt}/draw").get_data(as_text=True)
    receipt = client.get(f"/campaigns/draws/verify?draw={result.draw_id}")
    assert "落在奖品上" in receipt.get_data(as_text=True)


def test_the_consolation_says_what_it_is(client: FlaskClient) -> None:
    prizes = [
        {"name": "奖", "kind": "pickup", "quantity": 0, "odds_ppm": 1_000_000},
        {"name": "书签", "kind": "pickup", "quantity": 9, "odds_ppm": 0},
    ]
    pool = make_pool(prizes, fallback="书签")
    citizen = make_citizen()
    attempt = make_attempt(pool, citizen, now=NOW)
    result = draw(citizen, attempt)
    sign_in(client, citizen)
    page = client.get(f"/attempts/{attempt}/draw").get_data(as_text=True)
    assert "书签" in page
    assert "安慰奖" in page
    assert "为什么是安慰奖" in client.get(f"/campaigns/draws/verify?draw={result.draw_id}").get_data(as_text=True)
    body = client.get(f"/api/v1/draws/{result.draw_id}/proof").get_json()
    assert (body["reason"], body["amount_fen"], body["version"]) == ("stock", 0, "draw-proof/2")

import datetime as dt
import re

import pytest
from flask.testing import FlaskClient

from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.ids import new_id
from quizapp.ledger.services import Posting, post
from quizapp.lottery import jobs
from quizapp.lottery.models import Draw
from tests.factories.accounts import make_citizen, sign_in
from tests.factories.lottery import Pool, count_rows, draw, make_attempt, make_pool, win

pytestmark = pytest.mark.usefixtures("app")
CERTAIN_NOTHING = [{"name": "奖", "kind": "cash", "quantity": 0, "odds_ppm": 1_000_000, "value_fen": 200}]


def _token(client: FlaskClient, path: str) -> str:
    page = client.get(path).get_data(as_text=True)
    match = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert match, page
    return match[1]


@pytest.fixture
def pool() -> Pool:
    return make_pool(now=utc_now())


def test_the_packet_is_opened_and_a_refresh_shows_the_same(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    attempt = make_attempt(pool, citizen, now=utc_now(), tickets=2)
    sign_in(client, citizen)
    path = f"/attempts/{attempt}/draw?ticket=1"
    before = client.get(path).get_data(as_text=True)
    assert "data-packet" in before
    assert count_rows(Draw) == 0
    response = client.post(path, data={"csrf_token": _token(client, path)})
    assert response.status_code == 303
    pages = [client.get(response.location).get_data(as_text=True) for _ in range(2)]
    assert pages[0] == pages[1]
    assert "slip-win" in pages[0]
    assert "ticket=2" in pages[0]
    assert count_rows(Draw) == 1


def test_the_script_gets_the_address_of_the_outcome(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    attempt = make_attempt(pool, citizen, now=utc_now())
    sign_in(client, citizen)
    path = f"/attempts/{attempt}/draw?ticket=1"
    response = client.post(path, data={"csrf_token": _token(client, path)}, headers={"Accept": "application/json, text/html;q=0.5"})
    assert response.get_json() == {"location": path}


def test_a_draw_needs_the_token_of_the_page(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    attempt = make_attempt(pool, citizen, now=utc_now())
    sign_in(client, citizen)
    assert client.post(f"/attempts/{attempt}/draw").status_code == 400
    assert count_rows(Draw) == 0


def test_nobody_sees_or_draws_with_somebody_elses_attempt(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    attempt = make_attempt(pool, citizen, now=utc_now())
    assert client.get(f"/attempts/{attempt}/draw").status_code == 302
    sign_in(client, make_citizen())
    for path in (f"/attempts/{attempt}/draw", f"/attempts/{attempt}/reward", f"/attempts/{new_id()}/draw"):
        assert client.get(path).status_code == 404


def test_a_loss_says_why_when_the_stock_is_gone(client: FlaskClient) -> None:
    pool = make_pool(CERTAIN_NOTHING, now=utc_now())
    citizen = make_citizen()
    attempt = make_attempt(pool, citizen, now=utc_now())
    draw(citizen, attempt, now=utc_now())
    sign_in(client, citizen)
    page = client.get(f"/attempts/{attempt}/draw").get_data(as_text=True)
    assert "已经发完" in page
    assert "slip-win" not in page


@pytest.mark.parametrize(("age_band", "words"), [(None, "选年龄段"), ("14_17", "未满 18 周岁")])
def test_who_cannot_draw_is_told_instead_of_shown_a_packet(client: FlaskClient, pool: Pool, age_band: str | None, words: str) -> None:
    citizen = make_citizen(age_band=age_band)
    attempt = make_attempt(pool, citizen, now=utc_now())
    sign_in(client, citizen)
    page = client.get(f"/attempts/{attempt}/draw").get_data(as_text=True)
    assert words in page
    assert "data-packet" not in page


def test_an_expired_ticket_shows_no_packet(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    attempt = make_attempt(pool, citizen, now=utc_now() - dt.timedelta(days=2))
    sign_in(client, citizen)
    page = client.get(f"/attempts/{attempt}/draw").get_data(as_text=True)
    assert "已经过期" in page
    assert "data-packet" not in page


def test_without_a_ticket_the_fixed_reward_is_shown(client: FlaskClient, pool: Pool) -> None:
    child = make_citizen(age_band="14_17")
    attempt = make_attempt(pool, child, now=utc_now(), tickets=0)
    with transaction():
        post(
            Posting(
                unit="points",
                from_owner=("system", "points"),
                to_owner=("citizen", str(child.id)),
                amount=30,
                source_type="attempt",
                source_id=attempt,
                reason="fixed_reward",
                now=utc_now(),
            )
        )
    sign_in(client, child)
    page = client.get(f"/attempts/{attempt}/draw", follow_redirects=True).get_data(as_text=True)
    assert "30 积分" in page
    assert "未满 18 周岁" in page


def test_the_verify_page_shows_seals_ledgers_and_limits(client: FlaskClient) -> None:
    pool = make_pool()
    _citizen, result = win(pool)
    page = client.get(f"/campaigns/draws/verify?draw={result.draw_id}").get_data(as_text=True)
    assert result.alias in page
    assert "证明不了什么" in page
    assert "draw_check.py" in page
    jobs.reveal_secrets(dt.datetime(2027, 3, 20, tzinfo=dt.UTC))
    after = client.get("/campaigns/draws/verify").get_data(as_text=True)
    assert "until=" in after
    assert client.get("/campaigns/nowhere/verify").status_code == 404
    assert client.get("/campaigns/draws/verify?draw=nonsense").status_code == 200


def test_receipt_checker_and_specification_can_be_kept(client: FlaskClient) -> None:
    _citizen, result = win(make_pool())
    receipt = client.get(f"/draws/{result.draw_id}/receipt")
    assert receipt.get_json()["alias"] == result.alias
    assert "attachment" in receipt.headers["Content-Disposition"]
    assert b"def verify(" in client.get("/draws/draw_check.py").get_data()
    assert b"draw-proof/1" in client.get("/draws/specification").get_data()


def test_the_winner_is_led_from_the_prize_to_the_receipt(client: FlaskClient) -> None:
    citizen, result = win(make_pool())
    sign_in(client, citizen)
    response = client.get(f"/wins/{result.win_id}/receipt")
    assert response.location.endswith(f"draw={result.draw_id}")

"""Pages and JSON of pool draws, for everybody and for staff."""

import datetime as dt
import hashlib
import io
import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from quizapp.core.clock import SHANGHAI, utc_now
from quizapp.core.db import db
from quizapp.lottery import pool_proof
from quizapp.lottery.pool_models import OutsideDraw, PoolDrawRun, PoolManifest
from quizapp.lottery.pooldraw import queries
from tests.factories.accounts import headers_for, make_citizen, make_organisation, make_staff, sign_in
from tests.factories.lottery import Pool, make_attempt
from tests.factories.pool_draws import (
    LATER,
    Draws,
    draw,
    draw_values,
    drawn,
    file_lines,
    freeze,
    make_entries,
    make_pool_draws,
    take_input,
    tier_values,
    wins_of,
)

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for after the list was due."""
    from quizapp.lottery import pool_admin_views

    monkeypatch.setattr(pool_admin_views, "utc_now", lambda: LATER + dt.timedelta(hours=3))


def _as(app: Flask, role: str, **values: Any) -> FlaskClient:
    return sign_in(app.test_client(), make_staff(role, has_totp=True, **values))


def _post(client: FlaskClient, page: str, path: str, data: dict[str, Any] | None = None, **values: Any) -> Any:
    text = client.get(page).get_data(as_text=True)
    match = re.search(r'name="csrf-token" content="([^"]+)"', text)
    assert match, text
    return client.post(path, data={"csrf_token": match[1], **(data or {})}, **values)


def _state(draws: Draws) -> str:
    db.session.rollback()
    return db.session.get_one(PoolDrawRun, draws.id, populate_existing=True).state


# ---- everybody


def test_the_public_page_shows_manifest_list_input_result_and_downloads(client: FlaskClient) -> None:
    draws = drawn(8, seed_input="spoken", mode="ceremony", reserves=2)
    text = client.get(f"/campaigns/draws/pool-draws/{draws.id}").get_data(as_text=True)
    run = db.session.get_one(PoolDrawRun, draws.id)
    manifest_hash = db.session.scalars(sa.select(PoolManifest.manifest_hash)).one()
    for seal in (manifest_hash, run.list_hash, run.commitment, run.secret_revealed, run.chain_head):
        assert seal is not None
        assert " ".join(seal[start : start + 4] for start in range(0, 64, 4)) in text
    for word in ("83017264", "pool_check.html", "pool_check.py", "format=jsonl", "format=list", "证明不了什么"):
        assert word in text
    assert all(win.alias in text for win in wins_of(draws))
    assert client.get("/campaigns/draws/pool-draws").status_code == 200


def test_a_citizen_sees_the_own_line_and_others_do_not(client: FlaskClient, app: Flask) -> None:
    draws = drawn(4)
    entry = next(iter(queries.iterate_entries(draws.id)))
    citizen_id = wins_of(draws)[0].citizen_id
    own = queries.find_own_entry(draws.id, citizen_id)
    assert own is not None
    from quizapp.accounts.models import Citizen

    sign_in(client, db.session.get_one(Citizen, citizen_id))
    text = client.get(f"/campaigns/draws/pool-draws/{draws.id}").get_data(as_text=True)
    assert "名单第几行" in text
    assert "文创书包" in text
    stranger = sign_in(app.test_client(), make_citizen())
    assert "名单第几行" not in stranger.get(f"/campaigns/draws/pool-draws/{draws.id}").get_data(as_text=True)
    assert entry[0] == 1


def test_a_draw_without_public_input_says_what_that_means(client: FlaskClient) -> None:
    draws = drawn(3)
    assert "只靠单位事先封存的密钥" in client.get(f"/campaigns/draws/pool-draws/{draws.id}").get_data(as_text=True)


def test_another_campaigns_draw_a_spare_and_a_made_up_one_are_not_found(client: FlaskClient) -> None:
    draws = make_pool_draws(draw_values(per="day"))
    spare = db.session.scalars(sa.select(PoolDrawRun.id).filter_by(state="spare").limit(1)).one()
    for path in (f"elsewhere/pool-draws/{draws.id}", f"draws/pool-draws/{spare}", "nothing/pool-draws"):
        assert client.get(f"/campaigns/{path}").status_code == 404
        assert client.get(f"/api/v1/campaigns/{path}").status_code == 404


def test_the_downloads_check_the_file(client: FlaskClient) -> None:
    assert b"def verify(" in client.get("/draws/pool_check.py").data
    assert "draw-proof-pool/1" in client.get("/draws/pool_check.html").get_data(as_text=True)
    assert "draw-proof-pool/1" in client.get("/draws/pool-specification").get_data(as_text=True)


# ---- JSON


def test_the_json_gives_the_draws_and_the_file_to_the_byte(client: FlaskClient) -> None:
    draws = drawn(5, reserves=1)
    listed = client.get("/api/v1/campaigns/draws/pool-draws").get_json()
    assert hashlib.sha256(listed["manifest"].encode()).hexdigest() == listed["manifest_hash"]
    [item] = listed["items"]
    assert (item["state"], item["entry_count"], item["is_outside"]) == ("drawn", 5, False)
    body = client.get(item["url"].replace("/campaigns", "/api/v1/campaigns")).get_json()
    assert [result["kind"] for result in body["results"]] == ["win", "win", "reserve"]
    assert body["terms"]["reserves"] == 1
    data = client.get(item["file_url"]).data
    assert data == b"".join(file_lines(draws))
    assert pool_proof.verify(data.splitlines(keepends=True)).win_count == 2
    assert hashlib.sha256(client.get(item["list_url"]).data).hexdigest() == item["list_hash"]


def test_the_secret_is_not_told_before_the_draw(client: FlaskClient) -> None:
    draws = make_pool_draws()
    freeze(draws, make_entries(3))
    text = client.get(f"/api/v1/campaigns/draws/pool-draws/{draws.id}").get_data(as_text=True)
    assert '"secret":null' in text.replace(" ", "")
    take_input(draws)
    draw(draws)
    assert client.get(f"/api/v1/campaigns/draws/pool-draws/{draws.id}").get_json()["secret"]


def test_a_ticket_of_a_pool_draw_is_drawn_later(client: FlaskClient) -> None:
    draws = make_pool_draws()
    citizen = make_citizen()
    attempt = make_attempt(Pool(draws.id, draws.campaign_id, draws.slug, draws.host), citizen, tickets=0, now=utc_now())
    headers = headers_for(citizen)
    answer = client.post(f"/api/v1/attempts/{attempt}/draws", json={}, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "draw_later")
    answer = client.post(f"/api/v1/attempts/{attempt}/draws", json={"ticket": 2}, headers=headers)
    assert answer.get_json()["code"] == "no_ticket"
    freeze(draws, make_entries(1))
    take_input(draws)
    draw(draws)
    assert client.post(f"/api/v1/attempts/{attempt}/draws", json={}, headers=headers).get_json()["code"] == "no_ticket"


def test_a_pool_win_is_listed_and_claimed_over_the_api(client: FlaskClient) -> None:
    draws = drawn(3)
    win = wins_of(draws)[0]
    headers = headers_for(win.citizen_id)
    [item] = client.get("/api/v1/me/wins", headers=headers).get_json()["items"]
    assert (item["id"], item["alias"]) == (str(win.id), win.alias)
    assert client.get(item["proof_url"]).data == b"".join(file_lines(draws))


# ---- staff


def test_the_ceremony_leads_from_the_list_over_the_digits_to_the_result(app: Flask) -> None:
    draws = make_pool_draws(
        draw_values(seed_input="spoken", mode="ceremony", tiers=[tier_values("电动车", 1), tier_values("书包", 2)], reserves=2)
    )
    client = _as(app, "campaign_manager")
    screen = f"/admin/pool-draws/{draws.id}/ceremony"
    assert "名单还没有冻结" in client.get(screen).get_data(as_text=True)
    freeze(draws, make_entries(9))
    text = client.get(screen).get_data(as_text=True)
    run = db.session.get_one(PoolDrawRun, draws.id)
    assert run.list_hash is not None
    assert " ".join(run.list_hash[start : start + 4] for start in range(0, 64, 4)) in text
    assert "<svg" in text
    assert _post(client, screen, f"/admin/pool-draws/{draws.id}/draw").status_code == 409
    differ = _post(client, screen, f"/admin/pool-draws/{draws.id}/input", {"typed": "83017264", "typed_again": "83017265"})
    assert differ.status_code == 422
    assert "两次录入的数不一样" in differ.get_data(as_text=True)
    assert _state(draws) == "frozen"
    taken = _post(client, screen, f"/admin/pool-draws/{draws.id}/input", {"typed": "8301 7264", "typed_again": "83017264"})
    assert taken.status_code == 303
    assert "83017264" in client.get(screen).get_data(as_text=True)
    for _press in range(2):
        assert _post(client, screen, f"/admin/pool-draws/{draws.id}/draw").status_code == 303
    assert _state(draws) == "drawn"
    first, second, reserve, end = (client.get(f"{screen}?tier={number}").get_data(as_text=True) for number in range(4))
    [grand] = [win.alias for win in wins_of(draws) if win.tier == 0]
    assert grand not in first
    assert f"{grand[:4]}-****-{grand[-4:]}" in first
    assert "书包" in second
    assert "候补" in reserve
    assert "全部摇出" in end
    for text in (first, second, reserve, end):
        assert "tier=" in text


def test_only_who_may_hold_draws_reaches_the_ceremony_and_only_in_the_own_units(app: Flask) -> None:
    draws = make_pool_draws()
    elsewhere = make_organisation("外旗司法局")
    for role, values, expected in (
        ("campaign_manager", {}, 200),
        ("campaign_manager", {"organisation": elsewhere}, 404),
        ("finance", {}, 403),
        ("approver", {}, 403),
    ):
        client = _as(app, role, **values)
        assert client.get(f"/admin/pool-draws/{draws.id}/ceremony").status_code == expected


def test_the_list_shows_the_own_draws_with_their_states(app: Flask) -> None:
    draws = drawn(2)
    assert str(draws.id) in _as(app, "campaign_manager").get("/admin/pool-draws?state=drawn").get_data(as_text=True)
    assert str(draws.id) not in _as(app, "campaign_manager").get("/admin/pool-draws?state=open").get_data(as_text=True)
    elsewhere = make_organisation("外旗司法局")
    assert str(draws.id) not in _as(app, "campaign_manager", organisation=elsewhere).get("/admin/pool-draws").get_data(as_text=True)


def test_an_outside_draw_is_entered_and_confirmed_by_two(app: Flask, client: FlaskClient) -> None:
    draws = make_pool_draws(draw_values(mode="outside", reserves=1))
    freeze(draws, make_entries(4))
    names = [row[1] for row in queries.iterate_entries(draws.id)]
    page = f"/admin/pool-draws/{draws.id}"
    held = (LATER + dt.timedelta(hours=1)).astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")
    manager, approver = _as(app, "campaign_manager"), _as(app, "approver")

    def record(**changes: Any) -> dict[str, Any]:
        document = (io.BytesIO(b"deed"), "公证书.pdf")
        data = {
            "held_at": held,
            "place": "市民广场",
            "witness": "公证处",
            "tier_0": f"{names[2].lower()}\n{names[0]}",
            "reserves": names[1],
        }
        return {**data, "document": document, **changes}

    refused = _post(manager, page, f"{page}/outside", record(tier_0="0000-0000-0000"))
    assert refused.status_code == 422
    assert "不在冻结的名单里" in refused.get_data(as_text=True)
    assert "请上传证明文件" in _post(manager, page, f"{page}/outside", record(document=(io.BytesIO(b""), ""))).get_data(as_text=True)
    assert _post(manager, page, f"{page}/outside", record()).status_code == 303
    row = db.session.scalars(sa.select(OutsideDraw)).one()
    assert row.document_hash == hashlib.sha256(b"deed").hexdigest()
    assert manager.post(f"{page}/outside/confirmation").status_code in (400, 403)
    assert _post(approver, page, f"{page}/outside/refusal").status_code == 303
    assert _post(manager, page, f"{page}/outside", record()).status_code == 303
    assert _post(approver, page, f"{page}/outside/confirmation").status_code == 303
    assert _state(draws) == "drawn"
    public = client.get(f"/campaigns/draws/pool-draws/{draws.id}").get_data(as_text=True)
    assert "这次摇号在场外进行" in public
    assert "公证处" in public
    assert client.get(f"/api/v1/campaigns/draws/pool-draws/{draws.id}").get_json()["is_outside"] is True
    assert "场外录入" in manager.get("/admin/pool-draws").get_data(as_text=True)


def test_a_free_place_is_given_to_the_next_reserve_from_the_console(app: Flask) -> None:
    from quizapp.core.db import transaction
    from quizapp.payouts import services as payouts

    draws = drawn(6, reserves=1)
    client, page = _as(app, "campaign_manager"), f"/admin/pool-draws/{draws.id}"
    _post(client, page, f"{page}/substitutes", {"tier": "0", "place": "1", "reason": "given_up"})
    assert len(wins_of(draws)) == 2
    with transaction():
        payouts.forfeit_payouts(citizen_id=wins_of(draws)[0].citizen_id, now=LATER)
    assert "由候补递补" in client.get(page).get_data(as_text=True)
    _post(client, page, f"{page}/substitutes", {"tier": "0", "place": "1", "reason": "given_up"})
    assert [win.turn for win in wins_of(draws)] == [0, 1, 0]

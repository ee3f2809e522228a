import datetime as dt
import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from quizapp.audit.services import SYSTEM
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.ids import new_id
from quizapp.payouts import services
from quizapp.payouts.jobs import work_notices
from quizapp.payouts.models import WinnersNotice
from tests.factories.accounts import headers_for, make_citizen, sign_in
from tests.factories.lottery import Pool
from tests.factories.payouts import claim, make_payout, make_shop, reload, upload

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.timedelta(days=1)


@pytest.fixture
def pool() -> Pool:
    return make_shop(now=utc_now())


def _post(client: FlaskClient, path: str, **data: str):  # type: ignore[no-untyped-def]
    match = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).get_data(as_text=True))
    assert match
    return client.post(path, data={"csrf_token": match[1], **data})


def test_prizes_are_listed_with_what_to_do(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    now = utc_now()
    for kind in ("cash", "code", "pickup"):
        make_payout(pool, kind, citizen, now=now)
    make_payout(pool, "cash", citizen, now=now - 30 * DAY)
    make_payout(pool, "cash", now=now)
    sign_in(client, citizen)
    page = client.get("/me/prizes").get_data(as_text=True)
    assert page.count('class="prize"') == 4
    assert page.count("去领取") == 3
    assert "已过期" in page


def test_a_pickup_is_claimed_with_a_qr_that_needs_no_style(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    payout = make_payout(pool, "pickup", citizen, now=utc_now())
    sign_in(client, citizen)
    path = f"/me/prizes/{payout.id}"
    assert _post(client, path).status_code == 303
    assert reload(payout).state == "ready"
    page = client.get(path).get_data(as_text=True)
    assert 'class="qr"' in page
    assert "style=" not in page
    assert re.search(r"[0-9A-Z]{4} [0-9A-Z]{4}", page)


def test_publishing_the_phone_is_a_box_of_its_own_and_unticked(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen(phone="13911112222")
    payout = make_payout(pool, "cash", citizen, now=utc_now())
    sign_in(client, citizen)
    path = f"/me/prizes/{payout.id}"
    page = client.get(path).get_data(as_text=True)
    box = re.search(r"<input[^>]*name=\"publicity\"[^>]*>", page)
    assert box
    assert "checked" not in box[0]
    assert "139****2222" in page
    _post(client, path)
    assert not reload(payout).is_phone_public


def test_a_code_shows_after_the_claim_to_its_owner_alone(client: FlaskClient, pool: Pool) -> None:
    upload(pool, 1)
    citizen = make_citizen()
    payout = make_payout(pool, "code", citizen, now=utc_now())
    claim(payout, now=utc_now())
    sign_in(client, citizen)
    assert "CODE-0001" in client.get(f"/me/prizes/{payout.id}").get_data(as_text=True)
    stranger = sign_in(client.application.test_client(), make_citizen())
    assert stranger.get(f"/me/prizes/{payout.id}").status_code == 404
    assert client.get(f"/me/prizes/{new_id()}").status_code == 404


def test_a_late_claim_is_told_and_changes_nothing(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    payout = make_payout(pool, "cash", citizen, now=utc_now() - 8 * DAY)
    sign_in(client, citizen)
    other = make_payout(pool, "cash", citizen, now=utc_now())
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(f"/me/prizes/{other.id}").get_data(as_text=True))
    assert token
    response = client.post(f"/me/prizes/{payout.id}", data={"csrf_token": token[1]}, follow_redirects=True)
    assert "领取时间已经过了" in response.get_data(as_text=True)
    assert reload(payout).state == "claimable"


def test_the_notice_shows_references_and_only_agreed_masked_phones(client: FlaskClient, pool: Pool) -> None:
    yesterday = utc_now() - DAY
    quiet = make_payout(pool, "cash", make_citizen(phone="13911113333"), now=yesterday, reference="AAAA-AAAA-AAAA")
    shown = make_payout(pool, "cash", make_citizen(phone="13911114444"), now=yesterday, reference="BBBB-BBBB-BBBB")
    claim(quiet, now=yesterday)
    claim(shown, now=yesterday, is_phone_public=True)
    work_notices()
    page = client.get("/notices", follow_redirects=True).get_data(as_text=True)
    assert "AAAA-AAAA-AAAA" in page
    assert "139****4444" in page
    assert "3333" not in page
    assert "13911114444" not in page
    found = client.get("/notices/draws?q=bbbb").get_data(as_text=True)
    assert "BBBB-BBBB-BBBB" in found
    assert "AAAA-AAAA-AAAA" not in found
    assert client.get("/notices/nowhere").status_code == 404


def test_without_winners_there_is_no_notice(client: FlaskClient, pool: Pool) -> None:
    make_payout(pool, "cash", now=utc_now())
    work_notices()
    assert "现在没有公示" in client.get("/notices").get_data(as_text=True)


def test_leaving_tells_what_is_still_owed_and_the_export_holds_it(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    payout = make_payout(pool, "pickup", citizen, now=utc_now())
    headers = headers_for(citizen)
    assert client.get("/api/v1/me/export", headers=headers).get_json()["prizes"][0]["title"] == payout.title
    response = client.delete("/api/v1/me", headers=headers)
    assert response.status_code == 409
    assert "帆布袋" in response.get_data(as_text=True)


def test_anybody_can_object_and_read_the_answer_by_the_number_alone(client: FlaskClient, pool: Pool) -> None:
    make_payout(pool, "cash", now=utc_now() - DAY, reference="AAAA-AAAA-AAAA")
    work_notices()
    assert _post(client, "/notices/draws/objection", reason="不").status_code == 422
    sent = _post(client, "/notices/draws/objection", reference="aaaa", reason="这个号好像登了两次。")
    assert sent.status_code == 303
    page = client.get(sent.location).get_data(as_text=True)
    assert "AAAA" in page
    assert "正在核实" in page
    assert client.get("/objections/YY0000000000").status_code == 404


def test_the_notice_is_gone_from_the_page_after_its_days(client: FlaskClient, pool: Pool) -> None:
    make_payout(pool, "cash", now=utc_now() - DAY)
    work_notices()
    assert client.get("/notices/draws").status_code == 200
    assert "AAAA" not in client.get("/notices/draws?print=1").get_data(as_text=True)
    with transaction():
        db.session.execute(sa.update(WinnersNotice).values(down_at=utc_now() - dt.timedelta(seconds=1)))
    assert client.get("/notices/draws").status_code == 404
    assert client.get("/notices/draws?print=1").status_code == 404


def test_a_held_prize_says_why_and_how_to_answer(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    payout = make_payout(pool, "cash", citizen, now=utc_now())
    with transaction():
        services.hold(payout.id, "same_device", SYSTEM, utc_now())
    sign_in(client, citizen)
    page = client.get(f"/me/prizes/{payout.id}").get_data(as_text=True)
    assert "同一台设备上登录过多个账号" in page
    assert "申请复核" in page
    assert "领取期限顺延" in page


def test_a_citizen_can_say_no_to_a_prize_and_take_the_number_back(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen()
    first, second = make_payout(pool, "cash", citizen, now=utc_now()), make_payout(pool, "cash", citizen, now=utc_now())
    sign_in(client, citizen)
    path = f"/me/prizes/{first.id}"
    assert _post(client, path, publicity="1").status_code == 303
    assert reload(first).is_phone_public
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).get_data(as_text=True))
    assert token
    client.post(f"{path}/privacy", data={"csrf_token": token[1]})
    assert not reload(first).is_phone_public
    client.post(f"/me/prizes/{second.id}/refusal", data={"csrf_token": token[1]})
    assert reload(second).state == "forfeited"
    assert "您说了不要这份奖品" in client.get(f"/me/prizes/{second.id}").get_data(as_text=True)

import datetime as dt
import re

import pytest
from flask.testing import FlaskClient

from quizapp.core.clock import utc_now
from quizapp.core.ids import new_id
from quizapp.payouts.jobs import work_notices
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

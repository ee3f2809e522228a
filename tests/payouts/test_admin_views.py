import io
import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from quizapp.accounts.models import StaffAccount
from quizapp.audit.models import AuditEntry
from quizapp.core.clock import utc_now
from quizapp.core.db import db
from quizapp.payouts import queries
from quizapp.payouts.models import CashList, Payout
from tests.factories.accounts import make_citizen, make_organisation, make_staff, sign_in
from tests.factories.lottery import Pool
from tests.factories.payouts import claim, item_of, make_payout, make_shop, reload, upload

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def pool() -> Pool:
    return make_shop(now=utc_now())


def _as(client: FlaskClient, role: str, **kw: Any) -> tuple[FlaskClient, StaffAccount]:
    staff = make_staff(role, has_totp=True, **kw)
    own = client.application.test_client()
    return sign_in(own, staff), staff


def _post(client: FlaskClient, page: str, path: str, data: dict[str, Any], **kw: Any) -> Any:
    text = client.get(page).get_data(as_text=True)
    match = re.search(r'name="csrf-token" content="([^"]+)"', text)
    assert match, text
    return client.post(path, data={"csrf_token": match[1], **data}, **kw)


PAGES = ("/admin/payouts", "/admin/payouts/items", "/admin/payouts/cash-lists", "/admin/desk")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("finance", ["/admin/payouts", "/admin/payouts/items", "/admin/payouts/cash-lists"]),
        ("campaign_manager", list(PAGES)),
        ("report_reader", []),
        ("question_editor", []),
        ("security_admin", []),
        ("audit_admin", []),
    ],
)
def test_each_role_opens_its_own_pages(client: FlaskClient, pool: Pool, role: str, allowed: list[str]) -> None:
    own, _staff = _as(client, role)
    for page in PAGES:
        assert own.get(page).status_code == (200 if page in allowed else 403), page
    assert client.get("/admin/payouts").status_code == 302


def test_winners_are_filtered_by_state_word_and_phone(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen(phone="13911115555")
    make_payout(pool, "cash", citizen, now=utc_now(), reference="AAAA-AAAA-AAAA")
    done = make_payout(pool, "pickup", now=utc_now(), reference="BBBB-BBBB-BBBB")
    claim(done, now=utc_now())
    own, _staff = _as(client, "finance")

    def shown(query: str) -> set[str]:
        return set(re.findall(r"<b class=\"num\">([AB]{4})-", own.get(f"/admin/payouts?{query}").get_data(as_text=True)))

    assert shown("") == {"AAAA", "BBBB"}
    assert shown("state=ready") == {"BBBB"}
    assert shown("q=aaaa") == {"AAAA"}
    assert shown("q=13911115555") == {"AAAA"}
    assert shown("q=13911116666") == set()
    assert shown(f"item={done.item_id}") == {"BBBB"}
    assert shown("campaign=nonsense&state=nonsense&item=1") == {"AAAA", "BBBB"}
    page = own.get("/admin/payouts").get_data(as_text=True)
    assert "139****5555" in page
    assert "13911115555" not in page


def test_staff_of_another_unit_see_nothing(client: FlaskClient, pool: Pool) -> None:
    payout = make_payout(pool, "cash", now=utc_now(), reference="AAAA-AAAA-AAAA")
    own, _staff = _as(client, "campaign_manager", organisation=make_organisation("外单位"))
    assert "AAAA-AAAA-AAAA" not in own.get("/admin/payouts").get_data(as_text=True)
    assert own.get(f"/admin/payouts/{payout.id}").status_code == 404
    assert own.get(f"/admin/payouts/items/{item_of(pool, 'code').id}").status_code == 404
    inside, _other = _as(client, "campaign_manager", organisation=pool.host)
    assert "AAAA-AAAA-AAAA" in inside.get("/admin/payouts").get_data(as_text=True)
    assert inside.get(f"/admin/payouts/{payout.id}").status_code == 200


# ---- codes


def test_codes_are_uploaded_by_file_or_typed(client: FlaskClient, pool: Pool) -> None:
    own, _staff = _as(client, "campaign_manager")
    path = f"/admin/payouts/items/{item_of(pool, 'code').id}"
    data = {"file": (io.BytesIO("兑换码\nA-1\nA-2\n".encode("gb18030")), "codes.csv")}
    assert _post(own, path, path, data, content_type="multipart/form-data").status_code == 303
    assert _post(own, path, path, {"codes": "A-2\nA-3"}).status_code == 303
    found = queries.get_item(item_of(pool, "code").id, ["/"])
    assert (found.code_count, found.free_code_count) == (3, 3)
    page = own.get(path).get_data(as_text=True)
    assert "A-1" not in page


@pytest.mark.parametrize("text", [b"", b"ok\nbad\x00", b"\xff\xfe\x00\x00\xff", b"x" * 100])
def test_a_file_that_is_no_list_of_codes_changes_nothing(client: FlaskClient, pool: Pool, text: bytes) -> None:
    own, _staff = _as(client, "campaign_manager")
    path = f"/admin/payouts/items/{item_of(pool, 'code').id}"
    response = _post(own, path, path, {"file": (io.BytesIO(text), "codes.txt")}, content_type="multipart/form-data")
    assert response.status_code == 422
    assert queries.get_item(item_of(pool, "code").id, ["/"]).code_count == 0


def test_finance_uploads_no_codes(client: FlaskClient, pool: Pool) -> None:
    own, _staff = _as(client, "finance")
    assert own.get(f"/admin/payouts/items/{item_of(pool, 'code').id}").status_code == 403


# ---- the desk


def test_the_desk_shows_the_prize_and_hands_it_over_once(client: FlaskClient, pool: Pool) -> None:
    citizen = make_citizen(phone="13911117777", nickname="草原小兰")
    payout = claim(make_payout(pool, "pickup", citizen, now=utc_now()), now=utc_now())
    code = queries.pickup_code(payout)
    own, _staff = _as(client, "campaign_manager", display_name="王窗口")
    page = own.get(f"/admin/desk?code={code}").get_data(as_text=True)
    assert "139****7777" in page
    assert "草***兰" in page
    assert "草原小兰" not in page
    assert _post(own, "/admin/desk", "/admin/desk", {"code": code}).status_code == 303
    assert reload(payout).state == "done"
    again = own.get(f"/admin/desk?code={code}").get_data(as_text=True)
    assert "王窗口" in again
    assert "不要再发" in again
    second = _post(own, "/admin/desk", "/admin/desk", {"code": code}, follow_redirects=True).get_data(as_text=True)
    assert "已经领走了" in second
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).filter_by(action="payout.handed_over")) == 1


def test_a_wrong_code_at_the_desk_is_told(client: FlaskClient, pool: Pool) -> None:
    own, _staff = _as(client, "campaign_manager")
    response = own.get("/admin/desk?code=ZZZZZZZZ")
    assert response.status_code == 404
    assert "没有这个核验码" in response.get_data(as_text=True)


# ---- cash


def _make_list(own: FlaskClient, pool: Pool) -> CashList:
    response = _post(own, "/admin/payouts/cash-lists", "/admin/payouts/cash-lists", {"campaign": str(pool.campaign_id)})
    assert response.status_code == 303
    return db.session.scalars(sa.select(CashList).order_by(CashList.id.desc()).limit(1)).one()


def test_finance_makes_exports_and_settles_a_list(client: FlaskClient, pool: Pool) -> None:
    payout = claim(make_payout(pool, "cash", make_citizen(phone="13911118888"), now=utc_now()), now=utc_now())
    own, _staff = _as(client, "finance")
    cash_list = _make_list(own, pool)
    path = f"/admin/payouts/cash-lists/{cash_list.id}"
    masked = _post(own, path, f"{path}/file", {"format": "csv"})
    assert masked.headers["Content-Disposition"].endswith(f'{cash_list.number}.csv"')
    assert "139****8888" in masked.get_data(as_text=True)
    assert "13911118888" not in masked.get_data(as_text=True)
    assert _post(own, path, f"{path}/file", {"format": "xlsx"}).get_data()[:2] == b"PK"
    refused = _post(own, path, f"{path}/file", {"format": "csv", "whole_phones": "1", "reason": "x"})
    assert refused.status_code == 303
    whole = _post(own, path, f"{path}/file", {"format": "csv", "whole_phones": "1", "reason": "发放现金奖品"})
    assert "13911118888" in whole.get_data(as_text=True)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).filter_by(action="payout.phones_unmasked")) == 1
    assert _post(own, path, f"{path}/marks", {"payout": str(payout.id), "result": "done", "reason": "R-1"}).status_code == 303
    assert reload(payout).state == "done"


def test_a_large_list_waits_for_the_reviewer(client: FlaskClient, pool: Pool) -> None:
    payout = claim(make_payout(pool, "cash", amount_fen=30_000, now=utc_now()), now=utc_now())
    maker, _one = _as(client, "finance")
    cash_list = _make_list(maker, pool)
    path = f"/admin/payouts/cash-lists/{cash_list.id}"
    assert _post(maker, path, f"{path}/marks", {"payout": str(payout.id), "result": "done"}).status_code == 303
    assert reload(payout).state == "processing"
    assert _post(maker, path, f"{path}/review", {}).status_code == 403
    reviewer, _two = _as(client, "approver")
    assert _post(reviewer, "/admin/security", f"{path}/review", {}).status_code == 303
    db.session.rollback()
    assert db.session.get_one(CashList, cash_list.id, populate_existing=True).reviewed_at is not None
    _post(maker, path, f"{path}/marks", {"payout": str(payout.id), "result": "done"})
    assert reload(payout).state == "done"


def test_nonsense_from_the_browser_is_refused(client: FlaskClient, pool: Pool) -> None:
    claim(make_payout(pool, "cash", now=utc_now()), now=utc_now())
    own, _staff = _as(client, "finance")
    lists = "/admin/payouts/cash-lists"
    assert _post(own, lists, lists, {"campaign": "x"}).status_code == 422
    cash_list = _make_list(own, pool)
    path = f"{lists}/{cash_list.id}"
    assert _post(own, path, f"{path}/file", {"format": "exe"}).status_code == 422
    assert _post(own, path, f"{path}/marks", {"payout": "x", "result": "done"}).status_code == 422
    assert _post(own, path, f"{path}/marks", {"payout": [], "result": "paid twice"}).status_code == 303
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Payout).filter_by(state="processing")) == 1


def test_a_manager_makes_no_cash_lists(client: FlaskClient, pool: Pool) -> None:
    own, _staff = _as(client, "campaign_manager")
    lists = "/admin/payouts/cash-lists"
    assert _post(own, lists, lists, {"campaign": str(pool.campaign_id)}).status_code == 403


def test_items_show_how_many_codes_are_missing(client: FlaskClient, pool: Pool) -> None:
    upload(pool, 3)
    own, _staff = _as(client, "campaign_manager")
    page = own.get("/admin/payouts/items").get_data(as_text=True)
    assert "缺 497" in page

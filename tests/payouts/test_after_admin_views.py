"""The console after the draw: objections, winners out of reach, working days, settlement."""

import io
import re
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from quizapp.accounts.models import StaffAccount
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.ledger.models import BudgetMove
from quizapp.payouts import jobs, services
from quizapp.payouts.models import NoticeObjection, ObjectionReply, Payout, WinnersNotice, WorkdayChange
from quizapp.payouts.queries import list_workday_changes
from tests.factories.accounts import make_organisation, make_staff, sign_in
from tests.factories.lottery import Pool
from tests.factories.payouts import make_payout, make_shop, reload
from tests.payouts.test_views import DAY

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def pool() -> Pool:
    return make_shop(now=utc_now())


def _as(client: FlaskClient, role: str, **kw: Any) -> tuple[FlaskClient, StaffAccount]:
    staff = make_staff(role, has_totp=True, **kw)
    own = client.application.test_client()
    return sign_in(own, staff), staff


def _post(client: FlaskClient, page: str, path: str, **data: str) -> Any:
    match = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).get_data(as_text=True))
    assert match
    return client.post(path, data={"csrf_token": match[1], **data})


@pytest.fixture
def objection(pool: Pool) -> NoticeObjection:
    make_payout(pool, "cash", now=utc_now() - DAY, reference="AAAA-BBBB-CCCC")
    jobs.work_notices()
    notice = db.session.scalars(sa.select(WinnersNotice)).one()
    with transaction():
        return services.object_to(notice=notice, reference="AAAA-BBBB-CCCC", reason="这个号登了两次。", now=utc_now())


def test_an_objection_is_answered_in_writing_and_the_prize_held_meanwhile(
    client: FlaskClient, pool: Pool, objection: NoticeObjection
) -> None:
    own, staff = _as(client, "campaign_manager")
    page = f"/admin/objections/{objection.id}"
    assert "这个号登了两次" in own.get(page).get_data(as_text=True)
    [payout] = db.session.scalars(sa.select(Payout)).all()
    assert _post(own, page, f"{page}/hold/{payout.id}").status_code == 303
    assert reload(payout).state == "held"
    assert _post(own, page, f"{page}/hold/{payout.id}", release="1").status_code == 303
    assert reload(payout).state == "claimable"
    _post(own, page, f"{page}/replies", result="rejected", text="查过了，这个号只登了一次。")
    db.session.rollback()
    reply = db.session.scalars(sa.select(ObjectionReply)).one()
    assert (reply.result, reply.staff_id) == ("rejected", staff.id)
    assert "只登了一次" in client.get(f"/objections/{objection.number}").get_data(as_text=True)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction():
        db.session.execute(sa.update(ObjectionReply).values(text="x"))


def test_an_objection_to_another_units_notice_is_not_there(client: FlaskClient, pool: Pool, objection: NoticeObjection) -> None:
    own, _staff = _as(client, "campaign_manager", organisation=make_organisation("别的局"))
    assert own.get(f"/admin/objections/{objection.id}").status_code == 404
    assert objection.number not in own.get("/admin/objections").get_data(as_text=True)
    assert _as(client, "finance")[0].get("/admin/objections").status_code == 403


def test_calls_are_written_down_on_the_page_of_the_prize(client: FlaskClient, pool: Pool) -> None:
    payout = make_payout(pool, "pickup", now=utc_now())
    own, _staff = _as(client, "campaign_manager")
    page = f"/admin/payouts/{payout.id}"
    _post(own, page, f"{page}/contacts", note="打了两遍没有人接")
    assert "联系记录：打了两遍没有人接" in own.get(page).get_data(as_text=True)
    answer = _post(own, page, f"{page}/unreachable")
    assert "联系记录还不够" in own.get(answer.location).get_data(as_text=True)
    assert reload(payout).state == "claimable"


def test_working_days_are_data(client: FlaskClient) -> None:
    own, _staff = _as(client, "campaign_manager")
    _post(own, "/admin/workdays", "/admin/workdays", day="2027-10-01", working="0", note="国庆节")
    assert "国庆节" in own.get("/admin/workdays").get_data(as_text=True)
    _post(own, "/admin/workdays", "/admin/workdays", day="2027-10-01", clear="1")
    db.session.rollback()
    assert list_workday_changes() == []
    assert _post(own, "/admin/workdays", "/admin/workdays", day="x").status_code == 422
    assert db.session.scalars(sa.select(WorkdayChange)).all() == []


def test_money_is_entered_by_finance_and_agreed_by_another(client: FlaskClient, pool: Pool) -> None:
    finance, _staff = _as(client, "finance")
    page = f"/admin/settlement/{pool.campaign_id}"
    unit = str(pool.host.id)
    _post(finance, page, f"{page}/moves", unit=unit, kind="deposit", amount="5000.00", document="转 001")
    move = db.session.scalars(sa.select(BudgetMove)).one()
    assert move.state == "waiting"
    assert "复核入账" not in finance.get(page).get_data(as_text=True)
    approver, _other = _as(client, "approver")
    assert "复核入账" in approver.get(page).get_data(as_text=True)
    _post(approver, page, f"/admin/settlement/moves/{move.id}", agrees="1")
    make_payout(pool, "cash", now=utc_now(), amount_fen=600_000)
    jobs.settle_money()
    text = finance.get(page).get_data(as_text=True)
    assert "缺口 1,000.00 元" in text
    assert "不够，请补足" in finance.get("/admin/settlement").get_data(as_text=True)
    answer = _post(finance, page, f"{page}/file", unit=unit, format="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None]
    assert "5000.00" in cells
    assert "-1000.00 元，不够，请补足" in cells


@pytest.mark.parametrize("amount", ["", "0", "-5", "1.234", "1e5", "9999999999999"])
def test_an_amount_that_is_none_is_told(client: FlaskClient, pool: Pool, amount: str) -> None:
    finance, _staff = _as(client, "finance")
    page = f"/admin/settlement/{pool.campaign_id}"
    _post(finance, page, f"{page}/moves", unit=str(pool.host.id), kind="deposit", amount=amount, document="转 001")
    assert "请填金额" in finance.get(page).get_data(as_text=True)
    assert db.session.scalars(sa.select(BudgetMove)).all() == []

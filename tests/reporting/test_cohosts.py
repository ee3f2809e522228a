"""A co-host sees its own campaign and takes away a sheet whose figures are the report's."""

import io
import re
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from quizapp.accounts.models import Organisation
from quizapp.attempts.models import Attempt
from quizapp.audit.models import AuditEntry
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import NotFound
from quizapp.core.pdf import find_font
from quizapp.reporting import cohosts, queries, rules
from tests.conftest import missing
from tests.factories.accounts import make_citizen, make_organisation, make_staff, sign_in
from tests.factories.lottery import Pool, make_attempt
from tests.factories.payouts import make_payout, make_shop

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def pool() -> Pool:
    return make_shop(now=utc_now())


@pytest.fixture
def partner(pool: Pool) -> Organisation:
    unit = make_organisation("税务局")
    with transaction():
        db.session.execute(
            sa.text("INSERT INTO campaign_hosts (campaign_id, organisation_id) VALUES (:campaign, :unit)").bindparams(
                sa.bindparam("campaign", pool.campaign_id, sa.Uuid), sa.bindparam("unit", unit.id, sa.Uuid)
            )
        )
    return unit


def _attempts(pool: Pool) -> None:
    for number in range(9):
        attempt_id = make_attempt(pool, make_citizen(), now=utc_now(), tickets=0)
        with transaction():
            group = "resident" if number < 7 else "youth"
            db.session.execute(sa.update(Attempt).where(Attempt.id == attempt_id).values(demographic_group=group))


def _as_cohost(client: FlaskClient, unit: Organisation) -> FlaskClient:
    own = client.application.test_client()
    sign_in(own, make_staff("cohost", has_totp=True, organisation=unit))
    return own


def _export(client: FlaskClient, page: str, **data: Any) -> Any:
    text = client.get(page).get_data(as_text=True)
    match = re.search(r'name="csrf-token" content="([^"]+)"', text)
    assert match
    return client.post(f"{page}/file", data={"csrf_token": match[1], **data})


def test_a_cohost_sees_its_own_campaign_and_no_other(client: FlaskClient, pool: Pool, partner: Organisation) -> None:
    own, other = _as_cohost(client, partner), _as_cohost(client, make_organisation("别的局"))
    page = f"/admin/cohost/{pool.slug}/{partner.id}"
    assert own.get(page).status_code == 200
    assert other.get(page).status_code == 404
    assert "税务局" in own.get("/admin/cohost").get_data(as_text=True)
    assert "税务局" not in other.get("/admin/cohost").get_data(as_text=True)
    with pytest.raises(NotFound):
        cohosts.get_overview(pool.slug, pool.host.id, (partner.path,), utc_now())


def test_the_sheet_says_what_the_report_says_with_small_groups_hidden(client: FlaskClient, pool: Pool, partner: Organisation) -> None:
    _attempts(pool)
    make_payout(pool, "cash", now=utc_now())
    own = _as_cohost(client, partner)
    answer = _export(own, f"/admin/cohost/{pool.slug}/{partner.id}", format="xlsx")
    assert answer.status_code == 200
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert sheet is not None
    lines = {str(row[0]): [cell for cell in row[1:] if cell is not None] for row in sheet.iter_rows(values_only=True) if row[0]}
    total = queries.participation(campaigns=(pool.slug,), by=("demographic_group",)).total.figures
    assert total is not None
    assert lines["合计"][:4] == [
        str(total.attempt_count),
        str(total.valid_attempt_count),
        str(total.participant_count),
        str(total.passed_count),
    ]
    assert lines["合计"][4] == f"{total.pass_rate:.2%}"
    assert rules.MASKED in lines["青少年"]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).filter_by(action="cohost.sheet_exported")) == 1


def test_the_sheet_can_be_printed(client: FlaskClient, pool: Pool, partner: Organisation) -> None:
    if find_font() is None:
        missing("a Chinese font (fonts-noto-cjk)")
    own = _as_cohost(client, partner)
    answer = _export(own, f"/admin/cohost/{pool.slug}/{partner.id}", format="pdf")
    assert answer.data.startswith(b"%PDF")

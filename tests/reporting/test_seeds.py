import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Citizen, Consent, StaffAccount
from quizapp.accounts.seeds import demo_username, load_demo_staff
from quizapp.attempts.models import Attempt, AttemptQuestion
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.queries import get_terms
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.questions.queries import get_revisions
from quizapp.questions.rules import is_right
from quizapp.reporting import seeds
from quizapp.reporting.queries import participation
from tests.factories.accounts import headers_for, reference_data, sign_in
from tests.factories.campaigns import make_campaign


def _count(table: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.fixture
def campaigns(app: Flask) -> list[Campaign]:
    reference_data()
    now = utc_now()
    over = [
        make_campaign(slug, opens_at=now - dt.timedelta(days=days + 12), closes_at=now - dt.timedelta(days=days), host=reference_data())
        for slug, days in (("spring", 60), ("summer", 20))
    ]
    return [*over, make_campaign("open", host=reference_data())]


def _load() -> None:
    with transaction():
        seeds.load_demo_results()


def test_finished_campaigns_get_consistent_results_and_the_open_one_none(campaigns: list[Campaign]) -> None:
    _load()
    assert _count(Attempt) == seeds.ATTEMPTS
    assert _count(Citizen) == _count(Consent) == seeds.PEOPLE
    attempts = db.session.scalars(sa.select(Attempt)).all()
    questions: dict[object, list[AttemptQuestion]] = {}
    for row in db.session.scalars(sa.select(AttemptQuestion)):
        questions.setdefault(row.attempt_id, []).append(row)
    views = get_revisions({row.revision_id for rows in questions.values() for row in rows})
    by_id = {campaign.id: campaign for campaign in campaigns}
    for attempt in attempts:
        terms_id = by_id[attempt.campaign_id].terms_id
        assert terms_id is not None
        terms = get_terms(terms_id)
        rows = questions[attempt.id]
        assert len(rows) == attempt.question_count == len({views[row.revision_id].question_id for row in rows})
        rows.sort(key=lambda row: row.position)
        right = [is_right(views[row.revision_id], row.choice_order, row.chosen) for row in rows]
        assert attempt.marks == "".join("01"[is_one] for is_one in right)
        assert attempt.correct_count == sum(right)
        assert attempt.is_passed == (attempt.correct_count >= terms.pass_count)
        assert attempt.submitted_at is not None
        assert terms.opens_at <= attempt.started_at < attempt.submitted_at <= attempt.deadline_at < terms.closes_at
        assert attempt.day_try is not None
        assert attempt.day_try <= (terms.tries.per_day or 99)
    assert {by_id[attempt.campaign_id].slug for attempt in attempts} == {"spring", "summer"}


def test_results_are_spread_and_two_are_excluded_with_reasons(campaigns: list[Campaign]) -> None:
    _load()
    table = participation(by=("demographic_group",))
    assert len(table.rows) == 5
    assert dict(table.exclusions) == {"脚本作答": 1, "工作人员试答": 1}
    assert len(participation(by=("region",)).rows) == 12
    assert len(participation(by=("day",)).rows) > 15
    assert None in [row.codes[0] for row in participation(by=("organisation",)).rows]
    assert None in [row.codes[0] for row in participation(by=("region",), region_level="town").rows]
    assert table.figures.pass_rate is not None
    assert 0.3 < table.figures.pass_rate < 0.9


def test_loading_twice_changes_nothing_and_every_machine_gets_the_same(campaigns: list[Campaign]) -> None:
    _load()
    first = participation(by=("demographic_group", "region"), now=utc_now()).rows
    _load()
    assert participation(by=("demographic_group", "region")).rows == first
    assert _count(Attempt) == seeds.ATTEMPTS
    rows = db.session.scalars(sa.select(Attempt.correct_count).order_by(Attempt.id)).all()
    with transaction():
        db.session.execute(sa.delete(AttemptQuestion))
        db.session.execute(sa.delete(Attempt))
    _load()
    assert db.session.scalars(sa.select(Attempt.correct_count).order_by(Attempt.id)).all() == rows


def test_without_finished_campaigns_or_places_nothing_happens(app: Flask) -> None:
    _load()
    assert _count(Citizen) == 0


def test_the_demos_report_reader_sees_the_demos_figures(campaigns: list[Campaign], client: FlaskClient) -> None:
    with transaction():
        load_demo_staff()
    _load()
    reader = db.session.scalars(sa.select(StaffAccount).filter_by(username=demo_username("report_reader"))).one()
    sign_in(client, reader)
    body = client.get("/api/v1/admin/reports/participation", headers=headers_for(reader)).get_json()
    assert body["total"]["attempt_count"] == seeds.ATTEMPTS
    page = client.get("/admin/reports").get_data(as_text=True)
    assert campaigns[0].title in page

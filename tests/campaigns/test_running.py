"""Campaigns that are out: released by the clock, paused with notice, closed early with a second person, closed at the end."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM, Actor
from quizapp.campaigns import queries, services
from quizapp.campaigns.errors import (
    CampaignEnded,
    CampaignNotFound,
    CampaignPaused,
    SamePerson,
    TermsInvalid,
    WrongCampaignState,
    WrongMoment,
)
from quizapp.campaigns.jobs import advance_campaigns
from quizapp.campaigns.models import Campaign, CampaignTermsVersion
from quizapp.campaigns.reach import state_of
from quizapp.campaigns.rules import check_is_open, phase
from quizapp.campaigns.services import running
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.lottery.models import DaySecret, PrizePool
from tests.conftest import postgresql_only
from tests.factories.accounts import make_staff
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_draft, make_terms

pytestmark = pytest.mark.usefixtures("app")
HOUR = dt.timedelta(hours=1)


def _person(role: str) -> Actor:
    return Actor("staff", make_staff(role).id, role)


def _do(work: Callable[[], Any]) -> Any:
    with transaction():
        return work()


def _fresh(slug: str) -> Campaign:
    db.session.rollback()
    db.session.expire_all()
    queries.forget_campaigns()
    campaign = queries.find_by_slug(slug)
    assert campaign is not None
    return campaign


def _actions(campaign: Campaign) -> list[str]:
    statement = sa.select(AuditEntry.action).where(AuditEntry.target_id == str(campaign.id))
    return list(db.session.scalars(statement.order_by(AuditEntry.at, AuditEntry.id)))


def _approve(slug: str, release_at: dt.datetime, **draft: Any) -> Campaign:
    """A draft, submitted by one and approved by another for later."""
    campaign = make_draft(slug, **draft)
    manager, approver = _person("campaign_manager"), _person("approver")
    _do(lambda: services.submit_for_approval(campaign.id, now=utc_now(), actor=manager))
    _do(lambda: services.publish_campaign(campaign.id, now=utc_now(), actor=approver, release_at=release_at))
    return _fresh(slug)


def test_an_approved_campaign_goes_out_at_its_moment_and_not_before() -> None:
    now = utc_now()
    campaign = _approve("spring", now + HOUR, terms=make_terms(prizes=ONE_CODE_PRIZE, opens_at=now + 3 * HOUR))
    assert state_of(campaign, now) == "scheduled"
    assert advance_campaigns(now + HOUR - dt.timedelta(seconds=1)) == 0
    with pytest.raises(CampaignNotFound):
        queries.get_campaign("spring")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PrizePool)) == 0
    assert advance_campaigns(now + HOUR) == 1
    published = _fresh("spring")
    view = queries.get_campaign("spring")
    assert phase(view.status, view.terms, now + HOUR) == "soon"
    assert published.published_by == campaign.approved_by is not None
    assert published.published_at == now + HOUR
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PrizePool)) == 1
    assert _actions(published)[-2:] == ["campaign.approved", "campaign.published"]
    assert advance_campaigns(now + 2 * HOUR) == 0, "a job may run twice"


def test_a_missed_minute_is_made_up_for() -> None:
    now = utc_now()
    _approve("spring", now + HOUR)
    assert advance_campaigns(now + 30 * HOUR) == 1
    assert _fresh("spring").status == "published"


def test_a_scheduled_release_can_be_taken_back_until_it_happens() -> None:
    now = utc_now()
    campaign = _approve("spring", now + HOUR)
    _do(lambda: services.return_to_draft(campaign.id, reason="日期要改", now=now, actor=SYSTEM))
    assert advance_campaigns(now + 2 * HOUR) == 0
    draft = _fresh("spring")
    assert (draft.status, draft.release_at, draft.return_reason) == ("draft", None, "日期要改")
    other = _approve("summer", now + HOUR)
    advance_campaigns(now + HOUR)
    with pytest.raises(WrongCampaignState), transaction():
        services.return_to_draft(other.id, reason="晚了", now=now, actor=SYSTEM)


def test_editing_a_scheduled_campaign_asks_for_a_new_approval() -> None:
    now = utc_now()
    campaign = _approve("spring", now + HOUR)
    changed = {**campaign.draft, "pass_count": 3}
    _do(lambda: services.save_draft(campaign.id, expected_version=campaign.version, draft=changed, now=now, actor=SYSTEM))
    assert advance_campaigns(now + 2 * HOUR) == 0
    assert (_fresh("spring").status, _fresh("spring").approved_by) == ("draft", None)


def test_a_release_that_has_become_impossible_goes_back_with_the_reason() -> None:
    now = utc_now()
    campaign = _approve("spring", now + HOUR, terms=make_terms(closes_at=now + 2 * HOUR))
    assert advance_campaigns(now + 3 * HOUR) == 1
    draft = _fresh("spring")
    assert draft.status == "draft"
    assert "结束时间" in draft.return_reason
    assert _actions(campaign)[-1] == "campaign.returned"


def test_a_release_lies_ahead_and_before_the_end_and_is_only_for_the_first_version() -> None:
    now = utc_now()
    campaign = make_draft("spring", terms=make_terms(closes_at=now + 5 * HOUR))
    _do(lambda: services.submit_for_approval(campaign.id, now=now, actor=SYSTEM))
    with pytest.raises(WrongMoment), transaction():
        services.publish_campaign(campaign.id, now=now, actor=SYSTEM, release_at=now)
    with pytest.raises(TermsInvalid), transaction():
        services.publish_campaign(campaign.id, now=now, actor=SYSTEM, release_at=now + 6 * HOUR)
    running_one = make_campaign("summer")
    body = {**running_one.draft, "pass_count": 3}
    _do(lambda: services.save_draft(running_one.id, expected_version=running_one.version, draft=body, now=now, actor=SYSTEM))
    _do(lambda: services.submit_for_approval(running_one.id, now=now, actor=_person("campaign_manager")))
    with pytest.raises(WrongMoment), transaction():
        services.publish_campaign(running_one.id, now=now, actor=SYSTEM, release_at=now + HOUR)


def test_the_submitter_cannot_approve_for_later_either() -> None:
    campaign, person = make_draft("spring"), _person("campaign_manager")
    _do(lambda: services.submit_for_approval(campaign.id, now=utc_now(), actor=person))
    with pytest.raises(SamePerson), transaction():
        services.publish_campaign(campaign.id, now=utc_now(), actor=person, release_at=utc_now() + HOUR)


def _race(app: Flask, work: Callable[[], Any], count: int) -> list[Any]:
    """``work`` at the same moment in threads of their own; results or the exceptions' types."""
    barrier, results = threading.Barrier(count), []

    def run() -> None:
        with app.app_context():
            barrier.wait()
            try:
                results.append(work())
            except Exception as error:
                results.append(type(error))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@postgresql_only
def test_two_workers_release_and_close_once(app: Flask) -> None:
    now = utc_now()
    campaign_id = _approve("spring", now + HOUR, terms=make_terms(prizes=ONE_CODE_PRIZE, closes_at=now + 20 * HOUR)).id
    assert sum(_race(app, lambda: advance_campaigns(now + HOUR), 4)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CampaignTermsVersion)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PrizePool)) == 1
    assert sum(_race(app, lambda: advance_campaigns(now + 20 * HOUR), 4)) == 1
    assert [action for action in _actions(_fresh("spring")) if action in ("campaign.published", "campaign.closed")] == [
        "campaign.published",
        "campaign.closed",
    ]
    assert campaign_id == _fresh("spring").id


@postgresql_only
def test_release_and_withdrawal_at_once_end_in_one_of_the_two(app: Flask) -> None:
    now = utc_now()
    campaign_id = _approve("spring", now + HOUR).id
    turn = iter(range(2))

    def either() -> Any:
        if next(turn):
            return advance_campaigns(now + HOUR)
        return _do(lambda: services.return_to_draft(campaign_id, reason="x", now=now, actor=SYSTEM).status)

    results = _race(app, either, 2)
    status = _fresh("spring").status
    assert (status == "published") == (WrongCampaignState in results), results
    assert status in ("published", "draft")


def test_the_worker_closes_what_is_over_and_drops_an_open_request() -> None:
    now = utc_now()
    campaign = make_campaign("spring", closes_at=now + HOUR)
    _do(lambda: running.request_closing(campaign.id, reason="天气", now=now, actor=SYSTEM))
    assert advance_campaigns(now) == 0
    assert advance_campaigns(now + HOUR) == 1
    closed = _fresh("spring")
    assert (closed.status, closed.closed_at, closed.closing_reason) == ("closed", now + HOUR, "")
    assert queries.get_campaign("spring").status == "closed"


def test_a_pause_tells_why_and_until_when() -> None:
    now = utc_now()
    campaign = make_campaign("spring")
    later = dt.datetime(now.year + 1, 3, 5, 1, 30, tzinfo=dt.UTC)
    with pytest.raises(WrongMoment), transaction():
        running.pause_campaign(campaign.id, reason="奖品补货", resumes_at=now, now=now, actor=SYSTEM)
    _do(lambda: running.pause_campaign(campaign.id, reason="奖品补货。", resumes_at=later, now=now, actor=SYSTEM))
    queries.forget_campaigns()
    with pytest.raises(CampaignPaused) as refusal:
        check_is_open(queries.get_campaign("spring"), now)
    assert refusal.value.message == "活动暂停了：奖品补货。预计 3月5日 09:30 恢复。"
    _do(lambda: running.resume_campaign(campaign.id, now=now, actor=SYSTEM))
    assert _fresh("spring").resumes_at is None


def test_closing_early_takes_a_reason_and_a_second_person() -> None:
    now = utc_now()
    campaign = make_campaign("spring", prizes=ONE_CODE_PRIZE)
    first, second = _person("campaign_manager"), _person("approver")
    with pytest.raises(WrongCampaignState), transaction():
        running.close_early(campaign.id, now=now, actor=second)
    _do(lambda: running.request_closing(campaign.id, reason="场馆停电", now=now, actor=first))
    assert queries.get_campaign("spring").status == "published", "nothing changes for citizens yet"
    assert queries.get_campaign("spring").closing_reason == ""
    with pytest.raises(SamePerson), transaction():
        running.close_early(campaign.id, now=now, actor=first)
    secrets = db.session.execute(sa.select(DaySecret.day_index, DaySecret.day_on, DaySecret.revealed_at)).all()
    terms_id = campaign.terms_id
    _do(lambda: running.close_early(campaign.id, now=now, actor=second))
    closed = _fresh("spring")
    assert (closed.status, closed.closed_at, closed.terms_id) == ("closed", now, terms_id)
    with pytest.raises(CampaignEnded):
        check_is_open(queries.get_campaign("spring"), now)
    assert db.session.execute(sa.select(DaySecret.day_index, DaySecret.day_on, DaySecret.revealed_at)).all() == secrets
    assert {"campaign.closing_requested", "campaign.closed_early"} <= set(_actions(closed))
    with pytest.raises(WrongCampaignState), transaction():
        running.close_early(campaign.id, now=now, actor=second)


def test_a_request_to_close_can_be_dropped_and_made_once() -> None:
    now, campaign = utc_now(), make_campaign("spring")
    _do(lambda: running.request_closing(campaign.id, reason="x", now=now, actor=SYSTEM))
    with pytest.raises(WrongCampaignState), transaction():
        running.request_closing(campaign.id, reason="y", now=now, actor=SYSTEM)
    _do(lambda: running.drop_closing(campaign.id, now=now, actor=SYSTEM))
    with pytest.raises(WrongCampaignState), transaction():
        running.close_early(campaign.id, now=now, actor=_person("approver"))
    over = make_campaign("over", opens_at=now - 3 * HOUR, closes_at=now - HOUR)
    with pytest.raises(CampaignEnded), transaction():
        running.request_closing(over.id, reason="x", now=now, actor=SYSTEM)
    with pytest.raises(CampaignNotFound), transaction():
        running.request_closing(uuid.uuid4(), reason="x", now=now, actor=SYSTEM)

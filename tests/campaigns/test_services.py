import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM, Actor
from quizapp.audit.titles import TITLES
from quizapp.campaigns import queries, rules, services
from quizapp.campaigns.errors import (
    CampaignChanged,
    CampaignEnded,
    CampaignNotFound,
    SamePerson,
    SlugTaken,
    TermsInvalid,
    WrongCampaignState,
)
from quizapp.campaigns.models import Campaign, CampaignTermsVersion
from quizapp.campaigns.services import running
from quizapp.campaigns.terms import from_dict, to_dict
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.lottery.models import DaySecret, PrizePool
from quizapp.questions.models import Question
from quizapp.questions.queries import forget_pools
from tests.conftest import postgresql_only
from tests.factories.accounts import make_staff
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_draft, make_terms, pause

pytestmark = pytest.mark.usefixtures("app")


def _count(table: Any) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _staff(role: str) -> Actor:
    account = make_staff(role)
    return Actor("staff", account.id, account.display_name)


def _submitted(slug: str = "spring", **values: Any) -> tuple[Campaign, Actor]:
    campaign = make_draft(slug, **values)
    editor = _staff("campaign_manager")
    with transaction():
        services.submit_for_approval(campaign.id, now=utc_now(), actor=editor)
    return campaign, editor


def test_a_published_campaign_is_open_to_citizens() -> None:
    campaign = make_campaign("spring", prizes=ONE_CODE_PRIZE)
    view = queries.get_campaign("spring")
    assert view.id == campaign.id
    assert view.terms_number == 1
    assert rules.phase(view.status, view.terms, utc_now()) == "open"
    assert queries.get_terms(view.terms_id) == view.terms
    assert queries.get_campaign_by_id(campaign.id) == view
    assert [v.slug for v in queries.list_visible(utc_now() + dt.timedelta(days=1))] == ["spring"]


def test_drafts_and_unknown_names_are_not_found() -> None:
    draft = make_draft("draft")
    for read in (lambda: queries.get_campaign("draft"), lambda: queries.get_campaign("none"), lambda: queries.get_campaign_by_id(draft.id)):
        with pytest.raises(CampaignNotFound):
            read()
    assert queries.list_visible(utc_now()) == []


def test_publishing_opens_a_pool_sealed_with_the_terms_and_enough_days() -> None:
    campaign = make_campaign("spring", prizes=ONE_CODE_PRIZE)
    view = queries.get_campaign("spring")
    pool = db.session.scalars(sa.select(PrizePool).filter_by(campaign_id=campaign.id)).one()
    assert view.terms_hash in pool.manifest
    known = set(db.session.scalars(sa.select(DaySecret.day_on).where(DaySecret.day_on.is_not(None))))
    assert set(rules.draw_days(view.terms)) <= known
    make_campaign("plain")
    assert _count(PrizePool) == 1


def test_the_submitter_cannot_publish_unless_the_setting_says_so() -> None:
    campaign, editor = _submitted()
    with pytest.raises(SamePerson), transaction():
        services.publish_campaign(campaign.id, now=utc_now(), actor=editor)
    assert _count(CampaignTermsVersion) == 0
    with transaction():
        services.publish_campaign(campaign.id, now=utc_now(), actor=editor, needs_second_person=False)
    assert _count(CampaignTermsVersion) == 1


def test_what_changed_between_submission_and_approval_is_checked_again() -> None:
    campaign, _ = _submitted()
    with transaction():
        db.session.execute(sa.update(Question).values(status="suspended"))
    forget_pools()
    with pytest.raises(TermsInvalid), transaction():
        services.publish_campaign(campaign.id, now=utc_now(), actor=_staff("approver"))
    with pytest.raises(TermsInvalid), transaction():
        services.publish_campaign(campaign.id, now=utc_now() + dt.timedelta(days=99), actor=_staff("approver"))
    assert _count(PrizePool) == _count(CampaignTermsVersion) == 0


def _race(app: Flask, count: int, work: Callable[[], Any]) -> list[object]:
    """Run ``work`` in threads at once; returns what each gave or raised."""
    outcomes: list[object] = []
    gate = threading.Barrier(count)

    def run() -> None:
        with app.app_context():
            try:
                gate.wait()
                with transaction():
                    work()
                outcomes.append("done")
            except Exception as error:
                outcomes.append(type(error))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    return outcomes


def test_two_approvers_at_once_publish_once(app: Flask) -> None:
    campaign, _ = _submitted(terms=make_terms(prizes=ONE_CODE_PRIZE))
    approver, campaign_id = _staff("approver"), campaign.id
    outcomes = _race(app, 6, lambda: services.publish_campaign(campaign_id, now=utc_now(), actor=approver))
    assert sorted(map(str, outcomes)) == sorted(map(str, ["done", *[WrongCampaignState] * 5]))
    assert (_count(CampaignTermsVersion), _count(PrizePool)) == (1, 1)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).filter_by(action="campaign.published")) == 1


def test_two_editors_at_once_lose_nothing_silently(app: Flask) -> None:
    campaign_id = make_draft("spring").id

    def save() -> None:
        services.save_draft(campaign_id, expected_version=1, head={"summary": f"{time.monotonic_ns()}"}, now=utc_now(), actor=SYSTEM)

    outcomes = _race(app, 5, save)
    assert outcomes.count("done") == 1
    assert outcomes.count(CampaignChanged) == 4


@postgresql_only
def test_two_campaigns_created_at_once_share_no_address(app: Flask) -> None:
    host_id = make_draft("first").host_organisation_id

    def create() -> None:
        services.create_campaign(slug="same", title="x", host_organisation_id=host_id, now=utc_now(), actor=SYSTEM)

    outcomes = _race(app, 4, create)
    assert outcomes.count("done") == 1
    assert set(outcomes) <= {"done", SlugTaken}


def test_extending_at_once_adds_one_version_each_time_and_never_shortens(app: Flask) -> None:
    campaign_id = make_campaign("spring", prizes=ONE_CODE_PRIZE).id
    end = queries.get_campaign("spring").terms.closes_at + dt.timedelta(days=1)
    outcomes = _race(app, 4, lambda: running.extend_campaign(campaign_id, closes_at=end, now=utc_now(), actor=SYSTEM))
    assert sorted(map(str, outcomes)) == sorted(map(str, ["done", *[TermsInvalid] * 3]))
    assert _count(CampaignTermsVersion) == 2
    assert queries.get_campaign("spring").terms.closes_at == end


def test_an_extension_keeps_old_terms_readable_and_the_draft_in_step() -> None:
    campaign = make_campaign("spring", prizes=ONE_CODE_PRIZE)
    before = queries.get_campaign("spring")
    end = before.terms.closes_at + dt.timedelta(days=3)
    with transaction():
        running.extend_campaign(campaign.id, closes_at=end, now=utc_now(), actor=SYSTEM)
    after = queries.get_campaign("spring")
    assert queries.get_terms(before.terms_id) == before.terms
    assert (after.terms.closes_at, after.terms_number, after.terms.draw) == (end, 2, before.terms.draw)
    db.session.expire_all()
    row = queries.find_by_slug("spring")
    assert row is not None
    assert row.draft["closes_at"] == to_dict(after.terms)["closes_at"]
    assert row.closes_at == end


def test_extensions_together_stay_within_the_spare_days() -> None:
    campaign = make_campaign("spring", prizes=ONE_CODE_PRIZE, draw={"spare_days": 3})
    end = queries.get_campaign("spring").terms.closes_at
    for days, allowed in ((2, True), (3, True), (4, False)):
        closes_at = end + dt.timedelta(days=days)
        if allowed:
            with transaction():
                running.extend_campaign(campaign.id, closes_at=closes_at, now=utc_now(), actor=SYSTEM)
            continue
        with pytest.raises(TermsInvalid), transaction():
            running.extend_campaign(campaign.id, closes_at=closes_at, now=utc_now(), actor=SYSTEM)
    plain = make_campaign("plain")
    with transaction():
        running.extend_campaign(plain.id, closes_at=end + dt.timedelta(days=60), now=utc_now(), actor=SYSTEM)


def test_an_ended_campaign_is_neither_extended_nor_is_a_draft() -> None:
    now = utc_now()
    over = make_campaign("over", opens_at=now - dt.timedelta(days=2), closes_at=now - dt.timedelta(days=1))
    with pytest.raises(CampaignEnded), transaction():
        running.extend_campaign(over.id, closes_at=now + dt.timedelta(days=1), now=now, actor=SYSTEM)
    draft = make_draft("draft")
    with pytest.raises(WrongCampaignState), transaction():
        running.extend_campaign(draft.id, closes_at=now + dt.timedelta(days=1), now=now, actor=SYSTEM)


@pytest.mark.parametrize(
    "verb",
    [
        lambda campaign_id: running.pause_campaign(campaign_id, reason="x", now=utc_now(), actor=SYSTEM),
        lambda campaign_id: running.resume_campaign(campaign_id, now=utc_now(), actor=SYSTEM),
        lambda campaign_id: services.publish_campaign(campaign_id, now=utc_now(), actor=SYSTEM),
        lambda campaign_id: services.return_to_draft(campaign_id, reason="x", now=utc_now(), actor=SYSTEM),
    ],
)
def test_verbs_that_do_not_fit_a_draft_change_nothing(verb: Callable[[Any], Any]) -> None:
    campaign = make_draft("spring")
    with pytest.raises(WrongCampaignState), transaction():
        verb(campaign.id)
    db.session.expire_all()
    assert queries.find_by_slug("spring").status == "draft"  # type: ignore[union-attr]


# ---- what the database itself refuses


def _version_of(campaign: Campaign, **changes: Any) -> CampaignTermsVersion:
    values = {
        "campaign_id": campaign.id,
        "kind": campaign.kind,
        "has_rewards": False,
        "number": 1,
        "body": {},
        "body_hash": "x",
        "created_at": utc_now(),
    }
    return CampaignTermsVersion(**{**values, **changes})


def test_the_database_refuses_rewards_in_a_statutory_exam_whatever_the_code_says() -> None:
    exam = make_draft("exam", kind="statutory_exam", legal_basis="法治宣传教育法第三十六条")
    for changes in ({"has_rewards": True}, {"has_rewards": True, "kind": "voluntary"}):
        with pytest.raises(sa.exc.IntegrityError), transaction():
            db.session.add(_version_of(exam, **changes))
    with transaction():
        db.session.add(_version_of(exam))
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(Campaign).values(kind="voluntary"))


def test_the_services_derive_rewards_from_the_body() -> None:
    make_campaign("paid", prizes=ONE_CODE_PRIZE)
    make_campaign("plain")
    make_campaign("exam", kind="statutory_exam")
    rows = db.session.execute(
        sa.select(Campaign.slug, CampaignTermsVersion.has_rewards, CampaignTermsVersion.kind).join(
            CampaignTermsVersion, CampaignTermsVersion.campaign_id == Campaign.id
        )
    )
    assert {tuple(row) for row in rows} == {
        ("paid", True, "voluntary"),
        ("plain", False, "voluntary"),
        ("exam", False, "statutory_exam"),
    }


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "statutory_exam", "legal_basis": ""},
        {"kind": "party"},
        {"status": "secret"},
        {"opens_at": dt.datetime(2030, 1, 2, tzinfo=dt.UTC), "closes_at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_the_database_refuses_campaigns_that_cannot_be(values: dict[str, Any]) -> None:
    make_draft("spring")
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(Campaign).values(**values))


def test_published_terms_cannot_be_changed_or_deleted() -> None:
    make_campaign("spring")
    for statement in (sa.update(CampaignTermsVersion).values(body={}), sa.delete(CampaignTermsVersion)):
        with pytest.raises(sa.exc.DatabaseError), transaction():
            db.session.execute(statement)


# ---- what a process keeps


def test_reading_an_open_campaign_again_asks_the_database_nothing() -> None:
    make_campaign("spring", prizes=ONE_CODE_PRIZE)
    view = queries.get_campaign("spring")
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert queries.get_campaign("spring") is view
        assert queries.get_campaign_by_id(view.id) is view
        assert queries.get_terms(view.terms_id) is view.terms
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    assert statements == []


def test_another_process_sees_a_pause_after_three_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    make_campaign("spring")
    assert queries.get_campaign("spring").status == "published"
    with transaction():
        db.session.execute(sa.update(Campaign).values(status="paused", pause_reason="补货", version=Campaign.version + 1))
    assert queries.get_campaign("spring").status == "published"
    later = time.monotonic() + queries.FRESH_SECONDS + 1
    monkeypatch.setattr("quizapp.campaigns.queries.time.monotonic", lambda: later)
    view = queries.get_campaign("spring")
    assert (view.status, view.pause_reason) == ("paused", "补货")


def test_this_process_sees_its_own_pause_at_once() -> None:
    campaign = make_campaign("spring")
    assert queries.get_campaign("spring").status == "published"
    pause(campaign)
    assert queries.get_campaign("spring").status == "paused"


class _Stamp:
    """A Redis that holds the one number."""

    def __init__(self) -> None:
        self.value: bytes | None = b"1"
        self.reads = 0

    def get(self, key: str) -> bytes | None:
        self.reads += 1
        return self.value

    def incr(self, key: str) -> int:
        self.value = str(int(self.value or b"0") + 1).encode()
        return int(self.value)


def test_with_redis_the_stamp_spares_the_database_and_its_loss_does_not_freeze_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = make_campaign("spring")
    stamp = _Stamp()
    monkeypatch.setattr("quizapp.campaigns.queries.redis_client.client", stamp)
    clock = [time.monotonic() + 100]
    monkeypatch.setattr("quizapp.campaigns.queries.time.monotonic", lambda: clock[0])
    queries.forget_campaigns()
    assert queries.get_campaign("spring").status == "published"
    with transaction():
        db.session.execute(sa.update(Campaign).values(status="paused", version=Campaign.version + 1))
    clock[0] += 4
    assert queries.get_campaign("spring").status == "published", "the stamp says nothing changed"
    clock[0] += queries.STAMP_SECONDS
    assert queries.get_campaign("spring").status == "paused", "the version is asked for at least once a minute"
    with transaction():
        running.resume_campaign(campaign.id, now=utc_now(), actor=SYSTEM)
    assert stamp.value == b"2"
    stamp.value = None
    clock[0] += 4
    assert queries.get_campaign("spring").status == "published"


# ---- small things


def test_every_deed_has_a_chinese_title() -> None:
    campaign = make_campaign("spring")
    pause(campaign)
    with transaction():
        running.resume_campaign(campaign.id, now=utc_now(), actor=SYSTEM)
    actions = set(db.session.scalars(sa.select(AuditEntry.action)))
    assert actions >= {"campaign.created", "campaign.submitted", "campaign.published", "campaign.paused", "campaign.resumed"}
    assert actions <= set(TITLES)


def test_the_audit_names_what_changed_in_the_draft() -> None:
    campaign = make_draft("spring")
    draft = {**campaign.draft, "pass_count": 2}
    with transaction():
        services.save_draft(campaign.id, expected_version=1, draft=draft, head={"title": "新的名称"}, now=utc_now(), actor=SYSTEM)
    entry = db.session.scalars(sa.select(AuditEntry).filter_by(action="campaign.saved")).one()
    assert entry.changes == {"title": ["测试竞答", "新的名称"], "draft": {"pass_count": [4, 2]}}
    with transaction():
        saved = services.save_draft(campaign.id, expected_version=2, draft=draft, now=utc_now(), actor=SYSTEM)
    assert saved.version == 2, "saving the same changes nothing"


def test_the_stored_body_is_what_citizens_play_by() -> None:
    make_campaign("spring", prizes=ONE_CODE_PRIZE, pass_count=3)
    version = db.session.scalars(sa.select(CampaignTermsVersion)).one()
    assert from_dict(version.body) == queries.get_campaign("spring").terms
    assert "plan" not in version.body

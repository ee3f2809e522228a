"""From hand-ins to a drawn pool: who qualifies, and what the worker does when."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from quizapp.accounts.models import Citizen
from quizapp.attempts import pool_jobs
from quizapp.attempts.models import Attempt
from quizapp.attempts.pool_lists import list_qualified
from quizapp.audit.services import SYSTEM
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns import services as campaign_services
from quizapp.campaigns.errors import TermsInvalid
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.services import running
from quizapp.campaigns.terms import Condition, PoolDraw, PoolTier, to_dict
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import db, transaction
from quizapp.lottery import pool_proof, pooldraw
from quizapp.lottery.pool_models import PoolDrawRun, PoolWin
from quizapp.lottery.pooldraw import Entry, export
from quizapp.lottery.pooldraw import queries as pool_queries
from quizapp.lottery.pooldraw.queries import STALLED
from tests.factories.accounts import make_citizen
from tests.factories.attempts import play
from tests.factories.campaigns import make_campaign, make_terms

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.timedelta(days=1)
TIER = PoolTier(name="书包", kind="pickup", quantity=2)


def _draw(**values: Any) -> PoolDraw:
    return PoolDraw(**{"id": "grand", "title": "收官摇号", "tiers": (TIER,), **values})


def _campaign(*draws: PoolDraw, **values: Any) -> Campaign:
    return make_campaign(terms=make_terms(draws=draws or (_draw(),), per_day=9, **values))


def _handed_in(campaign: Campaign, right: Sequence[int], **values: Any) -> list[Citizen]:
    people = []
    for count in right:
        citizen = make_citizen(**values)
        play(campaign, citizen, right=count)
        people.append(citizen)
    return people


def _qualified(campaign: Campaign, draw: PoolDraw, scope: str = "campaign") -> dict[Any, tuple[int, int]]:
    db.session.rollback()
    view = campaign_queries.get_campaign(campaign.slug)
    return {entry.citizen_id: (entry.tickets, entry.band) for entry in list_qualified(view, draw, scope)}


def _runs() -> list[PoolDrawRun]:
    db.session.rollback()
    statement = sa.select(PoolDrawRun).where(PoolDrawRun.state != "spare").order_by(PoolDrawRun.due_at)
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))


def _verify(run: PoolDrawRun) -> pool_proof.PoolSummary:
    return pool_proof.verify(line.encode() for line in export.file_lines(pool_queries.get_public(run.id)))


# ---- who qualifies


def test_everybody_who_passed_qualifies_once() -> None:
    campaign = _campaign()
    passed, also, _failed = _handed_in(campaign, (5, 4, 3))
    play(campaign, passed, right=5)
    assert _qualified(campaign, _draw()) == {passed.id: (1, 0), also.id: (1, 0)}


def test_conditions_on_an_attempt_put_people_into_bands_by_their_best() -> None:
    campaign = _campaign()
    best, good, fair, _poor = _handed_in(campaign, (5, 4, 3, 2))
    play(campaign, fair, right=1)
    draw = _draw(
        who=Condition(measure="all_right", at_least=1),
        cascade=(Condition(measure="correct", at_least=4), Condition(measure="percent", at_least=60)),
    )
    assert _qualified(campaign, draw) == {best.id: (1, 0), good.id: (1, 1), fair.id: (1, 2)}


def test_left_out_groups_minors_places_and_excluded_attempts_do_not_qualify() -> None:
    campaign = _campaign()
    [resident] = _handed_in(campaign, (5,))
    _handed_in(campaign, (5,), group="civil_servant")
    [minor] = _handed_in(campaign, (5,), age_band="14_17")
    [excluded] = _handed_in(campaign, (5,))
    with transaction():
        db.session.execute(sa.update(Attempt).where(Attempt.citizen_id == excluded.id).values(excluded_at=utc_now()))
    assert set(_qualified(campaign, _draw())) == {resident.id}
    assert set(_qualified(campaign, _draw(allows_minors=True))) == {resident.id, minor.id}
    region = resident.region_code or ""
    assert set(_qualified(campaign, _draw(regions=(region,)))) == {resident.id}
    assert not _qualified(campaign, _draw(regions=("99",)))
    assert not _qualified(campaign, _draw(groups=("farmer_herder",)))


def test_a_daily_draw_takes_in_its_own_day() -> None:
    campaign = _campaign(_draw(per="day"))
    [citizen] = _handed_in(campaign, (5,))
    today = shanghai_day(utc_now())
    assert set(_qualified(campaign, _draw(per="day"), today.isoformat())) == {citizen.id}
    assert not _qualified(campaign, _draw(per="day"), (today + DAY).isoformat())
    with pytest.raises(KeyError):
        _qualified(campaign, _draw(per="day"), "2001-01-01")


# ---- publication and the worker


def test_publication_opens_a_draw_for_every_day_due_the_day_after() -> None:
    campaign = _campaign(_draw(per="day", after_days=1, at="10:00"))
    runs = _runs()
    first = shanghai_day(campaign.opens_at or utc_now())
    assert [run.scope for run in runs[:2]] == [first.isoformat(), (first + DAY).isoformat()]
    assert len(runs) == 12
    due_at = runs[0].due_at
    assert due_at is not None
    assert shanghai_day(due_at) == first + DAY
    assert {_verify(run).state for run in runs} == {"open"}


def test_the_worker_freezes_and_draws_when_the_moment_has_come_and_only_then() -> None:
    campaign = _campaign()
    _handed_in(campaign, (5, 5, 4, 1))
    [run] = _runs()
    assert run.due_at is not None
    assert pool_jobs.hold_pool_draws(run.due_at - dt.timedelta(seconds=1)) == 0
    assert pool_jobs.hold_pool_draws(run.due_at + 3 * DAY) == 2, "a missed moment is caught up"
    [run] = _runs()
    assert (run.state, run.entry_count) == ("drawn", 3)
    assert pool_jobs.hold_pool_draws(run.due_at + 4 * DAY) == 0
    assert _verify(run).win_count == db.session.scalar(sa.select(sa.func.count()).select_from(PoolWin)) == 2


def test_a_worker_that_died_after_the_freeze_goes_on() -> None:
    campaign = _campaign()
    _handed_in(campaign, (5, 5))
    [run] = _runs()
    assert run.due_at is not None
    view = campaign_queries.get_campaign(campaign.slug)
    with transaction():
        pooldraw.freeze(pool_draw_id=run.id, entries=list_qualified(view, view.terms.draws[0], "campaign"), now=run.due_at)
    assert pool_jobs.hold_pool_draws(run.due_at) == 1
    assert _runs()[0].state == "drawn"


def test_the_worker_waits_for_a_ceremony_but_nobody_can_sit_on_one() -> None:
    campaign = _campaign(_draw(mode="ceremony", seed_input="spoken"))
    _handed_in(campaign, (5, 5))
    [run] = _runs()
    due_at = run.due_at
    assert due_at is not None
    assert pool_jobs.hold_pool_draws(due_at) == 1
    assert pool_jobs.hold_pool_draws(due_at + DAY) == 0
    with transaction():
        pooldraw.take_input(pool_draw_id=run.id, typed="1234", typed_again="1234", actor=SYSTEM, organisation_path="/", now=due_at + DAY)
    assert pool_jobs.hold_pool_draws(due_at + DAY) == 0
    assert pool_jobs.hold_pool_draws(due_at + DAY + STALLED) == 1
    assert _verify(_runs()[0]).public_input == "1234"


def test_an_automatic_draw_with_a_public_figure_is_made_once_the_figure_is_typed() -> None:
    campaign = _campaign(_draw(seed_input="public_figure", public_figure="上证指数 2027 年 3 月 31 日收盘"))
    _handed_in(campaign, (5, 5))
    [run] = _runs()
    due_at = run.due_at
    assert due_at is not None
    assert pool_jobs.hold_pool_draws(due_at) == 1
    with transaction():
        pooldraw.take_input(pool_draw_id=run.id, typed="3,245.67", typed_again="3245.67", actor=SYSTEM, organisation_path="/", now=due_at)
    assert pool_jobs.hold_pool_draws(due_at) == 1
    assert _verify(_runs()[0]).public_input == "3245.67"


def test_one_draw_that_fails_does_not_keep_the_others_waiting(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = _campaign(_draw(id="broken"), _draw(id="second"))
    _handed_in(campaign, (5, 5))
    due_at = _runs()[-1].due_at
    assert due_at is not None

    def fail_for_one(view: CampaignView, draw: PoolDraw, scope: str) -> list[Entry]:
        if draw.id == "broken":
            raise ValueError("no list")
        return list_qualified(view, draw, scope)

    monkeypatch.setattr(pool_jobs, "list_qualified", fail_for_one)
    pool_jobs.hold_pool_draws(due_at)
    assert {run.draw_code: run.state for run in _runs()} == {"broken": "open", "second": "drawn"}
    assert "cannot be held" in caplog.text
    monkeypatch.undo()
    pool_jobs.hold_pool_draws(due_at)
    assert {run.state for run in _runs()} == {"drawn"}


def test_an_extension_moves_the_lists_and_adds_days() -> None:
    campaign = _campaign(_draw(), _draw(id="daily", per="day"))
    before = {(run.draw_code, run.scope): run.due_at for run in _runs()}
    assert campaign.closes_at is not None
    with transaction():
        running.extend_campaign(campaign.id, closes_at=campaign.closes_at + 2 * DAY, now=utc_now(), actor=SYSTEM)
    after = {(run.draw_code, run.scope): run.due_at for run in _runs()}
    old, new = before["grand", "campaign"], after["grand", "campaign"]
    assert old is not None
    assert new == old + 2 * DAY
    assert len(after) == len(before) + 2
    assert {_verify(run).state for run in _runs()} == {"open"}


def test_published_draws_cannot_be_changed() -> None:
    campaign = _campaign()
    terms = make_terms(draws=(_draw(reserves=5),), per_day=9, opens_at=campaign.opens_at, closes_at=campaign.closes_at)
    with transaction():
        campaign_services.save_draft(campaign.id, expected_version=campaign.version, now=utc_now(), actor=SYSTEM, draft=to_dict(terms))
    with pytest.raises(TermsInvalid) as found, transaction():
        campaign_services.submit_for_approval(campaign.id, now=utc_now(), actor=SYSTEM)
    assert "draws" in [problem.field for problem in found.value.problems if problem.is_error]

"""Marking again while citizens hand in: threads against PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import Citizen
from quizapp.attempts import jobs, queries, services
from quizapp.attempts.models import Attempt, AttemptRemark
from quizapp.attempts.rules import Asker
from quizapp.attempts.services import handing_in
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import FixedReward, Points
from quizapp.core.db import db, transaction
from quizapp.ledger.models import LedgerAccount, LedgerEntry
from quizapp.ledger.queries import get_balance
from quizapp.lottery.models import DrawTicket
from tests.attempts.conftest import MINUTE, NOW
from tests.attempts.test_remarking import _answer, play
from tests.conftest import postgresql_only
from tests.factories import attempts as make
from tests.factories import corrections as fix
from tests.factories.accounts import make_citizen
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign
from tests.factories.questions import make_bank


def _in_thread(app: Flask, work: Callable[[], Any]) -> Any:
    with app.app_context():
        try:
            return work()
        finally:
            db.session.remove()


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    make_bank(count=5, kinds=("single",), now=NOW)
    return make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, points=Points(passed=20, failed=5, daily_limit=3))


@postgresql_only
def test_hand_ins_during_the_job_are_marked_by_the_new_key_once(app: Flask, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty papers, half of them handed in while two workers mark, by processes that do not know of the correction."""
    people = [make_citizen(now=NOW) for _ in range(40)]
    chosen = {"q-001": {1}, "q-002": {1}}
    for person in people[:20]:
        play(campaign, person, chosen)
    open_ones = [make.start(campaign, person, now=NOW).attempt for person in people[20:]]
    for paper, person in zip(open_ones, people[20:], strict=True):
        _answer(paper, person, chosen, NOW)
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    monkeypatch.setattr("quizapp.attempts.services.grading.question_queries.find_key_changes", lambda ids: {})
    monkeypatch.setattr(jobs, "REMARK_BATCH", 3)
    ids = [(paper.id, person.id) for paper, person in zip(open_ones, people[20:], strict=True)]
    db.session.rollback()
    start = threading.Barrier(6)

    def hand_in(numbers: range) -> None:
        start.wait(10)
        for number in numbers:
            attempt_id, citizen_id = ids[number]
            graded = services.submit_at_once(attempt_id=attempt_id, citizen_id=citizen_id, now=NOW + MINUTE)
            assert graded is not None
            assert graded.correct_count == 3

    def mark() -> None:
        start.wait(10)
        for _ in range(3):
            jobs.remark_attempts(NOW + MINUTE)

    works: list[Callable[[], None]] = [*(lambda n=n: hand_in(range(n, 20, 4)) for n in range(4)), mark, mark]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda work: _in_thread(app, work), works))
    fix.work(NOW + 3 * MINUTE)
    db.session.rollback()
    results = sa.select(Attempt.correct_count, Attempt.is_passed, Attempt.points, Attempt.ticket_count)
    assert set(db.session.execute(results)) == {(4, True, 20, 1)}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AttemptRemark)) == 40
    assert db.session.scalar(sa.select(sa.func.count()).select_from(DrawTicket)) == 40
    assert db.session.scalar(sa.select(sa.func.sum(LedgerEntry.amount))) == 40 * 20
    assert set(db.session.scalars(sa.select(LedgerAccount.balance).filter_by(owner_type="citizen"))) == {20}


@pytest.fixture
def rewarding(app: Flask) -> tuple[Campaign, Citizen]:
    make_bank(count=5, kinds=("single",), now=NOW)
    campaign = make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, per_day=3, fixed_reward=FixedReward(points=30))
    return campaign, make_citizen("youth", age_band="14_17", now=NOW)


@postgresql_only
def test_a_hand_in_under_way_and_the_job_give_one_fixed_reward(
    app: Flask, rewarding: tuple[Campaign, Citizen], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hand-in has read that the day had no reward; before it writes, the job gives the morning's attempt its own."""
    campaign, pupil = rewarding
    play(campaign, pupil, {"q-001": {1}, "q-002": {1}})
    paper = make.start(campaign, pupil, now=NOW + MINUTE).attempt
    make.answer(paper, pupil, now=NOW + MINUTE)
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW + MINUTE)
    monkeypatch.setattr("quizapp.attempts.services.grading.question_queries.find_key_changes", lambda ids: {})
    real = queries.find_own_attempt

    def read_and_wait(*args: Any) -> Any:
        found = real(*args)
        with ThreadPoolExecutor(1) as threads:
            threads.submit(_in_thread, app, lambda: jobs.remark_attempts(NOW + MINUTE)).result(20)
        return found

    monkeypatch.setattr(handing_in.queries, "find_own_attempt", read_and_wait)
    db.session.rollback()
    assert services.submit_at_once(attempt_id=paper.id, citizen_id=pupil.id, now=NOW + 2 * MINUTE) is None
    with transaction():
        handed_in = services.submit_attempt(attempt_id=paper.id, asker=Asker(citizen_id=pupil.id), now=NOW + 2 * MINUTE)
    assert (handed_in.attempt.is_passed, handed_in.attempt.fixed_points) == (True, 0)
    assert get_balance("citizen", str(pupil.id), "points") == 30

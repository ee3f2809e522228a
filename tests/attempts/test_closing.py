import datetime as dt

import sqlalchemy as sa

from quizapp.accounts.models import Citizen
from quizapp.attempts import services
from quizapp.attempts.models import Attempt, AttemptQuestion
from quizapp.attempts.services import closing
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db, transaction
from tests.attempts.conftest import MINUTE, NOW
from tests.attempts.looking import points, row_of
from tests.factories import attempts as make
from tests.factories.accounts import make_citizen
from tests.factories.campaigns import make_campaign

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def test_the_worker_closes_what_is_overdue_and_leaves_the_rest(campaign: Campaign, citizen: Citizen) -> None:
    answered = make.start(campaign, citizen, now=NOW).attempt
    make.answer(answered, citizen, 4, wrong=0, now=NOW)
    blank = make.start(campaign, make_citizen(), now=NOW).attempt
    guest, _ = make.guest_paper(campaign, right=3, handed_in=False, now=NOW)
    blank_guest = make.start(campaign, now=NOW).attempt
    unregistered = make_citizen(group=None)
    waiting = make.start(campaign, unregistered, now=NOW).attempt
    make.answer(waiting, unregistered, 5, now=NOW)
    running = make.start(campaign, other := make_citizen(), now=NOW + MINUTE).attempt
    make.answer(running, other, 5, now=NOW + MINUTE)
    with transaction():
        closed = services.close_overdue(now=NOW + 5 * MINUTE, limit=100)
    assert closed == services.Closed(graded=1, handed_in=2, lapsed=2)
    states = [row_of(one.id).state for one in (answered, blank, guest, blank_guest, waiting, running)]
    assert states == ["graded", "lapsed", "handed_in", "lapsed", "handed_in", "open"]
    row = row_of(answered.id)
    assert (row.is_automatic, row.correct_count, row.ticket_count) == (True, 4, 1)
    assert (row.handed_in_at, row.submitted_at) == (NOW + 5 * MINUTE, NOW + 5 * MINUTE)
    assert points(citizen) == 20
    with transaction():
        assert services.close_overdue(now=NOW + 5 * MINUTE, limit=100).total == 0


def test_the_worker_leaves_a_paper_its_grace(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, grace_seconds=120)
    attempt = make.start(campaign, citizen, now=NOW).attempt
    make.answer(attempt, citizen, now=NOW)
    with transaction():
        assert services.close_overdue(now=NOW + 7 * MINUTE - dt.timedelta(seconds=1)).total == 0
    with transaction():
        assert services.close_overdue(now=NOW + 7 * MINUTE).graded == 1


def test_the_worker_takes_a_batch_at_a_time(campaign: Campaign) -> None:
    for _ in range(5):
        make.start(campaign, make_citizen(), now=NOW)
    totals = []
    for _ in range(4):
        with transaction():
            totals.append(services.close_overdue(now=NOW + HOUR, limit=2).total)
    assert totals == [2, 2, 1, 0]


def test_papers_nobody_came_back_for_lapse_after_24_hours_and_guests_are_deleted(campaign: Campaign, citizen: Citizen) -> None:
    guest, _ = make.guest_paper(campaign, now=NOW)
    endless = make_campaign("endless", now=NOW, limit_seconds=None)
    open_guest = make.start(endless, now=NOW).attempt
    unregistered = make_citizen(group=None)
    waiting = make.start(campaign, unregistered, now=NOW).attempt
    make.hand_in(waiting, unregistered, now=NOW)
    kept = make.play(campaign, citizen, now=NOW)
    with transaction():
        assert services.close_overdue(now=NOW + DAY - MINUTE).total == 0
    with transaction():
        assert services.close_overdue(now=NOW + DAY).lapsed == 3
    assert [row_of(one.id).state for one in (guest, open_guest, waiting)] == ["lapsed"] * 3
    with transaction():
        assert services.delete_forgotten_papers(now=NOW + 2 * DAY - MINUTE) == 0
    with transaction():
        assert services.delete_forgotten_papers(now=NOW + 2 * DAY) == 2
    db.session.rollback()
    assert set(db.session.scalars(sa.select(Attempt.id))) == {waiting.id, kept.id}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AttemptQuestion)) == 10


def test_closing_one_paper_leaves_a_running_one_alone(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    with transaction():
        closing.close_attempt(attempt.id, NOW)
    assert row_of(attempt.id).state == "open"
    with transaction():
        closing.close_attempt(attempt.id, NOW + HOUR)
    assert row_of(attempt.id).state == "lapsed"

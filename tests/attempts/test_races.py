"""What must hold when requests really meet: threads against PostgreSQL, and against SQLite's one writer."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import Citizen
from quizapp.attempts import edge, queries, services
from quizapp.attempts.errors import AttemptClosed, GuestLimitReached, RegistrationRequired
from quizapp.attempts.models import Attempt, AttemptEvent
from quizapp.attempts.queries import AttemptView
from quizapp.attempts.services import handing_in
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.errors import AttemptLimitReached
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import Points
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError, Conflict
from quizapp.ledger.models import LedgerAccount, LedgerEntry
from quizapp.ledger.queries import get_balance
from quizapp.lottery.models import DrawTicket
from tests.attempts.conftest import MINUTE, NOW
from tests.conftest import postgresql_only
from tests.factories import attempts as make
from tests.factories.accounts import make_citizen
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign

THREADS = 8


def _together(app: Flask, *works: Callable[[], Any]) -> list[Any]:
    """Run each work in a thread of its own, all let go at once. A refusal is a result; anything else fails the test."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        with app.app_context():
            try:
                barrier.wait(10)
                return work()
            except AppError as refusal:
                return refusal
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(works)) as threads:
        results = list(threads.map(run, works))
    db.session.rollback()
    return results


def _count(model: type[Any]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def _starter(slug: str, citizen_id: Any) -> Callable[[], services.Started]:
    def work() -> services.Started:
        view = campaign_queries.get_campaign(slug)
        return edge.write(
            lambda: services.start_attempt(campaign=view, citizen_id=citizen_id, device=make.DEVICE, rng=random.SystemRandom(), now=NOW)
        )

    return work


def _round(slug: str, citizen: Citizen, citizen_id: Any) -> Callable[[], list[str]]:
    """Start and hand in as often as it goes."""

    def work() -> list[str]:
        done = []
        while True:
            try:
                attempt = _starter(slug, citizen_id)().attempt
            except AttemptLimitReached as refusal:
                done.append(refusal.code)
                return done
            handed_in = edge.write(
                lambda attempt=attempt: services.submit_attempt(attempt_id=attempt.id, asker=make.asker_of(citizen_id), now=NOW)
            )
            done.append(str(handed_in.attempt.id))

    return work


def test_eight_threads_of_one_citizen_get_one_open_attempt(app: Flask, campaign: Campaign, citizen: Citizen) -> None:
    results = _together(app, *[_starter(campaign.slug, citizen.id)] * THREADS)
    assert len({result.attempt.id for result in results}) == 1
    assert sum(result.is_new for result in results) == 1
    assert len({result.attempt.questions for result in results}) == 1
    assert _count(Attempt) == 1


def test_three_tries_a_day_are_three_under_eight_threads(app: Flask, campaign: Campaign, citizen: Citizen) -> None:
    """Each thread plays on until it is refused; every attempt of the day is one of three, numbered without a gap."""
    results = _together(app, *[_round(campaign.slug, citizen, citizen.id)] * THREADS)
    ids = {name for result in results for name in result if name != "attempt_limit_reached"}
    assert len(ids) == 3
    rows = db.session.execute(sa.select(Attempt.day_try, Attempt.total_try, Attempt.day_turn).order_by(Attempt.day_try)).all()
    assert [tuple(row) for row in rows] == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]
    assert all(result[-1] == "attempt_limit_reached" for result in results)


def test_the_database_itself_refuses_a_fourth_numbering(app: Flask, campaign: Campaign, citizen: Citizen) -> None:
    """The last guard: the same number of the day, of the campaign or a second open paper cannot be stored."""
    attempt = make.play(campaign, citizen, now=NOW)
    for values in ({"total_try": 2}, {"day_try": 2}, {"day_try": 2, "total_try": 2, "state": "graded", "day_turn": 1}):
        row = db.session.get_one(Attempt, attempt.id)
        copy = {column.key: getattr(row, column.key) for column in sa.inspect(Attempt).columns}
        copy.update({"id": None, "guest_token_hash": None, **values})
        del copy["id"]
        with pytest.raises(sa.exc.IntegrityError), transaction():
            db.session.add(Attempt(**copy))


def test_concurrent_hand_ins_grade_once(app: Flask, campaign: Campaign, citizen: Citizen) -> None:
    """The unlocked way and the locked one beside each other."""
    attempt = make.start(campaign, citizen, now=NOW).attempt
    make.answer(attempt, citizen, 4, now=NOW)
    citizen_id = citizen.id

    def locked() -> AttemptView:
        return edge.write(lambda: services.submit_attempt(attempt_id=attempt.id, asker=make.asker_of(citizen_id), now=NOW)).attempt

    def plain() -> AttemptView:
        return edge.submit(attempt.id, make.asker_of(citizen_id), NOW)

    results = _together(app, *[locked, plain] * (THREADS // 2))
    assert len(set(results)) == 1
    assert results[0].correct_count == 4
    assert _count(DrawTicket) == 1
    assert _count(LedgerEntry) == 1
    assert get_balance("citizen", str(citizen_id), "points") == 20


def test_an_answer_that_was_saved_is_graded_however_close_the_hand_in(app: Flask, campaign: Campaign) -> None:
    """Saves race the hand-in: whatever was answered "saved" is on the graded paper, everything else is an event."""
    for _ in range(6):
        citizen = make_citizen()
        attempt = make.start(campaign, citizen, now=NOW).attempt
        right = {question.position: make.right_letters(question) for question in attempt.questions}
        asker = make.asker_of(citizen.id)

        def save(position: int, right: Any = right, attempt: Any = attempt, asker: Any = asker) -> Callable[[], Any]:
            return lambda: edge.save(attempt.id, asker, position, right[position], NOW)

        def submit(attempt: Any = attempt, asker: Any = asker) -> Any:
            return edge.submit(attempt.id, asker, NOW)

        *saves, graded = _together(app, *(save(position) for position in right), submit)
        kept = [result.position for result in saves if isinstance(result, services.SavedAnswer)]
        late = [result for result in saves if isinstance(result, AttemptClosed)]
        assert len(kept) + len(late) == 5
        final = queries.get_attempt(attempt.id)
        assert [q.position for q in final.questions if q.chosen] == sorted(kept)
        assert final.correct_count == len(kept)
        assert final.correct_count == graded.correct_count
        assert db.session.scalar(sa.select(sa.func.count()).where(AttemptEvent.attempt_id == attempt.id)) == len(late)


def test_one_of_many_citizens_adopts_a_paper(app: Flask, campaign: Campaign) -> None:
    paper, token = make.guest_paper(campaign, right=4, now=NOW)
    people = [make_citizen().id for _ in range(THREADS)]
    works = [lambda person=person: edge.adopt(paper.id, person, token, NOW) for person in people]
    results = _together(app, *works)
    codes = Counter(result.code if isinstance(result, AppError) else "adopted" for result in results)
    assert codes == {"adopted": 1, "already_adopted": THREADS - 1}
    assert _count(DrawTicket) == 1
    assert _count(LedgerEntry) == 1
    owner = db.session.scalar(sa.select(Attempt.citizen_id))
    assert owner in people


def test_one_citizen_adopting_from_two_devices_gets_one_answer(app: Flask, campaign: Campaign, citizen: Citizen) -> None:
    paper, token = make.guest_paper(campaign, right=4, now=NOW)
    person = citizen.id
    results = _together(app, *[lambda: edge.adopt(paper.id, person, token, NOW)] * THREADS)
    assert len(set(results)) == 1
    assert _count(LedgerEntry) == 1


def test_adoptions_and_starts_together_never_pass_the_days_tries(app: Flask, campaign: Campaign, citizen: Citizen) -> None:
    papers = [make.guest_paper(campaign, right=4, now=NOW) for _ in range(5)]
    person = citizen.id
    works: list[Callable[[], Any]] = [lambda p=paper, t=token: edge.adopt(p.id, person, t, NOW) for paper, token in papers]
    works += [_round(campaign.slug, citizen, person)] * 3
    results = _together(app, *works)
    assert not any(isinstance(result, Conflict) for result in results)
    tries = db.session.scalars(sa.select(Attempt.day_try).where(Attempt.citizen_id == person).order_by(Attempt.day_try)).all()
    assert tries == [1, 2, 3]
    turns = db.session.scalars(sa.select(Attempt.day_turn).where(Attempt.citizen_id == person).order_by(Attempt.day_turn)).all()
    assert turns == [1, 2, 3]


def test_points_of_a_day_stay_within_their_limit_when_adoption_meets_hand_in(app: Flask, citizen: Citizen) -> None:
    person = citizen.id
    for number in range(6):
        campaign = make_campaign(f"c{number}", now=NOW, points=Points(passed=20, daily_limit=1))
        paper, token = make.guest_paper(campaign, now=NOW)
        attempt = make.start(campaign, person, now=NOW).attempt
        make.answer(attempt, person, now=NOW)
        _together(
            app,
            lambda p=paper, t=token: edge.adopt(p.id, person, t, NOW),
            lambda a=attempt: edge.submit(a.id, make.asker_of(person), NOW),
        )
        assert get_balance("citizen", str(person), "points") == 20 * (number + 1)
        rows = db.session.scalars(sa.select(Attempt.day_turn).where(Attempt.campaign_id == campaign.id).order_by(Attempt.day_turn))
        assert rows.all() == [1, 2]


def test_guests_of_one_device_do_not_pass_its_limit_together(app: Flask, citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, eligibility={"guest_starts_per_device_day": 3})
    results = _together(app, *[_starter(campaign.slug, None)] * THREADS)
    assert Counter(type(result) for result in results) == {services.Started: 3, GuestLimitReached: THREADS - 3}
    assert _count(Attempt) == 3


def test_the_worker_and_the_citizen_close_a_paper_once(app: Flask, campaign: Campaign) -> None:
    """Two workers and the citizens themselves at the deadline: each paper is graded once, nobody is stuck."""
    people = [make_citizen().id for _ in range(6)]
    attempts = []
    for person in people:
        attempt = make.start(campaign, person, now=NOW).attempt
        make.answer(attempt, person, 4, now=NOW)
        attempts.append(attempt)
    late = NOW + 6 * MINUTE

    def close() -> int:
        return edge.write(lambda: services.close_overdue(now=late)).graded

    citizens = [
        lambda a=attempt, p=person: edge.submit(a.id, make.asker_of(p), late) for attempt, person in zip(attempts, people, strict=True)
    ]
    results = _together(app, close, *citizens, close)
    assert {result.correct_count for result in results[1:-1]} == {4}
    assert _count(LedgerEntry) == len(people)
    assert _count(DrawTicket) == len(people)
    balances = db.session.scalars(sa.select(LedgerAccount.balance).where(LedgerAccount.owner_type == "citizen")).all()
    assert balances == [20] * len(people)


def test_a_guest_handing_in_twice_at_once_is_told_the_same(app: Flask, campaign: Campaign) -> None:
    paper, token = make.guest_paper(campaign, handed_in=False, now=NOW)
    results = _together(app, *[lambda: edge.submit(paper.id, make.asker_of(token), NOW)] * THREADS)
    assert {type(result) for result in results} == {RegistrationRequired}
    assert queries.get_attempt(paper.id).state == "handed_in"


@pytest.mark.parametrize("between", ["hand_in", "worker", "answer"])
def test_what_came_between_reading_and_grading_is_not_overwritten(
    app: Flask, citizen: Citizen, monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    """The plain hand-in read the paper; before it writes, somebody else hands in, closes or changes it."""
    campaign = make_campaign(now=NOW, points=Points(passed=0, failed=0), prizes=None)
    attempt, later = make.start(campaign, citizen, now=NOW).attempt, NOW + MINUTE
    asker, real = make.asker_of(citizen.id), handing_in.queries.find_own_attempt
    make.answer(attempt, citizen, 3, now=NOW)

    def read_then_wait(*args: Any) -> Any:
        seen = real(*args)
        deadline = attempt.deadline_at + MINUTE
        work: dict[str, Callable[[], Any]] = {
            "hand_in": lambda: services.submit_attempt(attempt_id=attempt.id, asker=asker, now=NOW),
            "worker": lambda: services.close_overdue(now=deadline),
            "answer": lambda: make.answer(attempt, citizen, 4, now=NOW),
        }
        if between == "answer":
            work["answer"]()
        else:
            edge.write(work[between])
        return seen

    monkeypatch.setattr(handing_in.queries, "find_own_attempt", read_then_wait)
    result = edge.submit(attempt.id, asker, later)
    row = db.session.get_one(Attempt, attempt.id)
    submitted = {"hand_in": NOW, "worker": attempt.deadline_at + MINUTE, "answer": later}[between]
    assert (row.correct_count, row.submitted_at, row.day_turn) == (4 if between == "answer" else 3, submitted, 1)
    assert (result.correct_count, result.submitted_at, result.is_automatic) == (row.correct_count, submitted, between == "worker")


@postgresql_only
def test_a_save_waiting_for_a_lock_is_seen_by_the_hand_in_that_waited_for_it(app: Flask, campaign: Campaign, citizen: Citizen) -> None:
    """The hand-in reads its snapshot, waits for the save, and must grade what the save wrote."""
    attempt = make.start(campaign, citizen, now=NOW).attempt
    person, right = citizen.id, make.right_letters(attempt.questions[0])
    saved, may_commit, results = threading.Event(), threading.Event(), []

    def save() -> None:
        with app.app_context(), transaction():
            services.save_answer(attempt_id=attempt.id, asker=make.asker_of(person), position=1, choices=right, now=NOW)
            saved.set()
            may_commit.wait(10)

    def submit() -> None:
        with app.app_context():
            results.append(edge.submit(attempt.id, make.asker_of(person), NOW))
            db.session.remove()

    first = threading.Thread(target=save)
    first.start()
    assert saved.wait(10)
    second = threading.Thread(target=submit)
    second.start()
    _wait_for_a_blocked_session()
    may_commit.set()
    first.join(10)
    second.join(10)
    assert [result.correct_count for result in results] == [1]


def _wait_for_a_blocked_session() -> None:
    blocked = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
    for _ in range(500):
        db.session.rollback()
        if db.session.scalar(blocked):
            db.session.rollback()
            return
        threading.Event().wait(0.01)
    pytest.fail("the hand-in did not wait for the save")


def test_many_citizens_play_at_once_and_everything_adds_up(app: Flask) -> None:
    campaign = make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, points=Points(passed=20, failed=5)) if make_citizen() else None
    assert campaign is not None
    slug = campaign.slug
    people = [make_citizen().id for _ in range(16)]

    def player(number: int) -> Callable[[], int]:
        def work() -> int:
            attempt = _starter(slug, people[number])().attempt
            make.answer(attempt, people[number], number % 6, now=NOW)
            return edge.submit(attempt.id, make.asker_of(people[number]), NOW).correct_count or 0

        return work

    results = _together(app, *(player(number) for number in range(16)))
    assert results == [number % 6 for number in range(16)]
    passed = sum(number % 6 >= 4 for number in range(16))
    assert _count(DrawTicket) == passed
    assert sum(db.session.scalars(sa.select(LedgerEntry.amount))) == 20 * passed + 5 * (16 - passed)

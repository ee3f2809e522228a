"""A corrected key marks papers again: exactly, once, whatever happens in between, and takes nothing back."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import Citizen
from quizapp.attempts import jobs, papers, queries, remark_queries
from quizapp.attempts.models import Attempt, AttemptRemark
from quizapp.attempts.queries import AttemptView
from quizapp.attempts.services import remarking
from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import FixedReward, Points
from quizapp.core.clock import day_end, shanghai_day
from quizapp.core.db import db, transaction
from quizapp.ledger.models import LedgerEntry
from quizapp.ledger.queries import get_balance, sum_entries
from quizapp.ledger.services import account_id
from quizapp.lottery.models import DrawTicket
from quizapp.lottery.services import draw_ticket
from quizapp.questions import queries as question_queries
from quizapp.questions import rules as question_rules
from quizapp.questions import services as question_services
from quizapp.reporting import queries as reporting
from tests.attempts.conftest import MINUTE, NOW
from tests.factories import attempts as make
from tests.factories import corrections as fix
from tests.factories.accounts import make_citizen
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign
from tests.factories.questions import make_bank

LATER = NOW + 10 * MINUTE
Chosen = Mapping[str, set[int]]
"""Choice indices by the file's id; what is not given is answered by the old key."""


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    """Five questions, the same on every paper; four right earn a ticket and 20 points, otherwise 5."""
    make_bank(count=5, kinds=("single",), now=NOW)
    return make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, points=Points(passed=20, failed=5, daily_limit=3))


def _letters(question: queries.QuestionView, indices: set[int]) -> list[str]:
    return sorted(question_rules.LETTERS[question.choice_order.index(str(index))] for index in indices)


def _answer(attempt: AttemptView, person: Citizen | str, chosen: Chosen, now: dt.datetime) -> None:
    by_revision = {fix.revision_of(code): indices for code, indices in chosen.items()}
    for question in attempt.questions:
        indices = by_revision.get(question.revision_id)
        letters = make.right_letters(question) if indices is None else _letters(question, indices)
        if letters:
            make.save(attempt, person, question.position, letters, now=now)


def play(campaign: Campaign, citizen: Citizen, chosen: Chosen, *, now: dt.datetime = NOW) -> AttemptView:
    attempt = make.start(campaign, citizen, now=now).attempt
    _answer(attempt, citizen, chosen, now)
    handed_in = make.hand_in(attempt, citizen, now=now)
    assert handed_in.refusal is None
    return handed_in.attempt


def _row(attempt: AttemptView) -> Attempt:
    db.session.rollback()
    return db.session.scalars(sa.select(Attempt).filter_by(id=attempt.id).execution_options(populate_existing=True)).one()


def _tickets(attempt: AttemptView) -> list[int]:
    return list(db.session.scalars(sa.select(DrawTicket.sequence).filter_by(source_id=attempt.id).order_by(DrawTicket.sequence)))


def _points(citizen: Citizen) -> int:
    owner = ("citizen", str(citizen.id))
    balance = get_balance(*owner, "points")
    assert balance == sum_entries(account_id(*owner, "points"))
    return balance


def _remarks() -> list[AttemptRemark]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AttemptRemark)))


def _state() -> dict[str, Any]:
    """Everything marking again may touch."""
    db.session.rollback()
    attempts = db.session.execute(
        sa.select(Attempt.id, Attempt.marks, Attempt.is_passed, Attempt.ticket_count, Attempt.points, Attempt.day_rewards).order_by(
            Attempt.id
        )
    ).all()
    return {
        "attempts": sorted(tuple(row) for row in attempts),
        "tickets": sorted(db.session.execute(sa.select(DrawTicket.source_id, DrawTicket.sequence)).all()),
        "entries": sorted(db.session.execute(sa.select(LedgerEntry.source_type, LedgerEntry.source_id, LedgerEntry.amount)).all()),
        "remarks": len(_remarks()),
    }


def test_new_marks_tickets_and_points_are_exact_and_nothing_is_taken_back(campaign: Campaign) -> None:
    old, new = {"q-001": {0}}, {"q-001": {1}}
    people = [make_citizen(now=NOW) for _ in range(4)]
    keeps_pass = play(campaign, people[0], old)
    loses_pass = play(campaign, people[1], {**old, "q-002": {1}})
    gains_pass = play(campaign, people[2], {**new, "q-002": {1}})
    untouched = play(campaign, people[3], {"q-001": {2}, "q-002": {1}})
    revision = fix.revision_of("q-001")
    before = {row.id: row.marks for row in db.session.scalars(sa.select(Attempt))}
    correction = fix.correct(revision, {1}, now=NOW + MINUTE)
    assert fix.work(NOW + 2 * MINUTE) == 4

    found = [
        (row.correct_count, row.is_passed, row.ticket_count, row.points)
        for row in map(_row, (keeps_pass, loses_pass, gains_pass, untouched))
    ]
    assert found == [(4, True, 1, 20), (3, False, 1, 20), (4, True, 1, 20), (3, False, 0, 5)]
    assert [_tickets(attempt) for attempt in (keeps_pass, loses_pass, gains_pass, untouched)] == [[1], [1], [1], []]
    assert [_points(person) for person in people] == [20, 20, 20, 5]

    remarks = {remark.attempt_id: remark for remark in _remarks()}
    assert set(remarks) == {keeps_pass.id, loses_pass.id, gains_pass.id}
    gained = remarks[gains_pass.id]
    assert (gained.correct_before, gained.correct_after, gained.tickets, gained.points) == (3, 4, 1, 15)
    assert gained.marks_before == before[gains_pass.id]
    assert (remarks[loses_pass.id].passed_before, remarks[loses_pass.id].passed_after) == (True, False)
    assert remarks[loses_pass.id].points == remarks[loses_pass.id].tickets == 0

    run = fix.run_of(correction)
    assert (run.state, run.total, run.seen, run.raised, run.lowered) == ("settling", 4, 4, 1, 2)
    assert (run.newly_passed, run.no_longer_passed, run.tickets, run.points) == (1, 1, 1, 15)


def test_demographics_questions_and_the_moment_of_the_hand_in_stay(campaign: Campaign) -> None:
    attempt = play(campaign, make_citizen("youth", "150403", "18_59", now=NOW), {"q-001": {1}})
    names = ("demographic_group", "region_code", "age_band", "submitted_at", "submitted_on", "handed_in_at", "day_turn", "terms_id")
    before = [getattr(_row(attempt), name) for name in names]
    paper = queries.get_attempt(attempt.id).questions
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    fix.work(LATER)
    assert [getattr(_row(attempt), name) for name in names] == before
    after = queries.get_attempt(attempt.id).questions
    assert [(q.revision_id, q.choice_order, q.chosen) for q in after] == [(q.revision_id, q.choice_order, q.chosen) for q in paper]


def test_running_again_and_again_changes_nothing_more(campaign: Campaign) -> None:
    for number in range(6):
        play(campaign, make_citizen(now=NOW), {"q-001": {number % 3}, "q-002": {number % 2}})
    correction = fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    fix.work(NOW + MINUTE)
    done = _state()
    for number in range(3):
        fix.work(NOW + (number + 2) * 2 * MINUTE)
        assert _state() == done
    with transaction():
        run = remark_queries.lock_run(correction)
        run.state, run.cursor = "running", None
    fix.work(NOW + 20 * MINUTE)
    assert _state() == done


@pytest.mark.parametrize("is_before_commit", [True, False])
def test_a_crash_between_and_inside_batches_repeats_and_loses_nothing(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, is_before_commit: bool
) -> None:
    people = [make_citizen(now=NOW) for _ in range(7)]
    for number, person in enumerate(people):
        play(campaign, person, {"q-001": {number % 2}, "q-002": {1}})
    correction = fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    monkeypatch.setattr(jobs, "REMARK_BATCH", 2)
    real, calls = remarking.remark_batch, []

    def crashing(*args: Any) -> bool:
        calls.append(1)
        if len(calls) == 3 and not is_before_commit:
            raise KeyboardInterrupt
        answer = real(*args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(remarking, "remark_batch", crashing)
    with pytest.raises(KeyboardInterrupt):
        fix.work(LATER)
    run = fix.run_of(correction)
    assert (run.state, run.seen, len(_remarks())) == ("running", 4, 4)
    fix.work(LATER)
    assert fix.run_of(correction).seen == 7
    assert len(_remarks()) == 7
    assert [_points(person) for person in people] == [20] * 7
    assert db.session.scalar(sa.select(sa.func.count()).select_from(DrawTicket)) == 7


def test_a_stale_batch_of_another_worker_is_refused(campaign: Campaign) -> None:
    for _ in range(3):
        play(campaign, make_citizen(now=NOW), {"q-001": {1}, "q-002": {1}})
    correction = fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    with transaction():
        remarking.open_runs(NOW)
    with transaction():
        task = remarking.plan_pass(correction, NOW)
    assert task is not None
    with transaction():
        assert remarking.remark_batch(task, task.attempt_ids[:2], NOW)
    done = _state()
    with transaction():
        assert not remarking.remark_batch(task, task.attempt_ids[:2], NOW)
    assert _state() == done
    fix.work(NOW)
    finished = _state()
    with transaction():
        assert not remarking.remark_batch(task, task.attempt_ids, NOW)
    assert _state() == finished
    assert finished["remarks"] == 3


def test_a_paper_that_was_open_is_graded_by_the_new_key_or_marked_again(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    knows, does_not = make_citizen(now=NOW), make_citizen(now=NOW)
    handed_out = [make.start(campaign, person, now=NOW).attempt for person in (knows, does_not)]
    revision = fix.revision_of("q-001")
    for paper, person in zip(handed_out, (knows, does_not), strict=True):
        _answer(paper, person, {"q-001": {1}, "q-002": {1}}, NOW)
    correction = fix.correct(revision, {1}, now=NOW)
    fix.work(NOW)
    assert fix.run_of(correction).state == "settling"
    assert make.hand_in(handed_out[0], knows, now=NOW + MINUTE).attempt.correct_count == 4
    monkeypatch.setattr("quizapp.attempts.services.grading.question_queries.find_key_changes", lambda ids: {})
    assert make.hand_in(handed_out[1], does_not, now=NOW + MINUTE).attempt.correct_count == 3
    fix.work(NOW + 2 * MINUTE)
    assert [_row(paper).correct_count for paper in handed_out] == [4, 4]
    assert [_points(person) for person in (knows, does_not)] == [20, 20]
    fix.work(NOW + 7 * MINUTE)
    assert fix.run_of(correction).state == "done"
    (entry,) = db.session.scalars(sa.select(AuditEntry).filter_by(action="attempts.remarked"))
    assert (entry.changes["raised"], entry.changes["points"], entry.changes["tickets"]) == (1, 15, 1)


def test_the_run_waits_for_papers_that_are_still_open(campaign: Campaign) -> None:
    make.start(campaign, make_citizen(now=NOW), now=NOW)
    correction = fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    for minutes in (0, 6, 8):
        fix.work(NOW + minutes * MINUTE)
    assert fix.run_of(correction).state == "settling"
    jobs.close_overdue(NOW + 9 * MINUTE)
    fix.work(NOW + 10 * MINUTE)
    assert fix.run_of(correction).state == "done"


def test_the_preview_is_what_happens(campaign: Campaign) -> None:
    for number in range(12):
        group = ("resident", "civil_servant", "youth")[number % 3]
        age = ("18_59", "14_17")[number % 2]
        play(campaign, make_citizen(group, age_band=age, now=NOW), {"q-001": {number % 4}, "q-002": {number % 2}})
    make.start(campaign, make_citizen(now=NOW), now=NOW)
    revision = fix.revision_of("q-001")
    foreseen = remark_queries.preview((frozenset({1}),), [revision])
    correction = fix.correct(revision, {1}, now=NOW)
    fix.work(NOW)
    run = fix.run_of(correction)
    names = ("raised", "lowered", "newly_passed", "no_longer_passed", "tickets", "points")
    assert [getattr(foreseen, name) for name in names] == [getattr(run, name) for name in names]
    assert (foreseen.attempts, foreseen.open_papers) == (run.seen, 1) == (12, 1)
    assert foreseen.raised > 0 < foreseen.lowered
    assert foreseen.newly_passed > 0


def test_several_right_answers_and_the_mark_for_everybody(campaign: Campaign) -> None:
    people = [make_citizen(now=NOW) for _ in range(4)]
    attempts = [play(campaign, person, {"q-001": chosen}) for person, chosen in zip(people, ({0}, {1}, {2}, set()), strict=True)]
    revision = fix.revision_of("q-001")
    fix.correct(revision, {0}, {1}, now=NOW)
    fix.work(NOW)
    assert [_row(attempt).correct_count for attempt in attempts] == [5, 5, 4, 4]
    fix.correct(revision, now=NOW + MINUTE)
    fix.work(NOW + 2 * MINUTE)
    assert [_row(attempt).correct_count for attempt in attempts] == [5, 5, 5, 5]


def test_correcting_a_correction_back_gives_nothing_twice(campaign: Campaign) -> None:
    person = make_citizen(now=NOW)
    attempt = play(campaign, person, {"q-001": {1}, "q-002": {1}})
    revision = fix.revision_of("q-001")
    for number, key in enumerate(({1}, {0}, {1}, {2}, {1})):
        fix.correct(revision, key, now=NOW + number * MINUTE)
        fix.work(NOW + number * MINUTE)
    assert (_row(attempt).correct_count, _points(person), _tickets(attempt)) == (4, 20, [1])
    assert len(_remarks()) == 5
    assert [remark.points for remark in remark_queries.list_remarks(attempt.id)] == [15, 0, 0, 0, 0]


def test_every_revision_with_the_same_wrong_key_is_marked_again(campaign: Campaign) -> None:
    first = play(campaign, make_citizen(now=NOW), {"q-001": {1}})
    revision = fix.revision_of("q-001")
    question_id = question_queries.get_revisions([revision])[revision].question_id
    with transaction():
        question_services.tag_questions([question_id], add=["audience:herders"], now=NOW, actor=SYSTEM)
    question_queries.forget_pools()
    second = play(campaign, make_citizen(now=NOW), {"q-001": {1}})
    assert fix.revision_of("q-001") != revision
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    fix.work(NOW)
    assert [_row(attempt).correct_count for attempt in (first, second)] == [5, 5]


# ---- who is given what


def test_an_excluded_attempt_and_somebody_who_left_get_the_mark_and_nothing_else(campaign: Campaign) -> None:
    excluded, gone = make_citizen(now=NOW), make_citizen(now=NOW)
    attempts = [play(campaign, person, {"q-001": {1}, "q-002": {1}}) for person in (excluded, gone)]
    with transaction():
        db.session.execute(sa.update(Attempt).filter_by(id=attempts[0].id).values(excluded_at=NOW, exclusion_reason="script"))
        db.session.execute(sa.update(Citizen).filter_by(id=gone.id).values(status="deleted"))
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    fix.work(NOW)
    assert [(_row(a).correct_count, _row(a).is_passed, _row(a).ticket_count) for a in attempts] == [(4, True, 0)] * 2
    assert [_points(person) for person in (excluded, gone)] == [5, 5]


def test_the_daily_limit_of_points_holds(app: Flask) -> None:
    make_bank(count=5, kinds=("single",), now=NOW)
    campaign = make_campaign(now=NOW, per_day=3, points=Points(passed=20, failed=5, daily_limit=1))
    person = make_citizen(now=NOW)
    for number in range(2):
        play(campaign, person, {"q-001": {1}, "q-002": {1}}, now=NOW + number * MINUTE)
    assert _points(person) == 5
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW + 3 * MINUTE)
    fix.work(NOW + 3 * MINUTE)
    assert _points(person) == 20


@pytest.fixture
def rewarding(app: Flask) -> Campaign:
    """A minor does not draw here and gets 30 points for a passed attempt, once a day."""
    make_bank(count=5, kinds=("single",), now=NOW)
    return make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, per_day=3, fixed_reward=FixedReward(points=30))


def test_the_fixed_reward_is_given_once_a_day(rewarding: Campaign) -> None:
    pupil = make_citizen("youth", age_band="14_17", now=NOW)
    attempts = [play(rewarding, pupil, {"q-001": {1}, "q-002": {1}}, now=NOW + number * MINUTE) for number in range(2)]
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW + 3 * MINUTE)
    fix.work(NOW + 3 * MINUTE)
    assert [_row(attempt).fixed_points for attempt in attempts] == [30, 0]
    assert [_row(attempt).day_rewards for attempt in attempts] == [1, 1]
    assert _points(pupil) == 30
    third = play(rewarding, pupil, {"q-001": {1}}, now=NOW + 4 * MINUTE)
    assert (third.is_passed, third.fixed_points, _points(pupil)) == (True, 0, 30)


def test_a_day_that_had_its_reward_gets_no_second_one(rewarding: Campaign) -> None:
    pupil = make_citizen("youth", age_band="14_17", now=NOW)
    play(rewarding, pupil, {"q-001": {1}, "q-002": {1}})
    play(rewarding, pupil, {}, now=NOW + MINUTE)
    assert _points(pupil) == 30
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW + 2 * MINUTE)
    fix.work(NOW + 2 * MINUTE)
    assert _points(pupil) == 30
    tomorrow = day_end(shanghai_day(NOW)) + MINUTE
    play(rewarding, pupil, {"q-001": {1}}, now=tomorrow)
    assert _points(pupil) == 60


def test_a_hand_in_that_counted_the_day_before_is_made_to_count_again(rewarding: Campaign) -> None:
    """The fast hand-in reads the day without a lock: the open paper it read is touched, so its guarded write finds nothing."""
    pupil = make_citizen("youth", age_band="14_17", now=NOW)
    play(rewarding, pupil, {"q-001": {1}, "q-002": {1}})
    paper = make.start(rewarding, pupil, now=NOW + MINUTE).attempt
    before = queries.get_attempt(paper.id).save_count
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW + MINUTE)
    fix.work(NOW + MINUTE)
    assert queries.get_attempt(paper.id).save_count == before + 1


# ---- what follows from it


def test_the_figures_follow(campaign: Campaign) -> None:
    for number in range(5):
        play(campaign, make_citizen(now=NOW), {"q-001": {number % 2}, "q-002": {1}})

    def figures() -> tuple[int, int, float | None]:
        db.session.rollback()
        body = reporting.participation(campaigns=["c"]).figures.to_dict()
        return body["passed_count"], body["attempt_count"], body["mean_correct"]

    assert figures() == (3, 5, pytest.approx(3.6))
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    fix.work(NOW)
    assert figures() == (2, 5, pytest.approx(3.4))


def test_a_compensating_ticket_is_drawn_like_any_other(campaign: Campaign) -> None:
    person = make_citizen(now=NOW)
    attempt = play(campaign, person, {"q-001": {1}, "q-002": {1}})
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    fix.work(NOW)
    with transaction():
        drawn = draw_ticket(citizen_id=person.id, source_type="attempt", source_id=attempt.id, sequence=1, now=NOW + MINUTE)
    assert drawn.is_won


def test_the_record_of_what_was_changed_cannot_be_changed(campaign: Campaign) -> None:
    play(campaign, make_citizen(now=NOW), {"q-001": {1}})
    fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    fix.work(NOW)
    for statement in (sa.update(AttemptRemark).values(points=0), sa.delete(AttemptRemark)):
        with pytest.raises(sa.exc.DatabaseError), transaction():
            db.session.execute(statement)
    assert len(_remarks()) == 1


def test_a_run_that_has_no_time_left_goes_on_with_the_next(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        play(campaign, make_citizen(now=NOW), {"q-001": {1}})
    correction = fix.correct(fix.revision_of("q-001"), {1}, now=NOW)
    monkeypatch.setattr(jobs, "REMARK_BATCH", 1)
    assert jobs.remark_attempts(NOW, seconds=0) == 0
    fix.work(NOW)
    assert fix.run_of(correction).seen == 3
    assert uuid.UUID(str(correction))


# ---- what the citizen sees meanwhile


def _shown(attempt: AttemptView, revision_id: uuid.UUID) -> tuple[bool | None, list[str], str]:
    """Mark, texts of the key, and the notice of a correction, as the result page has them."""
    db.session.rollback()
    shown = papers.result_of(queries.get_attempt(attempt.id), LATER)
    position = next(question.position for question in attempt.questions if question.revision_id == revision_id)
    question = shown.questions[position - 1]
    return question.correct, question.texts(question.answer or ()), question.correction.notice if question.correction else ""


def test_a_corrected_key_is_shown_only_beside_a_mark_it_gave(campaign: Campaign) -> None:
    attempts = [play(campaign, make_citizen(now=NOW), {"q-001": {choice}}) for choice in range(3)]
    revision = fix.revision_of("q-001")
    first, second, third = ([text] for text in question_queries.get_revisions([revision])[revision].choices[:3])
    fix.correct(revision, {1}, now=NOW + MINUTE, notice="一")
    wrong_by_both = (False, second, "一")
    assert [_shown(attempt, revision) for attempt in attempts] == [(True, first, ""), (False, first, ""), wrong_by_both]
    fix.work(NOW + 2 * MINUTE)
    marked_by_second = [(False, second, "一"), (True, second, "一"), wrong_by_both]
    assert [_shown(attempt, revision) for attempt in attempts] == marked_by_second
    fix.correct(revision, {2}, now=NOW + 3 * MINUTE, notice="二")
    assert [_shown(attempt, revision) for attempt in attempts] == [(False, third, "二"), (True, second, "一"), (False, second, "一")]
    fix.work(NOW + 4 * MINUTE)
    assert [_shown(attempt, revision) for attempt in attempts] == [(False, third, "二"), (False, third, "二"), (True, third, "二")]


def test_a_process_that_has_not_heard_of_a_correction_asks_when_it_sees_a_new_mark(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = play(campaign, make_citizen(now=NOW), {"q-001": {1}})
    revision = fix.revision_of("q-001")
    second = question_queries.get_revisions([revision])[revision].choices[1]
    question_queries.find_key_changes([revision])
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(question_queries, "forget_corrections", lambda: None)
        elsewhere.setattr("quizapp.questions.queries.corrections.KEPT_SECONDS", 600)
        fix.correct(revision, {1}, now=NOW + MINUTE)
        fix.work(NOW + 2 * MINUTE)
    assert question_queries.find_key_changes([revision]) == {}
    assert _shown(attempt, revision)[:2] == (True, [second])

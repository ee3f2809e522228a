import datetime as dt
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from quizapp.accounts import services as account_services
from quizapp.accounts.models import Citizen
from quizapp.attempts import papers, queries, services
from quizapp.attempts.errors import (
    AttemptClosed,
    AttemptNotFound,
    InvalidChoice,
    ProfileIncomplete,
)
from quizapp.attempts.models import Attempt, AttemptQuestion
from quizapp.attempts.services import grading
from quizapp.attempts.services.starting import draw_questions
from quizapp.audit.services import SYSTEM
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.errors import AttemptLimitReached, CampaignEnded, CampaignNotOpen, CampaignPaused, NotEligible
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.services import running
from quizapp.campaigns.terms import FixedReward, Paper, PaperPart, Points
from quizapp.core.db import db, transaction
from quizapp.ledger.models import LedgerEntry
from quizapp.questions.queries import get_revisions
from tests.attempts.conftest import MINUTE, NOW
from tests.attempts.looking import events, points, row_of, tickets
from tests.factories import attempts as make
from tests.factories.accounts import make_citizen, make_organisation
from tests.factories.attempts import DEVICE
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_terms, pause
from tests.factories.questions import make_bank

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


# ---- starting


def test_a_paper_holds_different_questions_in_their_frozen_revisions(campaign: Campaign, citizen: Citizen) -> None:
    started = make.start(campaign, citizen, now=NOW)
    row = row_of(started.attempt.id)
    assert started.is_new
    assert started.guest_token is None
    assert (row.state, row.day_try, row.total_try, row.question_count) == ("open", 1, 1, 5)
    assert row.deadline_at == NOW + 5 * MINUTE
    assert row.terms_id == campaign.terms_id
    assert queries.get_attempt(row.id) == started.attempt
    revisions = [question.revision_id for question in started.attempt.questions]
    assert len(set(revisions)) == 5
    for question in started.attempt.questions:
        count = len(get_revisions([question.revision_id])[question.revision_id].choices)
        assert sorted(question.choice_order) == [str(index) for index in range(count)]


def test_a_repeated_start_gives_the_same_open_attempt(campaign: Campaign, citizen: Citizen) -> None:
    first = make.start(campaign, citizen, now=NOW)
    again = make.start(campaign, citizen, now=NOW + MINUTE)
    assert (again.is_new, again.attempt) == (False, first.attempt)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) == 1


def test_tries_of_a_day_run_out_at_midnight_in_shanghai(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, per_day=1)
    make.play(campaign, citizen, now=NOW)
    last_second = dt.datetime(2026, 11, 22, 15, 59, 59, tzinfo=dt.UTC)
    with pytest.raises(AttemptLimitReached) as refusal:
        make.start(campaign, citizen, now=last_second)
    assert (refusal.value.code, refusal.value.message) == ("attempt_limit_reached", "今日答题次数已用完")
    assert make.start(campaign, citizen, now=last_second + dt.timedelta(seconds=1)).is_new


def test_an_attempt_begun_before_midnight_counts_as_a_try_of_that_day(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, per_day=1)
    before = dt.datetime(2026, 11, 22, 15, 59, 50, tzinfo=dt.UTC)
    after = before + dt.timedelta(seconds=30)
    attempt = make.start(campaign, citizen, now=before).attempt
    make.answer(attempt, citizen, now=before)
    make.hand_in(attempt, citizen, now=after)
    row = row_of(attempt.id)
    assert (row.started_on, row.submitted_on) == (dt.date(2026, 11, 22), dt.date(2026, 11, 23))
    assert make.start(campaign, citizen, now=after).is_new


def test_total_tries_hold_over_days(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, per_day=None, total=2)
    make.play(campaign, citizen, now=NOW)
    make.play(campaign, citizen, now=NOW + DAY)
    with pytest.raises(AttemptLimitReached):
        make.start(campaign, citizen, now=NOW + 2 * DAY)


def test_an_abandoned_paper_uses_its_try(campaign: Campaign, citizen: Citizen) -> None:
    for number in range(3):
        make.start(campaign, citizen, now=NOW + number * 10 * MINUTE)
    with pytest.raises(AttemptLimitReached):
        make.start(campaign, citizen, now=NOW + 40 * MINUTE)
    assert db.session.scalars(sa.select(Attempt.state).order_by(Attempt.started_at)).all() == ["lapsed", "lapsed", "open"]


def test_an_overdue_paper_is_graded_first_and_does_not_stand_in_the_way(campaign: Campaign, citizen: Citizen) -> None:
    first = make.start(campaign, citizen, now=NOW).attempt
    make.answer(first, citizen, 4, now=NOW)
    second = make.start(campaign, citizen, now=NOW + 5 * MINUTE)
    row = row_of(first.id)
    assert second.is_new
    assert second.attempt.id != first.id
    assert (row.state, row.is_automatic, row.correct_count, row.ticket_count) == ("graded", True, 4, 1)
    assert row_of(second.attempt.id).day_try == 2


def test_starts_are_refused_outside_the_window_and_while_paused(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, opens_at=NOW + HOUR, closes_at=NOW + 2 * HOUR)
    with pytest.raises(CampaignNotOpen):
        make.start(campaign, citizen, now=NOW)
    assert make.start(campaign, citizen, now=NOW + HOUR).is_new
    with pytest.raises(CampaignEnded):
        make.start(campaign, make_citizen(), now=NOW + 2 * HOUR)
    pause(campaign, now=NOW + HOUR)
    with pytest.raises(CampaignPaused):
        make.start(campaign, make_citizen(), now=NOW + HOUR)


def test_an_attempt_begun_before_the_end_or_a_pause_may_be_finished(campaign: Campaign, citizen: Citizen) -> None:
    closes_at = NOW + 240 * HOUR
    attempt = make.start(campaign, citizen, now=closes_at - MINUTE).attempt
    make.answer(attempt, citizen, now=closes_at + MINUTE)
    assert make.hand_in(attempt, citizen, now=closes_at + 2 * MINUTE).attempt.is_passed
    second = make.start(campaign, other := make_citizen(), now=NOW).attempt
    pause(campaign, now=NOW)
    make.answer(second, other, now=NOW + MINUTE)
    assert make.hand_in(second, other, now=NOW + MINUTE).attempt.is_passed


def test_whoever_is_outside_the_circle_is_told_why(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, eligibility={"groups": ("youth",)})
    with pytest.raises(NotEligible):
        make.start(campaign, citizen, now=NOW)
    assert make.start(campaign, make_citizen(group="youth"), now=NOW).is_new


def test_large_type_gives_more_time_fixed_at_the_start(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW, device=replace(DEVICE, is_large=True)).attempt
    assert attempt.deadline_at == NOW + 8 * MINUTE
    make.save(attempt, citizen, 1, ["A"], now=NOW + 7 * MINUTE)
    assert make.start(campaign, citizen, now=NOW).attempt.deadline_at == NOW + 8 * MINUTE


def test_without_a_time_limit_the_deadline_is_the_campaigns_end(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, limit_seconds=None)
    assert make.start(campaign, citizen, now=NOW).attempt.deadline_at == NOW + 240 * HOUR


def test_the_clients_nonce_is_kept_and_a_bad_one_refused(campaign: Campaign, citizen: Citizen) -> None:
    with pytest.raises(ValueError):
        make.start(campaign, citizen, now=NOW, device=replace(DEVICE, client_nonce="nonsense"))
    attempt = make.start(campaign, citizen, now=NOW, device=replace(DEVICE, client_nonce="ABC123")).attempt
    make.answer(attempt, citizen, now=NOW)
    make.hand_in(attempt, citizen, now=NOW)
    assert [ticket.client_nonce for ticket in tickets(attempt.id)] == ["abc123"]


def test_papers_that_do_not_shuffle_keep_the_order_of_the_file(citizen: Citizen) -> None:
    make_bank("consumer-rights", now=NOW)
    terms = make_terms(now=NOW)
    paper = Paper((PaperPart(("consumer-rights",), 5),), shuffles_choices=False)
    terms = replace(terms, quizzes=(replace(terms.main, paper=paper),))
    attempt = make.start(make_campaign(now=NOW, terms=terms), citizen, now=NOW).attempt
    assert all(question.choice_order == "".join(sorted(question.choice_order)) for question in attempt.questions)


def test_every_question_of_the_bank_is_drawn_as_often_as_any_other(campaign: Campaign) -> None:
    rng = random.Random(7)
    paper = campaign_queries.get_campaign(campaign.slug).terms.paper
    seen = Counter(question.revision_id for _ in range(600) for question in draw_questions(paper, rng))
    assert len(seen) == 12
    assert min(seen.values()) > 190
    assert max(seen.values()) < 310


def test_an_edited_question_or_new_terms_change_no_running_attempt(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    make.answer(attempt, citizen, 5, now=NOW)
    with transaction():
        db.session.execute(sa.text("UPDATE questions SET status = 'retired'"))
    result = make.hand_in(attempt, citizen, now=NOW).attempt
    assert (result.correct_count, result.terms_id) == (5, attempt.terms_id)
    assert [q.revision_id for q in result.questions] == [q.revision_id for q in attempt.questions]


# ---- answering


def test_an_answer_is_saved_and_may_be_changed_until_the_hand_in(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    for letters in (["A"], ["B"], ["A"]):
        saved = make.save(attempt, citizen, 2, letters, now=NOW + MINUTE)
        assert saved == services.SavedAnswer(2, tuple(letters))
    kept = queries.get_attempt(attempt.id)
    assert kept.questions[1].chosen == "A"
    assert (kept.saved_positions, kept.first_unanswered) == ((2,), 1)
    row = db.session.get_one(AttemptQuestion, (attempt.id, 2))
    assert row.answered_at == NOW + MINUTE


def test_the_last_instant_counts_and_the_deadline_does_not(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    deadline = NOW + 5 * MINUTE
    assert make.save(attempt, citizen, 1, ["A"], now=deadline - dt.timedelta(microseconds=1)).refusal is None
    late = make.save(attempt, citizen, 1, ["B"], now=deadline)
    assert isinstance(late.refusal, AttemptClosed)
    assert (late.refusal.code, late.refusal.http_status) == ("attempt_closed", 409)
    assert queries.get_attempt(attempt.id).questions[0].chosen == "A"


def test_a_late_answer_is_kept_as_an_event_and_never_graded(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    make.answer(attempt, citizen, 4, wrong=0, now=NOW)
    late = NOW + 6 * MINUTE
    make.save(attempt, citizen, 5, make.right_letters(attempt.questions[4]), now=late)
    [event] = events(attempt.id)
    assert (event.kind, event.at) == ("late_answer", late)
    assert event.details == {"position": 5, "choices": make.right_letters(attempt.questions[4])}
    assert make.hand_in(attempt, citizen, now=late).attempt.correct_count == 4


def test_an_answer_after_the_hand_in_changes_nothing(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.play(campaign, citizen, right=2, now=NOW)
    assert make.save(attempt, citizen, 3, make.right_letters(attempt.questions[2]), now=NOW).refusal is not None
    assert queries.get_attempt(attempt.id).correct_count == 2
    assert [event.kind for event in events(attempt.id)] == ["late_answer"]


def test_events_of_one_attempt_do_not_grow_without_end(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.play(campaign, citizen, now=NOW)
    with transaction():
        for _ in range(60):
            services.save_answer(attempt_id=attempt.id, asker=make.asker_of(citizen), position=1, choices=["A"], now=NOW)
    assert len(events(attempt.id)) == 50


def test_somebody_elses_attempt_does_not_exist(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    stranger = make_citizen()
    for work in (
        lambda: make.save(attempt, stranger, 1, ["A"], now=NOW),
        lambda: make.save(attempt, "token", 1, ["A"], now=NOW),
        lambda: make.save(attempt, "", 1, ["A"], now=NOW),
        lambda: make.hand_in(attempt, stranger, now=NOW),
        lambda: make.adopt(attempt, stranger, "", now=NOW),
    ):
        with pytest.raises(AttemptNotFound):
            work()
    assert queries.get_attempt(attempt.id) == attempt


@pytest.mark.parametrize("position", [0, -1, 6, 99])
def test_a_position_the_paper_does_not_have_is_not_found(campaign: Campaign, citizen: Citizen, position: int) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    with pytest.raises(AttemptNotFound):
        make.save(attempt, citizen, position, ["A"], now=NOW)


def test_choices_that_do_not_exist_are_refused_and_the_kept_answer_stays(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    make.save(attempt, citizen, 1, ["A"], now=NOW)
    for choices in ([], ["E"], ["A", "A"], ["AB"], ["a"]):
        with pytest.raises(InvalidChoice):
            make.save(attempt, citizen, 1, choices, now=NOW)
    assert queries.get_attempt(attempt.id).questions[0].chosen == "A"
    assert events(attempt.id) == []


# ---- handing in


def test_a_hand_in_grades_copies_the_demographics_and_grants_points_and_a_ticket(campaign: Campaign) -> None:
    unit = make_organisation()
    citizen = make_citizen(group="farmer_herder", region="150424", age_band="60_plus", organisation=unit)
    attempt = make.start(campaign, citizen, now=NOW).attempt
    make.answer(attempt, citizen, 4, now=NOW)
    result = make.hand_in(attempt, citizen, now=NOW + 2 * MINUTE).attempt
    row = row_of(attempt.id)
    assert (row.state, row.correct_count, row.is_passed, row.ticket_count, row.points, row.day_turn) == ("graded", 4, True, 1, 20, 1)
    assert (row.demographic_group, row.region_code, row.organisation_id, row.age_band) == ("farmer_herder", "150424", unit.id, "60_plus")
    assert (row.submitted_at, row.submitted_on, row.is_automatic) == (NOW + 2 * MINUTE, dt.date(2026, 11, 22), False)
    assert [question.is_correct for question in queries.get_attempt(row.id).questions] == [True] * 4 + [False]
    assert queries.get_attempt(row.id) == result
    [ticket] = tickets(row.id)
    assert (ticket.citizen_id, ticket.granted_at, ticket.sequence) == (citizen.id, NOW + 2 * MINUTE, 1)
    assert points(citizen) == 20


def test_later_moves_never_change_history(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.play(campaign, citizen, now=NOW)
    with transaction():
        db.session.execute(sa.update(Citizen).values(demographic_group="youth", region_code="150421", age_band="14_17"))
    row = row_of(attempt.id)
    assert (row.demographic_group, row.region_code, row.age_band) == ("resident", "150402", "18_59")


def test_handing_in_twice_grades_once(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.play(campaign, citizen, right=4, now=NOW)
    again = make.hand_in(attempt, citizen, now=NOW + 3 * HOUR)
    assert again == services.HandedIn(attempt)
    assert papers.result_of(again.attempt, NOW) == papers.result_of(attempt, NOW)
    assert len(tickets(attempt.id)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LedgerEntry)) == 1
    assert points(citizen) == 20


def test_unanswered_questions_are_wrong_and_a_blank_hand_in_before_the_deadline_counts(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    result = make.hand_in(attempt, citizen, now=NOW).attempt
    assert (result.state, result.correct_count, result.is_passed, result.is_automatic) == ("graded", 0, False, False)
    assert points(citizen) == 5


def test_after_the_deadline_what_was_saved_is_graded_as_automatic(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    make.answer(attempt, citizen, 4, wrong=0, now=NOW)
    result = make.hand_in(attempt, citizen, now=NOW + 5 * MINUTE).attempt
    assert (result.correct_count, result.is_automatic, result.handed_in_at) == (4, True, NOW + 5 * MINUTE)


def test_after_the_deadline_a_paper_without_answers_lapses_and_stays_a_used_try(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    for minute in (5, 6):
        refusal = make.hand_in(attempt, citizen, now=NOW + minute * MINUTE).refusal
        assert isinstance(refusal, AttemptClosed)
    row = row_of(attempt.id)
    assert (row.state, row.correct_count, row.submitted_at) == ("lapsed", None, None)
    assert [event.kind for event in events(attempt.id)] == ["late_hand_in", "late_hand_in"]
    assert points(citizen) == 0


def test_a_hand_in_within_the_grace_counts_as_made_in_time(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, grace_seconds=120)
    attempt = make.start(campaign, citizen, now=NOW).attempt
    make.answer(attempt, citizen, 4, wrong=0, now=NOW)
    late = make.save(attempt, citizen, 5, ["A"], now=NOW + 6 * MINUTE)
    assert isinstance(late.refusal, AttemptClosed)
    result = make.hand_in(attempt, citizen, now=NOW + 6 * MINUTE).attempt
    assert (result.correct_count, result.is_automatic, result.handed_in_at) == (4, False, NOW + 6 * MINUTE)


def test_whoever_has_not_told_the_group_waits_for_the_result_and_loses_nothing(campaign: Campaign) -> None:
    new = make_citizen(group=None, region=None, has_consent=False)
    attempt = make.start(campaign, new, now=NOW).attempt
    make.answer(attempt, new, 5, now=NOW)
    handed_in = make.hand_in(attempt, new, now=NOW + MINUTE)
    assert isinstance(handed_in.refusal, ProfileIncomplete)
    assert handed_in.refusal.missing == ("consent", "demographic_group", "region")
    assert (handed_in.refusal.http_status, handed_in.refusal.extra["missing"]) == (409, ["consent", "demographic_group", "region"])
    assert row_of(attempt.id).state == "handed_in"
    assert make.save(attempt, new, 1, ["A"], now=NOW + MINUTE).refusal is not None
    with transaction():
        account_services.give_consent(new.id, "account", "test", NOW + HOUR)
        db.session.execute(sa.update(Citizen).filter_by(id=new.id).values(demographic_group="youth", region_code="150402"))
    result = make.hand_in(attempt, new, now=NOW + HOUR).attempt
    row = row_of(attempt.id)
    assert (result.correct_count, row.handed_in_at, row.submitted_at) == (5, NOW + MINUTE, NOW + HOUR)
    assert row.demographic_group == "youth"


def test_an_organisation_is_asked_for_only_where_the_campaign_asks(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, eligibility={"asks_organisation": True})
    attempt = make.start(campaign, citizen, now=NOW).attempt
    refusal = make.hand_in(attempt, citizen, now=NOW).refusal
    assert isinstance(refusal, ProfileIncomplete)
    assert refusal.missing == ("organisation",)


def test_points_stop_at_the_daily_limit(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, points=Points(passed=20, failed=5, daily_limit=2))
    earned = [make.play(campaign, citizen, right=right, now=NOW).points for right in (4, 1, 4)]
    assert earned == [20, 5, 0]
    assert make.play(campaign, citizen, now=NOW + DAY).points == 20
    assert points(citizen) == 45


def test_minors_get_the_fixed_reward_once_a_day_in_one_entry_with_their_points(campaign: Campaign) -> None:
    young = make_citizen(age_band="14_17")
    campaign = make_campaign("young", now=NOW, prizes=ONE_CODE_PRIZE, fixed_reward=FixedReward(30), points=Points(passed=20))
    first, second = (make.play(campaign, young, now=NOW) for _ in range(2))
    assert (first.ticket_count, first.points, first.fixed_points) == (0, 50, 30)
    assert (second.ticket_count, second.points, second.fixed_points) == (0, 20, 0)
    assert tickets(first.id) == []
    assert points(young) == 70


def test_a_failure_in_the_middle_of_grading_leaves_nothing(campaign: Campaign, citizen: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    make.answer(attempt, citizen, now=NOW)

    def fail(**kwargs: Any) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(grading, "ticket_writes", fail)
    with pytest.raises(RuntimeError):
        make.hand_in(attempt, citizen, now=NOW)
    assert row_of(attempt.id).state == "open"
    monkeypatch.undo()
    real = grading.run_writes

    def half(*writes: Any) -> None:
        real(*writes[:-1])
        raise RuntimeError("killed")

    monkeypatch.setattr(grading, "run_writes", half)
    with pytest.raises(RuntimeError):
        make.hand_in(attempt, citizen, now=NOW)
    assert row_of(attempt.id).state == "open"
    assert points(citizen) == 0
    assert {question.is_correct for question in queries.get_attempt(attempt.id).questions} == {None}
    monkeypatch.undo()
    assert make.hand_in(attempt, citizen, now=NOW).attempt.correct_count == 5
    assert (len(tickets(attempt.id)), points(citizen)) == (1, 20)


def test_an_attempt_that_is_not_graded_has_no_result(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    with pytest.raises(ValueError):
        papers.result_of(attempt, NOW)


def test_feedback_withheld_by_the_terms_comes_with_the_campaigns_end(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, feedback="after_close")
    attempt = make.play(campaign, citizen, right=3, now=NOW)
    before = papers.result_of(attempt, NOW)
    assert before.feedback_at == NOW + 240 * HOUR
    assert attempt.correct_count == 3
    for question in before.questions:
        assert (question.answer, question.correct, question.explanation, question.citations) == (None, None, None, None)
        assert question.chosen
    after = papers.result_of(attempt, NOW + 240 * HOUR)
    assert after.feedback_at is None
    assert [question.correct for question in after.questions] == [True] * 3 + [False] * 2
    assert all(question.explanation and question.citations and question.answer for question in after.questions)


def test_withheld_feedback_follows_an_extension_of_the_campaign(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, feedback="after_close")
    attempt = make.play(campaign, citizen, now=NOW)
    with transaction():
        running.extend_campaign(campaign.id, closes_at=NOW + 300 * HOUR, now=NOW, actor=SYSTEM)
    campaign_queries.forget_campaigns()
    assert papers.find_feedback_at(attempt, NOW + 250 * HOUR) == NOW + 300 * HOUR


# ---- reading


def test_a_citizens_list_is_the_newest_first_and_the_own_only(campaign: Campaign, citizen: Citizen) -> None:
    first = make.play(campaign, citizen, right=2, now=NOW)
    second = make.start(campaign, citizen, now=NOW + MINUTE).attempt
    make.play(campaign, make_citizen(), now=NOW)
    items = queries.list_attempts(citizen.id, NOW + MINUTE)
    assert [(item.id, item.state, item.correct_count) for item in items] == [(second.id, "open", None), (first.id, "graded", 2)]
    later = queries.list_attempts(citizen.id, NOW + HOUR, before=(items[0].started_at, items[0].id))
    assert [item.id for item in later] == [first.id]
    assert queries.list_attempts(citizen.id, NOW + HOUR)[0].state == "lapsed"

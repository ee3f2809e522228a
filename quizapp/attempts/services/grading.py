"""Grading: the one place where an attempt becomes final."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from quizapp.accounts.queries import Profile
from quizapp.attempts import queries, rules
from quizapp.attempts.queries import AttemptView, Turns
from quizapp.attempts.services.awarding import Earner, give_awards
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns import rules as campaign_rules
from quizapp.campaigns.season.scoring import Item, Scored, has_passed, values_of
from quizapp.campaigns.season.scoring import score as score_items
from quizapp.campaigns.terms import Quiz, Terms
from quizapp.core.clock import shanghai_day
from quizapp.core.statements import Write, run_writes
from quizapp.ledger.rules import POINTS_SOURCE
from quizapp.ledger.services import Posting, posting_writes
from quizapp.lottery.queries import count_granted
from quizapp.lottery.services import ticket_writes
from quizapp.questions import queries as question_queries
from quizapp.questions import rules as question_rules
from quizapp.questions.rules import RevisionView

SOURCE = "attempt"
"""What tickets and ledger entries call their source: ``("attempt", id)``."""

_GRADE = (
    "UPDATE attempts SET state = 'graded', submitted_at = :a_at, submitted_on = :a_on, handed_in_at = :a_handed_in, "
    "is_automatic = :a_automatic, correct_count = :a_correct, marks = :a_marks, score = :a_score, is_passed = :a_passed, "
    "ticket_count = :a_tickets, "
    "points = :a_points, fixed_points = :a_fixed, day_turn = :a_turn, day_rewards = :a_rewards, "
    "demographic_group = :a_group, region_code = :a_region, organisation_id = :a_organisation, age_band = :a_age "
    "WHERE id = :a_id AND state IN ('open', 'handed_in') AND save_count = :a_saves"
)


def grade_attempt(
    attempt: AttemptView,
    profile: Profile,
    turns: Turns,
    *,
    is_automatic: bool,
    now: dt.datetime,
    write: Callable[..., None] | None = None,
) -> AttemptView:
    """Grade an attempt as it was read: marks, snapshot of the demographics, points, tickets, in one statement
    on PostgreSQL.

    Should two attempts of a citizen be graded at once with the same count of the day, the database refuses the second
    (unique ``day_turn``); the edge then tries it again.

    :param write: how the writes reach the database if not by ``run_writes``: ``run_writes_alone`` for an attempt that is not locked
    :raises Stale: if the attempt is not as it was read (never for a locked one)
    """
    terms = campaign_queries.get_terms(attempt.terms_id)
    views = question_queries.get_revisions(question.revision_id for question in attempt.questions)
    corrected = {key: change.accepted for key, change in question_queries.find_key_changes(views).items()}
    answers = [(views[question.revision_id], question.choice_order, question.chosen) for question in attempt.questions]
    grade = rules.grade(answers, corrected)
    score, passed, values = None, False, None
    if terms.is_plain:
        passed = campaign_rules.is_passed(terms, grade.correct_count)
    else:
        scored = score_attempt(attempt, terms.quiz(attempt.quiz_id), answers, grade.marks)
        score, grade = scored.score, rules.Grade(scored.marks)
        seconds = seconds_used(attempt, now, is_automatic=is_automatic)
        passed = has_passed(terms.quiz(attempt.quiz_id), scored, seconds)
        values = values_of(scored, passed=passed, seconds=seconds)
    earned = rules.earnings(
        terms,
        passed=passed,
        group=profile.demographic_group,
        age_band=profile.age_band,
        graded_today=turns.graded,
        rewarded_today=turns.rewarded,
        values=values,
        granted_today=granted_today(terms, profile.citizen_id, attempt.campaign_id, now),
    )
    graded = replace(
        attempt,
        state="graded",
        handed_in_at=attempt.handed_in_at or (attempt.deadline_at if is_automatic else now),
        submitted_at=now,
        is_automatic=is_automatic,
        correct_count=grade.correct_count,
        marks="".join("1" if mark else "0" for mark in grade.marks),
        score=score,
        is_passed=passed,
        ticket_count=earned.ticket_count,
        points=earned.points,
        fixed_points=earned.fixed_points,
        questions=tuple(replace(question, is_correct=mark) for question, mark in zip(attempt.questions, grade.marks, strict=True)),
    )
    (write or run_writes)(*_grade_writes(graded, profile, turns, now), *_reward_writes(graded, profile.citizen_id, terms, now))
    if not terms.is_plain:
        earner = Earner(graded.campaign_id, graded.terms_id, profile, graded)
        return replace(graded, ticket_count=graded.ticket_count + give_awards(earner, str(graded.id), now))
    return graded


def granted_today(terms: Terms, citizen_id: uuid.UUID, campaign_id: uuid.UUID, now: dt.datetime) -> int:
    """Tickets a citizen has been granted on this Shanghai day; only asked for where the terms limit them, so that nobody else's
    hand-in pays for it. Read after the day's turns were: whoever grants in between makes ``day_turn`` clash, and the hand-in is
    tried again."""
    if terms.draw is None or terms.draw.draws_per_day is None:
        return 0
    return count_granted(citizen_id, campaign_id, shanghai_day(now))


def seconds_used(attempt: AttemptView, now: dt.datetime, *, is_automatic: bool) -> int:
    """Whole seconds from the start to the hand-in, which for an automatic one is the deadline."""
    end = attempt.handed_in_at or (attempt.deadline_at if is_automatic else now)
    return max(0, int((end - attempt.started_at).total_seconds()))


def score_attempt(
    attempt: AttemptView, quiz: Quiz, answers: Sequence[tuple[RevisionView, str, str | None]], marks: Sequence[bool]
) -> Scored:
    """Score a paper by its quiz's own scoring.

    :param marks: by position, right or wrong
    """
    taken = queries.list_answer_seconds(attempt.id, attempt.started_at) if quiz.scoring.per_second_left else {}
    items = [
        Item(mark, not mark and question_rules.is_partly_right(view, order, chosen), taken.get(position))
        for position, (mark, (view, order, chosen)) in enumerate(zip(marks, answers, strict=True), 1)
    ]
    return score_items(quiz, items)


def _grade_writes(graded: AttemptView, profile: Profile, turns: Turns, now: dt.datetime) -> tuple[Write, ...]:
    return (
        Write(
            _GRADE,
            {
                "a_id": graded.id,
                "a_saves": graded.save_count,
                "a_at": now,
                "a_on": shanghai_day(now),
                "a_handed_in": graded.handed_in_at,
                "a_automatic": graded.is_automatic,
                "a_correct": graded.correct_count,
                "a_marks": graded.marks,
                "a_score": graded.score,
                "a_passed": graded.is_passed,
                "a_tickets": graded.ticket_count,
                "a_points": graded.points,
                "a_fixed": graded.fixed_points,
                "a_turn": turns.graded + 1,
                "a_rewards": turns.rewarded + (1 if graded.fixed_points else 0),
                "a_group": profile.demographic_group,
                "a_region": profile.region_code,
                "a_organisation": profile.organisation_id,
                "a_age": profile.age_band,
            },
            is_guarded=True,
        ),
    )


def _reward_writes(graded: AttemptView, citizen_id: uuid.UUID, terms: Terms, now: dt.datetime) -> tuple[Write, ...]:
    """Points and tickets. All points are one entry: two in one statement would change the same account row twice."""
    writes: tuple[Write, ...] = ()
    if graded.points:
        writes += posting_writes(
            "p",
            Posting(
                unit="points",
                from_owner=POINTS_SOURCE,
                to_owner=("citizen", str(citizen_id)),
                amount=graded.points,
                source_type=SOURCE,
                source_id=graded.id,
                reason="attempt",
                now=now,
            ),
        )
    if graded.ticket_count and terms.draw is not None:
        writes += ticket_writes(
            prefix="t",
            campaign_id=graded.campaign_id,
            citizen_id=citizen_id,
            source_type=SOURCE,
            source_id=graded.id,
            count=graded.ticket_count,
            client_nonce=graded.client_nonce,
            ticket_hours=terms.draw.ticket_hours,
            now=now,
        )
    return writes

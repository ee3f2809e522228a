"""Marking again: what a corrected key does to papers that were graded before, batch by batch.

A batch is one transaction: marks, tickets, points, the record of what was changed, and the place where the next batch
begins. A crash between two batches repeats nothing; a batch that runs twice finds nothing left to do. What an attempt has
earned is never taken back.

Papers that were open when the key was corrected are graded by whatever their process knew at that moment, so the job
looks on (``settling``) until none of them is left.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from quizapp.accounts import queries as account_queries
from quizapp.accounts.queries import CITIZENS
from quizapp.attempts import queries, remark_queries, rules
from quizapp.attempts.models import AttemptRemark, RemarkRun
from quizapp.attempts.rules import Marked, Remarked
from quizapp.attempts.services.awarding import Earner, give_awards
from quizapp.attempts.services.grading import score_attempt, seconds_used
from quizapp.audit import services as audit
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.season.scoring import has_passed, values_of
from quizapp.campaigns.terms import Terms
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.core.statements import run_many
from quizapp.ledger.rules import POINTS_SOURCE
from quizapp.ledger.services import Posting, post_many
from quizapp.lottery.services import Grant, grant_many
from quizapp.questions import queries as question_queries
from quizapp.questions.rules import Accepted, is_accepted

log = logging.getLogger(__name__)

SOURCE = "remark"
"""What ledger entries call their source: ``("remark", id of the record)``. Tickets go on with the attempt's own."""
SETTLE_EVERY = dt.timedelta(seconds=60)
SETTLE_AT_LEAST = dt.timedelta(minutes=5)
"""A process draws papers from pools it read seconds ago, and a hand-in may take a moment to commit."""

_UPDATE = (
    "UPDATE attempts SET marks = :b_marks, correct_count = :b_correct, is_passed = :b_passed, ticket_count = ticket_count + :b_tickets, "
    "points = points + :b_points, fixed_points = fixed_points + :b_fixed WHERE id = :b_id"
)
_REWARDED = (
    "UPDATE attempts SET day_rewards = day_rewards + 1 WHERE campaign_id = :d_campaign AND citizen_id = :d_citizen "
    "AND submitted_on = :d_on AND day_turn >= :d_turn"
)
_OPEN = (
    "INSERT INTO remark_runs (correction_id, state, pass_number, total, seen, raised, lowered, newly_passed, no_longer_passed, tickets, "
    "points, created_at) VALUES (:r_id, 'waiting', 1, :r_total, 0, 0, 0, 0, 0, 0, 0, :r_at) ON CONFLICT (correction_id) DO NOTHING"
)
_TOUCH = (
    "UPDATE attempts SET save_count = save_count + 1 WHERE campaign_id = :o_campaign AND citizen_id = :o_citizen "
    "AND state IN ('open', 'handed_in')"
)


@dataclass(frozen=True)
class Task:
    """One pass over the papers of a correction."""

    correction_id: uuid.UUID
    pass_number: int
    attempt_ids: tuple[uuid.UUID, ...]
    is_last: bool


def open_runs(now: dt.datetime) -> int:
    """Open a run for every confirmed correction that has none; two workers at once open one. Returns how many."""
    ids = remark_queries.list_unstarted()
    for correction_id in ids:
        revisions = question_queries.get_correction(correction_id).revisions
        total = len(remark_queries.list_affected(revisions, after=None))
        run_many(_OPEN, [{"r_id": correction_id, "r_total": total, "r_at": now}])
    return len(ids)


def plan_pass(correction_id: uuid.UUID, now: dt.datetime) -> Task | None:
    """What a run has to look at now; None while it waits for papers that are still open."""
    run = remark_queries.lock_run(correction_id)
    correction = question_queries.get_correction(correction_id)
    confirmed_at = correction.row.confirmed_at or now
    if run.state == "done" or (run.state == "settling" and run.passed_at and now < run.passed_at + SETTLE_EVERY):
        return None
    keys = _keys(correction_id)
    if run.state == "waiting":
        run.state, run.started_at = "running", now
    if run.state == "running":
        ids = remark_queries.list_affected(keys, after=run.cursor)
        return Task(correction_id, run.pass_number, tuple(ids), is_last=False)
    is_last = now >= confirmed_at + SETTLE_AT_LEAST and not remark_queries.has_unsettled(keys)
    ids = remark_queries.list_affected(keys, after=run.cursor, since=confirmed_at - SETTLE_AT_LEAST)
    return Task(correction_id, run.pass_number, tuple(ids), is_last)


def _keys(correction_id: uuid.UUID) -> dict[uuid.UUID, Accepted]:
    """What counts as right for the revisions on which this correction is the latest word; a later one marks its own."""
    changes = question_queries.list_key_changes()
    return {revision_id: change.accepted for revision_id, change in changes.items() if change.correction_id == correction_id}


def finish_pass(task: Task, now: dt.datetime) -> None:
    """After the last batch of a pass: go on looking, or close the run with its record."""
    run = remark_queries.lock_run(task.correction_id)
    if run.state == "done" or run.pass_number != task.pass_number:
        return
    run.cursor, run.passed_at = None, now
    run.pass_number += 1
    if not task.is_last:
        run.state = "settling"
        return
    run.state, run.finished_at = "done", now
    names = ("seen", "raised", "lowered", "newly_passed", "no_longer_passed", "tickets", "points")
    audit.record(
        "attempts.remarked",
        actor=audit.SYSTEM,
        target_type="key_correction",
        target_id=task.correction_id,
        changes={name: getattr(run, name) for name in names},
        now=now,
    )


def remark_batch(task: Task, attempt_ids: Sequence[uuid.UUID], now: dt.datetime) -> bool:
    """Mark these papers again and move the run's cursor behind them.

    :returns: False if another process has gone on already: the caller then begins anew
    """
    run = remark_queries.lock_run(task.correction_id)
    has_moved = run.cursor is not None and run.cursor >= attempt_ids[0]
    if run.state == "done" or run.pass_number != task.pass_number or has_moved:
        return False
    keys = _keys(task.correction_id)
    rows = remark_queries.lock_marked(attempt_ids, keys)
    changes = [change for row in rows if (change := _change(row, keys[row.revision_id])) is not None]
    changes = _settle_fixed_rewards(changes, now)
    _write(task.correction_id, changes, now)
    _count(run, changes, len(rows) if run.state == "running" else 0)
    run.cursor = attempt_ids[-1]
    db.session.flush()
    return True


@dataclass(frozen=True)
class _Change:
    row: Any
    after: Remarked

    @property
    def day(self) -> tuple[uuid.UUID, uuid.UUID, dt.date]:
        return self.row.campaign_id, self.row.citizen_id, self.row.submitted_on

    @property
    def points(self) -> int:
        return self.after.points + self.after.fixed_points


def _change(row: Any, accepted: Accepted) -> _Change | None:
    marked = Marked(
        marks=row.marks,
        correct_count=row.correct_count,
        is_passed=row.is_passed,
        ticket_count=row.ticket_count,
        points=row.points,
        fixed_points=row.fixed_points,
        day_turn=row.day_turn or 1,
        group=row.demographic_group,
        age_band=row.age_band,
        may_earn=row.may_earn,
    )
    is_right = is_accepted(accepted, row.choice_order, row.chosen)
    terms = campaign_queries.get_terms(row.terms_id)
    weigh = None if terms.is_plain else lambda marks: _score_again(terms, row.id, marks)[1:]
    after = rules.remark(terms, marked, row.position, is_right, weigh)
    return None if after is None else _Change(row, after)


def _score_again(terms: Terms, attempt_id: uuid.UUID, marks: str) -> tuple[int, bool, rules.Values]:
    """Score, pass and measures of an attempt with other marks, where its quiz has a scoring of its own."""
    attempt = queries.get_attempt(attempt_id)
    quiz = terms.quiz(attempt.quiz_id)
    views = question_queries.get_revisions(question.revision_id for question in attempt.questions)
    answers = [(views[question.revision_id], question.choice_order, question.chosen) for question in attempt.questions]
    scored = score_attempt(attempt, quiz, answers, [mark == "1" for mark in marks])
    seconds = seconds_used(attempt, attempt.handed_in_at or attempt.deadline_at, is_automatic=attempt.is_automatic)
    passed = has_passed(quiz, scored, seconds)
    return scored.score, passed, values_of(scored, passed=passed, seconds=seconds)


def _settle_season(change: _Change, now: dt.datetime) -> None:
    """The score, and what awards a better result brings; like everything else it only ever adds."""
    terms = campaign_queries.get_terms(change.row.terms_id)
    if terms.is_plain:
        return
    score, *_ = _score_again(terms, change.row.id, change.after.marks)
    db.session.execute(sa.update(queries.ATTEMPTS).where(queries.ATTEMPTS.c.id == change.row.id).values(score=score))
    if change.row.may_earn:
        profile = account_queries.lock_citizen(change.row.citizen_id)
        earner = Earner(change.row.campaign_id, change.row.terms_id, profile, queries.get_attempt(change.row.id))
        give_awards(earner, str(change.row.id), now)


# ---- the fixed reward, once a day


def _settle_fixed_rewards(changes: Sequence[_Change], now: dt.datetime) -> list[_Change]:
    """Give the fixed reward to the first of a citizen's attempts of a day, if that day has had none.

    A day of the past is over. On the present day a hand-in may be under way that has counted the day without a lock: the
    citizen's open paper is touched, so that such a hand-in counts again, and the citizen is locked, so that no other paper
    begins before this is written.
    """
    wanting = [change for change in changes if change.after.fixed_points]
    today = shanghai_day(now)
    _hold_today(sorted({change.day for change in wanting if change.row.submitted_on == today}))
    taken = remark_queries.list_rewarded_days({change.day for change in wanting})
    settled: list[_Change] = []
    for change in changes:
        if change.after.fixed_points and change.day in taken:
            change = replace(change, after=replace(change.after, fixed_points=0))
        elif change.after.fixed_points:
            taken.add(change.day)
        settled.append(change)
    return settled


def _hold_today(days: Sequence[tuple[uuid.UUID, uuid.UUID, dt.date]]) -> None:
    if not days:
        return
    run_many(_TOUCH, [{"o_campaign": campaign_id, "o_citizen": citizen_id} for campaign_id, citizen_id, _ in days])
    citizens = sorted({citizen_id for _, citizen_id, _ in days})
    db.session.execute(sa.select(CITIZENS.c.id).where(CITIZENS.c.id.in_(citizens)).order_by(CITIZENS.c.id).with_for_update()).all()


# ---- writing


def _write(correction_id: uuid.UUID, changes: Sequence[_Change], now: dt.datetime) -> None:
    if not changes:
        return
    ids = [new_id() for _ in changes]
    run_many(_UPDATE, [_new_values(change) for change in changes])
    run_many(_REWARDED, [_new_reward(change) for change in changes if change.after.fixed_points])
    db.session.execute(
        sa.insert(AttemptRemark), [_record(key, correction_id, change, now) for key, change in zip(ids, changes, strict=True)]
    )
    grant_many([grant for change in changes for grant in _grants(change)], now)
    post_many([_posting(key, change, now) for key, change in zip(ids, changes, strict=True) if change.points])
    for change in changes:
        _settle_season(change, now)


def _new_values(change: _Change) -> dict[str, object]:
    return {
        "b_id": change.row.id,
        "b_marks": change.after.marks,
        "b_correct": change.after.correct_count,
        "b_passed": change.after.is_passed,
        "b_tickets": change.after.tickets,
        "b_points": change.points,
        "b_fixed": change.after.fixed_points,
    }


def _new_reward(change: _Change) -> dict[str, object]:
    campaign_id, citizen_id, day = change.day
    return {"d_campaign": campaign_id, "d_citizen": citizen_id, "d_on": day, "d_turn": change.row.day_turn or 1}


def _record(key: uuid.UUID, correction_id: uuid.UUID, change: _Change, now: dt.datetime) -> dict[str, object]:
    row, after = change.row, change.after
    return {
        "id": key,
        "attempt_id": row.id,
        "correction_id": correction_id,
        "position": row.position,
        "marks_before": row.marks,
        "marks_after": after.marks,
        "correct_before": row.correct_count,
        "correct_after": after.correct_count,
        "passed_before": row.is_passed,
        "passed_after": after.is_passed,
        "tickets": after.tickets,
        "points": change.points,
        "fixed_points": after.fixed_points,
        "remarked_at": now,
    }


def _grants(change: _Change) -> list[Grant]:
    row = change.row
    draw = campaign_queries.get_terms(row.terms_id).draw
    if draw is None:
        return []
    return [
        Grant(row.campaign_id, row.citizen_id, "attempt", row.id, row.ticket_count + number, row.client_nonce, draw.ticket_hours)
        for number in range(1, change.after.tickets + 1)
    ]


def _posting(key: uuid.UUID, change: _Change, now: dt.datetime) -> Posting:
    return Posting(
        unit="points",
        from_owner=POINTS_SOURCE,
        to_owner=("citizen", str(change.row.citizen_id)),
        amount=change.points,
        source_type=SOURCE,
        source_id=key,
        reason=SOURCE,
        now=now,
    )


def _count(run: RemarkRun, changes: Sequence[_Change], seen: int) -> None:
    run.seen += seen
    for change in changes:
        row, after = change.row, change.after
        run.raised += after.correct_count > row.correct_count
        run.lowered += after.correct_count < row.correct_count
        run.newly_passed += after.is_passed and not row.is_passed
        run.no_longer_passed += row.is_passed and not after.is_passed
        run.tickets += after.tickets
        run.points += change.points

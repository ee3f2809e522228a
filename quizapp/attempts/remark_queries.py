"""Reads about marking again: which papers a corrected key concerns, what it would do, how far the job has come."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.queries import CITIZENS
from quizapp.attempts import rules
from quizapp.attempts.models import AttemptRemark, RemarkRun
from quizapp.attempts.queries import ATTEMPTS, QUESTIONS
from quizapp.campaigns import queries as campaign_queries
from quizapp.core.db import db
from quizapp.questions.models import KeyCorrection
from quizapp.questions.rules import Accepted, is_accepted

_A, _Q = ATTEMPTS.c, QUESTIONS.c


# ---- the papers


def list_affected(revision_ids: Collection[uuid.UUID], *, after: uuid.UUID | None, since: dt.datetime | None = None) -> list[uuid.UUID]:
    """Ids of graded attempts that hold one of these revisions, in their order.

    :param after: the last one that was looked at
    :param since: only those graded from this moment on
    """
    found = sa.select(_Q.attempt_id).join(ATTEMPTS, _A.id == _Q.attempt_id)
    found = found.where(_Q.revision_id.in_(revision_ids), _A.state == "graded").order_by(_Q.attempt_id)
    if after is not None:
        found = found.where(_Q.attempt_id > after)
    if since is not None:
        found = found.where(_A.submitted_at >= since)
    return list(db.session.scalars(found))


def has_unsettled(revision_ids: Collection[uuid.UUID]) -> bool:
    """Whether papers with these revisions are still open or wait for their citizen."""
    found = sa.select(_A.id).join(QUESTIONS, _Q.attempt_id == _A.id)
    return db.session.scalar(found.where(_A.state.in_(("open", "handed_in")), _Q.revision_id.in_(revision_ids)).limit(1)) is not None


def lock_marked(attempt_ids: Sequence[uuid.UUID], revision_ids: Collection[uuid.UUID]) -> Sequence[Any]:
    """Lock graded attempts in the order of their ids and read what marking one question again needs. ``may_earn`` is
    false for an excluded attempt and for somebody who has left."""
    found = (
        sa.select(
            _A.id,
            _A.campaign_id,
            _A.terms_id,
            _A.citizen_id,
            _A.client_nonce,
            _A.submitted_on,
            _A.marks,
            _A.correct_count,
            _A.is_passed,
            _A.ticket_count,
            _A.points,
            _A.fixed_points,
            _A.day_turn,
            _A.demographic_group,
            _A.age_band,
            sa.and_(_A.excluded_at.is_(None), CITIZENS.c.status != "deleted").label("may_earn"),
            _Q.position,
            _Q.revision_id,
            _Q.choice_order,
            _Q.chosen,
        )
        .join_from(ATTEMPTS, QUESTIONS, _Q.attempt_id == _A.id)
        .join(CITIZENS, CITIZENS.c.id == _A.citizen_id)
        .where(_A.id.in_(attempt_ids), _Q.revision_id.in_(revision_ids), _A.state == "graded")
        .order_by(_A.id)
        .with_for_update(of=ATTEMPTS)
    )
    return db.session.execute(found).all()


def list_rewarded_days(days: Collection[tuple[uuid.UUID, uuid.UUID, dt.date]]) -> set[tuple[uuid.UUID, uuid.UUID, dt.date]]:
    """Which of these days (campaign, citizen, Shanghai day) have had a fixed reward."""
    if not days:
        return set()
    key = sa.tuple_(_A.campaign_id, _A.citizen_id, _A.submitted_on)
    found = sa.select(_A.campaign_id, _A.citizen_id, _A.submitted_on).where(key.in_(list(days)), _A.fixed_points > 0)
    return {(row[0], row[1], row[2]) for row in db.session.execute(found)}


# ---- what it would do


@dataclass(frozen=True)
class Effect:
    """What marking again does, in attempts; ``tickets`` and ``points`` are given on top. ``fixed_points`` is the most the
    fixed reward can come to: each citizen has it once a day."""

    attempts: int = 0
    raised: int = 0
    lowered: int = 0
    newly_passed: int = 0
    no_longer_passed: int = 0
    tickets: int = 0
    points: int = 0
    fixed_points: int = 0
    open_papers: int = 0


def preview(accepted: Accepted, revision_ids: Collection[uuid.UUID]) -> Effect:
    """Count what a correction would do now: attempts of one kind are counted together by the database and judged once."""
    counts = dict.fromkeys(Effect.__dataclass_fields__, 0)
    for row in db.session.execute(_kinds(revision_ids)):
        counts["attempts"] += row.number
        is_right = is_accepted(accepted, row.choice_order, row.chosen)
        if is_right == (row.mark == "1"):
            continue
        counts["raised" if is_right else "lowered"] += row.number
        terms = campaign_queries.get_terms(row.terms_id)
        marked = rules.Marked(
            marks=row.mark,
            correct_count=row.correct_count,
            is_passed=row.is_passed,
            ticket_count=row.ticket_count,
            points=row.base_points + row.fixed_points,
            fixed_points=row.fixed_points,
            day_turn=row.day_turn or 1,
            group=row.demographic_group,
            age_band=row.age_band,
            may_earn=row.may_earn,
        )
        correct = row.correct_count + (1 if is_right else -1)
        remarked = rules.regrade(terms, marked, row.mark, correct)
        counts["newly_passed"] += row.number * (remarked.is_passed and not row.is_passed)
        counts["no_longer_passed"] += row.number * (row.is_passed and not remarked.is_passed)
        for name in ("tickets", "points", "fixed_points"):
            counts[name] += row.number * getattr(remarked, name)
    return Effect(**{**counts, "open_papers": _count_open(revision_ids)})


def _kinds(revision_ids: Collection[uuid.UUID]) -> sa.Select[*tuple[Any, ...]]:
    columns: dict[str, sa.ColumnElement[Any]] = {
        "terms_id": _A.terms_id,
        "choice_order": _Q.choice_order,
        "chosen": _Q.chosen,
        "mark": sa.func.substr(_A.marks, _Q.position, 1),
        "correct_count": _A.correct_count,
        "is_passed": _A.is_passed,
        "ticket_count": _A.ticket_count,
        "base_points": _A.points - _A.fixed_points,
        "fixed_points": _A.fixed_points,
        "day_turn": _A.day_turn,
        "demographic_group": _A.demographic_group,
        "age_band": _A.age_band,
        "may_earn": sa.and_(_A.excluded_at.is_(None), CITIZENS.c.status != "deleted"),
    }
    each = (
        sa.select(*(column.label(name) for name, column in columns.items()))
        .join_from(ATTEMPTS, QUESTIONS, _Q.attempt_id == _A.id)
        .join(CITIZENS, CITIZENS.c.id == _A.citizen_id)
        .where(_Q.revision_id.in_(revision_ids), _A.state == "graded")
        .subquery()
    )
    return sa.select(*each.c, sa.func.count().label("number")).group_by(*each.c)


def _count_open(revision_ids: Collection[uuid.UUID]) -> int:
    found = sa.select(sa.func.count()).select_from(sa.join(ATTEMPTS, QUESTIONS, _Q.attempt_id == _A.id))
    return db.session.scalar(found.where(_A.state.in_(("open", "handed_in")), _Q.revision_id.in_(revision_ids))) or 0


# ---- how far it has come


def list_unstarted() -> list[uuid.UUID]:
    """Confirmed corrections no run has been opened for, in the order they were decided."""
    known = sa.select(RemarkRun.correction_id).where(RemarkRun.correction_id == KeyCorrection.id).exists()
    found = sa.select(KeyCorrection.id).where(KeyCorrection.status == "confirmed", ~known)
    return list(db.session.scalars(found.order_by(KeyCorrection.confirmed_at, KeyCorrection.id)))


def list_unfinished() -> list[uuid.UUID]:
    """Runs with something left to do, in the order they were opened."""
    found = sa.select(RemarkRun.correction_id).where(RemarkRun.state != "done")
    return list(db.session.scalars(found.order_by(RemarkRun.created_at, RemarkRun.correction_id)))


def find_run(correction_id: uuid.UUID) -> RemarkRun | None:
    return db.session.get(RemarkRun, correction_id, populate_existing=True)


def find_runs(correction_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, RemarkRun]:
    found = sa.select(RemarkRun).where(RemarkRun.correction_id.in_(correction_ids)).execution_options(populate_existing=True)
    return {run.correction_id: run for run in db.session.scalars(found)}


def lock_run(correction_id: uuid.UUID) -> RemarkRun:
    """:raises KeyError: if there is none"""
    found = sa.select(RemarkRun).filter_by(correction_id=correction_id).with_for_update().execution_options(populate_existing=True)
    run = db.session.scalar(found)
    if run is None:
        raise KeyError(correction_id)
    return run


def list_remarks(attempt_id: uuid.UUID) -> list[AttemptRemark]:
    """What corrected keys changed on an attempt, in the order it happened."""
    found = sa.select(AttemptRemark).filter_by(attempt_id=attempt_id)
    return list(db.session.scalars(found.order_by(AttemptRemark.remarked_at, AttemptRemark.id)))

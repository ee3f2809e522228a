"""What the worker does: close papers whose time is over, forget what nobody came back for."""

import datetime as dt
import uuid
from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.attempts import queries, rules
from quizapp.attempts.models import AttemptEvent
from quizapp.attempts.services.handing_in import settle_attempt
from quizapp.campaigns import queries as campaign_queries
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db

_A = queries.ATTEMPTS.c


@dataclass(frozen=True)
class Closed:
    """How many papers became what."""

    graded: int = 0
    handed_in: int = 0
    lapsed: int = 0

    @property
    def total(self) -> int:
        return self.graded + self.handed_in + self.lapsed


def close_overdue(*, now: dt.datetime, limit: int = 100) -> Closed:
    """Close at most ``limit`` open papers whose deadline and grace have passed: graded if they hold an answer and their
    citizen is registered, kept if a result must wait, else lapsed. Papers locked by somebody are left to them.

    Kept papers and guests' open ones lapse 24 hours after their start.
    """
    counts: Counter[str] = Counter()
    for attempt_id in _overdue(now, limit):
        attempt, turns = queries.lock_attempt(attempt_id, shanghai_day(now))
        counts[settle_attempt(attempt, turns, now, is_hand_in=False).attempt.state] += 1
    return Closed(counts["graded"], counts["handed_in"], counts["lapsed"] + _lapse_forgotten(now))


def _overdue(now: dt.datetime, limit: int) -> list[uuid.UUID]:
    found: list[uuid.UUID] = []
    for terms_id in queries.list_overdue_terms(now):
        if len(found) >= limit:
            break
        grace = dt.timedelta(seconds=campaign_queries.get_terms(terms_id).grace_seconds)
        found += queries.lock_overdue(terms_id, now - grace, limit - len(found))
    return found


def close_attempt(attempt_id: uuid.UUID, now: dt.datetime) -> bool:
    """Close one paper past its deadline and grace; one that is not open any more stays as it is."""
    attempt, turns = queries.lock_attempt(attempt_id, shanghai_day(now))
    grace = campaign_queries.get_terms(attempt.terms_id).grace_seconds
    if attempt.state != "open" or rules.takes_hand_in(attempt, grace, now):
        return False
    settle_attempt(attempt, turns, now, is_hand_in=False)
    return True


def _lapse_forgotten(now: dt.datetime) -> int:
    old = _A.started_at <= now - rules.KEPT
    lapsed = 0
    for condition in (_A.state == "handed_in", sa.and_(_A.citizen_id.is_(None), _A.state == "open")):
        gone = sa.update(queries.ATTEMPTS).where(old, condition).values(state="lapsed").returning(_A.id)
        lapsed += len(db.session.execute(gone).all())
    return lapsed


def delete_forgotten_papers(*, now: dt.datetime, limit: int = 1000) -> int:
    """Delete lapsed papers of guests two days after their start: nobody can ask for them any more, and we promised to."""
    found = (
        sa.select(_A.id)
        .where(_A.citizen_id.is_(None), _A.state == "lapsed", _A.started_at <= now - 2 * rules.KEPT)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(db.session.scalars(found))
    if ids:
        db.session.execute(sa.delete(AttemptEvent).where(AttemptEvent.attempt_id.in_(ids)))
        db.session.execute(sa.delete(queries.QUESTIONS).where(queries.QUESTIONS.c.attempt_id.in_(ids)))
        db.session.execute(sa.delete(queries.ATTEMPTS).where(_A.id.in_(ids)))
    return len(ids)

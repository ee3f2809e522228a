"""Handing in: at once final for a citizen, kept for a guest."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace

import sqlalchemy as sa

from quizapp.accounts import queries as account_queries
from quizapp.accounts.queries import Profile
from quizapp.attempts import queries, rules
from quizapp.attempts.errors import AttemptClosed, AttemptNotFound, ProfileIncomplete, RegistrationRequired
from quizapp.attempts.queries import AttemptView, Turns
from quizapp.attempts.rules import Asker
from quizapp.attempts.services.events import record_event
from quizapp.attempts.services.grading import grade_attempt
from quizapp.campaigns import queries as campaign_queries
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.core.errors import AppError
from quizapp.core.statements import Stale, run_writes_alone


@dataclass(frozen=True)
class HandedIn:
    """The paper after its hand-in; ``refusal`` says why there is no result yet, to be raised after the commit."""

    attempt: AttemptView
    refusal: AppError | None = None


def submit_attempt(*, attempt_id: uuid.UUID, asker: Asker, now: dt.datetime) -> HandedIn:
    """Hand in. A repeat gives the same result; an attempt is graded once.

    In time is until the deadline and the grace of the terms. After that what was saved is graded as handed in
    automatically; a paper without answers lapses.

    :raises AttemptNotFound: for a paper that is not the asker's
    Refusals in the result: ``attempt_closed`` (lapsed), ``registration_required`` (a guest: the hand-in is kept),
    ``profile_incomplete`` (a citizen who has not told the group, the region …: likewise kept).
    """
    own = queries.lock_own_attempt(attempt_id, asker.citizen_id, shanghai_day(now)) if asker.citizen_id else None
    attempt, turns, profile = own or (*queries.lock_attempt(attempt_id, shanghai_day(now)), None)
    if not rules.owns(attempt, asker):
        raise AttemptNotFound
    if attempt.state == "graded":
        return HandedIn(attempt)
    return settle_attempt(attempt, turns, now, is_hand_in=True, profile=profile)


def submit_at_once(*, attempt_id: uuid.UUID, citizen_id: uuid.UUID, now: dt.datetime) -> AttemptView | None:
    """The plain hand-in, a citizen's own open paper in time, in two statements: read, and one guarded write that is its
    own transaction. Nothing is locked in between, so the write counts only if the paper is still as it was read. A
    repeat gives the same result.

    :returns: None for whatever else it is, or if somebody changed the paper meanwhile: :func:`submit_attempt` then decides
    """
    own = queries.find_own_attempt(attempt_id, citizen_id, shanghai_day(now))
    if own is None:
        return None
    attempt, turns, profile = own
    if attempt.state == "graded":
        return attempt
    terms = campaign_queries.get_terms(attempt.terms_id)
    if not (terms.is_plain and rules.takes_hand_in(attempt, terms.grace_seconds, now)) or rules.missing_fields(profile, terms):
        return None
    try:
        return grade_attempt(attempt, profile, turns, is_automatic=False, now=now, write=run_writes_alone)
    except (Stale, sa.exc.IntegrityError):
        return None


def settle_attempt(attempt: AttemptView, turns: Turns, now: dt.datetime, *, is_hand_in: bool, profile: Profile | None = None) -> HandedIn:
    """Make of a locked, not yet graded attempt what it has come to: graded, kept or lapsed.

    :param is_hand_in: somebody hands it in now; otherwise its time is over
    :param profile: its citizen, if locked and read already
    """
    grace = campaign_queries.get_terms(attempt.terms_id).grace_seconds
    is_in_time = is_hand_in and rules.takes_hand_in(attempt, grace, now)
    if attempt.standing(now) == "lapsed" and not is_in_time:
        if is_hand_in:
            record_event(attempt.id, "late_hand_in", now)
        return HandedIn(lapse(attempt), AttemptClosed())
    is_automatic = attempt.is_automatic if attempt.state == "handed_in" else not is_in_time
    if attempt.citizen_id is None:
        return HandedIn(keep(attempt, now, is_automatic), RegistrationRequired())
    profile = profile or account_queries.lock_citizen(attempt.citizen_id)
    missing = rules.missing_fields(profile, campaign_queries.get_terms(attempt.terms_id))
    if missing:
        return HandedIn(keep(attempt, now, is_automatic), ProfileIncomplete(missing))
    return HandedIn(grade_attempt(attempt, profile, turns, is_automatic=is_automatic, now=now))


def keep(attempt: AttemptView, now: dt.datetime, is_automatic: bool) -> AttemptView:
    """Freeze a paper that cannot be graded yet."""
    if attempt.state == "handed_in":
        return attempt
    handed_in_at = rules.closes_at(attempt) if is_automatic else now
    values = {"state": "handed_in", "handed_in_at": handed_in_at, "is_automatic": is_automatic}
    db.session.execute(sa.update(queries.ATTEMPTS).where(queries.ATTEMPTS.c.id == attempt.id).values(values))
    return replace(attempt, state="handed_in", handed_in_at=handed_in_at, is_automatic=is_automatic)


def lapse(attempt: AttemptView) -> AttemptView:
    """End a paper that will never count."""
    if attempt.state == "lapsed":
        return attempt
    db.session.execute(sa.update(queries.ATTEMPTS).where(queries.ATTEMPTS.c.id == attempt.id).values(state="lapsed"))
    return replace(attempt, state="lapsed")

"""Adoption: a guest's paper becomes a citizen's, once and for good."""

import datetime as dt
import uuid
from dataclasses import replace

import sqlalchemy as sa

from quizapp.accounts import queries as account_queries
from quizapp.accounts.queries import Profile
from quizapp.attempts import queries, rules
from quizapp.attempts.errors import (
    AdoptionExpired,
    AlreadyAdopted,
    AttemptClosed,
    AttemptNotFound,
    OpenAttemptExists,
    ProfileIncomplete,
)
from quizapp.attempts.queries import AttemptView
from quizapp.attempts.services.grading import grade_attempt
from quizapp.attempts.services.handing_in import HandedIn, lapse
from quizapp.attempts.services.seasonal import find_plan
from quizapp.attempts.services.starting import settle_overdue
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns import rules as campaign_rules
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db


def adopt_attempt(*, attempt_id: uuid.UUID, citizen_id: uuid.UUID, guest_token: str, now: dt.datetime) -> HandedIn:
    """Make a guest's paper the citizen's: it uses one of the citizen's tries (of the day of its start), cannot be undone
    and comes before score, key, points or draw.

    A paper that was handed in, or whose time ran out with answers on it, is graded at once and counts now. One that is
    still open goes on as the citizen's.

    :raises AttemptNotFound: if the token is not this paper's
    :raises AlreadyAdopted: by somebody else; the same citizen gets the same answer again
    :raises AdoptionExpired: 24 hours after the start
    :raises AttemptLimitReached, NotEligible: as for a start on that day
    :raises OpenAttemptExists: for an open paper, while the citizen has another open in this campaign
    :raises ProfileIncomplete: before a result; nothing is adopted then
    The refusal ``attempt_closed`` comes with a paper that lapsed without answers.
    """
    attempt, _ = queries.lock_attempt(attempt_id, shanghai_day(now))
    if not rules.holds_token(attempt, guest_token):
        raise AttemptNotFound
    if attempt.citizen_id is not None:
        return _adopted_before(attempt, citizen_id, now)
    if attempt.state == "lapsed" or rules.is_forgotten(attempt, now):
        raise AdoptionExpired
    standing = attempt.standing(now)
    if standing == "lapsed":
        return HandedIn(lapse(attempt), AttemptClosed())
    open_id = settle_overdue(citizen_id, attempt.campaign_id, now)
    profile = account_queries.lock_citizen(citizen_id)
    if standing == "open":
        if open_id is not None:
            raise OpenAttemptExists(attempt_id=str(open_id))
        return HandedIn(_take(attempt, profile, now))
    missing = rules.missing_fields(profile, campaign_queries.get_terms(attempt.terms_id))
    if missing:
        raise ProfileIncomplete(missing)
    taken = _take(attempt, profile, now)
    turns = queries.count_turns(citizen_id, attempt.campaign_id, shanghai_day(now))
    is_automatic = attempt.is_automatic or attempt.state == "open"
    return HandedIn(grade_attempt(taken, profile, turns, is_automatic=is_automatic, now=now))


def _adopted_before(attempt: AttemptView, citizen_id: uuid.UUID, now: dt.datetime) -> HandedIn:
    if attempt.citizen_id != citizen_id:
        raise AlreadyAdopted
    return HandedIn(attempt)


def _take(attempt: AttemptView, profile: Profile, now: dt.datetime) -> AttemptView:
    """Give a locked paper to a locked citizen, tries allowing."""
    campaign = campaign_queries.get_campaign_by_id(attempt.campaign_id)
    as_begun = replace(campaign, terms=campaign_queries.get_terms(attempt.terms_id), status="published")
    tries = queries.count_tries(profile.citizen_id, attempt.campaign_id, attempt.started_on)
    if as_begun.terms.is_plain:
        campaign_rules.check_may_start(as_begun, profile, tries.today, tries.total, attempt.started_at)
    else:
        find_plan(as_begun, profile, quiz_id=attempt.quiz_id, channel=attempt.channel, now=attempt.started_at)
    values = {
        "citizen_id": profile.citizen_id,
        "adopted_at": now,
        "day_try": tries.today + 1,
        "total_try": tries.total + 1,
    }
    db.session.execute(sa.update(queries.ATTEMPTS).where(queries.ATTEMPTS.c.id == attempt.id).values(values))
    return replace(attempt, citizen_id=profile.citizen_id, adopted_at=now)

"""Who qualifies for a pool draw: the list the lottery freezes."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import sqlalchemy as sa

from quizapp.accounts.models import Citizen
from quizapp.accounts.rules import is_minor
from quizapp.attempts import histories
from quizapp.attempts.models import Attempt
from quizapp.attempts.services.awarding import round_key_of
from quizapp.campaigns import pool_plans
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.season.measures import History, is_met
from quizapp.campaigns.season.scoring import highest_score
from quizapp.campaigns.terms import ALWAYS, ATTEMPT_MEASURES, Condition, PoolDraw, Terms
from quizapp.core.db import db
from quizapp.core.statements import Row
from quizapp.lottery.pooldraw import Entry
from quizapp.lottery.queries import is_barred

CHUNK = 20_000


def list_qualified(campaign: CampaignView, pool_draw: PoolDraw, scope: str) -> list[Entry]:
    """Everybody who qualifies for a draw of a scope, each once, in the band of the strictest condition they meet.

    ``who`` without conditions is everybody with a passed attempt in the scope; conditions on the measures of an attempt alone
    are met by any one of them, others by what the citizen did in the scope as a whole. Each has one ticket, or those that
    awards gave for this draw. A round or stage takes in what was begun in it, a day what was handed in on it. Groups and
    minors the draw leaves out, places it is for, who takes no part in chances here, and citizens who deleted their account
    are seen to here.

    :raises KeyError: for a scope this draw does not have, or a condition on a measure the terms do not declare
    """
    window = pool_plans.window_of(campaign.terms, pool_draw, scope)
    bands = (pool_draw.who, *pool_draw.cascade)
    asked = frozenset().union(*(band.measures for band in bands))
    if pool_draw.tickets == "awards" or asked - set(ATTEMPT_MEASURES):
        return list(_by_history(campaign, pool_draw, scope, bands))
    found: dict[uuid.UUID, int] = {}
    for row in _attempts(campaign.id, _in_scope(pool_draw, scope, window), pool_draw):
        if not _may_take_part(row, pool_draw):
            continue
        band = _band(row, bands)
        if band is not None and band < found.get(row.citizen_id, len(bands)):
            found[row.citizen_id] = band
    return [Entry(citizen_id, tickets=1, band=band) for citizen_id, band in found.items()]


def _in_scope(pool_draw: PoolDraw, scope: str, window: tuple[dt.datetime, dt.datetime]) -> sa.ColumnElement[bool]:
    if pool_draw.per == "round":
        return Attempt.round_key == scope
    if pool_draw.per == "stage":
        return sa.or_(Attempt.round_key == scope, Attempt.round_key.startswith(f"{scope}/", autoescape=True))
    if pool_draw.per == "day":
        return sa.and_(Attempt.submitted_at >= window[0], Attempt.submitted_at < window[1])
    return sa.true()


def _by_history(campaign: CampaignView, pool_draw: PoolDraw, scope: str, bands: Sequence[Condition]) -> Iterator[Entry]:
    terms = campaign.terms
    people = {row.id: row for row in _people(campaign.id)}
    within = scope if pool_draw.per == "campaign" else f"{pool_draw.per}:{scope}"
    for citizen_id, history in histories.iter_histories(campaign.id, round_key_of(terms)):
        person = people.get(citizen_id)
        if person is None or not _may_take_part(person, pool_draw):
            continue
        part = _for_tracks(history.within(within), pool_draw)
        tickets = _tickets(part, pool_draw)
        band = next((number for number, band in enumerate(bands) if _meets(terms, band, part, pool_draw)), None)
        if tickets and band is not None and part.done:
            yield Entry(citizen_id, tickets=tickets, band=band)


def _people(campaign_id: uuid.UUID) -> Iterator[Row]:
    took_part = sa.select(Attempt.citizen_id).where(Attempt.campaign_id == campaign_id, Attempt.state == "graded")
    found = sa.select(Citizen.id, Citizen.demographic_group, Citizen.region_code, Citizen.age_band)
    barred = is_barred(Citizen.id.expression, sa.literal(campaign_id, sa.Uuid))
    found = found.where(Citizen.status == "active", Citizen.id.in_(took_part), ~barred)
    return iter(db.session.execute(found, execution_options={"yield_per": CHUNK}))


def _for_tracks(history: History, pool_draw: PoolDraw) -> History:
    if not pool_draw.tracks:
        return history
    return replace(history, done=tuple(item for item in history.done if not item.is_attempt or item.track in pool_draw.tracks))


def _tickets(history: History, pool_draw: PoolDraw) -> int:
    if pool_draw.tickets == "one":
        return 1
    gifts = (gift for item in history.granted for gift in item.gifts if gift.kind == "tickets" and gift.name == pool_draw.id)
    count = sum(gift.amount for gift in gifts)
    return count if pool_draw.max_tickets is None else min(count, pool_draw.max_tickets)


def _meets(terms: Terms, condition: Condition, history: History, pool_draw: PoolDraw) -> bool:
    if condition == ALWAYS:
        return pool_draw.tickets == "awards" or any(item.values.get("passed") for item in history.done)
    return is_met(terms, condition, history)


def _attempts(campaign_id: uuid.UUID, in_scope: sa.ColumnElement[bool], pool_draw: PoolDraw) -> Iterator[Row]:
    """Valid graded attempts of a scope, some thousands at a time."""
    columns = (
        Attempt.id,
        Attempt.citizen_id,
        Attempt.is_passed,
        Attempt.correct_count,
        Attempt.question_count,
        Attempt.marks,
        Attempt.score,
        Attempt.terms_id,
        Attempt.quiz_id,
        Attempt.started_at,
        Attempt.handed_in_at,
        Attempt.submitted_at,
        Citizen.demographic_group,
        Citizen.region_code,
        Citizen.age_band,
    )
    statement = (
        sa.select(*columns)
        .join(Citizen, Citizen.id == Attempt.citizen_id)
        .where(
            Attempt.campaign_id == campaign_id,
            Attempt.state == "graded",
            Attempt.excluded_at.is_(None),
            in_scope,
            Citizen.status == "active",
            ~is_barred(Citizen.id.expression, Attempt.campaign_id.expression),
        )
    )
    if pool_draw.tracks:
        statement = statement.where(Attempt.track.in_(pool_draw.tracks))
    if pool_draw.who == ALWAYS and not pool_draw.cascade:
        statement = statement.where(Attempt.is_passed.is_(True))
    return iter(db.session.execute(statement.execution_options(yield_per=CHUNK)))


def _may_take_part(row: Row, pool_draw: PoolDraw) -> bool:
    if row.demographic_group in pool_draw.excluded_groups or (pool_draw.groups and row.demographic_group not in pool_draw.groups):
        return False
    if pool_draw.regions and not (row.region_code or "").startswith(tuple(pool_draw.regions)):
        return False
    return pool_draw.allows_minors or not is_minor(row.age_band)


def _band(row: Row, bands: Sequence[Condition]) -> int | None:
    for number, condition in enumerate(bands):
        if row.is_passed if condition == ALWAYS else condition.is_met(lambda name: _value(row, name)):
            return number
    return None


def _value(row: Row, name: str) -> int | Fraction:
    """A measure of one attempt (``campaigns.terms.ATTEMPT_MEASURES``)."""
    marks, score = row.marks or "", row.correct_count if row.score is None else row.score
    ended_at = row.handed_in_at or row.submitted_at
    values: dict[str, int | Fraction] = {
        "correct": row.correct_count,
        "wrong": row.question_count - row.correct_count,
        "score": score,
        "percent": Fraction(100 * score, max(1, highest_score(campaign_queries.get_terms(row.terms_id).quiz(row.quiz_id)))),
        "all_right": int(row.correct_count == row.question_count),
        "passed": int(bool(row.is_passed)),
        "run": max((len(run) for run in marks.split("0")), default=0),
        "seconds": int((ended_at - row.started_at).total_seconds()),
    }
    return values[name]

"""Who qualifies for a pool draw: the list the lottery freezes."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from fractions import Fraction

import sqlalchemy as sa

from quizapp.accounts.models import Citizen
from quizapp.accounts.rules import is_minor
from quizapp.attempts.models import Attempt
from quizapp.campaigns import pool_plans
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import ALWAYS, ATTEMPT_MEASURES, Condition, PoolDraw
from quizapp.core.db import db
from quizapp.core.statements import Row
from quizapp.lottery.pooldraw import Entry

CHUNK = 20_000


def list_qualified(campaign: CampaignView, pool_draw: PoolDraw, scope: str) -> list[Entry]:
    """Everybody who qualifies for a draw of a scope, each once, in the band of the strictest condition they meet.

    ``who`` without conditions is everybody with a passed attempt in the scope, by the moment of the hand-in; conditions on
    the measures of an attempt are met by any one of them. Each has one ticket. Groups and minors the draw leaves out,
    places it is for, and citizens who deleted their account are seen to here.

    :raises ValueError: for a condition on anything else than one attempt
    """
    bands = (pool_draw.who, *pool_draw.cascade)
    if unknown := frozenset().union(*(band.measures for band in bands)) - set(ATTEMPT_MEASURES):
        raise ValueError(f"not a measure of one attempt: {', '.join(sorted(unknown))}")
    opens_at, closes_at = pool_plans.window_of(campaign.terms, pool_draw, scope)
    found: dict[uuid.UUID, int] = {}
    for row in _attempts(campaign.id, opens_at, closes_at, pool_draw):
        if not _may_take_part(row, pool_draw):
            continue
        band = _band(row, bands)
        if band is not None and band < found.get(row.citizen_id, len(bands)):
            found[row.citizen_id] = band
    return [Entry(citizen_id, tickets=1, band=band) for citizen_id, band in found.items()]


def _attempts(campaign_id: uuid.UUID, opens_at: dt.datetime, closes_at: dt.datetime, pool_draw: PoolDraw) -> Iterator[Row]:
    """Valid graded attempts of a window, some thousands at a time."""
    columns = (
        Attempt.id,
        Attempt.citizen_id,
        Attempt.is_passed,
        Attempt.correct_count,
        Attempt.question_count,
        Attempt.marks,
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
            Attempt.submitted_at >= opens_at,
            Attempt.submitted_at < closes_at,
            Citizen.status == "active",
        )
    )
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
    marks = row.marks or ""
    ended_at = row.handed_in_at or row.submitted_at
    values: dict[str, int | Fraction] = {
        "correct": row.correct_count,
        "wrong": row.question_count - row.correct_count,
        "score": row.correct_count,
        "percent": Fraction(100 * row.correct_count, row.question_count),
        "all_right": int(row.correct_count == row.question_count),
        "passed": int(bool(row.is_passed)),
        "run": max((len(run) for run in marks.split("0")), default=0),
        "seconds": int((ended_at - row.started_at).total_seconds()),
    }
    return values[name]

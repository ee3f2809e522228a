"""For which days, rounds or stages the terms hold a pool draw, and when each list is due."""

import datetime as dt
from collections.abc import Iterator

from quizapp.campaigns.season.rounds import rounds_of
from quizapp.campaigns.terms import PoolDraw, Stage, Terms
from quizapp.campaigns.terms.reading import plain
from quizapp.core.clock import SHANGHAI, day_end, day_start, shanghai_day
from quizapp.lottery.pool_rules import Plan, Scope

CAMPAIGN = "campaign"
"""The key of the only scope of a draw held once."""


def window_of(terms: Terms, draw: PoolDraw, scope: str) -> tuple[dt.datetime, dt.datetime]:
    """What a scope takes in, the end exclusive. Attempts count by their hand-in.

    :raises KeyError: for a scope this draw does not have
    """
    for key, opens_at, closes_at in windows(terms, draw):
        if key == scope:
            return opens_at, closes_at
    raise KeyError(scope)


def windows(terms: Terms, draw: PoolDraw) -> Iterator[tuple[str, dt.datetime, dt.datetime]]:
    """Every scope of a draw with its window, in order of time."""
    stages = _stages(terms, draw)
    if draw.per == "campaign":
        yield CAMPAIGN, terms.opens_at, terms.closes_at
    elif draw.per == "stage":
        yield from ((stage.id, stage.opens_at, stage.closes_at) for stage in stages)
    elif draw.per == "round":
        for stage in stages:
            yield from ((each.key, each.opens_at, each.closes_at) for each in rounds_of(stage))
    else:
        yield from _days(terms, draw, stages)


def _stages(terms: Terms, draw: PoolDraw) -> list[Stage]:
    found = [stage for stage in terms.stages if not draw.stages or stage.id in draw.stages]
    return sorted(found, key=lambda stage: (stage.opens_at, stage.id))


def _days(terms: Terms, draw: PoolDraw, stages: list[Stage]) -> Iterator[tuple[str, dt.datetime, dt.datetime]]:
    day, last = shanghai_day(terms.opens_at), shanghai_day(terms.closes_at - dt.timedelta(microseconds=1))
    while day <= last:
        opens_at, closes_at = max(day_start(day), terms.opens_at), min(day_end(day), terms.closes_at)
        if not draw.stages or any(stage.opens_at < closes_at and opens_at < stage.closes_at for stage in stages):
            yield day.isoformat(), opens_at, closes_at
        day += dt.timedelta(days=1)


def due_at(draw: PoolDraw, closes_at: dt.datetime) -> dt.datetime:
    """When the list of a scope that ends then is frozen: ``after_days`` after its last day, never before its end."""
    last = shanghai_day(closes_at - dt.timedelta(microseconds=1))
    hour, minute = (int(part) for part in draw.at.split(":"))
    moment = dt.datetime.combine(last + dt.timedelta(days=draw.after_days), dt.time(hour, minute), SHANGHAI)
    return max(moment.astimezone(dt.UTC), closes_at)


def plan_of(terms: Terms, draw: PoolDraw) -> Plan:
    """A pool draw as the lottery opens it."""
    return Plan(plain(draw), tuple(Scope(key, due_at(draw, closes_at)) for key, _opens_at, closes_at in windows(terms, draw)))


def plans(terms: Terms) -> list[Plan]:
    """Every pool draw of the terms."""
    return [plan_of(terms, draw) for draw in terms.draws]

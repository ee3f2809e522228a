"""Which awards something a citizen did brings, exactly: a pure function of terms, history and the moment."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from quizapp.campaigns.season.measures import Done, Granted, History, value_of
from quizapp.campaigns.terms import Award, Gift, Terms
from quizapp.core.clock import SHANGHAI, shanghai_day

CHANCE_GIFTS = frozenset({"tickets"})
"""What somebody who does not take part in draws is not given."""


@dataclass(frozen=True)
class Due:
    """A band of an award to be given now. ``first_per_day`` and ``first_total`` are left to whoever counts all people."""

    award: Award
    granted: Granted


def scope_of(award: Award, event: Done) -> str:
    """The scope of an award that an event falls into; empty where it does not concern the award."""
    if award.tracks and event.track not in award.tracks:
        return ""
    if award.stages and event.stage_id not in award.stages:
        return ""
    if event.is_attempt and award.quizzes and event.quiz not in award.quizzes:
        return ""
    if award.per == "attempt":
        return f"attempt:{event.key}" if event.is_attempt else ""
    if award.per == "action":
        return f"action:{event.key}" if event.kind == f"action:{award.action}" else ""
    keys = {"day": event.day.isoformat(), "round": event.round_key, "stage": event.stage_id, "quiz": event.quiz}
    if award.per == "campaign":
        return "campaign"
    key = keys[award.per]
    return f"{award.per}:{key}" if key else ""


def due_awards(terms: Terms, history: History, event: Done, *, may_draw: bool, now: dt.datetime) -> tuple[Due, ...]:
    """What the newest event of a history brings, award by award in the order of the terms; what an earlier one brings
    counts for the later ones.

    :param history: with ``event`` in it
    :param may_draw: whether this person takes part in draws (minors, excluded groups)
    """
    found: list[Due] = []
    for award in terms.awards:
        due = _due(terms, award, history, event, may_draw=may_draw, now=now)
        if due is not None:
            found.append(Due(award, due))
            history = replace(history, granted=(*history.granted, due))
    return tuple(found)


def _due(terms: Terms, award: Award, history: History, event: Done, *, may_draw: bool, now: dt.datetime) -> Granted | None:
    scope = scope_of(award, event)
    if not scope or _is_used_up(award, history.granted, shanghai_day(now)):
        return None
    ask = value_of(terms, history.within(scope))
    band = next((number for number, band in enumerate(award.bands) if band.when.is_met(ask)), None)
    given = [item.band for item in history.granted if item.award_id == award.id and item.scope == scope]
    if band is None or (given and band >= min(given)):
        return None
    gifts = tuple(gift for gift in award.bands[band].gifts if may_draw or gift.kind not in CHANCE_GIFTS)
    if not gifts:
        return None
    today = shanghai_day(now)
    points = min(_points(award, gifts, now), _points_left(terms, history.granted, today))
    return Granted(award.id, scope, band, now, today, gifts, points, round_key=event.round_key, stage_id=event.stage_id, quiz=event.quiz)


def _is_used_up(award: Award, granted: Sequence[Granted], today: dt.date) -> bool:
    own = [item for item in granted if item.award_id == award.id]
    if award.total is not None and len(own) >= award.total:
        return True
    return award.per_day is not None and sum(item.day == today for item in own) >= award.per_day


def _points(award: Award, gifts: Sequence[Gift], now: dt.datetime) -> int:
    amount = sum(gift.amount for gift in gifts if gift.kind == "points")
    hour = now.astimezone(SHANGHAI).hour
    return amount * award.times if award.from_hour <= hour < award.to_hour else amount


def _points_left(terms: Terms, granted: Sequence[Granted], today: dt.date) -> int:
    if terms.points_per_day is None:
        return 1_000_000_000
    return max(0, terms.points_per_day - sum(item.points for item in granted if item.day == today))

"""How often a quiz may still be begun."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quizapp.campaigns.terms import RISKY_ACTIONS, Quiz


@dataclass(frozen=True)
class Begun:
    """An attempt that was begun: where, when (Shanghai day of the start), and whether it came to nothing."""

    quiz: str
    channel: str
    round_key: str
    started_on: dt.date
    has_lapsed: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why no further try can be begun: which limit (``per_day``, ``per_round``, ``total``) and how many it allows."""

    limit: str
    count: int


def refuse_try(
    quiz: Quiz,
    begun: Sequence[Begun],
    *,
    channel: str,
    round_key: str,
    today: dt.date,
    actions: Mapping[str, Sequence[dt.date]],
) -> Refusal | None:
    """Say why one more attempt of this quiz cannot be begun today, or None.

    :param begun: this citizen's attempts of the campaign
    :param actions: the Shanghai days of this citizen's actions by kind, which may earn further tries
    """
    tries = quiz.tries
    own = [
        item
        for item in begun
        if item.quiz == quiz.id and (not tries.per_channel or item.channel == channel) and (tries.counts_abandoned or not item.has_lapsed)
    ]
    today_count = sum(item.started_on == today for item in own)
    limits = (
        ("total", tries.total, len(own), _extra(quiz, actions, None)),
        ("per_round", tries.per_round, sum(item.round_key == round_key for item in own), _extra(quiz, actions, None)),
        ("per_day", tries.per_day, today_count, _extra(quiz, actions, today)),
    )
    for name, limit, used, extra in limits:
        if limit is not None and used >= limit + extra:
            return Refusal(name, limit + extra)
    return None


def _extra(quiz: Quiz, actions: Mapping[str, Sequence[dt.date]], day: dt.date | None) -> int:
    """Further tries earned on one day, or in all."""
    total = 0
    for extra in quiz.tries.extra:
        if extra.action in RISKY_ACTIONS and not extra.is_confirmed:
            continue
        by_day: dict[dt.date, int] = {}
        for on in actions.get(extra.action, ()):
            by_day[on] = by_day.get(on, 0) + extra.tries
        capped = {on: count if extra.per_day is None else min(count, extra.per_day) for on, count in by_day.items()}
        earned = sum(capped.values()) if day is None else capped.get(day, 0)
        total += earned if extra.total is None else min(earned, extra.total)
    return total

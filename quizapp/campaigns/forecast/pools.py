"""Pool draws: how many qualify under a curve, and what is drawn among them. And what is given by place and from stock."""

import datetime as dt
from collections.abc import Sequence
from math import sqrt

from quizapp.campaigns.forecast.chances import STANDARD, Range, Visits, below, limited
from quizapp.campaigns.forecast.figures import PoolForecast
from quizapp.campaigns.forecast.model import is_passed, tries_of_one, value_of
from quizapp.campaigns.forecast.turnout import Slot, Turnout, counts_right, most_attempts
from quizapp.campaigns.terms import Condition, Measure, PoolDraw, Terms
from quizapp.core.clock import SHANGHAI, shanghai_day

Scope = tuple[dt.datetime, dt.datetime]


def scopes(terms: Terms, draw: PoolDraw) -> list[Scope]:
    """The windows a draw is held for: the campaign, its stages, their rounds, or its days."""
    if draw.per == "campaign":
        return [(terms.opens_at, terms.closes_at)]
    stages = [stage for stage in terms.stages if not draw.stages or stage.id in draw.stages]
    if draw.per == "stage":
        return [(stage.opens_at, stage.closes_at) for stage in stages]
    windows: Sequence[tuple[Scope, str]]
    if draw.per == "day" or not stages:
        windows = [((terms.opens_at, terms.closes_at), "day" if draw.per == "day" else "campaign")]
    else:
        windows = [((stage.opens_at, stage.closes_at), stage.rounds.every if stage.rounds else "campaign") for stage in stages]
    return [piece for window, every in windows for piece in _cut(window, every)]


def _cut(window: Scope, every: str) -> list[Scope]:
    """A window cut at midnights, Mondays or firsts of the month, Shanghai's."""
    opens, closes = (moment.astimezone(SHANGHAI) for moment in window)
    if every == "campaign":
        return [window]
    pieces, start = [], opens
    day = opens.date() + dt.timedelta(days=1)
    while start < closes:
        while not (every == "day" or (every == "week" and day.weekday() == 0) or (every == "month" and day.day == 1)):
            day += dt.timedelta(days=1)
        end = min(closes, dt.datetime.combine(day, dt.time(), SHANGHAI))
        pieces.append((start, end))
        start, day = end, day + dt.timedelta(days=1)
    return pieces


def forecast_pool(terms: Terms, draw: PoolDraw, turnout: Turnout, slots: Sequence[Slot]) -> PoolForecast:
    """How one pool draw goes, over all its scopes."""
    people = turnout.people * turnout.drawing
    windows = scopes(terms, draw)
    qualified = winners = variance = fen = fen_variance = 0.0
    quantity = 0
    for window in windows:
        chance = _qualifies(terms, draw.who, turnout, [slot for slot in slots if window[0] <= slot.starts_at < window[1]])
        mean, spread = people * chance, people * chance * (1 - chance)
        qualified += mean
        left_mean = mean
        for tier in draw.tiers:
            places = tier.quantity if tier.ratio_ppm is None else round(mean * tier.ratio_ppm / 1_000_000)
            out = limited(max(0.0, left_mean), spread, places)
            quantity += places
            winners, variance = winners + out.mean, variance + out.variance
            fen, fen_variance = fen + out.mean * tier.value_fen, fen_variance + out.variance * tier.value_fen**2
            left_mean -= out.mean if draw.one_win else 0.0
    count = len(windows)
    each = qualified / count if count else 0.0
    width = STANDARD.inv_cdf(0.95)
    return PoolForecast(
        id=draw.id,
        title=draw.title,
        times=count,
        qualified=_range(each, sqrt(max(0.0, each * (1 - min(1.0, each / people)))) if people else 0.0),
        winners=_range(winners, sqrt(variance), quantity),
        quantity=quantity,
        net_fen=Range(fen, max(0.0, fen - width * sqrt(fen_variance)), fen + width * sqrt(fen_variance)),
        chance=min(1.0, winners / qualified) if qualified else 0.0,
    )


def _range(mean: float, deviation: float, most: float | None = None) -> Range:
    width = STANDARD.inv_cdf(0.95) * deviation
    return Range(mean, max(0.0, mean - width), mean + width if most is None else min(float(most), mean + width))


# ---- who qualifies


def _qualifies(terms: Terms, who: Condition, turnout: Turnout, slots: Sequence[Slot]) -> float:
    """The chance that somebody who takes part meets a condition within these hours. Parts of it count as independent
    unless they look at one attempt together."""
    share = sum(slot.share for slot in slots)
    visits = Visits(turnout.again, most_attempts(terms))
    came = 1 - visits.compound([1 - share])[0]
    if not who.measures:
        return came
    declared = {measure.id: measure for measure in terms.measures}
    return min(came, _chance(terms, who, turnout, slots, visits, declared))


def _chance(terms: Terms, who: Condition, turnout: Turnout, slots: Sequence[Slot], visits: Visits, declared: dict[str, Measure]) -> float:
    if not who.measures & set(declared):
        return _one_attempt(terms, who, turnout, slots, visits)
    chance = 1.0
    if who.measure:
        chance *= _counted(terms, who, declared[who.measure], turnout, slots, visits)
    for part in who.all:
        chance *= _chance(terms, part, turnout, slots, visits, declared)
    if who.any:
        missed = 1.0
        for part in who.any:
            missed *= 1 - _chance(terms, part, turnout, slots, visits, declared)
        chance *= 1 - missed
    if who.of:
        parts = [_chance(terms, part, turnout, slots, visits, declared) for part in who.of]
        chance *= _at_least(parts, who.some)
    return chance


def _at_least(chances: Sequence[float], count: int) -> float:
    row = [1.0]
    for chance in chances:
        row = [
            (row[place] if place < len(row) else 0.0) * (1 - chance) + (row[place - 1] * chance if place else 0.0)
            for place in range(len(row) + 1)
        ]
    return sum(row[count:])


def _meeting(terms: Terms, where: Condition, turnout: Turnout) -> list[float]:
    """Per class of skill: the chance that one attempt meets a condition."""
    quiz = terms.main

    def is_met(right: int) -> bool:
        return where.is_met(lambda name: int(is_passed(quiz, right)) if name == "passed" else value_of(quiz, right, name))

    met = [is_met(right) for right in range(quiz.question_count + 1)]
    rows = counts_right(turnout, quiz.question_count)
    return [sum(chance for chance, is_good in zip(row, met, strict=False) if is_good) for row in rows]


def _one_attempt(terms: Terms, who: Condition, turnout: Turnout, slots: Sequence[Slot], visits: Visits) -> float:
    share = sum(slot.share for slot in slots)
    chances = _meeting(terms, who, turnout)
    return sum(1 - visits.compound([1 - share * chance])[0] for chance in chances) / len(chances)


def _counted(terms: Terms, who: Condition, measure: Measure, turnout: Turnout, slots: Sequence[Slot], visits: Visits) -> float:
    """A number counted over attempts: of good attempts, or of days with one. Others count as reached by all who come."""
    if measure.of != "attempts" or measure.value != "one" or who.at_least is None:
        return 1.0
    needed = max(0, who.at_least)
    chances = _meeting(terms, measure.where, turnout)
    shares = _shares(measure, slots)
    found = 0.0
    for chance in chances:
        if measure.within:
            found += _days_reached([1 - visits.compound([1 - share * chance])[0] for share in shares], needed)
        else:
            share = sum(shares)
            row = visits.compound([1 - share * chance, share * chance, *([0.0] * max(0, needed - 2))][: max(1, needed)])
            found += 1 - sum(row) if needed else 1.0
    return found / len(chances)


def _shares(measure: Measure, slots: Sequence[Slot]) -> list[float]:
    found: dict[object, float] = {}
    for slot in slots:
        key = shanghai_day(slot.starts_at) if measure.within in ("day", "round") else None
        found[key] = found.get(key, 0.0) + slot.share
    return list(found.values())


def _days_reached(chances: Sequence[float], needed: int) -> float:
    """At least ``needed`` good days, days being near independent: exact for few, by the normal curve for many."""
    if len(chances) <= 60:
        return _at_least(chances, needed)
    mean = sum(chances)
    return 1 - below((needed - 0.5 - mean) / sqrt(sum(chance * (1 - chance) for chance in chances) or 1e-9))


def good_people(terms: Terms, turnout: Turnout, slots: Sequence[Slot]) -> float:
    """Passed attempts of one person on average."""
    quiz = terms.main
    chances = [sum(c for right, c in enumerate(row) if is_passed(quiz, right)) for row in counts_right(turnout, quiz.question_count)]
    return tries_of_one(terms, Visits(turnout.again, most_attempts(terms)), slots) * sum(chances) / len(chances)


def others_fen(terms: Terms) -> int:
    """Prizes by place and prizes that awards give, if all of them go out."""
    by_place = sum(tier.quantity * tier.value_fen for prize in terms.rank_prizes for tier in prize.tiers)
    return by_place + sum(prize.quantity * prize.value_fen for prize in terms.prizes)

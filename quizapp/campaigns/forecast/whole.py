"""From terms and an expected turnout to the whole forecast."""

from collections.abc import Sequence
from math import sqrt

from quizapp.campaigns.forecast import pools, spend
from quizapp.campaigns.forecast.chances import Z90, Range, Visits
from quizapp.campaigns.forecast.figures import DayOut, Forecast, HourForecast, TierForecast
from quizapp.campaigns.forecast.model import PPM, Season, play, tries_of_one
from quizapp.campaigns.forecast.stock import Stock, moment_of
from quizapp.campaigns.forecast.turnout import Slot, Turnout, most_attempts, slots
from quizapp.campaigns.terms import Terms
from quizapp.core.text import N_

NEVER = (None, None, None)
LEFT_OUT = {
    "quizzes": N_("几份卷子的活动，按第一份卷子测算。"),
    "region_quotas": N_("按地区的中奖名额没有算进去。"),
    "awards": N_("奖励发的抽奖机会没有算进去。"),
    "measures": N_("按次数、天数以外的条件，当作来过的人都达到。"),
}


def forecast(terms: Terms, turnout: Turnout) -> Forecast:
    """What a campaign under these terms comes to if people come as stated. Nothing is drawn: the figures are expectations,
    the ranges hold nine seasons out of ten that follow the curve."""
    when = slots(turnout, terms.opens_at, terms.closes_at)
    season = play(terms, terms.draw, turnout, when) if terms.draw is not None else None
    pool_rows = tuple(pools.forecast_pool(terms, draw, turnout, when) for draw in terms.draws)
    attempts = _attempts(terms, turnout, when, season)
    instant = spend.total(season.stocks, _over(season), season.people) if season else Range(0.0, 0.0, 0.0)
    others = pools.others_fen(terms)
    net = _sum([instant, *(row.net_fen for row in pool_rows)], others)
    host_bears = terms.draw is None or terms.draw.tax_bearer == "host"
    draws = _draws(season) if season else Range(0.0, 0.0, 0.0)
    tiers = tuple(_tier(season, stock) for stock in season.stocks) if season else ()
    passed = turnout.people * pools.good_people(terms, turnout, when)
    return Forecast(
        people=turnout.people,
        attempts=attempts,
        passed=_counted(passed, attempts),
        draws=draws,
        odds_ppm=sum(prize.odds_ppm for prize in terms.draw.prizes) if terms.draw else 0,
        win_rate=sum(season.wins) / draws.mean if season and draws.mean else 0.0,
        person_win_rate=1 - season.crowd.won.none if season else 0.0,
        tiers=tiers,
        hours=_hours(season) if season else (),
        pools=pool_rows,
        others_fen=others,
        net_fen=net,
        gross_fen=Range(*(float(spend.with_tax(value)) for value in (net.mean, net.low, net.high))) if host_bears else net,
        cap_fen=_cap(terms, host_bears),
        draws_needed=_most(tiers),
        left_out=_left_out(terms),
    )


def _attempts(terms: Terms, turnout: Turnout, when: Sequence[Slot], season: Season | None) -> Range:
    visits = Visits(turnout.again, most_attempts(terms))
    visits = visits.with_mean(tries_of_one(terms, visits, when))
    mean = sum(season.attempts) if season else turnout.people * visits.mean
    one = visits.pairs + visits.mean - visits.mean**2
    return _around(mean, sqrt(turnout.people * max(0.0, one)))


def _around(mean: float, deviation: float) -> Range:
    return Range(mean, max(0.0, mean - Z90 * deviation), mean + Z90 * deviation)


def _counted(mean: float, attempts: Range) -> Range:
    """A part of the attempts: the spread of the whole, thinned, and its own chance."""
    share = mean / attempts.mean if attempts.mean else 0.0
    whole = (attempts.high - attempts.mean) / Z90
    return _around(mean, sqrt(max(0.0, mean * (1 - share) + (share * whole) ** 2)))


def _over(season: Season) -> float:
    won = season.crowd.won
    return won.pairs / won.mean**2 - 1 if won.mean > 1e-9 else 0.0


def _draws(season: Season) -> Range:
    crowd, mean = season.crowd, sum(season.tickets)
    one = season.people
    second = sum(sum(count * count * chance for count, chance in enumerate(row)) for row in crowd.tickets) / len(crowd.tickets)
    square = sum(value * value for value in crowd.mean_tickets) / len(crowd.mean_tickets)
    average = sum(crowd.mean_tickets) / len(crowd.mean_tickets)
    kept = mean / (one * crowd.kept.mean * average) if average else 1.0
    variance = crowd.kept.mean * second + crowd.kept.pairs * square - (crowd.kept.mean * average) ** 2
    return _around(mean, kept * sqrt(one * max(0.0, variance)))


def _tier(season: Season, stock: Stock) -> TierForecast:
    state, prize, drawn = stock.state, stock.prize, sum(season.tickets)
    chances = [past.full for past in stock.history]
    odds = prize.odds_ppm / PPM
    return TierForecast(
        name=prize.name,
        tier=prize.tier,
        quantity=prize.quantity,
        wins=Range(state.given, stock.quantile(0.05), stock.quantile(0.95)),
        per_draw=state.given / drawn if drawn else 0.0,
        per_person=_per_person(season, stock),
        out_chance=state.full,
        out_at=(moment_of(season.slots, chances, 0.5), moment_of(season.slots, chances, 0.05), moment_of(season.slots, chances, 0.95)),
        days_out=tuple(_days_out(season, stock)),
        draws_needed=_needed(prize.quantity, odds * _kept(season, stock)) if odds else None,
    )


def _kept(season: Season, stock: Stock) -> float:
    """The share of hits that caps per person leave."""
    asked = sum(season.tickets) * stock.prize.odds_ppm / PPM
    return min(1.0, stock.state.demand / asked) if asked else 1.0


def _needed(quantity: int, chance: float) -> Range | None:
    if chance <= 0:
        return None
    return _around(quantity / chance, sqrt(quantity * (1 - min(1.0, chance))) / chance)


def _most(tiers: Sequence[TierForecast]) -> Range | None:
    needed = [tier.draws_needed for tier in tiers if tier.draws_needed is not None]
    return max(needed, key=lambda row: row.mean) if needed else None


def _per_person(season: Season, stock: Stock) -> float:
    """The chance that somebody who may draw wins this prize at least once."""
    won = season.crowd.won.mean
    mean = stock.state.given / season.people
    if not won or not mean:
        return 0.0
    share = min(1.0, mean / won)
    rows = [[max(0.0, 1 - share * sum(row[1:]))] for row in season.crowd.hits]
    hit = 1 - sum(season.crowd.kept.compound(row)[0] for row in rows) / len(rows)
    return min(hit, mean)


def _days_out(season: Season, stock: Stock) -> list[DayOut]:
    """Days on which somebody is expected to find the prize gone."""
    found: list[DayOut] = []
    day_first: dict[int, int] = {}
    for place, slot in enumerate(season.slots):
        day_first.setdefault(slot.day, place)
    for day, first in day_first.items():
        places = [place for place in range(first, len(season.slots)) if season.slots[place].day == day]
        before = stock.history[first - 1] if first else None
        last = stock.history[places[-1]]
        asked = last.demand - (before.demand if before else 0.0)
        given = last.given - (before.given if before else 0.0)
        if asked < 0.5 or given > 0.97 * asked:
            continue
        chances = [max(stock.history[place].full, stock.history[place].day_full) for place in places]
        at = moment_of([season.slots[place] for place in places], chances, 0.5)
        found.append(DayOut(day + 1, at, round(100 * (1 - given / asked))))
    return found


def _hours(season: Season) -> tuple[HourForecast, ...]:
    tickets, wins = [0.0] * 24, [0.0] * 24
    for slot, drawn, won in zip(season.slots, season.tickets, season.wins, strict=True):
        tickets[slot.hour] += drawn
        wins[slot.hour] += won
    return tuple(HourForecast(hour, tickets[hour], wins[hour] / tickets[hour]) for hour in range(24) if tickets[hour] > 0)


def _sum(parts: Sequence[Range], others: int) -> Range:
    """Independent sums of money, and what is spent in any case."""
    mean = sum(part.mean for part in parts)
    low = sqrt(sum((part.mean - part.low) ** 2 for part in parts))
    high = sqrt(sum((part.high - part.mean) ** 2 for part in parts))
    return Range(mean + others, mean + others - low, mean + others + high)


def _cap(terms: Terms, host_bears: bool) -> int:
    net = pools.others_fen(terms)
    if terms.draw is not None:
        net += sum(
            prize.budget_fen if prize.max_fen and prize.budget_fen else prize.quantity * prize.value_fen for prize in terms.draw.prizes
        )
    for draw in terms.draws:
        net += len(pools.scopes(terms, draw)) * sum(tier.quantity * tier.value_fen for tier in draw.tiers)
    return spend.with_tax(net) if host_bears else net


def _left_out(terms: Terms) -> tuple[str, ...]:
    found = []
    if len(terms.quizzes) > 1:
        found.append("quizzes")
    if terms.draw is not None and terms.draw.region_quotas:
        found.append("region_quotas")
    if any(gift.kind == "tickets" for award in terms.awards for band in award.bands for gift in band.gifts):
        found.append("awards")
    if any(measure.of != "attempts" or measure.value != "one" for measure in terms.measures) and terms.draws:
        found.append("measures")
    return tuple(LEFT_OUT[name] for name in found)

"""Chance as it should be: a million draws against their odds, stock over the day, amounts within a budget. Secrets are fixed."""

import math
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.lottery import proof, rules
from tests.lottery.scribe import FIRST_DAY, moment

SECRET = bytes(range(32))
POOL = "01a20438-2266-7f88-a204-868b44166f6d"
HOURS = range(6, 23)


def _p_value(square: float, freedom: int) -> float:
    """Wilson and Hilferty's approximation of the chance of a chi-square this large."""
    z = ((square / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    return math.erfc(z / math.sqrt(2)) / 2


def _chi_square(counts: dict[object, int], expected: dict[object, float]) -> float:
    return sum((counts.get(cell, 0) - want) ** 2 / want for cell, want in expected.items())


def test_a_million_draws_fit_the_odds_of_every_tier_in_every_hour() -> None:
    odds, draws = [1_000, 20_000, 10_000, 200_000], 1_000_000
    counts: Counter[object] = Counter()
    for serial in range(1, draws + 1):
        tier = proof.tier_at(odds, proof.position(SECRET, POOL, serial * 30 // (draws + 1), serial, f"{serial * 7919:x}"))
        counts[serial * len(HOURS) // (draws + 1), tier] += 1
    shares: dict[int | None, float] = dict(enumerate(share / proof.PPM for share in odds))
    shares[None] = 1 - sum(shares.values())
    of_tier = {tier: draws * share for tier, share in shares.items()}
    by_tier = Counter({tier: sum(counts[hour, tier] for hour in range(len(HOURS))) for tier in shares})
    assert _p_value(_chi_square(dict(by_tier), dict(of_tier)), len(shares) - 1) > 1e-4
    cells: dict[object, float] = {(hour, tier): want / len(HOURS) for tier, want in of_tier.items() for hour in range(len(HOURS))}
    assert _p_value(_chi_square(dict(counts), cells), (len(shares) - 1) * len(HOURS)) > 1e-4


def test_the_p_value_of_this_file_is_one() -> None:
    """Against known quantiles of chi-square: 5 % and 0.01 % at four and at fifty degrees of freedom."""
    for square, freedom, chance in ((9.488, 4, 0.05), (23.513, 4, 1e-4), (67.505, 50, 0.05), (93.17, 50, 2e-4)):
        assert _p_value(square, freedom) == pytest.approx(chance, rel=0.35)


# ---- stock over the day


def _rules(quantity: int, odds: int, release: str, days: int = 1, **hours: int) -> proof.Rules:
    prize = {"name": "奖", "kind": "pickup", "quantity": quantity, "odds_ppm": odds, "release": release}
    draw = {"prizes": [prize], "wins_total": None, "wins_per_day": None, "ticket_hours": 24, "claim_days": 7, **hours}
    known = [FIRST_DAY + timedelta(days=number) for number in range(days)]
    manifest = rules.manifest(
        pool_id=UUID(POOL), campaign_id=UUID(POOL), terms_hash="", draw=draw, days=known, commitments=["ab" * 32] * days, now=moment(0, -1)
    )
    return proof.read_manifest(manifest)


def _win_rates(by: proof.Rules, turnout: dict[int, int]) -> list[float]:
    """Wins per draw in each hour, drawing evenly within the hour."""
    won = serial = 0
    rates = []
    for hour, draws in turnout.items():
        before = won
        for turn in range(draws):
            serial += 1
            at = proof.milliseconds(proof.moment_text(moment(0, hour + turn / draws)))
            tier = proof.tier_at(by.odds, proof.position(SECRET, POOL, 0, serial, ""))
            if tier is None:
                continue
            released = proof.released_count(by, 0, at, SECRET) if by.prizes[0].is_paced else None
            standing = proof.Standing(won, 0, 0, released)
            won += proof.settle(by, tier, standing_of=lambda _, now=standing: now, wins_total=0, wins_today=0)[0] == "won"  # type: ignore[misc]
        rates.append((won - before) / draws)
    return rates


def test_evening_and_morning_meet_the_same_chance_where_stock_is_short() -> None:
    """Stock for 17 of 50 who would win. Without pacing the day is over by noon."""
    turnout = dict.fromkeys(HOURS, 2000)
    paced = _win_rates(_rules(5780, 500_000, "paced"), turnout)
    mean = sum(paced) / len(paced)
    assert mean == pytest.approx(0.17, abs=0.001)
    assert max(abs(rate - mean) for rate in paced) < 0.1 * mean
    at_once = _win_rates(_rules(5780, 500_000, "all"), turnout)
    assert at_once[0] > 0.45
    assert at_once[-8:] == [0.0] * 8


def test_an_evening_crowd_meets_the_same_chance_where_the_morning_left_enough() -> None:
    turnout = {hour: 3000 if hour < 18 else 15_000 for hour in HOURS}
    rates = _win_rates(_rules(60_000, 500_000, "paced"), turnout)
    mean = sum(rates) / len(rates)
    assert max(abs(rate - mean) for rate in rates) < 0.1 * mean


@settings(deadline=None)
@given(
    quantity=st.integers(0, 300),
    days=st.integers(1, 3),
    hours=st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] < pair[1]),
    minutes=st.lists(st.integers(-60, 4 * 24 * 60), min_size=1, max_size=20),
    secret=st.binary(min_size=32, max_size=32),
)
def test_counting_what_is_out_is_the_same_as_looking_at_every_unit(
    quantity: int, days: int, hours: tuple[int, int], minutes: list[int], secret: bytes
) -> None:
    by = _rules(quantity, 1, "paced", days, paced_from_hour=hours[0], paced_to_hour=hours[1])
    counts = []
    for minute in sorted(minutes):
        at = proof.milliseconds(proof.moment_text(moment(0, minute / 60)))
        each = [
            proof.is_unit_released(secret, by, 0, place, unit, at)
            for place, window in enumerate(by.windows)
            for unit in range(proof.units_of(by, 0, window))
        ]
        assert len(each) == quantity
        counts.append(proof.released_count(by, 0, at, secret))
        assert counts[-1] == sum(each)
    assert counts == sorted(counts)
    assert proof.released_count(by, 0, by.windows[-1].ends, None) == quantity
    assert proof.released_count(by, 0, by.windows[0].starts - 1, None) == 0


def test_each_unit_keeps_to_its_slice_and_nobody_can_tell_when_within_it() -> None:
    by = _rules(170, 1, "paced")
    [window] = by.windows
    length = (window.ends - window.starts) // 170
    places = []
    for unit in range(170):
        low, high = window.starts + unit * length, window.starts + (unit + 1) * length
        assert not proof.is_unit_released(SECRET, by, 0, 0, unit, low - 1)
        assert proof.is_unit_released(SECRET, by, 0, 0, unit, high)
        places.append(next(part for part in range(11) if proof.is_unit_released(SECRET, by, 0, 0, unit, low + part * length // 10)))
    assert _chi_square(dict(Counter(places)), dict.fromkeys(range(1, 11), 17.0)) < 35


# ---- amounts within a budget


@settings(deadline=None)
@given(
    quantity=st.integers(1, 60),
    low=st.integers(0, 500),
    width=st.integers(0, 900),
    share=st.fractions(0, 1),
    secret=st.binary(min_size=32, max_size=32),
)
def test_amounts_stay_within_bounds_and_come_to_the_budget(quantity: int, low: int, width: int, share: object, secret: bytes) -> None:
    budget = quantity * low + int(quantity * width * share)  # type: ignore[operator]
    prize = proof.PrizeRule(1, quantity, low, max_fen=low + width, budget_fen=budget)
    spent = 0
    for won in range(quantity):
        bounds = proof.amount_bounds(prize, won, spent)
        assert low <= bounds[0] <= bounds[1] <= low + width
        spent += proof.amount_of(secret, POOL, 0, won + 1, "", bounds)
    assert spent == budget


@settings(deadline=None)
@given(st.data())
def test_amounts_come_to_the_budget_though_some_come_back(data: st.DataObject) -> None:
    prize = proof.PrizeRule(1, 12, 30, max_fen=500, budget_fen=1234)
    out: list[int] = []
    for serial in range(1, 40):
        if out and data.draw(st.booleans()):
            out.pop(data.draw(st.integers(0, len(out) - 1)))
        elif len(out) < 12:
            low, high = proof.amount_bounds(prize, len(out), sum(out))
            assert 30 <= low <= high <= 500
            out.append(proof.amount_of(SECRET, POOL, 0, serial, "", (low, high)))
    while len(out) < 12:
        out.append(proof.amount_of(SECRET, POOL, 0, 99 + len(out), "", proof.amount_bounds(prize, len(out), sum(out))))
    assert sum(out) == 1234


def test_early_and_late_winners_can_expect_the_same() -> None:
    """Four thousand pools of ten: the mean of every turn within four standard errors of a tenth of the budget."""
    prize, runs = proof.PrizeRule(1, 10, 100, max_fen=1000, budget_fen=3500), 4000
    totals, squares = [0] * 10, [0] * 10
    for run in range(runs):
        spent = 0
        for won in range(10):
            amount = proof.amount_of(SECRET, POOL, run, won + 1, "", proof.amount_bounds(prize, won, spent))
            spent += amount
            totals[won] += amount
            squares[won] += amount * amount
    for total, square in zip(totals, squares, strict=True):
        mean = total / runs
        error = math.sqrt((square / runs - mean * mean) / runs)
        assert abs(mean - 350) < 4 * error + 0.5

"""The forecast against hand sums and against seasons played with dice by a program that shares nothing with it."""

import datetime as dt
import re
import statistics
from collections.abc import Mapping
from dataclasses import replace
from math import comb
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.forecast_reference import Game, random_rules
from quizapp.campaigns import forecast as package
from quizapp.campaigns.checks import problems
from quizapp.campaigns.forecast import Turnout, estimate, forecast
from quizapp.campaigns.forecast.chances import Visits, limited, personal
from quizapp.campaigns.forecast.turnout import slots
from quizapp.campaigns.terms import (
    Condition,
    DrawTerms,
    Measure,
    Paper,
    PaperPart,
    PoolDraw,
    PoolTier,
    PrizeTerms,
    Terms,
    Tries,
    plain_terms,
)
from quizapp.campaigns.terms import from_dict as read_terms

OPENS = dt.datetime(2027, 3, 1, 1, tzinfo=dt.UTC)


def terms_with(draw: DrawTerms | None, *, days: int = 10, tries: Tries = Tries(per_day=None), **more: Any) -> Terms:  # noqa: B008 - frozen
    return plain_terms(
        opens_at=OPENS,
        closes_at=OPENS + dt.timedelta(days=days, hours=-9),
        paper=Paper(parts=(PaperPart(banks=("clean-world",), count=5),)),
        pass_count=4,
        tries=tries,
        draw=draw,
        **more,
    )


def cash(quantity: int, odds: int, **more: Any) -> PrizeTerms:
    return PrizeTerms(name="现金", kind="cash", quantity=quantity, odds_ppm=odds, value_fen=500, **more)


SURE = Turnout(people=10_000, attempts=1.0, right=0.8, spread=0.0)
PASS = 5 * 0.8**4 * 0.2 + 0.8**5


def test_without_caps_everything_is_the_plain_product() -> None:
    found = forecast(terms_with(DrawTerms(prizes=(cash(100_000, 50_000),), wins_total=None)), SURE)
    assert found.draws.mean == pytest.approx(10_000 * PASS, rel=1e-6)
    assert found.tiers[0].wins.mean == pytest.approx(10_000 * PASS * 0.05, rel=1e-6)
    assert found.net_fen.mean == pytest.approx(10_000 * PASS * 0.05 * 500, rel=1e-6)
    assert found.gross_fen.mean == pytest.approx(found.net_fen.mean / 0.8, rel=1e-6)
    assert found.win_rate == pytest.approx(0.05)
    assert found.tiers[0].out_at == (None, None, None)
    assert found.odds_ppm == 50_000


def test_the_winner_who_bears_the_tax_costs_the_host_the_face_value() -> None:
    found = forecast(terms_with(DrawTerms(prizes=(cash(100, 500_000),), tax_bearer="winner")), SURE)
    assert found.gross_fen.mean == pytest.approx(50_000)
    assert found.cap_fen == 50_000


def test_scarce_stock_is_given_out_whole_and_its_end_is_told() -> None:
    found = forecast(terms_with(DrawTerms(prizes=(cash(100, 50_000),))), SURE)
    tier = found.tiers[0]
    assert (tier.wins.mean, tier.wins.low, tier.wins.high) == pytest.approx((100, 100, 100), abs=0.01)
    expected, earliest, latest = tier.out_at
    assert earliest is not None
    assert expected is not None
    assert latest is not None
    assert OPENS < earliest < expected < latest < OPENS + dt.timedelta(days=10)
    assert tier.draws_needed is not None
    assert tier.draws_needed.mean == pytest.approx(2000, rel=1e-3)
    assert tier.is_short


def test_one_win_per_person_is_the_chance_of_at_least_one_hit() -> None:
    """Three tries exactly are the chance 1 - (1 - pass × odds)³ for each person."""
    turnout = replace(SURE, attempts=1000.0)
    terms = terms_with(DrawTerms(prizes=(cash(10**6, 300_000),), wins_total=1), tries=Tries(per_day=None, total=3))
    found = forecast(terms, turnout)
    assert found.attempts.mean == pytest.approx(30_000, rel=0.01)
    assert found.tiers[0].wins.mean == pytest.approx(10_000 * (1 - (1 - PASS * 0.3) ** 3), rel=0.01)
    assert found.person_win_rate == pytest.approx(1 - (1 - PASS * 0.3) ** 3, rel=0.01)


def test_tries_a_day_cut_attempts() -> None:
    """One day, one try: whoever wants more answers once."""
    found = forecast(terms_with(DrawTerms(prizes=(cash(10, 1000),)), days=1, tries=Tries(per_day=1)), replace(SURE, attempts=3.0))
    assert found.attempts.mean == pytest.approx(10_000, rel=1e-3)


def test_a_fallback_takes_what_the_others_lack() -> None:
    prizes = (cash(50, 200_000), PrizeTerms(name="积分", kind="points", quantity=100_000, odds_ppm=0, points=5))
    found = forecast(terms_with(DrawTerms(prizes=prizes, wins_total=None, fallback="积分")), SURE)
    assert found.tiers[1].wins.mean == pytest.approx(10_000 * PASS * 0.2 - 50, rel=0.01)
    assert found.win_rate == pytest.approx(0.2, rel=0.01)


def test_a_quota_of_the_day_names_the_days_on_which_it_is_used_up() -> None:
    found = forecast(terms_with(DrawTerms(prizes=(cash(10_000, 100_000, per_day=20),))), replace(SURE, shape="even"))
    tier = found.tiers[0]
    assert tier.wins.mean == pytest.approx(200, abs=1)
    assert [day.day for day in tier.days_out] == list(range(1, 11))
    assert all(day.at is not None and 50 < day.missed_percent < 90 for day in tier.days_out)


def test_paced_stock_lasts_into_the_last_evening() -> None:
    draw = DrawTerms(prizes=(cash(300, 100_000, release="paced"),), wins_total=None)
    at_once = DrawTerms(prizes=(cash(300, 100_000),), wins_total=None)
    turnout = replace(SURE, shape="even")
    paced, all_ = forecast(terms_with(draw), turnout), forecast(terms_with(at_once), turnout)
    assert paced.tiers[0].wins.mean == pytest.approx(300, rel=0.02)
    assert all_.tiers[0].out_at[0] < OPENS + dt.timedelta(days=6)  # type: ignore[operator]
    assert paced.tiers[0].out_at[0] is None or paced.tiers[0].out_at[0] > OPENS + dt.timedelta(days=9)
    late = {hour.hour: hour.win_rate for hour in paced.hours}
    assert late[22] > 0.01


def test_random_amounts_spend_their_budget() -> None:
    prize = cash(1000, 900_000, max_fen=2000, budget_fen=1_000_000)
    found = forecast(terms_with(DrawTerms(prizes=(prize,), wins_total=None)), SURE)
    assert found.net_fen.mean == pytest.approx(1_000_000)
    assert found.cap_fen == 1_250_000


def test_pool_draws_know_how_many_qualify() -> None:
    days = Measure(id="good_days", where=Condition(measure="all_right", at_least=1), within="day", inner="any", outer="sum")
    weekly = PoolDraw(id="w", title="每周抽奖", tiers=(PoolTier(name="话费", kind="code", quantity=5, value_fen=1000),), per="day")
    twice = PoolDraw(
        id="f",
        title="终场抽奖",
        tiers=(PoolTier(name="平板", kind="pickup", quantity=3, value_fen=100_000),),
        who=Condition(measure="good_days", at_least=2),
    )
    turnout = replace(SURE, people=1000, attempts=4.0, shape="even")
    found = forecast(terms_with(None, measures=(days,), draws=(weekly, twice)), turnout)
    daily, last = found.pools
    assert (daily.times, daily.quantity) == (10, 50)
    assert daily.winners.mean == pytest.approx(50, abs=0.1)
    assert found.cap_fen == (50 * 1000 + 3 * 100_000) * 100 // 80
    assert 0 < last.qualified.mean < 1000 * 0.6
    assert last.chance == pytest.approx(3 / last.qualified.mean, rel=0.02)


# ---- the small mathematics


@settings(max_examples=200, deadline=None)
@given(st.floats(0.1, 5000), st.integers(1, 3000))
def test_a_cut_count_is_never_above_its_cap_or_its_mean(mean: float, cap: int) -> None:
    cut = limited(mean, mean, cap)
    assert 0 <= cut.mean <= min(mean, cap) + 1e-6
    assert 0 <= cut.variance <= mean + 1e-6
    assert 0 <= cut.full <= 1


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 0.9), st.integers(1, 12), st.floats(0, 1), st.integers(1, 5))
def test_personal_caps_equal_a_sum_over_all_numbers_of_attempts(again: float, most: int, chance: float, cap: int) -> None:
    visits = Visits(again, most)
    counts = [again ** (n - 1) * (1 - again) if n < most else again ** (most - 1) for n in range(1, most + 1)]
    expected = sum(
        share * sum(comb(n, hits) * chance**hits * (1 - chance) ** (n - hits) * min(cap, hits) for hits in range(n + 1))
        for n, share in enumerate(counts, 1)
    )
    assert personal(visits, [[1 - chance, chance]], cap).mean == pytest.approx(expected, abs=1e-9)
    assert visits.mean == pytest.approx(sum(n * share for n, share in enumerate(counts, 1)))
    assert visits.pairs == pytest.approx(sum(n * (n - 1) * share for n, share in enumerate(counts, 1)), abs=1e-9)


def test_the_hours_of_a_window_share_out_everybody() -> None:
    found = slots(Turnout(people=1), OPENS, OPENS + dt.timedelta(days=3, minutes=30))
    assert sum(slot.share for slot in found) == pytest.approx(1)
    assert found[0].hour == 9
    assert (found[-1].ends_at - found[-1].starts_at) == dt.timedelta(minutes=30)


def test_the_quick_sum_stays_what_the_editor_showed() -> None:
    sums = estimate(DrawTerms(prizes=(cash(100, 10_000),)), 5000)
    assert (sums.rows[0].expected, sums.net_fen, sums.gross_fen, sums.cap_fen) == (50, 25_000, 31_250, 62_500)


def test_the_forecast_shares_no_code_with_the_draw_or_a_simulation() -> None:
    for path in Path(package.__file__).parent.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^(from|import) (random|secrets)|quizapp\.(lottery|simulation|attempts)", text, re.M), path.name


# ---- against dice


@pytest.mark.parametrize("number", [0, 2, 9, 10, 14])
def test_seasons_played_with_dice_come_out_as_forecast(number: int) -> None:
    """The bench plays thirty rule sets with many seeds; here a few with 24."""
    rules = random_rules(number)
    found = forecast(read_terms(rules["terms"]), _turnout(rules["turnout"]))
    game = Game(rules)
    runs = [game.play(seed) for seed in range(24)]
    spent = [run.spend for run in runs]
    assert found.net_fen.mean == pytest.approx(statistics.mean(spent), rel=0.05)
    assert found.draws.mean == pytest.approx(statistics.mean(run.draws for run in runs), rel=0.02)
    inside = sum(found.net_fen.low - 1 <= one <= found.net_fen.high + 1 for one in spent)
    assert inside >= 18


def _turnout(plain: Mapping[str, Any]) -> Turnout:
    return Turnout(**{name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()})


# ---- what staff see


def _plan_body(**plan: Any) -> dict[str, Any]:
    prizes = [{"name": "现金", "kind": "cash", "quantity": 50, "odds_ppm": 100_000, "value_fen": 500}]
    return {
        "opens_at": "2030-03-01 09:00",
        "closes_at": "2030-03-10 24:00",
        "paper": {"parts": [{"banks": ["clean-world"], "count": 5}]},
        "pass_count": 4,
        "draw": {"prizes": prizes},
        "plan": plan,
    }


def test_the_rule_check_warns_of_what_the_expected_people_do_to_stock_and_budget() -> None:
    found = problems(_plan_body(expected_people=5000, budget_fen=20_000))
    assert {problem.field for problem in found} == {"plan.budget_fen", "draw.prizes[1].quantity"}
    assert not any(problem.is_error for problem in found)
    assert any("03 月" in problem.message for problem in found)
    assert problems(_plan_body(expected_people=100, budget_fen=100_000)) == []


def test_a_plan_says_people_attempts_and_shape() -> None:
    plan = {"expected_people": 300, "attempts_tenths": 25, "right_percent": 70, "drawing_percent": 0, "shape": "even"}
    turnout = package.turnout_of(plan)
    assert turnout == Turnout(people=300, attempts=2.5, right=0.7, drawing=0.0, shape="even")
    assert package.turnout_of({"expected_draws": 300}) is None

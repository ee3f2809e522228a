"""``python -m bench.forecast [--write] [--sets N] [--seeds N]``: the forecast held against seasons played with dice.

Thirty random rule sets with bursty turnout and binding stock, quotas and caps (``bench.forecast_reference``), many seeds
each, and a few of them once through the real services; says how far spend and the hour of exhaustion are off, and how often
the 90 % intervals hold.
"""

import argparse
import datetime as dt
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.forecast_reference import Game, Outcome, random_rules
from quizapp.campaigns.forecast import Forecast, TierForecast, Turnout, forecast
from quizapp.campaigns.terms import from_dict

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"
START, END = "<!-- forecast -->", "<!-- /forecast -->"
ENOUGH = 4
"""Rule sets played through the services."""
FLAT = (8, 23)
"""Shanghai hours between which paced stock is to give everybody the same chance."""


@dataclass
class Figures:
    """What all rule sets together come to. Errors of spend are shares, of moments hours."""

    spend_errors: list[float] = field(default_factory=list)
    covered: list[float] = field(default_factory=list)
    hour_errors: list[float] = field(default_factory=list)
    hours_covered: list[float] = field(default_factory=list)
    draw_errors: list[float] = field(default_factory=list)
    runs: int = 0
    seconds: float = 0.0
    forecast_seconds: float = 0.0


def turnout_of(rules: dict[str, Any]) -> Turnout:
    return Turnout(**{name: tuple(value) if isinstance(value, list) else value for name, value in rules["turnout"].items()})


def take(figures: Figures, rules: dict[str, Any], seeds: int) -> str:
    """Forecast one rule set and play it; returns its line."""
    terms = from_dict(rules["terms"])
    began = time.perf_counter()
    told = forecast(terms, turnout_of(rules))
    figures.forecast_seconds = max(figures.forecast_seconds, time.perf_counter() - began)
    game, began = Game(rules), time.perf_counter()
    runs = [game.play(seed) for seed in range(seeds)]
    figures.seconds += time.perf_counter() - began
    figures.runs += seeds
    mean = statistics.mean(run.spend for run in runs)
    error = told.net_fen.mean / mean - 1
    figures.spend_errors.append(error)
    figures.draw_errors.append(told.draws.mean / statistics.mean(run.draws for run in runs) - 1)
    inside = statistics.mean(told.net_fen.low - 0.5 <= run.spend <= told.net_fen.high + 0.5 for run in runs)
    if told.net_fen.high - told.net_fen.low > 1:
        figures.covered.append(inside)
    hours = [_take_tier(figures, tier, place, game, runs) for place, tier in enumerate(told.tiers)]
    return (
        f"spend {100 * error:+.1f} %, in the interval {100 * inside:.0f} %, exhaustion {', '.join(part for part in hours if part) or '-'}"
    )


def _take_tier(figures: Figures, tier: TierForecast, place: int, game: Game, runs: Sequence[Outcome]) -> str:
    """The moment of exhaustion, where most seasons have one. Paced stock is meant to end with the campaign."""
    moments = [run.out_at[place] for run in runs]
    gone = [moment for moment in moments if moment is not None]
    if len(gone) < 0.9 * len(runs) or game.prizes[place].get("release") == "paced" or tier.out_at[0] is None:
        return ""
    _, low, high = tier.out_at
    held = [(low is None or moment >= low) and (high is None or moment <= high) if moment else high is None for moment in moments]
    figures.hours_covered.append(statistics.mean(held))
    off = _open_hours(game, tier.out_at[0]) - statistics.median(_open_hours(game, moment) for moment in gone)
    figures.hour_errors.append(off)
    return f"{off:+.1f} h"


def _open_hours(game: Game, moment: dt.datetime) -> float:
    """Hours since the start in which people come: the clock stands still while nobody does."""
    second = (moment - game.opens).total_seconds()
    weights = [0.0, *game.curve]
    busy = 0.0
    for place, (start, length, _, _) in enumerate(game.hours):
        if start >= second:
            break
        if weights[place + 1] > weights[place]:
            busy += min(length, second - start) / 3600
    return busy


def flatness(seeds: int, bursts: bool = False) -> tuple[float, float, float]:
    """Win rates by hour of a scarce prize with a peak hour of six times the visits: released by the weights of the expected
    hours, evenly, and each day's share at midnight. The furthest hour from the mean, as a share.

    :param bursts: days differ by up to twelve times as well, which nobody knew when the release was fixed
    """
    found = []
    for release, weighted in (("paced", True), ("paced", False), ("all", False)):
        rules = random_rules(4)
        rules["terms"]["tries"] = {"per_day": None, "total": None}
        hours = rules["turnout"]["hours"]
        rules["terms"]["draw"] = {
            "prizes": [{"name": "P", "kind": "cash", "value_fen": 100, "odds_ppm": 200_000, "quantity": 1200, "release": release}],
            "wins_total": None,
            "excluded_groups": [],
            "paced_weights": list(hours) if weighted else [],
            "paced_from_hour": 0,
            "paced_to_hour": 24,
        }
        days = len(rules["turnout"]["days"])
        rules["turnout"] |= {"people": 12_000, "attempts": 2.0}
        if not bursts:
            rules["turnout"]["days"] = [1.0] * days
        if release == "all":
            rules["terms"]["draw"]["prizes"][0]["per_day"] = -(-1200 // days)
        game = Game(rules)
        runs = [game.play(seed) for seed in range(seeds)]
        tickets = [sum(run.tickets[hour] for run in runs) for hour in range(24)]
        won = [sum(run.won[hour] for run in runs) for hour in range(24)]
        mean = sum(won) / sum(tickets)
        found.append(max(abs(won[hour] / tickets[hour] / mean - 1) for hour in range(*FLAT)))
    return found[0], found[1], found[2]


def services(numbers: Sequence[int], people: int) -> list[str]:
    """The same rule sets once through the product: does the reference play the game that the product plays?"""
    from config import load_config
    from quizapp import create_app
    from quizapp.campaigns.files import check_file, parse_file
    from quizapp.simulation.account import account_for
    from quizapp.simulation.crowd import Curve
    from quizapp.simulation.scratch import scratch_app
    from quizapp.simulation.season import play

    lines = []
    with create_app(load_config({"QUIZAPP_ENV": "testing", "SMS_SENDER": "fake"})).app_context():
        for number in numbers:
            rules = random_rules(number)
            scale = people / rules["turnout"]["people"]
            _shrink(rules, scale)
            curve = Curve(
                attempts=rules["turnout"]["attempts"],
                right=rules["turnout"]["right"],
                abandoned=0.0,
                days=tuple(rules["turnout"]["days"]),
                hours=tuple(rules["turnout"]["hours"]),
            )
            file = parse_file(json.dumps({"title": "试算", "terms": rules["terms"]}).encode())
            if any(problem.is_error for problem in check_file(file)) or len(lines) == ENOUGH:
                continue
            with scratch_app():
                account = account_for(play(file, citizens=people, seed=number, curve=curve))
            told: Forecast = account.forecast
            is_in = told.net_fen.low - 1 <= account.net_fen <= told.net_fen.high + 1
            promises = "all promises kept" if account.is_kept else "PROMISES BROKEN"
            lines.append(
                f"rule set {number}: {account.draws} draws (forecast {told.draws.mean:.0f}), spend {account.net_fen / 100:.2f} yuan "
                f"(forecast {told.net_fen.mean / 100:.2f}, {'inside' if is_in else 'outside'} the interval), {promises}"
            )
    return lines


def _shrink(rules: dict[str, Any], scale: float) -> None:
    """The same campaign for fewer people: stock and quotas in proportion."""
    rules["turnout"]["people"] = round(rules["turnout"]["people"] * scale)
    draw = rules["terms"]["draw"]
    for prize in draw["prizes"]:
        prize["quantity"] = max(2, round(prize["quantity"] * scale))
        for name in ("per_day", "per_hour"):
            if prize.get(name):
                prize[name] = max(1, round(prize[name] * scale))
        if prize.get("budget_fen"):
            prize["budget_fen"] = prize["quantity"] * 300
    if draw.get("per_day"):
        draw["per_day"] = max(2, round(draw["per_day"] * scale))


Flat = tuple[float, float, float]


def table(figures: Figures, sets: int, seeds: int, flat: Flat, bursts: Flat, lines: Sequence[str]) -> str:
    """The section of docs/benchmarks.md."""
    hours = sorted(abs(off) for off in figures.hour_errors)
    within = statistics.mean(off <= 1 for off in hours)
    rows = [
        (
            "spend, mean of the seeds against the forecast: furthest of all rule sets",
            f"{100 * max(map(abs, figures.spend_errors)):.1f} %",
            "≤ 5 %",
        ),
        ("number of draws: furthest", f"{100 * max(map(abs, figures.draw_errors)):.1f} %", "≤ 5 %"),
        ("seasons whose spend lies in the 90 % interval", f"{100 * statistics.mean(figures.covered):.0f} %", "85–95 %"),
        ("hour of exhaustion, median: typical error", f"{statistics.median(hours):.1f} h", "≤ 1 h"),
        ("… within one hour", f"{100 * within:.0f} % of {len(hours)} prizes", ""),
        ("seasons whose exhaustion lies in its interval", f"{100 * statistics.mean(figures.hours_covered):.0f} %", "85–95 %"),
        ("win rate by hour, stock paced by the expected hours: furthest hour from the mean", f"{100 * flat[0]:.0f} %", "≤ 10 %"),
        ("… released evenly over the day", f"{100 * flat[1]:.0f} %", ""),
        ("… each day's share at midnight", f"{100 * flat[2]:.0f} %", ""),
        ("the same three where days differ by twelve times, unforeseen", " · ".join(f"{100 * one:.0f} %" for one in bursts), ""),
        ("slowest forecast", f"{figures.forecast_seconds:.2f} s", ""),
    ]
    head = (
        f"{sets} random rule sets with bursty turnout and binding stock, quotas and caps, {seeds} seasons each, played by a "
        f"reference that shares no code with the forecast or the draw ({figures.runs:,} seasons in {figures.seconds:.0f} s). "
        "Hours of exhaustion count the hours in which people come."
    )
    body = "\n".join(f"| {name} | {value} | {goal} |" for name, value, goal in rows)
    ties = "\n".join(f"- {line}" for line in lines)
    return f"{head}\n\n| figure | value | goal |\n|---|---|---|\n{body}\n\nOnce through the real services, at a smaller scale:\n\n{ties}"


def write(text: str) -> None:
    old = DOCUMENT.read_text(encoding="utf-8")
    if START not in old:
        old = f"{old.rstrip()}\n\n## The forecast\n\n{START}\n{END}\n"
    before, _, rest = old.partition(START)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=80)
    parser.add_argument("--people", type=int, default=400, help="for the runs through the services")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    figures = Figures()
    for number in range(options.sets):
        print(f"{number:3} {take(figures, random_rules(number), options.seeds)}", flush=True)
    text = table(
        figures, options.sets, options.seeds, flatness(12), flatness(6, bursts=True), services(range(options.sets), options.people)
    )
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()

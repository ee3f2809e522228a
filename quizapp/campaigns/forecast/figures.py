"""What the forecast says, as plain values."""

import datetime as dt
from dataclasses import dataclass

from quizapp.campaigns.forecast.chances import Range


@dataclass(frozen=True)
class DayOut:
    """On this day of the campaign (from 1) the prize is expected to be gone from ``at`` on, for ``missed_percent`` of those
    who would have hit it that day."""

    day: int
    at: dt.datetime | None
    missed_percent: int


@dataclass(frozen=True)
class TierForecast:
    """One prize. ``per_draw`` and ``per_person`` are chances, ``out_at`` when the stock is used up: expected, earliest,
    latest (None: it lasts), ``out_chance`` how likely that is; ``draws_needed`` until the whole stock is out."""

    name: str
    tier: str
    quantity: int
    wins: Range
    per_draw: float
    per_person: float
    out_chance: float
    out_at: tuple[dt.datetime | None, dt.datetime | None, dt.datetime | None]
    days_out: tuple[DayOut, ...]
    draws_needed: Range | None

    @property
    def is_short(self) -> bool:
        """Whether the stock is more likely than not used up before the end, or often empty on the way."""
        return self.out_chance > 0.5

    @property
    def expected(self) -> int:
        return round(self.wins.mean)


@dataclass(frozen=True)
class HourForecast:
    """One hour of the day over the whole campaign: tickets and the share of them that win."""

    hour: int
    tickets: float
    win_rate: float


@dataclass(frozen=True)
class PoolForecast:
    """A pool draw: how often it is held, how many qualify each time, what goes out and costs in all."""

    id: str
    title: str
    times: int
    qualified: Range
    winners: Range
    quantity: int
    net_fen: Range
    chance: float
    """Of one qualified person, in one draw."""


@dataclass(frozen=True)
class Forecast:
    """``net_fen`` is what winners have in hand, ``gross_fen`` what the host spends with the tax, ``cap_fen`` that if
    everything goes out; ``odds_ppm`` the sum of the odds, ``win_rate`` what they come to with stock and caps.

    ``left_out`` names the parts of the terms that these figures do not know.
    """

    people: int
    attempts: Range
    passed: Range
    draws: Range
    odds_ppm: int
    win_rate: float
    person_win_rate: float
    tiers: tuple[TierForecast, ...]
    hours: tuple[HourForecast, ...]
    pools: tuple[PoolForecast, ...]
    others_fen: int
    """Prizes by place and from stock, all of them."""
    net_fen: Range
    gross_fen: Range
    cap_fen: int
    draws_needed: Range | None
    left_out: tuple[str, ...]

    @property
    def tax_fen(self) -> float:
        return self.gross_fen.mean - self.net_fen.mean

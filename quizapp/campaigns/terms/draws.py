"""Prizes and how they are drawn. Money is whole fen, odds are parts per million."""

from dataclasses import dataclass
from typing import Annotated, Literal

from quizapp.campaigns.terms.conditions import ALWAYS, Code, Codes, Condition
from quizapp.campaigns.terms.reading import Matching, Size, Text, Whole
from quizapp.core.text import N_

PrizeKind = Literal["cash", "code", "pickup", "post", "points", "service", "ticket"]
PRIZE_KINDS = ("cash", "code", "pickup", "post", "points", "service", "ticket")
GROUP = Matching(r"[a-z0-9_]{1,32}", N_("人群代码不对。"))
REGION = Matching(r"\d{2,20}", N_("区划代码不对。"))
MONEY = Whole(0, 10_000_000_00)


@dataclass(frozen=True)
class PrizeTerms:
    """One tier. ``value_fen`` is what the winner receives in hand; ``odds_ppm`` of 1,000,000 is odds 1.

    ``release``: the whole stock from the start, or spread over the days of the draw at moments nobody knows before.
    ``per_day`` and ``per_hour`` are the most that go out in one Shanghai day or hour. With ``max_fen`` the amount is random
    from ``value_fen`` to ``max_fen``, fixed beforehand so that the whole stock costs ``budget_fen``.
    """

    name: Annotated[str, Text(40)]
    kind: PrizeKind
    quantity: Annotated[int, Whole(0, 100_000_000)]
    odds_ppm: Annotated[int, Whole(0, 1_000_000)]
    tier: Annotated[str, Text(20, may_be_empty=True)] = ""
    value_fen: Annotated[int, MONEY] = 0
    points: Annotated[int, Whole(0, 1_000_000)] = 0
    release: Literal["all", "paced"] = "all"
    per_day: Annotated[int | None, Whole(1, 100_000_000)] = None
    per_hour: Annotated[int | None, Whole(1, 100_000_000)] = None
    max_fen: Annotated[int | None, MONEY] = None
    budget_fen: Annotated[int | None, Whole(0, 1_000_000_000_00)] = None


@dataclass(frozen=True)
class RegionQuota:
    """At most ``quantity`` wins (of all prizes) by citizens of these regions (code prefixes)."""

    regions: Annotated[tuple[str, ...], REGION, Size(1, 500)]
    quantity: Annotated[int, Whole(0, 100_000_000)]


@dataclass(frozen=True)
class TicketBand:
    """More chances for better results: ``tickets`` for an attempt that meets ``when``; the first band that is met counts."""

    when: Condition
    tickets: Annotated[int, Whole(0, 10)]


@dataclass(frozen=True)
class DrawTerms:
    """Instant draw. ``tickets`` per passed attempt (0: only awards grant them); ``wins_total`` caps one citizen,
    ``wins_per_day`` likewise.

    ``fallback``: name of the prize that a draw gives whose prize is gone or capped; it has odds 0 itself.
    """

    prizes: Annotated[tuple[PrizeTerms, ...], Size(1, 30)]
    tickets: Annotated[int, Whole(0, 10)] = 1
    ticket_hours: Annotated[int, Whole(1, 720)] = 24
    wins_total: Annotated[int | None, Whole(1, 10_000)] = 3
    wins_per_day: Annotated[int | None, Whole(1, 1000)] = None
    claim_days: Annotated[int, Whole(1, 365)] = 15
    spare_days: Annotated[int, Whole(1, 366)] = 14
    tax_bearer: Literal["host", "winner"] = "host"
    excluded_groups: Annotated[tuple[str, ...], GROUP, Size(0, 50)] = ("civil_servant",)
    """Demographic groups that do not draw here (they get the fixed reward)."""
    allows_minors: bool = False
    bands: Annotated[tuple[TicketBand, ...], Size(0, 20)] = ()
    per_day: Annotated[int | None, Whole(1, 100_000_000)] = None
    """The most prizes of all tiers together that go out in one Shanghai day; each tier then has its own, and they add up to it."""
    draws_per_day: Annotated[int | None, Whole(1, 1000)] = None
    """The most tickets one citizen is granted on a day."""
    fallback: Annotated[str, Text(40, may_be_empty=True)] = ""
    paced_from_hour: Annotated[int, Whole(0, 23)] = 6
    paced_to_hour: Annotated[int, Whole(1, 24)] = 23
    """Between which Shanghai hours paced stock is released."""
    paced_weights: Annotated[tuple[int, ...], Whole(0, 1000), Size(0, 24)] = ()
    """How much of a day's stock comes in each Shanghai hour, from 00:00, where people do not come evenly: 24 weights, or
    none for an even release. With the weights of the expected visits every hour has the same chance."""
    region_quotas: Annotated[tuple[RegionQuota, ...], Size(0, 100)] = ()


@dataclass(frozen=True)
class PoolTier:
    """Drawn in the order of the list: ``quantity`` winners, or ``ratio_ppm`` of the qualified."""

    name: Annotated[str, Text(40)]
    kind: PrizeKind
    quantity: Annotated[int, Whole(0, 10_000_000)] = 0
    ratio_ppm: Annotated[int | None, Whole(1, 1_000_000)] = None
    tier: Annotated[str, Text(20, may_be_empty=True)] = ""
    value_fen: Annotated[int, MONEY] = 0
    points: Annotated[int, Whole(0, 1_000_000)] = 0


@dataclass(frozen=True)
class PoolDraw:
    """A draw among those who qualified, once, or once per day, round or stage.

    :param who: measures over that scope that qualify; each citizen has one ticket, or those that awards granted for this draw
        (``tickets: awards``), ``max_tickets`` of one citizen at most
    :param after_days: the list is frozen so many days after the scope ends, at ``at`` (Shanghai time)
    :param mode: ``automatic`` the worker draws then; ``ceremony`` staff draw before an audience with digits said aloud;
        ``outside`` the draw happens elsewhere and its record is entered
    :param seed_input: what enters the seed beside the committed secret
    :param cascade: further conditions, from the strictest: when a band holds too few, the next joins in
    :param reserves: how many substitutes are drawn, in order
    :param one_win: whoever won in this draw cannot win again in it; ``one_win_per_campaign``: nor in another of the campaign's
    """

    id: Code
    title: Annotated[str, Text(40)]
    tiers: Annotated[tuple[PoolTier, ...], Size(1, 30)]
    who: Condition = ALWAYS
    per: Literal["day", "round", "stage", "campaign"] = "campaign"
    tickets: Literal["one", "awards"] = "one"
    max_tickets: Annotated[int | None, Whole(1, 100_000)] = None
    after_days: Annotated[int, Whole(0, 366)] = 1
    at: Annotated[str, Matching(r"(?:[01]\d|2[0-3]):[0-5]\d", N_("时间写成 09:00 这样。"))] = "10:00"
    mode: Literal["automatic", "ceremony", "outside"] = "automatic"
    seed_input: Literal["none", "spoken", "public_figure"] = "none"
    public_figure: Annotated[str, Text(200, may_be_empty=True)] = ""
    """Which public figure enters, fixed beforehand: 中国福利彩票双色球第 2026140 期开奖号码."""
    witness: Annotated[str, Text(100, may_be_empty=True)] = ""
    """Notary office or witnesses."""
    cascade: Annotated[tuple[Condition, ...], Size(0, 20)] = ()
    reserves: Annotated[int, Whole(0, 100_000)] = 0
    one_win: bool = True
    one_win_per_campaign: bool = False
    tracks: Codes = ()
    stages: Codes = ()
    regions: Annotated[tuple[str, ...], REGION, Size(0, 500)] = ()
    groups: Annotated[tuple[str, ...], GROUP, Size(0, 50)] = ()
    sponsor: Annotated[str, Text(60, may_be_empty=True)] = ""
    """Who pays, where it is not the host: a province that adds prizes for its own."""
    claim_days: Annotated[int, Whole(1, 365)] = 15
    excluded_groups: Annotated[tuple[str, ...], GROUP, Size(0, 50)] = ("civil_servant",)
    allows_minors: bool = False


@dataclass(frozen=True)
class RankPrize:
    """Prizes by place on a board when it closes: ``quantity`` places from the best, tier after tier; never by lot."""

    board: Code
    tiers: Annotated[tuple[PoolTier, ...], Size(1, 30)]
    claim_days: Annotated[int, Whole(1, 365)] = 15


@dataclass(frozen=True)
class StockPrize:
    """A prize that awards give directly (``gift: prize``), until its quantity is gone; ``price_points`` is what it costs in
    the campaign's points where it is redeemed at a threshold."""

    name: Annotated[str, Text(40)]
    kind: PrizeKind
    quantity: Annotated[int, Whole(0, 100_000_000)]
    value_fen: Annotated[int, MONEY] = 0
    points: Annotated[int, Whole(0, 1_000_000)] = 0
    tier: Annotated[str, Text(20, may_be_empty=True)] = ""
    claim_days: Annotated[int, Whole(1, 365)] = 15

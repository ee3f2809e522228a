"""Boards, hand-over and publicity."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from quizapp.campaigns.terms.conditions import Code, Codes
from quizapp.campaigns.terms.reading import Size, Text, Whole

Of = Literal["person", "team", "organisation", "region"]


@dataclass(frozen=True)
class Component:
    """A part of a board's figure, weighing ``weight`` per cent: for persons a measure; for teams, units and regions a measure
    put together over their people, or a rate.

    ``rate`` is people taking part by the roster; ``passed`` people passed by people taking part; ``people`` their number,
    ``people_above`` those whose measure is above 0; ``units`` the number of units they belong to; ``best`` the sum of the best ``k``.
    """

    measure: Annotated[str, Text(32, may_be_empty=True)] = ""
    how: Literal["mean", "sum", "best", "rate", "passed", "people", "people_above", "units"] = "mean"
    weight: Annotated[int, Whole(1, 100)] = 100
    k: Annotated[int, Whole(1, 10_000)] = 10


@dataclass(frozen=True)
class Board:
    """Off unless declared. Ties go down the chain of ``ties``; what is still equal shares a place.

    Boards of persons show only who joined them (``opt_in``); a board of a voluntary campaign is by rates or means, not by
    head counts, unless it is of regions.
    """

    id: Code
    title: Annotated[str, Text(40)]
    of: Of = "person"
    by: Annotated[tuple[Component, ...], Size(1, 5)] = (Component(),)
    ties: Annotated[tuple[Literal["least_seconds", "earliest", "attempts"], ...], Size(0, 4)] = ("earliest",)
    region_level: Literal["city", "county", "town"] = "county"
    places: Annotated[int, Whole(1, 10_000)] = 100
    min_people: Annotated[int, Whole(1, 100_000)] = 5
    opt_in: bool = True
    tracks: Codes = ()
    stages: Codes = ()
    is_pupils_only: bool = False
    """For boards of units: they are schools and those taking part their pupils, not staff."""


@dataclass(frozen=True)
class Claim:
    """How what was won is handed over. ``void_hours``: a prize not opened in that time is void. ``deferred_until``: everything
    is paid together then. ``pickup_points``: names of places; ``pickup_after_days``: working days until it can be collected."""

    deferred_until: dt.datetime | None = None
    void_hours: Annotated[int | None, Whole(1, 24 * 366)] = None
    pickup_points: Annotated[tuple[str, ...], Text(60), Size(0, 200)] = ()
    pickup_after_days: Annotated[int, Whole(0, 365)] = 0
    tax_bearer: Literal["host", "winner"] = "host"
    """Who bears the income tax on prizes that are not drawn at once (those say it in ``draw``)."""
    forfeits: Literal["void", "stock", "reserve"] = "void"
    """What becomes of a prize nobody claims: nothing, back to the stock, or to the next on the reserve list."""


@dataclass(frozen=True)
class UnitPraise:
    """通报表扬 of units at the end, by a board; ``quantity`` of them. An award by name needs an approval number."""

    board: Code
    quantity: Annotated[int, Whole(1, 10_000)]
    title: Annotated[str, Text(40)] = "通报表扬"
    approval: Annotated[str, Text(60, may_be_empty=True)] = ""


@dataclass(frozen=True)
class Publicity:
    """The winners' notice: by 抽奖号, with a masked phone where the winner agreed; taken down after ``days``."""

    days: Annotated[int, Whole(1, 366)] = 30
    after_days: Annotated[int, Whole(0, 366)] = 0
    praises: Annotated[tuple[UnitPraise, ...], Size(0, 20)] = ()


@dataclass(frozen=True)
class Sanctions:
    """What an established breach leads to, said beforehand: the attempt, the person's whole part in the campaign, and where
    ``reaches_unit`` the unit's place on boards."""

    voids_person: bool = False
    reaches_unit: bool = False


@dataclass(frozen=True)
class Plan:
    """What the bureau expects; not a rule. Money in fen."""

    expected_draws: Annotated[int | None, Whole(0, 1_000_000_000)] = None
    budget_fen: Annotated[int | None, Whole(0, 1_000_000_000_00)] = None
    expected_people: Annotated[int | None, Whole(0, 100_000_000)] = None
    attempts_tenths: Annotated[int | None, Whole(10, 1000)] = None
    """Attempts of one person on average, in tenths: 16 is 1.6."""
    right_percent: Annotated[int | None, Whole(1, 100)] = None
    """The chance of a right answer."""
    drawing_percent: Annotated[int | None, Whole(0, 100)] = None
    """How many of the people may draw."""
    shape: Literal["even", "ends", "opening", "burst"] = "ends"
    """How people spread over the days (``campaigns.forecast.SHAPES``)."""

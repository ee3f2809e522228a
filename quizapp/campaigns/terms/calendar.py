"""When: stages of a campaign and the rounds that repeat within them. Days and hours are Shanghai's, ends are exclusive."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from quizapp.campaigns.terms.conditions import Code
from quizapp.campaigns.terms.reading import Matching, Size, Text, Whole
from quizapp.core.text import N_

TIME = Matching(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", N_("时间写成 09:00 这样，一天的末尾是 24:00。"))


@dataclass(frozen=True)
class Rounds:
    """A stage cut into equal rounds, counted from 1: by the Shanghai day, the week (from Monday) or the month.

    ``first_day`` and ``last_day`` leave part of each month or week open for answering (1–20 of each month; 1 is Monday for
    weeks); ``opens`` and ``closes`` the hours of each day.
    """

    every: Literal["day", "week", "month"] = "day"
    first_day: Annotated[int | None, Whole(1, 31)] = None
    last_day: Annotated[int | None, Whole(1, 31)] = None


@dataclass(frozen=True)
class Stage:
    """A part of the campaign's window with its own rounds. Stages of one track do not overlap."""

    id: Code
    opens_at: dt.datetime
    closes_at: dt.datetime
    title: Annotated[str, Text(40, may_be_empty=True)] = ""
    rounds: Rounds | None = None
    opens: Annotated[str, TIME] = "00:00"
    closes: Annotated[str, TIME] = "24:00"
    tracks: Annotated[tuple[str, ...], Size(0, 20)] = ()
    """Which tracks it is for; empty is every track."""


@dataclass(frozen=True)
class Round:
    """One answering window: a round of a stage, a whole stage, or (``key`` empty) the campaign itself."""

    key: str
    stage_id: str
    number: int
    opens_at: dt.datetime
    closes_at: dt.datetime

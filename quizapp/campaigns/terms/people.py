"""Who takes part, in which track, and what is asked of them."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from quizapp.campaigns.terms.conditions import Code
from quizapp.campaigns.terms.draws import GROUP, REGION
from quizapp.campaigns.terms.reading import Matching, Size, Text, Whole
from quizapp.core.text import N_

UNIT = Matching(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", N_("单位编号不对。"))
Channel = Literal["web", "official_account", "mini_program", "app", "paper"]


@dataclass(frozen=True)
class Eligibility:
    """Empty means everybody. ``regions`` are code prefixes (``1504`` takes in every county of the city)."""

    regions: Annotated[tuple[str, ...], REGION, Size(0, 500)] = ()
    groups: Annotated[tuple[str, ...], GROUP, Size(0, 50)] = ()
    organisation_ids: Annotated[tuple[str, ...], UNIT, Size(0, 2000)] = ()
    asks_organisation: bool = False
    asks_age_band: bool = True
    allows_guests: bool = True
    guest_starts_per_device_day: Annotated[int, Whole(1, 1000)] = 10
    registered_before: dt.datetime | None = None
    """Only citizens who had registered on the platform by then."""
    excludes: Annotated[str, Text(200, may_be_empty=True)] = ""
    """Whom the exclusion list holds and why, as the rule page says it: 主办单位和技术服务单位的工作人员不参加抽奖."""


@dataclass(frozen=True)
class Track:
    """A way of taking part with its own quizzes, awards or draws. ``paper`` tracks only have their results entered.

    With ``team`` each person chooses a team first and cannot change it.
    """

    id: Code
    title: Annotated[str, Text(40)]
    kind: Literal["individual", "team"] = "individual"
    channels: Annotated[tuple[Channel, ...], Size(0, 5)] = ()
    groups: Annotated[tuple[str, ...], GROUP, Size(0, 50)] = ()
    is_paper: bool = False
    team_size: Annotated[int | None, Whole(2, 10_000)] = None


@dataclass(frozen=True)
class EntryField:
    """A further question at the entry, with the purpose it is asked for; answers are kept ``keep_days`` after the end.

    Names and identity numbers cannot be asked for.
    """

    id: Code
    label: Annotated[str, Text(30)]
    purpose: Annotated[str, Text(100)]
    kind: Literal["text", "choice", "digits"] = "text"
    choices: Annotated[tuple[str, ...], Text(40), Size(0, 100)] = ()
    is_required: bool = True
    max_length: Annotated[int, Whole(1, 100)] = 40
    keep_days: Annotated[int, Whole(1, 730)] = 180


@dataclass(frozen=True)
class Entry:
    """Registration for the campaign, where it needs one: a window (empty: as long as answering), fields, a choice of track."""

    opens_at: dt.datetime | None = None
    closes_at: dt.datetime | None = None
    fields: Annotated[tuple[EntryField, ...], Size(0, 20)] = ()
    can_be_corrected: bool = True

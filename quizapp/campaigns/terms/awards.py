"""What is given, for what, how often: points, tickets, badges, titles, certificates, hours, cards, prizes from stock.

An award looks at one scope at a time (``per``): one attempt, one action, one day, round, stage, quiz or the whole campaign. In each
scope the first band whose condition is met gives its gifts, once.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from quizapp.campaigns.terms.conditions import ALWAYS, Code, Codes, Condition
from quizapp.campaigns.terms.quizzes import ACTION
from quizapp.campaigns.terms.reading import Size, Text, Whole

Per = Literal["attempt", "action", "day", "round", "stage", "quiz", "campaign"]
GiftKind = Literal["points", "tickets", "badge", "title", "certificate", "hours", "card", "prize", "tries"]


@dataclass(frozen=True)
class Gift:
    """``amount`` of ``kind``; ``name`` says which: the draw (tickets: empty is the instant draw), badge, title, certificate,
    card, prize (by its name among ``prizes``) or quiz (tries)."""

    kind: GiftKind
    amount: Annotated[int, Whole(1, 1_000_000)] = 1
    name: Annotated[str, Text(40, may_be_empty=True)] = ""


@dataclass(frozen=True)
class Band:
    """The gifts of those who meet ``when``; ``title`` names it (优秀, 良好, 合格)."""

    gifts: Annotated[tuple[Gift, ...], Size(1, 10)]
    when: Condition = ALWAYS
    title: Annotated[str, Text(20, may_be_empty=True)] = ""


@dataclass(frozen=True)
class Award:
    """``per_day`` and ``total`` limit how often one citizen gets it; ``first_per_day`` and ``first_total`` how many people do,
    in the order of the server's receipt.

    ``times`` multiplies points earned from ``from_hour`` to ``to_hour`` (Shanghai).
    """

    id: Code
    bands: Annotated[tuple[Band, ...], Size(1, 20)]
    per: Per = "attempt"
    title: Annotated[str, Text(40, may_be_empty=True)] = ""
    action: Annotated[str | None, ACTION] = None
    """For ``per: action``: which kind."""
    quizzes: Codes = ()
    tracks: Codes = ()
    stages: Codes = ()
    per_day: Annotated[int | None, Whole(1, 10_000)] = None
    total: Annotated[int | None, Whole(1, 1_000_000)] = None
    first_per_day: Annotated[int | None, Whole(1, 10_000_000)] = None
    first_total: Annotated[int | None, Whole(1, 100_000_000)] = None
    times: Annotated[int, Whole(1, 10)] = 1
    from_hour: Annotated[int, Whole(0, 24)] = 0
    to_hour: Annotated[int, Whole(0, 24)] = 24


@dataclass(frozen=True)
class FixedReward:
    """What a passed attempt earns where there is no draw for that person: points, once a day at most."""

    points: Annotated[int, Whole(0, 100_000)] = 0


@dataclass(frozen=True)
class Points:
    """Points for a passed and for a failed attempt; the first ``daily_limit`` attempts of a day count."""

    passed: Annotated[int, Whole(0, 100_000)] = 0
    failed: Annotated[int, Whole(0, 100_000)] = 0
    daily_limit: Annotated[int, Whole(1, 1000)] = 3

"""The terms of a campaign: one frozen value, read from and written to JSON or YAML, validated as a whole.

Few concepts that combine: quizzes say what is answered, stages when, tracks by whom; what a citizen did is counted by
measures, conditions test measures, awards give for conditions; draws, boards and publicity follow. Money is whole fen, odds
are parts per million, moments are UTC, durations are seconds.

A campaign with one quiz writes the quiz's fields at the top (``paper``, ``pass_count`` …); with several they stand under
``quizzes``.
"""

import dataclasses
import datetime as dt
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from quizapp.campaigns.terms import reading
from quizapp.campaigns.terms.awards import Award, Band, FixedReward, Gift, GiftKind, Per, Points
from quizapp.campaigns.terms.boards import Board, Claim, Component, Plan, Publicity, Sanctions, UnitPraise
from quizapp.campaigns.terms.calendar import Round, Rounds, Stage
from quizapp.campaigns.terms.conditions import ALWAYS, ATTEMPT_MEASURES, Condition, Measure
from quizapp.campaigns.terms.draws import (
    PRIZE_KINDS,
    DrawTerms,
    PoolDraw,
    PoolTier,
    PrizeTerms,
    RankPrize,
    RegionQuota,
    StockPrize,
    TicketBand,
)
from quizapp.campaigns.terms.people import Eligibility, Entry, EntryField, Track
from quizapp.campaigns.terms.quizzes import RISKY_ACTIONS, Action, ExtraTries, Paper, PaperPart, Quiz, Scoring, Tries
from quizapp.campaigns.terms.reading import Size, Whole
from quizapp.core.text import N_

__all__ = [
    "ALWAYS",
    "ATTEMPT_MEASURES",
    "PRIZE_KINDS",
    "QUIZ_FIELDS",
    "RISKY_ACTIONS",
    "SCHEMA",
    "Action",
    "Award",
    "Band",
    "Board",
    "Claim",
    "Component",
    "Condition",
    "DrawTerms",
    "Eligibility",
    "Entry",
    "EntryField",
    "ExtraTries",
    "Feedback",
    "FixedReward",
    "Gift",
    "GiftKind",
    "Measure",
    "Paper",
    "PaperPart",
    "Per",
    "Plan",
    "Points",
    "PoolDraw",
    "PoolTier",
    "PrizeTerms",
    "Publicity",
    "Quiz",
    "RankPrize",
    "RegionQuota",
    "Round",
    "Rounds",
    "Sanctions",
    "Scoring",
    "Stage",
    "StockPrize",
    "Terms",
    "TicketBand",
    "Track",
    "Tries",
    "UnitPraise",
    "body_hash",
    "check_draft",
    "check_shape",
    "from_dict",
    "plain_terms",
    "to_dict",
]

SCHEMA = 1
_UNKNOWN_SCHEMA = N_("这个版本的程序读不懂这份规则（schema 不同）。")
Feedback = Literal["after_hand_in", "after_close"]
QUIZ_FIELDS = tuple(item.name for item in dataclasses.fields(Quiz) if item.name not in ("id", "title", "stages", "tracks", "channels"))
"""What may stand at the top of a body with one quiz."""


@dataclass(frozen=True)
class Terms:
    opens_at: dt.datetime
    closes_at: dt.datetime
    """Exclusive: "3月20日 24:00" is the next day's 00:00."""
    quizzes: Annotated[tuple[Quiz, ...], Size(1, 100)]
    large_type_percent: Annotated[int, Whole(100, 400)] = 160
    """Time allowed in large type, in per cent of ``limit_seconds``."""
    grace_seconds: Annotated[int, Whole(0, 600)] = 0
    """A hand-in that reaches the server this long after the deadline still counts."""
    feedback: Feedback = "after_hand_in"
    stages: Annotated[tuple[Stage, ...], Size(0, 100)] = ()
    tracks: Annotated[tuple[Track, ...], Size(0, 20)] = ()
    eligibility: Eligibility = field(default_factory=Eligibility)
    entry: Entry | None = None
    actions: Annotated[tuple[Action, ...], Size(0, 30)] = ()
    measures: Annotated[tuple[Measure, ...], Size(0, 100)] = ()
    awards: Annotated[tuple[Award, ...], Size(0, 100)] = ()
    points_per_day: Annotated[int | None, Whole(1, 1_000_000)] = None
    """The most points one citizen can earn by awards on a day."""
    points: Points = field(default_factory=Points)
    fixed_reward: FixedReward = field(default_factory=FixedReward)
    draw: DrawTerms | None = None
    draws: Annotated[tuple[PoolDraw, ...], Size(0, 50)] = ()
    prizes: Annotated[tuple[StockPrize, ...], Size(0, 50)] = ()
    rank_prizes: Annotated[tuple[RankPrize, ...], Size(0, 20)] = ()
    boards: Annotated[tuple[Board, ...], Size(0, 20)] = ()
    claim: Claim = field(default_factory=Claim)
    publicity: Publicity = field(default_factory=Publicity)
    sanctions: Sanctions = field(default_factory=Sanctions)
    objection_days: Annotated[int, Whole(1, 60)] = 5
    """How long the notice of winners can be objected to."""

    @property
    def main(self) -> Quiz:
        """The first quiz, which is what a plain campaign has."""
        return self.quizzes[0]

    @property
    def paper(self) -> Paper:
        return self.main.paper

    @property
    def pass_count(self) -> int:
        return self.main.pass_count

    @property
    def limit_seconds(self) -> int | None:
        return self.main.limit_seconds

    @property
    def tries(self) -> Tries:
        return self.main.tries

    @property
    def question_count(self) -> int:
        return self.main.question_count

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether a start and a hand-in need nothing but the campaign's window and the marks: one plain quiz, no stages, tracks,
        entry or awards, no chances by band."""
        quiz = self.main
        return (
            len(self.quizzes) == 1
            and quiz.is_plain
            and quiz.tries == Tries(quiz.tries.per_day, quiz.tries.total)
            and quiz.paper.same_for == "attempt"
            and quiz.requires == ALWAYS
            and not (self.draw is not None and self.draw.bands)
            and not (quiz.channels or self.stages or self.tracks or self.awards or self.entry or self.actions or self.boards)
        )

    def quiz(self, quiz_id: str) -> Quiz:
        """:raises KeyError: if there is no such quiz"""
        for quiz in self.quizzes:
            if quiz.id == quiz_id:
                return quiz
        raise KeyError(quiz_id)

    def stage(self, stage_id: str) -> Stage:
        """:raises KeyError: if there is no such stage"""
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise KeyError(stage_id)


def plain_terms(*, opens_at: dt.datetime, closes_at: dt.datetime, paper: Paper, pass_count: int, **rest: Any) -> Terms:
    """Terms with one quiz; ``rest`` takes the other fields of :class:`Quiz` and of :class:`Terms`."""
    quiz = Quiz(paper=paper, pass_count=pass_count, **{name: rest.pop(name) for name in QUIZ_FIELDS if name in rest})
    return Terms(opens_at=opens_at, closes_at=closes_at, quizzes=(quiz,), **rest)


def to_dict(terms: Terms) -> dict[str, Any]:
    """The JSON shape kept in ``campaign_terms.body``."""
    body: dict[str, Any] = {"schema": SCHEMA, **reading.plain(terms)}
    main = terms.main
    if len(terms.quizzes) == 1 and main.id == "main" and not (main.title or main.stages or main.tracks or main.channels):
        [quiz] = body.pop("quizzes")
        body.update({name: quiz[name] for name in QUIZ_FIELDS})
    return body


def _with_quizzes(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with the one quiz of its top under ``quizzes``."""
    rest = {name: value for name, value in body.items() if name not in ("schema", "plan")}
    if "quizzes" in rest:
        return rest
    quiz = {name: rest.pop(name) for name in QUIZ_FIELDS if name in rest}
    return {**rest, "quizzes": [{**quiz, "id": "main"}]}


def check_shape(body: Any) -> list[tuple[str, str]]:
    """Mistakes of a body as (path, sentence); an empty list means :func:`from_dict` can read it. What the parts mean together:
    ``campaigns.checks``. A body may hold a ``plan`` (:class:`Plan`), which is not part of the terms."""
    if not isinstance(body, Mapping):
        return reading.check(Terms, body)
    found = [] if body.get("schema", SCHEMA) == SCHEMA else [("schema", _UNKNOWN_SCHEMA)]
    whole = _with_quizzes(body)
    mistakes = [*reading.check(Terms, whole), *_without_pass_rule(whole["quizzes"])]
    if body.get("plan") is not None:
        found += [(f"plan.{path}" if path else "plan", message) for path, message in reading.check(Plan, body["plan"])]
    if "quizzes" in body:
        return [*found, *mistakes]
    return [*found, *((path.removeprefix("quizzes[1]").removeprefix("."), message) for path, message in mistakes)]


def _without_pass_rule(quizzes: Any) -> list[tuple[str, str]]:
    found = []
    for place, quiz in enumerate(quizzes if isinstance(quizzes, list | tuple) else (), 1):
        if isinstance(quiz, Mapping) and quiz.get("pass_when") is None and quiz.get("pass_count") in (None, 0):
            is_missing = quiz.get("pass_count") is None
            found.append((f"quizzes[{place}].pass_count", reading.MISSING if is_missing else N_("应当在 1 到 1,000 之间。")))
    return found


def check_draft(body: Any) -> list[tuple[str, str]]:
    """Mistakes of an unfinished body: what is there must be right, what is not there yet may be missing."""
    return [(path, message) for path, message in check_shape(body) if message != reading.MISSING or path.endswith("]") or not path]


def from_dict(body: Mapping[str, Any]) -> Terms:
    """Read a stored body. Bodies are checked before they are stored (``campaigns.rules.problems``); what a body leaves
    out has the default of its part.

    :raises ValueError: for a schema this release does not know
    :raises KeyError: for a missing part
    """
    if body.get("schema") != SCHEMA:
        raise ValueError("unknown schema of campaign terms")
    return reading.read(Terms, _with_quizzes(body))


def body_hash(body: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

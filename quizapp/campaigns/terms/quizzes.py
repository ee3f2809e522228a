"""What is answered: papers, tries, timing, scoring, passing. Durations are seconds, scores whole points."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from quizapp.campaigns.terms.conditions import ALWAYS, Code, Codes, Condition
from quizapp.campaigns.terms.reading import Matching, Size, Text, Whole
from quizapp.core.text import N_

BANK = Matching(r"[a-z0-9][a-z0-9-]{0,63}", N_("题库名称不对。"))
ACTION = Matching(r"[a-z_]{1,32}", N_("行为代号只能用小写字母和下划线。"))


@dataclass(frozen=True)
class PaperPart:
    """``count`` questions of these banks (slugs), narrowed by kind, tag and difficulty when given; ``points`` for each one
    answered right."""

    banks: Annotated[tuple[str, ...], BANK, Size(1, 20)]
    count: Annotated[int, Whole(1, 100)]
    kinds: Annotated[tuple[Literal["single", "multiple", "indefinite", "judge"], ...], Size(0, 4)] = ()
    tags: Annotated[tuple[str, ...], Text(64), Size(0, 20)] = ()
    difficulties: Annotated[tuple[int, ...], Whole(1, 5), Size(0, 5)] = ()
    points: Annotated[int, Whole(1, 1000)] = 1


@dataclass(frozen=True)
class Paper:
    """Random questions part by part; ``shuffles_choices`` mixes the choices of each.

    ``same_for`` says for how long everybody gets the same questions: every attempt its own, one paper a day, a round, a
    stage, or the whole campaign.
    """

    parts: Annotated[tuple[PaperPart, ...], Size(1, 50)]
    shuffles_choices: bool = True
    same_for: Literal["attempt", "day", "round", "stage", "campaign"] = "attempt"

    @property
    def question_count(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def points(self) -> tuple[int, ...]:
        """What each question is worth, by position."""
        return tuple(part.points for part in self.parts for _ in range(part.count))


@dataclass(frozen=True)
class ExtraTries:
    """Further tries that actions earn: ``tries`` for each action of this kind, so many a day and in all at most.

    Tries for sharing or following are possible and off unless ``is_confirmed``: messengers block what rewards them.
    """

    action: Annotated[str, ACTION]
    tries: Annotated[int, Whole(1, 100)] = 1
    per_day: Annotated[int | None, Whole(1, 1000)] = 1
    total: Annotated[int | None, Whole(1, 100_000)] = None
    is_confirmed: bool = False


@dataclass(frozen=True)
class Tries:
    """None is no limit. Tries count on the Shanghai day of the start; ``per_round`` in the round of the start.

    ``per_channel`` gives every channel its own count. ``counts_abandoned``: whether a paper opened and never answered uses a
    try. ``repairs``: the try after one that was not all right shows the same paper again, with what was right kept.
    """

    per_day: Annotated[int | None, Whole(1, 1000)] = 3
    total: Annotated[int | None, Whole(1, 100_000)] = None
    per_round: Annotated[int | None, Whole(1, 1000)] = None
    per_channel: bool = False
    counts_abandoned: bool = True
    repairs: bool = False
    extra: Annotated[tuple[ExtraTries, ...], Size(0, 10)] = ()


@dataclass(frozen=True)
class Scoring:
    """From marks to a score. By itself a right answer brings its part's points and a wrong one nothing.

    ``wrong`` is taken off for a wrong answer, an unanswered one included (never below 0 in all). ``partial``: a multiple
    choice with no wrong choice and not all right ones brings so many per cent. ``per_second_left`` is added for every whole
    second left of ``item_seconds`` when a right answer was saved. ``run_bonus`` is added for each right answer that follows a
    right one. ``sudden_death``: what comes after the first wrong answer counts as wrong.
    """

    wrong: Annotated[int, Whole(0, 1000)] = 0
    partial: Annotated[int, Whole(0, 100)] = 0
    per_second_left: Annotated[int, Whole(0, 1000)] = 0
    item_seconds: Annotated[int | None, Whole(3, 3600)] = None
    run_bonus: Annotated[int, Whole(0, 1000)] = 0
    sudden_death: bool = False


PLAIN_SCORING = Scoring()


@dataclass(frozen=True)
class Quiz:
    """One thing to answer. Passed with ``pass_count`` right answers or, where given, when ``pass_when`` is met.

    :param requires: must be met before this quiz can be begun (levels in order, a video watched first), by what the citizen
        did in the scope ``requires_per``: the campaign so far, or the day or round of the start
    :param stages: empty is during the whole campaign
    :param tracks: empty is for every track
    """

    paper: Paper
    pass_count: Annotated[int, Whole(0, 1000)] = 0
    id: Code = "main"
    title: Annotated[str, Text(40, may_be_empty=True)] = ""
    pass_when: Condition | None = None
    limit_seconds: Annotated[int | None, Whole(10, 6 * 3600)] = 300
    tries: Tries = field(default_factory=Tries)
    scoring: Scoring = PLAIN_SCORING
    requires: Condition = ALWAYS
    requires_per: Literal["day", "round", "campaign"] = "campaign"
    stages: Codes = ()
    tracks: Codes = ()
    channels: Codes = ()

    @property
    def question_count(self) -> int:
        return self.paper.question_count

    @property
    def is_plain(self) -> bool:
        """Whether right answers are all there is to its result."""
        return self.scoring == PLAIN_SCORING and self.pass_when is None and set(self.paper.points) == {1}


@dataclass(frozen=True)
class Action:
    """Something a citizen does here besides answering, which the server itself has seen: reading an article to its end,
    playing a video, a check-in, an accepted invitation. ``per_day`` and ``total`` of one citizen count; ``seconds`` it takes.
    """

    kind: Annotated[str, ACTION]
    title: Annotated[str, Text(40)]
    per_day: Annotated[int | None, Whole(1, 10_000)] = None
    total: Annotated[int | None, Whole(1, 100_000)] = None
    seconds: Annotated[int, Whole(0, 24 * 3600)] = 0
    max_amount: Annotated[int, Whole(1, 1_000_000)] = 1
    is_confirmed: bool = False
    """Must be set for ``share`` and ``follow``, which are off by default."""


RISKY_ACTIONS = frozenset({"share", "follow", "like"})

"""Who may touch an attempt, until when, which answers are answers, and how they are graded. Plain values only."""

import datetime as dt
import hmac
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

from quizapp.attempts.errors import InvalidChoice
from quizapp.campaigns import rules as campaign_rules
from quizapp.campaigns.terms import Terms
from quizapp.core.crypto import token_hash
from quizapp.core.text import N_
from quizapp.questions import rules as question_rules
from quizapp.questions.rules import Accepted, RevisionView

KEPT_HOURS = campaign_rules.ADOPTION_HOURS
KEPT = dt.timedelta(hours=KEPT_HOURS)
"""How long after its start a paper waits that cannot be graded yet: for a guest to register, for a citizen to complete
the profile."""
NONCE_LENGTH = 64
State = Literal["open", "handed_in", "graded", "lapsed"]
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Asker:
    """Who stands before a paper: a citizen, the holder of a guest token, or both on one phone."""

    citizen_id: uuid.UUID | None = None
    guest_token: str = ""


class Sheet(Protocol):
    """What these rules look at; ``attempts.queries.AttemptView`` is one."""

    @property
    def citizen_id(self) -> uuid.UUID | None: ...
    @property
    def guest_token_hash(self) -> bytes | None: ...
    @property
    def state(self) -> str: ...
    @property
    def started_at(self) -> dt.datetime: ...
    @property
    def deadline_at(self) -> dt.datetime: ...


class Person(Protocol):
    """What a citizen has told about themselves; ``accounts.queries.Profile`` is one."""

    @property
    def demographic_group(self) -> str | None: ...
    @property
    def region_code(self) -> str | None: ...
    @property
    def organisation_id(self) -> uuid.UUID | None: ...
    @property
    def consent_version(self) -> str | None: ...


# ---- whose


def holds_token(sheet: Sheet, guest_token: str) -> bool:
    """Whether this is the token that was given out with the paper, adopted or not."""
    if not guest_token or sheet.guest_token_hash is None:
        return False
    return hmac.compare_digest(bytes(sheet.guest_token_hash), token_hash(guest_token))


def owns(sheet: Sheet, asker: Asker) -> bool:
    """A citizen's paper is the citizen's alone; a guest's belongs to the holder of its token until it is adopted."""
    if sheet.citizen_id is not None:
        return sheet.citizen_id == asker.citizen_id
    return holds_token(sheet, asker.guest_token)


# ---- until when


def closes_at(sheet: Sheet) -> dt.datetime:
    """From this moment on no answer is taken. A guest's paper does not outlive the time in which it can be adopted."""
    if sheet.citizen_id is not None:
        return sheet.deadline_at
    return min(sheet.deadline_at, sheet.started_at + KEPT)


def takes_answers(sheet: Sheet, now: dt.datetime) -> bool:
    """Whether an answer that reaches the server now still counts."""
    return sheet.state == "open" and now < closes_at(sheet)


def takes_hand_in(sheet: Sheet, grace_seconds: int, now: dt.datetime) -> bool:
    """Whether a hand-in that reaches the server now counts as made in time: until the deadline and the terms' grace."""
    return sheet.state == "open" and now < closes_at(sheet) + dt.timedelta(seconds=grace_seconds)


def is_forgotten(sheet: Sheet, now: dt.datetime) -> bool:
    """Whether a paper that could not be graded has waited long enough."""
    if sheet.state == "handed_in" or sheet.citizen_id is None:
        return sheet.state != "graded" and now >= sheet.started_at + KEPT
    return False


def standing(sheet: Sheet, answered_count: int, now: dt.datetime) -> State:
    """The state as it reads now, whether or not the worker has come by: a paper past its deadline is handed in if it
    holds an answer, else lapsed."""
    if sheet.state == "lapsed" or is_forgotten(sheet, now):
        return "lapsed"
    if sheet.state == "graded":
        return "graded"
    if sheet.state == "handed_in":
        return "handed_in"
    if now < closes_at(sheet):
        return "open"
    return "handed_in" if answered_count else "lapsed"


def feedback_at(terms: Terms, current: Terms, status: str, now: dt.datetime) -> dt.datetime | None:
    """When answers and explanations appear; None if they may be shown now.

    :param terms: those the attempt was made under
    :param current: the campaign's terms in force, whose end may have been moved
    """
    if terms.feedback != "after_close":
        return None
    ends_at = max(terms.closes_at, current.closes_at)
    if status == "closed" or now >= ends_at:
        return None
    return ends_at


# ---- answers


def check_nonce(text: str) -> str:
    """The client's nonce in lower case.

    :raises ValueError: unless it is at most 64 hexadecimal digits
    """
    nonce = text.lower()
    if len(nonce) > NONCE_LENGTH or not set(nonce) <= _HEX:
        raise ValueError("not a nonce")
    return nonce


def check_choices(kind: str, choice_order: str, letters: Sequence[str]) -> str:
    """The chosen letters, sorted, as they are kept.

    :param choice_order: as the paper shows the question
    :raises InvalidChoice: for none, for a letter that is not displayed or comes twice, for more than one where one is asked
    """
    if not letters:
        raise InvalidChoice(N_("请至少选一个答案。"))
    if any(len(letter) != 1 for letter in letters) or not question_rules.are_choices(choice_order, "".join(letters)):
        raise InvalidChoice
    if kind in ("single", "judge") and len(letters) != 1:
        raise InvalidChoice(N_("这道题只能选一个答案。"))
    return "".join(sorted(letters))


@dataclass(frozen=True)
class Grade:
    """What a paper is worth. ``marks`` go by position."""

    marks: tuple[bool, ...]

    @property
    def correct_count(self) -> int:
        return sum(self.marks)


def grade(questions: Sequence[tuple[RevisionView, str, str | None]], corrected: Mapping[uuid.UUID, Accepted] | None = None) -> Grade:
    """Grade a paper, each question all or nothing.

    :param questions: by position: revision, order of its choices, chosen letters (None: not answered)
    :param corrected: what counts as right instead of the key, for revisions whose key turned out wrong
    """
    changed = corrected or {}
    return Grade(
        tuple(
            question_rules.is_accepted(changed[view.id], order, chosen)
            if view.id in changed
            else question_rules.is_right(view, order, chosen)
            for view, order, chosen in questions
        )
    )


# ---- what it earns


Values = Mapping[str, int | Fraction]
"""Measures of a graded attempt by name."""


@dataclass(frozen=True)
class Earnings:
    """What a graded attempt brings. ``points`` holds the fixed reward too."""

    ticket_count: int
    points: int
    fixed_points: int


def earnings(
    terms: Terms,
    *,
    passed: bool,
    group: str | None,
    age_band: str | None,
    graded_today: int,
    rewarded_today: int,
    values: Values | None = None,
    granted_today: int = 0,
) -> Earnings:
    """Tickets and points by the terms the attempt was made under.

    :param graded_today: attempts of this citizen and campaign graded before on this Shanghai day
    :param rewarded_today: those of them that had the fixed reward
    :param values: the attempt's measures, where bands decide the number of tickets
    :param granted_today: tickets this citizen had on this Shanghai day, where the terms limit them
    """
    fixed = campaign_rules.fixed_reward_for(terms, passed=passed, group=group, age_band=age_band, rewarded_today=rewarded_today)
    return Earnings(
        ticket_count=campaign_rules.tickets_for(
            terms, passed=passed, group=group, age_band=age_band, values=values, granted_today=granted_today
        ),
        points=campaign_rules.points_for(terms, passed=passed, graded_today=graded_today) + fixed,
        fixed_points=fixed,
    )


def missing_fields(person: Person, terms: Terms) -> tuple[str, ...]:
    """What the citizen has to tell before a result counts.

    The age band is not among it: the draw asks for it, and an unknown one is 未填写 in the figures.
    """
    asked: list[tuple[str, object]] = [
        ("consent", person.consent_version),
        ("demographic_group", person.demographic_group),
        ("region", person.region_code),
    ]
    if terms.eligibility.asks_organisation:
        asked.append(("organisation", person.organisation_id))
    return tuple(name for name, value in asked if value is None)


# ---- marking again after a key was corrected


@dataclass(frozen=True)
class Marked:
    """A graded attempt as marking it again looks at it. ``day_turn`` counts the day's graded attempts from 1; nothing is
    given to an excluded attempt or to somebody who has left."""

    marks: str
    correct_count: int
    is_passed: bool
    ticket_count: int
    points: int
    fixed_points: int
    day_turn: int
    group: str | None
    age_band: str | None
    may_earn: bool = True


@dataclass(frozen=True)
class Remarked:
    """What marking again makes of an attempt. ``tickets`` and ``points`` are what it is given on top, never below zero;
    ``fixed_points`` is the fixed reward it would be given if its day had none yet."""

    marks: str
    correct_count: int
    is_passed: bool
    tickets: int
    points: int
    fixed_points: int


def remark(
    terms: Terms, marked: Marked, position: int, is_right: bool, weigh: Callable[[str], tuple[bool, Values]] | None = None
) -> Remarked | None:
    """Mark one question of a graded attempt again, by the terms it was made under; None if its mark stays.

    :param position: from 1
    :param weigh: tells whether a row of marks passes, and its measures, where more than the count of right answers decides
    """
    mark = "1" if is_right else "0"
    if marked.marks[position - 1] == mark:
        return None
    marks = marked.marks[: position - 1] + mark + marked.marks[position:]
    return regrade(terms, marked, marks, marks.count("1"), weigh)


def regrade(
    terms: Terms, marked: Marked, marks: str, correct_count: int, weigh: Callable[[str], tuple[bool, Values]] | None = None
) -> Remarked:
    """What an attempt with other marks comes to. What was earned stays earned: only what the new result brings beyond it
    is given. Tickets that a daily limit kept back are not given now."""
    passed, values = weigh(marks) if weigh else (campaign_rules.is_passed(terms, correct_count), None)
    if not marked.may_earn:
        return Remarked(marks, correct_count, passed, 0, 0, 0)
    group, age_band = marked.group, marked.age_band
    earned = earnings(
        terms, passed=passed, group=group, age_band=age_band, graded_today=marked.day_turn - 1, rewarded_today=0, values=values
    )
    had = marked.ticket_count
    if terms.draw is not None and terms.draw.draws_per_day is not None:
        before = weigh(marked.marks)[1] if weigh else None
        had = max(had, campaign_rules.tickets_for(terms, passed=marked.is_passed, values=before, group=group, age_band=age_band))
    return Remarked(
        marks=marks,
        correct_count=correct_count,
        is_passed=passed,
        tickets=max(0, earned.ticket_count - had),
        points=max(0, earned.points - earned.fixed_points - (marked.points - marked.fixed_points)),
        fixed_points=0 if marked.fixed_points else earned.fixed_points,
    )

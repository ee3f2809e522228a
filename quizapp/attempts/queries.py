"""Reading attempts. The hot reads are Core statements made once: building them anew costs more than running them."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from quizapp.accounts.queries import CITIZENS, CITIZENS_WITH_UNIT, PROFILE_COLUMNS, Profile, as_profile
from quizapp.attempts import rules
from quizapp.attempts.errors import AttemptNotFound
from quizapp.attempts.models import Attempt, AttemptEvent, AttemptQuestion
from quizapp.campaigns.models import Campaign
from quizapp.core.db import UtcDateTime, db
from quizapp.core.statements import fetch, fetch_alone

ATTEMPTS = cast(sa.Table, Attempt.__table__)
QUESTIONS = cast(sa.Table, AttemptQuestion.__table__)
_A, _Q = ATTEMPTS.c, QUESTIONS.c


@dataclass(frozen=True)
class QuestionView:
    """One question of a paper. ``chosen`` are displayed letters, sorted; ``is_correct`` stays None until it is final."""

    position: int
    revision_id: uuid.UUID
    choice_order: str
    chosen: str | None
    is_correct: bool | None


@dataclass(frozen=True)
class AttemptView:
    """A paper with its questions by position. Moments are UTC."""

    id: uuid.UUID
    campaign_id: uuid.UUID
    terms_id: uuid.UUID
    citizen_id: uuid.UUID | None
    guest_token_hash: bytes | None
    client_nonce: str
    state: str
    quiz_id: str
    track: str
    channel: str
    round_key: str
    started_at: dt.datetime
    started_on: dt.date
    deadline_at: dt.datetime
    is_large_type: bool
    question_count: int
    handed_in_at: dt.datetime | None
    is_automatic: bool
    adopted_at: dt.datetime | None
    submitted_at: dt.datetime | None
    correct_count: int | None
    marks: str | None
    score: int | None
    is_passed: bool | None
    ticket_count: int
    points: int
    fixed_points: int
    save_count: int
    questions: tuple[QuestionView, ...] = ()

    @property
    def answered_count(self) -> int:
        return sum(question.chosen is not None for question in self.questions)

    @property
    def saved_positions(self) -> tuple[int, ...]:
        return tuple(question.position for question in self.questions if question.chosen is not None)

    @property
    def first_unanswered(self) -> int:
        """The position to go on with: the first without an answer, else the last."""
        return next((question.position for question in self.questions if question.chosen is None), self.question_count)

    def standing(self, now: dt.datetime) -> rules.State:
        return rules.standing(self, self.answered_count, now)


_FIELDS = tuple(name for name in AttemptView.__dataclass_fields__ if name != "questions")
_ID = sa.bindparam("attempt_id", type_=sa.Uuid)
_SHEET = tuple(_A[name] for name in _FIELDS)
_PAPER = (
    sa.select(*_SHEET, _Q.position, _Q.revision_id, _Q.choice_order, _Q.chosen)
    .join_from(ATTEMPTS, QUESTIONS, _Q.attempt_id == _A.id)
    .where(_A.id == _ID)
    .order_by(_Q.position)
)


@dataclass(frozen=True)
class Turns:
    """What a citizen has had graded in this campaign on one Shanghai day."""

    graded: int = 0
    rewarded: int = 0


_other = ATTEMPTS.alias("other")
_this = ATTEMPTS.alias("this")
_TODAY = sa.bindparam("today", type_=sa.Date)


def _of_this(column: str) -> sa.ScalarSelect[Any]:
    return sa.select(_this.c[column]).where(_this.c.id == _ID).scalar_subquery()


def _of_last_turn(measure: sa.ColumnElement[int | None], citizen: Any, campaign: Any) -> sa.ColumnElement[int]:
    """A column of the day's last turn, 0 without one. Order and limit are the unique index's own: counting the day's rows
    instead let the planner read the whole campaign's day, which it takes for empty on a campaign's first morning."""
    last = sa.select(measure).where(
        _other.c.campaign_id == campaign, _other.c.citizen_id == citizen, _other.c.submitted_on == _TODAY, _other.c.day_turn.is_not(None)
    )
    return sa.func.coalesce(last.order_by(_other.c.day_turn.desc()).limit(1).scalar_subquery(), 0)


# One statement locks the paper and its answers and counts the day. Both tables are locked: whoever waited for a save to
# commit must read the answer that save wrote, and PostgreSQL reads anew only what it locks.
_COUNTED_PAPER = _PAPER.add_columns(
    _of_last_turn(_other.c.day_turn, _of_this("citizen_id"), _of_this("campaign_id")).label("graded_today"),
    _of_last_turn(_other.c.day_rewards, _of_this("citizen_id"), _of_this("campaign_id")).label("rewarded_today"),
)
_LOCKED_PAPER = _COUNTED_PAPER.with_for_update(of=[ATTEMPTS, QUESTIONS])
_CITIZEN = sa.bindparam("citizen_id", type_=sa.Uuid)
_LOCKED_OWN_PAPER = (
    _COUNTED_PAPER.add_columns(*PROFILE_COLUMNS)
    .join(CITIZENS_WITH_UNIT, CITIZENS.c.id == _A.citizen_id)
    .where(CITIZENS.c.id == _CITIZEN)
    .with_for_update(of=[ATTEMPTS, QUESTIONS, CITIZENS])
)


class _lines(FunctionElement[str]):
    """All values of a column, a line each. ``aggregate_strings`` asks for its separator at every execution."""

    type = sa.String()
    inherit_cache = True


@compiles(_lines, "postgresql")
def _lines_postgresql(element: _lines, compiler: SQLCompiler, **options: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **options)}, chr(10))"


@compiles(_lines, "sqlite")
def _lines_sqlite(element: _lines, compiler: SQLCompiler, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)}, char(10))"


_SPACE: sa.ColumnClause[str] = sa.literal_column("' '")
_ANSWER_LINE = sa.func.coalesce(_Q.chosen, "") + _SPACE + _Q.choice_order + _SPACE + sa.cast(_Q.revision_id, sa.String)
_ANSWER_LINE += _SPACE + sa.cast(_Q.position, sa.String)
# Without a lock the questions fit into one column: a row of forty columns per question costs more than the join.
_OWN_PAPER = (
    sa.select(
        *_SHEET,
        sa.select(_lines(_ANSWER_LINE)).where(_Q.attempt_id == _ID).scalar_subquery().label("answers"),
        _of_last_turn(_other.c.day_turn, _CITIZEN, _of_this("campaign_id")).label("graded_today"),
        _of_last_turn(_other.c.day_rewards, _CITIZEN, _of_this("campaign_id")).label("rewarded_today"),
        *PROFILE_COLUMNS,
    )
    .join_from(ATTEMPTS, CITIZENS_WITH_UNIT, CITIZENS.c.id == _A.citizen_id)
    .where(_A.id == _ID, CITIZENS.c.id == _CITIZEN)
)
_CAMPAIGN = sa.bindparam("campaign_id", type_=sa.Uuid)
_COUNT_TURNS = sa.select(
    _of_last_turn(_other.c.day_turn, _CITIZEN, _CAMPAIGN).label("graded"),
    _of_last_turn(_other.c.day_rewards, _CITIZEN, _CAMPAIGN).label("rewarded"),
)


def _view(rows: Sequence[Any]) -> AttemptView:
    if not rows:
        raise AttemptNotFound
    width = len(_FIELDS)
    marks: str | None = rows[0].marks
    questions = tuple(
        QuestionView(position, revision_id, order, chosen, None if marks is None else marks[position - 1] == "1")
        for position, revision_id, order, chosen in (row[width : width + 4] for row in rows)
    )
    fields: tuple[Any, ...] = (*rows[0][:width], questions)
    return AttemptView(*fields)


def get_attempt(attempt_id: uuid.UUID) -> AttemptView:
    """:raises AttemptNotFound: if there is no such attempt"""
    return _view(fetch_alone(_PAPER, {"attempt_id": attempt_id}))


def lock_attempt(attempt_id: uuid.UUID, today: dt.date) -> tuple[AttemptView, Turns]:
    """Lock a paper with its answers until the transaction ends, and count what its citizen had graded ``today``.

    :raises AttemptNotFound: if there is no such attempt
    """
    rows = fetch(_LOCKED_PAPER, {"attempt_id": attempt_id, "today": today})
    return _view(rows), Turns(rows[0].graded_today, rows[0].rewarded_today)


def lock_own_attempt(attempt_id: uuid.UUID, citizen_id: uuid.UUID, today: dt.date) -> tuple[AttemptView, Turns, Profile] | None:
    """The same for a citizen's own paper, with the citizen's row locked and read in the same statement (order: attempt →
    citizen); None if it is not this citizen's."""
    rows = fetch(_LOCKED_OWN_PAPER, {"attempt_id": attempt_id, "citizen_id": citizen_id, "today": today})
    if not rows:
        return None
    return _view(rows), Turns(rows[0].graded_today, rows[0].rewarded_today), as_profile(rows[0])


def find_own_attempt(attempt_id: uuid.UUID, citizen_id: uuid.UUID, today: dt.date) -> tuple[AttemptView, Turns, Profile] | None:
    """The same without a lock, in a statement by itself: what is written after it must be guarded by ``save_count``."""
    rows = fetch_alone(_OWN_PAPER, {"attempt_id": attempt_id, "citizen_id": citizen_id, "today": today})
    if not rows:
        return None
    [row] = rows
    questions = sorted(_answers(row.answers, row.marks), key=lambda question: question.position)
    fields: tuple[Any, ...] = (*row[: len(_FIELDS)], tuple(questions))
    return AttemptView(*fields), Turns(row.graded_today, row.rewarded_today), as_profile(row)


def _answers(lines: str, marks: str | None) -> Iterator[QuestionView]:
    for line in lines.split("\n"):
        chosen, order, revision_id, position = line.split(" ")
        is_correct = None if marks is None else marks[int(position) - 1] == "1"
        yield QuestionView(int(position), uuid.UUID(revision_id), order, chosen or None, is_correct)


def count_turns(citizen_id: uuid.UUID, campaign_id: uuid.UUID, today: dt.date) -> Turns:
    """What a citizen had graded in a campaign on a Shanghai day."""
    [row] = fetch(_COUNT_TURNS, {"citizen_id": citizen_id, "campaign_id": campaign_id, "today": today})
    return Turns(row.graded, row.rewarded)


def list_answer_seconds(attempt_id: uuid.UUID, started_at: dt.datetime) -> dict[int, int]:
    """Whole seconds each answered question of a paper took, by position: from the save before (for the first, the start) to
    its own last one, in the order in which they were saved."""
    saved = sa.select(_Q.position, _Q.answered_at).where(_Q.attempt_id == attempt_id, _Q.answered_at.is_not(None))
    found, before = {}, started_at
    for position, at in db.session.execute(saved.order_by(_Q.answered_at, _Q.position)):
        found[position] = max(0, int((at - before).total_seconds()))
        before = at
    return found


# ---- saving one answer


@dataclass(frozen=True)
class AnswerSheet:
    """As much of a paper as saving one answer needs; ``revision_id`` is None where it has no such position."""

    id: uuid.UUID
    citizen_id: uuid.UUID | None
    guest_token_hash: bytes | None
    state: str
    started_at: dt.datetime
    deadline_at: dt.datetime
    revision_id: uuid.UUID | None
    choice_order: str | None


_ANSWER_SHEET = (
    sa.select(_A.id, _A.citizen_id, _A.guest_token_hash, _A.state, _A.started_at, _A.deadline_at, _Q.revision_id, _Q.choice_order)
    .join_from(ATTEMPTS, QUESTIONS, sa.and_(_Q.attempt_id == _A.id, _Q.position == sa.bindparam("position")), isouter=True)
    .where(_A.id == _ID)
    .with_for_update(of=ATTEMPTS)
)


def lock_answer_sheet(attempt_id: uuid.UUID, position: int) -> AnswerSheet:
    """Lock a paper and read one question of it.

    :raises AttemptNotFound: if there is no such attempt
    """
    rows = fetch(_ANSWER_SHEET, {"attempt_id": attempt_id, "position": position})
    if not rows:
        raise AttemptNotFound
    return AnswerSheet(*rows[0])


# ---- tries


@dataclass(frozen=True)
class Tries:
    """Attempts a citizen has begun in a campaign, the abandoned ones too."""

    today: int
    total: int
    open_id: uuid.UUID | None


_TRIES = sa.select(
    sa.func.coalesce(sa.func.max(sa.case((_A.started_on == _TODAY, _A.day_try))), 0),
    sa.func.coalesce(sa.func.max(_A.total_try), 0),
).where(_A.campaign_id == _CAMPAIGN, _A.citizen_id == _CITIZEN)
_OPEN = sa.select(_A.id).where(_A.campaign_id == _CAMPAIGN, _A.citizen_id == _CITIZEN, _A.state == "open")
_TRIES_AND_OPEN = _TRIES.add_columns(_OPEN.scalar_subquery())


def count_tries(citizen_id: uuid.UUID, campaign_id: uuid.UUID, day: dt.date) -> Tries:
    """How often a citizen has begun an attempt, on that Shanghai day and ever, and the one that is open."""
    [row] = fetch(_TRIES_AND_OPEN, {"citizen_id": citizen_id, "campaign_id": campaign_id, "today": day})
    return Tries(*row)


def find_best(citizen_id: uuid.UUID, campaign_id: uuid.UUID) -> int | None:
    """The most right answers a citizen has had in a campaign."""
    graded = sa.select(sa.func.max(_A.correct_count)).where(_A.campaign_id == campaign_id, _A.citizen_id == citizen_id)
    best: int | None = db.session.scalar(graded.where(_A.state == "graded"))
    return best


_OPEN_SHEET = sa.select(_A.id, _A.deadline_at).where(_A.campaign_id == _CAMPAIGN, _A.citizen_id == _CITIZEN, _A.state == "open")


def find_open(citizen_id: uuid.UUID, campaign_id: uuid.UUID) -> tuple[uuid.UUID, dt.datetime] | None:
    """Id and deadline of a citizen's open attempt in a campaign."""
    rows = fetch(_OPEN_SHEET, {"citizen_id": citizen_id, "campaign_id": campaign_id})
    return (rows[0][0], rows[0][1]) if rows else None


# ---- what the worker looks for


def list_overdue_terms(now: dt.datetime) -> list[uuid.UUID]:
    """The terms under which open papers are past their deadline; the grace each gives decides whether they close."""
    return list(db.session.scalars(sa.select(_A.terms_id).where(_A.state == "open", _A.deadline_at <= now).distinct()))


def lock_overdue(terms_id: uuid.UUID, before: dt.datetime, limit: int) -> list[uuid.UUID]:
    """Lock open papers of these terms whose deadline was ``before`` or earlier, leaving out those somebody else holds."""
    found = (
        sa.select(_A.id)
        .where(_A.state == "open", _A.terms_id == terms_id, _A.deadline_at <= before)
        .order_by(_A.deadline_at, _A.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(db.session.scalars(found))


def list_overdue(now: dt.datetime, limit: int) -> list[uuid.UUID]:
    """Open papers past their deadline, the oldest first, without a lock and without regard to grace."""
    found = sa.select(_A.id).where(_A.state == "open", _A.deadline_at <= now).order_by(_A.deadline_at, _A.id).limit(limit)
    return list(db.session.scalars(found))


def count_events(attempt_id: uuid.UUID) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(AttemptEvent).filter_by(attempt_id=attempt_id)) or 0


# ---- a citizen's own list


@dataclass(frozen=True)
class HistoryItem:
    """One attempt in a citizen's list."""

    id: uuid.UUID
    campaign_slug: str
    campaign_title: str
    state: rules.State
    started_at: dt.datetime
    submitted_at: dt.datetime | None
    question_count: int
    correct_count: int | None
    is_passed: bool | None
    ticket_count: int
    points: int


def list_attempts(
    citizen_id: uuid.UUID,
    now: dt.datetime,
    *,
    limit: int = 20,
    offset: int = 0,
    before: tuple[dt.datetime, uuid.UUID] | None = None,
    campaign_id: uuid.UUID | None = None,
) -> list[HistoryItem]:
    """A citizen's attempts, the newest first.

    :param before: start and id of the last item of the page before
    """
    answered = sa.select(sa.func.count()).where(_Q.attempt_id == _A.id, _Q.chosen.is_not(None)).scalar_subquery()
    found = (
        sa.select(*_SHEET, answered.label("answered_count"), Campaign.slug, Campaign.title)
        .join(Campaign, Campaign.id == _A.campaign_id)
        .where(_A.citizen_id == citizen_id)
        .order_by(_A.started_at.desc(), _A.id.desc())
        .limit(limit)
        .offset(offset)
    )
    if before is not None:
        place = sa.tuple_(sa.literal(before[0], UtcDateTime), sa.literal(before[1], sa.Uuid))
        found = found.where(sa.tuple_(_A.started_at, _A.id) < place)
    if campaign_id is not None:
        found = found.where(_A.campaign_id == campaign_id)
    return [
        HistoryItem(
            id=row.id,
            campaign_slug=row.slug,
            campaign_title=row.title,
            state=rules.standing(cast(rules.Sheet, row), row.answered_count, now),
            started_at=row.started_at,
            submitted_at=row.submitted_at,
            question_count=row.question_count,
            correct_count=row.correct_count,
            is_passed=row.is_passed,
            ticket_count=row.ticket_count,
            points=row.points,
        )
        for row in db.session.execute(found)
    ]


def list_by_tokens(hashes: Sequence[bytes]) -> list[AttemptView]:
    """Papers of guests by the hashes of their tokens, the newest first; adopted ones are left out."""
    if not hashes:
        return []
    ids = sa.select(_A.id).where(_A.guest_token_hash.in_(hashes), _A.citizen_id.is_(None)).order_by(_A.started_at.desc())
    return [get_attempt(attempt_id) for attempt_id in db.session.scalars(ids)]

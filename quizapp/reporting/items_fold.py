"""Folding attempts into item statistics, one campaign at a time.

Attempts are read in one snapshot, a hundred at a time, and only tallies are kept of them. A campaign is read again when its stamp
has changed: hand-ins, exclusions and re-marks all change it. A campaign that takes long to read is read more seldom, so
that folding never costs more than a small share of the machine.
"""

import datetime as dt
import functools
import itertools
import json
import logging
import operator
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.attempts.models import AttemptRemark
from quizapp.attempts.queries import ATTEMPTS, QUESTIONS
from quizapp.core.db import db, transaction
from quizapp.core.statements import Write, fetch, run_writes
from quizapp.questions.models import Question
from quizapp.questions.queries import get_revisions, list_key_changes
from quizapp.questions.services import replace_flags
from quizapp.reporting import items_rules
from quizapp.reporting.items_rules import Counting, ItemFigures, Sheet, Tally
from quizapp.reporting.models import ItemFold, ItemStatistic

log = logging.getLogger(__name__)

ALL = uuid.UUID(int=0)
"""The scope of all campaigns together."""
VERSION = 1
"""Raised when the counting changes, so that everything is folded again."""
REST_FACTOR = 20
"""A campaign whose folding took a second is left alone for so many."""
CHUNK = 100
"""Attempts read at a time. Measured: with thousands, the collector of garbage takes as long as everything else."""
BATCH = 200
"""Revisions written at a time."""
FLAG_COLUMNS = {
    "negative": ItemStatistic.is_negative,
    "hard": ItemStatistic.is_hard,
    "easy": ItemStatistic.is_easy,
    "idle": ItemStatistic.has_idle,
}


_A, _Q = ATTEMPTS.c, QUESTIONS.c


@dataclass(frozen=True)
class Stamp:
    """What the attempts of a campaign look like from far: two that are equal stand for the same attempts."""

    text: str
    exclusions: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Fold:
    """The attempts of one campaign as they were at one moment."""

    campaign_id: uuid.UUID
    stamp: Stamp
    tallies: Mapping[uuid.UUID, Tally]
    paper_count: int
    read_at: dt.datetime
    took_ms: int


def _text(column: sa.ColumnElement[uuid.UUID], is_sqlite: bool) -> sa.ColumnElement[str]:
    """An id as text, as SQLite keeps it: making millions of ``UUID`` and comparing them takes longer than the counting."""
    return sa.type_coerce(column, sa.String) if is_sqlite else sa.cast(column, sa.Text)


def list_stamps(campaign_id: uuid.UUID | None = None) -> dict[uuid.UUID, Stamp]:
    """Stamps of all campaigns (or one) with graded attempts. Reads the table through, which takes a second for millions.

    On SQLite the campaign is grouped as a text that no index knows: going by the index it fetches row after row from all
    over the file, five times slower.
    """
    is_sqlite = db.engine.dialect.name == "sqlite"
    narrow = [] if campaign_id is None else [_A.campaign_id == campaign_id]
    campaign: sa.ColumnElement[Any] = _text(_A.campaign_id, True).concat("") if is_sqlite else _A.campaign_id
    reason = sa.case((_A.excluded_at.is_not(None), sa.func.coalesce(_A.exclusion_reason, "")))
    measures = (sa.func.count(), sa.func.sum(_A.correct_count), sa.func.max(_A.submitted_at), sa.func.max(_A.excluded_at))
    parts = sa.select(campaign, reason, *measures).where(_A.state == "graded", _A.citizen_id.is_not(None), *narrow)
    remarks = sa.select(campaign, sa.func.count()).join_from(AttemptRemark, ATTEMPTS, _A.id == AttemptRemark.attempt_id).where(*narrow)
    remarked: dict[Any, int] = dict(db.session.execute(remarks.group_by(campaign)).all())
    found: dict[Any, list[Any]] = {}
    for row in db.session.execute(parts.group_by(campaign, reason).order_by(reason)):
        found.setdefault(row[0], []).append(row)
    return {uuid.UUID(str(id_)): _stamp(rows, remarked.get(id_, 0)) for id_, rows in found.items()}


def _stamp(rows: Sequence[Any], remark_count: int) -> Stamp:
    """What was counted as one digest, so that any number of reasons fits."""
    said = [f"{reason or ''}:{count}:{correct}:{last}:{excluded}" for _, reason, count, correct, last, excluded in rows]
    digest = uuid.uuid5(ALL, "|".join(said)).hex
    exclusions = tuple((reason, count) for _, reason, count, *_ in rows if reason is not None)
    return Stamp(f"{VERSION}.{remark_count}.{digest}", exclusions)


# ---- reading


def _seconds(column: sa.ColumnElement[Any], is_sqlite: bool) -> sa.ColumnElement[float]:
    """A moment as seconds, good to a millisecond: the difference of two is all that is looked at."""
    if is_sqlite:
        return sa.func.julianday(column, type_=sa.Float) * 86_400.0
    return sa.cast(sa.extract("epoch", column), sa.Float)


@functools.cache
def _papers(is_sqlite: bool) -> sa.Select[*tuple[Any, ...]]:
    """Valid attempts of a campaign, in whatever order they lie."""
    return sa.select(_A.id, _text(_A.id, is_sqlite).label("key"), _A.marks, _seconds(_A.started_at, is_sqlite).label("started_at")).where(
        _A.campaign_id == sa.bindparam("campaign_id", type_=sa.Uuid),
        _A.state == "graded",
        _A.citizen_id.is_not(None),
        _A.excluded_at.is_(None),
        _A.marks.is_not(None),
    )


@functools.cache
def _sheets(is_sqlite: bool) -> sa.Select[*tuple[Any, ...]]:
    """The questions of some attempts, attempt by attempt. A list of ids always goes by the primary key; a join of a day or
    a campaign was read through the whole table."""
    key = _text(_Q.attempt_id, is_sqlite)
    if is_sqlite:
        listed = sa.select(sa.func.json_each(sa.bindparam("ids", type_=sa.String)).table_valued("value").c.value)
        wanted: sa.ColumnElement[bool] = sa.type_coerce(_Q.attempt_id, sa.String).in_(listed)
    else:
        wanted = _Q.attempt_id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid)))
    columns = (key.label("paper"), _Q.position, _text(_Q.revision_id, is_sqlite).label("revision_id"), _Q.choice_order, _Q.chosen)
    return sa.select(*columns, _seconds(_Q.answered_at, is_sqlite).label("answered_at")).where(wanted).order_by(_Q.attempt_id, _Q.position)


def _begin_snapshot() -> None:
    """One reading transaction whose statements all see the same rows."""
    db.session.rollback()
    options = {} if db.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    db.session.connection(execution_options=options)


def _stream(campaign_id: uuid.UUID) -> Iterator[tuple[str, float, list[Sheet]]]:
    """(marks, moment of the start in seconds, questions) of every valid attempt, a hundred in memory. Rows have the
    fields of :class:`Sheet` and stand for it."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    attempts = db.session.execute(_papers(is_sqlite), {"campaign_id": campaign_id}, execution_options={"yield_per": CHUNK})
    for some in attempts.partitions():
        heads = {key: (marks, started_at) for _, key, marks, started_at in some}
        ids = [row[0] for row in some]
        rows = fetch(_sheets(is_sqlite), {"ids": json.dumps([id_.hex for id_ in ids]) if is_sqlite else ids})
        for key, paper in itertools.groupby(rows, operator.itemgetter(0)):
            yield *heads[key], list(paper)


def read_campaign(campaign_id: uuid.UUID, now: dt.datetime) -> Fold | None:
    """Count every valid attempt of a campaign; None if there is none, excluded or not. Ends the session's transaction
    before and after."""
    began = time.monotonic()
    _begin_snapshot()
    try:
        stamp = list_stamps(campaign_id).get(campaign_id)
        if stamp is None:
            return None
        counting = Counting()
        for marks, started_at, sheets in _stream(campaign_id):
            counting.add(marks, started_at, sheets)
    finally:
        db.session.rollback()
    tallies = {uuid.UUID(str(id_)): tally for id_, tally in counting.tallies.items()}
    return Fold(campaign_id, stamp, tallies, counting.paper_count, now, int((time.monotonic() - began) * 1000))


# ---- writing

_FIRST = (
    "INSERT INTO item_folds (scope, stamp, paper_count, exclusions, folded_at, checked_at, took_ms) "
    "VALUES (:f_scope, '', 0, '[]', :f_long_ago, :f_long_ago, 0) ON CONFLICT DO NOTHING"
)
_LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Figured:
    """A fold with its rows, ready to be written; ``based_on`` tells which other folds were added up with it."""

    fold: Fold
    rows: Sequence[dict[str, Any]]
    gone: Sequence[uuid.UUID]
    based_on: dt.datetime


def figure_out(fold: Fold) -> Figured:
    """Compute the campaign's rows and the new rows of all campaigns together. Reads only: the computing takes longer than
    the writing, and nobody should wait for it."""
    based_on = db.session.scalar(sa.select(ItemFold.folded_at).filter_by(scope=ALL)) or _LONG_AGO
    before = db.session.scalars(sa.select(ItemStatistic.revision_id).where(ItemStatistic.scope == fold.campaign_id)).all()
    concerned = sorted({*before, *fold.tallies})
    rows = _rows(fold.campaign_id, fold.tallies)
    sums = {id_: Tally(tally.cells, tally.seconds) for id_, tally in fold.tallies.items()}
    shared: set[uuid.UUID] = set()
    for revision_id, body in _tallies_of_others(fold.campaign_id, concerned):
        sums.setdefault(revision_id, Tally()).merge(Tally.from_dict(body))
        shared.add(revision_id)
    alone = [{**row, "scope": ALL} for row in rows if row["revision_id"] not in shared]
    together = _rows(ALL, {id_: sums[id_] for id_ in shared})
    return Figured(fold, [*rows, *alone, *together], concerned, based_on)


def _tallies_of_others(campaign_id: uuid.UUID, revision_ids: Sequence[uuid.UUID]) -> Iterator[Any]:
    columns = sa.select(ItemStatistic.revision_id, ItemStatistic.tally).where(ItemStatistic.scope.not_in((ALL, campaign_id)))
    for start in range(0, len(revision_ids), BATCH):
        yield from db.session.execute(columns.where(ItemStatistic.revision_id.in_(revision_ids[start : start + BATCH])))


def write_fold(found: Figured) -> bool:
    """Put a campaign's rows in the place of its earlier ones. False, and nothing is written, if another fold was written
    since these rows were added up."""
    fold = found.fold
    everything, mine = _lock_fold(ALL), _lock_fold(fold.campaign_id)
    if everything.folded_at != found.based_on or mine.folded_at >= fold.read_at:
        return False
    for start in range(0, len(found.gone), BATCH):
        concerned = ItemStatistic.revision_id.in_(found.gone[start : start + BATCH])
        db.session.execute(sa.delete(ItemStatistic).where(concerned, ItemStatistic.scope.in_((ALL, fold.campaign_id))))
    for start in range(0, len(found.rows), BATCH):
        db.session.execute(sa.insert(ItemStatistic), found.rows[start : start + BATCH])
    mine.stamp, mine.paper_count, mine.took_ms = fold.stamp.text, fold.paper_count, fold.took_ms
    mine.exclusions = [list(pair) for pair in fold.stamp.exclusions]
    mine.folded_at = mine.checked_at = fold.read_at
    everything.folded_at = max(fold.read_at, everything.folded_at + dt.timedelta(microseconds=1))
    db.session.flush()
    return True


def _lock_fold(scope: uuid.UUID) -> ItemFold:
    """The row of a scope, made if it is not there. Whoever writes statistics holds that of all campaigns."""
    run_writes(Write(_FIRST, {"f_scope": scope, "f_long_ago": _LONG_AGO}))
    return db.session.scalars(sa.select(ItemFold).filter_by(scope=scope).with_for_update().execution_options(populate_existing=True)).one()


def _rows(scope: uuid.UUID, tallies: Mapping[uuid.UUID, Tally]) -> list[dict[str, Any]]:
    views = get_revisions(tallies)
    return [
        {"scope": scope, "revision_id": id_, "question_id": views[id_].question_id, **_columns(found), "tally": tallies[id_].to_dict()}
        for id_, found in figures_of(tallies).items()
    ]


def figures_of(tallies: Mapping[uuid.UUID, Tally]) -> dict[uuid.UUID, ItemFigures]:
    """What the tallies of these revisions say, by the keys that hold now."""
    views, changes = get_revisions(tallies), list_key_changes()
    return {
        id_: items_rules.figures(
            tally,
            kind=views[id_].kind,
            choice_count=len(views[id_].choices),
            accepted=changes[id_].accepted if id_ in changes else (views[id_].answer,),
        )
        for id_, tally in tallies.items()
    }


def _columns(found: ItemFigures) -> dict[str, Any]:
    names = ("shown_count", "answered_count", "correct_count", "timed_count", "facility", "discrimination", "median_seconds")
    flags = {column.key: flag in found.flags for flag, column in FLAG_COLUMNS.items()}
    return {**{name: getattr(found, name) for name in names}, **flags}


# ---- what is due


def fold_due(now: dt.datetime, *, everything: bool = False) -> int:
    """Fold every campaign whose attempts have changed, and say to the questions what was found. Opens its own
    transactions. Returns how many campaigns were read.

    :param everything: read also what has not changed, and without waiting
    """
    db.session.rollback()
    stamps = list_stamps()
    known = {row.scope: row for row in db.session.scalars(sa.select(ItemFold))}
    db.session.rollback()
    same = [scope for scope, stamp in stamps.items() if scope in known and known[scope].stamp == stamp.text]
    due = [scope for scope in sorted(stamps) if everything or (scope not in same and _may_read(known.get(scope), now))]
    done = sum(_fold(scope, now) for scope in due)
    _note_unchanged([scope for scope in same if scope not in due], now)
    if done:
        with transaction():
            _flag_questions(now)
    return done


def _may_read(row: ItemFold | None, now: dt.datetime) -> bool:
    return row is None or now >= row.folded_at + dt.timedelta(milliseconds=REST_FACTOR * row.took_ms)


def _fold(campaign_id: uuid.UUID, now: dt.datetime) -> bool:
    fold = read_campaign(campaign_id, now)
    if fold is None:
        return False
    found = figure_out(fold)
    with transaction():
        is_written = write_fold(found)
    log.info("items of campaign %s: %d papers, %d revisions in %d ms", campaign_id, fold.paper_count, len(fold.tallies), fold.took_ms)
    return is_written


def _note_unchanged(scopes: Sequence[uuid.UUID], now: dt.datetime) -> None:
    if scopes:
        with transaction():
            db.session.execute(sa.update(ItemFold).where(ItemFold.scope.in_(scopes), ItemFold.folded_at <= now).values(checked_at=now))


def _flag_questions(now: dt.datetime) -> None:
    """Tell the staff's list of questions which of those in use look odd. Only the revision in use is judged."""
    in_use = sa.select(ItemStatistic).join(Question, Question.current_revision_id == ItemStatistic.revision_id)
    rows = db.session.scalars(in_use.where(ItemStatistic.scope == ALL, sa.or_(*FLAG_COLUMNS.values()))).all()
    found = figures_of({row.revision_id: Tally.from_dict(row.tally) for row in rows})
    remarks = {
        row.question_id: [(flag, items_rules.flag_detail(flag, found[row.revision_id])) for flag in found[row.revision_id].flags]
        for row in rows
    }
    replace_flags("items", remarks, now=now)

"""Keys that turned out wrong.

Grading and results ask for them all the time, so each process keeps the confirmed ones for a few seconds. A hand-in that
is graded in between by the old key is marked again by the attempts' job, which looks on until no such paper is left.
"""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.statements import fetch_alone
from quizapp.questions.models import KeyCorrection, KeyCorrectionRevision, Question, QuestionBank
from quizapp.questions.queries.pools import in_scopes
from quizapp.questions.rules import Accepted

KEPT_SECONDS = 3.0


@dataclass(frozen=True)
class KeyChange:
    """What counts as right for one revision since a correction was confirmed. The latest correction holds."""

    correction_id: uuid.UUID
    revision_id: uuid.UUID
    accepted: Accepted
    accepted_before: Accepted
    notice: str
    explanation: str
    """What takes the place of the revision's own explanation; empty where that still holds."""
    confirmed_at: dt.datetime
    earlier: "KeyChange | None" = None
    """The correction this one took the place of."""


@dataclass(frozen=True)
class CorrectionView:
    """A correction with the revisions it concerns."""

    row: KeyCorrection
    revisions: dict[uuid.UUID, Accepted]

    @property
    def accepted(self) -> Accepted:
        return as_accepted(self.row.accepted)


def as_accepted(stored: Sequence[Sequence[int]]) -> Accepted:
    return tuple(frozenset(answer) for answer in stored)


_lock = threading.Lock()
_kept: tuple[float, dict[uuid.UUID, KeyChange]] | None = None

_CONFIRMED = (
    sa.select(
        KeyCorrection.id.label("correction_id"),
        KeyCorrectionRevision.revision_id,
        KeyCorrection.accepted,
        KeyCorrectionRevision.accepted_before,
        KeyCorrection.notice,
        KeyCorrection.explanation,
        KeyCorrection.confirmed_at,
    )
    .join(KeyCorrectionRevision, KeyCorrectionRevision.correction_id == KeyCorrection.id)
    .where(KeyCorrection.status == "confirmed")
    .order_by(KeyCorrection.confirmed_at, KeyCorrection.id)
)


def list_key_changes() -> dict[uuid.UUID, KeyChange]:
    """Revision to what counts as right now, read afresh."""
    changes: dict[uuid.UUID, KeyChange] = {}
    for row in fetch_alone(_CONFIRMED, {}):
        changes[row.revision_id] = KeyChange(
            row.correction_id,
            row.revision_id,
            as_accepted(row.accepted),
            as_accepted(row.accepted_before),
            row.notice,
            row.explanation,
            row.confirmed_at,
            changes.get(row.revision_id),
        )
    return changes


def find_key_changes(revision_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, KeyChange]:
    """The corrected ones among these revisions, as this process knew them at most three seconds ago."""
    global _kept
    kept = _kept
    if kept is None or kept[0] < time.monotonic():
        kept = time.monotonic() + KEPT_SECONDS, list_key_changes()
        with _lock:
            _kept = kept
    known = kept[1]
    return {revision_id: known[revision_id] for revision_id in revision_ids if revision_id in known} if known else {}


def forget_corrections() -> None:
    """Read corrections afresh in this process; to be called after a change was committed."""
    global _kept
    with _lock:
        _kept = None


def get_correction(correction_id: uuid.UUID) -> CorrectionView:
    """:raises NotFound: if there is none"""
    row = db.session.get(KeyCorrection, correction_id)
    if row is None:
        raise NotFound
    return _view(row)


def lock_correction(correction_id: uuid.UUID) -> CorrectionView:
    """:raises NotFound: if there is none"""
    locked = sa.select(KeyCorrection).filter_by(id=correction_id).with_for_update().execution_options(populate_existing=True)
    row = db.session.scalar(locked)
    if row is None:
        raise NotFound
    return _view(row)


def _view(row: KeyCorrection) -> CorrectionView:
    rows = db.session.scalars(sa.select(KeyCorrectionRevision).filter_by(correction_id=row.id).order_by(KeyCorrectionRevision.revision_id))
    return CorrectionView(row, {one.revision_id: as_accepted(one.accepted_before) for one in rows})


def list_corrections(scopes: Collection[str] | None = None, question_id: uuid.UUID | None = None) -> sa.Select[*tuple[Any, ...]]:
    """Corrections with question and bank, the newest first."""
    statement = (
        sa.select(KeyCorrection, Question, QuestionBank)
        .join(Question, Question.id == KeyCorrection.question_id)
        .join(QuestionBank, QuestionBank.id == Question.bank_id)
        .order_by(KeyCorrection.proposed_at.desc(), KeyCorrection.id.desc())
    )
    if scopes is not None:
        statement = statement.where(in_scopes(tuple(scopes)))
    if question_id is not None:
        statement = statement.where(KeyCorrection.question_id == question_id)
    return statement

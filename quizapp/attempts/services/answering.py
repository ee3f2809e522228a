"""Saving one answer."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.attempts import queries, rules
from quizapp.attempts.errors import AttemptClosed, AttemptNotFound
from quizapp.attempts.rules import Asker
from quizapp.attempts.services.events import record_event
from quizapp.core.db import db
from quizapp.core.errors import AppError
from quizapp.questions import queries as question_queries

_Q = queries.QUESTIONS.c
_SAVE = (
    sa.update(queries.QUESTIONS)
    .where(_Q.attempt_id == sa.bindparam("of_attempt", type_=sa.Uuid), _Q.position == sa.bindparam("at_position"))
    .values(chosen=sa.bindparam("letters"), answered_at=sa.bindparam("at", type_=_Q.answered_at.type))
)


@dataclass(frozen=True)
class SavedAnswer:
    """What was kept; ``refusal`` says that it came too late and was kept as an event only."""

    position: int
    chosen: tuple[str, ...]
    refusal: AppError | None = None


def save_answer(*, attempt_id: uuid.UUID, asker: Asker, position: int, choices: Sequence[str], now: dt.datetime) -> SavedAnswer:
    """Save the answer to one question; a later one replaces it until the paper is closed.

    :param choices: displayed letters
    :raises AttemptNotFound: for a paper that is not the asker's, or a position it does not have
    :raises InvalidChoice: for letters the question does not show, or a number of them it does not take
    An answer at or after the deadline comes back with the refusal ``attempt_closed`` and is kept as an event.
    """
    sheet = queries.lock_answer_sheet(attempt_id, position)
    if not rules.owns(sheet, asker) or sheet.revision_id is None or sheet.choice_order is None:
        raise AttemptNotFound
    if not rules.takes_answers(sheet, now):
        record_event(sheet.id, "late_answer", now, position=position, choices=[str(letter)[:4] for letter in choices[:8]])
        return SavedAnswer(position, tuple(choices), AttemptClosed())
    kind = question_queries.get_revisions([sheet.revision_id])[sheet.revision_id].kind
    letters = rules.check_choices(kind, sheet.choice_order, choices)
    db.session.connection().execute(_SAVE, {"of_attempt": sheet.id, "at_position": position, "letters": letters, "at": now})
    return SavedAnswer(position, tuple(letters))

"""Saving one answer."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from quizapp.attempts import queries, rules
from quizapp.attempts.errors import AttemptClosed, AttemptNotFound
from quizapp.attempts.rules import Asker
from quizapp.attempts.services.events import record_event
from quizapp.core.errors import AppError
from quizapp.core.statements import Write, run_writes
from quizapp.questions import queries as question_queries

_SAVE = "UPDATE attempt_questions SET chosen = :q_chosen, answered_at = :q_at WHERE attempt_id = :q_id AND position = :q_position"
_COUNT = "UPDATE attempts SET save_count = save_count + 1 WHERE id = :a_id"


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
    run_writes(
        Write(_SAVE, {"q_id": sheet.id, "q_position": position, "q_chosen": letters, "q_at": now}),
        Write(_COUNT, {"a_id": sheet.id}),
    )
    return SavedAnswer(position, tuple(letters))

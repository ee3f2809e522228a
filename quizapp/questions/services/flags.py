"""Remarks on the quality of questions, from whoever can tell: the lint, the figures of answers."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.questions import queries
from quizapp.questions.lint import lint_bank
from quizapp.questions.models import QuestionFlag
from quizapp.questions.services.importing import export_bank

MAX_DETAIL = 300


def replace_flags(
    source: str,
    flags: Mapping[uuid.UUID, Sequence[tuple[str, str]]],
    *,
    now: dt.datetime,
    within: Collection[uuid.UUID] | None = None,
) -> int:
    """Put these remarks (code, detail) in the place of all this source has made before. Returns how many there are now.

    :param within: only the remarks on these questions are replaced; without it all of the source
    """
    gone = sa.delete(QuestionFlag).filter_by(source=source)
    db.session.execute(gone if within is None else gone.where(QuestionFlag.question_id.in_(within)))
    rows = [
        {"question_id": question_id, "source": source, "code": code[:32], "detail": detail[:MAX_DETAIL], "flagged_at": now}
        for question_id, remarks in flags.items()
        for code, detail in dict(remarks).items()
    ]
    if rows:
        db.session.execute(sa.insert(QuestionFlag), rows)
    return len(rows)


def find_lint_flags(bank_id: uuid.UUID) -> dict[uuid.UUID, list[tuple[str, str]]]:
    """What the lint has to say about each question of a bank; a question without remarks has an empty list. It only reads:
    looking through a large bank takes seconds, which no transaction should."""
    bank = queries.get_bank_by_id(bank_id)
    ids = {item.question.code: item.question.id for item in queries.list_latest(bank_id)}
    flags: dict[uuid.UUID, list[tuple[str, str]]] = {question_id: [] for question_id in ids.values()}
    for finding in lint_bank(export_bank(bank.slug)):
        if finding.entry in ids:
            flags[ids[finding.entry]].append((finding.rule, finding.message))
    return flags

"""Papers whose answers are known, written straight into the tables: statistics must not depend on how they came to be."""

import datetime as dt
import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quizapp.attempts.models import Attempt, AttemptQuestion
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db, transaction
from quizapp.questions.models import QuestionBank
from quizapp.questions.queries import get_revisions, list_latest
from quizapp.questions.rules import RevisionView, is_right
from tests.factories.reporting import DAY, attempt_row

LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class Given:
    """One question of a paper as somebody met it. ``seconds`` after the start; None with ``chosen`` None: no answer."""

    view: RevisionView
    choice_order: str
    chosen: str | None
    seconds: float | None


def views_of(bank: QuestionBank) -> list[RevisionView]:
    """The revisions of a bank, by the file's id."""
    latest = list_latest(bank.id)
    views = get_revisions(item.revision.id for item in latest)
    return [views[item.revision.id] for item in latest]


def paper_rows(
    campaign: Campaign, citizen_id: uuid.UUID | None, given: Sequence[Given], day: dt.date = DAY, **changes: object
) -> list[Attempt | AttemptQuestion]:
    """A graded attempt with its questions, marked by the revisions' keys unless ``marks`` is given."""
    marks = changes.pop("marks", None) or "".join("1" if is_right(one.view, one.choice_order, one.chosen) else "0" for one in given)
    values = {"question_count": len(given), "correct_count": str(marks).count("1"), "marks": marks, **changes}
    attempt = attempt_row(campaign, citizen_id, day, id=uuid.uuid4(), **values)
    questions = [
        AttemptQuestion(
            attempt_id=attempt.id,
            position=position,
            revision_id=one.view.id,
            choice_order=one.choice_order,
            chosen=one.chosen,
            answered_at=None if one.seconds is None else attempt.started_at + dt.timedelta(seconds=one.seconds),
        )
        for position, one in enumerate(given, 1)
    ]
    return [attempt, *questions]


def add_papers(papers: Iterable[Sequence[Attempt | AttemptQuestion]]) -> None:
    """Write papers as :func:`paper_rows` made them."""
    with transaction():
        rows = [row for paper in papers for row in paper]
        db.session.add_all(row for row in rows if isinstance(row, Attempt))
        db.session.flush()
        db.session.add_all(row for row in rows if isinstance(row, AttemptQuestion))


def give(view: RevisionView, ability: float, seconds: float | None, rng: random.Random, unanswered: float = 0.03) -> Given:
    """An answer that is right more often for the able, in a shuffled order."""
    order = "01" if view.kind == "judge" else "".join(str(index) for index in rng.sample(range(len(view.choices)), len(view.choices)))
    if rng.random() < unanswered:
        return Given(view, order, None, None)
    if rng.random() < ability - 0.1 * (view.difficulty - 3):
        indices = set(view.answer)
    elif view.kind in ("single", "judge"):
        indices = {rng.choice([index for index in range(len(view.choices)) if index not in view.answer])}
    else:
        indices = (set(view.answer) ^ {rng.randrange(len(view.choices))}) or {rng.randrange(len(view.choices))}
    return Given(view, order, "".join(sorted(LETTERS[order.index(str(index))] for index in indices)), seconds)


def random_paper(views: Sequence[RevisionView], length: int, rng: random.Random) -> list[Given]:
    """A paper drawn from ``views`` and answered in order; one in five went back to a question at the end."""
    ability = rng.random()
    given, clock = [], 0.0
    for view in rng.sample(list(views), length):
        clock += rng.choice([0.2, 1.0, 4.999, 5.0, 7.5]) + rng.randrange(40)
        given.append(give(view, ability, clock, rng))
    if rng.random() < 0.2:
        place = rng.randrange(length)
        if given[place].seconds is not None:
            given[place] = Given(given[place].view, given[place].choice_order, given[place].chosen, clock + 3)
    return given

"""A paper as it may be shown: without its key while it is open, with the key once it is final."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quizapp.attempts import rules
from quizapp.attempts.queries import AttemptView, QuestionView
from quizapp.campaigns import queries as campaign_queries
from quizapp.questions import queries as question_queries
from quizapp.questions import rules as question_rules
from quizapp.questions.queries import KeyChange
from quizapp.questions.rules import RevisionView


@dataclass(frozen=True)
class ShownQuestion:
    """A question of an open paper: nothing in it tells what is right."""

    position: int
    kind: str
    stem: str
    choices: tuple[tuple[str, str], ...]
    chosen: tuple[str, ...]


@dataclass(frozen=True)
class ShownCorrection:
    """That the key of a question was corrected after people had answered it. ``answer_before`` are displayed letters;
    ``is_credited`` says that everybody gets the mark."""

    corrected_at: dt.datetime
    notice: str
    answer_before: tuple[str, ...]
    is_credited: bool


@dataclass(frozen=True)
class GradedQuestion:
    """A question of a graded paper. ``answer`` and ``correct`` are None, ``explanation`` and ``citations`` too, while the
    terms withhold them."""

    position: int
    kind: str
    stem: str
    choices: tuple[tuple[str, str], ...]
    chosen: tuple[str, ...]
    answer: tuple[str, ...] | None
    correct: bool | None
    explanation: str | None
    citations: tuple[dict[str, str], ...] | None
    question_id: uuid.UUID
    correction: ShownCorrection | None = None

    def texts(self, letters: tuple[str, ...]) -> list[str]:
        """The texts behind letters."""
        known = dict(self.choices)
        return [known[letter] for letter in letters]


@dataclass(frozen=True)
class Result:
    """A graded attempt. ``feedback_at`` is set while answers and explanations are withheld."""

    attempt: AttemptView
    questions: tuple[GradedQuestion, ...]
    feedback_at: dt.datetime | None


def open_paper(attempt: AttemptView) -> tuple[ShownQuestion, ...]:
    """The questions of a paper as they are answered."""
    return shown_questions(attempt.questions)


def shown_questions(questions: Sequence[QuestionView]) -> tuple[ShownQuestion, ...]:
    """Questions without their keys."""
    views = question_queries.get_revisions(question.revision_id for question in questions)
    return tuple(
        ShownQuestion(
            position=question.position,
            kind=views[question.revision_id].kind,
            stem=views[question.revision_id].stem,
            choices=tuple(question_rules.shown_choices(views[question.revision_id], question.choice_order)),
            chosen=tuple(question.chosen or ""),
        )
        for question in questions
    )


def result_of(attempt: AttemptView, now: dt.datetime) -> Result:
    """The result of a graded attempt.

    :raises ValueError: for an attempt that is not graded: its key stays here
    """
    if attempt.state != "graded":
        raise ValueError("only a graded attempt has a result")
    withheld_until = find_feedback_at(attempt, now)
    views = question_queries.get_revisions(question.revision_id for question in attempt.questions)
    keys = _keys_of_marks(attempt, views)
    questions = tuple(
        _graded(views[question.revision_id], question, withheld_until is None, keys[question.position]) for question in attempt.questions
    )
    return Result(attempt, questions, withheld_until)


def _keys_of_marks(attempt: AttemptView, views: Mapping[uuid.UUID, RevisionView]) -> dict[int, KeyChange | None]:
    """By position, the corrected key that a shown mark agrees with; None stands for the revision's own.

    A corrected key appears beside a mark only once the paper has been marked by it: until then the mark was made by the key
    before. The other way round, a mark may be newer than what this process knows of corrections: then it looks again.
    """
    changes = question_queries.find_key_changes(views)
    if not all(_agrees(views[question.revision_id], question, changes.get(question.revision_id)) for question in attempt.questions):
        question_queries.forget_corrections()
        changes = question_queries.find_key_changes(views)
    return {
        question.position: _key_of_mark(views[question.revision_id], question, changes.get(question.revision_id))
        for question in attempt.questions
    }


def _key_of_mark(view: RevisionView, question: QuestionView, change: KeyChange | None) -> KeyChange | None:
    while change is not None and not _agrees(view, question, change):
        change = change.earlier
    return change


def _agrees(view: RevisionView, question: QuestionView, change: KeyChange | None) -> bool:
    """Whether a mark is the one that this key gives."""
    accepted = (view.answer,) if change is None else change.accepted
    return question_rules.is_accepted(accepted, question.choice_order, question.chosen) == question.is_correct


def explained(questions: Sequence[QuestionView]) -> tuple[GradedQuestion, ...]:
    """Marked questions with key, explanation and citations; only for papers that are final, or that count for nothing."""
    views = question_queries.get_revisions(question.revision_id for question in questions)
    changes = question_queries.find_key_changes(views)
    return tuple(_graded(views[question.revision_id], question, True, changes.get(question.revision_id)) for question in questions)


def find_feedback_at(attempt: AttemptView, now: dt.datetime) -> dt.datetime | None:
    """When the answers of an attempt appear; None if they may be shown now."""
    terms = campaign_queries.get_terms(attempt.terms_id)
    if terms.feedback != "after_close":
        return None
    campaign = campaign_queries.get_campaign_by_id(attempt.campaign_id)
    return rules.feedback_at(terms, campaign.terms, campaign.status, now)


def _graded(view: RevisionView, question: QuestionView, shows: bool, change: KeyChange | None) -> GradedQuestion:
    order = question.choice_order
    answer, explanation = question_rules.shown_answer(view, order), view.explanation
    correction = None
    if change is not None:
        before = tuple(question_rules.accepted_letters(change.accepted_before, order))
        correction = ShownCorrection(change.confirmed_at, change.notice, before, not change.accepted)
        answer = question_rules.accepted_letters(change.accepted, order) or answer
        explanation = change.explanation or explanation
    return GradedQuestion(
        position=question.position,
        kind=view.kind,
        stem=view.stem,
        choices=tuple(question_rules.shown_choices(view, order)),
        chosen=tuple(question.chosen or ""),
        answer=tuple(answer) if shows else None,
        correct=question.is_correct if shows else None,
        explanation=explanation if shows else None,
        citations=tuple(dict(citation) for citation in view.citations) if shows else None,
        question_id=view.question_id,
        correction=correction if shows else None,
    )

"""A test run of a draft (试答): its paper is drawn, answered and marked as a citizen's would be, and nothing of it is kept.

The paper travels in the page, signed: no attempt, ticket, draw or ledger row is ever written, so there is nothing that
figures could count. The pretend draw throws dice of its own by the draft's odds and touches no pool.
"""

import dataclasses
import datetime as dt
import random
import uuid
from dataclasses import dataclass, replace

from itsdangerous import BadSignature, URLSafeTimedSerializer

from quizapp.attempts import rules
from quizapp.attempts.errors import TrialOver
from quizapp.attempts.papers import GradedQuestion, explained
from quizapp.attempts.queries import QuestionView
from quizapp.attempts.services.starting import draw_questions
from quizapp.campaigns import rules as campaign_rules
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.season.scoring import Item, has_passed, score, values_of
from quizapp.campaigns.terms import DrawTerms, PrizeTerms, Quiz
from quizapp.questions import queries as question_queries
from quizapp.questions import rules as question_rules

KEPT_SECONDS = 6 * 3600
"""A page of a test run is good that long."""
PPM = 1_000_000


@dataclass(frozen=True)
class Trial:
    """A paper of a test run. ``terms_hash`` is that of the draft it was drawn by; ``group`` and ``age_band`` whom it plays."""

    campaign_id: uuid.UUID
    terms_hash: str
    quiz_id: str
    group: str
    age_band: str
    is_large: bool
    started_at: dt.datetime
    questions: tuple[QuestionView, ...]


@dataclass(frozen=True)
class Outcome:
    """What a citizen would have earned; ``prizes`` one per ticket, None for none."""

    correct: int
    score: int
    highest: int
    passed: bool
    seconds: int
    ticket_count: int
    points: int
    prizes: tuple[PrizeTerms | None, ...]
    questions: tuple[GradedQuestion, ...]


def begin(view: CampaignView, quiz: Quiz, *, group: str, age_band: str, is_large: bool, rng: random.Random, now: dt.datetime) -> Trial:
    """Draw a paper of a draft.

    :raises PoolTooSmall: if the banks cannot fill it
    """
    return Trial(view.id, view.terms_hash, quiz.id, group, age_band, is_large, now, draw_questions(quiz.paper, rng))


def answered(trial: Trial, position: int, letters: list[str], kind: str) -> Trial:
    """The paper with one more answer; none leaves it as it was.

    :raises InvalidChoice: for letters the question does not show
    """
    if not letters:
        return trial
    question = trial.questions[position - 1]
    chosen = rules.check_choices(kind, question.choice_order, letters)
    changed = replace(question, chosen=chosen)
    return replace(trial, questions=(*trial.questions[: position - 1], changed, *trial.questions[position:]))


def deadline(trial: Trial, view: CampaignView) -> dt.datetime | None:
    """When the time is over; None for a paper without a limit."""
    allowed = campaign_rules.time_allowed(view.terms, trial.is_large, view.terms.quiz(trial.quiz_id))
    return None if allowed is None else trial.started_at + dt.timedelta(seconds=allowed)


def finish(trial: Trial, view: CampaignView, rng: random.Random, now: dt.datetime) -> Outcome:
    """Mark the paper and pretend to draw."""
    terms, quiz = view.terms, view.terms.quiz(trial.quiz_id)
    views = question_queries.get_revisions(question.revision_id for question in trial.questions)
    changes = {key: change.accepted for key, change in question_queries.find_key_changes(views).items()}
    answers = [(views[question.revision_id], question.choice_order, question.chosen) for question in trial.questions]
    marks = rules.grade(answers, changes).marks
    partly = [not mark and question_rules.is_partly_right(*answer) for mark, answer in zip(marks, answers, strict=True)]
    scored = score(quiz, [Item(mark, part) for mark, part in zip(marks, partly, strict=True)])
    end = deadline(trial, view)
    seconds = int(((min(now, end) if end else now) - trial.started_at).total_seconds())
    passed = has_passed(quiz, scored, seconds)
    values = values_of(scored, passed=passed, seconds=seconds)
    earned = rules.earnings(
        terms, passed=passed, group=trial.group, age_band=trial.age_band, graded_today=0, rewarded_today=0, values=values, granted_today=0
    )
    marked = tuple(replace(question, is_correct=mark) for question, mark in zip(trial.questions, scored.marks, strict=True))
    prizes = tuple(pretend(terms.draw, rng) for _ in range(earned.ticket_count)) if terms.draw else ()
    return Outcome(
        scored.correct, scored.score, scored.highest, passed, seconds, earned.ticket_count, earned.points, prizes, explained(marked)
    )


def pretend(draw: DrawTerms, rng: random.Random) -> PrizeTerms | None:
    """A throw of dice by the published odds; stock, quotas and caps are left out."""
    number = rng.randrange(PPM)
    for prize in draw.prizes:
        if number < prize.odds_ppm:
            return prize
        number -= prize.odds_ppm
    return None


# ---- the page's memory


def seal(trial: Trial, key: str) -> str:
    """The paper as a text that the page keeps: signed, without any key to its questions."""
    plain = {
        **{field.name: getattr(trial, field.name) for field in dataclasses.fields(trial) if field.name != "questions"},
        "campaign_id": trial.campaign_id.hex,
        "started_at": trial.started_at.isoformat(),
        "questions": [[question.revision_id.hex, question.choice_order, question.chosen or ""] for question in trial.questions],
    }
    return _serializer(key).dumps(plain)


def unseal(text: str, key: str, view: CampaignView) -> Trial:
    """:raises TrialOver: for a text that is not ours, too old, of another campaign, or of a draft that was changed since"""
    try:
        plain = _serializer(key).loads(text, max_age=KEPT_SECONDS)
    except BadSignature:
        raise TrialOver from None
    questions = tuple(
        QuestionView(place, uuid.UUID(hex=revision), order, chosen or None, None)
        for place, (revision, order, chosen) in enumerate(plain["questions"], 1)
    )
    trial = Trial(
        **{
            **plain,
            "campaign_id": uuid.UUID(hex=plain["campaign_id"]),
            "started_at": dt.datetime.fromisoformat(plain["started_at"]),
            "questions": questions,
        }
    )
    if trial.campaign_id != view.id or trial.terms_hash != view.terms_hash:
        raise TrialOver
    return trial


def _serializer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="campaign-trial")

"""Attempts for tests, made by the services themselves: started, answered rightly or wrongly, handed in.

Each function opens its own transaction unless one is open.
"""

import datetime as dt
import random
import uuid
from collections.abc import Callable
from typing import TypeVar

from quizapp.accounts.models import Citizen
from quizapp.attempts import queries, services
from quizapp.attempts.queries import AttemptView, QuestionView
from quizapp.attempts.rules import Asker
from quizapp.attempts.services.starting import Device
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.models import Campaign
from quizapp.core.clock import utc_now
from quizapp.core.db import in_transaction, transaction
from quizapp.questions import queries as question_queries
from quizapp.questions import rules as question_rules

T = TypeVar("T")
RNG = random.SystemRandom()
DEVICE = Device(tag=b"d" * 32)


def _writing(work: Callable[[], T]) -> T:
    if in_transaction():
        return work()
    with transaction():
        return work()


def asker_of(person: Citizen | uuid.UUID | str) -> Asker:
    """A citizen (or the id of one), or the holder of a guest token."""
    if isinstance(person, str):
        return Asker(guest_token=person)
    return Asker(citizen_id=person if isinstance(person, uuid.UUID) else person.id)


def start(
    campaign: Campaign,
    citizen: Citizen | uuid.UUID | None = None,
    *,
    now: dt.datetime | None = None,
    device: Device = DEVICE,
    rng: random.Random = RNG,
    quiz_id: str = "",
    channel: str = "web",
) -> services.Started:
    """Begin an attempt; without a citizen a guest's, whose token is in the answer."""
    citizen_id = citizen.id if isinstance(citizen, Citizen) else citizen

    def work() -> services.Started:
        view = campaign_queries.get_campaign(campaign.slug)
        return services.start_attempt(
            campaign=view, citizen_id=citizen_id, device=device, rng=rng, now=now or utc_now(), quiz_id=quiz_id, channel=channel
        )

    return _writing(work)


def right_letters(question: QuestionView) -> list[str]:
    """The displayed letters of the right choices."""
    view = question_queries.get_revisions([question.revision_id])[question.revision_id]
    return question_rules.shown_answer(view, question.choice_order)


def wrong_letters(question: QuestionView) -> list[str]:
    """One displayed letter which alone is not the right answer."""
    return next([letter] for letter in "ABCD" if [letter] != right_letters(question))


def save(
    attempt: AttemptView, person: Citizen | uuid.UUID | str, position: int, choices: list[str], *, now: dt.datetime | None = None
) -> services.SavedAnswer:
    return _writing(
        lambda: services.save_answer(
            attempt_id=attempt.id, asker=asker_of(person), position=position, choices=choices, now=now or utc_now()
        )
    )


def answer(
    attempt: AttemptView,
    person: Citizen | uuid.UUID | str,
    right: int = 5,
    *,
    wrong: int | None = None,
    now: dt.datetime | None = None,
) -> None:
    """Answer the first ``right`` questions rightly, and wrongly the next ``wrong`` (default: all others)."""
    last = attempt.question_count if wrong is None else right + wrong
    for question in attempt.questions[:last]:
        letters = right_letters(question) if question.position <= right else wrong_letters(question)
        save(attempt, person, question.position, letters, now=now)


def hand_in(attempt: AttemptView, person: Citizen | uuid.UUID | str, *, now: dt.datetime | None = None) -> services.HandedIn:
    return _writing(lambda: services.submit_attempt(attempt_id=attempt.id, asker=asker_of(person), now=now or utc_now()))


def adopt(attempt: AttemptView, citizen: Citizen, token: str, *, now: dt.datetime | None = None) -> services.HandedIn:
    return _writing(lambda: services.adopt_attempt(attempt_id=attempt.id, citizen_id=citizen.id, guest_token=token, now=now or utc_now()))


def play(
    campaign: Campaign,
    citizen: Citizen | uuid.UUID,
    *,
    right: int = 5,
    now: dt.datetime | None = None,
    device: Device = DEVICE,
    quiz_id: str = "",
    channel: str = "web",
) -> AttemptView:
    """A whole attempt of a registered citizen: ``right`` questions answered rightly, the others wrongly, handed in."""
    attempt = start(campaign, citizen, now=now, device=device, quiz_id=quiz_id, channel=channel).attempt
    answer(attempt, citizen, right, now=now)
    handed_in = hand_in(attempt, citizen, now=now)
    if handed_in.refusal is not None:
        raise handed_in.refusal
    return handed_in.attempt


def guest_paper(
    campaign: Campaign, *, right: int = 5, handed_in: bool = True, now: dt.datetime | None = None, device: Device = DEVICE
) -> tuple[AttemptView, str]:
    """A guest's answered paper with its token, handed in unless told otherwise."""
    started = start(campaign, now=now, device=device)
    token = started.guest_token or ""
    answer(started.attempt, token, right, now=now)
    if handed_in:
        hand_in(started.attempt, token, now=now)
    return queries.get_attempt(started.attempt.id), token

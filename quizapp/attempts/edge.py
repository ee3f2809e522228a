"""What pages and API of this feature share: who stands before a paper, one transaction per verb, refusals after it.

Guests: the API's clients send the token back as ``X-Guest-Token`` (or in the body); pages keep it in the signed cookie,
so that a guest who closed the page finds the paper again.
"""

import datetime as dt
import logging
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import sqlalchemy as sa
from flask import current_app, request, session

from quizapp.attempts import queries, rules, services
from quizapp.attempts.errors import AttemptNotFound
from quizapp.attempts.models import CampaignEntry
from quizapp.attempts.queries import AttemptView
from quizapp.attempts.rules import Asker
from quizapp.attempts.services.starting import Device
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.rules import CampaignView
from quizapp.core.crypto import Vault, token_hash
from quizapp.core.db import transaction
from quizapp.core.errors import Conflict, NotFound
from quizapp.core.statements import can_write_alone
from quizapp.core.text import has_forbidden_characters
from quizapp.questions import services as question_services
from quizapp.questions.models import FaultReport
from quizapp.web.access import current_principal
from quizapp.web.challenge import require_at_peak
from quizapp.web.limits import check_rate
from quizapp.web.security import client_ip, device_id

log = logging.getLogger(__name__)
T = TypeVar("T")
GUESTS = "guests"
MAX_GUESTS = 5
"""Papers one browser remembers; a signed cookie has little room."""
MAX_POSITION = 500
GUEST_STARTS_PER_ADDRESS = (600, 60)
_TRIES = 3
_dice = random.SystemRandom()


def asker_of(attempt_id: uuid.UUID, sent_token: str = "") -> Asker:
    """The citizen of this request and the guest token it holds for this paper. A request with an ``Authorization``
    header is judged without the cookie."""
    token = sent_token or request.headers.get("X-Guest-Token", "")
    if not token and "Authorization" not in request.headers:
        token = _remembered().get(attempt_id.hex, "")
    principal = current_principal()
    return Asker(principal.id if principal.is_citizen else None, token)


def read_attempt(attempt_id: uuid.UUID, asker: Asker) -> AttemptView:
    """The paper, if it is the asker's.

    :raises AttemptNotFound: for somebody else's just as for none
    """
    attempt = queries.get_attempt(attempt_id)
    if not rules.owns(attempt, asker):
        raise AttemptNotFound
    return attempt


def write(work: Callable[[], T]) -> T:
    """Run a verb in its own transaction. What loses a race against a unique constraint is tried again: by then the
    winner's rows can be read.

    :raises Conflict: if it loses every time
    """
    for number in range(1, _TRIES + 1):
        try:
            with transaction():
                return work()
        except sa.exc.IntegrityError as error:
            log.warning("lost a race, try %s of %s: %s", number, _TRIES, error.orig)
    raise Conflict


# ---- the verbs


def channel() -> str:
    """The entrance that this request comes through, as far as its browser tells."""
    agent = request.user_agent.string
    if "MicroMessenger" not in agent:
        return "web"
    return "mini_program" if "miniProgram" in agent else "official_account"


def start(slug: str, *, client_nonce: str, is_large: bool, now: dt.datetime, quiz_id: str = "", entrance: str = "") -> services.Started:
    """Begin or resume an attempt of the campaign for whoever asks.

    :param entrance: the channel a program names; a browser's is seen by its name
    """
    if has_forbidden_characters(slug):
        raise NotFound
    principal = current_principal()
    citizen_id = principal.id if principal.is_citizen else None
    if citizen_id is None:
        check_rate("guest-start", client_ip(), *GUEST_STARTS_PER_ADDRESS)
        require_at_peak()
    name = device_id()
    device = Device(_vault().tag("device", name), client_nonce, is_large, is_shared=not name.isalnum())
    campaign = campaign_queries.get_campaign(slug)
    return write(
        lambda: services.start_attempt(
            campaign=campaign,
            citizen_id=citizen_id,
            device=device,
            rng=_dice,
            now=now,
            quiz_id=quiz_id,
            channel=entrance or channel(),
        )
    )


def enter(
    campaign: CampaignView,
    citizen_id: uuid.UUID,
    *,
    track: str,
    team_name: str,
    answers: Mapping[str, str],
    is_on_boards: bool,
    now: dt.datetime,
) -> CampaignEntry:
    """Register for a campaign; two people founding one team at once both get in."""
    return write(
        lambda: services.enter_campaign(
            campaign=campaign,
            citizen_id=citizen_id,
            track=track,
            team_name=team_name,
            answers=answers,
            is_on_boards=is_on_boards,
            now=now,
        )
    )


def save(attempt_id: uuid.UUID, asker: Asker, position: int, choices: Sequence[str], now: dt.datetime) -> services.SavedAnswer:
    """Save one answer; a late one is kept as an event and refused."""
    if not 1 <= position <= MAX_POSITION:
        raise AttemptNotFound
    saved = write(lambda: services.save_answer(attempt_id=attempt_id, asker=asker, position=position, choices=choices, now=now))
    if saved.refusal is not None:
        raise saved.refusal
    return saved


def submit(attempt_id: uuid.UUID, asker: Asker, now: dt.datetime) -> AttemptView:
    """Hand in; a hand-in that must wait is kept and refused."""
    if asker.citizen_id is not None and can_write_alone():
        graded = services.submit_at_once(attempt_id=attempt_id, citizen_id=asker.citizen_id, now=now)
        if graded is not None:
            return graded
    return _settled(write(lambda: services.submit_attempt(attempt_id=attempt_id, asker=asker, now=now)))


def adopt(attempt_id: uuid.UUID, citizen_id: uuid.UUID, guest_token: str, now: dt.datetime) -> AttemptView:
    """Make a guest's paper this citizen's."""
    return _settled(write(lambda: services.adopt_attempt(attempt_id=attempt_id, citizen_id=citizen_id, guest_token=guest_token, now=now)))


def report_fault(attempt_id: uuid.UUID, citizen_id: uuid.UUID, position: int, *, reason: str, text: str, now: dt.datetime) -> FaultReport:
    """Say that a question of one's own graded paper is wrong.

    :raises AttemptNotFound: for somebody else's paper, one that is not graded, or a position it does not have
    :raises AlreadyReported, TooManyReports: as ``questions.services.report_fault`` says
    """
    attempt = read_attempt(attempt_id, Asker(citizen_id=citizen_id))
    if attempt.state != "graded" or not 1 <= position <= attempt.question_count:
        raise AttemptNotFound
    revision_id = attempt.questions[position - 1].revision_id

    def keep() -> FaultReport:
        return question_services.report_fault(
            citizen_id=citizen_id, attempt_id=attempt_id, revision_id=revision_id, reason=reason, text=text, now=now
        )

    return write(keep)


def _settled(handed_in: services.HandedIn) -> AttemptView:
    if handed_in.refusal is not None:
        raise handed_in.refusal
    return handed_in.attempt


def _vault() -> Vault:
    vault: Vault = current_app.extensions["vault"]
    return vault


# ---- what a browser remembers of its guest's papers


def _remembered() -> dict[str, str]:
    kept = session.get(GUESTS)
    return kept if isinstance(kept, dict) else {}


def remember_guest(attempt_id: uuid.UUID, token: str) -> None:
    """Keep the token in the signed cookie; the oldest of too many goes."""
    kept = {**_remembered(), attempt_id.hex: token}
    session[GUESTS] = dict(list(kept.items())[-MAX_GUESTS:])
    session.permanent = True


def forget_guest(attempt_id: uuid.UUID) -> None:
    """Drop the token of a paper that was adopted or is no longer there."""
    kept = _remembered()
    if attempt_id.hex in kept:
        session[GUESTS] = {key: token for key, token in kept.items() if key != attempt_id.hex}


def list_guest_papers() -> list[AttemptView]:
    """Papers this browser holds as a guest and nobody has adopted, the newest first."""
    if "Authorization" in request.headers or not _remembered():
        return []
    return queries.list_by_tokens([token_hash(token) for token in _remembered().values()])


def find_guest_paper(campaign_id: uuid.UUID, now: dt.datetime) -> AttemptView | None:
    """The newest paper of this browser's guest in a campaign that is still open or waits for registration."""
    return next(
        (paper for paper in list_guest_papers() if paper.campaign_id == campaign_id and paper.standing(now) in ("open", "handed_in")),
        None,
    )

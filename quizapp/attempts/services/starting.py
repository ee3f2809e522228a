"""Starting an attempt: tries, eligibility, the draw of the paper."""

import datetime as dt
import random
import uuid
from dataclasses import dataclass

from quizapp.accounts import queries as account_queries
from quizapp.accounts.queries import Profile
from quizapp.accounts.services import count_up
from quizapp.attempts import queries, rules
from quizapp.attempts.errors import GuestLimitReached
from quizapp.attempts.queries import AttemptView, QuestionView
from quizapp.attempts.services import seasonal
from quizapp.attempts.services.handing_in import settle_attempt
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns import rules as campaign_rules
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import Paper
from quizapp.core.clock import shanghai_day
from quizapp.core.crypto import new_token, token_hash
from quizapp.core.ids import new_id
from quizapp.core.statements import Write, run_writes
from quizapp.questions import rules as question_rules

_ATTEMPT = (
    "INSERT INTO attempts (id, campaign_id, terms_id, citizen_id, guest_token_hash, device_tag, client_nonce, state, day_try, "
    "total_try, quiz_id, track, channel, round_key, started_at, started_on, deadline_at, is_large_type, question_count, is_automatic, "
    "ticket_count, points, fixed_points, save_count) "
    "VALUES (:a_id, :a_campaign, :a_terms, :a_citizen, :a_token, :a_device, :a_nonce, 'open', :a_day_try, :a_total_try, :a_quiz, :a_track, "
    ":a_channel, :a_round, :a_at, :a_on, :a_deadline, :a_large, :a_count, :a_automatic, 0, 0, 0, 0)"
)
_QUESTIONS = "INSERT INTO attempt_questions (attempt_id, position, revision_id, choice_order, chosen) VALUES "


@dataclass(frozen=True)
class Started:
    """The paper. ``guest_token`` is given out this once; only its hash is kept."""

    attempt: AttemptView
    is_new: bool
    guest_token: str | None = None


SHARED_FACTOR = 50
"""A client without a device name is known by its address alone, which a whole village may share."""


NO_DEVICE = bytes(32)
"""Kept as the device of an attempt begun by such a client: the tag of an address would make a village look like one phone."""


@dataclass(frozen=True)
class Device:
    """What the phone brings: its keyed tag, its random number for the draw proof, whether it shows large type.

    ``is_shared`` says that the tag stands for an address and not for one phone.
    """

    tag: bytes
    client_nonce: str = ""
    is_large: bool = False
    is_shared: bool = False


def start_attempt(
    *,
    campaign: CampaignView,
    citizen_id: uuid.UUID | None,
    device: Device,
    rng: random.Random,
    now: dt.datetime,
    quiz_id: str = "",
    channel: str = "web",
) -> Started:
    """Begin an attempt, or give a citizen the open one again.

    A citizen's overdue attempt is settled first, so that it never stands in the way. A guest (``citizen_id`` None) uses
    no try before adoption and is limited per device and day.

    :raises CampaignNotOpen, CampaignEnded, CampaignPaused, NotEligible, AttemptLimitReached, NotSignedIn: as
        ``campaigns.rules.check_may_start`` says
    :param quiz_id: which quiz, where the campaign has several; the first one by default
    :raises QuizNotFound, RoundClosed, NotUnlocked, ChannelClosed, EntryRequired: as ``seasonal.find_plan`` says
    :raises GuestLimitReached: too many guests' papers on this device today
    :raises PoolTooSmall: if the bank cannot fill the paper
    """
    if citizen_id is None:
        return _start_guest(campaign, device, rng, now, quiz_id, channel)
    today = shanghai_day(now)
    open_id = settle_overdue(citizen_id, campaign.id, now)
    if open_id is not None:
        return Started(queries.get_attempt(open_id), is_new=False)
    profile = account_queries.lock_citizen(citizen_id)
    tries = queries.count_tries(citizen_id, campaign.id, today)
    if tries.open_id is not None:
        return Started(queries.get_attempt(tries.open_id), is_new=False)
    plan = _plan(campaign, profile, tries, quiz_id, channel, now)
    attempt = _insert(campaign, plan, device, rng, now, citizen_id=citizen_id, day_try=tries.today + 1, total_try=tries.total + 1)
    return Started(attempt, is_new=True)


def _plan(
    campaign: CampaignView, profile: Profile, tries: queries.Tries, quiz_id: str, channel: str, now: dt.datetime
) -> seasonal.StartPlan:
    if campaign.terms.is_plain:
        campaign_rules.check_may_start(campaign, profile, tries.today, tries.total, now)
        return seasonal.plain_plan(campaign.terms, quiz_id)
    return seasonal.find_plan(campaign, profile, quiz_id=quiz_id, channel=channel, now=now)


def settle_overdue(citizen_id: uuid.UUID, campaign_id: uuid.UUID, now: dt.datetime) -> uuid.UUID | None:
    """Settle the citizen's open attempt of this campaign if its time is over.

    :returns: the id of the one that is still running
    """
    found = queries.find_open(citizen_id, campaign_id)
    if found is None or now < found[1]:
        return found and found[0]
    attempt, turns = queries.lock_attempt(found[0], shanghai_day(now))
    if attempt.state == "open":
        settle_attempt(attempt, turns, now, is_hand_in=False)
    return None


def _start_guest(campaign: CampaignView, device: Device, rng: random.Random, now: dt.datetime, quiz_id: str, channel: str) -> Started:
    campaign_rules.check_may_start(campaign, None, 0, 0, now)
    if campaign.terms.is_plain:
        plan = seasonal.plain_plan(campaign.terms, quiz_id)
    else:
        plan = seasonal.find_guest_plan(campaign, quiz_id=quiz_id, channel=channel, now=now)
    limit = campaign.terms.eligibility.guest_starts_per_device_day * (SHARED_FACTOR if device.is_shared else 1)
    subject = f"{campaign.id.hex}:{device.tag.hex()[:40]}"
    if count_up("guest_start", subject, shanghai_day(now)) > limit:
        raise GuestLimitReached(limit=limit)
    token = new_token()
    return Started(_insert(campaign, plan, device, rng, now, guest_token_hash=token_hash(token)), is_new=True, guest_token=token)


def draw_questions(paper: Paper, rng: random.Random) -> tuple[QuestionView, ...]:
    """Draw a paper part by part, no question twice, and mix the choices where the terms say so.

    :raises PoolTooSmall: if the bank cannot fill it
    """
    pools = [(campaign_queries.pool_of(part), part.count) for part in paper.parts]
    items = question_rules.draw_paper(pools, rng)
    order = question_rules.shuffle_choices if paper.shuffles_choices else lambda item, _: question_rules.file_order(item)
    return tuple(QuestionView(place, item.revision_id, order(item, rng), None, None) for place, item in enumerate(items, 1))


def _insert(
    campaign: CampaignView,
    plan: seasonal.StartPlan,
    device: Device,
    rng: random.Random,
    now: dt.datetime,
    *,
    citizen_id: uuid.UUID | None = None,
    guest_token_hash: bytes | None = None,
    day_try: int | None = None,
    total_try: int | None = None,
) -> AttemptView:
    attempt = AttemptView(
        id=new_id(),
        campaign_id=campaign.id,
        terms_id=campaign.terms_id,
        citizen_id=citizen_id,
        guest_token_hash=guest_token_hash,
        client_nonce=rules.check_nonce(device.client_nonce),
        state="open",
        quiz_id=plan.quiz.id,
        track=plan.track,
        channel=plan.channel,
        round_key=plan.round_key,
        started_at=now,
        started_on=shanghai_day(now),
        deadline_at=campaign_rules.deadline(campaign.terms, now, device.is_large, plan.quiz, plan.closes_at),
        is_large_type=device.is_large,
        question_count=plan.quiz.question_count,
        handed_in_at=None,
        is_automatic=False,
        adopted_at=None,
        submitted_at=None,
        correct_count=None,
        marks=None,
        score=None,
        is_passed=None,
        ticket_count=0,
        points=0,
        fixed_points=0,
        save_count=0,
        questions=plan.kept_questions or draw_questions(plan.quiz.paper, plan.shared_rng(campaign.id) or rng),
    )
    run_writes(_attempt_write(attempt, NO_DEVICE if device.is_shared else device.tag, day_try, total_try), _questions_write(attempt))
    return attempt


def _attempt_write(attempt: AttemptView, device_tag: bytes, day_try: int | None, total_try: int | None) -> Write:
    return Write(
        _ATTEMPT,
        {
            "a_id": attempt.id,
            "a_campaign": attempt.campaign_id,
            "a_terms": attempt.terms_id,
            "a_citizen": attempt.citizen_id,
            "a_token": attempt.guest_token_hash,
            "a_device": device_tag,
            "a_nonce": attempt.client_nonce,
            "a_day_try": day_try,
            "a_total_try": total_try,
            "a_quiz": attempt.quiz_id,
            "a_track": attempt.track,
            "a_channel": attempt.channel,
            "a_round": attempt.round_key,
            "a_at": attempt.started_at,
            "a_on": attempt.started_on,
            "a_deadline": attempt.deadline_at,
            "a_large": attempt.is_large_type,
            "a_count": attempt.question_count,
            "a_automatic": False,
        },
    )


def _questions_write(attempt: AttemptView) -> Write:
    rows = ", ".join(
        f"(:q_id, {question.position}, :q_r{question.position}, :q_o{question.position}, :q_c{question.position})"
        for question in attempt.questions
    )
    params: dict[str, object] = {"q_id": attempt.id}
    for question in attempt.questions:
        params[f"q_r{question.position}"] = question.revision_id
        params[f"q_o{question.position}"] = question.choice_order
        params[f"q_c{question.position}"] = question.chosen
    return Write(_QUESTIONS + rows, params)

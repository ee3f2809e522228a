"""Starting in a campaign of several quizzes, stages, rounds, tracks or channels: what may be begun now, and which paper."""

import datetime as dt
import hashlib
import random
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.accounts.queries import Profile
from quizapp.attempts import histories, queries
from quizapp.attempts.errors import ChannelClosed, EntryRequired, NotUnlocked, QuizNotFound, RoundClosed
from quizapp.attempts.queries import ATTEMPTS, QuestionView
from quizapp.attempts.services.acting import find_entry, needs_entry
from quizapp.attempts.services.awarding import round_key_of
from quizapp.campaigns import rules as campaign_rules
from quizapp.campaigns.errors import AttemptLimitReached, NotEligible
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.season.measures import is_met
from quizapp.campaigns.season.rounds import next_opening, paper_seed, round_at
from quizapp.campaigns.season.tries import Refusal, refuse_try
from quizapp.campaigns.terms import ALWAYS, Quiz, Round, Terms
from quizapp.core.clock import rfc3339, shanghai_day
from quizapp.core.db import db
from quizapp.core.errors import NotSignedIn
from quizapp.core.text import N_


@dataclass(frozen=True)
class StartPlan:
    """What is begun: quiz, track, channel, round; when its window ends; the questions of a paper that is repaired."""

    quiz: Quiz
    track: str = ""
    channel: str = "web"
    round_key: str = ""
    closes_at: dt.datetime | None = None
    seed: str = ""
    kept_questions: tuple[QuestionView, ...] = ()

    def shared_rng(self, campaign_id: uuid.UUID) -> random.Random | None:
        """Dice that fall the same for everybody who shares this paper; None where each has one of their own."""
        if not self.seed:
            return None
        return random.Random(hashlib.sha256(f"{campaign_id}|{self.seed}".encode()).digest())  # noqa: S311 - a common paper, no secret


def find_quiz(terms: Terms, quiz_id: str) -> Quiz:
    """:raises QuizNotFound: if the campaign has no such quiz"""
    if not quiz_id:
        return terms.main
    try:
        return terms.quiz(quiz_id)
    except KeyError:
        raise QuizNotFound from None


def plain_plan(terms: Terms, quiz_id: str) -> StartPlan:
    """The plan of a campaign whose terms are plain."""
    return StartPlan(find_quiz(terms, quiz_id))


def find_guest_plan(campaign: CampaignView, *, quiz_id: str, channel: str, now: dt.datetime) -> StartPlan:
    """What a guest may begin.

    :raises NotSignedIn: where a registration for the campaign or something done before decides
    :raises QuizNotFound, RoundClosed, ChannelClosed: as it stands
    """
    quiz = find_quiz(campaign.terms, quiz_id)
    if needs_entry(campaign.terms) or quiz.requires != ALWAYS or quiz.tries.repairs:
        raise NotSignedIn
    track = campaign.terms.tracks[0].id if campaign.terms.tracks else ""
    _check_channel(campaign.terms, quiz, track, channel)
    return _as_plan(quiz, _open_round(campaign.terms, quiz, track, now), track, channel, now)


def find_plan(campaign: CampaignView, profile: Profile, *, quiz_id: str, channel: str, now: dt.datetime) -> StartPlan:
    """What this citizen, whose row is locked, may begin now.

    :raises CampaignNotOpen, CampaignEnded, CampaignPaused, NotEligible, AttemptLimitReached: as for every campaign
    :raises EntryRequired: before the campaign's own registration
    :raises RoundClosed: between two windows
    :raises NotUnlocked: while ``requires`` is not met
    :raises ChannelClosed: from an entrance that is not this quiz's
    """
    terms, quiz = campaign.terms, find_quiz(campaign.terms, quiz_id)
    campaign_rules.check_is_open(campaign, now)
    reason = campaign_rules.why_not_eligible(terms.eligibility, profile)
    if reason:
        raise NotEligible(reason)
    track = _track_of(campaign, profile.citizen_id, quiz)
    _check_channel(terms, quiz, track, channel)
    found = _open_round(terms, quiz, track, now)
    if quiz.requires != ALWAYS:
        history = histories.get_history(profile.citizen_id, campaign.id, round_key_of(terms))
        if not is_met(terms, quiz.requires, history.within(_required_scope(quiz, found, now))):
            raise NotUnlocked
    refusal = _refused_try(campaign, profile.citizen_id, quiz, channel, found, shanghai_day(now))
    if refusal is not None:
        raise limit_reached(refusal)
    kept = _paper_to_repair(campaign.id, profile.citizen_id, quiz, found) if quiz.tries.repairs else ()
    return _as_plan(quiz, found, track, channel, now, kept)


def _required_scope(quiz: Quiz, found: Round, now: dt.datetime) -> str:
    if quiz.requires_per == "day":
        return f"day:{shanghai_day(now).isoformat()}"
    return f"round:{found.key}" if quiz.requires_per == "round" else "campaign"


def _refused_try(campaign: CampaignView, citizen_id: uuid.UUID, quiz: Quiz, channel: str, found: Round, today: dt.date) -> Refusal | None:
    begun = histories.list_begun(citizen_id, campaign.id)
    actions = histories.list_action_days(citizen_id, campaign.id) if quiz.tries.extra else {}
    return refuse_try(quiz, begun, channel=channel, round_key=found.key, today=today, actions=actions)


def limit_reached(refusal: Refusal) -> AttemptLimitReached:
    """The refusal as a citizen reads it."""
    sentences = {
        "per_day": None,
        "per_round": N_("这一轮的答题次数已用完，下一轮再来。"),
        "total": N_("这场活动的答题次数已用完"),
    }
    return AttemptLimitReached(sentences[refusal.limit], limit=refusal.count)


def _track_of(campaign: CampaignView, citizen_id: uuid.UUID, quiz: Quiz) -> str:
    track = ""
    if needs_entry(campaign.terms):
        entry = find_entry(campaign.id, citizen_id)
        if entry is None:
            raise EntryRequired
        track = entry.track
    elif campaign.terms.tracks:
        track = campaign.terms.tracks[0].id
    if quiz.tracks and track not in quiz.tracks:
        raise NotEligible(N_("这一关不在您报名的赛道里。"))
    return track


def _check_channel(terms: Terms, quiz: Quiz, track: str, channel: str) -> None:
    channels = set(quiz.channels)
    for item in terms.tracks:
        if item.id == track:
            channels |= set(item.channels)
    if channels and channel not in channels:
        raise ChannelClosed


def _open_round(terms: Terms, quiz: Quiz, track: str, now: dt.datetime) -> Round:
    found = round_at(terms, quiz, now, track)
    if found is None:
        following = next_opening(terms, quiz, now, track)
        raise RoundClosed(**({"next_at": rfc3339(following)} if following else {}))
    return found


def _as_plan(quiz: Quiz, found: Round, track: str, channel: str, now: dt.datetime, kept: tuple[QuestionView, ...] = ()) -> StartPlan:
    closes_at = found.closes_at if found.key else None
    return StartPlan(quiz, track, channel, found.key, closes_at, paper_seed(quiz, found, now), kept)


def _paper_to_repair(campaign_id: uuid.UUID, citizen_id: uuid.UUID, quiz: Quiz, found: Round) -> tuple[QuestionView, ...]:
    """The questions of the last paper of this round that was not all right, with the right answers kept; empty for a new one."""
    table = ATTEMPTS.c
    last = (
        sa.select(table.id)
        .where(
            table.campaign_id == campaign_id,
            table.citizen_id == citizen_id,
            table.quiz_id == quiz.id,
            table.round_key == found.key,
            table.state == "graded",
        )
        .order_by(table.total_try.desc())
        .limit(1)
    )
    attempt_id = db.session.scalar(last)
    if attempt_id is None:
        return ()
    attempt = queries.get_attempt(attempt_id)
    if attempt.correct_count == attempt.question_count:
        return ()
    return tuple(
        QuestionView(item.position, item.revision_id, item.choice_order, item.chosen if item.is_correct else None, None)
        for item in attempt.questions
    )

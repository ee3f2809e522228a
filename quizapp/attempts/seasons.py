"""Where a citizen stands in a campaign of several quizzes, rounds or tracks: what can be begun, what has been earned."""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.accounts.queries import Profile
from quizapp.attempts import histories
from quizapp.attempts.models import AwardGrant, CampaignEntry
from quizapp.attempts.services.acting import find_entry, needs_entry, team_name_of
from quizapp.attempts.services.awarding import round_key_of
from quizapp.attempts.services.seasonal import find_guest_plan, find_plan
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.season.measures import value_of
from quizapp.campaigns.terms import Gift, Quiz
from quizapp.core.db import db
from quizapp.core.errors import AppError
from quizapp.core.text import N_

GIFT_TITLES = {
    "points": N_("积分"),
    "tickets": N_("抽奖机会"),
    "badge": N_("徽章"),
    "title": N_("称号"),
    "certificate": N_("证书"),
    "hours": N_("学时"),
    "card": N_("卡片"),
    "prize": N_("奖品"),
    "tries": N_("答题次数"),
}


@dataclass(frozen=True)
class QuizState:
    """One quiz as this visitor meets it. ``code`` is the refusal's, empty when it can be begun."""

    quiz: Quiz
    code: str = ""
    sentence: str = ""
    next_at: dt.datetime | None = None

    @property
    def title(self) -> str:
        return self.quiz.title or N_("答题")


@dataclass(frozen=True)
class Earned:
    """Something an award gave. ``ticket_url_id`` is under which id its tickets for the instant draw are drawn."""

    title: str
    gifts: tuple[Gift, ...]
    points: int
    at: dt.datetime
    ticket_url_id: uuid.UUID | None
    first_ticket: int | None

    @property
    def words(self) -> str:
        """What it brought, such as 积分 5、证书“普法达人”."""
        return "、".join(_gift_words(gift, self.points) for gift in self.gifts)


def _gift_words(gift: Gift, points: int) -> str:
    title = GIFT_TITLES[gift.kind]
    if gift.kind == "points":
        return f"{title} {points}"
    if gift.name:
        return f"{title}“{gift.name}”" + (f" × {gift.amount}" if gift.amount > 1 else "")
    return f"{title} {gift.amount}"


@dataclass(frozen=True)
class Progress:
    """A declared measure of this citizen so far."""

    title: str
    value: int


@dataclass(frozen=True)
class Season:
    """Everything of one visitor. ``entry`` None: not registered, or no registration needed (``needs_entry``)."""

    needs_entry: bool
    entry: CampaignEntry | None
    team_name: str
    quizzes: tuple[QuizState, ...]
    earned: tuple[Earned, ...] = ()
    progress: tuple[Progress, ...] = ()


def season_of(view: CampaignView, profile: Profile | None, now: dt.datetime, channel: str = "web") -> Season:
    """Where somebody stands now.

    :param profile: None for a guest
    """
    quizzes = tuple(_quiz_state(view, profile, quiz, channel, now) for quiz in view.terms.quizzes)
    if profile is None:
        return Season(needs_entry(view.terms), None, "", quizzes)
    entry = find_entry(view.id, profile.citizen_id) if needs_entry(view.terms) else None
    return Season(
        needs_entry(view.terms),
        entry,
        team_name_of(entry) if entry else "",
        quizzes,
        tuple(_earned(view, profile.citizen_id)),
        tuple(_progress(view, profile.citizen_id)),
    )


def _quiz_state(view: CampaignView, profile: Profile | None, quiz: Quiz, channel: str, now: dt.datetime) -> QuizState:
    try:
        if profile is None:
            find_guest_plan(view, quiz_id=quiz.id, channel=channel, now=now)
        else:
            find_plan(view, profile, quiz_id=quiz.id, channel=channel, now=now)
    except AppError as refusal:
        following = refusal.extra.get("next_at")
        return QuizState(quiz, refusal.code, refusal.message, dt.datetime.fromisoformat(following) if following else None)
    return QuizState(quiz)


def _earned(view: CampaignView, citizen_id: uuid.UUID) -> list[Earned]:
    titles = {award.id: award.title for award in view.terms.awards}
    found = sa.select(AwardGrant).filter_by(campaign_id=view.id, citizen_id=citizen_id)
    rows = db.session.scalars(found.order_by(AwardGrant.granted_at.desc(), AwardGrant.id.desc()).limit(100))
    return [
        Earned(
            title=titles.get(row.award_id) or N_("奖励"),
            gifts=tuple(Gift(**gift) for gift in row.gifts),
            points=row.points,
            at=row.granted_at,
            ticket_url_id=(row.attempt_id or row.id) if row.first_ticket else None,
            first_ticket=row.first_ticket,
        )
        for row in rows
    ]


def _progress(view: CampaignView, citizen_id: uuid.UUID) -> list[Progress]:
    titled = [measure for measure in view.terms.measures if measure.title]
    if not titled:
        return []
    ask = value_of(view.terms, histories.get_history(citizen_id, view.id, round_key_of(view.terms)))
    return [Progress(measure.title, int(ask(measure.id))) for measure in titled]

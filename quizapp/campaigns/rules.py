"""What follows from the terms and the clock. Plain values in, plain values out; moments are aware, days are Shanghai's."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

from quizapp.campaigns.checks import Problem, problems
from quizapp.campaigns.errors import AttemptLimitReached, CampaignEnded, CampaignNotOpen, CampaignPaused, NotEligible
from quizapp.campaigns.terms import DrawTerms, Eligibility, Quiz, Terms
from quizapp.core.clock import SHANGHAI, shanghai_day
from quizapp.core.errors import NotSignedIn
from quizapp.core.text import N_

__all__ = ["CampaignView", "Phase", "Problem", "check_may_start", "deadline", "phase", "points_for", "problems", "tickets_for"]

Phase = Literal["soon", "open", "paused", "ended"]
MINORS = frozenset({"under_14", "14_17"})
ADOPTION_HOURS = 24
"""How long after its hand-in a guest's attempt can be adopted: its tickets are granted then."""


@dataclass(frozen=True)
class CampaignView:
    """A published campaign as citizens meet it, with the terms in force."""

    id: uuid.UUID
    slug: str
    title: str
    summary: str
    kind: str
    legal_basis: str
    theme: str
    status: str
    pause_reason: str
    version: int
    host_name: str
    host_path: str
    cohosts: tuple[str, ...]
    terms_id: uuid.UUID
    terms: Terms
    terms_number: int
    terms_hash: str
    resumes_at: dt.datetime | None = None
    """When a paused campaign is expected to go on."""
    closed_at: dt.datetime | None = None
    closing_reason: str = ""
    """Why it ended before its announced end."""

    @property
    def pause_notice(self) -> str:
        """Why it is paused and until when, as far as that is known."""
        return pause_notice(self.pause_reason, self.resumes_at)


class Person(Protocol):
    """What eligibility looks at; ``accounts.queries.Profile`` is one."""

    @property
    def demographic_group(self) -> str | None: ...
    @property
    def region_code(self) -> str | None: ...
    @property
    def organisation_id(self) -> uuid.UUID | None: ...
    @property
    def organisation_path(self) -> str | None: ...


def phase(status: str, terms: Terms, now: dt.datetime) -> Phase:
    """Where a published campaign stands. The end is exclusive; a paused one whose end has come is over."""
    if status == "closed" or now >= terms.closes_at:
        return "ended"
    if status == "paused":
        return "paused"
    return "soon" if now < terms.opens_at else "open"


def check_may_start(view: CampaignView, profile: Person | None, tries_today: int, tries_total: int, now: dt.datetime) -> None:
    """Let a citizen (or, without a profile, a guest) begin an attempt now, or say why not.

    :param tries_today: attempts begun on this Shanghai day, open ones included
    :raises CampaignNotOpen, CampaignEnded, CampaignPaused, NotEligible, AttemptLimitReached: as it stands
    :raises NotSignedIn: for a guest where the terms ask for registration first
    """
    check_is_open(view, now)
    if profile is None:
        if not view.terms.eligibility.allows_guests:
            raise NotSignedIn
        return
    reason = why_not_eligible(view.terms.eligibility, profile)
    if reason:
        raise NotEligible(reason)
    tries = view.terms.tries
    if tries.total is not None and tries_total >= tries.total:
        raise AttemptLimitReached(N_("这场活动的答题次数已用完"), limit=tries.total)
    if tries.per_day is not None and tries_today >= tries.per_day:
        raise AttemptLimitReached(limit=tries.per_day)


def check_is_open(view: CampaignView, now: dt.datetime) -> None:
    """:raises CampaignNotOpen, CampaignEnded, CampaignPaused: unless attempts may be begun now"""
    current = phase(view.status, view.terms, now)
    if current == "soon":
        raise CampaignNotOpen
    if current == "ended":
        raise CampaignEnded
    if current == "paused":
        raise CampaignPaused(view.pause_notice or None)


def pause_notice(reason: str, resumes_at: dt.datetime | None) -> str:
    """What citizens read about a pause; empty while nothing is known."""
    sentences = [f"活动暂停了：{reason.rstrip('。！')}。" if reason else ""]
    if resumes_at is not None:
        local = resumes_at.astimezone(SHANGHAI)
        sentences.append(f"预计 {local.month}月{local.day}日 {local:%H:%M} 恢复。")
    return "".join(sentences)


def why_not_eligible(eligibility: Eligibility, person: Person) -> str:
    """The sentence that says why somebody is outside the circle of this campaign, or an empty one.

    Whoever has not told the group or region yet is asked for it, where the campaign depends on it.
    """
    unknown = N_("这场活动有参加范围，请先到“我的”里补全资料。")
    if eligibility.regions:
        if person.region_code is None:
            return unknown
        if not any(person.region_code.startswith(prefix) for prefix in eligibility.regions):
            return N_("这场活动只面向指定的旗县区，您填写的地方不在范围内。")
    if eligibility.groups:
        if person.demographic_group is None:
            return unknown
        if person.demographic_group not in eligibility.groups:
            return N_("这场活动只面向指定的人群，您填写的人群不在范围内。")
    if eligibility.organisation_ids:
        if person.organisation_id is None:
            return N_("这场活动面向指定的单位，请先到“我的”里填写所在单位。")
        units = {str(person.organisation_id), *(_as_id(part) for part in (person.organisation_path or "").split("/"))}
        if not units & set(eligibility.organisation_ids):
            return N_("这场活动只面向指定的单位，您所在的单位不在范围内。")
    return ""


def _as_id(part: str) -> str:
    return str(uuid.UUID(hex=part)) if len(part) == 32 else ""


def tries_left(terms: Terms, tries_today: int, tries_total: int) -> int | None:
    """How often somebody may still begin today; None is no limit."""
    left = [limit - used for limit, used in ((terms.tries.per_day, tries_today), (terms.tries.total, tries_total)) if limit is not None]
    return max(0, min(left)) if left else None


# ---- what an attempt earns


def may_draw(draw: DrawTerms, group: str | None, age_band: str | None) -> bool:
    """Whether somebody takes part in the draw. An unknown age band does not decide it: the draw itself asks for it."""
    if group is not None and group in draw.excluded_groups:
        return False
    return draw.allows_minors or age_band not in MINORS


def tickets_for(
    terms: Terms,
    *,
    passed: bool,
    group: str | None,
    age_band: str | None,
    values: Mapping[str, int | Fraction] | None = None,
    granted_today: int = 0,
) -> int:
    """Chances in the draw that a graded attempt earns: those of the first band of the terms that it meets, else the usual
    number if it passed. Minors get none unless the terms say otherwise.

    :param values: the attempt's measures by name (``season.scoring.values_of``); only bands look at them
    :param granted_today: tickets this citizen was granted in this campaign on this Shanghai day; only a daily limit looks at it
    """
    draw = terms.draw
    if draw is None or not may_draw(draw, group, age_band):
        return 0
    count = draw.tickets if passed else 0
    if values is not None:
        count = next((band.tickets for band in draw.bands if band.when.is_met(values.__getitem__)), count)
    return count if draw.draws_per_day is None else min(count, max(0, draw.draws_per_day - granted_today))


def points_for(terms: Terms, *, passed: bool, graded_today: int) -> int:
    """Points for handing in.

    :param graded_today: attempts of this citizen and campaign graded on this Shanghai day before this one
    """
    if graded_today >= terms.points.daily_limit:
        return 0
    return terms.points.passed if passed else terms.points.failed


def fixed_reward_for(terms: Terms, *, passed: bool, group: str | None, age_band: str | None, rewarded_today: int) -> int:
    """Points that stand in for the draw where this person does not draw: for a passed attempt, once a day.

    :param rewarded_today: fixed rewards this citizen had on this Shanghai day in this campaign
    """
    if not passed or rewarded_today or (terms.draw is not None and may_draw(terms.draw, group, age_band)):
        return 0
    return terms.fixed_reward.points


def is_passed(terms: Terms, correct_count: int) -> bool:
    """:raises ValueError: if the count is not possible with this paper"""
    if not 0 <= correct_count <= terms.question_count:
        raise ValueError("more right answers than questions")
    return correct_count >= terms.pass_count


def has_rewards(terms: Terms) -> bool:
    """Whether anything can be won or earned; a statutory exam has nothing of the kind but titles and certificates."""
    gifts = {gift.kind for award in terms.awards for band in award.bands for gift in band.gifts}
    by_award = bool(gifts - {"badge", "title", "certificate", "hours"})
    by_lot = terms.draw is not None or bool(terms.draws or terms.prizes or terms.rank_prizes)
    return by_lot or by_award or bool(terms.points.passed or terms.points.failed or terms.fixed_reward.points)


_PRIZES = uuid.UUID("0f0e6b1e-2f0a-5c52-8a4c-6b6d3f1d7a10")


def stock_prize_id(campaign_id: uuid.UUID, name: str) -> uuid.UUID:
    """The id under which payouts know a prize that awards give from stock."""
    return uuid.uuid5(_PRIZES, f"{campaign_id}:{name}")


# ---- time


def time_allowed(terms: Terms, is_large: bool, quiz: Quiz | None = None) -> int | None:
    """Seconds for one paper; None is until the campaign ends."""
    limit = (quiz or terms.main).limit_seconds
    if limit is None:
        return None
    return limit * terms.large_type_percent // 100 if is_large else limit


def deadline(
    terms: Terms, started_at: dt.datetime, is_large: bool, quiz: Quiz | None = None, window_closes_at: dt.datetime | None = None
) -> dt.datetime:
    """When a paper begun at ``started_at`` is over, fixed at the start. One begun before the campaign's end may be
    finished after it.

    :param window_closes_at: the end of the round it was begun in, which is the end of a paper without a limit
    """
    allowed = time_allowed(terms, is_large, quiz)
    if allowed is None:
        return window_closes_at or terms.closes_at
    return started_at + dt.timedelta(seconds=allowed)


def moment_of(text: str) -> dt.datetime:
    """A moment as the terms write it, in UTC."""
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(dt.UTC)


def draw_days(terms: Terms) -> list[dt.date]:
    """The Shanghai days on which a ticket can be granted: the window, and after it as long as a paper begun in the last
    second runs and a guest may take to register."""
    slowest = max(time_allowed(terms, True, quiz) or 0 for quiz in terms.quizzes)
    longest = dt.timedelta(seconds=slowest + terms.grace_seconds, hours=ADOPTION_HOURS)
    first, last = shanghai_day(terms.opens_at), shanghai_day(terms.closes_at + longest)
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def window_days(terms: Terms) -> int:
    """Shanghai days that the window touches."""
    return (shanghai_day(terms.closes_at - dt.timedelta(microseconds=1)) - shanghai_day(terms.opens_at)).days + 1

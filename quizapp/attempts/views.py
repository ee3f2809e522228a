"""The pages of an attempt: start, one question at a time, hand in, result. They work without JavaScript."""

import datetime as dt
import uuid
from typing import Any

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts import queries as account_queries
from quizapp.accounts.forms import RegisterForm
from quizapp.accounts.services import CONSENT_VERSION
from quizapp.accounts.views import cookies
from quizapp.accounts.views.sign_in import PENDING_PHONE
from quizapp.attempts import edge, fault_views, hooks, queries, remark_queries, rules, season_views
from quizapp.attempts.errors import (
    AdoptionExpired,
    AlreadyAdopted,
    AttemptClosed,
    AttemptNotFound,
    ChannelClosed,
    EntryRequired,
    GuestLimitReached,
    InvalidChoice,
    NotUnlocked,
    OpenAttemptExists,
    ProfileIncomplete,
    RegistrationRequired,
    RoundClosed,
)
from quizapp.attempts.papers import open_paper, result_of
from quizapp.attempts.queries import AttemptView
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.errors import AttemptLimitReached, CampaignEnded, CampaignNotOpen, CampaignPaused, NotEligible
from quizapp.campaigns.rules import CampaignView
from quizapp.core.clock import utc_now
from quizapp.core.errors import AppError, NotSignedIn
from quizapp.lottery import queries as lottery_queries
from quizapp.questions import queries as question_queries
from quizapp.questions.errors import PoolTooSmall
from quizapp.questions.rules import FAULT_STATES, citation_words
from quizapp.web.access import citizen, current_principal, guest
from quizapp.web.pagination import page_number
from quizapp.web.ui import url_if

bp = Blueprint("attempts", __name__, template_folder="templates")
blueprints = (bp, fault_views.bp, season_views.bp)

Page = str | Response | tuple[str, int]
PER_PAGE = 20
_NO_START = (
    CampaignNotOpen,
    CampaignEnded,
    CampaignPaused,
    NotEligible,
    AttemptLimitReached,
    GuestLimitReached,
    PoolTooSmall,
    RoundClosed,
    NotUnlocked,
    ChannelClosed,
)
_NO_ADOPTION = (AlreadyAdopted, AdoptionExpired, AttemptLimitReached, NotEligible, AttemptClosed)


def init_app(app: Flask) -> None:
    hooks.register()
    app.jinja_env.filters["citation"] = citation_words


# ---- where a paper stands


def _asker(attempt_id: uuid.UUID) -> rules.Asker:
    return edge.asker_of(attempt_id)


def _own(attempt_id: uuid.UUID) -> AttemptView:
    """The visitor's paper. Somebody who is not signed in is asked to sign in, whether or not there is such a paper.

    :raises NotSignedIn, AttemptNotFound:
    """
    asker = _asker(attempt_id)
    try:
        return edge.read_attempt(attempt_id, asker)
    except AttemptNotFound:
        if asker.citizen_id is None:
            raise NotSignedIn from None
        raise


def _place(attempt: AttemptView, now: dt.datetime) -> str:
    """The page of a paper in its present state."""
    if attempt.standing(now) == "open":
        return url_for("attempts.question", attempt_id=attempt.id, position=attempt.first_unanswered)
    if attempt.citizen_id is None:
        endpoint = "attempts.adopt" if current_principal().is_citizen else "attempts.held"
        return url_for(endpoint, attempt_id=attempt.id)
    return url_for("attempts.result", attempt_id=attempt.id)


def _go(url: str) -> Response:
    return redirect(url, 303)


def _to_sign_in(url: str) -> Response:
    return redirect(url_for("accounts.sign_in", next=url))


def _campaign(attempt: AttemptView) -> CampaignView:
    return campaign_queries.get_campaign_by_id(attempt.campaign_id)


def _register_query(campaign: CampaignView, following: str) -> dict[str, Any]:
    """What the registration is to ask for this campaign, and where it leads."""
    eligibility = campaign.terms.eligibility
    query: dict[str, Any] = {"next": following}
    if eligibility.asks_organisation:
        query["asks_organisation"] = "1"
    if not eligibility.asks_age_band:
        query["asks_age_band"] = "0"
    return query


def _register_url(campaign: CampaignView, following: str) -> str:
    return url_for("accounts.register", **_register_query(campaign, following))


def _refused(campaign: CampaignView, heading: str, detail: str, status: int = 409, **more: Any) -> Page:
    page = render_template(
        "web/closed.html",
        title=campaign.title,
        heading=heading,
        detail=detail,
        back=url_for("campaigns.show", slug=campaign.slug),
        second_url=url_for("campaigns.show", slug=campaign.slug),
        second_label=_("回到活动"),
        **more,
    )
    return page, status


# ---- start


@bp.post("/campaigns/<slug>/start")
@guest
def start(slug: str) -> Page:
    """Begin, or go on with the paper that is open."""
    now, campaign = utc_now(), campaign_queries.get_campaign(slug)
    paper = edge.find_guest_paper(campaign.id, now)
    if paper is not None and not request.form.get("again"):
        return _go(_place(paper, now))
    try:
        is_large, quiz_id = request.cookies.get("large") == "1", request.form.get("quiz", "")[:32]
        started = edge.start(slug, client_nonce=_nonce(), is_large=is_large, now=now, quiz_id=quiz_id)
    except EntryRequired:
        return _go(url_for("seasons.entry", slug=slug))
    except NotSignedIn:
        return _to_sign_in(url_for("campaigns.show", slug=slug))
    except _NO_START as refusal:
        return _cannot_start(campaign, refusal)
    if started.guest_token is not None:
        edge.remember_guest(started.attempt.id, started.guest_token)
    return _go(_place(started.attempt, now))


def _nonce() -> str:
    """The phone's random number; a browser without JavaScript sends none, and nonsense counts as none."""
    try:
        return rules.check_nonce(request.form.get("client_nonce", ""))
    except ValueError:
        return ""


def _cannot_start(campaign: CampaignView, refusal: AppError) -> Page:
    headings = {
        "campaign_not_open": _("活动还没开始"),
        "campaign_ended": _("这场活动结束了，谢谢参加"),
        "campaign_paused": _("活动先停一停"),
        "not_eligible": _("这场活动有参加范围"),
        "attempt_limit_reached": _("今天的次数用完了"),
        "guest_limit_reached": _("登录后接着答"),
        "pool_too_small": _("题库正在准备"),
        "round_closed": _("现在不在答题时间里"),
        "not_unlocked": _("这一关还没解锁"),
        "channel_closed": _("请从指定的入口进来"),
    }
    more: dict[str, str] = {}
    if isinstance(refusal, GuestLimitReached):
        more = {
            "action_url": url_for("accounts.sign_in", next=url_for("campaigns.show", slug=campaign.slug)),
            "action_label": _("去登录"),
        }
    return _refused(campaign, headings[refusal.code], refusal.message, refusal.http_status, **more)


# ---- one question


@bp.get("/attempts/<uuid:attempt_id>/<int:position>")
@guest
def question(attempt_id: uuid.UUID, position: int) -> Page:
    """One question of an open paper."""
    return _question_page(attempt_id, position)


def _question_page(attempt_id: uuid.UUID, position: int, error: str = "", status: int = 200) -> Page:
    now = utc_now()
    try:
        attempt = _own(attempt_id)
    except NotSignedIn:
        return _to_sign_in(url_for("attempts.question", attempt_id=attempt_id, position=position))
    if attempt.standing(now) != "open":
        return _go(_place(attempt, now))
    if not 1 <= position <= attempt.question_count:
        raise AttemptNotFound
    page = render_template(
        "attempts/question.html",
        attempt=attempt,
        question=open_paper(attempt)[position - 1],
        campaign=_campaign(attempt),
        deadline=rules.closes_at(attempt) if _is_timed(attempt) else None,
        now=now,
        error=error,
    )
    return page, status


def _is_timed(attempt: AttemptView) -> bool:
    """A countdown of days would only frighten: papers without a time limit show none."""
    return campaign_queries.get_terms(attempt.terms_id).limit_seconds is not None


@bp.post("/attempts/<uuid:attempt_id>/<int:position>")
@guest
def save(attempt_id: uuid.UUID, position: int) -> Page:
    """Save this answer and go where the button says: next, previous, the overview, or hand in."""
    now, asker = utc_now(), _asker(attempt_id)
    choices = [letter for letter in request.form.getlist("ans") if letter][:8]
    try:
        if choices:
            edge.save(attempt_id, asker, position, choices, now)
    except InvalidChoice as refusal:
        return _question_page(attempt_id, position, refusal.message, 422)
    except AttemptClosed:
        return _go(url_for("attempts.result", attempt_id=attempt_id))
    return _follow(_own(attempt_id), position, request.form.get("go", "next"), now)


def _follow(attempt: AttemptView, position: int, step: str, now: dt.datetime) -> Page:
    if attempt.standing(now) != "open":
        return _go(_place(attempt, now))
    if step == "previous":
        return _go(url_for("attempts.question", attempt_id=attempt.id, position=max(1, position - 1)))
    if step == "next" and position < attempt.question_count:
        return _go(url_for("attempts.question", attempt_id=attempt.id, position=position + 1))
    if step == "hand_in" and attempt.answered_count == attempt.question_count:
        return _hand_in(attempt.id, now)
    return _go(url_for("attempts.review", attempt_id=attempt.id))


# ---- hand in


@bp.get("/attempts/<uuid:attempt_id>/review")
@guest
def review(attempt_id: uuid.UUID) -> Page:
    """What is answered and what is not, before the hand-in."""
    now = utc_now()
    try:
        attempt = _own(attempt_id)
    except NotSignedIn:
        return _to_sign_in(url_for("attempts.review", attempt_id=attempt_id))
    if attempt.standing(now) != "open":
        return _go(_place(attempt, now))
    return render_template(
        "attempts/review.html",
        attempt=attempt,
        questions=open_paper(attempt),
        campaign=_campaign(attempt),
        deadline=rules.closes_at(attempt) if _is_timed(attempt) else None,
        now=now,
    )


@bp.post("/attempts/<uuid:attempt_id>/hand-in")
@guest
def hand_in(attempt_id: uuid.UUID) -> Page:
    """Hand in: a citizen sees the result, a guest what was kept."""
    return _hand_in(attempt_id, utc_now())


def _hand_in(attempt_id: uuid.UUID, now: dt.datetime) -> Page:
    try:
        attempt = edge.submit(attempt_id, _asker(attempt_id), now)
    except RegistrationRequired:
        endpoint = "attempts.adopt" if current_principal().is_citizen else "attempts.held"
        return _go(url_for(endpoint, attempt_id=attempt_id))
    except ProfileIncomplete:
        own = _own(attempt_id)
        return _go(_register_url(_campaign(own), url_for("attempts.result", attempt_id=attempt_id)))
    except AttemptClosed:
        return _go(url_for("attempts.result", attempt_id=attempt_id))
    except AttemptNotFound:
        if current_principal().is_citizen:
            raise
        return _to_sign_in(url_for("attempts.result", attempt_id=attempt_id))
    return _go(url_for("attempts.result", attempt_id=attempt.id))


@bp.get("/attempts/<uuid:attempt_id>/hand-in")
@guest
def held(attempt_id: uuid.UUID) -> Page:
    """A guest's paper after its hand-in: kept, to be seen after registration."""
    now = utc_now()
    try:
        attempt = _own(attempt_id)
    except NotSignedIn:
        return _to_sign_in(url_for("attempts.result", attempt_id=attempt_id))
    if attempt.citizen_id is not None or attempt.standing(now) == "open" or current_principal().is_citizen:
        return _go(_place(attempt, now))
    campaign = _campaign(attempt)
    if attempt.standing(now) == "lapsed":
        edge.forget_guest(attempt.id)
        return _lapsed(campaign, attempt)
    query = _register_query(campaign, url_for("attempts.adopt", attempt_id=attempt.id))
    return render_template(
        "attempts/held.html",
        attempt=attempt,
        campaign=campaign,
        received_at=attempt.handed_in_at or attempt.deadline_at,
        kept_until=attempt.started_at + rules.KEPT,
        query=query,
        register_url=url_for("accounts.register", **query),
        sign_in_url=url_for("accounts.sign_in", **query),
        form=_register_form(campaign, now),
        groups=[(group.code, group.name) for group in account_queries.list_groups()],
        regions=[(region.code, region.name) for region in account_queries.list_counties()],
        version=CONSENT_VERSION,
    )


def _register_form(campaign: CampaignView, now: dt.datetime) -> RegisterForm | None:
    """The newcomer's form, which posts to the accounts; None where the number was confirmed a moment ago and their own
    page asks for the rest."""
    if cookies.kept(PENDING_PHONE, now) is not None:
        return None
    form, eligibility = RegisterForm(), campaign.terms.eligibility
    asked = {"phone", "code", "demographic_group", "region", "agree"}
    asked |= {"age_band"} if eligibility.asks_age_band else set()
    asked |= {"organisation", "org_q"} if eligibility.asks_organisation else set()
    form.ask_only(asked)
    return form


def _lapsed(campaign: CampaignView, attempt: AttemptView) -> Page:
    if attempt.answered_count:
        return _refused(campaign, _("这份答卷过期了"), _("没登录的答卷只留 24 小时。再答一次，交卷后马上登录就能看结果。"), 200)
    return _refused(campaign, _("时间到了，这份答卷没有作答"), _("没有作答就不算成绩。看看讲解，有空再来。"), 200)


# ---- adoption


@bp.get("/attempts/<uuid:attempt_id>/adopt")
@guest
def adopt(attempt_id: uuid.UUID) -> Page:
    """After registration: the guest's paper becomes the citizen's. The page hands it over by itself."""
    own_url = url_for("attempts.adopt", attempt_id=attempt_id)
    principal = current_principal()
    if not principal.is_citizen:
        return _to_sign_in(own_url)
    now, attempt = utc_now(), _own(attempt_id)
    if attempt.citizen_id is not None:
        return _go(_place(attempt, now))
    campaign = _campaign(attempt)
    if attempt.standing(now) == "lapsed":
        edge.forget_guest(attempt.id)
        return _lapsed(campaign, attempt)
    return render_template("attempts/adopt.html", attempt=attempt, campaign=campaign, now=now, is_open=attempt.standing(now) == "open")


@bp.post("/attempts/<uuid:attempt_id>/adopt")
@citizen
def take(attempt_id: uuid.UUID) -> Page:
    """Adopt with the token this browser kept."""
    now, token = utc_now(), _asker(attempt_id).guest_token
    citizen_id = current_principal().user_id
    attempt = queries.get_attempt(attempt_id)
    if attempt.citizen_id == citizen_id:
        return _go(_place(attempt, now))
    if not rules.holds_token(attempt, token):
        raise AttemptNotFound
    campaign = _campaign(attempt)
    try:
        adopted = edge.adopt(attempt_id, citizen_id, token, now)
    except ProfileIncomplete:
        return _go(_register_url(campaign, url_for("attempts.adopt", attempt_id=attempt_id)))
    except OpenAttemptExists as refusal:
        open_url = url_for("attempts.result", attempt_id=uuid.UUID(refusal.extra["attempt_id"]))
        return _refused(campaign, _("先把手里的那份答完"), refusal.message, action_url=open_url, action_label=_("接着答那一份"))
    except _NO_ADOPTION as refusal:
        edge.forget_guest(attempt_id)
        return _refused(campaign, _("这份答卷没能算成您的"), refusal.message, refusal.http_status)
    edge.forget_guest(attempt_id)
    return _go(_place(adopted, now))


# ---- result


@bp.get("/attempts/<uuid:attempt_id>/result")
@guest
def result(attempt_id: uuid.UUID) -> Page:
    """The result with its explanations; a paper whose time is over is handed in from here."""
    now = utc_now()
    try:
        attempt = _own(attempt_id)
    except NotSignedIn:
        return _to_sign_in(url_for("attempts.result", attempt_id=attempt_id))
    standing = attempt.standing(now)
    if attempt.citizen_id is None or standing == "open":
        return _go(_place(attempt, now))
    campaign = _campaign(attempt)
    if standing == "lapsed":
        return _lapsed(campaign, attempt)
    if standing == "handed_in":
        return render_template("attempts/closing.html", attempt=attempt, campaign=campaign, now=now)
    state = hooks.find_state(campaign, current_principal(), now)
    found = result_of(attempt, now)
    faults = question_queries.list_own_faults(attempt.citizen_id, [question.question_id for question in found.questions])
    return render_template(
        "attempts/result.html",
        attempt=attempt,
        campaign=campaign,
        result=found,
        remarks=remark_queries.list_remarks(attempt.id),
        faults={fault.question_id: fault for fault in faults},
        fault_states=FAULT_STATES,
        terms=campaign_queries.get_terms(attempt.terms_id),
        tickets=lottery_queries.list_tickets("attempt", attempt.id) if attempt.ticket_count else [],
        seconds=_seconds(attempt),
        state=state,
        now=now,
        draw_url=url_if("lottery.packet", attempt_id=attempt.id),
        reward_url=url_if("lottery.fixed", attempt_id=attempt.id),
    )


def _seconds(attempt: AttemptView) -> int:
    return int(((attempt.handed_in_at or attempt.deadline_at) - attempt.started_at).total_seconds())


@bp.get("/me/attempts")
@citizen
def history() -> Page:
    """The citizen's attempts, the newest first."""
    number = page_number()
    items = queries.list_attempts(current_principal().user_id, utc_now(), limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE)
    return render_template("attempts/history.html", items=items[:PER_PAGE], number=number, has_more=len(items) > PER_PAGE)

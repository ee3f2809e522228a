"""Campaigns as citizens see them: home, list, one campaign, its rules."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, current_app, render_template, request, url_for
from flask_babel import gettext as _

from quizapp.accounts import queries as accounts
from quizapp.campaigns import queries, rules, wording
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.versions import list_rule_versions
from quizapp.core.clock import SHANGHAI, shanghai_day, utc_now
from quizapp.core.errors import AppError
from quizapp.core.text import N_
from quizapp.core.themes import icon_of
from quizapp.lottery import queries as lottery
from quizapp.lottery.pooldraw import queries as pool_draws
from quizapp.web.access import Principal, current_principal, guest, public
from quizapp.web.ui import shanghai_date, shanghai_datetime, url_if

bp = Blueprint("campaigns", __name__, template_folder="templates")
blueprints = (bp,)


@dataclass(frozen=True)
class VisitorState:
    """Where the visitor stands in a campaign; ``attempts`` fills it in, since it knows papers and this package does not.

    ``tries_left`` None is no limit or not known (a guest).
    """

    open_attempt_url: str = ""
    tries_left: int | None = None
    refusal: str = ""
    """Why nothing can be begun now, as a sentence; empty if it can."""
    best_correct: int | None = None
    season_url: str = ""
    """Where a campaign of several quizzes, rounds or tracks goes on."""


visitor_state: list[Callable[[CampaignView, Principal, dt.datetime], VisitorState]] = []
"""At most one function; registered by ``attempts``."""


@dataclass(frozen=True)
class Card:
    """A campaign in a list, with what the visitor can do."""

    view: CampaignView
    phase: rules.Phase
    state: VisitorState

    @property
    def icon(self) -> str:
        return icon_of(self.view.theme)

    @property
    def phase_title(self) -> str:
        return wording.PHASES[self.phase]


def _state(view: CampaignView, now: dt.datetime) -> VisitorState:
    for find in visitor_state:
        return find(view, current_principal(), now)
    try:
        rules.check_is_open(view, now)
    except AppError as refusal:
        return VisitorState(refusal=refusal.message)
    return VisitorState()


def _card(view: CampaignView, now: dt.datetime) -> Card:
    phase = rules.phase(view.status, view.terms, now)
    return Card(view, phase, _state(view, now) if phase in ("open", "paused") else VisitorState())


_GREETINGS = ((5, N_("晚上好")), (9, N_("早上好")), (12, N_("上午好")), (14, N_("中午好")), (18, N_("下午好")), (24, N_("晚上好")))


def _greeting(now: dt.datetime) -> str:
    hour = now.astimezone(SHANGHAI).hour
    return str(_(next(words for until, words in _GREETINGS if hour < until)))


@bp.get("/")
@public
def home() -> str:
    """What is on now, first."""
    now = utc_now()
    cards = [_card(view, now) for view in queries.list_visible(now)]
    principal = current_principal()
    balance = accounts.point_balance_of(principal.user_id) if principal.is_citizen else None
    return render_template("campaigns/home.html", cards=cards, greeting=_greeting(now), balance=balance)


@bp.get("/campaigns")
@public
def index() -> str:
    now = utc_now()
    return render_template("campaigns/index.html", cards=[_card(view, now) for view in queries.list_visible(now)])


@bp.get("/campaigns/<slug>")
@guest
def show(slug: str) -> str:
    """One campaign: the next step for this visitor, how it goes, prizes with their odds."""
    now = utc_now()
    view = queries.get_campaign(slug)
    card = Card(view, rules.phase(view.status, view.terms, now), _state(view, now))
    if card.phase == "ended":
        return _ended(card)
    prizes = lottery.list_prizes(view.id) if view.terms.draw else []
    wins = lottery.recent_wins_for_ticker(view.id) if prizes else []
    ticker = [_("抽奖号 %(alias)s 抽中%(prize)s", alias=win.alias, prize=win.prize_name.replace("|", " ")) for win in wins]
    return render_template(
        "campaigns/show.html",
        card=card,
        campaign=view,
        days_to_go=(shanghai_day(view.terms.opens_at) - shanghai_day(now)).days,
        about_minutes=wording.about_minutes(view.terms.question_count),
        prizes=prizes,
        ticker=ticker,
        steps=wording.how_to_play(view.terms),
        fairness=wording.fairness(view.terms, accounts.group_names()),
        kind_title=wording.KINDS[view.kind],
        prize_kinds=wording.PRIZE_KINDS,
    )


def _ended(card: Card) -> str:
    view = card.view
    facts = [(_("主办"), view.host_name, "")]
    if card.state.best_correct is not None:
        facts.append((_("我的最好成绩"), _("%(n)d / %(all)d 题", n=card.state.best_correct, all=view.terms.question_count), ""))
    if view.terms.draw is not None:
        if url_if("payouts.notices"):
            facts.append((_("中奖公示"), _("去看看"), url_if("payouts.notices")))
        if url_if("lottery.verify", slug=view.slug):
            facts.append((_("抽奖查验"), _("去查验"), url_if("lottery.verify", slug=view.slug)))
    if view.terms.draws and url_if("pool_draws.index", slug=view.slug):
        facts.append((_("公开摇号"), _("去看看"), url_if("pool_draws.index", slug=view.slug)))
    facts.append((_("活动规则"), _("去看看"), url_for("campaigns.rules_page", slug=view.slug)))
    if view.closing_reason and view.closed_at is not None:
        facts.append((_("提前结束"), _("%(when)s：%(reason)s", when=shanghai_datetime(view.closed_at), reason=view.closing_reason), ""))
    last = shanghai_day(view.terms.closes_at - dt.timedelta(microseconds=1))
    days = f"{shanghai_date(shanghai_day(view.terms.opens_at))}—{shanghai_date(last)}"
    detail = _("活动时间是 %(days)s。%(summary)s", days=days, summary=view.summary)
    return render_template("web/closed.html", title=view.title, heading=None, detail=detail, facts=facts)


@bp.get("/campaigns/<slug>/rules")
@public
def rules_page(slug: str) -> str:
    """All terms in plain Chinese, with their versions, what each version changed, and the seals."""
    current = queries.get_campaign(slug)
    contact = current_app.config["CONTACT"]
    versions = list_rule_versions(current, accounts.group_names(), accounts.region_names(), contact)
    wanted = request.args.get("version", "")
    shown = next((one for one in versions if str(one.number) == wanted), None)
    shown = shown or next(one for one in versions if one.number == current.terms_number)
    return render_template(
        "campaigns/rules.html",
        campaign=shown.view,
        current_number=current.terms_number,
        shown=shown,
        kind_title=wording.KINDS[current.kind],
        prizes=lottery.list_prizes(current.id) if shown.view.terms.draw else [],
        versions=versions,
        manifest_hash=lottery.get_pool(slug).manifest_hash if shown.view.terms.draw else None,
        pool_manifest_hash=pool_draws.find_manifest_hash(current.id),
    )

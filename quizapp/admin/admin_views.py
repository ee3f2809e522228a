"""The console's frame (menu, footer) and its home."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, render_template, url_for
from flask_babel import gettext as _

from quizapp.admin import menu, queries
from quizapp.core.clock import SHANGHAI, shanghai_day, utc_now
from quizapp.reporting import charts
from quizapp.reporting import rules as report_rules
from quizapp.reporting.queries import participation
from quizapp.web.access import Principal, current_principal, staff
from quizapp.web.security import is_staff_side

bp = Blueprint("admin", __name__, url_prefix="/admin", template_folder="templates")
blueprints = (bp,)

_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True)
class Todo:
    """One line of 需要您看一下."""

    icon: str
    tone: str
    title: str
    text: str
    url: str = ""
    act: str = ""


def greeting(now: dt.datetime) -> str:
    hour = now.astimezone(SHANGHAI).hour
    words = _("早上好") if 5 <= hour < 9 else _("上午好") if 9 <= hour < 12 else _("下午好") if 12 <= hour < 18 else _("晚上好")
    return str(words)


def _link(principal: Principal, endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values) if menu.may_open(principal, endpoint) else ""


def todos(principal: Principal, now: dt.datetime) -> list[Todo]:
    """What waits for this member of staff, the most pressing first."""
    found: list[Todo] = []
    scopes = principal.scopes("payouts.view")
    if scopes and (unknown := queries.count_payouts(("unknown",), scopes)):
        text = _("正在查询，查清之前不重发、不算失败")
        found.append(
            Todo("alert", "miss", _("%(n)s 笔发放状态未知", n=unknown), text, _link(principal, "payouts_admin.index", state="unknown"))
        )
    if scopes and (returned := queries.count_payouts(("returned",), scopes)):
        text = _("钱退回来了，可以重新领取")
        found.append(
            Todo("alert", "miss", _("%(n)s 笔发放已退回", n=returned), text, _link(principal, "payouts_admin.index", state="returned"))
        )
    numbers = menu.counts(principal)
    if waiting := numbers.get("campaigns_admin.index", 0):
        url = _link(principal, "campaigns_admin.index", status="pending_approval")
        found.append(Todo("cal", "ink", _("%(n)s 个活动等待审批", n=waiting), _("自己建的活动要由别人批"), url, _("去看看")))
    if waiting := numbers.get("questions_admin.reviews", 0):
        url = _link(principal, "questions_admin.reviews")
        found.append(Todo("list", "ink", _("%(n)s 道题等待复核", n=waiting), _("复核通过的题才会出给市民"), url, _("去复核")))
    if queries.get_worker_state(now).is_silent:
        text = _("自动交卷、整理报表、公布密钥会推迟。请告诉系统管理员")
        found.append(Todo("clock", "miss", _("后台任务一分钟没有动静"), text))
    return found


def _figures(principal: Principal, now: dt.datetime) -> dict[str, Any]:
    """Today's figures of the open campaigns and the days of the latest one, for who may see figures."""
    scopes = principal.scopes("reports.view")
    if not scopes:
        return {}
    today = shanghai_day(now)
    campaigns = queries.list_open_campaigns(scopes, now)
    slugs = [campaign.slug for campaign in campaigns]
    shown = queries.find_latest_campaign(scopes, now)
    by_day = participation(campaigns=[shown.slug], by=("day",), scope_paths=scopes, now=now) if shown else None
    yesterday = today - dt.timedelta(days=1)
    return {
        "open_campaigns": campaigns,
        "today": participation(campaigns=slugs, first_day=today, last_day=today, by=("campaign",), scope_paths=scopes, now=now),
        "yesterday": participation(campaigns=slugs, first_day=yesterday, last_day=yesterday, scope_paths=scopes, now=now),
        "shown": shown,
        "by_day": by_day,
        "day_chart": charts.by_day(by_day, 760, 250) if by_day else None,
        "groups": participation(campaigns=[shown.slug], by=("demographic_group",), scope_paths=scopes, now=now) if shown else None,
        "regions": participation(campaigns=[shown.slug], by=("region",), scope_paths=scopes, now=now) if shown else None,
        "stock": queries.get_stock([campaign.id for campaign in campaigns]),
    }


@bp.get("/")
@staff
def home() -> str:
    """Today's figures and what waits; a plain page of links for who may see no figures."""
    principal, now = current_principal(), utc_now()
    local = now.astimezone(SHANGHAI)
    payout_scopes = principal.scopes("payouts.view")
    return render_template(
        "admin/home.html",
        greeting=greeting(now),
        today_words=_("%(month)s月%(day)s日 星期%(week)s", month=local.month, day=local.day, week=_WEEKDAYS[local.weekday()]),
        clock=f"{local:%H:%M:%S}",
        todos=todos(principal, now),
        cash_fen=queries.sum_cash_done(payout_scopes, local.date()) if payout_scopes else None,
        waiting_count=queries.count_payouts(("claimable",), payout_scopes) if payout_scopes else 0,
        rules=report_rules,
        **{"today": None, "shown": None, "stock": None, **_figures(principal, now)},
    )


def _frame() -> dict[str, Any]:
    """What the frame of every console page shows."""
    principal = current_principal()
    if not is_staff_side() or not principal.is_staff or principal.must_change:
        return {}
    worker = queries.get_worker_state(utc_now())
    footer = (
        _("后台任务没有动静")
        if worker.is_silent
        else _("后台任务正常，%(clock)s", clock=f"{worker.seen_at.astimezone(SHANGHAI):%H:%M}")
        if worker.seen_at
        else ""
    )
    return {"menu": menu.menu(principal), "menu_footer": footer}


def init_app(app: Flask) -> None:
    app.context_processor(_frame)

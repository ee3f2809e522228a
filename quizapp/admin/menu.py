"""The console's menu: only pages that exist and that the member of staff may open, as their doors say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request, url_for

from quizapp.admin import queries
from quizapp.core.text import N_
from quizapp.integrity import complaint_queries
from quizapp.integrity import queries as integrity_queries
from quizapp.lottery.pooldraw import queries as pool_draws
from quizapp.payouts.queries.notices import count_open_objections
from quizapp.questions import law_watch
from quizapp.questions import queries as question_queries
from quizapp.web.access import Principal, find_door

ATTENTION = ("unknown", "returned")
"""States of a hand-over that somebody has to look into."""


@dataclass(frozen=True)
class Item:
    """One link: the label, the icon and the endpoint it opens. ``count`` gives the number in its badge."""

    label: str
    icon: str
    endpoint: str
    count: Callable[[Principal], int] | None = None
    count_label: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    items: tuple[Item, ...]


def may_open(principal: Principal, endpoint: str) -> bool:
    """Whether the page exists and its door lets this member of staff through."""
    if endpoint not in current_app.view_functions:
        return False
    door = find_door(current_app, endpoint)
    return door is not None and (door.name == "staff" or (door.name == "bureau" and principal.may(door.permission)))


def _campaigns_waiting(principal: Principal) -> int:
    scopes = principal.scopes("campaigns.publish")
    return queries.count_campaigns("pending_approval", scopes) if scopes else 0


def _questions_waiting(principal: Principal) -> int:
    scopes = principal.scopes("questions.review")
    return queries.count_questions_in_review(scopes) if scopes else 0


def _faults_waiting(principal: Principal) -> int:
    return question_queries.count_open_faults(principal.scopes("questions.view"))


def _law_changes(principal: Principal) -> int:
    return law_watch.count_waiting(principal.scopes("questions.view"))


def _draws_waiting(principal: Principal) -> int:
    scopes = principal.scopes("draws.hold")
    return pool_draws.count_waiting(scopes) if scopes else 0


def _cases_waiting(principal: Principal) -> int:
    return integrity_queries.count_waiting(principal.scopes("integrity.review"))


def _complaints_waiting(principal: Principal) -> int:
    return complaint_queries.count_waiting(principal.scopes("complaints.handle"))


def _payouts_waiting(principal: Principal) -> int:
    scopes = principal.scopes("payouts.view")
    return queries.count_payouts(ATTENTION, scopes) if scopes else 0


def _objections_waiting(principal: Principal) -> int:
    scopes = principal.scopes("objections.answer")
    return count_open_objections(scopes) if scopes else 0


SECTIONS = (
    Section("", (Item(N_("工作台"), "grid", "admin.home"),)),
    Section(
        N_("竞答"),
        (
            Item(N_("我们协办的活动"), "users", "cohost_admin.index"),
            Item(N_("活动"), "horn", "campaigns_admin.index", _campaigns_waiting, N_("个活动等待审批")),
            Item(N_("题库"), "list", "questions_admin.index"),
            Item(N_("题目复核"), "check", "questions_admin.reviews", _questions_waiting, N_("道题等待复核")),
            Item(N_("市民纠错"), "chat", "questions_admin.faults", _faults_waiting, N_("条纠错等待答复")),
            Item(N_("改正答案"), "refresh", "attempts_admin.corrections"),
            Item(N_("法条变化"), "alert", "law_watch_admin.index", _law_changes, N_("道题引用的条文变了")),
            Item(N_("法条库"), "scales", "statutes_admin.index"),
            Item(N_("应知应会清单"), "book", "statutes_admin.lists"),
        ),
    ),
    Section(
        N_("数据和群众"),
        (
            Item(N_("参与统计"), "chart", "reporting_admin.participation"),
            Item(N_("题目分析"), "filter", "reporting_items.index"),
            Item(N_("摇号"), "gift", "pool_draws_admin.index", _draws_waiting, N_("场摇号等着主持")),
            Item(N_("中奖发放"), "wallet", "payouts_admin.index", _payouts_waiting, N_("笔发放需要查看")),
            Item(N_("奖品和兑换码"), "gift", "payouts_admin.items"),
            Item(N_("现金名单"), "cert", "payouts_admin.cash_lists"),
            Item(N_("自取核验"), "check", "payouts_admin.desk"),
            Item(N_("异常复核"), "shield", "integrity_admin.index", _cases_waiting, N_("件等待复核")),
            Item(N_("投诉处理"), "chat", "complaints_admin.index", _complaints_waiting, N_("件投诉等待答复")),
            Item(N_("公示异议"), "chat", "payouts_after_admin.objections", _objections_waiting, N_("条异议等待答复")),
            Item(N_("出资和结算"), "doc", "settlement_admin.index"),
            Item(N_("证书"), "cert", "certificates_admin.index"),
        ),
    ),
    Section(
        N_("系统"),
        (
            Item(N_("用户权限"), "users", "accounts_admin.users"),
            Item(N_("工作日"), "clock", "payouts_after_admin.workdays"),
            Item(N_("单位"), "pin", "accounts_admin.organisations"),
            Item(N_("操作日志"), "doc", "audit_admin.entries"),
            Item(N_("系统设置"), "cog", "accounts_admin.settings"),
            Item(N_("题目复核设置"), "check", "questions_admin.settings"),
            Item(N_("账号安全"), "lock", "accounts_admin.security"),
        ),
    ),
)


def counts(principal: Principal) -> Mapping[str, int]:
    """The badges' numbers by endpoint, counted once a request."""
    if "menu_counts" not in g:
        items = [item for section in SECTIONS for item in section.items if item.count and may_open(principal, item.endpoint)]
        g.menu_counts = {item.endpoint: item.count(principal) for item in items if item.count}
    found: Mapping[str, int] = g.menu_counts
    return found


def _current(endpoints: list[str]) -> str:
    """The item that the present page belongs to: itself, or the one whose address its own begins with."""
    if request.endpoint in endpoints:
        return str(request.endpoint)
    urls = {url_for(endpoint): endpoint for endpoint in endpoints if endpoint != "admin.home"}
    fitting = [url for url in urls if request.path.startswith(url.rstrip("/") + "/")]
    return urls[max(fitting, key=len)] if fitting else ""


def menu(principal: Principal) -> list[dict[str, Any]]:
    """The sections as the layout wants them; empty ones are left out."""
    numbers = counts(principal)
    sections = [(section, [item for item in section.items if may_open(principal, item.endpoint)]) for section in SECTIONS]
    current = _current([item.endpoint for _, items in sections for item in items])
    return [
        {
            "title": section.title,
            "items": [
                {
                    "label": item.label,
                    "icon": item.icon,
                    "url": url_for(item.endpoint),
                    "active": item.endpoint == current,
                    "badge": numbers.get(item.endpoint, 0),
                    "badge_label": f"{numbers.get(item.endpoint, 0)} {item.count_label}",
                }
                for item in items
            ],
        }
        for section, items in sections
        if items
    ]

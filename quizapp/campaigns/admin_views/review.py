"""The last step: checklist, what it costs, who has signed, what can be done now."""

import datetime as dt
from typing import Any

from quizapp.accounts.queries import group_names, region_names
from quizapp.campaigns import queries, services, wording
from quizapp.campaigns.admin_views.base import STATUS_TITLES
from quizapp.campaigns.admin_views.lists import STATES
from quizapp.campaigns.checklist import checklist
from quizapp.campaigns.forecast import days_in, estimate, forecast_plan
from quizapp.campaigns.forms import show_moment
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.preview import draft_view
from quizapp.campaigns.reach import may_reach, needs_second_person, state_of
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import check_shape
from quizapp.core.money import yuan
from quizapp.web.access import current_principal


def review_values(campaign: Campaign, now: dt.datetime) -> dict[str, Any]:
    found = services.check_campaign(campaign, now)
    view = draft_view(campaign)
    items = checklist(found, _facts(campaign, view))
    plan = campaign.draft.get("plan") or {}
    draw = view.terms.draw if view else None
    state = state_of(campaign, now)
    waits = campaign.status == "pending_approval" or campaign.submitted_by is not None
    return {
        "items": items,
        "error_count": sum(problem.is_error for problem in found),
        "passed_count": sum(item.state != "error" for item in items),
        "state": state,
        "word": STATES.get(state, STATUS_TITLES[campaign.status]),
        "rule_page": wording.rule_page(view, group_names(), region_names()) if view else [],
        "sums": estimate(draw, int(plan.get("expected_draws") or 0)) if draw else None,
        "told": forecast_plan(view.terms, plan) if view else None,
        "draw": draw,
        "budget_fen": int(plan.get("budget_fen") or 0),
        "hosts": queries.list_hosts(campaign.id),
        "people": queries.names_of_staff(
            [campaign.created_by, campaign.submitted_by, campaign.approved_by, campaign.published_by, campaign.closing_requested_by]
        ),
        "versions": queries.list_versions(campaign.id),
        "release_shown": show_moment(campaign.release_at) if campaign.release_at else "",
        "waits": waits,
        "is_changed": _is_changed(campaign),
        "may_publish": may_reach(campaign, "campaigns.publish"),
        "is_own": needs_second_person() and campaign.submitted_by is not None and campaign.submitted_by == current_principal().id,
        "is_own_closing": campaign.closing_requested_by is not None and campaign.closing_requested_by == current_principal().id,
        "may_pause": may_reach(campaign, "campaigns.pause"),
        "may_sign": current_principal().may("questions.review"),
    }


def _facts(campaign: Campaign, view: CampaignView | None) -> dict[str, str]:
    """What stands under a heading that is in order."""
    facts = {"kind": f"{wording.KINDS[campaign.kind]}，{campaign.legal_basis or campaign.title}"}
    hosts = queries.list_hosts(campaign.id)
    facts["cohosts"] = f"{len(hosts)} 家都签了" if hosts else "没有协办单位"
    if view is None:
        return facts
    terms = view.terms
    available = len({item.question_id for part in terms.paper.parts for item in queries.pool_of(part)})
    facts["opens_at"] = f"共 {days_in(terms)} 天，到时间自动开始和结束"
    facts["tries"] = wording.tries_sentence(terms)
    facts["paper"] = f"抽 {terms.question_count} 道，可用 {available} 道，每道都有讲解和法条"
    facts["pass_count"] = wording.pass_sentence(terms) + wording.paper_sentence(terms)
    facts["draw"] = f"{len(terms.draw.prizes)} 种奖品，种类、数量、机会、期限和税款都会公示" if terms.draw else "不设抽奖"
    facts["plan"] = _plan_fact(campaign, view)
    points = terms.points
    facts["points"] = f"合格 {points.passed} 分，没合格 {points.failed} 分；不抽奖的人合格得 {terms.fixed_reward.points} 分"
    return facts


def _plan_fact(campaign: Campaign, view: CampaignView) -> str:
    plan = campaign.draft.get("plan") or {}
    budget = int(plan.get("budget_fen") or 0)
    told = forecast_plan(view.terms, plan)
    if told is not None and told.cap_fen:
        spent, high = yuan(round(told.gross_fen.mean)), yuan(round(told.gross_fen.high))
        sentence = f"预计 {told.people:,} 人，含税大约 {spent} 元（十次里九次不超过 {high} 元），全部发完 {yuan(told.cap_fen)} 元"
        return f"{sentence}，预算 {yuan(budget)} 元" if budget else f"{sentence}，没有填预算"
    if view.terms.draw is None:
        return "不花奖品钱"
    sums = estimate(view.terms.draw, int(plan.get("expected_draws") or 0))
    sentence = f"含税预计 {yuan(sums.gross_fen)} 元，全部发完 {yuan(sums.cap_fen)} 元"
    return f"{sentence}，预算 {yuan(budget)} 元" if budget else f"{sentence}，没有填预算"


def _is_changed(campaign: Campaign) -> bool:
    """Whether the draft says something else than the terms in force."""
    in_force = queries.find_version(campaign.terms_id)
    if in_force is None or check_shape(campaign.draft):
        return True
    return services.canonical(campaign.draft) != in_force.body

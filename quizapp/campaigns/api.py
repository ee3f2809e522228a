"""Campaigns as JSON for anybody."""

import json
import uuid
from typing import Any

from flask import Response, current_app

from quizapp.accounts import queries as accounts
from quizapp.campaigns import queries, rules, wording
from quizapp.campaigns.bureau_api import blp as bureau_blp
from quizapp.campaigns.rules import CampaignView, Phase
from quizapp.campaigns.schemas import CampaignListArgs, CampaignListSchema, CampaignSchema, RulesSchema
from quizapp.campaigns.versions import list_rule_versions
from quizapp.core.clock import rfc3339, utc_now
from quizapp.lottery import queries as lottery
from quizapp.web.access import public
from quizapp.web.api import Blueprint

blp = Blueprint("campaigns_api", __name__, url_prefix="/api/v1", description="竞答活动")
blueprints = (blp, bureau_blp)

_bodies: dict[tuple[uuid.UUID, int, Phase], bytes] = {}
"""Bodies as bytes by terms, version and phase: a campaign is read far more often than it changes."""


def campaign_body(view: CampaignView, phase: Phase) -> dict[str, Any]:
    """A campaign with what somebody must know before starting. Money in fen, odds in parts per million."""
    terms = view.terms
    prizes = terms.draw.prizes if terms.draw else ()
    return {
        "slug": view.slug,
        "title": view.title,
        "summary": view.summary,
        "kind": view.kind,
        "legal_basis": view.legal_basis,
        "theme": view.theme,
        "state": phase,
        "opens_at": rfc3339(terms.opens_at),
        "closes_at": rfc3339(terms.closes_at),
        "host": view.host_name,
        "cohosts": list(view.cohosts),
        "question_count": terms.question_count,
        "pass_count": terms.pass_count,
        "limit_seconds": terms.limit_seconds,
        "large_type_percent": terms.large_type_percent,
        "tries_per_day": terms.tries.per_day,
        "tries_total": terms.tries.total,
        "feedback": terms.feedback,
        "allows_guests": terms.eligibility.allows_guests,
        "has_draw": terms.draw is not None,
        "prizes": [
            {
                "name": prize.name,
                "tier": prize.tier,
                "kind": prize.kind,
                "value_fen": prize.value_fen,
                "points": prize.points,
                "quantity": prize.quantity,
                "odds_ppm": prize.odds_ppm,
            }
            for prize in prizes
        ],
        "terms_version": view.terms_number,
        "terms_hash": view.terms_hash,
    }


@blp.route("/campaigns")
@public
@blp.arguments(CampaignListArgs, location="query")
@blp.response(200, CampaignListSchema)
def list_campaigns(args: dict[str, Any]) -> dict[str, Any]:
    """看得到的活动：进行中的在前，然后是暂停、即将开始、已结束。"""
    now = utc_now()
    found = [(view, rules.phase(view.status, view.terms, now)) for view in queries.list_visible(now)]
    wanted = args.get("state")
    return {"items": [campaign_body(view, phase) for view, phase in found if wanted in (None, phase)], "next": None}


@blp.route("/campaigns/<slug>")
@public
@blp.response(200, CampaignSchema)
@blp.alt_response(404, description="没有这场活动")
def get_campaign(slug: str) -> Response:
    """一场活动：时间、规则要点、奖品和机会。"""
    view = queries.get_campaign(slug)
    phase = rules.phase(view.status, view.terms, utc_now())
    key = (view.terms_id, view.version, phase)
    body = _bodies.get(key)
    if body is None:
        if len(_bodies) > 500:
            _bodies.clear()
        body = _bodies[key] = json.dumps(campaign_body(view, phase), ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, mimetype="application/json")


@blp.route("/campaigns/<slug>/rules")
@public
@blp.response(200, RulesSchema)
@blp.alt_response(404, description="没有这场活动")
def get_rules(slug: str) -> dict[str, Any]:
    """全部规则，写成大白话，带版本和封存码。"""
    view = queries.get_campaign(slug)
    versions = list_rule_versions(view, accounts.group_names(), accounts.region_names(), current_app.config["CONTACT"])
    page = next(one.page for one in versions if one.number == view.terms_number)
    return {
        "slug": view.slug,
        "title": view.title,
        "terms_version": view.terms_number,
        "terms_hash": view.terms_hash,
        "manifest_hash": lottery.get_pool(slug).manifest_hash if view.terms.draw else None,
        "rules": _rules(page),
        "versions": [
            {
                "version": one.number,
                "hash": one.body_hash,
                "published_at": rfc3339(one.published_at),
                "changes": one.changes,
                "rules": _rules(one.page),
            }
            for one in versions
        ],
    }


def _rules(page: list[wording.Rule]) -> list[dict[str, Any]]:
    return [{"title": rule.title, "sentences": list(rule.sentences)} for rule in page]

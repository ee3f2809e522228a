"""The published totals as JSON."""

from typing import Any

import marshmallow as ma

from quizapp.core.clock import rfc3339, utc_now
from quizapp.integrity import queries
from quizapp.integrity.views import public_totals
from quizapp.web.access import public
from quizapp.web.api import Blueprint

blp = Blueprint("integrity_api", __name__, url_prefix="/api/v1", description="核查情况")
blueprints = (blp,)


def _count(what: str) -> ma.fields.Integer:
    return ma.fields.Integer(required=True, allow_none=True, metadata={"description": f"{what}；null 是少于 5 或不便公布"})


class ExclusionReasonSchema(ma.Schema):
    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    people = _count("人数")


class IntegrityTotalsSchema(ma.Schema):
    """Figures about one campaign; a count below five is null, and a sum that would give one away too."""

    campaign = ma.fields.String(required=True)
    as_of = ma.fields.String(required=True)
    people = _count("一共看过的人数")
    waiting_people = _count("还在看的人数")
    cleared_people = _count("没有问题的人数")
    excluded_people = _count("被剔除的人数")
    excluded_attempts = _count("被剔除的答卷数")
    restored_people = _count("后来恢复的人数")
    appeals = _count("申诉件数")
    granted_appeals = _count("申诉成立件数")
    by_reason = ma.fields.List(ma.fields.Nested(ExclusionReasonSchema), required=True)


@blp.route("/campaigns/<string:slug>/integrity", methods=["GET"])
@blp.response(200, IntegrityTotalsSchema)
@blp.alt_response(404, description="not_found")
@public
def totals(slug: str) -> dict[str, Any]:
    """一场活动核查、剔除、恢复了多少人，为什么"""
    facts = queries.find_published_facts(slug)
    return {"campaign": facts.slug, "as_of": rfc3339(utc_now()), **public_totals(facts.id)}

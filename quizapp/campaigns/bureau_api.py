"""``/api/v1/admin/campaigns``: the same verbs as the console, for other systems of the bureau."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from flask import current_app

from quizapp.accounts.models import Organisation
from quizapp.accounts.queries import get_organisation
from quizapp.audit.actors import current_actor
from quizapp.campaigns import queries, services, starters
from quizapp.campaigns.errors import CampaignNotFound
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.reach import in_state, may_reach, needs_second_person, state_of, units
from quizapp.campaigns.schemas import (
    BureauCampaignListSchema,
    BureauCampaignSchema,
    BureauListArgs,
    CampaignChangesSchema,
    CampaignTemplateListSchema,
    CopySchema,
    ExtensionSchema,
    NewCampaignSchema,
    PauseSchema,
    PublicationSchema,
    ReasonSchema,
    SignatureSchema,
    VersionSchema,
)
from quizapp.campaigns.services import copying, running
from quizapp.campaigns.terms import QUIZ_FIELDS, check_draft
from quizapp.core.clock import rfc3339, shanghai_day, utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import InvalidInput
from quizapp.core.text import N_
from quizapp.web.access import bureau, current_principal
from quizapp.web.api import Blueprint
from quizapp.web.pagination import decode_cursor, encode_cursor

blp = Blueprint("campaigns_admin_api", __name__, url_prefix="/api/v1/admin", description="竞答活动（管理端）")
WITHDRAWN = N_("提交人撤回")
HEAD = ("slug", "title", "summary", "kind", "legal_basis", "theme")


def _find(slug: str, permission: str) -> Campaign:
    campaign = queries.find_by_slug(slug)
    if campaign is None or not may_reach(campaign, permission):
        raise CampaignNotFound
    return campaign


def _body(campaign: Campaign) -> dict[str, Any]:
    now = utc_now()
    version = queries.find_version(campaign.terms_id)
    host = get_organisation(campaign.host_organisation_id)
    return {
        "id": str(campaign.id),
        **{name: getattr(campaign, name) for name in HEAD},
        "status": campaign.status,
        "state": state_of(campaign, now),
        "pause_reason": campaign.pause_reason,
        "resumes_at": rfc3339(campaign.resumes_at),
        "return_reason": campaign.return_reason,
        "release_at": rfc3339(campaign.release_at),
        "closing_reason": campaign.closing_reason,
        "closing_requested_at": rfc3339(campaign.closing_requested_at),
        "closed_at": rfc3339(campaign.closed_at),
        "version": campaign.version,
        "host": {"id": str(host.id), "name": host.name},
        "cohosts": [
            {"id": str(unit.id), "name": unit.name, "signed_off_at": rfc3339(signed.signed_off_at)}
            for signed, unit in queries.list_hosts(campaign.id)
        ],
        "is_waiting": campaign.status == "pending_approval" or campaign.submitted_by is not None,
        "draft": campaign.draft,
        "terms": version.body if version else None,
        "terms_version": version.number if version else None,
        "terms_hash": version.body_hash if version else None,
        "opens_at": rfc3339(campaign.opens_at),
        "closes_at": rfc3339(campaign.closes_at),
        "problems": [
            {"field": one.field, "severity": one.severity, "message": one.message} for one in services.check_campaign(campaign, now)
        ],
    }


def _fresh(campaign_id: uuid.UUID) -> dict[str, Any]:
    """The answer after a change, read again."""
    db.session.expire_all()
    campaign = queries.find_campaign(campaign_id)
    if campaign is None:
        raise CampaignNotFound
    return _body(campaign)


@blp.route("/campaigns")
@bureau("campaigns.view")
@blp.arguments(BureauListArgs, location="query")
@blp.response(200, BureauCampaignListSchema)
def list_campaigns(args: dict[str, Any]) -> dict[str, Any]:
    """管得到的活动，新建的在前。"""
    now = utc_now()
    statement = sa.select(Campaign).where(queries.in_scopes(current_principal().scopes("campaigns.view")))
    if "state" in args:
        statement = statement.where(in_state(args["state"], now))
    after = decode_cursor(args.get("after"))
    if after is not None:
        statement = statement.where(Campaign.id < _cursor_id(after))
    rows = list(db.session.scalars(statement.order_by(Campaign.id.desc()).limit(args["limit"] + 1)))
    more = rows[args["limit"] :]
    return {
        "items": [_item(campaign, now) for campaign in rows[: args["limit"]]],
        "next": encode_cursor(rows[args["limit"] - 1].id.hex) if more else None,
    }


def _cursor_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(hex=text)
    except ValueError:
        raise InvalidInput(fields={"after": N_("翻页的位置不对，请从头再看。")}) from None


def _item(campaign: Campaign, now: dt.datetime) -> dict[str, Any]:
    return {
        "id": str(campaign.id),
        "slug": campaign.slug,
        "title": campaign.title,
        "kind": campaign.kind,
        "status": campaign.status,
        "state": state_of(campaign, now),
        "version": campaign.version,
        "opens_at": rfc3339(campaign.opens_at),
        "closes_at": rfc3339(campaign.closes_at),
    }


@blp.route("/campaigns/<slug>")
@bureau("campaigns.view")
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(404, description="没有这场活动，或者管不到")
def get_campaign(slug: str) -> dict[str, Any]:
    """一场活动：草稿、现行规则、规则检查的结果。"""
    return _body(_find(slug, "campaigns.view"))


@blp.route("/campaigns", methods=["POST"])
@bureau("campaigns.edit")
@blp.arguments(NewCampaignSchema)
@blp.response(201, BureauCampaignSchema)
@blp.alt_response(422, description="网址名称被占用，或者有几处填得不对")
def create_campaign(body: dict[str, Any]) -> dict[str, Any]:
    """新建一场活动的草稿。"""
    host_id = _host(body.get("host_organisation_id"))
    terms = _draft({**_begun(body), **body.get("terms", {})})
    with transaction():
        campaign = services.create_campaign(
            slug=body["slug"],
            title=body["title"],
            summary=body.get("summary", ""),
            kind=body["kind"],
            legal_basis=body.get("legal_basis", ""),
            theme=body.get("theme", "consumer"),
            host_organisation_id=host_id,
            cohost_ids=body.get("cohost_ids", ()),
            draft=terms,
            now=utc_now(),
            actor=current_actor(),
        )
    return _fresh(campaign.id)


def _begun(body: dict[str, Any]) -> dict[str, Any]:
    """The rules of the template that a new campaign names, moved to its first day."""
    if "template" not in body:
        return {}
    starter = starters.find_starter(body["template"], current_principal().scopes("campaigns.edit"))
    if starter is None:
        raise InvalidInput(fields={"template": N_("没有这个模板。")})
    return starters.begun(starter.body, body.get("opens_on") or shanghai_day(utc_now()) + dt.timedelta(days=7))


def _host(chosen: uuid.UUID | None) -> uuid.UUID:
    """A hosting unit within reach; without a choice the one at the top of it."""
    allowed: list[Organisation] = units()
    ids = [unit.id for unit in sorted(allowed, key=lambda unit: len(unit.path))]
    if not ids or (chosen is not None and chosen not in ids):
        raise InvalidInput(fields={"host_organisation_id": N_("请选主办单位。")})
    return chosen or ids[0]


def _with(draft: dict[str, Any], terms: dict[str, Any]) -> dict[str, Any]:
    """The draft with given parts replaced. A list of quizzes takes the place of the one quiz at the top, and the other way
    round."""
    if "quizzes" in terms:
        draft = {name: value for name, value in draft.items() if name not in QUIZ_FIELDS}
    elif terms.keys() & set(QUIZ_FIELDS):
        draft = {name: value for name, value in draft.items() if name != "quizzes"}
    return {**draft, **terms}


def _draft(terms: dict[str, Any]) -> dict[str, Any]:
    mistakes = check_draft(terms)
    if mistakes:
        raise InvalidInput(fields={f"terms.{path}" if path else "terms": message for path, message in reversed(mistakes)})
    return terms


@blp.route("/campaign-templates")
@bureau("campaigns.edit")
@blp.response(200, CampaignTemplateListSchema)
def list_templates() -> dict[str, Any]:
    """可以从它开始的规则：系统自带的，本单位和上级单位存的。"""
    paths = current_principal().scopes("campaigns.edit")
    items = [
        {"key": one.key, "title": one.title, "about": one.about, "kind": one.kind, "owner": one.owner or None, "terms": one.body}
        for one in (*starters.shipped(), *starters.list_kept(paths))
    ]
    return {"items": items, "next": None}


@blp.route("/campaigns/<slug>/copies", methods=["POST"])
@bureau("campaigns.edit")
@blp.arguments(CopySchema)
@blp.response(201, BureauCampaignSchema)
@blp.alt_response(404, description="没有这场活动，或者管不到")
@blp.alt_response(422, description="网址名称被占用，或者有几处填得不对")
def copy_campaign(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """再办一场：规则照抄，所有时间移到新的日期，协办单位重新签字。"""
    campaign = _find(slug, "campaigns.edit")
    with transaction():
        copied = copying.copy_campaign(
            campaign.id,
            slug=body["slug"],
            title=body.get("title", campaign.title),
            first=body["opens_on"],
            now=utc_now(),
            actor=current_actor(),
        )
    return _fresh(copied.id)


@blp.route("/campaigns/<slug>", methods=["PATCH"])
@bureau("campaigns.edit")
@blp.arguments(CampaignChangesSchema)
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(404, description="没有这场活动，或者管不到")
@blp.alt_response(409, description="别人先改过")
@blp.alt_response(422, description="有几处填得不对")
def change_campaign(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """改草稿。已经提交的，改过要重新提交。"""
    campaign = _find(slug, "campaigns.edit")
    draft = _draft(_with(campaign.draft, body["terms"])) if "terms" in body else None
    with transaction():
        services.save_draft(
            campaign.id,
            expected_version=body["version"],
            head={name: body[name] for name in HEAD if name in body} or None,
            draft=draft,
            cohost_ids=body.get("cohost_ids"),
            host_organisation_id=_host(body["host_organisation_id"]) if "host_organisation_id" in body else None,
            now=utc_now(),
            actor=current_actor(),
        )
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/submission", methods=["POST"])
@bureau("campaigns.edit")
@blp.arguments(VersionSchema)
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(409, description="现在不能提交")
@blp.alt_response(422, description="规则检查没有通过")
def submit(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """提交审批；规则检查有错误就不能提交。"""
    campaign = _find(slug, "campaigns.edit")
    with transaction():
        services.submit_for_approval(campaign.id, now=utc_now(), actor=current_actor(), expected_version=body.get("version"))
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/publication", methods=["POST"])
@bureau("campaigns.publish")
@blp.arguments(PublicationSchema)
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(403, description="提交的人不能自己批准")
@blp.alt_response(409, description="没有等审批的内容，或者已经发布")
@blp.alt_response(422, description="规则检查没有通过")
def publish(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """批准并封存发布；要由提交人以外的审批人来做。给了 ``release_at`` 就到时间自动发布，之前可以退回或撤回。"""
    campaign = _find(slug, "campaigns.publish")
    with transaction():
        services.publish_campaign(
            campaign.id,
            allows_cash=current_app.config["ALLOWS_CASH_PRIZES"],
            now=utc_now(),
            actor=current_actor(),
            needs_second_person=needs_second_person(),
            expected_version=body.get("version"),
            release_at=body.get("release_at"),
        )
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/return", methods=["POST"])
@bureau("campaigns.publish")
@blp.arguments(ReasonSchema)
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(409, description="没有等审批的内容")
def send_back(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """退回修改，写明原因。"""
    campaign = _find(slug, "campaigns.publish")
    with transaction():
        services.return_to_draft(campaign.id, reason=body["reason"], now=utc_now(), actor=current_actor())
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/withdrawal", methods=["POST"])
@bureau("campaigns.edit")
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(409, description="没有等审批或等发布的内容")
def withdraw(slug: str) -> dict[str, Any]:
    """提交人撤回，接着改；已批准、还没到发布时间的也可以撤回。"""
    campaign = _find(slug, "campaigns.edit")
    with transaction():
        services.return_to_draft(campaign.id, reason=WITHDRAWN, now=utc_now(), actor=current_actor())
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/pause", methods=["POST"])
@bureau("campaigns.pause")
@blp.arguments(PauseSchema)
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(409, description="不在进行中")
def pause(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """暂停：不能再开始新的一轮，原因和预计恢复的时间给群众看。"""
    campaign = _find(slug, "campaigns.pause")
    with transaction():
        running.pause_campaign(campaign.id, reason=body["reason"], resumes_at=body.get("resumes_at"), now=utc_now(), actor=current_actor())
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/resumption", methods=["POST"])
@bureau("campaigns.pause")
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(409, description="没有暂停")
def resume(slug: str) -> dict[str, Any]:
    """恢复。"""
    campaign = _find(slug, "campaigns.pause")
    with transaction():
        running.resume_campaign(campaign.id, now=utc_now(), actor=current_actor())
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/extension", methods=["POST"])
@bureau("campaigns.publish")
@blp.arguments(ExtensionSchema)
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(409, description="已经结束，或者没有发布")
@blp.alt_response(422, description="不比原来晚，或者备用密钥不够")
def extend(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """把结束时间往后延；规则多一个版本。"""
    campaign = _find(slug, "campaigns.publish")
    with transaction():
        running.extend_campaign(campaign.id, closes_at=body["closes_at"], now=utc_now(), actor=current_actor())
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/closing-request", methods=["POST"])
@bureau("campaigns.pause")
@blp.arguments(ReasonSchema)
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(409, description="已经结束、没有发布，或者已经申请过")
def request_closing(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """申请提前结束，写明原因；要另一位审批人批准才生效。"""
    campaign = _find(slug, "campaigns.pause")
    with transaction():
        running.request_closing(campaign.id, reason=body["reason"], now=utc_now(), actor=current_actor())
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/closing-request", methods=["DELETE"])
@bureau("campaigns.pause")
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(409, description="没有申请")
def drop_closing(slug: str) -> dict[str, Any]:
    """撤回提前结束的申请。"""
    campaign = _find(slug, "campaigns.pause")
    with transaction():
        running.drop_closing(campaign.id, now=utc_now(), actor=current_actor())
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/closing", methods=["POST"])
@bureau("campaigns.publish")
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(403, description="申请的人不能自己批准")
@blp.alt_response(409, description="没有申请，或者已经结束")
def close_early(slug: str) -> dict[str, Any]:
    """批准提前结束：不能再开始，答到一半的可以答完，没抽的奖可以接着抽。"""
    campaign = _find(slug, "campaigns.publish")
    with transaction():
        running.close_early(campaign.id, now=utc_now(), actor=current_actor())
    return _fresh(campaign.id)


@blp.route("/campaigns/<slug>/signatures", methods=["POST"])
@bureau("questions.review")
@blp.arguments(SignatureSchema)
@blp.response(200, BureauCampaignSchema)
@blp.alt_response(404, description="不是这场活动的协办单位，或者不能替它签")
def sign(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """协办单位看过题目，签字确认。"""
    campaign = _find(slug, "campaigns.view")
    unit_id: uuid.UUID = body["organisation_id"]
    paths = [unit.path for _signed, unit in queries.list_hosts(campaign.id) if unit.id == unit_id]
    if not paths or not current_principal().covers("questions.review", paths[0]):
        raise CampaignNotFound
    with transaction():
        services.sign_off(campaign.id, organisation_id=unit_id, now=utc_now(), actor=current_actor())
    return _fresh(campaign.id)

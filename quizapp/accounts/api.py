"""Signing in, the own profile and the lists it is chosen from, as JSON."""

import uuid
from typing import Any, cast

from flask import Response

from quizapp.accounts import edge, queries, rules, services
from quizapp.accounts.schemas import (
    DeleteMeArgs,
    GroupListSchema,
    MeArgs,
    MeSchema,
    OrganisationArgs,
    OrganisationListSchema,
    RegionArgs,
    RegionListSchema,
    SessionArgs,
    SessionSchema,
    SmsCodeArgs,
    SmsCodeSchema,
)
from quizapp.accounts.views.codes import send_sign_in_code
from quizapp.accounts.views.sign_in import parse_organisation
from quizapp.core.clock import rfc3339, utc_now
from quizapp.core.crypto import mask_phone
from quizapp.core.db import transaction
from quizapp.web.access import citizen, current_principal, public
from quizapp.web.api import Blueprint, json_response
from quizapp.web.limits import check_rate
from quizapp.web.security import client_ip

blp = Blueprint("accounts_api", __name__, url_prefix="/api/v1", description="登录和个人信息")
blueprints = (blp,)


def _code_name(code: str | None, name: str | None) -> dict[str, str] | None:
    return None if code is None else {"code": code, "name": name or code}


def me_body(me: queries.Me, masked_phone: str | None, point_balance: int) -> dict[str, Any]:
    """What the citizen reads about themselves."""
    profile, unit = me.profile, str(me.profile.organisation_id)
    return {
        "id": str(profile.citizen_id),
        "nickname": profile.nickname,
        "phone": masked_phone,
        "demographic_group": _code_name(profile.demographic_group, me.group_name),
        "region": _code_name(profile.region_code, me.region_name),
        "organisation": {"id": unit, "code": unit, "name": me.organisation_name} if profile.organisation_id else None,
        "age_band": _code_name(profile.age_band, rules.AGE_BAND_TITLES.get(profile.age_band or "")),
        "point_balance": point_balance,
        "needs_profile": not profile.is_registered,
        "consent_version": profile.consent_version,
        "current_consent_version": services.CONSENT_VERSION,
        "is_guardian_confirmed": profile.guardian_confirmed_at is not None,
    }


def _read_me(citizen_id: uuid.UUID) -> dict[str, Any]:
    return me_body(queries.get_me(citizen_id), queries.find_masked_phone(edge.vault(), citizen_id), queries.point_balance_of(citizen_id))


@blp.route("/auth/sms-codes", methods=["POST"])
@blp.arguments(SmsCodeArgs)
@blp.response(201, SmsCodeSchema)
@blp.alt_response(429, description="too_many_codes")
@public
def send_code(args: dict[str, Any]) -> Response:
    """发送短信验证码"""
    issued = send_sign_in_code(services.require_phone(args["phone"]), args["purpose"], utc_now())
    body: dict[str, Any] = {"retry_after_seconds": issued.retry_after_seconds, "expires_at": rfc3339(issued.expires_at)}
    if issued.shown_code:
        body["demo_code"] = issued.shown_code
    return json_response(body, 201)


@blp.route("/auth/sessions", methods=["POST"])
@blp.arguments(SessionArgs)
@blp.response(201, SessionSchema)
@blp.alt_response(429, description="code_tries_exceeded")
@public
def sign_in(args: dict[str, Any]) -> Response:
    """用手机号和验证码登录，取得令牌"""
    check_rate("sign-in", client_ip(), 600, 60)
    now, phone = utc_now(), services.require_phone(args["phone"])
    entered = cast(services.Entered, edge.enter(phone=phone, code=args["code"], now=now, is_bearer=True, device_label="程序"))
    balance = 0 if entered.is_new else queries.point_balance_of(entered.me.profile.citizen_id)
    return json_response({"token": entered.token, "citizen": me_body(entered.me, mask_phone(phone), balance)}, 201)


@blp.route("/auth/sessions/current", methods=["DELETE"])
@blp.response(204)
@citizen
def sign_out() -> None:
    """退出登录，令牌作废"""
    session_id = current_principal().session_id
    with transaction():
        if session_id is not None:
            services.end_session(session_id, utc_now())


@blp.route("/me", methods=["GET"])
@blp.response(200, MeSchema)
@citizen
def get_me() -> dict[str, Any]:
    """看自己的信息"""
    return _read_me(current_principal().user_id)


@blp.route("/me", methods=["PATCH"])
@blp.arguments(MeArgs)
@blp.response(200, MeSchema)
@blp.alt_response(409, description="guardian_consent_required, age_band_kept")
@citizen
def change_me(args: dict[str, Any]) -> dict[str, Any]:
    """改自己的信息，表示同意隐私保护说明"""
    citizen_id, now, change = current_principal().user_id, utc_now(), _profile_change(args)
    guardian = args.get("guardian")
    refusal = None
    with transaction():
        services.check_profile(change)
        if guardian is not None:
            phone = services.require_phone(guardian["phone"])
            refusal = services.check_code(edge.vault(), phone=phone, purpose=services.GUARDIAN, code=guardian["code"], now=now)
            if refusal is None:
                services.confirm_guardian(edge.vault(), citizen_id, phone, now)
        if refusal is None:
            services.update_profile(citizen_id, change, now)
    if refusal is not None:
        raise refusal
    return _read_me(citizen_id)


def _profile_change(args: dict[str, Any]) -> services.ProfileChange:
    organisation = args.get("organisation")
    return services.ProfileChange(
        demographic_group=args.get("demographic_group", args.get("group")),
        region_code=args.get("region"),
        organisation_id=parse_organisation(organisation or ""),
        clears_organisation="organisation" in args and not organisation,
        age_band=args.get("age_band"),
        nickname=args.get("nickname"),
        consent_version=args.get("consent_version"),
    )


@blp.route("/me/export", methods=["GET"])
@blp.response(200, description="全部个人数据")
@citizen
def export_me() -> Response:
    """带走自己的全部数据"""
    data = services.export_citizen(edge.vault(), current_principal().user_id, utc_now())
    return json_response(data, headers={"Content-Disposition": 'attachment; filename="my-data.json"'})


@blp.route("/me", methods=["DELETE"])
@blp.arguments(DeleteMeArgs, location="query")
@blp.response(204)
@blp.alt_response(409, description="open_claims")
@citizen
def delete_me(args: dict[str, Any]) -> None:
    """删除账号和个人数据"""
    with transaction():
        services.delete_citizen(current_principal().user_id, utc_now(), gives_up=args["gives_up"])


@blp.route("/regions", methods=["GET"])
@blp.arguments(RegionArgs, location="query")
@blp.response(200, RegionListSchema)
@public
def list_regions(args: dict[str, Any]) -> dict[str, Any]:
    """旗县区；给出上级时是它的下一级"""
    found = queries.list_regions(args["parent"]) if args.get("parent") else queries.list_counties()
    items = [{"code": each.code, "name": each.name, "level": each.level, "parent": each.parent_code} for each in found]
    return {"items": items, "next": None}


@blp.route("/demographic-groups", methods=["GET"])
@blp.response(200, GroupListSchema)
@public
def list_groups() -> dict[str, Any]:
    """人群分类"""
    return {"items": [{"code": each.code, "name": each.name} for each in queries.list_groups()], "next": None}


@blp.route("/organisations", methods=["GET"])
@blp.arguments(OrganisationArgs, location="query")
@blp.response(200, OrganisationListSchema)
@public
def search_organisations(args: dict[str, Any]) -> dict[str, Any]:
    """按名称找单位，最多 20 个"""
    check_rate("organisations", client_ip(), 1200, 60)
    found = queries.search_organisations(args["q"])
    return {"items": [{"id": str(each.id), "code": str(each.id), "name": each.name} for each in found], "next": None}

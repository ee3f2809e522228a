"""Bodies of the accounts endpoints of ``/api/v1``."""

from typing import Any

import marshmallow as ma

from quizapp.core.text import has_forbidden_characters
from quizapp.web.api import CodeSchema


class PlainString(ma.fields.String):
    """Text without NUL, control characters or lone surrogates, which no database or page should keep."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if has_forbidden_characters(text):
            raise ma.ValidationError("内容里有看不见的字符，请重新输入。")
        return text


def _text(limit: int, **kwargs: Any) -> PlainString:
    return PlainString(validate=ma.validate.Length(max=limit, error="内容太长了。"), **kwargs)


class SmsCodeArgs(ma.Schema):
    phone = _text(32, required=True, metadata={"description": "11 位大陆手机号"})
    purpose = ma.fields.String(
        load_default="sign_in",
        validate=ma.validate.OneOf(("sign_in", "guardian")),
        metadata={"description": "sign_in 登录；guardian 监护人确认"},
    )


class SmsCodeSchema(ma.Schema):
    retry_after_seconds = ma.fields.Integer(required=True)
    expires_at = ma.fields.String(required=True)
    demo_code = ma.fields.String(metadata={"description": "只在演示环境给出"})


class SessionArgs(ma.Schema):
    phone = _text(32, required=True)
    code = _text(16, required=True)


class OrganisationSchema(CodeSchema):
    id = ma.fields.String(required=True)


class MeSchema(ma.Schema):
    """The citizen who asks. ``needs_profile`` until consent, group and region are there."""

    id = ma.fields.String(required=True)
    nickname = ma.fields.String(required=True)
    phone = ma.fields.String(required=True, allow_none=True, metadata={"description": "打码的手机号"})
    demographic_group = ma.fields.Nested(CodeSchema, required=True, allow_none=True)
    region = ma.fields.Nested(CodeSchema, required=True, allow_none=True)
    organisation = ma.fields.Nested(OrganisationSchema, required=True, allow_none=True)
    age_band = ma.fields.Nested(CodeSchema, required=True, allow_none=True)
    point_balance = ma.fields.Integer(required=True)
    needs_profile = ma.fields.Boolean(required=True)
    consent_version = ma.fields.String(required=True, allow_none=True, metadata={"description": "已同意的版本"})
    current_consent_version = ma.fields.String(required=True, metadata={"description": "现行版本，PATCH me 用它表示同意"})
    is_guardian_confirmed = ma.fields.Boolean(required=True)


class SessionSchema(ma.Schema):
    token = ma.fields.String(required=True)
    citizen = ma.fields.Nested(MeSchema, required=True)


class GuardianArgs(ma.Schema):
    phone = _text(32, required=True)
    code = _text(16, required=True)


class MeArgs(ma.Schema):
    """Fields that are left out stay as they are."""

    demographic_group = _text(32, metadata={"description": "人群代码"})
    group = _text(32, metadata={"description": "demographic_group 的另一个写法"})
    region = _text(20, metadata={"description": "旗县区或更细一级的代码"})
    organisation = _text(64, allow_none=True, metadata={"description": "单位编号；null 表示不填"})
    age_band = _text(16, metadata={"description": "under_14, 14_17, 18_59, 60_plus"})
    nickname = _text(64)
    consent_version = _text(32, metadata={"description": "同意的隐私保护说明版本"})
    guardian = ma.fields.Nested(GuardianArgs, metadata={"description": "不满 14 周岁：监护人的手机号和验证码"})


class DeleteMeArgs(ma.Schema):
    gives_up = ma.fields.Boolean(load_default=False, metadata={"description": "放弃还没领的奖品"})


class RegionArgs(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    parent = _text(20, metadata={"description": "上级代码；不给就是旗县区"})


class RegionSchema(CodeSchema):
    level = ma.fields.String(required=True)
    parent = ma.fields.String(required=True, allow_none=True)


class RegionListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(RegionSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class GroupListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(CodeSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class OrganisationArgs(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    q = _text(100, load_default="", metadata={"description": "名称里的几个字"})


class OrganisationListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(OrganisationSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)

"""The ways accounts refuse. Messages never hold a number or a code somebody typed."""

from collections.abc import Mapping
from typing import Any

from quizapp.core.errors import AppError, Conflict, Forbidden, InvalidInput, TooManyRequests
from quizapp.core.text import N_


class _Field(InvalidInput):
    """A refusal that belongs to one field of the form."""

    field = ""

    def __init__(self, message: str | None = None, **extra: Any) -> None:
        text = message or type(self).message
        super().__init__(text, fields={type(self).field: text}, **extra)


class InvalidPhone(_Field):
    code = "invalid_phone"
    message = N_("手机号是 11 位数字，请再看一眼。")
    field = "phone"


class CodeWrong(_Field):
    code = "code_wrong"
    message = N_("验证码不对，请再看一眼短信。")
    field = "code"


class CodeExpired(_Field):
    code = "code_expired"
    message = N_("验证码过期了，请重新获取。")
    field = "code"


class CodeTriesExceeded(_Field):
    code = "code_tries_exceeded"
    message = N_("这个验证码输错太多次，请重新获取一个。")
    http_status = 429
    field = "code"


class TooManyCodes(TooManyRequests):
    code = "too_many_codes"
    message = N_("验证码发得太勤了，请过一会儿再试。")


class SmsNotSent(AppError):
    code = "sms_not_sent"
    message = N_("短信没有发出去，请一分钟后再试。")
    http_status = 502


class UnknownGroup(_Field):
    code = "unknown_group"
    message = N_("请从列出的几类人群里选一个。")
    field = "demographic_group"


class UnknownRegion(_Field):
    code = "unknown_region"
    message = N_("没有这个地区，请选到旗县区。")
    field = "region"


class UnknownOrganisation(_Field):
    code = "unknown_organisation"
    message = N_("没有找到这个单位，请重新查找，也可以不填。")
    field = "organisation"


class UnknownAgeBand(_Field):
    code = "unknown_age_band"
    message = N_("请从列出的年龄段里选一个。")
    field = "age_band"


class AgeBandKept(_Field):
    code = "age_band_kept"
    message = N_("填了未满 18 周岁，90 天内不能改成成年。确实填错了，请到司法所改。")
    http_status = 409
    field = "age_band"


class BadNickname(_Field):
    code = "bad_nickname"
    message = N_("昵称是 2 到 12 个字。")
    field = "nickname"


class UnknownConsentVersion(_Field):
    code = "unknown_consent_version"
    message = N_("隐私保护说明有了新版本，请看过新的再同意。")
    field = "consent_version"


class GuardianConsentRequired(Conflict):
    code = "guardian_consent_required"
    message = N_("不满 14 周岁，先请监护人用手机号同意。")


class GuardianPhoneSame(_Field):
    code = "guardian_phone_same"
    message = N_("监护人的手机号要和孩子登录用的不一样。")
    field = "guardian_phone"


class AccountBlocked(Forbidden):
    code = "account_blocked"
    message = N_("这个账号暂时停用了。有疑问请联系主办单位。")


class RecentlyDeleted(Conflict):
    code = "account_recently_deleted"
    message = N_("这个手机号刚注销过账号，30 天后可以重新登记。")


class OpenClaims(Conflict):
    """``reasons`` are sentences of the packages that still owe the citizen something."""

    code = "open_claims"
    message = N_("还有没办完的事，请先办完，或者选择放弃再删除。")

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(None, reasons=reasons)


# ---- staff


class SignInFailed(AppError):
    code = "sign_in_failed"
    message = N_("账号、密码或动态验证码不对。连续输错 5 次会锁定 15 分钟。")
    http_status = 401


class AccountLocked(AppError):
    code = "account_locked"
    message = N_("输错次数太多，账号锁定 15 分钟。急用请找安全管理员解锁。")
    http_status = 423


class WeakPassword(_Field):
    code = "weak_password"
    message = N_("密码要 12 到 128 个字符。")
    field = "new_password"


class WrongPassword(_Field):
    code = "wrong_password"
    message = N_("现在的密码不对。")
    field = "old_password"


class TotpWrong(_Field):
    code = "totp_wrong"
    message = N_("动态验证码不对，或者已经用过。请等下一个再试。")
    field = "totp"


class ExclusiveRoles(Conflict):
    code = "exclusive_roles"
    message = N_("系统、安全、审计管理员要分给三个人，一个账号不能同时担任两个。")


class OwnAccount(Forbidden):
    code = "own_account"
    message = N_("不能改自己的账号和角色，请另一位安全管理员来改。")


class RoleHeld(Conflict):
    code = "role_held"
    message = N_("这个账号在这个单位已经有这个角色。")


class UsernameTaken(_Field):
    code = "username_taken"
    message = N_("这个工号已经有账号了。")
    http_status = 409
    field = "username"


class BadValue(InvalidInput):
    """One field of a staff form; ``fields`` says which."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(fields=fields)

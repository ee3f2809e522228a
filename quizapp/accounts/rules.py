"""Decisions about people: what a role may do, what an age band means, what a phone number or nickname looks like."""

import re
from collections.abc import Iterable, Mapping

from quizapp.accounts.models import AGE_BANDS, EXCLUSIVE_ROLES, STAFF_ROLES
from quizapp.core.text import N_, clean_line, has_forbidden_characters

CODE_DIGITS = 6
NICKNAME_LENGTH = (2, 12)
PASSWORD_LENGTH = (12, 128)
REGION_LEVELS = ("county", "town", "community", "grid")
"""Levels a citizen may state: the county or finer."""

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    "system_admin": frozenset({"system.settings", "organisations.manage"}),
    "security_admin": frozenset({"staff.view", "staff.manage", "roles.manage"}),
    "audit_admin": frozenset({"audit.view"}),
    "campaign_manager": frozenset(
        {
            "campaigns.view",
            "campaigns.edit",
            "campaigns.pause",
            "questions.view",
            "reports.view",
            "payouts.view",
            "payouts.desk",
            "prizes.upload",
            "draws.hold",
            "objections.answer",
            "certificates.manage",
            "integrity.review",
            "complaints.handle",
        }
    ),
    "approver": frozenset(
        {
            "campaigns.view",
            "campaigns.publish",
            "payouts.view",
            "payouts.review",
            "budgets.view",
            "draws.confirm",
            "reports.view",
            "integrity.review",
            "complaints.handle",
        }
    ),
    "question_editor": frozenset({"questions.view", "questions.edit", "statutes.edit"}),
    "question_reviewer": frozenset({"questions.view", "questions.review"}),
    "finance": frozenset(
        {"payouts.view", "payouts.handle", "budgets.view", "budgets.edit", "campaigns.view", "reports.view", "phones.unmask"}
    ),
    "report_reader": frozenset({"reports.view"}),
    "cohost": frozenset({"campaigns.view", "questions.review", "reports.view", "cohost.view"}),
}
"""What each role may do, always within its organisation subtree. The three administrators do nothing of the trade."""

ROLE_TITLES: dict[str, str] = {
    "system_admin": N_("系统管理员"),
    "security_admin": N_("安全管理员"),
    "audit_admin": N_("审计管理员"),
    "campaign_manager": N_("活动管理员"),
    "approver": N_("审批人"),
    "question_editor": N_("题目编辑"),
    "question_reviewer": N_("题目复核员"),
    "finance": N_("财务"),
    "report_reader": N_("报表查看员"),
    "cohost": N_("协办单位"),
}

PERMISSION_TITLES: dict[str, str] = {
    "system.settings": N_("看系统参数、管人群分类"),
    "organisations.manage": N_("管单位名录"),
    "staff.view": N_("看后台账号"),
    "staff.manage": N_("建账号、停用、解锁、重设密码"),
    "roles.manage": N_("给角色、收角色"),
    "audit.view": N_("看操作日志"),
    "campaigns.view": N_("看活动"),
    "campaigns.edit": N_("建活动、改活动"),
    "campaigns.publish": N_("审批活动（自己建的不能批）"),
    "campaigns.pause": N_("暂停活动"),
    "questions.view": N_("看题库"),
    "questions.edit": N_("编题、导入"),
    "questions.review": N_("复核题目、签字"),
    "statutes.edit": N_("管法条库"),
    "reports.view": N_("看统计、导出"),
    "payouts.view": N_("看发放"),
    "payouts.handle": N_("发放、对账"),
    "payouts.review": N_("复核大额发放"),
    "payouts.desk": N_("自取窗口核验"),
    "prizes.upload": N_("上传兑换码"),
    "objections.answer": N_("答复公示异议、暂缓发放、改工作日"),
    "certificates.manage": N_("看证书、撤销证书"),
    "budgets.view": N_("看各单位资金和结算单"),
    "budgets.edit": N_("登记各单位资金（大额要另一人复核）"),
    "cohost.view": N_("看本单位协办的活动"),
    "draws.hold": N_("主持摇号、录入场外摇号"),
    "draws.confirm": N_("确认场外摇号（自己录的不能确认）"),
    "phones.unmask": N_("看完整手机号（要填事由）"),
    "integrity.review": N_("复核异常、剔除和恢复"),
    "complaints.handle": N_("处理投诉、出证据单"),
}

AGE_BAND_TITLES: dict[str, str] = {
    "under_14": N_("不满 14 周岁"),
    "14_17": N_("14 至 17 周岁"),
    "18_59": N_("18 至 59 周岁"),
    "60_plus": N_("60 周岁以上"),
}

_PHONE = re.compile(r"1[3-9]\d{9}")
_DIGIT_RUN = re.compile(r"\d{6,}")
_NICKNAME = re.compile(r"[\w·.\- ]+")


def is_under_14(age_band: str | None) -> bool:
    """Whether a guardian's consent is needed. An unknown band is not under 14."""
    return age_band == "under_14"


def is_minor(age_band: str | None) -> bool:
    """Under 18: fixed rewards, no chance draws, no cash. An unknown band is not a minor; who draws asks for the band."""
    return age_band in ("under_14", "14_17")


def is_registered(*, has_consent: bool, demographic_group: str | None, region_code: str | None) -> bool:
    """Consent given, group and region filled. Organisation and age band are asked only where a campaign needs them."""
    return has_consent and demographic_group is not None and region_code is not None


def clean_phone(text: str) -> str | None:
    """Eleven digits of a mainland mobile number; spaces, dashes and +86 are forgiven. None if it is not one."""
    digits = re.sub(r"[\s\-]", "", text)
    digits = digits.removeprefix("+86").removeprefix("0086")
    return digits if digits.isascii() and _PHONE.fullmatch(digits) else None


def is_code(text: str) -> bool:
    """Whether a text has the shape of a one-time code."""
    return len(text) == CODE_DIGITS and text.isascii() and text.isdigit()


def nickname_problem(nickname: str) -> str | None:
    """What is wrong with a nickname, or None. It is public on boards, so nothing that looks like a number of a person."""
    name = clean_line(nickname, 100)
    shortest, longest = NICKNAME_LENGTH
    if has_forbidden_characters(nickname) or not shortest <= len(name) <= longest:
        return N_("昵称是 2 到 12 个字。")
    if _DIGIT_RUN.search(name):
        return N_("昵称里不要写手机号、证件号。")
    if not _NICKNAME.fullmatch(name):
        return N_("昵称只能用文字、数字、点和横线。")
    return None


def default_nickname(number: int) -> str:
    """The nickname somebody starts with. ``number`` is random and means nothing."""
    return f"学法者{number % 10_000:04d}"


def device_label(user_agent: str) -> str:
    """What a citizen sees in the list of sessions: "安卓手机 · 微信". Nothing more of the browser is kept."""
    text = user_agent.lower()
    kinds = (("iphone", "苹果手机"), ("ipad", "苹果平板"), ("harmony", "鸿蒙手机"), ("android", "安卓手机"), ("mozilla", "电脑"))
    kind = next((name for word, name in kinds if word in text), "其他设备")
    return f"{kind} · {'微信' if 'micromessenger' in text else '浏览器'}"


def password_problem(password: str, username: str = "") -> str | None:
    """What is wrong with a new password, or None: 12 to 128 characters, not the username, not one repeated pattern."""
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest:
        return N_("密码要 12 到 128 个字符。")
    if has_forbidden_characters(password):
        return N_("密码里有看不见的字符，请重新输入。")
    if len(set(password)) < 5 or (username and username.lower() in password.lower()):
        return N_("这个密码太容易猜，请换一个。")
    return None


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """Everything these roles allow together."""
    return frozenset(permission for role in roles for permission in ROLE_PERMISSIONS[role])


def clashing_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """The administrator roles among ``roles`` if there is more than one: no one account may combine them."""
    found = tuple(role for role in EXCLUSIVE_ROLES if role in set(roles))
    return found if len(found) > 1 else ()


def role_options() -> Mapping[str, str]:
    """Roles in the order they are offered."""
    return {role: ROLE_TITLES[role] for role in STAFF_ROLES}


def is_age_band(text: str) -> bool:
    return text in AGE_BANDS

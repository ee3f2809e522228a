"""What kinds of owner there are and what the reasons of entries are called."""

from quizapp.core.text import N_

POINTS_SOURCE = ("system", "points")
"""Where points come from, and where they go when they are spent."""

REASON_TITLES: dict[str, str] = {
    "attempt": N_("参加竞答"),
    "attempt_passed": N_("竞答合格"),
    "attempt_failed": N_("参加竞答"),
    "passed": N_("竞答合格"),
    "failed": N_("参加竞答"),
    "fixed_reward": N_("学法奖励"),
    "prize": N_("抽中积分"),
    "reversal": N_("冲正"),
    "remark": N_("答案改正后补发"),
    "restored": N_("申诉成立，退回积分"),
    "deposit": N_("存入"),
    "withdrawal": N_("退回出资单位"),
    "reserve": N_("中奖占用"),
    "spend": N_("已经发放"),
    "release": N_("没人领，退回可用"),
}


def is_bounded(owner_type: str) -> bool:
    """Whether accounts of such owners carry a balance that may not go below zero. The system's do not, nor those of budgets
    (``ledger.budgets``): what is won is owed, whether the money is there or not."""
    return owner_type != "system" and not owner_type.startswith("fund_")


def reason_title(reason: str) -> str:
    """The Chinese title of an entry's reason; an unknown one reads 积分变动."""
    return REASON_TITLES.get(reason, N_("积分变动"))

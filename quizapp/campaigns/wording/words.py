"""Words for single values: moments, durations, amounts, conditions and measures."""

import datetime as dt
from dataclasses import dataclass

from quizapp.campaigns.terms import Award, Condition, Gift, Measure, Quiz, Terms
from quizapp.core.clock import SHANGHAI
from quizapp.core.money import yuan
from quizapp.core.text import N_

KINDS = {"voluntary": N_("自愿竞答"), "statutory_exam": N_("法定学法考试")}
PRIZE_KINDS = {
    "cash": N_("现金"),
    "code": N_("兑换码"),
    "pickup": N_("到点领取"),
    "post": N_("邮寄"),
    "points": N_("积分"),
    "service": N_("服务"),
    "ticket": N_("参与机会"),
}
DELIVERY = {
    "cash": N_("现金经核对后发放到账"),
    "code": N_("兑换码在“我的奖品”里查看"),
    "pickup": N_("凭取奖码到领取点领取"),
    "post": N_("邮寄，领奖时填写收件地址"),
    "points": N_("积分自动记入账户"),
    "service": N_("服务由主办单位联系安排"),
    "ticket": N_("参与机会由主办单位联系安排"),
}
QUESTION_KINDS = {"single": N_("单选题"), "multiple": N_("多选题"), "indefinite": N_("不定项选择题"), "judge": N_("判断题")}
CHANNELS = {"web": N_("网页"), "official_account": N_("公众号"), "mini_program": N_("小程序"), "app": N_("手机应用"), "paper": N_("纸质")}
PER = {
    "attempt": N_("每次交卷"),
    "action": N_("每次"),
    "day": N_("每天"),
    "round": N_("每轮"),
    "stage": N_("每个阶段"),
    "quiz": N_("每套题"),
    "campaign": N_("整场"),
}
GIFTS = {
    "card": N_("卡片"),
    "badge": N_("徽章"),
    "title": N_("称号"),
    "certificate": N_("证书"),
    "hours": N_("学时"),
    "tickets": N_("抽奖机会"),
    "prize": N_("奖品"),
}
ACTIONS = {"share": N_("分享"), "follow": N_("关注"), "like": N_("点赞"), "invite": N_("邀请")}


@dataclass(frozen=True)
class Rule:
    """One heading of the rules page and its sentences."""

    title: str
    sentences: tuple[str, ...]


def minutes(seconds: int) -> str:
    """``300`` → ``5 分钟``, ``90`` → ``1 分 30 秒``."""
    whole, rest = divmod(seconds, 60)
    if not rest:
        return f"{whole} 分钟"
    return f"{whole} 分 {rest} 秒" if whole else f"{rest} 秒"


def when(moment: dt.datetime, *, is_end: bool = False) -> str:
    """A moment on the Shanghai clock; an end at midnight is the day before's 24:00."""
    local = moment.astimezone(SHANGHAI)
    if is_end and (local.hour, local.minute, local.second) == (0, 0, 0):
        day = local.date() - dt.timedelta(days=1)
        return f"{day.year}年{day.month}月{day.day}日 24:00"
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def amount(fen: int) -> str:
    """``200`` → ``2 元``, ``626`` → ``6.26 元``."""
    return f"{yuan(fen).removesuffix('.00')} 元"


def joined(parts: list[str]) -> str:
    """A sentence of the parts that are not empty."""
    kept = [part for part in parts if part]
    return "，".join(kept) + "。" if kept else ""


# ---- conditions


def measure_title(terms: Terms, name: str) -> str:
    for measure in terms.measures:
        if measure.id == name:
            return measure.title or measure.id
    return name


_AT_LEAST = {
    "correct": "答对 {n} 题及以上",
    "wrong": "答错 {n} 题及以上",
    "score": "得 {n} 分及以上",
    "percent": "得分率 {n}% 及以上",
    "run": "连续答对 {n} 题及以上",
    "seconds": "用时 {n} 秒及以上",
}
_AT_MOST = {
    "correct": "答对不超过 {n} 题",
    "wrong": "答错不超过 {n} 题",
    "score": "得分不超过 {n} 分",
    "percent": "得分率不超过 {n}%",
    "run": "连续答对不超过 {n} 题",
    "seconds": "用时不超过 {n} 秒",
}


def condition_words(terms: Terms, condition: Condition) -> str:
    """A condition as part of a sentence; empty for one that is always met."""
    parts = [_test(terms, condition)] if condition.measure else []
    parts += [condition_words(terms, part) for part in condition.all]
    if condition.any:
        parts.append("或者".join(condition_words(terms, part) for part in condition.any))
    if condition.of:
        inner = "、".join(condition_words(terms, part) for part in condition.of)
        parts.append(f"“{inner}”里满足 {condition.some} 项")
    return "，并且".join(part for part in parts if part)


def _test(terms: Terms, condition: Condition) -> str:
    name, low, high = condition.measure, condition.at_least, condition.at_most
    if name in ("all_right", "passed") and name not in {measure.id for measure in terms.measures}:
        word = "全部答对" if name == "all_right" else "合格"
        return word if low else f"没有{word}" if high == 0 else ""
    if name == "correct" and low == 0 and high is None:
        return "交卷"
    parts = []
    if low is not None:
        parts.append(_AT_LEAST.get(name, f"“{measure_title(terms, name)}”达到 {{n}} 或以上").format(n=f"{low:,}"))
    if high is not None:
        parts.append(_AT_MOST.get(name, f"“{measure_title(terms, name)}”不超过 {{n}} ").format(n=f"{high:,}"))
    return "，".join(parts)


_VALUES = {
    "correct": N_("答对的题数"),
    "score": N_("得分"),
    "percent": N_("得分率"),
    "seconds": N_("用时"),
    "run": N_("最长连续答对的题数"),
    "amount": N_("数量"),
}
_INNER = {
    "best": "{each}取最好的一次",
    "last": "{each}取最后一次",
    "first": "{each}取第一次",
    "sum": "{each}加起来",
    "any": "{each}最多算一次",
    "worst": "{each}取最低的一次",
}
_WITHIN = {"day": N_("每天"), "round": N_("每轮"), "stage": N_("每个阶段"), "quiz": N_("每套题"), "name": N_("每一种")}
_OUTER = {"sum": N_("相加"), "best": N_("取最好"), "last": N_("取最后"), "first": N_("取第一"), "mean": N_("取平均"), "worst": N_("取最低")}
_RUN = {"day": N_("数最长连续多少天"), "round": N_("数最长连续多少轮")}


def measure_sentence(terms: Terms, measure: Measure) -> str:
    """How a declared measure is counted."""
    parts = [f"“{measure.title or measure.id}”数的是{_counted(terms, measure)}"]
    if measure.within:
        parts.append(_INNER[measure.inner].format(each=_WITHIN[measure.within]))
    if not measure.within and measure.outer == "sum":
        pass
    elif measure.outer == "run":
        parts.append(_RUN.get(measure.within, ""))
    else:
        parts.append(f"再{_OUTER[measure.outer]}" if measure.within else _OUTER[measure.outer])
    return joined(parts)


def _counted(terms: Terms, measure: Measure) -> str:
    kind, _, name = measure.of.partition(":")
    value = _VALUES.get(measure.value, "")
    if kind == "action":
        return f"“{action_title(terms, name)}”的{value or '次数'}"
    if kind == "points":
        return "这场活动里得的积分"
    if kind == "gift":
        return f"得到的{GIFTS.get(name, name)}"
    if kind == "win":
        return f"在“{draw_title(terms, name)}”里中奖的次数"
    where = condition_words(terms, measure.where)
    which = "、".join(f"“{quiz_title(terms, code)}”" for code in measure.quizzes)
    stages = "、".join(f"“{stage_title(terms, code)}”" for code in measure.stages)
    inside = f"{stages}里" if stages else ""
    papers = "答卷" if where or which or stages else "每次答卷"
    if value and not value.startswith("答对"):
        value = f"的{value}"
    return f"{inside}{which}{f'{where}的' if where else ''}{papers}{value}"


def action_title(terms: Terms, kind: str) -> str:
    return next((action.title for action in terms.actions if action.kind == kind), ACTIONS.get(kind, kind))


def draw_title(terms: Terms, code: str) -> str:
    return next((draw.title for draw in terms.draws if draw.id == code), code)


def quiz_title(terms: Terms, code: str) -> str:
    return next((quiz.title or quiz.id for quiz in terms.quizzes if quiz.id == code), code)


def stage_title(terms: Terms, code: str) -> str:
    return next((stage.title or stage.id for stage in terms.stages if stage.id == code), code)


def track_title(terms: Terms, code: str) -> str:
    return next((track.title for track in terms.tracks if track.id == code), code)


def gift_words(terms: Terms, gift: Gift) -> str:
    """``10 积分``, ``“宪法奖章”徽章``, ``1 次抽奖机会`` …"""
    named = {"badge": "徽章", "title": "称号", "certificate": "证书"}
    if gift.kind in named:
        return f"“{gift.name}”{named[gift.kind] if named[gift.kind] not in gift.name else ''}"
    if gift.kind == "card":
        return f"“{gift.name}”{gift.amount} 张" if gift.amount > 1 else f"一张“{gift.name}”"
    if gift.kind == "tickets":
        return f"“{draw_title(terms, gift.name)}”的 {gift.amount} 个抽奖号" if gift.name else f"{gift.amount} 次抽奖机会"
    if gift.kind == "tries":
        return f"“{quiz_title(terms, gift.name)}”多 {gift.amount} 次答题机会"
    if gift.kind == "prize":
        return f"奖品“{gift.name}”{gift.amount} 份"
    return f"{gift.amount:,} {'积分' if gift.kind == 'points' else '学时'}"


def award_title(award: Award) -> str:
    return award.title or next((band.title for band in award.bands if band.title), "")


# ---- quizzes


def time_words(terms: Terms, quiz: Quiz) -> str:
    """How long a paper may take, with what large type gets."""
    if quiz.limit_seconds is None:
        return "活动结束前交卷就行"
    large = quiz.limit_seconds * terms.large_type_percent // 100
    extra = f"（大字版自动延长到 {minutes(large)}）" if large > quiz.limit_seconds else ""
    return f"时间 {minutes(quiz.limit_seconds)}{extra}"


def pass_words(terms: Terms, quiz: Quiz) -> str:
    if quiz.pass_when is not None:
        return f"{condition_words(terms, quiz.pass_when) or '交卷'}为合格"
    if quiz.pass_count == quiz.question_count:
        return f"{quiz.question_count} 道题全对为合格"
    return f"答对 {quiz.pass_count} 道及以上为合格"


def tries_words(quiz: Quiz) -> str:
    """How often; without what actions add."""
    tries = quiz.tries
    if tries.per_day is None and tries.per_round is None and tries.total is None:
        return "答题次数不限"
    parts = [
        f"每人每天 {tries.per_day} 次，零点更新" if tries.per_day is not None else "",
        f"每轮 {tries.per_round} 次" if tries.per_round is not None else "",
        f"整场最多 {tries.total} 次" if tries.total is not None else "",
        "每个入口分别计算" if tries.per_channel else "",
    ]
    return "，".join(part for part in parts if part)

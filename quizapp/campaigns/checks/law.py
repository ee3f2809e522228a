"""Promises and law: the two kinds of campaign, minors, rewards for sharing, points for being there."""

from collections.abc import Iterator

from quizapp.campaigns.checks.problem import Case, Problem, warning
from quizapp.campaigns.terms import RISKY_ACTIONS
from quizapp.core.text import N_

PLAIN_GIFTS = frozenset({"certificate", "title", "badge", "hours"})
"""What a statutory exam may give: proof of having passed, never a reward."""
ATTENDANCE = frozenset({"login", "log_in", "sign_in", "signin", "check_in", "checkin", "online", "online_time", "duration", "stay"})
INVITING = frozenset({"invite", "invitation"})


def kind(case: Case) -> Iterator[Problem]:
    if case.is_voluntary:
        return
    terms = case.terms
    if not case.legal_basis.strip():
        yield Problem("legal_basis", N_("法定学法考试要写明法律依据。"))
    for name in ("draw", "draws", "prizes", "rank_prizes"):
        if getattr(terms, name):
            yield Problem(name, N_("法定学法考试不设奖品。"))
    if terms.points.passed or terms.points.failed:
        yield Problem("points.passed", N_("法定学法考试不发积分。"))
    if terms.fixed_reward.points:
        yield Problem("fixed_reward.points", N_("法定学法考试不发固定奖励。"))
    for place, award in enumerate(terms.awards, 1):
        for number, band in enumerate(award.bands, 1):
            for item, gift in enumerate(band.gifts, 1):
                if gift.kind not in PLAIN_GIFTS:
                    path = f"awards[{place}].bands[{number}].gifts[{item}].kind"
                    yield Problem(path, N_("法定学法考试只发证书、称号、徽章和学时，不发别的奖励。"))
    if terms.eligibility.allows_guests:
        yield Problem("eligibility.allows_guests", N_("法定学法考试要先登录再答题。"))


def minors(case: Case) -> Iterator[Problem]:
    terms = case.terms
    if terms.draw is not None and terms.draw.allows_minors:
        is_cash = any(prize.kind == "cash" for prize in terms.draw.prizes)
        yield _minors("draw.allows_minors", is_cash)
    for place, draw in enumerate(terms.draws, 1):
        if draw.allows_minors:
            yield _minors(f"draws[{place}].allows_minors", any(tier.kind == "cash" for tier in draw.tiers))


def _minors(path: str, is_cash: bool) -> Problem:
    if is_cash:
        return Problem(path, N_("未成年人不发现金。请关掉未成年人抽奖，或者不设现金奖品。"))
    return warning(path, N_("未成年人默认不抽奖，请确认已经得到批准。"))


def sharing(case: Case) -> Iterator[Problem]:
    """Messengers block what rewards sharing, following or pulling people in; it is off unless somebody confirms it."""
    risky = [(f"actions[{place}]", action.kind, action.is_confirmed) for place, action in enumerate(case.terms.actions, 1)]
    for place, quiz in case.each_quiz():
        for number, extra in enumerate(quiz.tries.extra, 1):
            risky.append((case.quiz_path(place, f"tries.extra[{number}]"), extra.action, extra.is_confirmed))
    for path, action, is_confirmed in risky:
        if action in INVITING:
            yield warning(path, N_("邀请别人换奖励，微信可能封掉整个网址。请先问清楚再用。"))
        if action not in RISKY_ACTIONS:
            continue
        if is_confirmed:
            yield warning(f"{path}.is_confirmed", N_("分享、关注、点赞换奖励，违反微信外部链接规范，整个网址可能被封。"))
        else:
            yield warning(f"{path}.is_confirmed", N_("分享、关注、点赞换奖励默认关着；没有确认，这一条不起作用。"))


def attendance(case: Case) -> Iterator[Problem]:
    """Promise 16: nothing is given for signing in or for time spent online."""
    for place, action in enumerate(case.terms.actions, 1):
        if action.kind in ATTENDANCE:
            yield Problem(f"actions[{place}].kind", N_("不按签到、打卡、在线时长给奖励。请改成读完文章、看完视频这样的事。"))

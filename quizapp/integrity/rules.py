"""What a sign is worth, when a prize is held, what may be published. Plain values in, plain values out.

One sign alone never reaches the default threshold: an old couple shares a phone, a village shares an operator's numbers, a
teacher answers fast. Only what points the same way from two sides makes somebody look.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quizapp.core.text import N_

HOLD_SCORE = 60
"""From this score on a prize waits until a person has looked; a campaign can have its own."""
SECOND_ABOVE_FEN = 20_000
"""Above this worth an exclusion needs a second person."""
MOST_OF_ONE = 50
"""The most that one kind of sign adds to a score: below the default threshold."""
REOPEN_RISE = 20
"""A cleared case is opened again only by a score that is so much higher than the cleared one."""

CODES: dict[str, str] = {
    "fast_answers": N_("答题时间比读题时间还短"),
    "same_device": N_("同一部设备有很多账号"),
    "number_block": N_("号码成段登记"),
    "same_mistakes": N_("错得一模一样"),
    "listed": N_("在不参加抽奖的名单里"),
}
EXPLAINED: dict[str, str] = {
    "fast_answers": N_("从开始到最后一次存答案的时间，短于把题目读一遍要的时间。提前看过题、读得快也会这样。"),
    "same_device": N_("本场活动里，这部设备上参加的账号数。一家人共用、网格员帮老人答题也会这样。"),
    "number_block": N_("本场活动里，号码前九位相同的参加人数。单位统一办的号也会这样。"),
    "same_mistakes": N_("好几个人选了同样的错误选项，比碰巧多出十倍以上。一起讨论着答也会这样。"),
    "listed": N_("主办单位事先登记的人，可以答题，不抽奖。"),
}

REASONS: dict[str, str] = {
    "script": N_("脚本作答"),
    "one_person_many_accounts": N_("一人多号"),
    "shared_answers": N_("多人合用一份答案"),
    "staff_test": N_("工作人员试答"),
    "not_eligible": N_("不在参加范围"),
    "host_staff": N_("主办或技术服务单位人员"),
    "other": N_("其他（见说明）"),
}
"""Why something is excluded; the first ones are those that stand in the figures already."""
BAR_REASONS = ("host_staff", "staff_test", "not_eligible", "other")

KIND_TITLES: dict[str, str] = {
    "clear": N_("没有问题"),
    "exclude_attempts": N_("剔除答卷"),
    "exclude_person": N_("取消本场全部成绩"),
    "restore": N_("恢复"),
}
STATE_TITLES: dict[str, str] = {
    "waiting": N_("待复核"),
    "proposed": N_("等第二人"),
    "cleared": N_("没有问题"),
    "excluded": N_("已剔除"),
}
EFFECT_TITLES: dict[str, str] = {
    "attempt_excluded": N_("剔除答卷"),
    "ticket_voided": N_("作废没用的抽奖机会"),
    "payout_withheld": N_("奖品暂扣，等申诉期过"),
    "payout_cancelled": N_("奖品作废"),
    "payout_kept": N_("已经发放，保留"),
    "points_taken": N_("冲回积分"),
    "points_short": N_("积分已用，冲不回"),
    "barred": N_("本场不再抽奖"),
    "attempt_restored": N_("恢复答卷"),
    "ticket_granted": N_("补发抽奖机会"),
    "payout_reinstated": N_("恢复奖品"),
    "payout_gone": N_("奖品已经作废，恢复不了，请另行补偿"),
    "finished": N_("申诉期已过"),
    "points_returned": N_("退回积分"),
    "unbarred": N_("恢复抽奖"),
}
APPEAL_WINDOW = dt.timedelta(days=7)
"""So long after a decision its prizes are only kept back: whoever is right in an appeal loses nothing."""
APPEAL_DAYS = 5
COMPLAINT_DAYS = 5
"""Working days until a reply is due."""
COMPLAINT_KINDS: dict[str, str] = {
    "prize": N_("领奖、到账"),
    "question": N_("题目或答案"),
    "draw": N_("抽奖公平"),
    "limited": N_("账号被限制"),
    "privacy": N_("个人信息"),
    "page": N_("页面不好用"),
    "other": N_("其他建议"),
}
REVIEWED_KINDS = ("draw", "limited")
"""About what was decided: a second person agrees to the answer."""
SOURCE_TITLES: dict[str, str] = {"page": N_("网页"), "phone": N_("电话"), "visit": N_("来访")}
COMPLAINT_STATES: dict[str, str] = {"open": N_("待答复"), "review": N_("要复核"), "answered": N_("已答复")}
APPEAL_STATES: dict[str, str] = {"open": N_("待答复"), "granted": N_("申诉成立"), "dismissed": N_("维持原决定")}
SMALLEST = 5
"""Fewer people than this are not published as a number."""


# ---- signs


@dataclass(frozen=True)
class Sign:
    """One finding about one person: what it is worth and the plain numbers behind it."""

    code: str
    points: int
    facts: Mapping[str, Any] = field(default_factory=dict)


CHARS_PER_SECOND = 20
"""Nobody reads 1,200 characters a minute with understanding; ordinary reading is about a quarter of it."""
SECONDS_PER_TAP = 0.3


def least_seconds(character_count: int, question_count: int) -> float:
    """The shortest time in which a paper could have been skimmed and ticked."""
    return character_count / CHARS_PER_SECOND + question_count * SECONDS_PER_TAP


def sign_of_time(character_count: int, answer_count: int, seconds: float) -> Sign | None:
    """Answers given faster than their questions can be skimmed. Only the whole counts: a phone that was offline sends its
    answers all at once.

    :param character_count: of the stems and choices of the questions that were answered
    :param seconds: from the start to the last saved answer
    """
    least = least_seconds(character_count, answer_count)
    if answer_count < 2 or seconds >= least:
        return None
    facts = {"seconds": round(max(0.0, seconds), 1), "least_seconds": round(least, 1), "count": answer_count}
    return Sign("fast_answers", 40 if seconds * 2 < least else 20, facts)


def _step(count: int, steps: Sequence[tuple[int, int]]) -> int:
    return max((points for least, points in steps if count >= least), default=0)


def sign_of_device(account_count: int) -> Sign | None:
    """Accounts that took part from one device; a family of three is nothing."""
    points = _step(account_count, ((4, 10), (6, 25), (10, 40), (20, 50)))
    return Sign("same_device", points, {"accounts": account_count}) if points else None


def sign_of_block(people_count: int) -> Sign | None:
    """People whose numbers differ in the last two digits only."""
    points = _step(people_count, ((5, 15), (8, 30), (15, 45)))
    return Sign("number_block", points, {"people": people_count}) if points else None


def pattern_tag(wrong: Collection[tuple[str, str]]) -> bytes:
    """What stands for a set of wrong answers: (question revision, choices as they stand in the bank)."""
    return hashlib.sha256("\n".join(f"{revision} {chosen}" for revision, chosen in sorted(wrong)).encode()).digest()


def sign_of_mistakes(people_count: int, expected: float) -> Sign | None:
    """People with exactly the same mistakes, against how many would have them by chance.

    :param expected: people whose paper would show these mistakes if everybody answered by themselves
    """
    if people_count < 5 or people_count < 10 * expected:
        return None
    return Sign("same_mistakes", 40 if people_count >= 10 else 25, {"people": people_count, "expected": round(expected, 2)})


LISTED = Sign("listed", MOST_OF_ONE)


def score(signs: Iterable[Sign]) -> int:
    """The strongest sign of each kind, added up; each kind adds at most :data:`MOST_OF_ONE`."""
    best: dict[str, int] = {}
    for sign in signs:
        best[sign.code] = max(best.get(sign.code, 0), min(MOST_OF_ONE, max(0, sign.points)))
    return sum(best.values())


def opens_case(points: int, hold_score: int, state: str | None, cleared_score: int | None) -> bool:
    """Whether somebody has to look, given what has been decided about the person before.

    :param state: of the case that exists, if there is one
    """
    if points < hold_score or state in ("waiting", "proposed", "excluded"):
        return False
    return state is None or points >= (cleared_score or 0) + REOPEN_RISE


def needs_second(worth_fen: int, above_fen: int) -> bool:
    """Whether an exclusion that takes prizes of this worth needs a second person; a limit below zero switches that off."""
    return 0 <= above_fen < worth_fen


def is_final(decided_at: dt.datetime, appeal_state: str | None, now: dt.datetime) -> bool:
    """Whether what a decision keeps back may be voided."""
    if appeal_state is None:
        return now >= decided_at + APPEAL_WINDOW
    return appeal_state == "dismissed"


# ---- dates


def due_on(day: dt.date, working_days: int) -> dt.date:
    """The Shanghai day so many working days later; Saturdays and Sundays are none, holidays are not known."""
    while working_days:
        day += dt.timedelta(days=1)
        working_days -= day.weekday() < 5
    return day


# ---- what is published


@dataclass(frozen=True)
class PublicCount:
    """A reason and its count; None is fewer than :data:`SMALLEST`."""

    code: str
    count: int | None


def publish(counts: Mapping[str, int]) -> tuple[tuple[PublicCount, ...], int | None]:
    """Counts by reason and their total, small ones hidden, and the total too where it would give a hidden one away.

    Zero is said as zero: that nobody is concerned concerns nobody.
    """
    hidden = [count for count in counts.values() if 0 < count < SMALLEST]
    rows = tuple(PublicCount(code, None if 0 < count < SMALLEST else count) for code, count in counts.items())
    total = sum(counts.values())
    if not hidden:
        return rows, total
    rest = sum(hidden)
    tells = len(hidden) == 1 or rest < SMALLEST or not len(hidden) < rest < len(hidden) * (SMALLEST - 1)
    return rows, None if tells else total

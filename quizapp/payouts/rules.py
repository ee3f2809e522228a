"""The state machine of a hand-over, and what its states are called. No Flask, no session, no clock."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from quizapp.core.text import N_

MOVES: dict[str, frozenset[str]] = {
    "claimable": frozenset({"processing", "ready", "done", "expired", "forfeited", "void", "held"}),
    "processing": frozenset({"done", "unknown", "returned", "forfeited", "void", "held"}),
    "ready": frozenset({"done", "expired", "forfeited", "void", "held"}),
    "unknown": frozenset({"done", "returned"}),
    "returned": frozenset({"processing", "expired", "forfeited", "void", "held"}),
    "held": frozenset({"claimable", "processing", "ready", "returned", "forfeited", "void"}),
    "done": frozenset(),
    "expired": frozenset(),
    "forfeited": frozenset(),
    "void": frozenset(),
}
"""Which state may follow which. From ``unknown`` there is no way back to ``processing``: whoever has no answer asks again
and never pays a second time. Nothing leaves ``done``. What is on a cash list is neither given up nor held: its money may be on
the way. From ``held`` a prize goes back to where it was, or is void by a decision."""

OPEN_STATES = frozenset({"claimable", "processing", "ready", "unknown", "returned", "held"})
"""What a citizen still has coming."""
EXPIRING_STATES = ("claimable", "returned", "ready")
DRAWN_SOURCES = ("win", "pool_win")
"""Prizes that were drawn: instantly, or from a pool. They are what a winners' notice lists."""
WON_SOURCES = (*DRAWN_SOURCES, "award")
"""What the terms of a campaign gave; the rest was redeemed."""
LOST_STATES = frozenset({"expired", "forfeited", "void"})
"""Nobody gets it: what becomes of it is written down (``PayoutForfeit``)."""
HOLDABLE_STATES = frozenset({"claimable", "processing", "ready", "returned"})
HOLD_REASONS: dict[str, str] = {
    "objection": N_("有人对公示提了异议，正在核实"),
    "complaint": N_("有一件投诉和这份奖品有关，正在核实"),
    "fast_answers": N_("答题用时短于读题需要的时间"),
    "same_device": N_("同一台设备上登录过多个账号"),
    "number_series": N_("一批连续号码几乎同时参加"),
    "answer_pattern": N_("多份答卷的作答方式高度一致"),
    "review": N_("系统提示异常，正在由工作人员核查"),
    "breach": N_("核查认定违反了活动规则"),
}
"""Why a prize is under review, in words its winner can read."""
UNREACHABLE_CONTACTS = 3
UNREACHABLE_DAYS = 3
"""A winner counts as out of reach after so many recorded calls on so many different days."""
OBJECTION_REPLY_DAYS = 5
"""Working days in which an objection is answered."""

TITLES: dict[str, str] = {
    "claimable": N_("待领取"),
    "processing": N_("发放中"),
    "ready": N_("待自取"),
    "done": N_("已到账"),
    "unknown": N_("状态未知"),
    "returned": N_("已退回"),
    "expired": N_("已过期"),
    "forfeited": N_("已放弃"),
    "void": N_("已作废"),
    "held": N_("核查中"),
}
KIND_TITLES: dict[str, str] = {
    "cash": N_("现金"),
    "code": N_("兑换码"),
    "pickup": N_("自取"),
    "post": N_("邮寄"),
    "points": N_("积分"),
    "service": N_("服务"),
    "ticket": N_("票券"),
}
PICKUP_DAYS = 30
"""A claimed prize waits so long at the desk."""
NOTICE_DAYS = 30
"""The notice of winners is taken down so many days after the campaign's end."""
PICKUP_CODE_LENGTH = 8
REASON_LENGTH = (4, 100)
OBJECTION_LENGTH = (4, 500)
PUBLICITY_VERSION = "publicity/1"
LEAST_SHOWN = 5
"""Numbers of people below this are not published."""
_LOOK_ALIKES = str.maketrans("OIL", "011")
MAX_CODE_LENGTH = 64


def may_move(state: str, to: str) -> bool:
    return to in MOVES[state]


def state_title(state: str, kind: str) -> str:
    """The word of the badge; what was fetched is 已领取 and not 已到账."""
    if state == "done" and kind in ("pickup", "code"):
        return N_("已领取")
    return TITLES[state]


def is_too_late(state: str, deadline: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether the time to claim or to fetch is over, worker or no worker."""
    return state in EXPIRING_STATES and deadline is not None and now >= deadline


def plain_code(text: str) -> str:
    """What somebody typed or scanned as a verification code: capitals without signs, look-alikes of Crockford's set."""
    return "".join(char for char in text.upper() if char.isalnum()).translate(_LOOK_ALIKES)[:PICKUP_CODE_LENGTH]


def shown_code(code: str) -> str:
    """A verification code as it is read aloud: two groups of four."""
    return f"{code[:4]} {code[4:]}"


def plain_reference(text: str) -> str:
    """What somebody typed as an 抽奖号 or its beginning, in the form it is kept: ``K7M2-9QXD-3TQH``."""
    plain = "".join(char for char in text.upper() if char.isalnum()).translate(_LOOK_ALIKES)[:12]
    return "-".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def read_codes(text: str) -> list[str]:
    """Codes of an uploaded text or CSV file: the first cell of each line, spaces around it dropped, a heading skipped,
    repeats within the file kept once.

    :raises ValueError: with the number of the first line that holds no code a citizen could type
    """
    found: dict[str, None] = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        code = line.replace("\t", ",").split(",")[0].strip().strip('"').strip()
        if not code or (number == 1 and code in ("兑换码", "卡密", "code", "Code", "CODE")):
            continue
        if len(code) > MAX_CODE_LENGTH or not code.isprintable():
            raise ValueError(str(number))
        found[code] = None
    return list(found)


def is_reason(text: str) -> bool:
    shortest, longest = REASON_LENGTH
    return shortest <= len(text.strip()) <= longest


def is_objection(text: str) -> bool:
    shortest, longest = OBJECTION_LENGTH
    return shortest <= len(text) <= longest


def needs_review(total_fen: int, limit_fen: int) -> bool:
    """Whether a cash list needs a second person; a limit below zero switches the rule off."""
    return 0 <= limit_fen < total_fen


def hold_words(code: str) -> str:
    """Why a prize is held, in plain words; an unknown code reads as the general one."""
    return HOLD_REASONS.get(code, HOLD_REASONS["review"])


def opening_deadline(won_at: dt.datetime, deadline: dt.datetime, void_hours: int | None) -> dt.datetime:
    """Until when a prize can be claimed: the days of the terms, or fewer where one not opened in ``void_hours`` is void."""
    return deadline if void_hours is None else min(deadline, won_at + dt.timedelta(hours=void_hours))


def is_out_of_reach(contacted_on: Iterable[dt.date]) -> bool:
    """Whether somebody has been called often enough, on enough different days."""
    days = list(contacted_on)
    return len(days) >= UNREACHABLE_CONTACTS and len(set(days)) >= UNREACHABLE_DAYS


def money_step(state: str) -> str | None:
    """What the state of a prize means for the money reserved for it; None while it is open."""
    if state == "done":
        return "spend"
    return "release" if state in LOST_STATES else None


def may_certify(source_type: str, state: str) -> bool:
    """Whether somebody who won this can have a certificate of it: a win that stands, wherever its hand-over is."""
    return source_type in WON_SOURCES and state not in ("void", "held")


def is_workday(day: dt.date, changes: Mapping[dt.date, bool]) -> bool:
    """Monday to Friday, unless ``changes`` says otherwise of this day."""
    return changes.get(day, day.weekday() < 5)


def add_workdays(start: dt.date, count: int, changes: Mapping[dt.date, bool]) -> dt.date:
    """The day ``count`` working days after ``start``, which itself does not count; with 0 the start itself.

    :raises ValueError: if there is no such day within ten years
    """
    day, left = start, count
    for _ in range(3660):
        if not left:
            return day
        day += dt.timedelta(days=1)
        left -= is_workday(day, changes)
    raise ValueError("no working days")


def shown_counts(counts: Sequence[int], least: int = LEAST_SHOWN) -> list[int | None]:
    """Numbers of people as they may be published beside their sum: None for one from 1 to ``least`` - 1, and where that leaves
    a single gap, or gaps that hold fewer than ``least`` together, for the smallest of the others too."""
    hidden = {place for place, count in enumerate(counts) if 0 < count < least}
    rest = sorted((count, place) for place, count in enumerate(counts) if count >= least)
    while hidden and rest and (len(hidden) < 2 or sum(counts[place] for place in hidden) < least):
        hidden.add(rest.pop(0)[1])
    return [None if place in hidden else count for place, count in enumerate(counts)]

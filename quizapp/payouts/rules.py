"""The state machine of a hand-over, and what its states are called. No Flask, no session, no clock."""

import datetime as dt

from quizapp.core.text import N_

MOVES: dict[str, frozenset[str]] = {
    "claimable": frozenset({"processing", "ready", "done", "expired", "forfeited", "void"}),
    "processing": frozenset({"done", "unknown", "returned", "forfeited", "void"}),
    "ready": frozenset({"done", "expired", "forfeited", "void"}),
    "unknown": frozenset({"done", "returned"}),
    "returned": frozenset({"processing", "expired", "forfeited", "void"}),
    "done": frozenset(),
    "expired": frozenset(),
    "forfeited": frozenset(),
    "void": frozenset(),
}
"""Which state may follow which. From ``unknown`` there is no way back to ``processing``: whoever has no answer asks again
and never pays a second time. Nothing leaves ``done``. What is on a cash list is not given up (``claims.forfeit_payouts``)."""

OPEN_STATES = frozenset({"claimable", "processing", "ready", "unknown", "returned"})
"""What a citizen still has coming."""
EXPIRING_STATES = ("claimable", "returned", "ready")

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
PUBLICITY_VERSION = "publicity/1"
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


def needs_review(total_fen: int, limit_fen: int) -> bool:
    """Whether a cash list needs a second person; a limit below zero switches the rule off."""
    return 0 <= limit_fen < total_fen

"""The shape of a stored body: which fields there are, their types and bounds. What they mean together: ``checks``."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from quizapp.campaigns.terms import PRIZE_KINDS, SCHEMA
from quizapp.core.text import N_, has_forbidden_characters

MISSING = N_("没有填。")
Report = Callable[[str, str], None]
Check = Callable[[Report, str, Any], None]

_BANK = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DIGITS = re.compile(r"\d{2,20}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODE = re.compile(r"[a-z0-9_]{1,32}")


def check_shape(body: Any) -> list[tuple[str, str]]:
    """Mistakes as (path, sentence); an empty list means ``terms.from_dict`` can read the body."""
    found: list[tuple[str, str]] = []

    def report(path: str, message: str) -> None:
        found.append((path, message))

    if not isinstance(body, Mapping):
        return [("", N_("活动规则应当是一个 JSON 对象。"))]
    _TERMS(report, "", body)
    return found


def check_draft(body: Any) -> list[tuple[str, str]]:
    """Mistakes of an unfinished body: what is there must be right, what is not there yet may be missing."""
    return [(path, message) for path, message in check_shape(body) if message != MISSING or path.endswith("]") or not path]


def _whole(low: int, high: int, *, optional: bool = False) -> Check:
    def check(report: Report, path: str, value: Any) -> None:
        if optional and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            report(path, MISSING if value is None else N_("应当是整数。"))
        elif not low <= value <= high:
            report(path, f"应当在 {low:,} 到 {high:,} 之间。")

    return check


def _flag(report: Report, path: str, value: Any) -> None:
    if not isinstance(value, bool):
        report(path, N_("应当是“是”或“否”。"))


def _text(limit: int, *, optional: bool = False) -> Check:
    def check(report: Report, path: str, value: Any) -> None:
        if not isinstance(value, str):
            report(path, MISSING if value is None else N_("应当是文字。"))
        elif not value.strip() and not optional:
            report(path, MISSING)
        elif len(value) > limit:
            report(path, f"最多 {limit} 个字。")
        elif has_forbidden_characters(value):
            report(path, N_("有不能用的字符。"))

    return check


def _one_of(*codes: str) -> Check:
    def check(report: Report, path: str, value: Any) -> None:
        if value not in codes:
            report(path, f"应当是 {'、'.join(codes)} 之一。")

    return check


def _matching(pattern: re.Pattern[str], message: str) -> Check:
    def check(report: Report, path: str, value: Any) -> None:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            report(path, message)

    return check


def _moment(report: Report, path: str, value: Any) -> None:
    if value is None or value == "":
        report(path, MISSING)
        return
    try:
        moment = dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        report(path, N_("时间写得不对。"))
        return
    if moment.tzinfo is None:
        report(path, N_("时间要带时区，例如 2026-11-22T09:00:00+08:00。"))
    elif not 2000 <= moment.year <= 2200:
        report(path, N_("年份不对。"))


def _list(item: Check, low: int, high: int) -> Check:
    def check(report: Report, path: str, value: Any) -> None:
        if not isinstance(value, list | tuple):
            report(path, N_("应当是列表。"))
        elif not low <= len(value) <= high:
            report(path, f"应当有 {low} 到 {high} 项。" if value else MISSING)
        else:
            for place, inner in enumerate(value, 1):
                item(report, f"{path}[{place}]", inner)

    return check


def _record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *, nullable: bool = False) -> Check:
    extra = optional or {}

    def check(report: Report, path: str, value: Any) -> None:
        if nullable and value is None:
            return
        if not isinstance(value, Mapping):
            report(path, N_("应当是一组字段。"))
            return
        prefix = f"{path}." if path else ""
        for name in value:
            if name not in required and name not in extra:
                report(f"{prefix}{str(name)[:40]}", _UNKNOWN.get(str(name), N_("不认识的字段。")))
        for name, inner in required.items():
            if name in value:
                inner(report, prefix + name, value[name])
            else:
                report(prefix + name, MISSING)
        for name, inner in extra.items():
            if name in value:
                inner(report, prefix + name, value[name])

    return check


_UNKNOWN = {
    "roster": N_("自愿竞答不登记谁没参加，这里不能放名册。"),
    "must_win": N_("不能指定中奖人。"),
    "whitelist": N_("不能指定中奖人。"),
    "share_reward": N_("转发、点赞不能换次数或积分。"),
}

_PART = _record(
    {"banks": _list(_matching(_BANK, N_("题库名称不对。")), 1, 20), "count": _whole(1, 100)},
    {
        "kinds": _list(_one_of("single", "multiple", "indefinite", "judge"), 0, 4),
        "tags": _list(_text(64), 0, 20),
        "difficulties": _list(_whole(1, 5), 0, 5),
    },
)

_PRIZE = _record(
    {"name": _text(40), "kind": _one_of(*PRIZE_KINDS), "quantity": _whole(0, 100_000_000), "odds_ppm": _whole(0, 1_000_000)},
    {"tier": _text(20, optional=True), "value_fen": _whole(0, 10_000_000_00), "points": _whole(0, 1_000_000)},
)

_DRAW = _record(
    {"prizes": _list(_PRIZE, 1, 30)},
    {
        "tickets": _whole(1, 10),
        "ticket_hours": _whole(1, 720),
        "wins_total": _whole(1, 10_000, optional=True),
        "wins_per_day": _whole(1, 1000, optional=True),
        "claim_days": _whole(1, 365),
        "spare_days": _whole(1, 366),
        "tax_bearer": _one_of("host", "winner"),
        "excluded_groups": _list(_matching(_CODE, N_("人群代码不对。")), 0, 50),
        "allows_minors": _flag,
    },
    nullable=True,
)

_ELIGIBILITY = _record(
    {},
    {
        "regions": _list(_matching(_DIGITS, N_("区划代码不对。")), 0, 500),
        "groups": _list(_matching(_CODE, N_("人群代码不对。")), 0, 50),
        "organisation_ids": _list(_matching(_UUID, N_("单位编号不对。")), 0, 2000),
        "asks_organisation": _flag,
        "asks_age_band": _flag,
        "allows_guests": _flag,
        "guest_starts_per_device_day": _whole(1, 1000),
    },
)


def _schema(report: Report, path: str, value: Any) -> None:
    if value != SCHEMA:
        report(path, N_("这个版本的程序读不懂这份规则（schema 不同）。"))


_TERMS = _record(
    {
        "opens_at": _moment,
        "closes_at": _moment,
        "paper": _record({"parts": _list(_PART, 1, 50)}, {"shuffles_choices": _flag}),
        "pass_count": _whole(1, 1000),
    },
    {
        "schema": _schema,
        "limit_seconds": _whole(10, 6 * 3600, optional=True),
        "large_type_percent": _whole(100, 400),
        "grace_seconds": _whole(0, 600),
        "tries": _record({}, {"per_day": _whole(1, 1000, optional=True), "total": _whole(1, 100_000, optional=True)}),
        "feedback": _one_of("after_hand_in", "after_close"),
        "draw": _DRAW,
        "fixed_reward": _record({}, {"points": _whole(0, 100_000)}),
        "points": _record({}, {"passed": _whole(0, 100_000), "failed": _whole(0, 100_000), "daily_limit": _whole(1, 1000)}),
        "eligibility": _ELIGIBILITY,
        "objection_days": _whole(1, 60),
        "plan": _record(
            {},
            {"expected_draws": _whole(0, 1_000_000_000, optional=True), "budget_fen": _whole(0, 1_000_000_000_00, optional=True)},
        ),
    },
)

"""What a later version of the terms may not do to those who have entered: after the start only changes in their favour.

The rule comes from the law (反不正当竞争法 11, 规范促销行为暂行规定 13): more tries, time, stock or days may be given, nothing
may be taken away. Whatever is not known here to be a gift is refused by name.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from quizapp.audit.titles import FIELDS
from quizapp.campaigns.checks.conditions import is_narrower
from quizapp.campaigns.checks.problem import Problem
from quizapp.campaigns.terms import Condition, Terms, reading, to_dict
from quizapp.core.text import N_

TEXTS = frozenset({"title", "label", "purpose", "pickup_points", "witness"})
"""Wording and places: they say nothing else about what somebody gets."""
NEUTRAL = frozenset({"banks", "tags", "difficulties", "shuffles_choices", "guest_starts_per_device_day", "spare_days"})
"""Which questions are drawn may be mended; how many and what they are worth may not."""
MORE = frozenset(
    {
        "large_type_percent",
        "grace_seconds",
        "per_day",
        "per_round",
        "total",
        "tries",
        "limit_seconds",
        "item_seconds",
        "points_per_day",
        "daily_limit",
        "amount",
        "quantity",
        "reserves",
        "first_per_day",
        "first_total",
        "points",
        "passed",
        "failed",
        "value_fen",
        "claim_days",
        "objection_days",
        "void_hours",
        "places",
        "partial",
        "per_second_left",
        "run_bonus",
        "max_amount",
        "times",
        "to_hour",
        "team_size",
    }
)
"""Numbers that may only rise; none is no limit."""
LESS = frozenset({"pass_count", "wrong", "seconds", "min_people", "pickup_after_days", "from_hour", "keep_days"})
LATER = frozenset({"closes_at", "registered_before"})
EARLIER = frozenset({"deferred_until"})
TRUE_IS_BETTER = frozenset({"allows_guests", "can_be_corrected", "repairs"})
FALSE_IS_BETTER = frozenset(
    {"asks_organisation", "asks_age_band", "is_required", "sudden_death", "counts_abandoned", "voids_person", "reaches_unit"}
)
NARROWING = frozenset({"regions", "groups", "organisation_ids", "tracks", "stages", "channels", "quizzes"})
"""Empty is everybody or everywhere; a list may only grow or go."""
CONDITIONS = frozenset({"when", "where", "who", "requires", "pass_when"})
APPENDED = frozenset(
    {"quizzes", "stages", "tracks", "actions", "measures", "awards", "prizes", "rank_prizes", "boards", "praises", "extra", "bands"}
)
"""Lists of parts to which further ones may be added."""
SEALED_END = N_("结束时间只能往后延，不能提前。")
SEALED = {
    "draw": N_("奖品、数量和概率已经封存公示，不能再改。"),
    "draws": N_("摇号的奖项、名额和密钥已经封存公示，不能再改。"),
    "opens_at": N_("活动发布后，开始时间不能改。"),
}


def against_entrants(old: Terms, new: Terms) -> list[Problem]:
    """Everything in ``new`` that takes something from entrants under ``old``; empty when it only gives."""
    found = _record("", reading.plain(old), reading.plain(new))
    if "quizzes" in to_dict(new):
        return list(found)
    return [Problem(one.field.removeprefix("quizzes[1]."), one.message) for one in found]


BEFORE_THE_START = frozenset({*SEALED, "closes_at"})
"""What is published and sealed at once; the rest may still be changed until the campaign begins."""


def version_problems(old: Terms, new: Terms, now: dt.datetime | None) -> list[Problem]:
    """What keeps ``new`` from being published after ``old``, now (None: as if the campaign had begun)."""
    found = against_entrants(old, new)
    if now is None or now >= old.opens_at:
        return found
    return [problem for problem in found if problem.field in BEFORE_THE_START]


def _record(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Problem]:
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        inner = f"{path}.{name}" if path else name
        if not path and name in SEALED:
            yield Problem(inner, SEALED[name])
        else:
            yield from _field(inner, name, before, after)


def _field(path: str, name: str, before: Any, after: Any) -> Iterator[Problem]:
    if name in TEXTS or name in NEUTRAL:
        return
    if name in CONDITIONS:
        if not _is_easier(before, after):
            yield _taken(path, name, "条件只能放宽")
    elif name in APPENDED and _is_records(before, after):
        yield from _parts(path, name, before or (), after or ())
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _record(path, before, after)
    elif isinstance(before, list) and isinstance(after, list) and name in NARROWING:
        if after and (not before or not set(before) <= set(after)):
            yield _taken(path, name, "范围只能放宽")
    elif isinstance(before, list) and isinstance(after, list) and _is_records(before, after) and len(before) == len(after):
        for place, (left, right) in enumerate(zip(before, after, strict=True), 1):
            yield from _record(f"{path}[{place}]", left, right)
    elif not _is_gift(name, before, after):
        yield _taken(path, name, _WHY.get(name, ""))


_WHY: dict[str, str] = {
    **dict.fromkeys(MORE, "只能增加，不能减少"),
    **dict.fromkeys(LESS, "只能减少，不能增加"),
    **dict.fromkeys(LATER, "只能往后延，不能提前"),
    **dict.fromkeys(EARLIER, "只能提前，不能推后"),
}


def _taken(path: str, name: str, why: str) -> Problem:
    if path == "closes_at":
        return Problem(path, SEALED_END)
    title = FIELDS.get(name, name)
    return Problem(path, f"活动开始以后，“{title}”{why or '不能再改'}。")


def _is_records(before: Any, after: Any) -> bool:
    return all(isinstance(item, Mapping) for side in (before, after) for item in side or ())


def _is_gift(name: str, before: Any, after: Any) -> bool:
    """Whether a plain value changed in the entrants' favour."""
    tests: Sequence[tuple[frozenset[str], Callable[[Any, Any], bool]]] = (
        (MORE, lambda left, right: _number(right) >= _number(left)),
        (LESS, lambda left, right: _number(right, none=0) <= _number(left, none=0)),
        (LATER, lambda left, right: right is None or (left is not None and reading.moment(right) >= reading.moment(left))),
        (EARLIER, lambda left, right: right is None or (left is not None and reading.moment(right) <= reading.moment(left))),
        (TRUE_IS_BETTER, lambda left, right: bool(right) >= bool(left)),
        (FALSE_IS_BETTER, lambda left, right: bool(right) <= bool(left)),
        (frozenset({"feedback"}), lambda left, right: right == "after_hand_in"),
        (frozenset({"excludes", "entry"}), lambda left, right: not right),
        (frozenset({"forfeits"}), lambda left, right: left == "void"),
        (frozenset({"tax_bearer"}), lambda left, right: right == "host"),
    )
    return any(name in names and is_better(before, after) for names, is_better in tests)


def _number(value: Any, none: float = math.inf) -> float:
    return none if value is None else float(value)


def _is_easier(before: Any, after: Any) -> bool:
    """Whether everybody who met the old condition meets the new one."""
    if after is None or before is None:
        return False
    return is_narrower(reading.read(Condition, before), reading.read(Condition, after))


def _parts(path: str, name: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Parts may be added, none may go; each stays what it was or gets better."""
    left = {_key(item, place): (place, item) for place, item in enumerate(before, 1)}
    right = {_key(item, place): (place, item) for place, item in enumerate(after, 1)}
    for key, (_, item) in left.items():
        if key not in right:
            yield Problem(path, f"活动开始以后，不能去掉{FIELDS.get(name, name)}“{item.get('title') or item.get('name') or key}”。")
        else:
            place, other = right[key]
            yield from _record(f"{path}[{place}]", item, other)


def _key(item: Mapping[str, Any], place: int) -> str:
    """What a part is known by: its code or name, else its place."""
    for name in ("id", "kind", "name", "board", "action"):
        if name in item and not (name == "kind" and "name" in item):
            return str(item[name])
    return str(place)

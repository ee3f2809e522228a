"""The rule check: is a body of terms well formed, free of contradictions, lawful and sensible?

The editor, publishing and ``flask campaigns check`` use the same check. An ``error`` keeps a campaign from being published;
a ``warning`` is shown and decided by people.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from quizapp.campaigns.checks import awards, boards, calendar, draws, law, money, people, pools, quizzes, references
from quizapp.campaigns.checks.bounds import max_points_per_day
from quizapp.campaigns.checks.problem import Case, FindPool, Problem
from quizapp.campaigns.terms import SCHEMA, check_shape, from_dict
from quizapp.core.errors import InvalidInput
from quizapp.core.text import N_, clean_line
from quizapp.core.themes import THEMES

__all__ = ["FindPool", "Problem", "check_head", "has_errors", "max_points_per_day", "problems"]

_NAMES: tuple[Callable[[Case], Iterable[Problem]], ...] = (calendar.window, calendar.stages, references.declared, references.referred)
"""Looked at first: what follows reads rounds and looks things up by name."""
_MEANING: tuple[Callable[[Case], Iterable[Problem]], ...] = (
    calendar.rounds_open,
    calendar.overlaps,
    quizzes.quizzes,
    people.eligibility,
    people.tracks,
    people.entry,
    law.kind,
    awards.measures,
    awards.awards,
    awards.points,
    draws.instant,
    pools.pool_draws,
    pools.rank_prizes,
    pools.stock_prizes,
    pools.claim,
    boards.boards,
    boards.publicity,
    law.minors,
    law.sharing,
    law.attendance,
    money.plan,
    money.cash,
)


def problems(
    body: Any,
    *,
    kind: str | None = None,
    legal_basis: str | None = None,
    now: dt.datetime | None = None,
    find_pool: FindPool | None = None,
) -> list[Problem]:
    """Check a campaign's body.

    :param body: terms as ``campaigns.terms.to_dict`` writes them, or a campaign file that holds them under ``terms``
        beside ``kind``, ``legal_basis``, ``title`` …; may also hold ``plan`` (``expected_draws``, ``budget_fen``)
    :param now: when given, the campaign must end after it
    :param find_pool: when given, whether the banks hold enough questions is checked with it
    """
    if isinstance(body, Mapping) and "terms" in body:
        head, body = body, body["terms"]
        kind = kind or str(head.get("kind", "voluntary"))
        legal_basis = legal_basis if legal_basis is not None else str(head.get("legal_basis", ""))
    kind = kind or "voluntary"
    found = [Problem(field, message) for field, message in check_shape(body)]
    if kind not in KINDS:
        found.append(Problem("kind", N_("活动性质只能是自愿竞答或法定学法考试。")))
    if found:
        return found
    terms = from_dict({"schema": SCHEMA, **body})
    case = Case(terms, body, kind, legal_basis or "", now, find_pool, body.get("plan") or {})
    found = [problem for look in _NAMES for problem in look(case)]
    if has_errors([problem for problem in found if not _is_past(problem, case)]):
        return _once(found)
    return _once([*found, *(problem for look in _MEANING for problem in look(case))])


def _is_past(problem: Problem, case: Case) -> bool:
    """The window lying in the past does not keep the rest from being looked at."""
    return problem.field == "closes_at" and case.terms.opens_at < case.terms.closes_at and case.days <= calendar.LONG_WINDOW_DAYS


def _once(found: Sequence[Problem]) -> list[Problem]:
    return list(dict.fromkeys(found))


_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
KINDS = ("voluntary", "statutory_exam")
HEAD_LIMITS = {"title": 40, "summary": 60, "legal_basis": 200}


def check_head(values: Mapping[str, Any]) -> dict[str, str]:
    """Clean what a campaign says of itself: ``slug, title, summary, theme, kind, legal_basis``.

    :raises InvalidInput: with a sentence per field
    """
    found: dict[str, str] = {}
    clean = {name: clean_line(str(values.get(name) or ""), 1000) for name in ("slug", "title", "summary", "theme", "kind", "legal_basis")}
    if not _SLUG.fullmatch(clean["slug"]):
        found["slug"] = N_("网址名称只能用小写字母、数字和横线，最多 64 个字符。")
    if not clean["title"]:
        found["title"] = N_("活动名称没有填。")
    for name, limit in HEAD_LIMITS.items():
        if len(clean[name]) > limit:
            found[name] = f"最多 {limit} 个字，现在有 {len(clean[name])} 个字。"
    if clean["theme"] not in THEMES:
        found["theme"] = N_("请选一个主题。")
    if clean["kind"] not in KINDS:
        found["kind"] = N_("请选活动性质。")
    elif clean["kind"] == "statutory_exam" and not clean["legal_basis"]:
        found["legal_basis"] = N_("法定学法考试要写明法律依据。")
    if found:
        raise InvalidInput(fields=found)
    return clean


def has_errors(found: Sequence[Problem]) -> bool:
    return any(problem.is_error for problem in found)

"""The checklist before publishing: the rule check's findings, heading by heading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quizapp.campaigns.checks import Problem
from quizapp.core.text import N_

RULE_FILE = 6
"""Not a step: what only the rule file holds."""
_STEPS = (
    (1, ("kind", "legal_basis", "title", "slug", "theme", "host", "summary")),
    (2, ("opens_at", "closes_at", "tries", "eligibility", "entry")),
    (3, ("paper", "pass_count", "limit_seconds", "large_type_percent", "grace_seconds", "feedback")),
    (4, ("draw", "points", "fixed_reward", "plan", "publicity", "claim", "objection_days", "points_per_day")),
    (5, ("cohosts",)),
)
_IN_FILE = ("quizzes", "pass_when", "scoring", "requires", "stages", "tracks", "actions", "measures", "awards", "draws", "prizes")
_IN_FILE_TOO = ("rank_prizes", "boards", "sanctions")
_HEADINGS = (
    (N_("性质和名称"), ("kind", "legal_basis", "title", "slug", "theme", "host", "summary"), 1),
    (N_("开放时间"), ("opens_at", "closes_at"), 2),
    (N_("次数和对象"), ("tries", "eligibility"), 2),
    (N_("报名要填的"), ("entry",), 2),
    (N_("题量和题目"), ("paper",), 3),
    (N_("及格线和时间"), ("pass_count", "limit_seconds", "large_type_percent", "grace_seconds", "feedback"), 3),
    (N_("奖品、数量和机会"), ("draw", "objection_days"), 4),
    (N_("预算"), ("plan",), 4),
    (N_("积分和固定奖励"), ("points", "fixed_reward", "points_per_day"), 4),
    (N_("公示和领取"), ("publicity", "claim"), 4),
    (N_("阶段、赛道、奖励、摇号和榜单"), (*_IN_FILE, *_IN_FILE_TOO), RULE_FILE),
    (N_("协办单位签字"), ("cohosts",), 5),
)


def part_of(field: str) -> str:
    """``draw.prizes[1].name`` → ``draw``."""
    return field.partition(".")[0].partition("[")[0]


def step_of(field: str) -> int:
    """The editor's step that a field is on; what belongs nowhere is shown at the end."""
    part = part_of(field)
    if part == "quizzes":
        part = part_of(field.partition("].")[2])
        return 3 if part in (*_STEPS[2][1], "tries") else RULE_FILE
    if part in (*_IN_FILE, *_IN_FILE_TOO):
        return RULE_FILE
    return next((step for step, parts in _STEPS if part in parts), 5)


@dataclass(frozen=True)
class CheckItem:
    """One line: ``state`` is ok, warning or error; ``sentences`` say what is wrong, or what it is where nothing is wrong;
    ``step`` is where it is mended."""

    title: str
    state: str
    sentences: tuple[str, ...]
    step: int


def checklist(found: Sequence[Problem], facts: Mapping[str, str] | None = None) -> list[CheckItem]:
    """:param facts: a sentence per heading (named by its first part: ``kind``, ``opens_at``, ``tries`` …)"""
    items = []
    known = {part for _, parts, _ in _HEADINGS for part in parts}
    for title, parts, step in _HEADINGS:
        here = [problem for problem in found if part_of(problem.field) in parts]
        fact = (facts or {}).get(parts[0], "")
        sentences = tuple(problem.message for problem in here) or ((fact,) if fact else ())
        items.append(CheckItem(title, _state(here), sentences, step))
    other = [problem for problem in found if part_of(problem.field) not in known]
    if other:
        items.append(CheckItem(N_("其他"), _state(other), tuple(f"{one.field}：{one.message}" for one in other), 5))
    return items


def _state(found: Sequence[Problem]) -> str:
    if any(problem.is_error for problem in found):
        return "error"
    return "warning" if found else "ok"

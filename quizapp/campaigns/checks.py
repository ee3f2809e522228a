"""The rule check: is a body of terms well formed, free of contradictions, lawful and sensible?

The editor, publishing and ``flask campaigns check`` use the same check. An ``error`` keeps a campaign from being published;
a ``warning`` is shown and decided by people.
"""

import datetime as dt
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from quizapp.campaigns.estimates import days_in, estimate
from quizapp.campaigns.terms import SCHEMA, DrawTerms, PaperPart, Terms, check_shape, from_dict
from quizapp.core.errors import InvalidInput
from quizapp.core.money import yuan
from quizapp.core.text import N_, clean_line
from quizapp.core.themes import THEMES
from quizapp.lottery.rules import SERVED_KINDS
from quizapp.questions.errors import PoolTooSmall
from quizapp.questions.rules import PoolItem, draw_paper

PPM = 1_000_000
INSTANT_WARN_FEN = 200_00
"""An instant prize above this belongs in a pool draw with public input (design of the draws: an insider could predict it)."""
MAX_PRIZE_FEN = 50_000_00
"""Anti-unfair-competition law: a lottery's highest prize."""
LONG_WINDOW_DAYS = 400
FindPool = Callable[[PaperPart], Sequence[PoolItem]]


@dataclass(frozen=True)
class Problem:
    """``field`` is a path into the body, such as ``draw.prizes[1].odds_ppm`` (prizes and parts count from 1)."""

    field: str
    message: str
    severity: Literal["error", "warning"] = "error"

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


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
    plan = body.get("plan") or {}
    return [
        *_window(terms, now),
        *_paper(terms, find_pool),
        *_time_and_tries(terms),
        *_kind(terms, kind, legal_basis or ""),
        *(_draw(terms.draw, plan, days_in(terms)) if terms.draw else ()),
        *_people(terms),
    ]


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


def _window(terms: Terms, now: dt.datetime | None) -> list[Problem]:
    if terms.opens_at >= terms.closes_at:
        return [Problem("closes_at", N_("结束时间要晚于开始时间。"))]
    found = []
    if now is not None and terms.closes_at <= now:
        found.append(Problem("closes_at", N_("结束时间已经过去了，请改到以后。")))
    if terms.closes_at - terms.opens_at > dt.timedelta(days=LONG_WINDOW_DAYS):
        found.append(Problem("closes_at", N_("活动超过 400 天。请分成几场，或者确认时间没有填错。")))
    elif days_in(terms) > 92:
        found.append(Problem("closes_at", N_("活动超过三个月，请确认时间没有填错。"), "warning"))
    return found


def _paper(terms: Terms, find_pool: FindPool | None) -> list[Problem]:
    found = []
    if terms.pass_count > terms.question_count:
        found.append(Problem("pass_count", f"一共 {terms.question_count} 道题，不能要求答对 {terms.pass_count} 道。"))
    if find_pool is None:
        return found
    pools = [find_pool(part) for part in terms.paper.parts]
    short = [place for place, part in enumerate(terms.paper.parts) if len(pools[place]) < part.count]
    for place in short:
        part = terms.paper.parts[place]
        found.append(Problem(f"paper.parts[{place + 1}].count", f"要抽 {part.count} 道，题库里可用的只有 {len(pools[place])} 道。"))
    if not short:
        try:
            draw_paper([(pool, part.count) for pool, part in zip(pools, terms.paper.parts, strict=True)], random.Random(0))  # noqa: S311 - nothing is drawn for anybody here
        except PoolTooSmall as error:
            found.append(Problem("paper.parts", f"几行要抽的题互相重叠，合起来要 {error.needed} 道，只有 {error.available} 道不重复。"))
        different = {item.question_id for pool in pools for item in pool}
        if len(different) < 3 * terms.question_count:
            found.append(Problem("paper.parts", f"可用的题只有 {len(different)} 道，再答一轮容易遇到重复的题。", "warning"))
    return found


def _time_and_tries(terms: Terms) -> list[Problem]:
    found = []
    if terms.limit_seconds is not None and terms.limit_seconds < 10 * terms.question_count:
        found.append(Problem("limit_seconds", N_("平均每题不到 10 秒，年纪大的人来不及看完题。"), "warning"))
    if terms.large_type_percent == 100 and terms.limit_seconds is not None:
        found.append(Problem("large_type_percent", N_("大字版没有多给时间。"), "warning"))
    per_day, total = terms.tries.per_day, terms.tries.total
    if per_day is not None and total is not None and total < per_day:
        found.append(Problem("tries.total", N_("整场次数比每天次数还少。")))
    if terms.draw is not None and per_day is None and total is None:
        found.append(Problem("tries.per_day", N_("有抽奖的活动要限制答题次数。")))
    return found


def _kind(terms: Terms, kind: str, legal_basis: str) -> list[Problem]:
    if kind == "voluntary":
        return []
    found = []
    if not legal_basis.strip():
        found.append(Problem("legal_basis", N_("法定学法考试要写明法律依据。")))
    if terms.draw is not None:
        found.append(Problem("draw", N_("法定学法考试不设奖品。")))
    if terms.points.passed or terms.points.failed:
        found.append(Problem("points.passed", N_("法定学法考试不发积分。")))
    if terms.fixed_reward.points:
        found.append(Problem("fixed_reward.points", N_("法定学法考试不发固定奖励。")))
    if terms.eligibility.allows_guests:
        found.append(Problem("eligibility.allows_guests", N_("法定学法考试要先登录再答题。")))
    return found


def _draw(draw: DrawTerms, plan: Mapping[str, Any], days: int) -> list[Problem]:
    found = []
    total = sum(prize.odds_ppm for prize in draw.prizes)
    if total > PPM:
        found.append(Problem("draw.prizes", f"中奖概率加起来是 {total / 10_000:g}%，不能超过 100%。"))
    if len({prize.name for prize in draw.prizes}) < len(draw.prizes):
        found.append(Problem("draw.prizes", N_("有两个奖品同名，请改成不同的名字。")))
    for place, prize in enumerate(draw.prizes, 1):
        path = f"draw.prizes[{place}]"
        if prize.kind not in SERVED_KINDS:
            found.append(Problem(f"{path}.kind", N_("这种奖品要先接好外部服务，现在还发不了。")))
        if prize.kind == "points" and prize.points < 1:
            found.append(Problem(f"{path}.points", N_("积分奖品要写明给多少积分。")))
        if prize.kind == "cash" and prize.value_fen < 1:
            found.append(Problem(f"{path}.value_fen", N_("现金奖品要写明到手金额。")))
        if prize.value_fen > MAX_PRIZE_FEN:
            found.append(Problem(f"{path}.value_fen", N_("最高奖不得超过 50,000 元。")))
        elif prize.value_fen > INSTANT_WARN_FEN:
            found.append(Problem(f"{path}.value_fen", f"当场抽的奖品超过 {yuan(INSTANT_WARN_FEN)} 元，建议改用活动后摇号。", "warning"))
        if prize.odds_ppm == 0 or prize.quantity == 0:
            found.append(Problem(f"{path}.odds_ppm", f"“{prize.name}”不可能被抽中（数量或概率是 0）。", "warning"))
    found += _minors(draw)
    if draw.wins_total is not None and draw.wins_per_day is not None and draw.wins_per_day > draw.wins_total:
        found.append(Problem("draw.wins_per_day", N_("每天中奖次数比整场还多。"), "warning"))
    return [*found, *_plan(draw, plan, days)]


def _minors(draw: DrawTerms) -> list[Problem]:
    if not draw.allows_minors:
        return []
    if any(prize.kind == "cash" for prize in draw.prizes):
        return [Problem("draw.allows_minors", N_("未成年人不发现金。请关掉未成年人抽奖，或者不设现金奖品。"))]
    return [Problem("draw.allows_minors", N_("未成年人默认不抽奖，请确认已经得到批准。"), "warning")]


def _plan(draw: DrawTerms, plan: Mapping[str, Any], days: int) -> list[Problem]:
    """What the planned number of draws does to stock and budget; nothing without a plan."""
    draws, budget = int(plan.get("expected_draws") or 0), int(plan.get("budget_fen") or 0)
    sums = estimate(draw, draws)
    found = []
    if budget and sums.cap_fen > budget:
        over = yuan(sums.cap_fen - budget)
        found.append(Problem("plan.budget_fen", f"奖品全部发完（含税）要 {yuan(sums.cap_fen)} 元，超出预算 {over} 元。", "warning"))
    if budget and draws and sums.gross_fen > budget:
        found.append(Problem("plan.budget_fen", f"照预计的次数，要花 {yuan(sums.gross_fen)} 元，超出预算。", "warning"))
    for place, (prize, row) in enumerate(zip(draw.prizes, sums.rows, strict=True), 1):
        if row.is_short:
            day = max(1, days * row.empty_after // draws)
            found.append(
                Problem(
                    f"draw.prizes[{place}].quantity",
                    f"“{prize.name}”大约在第 {row.empty_after:,} 次抽奖（第 {day} 天）发完，之后抽中的人拿不到。",
                    "warning",
                )
            )
    return found


def _people(terms: Terms) -> list[Problem]:
    found = []
    if terms.draw is not None and not terms.eligibility.asks_age_band:
        found.append(Problem("eligibility.asks_age_band", N_("有抽奖的活动要问年龄段，未成年人另有规定。")))
    if terms.eligibility.organisation_ids and not terms.eligibility.asks_organisation:
        found.append(Problem("eligibility.asks_organisation", N_("限定了单位，就要请参加的人填写单位。")))
    return found

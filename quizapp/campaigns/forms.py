"""What the campaign editor posts, step by step, and what it shows: inputs are named by their path in the terms.

A mistake of typing is kept under the input's name; an empty input is no mistake, since a draft may be incomplete: the rule
check says what is missing. Times are Shanghai's, money is typed in yuan, odds in per cent, limits in minutes.
"""

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from werkzeug.datastructures import MultiDict

from quizapp.campaigns.terms import DrawTerms, Eligibility, Plan
from quizapp.core.clock import SHANGHAI, parse_shanghai
from quizapp.core.money import parse_yuan, yuan
from quizapp.core.text import N_, clean_line, has_forbidden_characters
from quizapp.lottery.rules import SERVED_KINDS

MAX_ROWS = 30
NUMBER = re.compile(r"-?\d{1,12}")
ROW_ACTION = re.compile(r"(add|remove)-(part|prize)(?:-(\d{1,3}))?")
DIFFICULTIES = {
    "": N_("不限"),
    **{str(level): str(level) for level in range(1, 6)},
    "1,2": N_("1 至 2"),
    "2,3": N_("2 至 3"),
    "3,4": N_("3 至 4"),
    "4,5": N_("4 至 5"),
    "1,2,3": N_("1 至 3"),
    "3,4,5": N_("3 至 5"),
}


class Posted:
    """A posted form, read field by field."""

    def __init__(self, data: "MultiDict[str, str]") -> None:
        self.data = data
        self.errors: dict[str, list[str]] = {}

    def wrong(self, name: str, message: str) -> None:
        self.errors.setdefault(name, []).append(message)

    def raw(self, name: str) -> str:
        return self.data.get(name, "").strip()

    def line(self, name: str, limit: int) -> str:
        text = self.raw(name)
        if has_forbidden_characters(text):
            self.wrong(name, N_("有不能用的字符。"))
        elif len(text) > limit:
            self.wrong(name, f"最多 {limit} 个字，现在有 {len(text)} 个字。")
        return clean_line(text, limit)

    def whole(self, name: str, default: int | None = None) -> int | None:
        text = self.raw(name).replace(",", "")
        if not text:
            return default
        if not NUMBER.fullmatch(text):
            self.wrong(name, N_("请填整数。"))
            return default
        return int(text)

    def minutes(self, name: str) -> int | None:
        """Minutes with at most two decimals, as whole seconds."""
        number = self._decimal(name, 2)
        return None if number is None else int(number * 60)

    def tenths(self, name: str) -> int | None:
        """A number with at most one decimal, in tenths."""
        number = self._decimal(name, 1)
        return None if number is None else int(number * 10)

    def ppm(self, name: str) -> int:
        """Per cent with at most four decimals, as parts per million."""
        number = self._decimal(name, 4)
        return 0 if number is None else int(number * 10_000)

    def _decimal(self, name: str, places: int) -> Decimal | None:
        text = self.raw(name).removesuffix("%").strip()
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not 0 <= number < 1_000_000:
            self.wrong(name, N_("请填数字。"))
            return None
        if number != round(number, places):
            self.wrong(name, f"最多 {places} 位小数。")
            return None
        return number

    def fen(self, name: str) -> int:
        text = self.raw(name).replace(",", "")
        if not text:
            return 0
        try:
            return parse_yuan(text)
        except ValueError:
            self.wrong(name, N_("请填金额，例如 2 或 2.50。"))
            return 0

    def moment(self, name: str) -> str | None:
        """A Shanghai time, as the terms keep moments."""
        text = self.raw(name)
        if not text:
            return None
        try:
            moment = parse_shanghai(text)
        except (ValueError, OverflowError):
            self.wrong(name, N_("时间写得不对，例如 2026-11-22 09:00。"))
            return None
        return moment.isoformat().replace("+00:00", "Z")

    def flag(self, name: str) -> bool:
        return self.raw(name) == "1"

    def chosen(self, name: str) -> list[str]:
        return sorted({value.strip() for value in self.data.getlist(name) if value.strip()})

    def ids(self, name: str) -> list[uuid.UUID]:
        found = []
        for text in self.chosen(name):
            try:
                found.append(uuid.UUID(text))
            except ValueError:
                self.wrong(name, N_("请从列表里选。"))
        return found

    def rows(self, prefix: str) -> list[int]:
        """Numbers of the rows ``prefix[n].…`` that were posted, in order."""
        pattern = re.compile(re.escape(prefix) + r"\[(\d{1,3})\]\.")
        return sorted({int(match[1]) for name in self.data if (match := pattern.match(name))})[:MAX_ROWS]


Changes = dict[str, Any]
"""New values of top-level parts of the draft."""


def read_head(posted: Posted) -> dict[str, str]:
    """Step 1, except the units."""
    names = {"title": 40, "slug": 64, "summary": 60, "legal_basis": 200, "theme": 16, "kind": 20}
    return {name: posted.line(name, limit) for name, limit in names.items()}


def read_window(posted: Posted, draft: Mapping[str, Any]) -> Changes:
    """Step 2: when, how often, who."""
    eligibility = {
        **(draft.get("eligibility") or {}),
        "regions": posted.chosen("eligibility.regions"),
        "groups": posted.chosen("eligibility.groups"),
        "asks_organisation": posted.flag("eligibility.asks_organisation"),
        "asks_age_band": posted.flag("eligibility.asks_age_band") or bool(draft.get("draw")),
        "allows_guests": posted.flag("eligibility.allows_guests"),
    }
    return {
        "opens_at": posted.moment("opens_at"),
        "closes_at": posted.moment("closes_at"),
        "tries": {"per_day": posted.whole("tries.per_day"), "total": posted.whole("tries.total")},
        "eligibility": eligibility,
    }


def read_paper(posted: Posted, draft: Mapping[str, Any]) -> Changes:
    """Step 3: questions, time, what is right."""
    parts = [_read_part(posted, f"paper.parts[{number}]") for number in posted.rows("paper.parts")]
    return {
        "paper": {"parts": parts, "shuffles_choices": posted.flag("paper.shuffles_choices")},
        "limit_seconds": posted.minutes("limit_seconds"),
        "large_type_percent": posted.whole("large_type_percent", 100),
        "pass_count": posted.whole("pass_count"),
        "feedback": posted.raw("feedback") or "after_hand_in",
    }


def _read_part(posted: Posted, prefix: str) -> dict[str, Any]:
    levels = posted.raw(f"{prefix}.difficulties")
    if levels not in DIFFICULTIES:
        posted.wrong(f"{prefix}.difficulties", N_("请从列表里选。"))
        levels = ""
    return {
        "banks": [slug for slug in posted.raw(f"{prefix}.banks").split(",") if slug],
        "count": posted.whole(f"{prefix}.count"),
        "kinds": [kind for kind in [posted.raw(f"{prefix}.kinds")] if kind],
        "tags": [tag.strip() for tag in re.split("[,，]", posted.raw(f"{prefix}.tags")) if tag.strip()],
        "difficulties": [int(level) for level in levels.split(",") if level],
    }


def read_rewards(posted: Posted, draft: Mapping[str, Any]) -> Changes:
    """Step 4: draw, points, fixed reward, the plan."""
    changes: Changes = {
        "draw": _read_draw(posted, draft.get("draw") or {}) if posted.raw("draw_mode") == "instant" else None,
        "points": {
            "passed": posted.whole("points.passed", 0),
            "failed": posted.whole("points.failed", 0),
            "daily_limit": posted.whole("points.daily_limit", 3),
        },
        "fixed_reward": {"points": posted.whole("fixed_reward.points", 0)},
        "plan": _read_plan(posted),
    }
    if changes["draw"] is not None:
        changes["eligibility"] = {**(draft.get("eligibility") or {}), "asks_age_band": True}
    return changes


def _read_plan(posted: Posted) -> dict[str, Any]:
    return {
        "expected_draws": posted.whole("plan.expected_draws"),
        "budget_fen": posted.fen("plan.budget_fen"),
        "expected_people": posted.whole("plan.expected_people"),
        "attempts_tenths": posted.tenths("plan.attempts_tenths"),
        "right_percent": posted.whole("plan.right_percent"),
        "drawing_percent": posted.whole("plan.drawing_percent"),
        "shape": posted.raw("plan.shape") or Plan.shape,
    }


def _read_draw(posted: Posted, before: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: before[name] for name in ("tickets",) if name in before},
        "prizes": [_read_prize(posted, f"draw.prizes[{number}]") for number in posted.rows("draw.prizes")],
        "ticket_hours": posted.whole("draw.ticket_hours"),
        "wins_total": posted.whole("draw.wins_total"),
        "wins_per_day": posted.whole("draw.wins_per_day"),
        "claim_days": posted.whole("draw.claim_days"),
        "spare_days": posted.whole("draw.spare_days", before.get("spare_days", DrawTerms.spare_days)),
        "allows_minors": posted.flag("draw.allows_minors"),
        "tax_bearer": "winner" if posted.raw("draw.tax_bearer") == "winner" else "host",
        "excluded_groups": posted.chosen("draw.excluded_groups"),
    }


def _read_prize(posted: Posted, prefix: str) -> dict[str, Any]:
    kind = posted.raw(f"{prefix}.kind")
    if kind not in SERVED_KINDS:
        posted.wrong(f"{prefix}.kind", N_("请从列表里选。"))
        kind = SERVED_KINDS[0]
    return {
        "name": posted.line(f"{prefix}.name", 40),
        "tier": posted.line(f"{prefix}.tier", 20),
        "kind": kind,
        "quantity": posted.whole(f"{prefix}.quantity"),
        "odds_ppm": posted.ppm(f"{prefix}.odds_ppm"),
        "value_fen": posted.fen(f"{prefix}.value_fen") if kind != "points" else 0,
        "points": posted.whole(f"{prefix}.points", 0) if kind == "points" else 0,
    }


READERS: dict[int, Callable[[Posted, Mapping[str, Any]], Changes]] = {2: read_window, 3: read_paper, 4: read_rewards}


def change_rows(action: str, changes: Changes) -> bool:
    """Add or remove a row as a button asked; returns whether the button was one of these."""
    match = ROW_ACTION.fullmatch(action)
    if match is None:
        return False
    verb, what, number = match[1], match[2], int(match[3] or 0)
    holder = changes.get("paper") if what == "part" else changes.get("draw")
    if holder is None:
        return True
    rows: list[dict[str, Any]] = holder["parts" if what == "part" else "prizes"]
    if verb == "remove" and 1 <= number <= len(rows):
        rows.pop(number - 1)
    elif verb == "add" and len(rows) < MAX_ROWS:
        rows.append(new_part(rows) if what == "part" else new_prize())
    return True


def new_part(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"banks": rows[-1]["banks"] if rows else [], "count": 1, "kinds": [], "tags": [], "difficulties": []}


def new_prize() -> dict[str, Any]:
    return {"name": "", "tier": "", "kind": "pickup", "quantity": None, "odds_ppm": 0, "value_fen": 0, "points": 0}


def new_draft() -> dict[str, Any]:
    """What a new campaign begins with: the usual five questions, four right, three times a day."""
    return {
        "paper": {"parts": [{**new_part([]), "count": 5}], "shuffles_choices": True},
        "pass_count": 4,
        "limit_seconds": 300,
        "large_type_percent": 160,
        "tries": {"per_day": 3, "total": None},
        "feedback": "after_hand_in",
        "draw": None,
        "eligibility": {"allows_guests": True, "asks_age_band": True, "asks_organisation": False},
    }


# ---- what the inputs show


def show_moment(value: Any) -> str:
    """As ``datetime-local`` wants it, on the Shanghai clock."""
    try:
        moment = dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return ""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


_SHOW: dict[str, Callable[[Any], str]] = {
    "opens_at": show_moment,
    "closes_at": show_moment,
    "limit_seconds": lambda value: _number(Decimal(value) / 60),
    "attempts_tenths": lambda value: _number(Decimal(value) / 10),
    "odds_ppm": lambda value: _number(Decimal(value) / 10_000),
    "value_fen": lambda value: yuan(value) if value else "",
    "budget_fen": lambda value: yuan(value) if value else "",
    "banks": ",".join,
    "kinds": lambda value: value[0] if value else "",
    "tags": "，".join,
    "difficulties": lambda value: ",".join(map(str, value)),
}


def shown_values(draft: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The draft by input name: texts, and sets for groups of boxes."""
    shown: dict[str, Any] = {}
    for name, value in draft.items():
        path = f"{prefix}{name}"
        if value is None:
            continue
        if name in _SHOW:
            shown[path] = _SHOW[name](value)
        elif isinstance(value, Mapping):
            shown.update(shown_values(value, f"{path}."))
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            for number, row in enumerate(value, 1):
                shown.update(shown_values(row, f"{path}[{number}]."))
        elif isinstance(value, list | tuple):
            shown[path] = set(value)
        elif isinstance(value, bool):
            shown[path] = "1" if value else ""
        else:
            shown[path] = str(value)
    return shown


DEFAULTS = {
    "plan.shape": Plan.shape,
    "draw.ticket_hours": str(DrawTerms.ticket_hours),
    "draw.wins_total": str(DrawTerms.wins_total),
    "draw.claim_days": str(DrawTerms.claim_days),
    "draw.spare_days": str(DrawTerms.spare_days),
    "draw.allows_minors": "1" if DrawTerms.allows_minors else "",
    "draw.tax_bearer": "host",
    "draw.excluded_groups": set(DrawTerms.excluded_groups),
    "eligibility.asks_age_band": "1" if Eligibility.asks_age_band else "",
    "eligibility.allows_guests": "1" if Eligibility.allows_guests else "",
    "points.daily_limit": "3",
    "feedback": "after_hand_in",
    "large_type_percent": "160",
}
"""What an input shows while the draft has no such part yet."""

"""The inputs of the editor's steps, and what each step makes of a draft.

With several quizzes (``quizzes`` in the body) the inputs of a quiz are those of the one that ``quiz`` names, from 1.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from quizapp.campaigns.forms.inputs import (
    BOXES,
    FEN,
    FEN_OR_NONE,
    FLAG,
    LINES,
    MINUTES,
    MOMENT,
    PPM,
    TENTHS,
    WHOLE,
    WHOLE_OR_ZERO,
    Input,
    Kind,
    joined,
    merged,
    merged_rows,
    one_of,
    shown,
    shown_rows,
    text,
)
from quizapp.campaigns.forms.posted import MAX_ROWS, Posted
from quizapp.campaigns.terms import QUIZ_FIELDS, Claim, DrawTerms, Eligibility, EntryField, Paper, Plan, PrizeTerms, Publicity, Terms, Tries
from quizapp.core.text import N_
from quizapp.lottery.rules import SERVED_KINDS

Changes = dict[str, Any]
"""New values of top-level parts of the draft."""
ROW_ACTION = re.compile(r"(add|remove)-(part|prize|band|quota|field)(?:-(\d{1,3}))?")
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
_TAX = Kind(
    lambda posted, name: "winner" if posted.raw(name) == "winner" else "host",
    lambda value: "winner" if value == "winner" else "organiser",
)

# ---- step 2

WINDOW = (Input("opens_at", MOMENT), Input("closes_at", MOMENT))
TRIES = (
    Input("per_day", WHOLE, Tries.per_day),
    Input("total", WHOLE),
    Input("per_round", WHOLE),
    Input("counts_abandoned", FLAG, Tries.counts_abandoned),
)
ELIGIBILITY = (
    Input("regions", BOXES, ()),
    Input("groups", BOXES, ()),
    Input("asks_organisation", FLAG, Eligibility.asks_organisation),
    Input("asks_age_band", FLAG, Eligibility.asks_age_band),
    Input("allows_guests", FLAG, Eligibility.allows_guests),
    Input("registered_before", MOMENT),
    Input("excludes", text(200), ""),
)
ENTRY = (Input("opens_at", MOMENT), Input("closes_at", MOMENT), Input("can_be_corrected", FLAG, True))
FIELD_KINDS = ("text", "choice", "digits")
FIELD = (
    Input("label", text(30), ""),
    Input("purpose", text(100), ""),
    Input("kind", one_of(FIELD_KINDS, "text"), EntryField.kind),
    Input("choices", LINES, ()),
    Input("is_required", FLAG, EntryField.is_required),
    Input("keep_days", WHOLE, EntryField.keep_days),
)

# ---- step 3

PART = (
    Input("banks", joined(), ()),
    Input("count", WHOLE),
    Input("kinds", joined(), ()),
    Input("tags", joined(), ()),
    Input("difficulties", joined(int, list(DIFFICULTIES)), ()),
    Input("points", WHOLE, 1),
)
PAPER = (
    Input("shuffles_choices", FLAG, Paper.shuffles_choices),
    Input("same_for", one_of(("attempt", "day", "round", "stage", "campaign"), "attempt"), Paper.same_for),
)
QUIZ = (Input("limit_seconds", MINUTES, 300), Input("pass_count", WHOLE))
ANSWERING = (
    Input("large_type_percent", WHOLE, Terms.large_type_percent),
    Input("grace_seconds", WHOLE_OR_ZERO, Terms.grace_seconds),
    Input("feedback", one_of(("after_hand_in", "after_close"), "after_hand_in"), Terms.feedback),
)

# ---- step 4

PRIZE = (
    Input("name", text(40), ""),
    Input("tier", text(20), ""),
    Input("kind", one_of(SERVED_KINDS, SERVED_KINDS[0])),
    Input("quantity", WHOLE),
    Input("odds_ppm", PPM),
    Input("value_fen", FEN, 0),
    Input("points", WHOLE_OR_ZERO, 0),
    Input("release", one_of(("all", "paced"), "all"), PrizeTerms.release),
    Input("per_day", WHOLE),
    Input("per_hour", WHOLE),
    Input("max_fen", FEN_OR_NONE),
    Input("budget_fen", FEN_OR_NONE),
)
DRAW = (
    Input("tickets", WHOLE, DrawTerms.tickets),
    Input("ticket_hours", WHOLE, DrawTerms.ticket_hours),
    Input("wins_total", WHOLE, DrawTerms.wins_total),
    Input("wins_per_day", WHOLE),
    Input("draws_per_day", WHOLE),
    Input("claim_days", WHOLE, DrawTerms.claim_days),
    Input("spare_days", WHOLE, DrawTerms.spare_days),
    Input("allows_minors", FLAG, DrawTerms.allows_minors),
    Input("tax_bearer", _TAX, DrawTerms.tax_bearer),
    Input("excluded_groups", BOXES, DrawTerms.excluded_groups),
    Input("fallback", text(40), ""),
    Input("paced_from_hour", WHOLE, DrawTerms.paced_from_hour),
    Input("paced_to_hour", WHOLE, DrawTerms.paced_to_hour),
)
BAND = (Input("tickets", WHOLE, 1),)
QUOTA = (Input("regions", joined(), ()), Input("quantity", WHOLE))
POINTS = (Input("passed", WHOLE_OR_ZERO, 0), Input("failed", WHOLE_OR_ZERO, 0), Input("daily_limit", WHOLE, 3))
FIXED = (Input("points", WHOLE_OR_ZERO, 0),)
PLAN = (
    Input("expected_draws", WHOLE),
    Input("budget_fen", FEN, 0),
    Input("expected_people", WHOLE),
    Input("attempts_tenths", TENTHS),
    Input("right_percent", WHOLE),
    Input("drawing_percent", WHOLE),
    Input("shape", text(16), Plan.shape),
)
PUBLICITY = (Input("days", WHOLE, Publicity.days), Input("after_days", WHOLE_OR_ZERO, Publicity.after_days))
CLAIM = (
    Input("deferred_until", MOMENT),
    Input("void_hours", WHOLE),
    Input("pickup_points", LINES, ()),
    Input("pickup_after_days", WHOLE_OR_ZERO, Claim.pickup_after_days),
    Input("forfeits", one_of(("void", "stock", "reserve"), "void"), Claim.forfeits),
)
REWARDS = (Input("objection_days", WHOLE, Terms.objection_days), Input("points_per_day", WHOLE))
SETS = frozenset({"eligibility.regions", "eligibility.groups", "draw.excluded_groups"})
"""Names under which several values are posted."""


def read_head(posted: Posted) -> dict[str, str]:
    """Step 1, except the units."""
    names = {"title": 40, "slug": 64, "summary": 60, "legal_basis": 200, "theme": 16, "kind": 20}
    return {name: posted.line(name, limit) for name, limit in names.items()}


# ---- the quiz a form is about


def quiz_of(draft: Mapping[str, Any], number: int = 1) -> Mapping[str, Any]:
    """The part of a draft that holds a quiz's fields: the draft itself where it has one quiz at its top."""
    if "quizzes" not in draft:
        return draft
    quizzes = draft["quizzes"] or [{}]
    return dict(quizzes[number - 1] if 1 <= number <= len(quizzes) else quizzes[0])


def quiz_number(draft: Mapping[str, Any], chosen: int | None) -> int:
    """Which of the quizzes a form is about, from 1."""
    return chosen if chosen and 1 <= chosen <= len(draft.get("quizzes") or ()) else 1


def _with_quiz(posted: Posted, draft: Mapping[str, Any], changes: Changes) -> Changes:
    """Put the changed fields of a quiz where the draft keeps them."""
    if "quizzes" not in draft:
        return changes
    number = quiz_number(draft, posted.whole("quiz"))
    quizzes = [dict(quiz) for quiz in draft["quizzes"] or [{}]]
    quizzes[number - 1].update({name: value for name, value in changes.items() if name in QUIZ_FIELDS})
    return {**{name: value for name, value in changes.items() if name not in QUIZ_FIELDS}, "quizzes": quizzes}


def _part(posted: Posted, draft: Mapping[str, Any], name: str, inputs: tuple[Input, ...], changes: Changes) -> None:
    """Merge a part of the draft; one that is not there and was not touched stays away."""
    before = draft.get(name) or {}
    after = merged(posted, f"{name}.", before, inputs)
    if after != before:
        changes[name] = after


def _top(posted: Posted, draft: Mapping[str, Any], inputs: tuple[Input, ...], changes: Changes) -> None:
    after = merged(posted, "", {one.name: draft[one.name] for one in inputs if one.name in draft}, inputs)
    changes.update({name: value for name, value in after.items() if name not in draft or draft[name] != value})


# ---- the steps


def read_window(posted: Posted, draft: Mapping[str, Any]) -> Changes:
    """Step 2: when, how often, who, what is asked at the entry."""
    changes: Changes = {}
    quiz = quiz_of(draft, quiz_number(draft, posted.whole("quiz")))
    _top(posted, draft, WINDOW, changes)
    _part(posted, draft, "eligibility", ELIGIBILITY, changes)
    if "quizzes" not in draft:
        _part(posted, quiz, "tries", TRIES, changes)
    before = draft.get("entry") or {}
    entry = merged(posted, "entry.", before, ENTRY) if posted.flag("has_entry") else dict(before)
    fields = merged_rows(posted, "entry.fields", before.get("fields", ()), FIELD)
    if fields != list(before.get("fields", ())):
        entry["fields"] = fields
    if entry != before:
        changes["entry"] = entry
    return changes


def read_paper(posted: Posted, draft: Mapping[str, Any]) -> Changes:
    """Step 3: questions, time, what is right."""
    changes: Changes = {}
    quiz = quiz_of(draft, quiz_number(draft, posted.whole("quiz")))
    _top(posted, quiz, QUIZ, changes)
    _top(posted, draft, ANSWERING, changes)
    if "quizzes" in draft:
        _part(posted, quiz, "tries", TRIES, changes)
    before = quiz.get("paper") or {}
    paper = merged(posted, "paper.", before, PAPER)
    parts = merged_rows(posted, "paper.parts", before.get("parts", ()), PART)
    if parts != list(before.get("parts", ())) or not before:
        paper["parts"] = parts
    if paper != before:
        changes["paper"] = paper
    return _with_quiz(posted, draft, changes)


def read_rewards(posted: Posted, draft: Mapping[str, Any]) -> Changes:
    """Step 4: draw, points, fixed reward, hand-over, publicity, the plan."""
    changes: Changes = {}
    before = draft.get("draw")
    if posted.raw("draw_mode") == "instant":
        draw = _read_draw(posted, before or {"prizes": []})
        if draw != before:
            changes["draw"] = draw
        if before is None:
            changes["eligibility"] = {**(draft.get("eligibility") or {}), "asks_age_band": True}
    elif before is not None and posted.raw("draw_mode") == "none":
        changes["draw"] = None
    _part(posted, draft, "points", POINTS, changes)
    _part(posted, draft, "fixed_reward", FIXED, changes)
    _part(posted, draft, "plan", PLAN, changes)
    _part(posted, draft, "publicity", PUBLICITY, changes)
    _part(posted, draft, "claim", CLAIM, changes)
    _top(posted, draft, REWARDS, changes)
    return changes


def _read_draw(posted: Posted, before: Mapping[str, Any]) -> dict[str, Any]:
    draw = merged(posted, "draw.", before, DRAW)
    known = before.get("prizes", ())
    prizes = merged_rows(posted, "draw.prizes", known, PRIZE)
    draw["prizes"] = [prize if prize in known else _fitting(prize) for prize in prizes]
    bands = merged_rows(posted, "draw.bands", before.get("bands", ()), BAND)
    for number, band in zip(posted.rows("draw.bands"), bands, strict=False):
        _read_band(posted, number, band)
    quotas = merged_rows(posted, "draw.region_quotas", before.get("region_quotas", ()), QUOTA)
    for name, rows in (("bands", bands), ("region_quotas", quotas)):
        if rows != list(before.get(name, ())):
            draw[name] = rows
    return draw


def _fitting(prize: dict[str, Any]) -> dict[str, Any]:
    """A changed prize without what its kind does not have."""
    is_points = prize.get("kind") == "points"
    return {**prize, "value_fen": 0 if is_points else prize.get("value_fen", 0), "points": prize.get("points", 0) if is_points else 0}


def band_threshold(band: Mapping[str, Any]) -> int | None:
    """How many right answers a band asks for, where that is all it asks for."""
    when = {name: value for name, value in (band.get("when") or {}).items() if value not in (None, [], (), 0, "")}
    return when["at_least"] if when.keys() == {"measure", "at_least"} and when["measure"] == "correct" else None


def _read_band(posted: Posted, number: int, band: dict[str, Any]) -> None:
    name = f"draw.bands[{number}].at_least"
    before = band_threshold(band)
    if name in posted.data and posted.raw(name) != ("" if before is None else str(before)):
        band["when"] = {"measure": "correct", "at_least": posted.whole(name)}
    band.setdefault("when", {"measure": "correct", "at_least": None})


READERS: dict[int, Callable[[Posted, Mapping[str, Any]], Changes]] = {2: read_window, 3: read_paper, 4: read_rewards}

# ---- rows


def change_rows(action: str, changes: Changes, draft: Mapping[str, Any], quiz: int = 1) -> bool:
    """Add or remove a row as a button asked; returns whether the button was one of these."""
    match = ROW_ACTION.fullmatch(action)
    if match is None:
        return False
    verb, what, number = match[1], match[2], int(match[3] or 0)
    holder = _holder(what, changes, draft, quiz)
    if holder is None:
        return True
    name = {"part": "parts", "prize": "prizes", "band": "bands", "quota": "region_quotas", "field": "fields"}[what]
    rows: list[dict[str, Any]] = [dict(row) for row in holder.get(name, ())]
    if verb == "remove" and 1 <= number <= len(rows):
        rows.pop(number - 1)
    elif verb == "add" and len(rows) < MAX_ROWS:
        rows.append(_NEW[what](rows))
    holder[name] = rows
    if what == "field" and not rows and not (holder.get("opens_at") or holder.get("closes_at")):
        changes["entry"] = None
    return True


def _holder(what: str, changes: Changes, draft: Mapping[str, Any], quiz: int) -> dict[str, Any] | None:
    """The part whose rows a button changes, as this post leaves it."""
    if what == "part":
        if "quizzes" in draft:
            quizzes = changes.setdefault("quizzes", [dict(one) for one in draft["quizzes"] or [{}]])
            holder: dict[str, Any] = quizzes[quiz - 1]
            holder["paper"] = dict(holder.get("paper") or {})
            return holder["paper"]  # type: ignore[no-any-return]
        changes.setdefault("paper", dict(draft.get("paper") or {}))
        return changes["paper"]  # type: ignore[no-any-return]
    if what == "field":
        changes["entry"] = dict(changes.get("entry", draft.get("entry")) or {})
        return changes["entry"]  # type: ignore[no-any-return]
    draw = changes.get("draw", draft.get("draw"))
    if draw is None:
        return None
    changes["draw"] = dict(draw)
    return changes["draw"]  # type: ignore[no-any-return]


def _new_part(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"banks": rows[-1].get("banks", []) if rows else [], "count": 1, "kinds": [], "tags": [], "difficulties": []}


def _new_field(rows: list[dict[str, Any]]) -> dict[str, Any]:
    used = {row.get("id") for row in rows}
    name = next(f"f{number}" for number in range(1, 100) if f"f{number}" not in used)
    return {"id": name, "label": "", "purpose": "", "kind": "text"}


_NEW: dict[str, Callable[[list[dict[str, Any]]], dict[str, Any]]] = {
    "part": _new_part,
    "prize": lambda _: {"name": "", "tier": "", "kind": "pickup", "quantity": None, "odds_ppm": 0, "value_fen": 0, "points": 0},
    "band": lambda _: {"when": {"measure": "correct", "at_least": None}, "tickets": 1},
    "quota": lambda _: {"regions": [], "quantity": None},
    "field": _new_field,
}


def new_draft() -> dict[str, Any]:
    """What a new campaign begins with: the usual five questions, four right, three times a day."""
    return {
        "paper": {"parts": [{**_new_part([]), "count": 5}], "shuffles_choices": True},
        "pass_count": 4,
        "limit_seconds": 300,
        "large_type_percent": 160,
        "tries": {"per_day": 3, "total": None},
        "feedback": "after_hand_in",
        "draw": None,
        "eligibility": {"allows_guests": True, "asks_age_band": True, "asks_organisation": False},
    }


# ---- what the inputs show


def shown_values(draft: Mapping[str, Any], quiz: int = 1) -> dict[str, Any]:
    """What every input shows, by its name: texts, and sets for groups of boxes."""
    one, entry, draw = quiz_of(draft, quiz), draft.get("entry") or {}, draft.get("draw") or {}
    paper = one.get("paper") or {}
    values = {**shown("", draft, (*WINDOW, *ANSWERING, *REWARDS)), **shown("", one, QUIZ)}
    for name, part, inputs in (
        ("tries", one.get("tries"), TRIES),
        ("eligibility", draft.get("eligibility"), ELIGIBILITY),
        ("entry", entry, ENTRY),
        ("paper", paper, PAPER),
        ("draw", draw, DRAW),
        ("points", draft.get("points"), POINTS),
        ("fixed_reward", draft.get("fixed_reward"), FIXED),
        ("plan", draft.get("plan"), PLAN),
        ("publicity", draft.get("publicity"), PUBLICITY),
        ("claim", draft.get("claim"), CLAIM),
    ):
        values.update(shown(f"{name}.", part or {}, inputs))
    values.update(shown_rows("entry.fields", entry.get("fields", ()), FIELD))
    values.update(shown_rows("paper.parts", paper.get("parts", ()), PART))
    values.update(shown_rows("draw.prizes", draw.get("prizes", ()), PRIZE))
    values.update(shown_rows("draw.region_quotas", draw.get("region_quotas", ()), QUOTA))
    for number, band in enumerate(draw.get("bands", ()), 1):
        values.update(shown(f"draw.bands[{number}].", band, BAND))
        threshold = band_threshold(band)
        values[f"draw.bands[{number}].at_least"] = "" if threshold is None else str(threshold)
    return values

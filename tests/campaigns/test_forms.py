"""The steps and the rule file edit one draft: what a form does not touch stays as it is, whatever the draft holds."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from werkzeug.datastructures import MultiDict

from quizapp.campaigns import forms
from quizapp.campaigns.terms.mapping import normal
from tests.campaigns.bodies import valid_bodies

UNSHRUNK: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "phases": (Phase.explicit, Phase.generate)}


def _typed(draft: dict[str, Any], quiz: int = 1, **changes: Any) -> forms.Posted:
    """What a browser sends from inputs that show the draft, with some of them changed."""
    values: MultiDict[str, str] = MultiDict()
    shown = {
        **forms.shown_values(draft, quiz),
        "draw_mode": "instant" if draft.get("draw") else "none",
        "quiz": str(quiz),
        "has_entry": "1",
    }
    for name, value in {**shown, **changes}.items():
        for one in sorted(value) if isinstance(value, set) else [value]:
            values.add(name, one.replace("\n", "\r\n"))
    return forms.Posted(values)


def _saved(draft: dict[str, Any], step: int, quiz: int = 1, **changes: Any) -> dict[str, Any]:
    posted = _typed(draft, quiz, **changes)
    found = {**draft, **forms.READERS[step](posted, draft)}
    assert posted.errors == {}
    return found


@settings(max_examples=200, **UNSHRUNK)
@given(body=valid_bodies())
def test_saving_an_untouched_step_changes_nothing(body: dict[str, Any]) -> None:
    draft = normal(body)
    before = copy.deepcopy(draft)
    for step in (2, 3, 4):
        for quiz in range(1, len(draft.get("quizzes", [1])) + 1):
            assert _saved(draft, step, quiz) == before
    assert draft == before


@settings(max_examples=80, **UNSHRUNK)
@given(body=valid_bodies())
def test_one_changed_input_changes_one_field(body: dict[str, Any]) -> None:
    draft = normal(body)
    last = len(draft.get("quizzes", [1]))
    after = _saved(draft, 3, last, pass_count="17")
    expected = copy.deepcopy(draft)
    (expected["quizzes"][last - 1] if "quizzes" in expected else expected)["pass_count"] = 17
    assert after == expected
    after = _saved(draft, 4, **{"publicity.days": "99"})
    assert after == {**draft, "publicity": {**draft.get("publicity", {}), "days": 99}}


BODY: dict[str, Any] = {
    "paper": {"parts": [{"banks": ["a", "b"], "count": 5, "points": 3}]},
    "tries": {"per_day": 3, "extra": [{"action": "video"}]},
    "draw": {"prizes": [{"name": "券", "kind": "code", "quantity": 5, "odds_ppm": 1000}]},
    "stages": [{"id": "one", "opens_at": "2026-12-04T01:00:00Z", "closes_at": "2026-12-05T01:00:00Z"}],
}


def test_new_fields_of_the_draw_are_typed() -> None:
    after = _saved(
        BODY,
        4,
        **{
            "draw.prizes[1].release": "paced",
            "draw.prizes[1].per_hour": "20",
            "draw.prizes[1].value_fen": "0.5",
            "draw.prizes[1].max_fen": "8.88",
            "draw.prizes[1].budget_fen": "500",
            "draw.fallback": "券",
            "claim.forfeits": "stock",
            "claim.pickup_points": "红山区司法局\n松山区司法局",
            "claim.void_hours": "24",
        },
    )
    assert after["draw"]["prizes"][0] == {
        **BODY["draw"]["prizes"][0],
        "release": "paced",
        "per_hour": 20,
        "value_fen": 50,
        "points": 0,
        "max_fen": 888,
        "budget_fen": 50_000,
    }
    assert after["draw"]["fallback"] == "券"
    assert after["claim"] == {"forfeits": "stock", "pickup_points": ["红山区司法局", "松山区司法局"], "void_hours": 24}
    assert after["stages"] == BODY["stages"]


def test_tries_per_round_leave_extra_tries_alone() -> None:
    after = _saved(BODY, 2, **{"tries.per_round": "10", "tries.per_day": ""})
    assert after["tries"] == {"per_day": None, "per_round": 10, "extra": [{"action": "video"}]}


@pytest.mark.parametrize(
    ("what", "name", "step"),
    [("band", "bands", 4), ("quota", "region_quotas", 4), ("prize", "prizes", 4), ("part", "parts", 3), ("field", "fields", 2)],
)
def test_rows_come_and_go(what: str, name: str, step: int) -> None:
    part = {"parts": "paper", "fields": "entry"}.get(name, "draw")
    changes = forms.READERS[step](_typed(BODY), BODY)
    assert forms.change_rows(f"add-{what}", changes, BODY)
    added = {**BODY, **changes}
    before = (BODY.get(part) or {}).get(name, [])
    assert added[part][name][:-1] == before
    changes = forms.READERS[step](_typed(added), added)
    forms.change_rows(f"remove-{what}-{len(before) + 1}", changes, added)
    assert ({**added, **changes}[part] or {}).get(name, []) == before


def test_a_field_of_the_entry_is_described_and_keeps_its_id() -> None:
    changes: dict[str, Any] = {}
    forms.change_rows("add-field", changes, BODY)
    draft = {**BODY, **changes}
    typed = {"label": "所在学校", "purpose": "按学校统计参与情况", "kind": "choice", "choices": "一中\n二中\n", "keep_days": "90"}
    after = _saved(draft, 2, **{f"entry.fields[1].{name}": value for name, value in typed.items()})
    assert after["entry"]["fields"] == [{**typed, "id": "f1", "choices": ["一中", "二中"], "keep_days": 90}]


def test_a_band_that_asks_for_more_than_a_count_stays_as_it_is() -> None:
    band = {"when": {"any": [{"measure": "all_right", "at_least": 1}, {"measure": "seconds", "at_most": 60}]}, "tickets": 2}
    draft = {**BODY, "draw": {**BODY["draw"], "bands": [band]}}
    assert _saved(draft, 4, **{"draw.bands[1].tickets": "3"})["draw"]["bands"] == [{**band, "tickets": 3}]
    simple = _saved(draft, 4, **{"draw.bands[1].at_least": "5"})["draw"]["bands"]
    assert simple == [{"when": {"measure": "correct", "at_least": 5}, "tickets": 2}]

"""The rule check: contradictions it refuses, risks it warns of, and that nothing makes it stumble."""

import copy
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.campaigns import checks, files
from quizapp.campaigns.checks import bounds
from quizapp.campaigns.terms import SCHEMA, Terms, from_dict, to_dict
from tests.campaigns.test_rule_sets import FILES, page_of

BASE: dict[str, Any] = {
    "opens_at": "2027-03-01 00:00",
    "closes_at": "2027-03-10 24:00",
    "paper": {"parts": [{"banks": ["constitution"], "count": 5}]},
    "pass_count": 4,
    "tries": {"per_day": 2},
}
PAPER = {"parts": [{"banks": ["constitution"], "count": 5}]}
CODE = {"name": "话费", "kind": "code", "quantity": 10, "odds_ppm": 1000, "value_fen": 1000}
TIER = {"name": "图书", "kind": "pickup", "quantity": 5}
DAILY = {"id": "s1", "opens_at": "2027-03-01 00:00", "closes_at": "2027-03-05 24:00", "rounds": {"every": "day"}}
GOOD_DAYS = {"id": "good", "title": "全对的天数", "where": {"measure": "all_right", "at_least": 1}, "within": "day", "inner": "any"}
POINTS = [{"gifts": [{"kind": "points", "amount": 5}]}]


def _found(changes: dict[str, Any], **context: Any) -> tuple[set[str], set[str]]:
    found = checks.problems({**copy.deepcopy(BASE), **changes}, **context)
    assert all(problem.message.endswith(("。", "！")) for problem in found)
    return {one.field for one in found if one.is_error}, {one.field for one in found if not one.is_error}


def test_the_base_is_sound() -> None:
    assert _found({}) == (set(), set())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        # time
        ({"closes_at": "2027-03-01 00:00"}, "closes_at"),
        ({"closes_at": "2029-03-01 00:00"}, "closes_at"),
        ({"stages": [{**DAILY, "closes_at": "2027-03-12 24:00"}]}, "stages[1].closes_at"),
        ({"stages": [{**DAILY, "opens_at": "2027-02-12 00:00"}]}, "stages[1].opens_at"),
        ({"stages": [{**DAILY, "opens_at": "2027-03-06 00:00"}]}, "stages[1].closes_at"),
        ({"stages": [DAILY, {**DAILY, "id": "s2", "opens_at": "2027-03-05 00:00", "closes_at": "2027-03-08 24:00"}]}, "stages[2].opens_at"),
        ({"stages": [{**DAILY, "opens": "18:00", "closes": "09:00"}]}, "stages[1].closes"),
        ({"stages": [{**DAILY, "rounds": {"every": "month", "first_day": 20}}]}, "stages[1].rounds"),
        ({"stages": [{**DAILY, "rounds": {"every": "week", "first_day": 5, "last_day": 2}}]}, "stages[1].rounds.last_day"),
        ({"stages": [{**DAILY, "rounds": {"every": "week", "last_day": 8}}]}, "stages[1].rounds.last_day"),
        ({"stages": [DAILY, DAILY]}, "stages[2]"),
        # papers and tries
        ({"pass_count": 6}, "pass_count"),
        ({"pass_count": 0, "pass_when": {"measure": "score", "at_least": 6}}, "pass_when"),
        ({"pass_count": 0, "pass_when": {"measure": "percent", "at_least": 101}}, "pass_when"),
        ({"pass_count": 0, "pass_when": {"measure": "passed", "at_least": 1}}, "pass_when"),
        ({"pass_count": 0, "pass_when": {"measure": "luck", "at_least": 1}}, "pass_when"),
        ({"pass_count": 0, "pass_when": {"measure": "correct", "at_least": 4, "at_most": 2}}, "pass_when"),
        ({"pass_count": 0, "pass_when": {"some": 3, "of": [{"measure": "correct", "at_least": 1}]}}, "pass_when"),
        ({"pass_count": 0, "pass_when": {"measure": "correct"}}, "pass_when"),
        ({"tries": {"per_day": 3, "total": 2}}, "tries.total"),
        ({"tries": {"repairs": True}, "scoring": {"sudden_death": True}}, "tries.repairs"),
        ({"tries": {"total": 1, "per_day": 1, "repairs": True}}, "tries.repairs"),
        ({"scoring": {"per_second_left": 5}}, "scoring.item_seconds"),
        ({"tries": {"extra": [{"action": "walk"}]}}, "tries.extra[1].action"),
        ({"paper": {**PAPER, "same_for": "round"}}, "paper.same_for"),
        ({"requires": {"measure": "passed", "at_least": 1}}, "requires"),
        ({"draw": {"prizes": [CODE]}, "tries": {"per_day": None}}, "tries.per_day"),
        # people
        ({"entry": {"fields": [{"id": "n", "label": "真实姓名", "purpose": "核对"}]}}, "entry.fields[1].label"),
        ({"entry": {"fields": [{"id": "n", "label": "身份证后六位", "purpose": "核对"}]}}, "entry.fields[1].label"),
        ({"entry": {"fields": [{"id": "n", "label": "手机号", "purpose": "联系"}]}}, "entry.fields[1].label"),
        ({"entry": {"fields": [{"id": "n", "label": "年级", "purpose": "统计", "kind": "choice"}]}}, "entry.fields[1].choices"),
        ({"entry": {"closes_at": "2027-02-20 24:00"}}, "eligibility.allows_guests"),
        ({"entry": {"opens_at": "2027-03-05 00:00", "closes_at": "2027-03-04 00:00"}}, "entry.closes_at"),
        ({"tracks": [{"id": "a", "title": "个人", "team_size": 5}]}, "tracks[1].team_size"),
        ({"eligibility": {"groups": ["youth"]}, "tracks": [{"id": "a", "title": "干部", "groups": ["civil_servant"]}]}, "tracks[1].groups"),
        # measures and awards
        ({"measures": [{**GOOD_DAYS, "id": "score"}]}, "measures[1].id"),
        ({"measures": [{"id": "run", "outer": "run"}]}, "measures[1].id"),
        ({"measures": [{"id": "row", "outer": "run"}]}, "measures[1].within"),
        ({"measures": [{"id": "x", "within": "round"}]}, "measures[1].within"),
        ({"measures": [{"id": "x", "of": "action:read"}]}, "measures[1].of"),
        ({"measures": [{"id": "x", "of": "gift:card"}]}, "measures[1].of"),
        ({"measures": [{"id": "x", "of": "win:nothing"}]}, "measures[1].of"),
        ({"measures": [{"id": "x", "where": {"measure": "correct", "at_least": 6}}]}, "measures[1].where"),
        ({"awards": [{"id": "a", "per": "stage", "bands": POINTS}], "points_per_day": 5}, "awards[1].per"),
        ({"awards": [{"id": "a", "per": "round", "bands": POINTS}], "points_per_day": 5}, "awards[1].per"),
        ({"awards": [{"id": "a", "per": "action", "bands": POINTS}], "points_per_day": 5}, "awards[1].action"),
        ({"awards": [{"id": "a", "bands": POINTS, "from_hour": 20, "to_hour": 8}], "points_per_day": 5}, "awards[1].to_hour"),
        ({"awards": [{"id": "a", "bands": [{"gifts": [{"kind": "badge"}]}]}]}, "awards[1].bands[1].gifts[1].name"),
        ({"awards": [{"id": "a", "bands": [{"gifts": [{"kind": "prize", "name": "表"}]}]}]}, "awards[1].bands[1].gifts[1].name"),
        ({"awards": [{"id": "a", "bands": [{"gifts": [{"kind": "tickets"}]}]}]}, "awards[1].bands[1].gifts[1].name"),
        ({"awards": [{"id": "a", "bands": [*POINTS, *POINTS]}]}, "awards[1].bands[2].when"),
        (
            {
                "measures": [GOOD_DAYS],
                "awards": [
                    {"id": "a", "per": "campaign", "bands": [{"when": {"measure": "good", "at_least": 11}, "gifts": POINTS[0]["gifts"]}]}
                ],
            },
            "awards[1].bands[1].when",
        ),
        (
            {
                "awards": [{"id": "a", "first_per_day": 10, "bands": [{"gifts": [{"kind": "prize", "name": "伞"}]}]}],
                "prizes": [{"name": "伞", "kind": "pickup", "quantity": 99}],
            },
            "awards[1]",
        ),
        ({"points_per_day": 5}, "points_per_day"),
        # instant draws
        ({"draw": {"prizes": [{**CODE, "odds_ppm": 600_000}, {**CODE, "name": "券", "odds_ppm": 500_000}]}}, "draw.prizes"),
        ({"draw": {"prizes": [{**CODE, "value_fen": 50_000_01}]}}, "draw.prizes[1].value_fen"),
        ({"draw": {"prizes": [{**CODE, "per_day": 1, "quantity": 11}]}}, "draw.prizes[1].quantity"),
        ({"draw": {"prizes": [{**CODE, "per_day": 1, "per_hour": 2}]}}, "draw.prizes[1].per_hour"),
        ({"draw": {"prizes": [{**CODE, "per_day": 1}], "per_day": 2}}, "draw.per_day"),
        ({"draw": {"prizes": [{**CODE, "quantity": 30}], "per_day": 2}}, "draw.per_day"),
        ({"draw": {"prizes": [CODE], "tickets": 0}}, "draw.tickets"),
        ({"draw": {"prizes": [CODE], "fallback": "没有的"}}, "draw.fallback"),
        ({"draw": {"prizes": [CODE], "fallback": "话费"}}, "draw.fallback"),
        ({"draw": {"prizes": [CODE], "paced_from_hour": 20, "paced_to_hour": 8}}, "draw.paced_to_hour"),
        ({"draw": {"prizes": [{**CODE, "max_fen": 2000, "budget_fen": 30_000}]}}, "draw.prizes[1].max_fen"),
        (
            {"draw": {"prizes": [{**CODE, "kind": "cash", "value_fen": 100, "max_fen": 200, "budget_fen": 999}]}},
            "draw.prizes[1].budget_fen",
        ),
        ({"draw": {"prizes": [{**CODE, "kind": "cash"}], "allows_minors": True}}, "draw.allows_minors"),
        (
            {"draw": {"prizes": [CODE], "region_quotas": [{"regions": ["1504"], "quantity": 1}, {"regions": ["150402"], "quantity": 1}]}},
            "draw.region_quotas[2].regions",
        ),
        ({"draw": {"prizes": [CODE]}, "eligibility": {"asks_age_band": False}}, "eligibility.asks_age_band"),
        # pool draws, hand-over
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [{**TIER, "quantity": 0}]}]}, "draws[1].tiers[1].quantity"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [{**TIER, "ratio_ppm": 5}]}]}, "draws[1].tiers[1].ratio_ppm"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [{**TIER, "value_fen": 50_000_01}]}]}, "draws[1].tiers[1].value_fen"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [TIER], "per": "round"}]}, "draws[1].per"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [TIER], "per": "stage"}]}, "draws[1].per"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [TIER], "after_days": 0}]}, "draws[1].after_days"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [TIER], "tickets": "awards"}]}, "draws[1].tickets"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [TIER], "max_tickets": 5}]}, "draws[1].max_tickets"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [TIER], "seed_input": "spoken"}]}, "draws[1].seed_input"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [TIER], "seed_input": "public_figure"}]}, "draws[1].public_figure"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [TIER], "who": {"measure": "correct", "at_least": 6}}]}, "draws[1].who"),
        (
            {
                "draws": [
                    {
                        "id": "d",
                        "title": "摇号",
                        "tiers": [TIER],
                        "who": {"measure": "correct", "at_least": 4},
                        "cascade": [{"measure": "correct", "at_least": 5}],
                    }
                ]
            },
            "draws[1].cascade[1]",
        ),
        ({"draw": {"prizes": [CODE]}, "claim": {"void_hours": 24 * 16}}, "claim.void_hours"),
        ({"draw": {"prizes": [CODE]}, "claim": {"deferred_until": "2027-03-05 00:00"}}, "claim.deferred_until"),
        ({"draw": {"prizes": [CODE]}, "claim": {"deferred_until": "2027-04-05 00:00"}}, "claim.deferred_until"),
        ({"draw": {"prizes": [CODE]}, "claim": {"pickup_after_days": 15}}, "claim.pickup_after_days"),
        ({"draw": {"prizes": [CODE]}, "claim": {"forfeits": "reserve"}}, "claim.forfeits"),
        ({"claim": {"void_hours": 24}}, "claim"),
        ({"draw": {"prizes": [CODE]}, "publicity": {"days": 3}}, "publicity.days"),
        # boards
        ({"boards": [{"id": "b", "title": "榜", "by": [{"measure": "luck"}]}]}, "boards[1].by[1].measure"),
        ({"boards": [{"id": "b", "title": "榜"}]}, "boards[1].by[1].measure"),
        ({"boards": [{"id": "b", "title": "榜", "by": [{"measure": "score"}], "opt_in": False}]}, "boards[1].opt_in"),
        ({"boards": [{"id": "b", "title": "榜", "of": "team", "by": [{"measure": "score"}]}]}, "boards[1].of"),
        (
            {
                "boards": [{"id": "b", "title": "榜", "of": "organisation", "by": [{"how": "rate"}]}],
                "eligibility": {"asks_organisation": True},
            },
            "boards[1].of",
        ),
        (
            {
                "boards": [
                    {"id": "b", "title": "榜", "of": "region", "by": [{"how": "people", "weight": 60}, {"how": "passed", "weight": 60}]}
                ]
            },
            "boards[1].by",
        ),
        ({"rank_prizes": [{"board": "b", "tiers": [TIER]}]}, "rank_prizes[1].board"),
        (
            {
                "boards": [{"id": "b", "title": "榜", "by": [{"measure": "score"}], "places": 4}],
                "rank_prizes": [{"board": "b", "tiers": [TIER]}],
            },
            "rank_prizes[1].tiers",
        ),
        (
            {
                "boards": [{"id": "b", "title": "榜", "of": "region", "by": [{"how": "people"}]}],
                "publicity": {"praises": [{"board": "b", "quantity": 3, "title": "优秀组织奖"}]},
            },
            "publicity.praises[1].approval",
        ),
        # promises
        ({"actions": [{"kind": "check_in", "title": "签到"}]}, "actions[1].kind"),
    ],
)
def test_a_contradiction_is_refused_where_it_stands(changes: dict[str, Any], field: str) -> None:
    errors, _ = _found(changes)
    assert field in errors


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"closes_at": "2027-08-01 00:00"}, "closes_at"),
        ({"limit_seconds": 40}, "limit_seconds"),
        ({"large_type_percent": 100}, "large_type_percent"),
        ({"actions": [{"kind": "share", "title": "分享"}]}, "actions[1].is_confirmed"),
        ({"actions": [{"kind": "share", "title": "分享", "is_confirmed": True}]}, "actions[1].is_confirmed"),
        ({"actions": [{"kind": "invite", "title": "邀请"}]}, "actions[1]"),
        ({"draw": {"prizes": [{**CODE, "value_fen": 200_01}]}}, "draw.prizes[1].value_fen"),
        ({"draw": {"prizes": [{**CODE, "kind": "cash", "quantity": 6000}]}}, "draw.prizes"),
        ({"draw": {"prizes": [{**CODE, "kind": "cash", "value_fen": 5}]}}, "draw.prizes[1].value_fen"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [TIER], "mode": "ceremony"}]}, "draws[1].seed_input"),
        ({"draws": [{"id": "d", "title": "摇号", "tiers": [TIER], "mode": "outside"}]}, "draws[1].witness"),
        ({"boards": [{"id": "b", "title": "榜", "of": "region", "by": [{"how": "people"}], "min_people": 2}]}, "boards[1].min_people"),
        (
            {
                "actions": [{"kind": "read", "title": "读"}],
                "awards": [{"id": "a", "per": "action", "action": "read", "bands": POINTS}],
            },
            "points_per_day",
        ),
    ],
)
def test_a_risk_is_warned_about(changes: dict[str, Any], field: str) -> None:
    errors, warnings = _found(changes)
    assert (errors, field in warnings) == (set(), True)


def test_quizzes_that_wait_for_each_other_in_a_ring_can_never_begin() -> None:
    def level(own: str, other: str) -> dict[str, Any]:
        return {"id": own, "title": own, "paper": PAPER, "pass_count": 4, "requires": {"measure": f"p-{other}", "at_least": 1}}

    body = {name: value for name, value in BASE.items() if name not in ("paper", "pass_count", "tries")}
    body["quizzes"] = [level("one", "two"), level("two", "one"), {"id": "free", "title": "free", "paper": PAPER, "pass_count": 4}]
    body["measures"] = [{"id": f"p-{name}", "quizzes": [name], "where": {"measure": "passed", "at_least": 1}} for name in ("one", "two")]
    assert {one.field for one in checks.problems(body)} == {"quizzes[1].requires", "quizzes[2].requires"}
    body["measures"][0]["quizzes"] = ["free"]
    assert checks.problems(body) == []


@pytest.mark.parametrize("days", [7, 10])
def test_a_condition_is_refused_exactly_above_what_can_be_reached(days: int) -> None:
    """Ten days, one full score each: ten good days can be reached, eleven cannot."""

    def body(at_least: int) -> dict[str, Any]:
        draw = {"id": "d", "title": "摇号", "tiers": [TIER], "who": {"measure": "good", "at_least": at_least}}
        return {**BASE, "measures": [GOOD_DAYS], "draws": [draw]}

    assert not checks.has_errors(checks.problems(body(days)))
    assert {one.field for one in checks.problems(body(11)) if one.is_error} == {"draws[1].who"}


@pytest.mark.parametrize(
    ("gifts", "kind", "is_fine"),
    [
        ([{"kind": "certificate", "name": "合格证书"}], "statutory_exam", True),
        ([{"kind": "hours", "amount": 6}], "statutory_exam", True),
        ([{"kind": "points", "amount": 1}], "statutory_exam", False),
        ([{"kind": "badge", "name": "章"}], "statutory_exam", True),
        ([{"kind": "card", "name": "卡"}], "statutory_exam", False),
        ([{"kind": "badge", "name": "章"}], "voluntary", True),
    ],
)
def test_a_statutory_exam_gives_proof_and_never_a_reward(gifts: list[dict[str, Any]], kind: str, is_fine: bool) -> None:
    award = {"id": "a", "per": "campaign", "bands": [{"when": {"measure": "passed", "at_least": 1}, "gifts": gifts}]}
    errors, _ = _found({"awards": [award], "eligibility": {"allows_guests": False}}, kind=kind, legal_basis="法治宣传教育法第三十六条")
    assert (errors == set()) is is_fine


@pytest.mark.parametrize("part", ["draw", "draws", "prizes", "rank_prizes"])
def test_a_statutory_exam_has_no_prizes_of_any_kind(part: str) -> None:
    parts: dict[str, Any] = {
        "draw": {"prizes": [CODE]},
        "draws": [{"id": "d", "title": "摇号", "tiers": [TIER]}],
        "prizes": [{"name": "伞", "kind": "pickup", "quantity": 1}],
        "rank_prizes": [{"board": "b", "tiers": [TIER]}],
    }
    changes = {
        "eligibility": {"allows_guests": False},
        part: parts[part],
        "boards": [{"id": "b", "title": "榜", "by": [{"measure": "score"}]}],
    }
    assert part in _found(changes, kind="statutory_exam", legal_basis="法治宣传教育法第三十六条")[0]


# ---- whatever comes


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.text(max_size=8) | st.sampled_from(["2027-03-01 00:00", "s1", "good", "day"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def bodies(draw: st.DrawFn) -> Any:
    """A real rule set with a few things in it changed, moved, doubled or gone."""
    body = to_dict(_terms(draw(st.sampled_from(sorted(FILES)))))
    for _ in range(draw(st.integers(1, 4))):
        node: Any = body
        for _ in range(12):
            if not node:
                break
            key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            if isinstance(node[key], dict | list) and node[key] and draw(st.integers(0, 3)):
                node = node[key]
                continue
            _change(draw, node, key)
            break
    return body


def _change(draw: st.DrawFn, node: Any, key: Any) -> None:
    how = draw(st.sampled_from(["any", "gone", "double", "number", "empty"]))
    if how == "gone":
        del node[key]
    elif how == "double" and isinstance(node, list):
        node.append(copy.deepcopy(node[key]))
    elif how == "number" and isinstance(node[key], int):
        node[key] = draw(st.sampled_from([0, 1, 2, 7, 100, 1_000_000, 1_000_000_000]))
    elif how == "empty":
        node[key] = type(node[key])() if node[key] is not None and not isinstance(node[key], dt.datetime) else None
    else:
        node[key] = draw(_json)


def _terms(name: str) -> Terms:
    return from_dict({"schema": SCHEMA, **files.read_file(FILES[name]).body})


@given(bodies(), st.sampled_from(["voluntary", "statutory_exam"]))
def test_no_body_makes_the_check_stumble_and_what_it_passes_has_a_rule_page(body: Any, kind: str) -> None:
    found = checks.problems(body, kind=kind, legal_basis="法治宣传教育法第三十六条", find_pool=lambda part: [])
    assert all(one.message for one in found)
    passed = checks.problems(body, kind=kind, legal_basis="法治宣传教育法第三十六条")
    if not checks.has_errors(passed):
        terms = from_dict({"schema": SCHEMA, **body})
        page = page_of(terms, {"title": "活动", "kind": kind, "legal_basis": "法治宣传教育法第三十六条"})
        assert all(rule.sentences and all(rule.sentences) for rule in page)
        assert bounds.max_points_per_day(terms) != 0 or not terms.points.passed


# ---- files


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("title: 活动\nterms:\n  opens_at: 2027-03-01 00:00\n  closes_at: 2027-03-01 25:00\n", 4, "closes_at"),
        ("title: 活动\nterms:\n  opens_at: 2027-03-01 00:00\n  closes_on: 1\n", 4, "closes_on"),
        ("title: 活动\ncolour: red\nterms: {}\n", 2, "colour"),
        ("title: 活动\ntheme: nothing\nterms: {}\n", 2, "theme"),
        ("slug: x\nterms: {}\n", None, "title"),
        ("title: 活动\nterms:\n  pass_count: 1\n  pass_count: 2\n", 4, ""),
        ("title: &a 活动\nslug: *a\n", 2, ""),
        ("title: 活动\nterms: [\n", 3, ""),
        ("title: 活动\nterms:\n  draw:\n    prizes:\n      - {name: 甲}\n", 5, "draw.prizes[1].kind"),
    ],
)
def test_a_mistake_in_a_file_names_its_line_and_field(text: str, line: int | None, field: str) -> None:
    file = files.parse_file(text.encode())
    found = {one.field: one for one in files.check_file(file)}
    assert field in found
    if line is not None:
        assert file.line_of(field) == line


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_file_makes_the_reader_stumble(raw: bytes) -> None:
    file = files.parse_file(raw)
    assert files.check_file(file)


def test_times_and_codes_in_a_file_stay_as_they_are_written() -> None:
    text = 'title: 活动\nterms:\n  a: 10:00\n  b: 2027-03-01 24:00\n  c: 007\n  d: 12\n  e: yes\n  f: true\n  g: "12"\n'
    assert files.parse_file(text.encode()).body == {
        "a": "10:00",
        "b": "2027-03-01 24:00",
        "c": "007",
        "d": 12,
        "e": "yes",
        "f": True,
        "g": "12",
    }

import copy
import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.campaigns import forecast as estimates
from quizapp.campaigns import rules, wording
from quizapp.campaigns.checks import Problem, has_errors, problems
from quizapp.campaigns.errors import AttemptLimitReached, CampaignEnded, CampaignNotOpen, CampaignPaused, NotEligible
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import (
    Condition,
    DrawTerms,
    FixedReward,
    PaperPart,
    Points,
    PrizeTerms,
    Terms,
    TicketBand,
    Tries,
    body_hash,
    check_shape,
    from_dict,
    to_dict,
)
from quizapp.core.errors import AppError, NotSignedIn
from quizapp.questions.rules import PoolItem
from tests.factories.campaigns import ONE_CODE_PRIZE, make_terms

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
UNIT = uuid.uuid4()


@dataclass(frozen=True)
class Somebody:
    demographic_group: str | None = "resident"
    region_code: str | None = "150402"
    organisation_id: uuid.UUID | None = None
    organisation_path: str | None = None


def _terms(**values: Any) -> Terms:
    return make_terms(now=NOW, **values)


def _view(terms: Terms, status: str = "published", reason: str = "") -> CampaignView:
    ids = uuid.uuid4()
    return CampaignView(ids, "c", "活动", "", "voluntary", "", "tax", status, reason, 1, "司法局", "/", (), uuid.uuid4(), terms, 1, "x")


# ---- phase and the right to start


@pytest.mark.parametrize(
    ("status", "offset", "expected"),
    [
        ("published", "opens-1", "soon"),
        ("published", "opens", "open"),
        ("published", "closes-1", "open"),
        ("published", "closes", "ended"),
        ("paused", "opens-1", "paused"),
        ("paused", "opens", "paused"),
        ("paused", "closes", "ended"),
        ("closed", "opens", "ended"),
    ],
)
def test_the_phase_follows_from_status_and_clock_and_the_end_is_exclusive(status: str, offset: str, expected: str) -> None:
    terms = _terms()
    moment = {"opens": terms.opens_at, "closes": terms.closes_at}[offset.partition("-")[0]]
    if offset.endswith("-1"):
        moment -= SECOND
    assert rules.phase(status, terms, moment) == expected


@pytest.mark.parametrize(
    ("status", "moment", "error"),
    [
        ("published", "before", CampaignNotOpen),
        ("published", "after", CampaignEnded),
        ("paused", "during", CampaignPaused),
        ("paused", "after", CampaignEnded),
    ],
)
def test_starting_outside_the_window_is_refused(status: str, moment: str, error: type[AppError]) -> None:
    terms = _terms()
    now = {"before": terms.opens_at - SECOND, "during": NOW, "after": terms.closes_at}[moment]
    with pytest.raises(error):
        rules.check_may_start(_view(terms, status, "奖品补货"), Somebody(), 0, 0, now)


@pytest.mark.parametrize(
    ("per_day", "total", "today", "ever", "allowed", "left"),
    [
        (3, None, 2, 50, True, 1),
        (3, None, 3, 3, False, 0),
        (3, 5, 0, 5, False, 0),
        (3, 5, 0, 4, True, 1),
        (None, 5, 4, 4, True, 1),
        (None, None, 999, 999, True, None),
        (1, 1, 5, 5, False, 0),
    ],
)
def test_tries_are_counted_per_day_and_in_all(
    per_day: int | None, total: int | None, today: int, ever: int, allowed: bool, left: int | None
) -> None:
    terms = _terms(per_day=per_day, total=total)
    assert rules.tries_left(terms, today, ever) == left
    if allowed:
        rules.check_may_start(_view(terms), Somebody(), today, ever, NOW)
        return
    with pytest.raises(AttemptLimitReached) as refusal:
        rules.check_may_start(_view(terms), Somebody(), today, ever, NOW)
    assert refusal.value.code == "attempt_limit_reached"


@pytest.mark.parametrize(
    ("eligibility", "person", "allowed"),
    [
        ({}, Somebody(None, None), True),
        ({"regions": ("1504",)}, Somebody(), True),
        ({"regions": ("150404", "150402")}, Somebody(), True),
        ({"regions": ("150404",)}, Somebody(), False),
        ({"regions": ("150402",)}, Somebody(region_code="150402001"), True),
        ({"regions": ("150402",)}, Somebody(region_code=None), False),
        ({"groups": ("youth",)}, Somebody(), False),
        ({"groups": ("youth", "resident")}, Somebody(), True),
        ({"groups": ("youth",)}, Somebody(demographic_group=None), False),
        ({"organisation_ids": (str(UNIT),)}, Somebody(), False),
        ({"organisation_ids": (str(UNIT),)}, Somebody(organisation_id=UNIT), True),
        ({"organisation_ids": (str(UNIT),)}, Somebody(organisation_id=uuid.uuid4(), organisation_path=f"/{UNIT.hex}/"), True),
        (
            {"organisation_ids": (str(UNIT),)},
            Somebody(organisation_id=uuid.uuid4(), organisation_path=f"/{uuid.uuid4().hex}/"),
            False,
        ),
        ({"regions": ("1504",), "groups": ("youth",)}, Somebody(), False),
    ],
)
def test_eligibility(eligibility: dict[str, Any], person: Somebody, allowed: bool) -> None:
    view = _view(_terms(eligibility=eligibility))
    if allowed:
        rules.check_may_start(view, person, 0, 0, NOW)
        return
    with pytest.raises(NotEligible) as refusal:
        rules.check_may_start(view, person, 0, 0, NOW)
    assert refusal.value.message


def test_a_guest_starts_only_where_guests_are_allowed() -> None:
    rules.check_may_start(_view(_terms()), None, 0, 0, NOW)
    with pytest.raises(NotSignedIn):
        rules.check_may_start(_view(_terms(eligibility={"allows_guests": False})), None, 0, 0, NOW)


# ---- what an attempt earns


@pytest.mark.parametrize(
    ("passed", "group", "age", "tickets", "fixed"),
    [
        (True, "resident", "18_59", 2, 0),
        (True, "resident", "60_plus", 2, 0),
        (True, "resident", None, 2, 0),
        (True, None, "18_59", 2, 0),
        (True, "civil_servant", "18_59", 0, 20),
        (True, "youth", "14_17", 0, 20),
        (True, "youth", "under_14", 0, 20),
        (False, "resident", "18_59", 0, 0),
        (False, "youth", "under_14", 0, 0),
    ],
)
def test_nobody_gets_both_a_draw_and_the_fixed_reward(passed: bool, group: str | None, age: str | None, tickets: int, fixed: int) -> None:
    terms = _terms(prizes=ONE_CODE_PRIZE, draw={"tickets": 2}, fixed_reward=FixedReward(20))
    assert rules.tickets_for(terms, passed=passed, group=group, age_band=age) == tickets
    assert rules.fixed_reward_for(terms, passed=passed, group=group, age_band=age, rewarded_today=0) == fixed
    assert rules.fixed_reward_for(terms, passed=passed, group=group, age_band=age, rewarded_today=1) == 0


def test_without_a_draw_everybody_who_passes_gets_the_fixed_reward() -> None:
    terms = _terms(fixed_reward=FixedReward(20))
    assert rules.tickets_for(terms, passed=True, group="resident", age_band="18_59") == 0
    assert rules.fixed_reward_for(terms, passed=True, group="resident", age_band="18_59", rewarded_today=0) == 20


@pytest.mark.parametrize(("graded", "passed", "points"), [(0, True, 10), (0, False, 2), (2, True, 10), (3, True, 0), (9, False, 0)])
def test_points_stop_at_the_daily_limit(graded: int, passed: bool, points: int) -> None:
    terms = _terms(points=Points(passed=10, failed=2, daily_limit=3))
    assert rules.points_for(terms, passed=passed, graded_today=graded) == points


@pytest.mark.parametrize(("correct", "passed"), [(0, False), (3, False), (4, True), (5, True)])
def test_the_pass_rule(correct: int, passed: bool) -> None:
    assert rules.is_passed(_terms(), correct) is passed


@pytest.mark.parametrize("correct", [-1, 6])
def test_counts_that_cannot_be_are_refused(correct: int) -> None:
    with pytest.raises(ValueError):
        rules.is_passed(_terms(), correct)


# ---- time


def test_large_type_gets_its_factor_and_the_end_of_the_campaign_does_not_cut_a_paper() -> None:
    terms = _terms()
    last = terms.closes_at - SECOND
    assert rules.deadline(terms, last, False) == last + dt.timedelta(minutes=5)
    assert rules.deadline(terms, last, True) == last + dt.timedelta(minutes=8)
    unlimited = _terms(limit_seconds=None)
    assert rules.deadline(unlimited, NOW, True) == unlimited.closes_at


def test_days_of_the_draw_reach_to_the_last_possible_adoption() -> None:
    midnight = dt.datetime(2026, 11, 30, 16, 0, tzinfo=dt.UTC)
    terms = _terms(opens_at=dt.datetime(2026, 11, 20, 1, 0, tzinfo=dt.UTC), closes_at=midnight, grace_seconds=30)
    days = rules.draw_days(terms)
    assert days[0] == dt.date(2026, 11, 20)
    latest = rules.deadline(terms, midnight - SECOND, True) + dt.timedelta(seconds=30, hours=24)
    assert days[-1] >= (latest + dt.timedelta(hours=8)).date()
    assert days == [days[0] + dt.timedelta(days=number) for number in range(len(days))]
    assert rules.window_days(terms) == estimates.days_in(terms) == 11


# ---- the rule check


def _errors(body: Any, **context: Any) -> set[str]:
    return {problem.field for problem in problems(body, **context) if problem.is_error}


def _warnings(body: Any, **context: Any) -> set[str]:
    return {problem.field for problem in problems(body, **context) if not problem.is_error}


def _body(**values: Any) -> dict[str, Any]:
    return to_dict(_terms(**values))


def _pool(size: int) -> tuple[PoolItem, ...]:
    return tuple(PoolItem(uuid.UUID(int=number), uuid.UUID(int=number), "single", 1, 4) for number in range(size))


def test_sound_terms_have_no_problem() -> None:
    assert problems(_body(prizes=ONE_CODE_PRIZE), now=NOW, find_pool=lambda part: _pool(30)) == []


def test_a_campaign_that_ends_before_it_begins_is_refused() -> None:
    for shift in (0, -1):
        terms = _terms(opens_at=NOW, closes_at=NOW + dt.timedelta(seconds=shift))
        assert _errors(to_dict(terms)) == {"closes_at"}


def test_a_campaign_that_is_over_cannot_be_published_but_is_sound_in_itself() -> None:
    body = _body(opens_at=NOW - dt.timedelta(days=9), closes_at=NOW)
    assert _errors(body, now=NOW) == {"closes_at"}
    assert _errors(body, now=NOW - SECOND) == set()
    assert _errors(body) == set()


def test_the_pool_must_hold_the_paper_and_overlapping_parts_do_not_count_twice() -> None:
    body = _body()
    assert _errors(body, find_pool=lambda part: _pool(4)) == {"paper.parts[1].count"}
    assert _errors(body, find_pool=lambda part: _pool(5)) == set()
    assert _warnings(body, find_pool=lambda part: _pool(5)) == {"paper.parts"}
    body["paper"]["parts"] *= 2
    assert _errors(body, find_pool=lambda part: _pool(9)) == {"paper.parts"}
    assert _errors(body, find_pool=lambda part: _pool(10)) == set()


def test_parts_are_asked_with_their_filters() -> None:
    asked: list[PaperPart] = []

    def find_pool(part: PaperPart) -> tuple[PoolItem, ...]:
        asked.append(part)
        return _pool(9)

    body = _body()
    body["paper"]["parts"] = [{"banks": ["a", "b"], "count": 1, "kinds": ["judge"], "tags": ["t"], "difficulties": [1, 2]}]
    body["pass_count"] = 1
    problems(body, find_pool=find_pool)
    assert asked == [PaperPart(("a", "b"), 1, ("judge",), ("t",), (1, 2))]


def _prize(**values: Any) -> dict[str, Any]:
    return {"name": "奖", "kind": "code", "quantity": 10, "odds_ppm": 10_000, **values}


@pytest.mark.parametrize(
    ("prizes", "draw", "field"),
    [
        ([_prize(odds_ppm=600_000), _prize(name="二", odds_ppm=400_001)], {}, "draw.prizes"),
        ([_prize(), _prize()], {}, "draw.prizes"),
        ([_prize(kind="service")], {}, "draw.prizes[1].kind"),
        ([_prize(), _prize(name="二", kind="post")], {}, "draw.prizes[2].kind"),
        ([_prize(kind="points")], {}, "draw.prizes[1].points"),
        ([_prize(kind="cash")], {}, "draw.prizes[1].value_fen"),
        ([_prize(value_fen=5_000_001)], {}, "draw.prizes[1].value_fen"),
        ([_prize(kind="cash", value_fen=200)], {"allows_minors": True}, "draw.allows_minors"),
    ],
)
def test_prizes_that_cannot_be_are_refused(prizes: list[dict[str, Any]], draw: dict[str, Any], field: str) -> None:
    assert _errors(_body(prizes=prizes, draw=draw)) == {field}


@pytest.mark.parametrize(
    ("prizes", "draw", "field"),
    [
        ([_prize(odds_ppm=1_000_000)], {}, ""),
        ([_prize(odds_ppm=600_000), _prize(name="二", odds_ppm=400_000)], {}, ""),
        ([_prize(value_fen=20_000)], {}, ""),
        ([_prize(value_fen=20_001)], {}, "draw.prizes[1].value_fen"),
        ([_prize(odds_ppm=0)], {}, "draw.prizes[1].odds_ppm"),
        ([_prize(quantity=0)], {}, "draw.prizes[1].odds_ppm"),
        ([_prize()], {"allows_minors": True}, "draw.allows_minors"),
        ([_prize()], {"wins_total": 1, "wins_per_day": 2}, "draw.wins_per_day"),
    ],
)
def test_doubtful_prizes_are_warned_about(prizes: list[dict[str, Any]], draw: dict[str, Any], field: str) -> None:
    body = _body(prizes=prizes, draw=draw)
    assert _errors(body) == set()
    assert _warnings(body) == ({field} if field else set())


def test_a_statutory_exam_refuses_everything_that_rewards() -> None:
    body = _body(prizes=ONE_CODE_PRIZE, points=Points(passed=1), fixed_reward=FixedReward(5))
    found = _errors(body, kind="statutory_exam", legal_basis="  ")
    assert found == {"legal_basis", "draw", "points.passed", "fixed_reward.points", "eligibility.allows_guests"}
    clean = _body(eligibility={"allows_guests": False})
    assert _errors(clean, kind="statutory_exam", legal_basis="法治宣传教育法第三十六条") == set()


def test_the_plan_warns_of_budget_and_stock() -> None:
    body = _body(prizes=[_prize(quantity=100, odds_ppm=100_000, value_fen=200)])
    body["plan"] = {"expected_draws": 10_000, "budget_fen": 20_000}
    assert _warnings(body) == {"plan.budget_fen", "draw.prizes[1].quantity"}
    body["plan"] = {"expected_draws": 900, "budget_fen": 25_000}
    assert _warnings(body) == set()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pass_count": 6}, "pass_count"),
        ({"tries": {"per_day": 3, "total": 2}}, "tries.total"),
        ({"eligibility": {"organisation_ids": [str(UNIT)]}}, "eligibility.asks_organisation"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], field: str) -> None:
    assert _errors({**_body(), **changes}) == {field}


def test_a_draw_needs_limited_tries_and_the_age_band() -> None:
    body = _body(prizes=ONE_CODE_PRIZE, per_day=None, eligibility={"asks_age_band": False})
    assert _errors(body) == {"tries.per_day", "eligibility.asks_age_band"}


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def mutated_bodies(draw: st.DrawFn) -> Any:
    """A sound body with one thing somewhere in it replaced by anything."""
    body = copy.deepcopy(_body(prizes=ONE_CODE_PRIZE))
    body["plan"] = {"expected_draws": 5, "budget_fen": 5}
    node: Any = body
    while True:
        key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if isinstance(node[key], dict | list) and node[key] and draw(st.booleans()):
            node = node[key]
            continue
        node[key] = draw(_json)
        return body


@st.composite
def unfinished_bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A sound body with some things missing, empty or not typed in yet, wherever they are."""
    body = copy.deepcopy(_body(prizes=ONE_CODE_PRIZE))
    body["plan"] = {"expected_draws": 5, "budget_fen": 5}
    for _ in range(draw(st.integers(1, 6))):
        node: Any = body
        while node:
            key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            if isinstance(node[key], dict | list) and node[key] and draw(st.booleans()):
                node = node[key]
                continue
            if draw(st.booleans()):
                del node[key]
            elif isinstance(node[key], list | dict):
                node[key] = type(node[key])()
            else:
                node[key] = None
            break
    return body


@given(mutated_bodies() | _json)
def test_the_check_survives_any_json_and_what_it_passes_can_be_read(body: Any) -> None:
    found = problems(body, now=NOW, find_pool=lambda part: _pool(9))
    assert all(isinstance(problem, Problem) and problem.message for problem in found)
    if not has_errors(found):
        terms = from_dict({"schema": 1, **body.get("terms", body)})
        assert from_dict(to_dict(terms)) == terms
        wording.how_to_play(terms)


# ---- terms as data


@given(
    st.integers(1, 100),
    st.integers(1, 5),
    st.none() | st.integers(10, 7200),
    st.none() | st.integers(1, 9),
    st.booleans(),
    st.integers(1_000_000_000, 4_000_000_000),
)
def test_terms_survive_storage(count: int, passes: int, limit: int | None, per_day: int | None, has_draw: bool, opens: int) -> None:
    terms = _terms(
        question_count=count,
        pass_count=passes,
        limit_seconds=limit,
        per_day=per_day,
        opens_at=dt.datetime.fromtimestamp(opens, dt.UTC),
        prizes=ONE_CODE_PRIZE if has_draw else None,
    )
    body = to_dict(terms)
    assert from_dict(body) == terms
    assert check_shape(body) == []
    assert body_hash(body) == body_hash(to_dict(from_dict(body)))


def test_the_hash_sees_every_change() -> None:
    terms = _terms(prizes=ONE_CODE_PRIZE)
    others = [
        replace(terms, quizzes=(replace(terms.main, pass_count=3),)),
        replace(terms, quizzes=(replace(terms.main, tries=Tries(2)),)),
        replace(terms, draw=replace(terms.draw, claim_days=9)),  # type: ignore[type-var]
        replace(terms, closes_at=terms.closes_at + SECOND),
    ]
    assert len({body_hash(to_dict(other)) for other in [terms, *others]}) == 5


def test_an_unknown_schema_is_refused() -> None:
    with pytest.raises(ValueError):
        from_dict({**_body(), "schema": 2})
    assert _errors({**_body(), "schema": 2}) == {"schema"}


# ---- estimates


def test_the_expected_cost_is_the_mock_pages_example() -> None:
    prizes = tuple(
        PrizeTerms(name=str(value), kind="cash", quantity=quantity, odds_ppm=odds, value_fen=value)
        for value, quantity, odds in ((5000, 200, 1000), (1000, 4000, 20_000), (200, 36_000, 200_000), (800, 1600, 10_000))
    )
    sums = estimates.estimate(DrawTerms(prizes=prizes), 150_000)
    assert (sums.gross_fen, sums.net_fen, sums.tax_fen, sums.cap_fen) == (13_687_500, 10_950_000, 2_737_500, 16_850_000)
    assert [row.expected for row in sums.rows] == [150, 3000, 30_000, 1500]
    assert sums.odds_ppm == 231_000


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**7), st.sampled_from(["host", "winner"]))
def test_estimates_never_pass_the_stock(draws: int, quantity: int, odds: int, value: int, bearer: Any) -> None:
    prize = PrizeTerms(name="x", kind="code", quantity=quantity, odds_ppm=odds, value_fen=value)
    sums = estimates.estimate(DrawTerms(prizes=(prize,), tax_bearer=bearer), draws)
    assert 0 <= sums.rows[0].expected <= quantity
    assert 0 <= sums.net_fen <= sums.gross_fen <= sums.cap_fen
    if sums.rows[0].is_short:
        assert 0 < sums.rows[0].empty_after <= draws or quantity == 0


# ---- words


def test_the_rules_page_says_who_bears_the_tax_and_who_gets_the_fixed_reward() -> None:
    prizes = [_prize(kind="cash", value_fen=200)]
    host = wording.fairness(_terms(prizes=prizes, fixed_reward=FixedReward(20)), {"civil_servant": "国家机关工作人员"})
    assert any("到手" in sentence and "主办单位" in sentence for sentence in host)
    assert any("20 积分" in sentence for sentence in host)
    winner = wording.fairness(_terms(prizes=prizes, draw={"tax_bearer": "winner"}), {})
    assert any("税前" in sentence for sentence in winner)
    assert not any("到手" in sentence for sentence in winner)


@pytest.mark.parametrize(("questions", "minutes"), [(1, 1), (5, 3), (20, 12), (50, 30)])
def test_the_time_a_paper_takes_is_told_honestly(questions: int, minutes: int) -> None:
    assert wording.about_minutes(questions) == minutes


def _when(measure: str, at_least: int) -> Condition:
    return Condition(measure=measure, at_least=at_least)


@pytest.mark.parametrize(
    ("correct", "passed", "tickets"), [(5, True, 3), (4, True, 2), (3, False, 1), (2, False, 0)], ids=["all", "four", "three", "two"]
)
def test_the_first_band_that_is_met_decides_the_chances(correct: int, passed: bool, tickets: int) -> None:
    bands = (TicketBand(_when("all_right", 1), 3), TicketBand(_when("correct", 4), 2), TicketBand(_when("correct", 3), 1))
    terms = _terms(prizes=ONE_CODE_PRIZE, draw={"bands": bands})
    values = {"correct": correct, "all_right": int(correct == 5)}
    assert rules.tickets_for(terms, passed=passed, group="resident", age_band="18_59", values=values) == tickets
    assert rules.tickets_for(terms, passed=passed, group="youth", age_band="14_17", values=values) == 0
    assert not terms.is_plain


@pytest.mark.parametrize(("granted", "tickets"), [(0, 2), (2, 2), (3, 1), (4, 0), (9, 0)])
def test_the_days_tickets_of_one_citizen_have_an_end(granted: int, tickets: int) -> None:
    terms = _terms(prizes=ONE_CODE_PRIZE, draw={"tickets": 2, "draws_per_day": 4})
    assert rules.tickets_for(terms, passed=True, group="resident", age_band="18_59", granted_today=granted) == tickets
    assert terms.is_plain

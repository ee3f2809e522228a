"""Scores, thresholds, dates and what may be published."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.integrity import rules
from quizapp.integrity.rules import Sign

SIGNS = st.builds(Sign, st.sampled_from(sorted(rules.CODES)), st.integers(-10, 500))


@given(st.lists(SIGNS))
def test_a_score_does_not_depend_on_order_or_repeats(signs: list[Sign]) -> None:
    assert rules.score(signs) == rules.score([*reversed(signs), *signs])


@given(st.lists(SIGNS), SIGNS)
def test_another_sign_never_lowers_a_score(signs: list[Sign], further: Sign) -> None:
    assert rules.score([*signs, further]) >= rules.score(signs) >= 0


@given(st.sampled_from(sorted(rules.CODES)), st.lists(st.integers(0, 1000)))
def test_one_kind_of_sign_alone_never_holds_a_prize(code: str, points: list[int]) -> None:
    assert rules.score(Sign(code, value) for value in points) < rules.HOLD_SCORE


@given(st.integers(0, 5000), st.integers(0, 50), st.floats(0, 10_000))
def test_more_time_never_looks_worse(characters: int, answers: int, seconds: float) -> None:
    first, later = rules.sign_of_time(characters, answers, seconds), rules.sign_of_time(characters, answers, seconds + 1)
    assert (later.points if later else 0) <= (first.points if first else 0)
    assert rules.sign_of_time(characters, answers, rules.least_seconds(characters, answers)) is None


@given(st.integers(0, 500))
def test_counts_of_people_are_worth_more_the_more_there_are(count: int) -> None:
    for sign_of in (rules.sign_of_device, rules.sign_of_block):
        first, more = sign_of(count), sign_of(count + 1)
        assert (more.points if more else 0) >= (first.points if first else 0)
    assert rules.sign_of_device(min(count, 3)) is None
    assert rules.sign_of_block(min(count, 4)) is None


@pytest.mark.parametrize(
    ("people", "expected", "is_sign"),
    [(4, 0.0, False), (5, 0.4, True), (5, 0.6, False), (100, 9.9, True), (100, 10.1, False)],
)
def test_equal_mistakes_are_a_sign_only_far_beyond_chance(people: int, expected: float, is_sign: bool) -> None:
    assert (rules.sign_of_mistakes(people, expected) is not None) is is_sign


def test_a_pattern_is_a_set() -> None:
    assert rules.pattern_tag([("a", "0"), ("b", "1")]) == rules.pattern_tag([("b", "1"), ("a", "0")])
    assert rules.pattern_tag([("a", "0")]) != rules.pattern_tag([("a", "1")])


@pytest.mark.parametrize(
    ("points", "state", "cleared", "opens"),
    [
        (59, None, None, False),
        (60, None, None, True),
        (90, "waiting", None, False),
        (90, "excluded", None, False),
        (79, "cleared", 60, False),
        (80, "cleared", 60, True),
    ],
)
def test_a_case_opens_at_the_threshold_and_again_only_for_clearly_more(points: int, state: str, cleared: int, opens: bool) -> None:
    assert rules.opens_case(points, 60, state, cleared) is opens


def test_a_second_person_is_needed_above_the_limit_and_never_below_zero() -> None:
    assert not rules.needs_second(20_000, 20_000)
    assert rules.needs_second(20_001, 20_000)
    assert rules.needs_second(1, 0)
    assert not rules.needs_second(10**9, -1)


def test_working_days_leave_out_weekends() -> None:
    assert rules.due_on(dt.date(2027, 3, 12), 5) == dt.date(2027, 3, 19)
    assert rules.due_on(dt.date(2027, 3, 13), 1) == dt.date(2027, 3, 15)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=4))
def test_a_hidden_count_cannot_be_worked_out(counts: list[int]) -> None:
    """Whoever sees the table knows which counts are hidden, that each is one to four, and the total where it is shown."""
    rows, total = rules.publish({str(place): count for place, count in enumerate(counts)})
    hidden = [place for place, row in enumerate(rows) if row.count is None]
    shown = sum(row.count or 0 for row in rows)
    if not hidden:
        assert total == sum(counts)
        return
    possible = [
        guess for guess in itertools.product(range(1, rules.SMALLEST), repeat=len(hidden)) if total is None or shown + sum(guess) == total
    ]
    assert all(len({guess[place] for guess in possible}) > 1 for place in range(len(hidden)))

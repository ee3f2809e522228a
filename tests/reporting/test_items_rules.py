"""Figures of a question from made-up papers: tables of cases, and properties over any papers at all."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quizapp.reporting import items_rules
from quizapp.reporting.items_rules import Cell, Counting, Sheet, Tally, figures, median, point_biserial, seconds_taken, taken, thirds

KEY = (frozenset({0}),)


def _figures(cells: dict[Cell, int], kind: str = "single", choice_count: int = 4, **kw: object) -> items_rules.ItemFigures:
    return figures(Tally(cells), kind=kind, choice_count=choice_count, accepted=kw.get("accepted", KEY))  # type: ignore[arg-type]


def _paper(*answers: tuple[str, str | None, float | None]) -> list[Sheet]:
    return [Sheet("paper", place, f"r{place}", *answer) for place, answer in enumerate(answers, 1)]


# ---- one paper


@pytest.mark.parametrize(
    ("order", "chosen", "expected"),
    [
        ("0123", "A", "0"),
        ("2013", "A", "2"),
        ("2013", "AC", "12"),
        ("2013", "ABCD", "0123"),
        ("01", "B", "1"),
        ("2013", None, ""),
        ("10", "", ""),
    ],
)
def test_displayed_letters_become_the_revisions_own_choices(order: str, chosen: str | None, expected: str) -> None:
    assert taken(order, chosen) == expected


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([3.0, 10.5, 11.0], [3, 7, 0]),
        ([3.999, 4.998, 5.998], [3, 0, 1]),
        ([3.0, None, 11.0], [3, None, None]),
        ([None, None, None], [None, None, None]),
        ([None, 5.0, 9.0], [None, None, 4]),
        ([30.0, 10.0, 40.0], [None, None, None]),
        ([30.0, None, 20.0], [None, None, None]),
        ([-1.0, 2.0, 3.0], [None, None, None]),
        ([5.0, 5.0, 5.0], [5, 0, 0]),
        ([90_000.0, 90_001.0, None], [3600, 1, None]),
    ],
)
def test_time_is_counted_only_where_an_interval_belongs_to_one_question(moments: list[float | None], expected: list[int | None]) -> None:
    assert seconds_taken(0.0, _paper(*(("01", "A", moment) for moment in moments))) == expected


def test_a_paper_is_counted_question_by_question() -> None:
    counting = Counting()
    counting.add("101", 100.0, _paper(("2013", "A", 104.0), ("01", "B", 109.0), ("0123", None, None)))
    assert counting.paper_count == 1
    assert {id_: tally.cells for id_, tally in counting.tallies.items()} == {
        "r1": {(3, 1, "2", True): 1},
        "r2": {(3, 2, "1", False): 1},
        "r3": {(3, 1, "", True): 1},
    }
    assert [tally.seconds for tally in counting.tallies.values()] == [{4: 1}, {5: 1}, {}]


def test_the_same_answer_in_any_order_is_the_same_answer() -> None:
    counting = Counting()
    for order in itertools.permutations("0123"):
        shown = "".join(order)
        counting.add("1", 0.0, [Sheet("paper", 1, "r", shown, "ABCD"[shown.index("3")], 1.0)])
    assert counting.tallies["r"].cells == {(1, 0, "3", True): 24}


# ---- figures


def test_a_question_nobody_met_has_no_figures() -> None:
    found = _figures({})
    assert (found.shown_count, found.facility, found.discrimination, found.median_seconds, found.flags) == (0, None, None, None, ())
    assert [(choice.count, choice.share, choice.upper_share) for choice in found.choices] == [(0, None, None)] * 5
    assert not found.is_judged


def test_one_answer_says_how_it_was_and_judges_nothing() -> None:
    found = _figures({(5, 3, "1", False): 1})
    assert (found.facility, found.discrimination, found.flags) == (0.0, None, ())
    assert [choice.count for choice in found.choices] == [0, 1, 0, 0, 0]
    assert found.choices[1].upper_share == found.choices[1].lower_share == 1.0


@pytest.mark.parametrize("is_right", [True, False])
def test_all_alike_cannot_discriminate(is_right: bool) -> None:
    found = _figures({(5, rest, "0" if is_right else "2", is_right): 100 for rest in range(5)})
    assert found.discrimination is None
    assert found.facility == float(is_right)
    assert found.flags == (("easy", "idle") if is_right else ("hard", "idle"))


def test_a_paper_of_one_question_has_no_rest_to_be_judged_against() -> None:
    found = _figures({(1, 0, "0", True): 60, (1, 0, "1", False): 40})
    assert (found.measured_count, found.discrimination, found.facility) == (0, None, 0.6)
    assert found.choices[0].upper_share is None
    mixed = _figures({(1, 0, "0", True): 60, (2, 1, "0", True): 3, (2, 0, "1", False): 3})
    assert mixed.discrimination == pytest.approx(1.0)
    assert mixed.choices[0].upper_share == 1.0


def test_papers_of_different_lengths_meet_by_the_share_of_the_rest() -> None:
    """Half of four others and half of two others are the same standing."""
    cells: dict[Cell, int] = {(5, 2, "0", True): 10, (3, 1, "1", False): 10, (5, 4, "0", True): 10, (3, 0, "1", False): 10}
    x = [1] * 10 + [0] * 10 + [1] * 10 + [0] * 10
    y = [0.5] * 20 + [1.0] * 10 + [0.0] * 10
    assert point_biserial(cells) == pytest.approx(stats.pointbiserialr(x, y).statistic, abs=1e-12)


def test_a_third_is_a_third_and_ties_go_in_by_their_share() -> None:
    """Nine papers: 2 with all others right, 4 with half, 3 with none. The best third is the 2 and a quarter of the 4."""
    cells: dict[Cell, int] = {(3, 2, "0", True): 2, (3, 1, "1", False): 4, (3, 0, "2", False): 3}
    upper, lower = thirds(cells)
    assert [upper.share(index) for index in (0, 1, 2)] == [pytest.approx(2 / 3), pytest.approx(1 / 3), 0.0]
    assert [lower.share(index) for index in (0, 1, 2)] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("histogram", "expected"), [({}, None), ({7: 1}, 7.0), ({1: 1, 2: 1}, 1.5), ({1: 2, 9: 1}, 1.0), ({0: 3, 5: 3}, 2.5), ({3: 0}, None)]
)
def test_median_of_a_histogram(histogram: dict[int, int], expected: float | None) -> None:
    assert median(histogram) == expected


# ---- flags


def _told(right: int, wrong: int, kind: str = "single") -> tuple[str, ...]:
    """Wrong answers spread over all wrong choices, right ones leaning to good papers."""
    cells: dict[Cell, int] = {(5, 3, "0", True): right, (5, 2, "1", False): wrong - 2 * (wrong // 3)}
    cells |= {(5, 2, "2", False): wrong // 3, (5, 1, "3", False): wrong // 3}
    return _figures({cell: count for cell, count in cells.items() if count}, kind).flags


@pytest.mark.parametrize(
    ("right", "wrong", "kind", "expected"),
    [
        (29, 0, "single", ()),
        (30, 0, "single", ("easy",)),
        (285, 15, "single", ("easy",)),
        (284, 16, "single", ()),
        (89, 211, "single", ("hard",)),
        (90, 210, "single", ()),
        (149, 151, "judge", ("hard",)),
        (150, 150, "judge", ()),
        (44, 256, "multiple", ("hard",)),
        (45, 255, "indefinite", ()),
        (0, 29, "single", ()),
        (0, 30, "single", ("hard",)),
    ],
)
def test_too_easy_and_too_hard_at_their_borders(right: int, wrong: int, kind: str, expected: tuple[str, ...]) -> None:
    assert _told(right, wrong, kind) == expected


def test_a_negative_correlation_is_told_only_when_it_is_hardly_chance() -> None:
    def lean(n: int, tilt: int) -> items_rules.ItemFigures:
        cells: dict[Cell, int] = {(5, 1, "0", True): n + tilt, (5, 3, "0", True): n - tilt}
        return _figures({**cells, (5, 1, "1", False): n - tilt, (5, 3, "2", False): n + tilt})

    slight = lean(100, 4)
    assert slight.discrimination is not None
    assert -0.05 < slight.discrimination < 0
    assert "negative" not in slight.flags
    assert "negative" in lean(100, 6).flags
    assert "negative" not in lean(100, -40).flags
    assert "negative" not in lean(7, 6).flags, "28 answers are too few"


@pytest.mark.parametrize(
    ("takers", "answered", "kind", "accepted", "expected"),
    [
        (0, 100, "single", KEY, True),
        (0, 99, "single", KEY, False),
        (1, 100, "single", KEY, False),
        (1, 101, "single", KEY, True),
        (0, 500, "judge", KEY, False),
        (0, 500, "single", (frozenset({0}), frozenset({3})), False),
        (0, 500, "single", (), False),
    ],
)
def test_a_wrong_choice_that_nobody_takes_is_named(
    takers: int, answered: int, kind: str, accepted: tuple[frozenset[int], ...], expected: bool
) -> None:
    third = (answered - takers) // 3
    cells: dict[Cell, int] = {(5, 3, "0", True): answered - takers - 2 * third, (5, 2, "1", False): third, (5, 1, "2", False): third}
    cells |= {(5, 2, "3", False): takers, (5, 2, "", False): 1000}
    found = _figures({cell: count for cell, count in cells.items() if count}, kind, accepted=accepted)
    assert found.choices[3].is_idle is expected
    assert ("idle" in found.flags) is expected


def test_employers_see_how_often_and_not_how_while_answers_are_few() -> None:
    few = items_rules.withhold(_figures({(5, 2, "1", False): 29, (5, 3, "", False): 50}))
    assert (few.shown_count, few.answered_count, few.is_withheld) == (79, 29, True)
    assert (few.facility, few.discrimination, few.median_seconds, few.choices, few.levels, few.patterns) == (None, None, None, (), (), ())
    enough = _figures({(5, 2, "1", False): 30})
    assert items_rules.withhold(enough) == enough


# ---- any papers


@st.composite
def _cells(draw: st.DrawFn) -> dict[Cell, int]:
    """Counts of a question with four choices: single answers, sets of them, none; papers of one to six questions."""
    cells: dict[Cell, int] = {}
    for _ in range(draw(st.integers(0, 12))):
        length = draw(st.integers(1, 6))
        chosen = "".join(sorted(draw(st.sets(st.sampled_from("0123"), max_size=4))))
        cell = (length, draw(st.integers(0, length - 1)), chosen, chosen == "0")
        cells[cell] = cells.get(cell, 0) + draw(st.integers(1, 40))
    return cells


def _rows(cells: dict[Cell, int]) -> list[tuple[float, int, str]]:
    """One (share of the rest, mark, answer) per paper that has a rest."""
    return [
        (rest / (length - 1), int(is_right), chosen)
        for (length, rest, chosen, is_right), n in cells.items()
        if length > 1
        for _ in range(n)
    ]


@given(_cells())
@settings(max_examples=300, deadline=None)
def test_any_papers_agree_with_numpy(cells: dict[Cell, int]) -> None:
    found, rows = _figures(cells, "multiple"), _rows(cells)
    y, x = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    if len(set(x)) > 1 and len({round(value, 9) for value in y}) > 1:
        assert found.discrimination == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9)
        assert -1 - 1e-12 <= (found.discrimination or 0) <= 1 + 1e-12
    else:
        assert found.discrimination is None
    assert found.shown_count == sum(cells.values())
    assert sum(level.count for level in found.levels) == found.shown_count
    answers: Sequence[str] = [chosen for (_, _, chosen, _), n in cells.items() for _ in range(n)]
    for choice in found.choices:
        expected = sum(not one for one in answers) if choice.index is None else sum(str(choice.index) in one for one in answers)
        assert choice.count == expected
        for share in (choice.share, choice.upper_share, choice.lower_share):
            assert share is None or 0 <= share <= 1 + 1e-12


@given(_cells())
@settings(max_examples=200, deadline=None)
def test_a_third_lies_between_the_two_extreme_orders_of_equals(cells: dict[Cell, int]) -> None:
    """Among equals those who took the choice may all come first, or all last; their share is in between, and exactly there
    where no equals are cut."""
    rows = _rows(cells)
    if not rows:
        assert thirds(cells)[0].share(0) is None
        return
    for third, sign in zip(thirds(cells), (-1, 1), strict=True):
        for index in (0, 3, None):
            took = [(sign * row[0], (not row[2]) if index is None else str(index) in row[2]) for row in rows]
            bounds = []
            for first in (True, False):
                order = [mark for _, mark in sorted(took, key=lambda one, first=first: (one[0], one[1] == first))]  # type: ignore[misc]
                whole, rest = divmod(len(order), 3)
                bounds.append((sum(order[:whole]) + (order[whole] * rest / 3 if rest else 0)) / (len(order) / 3))
            share = third.share(index)
            assert share is not None
            assert bounds[0] - 1e-9 <= share <= bounds[1] + 1e-9


@given(st.lists(_cells(), max_size=4))
@settings(max_examples=100, deadline=None)
def test_tallies_add_up_and_survive_being_stored(parts: list[dict[Cell, int]]) -> None:
    together: dict[Cell, int] = {}
    for part in parts:
        for cell, count in part.items():
            together[cell] = together.get(cell, 0) + count
    tally = Tally()
    for part in parts:
        tally.merge(Tally.from_dict(Tally(part, {3: 1}).to_dict()))
    assert tally.cells == together
    assert tally.seconds == ({3: len(parts)} if parts else {})
    assert figures(tally, kind="single", choice_count=4, accepted=KEY) == figures(
        Tally(together, tally.seconds), kind="single", choice_count=4, accepted=KEY
    )

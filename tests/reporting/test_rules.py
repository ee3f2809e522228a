import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.reporting import rules
from quizapp.reporting.rules import RESULT_NAMES, Figures, Row, mask_small_groups, withhold_results

MINIMUM = rules.MINIMUM_PERSONS


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, None),
        (5, 0, None),
        (0, 7, 0.0),
        (7, 7, 1.0),
        (1, 3, 0.3333),
        (2, 3, 0.6667),
        (1, 20_000, 0.0001),
        (1, 20_001, 0.0),
        (9, 2, 4.5),
    ],
)
def test_rates_have_four_decimals_half_up_and_are_null_over_zero(part: int, whole: int, expected: float | None) -> None:
    assert rules.rate(part, whole) == expected


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_a_rate_is_never_further_off_than_half_a_unit_of_its_last_digit(part: int, whole: int) -> None:
    value = rules.rate(part, whole)
    assert value is not None
    assert abs(Fraction(f"{value:.4f}") - Fraction(part, whole)) <= Fraction(1, 20_000)


def test_every_figure_and_dimension_has_a_name_and_a_definition() -> None:
    assert set(rules.DEFINITIONS) == set(rules.FIGURE_NAMES) == set(Figures().to_dict())
    assert set(rules.DIMENSION_DEFINITIONS) == set(rules.DIMENSION_NAMES) == set(rules.DIMENSIONS)
    assert "masking" not in rules.definitions(["region"])
    assert set(rules.definitions(["region"], is_public=True)) == {*rules.DEFINITIONS, "region", "masking"}


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (None, None, "全部日期"),
        (dt.date(2026, 3, 1), dt.date(2026, 3, 1), "2026-03-01"),
        (dt.date(2026, 3, 1), None, "2026-03-01 至 现在，起止两天都算"),
        (None, dt.date(2026, 3, 2), "最早 至 2026-03-02，起止两天都算"),
    ],
)
def test_a_range_of_days_is_said_in_words(first: dt.date | None, last: dt.date | None, words: str) -> None:
    assert rules.day_range_sentence(first, last) == words


def test_exclusions_are_said_with_their_reasons() -> None:
    assert rules.exclusion_sentence([]) == "没有剔除"
    assert rules.exclusion_sentence([("脚本作答", 2), ("其他", 1)]) == "剔除 3 次：脚本作答 2 次、其他 1 次"
    assert rules.exclusion_name("script") == "脚本作答"
    assert rules.exclusion_name(None) == rules.exclusion_name("") == "没有写原因"
    assert rules.exclusion_name("设备异常") == "设备异常"


def _row(codes: tuple[str, ...], persons: int, attempts: int | None = None) -> Row:
    attempts = persons if attempts is None else attempts
    return Row(codes, codes, Figures(attempts, attempts, persons, attempts, persons, attempts))


def _mask(sizes: list[int]) -> tuple[list[int | None], int | None]:
    rows, total = mask_small_groups([_row((f"{i:02}",), size) for i, size in enumerate(sizes)], _row((), sum(sizes)))
    return [row.figures and row.figures.participant_count for row in rows], total.figures and total.figures.participant_count


@pytest.mark.parametrize(
    ("sizes", "shown", "total"),
    [
        ([], [], 0),
        ([5, 9], [5, 9], 14),
        ([3, 9, 20], [None, None, 20], 32),  # one hidden row would be the total less the others
        ([1, 2, 9, 20], [None, None, None, 20], 32),  # two small ones together are three persons
        ([2, 3, 9, 20], [None, None, 9, 20], 34),
        ([4, 9], [None, None], 13),
        ([4], [None], None),
        ([1, 1], [None, None], None),
        ([4, 4], [None, None], 8),
    ],
)
def test_small_rows_are_hidden_and_so_is_what_would_give_them_away(sizes: list[int], shown: list[int | None], total: int | None) -> None:
    assert _mask(sizes) == (shown, total)


def test_a_row_of_nobody_but_excluded_attempts_is_small() -> None:
    rows, _ = mask_small_groups([_row(("a",), 0, attempts=3), _row(("b",), 9), _row(("c",), 20)], _row((), 29))
    assert [row.figures is None for row in rows] == [True, True, False]


def test_more_than_two_dimensions_are_not_published() -> None:
    with pytest.raises(ValueError, match="two dimensions"):
        mask_small_groups([_row(("a", "b", "c"), 9)], _row((), 9))


def _derive(known: dict[int, int], lines: list[tuple[tuple[int, ...], int]]) -> dict[int, int]:
    """What a reader with pencil and paper gets: wherever all but one cell of a printed sum are known, the last one."""
    known = dict(known)
    is_changed = True
    while is_changed:
        is_changed = False
        for members, line_sum in lines:
            missing = [index for index in members if index not in known]
            if len(missing) == 1:
                known[missing[0]] = line_sum - sum(known[index] for index in members if index in known)
                is_changed = True
    return known


@given(st.lists(st.integers(0, 30), max_size=14))
@settings(max_examples=400)
def test_no_hidden_small_row_can_be_had_from_the_total(sizes: list[int]) -> None:
    shown, total = _mask(sizes)
    for size, value in zip(sizes, shown, strict=True):
        assert value is None or value == size >= MINIMUM
    assert (total is None) == (0 < sum(sizes) < MINIMUM)
    if total is None:
        return
    printed = {index: value for index, value in enumerate(shown) if value is not None}
    derived = _derive(printed, [(tuple(range(len(sizes))), total)])
    assert [index for index in derived if 0 < sizes[index] < MINIMUM] == []
    rest = total - sum(printed.values())
    assert rest == 0 or rest >= MINIMUM or all(size == 0 for size, value in zip(sizes, shown, strict=True) if value is None)


@given(st.integers(1, 5), st.integers(1, 6), st.data())
@settings(max_examples=300)
def test_no_hidden_small_cell_of_a_cross_can_be_had_even_with_the_one_way_totals(width: int, height: int, data: st.DataObject) -> None:
    """The reader also holds the public one-way tables of the same figures, each masked by itself."""
    sizes = {(f"r{r}", f"c{c}"): data.draw(st.integers(0, 12)) for r in range(height) for c in range(width)}
    cells = [key for key, size in sizes.items() if size]
    rows, total = mask_small_groups([_row(key, sizes[key]) for key in cells], _row((), sum(sizes.values())))
    if not rows:  # without a list of rows nobody can tell the empty cells from the hidden ones
        cells = list(sizes)
    lines: list[tuple[tuple[int, ...], int]] = []
    if total.figures:
        lines.append((tuple(range(len(cells))), total.figures.participant_count))
    for place in (0, 1):
        sums: dict[str, list[int]] = {}
        for index, key in enumerate(cells):
            sums.setdefault(key[place], []).append(index)
        margins = [_row((code,), sum(sizes[cells[index]] for index in members)) for code, members in sums.items()]
        shown, _ = mask_small_groups(margins, _row((), sum(sizes.values())))
        lines.extend((tuple(sums[row.codes[0]]), row.figures.participant_count) for row in shown if row.figures)
    printed = {index: row.figures.participant_count for index, row in enumerate(rows) if row.figures}
    derived = _derive(printed, lines)
    assert [cells[index] for index in derived if 0 < sizes[cells[index]] < MINIMUM] == []


def test_a_large_cross_is_masked_in_reasonable_time() -> None:
    """Five groups by four hundred units: seconds would hold up the worker."""
    import time

    rows = [_row((f"g{g}", f"u{u:03}"), (g * 7 + u * 13) % 40) for u in range(400) for g in range(5)]
    began = time.perf_counter()
    masked, total = mask_small_groups(rows, _row((), sum(row.figures.participant_count for row in rows if row.figures)))
    assert time.perf_counter() - began < 5
    assert total.figures is not None
    assert 0 < sum(row.figures is None for row in masked) < len(rows)


def _withheld(sizes: list[int]) -> tuple[list[bool], bool]:
    rows, total = withhold_results([_row((str(place),), size) for place, size in enumerate(sizes)], _row((), sum(sizes)))
    assert [row.figures.participant_count for row in rows if row.figures] == sizes
    assert total.figures is not None
    return [not row.figures.has_results for row in rows if row.figures], not total.figures.has_results


@pytest.mark.parametrize(
    ("sizes", "withheld", "is_total_withheld"),
    [
        ([], [], False),
        ([5, 9], [False, False], False),
        ([1, 9, 20], [True, True, False], False),  # one alone would be the total less the others
        ([1, 4, 9], [True, True, False], False),
        ([4], [True], True),
        ([1, 1], [True, True], True),
        ([4, 9], [True, True], False),
    ],
)
def test_an_employer_sees_how_many_took_part_but_no_results_of_few(sizes: list[int], withheld: list[bool], is_total_withheld: bool) -> None:
    assert _withheld(sizes) == (withheld, is_total_withheld)


def test_a_deep_cross_shows_an_employer_no_results_at_all() -> None:
    rows, total = withhold_results([_row(("a", "b", "c"), 50)], _row((), 50))
    assert rows[0].figures is not None
    assert not rows[0].figures.has_results
    assert total.figures is not None
    assert total.figures.has_results


def test_figures_without_results_say_nothing_about_them() -> None:
    body = Figures(9, 8, 3, 2, 1, 30).without_results().to_dict()
    assert {name: body[name] for name in RESULT_NAMES} == dict.fromkeys(RESULT_NAMES)
    assert (body["attempt_count"], body["valid_attempt_count"], body["participant_count"]) == (9, 8, 3)


@given(st.lists(st.integers(0, 30), max_size=14))
def test_results_of_few_cannot_be_had_from_the_totals_either(sizes: list[int]) -> None:
    withheld, is_total_withheld = _withheld(sizes)
    assert all(is_withheld for is_withheld, size in zip(withheld, sizes, strict=True) if size < MINIMUM)
    rest = sum(size for is_withheld, size in zip(withheld, sizes, strict=True) if is_withheld)
    assert is_total_withheld or rest == 0 or rest >= MINIMUM

import random
import string
import uuid
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.questions import rules
from quizapp.questions.errors import PoolTooSmall
from quizapp.questions.rules import LETTERS, PoolItem, RevisionView


def _item(number: int, kind: str = "single", choice_count: int = 4) -> PoolItem:
    return PoolItem(uuid.UUID(int=number + 1), uuid.UUID(int=number + 1), kind, 1 + number % 5, choice_count)


def _view(choice_count: int, answer: frozenset[int], kind: str = "multiple") -> RevisionView:
    choices = tuple(string.ascii_lowercase[:choice_count])
    return RevisionView(uuid.uuid4(), uuid.uuid4(), kind, "题干", choices, answer, "讲解", (), 3, ())


@st.composite
def questions(draw: st.DrawFn) -> tuple[RevisionView, str, frozenset[int]]:
    """A question, an order of its choices, and what somebody means by a choice (indices into the file's choices)."""
    count = draw(st.integers(2, 8))
    answer = draw(st.frozensets(st.integers(0, count - 1), min_size=1))
    meant = draw(st.frozensets(st.integers(0, count - 1)))
    order = "".join(map(str, draw(st.permutations(range(count)))))
    return _view(count, answer), order, meant


@given(questions())
def test_whether_an_answer_is_right_does_not_depend_on_the_order_shown(case: tuple[RevisionView, str, frozenset[int]]) -> None:
    view, order, meant = case
    letters = {LETTERS[order.index(str(index))] for index in meant}
    assert rules.is_right(view, order, letters) is (meant == view.answer)
    assert rules.is_right(view, order, "".join(sorted(letters))) is (meant == view.answer)


@given(questions())
def test_letters_and_choices_are_one_to_one(case: tuple[RevisionView, str, frozenset[int]]) -> None:
    view, order, _ = case
    shown = rules.shown_choices(view, order)
    assert [letter for letter, _ in shown] == list(LETTERS[: len(view.choices)])
    assert sorted(text for _, text in shown) == sorted(view.choices)
    by_letter = dict(shown)
    answer = rules.shown_answer(view, order)
    assert answer == sorted(answer)
    assert {by_letter[letter] for letter in answer} == {view.choices[index] for index in view.answer}
    assert rules.is_right(view, order, answer)


@given(st.integers(2, 8), st.integers())
def test_a_shuffle_is_a_permutation_and_judge_is_never_shuffled(count: int, seed: int) -> None:
    order = rules.shuffle_choices(_item(1, choice_count=count), random.Random(seed))
    assert sorted(order) == [str(index) for index in range(count)]
    assert rules.shuffle_choices(_item(1, "judge", 2), random.Random(seed)) == "01"


@pytest.mark.parametrize("letters", ["E", "AE", "a", ["AB"], "甲", " "])
def test_a_letter_that_is_not_shown_is_not_graded(letters: str | list[str]) -> None:
    with pytest.raises(ValueError):
        rules.is_right(_view(4, frozenset({0})), "0123", letters)


@pytest.mark.parametrize(("letters", "is_fine"), [("AC", True), ("", True), ("AA", False), ("E", False), ("D", True)])
def test_are_choices(letters: str, is_fine: bool) -> None:
    assert rules.are_choices("3012", letters) is is_fine


def test_nothing_chosen_is_not_right() -> None:
    assert not rules.is_right(_view(2, frozenset({0})), "01", None)
    assert not rules.is_right(_view(2, frozenset({0})), "01", "")


def test_part_of_a_multiple_answer_is_not_right() -> None:
    view = _view(4, frozenset({0, 2}))
    assert not rules.is_right(view, "0123", "A")
    assert not rules.is_right(view, "0123", "ABC")
    assert rules.is_right(view, "0123", "CA")


@given(st.integers(1, 30), st.integers(0, 40), st.integers())
def test_a_draw_never_repeats_a_question(size: int, count: int, seed: int) -> None:
    pool = [_item(number) for number in range(size)]
    if count > size:
        with pytest.raises(PoolTooSmall) as refusal:
            rules.draw(pool, count, random.Random(seed))
        assert (refusal.value.needed, refusal.value.available) == (count, size)
        return
    drawn = rules.draw(pool, count, random.Random(seed))
    assert len({item.question_id for item in drawn}) == count


def test_excluded_questions_do_not_come_again() -> None:
    pool = [_item(number) for number in range(5)]
    taken = {item.question_id for item in pool[:3]}
    drawn = rules.draw(pool, 2, random.Random(1), taken)
    assert {item.question_id for item in drawn} == {item.question_id for item in pool[3:]}
    with pytest.raises(PoolTooSmall):
        rules.draw(pool, 3, random.Random(1), taken)


def test_the_same_rng_draws_the_same_paper() -> None:
    pool = [_item(number) for number in range(40)]
    assert rules.draw(pool, 5, random.Random(7)) == rules.draw(pool, 5, random.Random(7))
    assert rules.draw(pool, 5, random.Random(7)) != rules.draw(pool, 5, random.Random(8))


def test_every_question_of_a_pool_is_equally_likely() -> None:
    pool = [_item(number) for number in range(10)]
    rng = random.Random(2026)
    counts = Counter(item.question_id for _ in range(4000) for item in rules.draw(pool, 3, rng))
    assert all(1050 < count < 1350 for count in counts.values()), counts


@st.composite
def papers(draw: st.DrawFn) -> list[tuple[list[PoolItem], int]]:
    everything = [_item(number) for number in range(12)]
    return [
        (draw(st.lists(st.sampled_from(everything), unique=True, max_size=8)), draw(st.integers(0, 4)))
        for _ in range(draw(st.integers(1, 4)))
    ]


def _is_possible(parts: list[tuple[list[PoolItem], int]]) -> bool:
    """Hall's condition, by brute force over sets of parts."""
    for chosen in range(1, 2 ** len(parts)):
        some = [part for place, part in enumerate(parts) if chosen >> place & 1]
        if len({item for pool, _ in some for item in pool}) < sum(count for _, count in some):
            return False
    return True


@given(papers(), st.integers())
def test_a_paper_is_found_exactly_when_there_is_one(parts: list[tuple[list[PoolItem], int]], seed: int) -> None:
    if not _is_possible(parts):
        with pytest.raises(PoolTooSmall):
            rules.draw_paper(parts, random.Random(seed))
        return
    paper = rules.draw_paper(parts, random.Random(seed))
    assert len({item.question_id for item in paper}) == len(paper) == sum(count for _, count in parts)
    start = 0
    for pool, count in parts:
        assert set(paper[start : start + count]) <= set(pool)
        start += count


@pytest.mark.parametrize(
    ("article", "words"),
    [
        ("1", "第一条"),
        ("10", "第十条"),
        ("12", "第十二条"),
        ("20", "第二十条"),
        ("55", "第五十五条"),
        ("100", "第一百条"),
        ("101", "第一百零一条"),
        ("110", "第一百一十条"),
        ("133-1", "第一百三十三条之一"),
        ("1009", "第一千零九条"),
        ("1161", "第一千一百六十一条"),
        ("1260", "第一千二百六十条"),
    ],
)
def test_articles_are_written_as_statutes_write_them(article: str, words: str) -> None:
    assert rules.article_words(article) == words


@pytest.mark.parametrize(
    ("scopes", "owner", "allowed"),
    [
        (("/",), None, True),
        (("/aa/",), None, True),
        (("/aa/bb/",), None, False),
        (("/aa/bb/",), "/aa/bb/cc/", True),
        (("/aa/bb/",), "/aa/dd/", False),
        ((), None, False),
        ((), "/aa/", False),
    ],
)
def test_a_shared_bank_is_changed_at_the_top_only(scopes: tuple[str, ...], owner: str | None, allowed: bool) -> None:
    assert rules.may_change(scopes, owner) is allowed

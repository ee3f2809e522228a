import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.payouts import rules
from quizapp.payouts.models import STATES

NOW = dt.datetime(2027, 3, 15, tzinfo=dt.UTC)


def test_every_state_is_in_the_table_and_has_a_word() -> None:
    assert set(rules.MOVES) == set(STATES) == set(rules.TITLES)
    assert all(to in rules.MOVES for moves in rules.MOVES.values() for to in moves)


def test_what_is_done_stays_done() -> None:
    for state in ("done", "expired", "forfeited", "void"):
        assert rules.MOVES[state] == frozenset()


def test_an_unknown_answer_never_leads_to_a_second_payment() -> None:
    """From ``unknown`` no path reaches ``processing`` but over ``returned``, which says that the money came back."""
    reached, todo = set(), ["unknown"]
    while todo:
        for state in rules.MOVES[todo.pop()] - {"returned"}:
            if state not in reached:
                reached.add(state)
                todo.append(state)
    assert reached == {"done"}


def test_every_open_state_has_a_way_to_an_end() -> None:
    for state in rules.OPEN_STATES:
        reached, todo = set(), [state]
        while todo:
            for following in rules.MOVES[todo.pop()]:
                if following not in reached:
                    reached.add(following)
                    todo.append(following)
        assert "done" in reached


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("a1\nb2\r\nc3", ["a1", "b2", "c3"]),
        ("兑换码,备注\nA-1,x\nA-2,y", ["A-1", "A-2"]),
        ('\ufeffcode\n A-1 \n\n"A-2"\nA-1', ["A-1", "A-2"]),
        ("A-1\tone\nA-2\ttwo", ["A-1", "A-2"]),
        ("", []),
    ],
)
def test_codes_are_read_from_what_staff_have(text: str, codes: list[str]) -> None:
    assert rules.read_codes(text) == codes


@pytest.mark.parametrize("text", ["ok\n" + "x" * 65, "ok\nbad\x00code", "ok\n\x1b[31m"])
def test_a_line_that_is_no_code_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="2"):
        rules.read_codes(text)


@given(st.text())
def test_reading_codes_of_anything_ends_in_codes_or_a_line_number(text: str) -> None:
    try:
        codes = rules.read_codes(text)
    except ValueError as error:
        assert str(error).isdigit()  # noqa: PT017
    else:
        assert all(code and len(code) <= rules.MAX_CODE_LENGTH for code in codes)


@pytest.mark.parametrize(("typed", "code"), [("abcd efgh", "ABCDEFGH"), ("o1il-2345", "01112345"), ("ABCDEFGHJKLM", "ABCDEFGH"), (" ", "")])
def test_a_verification_code_forgives_how_it_is_typed(typed: str, code: str) -> None:
    assert rules.plain_code(typed) == code


@pytest.mark.parametrize(
    ("typed", "reference"), [("k7m29qxd3tqh", "K7M2-9QXD-3TQH"), ("K7M2", "K7M2"), ("k7m2-9", "K7M2-9"), ("", ""), ("抽", "抽")]
)
def test_a_reference_is_found_by_its_beginning(typed: str, reference: str) -> None:
    assert rules.plain_reference(typed) == reference


@pytest.mark.parametrize(
    ("state", "minutes", "is_late"),
    [("claimable", -1, False), ("claimable", 0, True), ("ready", 1, True), ("done", 9, False), ("processing", 9, False)],
)
def test_the_deadline_itself_is_too_late(state: str, minutes: int, is_late: bool) -> None:
    assert rules.is_too_late(state, NOW, NOW + dt.timedelta(minutes=minutes)) is is_late


@pytest.mark.parametrize(("total", "limit", "needs"), [(20_000, 20_000, False), (20_001, 20_000, True), (1, 0, True), (10**9, -1, False)])
def test_a_second_person_is_needed_above_the_amount(total: int, limit: int, needs: bool) -> None:
    assert rules.needs_review(total, limit) is needs

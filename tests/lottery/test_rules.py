import datetime as dt
import uuid

import pytest

from quizapp.core.clock import day_start
from quizapp.lottery import rules
from tests.factories.lottery import CERTAIN, draw_terms

GOOD = {"name": "红包", "kind": "cash", "quantity": 1, "odds_ppm": 500_000, "value_fen": 200}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({}, []),
        ({"prizes": []}, ["prizes"]),
        ({"prizes": [GOOD, GOOD]}, []),
        ({"prizes": [GOOD, GOOD, {**GOOD, "odds_ppm": 1}]}, ["odds_ppm"]),
        ({"prizes": [{**GOOD, "kind": "ticket"}]}, ["kind"]),
        ({"prizes": [{**GOOD, "quantity": -1}]}, ["prize"]),
        ({"prizes": [{**GOOD, "name": ""}]}, ["prize"]),
        ({"prizes": [{**GOOD, "odds_ppm": -1}]}, ["prize"]),
        ({"prizes": [{**GOOD, "value_fen": 0}]}, ["value_fen"]),
        ({"prizes": [{**GOOD, "kind": "points"}]}, ["points"]),
        ({"ticket_hours": 0}, ["ticket_hours"]),
        ({"claim_days": 0}, ["claim_days"]),
        ({"wins_total": 0, "wins_per_day": 0}, ["wins_total", "wins_per_day"]),
    ],
)
def test_what_is_wrong_with_a_draw_is_named(change: dict[str, object], fields: list[str]) -> None:
    assert rules.problems({**draw_terms(CERTAIN), **change}) == fields


def test_an_alias_is_twelve_readable_characters() -> None:
    assert rules.alias(bytes(32)) == "0000-0000-0000"
    assert rules.alias(b"\xff" * 32) == "ZZZZ-ZZZZ-ZZZZ"
    assert rules.alias(bytes(range(32))) == "000G-40R4-0M30"


def test_a_ticket_number_hides_the_ticket() -> None:
    ticket = uuid.uuid4()
    number = rules.ticket_number(ticket)
    assert len(number) == 32
    assert ticket.hex not in number
    assert number == rules.ticket_number(ticket) != rules.ticket_number(uuid.uuid4())


@pytest.mark.parametrize(
    ("text", "is_good"), [("", True), ("5D90e3", True), ("f" * 64, True), ("f" * 65, False), ("0x1", False), ("ｆ", False), ("a b", False)]
)
def test_a_nonce_is_short_hexadecimal(text: str, is_good: bool) -> None:
    assert rules.is_nonce(text) is is_good


def test_weights_of_hours_make_windows_whose_shares_follow_them() -> None:
    """Hours in a row with one weight are one window; hours of weight 0 release nothing."""
    day = dt.date(2027, 3, 15)
    weights = [0] * 8 + [2, 2, 1] + [0] * 9 + [4] + [0] * 3
    found = rules.release_windows([day], opens_at=None, closes_at=None, from_hour=9, to_hour=24, weights=weights)
    midnight = day_start(day)
    hour = dt.timedelta(hours=1)
    assert found == [
        (0, midnight + 9 * hour, midnight + 10 * hour, 2),
        (0, midnight + 10 * hour, midnight + 11 * hour, 1),
        (0, midnight + 20 * hour, midnight + 21 * hour, 4),
    ]

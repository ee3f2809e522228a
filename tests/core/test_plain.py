"""The parts of core that are plain values: clock, money, ids, crypto, text, logs."""

import datetime as dt
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import InvalidToken
from hypothesis import given
from hypothesis import strategies as st

from quizapp.core import clock, crypto, money, text
from quizapp.core.ids import new_id
from quizapp.core.logs import Redact

VAULT = crypto.Vault(("new-key", "old-key"), "hash-key")


def test_a_shanghai_day_ends_at_the_next_midnight_exclusive() -> None:
    day = dt.date(2026, 3, 20)
    assert clock.day_end(day) == dt.datetime(2026, 3, 20, 16, tzinfo=dt.UTC)
    assert clock.shanghai_day(clock.day_end(day)) == dt.date(2026, 3, 21)
    assert clock.shanghai_day(clock.day_end(day) - dt.timedelta(microseconds=1)) == day


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-20 24:00", dt.datetime(2026, 3, 20, 16, tzinfo=dt.UTC)),
        ("2026-03-20T09:00", dt.datetime(2026, 3, 20, 1, tzinfo=dt.UTC)),
        ("2028-02-29T00:00:00+00:00", dt.datetime(2028, 2, 29, tzinfo=dt.UTC)),
    ],
)
def test_moments_are_read_as_shanghai_time_unless_they_say_otherwise(written: str, meant: dt.datetime) -> None:
    assert clock.parse_shanghai(written) == meant


@pytest.mark.parametrize("written", ["", "tomorrow", "2026-02-30T09:00", "2026-03-20 25:00"])
def test_what_is_no_moment_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        clock.parse_shanghai(written)


@given(st.integers(0, 10**11))
def test_yuan_and_back(fen: int) -> None:
    assert money.parse_yuan(money.yuan(fen)) == fen


@pytest.mark.parametrize("written", ["", "-1", "1.234", "1,000", "一元", "1e3", "٣"])
def test_what_is_no_amount_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        money.parse_yuan(written)


def test_ids_are_version_7_and_grow_with_time() -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert {i.version for i in ids} == {7}
    assert ids == sorted(ids)


def test_ids_made_by_threads_at_one_moment_differ() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: [new_id() for _ in range(500)], range(8)))
    assert len({i for ids in made for i in ids}) == 4000
    assert all(ids == sorted(ids) for ids in made)


def test_a_phone_is_unreadable_found_by_its_tag_and_masked() -> None:
    cipher = VAULT.encrypt("13800005602")
    assert b"5602" not in cipher
    assert VAULT.decrypt(cipher) == "13800005602"
    assert VAULT.tag("phone", "13800005602") == VAULT.tag("phone", "13800005602")
    assert VAULT.tag("phone", "13800005602") != VAULT.tag("device", "13800005602")
    assert crypto.mask_phone("13800005602") == "138****5602"


def test_an_old_key_still_reads_and_a_foreign_one_does_not() -> None:
    old = crypto.Vault(("old-key",), "hash-key")
    assert VAULT.decrypt(old.encrypt("13800005602")) == "13800005602"
    with pytest.raises(InvalidToken):
        old.decrypt(VAULT.encrypt("13800005602"))


def test_a_line_loses_control_characters_and_keeps_its_length() -> None:
    assert text.clean_line(" 赤峰\x00市\t普法 \u202f", 10) == "赤峰市 普法"
    assert text.has_forbidden_characters("a\ud800b")


def test_logs_never_show_phones_or_tokens() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "to %s with Bearer abc.def", ("13800005602",), None)
    assert Redact().filter(record)
    assert record.getMessage() == "to [struck] with [struck]"


def test_logs_strike_phones_out_of_tracebacks() -> None:
    try:
        raise ValueError("13800005602")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "fault", (), (ValueError, error, error.__traceback__))
    Redact().filter(record)
    assert record.exc_text is not None
    assert "13800005602" not in record.exc_text

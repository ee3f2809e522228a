"""The document about the shipped questions is worked out from the files beside them."""

import datetime as dt
from pathlib import Path

from quizapp.questions.lint import SecondPass
from quizapp.questions.loader import BankFile, BankHead, write_entries, write_head
from tests.factories.questions import make_entry
from tests.factories.registry import make_context
from tools.question_quality import reading_of, write_quality

HEAD = BankHead("b", "题库", "pasture", "说明", "CC BY 4.0")


def _bank() -> BankFile:
    return BankFile(HEAD, tuple(make_entry(number) for number in range(1, 5)))


def test_readings_are_counted_against_the_keys() -> None:
    day = dt.date(2026, 11, 22)
    answers = {"q-001": (0,), "q-002": (1,), "q-003": (0,), "q-004": (0,)}
    open_ = reading_of(_bank(), SecondPass(day, answers, ()))
    assert (open_.read, open_.differed, open_.open_, open_.reworked, open_.rate) == (4, 1, 1, 0, 0.25)
    kept = SecondPass(day, answers, ({"id": "q-002", "blind": ["B"], "key_then": ["A"], "what": "看错了"},))
    assert (reading_of(_bank(), kept).differed, reading_of(_bank(), kept).open_) == (1, 0)
    mended = SecondPass(day, {**answers, "q-002": (0,)}, ({"id": "q-002", "blind": ["B"], "key_then": ["A"], "what": "改了题"},))
    assert (reading_of(_bank(), mended).differed, reading_of(_bank(), mended).open_) == (1, 0)
    replaced = SecondPass(day, {**answers, "q-002": (0,)}, ({"id": "q-002", "blind": ["A"], "key_then": ["A"], "what": "换题"},))
    assert (reading_of(_bank(), replaced).differed, reading_of(_bank(), replaced).reworked) == (0, 1)
    dropped = SecondPass(day, {"q-001": (0,)}, ({"id": "q-009", "blind": ["A"], "key_then": ["B"], "what": "删了"},))
    assert (reading_of(_bank(), dropped).read, reading_of(_bank(), dropped).differed) == (2, 1)
    assert reading_of(_bank(), None).rate == 0


def test_the_document_holds_the_counts(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "bank.yaml").write_text(write_head(HEAD), encoding="utf-8")
    (folder / "questions.yaml").write_text(write_entries(_bank().entries), encoding="utf-8")
    (folder / "second_pass.yaml").write_text("read_on: 2026-11-22\nanswers: {q-001: [A], q-002: [B]}\n", encoding="utf-8")
    text = write_quality([folder], make_context(tmp_path / "laws", has_texts=True))
    assert "4 questions in 1 banks, 0 of them reviewed" in text
    assert "| b | 4 | 4 | 0 | 0 | 0 | 0 | 1 | 1 | 1 | 1 |" in text
    assert "| b | 2026-11-22 | 4 | 2 | 1 | 50.0% | 1 | 0 |" in text
    assert "0 of 4 stems" in text
    assert "| second-reading | error | 1 |" in text

"""The second reading beside a bank: ``second_pass.yaml`` holds what a reader answered from the statutes without the key."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quizapp.questions.lint.findings import Remark
from quizapp.questions.loader import BankFile, Entry
from quizapp.questions.rules import JUDGE_CHOICES, LETTERS

READINGS_FILE = "second_pass.yaml"


@dataclass(frozen=True)
class SecondPass:
    """``answers`` are sorted indices by question id. ``settled`` are ids whose disagreement was settled by the text: by mending
    the question, its key, or by finding the reader wrong; ``settled_notes`` says for each what was done."""

    read_on: dt.date | None
    answers: Mapping[str, tuple[int, ...]]
    settled_notes: tuple[Mapping[str, Any], ...]
    mistakes: tuple[str, ...] = ()

    @property
    def settled(self) -> frozenset[str]:
        return frozenset(str(note.get("id")) for note in self.settled_notes)


def load_second_pass(folder: Path) -> SecondPass | None:
    """What the second reader of a bank answered; None where nobody has read it. Slips of form are in ``mistakes``."""
    try:
        raw = yaml.safe_load((folder / READINGS_FILE).read_text(encoding="utf-8"))
    except OSError:
        return None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return SecondPass(None, {}, (), (f"{READINGS_FILE} 读不懂：{str(error)[:80]}",))
    if not isinstance(raw, Mapping) or not isinstance(raw.get("answers"), Mapping):
        return SecondPass(None, {}, (), (f"{READINGS_FILE} 没有 answers",))
    return _parse(raw)


def _parse(raw: Mapping[str, Any]) -> SecondPass:
    answers: dict[str, tuple[int, ...]] = {}
    mistakes: list[str] = []
    for code, value in raw["answers"].items():
        answer = read_answer(value)
        if answer is None:
            mistakes.append(f"{READINGS_FILE} 里 {code} 的答案读不懂")
        else:
            answers[str(code)] = answer
    notes = [note for name in ("settled", "disagreements") for note in raw.get(name) or []]
    read_on = raw.get("read_on")
    return SecondPass(
        read_on=read_on if isinstance(read_on, dt.date) else None,
        answers=answers,
        settled_notes=tuple(note if isinstance(note, Mapping) else {"id": note} for note in notes),
        mistakes=tuple(mistakes),
    )


def read_answer(value: Any) -> tuple[int, ...] | None:
    """``[A, C]``, ``"AC"``, 对 or 错 as sorted indices; None if it is none of them."""
    if value in JUDGE_CHOICES:
        return (JUDGE_CHOICES.index(value),)
    letters = list(value) if isinstance(value, str | list) else []
    if not letters or not all(isinstance(letter, str) and letter in LETTERS and len(letter) == 1 for letter in letters):
        return None
    return tuple(sorted(LETTERS.index(letter) for letter in set(letters)))


def disagrees(entry: Entry, reading: SecondPass) -> bool:
    return entry.code in reading.answers and reading.answers[entry.code] != entry.answer


def entry_remark(entry: Entry, reading: SecondPass) -> Remark | None:
    if disagrees(entry, reading) and entry.code not in reading.settled:
        return Remark("second-reading", "第二遍阅读的答案和答案不同，还没有核定")
    return None


def bank_remarks(bank: BankFile, reading: SecondPass | None) -> list[Remark]:
    """What the reading of a bank as a whole lacks."""
    if reading is None:
        return [Remark("unread", "还没有人不看答案读第二遍", "warning")]
    unread = [entry.code for entry in bank.entries if entry.code not in reading.answers]
    gone = sorted(reading.answers.keys() - {entry.code for entry in bank.entries})
    found = [Remark("second-pass", mistake) for mistake in reading.mistakes]
    if unread:
        found.append(Remark("unread", f"{len(unread)} 道题还没有读第二遍：{' '.join(unread[:10])}{' …' if unread[10:] else ''}", "warning"))
    if gone:
        found.append(Remark("second-pass", f"第二遍阅读里有题库没有的题：{' '.join(gone[:10])}", "warning"))
    return found

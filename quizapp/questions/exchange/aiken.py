"""Aiken: a question on one line, choices A. B. C., ``ANSWER: B``. It holds one right choice and nothing else."""

import re
from collections.abc import Sequence

from quizapp.questions.exchange.parsed import Parsed, Problem, Raw, shortened
from quizapp.questions.exchange.reading import build_all
from quizapp.questions.loader import Entry
from quizapp.questions.rules import LETTERS

_CHOICE = re.compile(r"([A-Za-z])\s*[.)．、）]\s*(.*)")
_ANSWER = re.compile(r"ANSWER\s*[:：]\s*(.*)", re.I)


def looks_like(text: str) -> bool:
    return re.search(r"^ANSWER\s*[:：]\s*[A-Za-z]", text, re.M) is not None and re.search(r"^A[.)]\s", text, re.M) is not None


def read(text: str) -> Parsed:
    """Questions and, for each that has no answer or no choices, where it begins."""
    raws: list[Raw] = []
    raw = Raw(0)
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        answer = _ANSWER.fullmatch(line)
        choice = _CHOICE.fullmatch(line)
        if not line:
            continue
        if answer:
            raw.answer = answer[1]
            raw.row = raw.row or number
            raws.append(raw)
            raw = Raw(0)
        elif raw.stem and choice and choice[1].upper() == chr(65 + len(raw.choices)):
            raw.choices.append(choice[2])
        elif raw.choices:
            raw.faults.append(_no_answer(raw))
            raws.append(raw)
            raw = Raw(number, stem=line)
        else:
            raw.stem = f"{raw.stem}\n{line}" if raw.stem else line
            raw.row = raw.row or number
    if raw.stem:
        raw.faults.append(_no_answer(raw))
        raws.append(raw)
    return build_all("aiken", raws)


def _no_answer(raw: Raw) -> Problem:
    return Problem(raw.row, "ANSWER", "这道题没有 ANSWER 行", "请在选项后面加一行，例如 ANSWER: B", stem=shortened(raw.stem))


def can_hold(entry: Entry) -> bool:
    return len(entry.answer) == 1


def write(entries: Sequence[Entry]) -> str:
    """What Aiken can hold (:func:`can_hold`); texts on one line each."""
    blocks = []
    for entry in entries:
        if can_hold(entry):
            choices = [f"{LETTERS[place]}. {_line(choice)}" for place, choice in enumerate(entry.choices)]
            blocks.append("\n".join([_line(entry.stem), *choices, f"ANSWER: {LETTERS[entry.answer[0]]}"]))
    return "\n\n".join(blocks) + "\n"


def _line(text: str) -> str:
    return " ".join(text.split("\n"))

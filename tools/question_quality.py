"""python -m tools.question_quality [LAWS]: write docs/question-quality.md from the shipped banks and what lies beside them.

LAWS is a folder of statutes as data; with it, stems are compared with the statutes' words, too.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quizapp.questions.lint import Context, load_texts, make_context
from quizapp.questions.lint.overlap import RUN, repeated_runs
from quizapp.questions.lint.readings import SecondPass, load_second_pass, read_answer
from quizapp.questions.lint.running import Report, lint_folders
from quizapp.questions.loader import BankFile, load_bank
from quizapp.questions.rules import LETTERS
from quizapp.questions.seeds import bank_folders
from quizapp.questions.stats import BankStats, file_stats, total_of
from tools.registry import BANKS

QUALITY_FILE = Path(__file__).resolve().parents[1] / "docs" / "question-quality.md"
KINDS = {"single": 50, "multiple": 20, "indefinite": 10, "judge": 20}
LEVELS = {1: 15, 2: 25, 3: 30, 4: 20, 5: 10}
"""What is aimed at, in percent."""


@dataclass(frozen=True)
class Reading:
    """How the second reading of a bank went. ``differed`` counts answers that were not the key of the day; ``open_`` those of
    them that nobody has settled; ``reworked`` questions that were mended or replaced while settling."""

    slug: str
    read_on: str
    total: int
    read: int
    differed: int
    open_: int
    reworked: int

    @property
    def rate(self) -> float:
        return self.differed / self.read if self.read else 0.0


def reading_of(bank: BankFile, second: SecondPass | None) -> Reading:
    if second is None:
        return Reading(bank.head.slug, "-", len(bank.entries), 0, 0, 0, 0)
    keys = {entry.code: entry.answer for entry in bank.entries}
    differs_now = {code for code, answer in second.answers.items() if code in keys and keys[code] != answer}
    settled_as_different = {str(note.get("id")) for note in second.settled_notes if _differed(note)}
    return Reading(
        slug=bank.head.slug,
        read_on=str(second.read_on or "-"),
        total=len(bank.entries),
        read=len(second.answers.keys() | settled_as_different),
        differed=len(differs_now | settled_as_different),
        open_=len(differs_now - second.settled),
        reworked=len(second.settled_notes),
    )


def _differed(note: Any) -> bool:
    """Whether a settled note tells of another answer than the key of that day; without both, it does."""
    blind, key = read_answer(note.get("blind")), read_answer(note.get("key_then"))
    return blind is None or key is None or blind != key


def _rows(rows: Iterable[Sequence[object]], head: Sequence[str]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join('---' if place == 0 else '---:' for place in range(len(head)))}|"]
    return lines + [f"| {' | '.join(map(str, row))} |" for row in rows]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _counts(banks: Sequence[BankStats]) -> list[str]:
    total = total_of(banks)
    head = ["bank", "questions", *KINDS, *(f"level {level}" for level in LEVELS), "situations", "articles"]

    def row(bank: BankStats) -> list[object]:
        kinds = [bank.by_kind.get(kind, 0) for kind in KINDS]
        levels = [bank.by_difficulty.get(level, 0) for level in LEVELS]
        return [bank.slug, bank.total, *kinds, *levels, _share(bank.situations or 0, bank.total), bank.articles or ""]

    shares = ["share", "", *(_share(total.by_kind.get(kind, 0), total.total) for kind in KINDS)]
    shares += [*(_share(total.by_difficulty.get(level, 0), total.total) for level in LEVELS), "", ""]
    aims = ["aim", "", *(f"{aim}%" for aim in KINDS.values()), *(f"{aim}%" for aim in LEVELS.values()), "≥ 33%", ""]
    return _rows([*map(row, banks), row(total), shares, aims], head)


def _readings(readings: Sequence[Reading]) -> list[str]:
    def row(name: str, items: Sequence[Reading], read_on: str) -> list[object]:
        total, read = sum(item.total for item in items), sum(item.read for item in items)
        differed, open_ = sum(item.differed for item in items), sum(item.open_ for item in items)
        return [name, read_on, total, read, differed, _share(differed, read), open_, sum(item.reworked for item in items)]

    head = ["bank", "read on", "questions", "answered", "differed", "rate", "open", "mended or replaced"]
    return _rows([*(row(item.slug, [item], item.read_on) for item in readings), row("total", readings, "")], head)


def _positions(banks: Sequence[BankFile]) -> list[str]:
    rows = []
    for bank in banks:
        singles = [entry for entry in bank.entries if entry.kind == "single"]
        counts = Counter(entry.answer[0] for entry in singles)
        longest = sum(
            len(entry.choices[entry.answer[0]]) > max(len(c) for n, c in enumerate(entry.choices) if n != entry.answer[0])
            for entry in singles
        )
        judges = [entry for entry in bank.entries if entry.kind == "judge"]
        right = sum(entry.answer == (0,) for entry in judges)
        letters = (_share(counts[place], len(singles)) for place in range(4))
        rows.append([bank.head.slug, len(singles), *letters, _share(longest, len(singles)), _share(right, len(judges))])
    return _rows(rows, ["bank", "single", *LETTERS[:4], "key is the longest", "judge: 对"])


def _lint(report: Report) -> list[str]:
    counts = Counter((finding.severity, finding.rule) for finding in report.findings if finding.rule != "statute-words")
    warnings = sum(count for (severity, _), count in counts.items() if severity == "warning")
    lines = [f"{report.banks} banks, {report.questions} questions: {len(report.errors)} errors, {warnings} warnings."]
    return lines + (
        ["", *_rows([[rule, severity, count] for (severity, rule), count in sorted(counts.items())], ["rule", "severity", "findings"])]
        if counts
        else []
    )


def _words(banks: Sequence[BankFile], context: Context) -> str:
    if not context.texts:
        return "Stems were not compared with the statutes' words in this run (no folder of statutes given)."
    entries = [entry for bank in banks for entry in bank.entries]
    count = len(repeated_runs(entries, context.texts))
    share = _share(count, len(entries))
    return f"{count} of {len(entries)} stems ({share}) repeat {RUN} or more consecutive characters of a statute (limit 10%)."


def write_quality(folders: Sequence[Path], context: Context) -> str:
    """The document's text."""
    banks = [load_bank(folder) for folder in folders]
    readings = [reading_of(bank, load_second_pass(folder)) for bank, folder in zip(banks, folders, strict=True)]
    reviewed = sum(bool(entry.reviewed_on) for bank in banks for entry in bank.entries)
    total = sum(len(bank.entries) for bank in banks)
    lines = [
        "# The quality of the shipped questions",
        "",
        "Written by `make quality LAWS=../shared/laws` (`python -m tools.question_quality`) from `question_banks/`; do not edit by hand.",
        "",
        f"{total} questions in {len(banks)} banks, {reviewed} of them reviewed by a jurist. The demo publishes them; production loads",
        "them as 待复核, and a reviewer of the bureau publishes them.",
        "",
        "## What there is",
        "",
        *_counts([file_stats(bank) for bank in banks]),
        "",
        "*Situations* are stems that tell of somebody to whom something happens. They are counted by a script (a name, or an",
        "actor and what was done), so the share is an estimate. *Articles* are different articles cited in the bank.",
        "",
        "## The second reading",
        "",
        "A second reader, no jurist either, answers each question from the cited statute's text without seeing key and explanation.",
        "The answers lie beside the bank (`second_pass.yaml`), so the rates can be worked out again. *Differed*: the answer was not",
        "the key of that day. Such a question is settled by the statute's text: mended, replaced or, where the reader was wrong,",
        "kept. *Open* ones are an error in lint.",
        "",
        *_readings(readings),
        "",
        "## Keys",
        "",
        "No position may hold more than 32% of a bank's single-choice keys, and the key may be the longest choice in at most 40%.",
        "",
        *_positions(banks),
        "",
        "## Lint",
        "",
        *_lint(lint_folders(folders, context, BANKS)),
        "",
        _words(banks, context),
        "",
        "What lint can see and what it cannot: [decisions/007](decisions/007-lint-of-questions.md).",
        "`tests/questions/test_planted_faults.py` breaks more than thirty of these questions on purpose; at least 28 of 30 must be found.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("laws", type=Path, nargs="?")
    args = parser.parse_args()
    context = make_context(load_texts(args.laws) if args.laws else None)
    QUALITY_FILE.write_text(write_quality(bank_folders(BANKS), context), encoding="utf-8", newline="\n")
    print(f"{QUALITY_FILE.name} written")


if __name__ == "__main__":
    main()

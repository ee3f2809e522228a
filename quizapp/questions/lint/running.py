"""Linting folders: what the command line and the tests run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quizapp.questions.errors import BankFileInvalid
from quizapp.questions.lint import lint_bank, lint_banks
from quizapp.questions.lint.findings import Context, Finding
from quizapp.questions.lint.readings import load_second_pass
from quizapp.questions.loader import BankFile, load_bank


@dataclass(frozen=True)
class Report:
    """What was found in some folders. ``findings`` hold the errors first, then by bank as the folders came."""

    banks: int
    questions: int
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def as_dict(self) -> dict[str, Any]:
        return {
            "banks": self.banks,
            "questions": self.questions,
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "findings": [finding.as_dict() for finding in self.findings],
        }


def lint_folders(folders: Sequence[Path], context: Context, shipped: Path | None = None) -> Report:
    """Lint bank folders, each by itself and all together.

    :param shipped: the folder of the shipped banks; of those, a second reading is expected
    """
    findings: list[Finding] = []
    banks: list[BankFile] = []
    slugs: dict[str, Path] = {}
    for folder in folders:
        try:
            bank = load_bank(folder)
        except BankFileInvalid as error:
            findings += [Finding("error", folder.name, row.entry, "schema", str(row)) for row in error.rows]
            continue
        banks.append(bank)
        if bank.head.slug in slugs:
            findings.append(Finding("error", bank.head.slug, "", "same-slug", f"slug 和 {slugs[bank.head.slug]} 相同"))
        slugs[bank.head.slug] = folder
        reading = load_second_pass(folder)
        findings += lint_bank(bank, context, reading, is_shipped=reading is not None or folder.resolve().parent == shipped)
    findings += lint_banks(banks, context)
    findings.sort(key=lambda finding: finding.severity)
    return Report(len(banks), sum(len(bank.entries) for bank in banks), tuple(findings))

"""``flask questions …``: banks in and out, and what is wrong with them."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from quizapp.audit.services import SYSTEM
from quizapp.core import seeding
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError
from quizapp.questions import queries, services
from quizapp.questions.errors import BankFileInvalid
from quizapp.questions.lint import Finding, lint_bank
from quizapp.questions.loader import BANK_FILE, QUESTIONS_FILE, BankFile, load_bank, write_entries, write_head
from quizapp.questions.seeds import bank_folders, load_shipped_banks

questions = AppGroup("questions", help="Question banks.")
_FORMAT = click.option("--format", "format_", default="text", type=click.Choice(["text", "json"]))


def _folders(places: Sequence[str]) -> list[Path]:
    """Bank folders that the arguments name: a bank's folder, a folder of banks, a shipped bank's slug, or ``all``."""
    shipped = Path(current_app.config["QUESTION_BANKS_DIR"])
    found: list[Path] = []
    for place in places or ("all",):
        path = shipped if place == "all" else Path(place)
        if not path.is_dir() and (shipped / place).is_dir():
            path = shipped / place
        if not path.is_dir():
            raise click.ClickException(f"{place}: no such folder")
        found += bank_folders(path)
    if not found:
        raise click.ClickException("no bank there")
    return found


def _load_all(folders: Sequence[Path]) -> tuple[list[BankFile], list[str]]:
    banks, mistakes = [], []
    for folder in folders:
        try:
            banks.append(load_bank(folder))
        except BankFileInvalid as error:
            mistakes += [str(row) for row in error.rows]
    return banks, mistakes


@questions.command("import")
@click.argument("places", nargs=-1, metavar="[DIR|all]")
@click.option("--replace", is_flag=True, help="Let the file win over newer revisions that staff made.")
def import_banks(places: tuple[str, ...], replace: bool) -> None:
    """Take in bank folders (default: all that are shipped). All of them or, with any mistake, none."""
    banks, mistakes = _load_all(_folders(places))
    if mistakes:
        click.echo("\n".join(mistakes), err=True)
        click.echo(f"nothing imported: {len(mistakes)} mistakes", err=True)
        sys.exit(1)
    with transaction():
        results = [
            services.import_entries(bank, now=utc_now(), actor=SYSTEM, publish=current_app.config["IS_DEMO"], replace=replace)
            for bank in banks
        ]
    for result in results:
        _print_result(result)


def _print_result(result: services.ImportResult) -> None:
    click.echo(
        f"{result.slug}: {len(result.added)} added, {len(result.revised)} revised, {result.unchanged} unchanged, "
        f"{len(result.kept)} kept as staff left them, {len(result.missing)} not in the file"
    )
    for word, codes in (("kept", result.kept), ("not in the file", result.missing)):
        if codes:
            click.echo(f"  {word}: {' '.join(codes)}")


@questions.command("export")
@click.argument("slug")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export_bank(slug: str, folder: Path) -> None:
    """Write the newest revisions of a bank as bank.yaml and questions.yaml into FOLDER."""
    try:
        bank = services.export_bank(slug)
    except AppError as error:
        raise click.ClickException(f"{slug}: {error.message}") from None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BANK_FILE).write_text(write_head(bank.head), encoding="utf-8", newline="\n")
    (folder / QUESTIONS_FILE).write_text(write_entries(bank.entries), encoding="utf-8", newline="\n")
    click.echo(f"{slug}: {len(bank.entries)} questions in {folder}")


@questions.command("lint")
@click.argument("places", nargs=-1, metavar="[DIR|all]")
@_FORMAT
def lint(places: tuple[str, ...], format_: str) -> None:
    """Check bank folders (default: all that are shipped). Exit code 1 when there are errors."""
    findings: list[Finding] = []
    count = 0
    slugs: dict[str, Path] = {}
    for folder in _folders(places):
        try:
            bank = load_bank(folder)
        except BankFileInvalid as error:
            findings += [Finding("error", folder.name, row.entry, "schema", str(row)) for row in error.rows]
            continue
        count += len(bank.entries)
        if bank.head.slug in slugs:
            findings.append(Finding("error", bank.head.slug, "", "same-slug", f"slug 和 {slugs[bank.head.slug]} 相同"))
        slugs[bank.head.slug] = folder
        findings += lint_bank(bank)
    errors = sum(finding.severity == "error" for finding in findings)
    if format_ == "json":
        body = {"banks": len(slugs), "questions": count, "errors": errors, "findings": [finding.as_dict() for finding in findings]}
        click.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"{len(slugs)} banks, {count} questions, {errors} errors, {len(findings) - errors} warnings")
    sys.exit(1 if errors else 0)


@questions.command("stats")
@_FORMAT
def stats(format_: str) -> None:
    """Count what is in the database, by kind, difficulty and status."""
    counts = queries.list_bank_counts()
    if format_ == "json":
        click.echo(json.dumps([asdict(bank) for bank in counts], ensure_ascii=False, indent=2, default=str))
        return
    for bank in counts:
        parts = (
            " ".join(f"{name} {number}" for name, number in group.items()) for group in (bank.by_status, bank.by_kind, bank.by_difficulty)
        )
        click.echo(f"{bank.slug} {bank.total}: {' | '.join(parts)}")


def init_app(app: Flask) -> None:
    seeding.register(20, "questions", load_shipped_banks)


commands = (questions,)

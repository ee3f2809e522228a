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
from quizapp.questions.lint import load_texts, make_context
from quizapp.questions.lint.running import lint_folders
from quizapp.questions.loader import BANK_FILE, QUESTIONS_FILE, BankFile, load_bank, write_entries, write_head
from quizapp.questions.seeds import bank_folders, load_shipped_banks
from quizapp.questions.stats import BankStats, file_stats, table, total_of

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
@click.option(
    "--texts", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of statutes as data: check their words, too."
)
@_FORMAT
def lint(places: tuple[str, ...], texts: Path | None, format_: str) -> None:
    """Check bank folders (default: all that are shipped). Exit code 1 when there are errors."""
    try:
        context = make_context(load_texts(texts) if texts else None)
    except (OSError, ValueError, KeyError) as error:
        raise click.ClickException(f"{texts}: {error}") from None
    report = lint_folders(_folders(places), context, Path(current_app.config["QUESTION_BANKS_DIR"]).resolve())
    if format_ == "json":
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
    else:
        for finding in report.findings:
            click.echo(str(finding))
        click.echo(f"{report.banks} banks, {report.questions} questions, {len(report.errors)} errors, {len(report.warnings)} warnings")
    sys.exit(1 if report.errors else 0)


@questions.command("stats")
@click.argument("places", nargs=-1, metavar="[DIR|all]")
@click.option("--database", is_flag=True, help="Count what the database holds, with its statuses, not the files.")
@_FORMAT
def stats(places: tuple[str, ...], database: bool, format_: str) -> None:
    """Count questions by bank, kind, difficulty and status (default: the files that are shipped)."""
    banks = _database_stats() if database else _file_stats(places)
    if format_ == "json":
        body = {"source": "database" if database else "files", "banks": [asdict(bank) for bank in banks], "total": asdict(total_of(banks))}
        click.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        click.echo(table(banks))


def _file_stats(places: Sequence[str]) -> list[BankStats]:
    banks, mistakes = _load_all(_folders(places))
    if mistakes:
        raise click.ClickException("\n".join(mistakes))
    return [file_stats(bank) for bank in banks]


def _database_stats() -> list[BankStats]:
    return [
        BankStats(bank.slug, bank.title, bank.total, bank.by_kind, bank.by_difficulty, bank.by_status)
        for bank in queries.list_bank_counts()
    ]


def init_app(app: Flask) -> None:
    seeding.register(20, "questions", load_shipped_banks)


commands = (questions,)

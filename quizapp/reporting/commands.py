"""``flask reports …``: figures without the console."""

import datetime as dt
import json
import sys
import tempfile
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from quizapp.core import seeding
from quizapp.core.clock import utc_now
from quizapp.core.errors import InvalidInput
from quizapp.reporting import exports, items_fold, items_queries, items_rules, jobs, queries, rules, seeds
from quizapp.reporting.items_exports import ItemTable
from quizapp.reporting.items_queries import ItemFilter

reports = AppGroup("reports", help="Figures as files.")
_DAY = click.DateTime(["%Y-%m-%d"])


@reports.command("participation")
@click.option("--campaign", "campaigns", multiple=True, help="Slug; may repeat. Every campaign when left out.")
@click.option("--by", multiple=True, type=click.Choice(rules.DIMENSIONS), help="Group by; may repeat.")
@click.option("--region-level", default="county", type=click.Choice(rules.REGION_LEVELS))
@click.option("--from", "first_day", type=_DAY, help="First Shanghai day, included.")
@click.option("--to", "last_day", type=_DAY, help="Last Shanghai day, included.")
@click.option("--format", "format_", default="json", type=click.Choice(exports.FORMATS))
@click.option("--public", "is_public", is_flag=True, help="Mask groups of fewer than 5 persons.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; standard output when left out.")
def participation(
    campaigns: tuple[str, ...],
    by: tuple[str, ...],
    region_level: str,
    first_day: dt.datetime | None,
    last_day: dt.datetime | None,
    format_: str,
    is_public: bool,
    output: Path | None,
) -> None:
    """Participation by group, region, organisation, day or campaign. The JSON is the body of the API's report."""
    if is_public and len(by) > rules.MAX_PUBLIC_DIMENSIONS:
        raise click.UsageError("a public table crosses at most two dimensions")
    if output is None and format_ == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("xlsx is not for a terminal: give --output FILE")
    try:
        table = queries.participation(
            campaigns=campaigns or None,
            first_day=first_day.date() if first_day else None,
            last_day=last_day.date() if last_day else None,
            by=by,
            region_level=region_level,
        )
    except InvalidInput as refusal:
        raise click.ClickException("; ".join(f"{name}: {sentence}" for name, sentence in refusal.fields.items())) from None
    if output is not None:
        count = exports.write(table, format_, output, is_public=is_public)
        click.echo(f"{output}: {count} rows", err=True)
    elif format_ == "json":
        shown = exports.public_version(table) if is_public else table
        click.echo(json.dumps(shown.to_dict(), ensure_ascii=False, indent=2))
    else:
        with tempfile.TemporaryDirectory(prefix="quizapp-report-") as folder:
            path = Path(folder) / "report"
            exports.write(table, format_, path, is_public=is_public)
            sys.stdout.buffer.write(path.read_bytes())


@reports.command("items")
@click.option("--bank", default="", help="Slug; every bank when left out.")
@click.option("--campaign", default="", help="Slug; all campaigns together when left out.")
@click.option("--flag", default="", type=click.Choice(["", "any", *items_rules.FLAGS]))
@click.option(
    "--revisions", default="all", type=click.Choice(list(items_queries.REVISIONS)), help="Those in use, or every one that was shown."
)
@click.option("--order", default="bank", type=click.Choice(list(items_queries.ORDERS)))
@click.option("--format", "format_", default="json", type=click.Choice(exports.FORMATS))
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; standard output when left out.")
@click.option("--fold/--no-fold", default=True, help="First count what has changed since the worker last did.")
def items(format_: str, output: Path | None, fold: bool, **chosen: str) -> None:
    """What the answers say about each question: facility, discrimination, choices by thirds, time, flags."""
    if output is None and format_ == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("xlsx is not for a terminal: give --output FILE")
    if fold:
        jobs.fold_items()
    try:
        table = ItemTable.read(ItemFilter(**chosen), queries.EVERYTHING, format_, utc_now())
    except InvalidInput as refusal:
        raise click.ClickException("; ".join(f"{name}: {sentence}" for name, sentence in refusal.fields.items())) from None
    with tempfile.TemporaryDirectory(prefix="quizapp-report-") as folder:
        path = output or Path(folder) / "report"
        count = table.write(path)
        if output is None:
            sys.stdout.buffer.write(path.read_bytes())
        else:
            click.echo(f"{output}: {count} rows", err=True)


@reports.command("fold-items")
@click.option("--all", "everything", is_flag=True, help="Count every campaign again, changed or not.")
def fold_items(everything: bool) -> None:
    """Count attempts into item statistics, as the worker does every two minutes."""
    count = items_fold.fold_due(utc_now(), everything=everything)
    click.echo(f"{count} campaigns counted")


def init_app(app: Flask) -> None:
    seeding.register(50, "results", seeds.load_demo_results)


commands = (reports,)

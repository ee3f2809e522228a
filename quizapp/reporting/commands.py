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
from quizapp.core.errors import InvalidInput
from quizapp.reporting import exports, queries, rules, seeds

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


def init_app(app: Flask) -> None:
    seeding.register(50, "results", seeds.load_demo_results)


commands = (reports,)

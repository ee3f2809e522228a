"""``flask campaigns simulate``, and ``flask simulate half-year``."""

import json
import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from quizapp.campaigns import checks, files
from quizapp.campaigns.commands import campaigns
from quizapp.core.errors import AppError
from quizapp.simulation import halfyear
from quizapp.simulation.account import account_for, as_dict, as_text
from quizapp.simulation.crowd import Curve
from quizapp.simulation.scratch import NotEmpty, scratch_app
from quizapp.simulation.season import play


def _curve(_context: click.Context, _parameter: click.Parameter, value: str) -> Curve:
    try:
        return Curve.read(value)
    except (ValueError, TypeError) as error:
        raise click.BadParameter(str(error)) from None


@campaigns.command("simulate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--citizens", default=500, show_default=True, type=click.IntRange(1, 100_000), help="How many people take part.")
@click.option("--seed", default=1, show_default=True, help="The same seed plays the same season, draw by draw.")
@click.option(
    "--people-curve",
    "curve",
    default="ends",
    callback=_curve,
    help='even, ends, opening or burst; or JSON: {"attempts": 1.6, "right": 0.8, "shape": "burst", "faithful": 0.1, "hours": […]}.',
)
@click.option("--database", default="", help="URL of an empty database to play in and keep; a temporary one when left out.")
@click.option("--format", "format_", default="text", type=click.Choice(["text", "json"]))
def simulate(file: Path, citizens: int, seed: int, curve: Curve, database: str, format_: str) -> None:
    """Play a whole season of the campaign in FILE through the real services, in a scratch database at a simulated clock, and
    print what happened beside the forecast. Exit code 1 when a promise broke, 2 when the campaign cannot be published."""
    read = files.read_file(file)
    problems = [problem for problem in files.check_file(read) if problem.is_error]
    if checks.has_errors(problems):
        for problem in problems:
            click.echo(f"error {file}:{read.line_of(problem.field) or 1} {problem.field} {problem.message}", err=True)
        sys.exit(2)
    try:
        with scratch_app(database):
            account = account_for(play(read, citizens=citizens, seed=seed, curve=curve))
    except NotEmpty as error:
        raise click.UsageError(f"{error} holds tables already: give an empty database") from None
    except AppError as error:
        click.echo(f"refused: {error.code} {error.message}", err=True)
        sys.exit(2)
    click.echo(json.dumps(as_dict(account), ensure_ascii=False, indent=2) if format_ == "json" else as_text(account))
    sys.exit(0 if account.is_kept else 1)


simulation = AppGroup("simulate", help="Invented seasons in a scratch database.")


@simulation.command("half-year")
@click.option(
    "--scale", default=0.001, show_default=True, type=click.FloatRange(0.0001, 0.05), help="Of 320,000 people and 2,020,000 attempts."
)
@click.option("--seed", default=1, show_default=True)
@click.option("--database", default="", help="URL of an empty database to play in and keep; a temporary one when left out.")
@click.option("--format", "format_", default="text", type=click.Choice(["text", "json"]))
def half_year(scale: float, seed: int, database: str, format_: str) -> None:
    """Replay a half-year of five campaigns through the services and print the report's totals. Exit code 1 when a promise broke."""
    try:
        with scratch_app(database):
            found = halfyear.play_half_year(scale, seed)
    except NotEmpty as error:
        raise click.UsageError(f"{error} holds tables already: give an empty database") from None
    click.echo(json.dumps(halfyear.as_dict(found), ensure_ascii=False, indent=2) if format_ == "json" else halfyear.as_text(found))
    sys.exit(0 if found.is_kept else 1)


commands = (simulation,)

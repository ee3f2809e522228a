"""``flask campaigns …``: the rule check without the console."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask
from flask.cli import AppGroup

from quizapp.campaigns import checks, files, queries, services
from quizapp.campaigns.checks import Problem
from quizapp.campaigns.seeds import load_demo_campaigns
from quizapp.core import seeding
from quizapp.core.clock import utc_now
from quizapp.core.db import db
from quizapp.questions.queries import find_bank

campaigns = AppGroup("campaigns", help="Campaigns.")


@dataclass(frozen=True)
class _Found:
    """A problem with the file and line it stands in, where there is a file."""

    what: str
    line: int | None
    problem: Problem

    @property
    def place(self) -> str:
        where = f"{self.what}:{self.line}" if self.line else self.what
        return f"{where} {self.problem.field or '-'}"


@campaigns.command("check")
@click.argument("what", metavar="FILE|SLUG…", nargs=-1, required=True)
@click.option("--format", "format_", default="text", type=click.Choice(["text", "json"]))
def check(what: tuple[str, ...], format_: str) -> None:
    """Run the rule check on campaign files (YAML or JSON) or on the drafts of campaigns. Exit code 1 when there are errors."""
    found = [one for name in what for one in (_check_file(name) if Path(name).is_file() else _check_slug(name))]
    errors = sum(one.problem.is_error for one in found)
    if format_ == "json":
        click.echo(json.dumps({"errors": errors, "problems": [_as_json(one) for one in found]}, ensure_ascii=False, indent=2))
    else:
        for one in found:
            click.echo(f"{one.problem.severity} {one.place} {one.problem.message}")
        click.echo(f"{errors} errors, {len(found) - errors} warnings")
    sys.exit(1 if errors else 0)


def _as_json(one: _Found) -> dict[str, Any]:
    problem = one.problem
    return {"file": one.what, "line": one.line, "field": problem.field, "severity": problem.severity, "message": problem.message}


def _check_slug(slug: str) -> list[_Found]:
    campaign = queries.find_by_slug(slug)
    if campaign is None:
        raise click.ClickException(f"{slug}: neither a file nor a campaign")
    return [_Found(slug, None, problem) for problem in services.check_campaign(campaign, utc_now())]


def _check_file(name: str) -> list[_Found]:
    file = files.read_file(Path(name))
    found = files.check_file(file)
    if not checks.has_errors(found):
        unknown = _unknown_banks(file.body)
        if unknown:
            found.append(Problem("", f"这里没有题库 {'、'.join(unknown)}，题量没有检查。", "warning"))
        else:
            found = files.check_file(file, queries.pool_of)
    return [_Found(name, file.line_of(problem.field), problem) for problem in found]


def _unknown_banks(body: dict[str, Any]) -> list[str]:
    """Banks that this installation does not hold: a campaign file may come from somewhere else."""
    slugs = sorted({slug for quiz in body.get("quizzes") or [body] for part in quiz["paper"]["parts"] for slug in part["banks"]})
    try:
        return [slug for slug in slugs if find_bank(slug) is None]
    except sa.exc.DatabaseError:
        db.session.rollback()
        return slugs


def init_app(app: Flask) -> None:
    seeding.register(30, "campaigns", load_demo_campaigns)


commands = (campaigns,)

"""``flask campaigns …``: the rule check without the console."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask
from flask.cli import AppGroup

from quizapp.campaigns import checks, queries, services
from quizapp.campaigns.checks import Problem
from quizapp.campaigns.seeds import load_demo_campaigns
from quizapp.core import seeding
from quizapp.core.clock import utc_now
from quizapp.core.db import db
from quizapp.questions.queries import find_bank

campaigns = AppGroup("campaigns", help="Campaigns.")
MAX_FILE_BYTES = 1024 * 1024


@campaigns.command("check")
@click.argument("what", metavar="FILE|SLUG")
@click.option("--format", "format_", default="text", type=click.Choice(["text", "json"]))
def check(what: str, format_: str) -> None:
    """Run the rule check on a campaign's file (JSON) or on the draft of a campaign. Exit code 1 when there are errors."""
    path = Path(what)
    found = _check_file(path) if path.is_file() else _check_slug(what)
    errors = sum(problem.is_error for problem in found)
    if format_ == "json":
        problems = [{"field": one.field, "severity": one.severity, "message": one.message} for one in found]
        click.echo(json.dumps({"errors": errors, "problems": problems}, ensure_ascii=False, indent=2))
    else:
        for one in found:
            click.echo(f"{one.severity} {one.field or '-'} {one.message}")
        click.echo(f"{errors} errors, {len(found) - errors} warnings")
    sys.exit(1 if errors else 0)


def _check_slug(slug: str) -> list[Problem]:
    campaign = queries.find_by_slug(slug)
    if campaign is None:
        raise click.ClickException(f"{slug}: neither a file nor a campaign")
    return services.check_campaign(campaign, utc_now())


def _check_file(path: Path) -> list[Problem]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise click.ClickException(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        body = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        return [Problem("", f"不是合格的 JSON 文件：{error}")]
    found = checks.problems(body)
    if checks.has_errors(found):
        return found
    unknown = _unknown_banks(body.get("terms", body))
    if unknown:
        return [*found, Problem("paper.parts", f"这里没有题库 {'、'.join(unknown)}，题量没有检查。", "warning")]
    return checks.problems(body, find_pool=queries.pool_of)


def _unknown_banks(body: dict[str, Any]) -> list[str]:
    """Banks that this installation does not hold: a campaign file may come from somewhere else."""
    slugs = sorted({slug for part in body["paper"]["parts"] for slug in part["banks"]})
    try:
        return [slug for slug in slugs if find_bank(slug) is None]
    except sa.exc.DatabaseError:
        db.session.rollback()
        return slugs


def init_app(app: Flask) -> None:
    seeding.register(30, "campaigns", load_demo_campaigns)


commands = (campaigns,)

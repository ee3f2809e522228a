"""``flask statutes …``: texts in."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from quizapp.audit.services import SYSTEM
from quizapp.core import seeding
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.statutes import dependents, services
from quizapp.statutes.errors import LawFilesInvalid
from quizapp.statutes.importing import ImportPlan
from quizapp.statutes.loader import read_folder
from quizapp.statutes.seeds import load_demo

statutes = AppGroup("statutes", help="Statutes.")


@statutes.command("import")
@click.argument("folder", type=click.Path(exists=True, path_type=Path), metavar="DIR")
@click.option("--replace", is_flag=True, help="Let the files win over what staff typed for the same day.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--suspend/--no-suspend", default=None, help="Keep questions whose article changed out of papers; by default as set.")
def import_statutes(folder: Path, replace: bool, dry_run: bool, suspend: bool | None) -> None:
    """Take in the texts of a folder (or zip) of JSON files: all of them or, with any mistake, none."""
    began = time.monotonic()
    try:
        files = read_folder(folder)
    except LawFilesInvalid as error:
        click.echo(str(error), err=True)
        click.echo(f"nothing imported: {len(error.rows)} mistakes", err=True)
        sys.exit(1)
    if dry_run:
        _print_plan(services.plan_import(files, now=utc_now(), replace=replace))
        return
    with transaction():
        wanted = dependents.suspends() if suspend is None else suspend
        done = services.import_statutes(files, now=utc_now(), actor=SYSTEM, suspend=wanted, replace=replace)
    for name, reason in files.passed_over:
        click.echo(f"passed over {name}: {reason}")
    _print_differing(done.differing)
    click.echo(
        f"{done.statutes} statutes ({done.new_statutes} new): {done.added} articles added, {done.changed} changed, "
        f"{done.removed} removed, {done.kept} kept as staff left them; {done.listed} questions to look at; "
        f"{time.monotonic() - began:.1f} s"
    )


def _print_plan(plan: ImportPlan) -> None:
    for item in plan.statutes:
        if item.is_unchanged:
            continue
        counts = ", ".join(f"{len(item.of(kind))} {kind}" for kind in ("new", "changed", "removed", "kept") if item.of(kind))
        click.echo(f"{item.law.short_title}: {'new statute; ' if item.is_new else ''}{counts or 'facts'}")
    _print_differing(plan.differing)
    click.echo(f"{len(plan.statutes)} statutes, {plan.unchanged} unchanged; {dependents.count(plan.changes)} questions to look at")


def _print_differing(differing: Sequence[tuple[str, str]]) -> None:
    for law, number in differing:
        click.echo(f"{law} {number}: reads otherwise than the article the shipped questions were checked with")


def init_app(app: Flask) -> None:
    seeding.register(15, "statutes", load_demo)


commands = (statutes,)

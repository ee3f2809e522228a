"""Commands: reference data, the first staff accounts, and the demo."""

import itertools
import os
import secrets
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup

from quizapp.accounts import queries, rules, seeds, services
from quizapp.accounts.models import STAFF_ROLES, Citizen, Consent, StaffAccount, UserSession
from quizapp.accounts.queries import staff as staff_queries
from quizapp.audit.services import SYSTEM, record
from quizapp.core import seeding
from quizapp.core.clock import utc_now
from quizapp.core.crypto import new_token, token_hash
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError
from quizapp.core.ids import new_id

regions = AppGroup("regions", help="Administrative divisions.")
staff = AppGroup("staff", help="Staff accounts.")
demo = AppGroup("demo", help="Demo data; refuses outside the demo environment.")

_BATCH = 2000
_ADULTS = ("18_59", "18_59", "18_59", "60_plus")


def demo_only(command: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse, with exit code 2, where real people are."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_app.config["IS_DEMO"]:
            click.echo(f"refused: demo commands work only with QUIZAPP_ENV=demo (here: {current_app.config['ENVIRONMENT']})", err=True)
            sys.exit(2)
        return command(*args, **kwargs)

    return guarded


@regions.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_regions(file: Path) -> None:
    """Load FILE, CSV with the columns code,name,level,parent. Regions are added or renamed, never removed."""
    try:
        with transaction(), file.open(encoding="utf-8-sig", newline="") as lines:
            rows = seeds.read_regions(lines)
            changed = seeds.load_regions(rows)
            record(
                "regions.imported",
                actor=SYSTEM,
                target_type="regions",
                target_id=file.name,
                changes={"rows": len(rows), "changed": changed},
            )
    except ValueError as error:
        raise click.ClickException(f"{file}: {error}") from None
    click.echo(f"{len(rows)} regions read, {changed} added or changed")


@staff.command("create")
@click.argument("username")
@click.option("--name", required=True, help="Name shown in the console.")
@click.option("--role", required=True, type=click.Choice(STAFF_ROLES))
def create_staff(username: str, name: str, role: str) -> None:
    """Make an account at the root unit and print its first password. Use it for the first three administrators."""
    now = utc_now()
    try:
        with transaction():
            seeds.load_groups()
            root = seeds.load_root_organisation(current_app.config["HOST_NAME"], now)
            first = services.create_staff(
                username=username, display_name=name, role=role, organisation_id=root.id, actor=SYSTEM, paths=("/",), now=now
            )
    except AppError as error:
        raise click.ClickException(error.message) from None
    click.echo(f"username {first.username}  first password {first.password}")


@demo.command("seed")
@demo_only
def seed() -> None:
    """Load the demo data of every feature. May run twice."""
    for name in seeding.run_all():
        click.echo(f"loaded: {name}")


@demo.command("citizens")
@click.option("--count", required=True, type=click.IntRange(1, 1_000_000), help="How many.")
@click.option("--tokens", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File for one bearer token per line.")
@demo_only
def citizens(count: int, tokens: Path) -> None:
    """Make adult demo citizens spread over groups and counties, with consent, each with a bearer token."""
    with transaction():
        seeds.load_reference_data()
    groups = [group.code for group in queries.list_groups()]
    counties = [region.code for region in queries.list_counties() if region.parent_code]
    with open(tokens, "w", encoding="ascii", opener=_private) as lines:
        for start in range(0, count, _BATCH):
            made = _make_citizens(range(start, min(count, start + _BATCH)), groups, counties)
            lines.writelines(f"{token}\n" for token in made)
    click.echo(f"{count} citizens made, tokens in {tokens}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_citizens(numbers: range, groups: list[str], counties: list[str]) -> list[str]:
    """Insert one batch. Groups change fastest, so that every group meets every county."""
    now, limits = utc_now(), services.CITIZEN_LIMITS
    spread = list(itertools.product(counties, groups))
    people: list[dict[str, Any]] = []
    consents: list[dict[str, Any]] = []
    sessions: list[dict[str, Any]] = []
    tokens: list[str] = []
    for number in numbers:
        citizen_id, token = new_id(), new_token()
        county, group = spread[number % len(spread)]
        people.append(
            {
                "id": citizen_id,
                "nickname": rules.default_nickname(secrets.randbelow(10_000)),
                "demographic_group": group,
                "region_code": county,
                "age_band": _ADULTS[number // len(spread) % len(_ADULTS)],
                "age_band_set_at": now,
                "status": "active",
                "created_at": now,
            }
        )
        consents.append(
            {
                "id": new_id(),
                "citizen_id": citizen_id,
                "purpose": queries.ACCOUNT,
                "version": services.CONSENT_VERSION,
                "given_by": "self",
                "given_at": now,
            }
        )
        sessions.append(
            {
                "id": new_id(),
                "token_hash": token_hash(token),
                "citizen_id": citizen_id,
                "is_bearer": True,
                "device_label": "演示",
                "created_at": now,
                "last_seen_at": now,
                "idle_seconds": int(limits.idle.total_seconds()),
                "expires_at": now + limits.absolute,
            }
        )
        tokens.append(token)
    with transaction():
        for table, rows in ((Citizen, people), (Consent, consents), (UserSession, sessions)):
            db.session.execute(sa.insert(table), rows)
    return tokens


@demo.command("staff")
@click.option("--role", required=True, type=click.Choice(STAFF_ROLES))
@demo_only
def demo_staff(role: str) -> None:
    """Print a bearer token of the demo's account with ROLE; the account is made if it is missing."""
    now = utc_now()
    with transaction():
        account = staff_queries.find_account(seeds.demo_username(role))
        if account is None:
            seeds.load_demo_staff(now)
            account = staff_queries.find_account(seeds.demo_username(role))
        assert isinstance(account, StaffAccount)  # noqa: S101 - just made
        token = services.issue_bearer(account.id, now, "flask demo staff")
    click.echo(token)


commands = (regions, staff, demo)


def init_app(app: Flask) -> None:
    seeding.register(10, "accounts", seeds.load_demo_staff)

"""``flask draws``: export a ledger, check one."""

import json
import sys
import uuid
from pathlib import Path

import click
from flask.cli import AppGroup

from quizapp.core.errors import NotFound
from quizapp.lottery import pool_proof, proof, queries
from quizapp.lottery.export import ledger_lines
from quizapp.lottery.pooldraw import queries as pool_queries
from quizapp.lottery.pooldraw.export import file_lines

draws = AppGroup("draws", help="Ledgers of prize draws.")
commands = (draws,)


@draws.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--receipt", "receipts", multiple=True, help="Seal of a citizen's receipt that must be in the chain; may be given again.")
def verify(file: Path, receipts: tuple[str, ...]) -> None:
    """Check FILE with no network and no database: a ledger of instant draws, or a pool draw; exit 1 names the first bad line."""
    if _is_pool_draw(file):
        sys.exit(pool_proof.main([str(file), *receipts]))
    try:
        with file.open("rb") as lines:
            summary = proof.verify(lines, receipts)
    except proof.BadLedger as error:
        print(f"BAD / 账本不对: {error}")
        sys.exit(1)
    print(proof.describe(summary))


def _is_pool_draw(file: Path) -> bool:
    """Whether the manifest, the file's first line, says so."""
    with file.open("rb") as lines:
        first = lines.readline(10_000_000)
    try:
        manifest = json.loads(first)
    except ValueError:
        return False
    return isinstance(manifest, dict) and manifest.get("version") == pool_proof.VERSION


@draws.command("export-pool")
@click.argument("pool_draw_id", type=click.UUID)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
def export_pool(pool_draw_id: uuid.UUID, output: Path) -> None:
    """Write the file of one pool draw as JSON Lines, the same bytes the public address gives."""
    try:
        found = pool_queries.get_public(pool_draw_id)
    except NotFound:
        raise click.ClickException(f"no pool draw has the id {pool_draw_id}") from None
    with output.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(file_lines(found))
    click.echo(f"{output}: {found.run.record_count} records, head {found.run.chain_head}")


@draws.command("export")
@click.option("--campaign", "slug", required=True, help="The campaign's slug.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; standard output without it.")
def export(slug: str, output: Path | None) -> None:
    """Write a campaign's ledger as JSON Lines, the same bytes the public address gives."""
    try:
        pool = queries.get_pool(slug)
    except NotFound:
        raise click.ClickException(f"no campaign with a draw is called {slug}") from None
    if output is None:
        for line in ledger_lines(pool):
            click.echo(line, nl=False)
        return
    with output.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(ledger_lines(pool))
    click.echo(f"{output}: {pool.record_count} records, head {pool.chain_head}")

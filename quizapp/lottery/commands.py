"""``flask draws``: export a ledger, check one."""

import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from quizapp.core.errors import NotFound
from quizapp.lottery import proof, queries
from quizapp.lottery.export import ledger_lines

draws = AppGroup("draws", help="Ledgers of prize draws.")
commands = (draws,)


@draws.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--receipt", "receipts", multiple=True, help="Seal of a citizen's receipt that must be in the chain; may be given again.")
def verify(file: Path, receipts: tuple[str, ...]) -> None:
    """Check FILE (manifest, records, revealed secrets) with no network and no database; exit 1 names the first bad line."""
    try:
        with file.open("rb") as lines:
            summary = proof.verify(lines, receipts)
    except proof.BadLedger as error:
        print(f"BAD / 账本不对: {error}")
        sys.exit(1)
    print(proof.describe(summary))


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

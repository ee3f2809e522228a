"""The public ledger as lines of a file (docs/draw-proof.md §8)."""

from collections.abc import Iterator

from quizapp.lottery import proof, queries
from quizapp.lottery.queries import PublicPool


def ledger_lines(pool: PublicPool) -> Iterator[str]:
    """Manifest, records, head; each with its newline. The head is the one ``pool`` was read with, so that draws made
    while the file is written do not matter."""
    yield pool.manifest + "\n"
    for body in queries.iterate_records(pool):
        yield body + "\n"
    yield proof.head_line(str(pool.id), pool.record_count, pool.chain_head) + "\n"

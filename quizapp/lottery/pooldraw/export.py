"""The public file of a pool draw (docs/draw-proof-pools.md §9)."""

from collections.abc import Iterator

from quizapp.lottery import pool_proof
from quizapp.lottery.pooldraw import queries
from quizapp.lottery.pooldraw.queries import PublicDraw


def file_lines(found: PublicDraw) -> Iterator[str]:
    """Manifest, records with their lists, head; each with its newline. Records added while it is written do not matter."""
    run, count, head = found.run, found.run.record_count, found.run.chain_head
    yield found.manifest + "\n"
    for kind, body, _link in queries.list_records(run.id, count):
        yield body + "\n"
        if kind == "freeze":
            yield from list_lines(found)
        elif kind in ("draw", "outside"):
            yield from (line + "\n" for line in queries.iterate_results(run.id))
    yield pool_proof.canonical({"head": head, "kind": "head", "pool": str(run.id), "records": count}) + "\n"


def list_lines(found: PublicDraw) -> Iterator[str]:
    """The frozen list alone: what ``sha256sum`` prints for it is the list hash."""
    return (pool_proof.entry_line(*row) + "\n" for row in queries.iterate_entries(found.run.id))

"""The public list of chain heads: one line per pool whose chain has grown, chained over all pools."""

import datetime as dt

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.lottery import proof
from quizapp.lottery.models import ChainHead, PrizePool

START = proof.seal("draw-proof/heads")
"""What the first line of the list carries as the one before it."""


def publish_heads(now: dt.datetime) -> int:
    """Add a line for every pool whose chain has grown since its last line. Returns how many.

    Two workers at once cannot both add: numbers are unique, and the one that comes second fails as a whole.
    """
    last = db.session.scalars(sa.select(ChainHead).order_by(ChainHead.number.desc()).limit(1)).first()
    number, previous = (last.number, last.seal) if last is not None else (0, START)
    listed = sa.select(sa.func.max(ChainHead.record_count)).where(ChainHead.pool_id == PrizePool.id).correlate(PrizePool).scalar_subquery()
    grown = sa.select(PrizePool.id, PrizePool.record_count, PrizePool.chain_head).where(
        PrizePool.record_count > sa.func.coalesce(listed, 0)
    )
    found = db.session.execute(grown.order_by(PrizePool.id)).all()
    for row in found:
        number += 1
        body = proof.canonical(
            {
                "at": proof.moment_text(now),
                "head": row.chain_head,
                "kind": "published",
                "number": number,
                "pool": str(row.id),
                "previous": previous,
                "records": row.record_count,
            }
        )
        previous = proof.seal(body)
        db.session.add(
            ChainHead(
                number=number,
                pool_id=row.id,
                record_count=row.record_count,
                head=row.chain_head,
                body=body,
                seal=previous,
                published_at=now,
            )
        )
    db.session.flush()
    return len(found)

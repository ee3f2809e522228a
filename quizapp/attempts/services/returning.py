"""Prizes from stock that awards gave and nobody took: back into the stock, where the terms say so."""

import datetime as dt

import sqlalchemy as sa

from quizapp.attempts.models import AwardQuota
from quizapp.attempts.services.awarding import SOURCE
from quizapp.core.db import db
from quizapp.payouts import services as payouts
from quizapp.payouts.models import Payout


def return_award_prizes(*, now: dt.datetime, limit: int = 500) -> int:
    """Work what was lost of awards. Returns how many rows."""
    rows = payouts.lock_forfeits(source_type=SOURCE, rule="stock", limit=limit)
    for row in rows:
        title = db.session.scalar(sa.select(Payout.title).where(Payout.id == row.payout_id))
        statement = sa.update(AwardQuota).where(
            AwardQuota.campaign_id == row.campaign_id, AwardQuota.key == f"prize:{title}", AwardQuota.used > 0
        )
        changed = db.session.execute(statement.values(used=AwardQuota.used - 1), execution_options={"synchronize_session": False})
        payouts.settle_forfeit(row, "returned" if changed.rowcount else "kept", now)  # type: ignore[attr-defined]
    kept = payouts.lock_forfeits(source_type=SOURCE, rule="reserve", limit=limit)
    for row in kept:
        payouts.settle_forfeit(row, "kept", now)
    return len(rows) + len(kept)

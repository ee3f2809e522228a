"""What the packages that prizes come from do with prizes nobody got: each works the rows of its own source type."""

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.payouts.models import Payout, PayoutForfeit


def lock_forfeits(
    *, source_type: str, rule: str, campaign_id: uuid.UUID | None = None, draw_key: str | None = None, limit: int = 500
) -> Sequence[PayoutForfeit]:
    """Lock rows nobody has worked yet, the oldest first; those another transaction holds are left to it.

    :param rule: ``stock`` or ``reserve``
    """
    statement = sa.select(PayoutForfeit).where(
        PayoutForfeit.worked_at.is_(None), PayoutForfeit.source_type == source_type, PayoutForfeit.rule == rule
    )
    if campaign_id is not None:
        statement = statement.where(PayoutForfeit.campaign_id == campaign_id)
    if draw_key is not None:
        statement = statement.join(Payout, Payout.id == PayoutForfeit.payout_id).where(Payout.draw_key == draw_key)
    ordered = statement.order_by(PayoutForfeit.at, PayoutForfeit.payout_id).limit(limit)
    return db.session.scalars(ordered.with_for_update(skip_locked=True, of=PayoutForfeit)).all()


def settle_forfeit(forfeit: PayoutForfeit, outcome: str, now: dt.datetime) -> None:
    """Say what has been done about a locked row: ``returned``, ``passed_on``, ``no_reserve``, ``kept``."""
    forfeit.worked_at, forfeit.outcome = now, outcome
    db.session.flush()

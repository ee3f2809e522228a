"""Nightly cleaning: what has run out goes."""

import datetime as dt
import logging

import sqlalchemy as sa

from quizapp.accounts import services
from quizapp.accounts.models import DailyCounter, SmsCode, UserSession
from quizapp.accounts.services.citizens import REREGISTER_AFTER
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import db, transaction

log = logging.getLogger(__name__)

SESSIONS_KEPT = dt.timedelta(days=30)
"""How long an ended session stays on record."""

CODES_KEPT = dt.timedelta(days=1)
COUNTERS_KEPT = dt.timedelta(days=2)


def delete_expired(now: dt.datetime | None = None) -> dict[str, int]:
    """Delete sessions that ended a month ago, old codes and counters, and forget who never agreed. May run twice."""
    now = now or utc_now()
    today = shanghai_day(now)
    long_ago = now - SESSIONS_KEPT
    is_tombstone = DailyCounter.scope == "gone-phone"
    conditions = {
        UserSession: sa.or_(UserSession.expires_at < long_ago, UserSession.ended_at < long_ago),
        SmsCode: SmsCode.created_at < now - CODES_KEPT,
        DailyCounter: sa.or_(
            sa.and_(~is_tombstone, DailyCounter.counted_on < today - COUNTERS_KEPT),
            DailyCounter.counted_on < today - REREGISTER_AFTER,
        ),
    }
    counts: dict[str, int] = {}
    for table, condition in conditions.items():
        with transaction():
            gone = db.session.execute(sa.delete(table).where(condition).execution_options(synchronize_session=False))
            counts[table.__tablename__] = int(getattr(gone, "rowcount", 0))
    with transaction():
        counts["unconsented"] = services.delete_unconsented(now)
    log.info("deleted what has run out: %s", counts)
    return counts

"""Counters in the database, exact under any concurrency."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from quizapp.accounts.models import DailyCounter
from quizapp.core.db import db


def count_up(scope: str, subject: str, day: dt.date) -> int:
    """Count one more on this Shanghai day and return the new count. The row stays locked until the transaction ends,
    and a transaction that is rolled back has counted nothing.

    :param scope: what is counted, at most 32 characters
    :param subject: whom it is counted for, at most 80 characters; never a phone number in clear
    """
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    row = insert(DailyCounter).values(scope=scope, subject=subject, counted_on=day, count=1)
    counted = row.on_conflict_do_update(
        index_elements=["scope", "subject", "counted_on"],
        set_={"count": DailyCounter.count + 1},
    ).returning(DailyCounter.count)
    return int(db.session.execute(counted).scalar_one())


def count_of(scope: str, subject: str, *, since: dt.date) -> int:
    """What was counted from the Shanghai day ``since`` on."""
    counted = sa.select(sa.func.coalesce(sa.func.sum(DailyCounter.count), 0))
    return int(
        db.session.scalar(counted.where(DailyCounter.scope == scope, DailyCounter.subject == subject, DailyCounter.counted_on >= since))
        or 0
    )

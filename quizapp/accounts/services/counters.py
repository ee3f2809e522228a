"""Counters in the database, exact under any concurrency."""

import datetime as dt
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from quizapp.accounts.models import DailyCounter
from quizapp.core.db import db
from quizapp.core.statements import Write

_counters = cast(sa.Table, DailyCounter.__table__)
counted_on = _counters.c.counted_on


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


def total(scope: str, subject: sa.ColumnElement[str], days: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """What was counted, as a column of another statement.

    :param days: a condition on :data:`counted_on`
    """
    counts = sa.select(sa.func.coalesce(sa.func.sum(_counters.c.count), 0))
    return counts.where(_counters.c.scope == scope, _counters.c.subject == subject, days).scalar_subquery()


def count_of(scope: str, subject: str, *, since: dt.date) -> int:
    """What was counted from the Shanghai day ``since`` on."""
    return int(db.session.scalar(sa.select(total(scope, sa.literal(subject), counted_on >= since))) or 0)


def count_write(prefix: str, scope: str, subject: str, day: dt.date, *, below: int) -> Write:
    """Count one more on this Shanghai day, to be written with others: a guard that holds while the count is ``below``.

    :param prefix: of the parameters' names
    """
    p = prefix
    sql = (
        f"INSERT INTO daily_counters (scope, subject, counted_on, count) VALUES (:{p}_scope, :{p}_subject, :{p}_day, 1) "  # noqa: S608 - a prefix of ours
        f"ON CONFLICT (scope, subject, counted_on) DO UPDATE SET count = daily_counters.count + 1 WHERE daily_counters.count < :{p}_below"
    )
    return Write(sql, {f"{p}_scope": scope, f"{p}_subject": subject, f"{p}_day": day, f"{p}_below": below}, is_guarded=True)

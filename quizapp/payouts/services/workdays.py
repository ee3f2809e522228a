"""Days that are not what the week says: holidays on weekdays, weekend days worked."""

import datetime as dt

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.payouts.models import WorkdayChange


def set_workday(*, day: dt.date, is_working: bool, note: str, actor: audit.Actor, now: dt.datetime) -> None:
    """Enter or change one day."""
    db.session.merge(WorkdayChange(day=day, is_working=is_working, note=note.strip()[:40]))
    db.session.flush()
    _record(day, actor, now, is_working=is_working, note=note.strip()[:40])


def clear_workday(*, day: dt.date, actor: audit.Actor, now: dt.datetime) -> None:
    """Let a day be what the week says again."""
    found = db.session.get(WorkdayChange, day)
    if found is None:
        return
    db.session.delete(found)
    db.session.flush()
    _record(day, actor, now, is_cleared=True)


def _record(day: dt.date, actor: audit.Actor, now: dt.datetime, **changes: object) -> None:
    audit.record("workdays.changed", actor=actor, target_type="workday", target_id=day.isoformat(), changes=changes, now=now)

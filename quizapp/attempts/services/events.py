"""What came too late is kept."""

import datetime as dt
import uuid
from typing import Any

from quizapp.attempts import queries
from quizapp.attempts.models import AttemptEvent
from quizapp.core.db import db

MAX_EVENTS = 50
"""Of one attempt: enough for every honest retry, too few to fill a disk with."""


def record_event(attempt_id: uuid.UUID, kind: str, now: dt.datetime, **details: Any) -> None:
    """Keep what reached us and cannot count, in the caller's transaction."""
    if queries.count_events(attempt_id) < MAX_EVENTS:
        db.session.add(AttemptEvent(attempt_id=attempt_id, kind=kind, at=now, details=details))
        db.session.flush()

"""What the worker does for the plumbing."""

import datetime as dt

from quizapp.core import challenges, idempotency
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction


def delete_old_idempotency_keys(now: dt.datetime | None = None) -> int:
    """Forget keys of more than a day ago, and challenges that ran out. Returns how many."""
    with transaction():
        return idempotency.delete_old(now or utc_now()) + challenges.delete_old(now or utc_now())

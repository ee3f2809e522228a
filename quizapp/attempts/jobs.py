"""What the worker does for attempts; each may run twice."""

import datetime as dt
import logging
import time
import uuid

from quizapp.attempts import queries, remark_queries, services
from quizapp.attempts.services import remarking, returning
from quizapp.attempts.services.closing import close_attempt
from quizapp.campaigns import queries as campaign_queries
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction

log = logging.getLogger(__name__)

BATCH = 50
MOST_BATCHES = 40
"""Of one run; the next one comes in seconds."""


def close_overdue(now: dt.datetime | None = None) -> int:
    """Every few seconds: close papers whose time is over, and delete what guests left behind two days ago."""
    moment = now or utc_now()
    total = 0
    for _ in range(MOST_BATCHES):
        try:
            with transaction():
                closed = services.close_overdue(now=moment, limit=BATCH).total
        except Exception:
            log.exception("closing a batch of papers failed; closing them one by one")
            total += _close_singly(moment)
            break
        total += closed
        if closed < BATCH:
            break
    with transaction():
        deleted = services.delete_forgotten_papers(now=moment)
    if total or deleted:
        log.info("close_overdue: %d closed, %d deleted", total, deleted)
    return total


def _close_singly(now: dt.datetime) -> int:
    """Each paper in its own transaction, so that one that fails does not keep the others waiting."""
    closed = 0
    for attempt_id in queries.list_overdue(now, BATCH * MOST_BATCHES):
        try:
            with transaction():
                closed += close_attempt(attempt_id, now)
        except Exception:
            log.exception("paper %s cannot be closed", attempt_id)
    return closed


REMARK_BATCH = 500
REMARK_SECONDS = 30.0
"""Of one run, so that a worker that is to end does not wait long; the next one comes in seconds and goes on."""


def remark_attempts(now: dt.datetime | None = None, seconds: float = REMARK_SECONDS) -> int:
    """Every few seconds: mark papers again whose question had a wrong key. Returns how many were looked at."""
    ends = time.monotonic() + seconds
    with transaction():
        remarking.open_runs(now or utc_now())
    return sum(_remark(correction_id, now, ends) for correction_id in remark_queries.list_unfinished() if time.monotonic() < ends)


def _remark(correction_id: uuid.UUID, now: dt.datetime | None, ends: float) -> int:
    with transaction():
        task = remarking.plan_pass(correction_id, now or utc_now())
    if task is None:
        return 0
    for start in range(0, len(task.attempt_ids), REMARK_BATCH):
        if time.monotonic() > ends:
            return start
        with transaction():
            if not remarking.remark_batch(task, task.attempt_ids[start : start + REMARK_BATCH], now or utc_now()):
                return start
    with transaction():
        remarking.finish_pass(task, now or utc_now())
    return len(task.attempt_ids)


def return_award_prizes(now: dt.datetime | None = None) -> int:
    """Every few minutes: prizes of awards that nobody took go back to their stock, as the terms say."""
    with transaction():
        return returning.return_award_prizes(now=now or utc_now())


def forget_entries(now: dt.datetime | None = None) -> int:
    """Every hour: forget the answers to campaigns' own questions whose time is over. Returns how many."""
    moment = now or utc_now()
    total = 0
    with transaction():
        for view in campaign_queries.list_visible(moment):
            total += services.forget_answers(view, moment)
    if total:
        log.info("forget_entries: %d", total)
    return total

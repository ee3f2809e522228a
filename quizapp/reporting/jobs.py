"""What the worker does for reports. Everything here may run twice and in several workers at once."""

import datetime as dt
import logging
import tempfile
import time
from pathlib import Path

from flask import current_app

from quizapp.adapters.storage import Storage
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError
from quizapp.reporting import items_fold, services
from quizapp.reporting.services import Claim

log = logging.getLogger(__name__)


def _storage() -> Storage:
    storage: Storage = current_app.extensions["storage"]
    return storage


def build_pending_reports(now: dt.datetime | None = None, limit: int = 50) -> int:
    """Build every report that waits. Returns how many became ready.

    A worker that dies leaves its claim to run out; the next one begins again under another file name.
    """
    done = 0
    for _ in range(limit):
        if not services.is_report_waiting(now or utc_now()):
            break
        with transaction():
            claim = services.claim_report(now or utc_now())
        if claim is None:
            break
        done += _build(claim, _storage())
    return done


def _build(claim: Claim, storage: Storage) -> bool:
    began = time.monotonic()
    try:
        row_count = _build_file(claim, storage)
    except AppError as error:
        with transaction():
            services.give_up_report(claim, error.message)
        log.info("report %s cannot be built: %s", claim.request_id, error.code)
        return False
    except Exception:
        log.exception("report %s failed, build %d", claim.request_id, claim.build_count)
        with transaction():
            services.release_report(claim, utc_now())
        return False
    if row_count is None:
        storage.delete(claim.file_key())
        log.warning("report %s was taken over by another worker", claim.request_id)
        return False
    for earlier in range(1, claim.build_count):
        storage.delete(claim.file_key(earlier))
    log.info("report %s ready: %d rows in %.2f s", claim.request_id, row_count, time.monotonic() - began)
    return True


def _build_file(claim: Claim, storage: Storage) -> int | None:
    """Count, write, keep, and say so. Returns the number of rows, None when another worker has taken over."""
    now = utc_now()
    db.session.rollback()
    document = claim.order.build(now)
    db.session.rollback()
    with transaction():
        if not services.note_progress(claim, 60, utc_now()):
            return None
    with tempfile.TemporaryDirectory(prefix="quizapp-report-") as folder:
        path = Path(folder) / "report"
        row_count = document.write(path)
        with transaction():
            if not services.note_progress(claim, 90, utc_now()):
                return None
        storage.put(claim.file_key(), path)
    with transaction():
        is_mine = services.finish_report(claim, file_name=document.file_name, row_count=row_count, now=utc_now())
    return row_count if is_mine else None


def expire_reports(now: dt.datetime | None = None) -> int:
    """Delete files whose time is over. The file goes first: after a crash in between, this simply runs again."""
    storage = _storage()
    with transaction():
        over = services.list_expired(now or utc_now())
        for request in over:
            storage.delete(request.file_key)
            services.mark_expired(request)
    return len(over)


def fold_items(now: dt.datetime | None = None) -> int:
    """Fold what was handed in, excluded or re-marked since into item statistics. Returns how many campaigns were read."""
    return items_fold.fold_due(now or utc_now())

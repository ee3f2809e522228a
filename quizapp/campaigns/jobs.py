"""What the worker does for campaigns; may run twice and in several workers at once."""

import datetime as dt
import logging
from collections import Counter

from flask import current_app

from quizapp.campaigns import queries
from quizapp.campaigns.services import running
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction

log = logging.getLogger(__name__)


def advance_campaigns(now: dt.datetime | None = None) -> int:
    """Every few seconds: publish what is approved and due, close what is over. What was missed while no worker ran is made
    up for. Each campaign has a transaction of its own, so that one that fails keeps nobody waiting."""
    moment = now or utc_now()
    counts: Counter[str] = Counter()
    for campaign_id in queries.list_due(moment):
        try:
            with transaction():
                done = running.advance_campaign(campaign_id, now=moment, allows_cash=current_app.config["ALLOWS_CASH_PRIZES"])
        except Exception:
            log.exception("campaign %s cannot be advanced", campaign_id)
            continue
        counts[done] += 1
    del counts[""]
    if counts:
        log.info("advance_campaigns: %s", ", ".join(f"{count} {done}" for done, count in sorted(counts.items())))
    return counts.total()

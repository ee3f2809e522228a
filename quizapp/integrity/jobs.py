"""What the worker does for integrity; each may run twice."""

import datetime as dt
import logging
import uuid
from typing import cast

import sqlalchemy as sa
from flask import current_app

from quizapp.accounts import services as accounts
from quizapp.attempts.models import Attempt
from quizapp.campaigns.models import Campaign
from quizapp.core.clock import utc_now
from quizapp.core.crypto import Vault
from quizapp.core.db import db, transaction
from quizapp.integrity import queries, rules, services
from quizapp.integrity.models import Case, Decision, ScanCursor
from quizapp.payouts import services as payouts

log = logging.getLogger(__name__)

MOST_BATCHES = 20
"""Of one campaign in one run; the next run goes on."""


def scan(now: dt.datetime | None = None) -> int:
    """Every minute: look at what was handed in since. Returns how many attempts were looked at."""
    moment, total, opened = now or utc_now(), 0, 0
    with transaction():
        payouts.hold_watched(now=moment)
        accounts.fill_block_tags(cast(Vault, current_app.extensions["vault"]))
    for campaign_id in _campaigns_to_scan(moment):
        for _ in range(MOST_BATCHES):
            with transaction():
                done = services.scan_campaign(campaign_id=campaign_id, now=moment)
            total, opened = total + done.attempts, opened + done.cases
            if not done.attempts:
                break
    _exclude_later(moment)
    if total:
        log.info("integrity scan: %d attempts, %d cases", total, opened)
    return total


def _campaigns_to_scan(now: dt.datetime) -> list[uuid.UUID]:
    """Campaigns with a graded attempt behind their cursor."""
    newer = sa.exists().where(
        Attempt.campaign_id == Campaign.id,
        Attempt.state == "graded",
        sa.or_(ScanCursor.seen_at.is_(None), Attempt.submitted_at > ScanCursor.seen_at),
    )
    began = sa.select(Campaign.id).outerjoin(ScanCursor, ScanCursor.campaign_id == Campaign.id)
    found = began.where(Campaign.status.in_(("published", "paused", "closed")), newer).order_by(Campaign.opens_at)
    db.session.rollback()
    return list(db.session.scalars(found))


def _exclude_later(now: dt.datetime) -> None:
    """Whose whole part was taken out and who has played since."""
    later = sa.exists().where(
        Attempt.campaign_id == Case.campaign_id,
        Attempt.citizen_id == Case.citizen_id,
        Attempt.state == "graded",
        Attempt.excluded_at.is_(None),
    )
    out = sa.exists().where(Decision.case_id == Case.id, Decision.kind == "exclude_person", Decision.step.in_(("decided", "confirmed")))
    for case_id in list(db.session.scalars(sa.select(Case.id).where(Case.state == "excluded", out, later))):
        with transaction():
            services.exclude_later_attempts(case_id=case_id, now=now)


def finish_exclusions(now: dt.datetime | None = None) -> int:
    """Every few minutes: void what exclusions keep back that nobody has answered in time. Returns how many prizes."""
    moment, total = now or utc_now(), 0
    for decision_id in queries.list_to_finish(moment - rules.APPEAL_WINDOW):
        with transaction():
            total += services.finish(decision_id=decision_id, now=moment)
    if total:
        log.info("finish_exclusions: %d prizes", total)
    return total

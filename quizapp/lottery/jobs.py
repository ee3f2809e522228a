"""What the worker does for draws; each may run twice. One transaction per campaign, so that none waits for another."""

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Iterable

from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.lottery import queries, services
from quizapp.lottery.services import forfeiting
from quizapp.payouts.jobs import expire_claims
from quizapp.payouts.queries import list_forfeit_campaigns

__all__ = ["chain_grants", "expire_claims", "expire_tickets", "publish_heads", "reveal_secrets", "work_forfeits"]

log = logging.getLogger(__name__)


def _each(name: str, campaigns: Iterable[uuid.UUID], work: Callable[[uuid.UUID], int]) -> int:
    """One campaign after the other; one that fails is logged and does not keep the others waiting."""
    total = 0
    for campaign_id in campaigns:
        try:
            with transaction():
                count = work(campaign_id)
        except Exception:
            log.exception("%s failed for campaign %s", name, campaign_id)
            continue
        total += count
    if total:
        log.info("%s: %d", name, total)
    return total


def chain_grants(now: dt.datetime | None = None) -> int:
    """Every minute: list the tickets granted since the last list, so that one lost or slipped in shows."""
    moment = now or utc_now()
    campaigns = queries.list_campaigns_to_chain()
    return _each("chain_grants", campaigns, lambda campaign: services.chain_grants(campaign_id=campaign, now=moment))


def expire_tickets(now: dt.datetime | None = None) -> int:
    """Every few minutes: close tickets that nobody drew in time."""
    moment = now or utc_now()
    campaigns = queries.list_campaigns_with_late_tickets(moment)
    return _each("expire_tickets", campaigns, lambda campaign: services.expire_tickets(campaign_id=campaign, now=moment))


def reveal_secrets(now: dt.datetime | None = None) -> int:
    """Every few minutes: publish the secrets of days that are over and settled."""
    moment = now or utc_now()
    campaigns = queries.list_campaigns_to_reveal(moment)
    return _each("reveal_secrets", campaigns, lambda campaign: services.reveal_secrets(campaign_id=campaign, now=moment))


def work_forfeits(now: dt.datetime | None = None) -> int:
    """Every few minutes: what nobody got goes back to the stock or on to the reserve list, as the terms say."""
    moment = now or utc_now()
    campaigns = list_forfeit_campaigns("win", "stock")
    total = _each("return_forfeits", campaigns, lambda campaign: forfeiting.return_forfeits(campaign_id=campaign, now=moment))
    for work in (forfeiting.pass_on_forfeits, forfeiting.keep_forfeits):
        with transaction():
            total += work(now=moment)
    return total


def publish_heads(now: dt.datetime | None = None) -> int:
    """Every half hour: put the heads of the chains on the public list, where witnesses fetch them."""
    with transaction():
        return services.publish_heads(now or utc_now())

"""What the worker does for hand-overs; each may run twice."""

import datetime as dt
import logging

from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.payouts import queries, services

log = logging.getLogger(__name__)


def expire_claims(now: dt.datetime | None = None) -> int:
    """Every few minutes: close what was not claimed or fetched in time."""
    moment, total = now or utc_now(), 0
    while True:
        with transaction():
            count = services.expire_payouts(now=moment)
        total += count
        if not count:
            break
    if total:
        log.info("expire_claims: %d", total)
    return total


def serve_waiting_codes(now: dt.datetime | None = None) -> int:
    """Every few minutes: give codes to those who claimed while the pool was empty."""
    moment, total = now or utc_now(), 0
    for item_id in queries.list_items_to_serve():
        with transaction():
            total += services.serve_waiting(item_id=item_id, now=moment)
    if total:
        log.info("serve_waiting_codes: %d", total)
    return total


def work_notices(now: dt.datetime | None = None) -> int:
    """Every few minutes: plan, put up and take down the winners' notices."""
    moment = now or utc_now()
    with transaction():
        services.plan_due_notices(now=moment)
        up = services.publish_notices(now=moment)
        down = services.take_down_notices(now=moment)
    if up or down:
        log.info("work_notices: %d up, %d down", up, down)
    return up + down


def pay_deferred_points(now: dt.datetime | None = None) -> int:
    """Every few minutes: points that the terms pay together, once their moment has come."""
    with transaction():
        return services.pay_deferred_points(now=now or utc_now())


def settle_money(now: dt.datetime | None = None) -> int:
    """Every minute: what prizes did to the budgets that pay for them. One transaction per batch; a step is posted once."""
    moment, total = now or utc_now(), 0
    while True:
        with transaction():
            count = services.settle_money(now=moment)
        total += count
        if not count:
            break
    return total

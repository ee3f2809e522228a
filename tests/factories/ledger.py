"""Entries for tests."""

import datetime as dt
import uuid

from quizapp.accounts.models import Citizen
from quizapp.core.clock import utc_now
from quizapp.core.db import in_transaction, transaction
from quizapp.core.ids import new_id
from quizapp.ledger import rules, services


def give_points(
    citizen: Citizen, amount: int, *, reason: str = "attempt", source_id: uuid.UUID | None = None, now: dt.datetime | None = None
) -> None:
    """Points for a citizen from where points come from."""

    def work() -> None:
        services.post(
            services.Posting(
                unit="points",
                from_owner=rules.POINTS_SOURCE,
                to_owner=("citizen", str(citizen.id)),
                amount=amount,
                source_type="attempt",
                source_id=source_id or new_id(),
                reason=reason,
                now=now or utc_now(),
            )
        )

    if in_transaction():
        work()
        return
    with transaction():
        work()

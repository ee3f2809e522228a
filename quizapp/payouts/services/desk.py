"""The pick-up desk: a verification code is good for one hand-over."""

import datetime as dt
import uuid
from collections.abc import Sequence

from quizapp.audit import services as audit
from quizapp.payouts import queries, rules
from quizapp.payouts.errors import AlreadyHandedOver, ClaimExpired, UnderReview
from quizapp.payouts.models import Payout
from quizapp.payouts.services.moves import move


def hand_over(*, code: str, staff_id: uuid.UUID, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> Payout:
    """Hand a prize over to whoever shows its code.

    :param paths: organisation subtrees this member of staff serves
    :raises WrongPickupCode: for a code nobody has, or of another unit's campaign
    :raises AlreadyHandedOver: the second time; says when and by whom
    :raises UnderReview: while it is held
    :raises ClaimExpired: if it waited longer than it had to
    """
    found = queries.get_desk_case(code, paths)
    payout = queries.lock_payout(found.payout.id)
    if payout.state == "done":
        raise AlreadyHandedOver(payout.done_at, queries.staff_name(payout.handled_by))
    if payout.state == "held":
        raise UnderReview
    if payout.state == "expired" or rules.is_too_late(payout.state, payout.claim_deadline_at, now):
        raise ClaimExpired
    payout.handled_by = staff_id
    move(payout, "done", now=now, reason="handed_over", actor_name=actor.name)
    audit.record(
        "payout.handed_over",
        actor=actor,
        target_type="payout",
        target_id=payout.id,
        target_name=payout.title,
        organisation_path=found.host_path,
        changes={"reference": payout.reference},
        now=now,
    )
    return payout

"""What a citizen does with a prize: claim it, or give it up. What time does: let it expire."""

import datetime as dt
import secrets
import uuid

import sqlalchemy as sa

from quizapp.accounts.queries import get_profile
from quizapp.accounts.rules import is_minor
from quizapp.accounts.services import give_consent
from quizapp.core.db import db
from quizapp.payouts import queries, rules
from quizapp.payouts.errors import ClaimExpired, NotClaimable, OnItsWay
from quizapp.payouts.models import Payout
from quizapp.payouts.services.codes import take_code
from quizapp.payouts.services.moves import CITIZEN, move, vault

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def claim_payout(*, payout_id: uuid.UUID, citizen_id: uuid.UUID, now: dt.datetime, is_phone_public: bool = False) -> Payout:
    """Claim what one has won. A repeat changes nothing and gives the same answer.

    cash waits for the finance desk · a code is shown at once, or as soon as one is uploaded · pickup gets a verification code

    :param is_phone_public: the separate consent to a masked number in the notice; minors cannot give it
    :raises PayoutNotFound: if it is somebody else's
    :raises ClaimExpired: after the deadline, whether a worker has run or not
    :raises NotClaimable: for one that was given up or voided
    """
    payout = queries.lock_payout(payout_id, citizen_id=citizen_id)
    if payout.state in ("processing", "ready", "done", "unknown"):
        return payout
    if payout.state == "expired" or rules.is_too_late(payout.state, payout.claim_deadline_at, now):
        raise ClaimExpired
    if payout.state not in ("claimable", "returned"):
        raise NotClaimable
    payout.claimed_at = now
    if is_phone_public:
        _agree_to_notice(payout, now)
    if payout.kind == "pickup":
        _prepare_pickup(payout, now)
    elif payout.kind == "code" and take_code(payout):
        move(payout, "done", now=now, reason="code_given", actor_name=CITIZEN)
    else:
        payout.cash_list_id = None
        move(payout, "processing", now=now, reason="claimed", actor_name=CITIZEN)
    return payout


def _agree_to_notice(payout: Payout, now: dt.datetime) -> None:
    if is_minor(get_profile(payout.citizen_id).age_band):
        return
    payout.is_phone_public = True
    give_consent(payout.citizen_id, "publicity", rules.PUBLICITY_VERSION, now)


def _prepare_pickup(payout: Payout, now: dt.datetime) -> None:
    code = "".join(secrets.choice(_ALPHABET) for _ in range(rules.PICKUP_CODE_LENGTH))
    payout.pickup_tag = vault().tag("pickup-code", code)
    payout.pickup_code_encrypted = vault().encrypt(code)
    payout.claim_deadline_at = now + dt.timedelta(days=rules.PICKUP_DAYS)
    move(payout, "ready", now=now, reason="claimed", actor_name=CITIZEN)


def expire_payouts(*, now: dt.datetime, limit: int = 500) -> int:
    """Close what was not claimed or fetched in time; what it was worth stays unspent (stock is not put back by itself)."""
    late = (
        sa.select(Payout)
        .where(Payout.state.in_(rules.EXPIRING_STATES), Payout.claim_deadline_at <= now)
        .order_by(Payout.claim_deadline_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    payouts = db.session.scalars(late).all()
    for payout in payouts:
        move(payout, "expired", now=now, reason="deadline")
    return len(payouts)


def forfeit_payouts(*, citizen_id: uuid.UUID, now: dt.datetime) -> int:
    """Give up everything that is still open, as somebody does who deletes the account.

    :raises OnItsWay: while something is on a cash list: that has to be settled first
    """
    mine = sa.select(Payout).where(Payout.citizen_id == citizen_id, Payout.state.in_(rules.OPEN_STATES)).with_for_update()
    payouts = db.session.scalars(mine).all()
    if any(payout.state in ("processing", "unknown") and payout.cash_list_id is not None for payout in payouts):
        raise OnItsWay
    for payout in payouts:
        move(payout, "forfeited", now=now, reason="given_up", actor_name=CITIZEN)
    return len(payouts)

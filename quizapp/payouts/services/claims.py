"""What a citizen does with a prize: claim it, or give it up. What time does: let it expire."""

import datetime as dt
import secrets
import uuid

import sqlalchemy as sa

from quizapp.accounts.queries import get_profile
from quizapp.accounts.rules import is_minor
from quizapp.accounts.services import give_consent
from quizapp.core.clock import day_start, shanghai_day
from quizapp.core.db import db
from quizapp.payouts import queries, rules
from quizapp.payouts.errors import ClaimExpired, NoSuchPoint, NotClaimable, OnAList, OnItsWay, UnderReview
from quizapp.payouts.models import Payout
from quizapp.payouts.services.codes import take_code
from quizapp.payouts.services.moves import CITIZEN, move, vault

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def claim_payout(
    *, payout_id: uuid.UUID, citizen_id: uuid.UUID, now: dt.datetime, is_phone_public: bool = False, pickup_point: str = ""
) -> Payout:
    """Claim what one has won. A repeat changes nothing and gives the same answer.

    cash waits for the finance desk · a code is shown at once, or as soon as one is uploaded · pickup gets a verification code

    :param is_phone_public: the separate consent to a masked number in the notice; minors cannot give it
    :param pickup_point: where it will be fetched, for a pick-up whose terms name several places
    :raises PayoutNotFound: if it is somebody else's
    :raises UnderReview: while it is held
    :raises NoSuchPoint: for a pick-up place the terms do not name
    :raises ClaimExpired: after the deadline, whether a worker has run or not
    :raises NotClaimable: for one that was given up or voided
    """
    payout = queries.lock_payout(payout_id, citizen_id=citizen_id)
    if payout.state in ("processing", "ready", "done", "unknown"):
        return payout
    if payout.state == "held" or queries.is_watched(payout.citizen_id, payout.campaign_id):
        raise UnderReview
    if payout.state == "expired" or rules.is_too_late(payout.state, payout.claim_deadline_at, now):
        raise ClaimExpired
    if payout.state not in ("claimable", "returned"):
        raise NotClaimable
    terms = queries.find_claim_terms(payout.campaign_id)
    is_later = terms.deferred_until is not None and now < terms.deferred_until
    point = _chosen_point(terms, pickup_point) if payout.kind == "pickup" else ""
    payout.claimed_at, payout.is_phone_public = now, False
    if is_phone_public:
        _agree_to_notice(payout, now)
    if payout.kind == "pickup":
        payout.pickup_point = point
        _prepare_pickup(payout, terms, now)
    elif payout.kind == "code" and not is_later and take_code(payout):
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


def withdraw_publicity(*, payout_id: uuid.UUID, citizen_id: uuid.UUID) -> None:
    """Take one's masked number off the notice of this prize. All of them: withdraw the consent ``publicity``."""
    queries.lock_payout(payout_id, citizen_id=citizen_id).is_phone_public = False
    db.session.flush()


def _chosen_point(terms: queries.ClaimTerms, chosen: str) -> str:
    if not terms.pickup_points:
        return ""
    if len(terms.pickup_points) == 1:
        return terms.pickup_points[0]
    if chosen not in terms.pickup_points:
        raise NoSuchPoint
    return chosen


def _prepare_pickup(payout: Payout, terms: queries.ClaimTerms, now: dt.datetime) -> None:
    """It lies ready so many working days after the claim, or after the day from which everything is given out; it waits there
    ``PICKUP_DAYS`` days."""
    from_on = queries.workday_after(shanghai_day(max(now, terms.deferred_until or now)), terms.pickup_after_days)
    code = "".join(secrets.choice(_ALPHABET) for _ in range(rules.PICKUP_CODE_LENGTH))
    payout.pickup_tag = vault().tag("pickup-code", code)
    payout.pickup_code_encrypted = vault().encrypt(code)
    payout.pickup_from_on = from_on
    payout.claim_deadline_at = max(now, day_start(from_on)) + dt.timedelta(days=rules.PICKUP_DAYS)
    move(payout, "ready", now=now, reason="claimed", actor_name=CITIZEN)


def expire_payouts(*, now: dt.datetime, limit: int = 500) -> int:
    """Close what was not claimed or fetched in time; what becomes of it is written down with the step."""
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


def refuse_payout(*, payout_id: uuid.UUID, citizen_id: uuid.UUID, now: dt.datetime) -> Payout:
    """Say no to a prize one has won. A repeat changes nothing.

    :raises OnAList: for cash on a list
    :raises UnderReview: while it is held
    :raises NotClaimable: for one that is handed over or lost already
    """
    payout = queries.lock_payout(payout_id, citizen_id=citizen_id)
    if payout.state == "forfeited":
        return payout
    if payout.state == "held":
        raise UnderReview
    _refuse_settled(payout)
    move(payout, "forfeited", now=now, reason="refused", actor_name=CITIZEN)
    return payout


def _refuse_settled(payout: Payout) -> None:
    if payout.state == "processing" and payout.cash_list_id is not None:
        raise OnAList
    if payout.state not in rules.HOLDABLE_STATES:
        raise NotClaimable


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

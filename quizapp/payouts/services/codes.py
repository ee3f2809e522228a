"""Code pools: staff upload them, each code is given to one payout."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.payouts import queries
from quizapp.payouts.models import Payout, PayoutItem, PrizeCode
from quizapp.payouts.services.moves import move, vault

CHUNK = 500


@dataclass(frozen=True)
class UploadResult:
    added_count: int
    known_count: int
    served_count: int
    """Payouts that were waiting for a code and have got one."""


def take_code(payout: Payout) -> bool:
    """Give one free code of the item to a locked payout. ``SKIP LOCKED`` lets others take the next one meanwhile.

    :returns: whether there was one
    """
    free = (sa.select(PrizeCode).filter_by(item_id=payout.item_id, payout_id=None).order_by(PrizeCode.id).limit(1)).with_for_update(
        skip_locked=True
    )
    code = db.session.scalar(free)
    if code is None:
        return False
    code.payout_id = payout.id
    db.session.flush()
    return True


def upload_codes(
    *, item: PayoutItem, codes: Sequence[str], staff_id: uuid.UUID, organisation_path: str, actor: audit.Actor, now: dt.datetime
) -> UploadResult:
    """Put codes into an item's pool, encrypted; those it holds already are left alone. Whoever waits is served first."""
    tags = {vault().tag("prize-code", code): code for code in codes}
    known = _known_tags(item.id, list(tags))
    fresh = [(tag, code) for tag, code in tags.items() if tag not in known]
    if fresh:
        db.session.execute(
            sa.insert(PrizeCode),
            [
                {
                    "id": new_id(),
                    "item_id": item.id,
                    "code_tag": tag,
                    "code_encrypted": vault().encrypt(code),
                    "payout_id": None,
                    "uploaded_at": now,
                    "uploaded_by": staff_id,
                }
                for tag, code in fresh
            ],
        )
    served_count = serve_waiting(item_id=item.id, now=now)
    audit.record(
        "payout.codes_uploaded",
        actor=actor,
        target_type="payout_item",
        target_id=item.id,
        target_name=item.title,
        organisation_path=organisation_path,
        changes={"added": len(fresh), "known": len(known), "served": served_count},
        now=now,
    )
    return UploadResult(len(fresh), len(known), served_count)


def _known_tags(item_id: uuid.UUID, tags: list[bytes]) -> set[bytes]:
    known: set[bytes] = set()
    for start in range(0, len(tags), CHUNK):
        part = tags[start : start + CHUNK]
        found = db.session.scalars(sa.select(PrizeCode.code_tag).where(PrizeCode.item_id == item_id, PrizeCode.code_tag.in_(part)))
        known.update(bytes(tag) for tag in found)
    return known


def serve_waiting(*, item_id: uuid.UUID, now: dt.datetime, limit: int = CHUNK) -> int:
    """Give codes to those who claimed when the pool was empty, in the order of their claims; before the moment at which
    the terms give everything out together, to nobody."""
    served_count = 0
    item = db.session.get(PayoutItem, item_id)
    until = queries.find_claim_terms(item.campaign_id if item else None).deferred_until
    if until is not None and now < until:
        return 0
    for payout in _lock_waiting(item_id, limit):
        if not take_code(payout):
            break
        move(payout, "done", now=now, reason="code_given")
        served_count += 1
    return served_count


def _lock_waiting(item_id: uuid.UUID, limit: int) -> Iterable[Payout]:
    waiting = sa.select(Payout).filter_by(item_id=item_id, kind="code", state="processing").order_by(Payout.claimed_at, Payout.id)
    return db.session.scalars(waiting.limit(limit).with_for_update(skip_locked=True)).all()

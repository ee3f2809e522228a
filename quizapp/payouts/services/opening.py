"""Opening a hand-over, once per source; points are handed over at once."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.core.statements import Write, run_writes
from quizapp.ledger import rules as ledger_rules
from quizapp.ledger import services as ledger
from quizapp.payouts.models import Payout, PayoutItem

_PAYOUT = (
    "INSERT INTO payouts (id, source_type, source_id, citizen_id, campaign_id, kind, title, item_type, item_id, reference, tier, "
    "amount_fen, points, state, claim_deadline_at, created_at, done_at, is_phone_public) VALUES (:{0}_id, :{0}_source_type, :{0}_source, "
    ":{0}_citizen, :{0}_campaign, :{0}_kind, :{0}_title, 'prize', :{0}_item, :{0}_reference, :{0}_tier, :{0}_amount, :{0}_points, "
    ":{0}_state, :{0}_deadline, :{0}_at, :{0}_done, :{0}_public)"
)
_EVENT = (
    "INSERT INTO payout_events (id, payout_id, at, from_state, to_state, reason, actor_name) "
    "VALUES (:{0}_id, :{0}_payout, :{0}_at, NULL, :{0}_state, 'opened', '系统')"
)


@dataclass(frozen=True)
class NewItem:
    """An item to be registered: its owner's id, what it is called, how many there are."""

    id: uuid.UUID
    kind: str
    title: str
    tier: str
    amount_fen: int
    quantity: int


def register_items(*, campaign_id: uuid.UUID | None, items: Iterable[NewItem], now: dt.datetime) -> None:
    """Tell payouts which items of a campaign will be handed over, so that staff can upload codes for them."""
    db.session.add_all(
        PayoutItem(
            id=item.id,
            campaign_id=campaign_id,
            kind=item.kind,
            title=item.title,
            tier=item.tier,
            amount_fen=item.amount_fen,
            quantity=item.quantity,
            created_at=now,
        )
        for item in items
    )
    db.session.flush()


def opening_writes(
    *,
    prefix: str,
    payout_id: uuid.UUID,
    source_type: str,
    source_id: uuid.UUID,
    citizen_id: uuid.UUID,
    campaign_id: uuid.UUID | None,
    kind: str,
    title: str,
    item_id: uuid.UUID,
    amount_fen: int,
    points: int,
    claim_deadline_at: dt.datetime,
    now: dt.datetime,
    reference: str = "",
    tier: str = "",
) -> tuple[Write, ...]:
    """The writes that open a hand-over, for hot paths (``core.db.run_writes``). Points are posted and done with them.

    A source that has a payout already is refused by the database (unique source).
    """
    is_points = kind == "points"
    state = "done" if is_points else "claimable"
    event, posting = f"{prefix}v", f"{prefix}l"
    writes: list[Write] = [
        Write(
            _PAYOUT.format(prefix),
            {
                f"{prefix}_id": payout_id,
                f"{prefix}_source_type": source_type,
                f"{prefix}_source": source_id,
                f"{prefix}_citizen": citizen_id,
                f"{prefix}_campaign": campaign_id,
                f"{prefix}_kind": kind,
                f"{prefix}_title": title,
                f"{prefix}_item": item_id,
                f"{prefix}_reference": reference,
                f"{prefix}_tier": tier,
                f"{prefix}_amount": amount_fen,
                f"{prefix}_points": points,
                f"{prefix}_state": state,
                f"{prefix}_deadline": None if is_points else claim_deadline_at,
                f"{prefix}_at": now,
                f"{prefix}_done": now if is_points else None,
                f"{prefix}_public": False,
            },
        ),
        Write(
            _EVENT.format(event),
            {f"{event}_id": new_id(), f"{event}_payout": payout_id, f"{event}_at": now, f"{event}_state": state},
        ),
    ]
    if is_points:
        writes += ledger.posting_writes(
            posting,
            ledger.Posting(
                unit="points",
                from_owner=ledger_rules.POINTS_SOURCE,
                to_owner=("citizen", str(citizen_id)),
                amount=points,
                source_type=source_type,
                source_id=source_id,
                reason="prize",
                now=now,
            ),
        )
    return tuple(writes)


def open_payout(
    *,
    source_type: str,
    source_id: uuid.UUID,
    citizen_id: uuid.UUID,
    campaign_id: uuid.UUID | None,
    kind: str,
    title: str,
    item_id: uuid.UUID,
    amount_fen: int,
    points: int,
    claim_deadline_at: dt.datetime,
    now: dt.datetime,
    reference: str = "",
    tier: str = "",
) -> Payout:
    """Open the hand-over of one thing somebody won or redeemed, in ``claimable`` (points: done at once).

    :param amount_fen: what the citizen receives in hand, for cash; else what the thing is worth
    """
    payout_id = new_id()
    run_writes(
        *opening_writes(
            prefix="pay",
            payout_id=payout_id,
            source_type=source_type,
            source_id=source_id,
            citizen_id=citizen_id,
            campaign_id=campaign_id,
            kind=kind,
            title=title,
            item_id=item_id,
            amount_fen=amount_fen,
            points=points,
            claim_deadline_at=claim_deadline_at,
            now=now,
            reference=reference,
            tier=tier,
        )
    )
    return db.session.get_one(Payout, payout_id)

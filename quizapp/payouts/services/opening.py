"""Opening a hand-over, once per source; points are handed over at once."""

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.core.statements import Write, run_copy, run_writes
from quizapp.ledger import rules as ledger_rules
from quizapp.ledger import services as ledger
from quizapp.payouts import queries, rules
from quizapp.payouts.models import Payout, PayoutItem
from quizapp.payouts.services.moves import move

_PAYOUT = (
    "INSERT INTO payouts (id, source_type, source_id, citizen_id, campaign_id, kind, title, item_type, item_id, reference, tier, draw_key, "
    "amount_fen, points, state, claim_deadline_at, created_at, done_at, is_phone_public) VALUES (:{0}_id, :{0}_source_type, :{0}_source, "
    ":{0}_citizen, :{0}_campaign, :{0}_kind, :{0}_title, 'prize', :{0}_item, :{0}_reference, :{0}_tier, :{0}_draw, "
    ":{0}_amount, :{0}_points, :{0}_state, :{0}_deadline, :{0}_at, :{0}_done, :{0}_public)"
)
_EVENT = (
    "INSERT INTO payout_events (id, payout_id, at, from_state, to_state, reason, actor_name) "
    "VALUES (:{0}_id, :{0}_payout, :{0}_at, NULL, :{0}_state, 'opened', '系统')"
)


_PARTS = re.compile(r"\(([^()]*)\)")
"""The columns of an INSERT and what goes into them."""


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


@dataclass(frozen=True)
class Opening:
    """One thing somebody won or redeemed, about to be handed over.

    :param amount_fen: what the citizen receives in hand, for cash; else what the thing is worth
    :param reference: the number staff and citizen call it by, such as the 抽奖号
    """

    source_type: str
    source_id: uuid.UUID
    citizen_id: uuid.UUID
    campaign_id: uuid.UUID | None
    kind: str
    title: str
    item_id: uuid.UUID
    amount_fen: int
    points: int
    claim_deadline_at: dt.datetime
    now: dt.datetime
    reference: str = ""
    tier: str = ""
    draw_key: str = ""
    """The pool draw it was won in, for its notice; empty for the instant draw."""
    id: uuid.UUID = field(default_factory=new_id)


def opening_writes(prefix: str, opening: Opening, terms: queries.ClaimTerms | None = None) -> tuple[Write, ...]:
    """The writes that open a hand-over by the terms in force, for hot paths (``core.statements.run_writes``). Points are posted
    and done with them.

    :param terms: where the caller has read them already

    A source that has a payout already is refused by the database (unique source).
    """
    terms = terms or queries.find_claim_terms(opening.campaign_id)
    is_points = opening.kind == "points"
    is_later = is_points and terms.deferred_until is not None and opening.now < terms.deferred_until
    state = "processing" if is_later else "done" if is_points else "claimable"
    deadline = rules.opening_deadline(opening.now, opening.claim_deadline_at, terms.void_hours)
    event, posting = f"{prefix}v", f"{prefix}l"
    writes: list[Write] = [
        Write(
            _PAYOUT.format(prefix),
            {
                f"{prefix}_id": opening.id,
                f"{prefix}_source_type": opening.source_type,
                f"{prefix}_source": opening.source_id,
                f"{prefix}_citizen": opening.citizen_id,
                f"{prefix}_campaign": opening.campaign_id,
                f"{prefix}_kind": opening.kind,
                f"{prefix}_title": opening.title,
                f"{prefix}_item": opening.item_id,
                f"{prefix}_reference": opening.reference,
                f"{prefix}_tier": opening.tier,
                f"{prefix}_draw": opening.draw_key,
                f"{prefix}_amount": opening.amount_fen,
                f"{prefix}_points": opening.points,
                f"{prefix}_state": state,
                f"{prefix}_deadline": None if is_points else deadline,
                f"{prefix}_at": opening.now,
                f"{prefix}_done": opening.now if state == "done" else None,
                f"{prefix}_public": False,
            },
        ),
        Write(
            _EVENT.format(event),
            {f"{event}_id": new_id(), f"{event}_payout": opening.id, f"{event}_at": opening.now, f"{event}_state": state},
        ),
    ]
    if state == "done":
        writes += ledger.posting_writes(
            posting, _points_posting(opening.citizen_id, opening.points, opening.source_type, opening.source_id, opening.now)
        )
    return tuple(writes)


def _points_posting(citizen_id: uuid.UUID, points: int, source_type: str, source_id: uuid.UUID, now: dt.datetime) -> ledger.Posting:
    return ledger.Posting(
        unit="points",
        from_owner=ledger_rules.POINTS_SOURCE,
        to_owner=("citizen", str(citizen_id)),
        amount=points,
        source_type=source_type,
        source_id=source_id,
        reason="prize",
        now=now,
    )


def pay_deferred_points(*, now: dt.datetime, limit: int = 500) -> int:
    """Post points that the terms pay together at a later moment, once that has come. Returns how many."""
    waiting = sa.select(Payout).filter_by(kind="points", state="processing").order_by(Payout.id).with_for_update(skip_locked=True)
    paid = 0
    for payout in db.session.scalars(waiting.limit(limit)):
        until = queries.find_claim_terms(payout.campaign_id).deferred_until
        if until is not None and now < until:
            continue
        ledger.post(_points_posting(payout.citizen_id, payout.points, payout.source_type, payout.source_id, now))
        move(payout, "done", now=now, reason="points_posted")
        paid += 1
    return paid


def open_many(openings: Sequence[Opening]) -> None:
    """Open many hand-overs at once, as :func:`opening_writes` would each."""
    terms = {campaign_id: queries.find_claim_terms(campaign_id) for campaign_id in {opening.campaign_id for opening in openings}}
    made = [opening_writes("pay", opening, terms[opening.campaign_id]) for opening in openings]
    for place, (table, template, prefix) in enumerate((("payouts", _PAYOUT, "pay"), ("payout_events", _EVENT, "payv"))):
        columns, cells = (part.split(", ") for part in _PARTS.findall(template))
        names = [cell.format(prefix).removeprefix(":") for cell in cells]
        fixed = {cell: None if cell == "NULL" else cell.strip("'") for cell in cells if not cell.startswith(":")}
        rows = ([fixed[name] if name in fixed else writes[place].params[name] for name in names] for writes in made)
        run_copy(table, columns, rows)
    now_done = [opening for opening, writes in zip(openings, made, strict=True) if len(writes) > 2]
    ledger.post_many([_points_posting(each.citizen_id, each.points, each.source_type, each.source_id, each.now) for each in now_done])


def raise_item_quantity(*, item_id: uuid.UUID, at_least: int) -> None:
    """Say that an item is handed over so often, where its number was not known when it was registered (a share of those who
    qualify)."""
    statement = sa.update(PayoutItem).where(PayoutItem.id == item_id, PayoutItem.quantity < at_least).values(quantity=at_least)
    db.session.execute(statement, execution_options={"synchronize_session": False})


def open_payout(opening: Opening) -> Payout:
    """Open the hand-over, in ``claimable`` (points: done at once)."""
    run_writes(*opening_writes("pay", opening))
    return db.session.get_one(Payout, opening.id)

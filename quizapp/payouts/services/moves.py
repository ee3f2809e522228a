"""One step of the state machine, with its event; everything that changes a payout's state passes here."""

import datetime as dt
from typing import cast

from flask import current_app

from quizapp.core.crypto import Vault
from quizapp.core.db import db
from quizapp.payouts import queries, rules
from quizapp.payouts.errors import WrongMove
from quizapp.payouts.models import Payout, PayoutEvent, PayoutForfeit

SYSTEM = "系统"
CITIZEN = "本人"


def vault() -> Vault:
    return cast(Vault, current_app.extensions["vault"])


def move(payout: Payout, to: str, *, now: dt.datetime, reason: str, actor_name: str = SYSTEM) -> None:
    """Move a locked payout and write down why; a step that loses the prize also says what becomes of it.

    :raises WrongMove: if the state machine has no such step
    """
    if not rules.may_move(payout.state, to):
        raise WrongMove
    event = PayoutEvent(payout_id=payout.id, at=now, from_state=payout.state, to_state=to, reason=reason[:64], actor_name=actor_name[:64])
    db.session.add(event)
    payout.state = to
    if to == "done":
        payout.done_at = now
    if to in rules.LOST_STATES:
        db.session.add(_forfeit(payout, to, now))
    db.session.flush()


def _forfeit(payout: Payout, cause: str, now: dt.datetime) -> PayoutForfeit:
    """By the terms in force; what is not won (redeemed things) goes back to its stock."""
    rule = queries.find_claim_terms(payout.campaign_id).forfeits if payout.source_type in rules.WON_SOURCES else "stock"
    return PayoutForfeit(
        payout_id=payout.id,
        source_type=payout.source_type,
        source_id=payout.source_id,
        campaign_id=payout.campaign_id,
        item_id=payout.item_id,
        cause=cause,
        rule=rule,
        at=now,
        worked_at=None if rule != "void" else now,
        outcome="" if rule != "void" else "kept",
    )

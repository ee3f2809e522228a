"""One step of the state machine, with its event; everything that changes a payout's state passes here."""

import datetime as dt
from typing import cast

from flask import current_app

from quizapp.core.crypto import Vault
from quizapp.core.db import db
from quizapp.payouts import rules
from quizapp.payouts.errors import WrongMove
from quizapp.payouts.models import Payout, PayoutEvent

SYSTEM = "系统"
CITIZEN = "本人"


def vault() -> Vault:
    return cast(Vault, current_app.extensions["vault"])


def move(payout: Payout, to: str, *, now: dt.datetime, reason: str, actor_name: str = SYSTEM) -> None:
    """Move a locked payout and write down why.

    :raises WrongMove: if the state machine has no such step
    """
    if not rules.may_move(payout.state, to):
        raise WrongMove
    event = PayoutEvent(payout_id=payout.id, at=now, from_state=payout.state, to_state=to, reason=reason[:64], actor_name=actor_name[:64])
    db.session.add(event)
    payout.state = to
    if to == "done":
        payout.done_at = now
    db.session.flush()

"""What the tests look up after an attempt."""

import uuid

import sqlalchemy as sa

from quizapp.accounts.models import Citizen
from quizapp.attempts.models import Attempt, AttemptEvent
from quizapp.core.db import db
from quizapp.ledger.queries import get_balance
from quizapp.lottery.models import DrawTicket


def row_of(attempt_id: uuid.UUID) -> Attempt:
    db.session.rollback()
    return db.session.get_one(Attempt, attempt_id, populate_existing=True)


def events(attempt_id: uuid.UUID) -> list[AttemptEvent]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AttemptEvent).filter_by(attempt_id=attempt_id).order_by(AttemptEvent.at)))


def points(citizen: Citizen) -> int:
    db.session.rollback()
    return get_balance("citizen", str(citizen.id), "points")


def tickets(attempt_id: uuid.UUID) -> list[DrawTicket]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(DrawTicket).filter_by(source_type="attempt", source_id=attempt_id)))

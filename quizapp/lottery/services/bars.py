"""Who takes no part in the chances of a campaign. Nobody is put in here for a win: a bar can only take chances away, is
recorded with its reason, and ends no draw that has been made."""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.accounts.queries import find_citizen_by_phone
from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.lottery.models import PrizeBar
from quizapp.lottery.services.pools import vault


@dataclass(frozen=True)
class Barred:
    """A bar that is on; ``citizen_id`` is None for a number nobody has registered yet."""

    id: uuid.UUID
    citizen_id: uuid.UUID | None
    is_new: bool


def bar_person(
    *,
    campaign_id: uuid.UUID,
    reason: str,
    note: str,
    staff_id: uuid.UUID | None,
    actor: audit.Actor,
    organisation_path: str,
    now: dt.datetime,
    citizen_id: uuid.UUID | None = None,
    phone: str | None = None,
) -> Barred:
    """Put somebody on the list, by citizen or by phone number (eleven digits); twice is once.

    A number is kept as its keyed hash, so that it holds whether or not its owner has registered, and nobody can read it here.

    :raises ValueError: without one of the two, or with both
    """
    if (citizen_id is None) == (phone is None):
        raise ValueError("somebody is barred by citizen or by number")
    tag = vault().tag("phone", phone) if phone is not None else None
    known = citizen_id if phone is None else find_citizen_by_phone(vault(), phone)
    on = sa.select(PrizeBar).filter_by(campaign_id=campaign_id, citizen_id=citizen_id, phone_tag=tag, ended_at=None)
    found = db.session.scalar(on)
    if found is not None:
        return Barred(found.id, known, is_new=False)
    bar = PrizeBar(
        campaign_id=campaign_id, citizen_id=citizen_id, phone_tag=tag, reason=reason, note=note[:200], barred_at=now, barred_by=staff_id
    )
    db.session.add(bar)
    db.session.flush()
    _record("draws.person_barred", bar, actor, organisation_path, now)
    return Barred(bar.id, known, is_new=True)


def end_bar(
    *, bar_id: uuid.UUID, campaign_id: uuid.UUID, staff_id: uuid.UUID | None, actor: audit.Actor, organisation_path: str, now: dt.datetime
) -> None:
    """Take somebody off the list; twice is once.

    :raises NotFound: for a bar of another campaign
    """
    bar = db.session.scalar(sa.select(PrizeBar).filter_by(id=bar_id, campaign_id=campaign_id).with_for_update())
    if bar is None:
        raise NotFound
    if bar.ended_at is not None:
        return
    bar.ended_at, bar.ended_by = now, staff_id
    db.session.flush()
    _record("draws.person_unbarred", bar, actor, organisation_path, now)


def _record(action: str, bar: PrizeBar, actor: audit.Actor, organisation_path: str, now: dt.datetime) -> None:
    audit.record(
        action,
        actor=actor,
        target_type="prize_bar",
        target_id=bar.id,
        organisation_path=organisation_path,
        changes={"reason": bar.reason, **({"note": bar.note} if bar.note else {})},
        now=now,
    )

"""Reads about complaints, and finding a person at the desk."""

import datetime as dt
import hmac
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.accounts.queries import find_citizen_by_phone, is_below
from quizapp.accounts.rules import clean_phone
from quizapp.attempts.models import Attempt
from quizapp.campaigns.models import Campaign
from quizapp.core.crypto import Vault, token_hash
from quizapp.core.db import db
from quizapp.integrity import queries
from quizapp.integrity.errors import ComplaintNotFound, NotFoundAtDesk
from quizapp.integrity.models import Complaint, ComplaintEvent
from quizapp.integrity.queries import CampaignFacts
from quizapp.lottery.models import Draw
from quizapp.payouts.rules import plain_reference

_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.I)


def _within(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *map(is_below, paths))


def _desk(columns: Sequence[Any], paths: Sequence[str]) -> sa.Select[Any]:
    joined = sa.select(*columns).select_from(Complaint).join(Organisation, Organisation.id == Complaint.organisation_id)
    return joined.where(_within(paths))


def select_complaints(paths: Sequence[str], state: str) -> sa.Select[Any]:
    """Complaints of these desks, the first due first; answered ones by their answer."""
    order = (Complaint.replied_at.desc(), Complaint.id) if state == "answered" else (Complaint.due_on, Complaint.id)
    return _desk((Complaint,), paths).where(Complaint.state == state).order_by(*order)


def count_by_state(paths: Sequence[str]) -> dict[str, int]:
    return dict(db.session.execute(_desk((Complaint.state, sa.func.count()), paths).group_by(Complaint.state)).all())


def count_waiting(paths: Sequence[str]) -> int:
    counts = count_by_state(paths)
    return counts.get("open", 0) + counts.get("review", 0)


def count_late(paths: Sequence[str], today: dt.date) -> int:
    """Complaints that should have been answered before today."""
    late = _desk((sa.func.count(),), paths).where(Complaint.state != "answered", Complaint.due_on < today)
    return db.session.scalar(late) or 0


def get_complaint(complaint_id: uuid.UUID, paths: Sequence[str]) -> Complaint:
    """:raises ComplaintNotFound: if there is none on these desks"""
    found: Complaint | None = db.session.scalar(_desk((Complaint,), paths).where(Complaint.id == complaint_id))
    if found is None:
        raise ComplaintNotFound
    return found


def lock_complaint(complaint_id: uuid.UUID, paths: Sequence[str]) -> Complaint:
    """:raises ComplaintNotFound: if there is none on these desks"""
    get_complaint(complaint_id, paths)
    locked = sa.select(Complaint).filter_by(id=complaint_id).with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(locked).one()


def path_of(complaint: Complaint) -> str:
    return db.session.scalar(sa.select(Organisation.path).filter_by(id=complaint.organisation_id)) or "/"


def list_events(complaint_id: uuid.UUID) -> list[ComplaintEvent]:
    rows = sa.select(ComplaintEvent).filter_by(complaint_id=complaint_id).order_by(ComplaintEvent.at, ComplaintEvent.id)
    return list(db.session.scalars(rows))


def list_own(citizen_id: uuid.UUID) -> list[Complaint]:
    """A citizen's complaints, the newest first."""
    mine = sa.select(Complaint).filter_by(citizen_id=citizen_id).order_by(Complaint.filed_at.desc(), Complaint.id.desc())
    return list(db.session.scalars(mine.limit(50)))


def get_by_word(number: str, word: str, citizen_id: uuid.UUID | None) -> Complaint:
    """A complaint by its number, for its own citizen or for who knows its word.

    :raises ComplaintNotFound: for a wrong word just as for a wrong number
    """
    found = db.session.scalar(sa.select(Complaint).filter_by(number=number.strip().upper()[:24]))
    if found is None:
        raise ComplaintNotFound
    if found.citizen_id is not None and found.citizen_id == citizen_id:
        return found
    given = token_hash(word.strip().upper()[:16])
    if found.word_hash is None or not hmac.compare_digest(bytes(found.word_hash), given):
        raise ComplaintNotFound
    return found


# ---- finding somebody


@dataclass(frozen=True)
class Part:
    """Somebody's part in one campaign, as the desk finds it. No name; the number is masked by the page."""

    citizen_id: uuid.UUID
    campaign: CampaignFacts
    alias: str
    attempts: tuple[Attempt, ...]


def find_campaign_of(reference: str, citizen_id: uuid.UUID | None) -> CampaignFacts | None:
    """The campaign that an 抽奖号 or the number of an attempt belongs to; a citizen's own only, where one is given."""
    campaign_id = None
    if _UUID.fullmatch(reference):
        row = sa.select(Attempt.campaign_id).where(Attempt.id == uuid.UUID(reference))
        campaign_id = db.session.scalar(row if citizen_id is None else row.where(Attempt.citizen_id == citizen_id))
    elif alias := plain_reference(reference):
        drawn = sa.select(Draw.campaign_id).filter_by(alias=alias).limit(1)
        campaign_id = db.session.scalar(drawn if citizen_id is None else drawn.filter_by(citizen_id=citizen_id))
    return queries.get_campaign_facts(campaign_id) if campaign_id else None


def find_parts(vault: Vault, word: str, paths: Sequence[str]) -> list[Part]:
    """What somebody has done in the campaigns of these units: by whole phone number, 抽奖号 or number of an attempt.

    :raises NotFoundAtDesk: if nothing fits, or it is another unit's
    """
    pairs = _pairs_of(vault, word.strip())
    found = []
    for citizen_id, campaign_id in pairs:
        facts = {each.id: each for each in _facts_within(campaign_id, paths)}
        if campaign_id in facts:
            found.append(_part(citizen_id, facts[campaign_id]))
    if not found:
        raise NotFoundAtDesk
    return found


def _facts_within(campaign_id: uuid.UUID, paths: Sequence[str]) -> list[CampaignFacts]:
    columns = (Campaign.id, Campaign.slug, Campaign.title, Organisation.path, Organisation.id, Organisation.name)
    named = sa.select(*columns).join(Organisation, Organisation.id == Campaign.host_organisation_id)
    return [CampaignFacts(*row) for row in db.session.execute(named.where(Campaign.id == campaign_id, _within(paths)))]


def _pairs_of(vault: Vault, word: str) -> list[tuple[uuid.UUID, uuid.UUID]]:
    phone = clean_phone(word)
    if phone is not None:
        citizen_id = find_citizen_by_phone(vault, phone)
        mine = sa.select(Attempt.campaign_id, sa.func.max(Attempt.started_at)).where(Attempt.citizen_id == citizen_id)
        rows = db.session.execute(mine.group_by(Attempt.campaign_id).order_by(sa.func.max(Attempt.started_at).desc()).limit(20))
        return [(citizen_id, campaign_id) for campaign_id, _at in rows] if citizen_id else []
    if _UUID.fullmatch(word):
        row = sa.select(Attempt.citizen_id, Attempt.campaign_id).where(Attempt.id == uuid.UUID(word), Attempt.citizen_id.is_not(None))
    else:
        row = sa.select(Draw.citizen_id, Draw.campaign_id).filter_by(alias=plain_reference(word)).limit(1)
    return [(citizen_id, campaign_id) for citizen_id, campaign_id in db.session.execute(row) if citizen_id]


def _part(citizen_id: uuid.UUID, facts: CampaignFacts) -> Part:
    mine = sa.select(Attempt).filter_by(citizen_id=citizen_id, campaign_id=facts.id).order_by(Attempt.started_at.desc(), Attempt.id)
    return Part(citizen_id, facts, queries.find_alias(facts.id, citizen_id), tuple(db.session.scalars(mine.limit(50))))

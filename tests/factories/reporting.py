"""Rows to be counted, written straight into the tables: reports must not depend on how an attempt came to be."""

import datetime as dt
import itertools
import uuid
from collections.abc import Sequence
from typing import Any

from quizapp.accounts.models import Citizen, DemographicGroup, Organisation, Region, StaffAccount
from quizapp.attempts.models import Attempt
from quizapp.campaigns.models import Campaign, CampaignHost, CampaignTermsVersion
from quizapp.core.clock import day_start
from quizapp.core.db import db, transaction
from quizapp.core.ids import new_id

NOW = dt.datetime(2026, 3, 20, 4, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 3, 10)
GROUPS = ("civil_servant", "enterprise", "youth", "farmer_herder", "resident")
COUNTIES = ("150402", "150403", "150424")
TOWNS = ("150402101", "150402102", "150424100")
_numbers = itertools.count(1)


def reference_rows() -> None:
    """Groups in an order that is not the alphabet's, one city with counties and towns."""
    with transaction():
        db.session.add_all(DemographicGroup(code=code, name=f"人群{code}", position=place) for place, code in enumerate(GROUPS))
        db.session.add(Region(code="150400", name="赤峰市", level="city", parent_code=None, county_code=None))
        db.session.flush()
        for code in COUNTIES:
            db.session.add(Region(code=code, name=f"县{code}", level="county", parent_code="150400", county_code=code))
        db.session.flush()
        for code in TOWNS:
            db.session.add(Region(code=code, name=f"镇{code}", level="town", parent_code=code[:6], county_code=code[:6]))


def make_unit(name: str = "市司法局", parent: Organisation | None = None) -> Organisation:
    id_ = new_id()
    unit = Organisation(
        id=id_, name=name, parent_id=parent.id if parent else None, path=f"{parent.path if parent else '/'}{id_.hex}/", created_at=NOW
    )
    with transaction():
        db.session.add(unit)
    return unit


def make_reader(name: str = "reader") -> StaffAccount:
    staff = StaffAccount(
        username=f"{name}{next(_numbers)}", display_name="统计员", password_hash="x", must_change_password=False, created_at=NOW
    )
    with transaction():
        db.session.add(staff)
    return staff


def make_counted_campaign(slug: str, host: Organisation, cohosts: Sequence[Organisation] = (), **kw: Any) -> Campaign:
    """A published campaign with terms that nobody reads."""
    opens = kw.pop("opens_at", day_start(DAY))
    terms_id = new_id()
    values: dict[str, Any] = {
        "slug": slug,
        "title": f"活动 {slug}",
        "kind": "voluntary",
        "status": "published",
        "host_organisation_id": host.id,
        "terms_id": terms_id,
        "opens_at": opens,
        "closes_at": opens + dt.timedelta(days=20),
        "created_at": NOW,
    }
    campaign = Campaign(**{**values, **kw})
    with transaction():
        db.session.add(campaign)
        db.session.flush()
        terms = {"kind": "voluntary", "has_rewards": False, "number": 1, "body": {}, "body_hash": "0" * 64}
        db.session.add(CampaignTermsVersion(id=terms_id, campaign_id=campaign.id, created_at=NOW, **terms))
        db.session.add_all(CampaignHost(campaign_id=campaign.id, organisation_id=unit.id) for unit in cohosts)
    return campaign


def make_person() -> uuid.UUID:
    citizen = Citizen(nickname=f"甲{next(_numbers)}", created_at=NOW)
    with transaction():
        db.session.add(citizen)
    return citizen.id


def attempt_row(campaign: Campaign, citizen_id: uuid.UUID | None, day: dt.date = DAY, **kw: Any) -> Attempt:
    """One graded attempt (not yet added), told apart from others of the same person by a running try number."""
    number = next(_numbers)
    start = day_start(day) + dt.timedelta(hours=9)
    values: dict[str, Any] = {
        "campaign_id": campaign.id,
        "terms_id": campaign.terms_id,
        "citizen_id": citizen_id,
        "device_tag": b"d" * 32,
        "state": "graded",
        "day_try": None if citizen_id is None else number,
        "total_try": None if citizen_id is None else number,
        "started_at": start,
        "started_on": day,
        "deadline_at": start + dt.timedelta(minutes=5),
        "question_count": 5,
        "submitted_at": start + dt.timedelta(minutes=2),
        "submitted_on": day,
        "correct_count": 4,
        "is_passed": True,
        "demographic_group": "resident",
        "region_code": "150402",
    }
    return Attempt(**{**values, **kw})


def add_attempts(rows: Sequence[Attempt]) -> None:
    with transaction():
        db.session.add_all(rows)

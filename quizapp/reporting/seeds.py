"""Results of the demo's finished campaigns: invented people and their graded papers, the same on every machine.

Nothing is drawn or paid for them: they hold no ticket and earned no point. What they answered is consistent down to the
choice, so that every figure, also of a single question, can be recounted.
"""

import datetime as dt
import hashlib
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Citizen, Consent, DemographicGroup, Organisation, Region
from quizapp.accounts.queries import ACCOUNT
from quizapp.accounts.services import CONSENT_VERSION
from quizapp.attempts.models import Attempt, AttemptQuestion
from quizapp.audit.services import SYSTEM, record
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.queries import get_terms, pool_of
from quizapp.campaigns.terms import Terms
from quizapp.core.clock import day_start, shanghai_day, utc_now
from quizapp.core.db import db
from quizapp.questions.queries import get_revisions
from quizapp.questions.rules import PoolItem, RevisionView, draw_paper, file_order, is_right, shown_answer, shuffle_choices

PEOPLE = 400
ATTEMPTS = 1500
EXCLUDED = 2
_NAMESPACE = uuid.UUID("7d0f7c5e-8f5b-5a43-9c1e-6d656d6f0001")
_WEIGHTS = {"civil_servant": 11, "enterprise": 34, "youth": 16, "farmer_herder": 22, "resident": 17}
_SKILL = {"civil_servant": 0.86, "enterprise": 0.8, "youth": 0.78, "farmer_herder": 0.73, "resident": 0.75}
_BANDS = {"youth": ("14_17", "18_59"), "farmer_herder": ("18_59", "18_59", "60_plus"), "resident": ("18_59", "60_plus")}
_HOURS = (7, 8, 9, 10, 11, 12, 12, 13, 15, 17, 18, 19, 19, 20, 20, 20, 21, 21, 22)
_FIRST = "草云晨河松青沙星雪兰枫禾"
_LAST = "原朵光水树山海月花雁林穗"


def _id(*parts: object) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, ":".join(str(part) for part in parts))


@dataclass(frozen=True)
class Person:
    id: uuid.UUID
    group: str
    region: str
    organisation_id: uuid.UUID | None
    age_band: str


@dataclass(frozen=True)
class Places:
    """Where invented people may live and work: towns by county, units by id."""

    groups: Sequence[str]
    counties: Sequence[str]
    towns: Mapping[str, Sequence[str]]
    organisations: Sequence[uuid.UUID]


def _places() -> Places:
    here = sa.select(Region.code).where(Region.level == "county", Region.parent_code.is_not(None)).order_by(Region.code)
    counties = list(db.session.scalars(here))
    towns: dict[str, list[str]] = {}
    for code, county in db.session.execute(sa.select(Region.code, Region.county_code).filter_by(level="town").order_by(Region.code)):
        towns.setdefault(county or "", []).append(code)
    groups = list(db.session.scalars(sa.select(DemographicGroup.code).order_by(DemographicGroup.position)))
    units = sa.select(Organisation.id).where(Organisation.parent_id.is_not(None)).order_by(Organisation.name)
    return Places(groups, counties, towns, list(db.session.scalars(units)))


def make_people(places: Places, count: int, rng: random.Random) -> list[Person]:
    """People spread over groups and counties; a fifth name only their county, half no unit."""
    people = []
    weights = [_WEIGHTS.get(group, 10) for group in places.groups]
    busy = [3 + (7 * place) % 11 for place in range(len(places.counties))]
    for number in range(count):
        group = rng.choices(places.groups, weights)[0]
        county = rng.choices(places.counties, busy)[0]
        towns = places.towns.get(county, ())
        has_unit = bool(places.organisations) and group in ("civil_servant", "enterprise") and rng.random() < 0.8
        people.append(
            Person(
                id=_id("citizen", number),
                group=group,
                region=rng.choice(towns) if towns and rng.random() < 0.8 else county,
                organisation_id=rng.choice(places.organisations) if has_unit else None,
                age_band=rng.choice(_BANDS.get(group, ("18_59",))),
            )
        )
    return people


def _insert_people(people: Sequence[Person], created_at: dt.datetime, rng: random.Random) -> None:
    known = set(db.session.scalars(sa.select(Citizen.id).where(Citizen.id.in_([person.id for person in people]))))
    new = [person for person in people if person.id not in known]
    if not new:
        return
    citizens = [
        {
            "id": person.id,
            "nickname": f"{rng.choice(_FIRST)}{rng.choice(_LAST)}{rng.choice(_LAST)}",
            "demographic_group": person.group,
            "region_code": person.region,
            "organisation_id": person.organisation_id,
            "age_band": person.age_band,
            "status": "active",
            "created_at": created_at,
        }
        for person in new
    ]
    consents = [
        {
            "id": _id("consent", person.id),
            "citizen_id": person.id,
            "purpose": ACCOUNT,
            "version": CONSENT_VERSION,
            "given_by": "self",
            "given_at": created_at,
        }
        for person in new
    ]
    db.session.execute(sa.insert(Citizen), citizens)
    db.session.execute(sa.insert(Consent), consents)


def answer(view: RevisionView, order: str, should_be_right: bool, rng: random.Random) -> str:
    """Displayed letters that are right, or plausibly wrong."""
    letters = [chr(ord("A") + place) for place in range(len(order))]
    right = shown_answer(view, order)
    if should_be_right:
        return "".join(sorted(right))
    if view.kind in ("single", "judge"):
        return rng.choice([letter for letter in letters if letter not in right])
    wrong = set(right) ^ {rng.choice(letters)}
    return "".join(sorted(wrong or {letter for letter in letters if letter not in right}))


class _Papers:
    """Rows of one campaign's attempts and their questions."""

    def __init__(self, campaign: Campaign, terms: Terms, rng: random.Random) -> None:
        self.campaign = campaign
        self.terms = terms
        self.rng = rng
        self.parts = [(pool_of(part), part.count) for part in terms.paper.parts]
        self.views = get_revisions({item.revision_id for pool, _ in self.parts for item in pool})
        self.attempts: list[dict[str, Any]] = []
        self.questions: list[dict[str, Any]] = []
        self._day_tries: dict[tuple[uuid.UUID, dt.date], int] = {}
        self._tries: dict[uuid.UUID, int] = {}

    def days(self) -> list[dt.date]:
        """The days of the window, the last one its last moment's."""
        first, last = shanghai_day(self.terms.opens_at), shanghai_day(self.terms.closes_at - dt.timedelta(seconds=1))
        return [first + dt.timedelta(days=offset) for offset in range((last - first).days + 1)]

    def add(self, person: Person, day: dt.date) -> bool:
        """One graded paper of a person, unless the tries are used up or the time lies outside the window."""
        rng, terms = self.rng, self.terms
        moment = day_start(day) + dt.timedelta(hours=rng.choice(_HOURS), seconds=rng.randrange(3500))
        day_try, total_try = self._day_tries.get((person.id, day), 0) + 1, self._tries.get(person.id, 0) + 1
        limit = dt.timedelta(seconds=terms.limit_seconds or 600)
        is_inside = terms.opens_at <= moment and moment + limit < terms.closes_at
        if not is_inside or day_try > (terms.tries.per_day or 9) or total_try > (terms.tries.total or 99):
            return False
        self._day_tries[person.id, day], self._tries[person.id] = day_try, total_try
        handed_in = moment + limit * rng.uniform(0.15, 0.8)
        attempt_id = _id("attempt", self.campaign.slug, len(self.attempts))
        marks = self._add_questions(attempt_id, person, moment, handed_in)
        correct = marks.count("1")
        self.attempts.append(
            {
                "id": attempt_id,
                "campaign_id": self.campaign.id,
                "terms_id": self.campaign.terms_id,
                "citizen_id": person.id,
                "device_tag": hashlib.sha256(person.id.bytes).digest(),
                "client_nonce": "",
                "state": "graded",
                "day_try": day_try,
                "total_try": total_try,
                "day_turn": day_try,
                "day_rewards": 0,
                "started_at": moment,
                "started_on": day,
                "deadline_at": moment + limit,
                "is_large_type": False,
                "question_count": terms.question_count,
                "handed_in_at": handed_in,
                "submitted_at": handed_in,
                "submitted_on": shanghai_day(handed_in),
                "correct_count": correct,
                "marks": marks,
                "is_passed": correct >= terms.pass_count,
                "demographic_group": person.group,
                "region_code": person.region,
                "organisation_id": person.organisation_id,
                "age_band": person.age_band,
            }
        )
        return True

    def _add_questions(self, attempt_id: uuid.UUID, person: Person, start: dt.datetime, end: dt.datetime) -> str:
        """Draw and answer the paper. Returns the marks: per position ``1`` for right, ``0`` for wrong."""
        rng = self.rng
        paper: Sequence[PoolItem] = draw_paper(self.parts, rng)
        marks = ""
        for position, item in enumerate(paper, 1):
            view = self.views[item.revision_id]
            order = shuffle_choices(item, rng) if self.terms.paper.shuffles_choices else file_order(item)
            skill = _SKILL.get(person.group, 0.75) - 0.04 * (item.difficulty - 2)
            chosen = answer(view, order, rng.random() < skill, rng)
            marks += "1" if is_right(view, order, chosen) else "0"
            self.questions.append(
                {
                    "attempt_id": attempt_id,
                    "position": position,
                    "revision_id": item.revision_id,
                    "choice_order": order,
                    "chosen": chosen,
                    "answered_at": start + (end - start) * position / (len(paper) + 1),
                }
            )
        return marks


def _is_eligible(terms: Terms, person: Person) -> bool:
    eligibility = terms.eligibility
    if eligibility.groups and person.group not in eligibility.groups:
        return False
    return not eligibility.regions or person.region.startswith(tuple(code.removesuffix("00") for code in eligibility.regions))


def _fill(campaign: Campaign, people: Sequence[Person], count: int) -> None:
    assert campaign.terms_id is not None  # noqa: S101 - a published campaign has terms
    terms = get_terms(campaign.terms_id)
    rng = random.Random(campaign.slug)  # noqa: S311 - the demo must come out the same everywhere
    papers = _Papers(campaign, terms, rng)
    able = [person for person in people if _is_eligible(terms, person)]
    if not able or any(len(pool) < needed for pool, needed in papers.parts):
        return
    days = papers.days()
    weights = [1.6 if place in (0, len(days) - 1) else 0.7 + 0.6 * rng.random() for place in range(len(days))]
    for _ in range(2 * count):
        if len(papers.attempts) >= count:
            break
        papers.add(rng.choice(able), rng.choices(days, weights)[0])
    if not papers.attempts:
        return
    db.session.execute(sa.insert(Attempt), papers.attempts)
    db.session.execute(sa.insert(AttemptQuestion), papers.questions)


def _exclude(campaign: Campaign, now: dt.datetime) -> None:
    """Two attempts leave the valid ones by a recorded decision."""
    first = sa.select(Attempt.id).filter_by(campaign_id=campaign.id).order_by(Attempt.submitted_at, Attempt.id).limit(EXCLUDED)
    for attempt_id, reason in zip(db.session.scalars(first).all(), ("script", "staff_test"), strict=False):
        db.session.execute(sa.update(Attempt).filter_by(id=attempt_id).values(excluded_at=campaign.closes_at, exclusion_reason=reason))
        record(
            "attempt.excluded",
            actor=SYSTEM,
            target_type="attempt",
            target_id=attempt_id,
            target_name=campaign.title,
            changes={"reason": reason},
            now=now,
        )


def load_demo_results() -> None:
    """Fill every finished campaign that has no attempt yet. Runs inside the caller's transaction; may run twice."""
    now = utc_now()
    has_attempts = sa.exists().where(Attempt.campaign_id == Campaign.id)
    is_over = sa.and_(Campaign.status.in_(("published", "closed")), Campaign.closes_at <= now, ~has_attempts)
    campaigns = list(db.session.scalars(sa.select(Campaign).where(is_over).order_by(Campaign.opens_at, Campaign.slug)))
    places = _places()
    if not campaigns or not places.counties or not places.groups:
        return
    rng = random.Random("people")  # noqa: S311 - as above
    people = make_people(places, PEOPLE, rng)
    created_at = min(campaign.opens_at for campaign in campaigns if campaign.opens_at) - dt.timedelta(hours=1)
    _insert_people(people, created_at, rng)
    for campaign in campaigns:
        _fill(campaign, people, ATTEMPTS // len(campaigns))
    _exclude(campaigns[0], now)

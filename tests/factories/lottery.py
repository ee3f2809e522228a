"""Pools, tickets and draws without the packages that lie further down the map."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Citizen, Organisation
from quizapp.attempts.models import Attempt
from quizapp.campaigns.models import Campaign, CampaignTermsVersion
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db, in_transaction, transaction
from quizapp.core.ids import new_id
from quizapp.lottery import export, queries, services
from quizapp.lottery.models import PrizePool
from tests.factories.accounts import make_citizen, make_organisation, reference_data

NOW = dt.datetime(2027, 3, 15, 1, 42, 7, 318_000, dt.UTC)
"""15 March 2027, 09:42 in Shanghai."""
CERTAIN = ({"name": "普法帆布袋", "kind": "pickup", "quantity": 10, "odds_ppm": 1_000_000, "tier": "纪念奖", "value_fen": 800},)


def draw_terms(prizes: Sequence[Mapping[str, Any]] = CERTAIN, **changes: Any) -> dict[str, Any]:
    """Plain values of a draw without caps."""
    return {"prizes": list(prizes), "wins_total": None, "wins_per_day": None, "ticket_hours": 24, "claim_days": 7, **changes}


@dataclass(frozen=True)
class Pool:
    """An open pool and its campaign."""

    id: uuid.UUID
    campaign_id: uuid.UUID
    slug: str
    host: Organisation


def make_campaign_row(slug: str = "draws", host: Organisation | None = None, now: dt.datetime = NOW) -> Campaign:
    """A published campaign that is no more than its row."""
    host = host or make_organisation("市司法局")
    campaign = Campaign(
        slug=slug,
        title="3·15 共促消费公平",
        kind="voluntary",
        status="published",
        host_organisation_id=host.id,
        opens_at=now - dt.timedelta(days=1),
        closes_at=now + dt.timedelta(days=10),
        created_at=now,
    )
    db.session.add(campaign)
    db.session.flush()
    return campaign


def make_pool(
    prizes: Sequence[Mapping[str, Any]] = CERTAIN,
    *,
    slug: str = "draws",
    host: Organisation | None = None,
    now: dt.datetime = NOW,
    day_count: int = 3,
    spare_days: int = 2,
    **changes: Any,
) -> Pool:
    """A campaign with an open pool for ``day_count`` days from that of ``now``."""
    reference_data()
    host = host or make_organisation("市司法局")
    first = shanghai_day(now)
    with transaction():
        campaign = make_campaign_row(slug, host, now)
        pool = services.open_pool(
            campaign_id=campaign.id,
            terms_hash="ab" * 32,
            draw=draw_terms(prizes, **changes),
            days=[first + dt.timedelta(days=number) for number in range(day_count)],
            spare_days=spare_days,
            now=now - dt.timedelta(hours=1),
        )
    return Pool(pool.id, campaign.id, slug, host)


def grant(
    pool: Pool, citizen: Citizen | uuid.UUID, *, now: dt.datetime = NOW, count: int = 1, nonce: str = "5d90e3a718c266f4", hours: int = 24
) -> uuid.UUID:
    """Tickets for a new attempt, whose id is returned."""
    attempt_id = new_id()

    def work() -> None:
        services.grant_tickets(
            campaign_id=pool.campaign_id,
            citizen_id=citizen if isinstance(citizen, uuid.UUID) else citizen.id,
            source_type="attempt",
            source_id=attempt_id,
            count=count,
            client_nonce=nonce,
            ticket_hours=hours,
            now=now,
        )

    if in_transaction():
        work()
    else:
        with transaction():
            work()
    return attempt_id


def make_attempt(pool: Pool, citizen: Citizen, *, now: dt.datetime = NOW, tickets: int = 1, nonce: str = "5d90e3a718c266f4") -> uuid.UUID:
    """A graded attempt that is no more than its row, with its tickets; pages need it."""
    attempt_id = grant(pool, citizen, now=now, count=tickets, nonce=nonce) if tickets else new_id()
    with transaction():
        terms_id = db.session.scalar(sa.select(CampaignTermsVersion.id).filter_by(campaign_id=pool.campaign_id))
        if terms_id is None:
            version = CampaignTermsVersion(
                campaign_id=pool.campaign_id,
                kind="voluntary",
                has_rewards=True,
                number=1,
                body={"schema": 1},
                body_hash="ab" * 32,
                created_at=now,
            )
            db.session.add(version)
            db.session.flush()
            terms_id = version.id
        total = db.session.scalar(sa.select(sa.func.count()).select_from(Attempt).filter_by(citizen_id=citizen.id)) or 0
        db.session.add(
            Attempt(
                id=attempt_id,
                campaign_id=pool.campaign_id,
                terms_id=terms_id,
                citizen_id=citizen.id,
                device_tag=b"d" * 32,
                client_nonce=nonce,
                state="graded",
                day_try=total + 1,
                total_try=total + 1,
                started_at=now,
                started_on=shanghai_day(now),
                deadline_at=now,
                question_count=5,
                submitted_at=now,
                submitted_on=shanghai_day(now),
                correct_count=5,
                is_passed=True,
                ticket_count=tickets,
            )
        )
    return attempt_id


def draw(citizen: Citizen | uuid.UUID, attempt_id: uuid.UUID, *, sequence: int = 1, now: dt.datetime = NOW) -> queries.DrawResult:
    citizen_id = citizen if isinstance(citizen, uuid.UUID) else citizen.id
    with transaction():
        return services.draw_ticket(citizen_id=citizen_id, source_type="attempt", source_id=attempt_id, sequence=sequence, now=now)


def win(pool: Pool, citizen: Citizen | None = None, *, now: dt.datetime = NOW) -> tuple[Citizen, queries.DrawResult]:
    """A citizen who has drawn; with certain odds, who has won."""
    citizen = citizen or make_citizen()
    return citizen, draw(citizen, grant(pool, citizen, now=now), now=now)


def ledger_lines(slug: str = "draws") -> list[bytes]:
    """The exported ledger of a campaign, line by line."""
    db.session.rollback()
    return [line.encode() for line in export.ledger_lines(queries.get_pool(slug))]


def count_rows(model: type[Any], **values: Any) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model).filter_by(**values)) or 0


def won_counts(pool: Pool) -> list[int]:
    db.session.rollback()
    return [prize.won_count for prize in queries.list_prizes(pool.campaign_id)]


def pool_row(pool: Pool) -> PrizePool:
    db.session.rollback()
    return db.session.get_one(PrizePool, pool.id, populate_existing=True)

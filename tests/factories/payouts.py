"""Hand-overs without a draw before them."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Citizen, StaffAccount
from quizapp.audit.services import SYSTEM
from quizapp.campaigns.models import Campaign, CampaignTermsVersion
from quizapp.core.db import db, in_transaction, transaction
from quizapp.core.ids import new_id
from quizapp.payouts import services
from quizapp.payouts.models import Payout, PayoutItem
from tests.factories.accounts import make_citizen, make_staff
from tests.factories.lottery import NOW, Pool, make_pool

PRIZES = {
    "cash": {"name": "2 元红包", "kind": "cash", "quantity": 500, "odds_ppm": 400_000, "value_fen": 200},
    "code": {"name": "话费券", "kind": "code", "quantity": 500, "odds_ppm": 300_000, "value_fen": 1000},
    "pickup": {"name": "帆布袋", "kind": "pickup", "quantity": 500, "odds_ppm": 300_000, "value_fen": 800},
}


def make_shop(slug: str = "draws", **changes: Any) -> Pool:
    """A campaign with one item of each kind that is handed over."""
    return make_pool(list(PRIZES.values()), slug=slug, **changes)


def item_of(pool: Pool, kind: str) -> PayoutItem:
    return db.session.query(PayoutItem).filter_by(campaign_id=pool.campaign_id, kind=kind).one()


def make_payout(
    pool: Pool,
    kind: str,
    citizen: Citizen | None = None,
    *,
    now: dt.datetime = NOW,
    days: int = 7,
    amount_fen: int | None = None,
    reference: str = "K7M2-9QXD-3TQH",
) -> Payout:
    """An open hand-over of one kind."""
    item, citizen = item_of(pool, kind), citizen or make_citizen()

    def work() -> Payout:
        return services.open_payout(
            services.Opening(
                source_type="win",
                source_id=new_id(),
                citizen_id=citizen.id,
                campaign_id=pool.campaign_id,
                kind=kind,
                title=item.title,
                item_id=item.id,
                amount_fen=item.amount_fen if amount_fen is None else amount_fen,
                points=0,
                claim_deadline_at=now + dt.timedelta(days=days),
                now=now,
                reference=reference,
            )
        )

    if in_transaction():
        return work()
    with transaction():
        return work()


def claim(payout: Payout, *, now: dt.datetime = NOW, is_phone_public: bool = False) -> Payout:
    return claim_by(payout.id, payout.citizen_id, now=now, is_phone_public=is_phone_public)


def claim_by(payout_id: uuid.UUID, citizen_id: uuid.UUID, *, now: dt.datetime = NOW, is_phone_public: bool = False) -> Payout:
    """The same by ids alone: a thread must not touch rows of another thread's session."""
    with transaction():
        return services.claim_payout(payout_id=payout_id, citizen_id=citizen_id, now=now, is_phone_public=is_phone_public)


def upload(pool: Pool, count: int, staff: StaffAccount | None = None, *, first: int = 1) -> services.UploadResult:
    staff = staff or make_staff()
    item = item_of(pool, "code")
    with transaction():
        return services.upload_codes(
            item=item,
            codes=[f"CODE-{number:04d}" for number in range(first, first + count)],
            staff_id=staff.id,
            organisation_path=pool.host.path,
            actor=SYSTEM,
            now=NOW,
        )


def reload(payout: Payout | uuid.UUID) -> Payout:
    """A payout as it stands in the database."""
    db.session.rollback()
    return db.session.get_one(Payout, payout if isinstance(payout, uuid.UUID) else payout.id, populate_existing=True)


def set_terms(pool: Pool, **body: Any) -> None:
    """Put terms in force that say no more than this."""
    with transaction():
        number = (db.session.scalar(sa.select(sa.func.max(CampaignTermsVersion.number)).filter_by(campaign_id=pool.campaign_id)) or 0) + 1
        version = CampaignTermsVersion(
            campaign_id=pool.campaign_id,
            kind="voluntary",
            has_rewards=True,
            number=number,
            body={"schema": 1, **body},
            body_hash="ab" * 32,
            created_at=NOW,
        )
        db.session.add(version)
        db.session.flush()
        db.session.get_one(Campaign, pool.campaign_id).terms_id = version.id

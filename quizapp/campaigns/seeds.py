"""The demo's campaigns: the five of the half-year, re-dated around today, and the draft of a statutory exam."""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.accounts.queries import find_root_organisation
from quizapp.audit.services import SYSTEM
from quizapp.campaigns import queries, services
from quizapp.campaigns.terms import (
    DrawTerms,
    Eligibility,
    FixedReward,
    Paper,
    PaperPart,
    Points,
    PrizeTerms,
    Terms,
    Tries,
    plain_terms,
    to_dict,
)
from quizapp.core.clock import day_start, shanghai_day, utc_now
from quizapp.core.db import db


@dataclass(frozen=True)
class DemoCampaign:
    """One campaign; days count from today, the end is 24:00 of ``last``."""

    slug: str
    title: str
    summary: str
    theme: str
    cohost: str
    first: int
    last: int


OPEN = DemoCampaign("clean-world", "共建清洁美丽世界", "蓝天、碧水、青草，法律怎么护着它们。", "eco", "赤峰市生态环境局（演示）", -5, 24)
CAMPAIGNS = (
    DemoCampaign(
        "labour-rights",
        "劳动托起中国梦、法治烛照职工心",
        "工资、社保、休息，弄懂自己的权利。",
        "labour",
        "赤峰市总工会（演示）",
        -150,
        -136,
    ),
    DemoCampaign(
        "tax-benefits",
        "税收优惠促发展、惠企利民向未来",
        "弄懂能享受的税收优惠，该少交的一分不多交。",
        "tax",
        "赤峰市税务局（演示）",
        -105,
        -91,
    ),
    DemoCampaign(
        "ethnic-unity",
        "深入贯彻党的民族理论政策、铸牢中华民族共同体意识",
        "像石榴籽一样，紧紧抱在一起。",
        "unity",
        "赤峰市民族事务委员会（演示）",
        -60,
        -50,
    ),
    OPEN,
    DemoCampaign(
        "consumer-rights",
        "3·15 共促消费公平",
        "买得放心，用得安心。用 5 分钟弄懂自己的权利。",
        "consumer",
        "赤峰市市场监督管理局（演示）",
        4,
        18,
    ),
)
PRIZES = (
    PrizeTerms(name="10 元话费充值码", kind="code", quantity=1500, odds_ppm=20_000, tier="一等奖", value_fen=1000),
    PrizeTerms(name="普法帆布袋", kind="pickup", quantity=3000, odds_ppm=50_000, tier="二等奖", value_fen=800),
    PrizeTerms(name="2 元现金", kind="cash", quantity=20_000, odds_ppm=180_000, tier="三等奖", value_fen=200),
    PrizeTerms(name="20 积分", kind="points", quantity=60_000, odds_ppm=350_000, tier="鼓励奖", points=20),
)
EXAM_SLUG = "civil-servant-exam"


def load_demo_campaigns() -> None:
    """Make what is not there yet; a campaign that exists, whatever has become of it, is left alone."""
    host = find_root_organisation()
    if host is None:
        raise LookupError("organisations are loaded before campaigns")
    now = utc_now()
    for demo in CAMPAIGNS:
        if queries.find_by_slug(demo.slug) is None:
            _publish(demo, host, now)
    if queries.find_by_slug(EXAM_SLUG) is None:
        _draft_exam(host, now)


def demo_terms(demo: DemoCampaign, now: dt.datetime) -> Terms:
    today = shanghai_day(now)
    return plain_terms(
        opens_at=day_start(today + dt.timedelta(days=demo.first)) + dt.timedelta(hours=9),
        closes_at=day_start(today + dt.timedelta(days=demo.last + 1)),
        paper=Paper(parts=(PaperPart(banks=(demo.slug,), count=5),)),
        pass_count=4,
        tries=Tries(per_day=3),
        draw=DrawTerms(prizes=PRIZES, wins_total=3, claim_days=15),
        fixed_reward=FixedReward(points=20),
        points=Points(passed=10, failed=2),
    )


def _publish(demo: DemoCampaign, host: Organisation, now: dt.datetime) -> None:
    terms = demo_terms(demo, now)
    at = min(now, terms.opens_at - dt.timedelta(days=3))
    cohost = db.session.scalar(sa.select(Organisation).where(Organisation.name == demo.cohost))
    cohost_ids: tuple[uuid.UUID, ...] = (cohost.id,) if cohost else ()
    draft = {**to_dict(terms), "plan": {"expected_draws": 60_000, "budget_fen": 12_000_000}}
    campaign = services.create_campaign(
        slug=demo.slug,
        title=demo.title,
        summary=demo.summary,
        theme=demo.theme,
        host_organisation_id=host.id,
        draft=draft,
        cohost_ids=cohost_ids,
        now=at,
        actor=SYSTEM,
    )
    for cohost_id in cohost_ids:
        services.sign_off(campaign.id, organisation_id=cohost_id, now=at, actor=SYSTEM)
    services.submit_for_approval(campaign.id, now=at, actor=SYSTEM)
    services.publish_campaign(campaign.id, now=at, actor=SYSTEM)


def _draft_exam(host: Organisation, now: dt.datetime) -> None:
    first = shanghai_day(now) + dt.timedelta(days=30)
    terms = plain_terms(
        opens_at=day_start(first),
        closes_at=day_start(first + dt.timedelta(days=30)),
        paper=Paper(parts=(PaperPart(banks=tuple(demo.slug for demo in CAMPAIGNS), count=20),)),
        pass_count=12,
        limit_seconds=1800,
        tries=Tries(per_day=3, total=3),
        feedback="after_close",
        eligibility=Eligibility(groups=("civil_servant",), asks_organisation=True, asks_age_band=False, allows_guests=False),
    )
    services.create_campaign(
        slug=EXAM_SLUG,
        title=f"{first.year} 年度国家工作人员学法考试",
        summary="国家工作人员应当带头学法，每年一次。",
        theme="unity",
        kind="statutory_exam",
        legal_basis="法治宣传教育法第三十六条",
        host_organisation_id=host.id,
        draft=to_dict(terms),
        now=now,
        actor=SYSTEM,
    )

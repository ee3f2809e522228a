"""The winners' notices and what people object to."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Consent, Organisation
from quizapp.core.clock import day_start, shanghai_day
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.payouts import rules
from quizapp.payouts.models import NoticeObjection, ObjectionReply, Payout, WinnersNotice
from quizapp.payouts.queries.campaigns import CAMPAIGNS, CampaignFacts, get_campaign_facts, within


@dataclass(frozen=True)
class Notice:
    """A notice that is up, with its campaign and the Shanghai days its wins are of."""

    row: WinnersNotice
    campaign: CampaignFacts
    first_on: dt.date
    last_on: dt.date

    @property
    def is_growing(self) -> bool:
        """Whether wins are still being added every morning."""
        return not self.row.draw_key and self.campaign.closes_at is not None and self.row.publish_at < self.campaign.closes_at


def _is_up(now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Published and not down yet, worker or no worker."""
    return (WinnersNotice.published_at.is_not(None), WinnersNotice.publish_at <= now, WinnersNotice.down_at > now)


def _noticed(campaign_id: uuid.UUID, draw_key: str, now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Wins of a notice: what was won in the draw, up to the day before where it grows; not points, nothing voided."""
    until = now if draw_key else day_start(shanghai_day(now))
    return (
        Payout.campaign_id == campaign_id,
        Payout.draw_key == draw_key,
        Payout.source_type.in_(rules.DRAWN_SOURCES),
        Payout.kind != "points",
        Payout.state != "void",
        Payout.created_at < until,
    )


def has_winners(campaign_id: uuid.UUID, draw_key: str, now: dt.datetime) -> bool:
    return db.session.scalar(sa.select(Payout.id).where(*_noticed(campaign_id, draw_key, now)).limit(1)) is not None


def _with_days(row: WinnersNotice, now: dt.datetime) -> Notice | None:
    facts = get_campaign_facts(row.campaign_id)
    wins = _noticed(row.campaign_id, row.draw_key, now)
    first_at = db.session.scalar(sa.select(sa.func.min(Payout.created_at)).where(*wins))
    last_at = db.session.scalar(sa.select(sa.func.max(Payout.created_at)).where(*wins))
    if first_at is None or last_at is None:
        return None
    return Notice(row, facts, shanghai_day(first_at), shanghai_day(last_at))


def list_notices(now: dt.datetime) -> list[Notice]:
    """The notices that are up now, the latest first."""
    rows = db.session.scalars(sa.select(WinnersNotice).where(*_is_up(now)).order_by(WinnersNotice.publish_at.desc(), WinnersNotice.id))
    return [notice for row in rows if (notice := _with_days(row, now))]


def get_notice(slug: str, now: dt.datetime, draw_key: str = "") -> Notice:
    """:raises NotFound: if there is none, or it has been taken down"""
    statement = sa.select(WinnersNotice).join(CAMPAIGNS, CAMPAIGNS.c.id == WinnersNotice.campaign_id)
    row = db.session.scalar(statement.where(CAMPAIGNS.c.slug == slug, WinnersNotice.draw_key == draw_key, *_is_up(now)))
    notice = _with_days(row, now) if row is not None else None
    if notice is None:
        raise NotFound
    return notice


def find_notice_row(campaign_id: uuid.UUID, draw_key: str) -> WinnersNotice | None:
    return db.session.scalar(sa.select(WinnersNotice).filter_by(campaign_id=campaign_id, draw_key=draw_key))


_AGREES = sa.exists().where(
    Consent.citizen_id == Payout.citizen_id,
    Consent.purpose == "publicity",
    Consent.withdrawn_at.is_(None),
    Consent.given_at <= Payout.claimed_at,
)
"""Consent that was there at the claim and still is: one given again later does not bring an earlier number back."""


def select_notice_rows(notice: WinnersNotice, now: dt.datetime, reference: str = "") -> sa.Select[Any]:
    """Rows of (payout, whether a masked phone may be shown) of a notice: tier by tier, then by 抽奖号."""
    columns: tuple[Any, ...] = (Payout, sa.and_(Payout.is_phone_public, _AGREES))
    statement: sa.Select[Any] = sa.select(*columns).where(*_noticed(notice.campaign_id, notice.draw_key, now))
    if reference:
        statement = statement.where(Payout.reference.startswith(reference, autoescape=True))
    return statement.order_by(Payout.amount_fen.desc(), Payout.tier, Payout.title, Payout.reference, Payout.id)


@dataclass(frozen=True)
class TierTotal:
    """One prize of a notice: how many won it, and how many have it in hand (None where that would point at people)."""

    tier: str
    title: str
    win_count: int
    done_count: int | None


def list_tier_totals(notice: WinnersNotice, now: dt.datetime) -> list[TierTotal]:
    done = sa.func.sum(sa.case((Payout.state == "done", 1), else_=0))
    statement = sa.select(Payout.tier, Payout.title, sa.func.count(), done, sa.func.max(Payout.amount_fen))
    statement = statement.where(*_noticed(notice.campaign_id, notice.draw_key, now)).group_by(Payout.tier, Payout.title)
    rows = sorted(db.session.execute(statement), key=lambda row: (-row[4], row[0], row[1]))
    counts = rules.shown_counts([int(row[3]) for row in rows])
    lefts = rules.shown_counts([int(row[2]) - int(row[3]) for row in rows])
    return [
        TierTotal(row[0], row[1], int(row[2]), count if left is not None else None)
        for row, count, left in zip(rows, counts, lefts, strict=True)
    ]


# ---- for the worker


def list_campaigns_without_notice(now: dt.datetime) -> Sequence[uuid.UUID]:
    """Campaigns whose instant draw has given something up to yesterday, and that have no notice of it planned."""
    planned = sa.exists().where(WinnersNotice.campaign_id == Payout.campaign_id, WinnersNotice.draw_key == "")
    won = sa.select(Payout.campaign_id).where(
        Payout.campaign_id.is_not(None),
        Payout.source_type == "win",
        Payout.draw_key == "",
        Payout.kind != "points",
        Payout.state != "void",
        Payout.created_at < day_start(shanghai_day(now)),
        ~planned,
    )
    return db.session.scalars(won.distinct()).all()  # type: ignore[return-value]


# ---- objections


@dataclass(frozen=True)
class ObjectionCase:
    """An objection with what it is about; ``payout_id`` where its 抽奖号 has won in that notice."""

    objection: NoticeObjection
    notice: WinnersNotice
    campaign_title: str
    host_path: str
    replies: tuple[ObjectionReply, ...] = ()
    payouts: tuple[Payout, ...] = ()


def select_objections(paths: Sequence[str], state: str = "") -> sa.Select[Any]:
    """Rows of (objection, notice, campaign title), the one to be answered first on top, for ``web.pagination.paginate``."""
    statement = _OBJECTIONS.where(within(paths))
    if state == "open":
        statement = statement.where(NoticeObjection.state == "open")
    elif state:
        statement = statement.where(NoticeObjection.state != "open")
    is_open = sa.case((NoticeObjection.state == "open", 0), else_=1)
    return statement.order_by(is_open, NoticeObjection.due_on, NoticeObjection.id)


_OBJECTIONS = (
    sa.select(NoticeObjection, WinnersNotice, CAMPAIGNS.c.title, Organisation.path)
    .join(WinnersNotice, WinnersNotice.id == NoticeObjection.notice_id)
    .join(CAMPAIGNS, CAMPAIGNS.c.id == WinnersNotice.campaign_id)
    .join(Organisation, Organisation.id == CAMPAIGNS.c.host_organisation_id)
)


def count_open_objections(paths: Sequence[str]) -> int:
    found = select_objections(paths, "open").order_by(None).with_only_columns(sa.func.count())
    return int(db.session.scalar(found) or 0)


def get_objection_case(objection_id: uuid.UUID, paths: Sequence[str]) -> ObjectionCase:
    """:raises NotFound: for one outside these subtrees"""
    row = db.session.execute(_OBJECTIONS.where(NoticeObjection.id == objection_id, within(paths))).one_or_none()
    if row is None:
        raise NotFound
    objection, notice = row[0], row[1]
    of_draw = sa.select(Payout).filter_by(campaign_id=notice.campaign_id, draw_key=notice.draw_key, reference=objection.reference)
    won = tuple(db.session.scalars(of_draw.order_by(Payout.id))) if objection.reference else ()
    return ObjectionCase(objection, notice, row[2], row[3], tuple(list_replies(objection_id)), won)


def list_replies(objection_id: uuid.UUID) -> list[ObjectionReply]:
    replies = sa.select(ObjectionReply).filter_by(objection_id=objection_id).order_by(ObjectionReply.at, ObjectionReply.id)
    return list(db.session.scalars(replies))


def get_objection_by_number(number: str) -> tuple[NoticeObjection, list[ObjectionReply]]:
    """What its objector sees. :raises NotFound: if there is no such number"""
    objection = db.session.scalar(sa.select(NoticeObjection).filter_by(number=number))
    if objection is None:
        raise NotFound
    return objection, list_replies(objection.id)

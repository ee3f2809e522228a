"""One hand-over, a citizen's, the desk's, the console's; items, code pools, cash lists, working days."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Organisation, StaffAccount
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.payouts import rules
from quizapp.payouts.errors import PayoutNotFound, WrongPickupCode
from quizapp.payouts.models import CashList, Payout, PayoutEvent, PayoutForfeit, PayoutItem, PayoutWatch, PrizeCode, WorkdayChange
from quizapp.payouts.queries.campaigns import (
    CAMPAIGNS,
    CampaignFacts,
    get_campaign_facts,
    vault,
    within,
)


def list_workday_changes() -> list[WorkdayChange]:
    """Days that are not what the week says, the latest first."""
    return list(db.session.scalars(sa.select(WorkdayChange).order_by(WorkdayChange.day.desc())))


def workday_after(start: dt.date, count: int) -> dt.date:
    """The day ``count`` working days after ``start`` (Shanghai days), by the week and the days staff have entered."""
    rows = db.session.execute(sa.select(WorkdayChange.day, WorkdayChange.is_working).where(WorkdayChange.day > start))
    return rules.add_workdays(start, count, dict(rows.all()))


# ---- one payout


IS_WATCHED = sa.exists().where(
    PayoutWatch.citizen_id == Payout.citizen_id, PayoutWatch.campaign_id == Payout.campaign_id, PayoutWatch.ended_at.is_(None)
)
"""Condition: what the payout's citizen wins in its campaign is held as it comes."""


def is_watched(citizen_id: uuid.UUID, campaign_id: uuid.UUID | None) -> bool:
    """Whether what this citizen wins in this campaign is held."""
    on = sa.select(PayoutWatch.id).filter_by(citizen_id=citizen_id, campaign_id=campaign_id, ended_at=None)
    return db.session.scalar(on) is not None


def lock_payout(payout_id: uuid.UUID, *, citizen_id: uuid.UUID | None = None) -> Payout:
    """Lock a payout and read it anew.

    :param citizen_id: when given, somebody else's payout is not found
    :raises PayoutNotFound: if there is none
    """
    statement = sa.select(Payout).filter_by(id=payout_id).with_for_update().execution_options(populate_existing=True)
    payout = db.session.scalar(statement)
    if payout is None or (citizen_id is not None and payout.citizen_id != citizen_id):
        raise PayoutNotFound
    return payout


def get_own_payout(payout_id: uuid.UUID, citizen_id: uuid.UUID) -> Payout:
    """:raises PayoutNotFound: if there is none or it is somebody else's"""
    payout = db.session.get(Payout, payout_id)
    if payout is None or payout.citizen_id != citizen_id:
        raise PayoutNotFound
    return payout


def find_by_source(source_type: str, source_id: uuid.UUID, citizen_id: uuid.UUID | None = None) -> Payout | None:
    statement = sa.select(Payout).filter_by(source_type=source_type, source_id=source_id)
    return db.session.scalar(statement if citizen_id is None else statement.filter_by(citizen_id=citizen_id))


def list_events(payout_id: uuid.UUID) -> list[PayoutEvent]:
    return list(db.session.scalars(sa.select(PayoutEvent).filter_by(payout_id=payout_id).order_by(PayoutEvent.at, PayoutEvent.id)))


def list_forfeit_campaigns(source_type: str, rule: str) -> Sequence[uuid.UUID]:
    """Campaigns with lost prizes that nobody has worked yet."""
    statement = sa.select(PayoutForfeit.campaign_id).where(
        PayoutForfeit.worked_at.is_(None),
        PayoutForfeit.source_type == source_type,
        PayoutForfeit.rule == rule,
        PayoutForfeit.campaign_id.is_not(None),
    )
    return [found for found in db.session.scalars(statement.distinct()) if found is not None]


def find_code(payout_id: uuid.UUID) -> str | None:
    """The code given to a payout, in clear: only for its owner's eyes."""
    cipher = db.session.scalar(sa.select(PrizeCode.code_encrypted).filter_by(payout_id=payout_id))
    return vault().decrypt(cipher) if cipher is not None else None


def pickup_code(payout: Payout) -> str | None:
    """The verification code of a claimed pick-up, in clear: only for its owner's eyes."""
    return vault().decrypt(payout.pickup_code_encrypted) if payout.pickup_code_encrypted is not None else None


# ---- a citizen's prizes


@dataclass(frozen=True)
class OwnPrize:
    payout: Payout
    campaign_title: str


def list_own_prizes(citizen_id: uuid.UUID, *, before: uuid.UUID | None = None, limit: int = 20) -> list[OwnPrize]:
    """Prizes of a citizen, the newest first.

    :param before: the id of the last one already seen (ids grow with time)
    """
    statement = (
        sa.select(Payout, CAMPAIGNS.c.title)
        .outerjoin(CAMPAIGNS, CAMPAIGNS.c.id == Payout.campaign_id)
        .where(Payout.citizen_id == citizen_id)
    )
    if before is not None:
        statement = statement.where(Payout.id < before)
    rows = db.session.execute(statement.order_by(Payout.id.desc()).limit(limit))
    return [OwnPrize(payout, title or "") for payout, title in rows]


@dataclass(frozen=True)
class OwnTotals:
    win_count: int
    cash_fen: int
    """Cash that has arrived."""
    claimable_count: int


def own_totals(citizen_id: uuid.UUID) -> OwnTotals:
    row = db.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((sa.and_(Payout.kind == "cash", Payout.state == "done"), Payout.amount_fen), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((Payout.state.in_(("claimable", "returned")), 1), else_=0)), 0),
        ).where(Payout.citizen_id == citizen_id)
    ).one()
    return OwnTotals(int(row[0]), int(row[1]), int(row[2]))


def list_open_payouts(citizen_id: uuid.UUID) -> list[Payout]:
    """What a citizen still has coming; an account is deleted only after it is settled or given up."""
    return list(db.session.scalars(sa.select(Payout).where(Payout.citizen_id == citizen_id, Payout.state.in_(rules.OPEN_STATES))))


# ---- the desk


@dataclass(frozen=True)
class DeskCase:
    payout: Payout
    campaign_title: str
    host_path: str


def get_desk_case(code: str, paths: Sequence[str]) -> DeskCase:
    """What a verification code stands for.

    :param paths: organisation subtrees the member of staff serves
    :raises WrongPickupCode: for a code nobody has, or of a campaign of another unit
    """
    plain = rules.plain_code(code)
    tag = vault().tag("pickup-code", plain)
    statement = (
        sa.select(Payout, CAMPAIGNS.c.title, Organisation.path)
        .join(CAMPAIGNS, CAMPAIGNS.c.id == Payout.campaign_id)
        .join(Organisation, Organisation.id == CAMPAIGNS.c.host_organisation_id)
        .where(Payout.pickup_tag == tag, within(paths))
    )
    row = db.session.execute(statement).one_or_none()
    if row is None or len(plain) != rules.PICKUP_CODE_LENGTH:
        raise WrongPickupCode
    return DeskCase(row[0], row[1], row[2])


def get_case(payout_id: uuid.UUID, paths: Sequence[str]) -> DeskCase:
    """A payout with its campaign.

    :raises PayoutNotFound: if there is none within these subtrees
    """
    wanted = PayoutFilter(paths=tuple(paths))
    row = db.session.execute(_filtered((Payout, CAMPAIGNS.c.title, Organisation.path), wanted).where(Payout.id == payout_id)).one_or_none()
    if row is None:
        raise PayoutNotFound
    return DeskCase(row[0], row[1], row[2])


def staff_name(staff_id: uuid.UUID | None) -> str:
    if staff_id is None:
        return ""
    return db.session.scalar(sa.select(StaffAccount.display_name).filter_by(id=staff_id)) or ""


# ---- the console


@dataclass(frozen=True)
class PayoutFilter:
    """What a list of hand-overs is narrowed to; empty means all. ``paths`` are the subtrees the reader may see."""

    paths: tuple[str, ...]
    campaign_id: uuid.UUID | None = None
    item_id: uuid.UUID | None = None
    state: str = ""
    reference: str = ""
    citizen_id: uuid.UUID | None = None


def _filtered(columns: Iterable[Any], wanted: PayoutFilter, *, with_state: bool = True) -> sa.Select[Any]:
    statement = (
        sa.select(*columns)
        .select_from(Payout)
        .join(CAMPAIGNS, CAMPAIGNS.c.id == Payout.campaign_id)
        .join(Organisation, Organisation.id == CAMPAIGNS.c.host_organisation_id)
        .where(within(wanted.paths))
    )
    if wanted.campaign_id is not None:
        statement = statement.where(Payout.campaign_id == wanted.campaign_id)
    if wanted.item_id is not None:
        statement = statement.where(Payout.item_id == wanted.item_id)
    if wanted.state and with_state:
        statement = statement.where(Payout.state == wanted.state)
    if wanted.reference:
        statement = statement.where(Payout.reference.startswith(wanted.reference, autoescape=True))
    if wanted.citizen_id is not None:
        statement = statement.where(Payout.citizen_id == wanted.citizen_id)
    return statement


NOTHING = sa.false()
"""Condition of a search that cannot find anything."""


def select_payouts(wanted: PayoutFilter) -> sa.Select[Any]:
    """Rows of (payout, campaign title), the newest first, for ``web.pagination.paginate``."""
    return _filtered((Payout, CAMPAIGNS.c.title), wanted).order_by(Payout.id.desc())


def count_by_state(wanted: PayoutFilter) -> dict[str, int]:
    """How many hand-overs there are per state, whatever state is being looked at."""
    statement = _filtered((Payout.state, sa.func.count()), wanted, with_state=False).group_by(Payout.state)
    return dict(db.session.execute(statement).all())


@dataclass(frozen=True)
class ItemCount:
    """One item with what its hand-overs and its code pool look like."""

    item: PayoutItem
    campaign_title: str
    host_path: str
    opened_count: int
    done_count: int
    waiting_count: int
    code_count: int
    free_code_count: int


def _count_where(*conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).where(*conditions).correlate(PayoutItem).scalar_subquery()


def list_items(
    paths: Sequence[str], *, campaign_id: uuid.UUID | None = None, kind: str = "", item_id: uuid.UUID | None = None
) -> list[ItemCount]:
    """Items of campaigns within these subtrees, in the order of campaigns and items."""
    of_item = Payout.item_id == PayoutItem.id
    statement = (
        sa.select(
            PayoutItem,
            CAMPAIGNS.c.title,
            Organisation.path,
            _count_where(of_item),
            _count_where(of_item, Payout.state == "done"),
            _count_where(of_item, Payout.state == "processing"),
            _count_where(PrizeCode.item_id == PayoutItem.id),
            _count_where(PrizeCode.item_id == PayoutItem.id, PrizeCode.payout_id.is_(None)),
        )
        .select_from(PayoutItem)
        .join(CAMPAIGNS, CAMPAIGNS.c.id == PayoutItem.campaign_id)
        .join(Organisation, Organisation.id == CAMPAIGNS.c.host_organisation_id)
        .where(within(paths))
        .order_by(CAMPAIGNS.c.opens_at.desc(), PayoutItem.campaign_id, PayoutItem.id)
    )
    if campaign_id is not None:
        statement = statement.where(PayoutItem.campaign_id == campaign_id)
    if kind:
        statement = statement.where(PayoutItem.kind == kind)
    if item_id is not None:
        statement = statement.where(PayoutItem.id == item_id)
    return [ItemCount(*row) for row in db.session.execute(statement)]


def get_item(item_id: uuid.UUID, paths: Sequence[str]) -> ItemCount:
    """:raises NotFound: if there is no such item within these subtrees"""
    found = list_items(paths, item_id=item_id)
    if not found:
        raise NotFound
    return found[0]


def list_items_to_serve() -> Sequence[uuid.UUID]:
    """Items that have both a free code and somebody who waits for one."""
    free = sa.exists().where(PrizeCode.item_id == Payout.item_id, PrizeCode.payout_id.is_(None))
    waiting = sa.select(Payout.item_id).where(Payout.kind == "code", Payout.state == "processing", free)
    return db.session.scalars(waiting.distinct()).all()


# ---- cash lists


@dataclass(frozen=True)
class CashWaiting:
    """Claimed cash of one campaign that is on no list yet."""

    campaign_id: uuid.UUID
    campaign_title: str
    payout_count: int
    total_fen: int


def list_cash_waiting(paths: Sequence[str]) -> list[CashWaiting]:
    wanted = PayoutFilter(paths=tuple(paths), state="processing")
    columns = (Payout.campaign_id, CAMPAIGNS.c.title, sa.func.count(), sa.func.sum(Payout.amount_fen))
    statement = _filtered(columns, wanted).where(Payout.kind == "cash", Payout.cash_list_id.is_(None))
    rows = db.session.execute(statement.group_by(Payout.campaign_id, CAMPAIGNS.c.title).order_by(CAMPAIGNS.c.title))
    return [CashWaiting(row[0], row[1], int(row[2]), int(row[3])) for row in rows]


def select_cash_lists(paths: Sequence[str]) -> sa.Select[Any]:
    """Rows of (cash list, campaign title, unsettled count), the newest first, for ``web.pagination.paginate``."""
    unsettled = (
        sa.select(sa.func.count())
        .where(Payout.cash_list_id == CashList.id, Payout.state.in_(("processing", "unknown")))
        .correlate(CashList)
        .scalar_subquery()
    )
    return (
        sa.select(CashList, CAMPAIGNS.c.title, unsettled)
        .join(CAMPAIGNS, CAMPAIGNS.c.id == CashList.campaign_id)
        .join(Organisation, Organisation.id == CAMPAIGNS.c.host_organisation_id)
        .where(within(paths))
        .order_by(CashList.id.desc())
    )


def get_cash_list(cash_list_id: uuid.UUID, paths: Sequence[str]) -> tuple[CashList, CampaignFacts]:
    """:raises NotFound: if there is no such list within these subtrees"""
    cash_list = db.session.get(CashList, cash_list_id)
    if cash_list is None or cash_list.campaign_id is None:
        raise NotFound
    return cash_list, get_campaign_facts(cash_list.campaign_id, paths)


def lock_cash_list(cash_list_id: uuid.UUID, paths: Sequence[str]) -> tuple[CashList, CampaignFacts]:
    """Lock a list and read it anew.

    :raises NotFound: if there is no such list within these subtrees
    """
    statement = sa.select(CashList).filter_by(id=cash_list_id).with_for_update().execution_options(populate_existing=True)
    cash_list = db.session.scalar(statement)
    if cash_list is None or cash_list.campaign_id is None:
        raise NotFound
    return cash_list, get_campaign_facts(cash_list.campaign_id, paths)


def list_cash_rows(cash_list_id: uuid.UUID) -> list[Payout]:
    """The payouts of a list in the order of their claims."""
    return list(db.session.scalars(sa.select(Payout).filter_by(cash_list_id=cash_list_id).order_by(Payout.claimed_at, Payout.id)))


def count_unsettled(cash_list_id: uuid.UUID) -> int:
    """Rows of a list whose end is not known yet."""
    statement = sa.select(sa.func.count()).where(Payout.cash_list_id == cash_list_id, Payout.state.in_(("processing", "unknown")))
    return db.session.scalar(statement) or 0

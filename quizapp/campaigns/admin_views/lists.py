"""Lists of campaigns."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from flask import render_template, request

from quizapp.campaigns import queries, wording
from quizapp.campaigns.admin_views.base import STATUS_TITLES, bp
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.reach import in_state, state_of
from quizapp.core.clock import day_start, shanghai_day, utc_now
from quizapp.core.db import db
from quizapp.core.themes import icon_of
from quizapp.lottery import queries as lottery
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

STATES = {
    "draft": "草稿",
    "pending_approval": "待审批",
    "scheduled": "定时发布",
    "soon": "即将开始",
    "open": "进行中",
    "paused": "已暂停",
    "ended": "已结束",
}


@dataclass(frozen=True)
class Row:
    """A line of the list. Money in fen; ``used_fen`` is what the prizes won so far are worth in hand."""

    campaign: Campaign
    state: str
    word: str
    cohosts: tuple[str, ...]
    used_fen: int
    stock_fen: int
    won_count: int
    prize_count: int

    @property
    def icon(self) -> str:
        return icon_of(self.campaign.theme)


@bp.get("")
@bureau("campaigns.view")
def index() -> str:
    """Campaigns hosted or co-hosted within this member's reach, newest first."""
    now = utc_now()
    chosen = {name: request.args.get(name, "").strip()[:60] for name in ("q", "kind", "status", "year")}
    reach = queries.in_scopes(current_principal().scopes("campaigns.view"))
    statement = sa.select(Campaign).where(reach, *_filters(chosen, now))
    page = paginate(statement.order_by(Campaign.created_at.desc(), Campaign.id.desc()), page_number())
    return render_template(
        "campaigns/admin_index.html",
        page=page,
        rows=[_row(campaign, now) for campaign in page.items],
        chosen=chosen,
        states=STATES,
        kinds=wording.KINDS,
        year_choices=[(year, f"{year} 年") for year in _years(reach)],
        summary="，".join(f"{word} {count} 场" for word, count in _counts(reach, now)),
    )


def _filters(chosen: dict[str, str], now: dt.datetime) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if chosen["q"]:
        found.append(sa.or_(Campaign.title.contains(chosen["q"], autoescape=True), Campaign.slug.contains(chosen["q"], autoescape=True)))
    if chosen["kind"]:
        found.append(Campaign.kind == chosen["kind"])
    if chosen["status"]:
        found.append(in_state(chosen["status"], now))
    if chosen["year"].isdigit() and 2000 <= int(chosen["year"]) <= 2200:
        year = int(chosen["year"])
        begin, end = day_start(dt.date(year, 1, 1)), day_start(dt.date(year + 1, 1, 1))
        moment = sa.func.coalesce(Campaign.opens_at, Campaign.created_at)
        found.append(sa.and_(moment >= begin, moment < end))
    return found


def _row(campaign: Campaign, now: dt.datetime) -> Row:
    prizes = lottery.list_prizes(campaign.id) if campaign.terms_id else []
    state = state_of(campaign, now)
    return Row(
        campaign=campaign,
        state=state,
        word=STATES.get(state, STATUS_TITLES[campaign.status]),
        cohosts=tuple(queries.cohost_names(campaign.id)),
        used_fen=sum(prize.won_count * prize.value_fen for prize in prizes),
        stock_fen=sum(prize.quantity * prize.value_fen for prize in prizes),
        won_count=sum(prize.won_count for prize in prizes),
        prize_count=sum(prize.quantity for prize in prizes),
    )


def _counts(reach: sa.ColumnElement[bool], now: dt.datetime) -> list[tuple[str, int]]:
    found = []
    for state in ("open", "soon", "scheduled", "pending_approval", "draft"):
        count = db.session.scalar(sa.select(sa.func.count()).select_from(Campaign).where(reach, in_state(state, now)))
        found.append((STATES[state], count or 0))
    return found


def _years(reach: sa.ColumnElement[bool]) -> list[str]:
    moments = db.session.execute(sa.select(Campaign.opens_at, Campaign.created_at).where(reach))
    return sorted({str(shanghai_day(opens or created).year) for opens, created in moments}, reverse=True)

"""Reads of pool draws. Campaigns are named here as a table only: their package lies further down the map."""

import datetime as dt
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.statements import Row
from quizapp.lottery.pool_models import (
    OutsideDraw,
    PoolDrawEntry,
    PoolDrawRecord,
    PoolDrawResult,
    PoolDrawRun,
    PoolManifest,
    PoolWin,
)
from quizapp.lottery.queries import PoolCampaign
from quizapp.payouts.models import Payout
from quizapp.payouts.queries import CAMPAIGNS

STALLED = dt.timedelta(hours=1)
"""A draw whose public input is taken is made by the worker after so long, so that nobody can sit on it."""
ROWS = 5000


# ---- draws as everybody may see them


@dataclass(frozen=True)
class PublicDraw:
    """A pool draw with what the manifest says of it."""

    run: PoolDrawRun
    campaign: PoolCampaign
    host_path: str
    manifest: str
    manifest_hash: str

    @property
    def terms(self) -> dict[str, Any]:
        return _draw(self.manifest, self.run.draw_code)

    @property
    def name(self) -> str:
        """The title with the day, round or stage it is held for."""
        return self.run.title if self.run.scope in (None, "campaign") else f"{self.run.title}（{self.run.scope}）"


@lru_cache(maxsize=256)
def _draw(manifest: str, code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(draw for draw in json.loads(manifest)["draws"] if draw["id"] == code)
    return found


_PUBLIC = (
    sa.select(
        PoolDrawRun,
        CAMPAIGNS.c.id,
        CAMPAIGNS.c.slug,
        CAMPAIGNS.c.title,
        Organisation.path,
        PoolManifest.manifest,
        PoolManifest.manifest_hash,
    )
    .join(PoolManifest, PoolManifest.campaign_id == PoolDrawRun.campaign_id)
    .join(CAMPAIGNS, CAMPAIGNS.c.id == PoolDrawRun.campaign_id)
    .join(Organisation, Organisation.id == CAMPAIGNS.c.host_organisation_id)
    .where(PoolDrawRun.state != "spare")
)


def _public(row: Row) -> PublicDraw:
    return PublicDraw(row[0], PoolCampaign(row[1], row[2], row[3]), row[4], row[5], row[6])


def get_public(pool_draw_id: uuid.UUID) -> PublicDraw:
    """:raises NotFound: if there is none, or it is a spare"""
    row = db.session.execute(_PUBLIC.where(PoolDrawRun.id == pool_draw_id)).one_or_none()
    if row is None:
        raise NotFound
    return _public(row)


def get_public_of(slug: str, pool_draw_id: uuid.UUID) -> PublicDraw:
    """:raises NotFound: if this campaign has no such draw"""
    found = get_public(pool_draw_id)
    if found.campaign.slug != slug:
        raise NotFound
    return found


def get_staffed(pool_draw_id: uuid.UUID, paths: Sequence[str]) -> PublicDraw:
    """:raises NotFound: if there is no such draw of a campaign within these subtrees"""
    found = get_public(pool_draw_id)
    if not any(found.host_path.startswith(path) for path in paths):
        raise NotFound
    return found


def list_public(slug: str) -> list[PublicDraw]:
    """The draws of a campaign by the moment their lists are due; none without pool draws."""
    statement = _PUBLIC.where(CAMPAIGNS.c.slug == slug).order_by(PoolDrawRun.due_at, PoolDrawRun.slot)
    return [_public(row) for row in db.session.execute(statement)]


def find_manifest_hash(campaign_id: uuid.UUID) -> str | None:
    """The seal of a campaign's pool draws, for its rule page."""
    return db.session.scalar(sa.select(PoolManifest.manifest_hash).filter_by(campaign_id=campaign_id))


def select_staffed(paths: Sequence[str], state: str = "") -> sa.Select[Any]:
    """Rows for ``web.pagination.paginate``: those that wait for somebody first, then by the moment they are due."""
    within = sa.or_(*(Organisation.path.startswith(path, autoescape=True) for path in paths)) if paths else sa.false()
    statement = _PUBLIC.where(within)
    if state:
        statement = statement.where(PoolDrawRun.state == state)
    first = sa.case((PoolDrawRun.state.in_(("ready", "frozen")), 0), (PoolDrawRun.state == "open", 1), else_=2)
    return statement.order_by(first, PoolDrawRun.due_at, PoolDrawRun.id)


def as_public(row: Row) -> PublicDraw:
    """A row of :func:`select_staffed`."""
    return _public(row)


def count_waiting(paths: Sequence[str]) -> int:
    """Draws that wait for staff: frozen ones with a ceremony, public figure or outside record to come."""
    within = sa.or_(*(Organisation.path.startswith(path, autoescape=True) for path in paths)) if paths else sa.false()
    waits = sa.or_(PoolDrawRun.mode != "automatic", PoolDrawRun.seed_input != "none")
    statement = (
        sa.select(sa.func.count())
        .select_from(PoolDrawRun)
        .join(CAMPAIGNS, CAMPAIGNS.c.id == PoolDrawRun.campaign_id)
        .join(Organisation, Organisation.id == CAMPAIGNS.c.host_organisation_id)
        .where(PoolDrawRun.state.in_(("frozen", "ready")), waits, within)
    )
    return db.session.scalar(statement) or 0


# ---- lists and results


def find_own_entry(pool_draw_id: uuid.UUID, citizen_id: uuid.UUID) -> PoolDrawEntry | None:
    """A citizen's line of a frozen list."""
    return db.session.scalar(sa.select(PoolDrawEntry).filter_by(pool_draw_id=pool_draw_id, citizen_id=citizen_id))


def list_own_results(pool_draw_id: uuid.UUID, serial: int) -> list[PoolDrawResult]:
    """What became of a line: wins, a place on the reserve list, a skip."""
    statement = sa.select(PoolDrawResult).filter_by(pool_draw_id=pool_draw_id, serial=serial).order_by(PoolDrawResult.number)
    return list(db.session.scalars(statement))


def list_results(
    pool_draw_id: uuid.UUID, kinds: Sequence[str] = ("win", "reserve", "skip", "band"), limit: int | None = None
) -> list[PoolDrawResult]:
    """The results in order."""
    statement = sa.select(PoolDrawResult).where(PoolDrawResult.pool_draw_id == pool_draw_id, PoolDrawResult.kind.in_(kinds))
    return list(db.session.scalars(statement.order_by(PoolDrawResult.number).limit(limit)))


def count_results(pool_draw_id: uuid.UUID) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(PoolDrawResult).filter_by(pool_draw_id=pool_draw_id)) or 0


def list_tier(pool_draw_id: uuid.UUID, tier: int | None, limit: int, offset: int = 0) -> list[PoolDrawResult]:
    """Winning places of a tier; without a tier the reserve list."""
    statement = sa.select(PoolDrawResult).filter_by(pool_draw_id=pool_draw_id, kind="reserve" if tier is None else "win", tier=tier)
    return list(db.session.scalars(statement.order_by(PoolDrawResult.number).limit(limit).offset(offset)))


def count_reserves_left(pool_draw_id: uuid.UUID) -> int:
    """How many of the reserve list have neither been taken nor passed over."""
    return count_tiers(pool_draw_id).get(None, 0) - len(list_substitutions(pool_draw_id))


def count_tiers(pool_draw_id: uuid.UUID) -> dict[int | None, int]:
    """How many places each tier has drawn; None counts the reserve list."""
    statement = sa.select(PoolDrawResult.tier, sa.func.count()).where(
        PoolDrawResult.pool_draw_id == pool_draw_id, PoolDrawResult.kind.in_(("win", "reserve"))
    )
    return {row[0]: int(row[1]) for row in db.session.execute(statement.group_by(PoolDrawResult.tier))}


def iterate_entries(pool_draw_id: uuid.UUID) -> Iterator[tuple[int, str, int, int]]:
    """Lines of a frozen list as (serial, 抽奖号, tickets, band), some thousands at a time."""
    columns = (PoolDrawEntry.serial, PoolDrawEntry.alias, PoolDrawEntry.tickets, PoolDrawEntry.band)
    after = 0
    while True:
        statement = sa.select(*columns).where(PoolDrawEntry.pool_draw_id == pool_draw_id, PoolDrawEntry.serial > after)
        rows = db.session.execute(statement.order_by(PoolDrawEntry.serial).limit(ROWS)).all()
        yield from ((row[0], row[1], row[2], row[3]) for row in rows)
        if len(rows) < ROWS:
            return
        after = rows[-1][0]


def iterate_results(pool_draw_id: uuid.UUID) -> Iterator[str]:
    """The lines of the results to the byte."""
    after = 0
    while True:
        statement = sa.select(PoolDrawResult.number, PoolDrawResult.body).where(
            PoolDrawResult.pool_draw_id == pool_draw_id, PoolDrawResult.number > after
        )
        rows = db.session.execute(statement.order_by(PoolDrawResult.number).limit(ROWS)).all()
        yield from (row[1] for row in rows)
        if len(rows) < ROWS:
            return
        after = rows[-1][0]


def list_records(pool_draw_id: uuid.UUID, until: int) -> list[tuple[str, str, str]]:
    """The chain up to a record as (kind, body, seal), in order."""
    columns = (PoolDrawRecord.kind, PoolDrawRecord.body, PoolDrawRecord.hash)
    statement = sa.select(*columns).where(PoolDrawRecord.pool_draw_id == pool_draw_id, PoolDrawRecord.number <= until)
    return [(row[0], row[1], row[2]) for row in db.session.execute(statement.order_by(PoolDrawRecord.number))]


def list_substitutions(pool_draw_id: uuid.UUID) -> list[dict[str, Any]]:
    """What became of the reserve list: records of substitutes and of those passed over."""
    statement = sa.select(PoolDrawRecord.body).where(
        PoolDrawRecord.pool_draw_id == pool_draw_id, PoolDrawRecord.kind.in_(("substitute", "pass"))
    )
    return [json.loads(body) for body in db.session.scalars(statement.order_by(PoolDrawRecord.number))]


def list_holders(pool_draw_id: uuid.UUID, limit: int) -> list[tuple[PoolWin, Payout]]:
    """Every win of a draw with its hand-over, substitutes behind whom they stand for."""
    statement = (
        sa.select(PoolWin, Payout)
        .join(Payout, sa.and_(Payout.source_type == "pool_win", Payout.source_id == PoolWin.id))
        .where(PoolWin.pool_draw_id == pool_draw_id)
    )
    return [(row[0], row[1]) for row in db.session.execute(statement.order_by(PoolWin.tier, PoolWin.place, PoolWin.turn).limit(limit))]


# ---- draws held elsewhere


def find_waiting_outside(pool_draw_id: uuid.UUID) -> OutsideDraw | None:
    return db.session.scalar(sa.select(OutsideDraw).filter_by(pool_draw_id=pool_draw_id, state="waiting"))


def find_confirmed_outside(pool_draw_id: uuid.UUID) -> OutsideDraw | None:
    return db.session.scalar(sa.select(OutsideDraw).filter_by(pool_draw_id=pool_draw_id, state="confirmed"))


# ---- for the worker


@dataclass(frozen=True)
class DueDraw:
    id: uuid.UUID
    campaign_id: uuid.UUID
    draw_code: str
    scope: str | None
    state: str


def list_due(now: dt.datetime) -> list[DueDraw]:
    """What the worker has to do: lists whose moment has come, and draws that wait for nobody (any more)."""
    waits_for_nobody = sa.and_(PoolDrawRun.mode == "automatic", PoolDrawRun.seed_input == "none")
    is_due = sa.or_(
        sa.and_(PoolDrawRun.state == "open", PoolDrawRun.due_at <= now),
        sa.and_(PoolDrawRun.state == "frozen", waits_for_nobody),
        sa.and_(PoolDrawRun.state == "ready", sa.or_(PoolDrawRun.mode == "automatic", PoolDrawRun.ready_at <= now - STALLED)),
    )
    columns = (PoolDrawRun.id, PoolDrawRun.campaign_id, PoolDrawRun.draw_code, PoolDrawRun.scope, PoolDrawRun.state)
    return [DueDraw(*row) for row in db.session.execute(sa.select(*columns).where(is_due).order_by(PoolDrawRun.due_at, PoolDrawRun.id))]


def has_undrawn(campaign_id: uuid.UUID) -> bool:
    """Whether a draw of this campaign is still to come."""
    found = sa.select(PoolDrawRun.id).where(PoolDrawRun.campaign_id == campaign_id, PoolDrawRun.state.in_(("open", "frozen", "ready")))
    return db.session.scalar(found.limit(1)) is not None


@dataclass(frozen=True)
class WinFact:
    """A win of a pool draw: whose, in which of the terms' draws and for which scope."""

    id: uuid.UUID
    citizen_id: uuid.UUID
    draw_code: str
    scope: str
    won_at: dt.datetime


def list_wins_of(campaign_id: uuid.UUID, citizen_id: uuid.UUID | None = None) -> list[WinFact]:
    """All wins of a campaign's pool draws, or one citizen's, by time."""
    found = sa.select(PoolWin.id, PoolWin.citizen_id, PoolDrawRun.draw_code, PoolDrawRun.scope, PoolWin.won_at)
    found = found.join(PoolDrawRun, PoolDrawRun.id == PoolWin.pool_draw_id).where(PoolWin.campaign_id == campaign_id)
    if citizen_id is not None:
        found = found.where(PoolWin.citizen_id == citizen_id)
    rows = db.session.execute(found.order_by(PoolWin.won_at))
    return [WinFact(key, owner, code, scope or "", won_at) for key, owner, code, scope, won_at in rows]

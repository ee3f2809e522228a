"""The reserve list: substitutes are taken from it in order, never drawn anew."""

import datetime as dt
import uuid

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.lottery import pool_proof
from quizapp.lottery.errors import NoReserveLeft, NotDrawn, PlaceStillHeld, UnknownPlace
from quizapp.lottery.pool_models import PoolDrawRecord, PoolDrawResult, PoolDrawRun, PoolWin
from quizapp.lottery.pooldraw.chain import add_record, lock_run
from quizapp.lottery.pooldraw.winning import Won, open_wins
from quizapp.payouts.queries import find_by_source

GONE_STATES = ("expired", "forfeited", "void")
"""States of a hand-over whose prize is free for the next of the reserve list."""


def substitute(
    *, pool_draw_id: uuid.UUID, tier: int, place: int, reason: str, actor: audit.Actor, organisation_path: str, now: dt.datetime
) -> uuid.UUID:
    """Give a place whose prize was forfeited to the next of the reserve list. Returns the id of the new win.

    :param reason: one of ``pool_proof.PASS_REASONS``
    :raises UnknownPlace: if nobody has drawn that place
    :raises PlaceStillHeld: while whoever has it can still get the prize
    :raises NoReserveLeft: if the reserve list is used up
    """
    run = _drawn_run(pool_draw_id, reason)
    holder = db.session.scalars(
        sa.select(PoolWin).filter_by(pool_draw_id=run.id, tier=tier, place=place).order_by(PoolWin.turn.desc()).limit(1)
    ).first()
    if holder is None:
        raise UnknownPlace
    payout = find_by_source("pool_win", holder.id)
    if payout is None or payout.state not in GONE_STATES:
        raise PlaceStillHeld
    following = next_reserve(run)
    add_record(run, "substitute", now, place=place, reason=reason, reserve=following.place, tier=tier)
    won = Won(tier, place, _serial(following), following.alias, holder.turn + 1, holder.id, following.place)
    [win_id] = open_wins(run, [won], now)
    _audit("pool_draw.substituted", run, actor, organisation_path, {"place": place, "alias": following.alias, "reason": reason}, now)
    return win_id


def pass_reserve(*, pool_draw_id: uuid.UUID, reason: str, actor: audit.Actor, organisation_path: str, now: dt.datetime) -> int:
    """Pass over the next of the reserve list, on the record. Returns their place.

    :raises NoReserveLeft: if the reserve list is used up
    """
    run = _drawn_run(pool_draw_id, reason)
    following = next_reserve(run)
    add_record(run, "pass", now, reason=reason, reserve=following.place)
    _audit("pool_draw.reserve_passed", run, actor, organisation_path, {"alias": following.alias, "reason": reason}, now)
    return following.place or 0


def _drawn_run(pool_draw_id: uuid.UUID, reason: str) -> PoolDrawRun:
    if reason not in pool_proof.PASS_REASONS:
        raise ValueError(f"not a reason: {reason}")
    run = lock_run(pool_draw_id)
    if run.state != "drawn":
        raise NotDrawn
    return run


def next_reserve(run: PoolDrawRun) -> PoolDrawResult:
    """Who comes next on the reserve list of a locked draw.

    :raises NoReserveLeft: if it is used up
    """
    used = (
        sa.select(sa.func.count())
        .select_from(PoolDrawRecord)
        .where(PoolDrawRecord.pool_draw_id == run.id, PoolDrawRecord.kind.in_(("substitute", "pass")))
    )
    place = (db.session.scalar(used) or 0) + 1
    found = db.session.scalar(sa.select(PoolDrawResult).filter_by(pool_draw_id=run.id, kind="reserve", place=place))
    if found is None:
        raise NoReserveLeft
    return found


def _serial(result: PoolDrawResult) -> int:
    if result.serial is None:
        raise ValueError("a reserve without a serial")
    return result.serial


def _audit(action: str, run: PoolDrawRun, actor: audit.Actor, organisation_path: str, changes: dict[str, object], now: dt.datetime) -> None:
    audit.record(
        action,
        actor=actor,
        target_type="pool_draw",
        target_id=run.id,
        target_name=run.title,
        organisation_path=organisation_path,
        changes={"scope": run.scope, **changes},
        now=now,
    )

"""A draw held elsewhere: one member of staff enters its record, another confirms it. The manifest announced it as such, and
everything that shows the results says that they were entered and cannot be computed again."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.lottery import pool_proof
from quizapp.lottery.errors import BadOutsideRecord, NotFrozen, NotHeldElsewhere, NothingWaiting, SameHand, WaitsForConfirmation
from quizapp.lottery.pool_models import OutsideDraw, PoolDrawEntry, PoolDrawRun
from quizapp.lottery.pool_proof import Result, quantity_of
from quizapp.lottery.pooldraw.chain import add_record, draw_of, lock_run
from quizapp.lottery.pooldraw.drawing import settle


@dataclass(frozen=True)
class OutsideEntry:
    """The record of a draw held elsewhere: who saw it, where, when, the document that proves it, and what it gave, as 抽奖号
    by tier in the manifest's order, then the reserve list."""

    place: str
    witness: str
    held_at: dt.datetime
    document_hash: str
    """SHA-256 of the document's file, in hex."""
    document_name: str
    drawn: Sequence[Sequence[str]]
    reserves: Sequence[str] = ()


def enter_outside(
    *, pool_draw_id: uuid.UUID, entry: OutsideEntry, staff_id: uuid.UUID, actor: audit.Actor, organisation_path: str, now: dt.datetime
) -> OutsideDraw:
    """Write down the record of a draw held elsewhere; it waits for another person.

    :raises NotHeldElsewhere: unless the manifest announced it so
    :raises NotFrozen: before the freeze, or when results stand
    :raises WaitsForConfirmation: while another record waits
    :raises BadOutsideRecord: for a 抽奖号 that is not in the frozen list, one drawn twice, too many of a tier, a moment before
        the freeze; says which
    """
    run = _outside_run(pool_draw_id)
    if db.session.scalar(sa.select(OutsideDraw.id).filter_by(pool_draw_id=run.id, state="waiting")) is not None:
        raise WaitsForConfirmation
    found = _results(run, entry, now)
    row = OutsideDraw(
        pool_draw_id=run.id,
        place=entry.place.strip(),
        witness=entry.witness.strip(),
        held_at=entry.held_at,
        document_hash=entry.document_hash,
        document_name=entry.document_name[:200],
        lines=[list(result) for result in found],
        entered_by=staff_id,
        entered_at=now,
    )
    db.session.add(row)
    db.session.flush()
    _audit("pool_draw.outside_entered", run, row, actor, organisation_path, now)
    return row


def confirm_outside(
    *, pool_draw_id: uuid.UUID, staff_id: uuid.UUID, actor: audit.Actor, organisation_path: str, now: dt.datetime
) -> PoolDrawRun:
    """Confirm what another person has entered: it goes on the chain, and the prizes open.

    :raises NothingWaiting: if nothing was entered
    :raises SameHand: for whoever entered it
    """
    run, row = _waiting(pool_draw_id)
    if row.entered_by == staff_id:
        raise SameHand
    found: list[Result] = [tuple(line) for line in row.lines]
    lines = [pool_proof.result_line(result) for result in found]
    row.state, row.decided_by, row.decided_at = "confirmed", staff_id, now
    add_record(
        run,
        "outside",
        now,
        document=row.document_hash,
        held_at=pool_proof.moment_text(row.held_at),
        lines=len(lines),
        place=row.place,
        result_hash=pool_proof.lines_hash(lines),
        witness=row.witness,
    )
    run.is_outside = True
    settle(run, found, lines, now)
    _audit("pool_draw.outside_confirmed", run, row, actor, organisation_path, now)
    return run


def refuse_outside(*, pool_draw_id: uuid.UUID, staff_id: uuid.UUID, actor: audit.Actor, organisation_path: str, now: dt.datetime) -> None:
    """Send a waiting record back; it stays on file as refused. Whoever entered it may take it back.

    :raises NothingWaiting: if nothing was entered
    """
    run, row = _waiting(pool_draw_id)
    row.state, row.decided_by, row.decided_at = "refused", staff_id, now
    db.session.flush()
    _audit("pool_draw.outside_refused", run, row, actor, organisation_path, now)


def _outside_run(pool_draw_id: uuid.UUID) -> PoolDrawRun:
    run = lock_run(pool_draw_id)
    if run.mode != "outside":
        raise NotHeldElsewhere
    if run.state != "frozen":
        raise NotFrozen
    return run


def _waiting(pool_draw_id: uuid.UUID) -> tuple[PoolDrawRun, OutsideDraw]:
    run = _outside_run(pool_draw_id)
    row = db.session.scalar(sa.select(OutsideDraw).filter_by(pool_draw_id=run.id, state="waiting").with_for_update())
    if row is None:
        raise NothingWaiting
    return run, row


def _results(run: PoolDrawRun, entry: OutsideEntry, now: dt.datetime) -> list[Result]:
    draw = draw_of(run)
    _need(bool(entry.place.strip()) and bool(entry.witness.strip()), "请写清楚在哪里摇的、谁见证的。")
    _need(len(entry.document_hash) == 64 and set(entry.document_hash) <= set("0123456789abcdef"), "请上传证明文件。")
    _need(run.frozen_at is not None and run.frozen_at <= entry.held_at <= now, "摇号时间应当在冻结名单以后、现在以前。")
    _need(len(entry.drawn) == len(draw["tiers"]), "奖项数和公布的不一样。")
    every = [alias for aliases in entry.drawn for alias in aliases] + list(entry.reserves)
    places = _places(run.id, every)
    counts = [_count_band(run.id)]
    used: dict[str, int] = {}
    found: list[Result] = []
    for number, aliases in enumerate(entry.drawn):
        tier = draw["tiers"][number]
        _need(len(aliases) <= quantity_of(tier, counts[0]), f"{tier['name']}录入的人数超过了公布的数量。")
        for place, alias in enumerate(aliases, 1):
            serial, tickets = _known(places, alias)
            used[alias] = used.get(alias, 0) + 1
            _need(used[alias] <= (1 if draw["one_win"] else tickets), f"抽奖号 {alias} 录入了不止一次。")
            found.append(("win", number, place, serial, alias))
    _need(len(entry.reserves) <= draw["reserves"], "候补人数超过了公布的数量。")
    for place, alias in enumerate(entry.reserves, 1):
        serial, _tickets = _known(places, alias)
        _need(alias not in used, f"抽奖号 {alias} 录入了不止一次。")
        used[alias] = 1
        found.append(("reserve", place, serial, alias))
    _need(bool(found), "请录入中奖的抽奖号。")
    return found


def _need(condition: bool, message: str) -> None:
    if not condition:
        raise BadOutsideRecord(message)


def _known(places: dict[str, tuple[int, int]], alias: str) -> tuple[int, int]:
    _need(alias in places, f"抽奖号 {alias} 不在冻结的名单里。")
    return places[alias]


def _places(pool_draw_id: uuid.UUID, aliases: Sequence[str]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for start in range(0, len(aliases), 500):
        part = list(aliases[start : start + 500])
        columns = (PoolDrawEntry.alias, PoolDrawEntry.serial, PoolDrawEntry.tickets)
        statement = sa.select(*columns).where(PoolDrawEntry.pool_draw_id == pool_draw_id, PoolDrawEntry.alias.in_(part))
        found.update({row[0]: (row[1], row[2]) for row in db.session.execute(statement)})
    return found


def _count_band(pool_draw_id: uuid.UUID) -> int:
    statement = sa.select(sa.func.count()).select_from(PoolDrawEntry).filter_by(pool_draw_id=pool_draw_id, band=0)
    return db.session.scalar(statement) or 0


def _audit(action: str, run: PoolDrawRun, row: OutsideDraw, actor: audit.Actor, organisation_path: str, now: dt.datetime) -> None:
    changes: dict[str, Any] = {"scope": run.scope, "place": row.place, "witness": row.witness, "document_hash": row.document_hash}
    audit.record(
        action,
        actor=actor,
        target_type="pool_draw",
        target_id=run.id,
        target_name=run.title,
        organisation_path=organisation_path,
        changes=changes,
        now=now,
    )

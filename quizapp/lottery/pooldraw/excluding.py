"""Leaving somebody out after the freeze: on the record, with a reason, before the public input."""

import datetime as dt
import json
import uuid
from collections.abc import Collection

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.lottery import pool_proof
from quizapp.lottery.errors import InputTaken
from quizapp.lottery.pool_models import PoolDrawEntry, PoolDrawRecord, PoolDrawRun
from quizapp.lottery.pooldraw.chain import add_record, lock_run

SERIALS_PER_RECORD = 2000
IDS_PER_QUERY = 500


def exclude_entries(
    *,
    pool_draw_id: uuid.UUID,
    citizen_ids: Collection[uuid.UUID],
    reason: str,
    actor: audit.Actor,
    organisation_path: str,
    now: dt.datetime,
) -> int:
    """Leave citizens out of a frozen draw. Their lines stay; when one comes up, it is skipped and the skip is recorded.

    :param reason: one of ``pool_proof.EXCLUDE_REASONS``
    :raises InputTaken: once public input was taken: then nothing may change any more
    :returns: how many lines were excluded that were not before
    """
    if reason not in pool_proof.EXCLUDE_REASONS:
        raise ValueError(f"not a reason to exclude: {reason}")
    run = lock_run(pool_draw_id)
    if run.state != "frozen":
        raise InputTaken
    count = exclude(run, citizen_ids, reason, now)
    if count:
        audit.record(
            "pool_draw.excluded",
            actor=actor,
            target_type="pool_draw",
            target_id=run.id,
            target_name=run.title,
            organisation_path=organisation_path,
            changes={"reason": reason, "entries": count},
            now=now,
        )
    return count


def exclude(run: PoolDrawRun, citizen_ids: Collection[uuid.UUID], reason: str, now: dt.datetime) -> int:
    """Write the exclusions of a locked draw to its chain."""
    known = excluded_serials(run.id)
    serials = sorted(serial for serial in _serials(run.id, list(citizen_ids)) if serial not in known)
    for start in range(0, len(serials), SERIALS_PER_RECORD):
        add_record(run, "exclude", now, reason=reason, serials=serials[start : start + SERIALS_PER_RECORD])
    return len(serials)


def _serials(pool_draw_id: uuid.UUID, citizen_ids: list[uuid.UUID]) -> list[int]:
    found: list[int] = []
    for start in range(0, len(citizen_ids), IDS_PER_QUERY):
        part = citizen_ids[start : start + IDS_PER_QUERY]
        statement = sa.select(PoolDrawEntry.serial).where(PoolDrawEntry.pool_draw_id == pool_draw_id, PoolDrawEntry.citizen_id.in_(part))
        found += db.session.scalars(statement)
    return found


def excluded_serials(pool_draw_id: uuid.UUID) -> dict[int, str]:
    """Serials that are left out, with their reasons."""
    statement = sa.select(PoolDrawRecord.body).filter_by(pool_draw_id=pool_draw_id, kind="exclude").order_by(PoolDrawRecord.number)
    records = [json.loads(body) for body in db.session.scalars(statement)]
    return {serial: record["reason"] for record in records for serial in record["serials"]}

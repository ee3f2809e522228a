"""A pool draw under its lock, and the end of its chain."""

import datetime as dt
import json
import uuid
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.ids import new_id
from quizapp.lottery import pool_proof, pool_rules
from quizapp.lottery.models import PrizePool
from quizapp.lottery.pool_models import PoolDrawRecord, PoolDrawRun, PoolManifest
from quizapp.lottery.services.pools import vault


def lock_run(pool_draw_id: uuid.UUID) -> PoolDrawRun:
    """Lock a pool draw until the transaction ends and read it anew (order: manifest → draw → account).

    :raises NotFound: if there is none
    """
    statement = sa.select(PoolDrawRun).filter_by(id=pool_draw_id).with_for_update().execution_options(populate_existing=True)
    run = db.session.scalar(statement)
    if run is None:
        raise NotFound
    return run


def lock_campaign_draws(pool_draw_id: uuid.UUID) -> PoolDrawRun:
    """Lock the manifest of a draw's campaign and then the draw: where draws of one campaign look at each other's wins.

    :raises NotFound: if there is none
    """
    campaign_id = sa.select(PoolDrawRun.campaign_id).filter_by(id=pool_draw_id).scalar_subquery()
    db.session.scalar(sa.select(PoolManifest.id).where(PoolManifest.campaign_id == campaign_id).with_for_update())
    return lock_run(pool_draw_id)


def add_record(run: PoolDrawRun, kind: str, now: dt.datetime, **fields: Any) -> str:
    """Put a record at the end of a locked draw's chain. Returns its seal."""
    number = run.record_count + 1
    body = pool_proof.canonical(
        {**fields, "at": pool_proof.moment_text(now), "kind": kind, "number": number, "pool": str(run.id), "previous": run.chain_head}
    )
    link = pool_proof.seal(body)
    db.session.add(PoolDrawRecord(id=new_id(), pool_draw_id=run.id, number=number, kind=kind, body=body, hash=link, recorded_at=now))
    run.record_count, run.chain_head = number, link
    db.session.flush()
    return link


@lru_cache(maxsize=64)
def _read(text: str) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(text)
    return manifest


def manifest_text(campaign_id: uuid.UUID) -> str:
    """:raises NotFound: if the campaign has no pool draws"""
    found = db.session.scalar(sa.select(PoolManifest.manifest).filter_by(campaign_id=campaign_id))
    if found is None:
        raise NotFound
    return found


def draw_of(run: PoolDrawRun) -> dict[str, Any]:
    """What the manifest says of a draw."""
    manifest = _read(manifest_text(run.campaign_id))
    return next(draw for draw in manifest["draws"] if draw["id"] == run.draw_code)


class Aliases:
    """The 抽奖号 of citizens in a campaign: the same as in its instant draw, where it has one."""

    def __init__(self, campaign_id: uuid.UUID) -> None:
        owner = db.session.scalar(sa.select(PrizePool.id).filter_by(campaign_id=campaign_id)) or campaign_id
        self._owner, self._tag = f"{owner}:", vault().tag

    def __call__(self, citizen_id: uuid.UUID) -> str:
        return pool_rules.alias(self._tag("draw-alias", f"{self._owner}{citizen_id}"))

"""Opening a pool: secrets, commitments, manifest, first record."""

import datetime as dt
import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app

from quizapp.core.crypto import Vault
from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.lottery import proof, rules
from quizapp.lottery.errors import PoolAlreadyOpen, PrizeKindNotServed
from quizapp.lottery.models import DaySecret, PoolRecord, Prize, PrizePool
from quizapp.payouts import services as payouts

SECRET_BYTES = 32


def vault() -> Vault:
    return cast(Vault, current_app.extensions["vault"])


def open_pool(
    *,
    campaign_id: uuid.UUID,
    terms_hash: str,
    draw: Mapping[str, Any],
    days: Sequence[dt.date],
    spare_days: int,
    now: dt.datetime,
    opens_at: dt.datetime | None = None,
    closes_at: dt.datetime | None = None,
) -> PrizePool:
    """Make the secrets, publish the manifest and begin the chain; before the first ticket, once per campaign.

    :param draw: plain values as :func:`quizapp.lottery.rules.problems` describes them; money in fen, odds in parts per million
    :param days: Shanghai days of the campaign; a hand-in after the last one takes a spare day
    :param spare_days: further secrets committed now for days not yet known; at least one is made
    :param opens_at: since when and until when (``closes_at``) stock is released over the day; all of ``days`` without them
    :raises PoolAlreadyOpen: if the campaign has a pool
    :raises PrizeKindNotServed: for a prize that needs an outside service
    :raises ValueError: for values the rule check of campaigns should have refused
    """
    problems = rules.problems(draw)
    if "kind" in problems:
        raise PrizeKindNotServed
    if problems or not days:
        raise ValueError(f"not a draw: {', '.join(problems) or 'no days'}")
    if db.session.scalar(sa.select(PrizePool.id).filter_by(campaign_id=campaign_id)) is not None:
        raise PoolAlreadyOpen
    pool_id, known_days = new_id(), sorted(set(days))
    day_secrets = [secrets.token_bytes(SECRET_BYTES) for _ in range(len(known_days) + max(1, spare_days))]
    commitments = [proof.commitment(str(pool_id), index, secret) for index, secret in enumerate(day_secrets)]
    manifest = rules.manifest(
        pool_id=pool_id,
        campaign_id=campaign_id,
        terms_hash=terms_hash,
        draw=draw,
        days=known_days,
        commitments=commitments,
        now=now,
        opens_at=opens_at,
        closes_at=closes_at,
    )
    proof.read_manifest(manifest)
    text = proof.canonical(manifest)
    pool = PrizePool(id=pool_id, campaign_id=campaign_id, manifest=text, manifest_hash=proof.seal(text), published_at=now, chain_head="")
    first = proof.canonical(
        {
            "at": proof.moment_text(now),
            "kind": "open",
            "manifest": pool.manifest_hash,
            "number": 1,
            "pool": str(pool_id),
            "previous": pool.manifest_hash,
        }
    )
    pool.record_count, pool.chain_head = 1, proof.seal(first)
    db.session.add(pool)
    db.session.flush()
    prizes = _prizes(pool_id, manifest)
    db.session.add_all(prizes)
    db.session.add_all(
        DaySecret(
            pool_id=pool_id,
            day_index=index,
            day_on=known_days[index] if index < len(known_days) else None,
            commitment=commitments[index],
            secret_encrypted=vault().encrypt_bytes(secret),
        )
        for index, secret in enumerate(day_secrets)
    )
    db.session.add(PoolRecord(pool_id=pool_id, number=1, kind="open", body=first, hash=pool.chain_head, recorded_at=now))
    db.session.flush()
    payouts.register_items(
        campaign_id=campaign_id,
        items=[payouts.NewItem(p.id, p.kind, p.name, p.tier, p.value_fen, p.quantity) for p in prizes if p.kind != "points"],
        now=now,
    )
    return pool


def _prizes(pool_id: uuid.UUID, manifest: Mapping[str, Any]) -> list[Prize]:
    names = ("name", "tier", "kind", "value_fen", "points", "quantity", "odds_ppm", "budget_fen")
    return [
        Prize(pool_id=pool_id, position=position, **{name: prize.get(name) for name in names})
        for position, prize in enumerate(manifest["prizes"])
    ]

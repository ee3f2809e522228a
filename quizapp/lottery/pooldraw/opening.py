"""Opening pool draws: secrets, commitments, one manifest; later scopes take spare slots."""

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.lottery import pool_proof, pool_rules
from quizapp.lottery.errors import PoolAlreadyOpen, PrizeKindNotServed, SpareSlotsUsedUp
from quizapp.lottery.pool_models import PoolDrawRun, PoolDrawTier, PoolManifest
from quizapp.lottery.pool_rules import Plan, Scope, Slot
from quizapp.lottery.pooldraw.chain import add_record, lock_run
from quizapp.lottery.services.pools import SECRET_BYTES, vault
from quizapp.payouts import services as payouts


def open_pool_draws(*, campaign_id: uuid.UUID, terms_hash: str, plans: Sequence[Plan], now: dt.datetime) -> PoolManifest:
    """Make the secrets, publish the manifest and begin a chain for every scope; at publication, once per campaign.

    :param plans: pool draws in the shape of the terms' body; money in fen, ratios in parts per million
    :raises PoolAlreadyOpen: if the campaign has published its pool draws
    :raises PrizeKindNotServed: for a prize that needs an outside service
    :raises ValueError: for values the rule check of campaigns should have refused
    """
    for plan in plans:
        problems = pool_rules.problems(plan)
        if "kind" in problems:
            raise PrizeKindNotServed
        if problems:
            raise ValueError(f"not a pool draw: {', '.join(problems)}")
    if db.session.scalar(sa.select(PoolManifest.id).filter_by(campaign_id=campaign_id)) is not None:
        raise PoolAlreadyOpen
    made = {plan.draw["id"]: _make_slots(plan) for plan in plans}
    slots = {code: [slot for slot, _secret in pairs] for code, pairs in made.items()}
    text = pool_proof.canonical(pool_rules.manifest(campaign_id=campaign_id, terms_hash=terms_hash, plans=plans, slots=slots, now=now))
    manifest = PoolManifest(campaign_id=campaign_id, manifest=text, manifest_hash=pool_proof.seal(text), published_at=now)
    db.session.add(manifest)
    for plan in plans:
        _add_tiers(campaign_id, plan, now)
        for number, (slot, secret) in enumerate(made[plan.draw["id"]]):
            _add_run(manifest, plan, number, slot, secret, now)
    db.session.flush()
    return manifest


def _make_slots(plan: Plan) -> list[tuple[Slot, bytes | None]]:
    count = len(plan.scopes) + pool_rules.spare_count(plan.draw)
    found: list[tuple[Slot, bytes | None]] = []
    for _ in range(count):
        pool_id, secret = new_id(), secrets.token_bytes(SECRET_BYTES)
        if plan.draw["mode"] == "outside":
            found.append((Slot(pool_id, None), None))
        else:
            found.append((Slot(pool_id, pool_proof.commitment(str(pool_id), secret)), secret))
    return found


def _add_run(manifest: PoolManifest, plan: Plan, number: int, slot: Slot, secret: bytes | None, now: dt.datetime) -> None:
    scope = plan.scopes[number] if number < len(plan.scopes) else None
    run = PoolDrawRun(
        id=slot.id,
        campaign_id=manifest.campaign_id,
        draw_code=plan.draw["id"],
        slot=number,
        title=plan.draw["title"],
        mode=plan.draw["mode"],
        seed_input=plan.draw["seed_input"],
        state="spare",
        commitment=slot.commitment,
        secret_encrypted=vault().encrypt_bytes(secret) if secret is not None else None,
        record_count=0,
        chain_head=manifest.manifest_hash,
    )
    db.session.add(run)
    db.session.flush()
    if scope is not None:
        _open_run(run, scope, manifest.manifest_hash, now)


def _open_run(run: PoolDrawRun, scope: Scope, manifest_hash: str, now: dt.datetime) -> None:
    run.state, run.scope, run.due_at = "open", scope.key, scope.due_at
    due_at = pool_proof.moment_text(scope.due_at)
    add_record(run, "open", now, draw=run.draw_code, due_at=due_at, manifest=manifest_hash, scope=scope.key, slot=run.slot)


def _add_tiers(campaign_id: uuid.UUID, plan: Plan, now: dt.datetime) -> None:
    tiers = [
        PoolDrawTier(
            id=new_id(),
            campaign_id=campaign_id,
            draw_code=plan.draw["id"],
            position=position,
            name=tier["name"],
            tier=tier.get("tier", ""),
            kind=tier["kind"],
            value_fen=tier.get("value_fen", 0),
            points=tier.get("points", 0),
        )
        for position, tier in enumerate(plan.draw["tiers"])
    ]
    db.session.add_all(tiers)
    db.session.flush()
    quantities = [tier["quantity"] * max(1, len(plan.scopes)) for tier in plan.draw["tiers"]]
    items = [
        payouts.NewItem(tier.id, tier.kind, tier.name, tier.tier, tier.value_fen, quantity)
        for tier, quantity in zip(tiers, quantities, strict=True)
        if tier.kind != "points"
    ]
    payouts.register_items(campaign_id=campaign_id, items=items, now=now)


def bind_scopes(*, campaign_id: uuid.UUID, draw_code: str, scopes: Sequence[Scope], now: dt.datetime) -> int:
    """What an extension does to a draw: new scopes take spare slots, lists not yet frozen can be put off to a later moment.

    :returns: how many draws were changed
    :raises SpareSlotsUsedUp: if there are more new scopes than spare slots
    """
    runs = list(
        db.session.scalars(sa.select(PoolDrawRun).filter_by(campaign_id=campaign_id, draw_code=draw_code).order_by(PoolDrawRun.slot))
    )
    known, spare = {run.scope: run for run in runs if run.scope}, [run for run in runs if run.state == "spare"]
    manifest_hash = db.session.scalars(sa.select(PoolManifest.manifest_hash).filter_by(campaign_id=campaign_id)).one()
    changed = 0
    for scope in scopes:
        found = known.get(scope.key)
        if found is None:
            if not spare:
                raise SpareSlotsUsedUp
            _open_run(lock_run(spare.pop(0).id), scope, manifest_hash, now)
            changed += 1
            continue
        run = lock_run(found.id)
        if run.state == "open" and run.due_at is not None and scope.due_at > run.due_at:
            run.due_at = scope.due_at
            add_record(run, "move", now, due_at=pool_proof.moment_text(scope.due_at))
            changed += 1
    return changed

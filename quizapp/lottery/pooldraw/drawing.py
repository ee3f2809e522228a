"""Public input, and the draw: what it gives follows from the secret, the frozen list and the input; nothing else enters."""

import datetime as dt
import re
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.core.statements import fetch, run_copy
from quizapp.lottery import pool_proof, pool_rules
from quizapp.lottery.errors import BadPublicInput, HeldElsewhere, InputsDiffer, NotFrozen, NotReady, OtherDrawRunning
from quizapp.lottery.pool_models import PoolDrawEntry, PoolDrawRun, PoolWin
from quizapp.lottery.pool_proof import FrozenList, Result
from quizapp.lottery.pooldraw.chain import add_record, draw_of, lock_campaign_draws
from quizapp.lottery.pooldraw.excluding import exclude, excluded_serials
from quizapp.lottery.pooldraw.winning import Won, open_wins
from quizapp.lottery.services.pools import vault
from quizapp.payouts import services as payouts

_LIST = (
    sa.select(PoolDrawEntry.alias, PoolDrawEntry.tickets, PoolDrawEntry.band)
    .where(PoolDrawEntry.pool_draw_id == sa.bindparam("pool_draw_id", type_=sa.Uuid))
    .order_by(PoolDrawEntry.serial)
)
RESULT_COLUMNS = ("pool_draw_id", "number", "kind", "tier", "place", "serial", "alias", "body")


def take_input(
    *,
    pool_draw_id: uuid.UUID,
    typed: str,
    typed_again: str,
    actor: audit.Actor,
    organisation_path: str,
    now: dt.datetime,
) -> PoolDrawRun:
    """Write down the public input, once the list is frozen. The same input again changes nothing.

    Whoever has won in another draw of the campaign is excluded here where the manifest says so, so that everything that
    decides the draw stands before the input does.

    :param typed: what was said or published, as typed; ``typed_again`` the second time, by another hand if possible
    :raises NotFrozen: before the freeze
    :raises InputsDiffer, BadPublicInput: for two different or impossible inputs
    :raises NotReady: for another input than the one that was taken
    :raises OtherDrawRunning: while another draw of the campaign, whose wins matter here, has its input and is not drawn
    """
    run = lock_campaign_draws(pool_draw_id)
    text = pool_rules.clean_input(run.seed_input, typed)
    if text != pool_rules.clean_input(run.seed_input, typed_again):
        raise InputsDiffer
    if run.mode == "outside":
        raise HeldElsewhere
    if run.state in ("ready", "drawn"):
        if run.public_input != text:
            raise NotReady
        return run
    if run.state != "frozen":
        raise NotFrozen
    if not re.fullmatch(pool_proof.INPUTS[run.seed_input], text):
        raise BadPublicInput
    _exclude_earlier_wins(run, now)
    run.state, run.public_input, run.ready_at = "ready", text, now
    add_record(run, "input", now, input=run.seed_input, text=text)
    audit.record(
        "pool_draw.input_taken",
        actor=actor,
        target_type="pool_draw",
        target_id=run.id,
        target_name=run.title,
        organisation_path=organisation_path,
        changes={"scope": run.scope, "text": text},
        now=now,
    )
    return run


def _exclude_earlier_wins(run: PoolDrawRun, now: dt.datetime) -> None:
    if not draw_of(run)["one_win_per_campaign"]:
        return
    others = sa.select(PoolDrawRun.id).where(PoolDrawRun.campaign_id == run.campaign_id, PoolDrawRun.id != run.id)
    if db.session.scalar(others.where(PoolDrawRun.state == "ready").limit(1)) is not None:
        raise OtherDrawRunning
    won = sa.select(PoolWin.citizen_id).where(PoolWin.campaign_id == run.campaign_id, PoolWin.pool_draw_id != run.id)
    exclude(run, db.session.scalars(won.distinct()).all(), "won_before", now)


def draw(*, pool_draw_id: uuid.UUID, actor: audit.Actor, organisation_path: str, now: dt.datetime) -> PoolDrawRun:
    """Draw, publish the secret and open the hand-overs, all or nothing; a second press finds it done.

    :raises NotReady: before the public input was taken
    """
    run = lock_campaign_draws(pool_draw_id)
    if run.state == "drawn":
        return run
    if run.state != "ready" or run.public_input is None or run.secret_encrypted is None or run.list_hash is None:
        raise NotReady
    secret = vault().decrypt_bytes(run.secret_encrypted)
    add_record(run, "reveal", now, secret=secret.hex())
    seed = pool_proof.seed_of(secret, run.list_hash, run.public_input)
    entries = read_list(run.id)
    found = list(pool_proof.results(draw_of(run), entries, excluded_serials(run.id), seed))
    lines = [pool_proof.result_line(result) for result in found]
    add_record(run, "draw", now, lines=len(lines), result_hash=pool_proof.lines_hash(lines), seed=seed.hex())
    run.secret_revealed = secret.hex()
    settle(run, found, lines, now)
    audit.record(
        "pool_draw.drawn",
        actor=actor,
        target_type="pool_draw",
        target_id=run.id,
        target_name=run.title,
        organisation_path=organisation_path,
        changes={"scope": run.scope, "wins": sum(result[0] == "win" for result in found), "seed": seed.hex()},
        now=now,
    )
    return run


def read_list(pool_draw_id: uuid.UUID) -> FrozenList:
    """The frozen list in its order."""
    rows = fetch(_LIST, {"pool_draw_id": pool_draw_id})
    return FrozenList([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def settle(run: PoolDrawRun, found: Sequence[Result], lines: Sequence[str], now: dt.datetime) -> None:
    """Keep the results of a locked draw and open what was won."""
    rows = (_row(run.id, number, result, line) for number, (result, line) in enumerate(zip(found, lines, strict=True), 1))
    run_copy("pool_draw_results", RESULT_COLUMNS, rows)
    run.state, run.drawn_at = "drawn", now
    db.session.flush()
    won = [Won(tier=result[1], place=result[2], serial=result[3], alias=result[4]) for result in found if result[0] == "win"]
    open_wins(run, won, now)
    if won:
        title = run.title if run.scope == "campaign" else f"{run.title}（{run.scope}）"
        payouts.plan_notice(campaign_id=run.campaign_id, draw_key=str(run.id), title=title[:100], ended_at=now, now=now)


def _row(pool_draw_id: uuid.UUID, number: int, result: Result, line: str) -> tuple[Any, ...]:
    kind, tier, place, serial, alias = result[0], None, None, None, ""
    if kind == "win":
        tier, place, serial, alias = result[1:]
    elif kind == "reserve":
        place, serial, alias = result[1:]
    elif kind == "skip":
        serial, alias = result[1:3]
    return pool_draw_id, number, kind, tier, place, serial, alias, line

"""Freezing a list: who is in is settled here, once, before any public input is taken."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.core.statements import run_copy
from quizapp.lottery import pool_proof, pool_rules
from quizapp.lottery.errors import NotDueYet, PoolDrawFrozen
from quizapp.lottery.pool_models import PoolDrawRun
from quizapp.lottery.pool_rules import Entry, Line
from quizapp.lottery.pooldraw.chain import Aliases, add_record, draw_of, lock_run

_COLUMNS = ("pool_draw_id", "serial", "citizen_id", "alias", "tickets", "band")


def freeze(
    *,
    pool_draw_id: uuid.UUID,
    entries: Iterable[Entry],
    now: dt.datetime,
    actor: audit.Actor = audit.SYSTEM,
    organisation_path: str = "/",
) -> PoolDrawRun:
    """Fix the list of a draw for good, in the order of the 抽奖号, and publish its hash and count.

    The database takes no further line afterwards.

    :param entries: each citizen once
    :raises NotDueYet: before the moment that was published
    :raises PoolDrawFrozen: if it stands already
    :raises ValueError: for a citizen named twice, or tickets or a band the manifest does not allow
    """
    run = lock_run(pool_draw_id)
    if run.state != "open":
        raise PoolDrawFrozen
    if run.due_at is None or now < run.due_at:
        raise NotDueYet(run.due_at)
    draw = draw_of(run)
    lines = pool_rules.put_in_order(entries, Aliases(run.campaign_id), draw)
    rows = ((run.id, serial, citizen_id, alias, tickets, band) for serial, (alias, citizen_id, tickets, band) in enumerate(lines, 1))
    run_copy("pool_draw_entries", _COLUMNS, rows)
    _publish(run, lines, draw["cascade"], now)
    audit.record(
        "pool_draw.frozen",
        actor=actor,
        target_type="pool_draw",
        target_id=run.id,
        target_name=run.title,
        organisation_path=organisation_path,
        changes={"scope": run.scope, "entries": run.entry_count, "list_hash": run.list_hash},
        now=now,
    )
    return run


def _publish(run: PoolDrawRun, lines: Sequence[Line], cascade: int, now: dt.datetime) -> None:
    bands = [0] * (cascade + 1)
    for line in lines:
        bands[line[3]] += 1
    tickets = sum(line[2] for line in lines)
    if tickets > pool_proof.MOST_TICKETS:
        raise ValueError("more tickets than can be drawn from exactly")
    list_hash = pool_proof.lines_hash(pool_proof.entry_line(serial, line[0], line[2], line[3]) for serial, line in enumerate(lines, 1))
    run.state, run.frozen_at, run.list_hash = "frozen", now, list_hash
    run.entry_count, run.ticket_count = len(lines), tickets
    db.session.flush()
    add_record(run, "freeze", now, bands=bands, entries=len(lines), list_hash=list_hash, tickets=tickets)

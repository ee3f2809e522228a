"""The people on the stage of a pool draw: who say the digits, press the button, and write down what was drawn elsewhere."""

import datetime as dt
import hashlib
import random
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.accounts.models import StaffAccount
from quizapp.audit.services import SYSTEM
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError
from quizapp.lottery import pool_proof
from quizapp.lottery.pool_models import PoolDrawEntry, PoolDrawRun
from quizapp.lottery.pooldraw import chain, drawing, outside

NOBODY = "!"
"""No password has this hash."""


def make_staff(at: dt.datetime) -> tuple[uuid.UUID, uuid.UUID]:
    """Two members of staff without a password: one enters, another confirms."""
    found: list[uuid.UUID] = []
    with transaction():
        for name in ("录入员", "复核员"):
            account = StaffAccount(
                username=f"season-{len(found)}", display_name=name, password_hash=NOBODY, password_changed_at=at, created_at=at
            )
            db.session.add(account)
            db.session.flush()
            found.append(account.id)
    return found[0], found[1]


def hold(campaign_id: uuid.UUID, staff: tuple[uuid.UUID, uuid.UUID], now: dt.datetime, dice: random.Random) -> list[str]:
    """Hold every pool draw of a campaign whose list is frozen. Returns the codes of what was refused."""
    waiting = sa.select(PoolDrawRun.id, PoolDrawRun.mode).filter_by(campaign_id=campaign_id, state="frozen")
    refused = []
    for run_id, mode in db.session.execute(waiting.order_by(PoolDrawRun.due_at, PoolDrawRun.id)).all():
        try:
            if mode == "outside":
                _enter(run_id, staff, now, dice)
            else:
                _draw(run_id, now, dice)
        except AppError as refusal:
            refused.append(refusal.code)
    return refused


def _draw(run_id: uuid.UUID, now: dt.datetime, dice: random.Random) -> None:
    with transaction():
        run = db.session.get_one(PoolDrawRun, run_id)
        text = "" if run.seed_input == "none" else f"{dice.randrange(10**6):06d}"
        drawing.take_input(pool_draw_id=run_id, typed=text, typed_again=text, actor=SYSTEM, organisation_path="/", now=now)
    with transaction():
        drawing.draw(pool_draw_id=run_id, actor=SYSTEM, organisation_path="/", now=now)


def _enter(run_id: uuid.UUID, staff: tuple[uuid.UUID, uuid.UUID], now: dt.datetime, dice: random.Random) -> None:
    with transaction():
        run = chain.lock_run(run_id)
        aliases = list(
            db.session.scalars(sa.select(PoolDrawEntry.alias).filter_by(pool_draw_id=run_id, band=0).order_by(PoolDrawEntry.serial))
        )
        if not aliases:
            return
        entry = outside.OutsideEntry(
            place="公证处大厅",
            witness="公证员二人",
            held_at=now,
            document_hash=hashlib.sha256(run_id.bytes).hexdigest(),
            document_name="公证书.pdf",
            drawn=_picked(chain.draw_of(run)["tiers"], aliases, dice),
        )
        outside.enter_outside(pool_draw_id=run_id, entry=entry, staff_id=staff[0], actor=SYSTEM, organisation_path="/", now=now)
    with transaction():
        outside.confirm_outside(pool_draw_id=run_id, staff_id=staff[1], actor=SYSTEM, organisation_path="/", now=now)


def _picked(tiers: Sequence[dict[str, object]], aliases: Sequence[str], dice: random.Random) -> list[list[str]]:
    """Winners out of a drum: nobody twice."""
    drum = dice.sample(list(aliases), len(aliases))
    found, taken = [], 0
    for tier in tiers:
        count = pool_proof.quantity_of(tier, len(aliases))
        found.append(drum[taken : taken + count])
        taken += len(found[-1])
    return found

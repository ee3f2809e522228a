"""Two hands on one button, two workers, and death between any two statements."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.core.db import db, transaction
from quizapp.lottery import pooldraw
from quizapp.lottery.errors import PoolDrawFrozen
from quizapp.lottery.pool_models import PoolDrawEntry, PoolDrawRecord, PoolDrawRun, PoolWin
from quizapp.payouts.models import Payout
from tests.conftest import Database, postgresql_only
from tests.factories.lottery import count_rows
from tests.factories.pool_draws import (
    LATER,
    draw,
    draw_values,
    freeze,
    make_entries,
    make_pool_draws,
    take_input,
    tier_values,
    verify,
)
from tests.lottery.drawing_process import KILLED
from tests.lottery.test_races import at_once

pytestmark = pytest.mark.usefixtures("app")
ROOT = Path(__file__).resolve().parents[2]


@postgresql_only
def test_two_hands_on_the_button_make_one_draw(app: Flask) -> None:
    draws = make_pool_draws(draw_values(tiers=[tier_values(quantity=5)], seed_input="spoken", mode="ceremony"))
    freeze(draws, make_entries(30))
    take_input(draws, "4242")
    results = at_once(app, [lambda: draw(draws).chain_head] * 8)
    assert len(set(results)) == 1
    assert count_rows(PoolWin) == count_rows(Payout) == 5
    assert count_rows(PoolDrawRecord, kind="draw") == 1
    assert verify(draws).win_count == 5


@postgresql_only
def test_two_workers_freeze_one_list(app: Flask) -> None:
    draws = make_pool_draws()
    one, other = make_entries(40), make_entries(40)
    results = at_once(app, [lambda: freeze(draws, one), lambda: freeze(draws, other)] * 2)
    assert sum(isinstance(each, PoolDrawFrozen) for each in results) == 3
    assert count_rows(PoolDrawEntry) == 40
    assert verify(draws).entry_count == 40


@postgresql_only
def test_two_inputs_at_once_leave_one(app: Flask) -> None:
    draws = make_pool_draws(draw_values(seed_input="spoken", mode="ceremony"))
    freeze(draws, make_entries(5))
    at_once(app, [lambda: take_input(draws, "1111"), lambda: take_input(draws, "2222")] * 3)
    assert count_rows(PoolDrawRecord, kind="input") == 1
    draw(draws)
    assert verify(draws).public_input in ("1111", "2222")


@postgresql_only
def test_draws_of_one_campaign_at_once_give_nobody_two_prizes_where_one_was_announced(app: Flask) -> None:
    values = {"one_win_per_campaign": True, "tiers": [tier_values(quantity=4)]}
    draws = make_pool_draws(draw_values(**values), draw_values(id="second", **values))
    entries = make_entries(12)
    for number in (0, 1):
        freeze(draws, entries, number)

    def hold(number: int) -> None:
        with transaction():
            for verb in (pooldraw.take_input, pooldraw.draw):
                more = {"typed": "", "typed_again": ""} if verb is pooldraw.take_input else {}
                verb(pool_draw_id=draws.ids[number], actor=pooldraw_actor(), organisation_path="/", now=LATER, **more)

    results = at_once(app, [lambda: hold(0), lambda: hold(1)])
    assert results == [None, None]
    assert count_rows(PoolWin) == 8
    winners = db.session.scalars(sa.select(PoolWin.citizen_id)).all()
    assert len(set(winners)) == 8
    assert [verify(draws, number).win_count for number in (0, 1)] == [4, 4]


def pooldraw_actor() -> Any:
    from quizapp.audit.services import SYSTEM

    return SYSTEM


@pytest.mark.processes
@postgresql_only
def test_death_between_any_two_statements_leaves_a_draw_that_goes_on(app: Flask, database: Database) -> None:
    """Child k dies before its k-th statement or commit of freeze, input and draw; the next one goes on where it stopped."""
    draws = make_pool_draws(draw_values(tiers=[tier_values(quantity=3)], reserves=1))
    entries = make_entries(9)
    work = json.dumps([str(draws.id), [str(entry.citizen_id) for entry in entries], (LATER + dt.timedelta(0)).isoformat()])
    process = subprocess.run(
        [sys.executable, "-m", "tests.lottery.pool_process"],
        cwd=ROOT,
        env={**os.environ, **database.environment()},
        input=work,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    exits = json.loads(process.stdout)
    assert exits[-1] == 0
    assert set(exits[:-1]) == {KILLED}
    assert len(exits) > 15
    assert count_rows(PoolWin) == count_rows(Payout) == 3
    assert count_rows(PoolDrawEntry) == 9
    assert count_rows(PoolDrawRun, state="drawn") == 1
    assert verify(draws).win_count == 3

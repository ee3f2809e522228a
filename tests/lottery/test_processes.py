"""Real processes against PostgreSQL: the last prizes, and death between any two statements."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.audit.services import SYSTEM
from quizapp.core.db import db, transaction
from quizapp.lottery import jobs, proof, queries
from quizapp.lottery.models import Draw, Prize, Win
from quizapp.payouts import services as payouts
from quizapp.payouts.models import Payout, PayoutItem, PrizeCode
from tests.conftest import Database, postgresql_only
from tests.factories.accounts import make_citizen, make_staff
from tests.factories.lottery import NOW, Pool, count_rows, grant, ledger_lines, make_pool, won_counts
from tests.lottery import independent_verifier
from tests.lottery.drawing_process import KILLED, claim_once, draw_once

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("app")]
ROOT = Path(__file__).resolve().parents[2]
Work = list[tuple[uuid.UUID, uuid.UUID]]


def _citizens_with_tickets(pool: Pool, count: int) -> Work:
    with transaction():
        citizens = [make_citizen() for _ in range(count)]
        return [(citizen.id, grant(pool, citizen)) for citizen in citizens]


def _start(database: Database, what: str, work: Work) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.lottery.drawing_process", what],
        cwd=ROOT,
        env={**os.environ, **database.environment()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps([[str(citizen), str(attempt)] for citizen, attempt in work]))
    process.stdin.close()
    return process


def _answer(process: subprocess.Popen[str]) -> list[object]:
    assert process.stdout is not None
    text = process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=120) == 0
    answer: list[object] = json.loads(text)
    return answer


@postgresql_only
def test_two_hundred_citizens_in_four_processes_share_ten_prizes(app: Flask, database: Database) -> None:
    pool = make_pool()
    work = _citizens_with_tickets(pool, 200)
    processes = [_start(database, "draw", work[number::4]) for number in range(4)]
    outcomes = Counter(outcome for process in processes for outcome in _answer(process))
    assert outcomes == {"won": 10, "none": 190}
    assert won_counts(pool) == [10]
    assert count_rows(Win) == count_rows(Payout) == 10
    jobs.chain_grants(NOW)
    lines = ledger_lines()
    summary = proof.verify(lines)
    assert (summary.draw_count, summary.win_count, summary.ticket_count) == (200, 10, 200)
    broken = bytearray(lines[100])
    broken[50] ^= 1
    with pytest.raises(proof.BadLedger) as found:
        proof.verify([*lines[:100], bytes(broken), *lines[101:]])
    assert found.value.line == 101


@postgresql_only
def test_processes_drawing_the_same_tickets_agree(app: Flask, database: Database) -> None:
    pool = make_pool()
    work = _citizens_with_tickets(pool, 12)
    answers = [_answer(process) for process in [_start(database, "draw", work) for _ in range(3)]]
    assert all(Counter(answer) == {"won": 10, "none": 2} for answer in answers)
    assert count_rows(Draw) == 12
    proof.verify(ledger_lines())


@postgresql_only
def test_death_between_any_two_statements_leaves_a_prize_that_is_claimed_once(app: Flask, database: Database) -> None:
    prize = {"name": "话费券", "kind": "code", "quantity": 100, "odds_ppm": 1_000_000}
    pool = make_pool([prize])
    work = _citizens_with_tickets(pool, 24)
    with transaction():
        item = db.session.scalars(sa.select(PayoutItem)).one()
        staff = make_staff()
        payouts.upload_codes(
            item=item,
            codes=[f"CODE-{number}" for number in range(40)],
            staff_id=staff.id,
            organisation_path="/",
            actor=SYSTEM,
            now=NOW,
        )
    exits = _answer(_start(database, "crash", work))
    assert exits[0] == KILLED
    assert exits[-1] == 0, "more steps than tried: add citizens"
    assert set(exits) == {KILLED, 0}
    killed_count = exits.index(0)
    assert killed_count >= 10
    for citizen_id, attempt_id in work:
        result = draw_once(citizen_id, attempt_id)
        assert result.win_id is not None
        claim_once(citizen_id, result.win_id)
        claim_once(citizen_id, result.win_id)
    assert count_rows(Draw) == count_rows(Win) == len(work)
    assert won_counts(pool) == [len(work)]
    assert count_rows(Payout, state="done") == len(work)
    given = db.session.execute(sa.select(PrizeCode.payout_id).where(PrizeCode.payout_id.is_not(None))).scalars().all()
    assert len(given) == len(set(given)) == len(work)
    jobs.chain_grants(NOW)
    proof.verify(ledger_lines())


@postgresql_only
def test_stock_budget_and_quotas_are_exact_though_one_of_four_processes_is_killed_midway(app: Flask, database: Database) -> None:
    prizes = [
        {"name": "红包", "kind": "cash", "quantity": 40, "odds_ppm": 1_000_000, "value_fen": 50, "max_fen": 500, "budget_fen": 7000},
        {"name": "书签", "kind": "pickup", "quantity": 25, "odds_ppm": 0, "per_day": 20},
    ]
    pool = make_pool(prizes, fallback="书签")
    work = _citizens_with_tickets(pool, 240)
    processes = [_start(database, "draw", work[number::4]) for number in range(4)]
    while count_rows(Draw) < 30:
        time.sleep(0.005)
    processes[0].kill()
    processes[0].wait()
    assert processes[0].stdout is not None
    processes[0].stdout.close()
    for process in processes[1:]:
        _answer(process)
    left = [pair for pair in work[0::4] if not queries.list_tickets("attempt", pair[1])[0].result]
    db.session.rollback()
    for pair in left:
        draw_once(*pair)
    assert count_rows(Draw) == 240
    assert won_counts(pool) == [40, 20]
    assert db.session.scalars(sa.select(Prize.spent_fen).order_by(Prize.position)).all() == [7000, 0]
    assert count_rows(Win) == count_rows(Payout) == 60
    jobs.chain_grants(NOW)
    lines = ledger_lines()
    summary = proof.verify(lines)
    assert (summary.draw_count, summary.win_count) == (240, 60)
    assert independent_verifier.check(b"".join(lines)) is None

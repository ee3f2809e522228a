"""Threads against PostgreSQL: one ticket, one stock, one cap; the worker beside those who draw."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.core.db import db
from quizapp.lottery import jobs, proof
from quizapp.lottery.models import Draw
from tests.conftest import postgresql_only
from tests.factories.accounts import make_citizen
from tests.factories.lottery import NOW, count_rows, draw, grant, ledger_lines, make_pool, win, won_counts

pytestmark = pytest.mark.usefixtures("app")


def at_once(app: Flask, works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all in threads of their own, released together; results or exceptions in order."""
    results: list[Any] = [None] * len(works)
    gate = threading.Barrier(len(works))

    def run(index: int, work: Callable[[], Any]) -> None:
        with app.app_context():
            gate.wait()
            try:
                results[index] = work()
            except Exception as error:
                results[index] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    return results


@postgresql_only
def test_one_ticket_drawn_from_twenty_devices_has_one_outcome(app: Flask) -> None:
    pool = make_pool()
    citizen = make_citizen()
    attempt = grant(pool, citizen)
    results = at_once(app, [lambda: draw(citizen.id, attempt)] * 20)
    assert len(set(results)) == 1
    assert results[0].is_won
    assert count_rows(Draw) == 1
    assert won_counts(pool) == [1]


@postgresql_only
def test_twenty_citizens_share_four_prizes(app: Flask) -> None:
    pool = make_pool([{"name": "奖", "kind": "pickup", "quantity": 4, "odds_ppm": 1_000_000}])
    pairs = [(citizen.id, grant(pool, citizen)) for citizen in (make_citizen() for _ in range(20))]
    results = at_once(app, [lambda pair=pair: draw(*pair) for pair in pairs])  # type: ignore[misc]
    assert Counter(result.outcome for result in results) == {"won": 4, "none": 16}
    assert sorted(result.serial for result in results) == list(range(1, 21))
    proof.verify(ledger_lines())


@postgresql_only
def test_a_citizens_cap_holds_over_many_tickets_at_once(app: Flask) -> None:
    pool = make_pool(wins_total=2)
    citizen = make_citizen()
    attempts = [grant(pool, citizen) for _ in range(12)]
    results = at_once(app, [lambda attempt=attempt: draw(citizen.id, attempt) for attempt in attempts])  # type: ignore[misc]
    assert Counter(result.outcome for result in results) == {"won": 2, "none": 10}
    proof.verify(ledger_lines())


@postgresql_only
def test_the_worker_chains_and_expires_beside_those_who_draw(app: Flask) -> None:
    """Two workers by mistake, too: every ticket ends once, and the chain stays whole."""
    pool = make_pool([{"name": "奖", "kind": "pickup", "quantity": 99, "odds_ppm": 500_000}])
    moments = [NOW] * 10 + [NOW + dt.timedelta(hours=20)] * 10
    pairs = [(citizen.id, grant(pool, citizen, now=now)) for now, citizen in ((now, make_citizen()) for now in moments)]
    later = NOW + dt.timedelta(hours=24)
    draws = [lambda pair=pair: draw(*pair, now=later) for pair in pairs]  # type: ignore[misc]
    work: list[Callable[[], Any]] = [*draws, *[lambda: jobs.chain_grants(later), lambda: jobs.expire_tickets(later)] * 2]
    results = at_once(app, work)
    assert not [each for each in results[20:] if isinstance(each, Exception)]
    assert sum(hasattr(each, "outcome") for each in results[10:20]) == 10
    jobs.chain_grants(later)
    proof.verify(ledger_lines())


def test_a_draw_needs_few_statements(app: Flask) -> None:
    """Ceilings that keep the hot path honest: statements without BEGIN and COMMIT, on PostgreSQL one for all writes."""
    pool = make_pool([{"name": "奖", "kind": "pickup", "quantity": 9, "odds_ppm": 1_000_000}])
    win(pool)
    citizen = make_citizen()
    attempt = grant(pool, citizen)
    statements: list[str] = []

    def count(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", count)
    try:
        draw(citizen, attempt)
        drawing, statements[:] = list(statements), []
        draw(citizen, attempt)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", count)
    asked = [each for each in drawing if not each.startswith(("BEGIN", "SAVEPOINT"))]
    assert len(asked) <= (5 if db.engine.dialect.name == "postgresql" else 13), asked
    assert len([each for each in statements if not each.startswith("BEGIN")]) == 1

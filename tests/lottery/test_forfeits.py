"""Prizes nobody got: back into the stock with a record, on to the reserve list in order, each once."""

import datetime as dt
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.core.db import db, transaction
from quizapp.lottery import export, proof, queries
from quizapp.lottery.jobs import work_forfeits
from quizapp.lottery.models import Win
from quizapp.lottery.pooldraw import queries as pool_queries
from quizapp.payouts import jobs, services
from quizapp.payouts.models import PayoutForfeit
from tests.conftest import postgresql_only
from tests.factories.lottery import NOW, Pool, make_pool, win, won_counts
from tests.factories.payouts import set_terms
from tests.factories.pool_draws import LATER, Draws, drawn, verify, wins_of

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.timedelta(days=1)
PRIZE = {"name": "帆布袋", "kind": "pickup", "quantity": 2, "odds_ppm": 1_000_000, "value_fen": 800}


def _pool(**changes: Any) -> Pool:
    pool = make_pool([PRIZE], returns=True, **changes)
    set_terms(pool, claim={"forfeits": "stock"})
    return pool


def _outcomes() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(sa.select(PayoutForfeit.outcome)))


def _draws(**values: Any) -> Draws:
    draws = drawn(6, **values)
    set_terms(Pool(draws.id, draws.campaign_id, draws.slug, draws.host), claim={"forfeits": "reserve"})
    return draws


def _give_up(citizen_id: Any) -> None:
    with transaction():
        services.forfeit_payouts(citizen_id=citizen_id, now=LATER)


# ---- instant draws


def test_what_was_not_claimed_is_won_by_somebody_else_and_the_ledger_shows_it() -> None:
    pool = _pool()
    win(pool)
    win(pool)
    assert won_counts(pool) == [2]
    assert not win(pool)[1].is_won
    jobs.expire_claims(NOW + 20 * DAY)
    assert work_forfeits(NOW + 20 * DAY) == 2
    assert work_forfeits(NOW + 20 * DAY) == 0
    assert won_counts(pool) == [0]
    assert _outcomes() == ["returned", "returned"]
    assert win(pool)[1].is_won
    db.session.rollback()
    lines = [line.encode() for line in export.ledger_lines(queries.get_pool(pool.slug))]
    proof.verify(lines)
    assert sum(b'"kind":"return"' in line for line in lines) == 2


def test_where_the_terms_void_it_nothing_comes_back() -> None:
    pool = make_pool([PRIZE], returns=False)
    set_terms(pool, claim={"forfeits": "void"})
    win(pool)
    jobs.expire_claims(NOW + 20 * DAY)
    assert work_forfeits(NOW + 20 * DAY) == 0
    assert won_counts(pool) == [1]
    assert _outcomes() == ["kept"]


def test_a_manifest_that_lets_nothing_back_keeps_the_row_closed() -> None:
    pool = make_pool([PRIZE], returns=False)
    set_terms(pool, claim={"forfeits": "stock"})
    win(pool)
    jobs.expire_claims(NOW + 20 * DAY)
    assert work_forfeits(NOW + 20 * DAY) == 1
    assert (_outcomes(), won_counts(pool)) == (["kept"], [1])


@postgresql_only
def test_two_workers_return_a_prize_once(app: Flask) -> None:
    pool = _pool()
    for _ in range(2):
        win(pool)
    jobs.expire_claims(NOW + 20 * DAY)
    db.session.remove()
    barrier, worked = threading.Barrier(4), []

    def work() -> None:
        with app.app_context():
            barrier.wait()
            worked.append(work_forfeits(NOW + 20 * DAY))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(worked) == 2
    assert won_counts(pool) == [0]
    assert db.session.scalar(sa.select(sa.func.count()).where(Win.returned_at.is_not(None))) == 2


# ---- pool draws


def test_a_lost_prize_goes_to_the_next_of_the_reserve_list_once() -> None:
    draws = _draws(reserves=1)
    [reserve] = [result.alias for result in pool_queries.list_results(draws.id, ("reserve",))]
    first, second = (each.citizen_id for each in wins_of(draws))
    _give_up(first)
    assert work_forfeits(LATER) == 1
    assert work_forfeits(LATER) == 0
    assert [each.alias for each in wins_of(draws) if each.turn] == [reserve]
    _give_up(second)
    assert work_forfeits(LATER) == 1
    assert _outcomes() == ["no_reserve", "passed_on"]
    verify(draws)


def test_somebody_on_the_reserve_list_who_has_left_is_passed_over_on_the_record() -> None:
    draws = _draws(reserves=2)
    reserves = pool_queries.list_results(draws.id, ("reserve",))
    gone = next(each for each in pool_queries.list_results(draws.id, ("reserve",)) if each.place == 1)
    with transaction():
        db.session.execute(
            sa.text(
                "UPDATE citizens SET status = 'deleted' WHERE id IN "
                "(SELECT citizen_id FROM pool_draw_entries WHERE serial = :serial AND pool_draw_id = :draw)"
            ).bindparams(sa.bindparam("draw", draws.id, sa.Uuid), serial=gone.serial)
        )
    _give_up(wins_of(draws)[0].citizen_id)
    work_forfeits(LATER)
    assert [each.alias for each in wins_of(draws) if each.turn] == [reserves[1].alias]
    verify(draws)

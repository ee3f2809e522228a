"""Budgets of hosts and co-hosts: they add up after any sequence of events, with a crash between any two statements."""

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quizapp.audit.services import SYSTEM
from quizapp.core.db import db, transaction
from quizapp.core.errors import NotFound
from quizapp.ledger import budgets
from quizapp.ledger.errors import AlreadyPosted, InsufficientBalance
from quizapp.ledger.models import Budget, LedgerEntry
from quizapp.payouts import jobs, queries, rules, services
from quizapp.payouts.errors import NotClaimable, WrongMove
from quizapp.payouts.models import Payout
from tests.conftest import postgresql_only
from tests.factories.accounts import make_organisation, make_staff
from tests.factories.lottery import NOW, Pool
from tests.factories.payouts import claim, item_of, make_payout, make_shop, reload, upload

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.timedelta(days=1)


@pytest.fixture
def pool() -> Pool:
    return make_shop()


def host_sums(pool: Pool) -> budgets.Sums:
    db.session.rollback()
    return queries.get_account(pool.campaign_id, pool.host.id).sums


def enter(pool: Pool, amount_fen: int, kind: str = "deposit", *, limit: int = -1, organisation_id: uuid.UUID | None = None) -> str:
    with transaction():
        return services.enter_money(
            campaign_id=pool.campaign_id,
            organisation_id=organisation_id or pool.host.id,
            kind=kind,
            amount_fen=amount_fen,
            document="转账 20270315-01",
            note="",
            staff_id=make_staff().id,
            paths=["/"],
            review_above_fen=limit,
            actor=SYSTEM,
            now=NOW,
        )


def assert_adds_up(pool: Pool) -> None:
    """All four accounts of every budget cancel out, and what is reserved and spent is what the prizes say."""
    db.session.rollback()
    totals = {"reserved": 0, "spent": 0}
    for budget in db.session.scalars(sa.select(Budget)):
        sums = budgets.get_sums(budget.id)
        assert sums.brought == sums.free + sums.reserved + sums.spent
        assert sums.reserved >= 0
        assert sums.spent >= 0
        totals["reserved"] += sums.reserved
        totals["spent"] += sums.spent
    for state, total in totals.items():
        found = sa.select(sa.func.coalesce(sa.func.sum(Payout.amount_fen), 0)).where(Payout.money_state == state)
        assert db.session.scalar(found) == total


def test_a_prize_is_reserved_then_spent_or_given_back_once(pool: Pool) -> None:
    enter(pool, 10_000)
    lost, handed = make_payout(pool, "cash", amount_fen=200, days=1), make_payout(pool, "code", amount_fen=1000)
    assert jobs.settle_money(NOW) == 2
    assert host_sums(pool) == budgets.Sums(10_000, 8_800, 1_200, 0)
    upload(pool, 1)
    claim(handed)
    jobs.expire_claims(NOW + 2 * DAY)
    assert jobs.settle_money(NOW) == 2
    assert jobs.settle_money(NOW) == 0
    assert host_sums(pool) == budgets.Sums(10_000, 9_000, 0, 1_000)
    assert (reload(lost).money_state, reload(handed).money_state) == ("released", "spent")
    assert_adds_up(pool)


def test_a_prize_that_is_won_without_money_is_still_owed_and_shows_as_a_shortage(pool: Pool) -> None:
    make_payout(pool, "cash", amount_fen=500)
    jobs.settle_money(NOW)
    sums = host_sums(pool)
    assert (sums.free, sums.reserved, sums.is_short) == (-500, 500, True)
    with pytest.raises(InsufficientBalance):
        enter(pool, 1, "withdrawal")


def test_a_second_person_agrees_above_the_amount(pool: Pool) -> None:
    assert enter(pool, 20_000, limit=20_000) == "posted"
    assert enter(pool, 20_001, limit=20_000) == "waiting"
    assert host_sums(pool).brought == 20_000
    [_posted, waiting] = queries.get_account(pool.campaign_id, pool.host.id).moves

    def decide(staff_id: uuid.UUID, agrees: bool = True) -> None:
        with transaction():
            services.decide_money(move_id=waiting.id, agrees=agrees, staff_id=staff_id, paths=["/"], actor=SYSTEM, now=NOW)

    with pytest.raises(budgets.SameHand):
        decide(waiting.created_by)
    decide(make_staff().id)
    with pytest.raises(budgets.AlreadyDecided):
        decide(make_staff().id)
    assert host_sums(pool).brought == 40_001


def test_an_item_is_paid_by_the_unit_it_is_assigned_to_from_then_on(pool: Pool) -> None:
    partner = make_organisation("税务局")
    with transaction():
        db.session.execute(
            sa.text("INSERT INTO campaign_hosts (campaign_id, organisation_id) VALUES (:campaign, :unit)").bindparams(
                sa.bindparam("campaign", pool.campaign_id, sa.Uuid), sa.bindparam("unit", partner.id, sa.Uuid)
            )
        )
    before = make_payout(pool, "cash", amount_fen=200)
    jobs.settle_money(NOW)
    with transaction():
        services.assign_item(item_id=item_of(pool, "cash").id, organisation_id=partner.id, paths=["/"], actor=SYSTEM, now=NOW)
    make_payout(pool, "cash", amount_fen=300)
    with transaction():
        services.refuse_payout(payout_id=before.id, citizen_id=before.citizen_id, now=NOW)
    jobs.settle_money(NOW)
    db.session.rollback()
    assert queries.get_account(pool.campaign_id, partner.id).sums == budgets.Sums(0, -300, 300, 0)
    assert host_sums(pool) == budgets.Sums(0, 0, 0, 0)
    with pytest.raises(NotFound):
        enter(pool, 100, organisation_id=make_organisation("别的单位").id)
    assert_adds_up(pool)


def test_a_source_posts_once(pool: Pool) -> None:
    payout = make_payout(pool, "cash", amount_fen=200)
    jobs.settle_money(NOW)
    budget = db.session.scalars(sa.select(Budget)).one()
    with pytest.raises(AlreadyPosted), transaction():
        budgets.post_step(budget_id=budget.id, step="reserve", amount_fen=200, payout_id=payout.id, now=NOW)
    entry = db.session.scalars(sa.select(LedgerEntry).filter_by(source_type="payout")).one()
    values = {
        name: getattr(entry, name) for name in ("debit_account_id", "credit_account_id", "amount", "source_type", "source_id", "reason")
    }
    again = LedgerEntry(**values, posted_at=NOW, posted_on=NOW.date())
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.add(again)


class Crash(Exception):
    """The process dies here."""


def crash_after(count: int) -> Any:
    """Raise in the middle of a job, after so many statements that write."""
    left = [count]

    def listen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "WITH")):
            left[0] -= 1
            if left[0] < 0:
                raise Crash

    return listen


EVENT = st.tuples(
    st.sampled_from(["win", "claim", "refuse", "hold", "cancel", "release", "expire", "deposit", "withdraw", "settle", "crash"]),
    st.integers(0, 7),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENT, min_size=3, max_size=24))
def test_the_books_add_up_after_any_sequence_with_crashes(app: Flask, events: list[tuple[str, int]]) -> None:
    pool = make_shop(f"books-{uuid.uuid4().hex[:8]}")
    mine: list[Payout] = []
    for kind, number in events:
        if kind == "win":
            mine.append(make_payout(pool, ("cash", "pickup")[number % 2], amount_fen=100 * (number + 1)))
            continue
        if kind == "crash":
            listener = crash_after(number)
            sa.event.listen(db.engine, "before_cursor_execute", listener)
            try:
                jobs.settle_money(NOW)
            except Crash:
                db.session.rollback()
            finally:
                sa.event.remove(db.engine, "before_cursor_execute", listener)
            continue
        try:
            _act(kind, number, pool, mine)
        except (WrongMove, NotClaimable, InsufficientBalance):
            db.session.rollback()
        except Exception as error:
            if getattr(error, "http_status", 500) >= 500:
                raise
            db.session.rollback()
    jobs.settle_money(NOW)
    assert_adds_up(pool)
    for payout in mine:
        found = reload(payout)
        assert found.money_state == {"spend": "spent", "release": "released", None: "reserved"}[rules.money_step(found.state)]


def _act(kind: str, number: int, pool: Pool, mine: list[Payout]) -> None:
    if kind == "settle":
        jobs.settle_money(NOW)
    elif kind in ("deposit", "withdraw"):
        enter(pool, 100 * (number + 1), "deposit" if kind == "deposit" else "withdrawal")
    elif kind == "expire":
        jobs.expire_claims(NOW + number * DAY * 3)
    elif mine:
        payout = mine[number % len(mine)]
        with transaction():
            if kind == "claim":
                services.claim_payout(payout_id=payout.id, citizen_id=payout.citizen_id, now=NOW)
            elif kind == "refuse":
                services.refuse_payout(payout_id=payout.id, citizen_id=payout.citizen_id, now=NOW)
            elif kind == "hold":
                services.hold(payout.id, "review", SYSTEM, NOW)
            elif kind == "release":
                services.release(payout.id, "cleared", SYSTEM, NOW)
            else:
                services.cancel(payout.id, "breach", SYSTEM, NOW)


@postgresql_only
def test_several_workers_settle_each_prize_once(app: Flask, pool: Pool) -> None:
    for _ in range(30):
        make_payout(pool, "cash", amount_fen=200)
    campaign_id, host_id = pool.campaign_id, pool.host.id
    db.session.remove()
    barrier = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            barrier.wait()
            jobs.settle_money(NOW)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    jobs.settle_money(NOW)
    assert queries.get_account(campaign_id, host_id).sums == budgets.Sums(0, -6_000, 6_000, 0)
    assert_adds_up(pool)

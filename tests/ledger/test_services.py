import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.core.db import db, transaction
from quizapp.core.statements import run_writes
from quizapp.ledger import queries, rules, services
from quizapp.ledger.errors import AlreadyPosted, InsufficientBalance
from quizapp.ledger.models import LedgerAccount, LedgerEntry
from tests.conftest import postgresql_only

pytestmark = pytest.mark.usefixtures("app")
NOW = dt.datetime(2027, 3, 15, 1, 42, tzinfo=dt.UTC)
ANNA, BATU = ("citizen", "anna"), ("citizen", "batu")


def post(from_owner: tuple[str, str], to_owner: tuple[str, str], amount: int, source: str, reason: str = "r") -> None:
    services.post(
        services.Posting(
            unit="points",
            from_owner=from_owner,
            to_owner=to_owner,
            amount=amount,
            source_type="t",
            source_id=source,
            reason=reason,
            now=NOW,
        )
    )


def give(owner: tuple[str, str], amount: int, source: str) -> None:
    post(rules.POINTS_SOURCE, owner, amount, source)


def balance(owner: tuple[str, str]) -> int:
    db.session.rollback()
    return queries.get_balance(*owner, "points")


def test_an_entry_moves_an_amount_and_leaves_the_sum_at_nothing() -> None:
    with transaction():
        give(ANNA, 10, "1")
        post(ANNA, BATU, 4, "2")
    assert (balance(ANNA), balance(BATU), balance(rules.POINTS_SOURCE)) == (6, 4, -10)
    assert [entry.amount for entry in queries.list_entries(*ANNA, "points")] == [-4, 10]


def test_one_source_posts_once_per_reason_and_the_transaction_goes_on() -> None:
    with transaction():
        give(ANNA, 10, "1")
        with pytest.raises(AlreadyPosted):
            give(ANNA, 10, "1")
        post(rules.POINTS_SOURCE, ANNA, 1, "1", reason="other")
        give(BATU, 1, "2")
    assert (balance(ANNA), balance(BATU)) == (11, 1)


def test_nothing_goes_below_zero() -> None:
    with transaction():
        give(ANNA, 10, "1")
        with pytest.raises(InsufficientBalance):
            post(ANNA, rules.POINTS_SOURCE, 11, "2")
        with pytest.raises(InsufficientBalance):
            post(BATU, rules.POINTS_SOURCE, 1, "2")
        post(ANNA, rules.POINTS_SOURCE, 10, "2")
    assert balance(ANNA) == 0


@pytest.mark.parametrize("amount", [0, -1])
def test_an_entry_moves_at_least_one_unit(amount: int) -> None:
    with pytest.raises(ValueError), transaction():
        give(ANNA, amount, "1")


def test_units_are_known_and_kept_apart() -> None:
    with pytest.raises(ValueError), transaction():
        services.post(
            services.Posting(
                unit="gold", from_owner=rules.POINTS_SOURCE, to_owner=ANNA, amount=1, source_type="t", source_id="1", reason="r", now=NOW
            )
        )
    with transaction():
        give(ANNA, 5, "1")
        with pytest.raises(InsufficientBalance):
            services.post(
                services.Posting(
                    unit="fen", from_owner=ANNA, to_owner=("system", "fen"), amount=1, source_type="t", source_id="2", reason="r", now=NOW
                )
            )


def test_an_account_cannot_pay_itself() -> None:
    with pytest.raises(ValueError), transaction():
        post(ANNA, ANNA, 1, "1")


def test_entries_are_never_changed_or_removed() -> None:
    with transaction():
        give(ANNA, 10, "1")
    for statement in (sa.update(LedgerEntry).values(amount=11), sa.delete(LedgerEntry)):
        with pytest.raises(sa.exc.DBAPIError), transaction():
            db.session.execute(statement)


def test_the_database_itself_keeps_balances_above_zero() -> None:
    with transaction():
        give(ANNA, 10, "1")
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(LedgerAccount).where(LedgerAccount.is_bounded).values(balance=-1))


def test_where_points_come_from_is_no_hot_row() -> None:
    """The unbounded account's row is written once and never again."""
    with transaction():
        give(ANNA, 10, "1")
        give(BATU, 10, "2")
    row = db.session.scalars(sa.select(LedgerAccount).filter_by(owner_type="system")).one()
    assert (row.balance, row.is_bounded) == (0, False)


def test_writes_of_two_postings_can_be_sent_together() -> None:
    with transaction():
        run_writes(
            *(
                write
                for prefix, owner in (("a", ANNA), ("b", BATU))
                for write in services.posting_writes(
                    prefix,
                    services.Posting(
                        unit="points",
                        from_owner=rules.POINTS_SOURCE,
                        to_owner=owner,
                        amount=3,
                        source_type="t",
                        source_id=prefix,
                        reason="r",
                        now=NOW,
                    ),
                )
            )
        )
    assert (balance(ANNA), balance(BATU)) == (3, 3)


def test_what_a_bounded_account_gives_is_looked_at_first() -> None:
    """Nothing in the schema binds the giver of an entry, so both ways of posting must see to it."""
    gift = services.Posting(unit="points", from_owner=ANNA, to_owner=BATU, amount=1, source_type="t", source_id="1", reason="r", now=NOW)
    with pytest.raises(ValueError, match="bounded"):
        services.posting_writes("p", gift)
    with pytest.raises(InsufficientBalance), transaction():
        services.post(gift)
    assert balance(BATU) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LedgerEntry)) == 0


def test_entries_are_paged_newest_first() -> None:
    with transaction():
        for number in range(5):
            give(ANNA, number + 1, str(number))
    first = queries.list_entries(*ANNA, "points", limit=2)
    rest = queries.list_entries(*ANNA, "points", before=first[-1].id)
    assert [entry.amount for entry in [*first, *rest]] == [5, 4, 3, 2, 1]


def test_what_one_source_brought_is_added_up() -> None:
    with transaction():
        give(ANNA, 5, "1")
        post(rules.POINTS_SOURCE, ANNA, 7, "1", reason="fixed_reward")
        give(BATU, 9, "1b")

    def total(*reasons: str) -> int:
        return queries.sum_for_source(*ANNA, "points", source_type="t", source_id="1", reasons=reasons)

    assert (total(), total("fixed_reward"), total("nothing")) == (12, 7, 0)


# ---- at once


def _at_once(app: Flask, works: list[Callable[[], None]]) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        with app.app_context():
            gate.wait()
            try:
                with transaction():
                    work()
                outcomes["done"] += 1
            except Exception as error:
                outcomes[type(error).__name__] += 1
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    return outcomes


@postgresql_only
def test_one_source_posted_by_sixteen_at_once_is_posted_once(app: Flask) -> None:
    assert _at_once(app, [lambda: give(ANNA, 10, "same")] * 16) == {"done": 1, "AlreadyPosted": 15}
    assert balance(ANNA) == 10


@postgresql_only
def test_many_spenders_of_one_balance_spend_no_more_than_there_is(app: Flask) -> None:
    with transaction():
        give(ANNA, 50, "1")
    works: list[Any] = [lambda number=number: post(ANNA, rules.POINTS_SOURCE, 20, f"s{number}") for number in range(12)]
    assert _at_once(app, works) == {"done": 2, "InsufficientBalance": 10}
    assert balance(ANNA) == 10


@postgresql_only
def test_payments_in_both_directions_do_not_wait_for_each_other_for_ever(app: Flask) -> None:
    with transaction():
        give(ANNA, 100, "a")
        give(BATU, 100, "b")
    works: list[Any] = [
        lambda number=number, pair=pair: post(*pair, 1, f"{pair}{number}") for number in range(10) for pair in ((ANNA, BATU), (BATU, ANNA))
    ]
    assert _at_once(app, works) == {"done": 20}
    assert (balance(ANNA), balance(BATU)) == (100, 100)


def test_the_clock_of_the_edge_decides_the_day() -> None:
    late = dt.datetime(2027, 3, 15, 16, tzinfo=dt.UTC)
    with transaction():
        services.post(
            services.Posting(
                unit="points", from_owner=rules.POINTS_SOURCE, to_owner=ANNA, amount=1, source_type="t", source_id="1", reason="r", now=late
            )
        )
    assert db.session.scalars(sa.select(LedgerEntry.posted_on)).one() == dt.date(2027, 3, 16)


def test_many_postings_at_once_are_all_there_or_none_is() -> None:
    def posting(number: int, owner: tuple[str, str] = ANNA) -> services.Posting:
        return services.Posting("points", rules.POINTS_SOURCE, owner, 5, "remark", number, "remark", NOW)

    with transaction():
        services.post_many([posting(1), posting(2, BATU), posting(3)])
    assert [queries.get_balance(*owner, "points") for owner in (ANNA, BATU)] == [10, 5]
    with pytest.raises(sa.exc.IntegrityError), transaction():
        services.post_many([posting(4), posting(1)])
    db.session.rollback()
    assert queries.get_balance(*ANNA, "points") == 10
    given = services.Posting("points", ANNA, rules.POINTS_SOURCE, 5, "remark", 9, "remark", NOW)
    with pytest.raises(ValueError, match="bounded"), transaction():
        services.post_many([given])
    with transaction():
        services.post_many([])

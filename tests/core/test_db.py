import datetime as dt
import threading

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import DailyCounter, DemographicGroup
from quizapp.core.db import TransactionAlreadyOpen, db, on_commit, transaction

pytestmark = pytest.mark.usefixtures("app")


def _count() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(DemographicGroup)) or 0


def test_a_failing_transaction_leaves_nothing_and_runs_no_hook() -> None:
    ran: list[int] = []
    with pytest.raises(RuntimeError), transaction():  # noqa: PT012 - the block is the transaction under test
        db.session.add(DemographicGroup(code="a", name="A", position=1))
        db.session.flush()
        on_commit(lambda: ran.append(1))
        raise RuntimeError
    assert _count() == 0
    assert ran == []


def test_hooks_run_after_the_commit_and_their_failure_undoes_nothing() -> None:
    def fail() -> None:
        raise RuntimeError

    with transaction():
        db.session.add(DemographicGroup(code="a", name="A", position=1))
        on_commit(fail)
    assert _count() == 1


def test_a_transaction_opened_twice_is_a_mistake() -> None:
    with pytest.raises(TransactionAlreadyOpen), transaction(), transaction():
        pass


def test_many_threads_reading_then_writing_lose_nothing(app: Flask) -> None:
    """A read transaction is open before each write, as the user loader leaves it."""
    day = dt.date(2026, 11, 22)
    with transaction():
        db.session.add(DailyCounter(scope="t", subject="s", counted_on=day, count=0))
    failures: list[Exception] = []

    def work() -> None:
        with app.app_context():
            try:
                for _ in range(10):
                    _count()
                    with transaction():
                        row = db.session.scalars(sa.select(DailyCounter).with_for_update()).one()
                        db.session.refresh(row)
                        row.count += 1
            except Exception as error:
                failures.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    db.session.rollback()
    assert db.session.scalar(sa.select(DailyCounter.count)) == 80

import datetime as dt
import time

import pytest
from flask import Flask

from quizapp.core import leases
from quizapp.core.db import db, transaction
from quizapp.core.leases import AdvisoryLead, LeaseLead, find_last_sign, say_alive
from tests.conftest import postgresql_only
from tests.web.test_limits import counting, redis_url  # noqa: F401 - fixtures: without Redis, with it, and with a lost one

NOW = dt.datetime(2026, 3, 20, 4, 0, tzinfo=dt.UTC)
pytestmark = pytest.mark.usefixtures("app")


def test_one_holder_has_the_lease_until_it_runs_out_or_is_dropped() -> None:
    first, second = LeaseLead("t", "one"), LeaseLead("t", "two")
    assert first.take(NOW)
    assert not second.take(NOW)
    later = NOW + leases.LEASE - dt.timedelta(seconds=1)
    assert first.take(later)
    assert not second.take(later + dt.timedelta(seconds=2))
    assert second.take(later + leases.LEASE)
    assert not first.take(later + leases.LEASE)
    first.drop(later + leases.LEASE)
    assert not first.take(later + leases.LEASE)
    second.drop(later + leases.LEASE)
    assert first.take(later + leases.LEASE)


def test_two_leases_of_different_names_do_not_meet() -> None:
    assert LeaseLead("a", "one").take(NOW)
    assert LeaseLead("b", "two").take(NOW)


def test_a_sign_of_life_is_left_and_found(app: Flask) -> None:
    assert find_last_sign("t") is None
    say_alive("t", "one", NOW)
    assert find_last_sign("t") == NOW
    db.session.rollback()
    say_alive("t", "two", NOW + dt.timedelta(seconds=5))
    assert find_last_sign("t") == NOW + dt.timedelta(seconds=5)


def test_a_sign_of_life_is_found_with_redis_without_and_when_it_is_lost(app: Flask, counting: str) -> None:  # noqa: F811
    say_alive("t", "one", NOW)
    assert find_last_sign("t") == NOW
    row = db.session.get(leases.WorkerLease, "t")
    assert (row is None) == (counting == "redis")


@postgresql_only
def test_an_advisory_lead_is_held_by_one_connection_and_goes_with_it(app: Flask) -> None:
    first, second = AdvisoryLead(db.engine, "t"), AdvisoryLead(db.engine, "t")
    assert first.take(NOW)
    assert first.take(NOW)
    assert not second.take(NOW)
    first.drop(NOW)
    assert second.take(NOW)
    assert not first.take(NOW)
    second.drop(NOW)


@postgresql_only
def test_a_leader_whose_connection_was_cut_notices(app: Flask) -> None:
    first, second = AdvisoryLead(db.engine, "t"), AdvisoryLead(db.engine, "t")
    assert first.take(NOW)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()")
    end = time.monotonic() + 10  # the server ends the backend a moment after saying so
    while not second.take(NOW):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not first.take(NOW)
    second.drop(NOW)
    first.drop(NOW)


def test_taking_a_lease_needs_the_callers_transaction(app: Flask) -> None:
    with transaction():
        assert leases.take_lease("t", "one", NOW)
    assert not LeaseLead("t", "two").take(NOW)

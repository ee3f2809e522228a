"""Several writes as one, guarded writes, and connections that commit by themselves."""

import threading

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import DemographicGroup
from quizapp.core.db import db, transaction
from quizapp.core.statements import Stale, Write, can_write_alone, fetch, fetch_alone, run_writes, run_writes_alone
from tests.conftest import postgresql_only

pytestmark = pytest.mark.usefixtures("app")
_INSERT = "INSERT INTO demographic_groups (code, name, position) VALUES (:{0}_code, :{0}_name, :{0}_position)"
_MOVE = "UPDATE demographic_groups SET position = position + 1 WHERE code = :m_code AND position = :m_position"
_GROUPS = sa.select(DemographicGroup.code, DemographicGroup.position).order_by(DemographicGroup.code)
_ONE = sa.select(DemographicGroup.code, DemographicGroup.name).where(DemographicGroup.code == sa.bindparam("code"))


def _insert(code: str) -> Write:
    return Write(_INSERT.format(code), {f"{code}_code": code, f"{code}_name": f"100%, {code}:x", f"{code}_position": 1})


def _move(code: str, position: int) -> Write:
    return Write(_MOVE, {"m_code": code, "m_position": position}, is_guarded=True)


def _groups() -> list[tuple[str, int]]:
    db.session.rollback()
    return [tuple(row) for row in db.session.execute(_GROUPS)]


def test_writes_sent_together_all_happen() -> None:
    with transaction():
        run_writes(_insert("a"), _insert("b"))
    assert _groups() == [("a", 1), ("b", 1)]


@postgresql_only
def test_two_writes_with_the_same_parameter_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="same parameter"), transaction():
        run_writes(_insert("a"), _insert("a"))


def test_a_guard_that_finds_its_row_lets_all_happen() -> None:
    with transaction():
        run_writes(_insert("a"))
    with transaction():
        run_writes(_move("a", 1), _insert("b"))
    assert _groups() == [("a", 2), ("b", 1)]


def test_a_guard_that_finds_nothing_lets_nothing_happen() -> None:
    with transaction():
        run_writes(_insert("a"))
    for position in (2, 0):
        with pytest.raises(Stale), transaction():
            run_writes(_insert("b"), _move("a", position))
    assert _groups() == [("a", 1)]


def test_rows_have_their_columns_names() -> None:
    with transaction():
        run_writes(_insert("a"))
        [row] = fetch(_ONE, {"code": "a"})
    assert (row.code, row.name, row[1], tuple(row)) == ("a", "100%, a:x", "100%, a:x", ("a", "100%, a:x"))
    db.session.rollback()
    assert [row.code for row in fetch_alone(_ONE, {"code": "a"})] == ["a"]
    assert list(fetch_alone(_ONE, {"code": "b"})) == []


def test_alone_means_outside_of_every_transaction() -> None:
    assert can_write_alone()
    with transaction():
        assert not can_write_alone()
    db.session.execute(_GROUPS)
    assert not can_write_alone()


def test_writes_alone_are_one_transaction_of_their_own() -> None:
    run_writes_alone(_insert("a"))
    with pytest.raises(Stale):
        run_writes_alone(_insert("b"), _move("a", 7))
    with pytest.raises(sa.exc.IntegrityError):
        run_writes_alone(_insert("c"), _insert("a"))
    run_writes_alone(_move("a", 1))
    assert _groups() == [("a", 2)]


def test_a_guard_counts_only_for_the_first_of_many(app: Flask) -> None:
    run_writes_alone(_insert("a"))
    outcomes: list[str] = []
    together = threading.Barrier(8)

    def work(number: int) -> None:
        with app.app_context():
            together.wait()
            try:
                run_writes_alone(_move("a", 1), _insert(f"t{number}"))
            except Stale:
                outcomes.append("stale")
            else:
                outcomes.append("done")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", *["stale"] * 7]
    assert [position for _, position in _groups()] == [2, 1]


@postgresql_only
@pytest.mark.parametrize("in_session", [True, False])
def test_a_broken_connection_is_not_used_again(*, in_session: bool) -> None:
    """The server ends our connection (restart, fail-over): this request fails, the next one works."""
    pid = sa.select(sa.func.pg_backend_pid().label("pid"))
    read = fetch if in_session else fetch_alone
    [row] = read(pid, {})
    with db.engine.connect() as other:
        other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": row.pid})
    with pytest.raises(sa.exc.OperationalError):
        read(pid, {})
    db.session.rollback()
    assert read(pid, {})[0].pid != row.pid

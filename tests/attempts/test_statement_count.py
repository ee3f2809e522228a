"""How many SQL statements the hot calls take: deterministic, so that a test can hold it (performance.md, P4)."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine

from quizapp.accounts.models import Citizen
from quizapp.attempts import queries
from quizapp.campaigns.models import Campaign
from quizapp.questions.queries import get_revisions, list_pool
from tests.attempts.conftest import NOW
from tests.factories import attempts as make
from tests.factories.accounts import headers_for, make_citizen

API = "/api/v1"


@pytest.fixture
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@contextmanager
def _statements() -> Iterator[list[str]]:
    """The SQL that runs inside, without what begins and ends transactions."""
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.split(None, 1)[0].upper() not in ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"):
            seen.append(statement)

    sa.event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(Engine, "before_cursor_execute", note)


def test_how_many_statements_each_call_takes(app: Flask, client: FlaskClient, campaign: Campaign, citizen: Citizen, clock: None) -> None:
    """The session look-up included. PostgreSQL takes the writes of a hand-in in one statement, SQLite one by one."""
    get_revisions(item.revision_id for item in list_pool(banks=("consumer-rights",)))  # kept by each process once read
    me = headers_for(citizen)
    warm = make.play(campaign, make_citizen(), now=NOW)
    client.get(f"{API}/attempts/{warm.id}", headers=me)
    is_sqlite = app.config["IS_SQLITE"]
    with _statements() as starting:
        paper = client.post(f"{API}/campaigns/c/attempts", headers=me).json["id"]
    with _statements() as saving:
        client.put(f"{API}/attempts/{paper}/answers/1", json={"choices": ["A"]}, headers=me)
    make.answer(queries.get_attempt(uuid.UUID(paper)), citizen, now=NOW)
    with _statements() as reading:
        client.get(f"{API}/attempts/{paper}", headers=me)
    with _statements() as submitting:
        result = client.post(f"{API}/attempts/{paper}/submission", headers=me)
    assert (result.status_code, result.json["points"], result.json["ticket_count"]) == (200, 20, 1)
    with _statements() as repeating:
        client.post(f"{API}/attempts/{paper}/submission", headers=me)
    print(f"submit statements: {len(submitting)}")  # noqa: T201 - the bench reads it
    assert len(submitting) <= (7 if is_sqlite else 3), submitting
    assert len(starting) <= (6 if is_sqlite else 5), starting
    assert (len(saving), len(reading), len(repeating)) == (4 if is_sqlite else 3, 2, 2)

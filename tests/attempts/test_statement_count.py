"""How many SQL statements the hot calls take: deterministic, so that a test can hold it (performance.md, P4)."""

import uuid
from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Citizen
from quizapp.attempts import queries
from quizapp.campaigns.models import Campaign
from quizapp.questions.queries import get_revisions, list_pool
from tests.accounts.helpers import statements_inside
from tests.attempts.conftest import NOW
from tests.factories import attempts as make
from tests.factories.accounts import headers_for, make_citizen

API = "/api/v1"


@pytest.fixture
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def test_how_many_statements_each_call_takes(app: Flask, client: FlaskClient, campaign: Campaign, citizen: Citizen, clock: None) -> None:
    """The session look-up included. PostgreSQL takes the writes of a hand-in in one statement, SQLite one by one."""
    get_revisions(item.revision_id for item in list_pool(banks=("consumer-rights",)))  # kept by each process once read
    me = headers_for(citizen)
    warm = make.play(campaign, make_citizen(), now=NOW)
    client.get(f"{API}/attempts/{warm.id}", headers=me)
    is_sqlite = app.config["IS_SQLITE"]
    with statements_inside() as starting:
        paper = client.post(f"{API}/campaigns/c/attempts", headers=me).json["id"]
    with statements_inside() as saving:
        client.put(f"{API}/attempts/{paper}/answers/1", json={"choices": ["A"]}, headers=me)
    make.answer(queries.get_attempt(uuid.UUID(paper)), citizen, now=NOW)
    with statements_inside() as reading:
        client.get(f"{API}/attempts/{paper}", headers=me)
    with statements_inside() as submitting:
        result = client.post(f"{API}/attempts/{paper}/submission", headers=me)
    assert (result.status_code, result.json["points"], result.json["ticket_count"]) == (200, 20, 1)
    with statements_inside() as repeating:
        client.post(f"{API}/attempts/{paper}/submission", headers=me)
    print(f"submit statements: {len(submitting)}")  # noqa: T201 - the bench reads it
    assert len(submitting) <= (7 if is_sqlite else 3), submitting
    assert len(starting) <= (6 if is_sqlite else 5), starting
    assert (len(saving), len(reading), len(repeating)) == (4 if is_sqlite else 3, 2, 2)

"""The API against its own document: generated requests never make a server error, refusals are problem documents."""

import datetime as dt
import json
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings

from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from tests.conftest import sqlite_only
from tests.factories import accounts, campaigns, questions


@pytest.fixture
def served(app: Flask) -> Flask:
    """A database with something behind the ids: a running campaign, citizens, staff."""
    now = utc_now()
    with transaction():
        accounts.reference_data()
        questions.make_bank("consumer-rights", count=12)
        campaigns.make_campaign("open-now", now=now - dt.timedelta(hours=1))
    return app


def _bearers() -> dict[str, str]:
    with transaction():
        return {
            "nobody": "",
            "citizen": accounts.bearer_for(accounts.make_citizen()),
            "campaign_manager": accounts.bearer_for(accounts.make_staff("campaign_manager")),
            "finance": accounts.bearer_for(accounts.make_staff("finance")),
            "report_reader": accounts.bearer_for(accounts.make_staff("report_reader")),
        }


@sqlite_only
@pytest.mark.parametrize("who", ["nobody", "citizen", "campaign_manager", "finance", "report_reader"])
def test_no_generated_request_makes_a_server_error(served: Flask, who: str) -> None:
    token = _bearers()[who]
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", served)
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    for operation in schema.get_all_operations():
        _run_one(operation.ok(), headers)


def _run_one(operation: Any, headers: dict[str, str]) -> None:
    strategy = operation.as_strategy()

    @given(case=strategy)
    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    def check(case: schemathesis.Case) -> None:
        response = case.call(headers=headers)
        assert response.status_code < 500, (case.method, case.path, response.status_code, response.content[:300])
        if response.status_code >= 400:
            kind = response.headers["content-type"][0]
            assert kind.startswith("application/problem+json"), (case.path, kind)
            body = json.loads(response.content)
            assert body["code"]
            assert body["detail"]

    check()

"""Promise 6: whatever is posted in whatever order, balances are the sums of the entries and never below zero."""

import contextlib
import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from quizapp.core.db import db, transaction
from quizapp.ledger import queries, rules, services
from quizapp.ledger.errors import AlreadyPosted, InsufficientBalance
from quizapp.ledger.models import LedgerAccount, LedgerEntry

NOW = dt.datetime(2027, 3, 15, 1, 42, tzinfo=dt.UTC)
OWNERS = [("citizen", "a"), ("citizen", "b"), ("campaign", "c"), rules.POINTS_SOURCE]
owners, sources, amounts = st.sampled_from(OWNERS), st.integers(0, 12), st.integers(1, 60)


class _Undo(Exception):
    pass


class Ledger(RuleBasedStateMachine):
    """Posts beside a plain dictionary that knows what should come of it. All of it in one transaction, undone at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: dict[tuple[str, str], int] = dict.fromkeys(OWNERS, 0)
        self.posted: set[int] = set()
        self.scope = transaction()
        self.scope.__enter__()

    def teardown(self) -> None:
        with contextlib.suppress(_Undo):
            self.scope.__exit__(_Undo, _Undo(), None)

    def _refusal(self, giver: tuple[str, str], amount: int, source: int) -> type[Exception] | None:
        if source in self.posted:
            return AlreadyPosted
        if rules.is_bounded(giver[0]) and self.expected[giver] < amount:
            return InsufficientBalance
        return None

    @rule(giver=owners, taker=owners, amount=amounts, source=sources)
    def post(self, giver: tuple[str, str], taker: tuple[str, str], amount: int, source: int) -> None:
        values: dict[str, Any] = {
            "unit": "points",
            "from_owner": giver,
            "to_owner": taker,
            "amount": amount,
            "source_type": "t",
            "source_id": source,
            "reason": "r",
            "now": NOW,
        }
        refusal = ValueError if giver == taker else self._refusal(giver, amount, source)
        if refusal is not None:
            with pytest.raises(refusal):
                services.post(services.Posting(**values))
            return
        services.post(services.Posting(**values))
        self.posted.add(source)
        self.expected[giver] -= amount
        self.expected[taker] += amount

    @invariant()
    def balances_are_what_they_should_be(self) -> None:
        for owner, expected in self.expected.items():
            assert queries.get_balance(*owner, "points") == expected
            assert queries.sum_entries(services.account_id(*owner, "points")) == expected

    @invariant()
    def everything_together_is_nothing(self) -> None:
        assert sum(queries.sum_entries(services.account_id(*owner, "points")) for owner in OWNERS) == 0
        assert (db.session.scalar(sa.select(sa.func.min(LedgerAccount.balance))) or 0) >= 0
        assert (db.session.scalar(sa.select(sa.func.count()).select_from(LedgerEntry)) or 0) == len(self.posted)


def test_any_sequence_of_postings_balances(app: Flask) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(
        Ledger, settings=settings(max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    )

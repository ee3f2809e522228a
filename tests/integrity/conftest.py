"""A campaign whose every draw wins, people who play it, and the people who look at them."""

import datetime as dt

import pytest
from flask import Flask

from quizapp.accounts.models import StaffAccount
from quizapp.audit.services import Actor
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import Points
from tests.factories.accounts import make_staff
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign

NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
"""10:00 in Shanghai."""
LATER = NOW + dt.timedelta(minutes=5)


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    """Five tries a day; four right earn a ticket that wins, and 20 points."""
    return make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, points=Points(passed=20, failed=5, daily_limit=5), per_day=5)


@pytest.fixture
def reviewer(app: Flask) -> StaffAccount:
    return make_staff("campaign_manager")


@pytest.fixture
def second(app: Flask) -> StaffAccount:
    return make_staff("approver")


def actor_of(account: StaffAccount) -> Actor:
    return Actor("staff", account.id, account.display_name)

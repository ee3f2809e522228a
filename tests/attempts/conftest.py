import datetime as dt

import pytest
from flask import Flask

from quizapp.accounts.models import Citizen
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import Points
from tests.factories.accounts import make_citizen
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign

NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
"""10:00 in Shanghai."""
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def citizen(app: Flask) -> Citizen:
    return make_citizen(now=NOW)


@pytest.fixture
def campaign(citizen: Citizen) -> Campaign:
    """Three tries a day, five minutes, four of five right earn a ticket and 20 points, otherwise 5."""
    return make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, points=Points(passed=20, failed=5, daily_limit=3))

import datetime as dt

import pytest

from quizapp.campaigns import queries, rules
from quizapp.core.clock import utc_now
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign

pytestmark = pytest.mark.usefixtures("app")


def test_a_published_campaign_is_open_to_citizens() -> None:
    campaign = make_campaign("spring", prizes=ONE_CODE_PRIZE)
    view = queries.get_campaign("spring")
    assert view.id == campaign.id
    assert view.terms_number == 1
    assert rules.phase(view.status, view.terms, utc_now()) == "open"
    assert queries.get_terms(view.terms_id) == view.terms
    assert [v.slug for v in queries.list_visible(utc_now() + dt.timedelta(days=1))] == ["spring"]

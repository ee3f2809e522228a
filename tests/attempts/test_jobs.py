import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from quizapp.accounts.models import Citizen
from quizapp.attempts import jobs
from quizapp.attempts.models import Attempt
from quizapp.attempts.services import handing_in
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db
from tests.attempts.conftest import MINUTE, NOW
from tests.factories import attempts as make
from tests.factories.accounts import make_citizen


def _states() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(sa.select(Attempt.state)))


def test_the_job_closes_batch_after_batch_and_may_run_twice(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    for number in range(5):
        person = make_citizen()
        attempt = make.start(campaign, person, now=NOW).attempt
        make.answer(attempt, person, number, wrong=0, now=NOW)
    late = NOW + 5 * MINUTE
    assert jobs.close_overdue(late) == 5
    assert _states() == ["graded"] * 4 + ["lapsed"]
    assert jobs.close_overdue(late) == 0


def test_one_paper_that_cannot_be_closed_does_not_keep_the_others_waiting(
    campaign: Campaign, citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = make.start(campaign, citizen, now=NOW).attempt
    make.answer(broken, citizen, now=NOW)
    for _ in range(2):
        person = make_citizen()
        make.answer(make.start(campaign, person, now=NOW).attempt, person, now=NOW)
    real = handing_in.grade_attempt

    def fail_once(attempt: Any, *args: Any, **kwargs: Any) -> Any:
        if attempt.id == broken.id:
            raise RuntimeError("broken")
        return real(attempt, *args, **kwargs)

    monkeypatch.setattr(handing_in, "grade_attempt", fail_once)
    assert jobs.close_overdue(NOW + 5 * MINUTE) == 2
    assert _states() == ["graded", "graded", "open"]


def test_the_job_deletes_what_guests_left_behind(campaign: Campaign) -> None:
    make.guest_paper(campaign, now=NOW)
    assert jobs.close_overdue(NOW + dt.timedelta(days=1)) == 1
    assert _states() == ["lapsed"]
    jobs.close_overdue(NOW + dt.timedelta(days=2))
    assert _states() == []

"""How many tickets a hand-in grants: bands, the limit of a day, and that nobody else pays for either."""

import datetime as dt
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import Citizen
from quizapp.campaigns.terms import Condition, TicketBand
from quizapp.core.db import db
from quizapp.lottery.models import DrawTicket
from tests.attempts.conftest import NOW
from tests.conftest import postgresql_only
from tests.factories import attempts as make
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign
from tests.factories.lottery import count_rows

pytestmark = pytest.mark.usefixtures("app")


def test_better_results_bring_more_chances(citizen: Citizen) -> None:
    bands = (TicketBand(Condition(measure="all_right", at_least=1), 3), TicketBand(Condition(measure="percent", at_least=80), 2))
    campaign = make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, draw={"bands": bands})
    assert [make.play(campaign, citizen, right=right, now=NOW).ticket_count for right in (5, 4, 3)] == [3, 2, 0]
    assert count_rows(DrawTicket) == 5


def test_the_limit_of_a_day_holds_and_begins_anew_tomorrow(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, draw={"tickets": 2, "draws_per_day": 3})
    assert [make.play(campaign, citizen, now=NOW).ticket_count for _ in range(3)] == [2, 1, 0]
    assert make.play(campaign, citizen, now=NOW + dt.timedelta(days=1)).ticket_count == 2


def test_a_campaign_without_a_limit_asks_for_no_count(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, prizes=ONE_CODE_PRIZE)
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    paper = make.start(campaign, citizen, now=NOW).attempt
    make.answer(paper, citizen, 5, now=NOW)
    sa.event.listen(sa.engine.Engine, "before_cursor_execute", note)
    try:
        make.hand_in(paper, citizen, now=NOW)
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", note)
    assert seen
    assert not [each for each in seen if "draw_tickets" in each and each.lstrip().startswith("SELECT")]


@postgresql_only
def test_a_paper_handed_in_from_four_devices_passes_the_limit_of_the_day_once(app: Flask, citizen: Citizen) -> None:
    """One paper handed in from four devices at once."""
    campaign = make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, draw={"tickets": 2, "draws_per_day": 3})
    make.play(campaign, citizen, now=NOW)
    paper = make.start(campaign, citizen, now=NOW).attempt
    make.answer(paper, citizen, 5, now=NOW)
    db.session.rollback()
    citizen_id, gate = citizen.id, threading.Barrier(4)

    def run() -> None:
        with app.app_context():
            gate.wait()
            make.hand_in(paper, citizen_id, now=NOW)
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count_rows(DrawTicket) == 3

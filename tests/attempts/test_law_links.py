"""From the explanation to the article as it was on the day of the attempt, and so it stays."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa
import time_machine
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from quizapp.accounts.models import Citizen
from quizapp.attempts.models import AttemptQuestion
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db
from quizapp.questions.models import Question
from quizapp.statutes import queries
from tests.attempts.conftest import NOW
from tests.factories import attempts as make
from tests.factories.accounts import make_citizen, sign_in
from tests.factories.statutes import change, import_laws, law_json

OLD = "买毛衣的人七日内可以退。"
NEW = "买毛衣的人十日内可以退。"
BEFORE = NOW - dt.timedelta(days=30)


@pytest.fixture(autouse=True)
def fresh_names(app: object) -> None:
    queries.forget_names()


def _import(now: dt.datetime) -> None:
    import_laws(law_json("消费者权益保护法", {"25": OLD}, last_amended="2014-03-15"), now=now)


def _read(client: FlaskClient, person: Citizen, attempt_id: object, at: dt.datetime) -> str:
    """The text behind the first citation of a result page, as seen at a moment."""
    with time_machine.travel(at, tick=False):
        sign_in(client, person)
        page = BeautifulSoup(client.get(f"/attempts/{attempt_id}/result").text, "html.parser")
        [url] = {link["href"] for link in page.select("a.cite")}
        answer = client.get(url.partition("#")[0])
    anchor = re.search(r"#(a\d+)$", url)
    assert anchor is not None
    return BeautifulSoup(answer.text, "html.parser").select_one(f"#{anchor[1]} .lawtext").text


@pytest.mark.parametrize("effective_from", [dt.date(2026, 11, 23), dt.date(2026, 11, 22), dt.date(2026, 10, 1)])
def test_an_old_attempt_shows_the_old_text_and_a_new_one_the_new(
    client: FlaskClient, campaign: Campaign, citizen: Citizen, effective_from: dt.date
) -> None:
    """However late the change is entered and from whatever day it holds: what was shown stays. The change is entered an
    hour after the first attempt."""
    _import(BEFORE)
    first = make.play(campaign, citizen, now=NOW)
    change("消费者权益保护法", "25", NEW, effective_from=effective_from, now=NOW + dt.timedelta(hours=1), suspend=False)
    later = NOW + dt.timedelta(days=2)
    other = make_citizen(now=NOW)
    second = make.play(campaign, other, now=later)
    for at in (NOW + dt.timedelta(minutes=5), later, later + dt.timedelta(days=400)):
        assert _read(client, citizen, first.id, at) == OLD
    assert _read(client, other, second.id, later) == NEW


def test_an_attempt_before_the_texts_came_shows_what_came_first(client: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.play(campaign, citizen, now=NOW)
    _import(NOW + dt.timedelta(hours=1))
    assert _read(client, citizen, attempt.id, NOW + dt.timedelta(hours=2)) == OLD
    change("消费者权益保护法", "25", NEW, effective_from=dt.date(2026, 11, 1), now=NOW + dt.timedelta(hours=3), suspend=False)
    assert _read(client, citizen, attempt.id, NOW + dt.timedelta(hours=4)) == OLD


def test_a_change_takes_nothing_from_an_attempt(client: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    """Its questions, score and revisions stay although every question that cites the article is out of papers."""
    _import(BEFORE)
    attempt = make.play(campaign, citizen, now=NOW)
    columns = (AttemptQuestion.position, AttemptQuestion.revision_id, AttemptQuestion.choice_order, AttemptQuestion.chosen)
    rows = sa.select(*columns).where(AttemptQuestion.attempt_id == attempt.id).order_by(AttemptQuestion.position)
    before = db.session.execute(rows).all()
    assert change("消费者权益保护法", "25", NEW, effective_from=dt.date(2026, 11, 22), now=NOW) == 12
    assert set(db.session.scalars(sa.select(Question.status))) == {"suspended"}
    assert db.session.execute(rows).all() == before
    with time_machine.travel(NOW + dt.timedelta(days=1), tick=False):
        sign_in(client, citizen)
        page = client.get(f"/attempts/{attempt.id}/result").text
    assert f"{attempt.correct_count}<small> / 5 题答对" in page


def test_without_texts_the_link_leads_to_where_the_law_can_be_read(client: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.play(campaign, citizen, now=NOW)
    with time_machine.travel(NOW, tick=False):
        sign_in(client, citizen)
        page = BeautifulSoup(client.get(f"/attempts/{attempt.id}/result").text, "html.parser")
        reader = BeautifulSoup(client.get(page.select_one("a.cite")["href"].partition("#")[0]).text, "html.parser")
    assert reader.select_one('main a[href="https://flk.npc.gov.cn/"]')

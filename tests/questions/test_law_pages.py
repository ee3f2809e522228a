import datetime as dt

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from quizapp.core.db import db
from quizapp.questions import law_watch
from quizapp.questions.loader import BankFile, BankHead
from quizapp.questions.models import Question
from tests.factories.accounts import make_organisation, make_staff, sign_in
from tests.factories.questions import import_file, make_entry
from tests.factories.statutes import change, import_laws

pytestmark = pytest.mark.usefixtures("app")
NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
URL = "/admin/law-changes"


@pytest.fixture(autouse=True)
def no_csrf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quizapp.web.security.csrf.protect", lambda: None)


@pytest.fixture
def changed(app: object) -> None:
    import_laws(now=NOW)
    entries = tuple(make_entry(number, citations=({"law": "试衣法", "article": str(number)},)) for number in (1, 2, 3))
    import_file(BankFile(BankHead("b", "题库乙", "consumer", "", ""), entries), now=NOW)
    change("试衣法", "2", "买毛衣的人可以在七日内试穿。\n试穿不得剪掉吊牌。", effective_from=dt.date(2026, 11, 1), now=NOW)


def _page(client: FlaskClient, url: str = URL) -> BeautifulSoup:
    answer = client.get(url)
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


@pytest.mark.usefixtures("changed")
def test_old_and_new_text_stand_side_by_side_and_a_click_confirms(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_reviewer"))
    page = _page(client)
    [form] = page.select('form[action$="/confirmation"]')
    assert [item.text for item in page.select("del")] == ["三"]
    assert [item.text for item in page.select("ins")] == ["七"]
    data = {"review": [field["value"] for field in form.select('input[name="review"]')], "note": "看过"}
    assert client.post(form["action"], data=data).status_code == 302
    assert law_watch.count_waiting(["/"]) == 0
    assert set(db.session.scalars(sa.select(Question.status))) == {"published"}
    page = _page(client)
    assert not page.select('form[action$="/confirmation"]')
    assert "看过" in page.text
    assert client.post(form["action"], data=data).status_code == 409
    assert client.post(form["action"], data={"review": "x"}).status_code == 422


@pytest.mark.usefixtures("changed")
def test_the_menu_counts_what_waits(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_reviewer"))
    link = _page(client, "/admin/").select_one(f'nav a[href="{URL}"]')
    assert link.select_one(".n").text == "1"


@pytest.mark.usefixtures("changed")
def test_editors_see_it_and_cannot_confirm(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_editor"))
    page = _page(client)
    assert page.select("del")
    assert not page.select('form[action$="/confirmation"]')
    assert page.select_one('a[href="/admin/questions/banks/b/q/q-002/edit"]')
    assert client.post(f"{URL}/policy", data={"suspends": "0"}).status_code == 403


@pytest.mark.usefixtures("changed")
def test_a_county_cannot_confirm_a_shared_question(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_reviewer", make_organisation("松山区司法局")))
    page = _page(client)
    assert page.select("del")
    assert not page.select('form[action$="/confirmation"]')
    question_id = db.session.scalar(sa.select(Question.id).filter_by(code="q-002"))
    assert client.post(f"{URL}/{question_id}/confirmation", data={}).status_code == 404
    assert client.post(f"{URL}/policy", data={"suspends": "0"}).status_code == 404


def test_the_bureau_sets_what_happens(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_reviewer"))
    assert _page(client).select_one("#p1").has_attr("checked")
    assert client.post(f"{URL}/policy", data={"suspends": "0"}).status_code == 302
    assert not law_watch.suspends()
    assert _page(client).select_one("#p0").has_attr("checked")


def test_it_is_closed_to_others(client: FlaskClient) -> None:
    assert client.get(URL).status_code == 302
    sign_in(client, make_staff("finance"))
    assert client.get(URL).status_code == 403

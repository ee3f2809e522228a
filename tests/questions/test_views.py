import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from quizapp.questions import queries
from quizapp.questions.loader import BankFile, BankHead, Entry
from tests.factories.accounts import make_organisation, make_staff, sign_in
from tests.factories.questions import import_file, make_bank, make_entry

pytestmark = pytest.mark.usefixtures("app")
HEAD = BankHead("b", "题库乙", "tax", "说明", "CC BY 4.0")


@pytest.fixture
def no_csrf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quizapp.web.security.csrf.protect", lambda: None)


def _page(answer: object) -> BeautifulSoup:
    assert answer.status_code == 200, answer.status_code  # type: ignore[attr-defined]
    return BeautifulSoup(answer.text, "html.parser")  # type: ignore[attr-defined]


def test_the_list_counts_and_the_bank_filters(client: FlaskClient) -> None:
    make_bank(count=24)
    sign_in(client, make_staff("question_editor"))
    page = _page(client.get("/admin/questions"))
    assert "consumer-rights" in page.select_one("table").text
    page = _page(client.get("/admin/questions/banks/consumer-rights"))
    assert len(page.select("table tbody tr")) == 20
    assert len(_page(client.get("/admin/questions/banks/consumer-rights?page=2")).select("table tbody tr")) == 4
    judge = _page(client.get("/admin/questions/banks/consumer-rights?kind=judge"))
    assert len(judge.select("table tbody tr")) == 6
    one = _page(client.get("/admin/questions/banks/consumer-rights?q=q-017"))
    assert [link.text for link in one.select("td a.plain")] == [make_entry(17).stem]
    assert _page(client.get("/admin/questions/banks/consumer-rights?q=%25")).select_one("td.empty")
    assert _page(client.get("/admin/questions/banks/consumer-rights?status=waiting&difficulty=x")).select_one("td.empty")


def test_a_question_shows_its_key_and_its_revisions(client: FlaskClient) -> None:
    make_bank(count=2)
    import_file(BankFile(BankHead("consumer-rights", "题库", "x", "", ""), (make_entry(1, stem="第二版的题干，够长够长够长"),)))
    sign_in(client, make_staff("question_reviewer"))
    page = _page(client.get("/admin/questions/banks/consumer-rights/q/q-001"))
    assert page.select_one(".stem").text == "第二版的题干，够长够长够长"
    assert len(page.select(".opt-card.is-right")) == 1
    old = _page(client.get("/admin/questions/banks/consumer-rights/q/q-001?revision=1"))
    assert old.select_one(".stem").text == make_entry(1).stem
    assert client.get("/admin/questions/banks/consumer-rights/q/nothing").status_code == 404
    assert client.get("/admin/questions/banks/nothing").status_code == 404


def test_a_bank_of_another_unit_does_not_exist_for_others(client: FlaskClient) -> None:
    county, other = make_organisation("松山区司法局"), make_organisation("红山区司法局")
    make_bank("county-bank", count=2, organisation_id=county.id)
    make_bank("shared", count=2)
    sign_in(client, make_staff("question_editor", other))
    assert "county-bank" not in client.get("/admin/questions").text
    assert "shared" in client.get("/admin/questions").text
    for path in ("", "/q/q-001", "/exports"):
        assert client.get(f"/admin/questions/banks/county-bank{path}").status_code == 404
        assert client.get(f"/admin/questions/banks/shared{path}").status_code == 200


def _waiting_bank(*entries: Entry) -> None:
    import_file(BankFile(HEAD, entries), publish=False)


@pytest.mark.usefixtures("no_csrf")
def test_a_reviewer_releases_one_question_or_all(client: FlaskClient) -> None:
    _waiting_bank(make_entry(1), make_entry(2), make_entry(3))
    sign_in(client, make_staff("question_reviewer"))
    page = _page(client.get("/admin/questions/banks/b/q/q-001"))
    form = page.select_one('form[action*="/reviews/"]:has(input[value="pass"])')
    revision = form.select_one('input[name="revision"]')["value"]
    assert client.post(form["action"], data={"revision": revision, "decision": "pass"}).status_code == 302
    assert len(queries.list_pool(banks=["b"])) == 1
    client.post("/admin/questions/banks/b/approval")
    assert len(queries.list_pool(banks=["b"])) == 3
    client.post("/admin/questions/banks/b/q/q-002/suspension", data={"reason": ""})
    assert len(queries.list_pool(banks=["b"])) == 3
    client.post("/admin/questions/banks/b/q/q-002/suspension", data={"reason": "法律改了"})
    assert len(queries.list_pool(banks=["b"])) == 2
    assert client.post(form["action"], data={"revision": "x", "decision": "pass"}).status_code == 422


@pytest.mark.usefixtures("no_csrf")
def test_reviewing_a_shared_bank_is_not_for_a_county(client: FlaskClient) -> None:
    _waiting_bank(make_entry(1))
    sign_in(client, make_staff("question_reviewer", make_organisation("松山区司法局")))
    assert client.post("/admin/questions/banks/b/approval").status_code == 404
    assert queries.list_pool(banks=["b"]) == ()


def test_nothing_of_it_is_open_to_others(client: FlaskClient) -> None:
    make_bank(count=1)
    assert client.get("/admin/questions").status_code == 302
    sign_in(client, make_staff("report_reader"))
    for path in ("", "/import", "/banks/consumer-rights", "/banks/consumer-rights/q/q-001"):
        assert client.get(f"/admin/questions{path}").status_code == 403

"""The pages of authoring: list, editor, review queue, signature, settings, reports of citizens; and who may open them."""

import uuid

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from quizapp.accounts.models import StaffAccount
from quizapp.audit.services import SYSTEM
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.questions import queries, services
from quizapp.questions.models import FaultReport, Question, QuestionRevision
from tests.factories.accounts import make_citizen, make_organisation, make_staff, reference_data, sign_in
from tests.factories.corrections import revision_of
from tests.factories.questions import make_bank

FORM = {
    "kind": "single",
    "stem": "牧民老白网购的毛衣第 5 天想退，依法可以怎么办？",
    "choice": ["不能退", "可以退", "", "先做鉴定"],
    "answer": ["1"],
    "explanation": "收到之日起七日内可以退，不用说理由，商品要完好。先留好聊天记录，再打 12315。",
    "law": ["消费者权益保护法", ""],
    "article": ["25", ""],
    "difficulty": "2",
    "tags": "topic:七日退货，audience:农牧民",
}


@pytest.fixture(autouse=True)
def no_csrf(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quizapp.web.security.csrf.protect", lambda: None)


def _soup(answer: object) -> BeautifulSoup:
    assert answer.status_code == 200, answer.text  # type: ignore[attr-defined]  # werkzeug's test response
    return BeautifulSoup(answer.text, "html.parser")  # type: ignore[attr-defined]


def _newest() -> QuestionRevision:
    db.session.rollback()
    return db.session.scalars(
        sa.select(QuestionRevision).order_by(QuestionRevision.created_at.desc(), QuestionRevision.number.desc())
    ).first()  # type: ignore[return-value]  # there is one


def _as(client: FlaskClient, role: str, unit: object = None) -> StaffAccount:
    staff = make_staff(role, unit)  # type: ignore[arg-type]  # an organisation
    sign_in(client, staff)
    return staff


def test_the_list_filters_and_pages(client: FlaskClient) -> None:
    make_bank("b", count=25)
    make_bank("other", count=3)
    _as(client, "question_editor")
    assert len(_soup(client.get("/admin/questions/all")).select("tbody tr")) == 20
    assert len(_soup(client.get("/admin/questions/all?page=2")).select("tbody tr")) == 8
    assert len(_soup(client.get("/admin/questions/all?bank=other")).select("tbody tr")) == 3
    for nonsense in ("kind=x", "status=x", "flag=x", "difficulty=9", "bank=x", "page=x", "law=%00", "q=%00"):
        assert client.get(f"/admin/questions/all?{nonsense}").status_code == 200, nonsense


def test_a_question_is_written_checked_and_sent_to_review(client: FlaskClient) -> None:
    make_bank("b", count=1)
    _as(client, "question_editor")
    assert client.post("/admin/questions/banks/b/new", data={**FORM, "action": "check"}).status_code == 200
    assert len(queries.list_latest(queries.get_bank("b").id)) == 1
    assert client.post("/admin/questions/banks/b/new", data={**FORM, "action": "submit"}).status_code == 302
    revision = _newest()
    assert (revision.choices, revision.answer, revision.origin) == (["不能退", "可以退", "先做鉴定"], [1], "staff")
    assert revision.tags == ["topic:七日退货", "audience:农牧民"]
    assert db.session.scalars(sa.select(Question.status).filter_by(id=revision.question_id)).one() == "in_review"


def test_mistakes_stand_under_their_fields_and_nothing_typed_is_lost(client: FlaskClient) -> None:
    make_bank("b", count=1)
    _as(client, "question_editor")
    answer = client.post(
        "/admin/questions/banks/b/new", data={**FORM, "stem": "", "answer": [], "article": ["第二十五", ""], "action": "draft"}
    )
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "html.parser")
    assert page.select_one("#stem-err")
    assert page.select_one("#answer-err")
    assert page.select_one("#citations-err")
    assert [box["value"] for box in page.select("input[name=choice]")][:2] == ["不能退", "可以退"]


def test_opening_and_saving_a_question_changes_nothing_of_it(client: FlaskClient) -> None:
    """Also one whose document stands before its law, and a judge."""
    make_bank("b", count=8)
    document = {"document": "某规定", "issuer": "最高人民法院", "number": "法释〔2022〕8号", "clause": "第三条", "date": "2022-03-01"}
    raw = {**FORM, "choices": ["对的", "错的"], "answer": ["A"], "law": None, "article": None, "choice": None}
    with transaction():
        entry = {key: value for key, value in raw.items() if value is not None and key != "tags"}
        citations = [document, {"law": "草原法", "article": "49"}]
        services.create_question(queries.get_bank("b"), {**entry, "citations": citations}, now=utc_now(), actor=SYSTEM)
    _as(client, "question_editor")
    for item in queries.list_latest(queries.get_bank("b").id):
        url = f"/admin/questions/banks/b/q/{item.question.code}/edit"
        page = _soup(client.get(url))
        sent: dict[str, list[str]] = {"action": ["draft"]}
        for box in page.select("form[data-question] input[name], form[data-question] textarea[name]"):
            if box.get("type") in ("checkbox", "radio") and not box.has_attr("checked"):
                continue
            sent.setdefault(str(box["name"]), []).append(str(box.get("value", "") if box.name == "input" else box.text.strip("\n")))
        sent["difficulty"] = [str(option["value"]) for option in page.select("#difficulty option[selected]")]
        assert client.post(url, data=sent).status_code == 302
        assert len(queries.list_revisions(item.question.id)) == 1, item.question.code


def test_a_second_editor_overwrites_nothing(client: FlaskClient) -> None:
    make_bank("b", count=1)
    _as(client, "question_editor")
    url = "/admin/questions/banks/b/q/q-001/edit"
    revision = str(_soup(client.get(url)).select_one("input[name=revision]")["value"])
    assert client.post(url, data={**FORM, "revision": revision, "action": "draft"}).status_code == 302
    assert (
        client.post(url, data={**FORM, "stem": "又改了一遍的题干，依法可以怎么办？", "revision": revision, "action": "draft"}).status_code
        == 409
    )


def test_the_reviewer_sees_the_difference_returns_and_passes(client: FlaskClient) -> None:
    make_bank("b", count=1)
    _as(client, "question_editor")
    client.post("/admin/questions/banks/b/q/q-001/edit", data={**FORM, "action": "submit"})
    question = queries.find_question(queries.get_bank("b").id, "q-001")
    assert question is not None
    url = f"/admin/questions/reviews/{question.id}"
    assert client.post(url, data={"revision": str(_newest().id), "decision": "pass"}).status_code == 403
    _as(client, "question_reviewer")
    assert len(_soup(client.get("/admin/questions/reviews")).select("tbody tr td.op")) == 1
    page = _soup(client.get(url))
    assert page.select("del.gone")
    assert page.select("ins.fresh")
    client.post(url, data={"revision": str(_newest().id), "decision": "return", "note": ""})
    assert queries.get_question(question.id).has_draft is False
    client.post(url, data={"revision": str(_newest().id), "decision": "return", "note": "写清楚理由"})
    db.session.rollback()
    assert queries.get_question(question.id).has_draft is True
    _as(client, "question_editor")
    client.post("/admin/questions/banks/b/q/q-001/submission", data={"revision": str(_newest().id)})
    _as(client, "question_reviewer")
    assert client.post(url, data={"revision": str(_newest().id), "decision": "pass"}).status_code == 302
    db.session.rollback()
    assert queries.get_question(question.id).current_revision_id == _newest().id


def test_a_co_host_reads_and_signs_its_own_and_does_not_review(client: FlaskClient) -> None:
    tax, other = make_organisation("市税务局"), make_organisation("市教育局")
    make_bank("tax", count=1, organisation_id=tax.id)
    _as(client, "question_editor")
    client.post("/admin/questions/banks/tax/q/q-001/edit", data={**FORM, "action": "submit"})
    question = queries.find_question(queries.get_bank("tax").id, "q-001")
    assert question is not None
    url, sign = f"/admin/questions/reviews/{question.id}", {"revision": str(_newest().id), "decision": "sign"}
    _as(client, "cohost", other)
    assert client.get(url).status_code == 404
    assert client.post(url, data=sign).status_code == 404
    _as(client, "cohost", tax)
    assert client.get(url).status_code == 200
    assert client.get("/admin/questions/all").status_code == 403
    assert client.post(url, data={**sign, "decision": "pass"}).status_code == 403
    assert client.post(url, data=sign).status_code == 409
    _as(client, "question_reviewer")
    client.post(url, data={**sign, "decision": "pass"})
    assert client.post(url, data=sign).status_code == 404
    _as(client, "cohost", tax)
    assert len(_soup(client.get("/admin/questions/reviews")).select("tbody tr td.op")) == 1
    assert client.post(url, data=sign).status_code == 302
    db.session.rollback()
    assert queries.get_question(question.id).current_revision_id == _newest().id


def test_bulk_changes_stay_within_the_banks_one_may_change(client: FlaskClient) -> None:
    make_bank("b", count=2)
    county = make_organisation("松山区司法局")
    make_bank("county", count=1, organisation_id=county.id)
    shared = [item.question.id for item in queries.list_latest(queries.get_bank("b").id)]
    own = [item.question.id for item in queries.list_latest(queries.get_bank("county").id)]
    _as(client, "question_editor", county)
    assert client.post("/admin/questions/bulk", data={"ids": shared, "action": "tag", "tags": "x"}).status_code == 404
    assert client.post("/admin/questions/bulk", data={"ids": own, "action": "move", "bank": "b"}).status_code == 404
    assert client.post("/admin/questions/bulk", data={"ids": own, "action": "tag", "tags": "x，y"}).status_code == 302
    db.session.rollback()
    assert queries.list_revisions(own[0])[0].tags[-2:] == ["x", "y"]
    assert (
        client.post("/admin/questions/bulk", data={"ids": own, "action": "tag", "tags": "z", "back": "//evil.example"}).location
        == "/admin/questions/all"
    )
    assert client.post("/admin/questions/bulk", data={"ids": ["x"], "action": "tag", "tags": "x"}).status_code == 302


def test_the_bureau_sets_the_steps_and_who_signs(client: FlaskClient) -> None:
    make_bank("b", count=1)
    root, tax = reference_data(), make_organisation("市税务局")
    _as(client, "system_admin")
    assert client.get("/admin/questions/settings").status_code == 200
    sent = {f"steps-{root.id}": "3", "owner-consumer": str(tax.id), f"steps-{tax.id}": "2"}
    assert client.post("/admin/questions/settings", data=sent).status_code == 302
    db.session.rollback()
    assert queries.review_steps(queries.get_bank("b")) == 3
    signer = queries.sign_off_unit(queries.get_bank("b"))
    assert signer is not None
    assert signer.id == tax.id
    assert client.post("/admin/questions/settings", data={"owner-consumer": str(uuid.uuid4())}).status_code == 404
    client.post("/admin/questions/settings", data={"owner-consumer": ""})
    db.session.rollback()
    assert queries.sign_off_unit(queries.get_bank("b")) is None
    _as(client, "question_editor")
    assert client.post("/admin/questions/settings", data=sent).status_code == 403


def test_staff_answer_reports_one_by_one_or_together(client: FlaskClient) -> None:
    make_bank("b", count=1)
    for _ in range(3):
        with transaction():
            services.report_fault(
                citizen_id=make_citizen().id,
                attempt_id=uuid.uuid4(),
                revision_id=revision_of("q-001"),
                reason="key",
                text="<b>x</b>",
                now=utc_now(),
            )
    _as(client, "question_editor")
    page = _soup(client.get("/admin/questions/faults"))
    assert len(page.select("tbody tr")) == 3
    assert page.select_one("tbody b").text != "x"
    url = page.select_one("td.op a")["href"]
    assert client.post(url, data={"state": "accepted", "answer": ""}).status_code == 422
    assert client.post(url, data={"state": "accepted", "answer": "改好了。", "all": "1"}).status_code == 302
    db.session.rollback()
    assert set(db.session.scalars(sa.select(FaultReport.answer))) == {"改好了。"}
    assert client.post(url, data={"state": "accepted", "answer": "再答一次"}).status_code == 409
    _as(client, "campaign_manager")
    assert client.get(url).status_code == 200
    assert client.post(url, data={"state": "declined", "answer": "x"}).status_code == 403
    _as(client, "finance")
    assert client.get(url).status_code == 403

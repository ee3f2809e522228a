import datetime as dt
import io
import zipfile

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from quizapp.audit.models import AuditEntry
from quizapp.core.db import db
from quizapp.questions import law_watch
from quizapp.questions.loader import BankFile, BankHead
from quizapp.questions.models import Question
from quizapp.statutes import queries
from tests.factories.accounts import make_organisation, make_staff, reference_data, sign_in
from tests.factories.questions import import_file, make_entry
from tests.factories.statutes import ARTICLES, get, import_laws, law_json, upload

pytestmark = [pytest.mark.usefixtures("app"), pytest.mark.usefixtures("no_csrf")]
NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
A = "/admin/statutes"


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    return sign_in(client, make_staff("question_editor"))


def _page(answer: object, status: int = 200) -> BeautifulSoup:
    assert answer.status_code == status, answer.status_code  # type: ignore[attr-defined]
    return BeautifulSoup(answer.text, "html.parser")  # type: ignore[attr-defined]


def _send(client: FlaskClient, *files: tuple[str, bytes], field: str = "files") -> str:
    data = {field: [(io.BytesIO(raw), name) for name, raw in files]}
    answer = client.post(f"{A}/import", data=data, content_type="multipart/form-data")
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def _bank() -> None:
    entries = tuple(make_entry(number, citations=({"law": "试衣法", "article": str(number)},)) for number in (1, 2, 3))
    import_file(BankFile(BankHead("b", "题库乙", "consumer", "", ""), entries), now=NOW)


# ---- import


def test_several_files_are_checked_and_then_taken_in(editor: FlaskClient) -> None:
    files = [(file.name, file.raw) for file in upload(law_json(), law_json("鞋法"))]
    location = _send(editor, *files, ("README.md", b"#"), field="folder")
    page = _page(editor.get(location))
    assert page.select_one(".sum .ok b").text == "2"
    assert "README.md" in page.text
    assert queries.find_statute("试衣法") is None
    assert editor.post(location, data={"action": "import"}).status_code == 302
    assert queries.get_article("试衣法", "2", NOW.date()).text == ARTICLES["2"]
    assert editor.get(location).status_code == 404
    assert editor.post(location, data={"action": "import"}).status_code == 404


def test_a_zip_shows_what_changes_and_which_questions_it_touches(editor: FlaskClient) -> None:
    import_laws(now=NOW)
    _bank()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("laws/a.json", upload(law_json(articles={**ARTICLES, "2": "改过的第二条。"}))[0].raw)
    location = _send(editor, ("laws.zip", out.getvalue()))
    page = _page(editor.get(location))
    assert [cell.text for cell in page.select(".sum b")] == ["0", "1", "0", "0"]
    assert "改过的第二条。" in page.text
    assert page.select_one('input[name="suspend"]').has_attr("checked")
    editor.post(location, data={"action": "import", "suspend": "1"})
    rows = db.session.execute(law_watch.select_waiting(["/"])).all()
    assert [row.Question.code for row in rows] == ["q-002"]
    assert rows[0].Question.status == "suspended"


def test_mistakes_are_listed_and_nothing_can_be_imported(editor: FlaskClient) -> None:
    files = [(file.name, file.raw) for file in upload(law_json(), law_json("鞋法", {"x": "y"}))]
    location = _send(editor, *files)
    page = _page(editor.get(location))
    assert [[cell.text for cell in row.select("td")][:2] for row in page.select("tr.bad")] == [["national/鞋法.json", "articles[x]"]]
    assert not page.select('button[value="import"]')
    editor.post(location, data={"action": "import"})
    assert queries.find_statute("试衣法") is None


def test_hostile_files_are_refused_and_a_missing_one_is_said(editor: FlaskClient) -> None:
    assert _page(editor.post(f"{A}/import", data={})).select_one("#files-err")
    for raw in (b"PK\x03\x04 broken", b"not json"):
        assert _page(editor.get(_send(editor, ("a.json", raw)))).select("tr.bad")


def test_an_upload_belongs_to_whoever_sent_it_and_can_be_cancelled(editor: FlaskClient, app: Flask) -> None:
    location = _send(editor, *((file.name, file.raw) for file in upload(law_json())))
    other = sign_in(app.test_client(), make_staff("question_editor"))
    assert other.get(location).status_code == 404
    editor.post(location, data={"action": "cancel"})
    assert editor.get(location).status_code == 404
    assert queries.find_statute("试衣法") is None


# ---- one article


def _edit(client: FlaskClient, number: str, **changes: str) -> object:
    path = f"{A}/{get().id}/articles/{number}"
    seen = _page(client.get(path)).select_one('input[name="seen"]')["value"]
    data = {"seen": seen, "text": "新的文字。", "effective_from": "2026-09-01", "note": "修改决定", **changes}
    return client.post(path, data=data)


def test_an_article_reads_otherwise_from_its_day(editor: FlaskClient) -> None:
    import_laws(now=NOW)
    _bank()
    assert _edit(editor, "2", suspend="1").status_code == 302
    assert queries.get_article("试衣法", "2", dt.date(2026, 8, 31)).text == ARTICLES["2"]
    assert queries.get_article("试衣法", "2", dt.date(2026, 9, 1)).text == "新的文字。"
    page = _page(editor.get(f"{A}/{get().id}/articles/2"))
    assert len(page.select("tbody tr")) == 2
    assert "修改决定" in page.text
    statuses = dict(db.session.execute(sa.select(Question.code, Question.status)).all())
    assert statuses == {"q-001": "published", "q-002": "suspended", "q-003": "published"}
    entry = db.session.scalar(sa.select(AuditEntry).filter_by(action="statute.article_changed"))
    assert entry.changes["text"] == [ARTICLES["2"], "新的文字。"]


def test_without_the_tick_questions_are_only_listed(editor: FlaskClient) -> None:
    import_laws(now=NOW)
    _bank()
    _edit(editor, "2")
    assert law_watch.count_waiting(["/"]) == 1
    assert set(db.session.scalars(sa.select(Question.status))) == {"published"}


def test_an_article_can_be_added_and_taken_out(editor: FlaskClient) -> None:
    import_laws(now=NOW)
    answer = editor.get(f"{A}/{get().id}/articles?number=3-2")
    assert answer.headers["Location"].endswith("/articles/3-2")
    _edit(editor, "3-2")
    _edit(editor, "1", is_removed="1", text="")
    assert [article.number for article in queries.list_articles("试衣法", dt.date(2026, 9, 1))] == ["2", "3", "3-1", "3-2"]
    assert editor.get(f"{A}/{get().id}/articles?number=x").headers["Location"].endswith(str(get().id))
    assert editor.get(f"{A}/{get().id}/articles/x").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"effective_from": ""}, "effective_from"),
        ({"effective_from": "2026-13-01"}, "effective_from"),
        ({"text": " "}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"text": ARTICLES["2"]}, "text"),
        ({"note": "x" * 201}, "note"),
        ({"seen": "x"}, "text"),
    ],
)
def test_mistakes_stand_under_their_fields(editor: FlaskClient, changes: dict[str, str], field: str) -> None:
    import_laws(now=NOW)
    page = _page(_edit(editor, "2", **changes), 422)
    assert page.select_one(f"#{field}-err")
    assert len(queries.list_versions(get().id, "2")) == 1


def test_a_stale_page_cannot_overwrite(editor: FlaskClient) -> None:
    import_laws(now=NOW)
    path = f"{A}/{get().id}/articles/2"
    seen = _page(editor.get(path)).select_one('input[name="seen"]')["value"]
    data = {"seen": seen, "text": "甲。", "effective_from": "2026-09-01"}
    assert editor.post(path, data=data).status_code == 302
    shown = _page(editor.post(path, data={**data, "text": "乙。"}), 409)
    assert queries.get_article("试衣法", "2", NOW.date()).text == "甲。"
    assert shown.select_one("#text-err")
    assert shown.select_one("#text").text.strip() == "乙。"
    again = {**data, "text": "乙。", "seen": shown.select_one('input[name="seen"]')["value"]}
    assert editor.post(path, data=again).status_code == 302
    assert queries.get_article("试衣法", "2", NOW.date()).text == "乙。"


# ---- documents and facts


def test_a_document_is_typed_in_and_cut(editor: FlaskClient) -> None:
    data = {
        "short_title": "关于试衣的解释",
        "title": "关于试衣的解释",
        "kind": "interpretation",
        "issuer": "最高院",
        "number": "法释〔2026〕1号",
        "effective_on": "2026-05-01",
        "text": "第一条　甲。\n第二条　乙。\n第二款。",
    }
    assert editor.post(f"{A}/new", data=data).status_code == 302
    statute = get("关于试衣的解释")
    assert (statute.number, statute.kind, statute.text_from) == ("法释〔2026〕1号", "interpretation", dt.date(2026, 5, 1))
    assert queries.get_article("关于试衣的解释", "2", NOW.date()).text == "乙。\n第二款。"
    assert _page(editor.post(f"{A}/new", data=data), 409).select_one("#short_title-err")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"short_title": ""}, "short_title"),
        ({"short_title": "a/b"}, "short_title"),
        ({"kind": "x"}, "kind"),
        ({"effective_on": "x"}, "effective_on"),
        ({"effective_on": "", "text": "第一条 甲"}, "effective_on"),
        ({"text": "第一条 甲\n第三条 乙"}, "text"),
        ({"text": "没有条"}, "text"),
        ({"text": "第一条\n第二条 乙"}, "text"),
        ({"repealed_on": "2026-01-01"}, "repealed_on"),
    ],
)
def test_a_document_with_mistakes_is_not_kept(editor: FlaskClient, changes: dict[str, str], field: str) -> None:
    data = {"short_title": "通知", "title": "通知", "kind": "document", "effective_on": "2026-01-01", "text": "", **changes}
    page = _page(editor.post(f"{A}/new", data=data), 422)
    assert page.select_one(f"#{field}-err")
    assert queries.find_statute("通知") is None


def test_a_repeal_lists_what_cites_the_statute(editor: FlaskClient) -> None:
    import_laws(now=NOW)
    _bank()
    form = _page(editor.get(f"{A}/{get().id}/facts"))
    data = {
        "title": form.select_one("#title")["value"],
        "kind": "law",
        "effective_on": form.select_one("#effective_on")["value"],
        "adopted_on": form.select_one("#adopted_on")["value"],
        "aliases": "试衣条例",
        "is_repealed": "1",
        "repealed_on": "2026-08-15",
        "repealed_by": "衣帽法典",
    }
    assert editor.post(f"{A}/{get().id}/facts", data=data).status_code == 302
    assert law_watch.count_waiting(["/"]) == 3
    assert get("试衣条例").repealed_by == "衣帽法典"
    assert set(db.session.scalars(sa.select(Question.status))) == {"published"}
    again = editor.post(f"{A}/{get().id}/facts", data=data)
    assert again.status_code == 302
    assert law_watch.count_waiting(["/"]) == 3


# ---- lists


def test_a_list_is_written_and_shows_its_coverage(editor: FlaskClient) -> None:
    reference_data()
    import_laws(now=NOW)
    _bank()
    data = {"title": "居民清单", "laws": "《试衣法》 | 先看\n\n鞋法\n", "is_shown": "1"}
    assert editor.post(f"{A}/lists/resident", data=data).status_code == 302
    page = _page(editor.get(f"{A}/lists/resident"))
    rows = [[cell.get_text(" ", strip=True) for cell in row.select("td")][:3] for row in page.select("tbody tr")]
    assert [row[1:] for row in rows] == [["3", "3"], ["0", "0"]]
    assert page.select_one("#laws").text == "试衣法 | 先看\n鞋法"
    assert "居民清单" in editor.get(f"{A}/lists").text
    assert editor.post(f"{A}/lists/resident", data={**data, "laws": "鞋法"}).status_code == 302
    assert [item.law for item in queries.list_items(queries.find_reading_list("resident").id)] == ["鞋法"]
    assert _page(editor.post(f"{A}/lists/resident", data={**data, "laws": "鞋法\n鞋法"}), 422).select_one("#laws-err")
    assert _page(editor.post(f"{A}/lists/resident", data={**data, "title": ""}), 422).select_one("#title-err")
    assert editor.get(f"{A}/lists/nobody").status_code == 404
    assert editor.post(f"{A}/lists/nobody", data=data).status_code == 404


# ---- who may


def test_units_below_may_read_and_not_change(client: FlaskClient) -> None:
    import_laws(now=NOW)
    sign_in(client, make_staff("question_editor", make_organisation("松山区司法局")))
    statute_id = get().id
    for path in ("", f"/{statute_id}", f"/{statute_id}/articles/2", "/lists", "/lists/resident"):
        assert client.get(f"{A}{path}").status_code == 200, path
    for path in ("/new", "/import", f"/{statute_id}/facts"):
        assert client.get(f"{A}{path}").status_code == 403, path
    data = {"text": "x", "effective_from": "2026-01-01", "seen": ""}
    for path in ("/new", "/import", f"/{statute_id}/facts", f"/{statute_id}/articles/2", "/lists/resident"):
        assert client.post(f"{A}{path}", data=data).status_code == 403, path
    assert len(queries.list_versions(statute_id, "2")) == 1


def test_nothing_of_it_is_open_to_others(client: FlaskClient) -> None:
    import_laws(now=NOW)
    assert client.get(A).status_code == 302
    sign_in(client, make_staff("report_reader"))
    for path in ("", "/new", "/import", "/lists", f"/{get().id}"):
        assert client.get(f"{A}{path}").status_code == 403


def test_the_list_filters(editor: FlaskClient) -> None:
    import_laws(law_json(), law_json("鞋法"), law_json("试衣解释", category="司法解释"), now=NOW)
    assert len(_page(editor.get(A)).select("tbody tr")) == 3
    assert len(_page(editor.get(f"{A}?q=试衣")).select("tbody tr")) == 2
    assert len(_page(editor.get(f"{A}?q=试衣&kind=interpretation")).select("tbody tr")) == 1
    assert len(_page(editor.get(f"{A}/{get().id}?q=镜子")).select("tbody tr")) == 2

"""The pages of import and export, as staff use them."""

import io
import json
import re
import zipfile
from pathlib import Path

import openpyxl
import pypdfium2
import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from docx import Document
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from quizapp.audit.models import AuditEntry
from quizapp.core.db import db
from quizapp.questions import exchange_views, loader, queries
from quizapp.questions.exchange import banks, formats, jobs, printed_pdf
from quizapp.questions.exchange_models import QuestionImport
from quizapp.questions.loader import BankFile, BankHead
from quizapp.questions.models import Question, QuestionRevision
from tests.conftest import missing
from tests.factories.accounts import make_organisation, make_staff, sign_in
from tests.factories.questions import import_file, make_bank, make_entry

pytestmark = pytest.mark.usefixtures("app", "no_csrf")
HEAD = BankHead("b", "题库乙", "tax", "说明", "CC BY 4.0")
PASTED = """一、单选题
1、网购的毛衣第 5 天能不能退？
A. 能
B. 不能
答案：A
解析：七日内可以退。
2、答案写错的一道
A. 甲
B. 乙
答案：E
二、判断题
1、没有写答案的一道
"""


@pytest.fixture
def no_csrf(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "keeps_csrf" not in request.fixturenames:
        monkeypatch.setattr("quizapp.web.security.csrf.protect", lambda: None)


@pytest.fixture
def keeps_csrf() -> None:
    """Marks a test that sends its own token."""


@pytest.fixture
def by_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file waits for the worker."""
    monkeypatch.setattr(exchange_views, "SMALL_BYTES", 0)
    monkeypatch.setattr(exchange_views, "SMALL_COUNT", 0)


def _page(answer: object) -> BeautifulSoup:
    assert answer.status_code == 200, answer.status_code  # type: ignore[attr-defined]
    return BeautifulSoup(answer.text, "html.parser")  # type: ignore[attr-defined]


def _upload(client: FlaskClient, raw: bytes, name: str, bank: str = "-", **fields: str) -> str:
    data = {"file": (io.BytesIO(raw), name), "bank": bank, **fields}
    answer = client.post("/admin/questions/import", data=data, content_type="multipart/form-data")
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def _paste(client: FlaskClient, text: str, bank: str) -> str:
    answer = client.post("/admin/questions/import", data={"text": text, "bank": bank})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def _zip(*entries: loader.Entry) -> bytes:
    return banks.write_zip(BankFile(HEAD, entries))


def _sums(page: BeautifulSoup) -> list[str]:
    return [cell.text for cell in page.select(".sum b")]


def _codes() -> list[tuple[str, str]]:
    db.session.rollback()
    return [tuple(row) for row in db.session.execute(sa.select(Question.code, Question.status).order_by(Question.code))]


def test_pasted_text_becomes_drafts_and_every_bad_row_is_named(client: FlaskClient) -> None:
    make_bank("target", count=1)
    sign_in(client, make_staff("question_editor"))
    location = _paste(client, PASTED, "target")
    page = _page(client.get(location))
    assert _sums(page)[:2] == ["1", "2"]
    rows = [[cell.text for cell in row.select("td")] for row in page.select("tr.bad")]
    assert [(row[0], row[2]) for row in rows] == [("7", "正确答案"), ("12", "正确答案")]
    assert "只有 A 到 B 这几个选项，答案却有 E" in rows[0][4]
    answer = client.post(location, data={"action": "import", "mode": "good"})
    assert answer.headers["Location"] == location
    assert _sums(_page(client.get(location))) == ["1", "0", "0", "2"]
    assert _codes() == [("n-0001", "draft"), ("q-001", "published")]
    assert len(queries.list_pool(banks=["target"])) == 1
    entry = db.session.scalars(sa.select(AuditEntry).filter_by(action="questions.imported").order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert entry.changes == {"file_name": "粘贴的文字", "added": 1, "revised": 0, "unchanged": 0, "kept": 0, "skipped": 0}


def test_all_or_nothing_takes_nothing_while_one_row_is_bad(client: FlaskClient) -> None:
    make_bank("target", count=1)
    sign_in(client, make_staff("question_editor"))
    location = _paste(client, PASTED, "target")
    assert client.post(location, data={"action": "import", "mode": "all"}).status_code == 409
    assert [code for code, _ in _codes()] == ["q-001"]
    good = PASTED.replace("答案：E", "答案：B").replace("没有写答案的一道", "没有写答案的一道（√）")
    location = _paste(client, good, "target")
    client.post(location, data={"action": "import", "mode": "all"})
    assert [code for code, _ in _codes()] == ["n-0001", "n-0002", "n-0003", "q-001"]


def test_complete_questions_go_to_review_when_asked(client: FlaskClient) -> None:
    make_bank("target", count=1)
    sign_in(client, make_staff("question_editor"))
    raw = formats.BY_NAME["xlsx"].write([make_entry(7), make_entry(8, citations=())])
    location = _upload(client, raw, "题.xlsx", "target")
    client.post(location, data={"action": "import", "mode": "good", "submits": "1"})
    assert _codes() == [("q-001", "published"), ("q-007", "in_review"), ("q-008", "draft")]


def test_the_list_of_problems_can_be_downloaded_and_sorted_out(client: FlaskClient) -> None:
    make_bank("target", count=1)
    sign_in(client, make_staff("question_editor"))
    location = _paste(client, PASTED, "target")
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"{location}/problems.xlsx").data)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("工作表", "行", "题干", "列", "现在的内容", "问题", "怎么改", "结果")
    assert [row[1] for row in rows[1:] if row[7] == "没有导入"] == ["7", "12"]
    notes = _page(client.get(f"{location}?show=notes"))
    assert not notes.select("tr.bad")
    assert _page(client.get(f"{location}?show=errors")).select("tr.bad")


def test_a_zip_makes_its_bank_only_when_it_is_confirmed(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_editor"))
    location = _upload(client, _zip(*(make_entry(number) for number in range(1, 6))), "x.zip")
    assert _page(client.get(location)).select_one(".sum .ok b").text == "5"
    assert queries.find_bank("b") is None
    client.post(location, data={"action": "import", "mode": "all"})
    db.session.rollback()
    bank = queries.get_bank("b")
    assert (bank.title, bank.description) == ("题库乙", "说明")
    assert [code for code, _ in _codes()] == [f"q-{number:03d}" for number in range(1, 6)]
    client.post(location, data={"action": "import", "mode": "all"})
    assert db.session.scalar(sa.select(sa.func.count()).select_from(QuestionRevision)) == 5


def test_a_new_bank_can_be_named_for_a_table(client: FlaskClient) -> None:
    make_bank("taken", count=1)
    sign_in(client, make_staff("question_editor"))
    raw = formats.BY_NAME["xlsx"].write([make_entry(1)])
    fields = {"new_title": "村规民约", "new_theme": "unity"}
    for slug in ("Bad Slug", "taken", ""):
        data = {"file": (io.BytesIO(raw), "x.xlsx"), "bank": "+", "new_slug": slug, **fields}
        answer = client.post("/admin/questions/import", data=data, content_type="multipart/form-data")
        assert answer.status_code == 422
        assert BeautifulSoup(answer.text, "html.parser").select_one("#new_slug-err")
    location = _upload(client, raw, "x.xlsx", "+", new_slug="village", **fields)
    client.post(location, data={"action": "import", "mode": "good"})
    db.session.rollback()
    assert queries.get_bank("village").title == "村规民约"


def test_a_known_id_gets_a_revision_and_staff_s_own_work_is_kept(client: FlaskClient) -> None:
    make_bank("target", count=3, kinds=("single",))
    sign_in(client, make_staff("question_editor"))
    changed = [make_entry(1), make_entry(2, stem="改过的题干改过的题干"), make_entry(3, explanation="改过的讲解")]
    newest = queries.list_latest(queries.get_bank("target").id)[2]
    db.session.execute(sa.text("SELECT 1"))
    with db.engine.begin() as connection:
        statement = sa.insert(QuestionRevision).values(
            **{column.name: getattr(newest.revision, column.name) for column in QuestionRevision.__table__.columns}
            | {"id": newest.revision.id.__class__(int=1), "number": 2, "origin": "staff", "stem": "后台改的"}
        )
        connection.execute(statement)
    location = _upload(client, formats.BY_NAME["csv"].write(changed), "x.csv", "target")
    client.post(location, data={"action": "import", "mode": "good"})
    assert _sums(_page(client.get(location))) == ["0", "1", "2", "0"]
    location = _upload(client, formats.BY_NAME["csv"].write(changed), "x.csv", "target")
    client.post(location, data={"action": "import", "mode": "good", "replaces": "1"})
    assert _sums(_page(client.get(location))) == ["0", "1", "2", "0"]
    db.session.rollback()
    latest = {item.question.code: item.revision.number for item in queries.list_latest(queries.get_bank("target").id)}
    assert latest == {"q-001": 1, "q-002": 2, "q-003": 3}
    assert all(item.question.status == "published" for item in queries.list_latest(queries.get_bank("target").id))


def test_what_the_bank_already_says_is_skipped_unless_wanted_twice(client: FlaskClient) -> None:
    make_bank("target", count=2, kinds=("single",))
    sign_in(client, make_staff("question_editor"))
    raw = formats.BY_NAME["aiken"].write([make_entry(1), make_entry(2), make_entry(3)])
    location = _upload(client, raw, "x.txt", "target")
    page = _page(client.get(location))
    assert _sums(page)[2] == "2"
    client.post(location, data={"action": "import", "mode": "good"})
    assert [code for code, _ in _codes()] == ["n-0001", "q-001", "q-002"]
    location = _upload(client, raw, "x.txt", "target")
    client.post(location, data={"action": "import", "mode": "good", "adds_doubles": "1"})
    assert len(_codes()) == 6


def _bad_zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return out.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        b"PK\x03\x04 not a zip",
        _bad_zip({"bank.yaml": b"slug: x"}),
        _bad_zip({"a/questions.yaml": b"", "b/questions.yaml": b""}),
        _bad_zip({f"{number}.txt": b"" for number in range(60)}),
        _bad_zip({"../../bank.yaml": b"slug: x", "../../questions.yaml": b"[]"}),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 nothing",
        b"\x00\x01\x02\x03",
        "没有题目的一段话".encode(),
    ],
    ids=["broken", "half", "two banks", "many files", "climbing", "old office", "bytes", "words"],
)
def test_files_without_questions_are_refused_by_name(client: FlaskClient, raw: bytes) -> None:
    sign_in(client, make_staff("question_editor"))
    page = _page(client.get(_upload(client, raw, "x.zip")))
    assert page.select("tr.bad, tr.dup")
    assert not page.select('button[value="import"]')
    assert queries.list_bank_counts() == []


def test_an_upload_belongs_to_whoever_sent_it(client: FlaskClient, app: Flask) -> None:
    sign_in(client, make_staff("question_editor"))
    location = _upload(client, _zip(make_entry(1)), "x.zip")
    other = sign_in(app.test_client(), make_staff("question_editor"))
    for path in (location, f"{location}/status", f"{location}/problems.xlsx"):
        assert other.get(path).status_code == 404
    assert other.post(location, data={"action": "import"}).status_code == 404
    assert client.post(location, data={"action": "cancel"}).status_code == 302
    assert client.get(location).status_code == 404


def test_a_second_upload_takes_the_place_of_the_first(client: FlaskClient, app: Flask) -> None:
    sign_in(client, make_staff("question_editor"))
    first = _upload(client, _zip(make_entry(1)), "x.zip")
    second = _upload(client, _zip(make_entry(2)), "x.zip")
    assert client.post(first, data={"action": "import", "mode": "good"}).status_code == 404
    assert client.post(second, data={"action": "import", "mode": "good"}).status_code == 302
    assert [code for code, _ in _codes()] == ["q-002"]
    kept = {path.name.split("-")[1].split(".")[0] for path in (Path(app.config["DATA_DIR"]) / "files").glob("import-*")}
    assert second.rsplit("/", 1)[1].replace("-", "") in kept
    assert first.rsplit("/", 1)[1].replace("-", "") not in kept


def test_an_upload_may_be_larger_than_other_bodies(client: FlaskClient, app: Flask) -> None:
    sign_in(client, make_staff("question_editor"))
    large = b"x" * (app.config["MAX_CONTENT_LENGTH"] * 2)
    largest = b"x" * app.config["MAX_UPLOAD_BYTES"]
    for raw, status in ((large, 302), (largest, 302), (largest + b"x", 422), (largest + large, 413)):
        boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(raw), "x.txt"), "bank": "-"})
        content_type = f"multipart/form-data; boundary={boundary}"
        assert client.post("/admin/questions/import", data=body, content_type=content_type).status_code == status


@pytest.mark.usefixtures("keeps_csrf")
def test_an_upload_carries_the_csrf_token(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_editor"))
    form = _page(client.get("/admin/questions/import"))
    token = form.select_one('form[method=post] input[name="csrf_token"]')["value"]
    for fields, status in (({"csrf_token": token}, 302), ({}, 400)):
        data = {"file": (io.BytesIO(_zip(make_entry(1))), "x.zip"), "bank": "-", **fields}
        assert client.post("/admin/questions/import", data=data, content_type="multipart/form-data").status_code == status


def test_a_form_without_file_or_bank_says_so(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_editor"))
    answer = client.post("/admin/questions/import", data={})
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422
    assert page.select_one("#file-err")
    assert page.select_one("#bank-err")


def test_a_large_file_waits_for_the_worker_with_progress(client: FlaskClient, by_the_worker: None) -> None:
    make_bank("target", count=1)
    sign_in(client, make_staff("question_editor"))
    location = _paste(client, PASTED, "target")
    assert _page(client.get(location)).select_one("[data-poll-url] progress")
    assert json.loads(client.get(f"{location}/status").text)["state"] == "waiting_check"
    assert client.post(location, data={"action": "import"}).status_code == 409
    assert jobs.run_imports() == 1
    assert json.loads(client.get(f"{location}/status").text)["state"] == "done"
    client.post(location, data={"action": "import", "mode": "good"})
    assert json.loads(client.get(f"{location}/status").text) == {"state": "waiting_import", "percent": 0, "message": "排队导入 0%"}
    assert jobs.run_imports() == 1
    assert jobs.run_imports() == 0
    assert _sums(_page(client.get(location)))[0] == "1"


def test_a_county_cannot_import_into_a_shared_bank(client: FlaskClient) -> None:
    make_bank("shared", count=1)
    sign_in(client, make_staff("question_editor", make_organisation("松山区司法局")))
    form = _page(client.get("/admin/questions/import"))
    assert "shared" not in [option["value"] for option in form.select("#bank option")]
    assert client.post("/admin/questions/import", data={"text": PASTED, "bank": "shared"}).status_code == 404
    renamed = banks.write_zip(BankFile(BankHead("shared", "改名", "tax", "", ""), (make_entry(9),)))
    location = _upload(client, renamed, "x.zip")
    assert client.get(location).status_code == 404
    assert client.post(location, data={"action": "import", "mode": "good"}).status_code == 404
    assert [code for code, _ in _codes()] == ["q-001"]


# ---- export


@pytest.mark.parametrize("name", [*formats.BY_NAME, "zip"])
def test_every_format_downloads_and_comes_back(client: FlaskClient, name: str) -> None:
    make_bank(count=8)
    sign_in(client, make_staff("question_reviewer"))
    page = _page(client.get("/admin/questions/banks/consumer-rights/exports"))
    link = page.select_one(f'a[href$="/exports/{name}/file"]')
    answer = client.get(link["href"])
    assert re.search(r'filename="?consumer-rights\.', answer.headers["Content-Disposition"])
    parsed = formats.read(answer.data, answer.headers["Content-Disposition"])
    wanted = [
        item for item in queries.list_latest(queries.get_bank("consumer-rights").id) if name != "aiken" or len(item.revision.answer) == 1
    ]
    assert [question.entry.stem for question in parsed.questions] == [item.revision.stem for item in wanted]
    assert client.get("/admin/questions/banks/consumer-rights/exports/odt/file").status_code == 422


def test_an_export_that_cannot_hold_everything_says_how_much(client: FlaskClient) -> None:
    make_bank(count=8)
    sign_in(client, make_staff("question_reviewer"))
    page = _page(client.get("/admin/questions/banks/consumer-rights/exports"))
    assert "这个题库有 4 道不会写进去" in page.text


def test_the_template_is_a_file_that_imports(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_editor"))
    parsed = formats.read(client.get("/admin/questions/import/template.xlsx").data)
    assert [question.entry.kind for question in parsed.questions] == ["single", "judge"]
    assert all(not question.gaps for question in parsed.questions)
    assert not parsed.errors


def _paper(client: FlaskClient, **fields: str) -> object:
    query = {"title": "三月测验", "serial": "A1", "count_single": "2", "count_judge": "1", "format": "pdf", **fields}
    return client.get("/admin/questions/banks/consumer-rights/paper/file", query_string=query)


def test_a_paper_prints_as_pdf_with_answer_sheet_and_key_apart(client: FlaskClient) -> None:
    if printed_pdf.find_font() is None:
        missing("a Chinese font (fonts-noto-cjk)")
    make_bank(count=12)
    sign_in(client, make_staff("question_editor"))
    for key, pages in (("", 2), ("1", 3)):
        document = pypdfium2.PdfDocument(_paper(client, key=key).data)  # type: ignore[attr-defined]
        texts = [page.get_textpage().get_text_range() for page in document]
        assert len(texts) == pages
        assert "单选题（共 2 题）" in texts[0].replace("\r\n", "")
        assert "答题卡" in texts[1]
        assert not any("七日内可以退" in text for text in texts[:2])
        assert ("七日内可以退" in "".join(texts)) == bool(key)
        document.close()


def test_a_paper_prints_as_word_and_its_serial_gives_the_same_questions(client: FlaskClient) -> None:
    make_bank(count=40)
    sign_in(client, make_staff("question_editor"))

    def lines(**fields: str) -> list[str]:
        answer = _paper(client, format="docx", count_single="5", **fields)
        return [paragraph.text for paragraph in Document(io.BytesIO(answer.data)).paragraphs]  # type: ignore[attr-defined]

    first = lines()
    assert first == lines()
    assert first != lines(serial="B2")
    assert "答题卡" in first
    assert "参考答案和讲解（阅卷用）" not in first
    assert "参考答案和讲解（阅卷用）" in lines(key="1")


def test_a_paper_holds_only_questions_in_use_and_not_too_many(client: FlaskClient) -> None:
    import_file(BankFile(BankHead("consumer-rights", "题库", "x", "", ""), (make_entry(1),)), publish=False)
    sign_in(client, make_staff("question_editor"))
    assert _paper(client).status_code == 422  # type: ignore[attr-defined]
    assert _paper(client, count_single="201").status_code == 422  # type: ignore[attr-defined]
    assert _paper(client, count_single="", count_judge="").status_code == 422  # type: ignore[attr-defined]


def test_without_a_chinese_font_the_pdf_is_refused_in_words(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    make_bank(count=12)
    sign_in(client, make_staff("question_editor"))
    monkeypatch.setattr(printed_pdf, "find_font", lambda: None)
    answer = _paper(client)
    assert answer.status_code == 409  # type: ignore[attr-defined]
    assert "fonts-noto-cjk" in answer.text  # type: ignore[attr-defined]


def test_imports_and_exports_are_closed_to_others(client: FlaskClient) -> None:
    make_bank(count=1)
    sign_in(client, make_staff("report_reader"))
    for path in ("/import", "/import/template.xlsx", "/banks/consumer-rights/exports", "/banks/consumer-rights/paper/file"):
        assert client.get(f"/admin/questions{path}").status_code == 403
    assert db.session.scalar(sa.select(sa.func.count()).select_from(QuestionImport)) == 0

import io
import re
import zipfile

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from quizapp.core.db import db
from quizapp.questions import loader, queries, services
from quizapp.questions.loader import BankFile, BankHead, Entry
from quizapp.questions.models import Question
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


def _zip(bank: BankFile, name: str = "x") -> tuple[io.BytesIO, str]:
    return io.BytesIO(services.zip_bank(bank)), f"{name}.zip"


def _upload(client: FlaskClient, raw: bytes | io.BytesIO, name: str, bank: str = "") -> str:
    stream = raw if isinstance(raw, io.BytesIO) else io.BytesIO(raw)
    answer = client.post("/admin/questions/import", data={"file": (stream, name), "bank": bank}, content_type="multipart/form-data")
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


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
    for path in ("", "/q/q-001", "/questions.zip"):
        assert client.get(f"/admin/questions/banks/county-bank{path}").status_code == 404
        assert client.get(f"/admin/questions/banks/shared{path}").status_code == 200


@pytest.mark.usefixtures("no_csrf")
def test_a_zip_is_checked_and_then_taken_in(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_editor"))
    location = _upload(client, *_zip(BankFile(HEAD, tuple(make_entry(number) for number in range(1, 6)))))
    page = _page(client.get(location))
    assert page.select_one(".sum .ok b").text == "5"
    assert queries.find_bank("b") is None
    answer = client.post(location, data={"action": "import"})
    assert answer.headers["Location"].endswith("/admin/questions/banks/b")
    assert len(queries.list_pool(banks=["b"])) == 5
    assert client.get(location).status_code == 404
    assert client.post(location, data={"action": "import"}).status_code == 404


@pytest.mark.usefixtures("no_csrf")
def test_a_lone_file_goes_into_the_chosen_bank(client: FlaskClient) -> None:
    make_bank(count=2)
    sign_in(client, make_staff("question_editor"))
    raw = loader.write_entries((make_entry(1, stem="新的题干新的题干新的题干"), make_entry(3))).encode()
    page = _page(client.get(_upload(client, raw, "questions.yaml", "consumer-rights")))
    assert [cell.text for cell in page.select(".sum b")] == ["1", "1", "0", "0"]
    page = _page(client.get(_upload(client, raw, "questions.yaml")))
    assert len(page.select("tr.bad")) == 1


@pytest.mark.usefixtures("no_csrf")
def test_mistakes_are_listed_and_nothing_can_be_imported(client: FlaskClient) -> None:
    make_bank(count=2)
    sign_in(client, make_staff("question_editor"))
    raw = loader.write_entries((make_entry(1), make_entry(2, answer=(1,)))).replace("answer: [A]", "answer: [Z]").encode()
    location = _upload(client, raw, "questions.yaml", "consumer-rights")
    page = _page(client.get(location))
    assert [[cell.text for cell in row.select("td")][:3] for row in page.select("tr.bad")] == [["1", "q-001", "answer"]]
    assert not page.select('button[value="import"]')
    client.post(location, data={"action": "import"})
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Question)) == 2


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
        _bad_zip({"a/bank.yaml": b"", "b/bank.yaml": b"", "a/questions.yaml": b""}),
        _bad_zip({f"{number}.txt": b"" for number in range(60)}),
        _bad_zip({"bank.yaml": b"slug: x", "questions.yaml": b"\x00" * 17_000_000}),
        _bad_zip({"../../bank.yaml": b"slug: x", "../../questions.yaml": b"[]"}),
    ],
    ids=["broken", "half", "two banks", "many files", "bomb", "climbing"],
)
@pytest.mark.usefixtures("no_csrf")
def test_archives_that_are_broken_or_hostile_are_refused(client: FlaskClient, raw: bytes) -> None:
    sign_in(client, make_staff("question_editor"))
    page = _page(client.get(_upload(client, raw, "x.zip")))
    assert page.select("tr.bad")
    assert queries.list_bank_counts() == []


@pytest.mark.usefixtures("no_csrf")
def test_an_upload_belongs_to_whoever_sent_it(client: FlaskClient, app: Flask) -> None:
    sign_in(client, make_staff("question_editor"))
    location = _upload(client, *_zip(BankFile(HEAD, (make_entry(1),))))
    other = sign_in(app.test_client(), make_staff("question_editor"))
    assert other.get(location).status_code == 404
    assert other.post(location).status_code == 404
    assert client.post(location, data={"action": "cancel"}).status_code == 302
    assert client.get(location).status_code == 404


@pytest.mark.usefixtures("no_csrf")
def test_a_second_upload_takes_the_place_of_the_first(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_editor"))
    first = _upload(client, *_zip(BankFile(HEAD, (make_entry(1),))))
    second = _upload(client, *_zip(BankFile(HEAD, (make_entry(2),))))
    assert client.post(first, data={"action": "import"}).status_code == 404
    assert client.post(second, data={"action": "import"}).status_code == 302
    assert [revision.revision.number for revision in queries.list_latest(queries.get_bank("b").id)] == [1]


@pytest.mark.usefixtures("no_csrf")
def test_an_upload_may_be_larger_than_other_bodies(client: FlaskClient, app: Flask) -> None:
    sign_in(client, make_staff("question_editor"))
    padding = {"padding": b"x"}
    large = _bad_zip(padding) + b"x" * (app.config["MAX_CONTENT_LENGTH"] * 2)
    too_large = b"x" * (app.config["MAX_UPLOAD_BYTES"] + 1)
    for raw, status in ((large, 302), (too_large, 413)):
        boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(raw), "x.zip")})
        content_type = f"multipart/form-data; boundary={boundary}"
        assert client.post("/admin/questions/import", data=body, content_type=content_type).status_code == status


def test_an_upload_carries_the_csrf_token(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_editor"))
    form = _page(client.get("/admin/questions/import"))
    token = form.select_one('form[method=post] input[name="csrf_token"]')["value"]
    stream, name = _zip(BankFile(HEAD, (make_entry(1),)))
    data = {"file": (stream, name), "csrf_token": token}
    assert client.post("/admin/questions/import", data=data, content_type="multipart/form-data").status_code == 302
    stream, name = _zip(BankFile(HEAD, (make_entry(1),)))
    assert client.post("/admin/questions/import", data={"file": (stream, name)}, content_type="multipart/form-data").status_code == 400


@pytest.mark.usefixtures("no_csrf")
def test_an_import_without_a_file_says_so(client: FlaskClient) -> None:
    sign_in(client, make_staff("question_editor"))
    page = _page(client.post("/admin/questions/import", data={}))
    assert page.select_one("#file-err")


def _waiting_bank(*entries: Entry) -> None:
    import_file(BankFile(HEAD, entries), publish=False)


@pytest.mark.usefixtures("no_csrf")
def test_a_reviewer_releases_one_question_or_all(client: FlaskClient) -> None:
    _waiting_bank(make_entry(1), make_entry(2), make_entry(3))
    sign_in(client, make_staff("question_reviewer"))
    page = _page(client.get("/admin/questions/banks/b/q/q-001"))
    form = page.select_one('form[action$="/approval"]')
    revision = form.select_one('input[name="revision"]')["value"]
    assert client.post(form["action"], data={"revision": revision}).status_code == 302
    assert len(queries.list_pool(banks=["b"])) == 1
    client.post("/admin/questions/banks/b/approval")
    assert len(queries.list_pool(banks=["b"])) == 3
    client.post("/admin/questions/banks/b/q/q-002/suspension", data={"reason": ""})
    assert len(queries.list_pool(banks=["b"])) == 3
    client.post("/admin/questions/banks/b/q/q-002/suspension", data={"reason": "法律改了"})
    assert len(queries.list_pool(banks=["b"])) == 2
    assert client.post("/admin/questions/banks/b/q/q-001/approval", data={"revision": "x"}).status_code == 422


@pytest.mark.usefixtures("no_csrf")
def test_reviewing_a_shared_bank_is_not_for_a_county(client: FlaskClient) -> None:
    _waiting_bank(make_entry(1))
    sign_in(client, make_staff("question_reviewer", make_organisation("松山区司法局")))
    assert client.post("/admin/questions/banks/b/approval").status_code == 404
    assert queries.list_pool(banks=["b"]) == ()


def test_an_export_is_a_zip_that_can_be_imported(client: FlaskClient) -> None:
    make_bank(count=3)
    sign_in(client, make_staff("question_reviewer"))
    answer = client.get("/admin/questions/banks/consumer-rights/questions.zip")
    assert answer.mimetype == "application/zip"
    assert re.search(r'filename="consumer-rights\.zip"', answer.headers["Content-Disposition"])
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.namelist() == ["consumer-rights/bank.yaml", "consumer-rights/questions.yaml"]


def test_nothing_of_it_is_open_to_others(client: FlaskClient) -> None:
    make_bank(count=1)
    assert client.get("/admin/questions").status_code == 302
    sign_in(client, make_staff("report_reader"))
    for path in ("", "/import", "/banks/consumer-rights", "/banks/consumer-rights/q/q-001"):
        assert client.get(f"/admin/questions{path}").status_code == 403

"""Numbers that cannot be guessed or mistyped, the check page, revoking."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from quizapp.accounts.models import Citizen
from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM
from quizapp.certificates import printed, queries, rules, services
from quizapp.certificates.errors import CertificateNotFound, ReasonNeeded
from quizapp.certificates.models import Certificate
from quizapp.core.db import db, transaction
from quizapp.core.ids import new_id
from quizapp.core.pdf import find_font
from tests.conftest import missing
from tests.factories.accounts import make_citizen, make_staff, sign_in
from tests.factories.lottery import NOW

CHARACTERS = st.text(st.sampled_from(rules.ALPHABET), min_size=15, max_size=15)


def issue(citizen: Citizen | None = None, path: str = "/a/", **changes: object) -> Certificate:
    citizen = citizen or make_citizen()
    values = {"kind": "certificate", "source_type": "award", "source_id": new_id(), "title": "学法达人", "lines": ["答对四题"], **changes}
    with transaction():
        return services.issue(citizen_id=citizen.id, now=NOW, issuer="市司法局", organisation_path=path, **values)  # type: ignore[arg-type]


# ---- numbers


@given(st.integers(2026, 2099), CHARACTERS)
def test_a_number_is_found_however_it_is_typed(year: int, characters: str) -> None:
    number = rules.make_number(year, characters)
    assert rules.plain_number(number) == number
    assert rules.plain_number(" " + number.lower().replace("-", " ").replace("0", "o")) == number


@given(CHARACTERS, st.integers(0, 14), st.sampled_from(rules.ALPHABET))
def test_one_wrong_character_is_noticed(characters: str, place: int, other: str) -> None:
    number = rules.make_number(2027, characters)
    plain = number.replace("-", "")
    wrong = plain[: 4 + place] + other + plain[5 + place :]
    assert (rules.plain_number(wrong) is None) == (wrong != plain)


@pytest.mark.parametrize("text", ["", "ZS27", "ZS27-U000-0000-0000-0000", "x" * 40, "ZS٢٧-0000-0000-0000-0000"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert rules.plain_number(text) is None


# ---- issuing and revoking


@pytest.mark.usefixtures("app")
def test_a_source_has_one_certificate() -> None:
    source = new_id()
    citizen = make_citizen()
    first, second = issue(citizen, source_id=source), issue(citizen, source_id=source)
    assert first.id == second.id
    assert len({issue(citizen).number for _ in range(20)}) == 20


@pytest.mark.usefixtures("app")
def test_what_does_not_fit_on_a_page_is_refused() -> None:
    for changes in ({"kind": "x"}, {"lines": ["一"] * 7}, {"lines": ["字" * 141]}, {"title": " "}):
        with pytest.raises(ValueError, match="not a certificate"):
            issue(**changes)


@pytest.mark.usefixtures("app")
def test_revoking_needs_a_reason_and_the_unit(client: FlaskClient) -> None:
    found, staff = issue(path="/a/"), make_staff()

    def revoke(reason: str, path: str) -> None:
        with transaction():
            services.revoke(certificate_id=found.id, reason=reason, staff_id=staff.id, paths=[path], actor=SYSTEM, now=NOW)

    with pytest.raises(ReasonNeeded):
        revoke("错", "/a/")
    with pytest.raises(CertificateNotFound):
        revoke("开错了活动", "/b/")
    revoke("开错了活动", "/a/")
    revoke("另一个原因", "/a/")
    db.session.rollback()
    assert queries.get_by_number(found.number).revoke_reason == "开错了活动"
    assert db.session.query(AuditEntry).filter_by(action="certificate.revoked").count() == 1
    page = client.get(f"/certificates/{found.number}").get_data(as_text=True)
    assert "已经撤销" in page
    assert "开错了活动" in page


# ---- pages


@pytest.mark.usefixtures("app")
def test_the_check_page_shows_the_document_and_not_whose_it_is(client: FlaskClient) -> None:
    citizen = make_citizen(nickname="草原秀兰", phone="13911112222")
    found = issue(citizen)
    page = client.get(f"/certificates/{found.number}").get_data(as_text=True)
    assert "学法达人" in page
    assert "现在有效" in page
    assert "草原秀兰" not in page
    assert "2222" not in page
    assert str(citizen.id) not in page
    assert client.get("/certificates/ZS27-0000-0000-0000-0000").status_code == 404
    typed = client.get("/certificates", query_string={"number": found.number.lower()})
    assert typed.location.endswith(found.number)


def test_only_its_owner_downloads_a_certificate(client: FlaskClient, app: Flask) -> None:
    if find_font() is None:
        missing("a Chinese font (fonts-noto-cjk)")
    found = issue(make_citizen())
    sign_in(client, make_citizen())
    assert client.get(f"/me/certificates/{found.id}/file").status_code == 404
    data = printed.write(found, nickname="草原秀兰", public_url=app.config["PUBLIC_URL"])
    assert data.startswith(b"%PDF")


@pytest.mark.usefixtures("app")
def test_a_title_cannot_be_a_command() -> None:
    if find_font() is None:
        missing("a Chinese font (fonts-noto-cjk)")
    found = issue(title='#read("/etc/passwd")', lines=["#panic() $x$ *a* `b` @c"])
    assert printed.write(found, nickname='"#', public_url="https://quiz.example").startswith(b"%PDF")


@pytest.mark.usefixtures("app")
def test_the_owner_sees_and_downloads_it(client: FlaskClient) -> None:
    citizen = make_citizen()
    found = issue(citizen)
    sign_in(client, citizen)
    page = client.get("/me/certificates").get_data(as_text=True)
    assert re.search(rf"/me/certificates/{found.id}/file", page)

import io
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Organisation
from quizapp.campaigns import queries
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db
from tests.factories.accounts import make_organisation, make_staff, reference_data, sign_in
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_draft, make_terms

pytestmark = pytest.mark.usefixtures("app")
STAGE = "stages:\n- id: one\n  opens_at: 2027-01-01 09:00\n  closes_at: 2027-01-02 24:00\n"


@pytest.fixture(autouse=True)
def _no_csrf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quizapp.web.security.csrf.protect", lambda: None)


@pytest.fixture
def host(app: Flask) -> Organisation:
    return reference_data()


@pytest.fixture
def manager(app: Flask, host: Organisation) -> FlaskClient:
    return sign_in(app.test_client(), make_staff("campaign_manager"))


def _find(slug: str) -> Campaign:
    db.session.rollback()
    db.session.expire_all()
    campaign = queries.find_by_slug(slug)
    assert campaign is not None
    return campaign


def _page(answer: Any, status: int = 200) -> BeautifulSoup:
    assert answer.status_code == status, answer.headers.get("Location")
    return BeautifulSoup(answer.text, "html.parser")


def _text(page: BeautifulSoup) -> str:
    area = page.find(id="text")
    return str(area.text).removeprefix("\n")


def _url(campaign: Campaign) -> str:
    return f"/admin/campaigns/{campaign.id}/rule-file"


def test_the_draft_is_shown_changed_and_saved_as_text(manager: FlaskClient, host: Organisation) -> None:
    campaign = make_draft("spring", host=host, terms=make_terms(prizes=ONE_CODE_PRIZE))
    page = _page(manager.get(_url(campaign)))
    text = _text(page)
    changed = text.replace("stages: []\n", STAGE).replace("pass_count: 4", "pass_count: 3")
    assert changed.count("stages:") == 1
    answer = manager.post(_url(campaign), data={"version": page.find("input", attrs={"name": "version"})["value"], "text": changed})
    assert answer.status_code == 302
    draft = _find("spring").draft
    assert draft["pass_count"] == 3
    assert draft["stages"] == [{"id": "one", "opens_at": "2027-01-01T01:00:00Z", "closes_at": "2027-01-02T16:00:00Z"}]
    assert draft["draw"] == campaign.draft["draw"], "what was not touched stays"


def test_steps_keep_what_the_file_wrote(manager: FlaskClient, host: Organisation) -> None:
    campaign = make_draft("spring", host=host)
    body = _text(_page(manager.get(_url(campaign)))).replace("stages: []\n", STAGE)
    manager.post(_url(campaign), data={"version": campaign.version, "text": body})
    saved = _find("spring")
    for step in (2, 3, 4):
        url = f"/admin/campaigns/{campaign.id}/edit/{step}"
        form = _page(manager.get(url)).select_one("form[data-once] input[name=version]").find_parent("form")
        values: dict[str, list[str]] = {}
        for element in form.select("input, select, textarea"):
            if element.get("type") in ("checkbox", "radio") and not element.has_attr("checked"):
                continue
            if element.name == "select":
                value = (element.select_one("option[selected]") or element.select_one("option"))["value"]
            else:
                value = element.text.removeprefix("\n") if element.name == "textarea" else element.get("value", "")
            values.setdefault(element["name"], []).append(value)
        assert manager.post(url, data={**values, "action": "draft"}).status_code == 302
        assert _find("spring").draft == saved.draft, step


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("opens_at: 2027-01-01 09:00\npass_count: vier\n", "第 2 行", "pass_count"),
        ("opens_at: 2027-01-01 09:00\ndraw:\n  prizes:\n  - name: 券\n    odds: 3\n", "第 5 行", "draw.prizes[1].odds"),
        ("a: [1\nb: 2", "行", ""),
        ("paper:\n  parts: {}\n", "第 2 行", "paper.parts"),
    ],
)
def test_a_mistake_is_named_with_line_and_path_and_nothing_is_lost(
    manager: FlaskClient, host: Organisation, text: str, line: str, field: str
) -> None:
    campaign = make_draft("spring", host=host)
    page = _page(manager.post(_url(campaign), data={"version": campaign.version, "text": text}), 422)
    findings = page.find(id="findings")
    assert line in findings.text
    assert field in findings.text
    assert _text(page) == text
    assert _find("spring").draft == campaign.draft


def test_checking_saves_nothing(manager: FlaskClient, host: Organisation) -> None:
    campaign = make_draft("spring", host=host)
    text = _text(_page(manager.get(_url(campaign)))).replace("pass_count: 4", "pass_count: 9")
    page = _page(manager.post(_url(campaign), data={"version": campaign.version, "text": text, "action": "check"}))
    assert "pass_count" in page.find(id="findings").text
    assert _text(page) == text
    assert _find("spring").draft["pass_count"] == 4


def test_a_contradiction_can_be_saved_as_a_draft(manager: FlaskClient, host: Organisation) -> None:
    campaign = make_draft("spring", host=host)
    text = _text(_page(manager.get(_url(campaign)))).replace("pass_count: 4", "pass_count: 9")
    assert manager.post(_url(campaign), data={"version": campaign.version, "text": text}).status_code == 302
    assert _find("spring").draft["pass_count"] == 9


def test_a_stale_text_does_not_overwrite(manager: FlaskClient, host: Organisation) -> None:
    campaign = make_draft("spring", host=host)
    text = _text(_page(manager.get(_url(campaign))))
    manager.post(_url(campaign), data={"version": campaign.version, "text": text.replace("pass_count: 4", "pass_count: 3")})
    late = text.replace("pass_count: 4", "pass_count: 2")
    page = _page(manager.post(_url(campaign), data={"version": campaign.version, "text": late}), 409)
    assert _text(page) == late
    assert _find("spring").draft["pass_count"] == 3


def test_files_go_out_and_come_back_in(manager: FlaskClient, host: Organisation) -> None:
    campaign = make_draft("spring", host=host, terms=make_terms(prizes=ONE_CODE_PRIZE))
    other = make_draft("summer", host=host)
    file = manager.get(f"/admin/campaigns/{campaign.id}/rule-file.yaml")
    assert file.headers["Content-Disposition"].endswith('"spring.yaml"')
    upload = {"version": str(other.version), "text": "", "file": (io.BytesIO(file.data), "spring.yaml")}
    assert manager.post(_url(other), data=upload, content_type="multipart/form-data").status_code == 302
    assert _find("summer").draft == campaign.draft
    broken = {"version": "9", "text": "", "file": (io.BytesIO(b"\xff\xfe"), "x.yaml")}
    assert manager.post(_url(other), data=broken, content_type="multipart/form-data").status_code == 422


def test_a_running_campaign_says_at_once_what_is_refused(manager: FlaskClient, host: Organisation) -> None:
    campaign = make_campaign("spring", host=host, prizes=ONE_CODE_PRIZE)
    text = _text(_page(manager.get(_url(campaign)))).replace("odds_ppm: 1000000", "odds_ppm: 500000")
    page = _page(manager.post(_url(campaign), data={"version": campaign.version, "text": text, "action": "check"}))
    assert page.select_one(".note-gold")
    assert "封存" in page.find(id="findings").text


def test_the_file_is_for_editors_within_reach(app: Flask, host: Organisation) -> None:
    county = make_organisation("松山区司法局", is_host=True)
    campaign = make_draft("spring", host=host)
    outsider = sign_in(app.test_client(), make_staff("campaign_manager", county))
    assert outsider.get(_url(campaign)).status_code == 404
    assert outsider.get(f"{_url(campaign)}.yaml").status_code == 404
    approver = sign_in(app.test_client(), make_staff("approver"))
    assert approver.get(_url(campaign)).status_code == 403
    assert approver.get(f"{_url(campaign)}.yaml").status_code == 200

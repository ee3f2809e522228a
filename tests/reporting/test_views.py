from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import StaffAccount
from quizapp.campaigns.models import Campaign
from quizapp.reporting import jobs
from tests.factories.accounts import make_staff, reference_data, sign_in
from tests.factories.reporting import DAY, NOW, add_attempts, attempt_row, make_counted_campaign, make_person

PAGE = "/admin/reports"


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    campaign = make_counted_campaign("consumer", reference_data())
    rows = [attempt_row(campaign, make_person(), demographic_group=group) for group in ("resident", "resident", "youth")]
    rows += [attempt_row(campaign, make_person(), region_code="150423", excluded_at=NOW, exclusion_reason="staff_test")]
    add_attempts(rows)
    return campaign


@pytest.fixture
def staff(app: Flask) -> StaffAccount:
    return make_staff("report_reader")


@pytest.fixture
def console(client: FlaskClient, staff: StaffAccount) -> FlaskClient:
    return sign_in(client, staff)


def _soup(answer: Any, status: int = 200) -> BeautifulSoup:
    assert answer.status_code == status, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def _rows(soup: BeautifulSoup) -> dict[str, list[str]]:
    """First table of the page: label to the texts of its cells."""
    found = {}
    table = soup.select_one("table.tbl")
    assert table is not None
    for line in table.select("tbody tr, tfoot tr"):
        cells = [cell.get_text(strip=True) for cell in line.select("td")]
        found[cells[0]] = cells[1:]
    return found


def test_the_page_shows_the_table_with_its_definitions_and_both_charts(console: FlaskClient, campaign: Campaign) -> None:
    soup = _soup(console.get(PAGE))
    rows = _rows(soup)
    assert list(rows) == ["青少年", "社区居民", "合计"]
    assert rows["社区居民"][:2] == ["2", "2"]
    assert rows["合计"][:2] == ["3", "3"]
    assert len(soup.select("svg.chart[role=img][aria-label]")) == 2
    for footer in soup.select("footer.defs"):
        text = footer.get_text()
        assert all(word in text for word in ("口径", "筛选", "数据时间", "剔除 1 次：工作人员试答 1 次"))
    assert len(soup.select("footer.defs")) == 3


@pytest.mark.parametrize("view", ["demographic_group", "region", "organisation", "day", "campaign", "nonsense"])
def test_every_grouping_has_its_page(console: FlaskClient, campaign: Campaign, view: str) -> None:
    soup = _soup(console.get(PAGE, query_string={"view": view, "campaign": "consumer", "from": "2026-03-10"}))
    assert soup.select_one(".seg [aria-current=page]")
    assert _rows(soup)["合计"][0] == "3"


def test_a_county_opens_its_towns_and_keeps_the_filter(console: FlaskClient, campaign: Campaign) -> None:
    soup = _soup(console.get(PAGE, query_string={"view": "region", "campaign": "consumer"}))
    link = soup.find("a", string="红山区")
    assert link is not None
    href = str(link["href"])
    assert "campaign=consumer" in href
    page = _soup(console.get(href))
    assert page.h1 is not None
    assert page.h1.get_text() == "红山区"
    assert _rows(page)["合计"][0] == "3"
    assert console.get(PAGE + "/region").status_code == 404
    assert console.get(PAGE + "/region?region=999999").status_code == 404


@pytest.mark.parametrize(
    "query",
    [{"from": "yesterday"}, {"from": "2026-03-11", "to": "2026-03-10"}, {"campaign": "nothing"}, {"region": "x"}, {"from": "2026-W10-1"}],
)
def test_a_wrong_filter_is_said_and_shows_no_figures(console: FlaskClient, campaign: Campaign, query: dict[str, str]) -> None:
    soup = _soup(console.get(PAGE, query_string=query), 422)
    assert soup.select_one(".err")
    assert not soup.select("table.tbl")


def test_an_empty_product_shows_empty_pages(console: FlaskClient) -> None:
    soup = _soup(console.get(PAGE))
    assert not soup.select("svg.chart")
    assert soup.select(".empty")


def test_an_export_goes_from_the_button_to_the_file(console: FlaskClient, campaign: Campaign) -> None:
    soup = _soup(console.get(PAGE, query_string={"campaign": "consumer", "view": "region"}))
    form = soup.select_one("form.expf")
    assert form is not None
    fields = [(str(i["name"]), str(i["value"])) for i in form.select("input[type=hidden]")]
    assert ("campaign", "consumer") in fields
    assert ("by", "region") in fields
    data: dict[str, Any] = {}
    for name, value in [*fields, ("by", "day"), ("is_public", "1"), ("format", "csv")]:
        data.setdefault(name, []).append(value)
    asked = console.post(str(form["action"]), data=data)
    assert asked.status_code == 303
    where = asked.headers["Location"]
    waiting = _soup(console.get(where))
    poll = waiting.select_one("[data-poll-url]")
    assert poll is not None
    status = str(poll["data-poll-url"])
    assert console.get(status).json == {"state": "pending", "percent": 0, "message": "排队中"}
    assert jobs.build_pending_reports() == 1
    assert console.get(status).json["state"] == "ready"
    done = _soup(console.get(where))
    assert not done.select("[data-poll-url]")
    link = done.select_one("a.btn[href$='/file']")
    assert link is not None
    with console.get(str(link["href"])) as file:
        text = file.get_data(as_text=True)
    assert text.startswith("\ufeff参与统计（公开版）")
    assert "按旗县区、日期分组" in text
    listed = _soup(console.get(PAGE))
    assert listed.find("a", href=str(link["href"])) is not None


def test_an_export_without_the_forms_token_is_refused(console: FlaskClient, campaign: Campaign) -> None:
    assert console.post(PAGE, data={"format": "csv"}).status_code == 400


def test_pages_are_for_readers_of_reports(client: FlaskClient, campaign: Campaign) -> None:
    assert client.get(PAGE).status_code == 302
    editor = sign_in(client, make_staff("question_editor"))
    assert editor.get(PAGE).status_code == 403


def test_titles_from_the_database_are_escaped(console: FlaskClient, app: Flask) -> None:
    campaign = make_counted_campaign("x", reference_data(), title="<script>alert(1)</script>")
    add_attempts([attempt_row(campaign, make_person(), DAY)])
    page = console.get(PAGE, query_string={"view": "campaign", "campaign": "x"}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page

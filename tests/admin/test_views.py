import datetime as dt

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import STAFF_ROLES
from quizapp.admin import menu, queries
from quizapp.admin.admin_views import greeting
from quizapp.core.clock import SHANGHAI, shanghai_day, utc_now
from quizapp.core.db import db
from quizapp.core.leases import say_alive
from quizapp.web.access import find_door
from tests.factories.accounts import make_organisation, make_staff, reference_data, sign_in
from tests.factories.reporting import add_attempts, attempt_row, make_counted_campaign, make_person

OUTSIDE_THE_MENU = {
    "accounts_admin.sign_in": "before one is in",
    "accounts_admin.create_user": "a form, opened from the list of users",
    "questions_admin.import_form": "a form, opened from the list of banks",
    "questions_admin.import_template": "a file, taken from the form of imports",
    "statutes_admin.import_form": "a form, opened from the list of statutes",
    "statutes_admin.new": "a form, opened from the list of statutes",
    "questions_admin.questions": "the questions of all banks, opened from the list of banks",
    "campaigns_admin.create": "a form, opened from the list of campaigns",
    "campaigns_admin.templates": "rule sets to begin with, opened from the list of campaigns",
    "audit_admin.download": "a file, taken from the trail",
    "reporting_admin.region": "one county, opened from the figures",
}
"""Console pages without an id in their address that are neither a list nor a home, and why."""


def _menu_endpoints() -> set[str]:
    return {item.endpoint for section in menu.SECTIONS for item in section.items}


def test_every_list_and_home_of_the_console_is_in_the_menu(app: Flask) -> None:
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin") and "GET" in (rule.methods or ()) and not rule.arguments
    }
    assert pages - _menu_endpoints() - set(OUTSIDE_THE_MENU) == set()


def test_the_menu_names_only_pages_that_exist_each_once(app: Flask) -> None:
    endpoints = [item.endpoint for section in menu.SECTIONS for item in section.items]
    assert len(endpoints) == len(set(endpoints))
    assert [endpoint for endpoint in endpoints if endpoint not in app.view_functions] == []
    assert [endpoint for endpoint in OUTSIDE_THE_MENU if endpoint not in app.view_functions] == []


def _soup(client: FlaskClient, url: str = "/admin/") -> BeautifulSoup:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def _links(soup: BeautifulSoup) -> list[str]:
    return [str(link["href"]) for link in soup.select("aside nav a")]


@pytest.mark.parametrize("role", [*STAFF_ROLES, None])
def test_everybody_has_a_home_and_every_link_of_the_menu_opens(app: Flask, client: FlaskClient, role: str | None) -> None:
    sign_in(client, make_staff(role))
    soup = _soup(client)
    links = _links(soup)
    assert links[0] == "/admin/"
    assert soup.select("aside a[aria-current=page]")[0].get_text(strip=True) == "工作台"
    assert {url: client.get(url).status_code for url in links} == dict.fromkeys(links, 200)
    if role in (None, "question_editor", "system_admin"):
        assert not soup.select(".kpi")


def test_the_menu_shows_what_the_doors_let_through(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_staff("report_reader"))
    links = _links(_soup(client))
    assert "/admin/reports" in links
    assert "/admin/users" not in links
    for endpoint in _menu_endpoints():
        door = find_door(app, endpoint)
        assert door is not None
        assert door.name in ("staff", "bureau")


def test_the_page_one_is_on_is_marked_also_below_it(client: FlaskClient, app: Flask) -> None:
    sign_in(client, make_staff("campaign_manager"))
    reference_data()
    for url in ("/admin/reports", "/admin/reports?view=day", "/admin/reports/region?region=150402"):
        assert [link.get_text(strip=True) for link in _soup(client, url).select("aside a[aria-current=page]")] == ["参与统计"]


def test_home_shows_today_of_the_open_campaigns_only(app: Flask, client: FlaskClient) -> None:
    root, now = reference_data(), utc_now()
    today = shanghai_day(now)
    open_one = make_counted_campaign("open", root, opens_at=now - dt.timedelta(days=3))
    over = make_counted_campaign("over", root, opens_at=now - dt.timedelta(days=30))
    elsewhere = make_counted_campaign("elsewhere", make_organisation("外单位"), opens_at=now - dt.timedelta(days=3))
    yesterday = today - dt.timedelta(days=1)
    people = [make_person() for _ in range(3)]
    add_attempts([attempt_row(open_one, person, today) for person in people] + [attempt_row(open_one, people[0], today)])
    add_attempts([attempt_row(open_one, people[0], yesterday, is_passed=False), attempt_row(over, people[1], today)])
    add_attempts([attempt_row(elsewhere, people[2], today)])
    unit = make_organisation("外单位的上级")
    sign_in(client, make_staff("report_reader"))
    kpis = [kpi.select_one(".n").get_text(strip=True) for kpi in _soup(client).select(".kpi")]  # type: ignore[union-attr]
    assert kpis[:3] == ["3人", "5次", "100.0%"]
    sign_in(client, make_staff("report_reader", unit))
    kpis = [kpi.select_one(".n").get_text(strip=True) for kpi in _soup(client).select(".kpi")]  # type: ignore[union-attr]
    assert kpis[:3] == ["0人", "0次", "—"]


def test_a_silent_worker_is_something_to_look_at(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_staff("system_admin"))
    assert "后台任务一分钟没有动静" in _soup(client).get_text()
    db.session.rollback()
    say_alive(queries.LEAD, "one", utc_now())
    soup = _soup(client)
    assert "没有动静" not in soup.get_text()
    footer = soup.select_one(".side-f")
    assert footer is not None
    assert footer.get_text().startswith("后台任务正常")


def test_an_approver_sees_what_waits_and_others_do_not(app: Flask, client: FlaskClient) -> None:
    make_counted_campaign("waiting", reference_data(), status="pending_approval")
    sign_in(client, make_staff("approver"))
    soup = _soup(client)
    assert "1 个活动等待审批" in soup.get_text()
    badge = soup.select_one("aside .n")
    assert badge is not None
    assert badge["aria-label"] == "1 个活动等待审批"
    sign_in(client, make_staff("approver", make_organisation("别处")))
    assert "等待审批" not in _soup(client).get_text()
    sign_in(client, make_staff("report_reader"))
    assert "等待审批" not in _soup(client).get_text()


def test_citizens_and_strangers_see_no_home(client: FlaskClient, app: Flask) -> None:
    answer = client.get("/admin/")
    assert answer.status_code == 302
    assert "/admin/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize(("hour", "words"), [(0, "晚上好"), (5, "早上好"), (9, "上午好"), (12, "下午好"), (18, "晚上好")])
def test_the_greeting_follows_the_shanghai_clock(app: Flask, hour: int, words: str) -> None:
    with app.test_request_context():
        assert greeting(dt.datetime(2026, 3, 15, hour, 30, tzinfo=SHANGHAI).astimezone(dt.UTC)) == words


def test_staff_choose_large_type_as_citizens_do(client: FlaskClient) -> None:
    sign_in(client, make_staff("report_reader"))
    page = BeautifulSoup(client.get("/admin/").get_data(as_text=True), "html.parser")
    assert page.html is not None
    assert "class" not in page.html.attrs
    form = page.select_one("form[data-large-form]")
    assert form is not None
    values = {field["name"]: field["value"] for field in form.select("input, button")}
    answer = client.post(str(form["action"]), data=values)
    assert (answer.status_code, answer.location) == (302, "/admin/")
    page = BeautifulSoup(client.get("/admin/").get_data(as_text=True), "html.parser")
    assert page.html is not None
    assert page.html["class"] == ["is-large"]
    values["large"] = ""
    client.post(str(form["action"]), data=values)
    assert 'class="is-large"' not in client.get("/admin/").get_data(as_text=True)
    assert client.post(str(form["action"]), data={**values, "csrf_token": "x"}).status_code == 400

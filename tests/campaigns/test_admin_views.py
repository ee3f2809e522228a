import datetime as dt
import re
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings

from quizapp.accounts.models import Organisation
from quizapp.campaigns import queries
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import check_draft, to_dict
from quizapp.core.clock import SHANGHAI, utc_now
from quizapp.core.db import db, transaction
from tests.campaigns.test_rules import mutated_bodies, unfinished_bodies
from tests.conftest import sqlite_only
from tests.factories.accounts import make_organisation, make_staff, reference_data, sign_in
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_draft, make_terms
from tests.factories.questions import make_bank

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture(autouse=True)
def _no_csrf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quizapp.web.security.csrf.protect", lambda: None)


@pytest.fixture
def host(app: Flask) -> Organisation:
    return reference_data()


@pytest.fixture
def manager(app: Flask, host: Organisation) -> FlaskClient:
    return sign_in(app.test_client(), make_staff("campaign_manager"))


@pytest.fixture
def approver(app: Flask, host: Organisation) -> FlaskClient:
    return sign_in(app.test_client(), make_staff("approver"))


def _soup(answer: Any, status: int = 200) -> BeautifulSoup:
    assert answer.status_code == status, (answer.status_code, answer.headers.get("Location"))
    return BeautifulSoup(answer.text, "html.parser")


def _fields(page: BeautifulSoup) -> dict[str, Any]:
    """What a browser would send from the editor's form."""
    form = page.select_one("form[data-once] input[name=version]").find_parent("form")
    values: dict[str, Any] = {}
    for element in form.select("input, select"):
        name = element.get("name")
        if not name or element.has_attr("disabled"):
            continue
        if element.name == "select":
            chosen = element.select_one("option[selected]") or element.select_one("option")
            values[name] = chosen["value"]
        elif element.get("type") in ("checkbox", "radio"):
            if element.has_attr("checked"):
                if element["type"] == "checkbox":
                    values.setdefault(name, []).append(element["value"])
                else:
                    values[name] = element["value"]
        else:
            values[name] = element.get("value", "")
    return values


def _local(moment: dt.datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")


def _find(slug: str) -> Campaign:
    db.session.rollback()
    db.session.expire_all()
    campaign = queries.find_by_slug(slug)
    assert campaign is not None
    return campaign


def _edit(client: FlaskClient, campaign: Campaign, step: int, action: str = "next", **changes: Any) -> Any:
    """Open a step, change some inputs and press a button."""
    url = f"/admin/campaigns/{campaign.id}/edit/{step}"
    values = {**_fields(_soup(client.get(url))), "action": action, **{name.replace("__", "."): value for name, value in changes.items()}}
    return client.post(url, data=values)


def test_a_campaign_is_made_in_five_steps_and_published_by_somebody_else(
    manager: FlaskClient, approver: FlaskClient, client: FlaskClient, host: Organisation
) -> None:
    make_bank(count=30)
    now = utc_now()
    page = _soup(manager.get("/admin/campaigns/new"))
    values = {**_fields(page), "title": "春天竞答", "slug": "spring", "summary": "学一学", "host": str(host.id), "action": "next"}
    answer = manager.post("/admin/campaigns/new", data=values)
    campaign = _find("spring")
    assert answer.headers["Location"].endswith(f"/admin/campaigns/{campaign.id}/edit/2")
    answer = _edit(manager, campaign, 2, opens_at=_local(now - dt.timedelta(hours=1)), closes_at=_local(now + dt.timedelta(days=9)))
    assert answer.headers["Location"].endswith("/edit/3")
    answer = _edit(manager, campaign, 3, **{"paper.parts[1].banks": "consumer-rights", "limit_seconds": "2.5"})
    assert answer.headers["Location"].endswith("/edit/4")
    assert _find("spring").draft["limit_seconds"] == 150
    _edit(manager, campaign, 4, "add-prize", draw_mode="instant")
    prize = {
        "draw.prizes[1].name": "话费券",
        "draw.prizes[1].kind": "code",
        "draw.prizes[1].value_fen": "2.50",
        "draw.prizes[1].quantity": "1,000",
        "draw.prizes[1].odds_ppm": "0.25",
        "plan.expected_draws": "100000",
        "plan.budget_fen": "3000",
        "points.passed": "10",
    }
    answer = _edit(manager, campaign, 4, **prize)
    assert answer.headers["Location"].endswith("/edit/5"), _soup(manager.get(answer.headers["Location"])).select(".err")
    saved = _find("spring").draft
    assert saved["draw"]["prizes"][0] | {"tier": ""} == {
        "name": "话费券",
        "tier": "",
        "kind": "code",
        "quantity": 1000,
        "odds_ppm": 2500,
        "value_fen": 250,
        "points": 0,
    }
    assert {name: value for name, value in saved["plan"].items() if value is not None} == {
        "expected_draws": 100_000,
        "budget_fen": 300_000,
    }
    step5 = _soup(manager.get(answer.headers["Location"]))
    assert "312.50" not in step5.text
    assert "781.25" in step5.text
    submit = step5.select_one("form[action$='/submission']")
    assert manager.post(submit["action"], data={"version": submit.select_one("[name=version]")["value"]}).status_code == 302
    assert manager.post(f"/admin/campaigns/{campaign.id}/publication").status_code == 403
    waiting = _soup(approver.get(f"/admin/campaigns/{campaign.id}/edit/5"))
    publish = waiting.select_one("form[action$='/publication']")
    approver.post(publish["action"], data={"version": publish.select_one("[name=version]")["value"]})
    assert _find("spring").status == "published"
    public = _soup(client.get("/campaigns/spring"))
    assert "话费券" in public.text
    assert "千分之 2.5" in public.text or "万分之 25" in public.text


@pytest.mark.parametrize(
    ("step", "name", "text"),
    [
        (2, "closes_at", "明天"),
        (2, "tries.per_day", "三次"),
        (3, "pass_count", "4.5"),
        (3, "limit_seconds", "五分钟"),
        (3, "limit_seconds", "1e400"),
        (3, "limit_seconds", "NaN"),
        (3, "paper.parts[1].difficulties", "9"),
        (4, "points.passed", "十"),
        (4, "plan.budget_fen", "1.234"),
        (4, "plan.budget_fen", "-3"),
    ],
)
def test_a_slip_of_typing_stands_under_its_input_and_saves_nothing(
    manager: FlaskClient, host: Organisation, step: int, name: str, text: str
) -> None:
    campaign = make_draft("spring", host=host)
    before = dict(campaign.draft)
    page = _soup(_edit(manager, campaign, step, **{name: text}), 422)
    field = page.find(id=name)
    assert field.get("value", text) == text
    assert page.find(id=f"{name}-err")
    assert field["aria-invalid"] == "true"
    assert _find("spring").draft == before


@pytest.mark.parametrize(
    ("step", "changes", "name"),
    [
        (2, {"closes_at": "2030-01-01T00:00", "opens_at": "2030-01-02T00:00"}, "closes_at"),
        (2, {"opens_at": "2020-01-01T00:00", "closes_at": "2020-01-02T00:00"}, "closes_at"),
        (2, {"tries.total": "1"}, "tries.total"),
        (2, {"opens_at": ""}, "opens_at"),
        (3, {"pass_count": "9"}, "pass_count"),
        (3, {"paper.parts[1].count": "99"}, "paper.parts[1].count"),
        (3, {"large_type_percent": "20"}, "large_type_percent"),
    ],
)
def test_a_contradiction_is_saved_but_keeps_one_on_the_step(
    manager: FlaskClient, host: Organisation, step: int, changes: dict[str, str], name: str
) -> None:
    campaign = make_draft("spring", host=host)
    answer = _edit(manager, campaign, step, **changes)
    assert re.search(rf"/edit/{step}\?checked=1", answer.headers["Location"])
    page = _soup(manager.get(answer.headers["Location"]))
    assert page.find(id=f"{name}-err"), page.select(".err")
    step5 = _soup(manager.get(f"/admin/campaigns/{campaign.id}/edit/5"))
    assert step5.select(".savebar button[disabled]")
    assert not step5.select("form[action$='/submission']")
    manager.post(f"/admin/campaigns/{campaign.id}/submission")
    assert _find("spring").status == "draft"


def test_odds_above_one_are_refused_at_the_prizes(manager: FlaskClient, host: Organisation) -> None:
    prizes = [{"name": f"奖品{n}", "kind": "code", "quantity": 5, "odds_ppm": 400_000} for n in range(2)]
    campaign = make_draft("spring", host=host, terms=make_terms(prizes=prizes))
    answer = _edit(manager, campaign, 4, **{"draw.prizes[1].odds_ppm": "60.0001"})
    page = _soup(manager.get(answer.headers["Location"]))
    assert page.find(id="draw.prizes-err")
    answer = _edit(manager, campaign, 4, **{"draw.prizes[1].odds_ppm": "101"})
    assert _soup(manager.get(answer.headers["Location"])).find(id="draw.prizes[1].odds_ppm-err")


def test_spare_days_and_minors_are_set_with_the_draw(manager: FlaskClient, host: Organisation) -> None:
    prizes = [{"name": "帆布袋", "kind": "pickup", "quantity": 5, "odds_ppm": 400_000}]
    campaign = make_draft("spring", host=host, terms=make_terms(prizes=prizes))
    page = _soup(manager.get(f"/admin/campaigns/{campaign.id}/edit/4"))
    assert page.find(id="draw.spare_days")["value"] == "14"
    assert not page.select_one("input[name='draw.allows_minors']").has_attr("checked")
    _edit(manager, campaign, 4, **{"draw.spare_days": "30", "draw.allows_minors": "1"})
    draw = _find("spring").draft["draw"]
    assert (draw["spare_days"], draw["allows_minors"]) == (30, True)
    page = _soup(manager.get(f"/admin/campaigns/{campaign.id}/edit/4?checked=1"))
    assert page.find(id="draw.allows_minors-err"), "a warning asks whether that was approved"
    assert page.select_one("input[name='draw.allows_minors']").has_attr("checked")
    _edit(manager, campaign, 4, **{"draw.prizes[1].kind": "cash", "draw.prizes[1].value_fen": "2"})
    assert "未成年人不发现金" in _soup(manager.get(f"/admin/campaigns/{campaign.id}/edit/5")).text
    url = f"/admin/campaigns/{campaign.id}/edit/4"
    values = _fields(_soup(manager.get(url)))
    manager.post(url, data={name: value for name, value in values.items() if name != "draw.allows_minors"} | {"action": "draft"})
    draw = _find("spring").draft["draw"]
    assert (draw["spare_days"], draw["allows_minors"]) == (30, False)


@pytest.mark.parametrize(("text", "status"), [("两周", 422), ("0", 302), ("367", 302)])
def test_impossible_spare_days_stand_under_their_input(manager: FlaskClient, host: Organisation, text: str, status: int) -> None:
    prizes = [{"name": "帆布袋", "kind": "pickup", "quantity": 5, "odds_ppm": 400_000}]
    campaign = make_draft("spring", host=host, terms=make_terms(prizes=prizes))
    answer = _edit(manager, campaign, 4, **{"draw.spare_days": text})
    assert answer.status_code == status
    page = _soup(answer, 422) if status == 422 else _soup(manager.get(answer.headers["Location"]))
    assert page.find(id="draw.spare_days-err")


def test_rows_are_added_and_removed_without_losing_what_was_typed(manager: FlaskClient, host: Organisation) -> None:
    campaign = make_draft("spring", host=host)
    _edit(manager, campaign, 3, "add-part", pass_count="2")
    draft = _find("spring").draft
    assert (len(draft["paper"]["parts"]), draft["pass_count"]) == (2, 2)
    _edit(manager, campaign, 3, "remove-part-1", **{"paper.parts[2].count": "7"})
    assert [part["count"] for part in _find("spring").draft["paper"]["parts"]] == [7]
    _edit(manager, campaign, 3, "remove-part-1")
    assert _find("spring").draft["paper"]["parts"] == []
    assert _soup(manager.get(f"/admin/campaigns/{campaign.id}/edit/3")).select_one("td.empty")


def test_a_stale_form_does_not_overwrite(manager: FlaskClient, host: Organisation, app: Flask) -> None:
    campaign = make_draft("spring", host=host)
    url = f"/admin/campaigns/{campaign.id}/edit/3"
    first, second = _fields(_soup(manager.get(url))), _fields(_soup(manager.get(url)))
    manager.post(url, data={**first, "pass_count": "3", "action": "draft"})
    page = _soup(manager.post(url, data={**second, "pass_count": "2", "action": "draft"}), 409)
    assert page.find(id="pass_count")["value"] == "2"
    assert page.select_one(".note-miss")
    assert _find("spring").draft["pass_count"] == 3


def test_a_taken_address_stands_under_its_input(manager: FlaskClient, host: Organisation) -> None:
    make_draft("spring", host=host)
    values = {"title": "又一场", "slug": "spring", "theme": "tax", "kind": "voluntary", "host": str(host.id)}
    page = _soup(manager.post("/admin/campaigns/new", data=values), 422)
    assert page.find(id="slug-err")
    assert page.find(id="title")["value"] == "又一场"
    page = _soup(manager.post("/admin/campaigns/new", data={"slug": "x"}), 422)
    assert page.find(id="host-err")


def test_the_list_filters_by_state_and_stays_within_reach(manager: FlaskClient, host: Organisation, app: Flask) -> None:
    county = make_organisation("松山区司法局", is_host=True)
    make_campaign("running", title="开着的", prizes=ONE_CODE_PRIZE)
    make_draft("county-draft", host=county, title="旗县的")

    def titles(client: FlaskClient, query: str = "") -> set[str]:
        return {link.text for link in _soup(client.get(f"/admin/campaigns{query}")).select("td a.plain")}

    assert titles(manager) == {"开着的", "旗县的"}
    assert titles(manager, "?status=open") == {"开着的"}
    assert titles(manager, "?status=draft") == {"旗县的"}
    assert titles(manager, "?kind=statutory_exam") == set()
    assert titles(manager, "?q=%E6%97%97") == {"旗县的"}
    assert titles(manager, "?year=2001&page=zz") == set()
    local = sign_in(app.test_client(), make_staff("campaign_manager", county))
    assert titles(local) == {"旗县的"}
    running = _find("running")
    for path in ("edit/1", "edit/5", "preview"):
        assert local.get(f"/admin/campaigns/{running.id}/{path}").status_code == 404
    for path in ("pause", "submission", "deletion", "resumption"):
        assert local.post(f"/admin/campaigns/{running.id}/{path}", data={"reason": "x"}).status_code == 404


def test_pausing_needs_a_reason_that_citizens_then_see(manager: FlaskClient, host: Organisation, client: FlaskClient) -> None:
    campaign = make_campaign("spring")
    manager.post(f"/admin/campaigns/{campaign.id}/pause", data={"reason": " "})
    assert _find("spring").status == "published"
    manager.post(f"/admin/campaigns/{campaign.id}/pause", data={"reason": "奖品补货"})
    assert "奖品补货" in client.get("/campaigns/spring").text
    page = _soup(manager.get(f"/admin/campaigns/{campaign.id}/edit/5"))
    manager.post(page.select_one("form[action$='/resumption']")["action"])
    assert _find("spring").status == "published"


def test_an_approver_extends_and_sends_back(manager: FlaskClient, approver: FlaskClient, host: Organisation) -> None:
    campaign = make_campaign("spring")
    closes_at = campaign.closes_at
    assert closes_at is not None
    approver.post(f"/admin/campaigns/{campaign.id}/extension", data={"closes_at": "never"})
    approver.post(f"/admin/campaigns/{campaign.id}/extension", data={"closes_at": _local(closes_at - dt.timedelta(days=1))})
    assert _find("spring").closes_at == closes_at
    approver.post(f"/admin/campaigns/{campaign.id}/extension", data={"closes_at": _local(closes_at + dt.timedelta(days=1))})
    assert (_find("spring").closes_at or closes_at) > closes_at
    draft = make_draft("summer", host=host)
    manager.post(f"/admin/campaigns/{draft.id}/submission")
    approver.post(f"/admin/campaigns/{draft.id}/return", data={"reason": ""})
    assert _find("summer").status == "pending_approval"
    approver.post(f"/admin/campaigns/{draft.id}/return", data={"reason": "名称改一下"})
    assert _find("summer").status == "draft"
    manager.post(f"/admin/campaigns/{draft.id}/submission")
    manager.post(f"/admin/campaigns/{draft.id}/withdrawal")
    assert _find("summer").status == "draft"


def test_only_an_unpublished_draft_is_deleted(manager: FlaskClient, host: Organisation) -> None:
    published, draft = make_campaign("spring"), make_draft("summer", host=host)
    assert manager.post(f"/admin/campaigns/{published.id}/deletion").status_code == 409
    assert manager.post(f"/admin/campaigns/{draft.id}/deletion").status_code == 302
    db.session.rollback()
    assert queries.find_by_slug("summer") is None
    assert _find("spring").status == "published"


def test_the_preview_may_be_framed_by_us_alone_and_starts_nothing(manager: FlaskClient, host: Organisation) -> None:
    draft, empty = make_draft("spring", host=host), make_draft("empty", host=host, terms={})
    answer = manager.get(f"/admin/campaigns/{draft.id}/preview?large=1")
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    page = _soup(answer)
    assert page.select_one("html.is-large")
    assert not page.select("form#start")
    assert manager.get(f"/admin/campaigns/{empty.id}/preview").status_code == 404
    assert manager.get(f"/admin/campaigns/{empty.id}/edit/5").status_code == 200


def test_a_cohost_reads_the_questions_and_signs_for_its_own_unit(manager: FlaskClient, host: Organisation, app: Flask) -> None:
    unit, other = make_organisation("市税务局"), make_organisation("市总工会")
    make_bank(count=25)
    draft = make_draft("spring", host=host, cohost_ids=[unit.id, other.id])
    signer = sign_in(app.test_client(), make_staff("cohost", unit))
    page = _soup(signer.get(f"/admin/campaigns/{draft.id}/questions"))
    assert len(page.select("table tbody tr")) == 20
    assert len(_soup(signer.get(f"/admin/campaigns/{draft.id}/questions?page=2")).select("table tbody tr")) == 5
    (form,) = page.select("form[action*='/signatures/']")
    signer.post(form["action"])
    assert signer.post(f"/admin/campaigns/{draft.id}/signatures/{other.id}").status_code == 404
    signed = {organisation.name: row.signed_off_at is not None for row, organisation in queries.list_hosts(draft.id)}
    assert signed == {"市税务局": True, "市总工会": False}
    assert signer.get(f"/admin/campaigns/{draft.id}/edit/1").status_code == 200
    assert not _soup(signer.get(f"/admin/campaigns/{draft.id}/edit/1")).select("input[name=title]")


def test_steps_that_do_not_exist_are_not_found(manager: FlaskClient, host: Organisation) -> None:
    draft = make_draft("spring", host=host)
    for step in (0, 6):
        assert manager.get(f"/admin/campaigns/{draft.id}/edit/{step}").status_code == 404
        assert manager.post(f"/admin/campaigns/{draft.id}/edit/{step}").status_code == 404
    assert manager.post(f"/admin/campaigns/{draft.id}/edit/5").status_code == 404
    assert manager.get("/admin/campaigns/00000000-0000-0000-0000-000000000000/edit/1").status_code == 404


def test_forms_that_no_browser_sends_are_survived(manager: FlaskClient, host: Organisation) -> None:
    draft = make_draft("spring", host=host)
    for step in (1, 2, 3, 4):
        for data in ({}, {"version": "x"}, {"version": "1", "action": "remove-part-999"}, {"version": "1", "draw_mode": "instant"}):
            answer = manager.post(f"/admin/campaigns/{draft.id}/edit/{step}", data=data)
            assert answer.status_code in (302, 409, 422), (step, data)
    strange = {"paper.parts[1].banks": "a,b", "paper.parts[999].count": "1", "cohosts": "x", "version": str(_find("spring").version)}
    assert manager.post(f"/admin/campaigns/{draft.id}/edit/3", data=strange).status_code == 302
    for step in range(1, 6):
        assert manager.get(f"/admin/campaigns/{draft.id}/edit/{step}?checked=1").status_code == 200


@sqlite_only
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=unfinished_bodies() | mutated_bodies())
def test_any_draft_the_api_takes_can_be_opened_in_the_editor(app: Flask, body: Any) -> None:
    """The API saves unfinished drafts as they come; the editor must show whatever they hold."""
    if not isinstance(body, dict) or check_draft(body):
        return
    manager = sign_in(app.test_client(), make_staff("campaign_manager"))
    campaign = queries.find_by_slug("odd") or make_draft("odd", terms=body)
    with transaction():
        db.session.execute(sa.update(Campaign).filter_by(id=campaign.id).values(draft=body))
    for step in range(1, 6):
        assert manager.get(f"/admin/campaigns/{campaign.id}/edit/{step}?checked=1").status_code == 200, (step, body)
    for step in range(1, 5):
        values = _fields(_soup(manager.get(f"/admin/campaigns/{campaign.id}/edit/{step}")))
        assert manager.post(f"/admin/campaigns/{campaign.id}/edit/{step}", data={**values, "action": "draft"}).status_code in (302, 422)


def test_the_people_expected_bring_the_whole_forecast(manager: FlaskClient) -> None:
    body = {**to_dict(make_terms(prizes=[{"name": "话费券", "kind": "code", "quantity": 30, "odds_ppm": 50_000, "value_fen": 1000}]))}
    body["plan"] = {"expected_people": 4000, "budget_fen": 100_000, "attempts_tenths": 15}
    campaign = make_draft("told", terms=body, host=reference_data())
    step4 = _soup(manager.get(f"/admin/campaigns/{campaign.id}/edit/4"))
    assert step4.select_one("[name='plan.attempts_tenths']")["value"] == "1.5"
    assert step4.select_one("[name='plan.shape'] option[selected]")["value"] == "ends"
    assert "话费券" in step4.select_one("#forecast table").text
    step5 = _soup(manager.get(f"/admin/campaigns/{campaign.id}/edit/5"))
    assert "375.00" in step5.select_one("#forecast").text, "thirty times ten yuan and the tax"
    assert "4,000 人" in step5.text

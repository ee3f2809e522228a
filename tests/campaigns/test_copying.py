"""Campaigns begin from what there is: shipped rule sets, those staff kept, another campaign."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Organisation
from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM
from quizapp.campaigns import checks, queries, starters
from quizapp.campaigns.errors import SlugTaken, TemplateExists
from quizapp.campaigns.models import Campaign, CampaignTemplate
from quizapp.campaigns.services import copying
from quizapp.campaigns.terms import SCHEMA, from_dict
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import db, transaction
from tests.factories.accounts import headers_for, make_organisation, make_staff, reference_data, sign_in
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_draft
from tests.factories.questions import make_bank

pytestmark = pytest.mark.usefixtures("app")
FIRST = dt.date(2028, 3, 1)


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


def _soup(answer: Any, status: int = 200) -> BeautifulSoup:
    assert answer.status_code == status, answer.headers.get("Location")
    return BeautifulSoup(answer.text, "html.parser")


@pytest.mark.parametrize("key", ["daily-question", "law-exam", "points-shop", "red-packet", "weekly-draw"])
def test_every_shipped_rule_set_passes_the_check_on_any_day(key: str) -> None:
    starter = next(one for one in starters.shipped() if one.key == key)
    assert starter.title
    assert starter.about
    for first in (FIRST, dt.date(2031, 12, 25)):
        body = starters.on_day(starter.body, first)
        found = checks.problems(body, kind=starter.kind, legal_basis=starter.legal_basis, now=utc_now())
        assert [problem for problem in found if problem.is_error] == []
        terms = from_dict({"schema": SCHEMA, **body})
        assert shanghai_day(terms.opens_at) == first


def test_shipped_banks_exist(app: Flask) -> None:
    banks = {path.name for path in (Path(__file__).resolve().parents[2] / "question_banks").iterdir()}
    used = {
        slug
        for starter in starters.shipped()
        for quiz in starter.body.get("quizzes", [starter.body])
        for part in quiz["paper"]["parts"]
        for slug in part["banks"]
    }
    assert used <= banks


def test_a_campaign_begins_from_a_shipped_rule_set(manager: FlaskClient, host: Organisation) -> None:
    make_bank("labour-rights", count=30)
    page = _soup(manager.get("/admin/campaigns/templates"))
    assert len(page.select("a[href*='from=']")) == 5
    form = _soup(manager.get("/admin/campaigns/new?from=weekly-draw"))
    assert form.select_one("input[name='from']")["value"] == "weekly-draw"
    values = {"title": "五月周周答", "slug": "may", "theme": "labour", "kind": "voluntary", "host": str(host.id), "from": "weekly-draw"}
    assert manager.post("/admin/campaigns/new", data={**values, "slug": "x y"}).status_code == 422
    assert manager.post("/admin/campaigns/new", data=values).status_code == 302
    draft = _find("may").draft
    assert draft["draws"][0]["per"] == "round"
    assert shanghai_day(dt.datetime.fromisoformat(draft["opens_at"])) == shanghai_day(utc_now()) + dt.timedelta(days=7)
    assert draft["paper"]["parts"][0]["banks"] == ["labour-rights"]


def test_banks_that_are_not_here_are_left_to_be_chosen(host: Organisation) -> None:
    make_bank("consumer-rights")
    body = starters.begun({"quizzes": [{"paper": {"parts": [{"banks": ["consumer-rights", "elsewhere"], "count": 1}]}}]}, FIRST)
    assert body["quizzes"][0]["paper"]["parts"][0]["banks"] == ["consumer-rights"]


def test_a_copy_moves_every_moment_and_keeps_the_rest(host: Organisation) -> None:
    unit = make_organisation("市总工会")
    source = make_draft("spring", host=host, cohost_ids=[unit.id])
    begin = source.draft["opens_at"]
    stage = {"id": "one", "opens_at": begin, "closes_at": source.draft["closes_at"], "title": "第一阶段"}
    with transaction():
        db.session.execute(sa.update(Campaign).values(draft={**source.draft, "stages": [stage]}))
        copied = copying.copy_campaign(source.id, slug="spring-2", title="再来一场", first=FIRST, now=utc_now(), actor=SYSTEM)
    draft, before = _find("spring-2").draft, _find("spring").draft
    moment = dt.datetime.fromisoformat
    by = moment(draft["opens_at"]) - moment(before["opens_at"])
    assert shanghai_day(moment(draft["opens_at"])) == FIRST
    assert by == dt.timedelta(days=by.days), "whole days: hours stay"
    assert moment(draft["stages"][0]["closes_at"]) - moment(before["stages"][0]["closes_at"]) == by
    assert {name: value for name, value in draft.items() if name not in ("opens_at", "closes_at", "stages")} == {
        name: value for name, value in before.items() if name not in ("opens_at", "closes_at", "stages")
    }
    ((signed, organisation),) = queries.list_hosts(copied.id)
    assert (organisation.id, signed.signed_off_at) == (unit.id, None)
    assert _find("spring-2").status == "draft"
    with pytest.raises(SlugTaken), transaction():
        copying.copy_campaign(source.id, slug="spring", title="x", first=FIRST, now=utc_now(), actor=SYSTEM)


def test_a_running_campaign_is_copied_from_the_console(manager: FlaskClient, host: Organisation) -> None:
    campaign = make_campaign("spring", prizes=ONE_CODE_PRIZE)
    url = f"/admin/campaigns/{campaign.id}/copy"
    page = _soup(manager.get(url))
    assert page.find(id="slug")["value"] == "spring-2"
    page = _soup(manager.post(url, data={"title": "再来", "slug": "spring", "first": "2028-03-01"}), 422)
    assert page.select_one(".err")
    assert page.find(id="title")["value"] == "再来"
    assert _soup(manager.post(url, data={"title": "再来", "slug": "spring-3", "first": "三月"}), 422).select_one(".err")
    assert manager.post(url, data={"title": "再来", "slug": "spring-3", "first": "2028-03-01"}).status_code == 302
    assert _find("spring-3").draft["draw"]["prizes"][0]["name"] == "话费券"


def test_rules_are_kept_for_the_unit_and_those_below_it(app: Flask, manager: FlaskClient, host: Organisation) -> None:
    county = make_organisation("松山区司法局", is_host=True)
    other = make_organisation("红山区司法局", is_host=True)
    campaign = make_draft("spring", host=county)
    url = f"/admin/campaigns/{campaign.id}/template"
    assert _soup(manager.post(url, data={"template_title": "", "organisation": str(county.id)}), 422).select_one(".err")
    assert manager.post(url, data={"template_title": "妇女节用", "about": "三天", "organisation": str(county.id)}).status_code == 302
    assert manager.post(url, data={"template_title": "妇女节用", "organisation": str(county.id)}).status_code == 422
    assert manager.post(url, data={"template_title": "全市用", "organisation": str(host.id)}).status_code == 302
    local, neighbour = (sign_in(app.test_client(), make_staff("campaign_manager", unit)) for unit in (county, other))
    assert {"妇女节用", "全市用"} <= _titles(local)
    assert _titles(neighbour) & {"妇女节用", "全市用"} == {"全市用"}
    db.session.rollback()
    kept = {row.title: row.id for row in db.session.scalars(sa.select(CampaignTemplate))}
    assert "plan" not in (db.session.get(CampaignTemplate, kept["全市用"]) or CampaignTemplate(body={"plan": 1})).body
    assert neighbour.post(f"/admin/campaigns/templates/{kept['全市用']}/deletion").status_code == 404
    assert local.post(f"/admin/campaigns/templates/{kept['全市用']}/deletion").status_code == 404, "that of the unit above"
    assert local.post(f"/admin/campaigns/templates/{kept['妇女节用']}/deletion").status_code == 302
    assert "妇女节用" not in _titles(manager)
    actions = set(db.session.scalars(sa.select(AuditEntry.action)))
    assert {"campaign_template.kept", "campaign_template.deleted"} <= actions


def _titles(client: FlaskClient) -> set[str]:
    return {cell.text for cell in _soup(client.get("/admin/campaigns/templates")).select("td b")}


def test_a_title_is_kept_once_per_unit(host: Organisation) -> None:
    campaign = make_draft("spring", host=host)
    keep = {"organisation_id": host.id, "title": "一套", "about": "", "now": utc_now(), "actor": SYSTEM}
    with transaction():
        copying.keep_template(campaign.id, **keep)
    with pytest.raises(TemplateExists), transaction():
        copying.keep_template(campaign.id, **keep)


def test_the_api_lists_templates_begins_from_one_and_copies(app: Flask, host: Organisation) -> None:
    headers = headers_for(make_staff("campaign_manager"))
    client = app.test_client()
    listed = client.get("/api/v1/admin/campaign-templates", headers=headers).json["items"]
    assert {"red-packet", "law-exam"} <= {item["key"] for item in listed}
    new = {"slug": "spring", "title": "春天", "template": "red-packet", "opens_on": "2028-03-01", "terms": {"pass_count": 3}}
    made = client.post("/api/v1/admin/campaigns", json=new, headers=headers)
    assert made.status_code == 201, made.json
    assert made.json["draft"]["opens_at"].startswith("2028-03-01T01:00")
    assert made.json["draft"]["pass_count"] == 3
    assert client.post("/api/v1/admin/campaigns", json={**new, "slug": "x", "template": "none"}, headers=headers).status_code == 422
    copied = client.post("/api/v1/admin/campaigns/spring/copies", json={"slug": "summer", "opens_on": "2028-06-01"}, headers=headers)
    assert copied.status_code == 201
    assert copied.json["draft"]["closes_at"].startswith("2028-06-15T16:00")

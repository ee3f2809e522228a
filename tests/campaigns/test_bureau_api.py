import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import StaffAccount
from quizapp.audit.models import AuditEntry
from quizapp.campaigns import queries
from quizapp.campaigns.models import CampaignTermsVersion
from quizapp.campaigns.terms import to_dict
from quizapp.core.clock import rfc3339, utc_now
from quizapp.core.db import db
from tests.factories.accounts import add_role, headers_for, make_citizen, make_organisation, make_staff, reference_data
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_draft, make_terms
from tests.factories.questions import make_bank

pytestmark = pytest.mark.usefixtures("app")
PATH = "/api/v1/admin/campaigns"


class Bureau:
    """Somebody of the bureau with a client."""

    def __init__(self, client: FlaskClient, staff: StaffAccount) -> None:
        self.client, self.headers = client, headers_for(staff)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.client.post(f"{PATH}{path}", json=body or {}, headers=self.headers)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self.client.patch(f"{PATH}{path}", json=body, headers=self.headers)

    def get(self, path: str = "") -> Any:
        return self.client.get(f"{PATH}{path}", headers=self.headers)


@pytest.fixture
def manager(client: FlaskClient) -> Bureau:
    reference_data()
    return Bureau(client, make_staff("campaign_manager"))


@pytest.fixture
def approver(client: FlaskClient) -> Bureau:
    return Bureau(client, make_staff("approver"))


def _terms(**values: Any) -> dict[str, Any]:
    return to_dict(make_terms(**values))


def _create(manager: Bureau, slug: str = "spring", **body: Any) -> dict[str, Any]:
    answer = manager.post("", {"slug": slug, "title": "春天竞答", "terms": _terms(), **body})
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def test_a_campaign_goes_from_draft_to_published_by_two_people(manager: Bureau, approver: Bureau, client: FlaskClient) -> None:
    make_bank(count=30)
    created = _create(manager, terms=_terms(prizes=ONE_CODE_PRIZE))
    assert (created["status"], created["version"], created["problems"], created["terms"]) == ("draft", 1, [], None)
    assert client.get("/api/v1/campaigns/spring").status_code == 404
    changed = manager.patch("/spring", {"version": 1, "title": "春天的竞答", "terms": {"pass_count": 3}}).json
    assert (changed["title"], changed["draft"]["pass_count"], changed["draft"]["limit_seconds"]) == ("春天的竞答", 3, 300)
    assert manager.post("/spring/submission", {"version": changed["version"]}).json["status"] == "pending_approval"
    assert manager.post("/spring/publication").status_code == 403
    published = approver.post("/spring/publication").json
    assert (published["status"], published["state"], published["terms_version"]) == ("published", "open", 1)
    assert client.get("/api/v1/campaigns/spring").json["pass_count"] == 3
    assert approver.post("/spring/publication").status_code == 409
    actions = set(db.session.scalars(sa.select(AuditEntry.action)))
    assert {"campaign.created", "campaign.saved", "campaign.submitted", "campaign.published"} <= actions


def test_whoever_submitted_cannot_publish(client: FlaskClient, manager: Bureau) -> None:
    make_bank(count=30)
    both = make_staff("campaign_manager")
    add_role(both, "approver")
    person = Bureau(client, both)
    _create(person)
    person.post("/spring/submission")
    answer = person.post("/spring/publication")
    assert (answer.status_code, answer.json["code"]) == (403, "same_person")
    assert queries.find_by_slug("spring").status == "pending_approval"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"opens_at": "2030-01-02T00:00:00Z", "closes_at": "2030-01-01T00:00:00Z"}, "closes_at"),
        ({"opens_at": "2020-01-01T00:00:00Z", "closes_at": "2020-02-01T00:00:00Z"}, "closes_at"),
        ({"pass_count": 6}, "pass_count"),
        ({"paper": {"parts": [{"banks": ["consumer-rights"], "count": 99}]}}, "paper.parts[1].count"),
        ({"tries": {"per_day": 5, "total": 3}}, "tries.total"),
        ({"draw": {"prizes": [{"name": "券", "kind": "code", "quantity": 1, "odds_ppm": 600_000}] * 2}}, "draw.prizes"),
    ],
)
def test_a_draft_with_contradictions_cannot_be_submitted(manager: Bureau, terms: dict[str, Any], field: str) -> None:
    make_bank(count=30)
    _create(manager, terms={**_terms(), **terms})
    answer = manager.post("/spring/submission")
    assert (answer.status_code, answer.json["code"]) == (422, "terms_invalid")
    assert field in answer.json["errors"]


@pytest.mark.parametrize(
    "terms",
    [
        {"opens_at": "yesterday"},
        {"opens_at": "2030-01-01T00:00:00"},
        {"opens_at": {}},
        {"paper": 5},
        {"paper": {"parts": [None]}},
        {"paper": {"parts": [{"banks": "consumer-rights", "count": 5}]}},
        {"limit_seconds": "five"},
        {"limit_seconds": True},
        {"limit_seconds": 10**30},
        {"draw": []},
        {"draw": {"prizes": [{"name": "x", "kind": "car", "quantity": 1, "odds_ppm": 1}]}},
        {"draw": {"prizes": [{"name": "x", "kind": "code", "quantity": -1, "odds_ppm": 1}]}},
        {"draw": {"prizes": [{"name": "x", "kind": "code", "quantity": 1, "odds_ppm": 1_000_001}]}},
        {"roster": ["a"]},
        {"must_win": ["13800000000"]},
        {"eligibility": {"regions": "150402"}},
        {"plan": {"budget_fen": -1}},
    ],
)
def test_terms_of_the_wrong_shape_are_not_even_saved(manager: Bureau, terms: dict[str, Any]) -> None:
    answer = manager.post("", {"slug": "spring", "title": "x", "terms": terms})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")
    assert queries.find_by_slug("spring") is None


def test_an_unfinished_draft_can_be_saved_but_not_submitted(manager: Bureau) -> None:
    created = _create(manager, terms={})
    assert {problem["field"] for problem in created["problems"]} >= {"opens_at", "closes_at", "paper", "pass_count"}
    assert manager.post("/spring/submission").status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"title": "x"},
        {"slug": "Bad Slug", "title": "x"},
        {"slug": "-x", "title": "x"},
        {"slug": "x" * 65, "title": "x"},
        {"slug": "x", "title": ""},
        {"slug": "x", "title": "长" * 41},
        {"slug": "x", "title": "x", "kind": "party"},
        {"slug": "x", "title": "x", "theme": "party"},
        {"slug": "x", "title": "x", "kind": "statutory_exam"},
        {"slug": "x", "title": "x", "host_organisation_id": str(uuid.uuid4())},
        {"slug": "x", "title": "x", "cohost_ids": [str(uuid.uuid4())]},
        {"slug": "x", "title": "x", "unknown": 1},
    ],
)
def test_heads_that_cannot_be_are_refused(manager: Bureau, body: dict[str, Any]) -> None:
    assert manager.post("", body).status_code == 422
    assert queries.find_by_slug("x") is None


def test_an_address_is_used_once(manager: Bureau) -> None:
    _create(manager)
    answer = manager.post("", {"slug": "spring", "title": "另一场"})
    assert (answer.status_code, answer.json["code"]) == (422, "slug_taken")
    _create(manager, "summer")
    assert manager.patch("/summer", {"version": 1, "slug": "spring"}).json["code"] == "slug_taken"
    assert manager.patch("/summer", {"version": 1, "slug": "summer-2"}).status_code == 200


def test_saving_over_a_newer_draft_is_refused_and_changes_nothing(manager: Bureau) -> None:
    _create(manager)
    assert manager.patch("/spring", {"version": 1, "title": "第一个人改的"}).status_code == 200
    answer = manager.patch("/spring", {"version": 1, "title": "第二个人改的"})
    assert (answer.status_code, answer.json["code"], answer.json["current_version"]) == (409, "campaign_changed", 2)
    assert manager.get("/spring").json["title"] == "第一个人改的"


def test_an_approver_publishes_only_what_was_seen(manager: Bureau, approver: Bureau) -> None:
    make_bank(count=30)
    _create(manager)
    seen = manager.post("/spring/submission").json["version"]
    manager.patch("/spring", {"version": seen, "title": "改过"})
    assert manager.get("/spring").json["status"] == "draft"
    manager.post("/spring/submission")
    assert approver.post("/spring/publication", {"version": seen}).json["code"] == "campaign_changed"


def test_a_statutory_exam_has_no_rewards_and_names_its_basis(manager: Bureau, approver: Bureau) -> None:
    make_bank(count=30)
    exam = {"kind": "statutory_exam", "legal_basis": "法治宣传教育法第三十六条"}
    terms = _terms(prizes=ONE_CODE_PRIZE)
    terms["points"]["passed"] = 5
    _create(manager, terms=terms, **exam)
    errors = manager.post("/spring/submission").json["errors"]
    assert set(errors) == {"draw", "points.passed", "eligibility.allows_guests"}
    clean = _terms(eligibility={"allows_guests": False})
    assert manager.patch("/spring", {"version": 1, "terms": clean}).status_code == 200
    assert manager.post("/spring/submission").status_code == 200
    assert approver.post("/spring/publication").json["status"] == "published"


def test_another_units_campaign_does_not_exist(client: FlaskClient, manager: Bureau) -> None:
    county, other = make_organisation("松山区司法局", is_host=True), make_organisation("红山区司法局", is_host=True)
    make_draft("county", host=county)
    stranger, neighbour = Bureau(client, make_staff("campaign_manager", other)), Bureau(client, make_staff("campaign_manager", county))
    for path, body in (("", {"version": 1}), ("/submission", {}), ("/publication", {}), ("/pause", {"reason": "x"}), ("/resumption", {})):
        call = stranger.patch if not path else stranger.post
        assert call(f"/county{path}", body).status_code in (403, 404)
    assert stranger.get("/county").status_code == 404
    assert stranger.get().json["items"] == []
    assert [item["slug"] for item in neighbour.get().json["items"]] == ["county"]
    assert neighbour.get("/county").status_code == 200
    assert manager.get("/county").status_code == 200
    assert neighbour.post("", {"slug": "mine", "title": "x", "host_organisation_id": str(other.id)}).status_code == 422


def test_pause_resume_and_extension(manager: Bureau, approver: Bureau, client: FlaskClient) -> None:
    make_campaign("spring", prizes=ONE_CODE_PRIZE)
    assert manager.post("/spring/resumption").status_code == 409
    assert manager.post("/spring/pause", {"reason": ""}).status_code == 422
    assert manager.post("/spring/pause", {"reason": "奖品补货"}).json["state"] == "paused"
    assert client.get("/api/v1/campaigns/spring").json["state"] == "paused"
    assert manager.post("/spring/pause", {"reason": "再停"}).status_code == 409
    assert manager.post("/spring/resumption").json["state"] == "open"
    before = manager.get("/spring").json
    later = dt.datetime.fromisoformat(before["closes_at"]) + dt.timedelta(days=2)
    assert approver.post("/spring/extension", {"closes_at": before["closes_at"]}).status_code == 422
    assert approver.post("/spring/extension", {"closes_at": "2026-01-01T00:00:00"}).status_code == 422
    extended = approver.post("/spring/extension", {"closes_at": rfc3339(later)}).json
    assert (extended["terms_version"], extended["closes_at"]) == (2, rfc3339(later))
    assert extended["terms_hash"] != before["terms_hash"]
    assert client.get("/api/v1/campaigns/spring").json["closes_at"] == rfc3339(later)
    too_late = rfc3339(later + dt.timedelta(days=30))
    assert approver.post("/spring/extension", {"closes_at": too_late}).json["code"] == "terms_invalid"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CampaignTermsVersion)) == 2


def test_an_ended_campaign_is_not_extended(approver: Bureau) -> None:
    now = utc_now()
    make_campaign("spring", opens_at=now - dt.timedelta(days=3), closes_at=now - dt.timedelta(days=1))
    answer = approver.post("/spring/extension", {"closes_at": rfc3339(now + dt.timedelta(days=1))})
    assert answer.json["code"] == "campaign_ended"


def test_cohosts_sign_before_publication_and_again_after_the_paper_changed(client: FlaskClient, manager: Bureau, approver: Bureau) -> None:
    make_bank(count=30)
    unit, stranger = make_organisation("市税务局"), make_organisation("市总工会")
    signer, other = Bureau(client, make_staff("cohost", unit)), Bureau(client, make_staff("cohost", stranger))
    _create(manager, cohost_ids=[str(unit.id)])
    assert manager.post("/spring/submission").json["errors"].keys() == {"cohosts"}
    assert signer.get("/spring").status_code == 200
    assert other.get("/spring").status_code == 404
    assert other.post("/spring/signatures", {"organisation_id": str(stranger.id)}).status_code == 404
    assert other.post("/spring/signatures", {"organisation_id": str(unit.id)}).status_code == 404
    signed = signer.post("/spring/signatures", {"organisation_id": str(unit.id)}).json
    assert signed["cohosts"][0]["signed_off_at"]
    changed = manager.patch("/spring", {"version": signed["version"], "terms": {"paper": _terms(question_count=4)["paper"]}}).json
    assert changed["cohosts"][0]["signed_off_at"] is None
    signer.post("/spring/signatures", {"organisation_id": str(unit.id)})
    assert manager.post("/spring/submission").status_code == 200
    assert signer.post("/spring/publication").status_code == 403
    assert approver.post("/spring/publication").status_code == 200


def test_a_later_version_keeps_prizes_kind_and_beginning(manager: Bureau, approver: Bureau, client: FlaskClient) -> None:
    make_campaign("spring", prizes=ONE_CODE_PRIZE)
    first = manager.get("/spring").json
    assert manager.patch("/spring", {"version": first["version"], "slug": "other"}).status_code == 422
    assert manager.patch("/spring", {"version": first["version"], "kind": "statutory_exam", "legal_basis": "x"}).status_code == 422
    draw = {**first["draft"]["draw"], "prizes": [{**first["draft"]["draw"]["prizes"][0], "quantity": 1}]}
    changed = manager.patch("/spring", {"version": first["version"], "terms": {"draw": draw}}).json
    assert {problem["field"] for problem in changed["problems"] if problem["severity"] == "error"} == {"draw"}
    mended = manager.patch("/spring", {"version": changed["version"], "terms": {"draw": first["draft"]["draw"], "pass_count": 2}}).json
    assert client.get("/api/v1/campaigns/spring").json["pass_count"] == 4
    waiting = manager.post("/spring/submission", {"version": mended["version"]}).json
    assert (waiting["status"], waiting["is_waiting"], waiting["terms_version"]) == ("published", True, 1)
    published = approver.post("/spring/publication").json
    assert (published["terms_version"], published["is_waiting"]) == (2, False)
    assert client.get("/api/v1/campaigns/spring").json["pass_count"] == 2


def test_an_approver_sends_back_with_a_reason(manager: Bureau, approver: Bureau) -> None:
    make_bank(count=30)
    _create(manager)
    assert approver.post("/spring/return", {"reason": "x"}).status_code == 409
    manager.post("/spring/submission")
    assert approver.post("/spring/return", {"reason": "奖品太多"}).json["status"] == "draft"
    entry = db.session.scalars(sa.select(AuditEntry).filter_by(action="campaign.returned")).one()
    assert entry.changes == {"reason": "奖品太多"}


def test_the_list_pages_and_filters(manager: Bureau) -> None:
    for number in range(5):
        make_draft(f"draft-{number}")
    make_campaign("open")
    page = manager.get("?limit=4").json
    rest = manager.get(f"?limit=4&after={page['next']}").json
    slugs = [item["slug"] for item in page["items"] + rest["items"]]
    assert len(slugs) == len(set(slugs)) == 6
    assert rest["next"] is None
    assert [item["slug"] for item in manager.get("?state=open").json["items"]] == ["open"]
    assert len(manager.get("?state=draft").json["items"]) == 5
    for query in ("?state=party", "?limit=0", "?limit=x", "?after=%20", "?after=AAAA"):
        assert manager.get(query).status_code == 422, query


def test_others_are_kept_out(client: FlaskClient, app: Flask) -> None:
    make_campaign("spring")
    assert client.get(PATH).status_code == 401
    assert client.get(PATH, headers=headers_for(make_citizen())).status_code == 401
    assert client.get(PATH, headers=headers_for(make_staff("question_editor"))).status_code == 403
    assert client.post(PATH, json={"slug": "x", "title": "x"}, headers=headers_for(make_staff("approver"))).status_code == 403
    reader = Bureau(client, make_staff("finance"))
    assert reader.get("/spring").status_code == 200
    assert reader.post("/spring/pause", {"reason": "x"}).status_code == 403

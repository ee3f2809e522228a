"""Later versions: only in the entrants' favour after the start, both shown, differences in words."""

import copy
import dataclasses
import datetime as dt
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from quizapp.audit.services import SYSTEM, Actor
from quizapp.campaigns import files, queries, services, wording
from quizapp.campaigns.checks.entrants import against_entrants, version_problems
from quizapp.campaigns.errors import TermsInvalid
from quizapp.campaigns.terms import SCHEMA, Terms, from_dict
from quizapp.campaigns.wording import Rule
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from tests.campaigns.test_rule_sets import FILES
from tests.factories import accounts, campaigns, questions

R38 = files.read_file(FILES["R38"]).body
R04 = files.read_file(FILES["R04"]).body


def _terms(body: dict[str, Any]) -> Terms:
    return from_dict({"schema": SCHEMA, **body})


def _with(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The body with the value at ``a.0.b`` replaced."""
    changed = copy.deepcopy(body)
    node: Any = changed
    *way, last = path.split(".")
    for step in way:
        node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
    node[int(last) if isinstance(node, list) else last] = value
    return changed


@pytest.mark.parametrize(
    ("body", "path", "value"),
    [
        (R38, "closes_at", "2022-08-15 24:00"),
        (R38, "tries.per_day", 2),
        (R38, "tries.per_day", None),
        (R38, "limit_seconds", 600),
        (R38, "limit_seconds", None),
        (R38, "pass_count", 2),
        (R38, "points_per_day", 30),
        (R38, "prizes.0.quantity", 3000),
        (R38, "prizes.0.claim_days", 60),
        (R38, "awards.0.bands.0.gifts.0.amount", 3),
        (R38, "awards.3.bands.0.when.at_least", 200),
        (R38, "requires.at_least", 0),
        (R38, "claim.pickup_after_days", 3),
        (R38, "claim.pickup_points", ["一号派出所"]),
        (R38, "paper.parts.0.banks", ["constitution"]),
        (R38, "large_type_percent", 200),
        (R38, "actions.0.seconds", 10),
        (R38, "awards", [*R38["awards"], {"id": "more", "bands": [{"gifts": [{"kind": "points", "amount": 1}]}]}]),
        (R38, "awards.0.title", "读一篇"),
        (R04, "stages.2.closes_at", "2023-12-06 24:00"),
        (R04, "eligibility.asks_organisation", False),
        (R04, "claim.deferred_until", "2023-12-18 10:00"),
        (R04, "objection_days", 7),
    ],
)
def test_what_gives_more_may_be_published_after_the_start(body: dict[str, Any], path: str, value: Any) -> None:
    assert against_entrants(_terms(body), _terms(_with(body, path, value))) == []


@pytest.mark.parametrize(
    ("body", "path", "value", "field"),
    [
        (R38, "closes_at", "2022-07-30 24:00", "closes_at"),
        (R38, "opens_at", "2022-05-02 00:00", "opens_at"),
        (R38, "tries.total", 5, "tries.total"),
        (R38, "limit_seconds", 60, "limit_seconds"),
        (R38, "pass_count", 5, "pass_count"),
        (R38, "points_per_day", 10, "points_per_day"),
        (R38, "prizes.0.quantity", 1999, "prizes[1].quantity"),
        (R38, "prizes.0.claim_days", 10, "prizes[1].claim_days"),
        (R38, "prizes.0.name", "别的礼包", "prizes"),
        (R38, "prizes.0.kind", "points", "prizes[1].kind"),
        (R38, "awards.0.bands.0.gifts.0.amount", 1, "awards[1].bands[1].gifts[1].amount"),
        (R38, "awards.3.bands.0.when.at_least", 400, "awards[4].bands[1].when"),
        (R38, "awards.3.total", None, ""),
        (R38, "awards", R38["awards"][1:], "awards"),
        (R38, "requires.at_least", 3, "requires"),
        (R38, "requires_per", "campaign", "requires_per"),
        (R38, "claim.pickup_after_days", 9, "claim.pickup_after_days"),
        (R38, "paper.parts.0.count", 8, "paper.parts[1].count"),
        (R38, "eligibility.regions", ["1504"], "eligibility.regions"),
        (R38, "eligibility.allows_guests", False, "eligibility.allows_guests"),
        (R38, "entry", {"fields": [{"id": "g", "label": "年级", "purpose": "统计"}]}, "entry"),
        (R38, "sanctions.voids_person", True, "sanctions.voids_person"),
        (R38, "feedback", "after_close", "feedback"),
        (R04, "draws.0.tiers.0.quantity", 9000, "draws"),
        (R04, "stages.2.closes_at", "2023-12-04 24:00", "stages[3].closes_at"),
        (R04, "stages", R04["stages"][:2], "stages"),
        (R04, "claim.deferred_until", "2023-12-28 10:00", "claim.deferred_until"),
        (R04, "measures.0.where.at_least", 2, "measures[1].where"),
    ],
)
def test_what_takes_something_is_refused_by_name(body: dict[str, Any], path: str, value: Any, field: str) -> None:
    found = against_entrants(_terms(body), _terms(_with(body, path, value)))
    assert [one.field for one in found] == ([field] if field else [])
    assert all(one.is_error and one.message.endswith("。") for one in found)


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_same_terms_again_take_nothing(name: str) -> None:
    terms = _terms(files.read_file(FILES[name]).body)
    assert against_entrants(terms, dataclasses.replace(terms)) == []


@given(st.sampled_from(sorted(FILES)), st.sampled_from(sorted(FILES)))
def test_any_two_rule_sets_can_be_compared(left: str, right: str) -> None:
    old, new = _terms(files.read_file(FILES[left]).body), _terms(files.read_file(FILES[right]).body)
    assert (against_entrants(old, new) == []) is (left == right)


def test_before_the_start_only_what_was_sealed_stays() -> None:
    old, new = _terms(R38), _terms(_with(R38, "pass_count", 5))
    assert version_problems(old, new, old.opens_at - dt.timedelta(seconds=1)) == []
    assert [one.field for one in version_problems(old, new, old.opens_at)] == ["pass_count"]
    moved = _terms(_with(R38, "opens_at", "2022-05-02 00:00"))
    assert [one.field for one in version_problems(old, moved, old.opens_at - dt.timedelta(days=1))] == ["opens_at"]


def test_differences_are_told_in_words() -> None:
    old = [Rule("时间", ("到三月。",)), Rule("奖励", ("一。", "二。")), Rule("旧的", ("去掉我。",))]
    new = [Rule("时间", ("到四月。",)), Rule("奖励", ("一。", "二。", "三。"))]
    assert wording.changes(old, new) == ["时间：原来是“到三月”，现在是“到四月”。", "奖励：新增“三”。", "旧的：去掉“去掉我”。"]
    assert wording.changes(old, old) == []


# ---- pages and API


def _running(client: FlaskClient, **values: Any) -> None:
    with transaction():
        accounts.reference_data()
        questions.make_bank("consumer-rights", count=12)
        campaigns.make_campaign("now", **values)
    queries.forget_campaigns()


def _manager() -> Actor:
    staff = accounts.make_staff("campaign_manager")
    return Actor("staff", staff.id, "经办人")


def _publish_with(**changes: Any) -> None:
    """Change the draft of the running campaign and publish it as its next version."""
    view = queries.get_campaign("now")
    now = utc_now()
    with transaction():
        campaign = queries.lock_campaign(view.id)
        draft = {**campaign.draft, **changes}
        services.save_draft(view.id, expected_version=campaign.version, draft=draft, now=now, actor=SYSTEM)
        services.submit_for_approval(view.id, now=now, actor=_manager())
        services.publish_campaign(view.id, now=now, actor=SYSTEM)
    queries.forget_campaigns()


def test_the_page_and_the_api_show_both_versions_and_what_changed(app: Flask, client: FlaskClient) -> None:
    _running(client, per_day=2)
    view = queries.get_campaign("now")
    _publish_with(tries={"per_day": 4}, pass_count=3)
    page = BeautifulSoup(client.get("/campaigns/now/rules").text, "html.parser")
    told = [item.text for item in page.select("#changes li")]
    assert told == [
        "次数和合格：原来是“每人每天 2 次，零点更新。转发、点赞不换次数”，现在是“每人每天 4 次，零点更新。转发、点赞不换次数”。",
        "次数和合格：原来是“答对 4 道及以上为合格”，现在是“答对 3 道及以上为合格”。",
    ]
    (link,) = page.select("#changes a")
    assert link["href"].endswith("?version=1")
    old = BeautifulSoup(client.get(link["href"]).text, "html.parser")
    assert "答对 4 道及以上为合格。" in old.text
    assert old.select("#changes") == []
    assert app.config["CONTACT"] in old.text
    body = client.get("/api/v1/campaigns/now/rules").json
    assert [(one["version"], one["changes"]) for one in body["versions"]] == [(1, []), (2, told)]
    assert body["rules"] == body["versions"][1]["rules"]
    assert body["versions"][0]["hash"] == view.terms_hash
    assert any("答对 4 道" in sentence for rule in body["versions"][0]["rules"] for sentence in rule["sentences"])
    shown = [heading.text for heading in page.select("section.card h2")]
    assert [rule["title"] for rule in body["rules"]] == [title for title in shown if title in {rule["title"] for rule in body["rules"]}]


def test_a_running_campaign_cannot_take_tries_away(client: FlaskClient) -> None:
    _running(client, per_day=3)
    with pytest.raises(TermsInvalid) as refusal:
        _publish_with(tries={"per_day": 2})
    assert [problem.field for problem in refusal.value.problems if problem.is_error] == ["tries.per_day"]


def test_a_campaign_that_has_not_begun_may_still_change_its_tries(client: FlaskClient) -> None:
    now = utc_now()
    _running(client, per_day=3, opens_at=now + dt.timedelta(days=1), closes_at=now + dt.timedelta(days=3))
    _publish_with(tries={"per_day": 2})
    assert queries.get_campaign("now").terms.tries.per_day == 2

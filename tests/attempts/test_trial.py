"""A test run plays the draft's paper to its result and a pretend draw, and leaves nothing but its entry in the trail."""

import datetime as dt
import random
import re
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask, current_app
from flask.testing import FlaskClient

from quizapp.attempts import trial
from quizapp.attempts.errors import InvalidChoice, TrialOver
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.preview import draft_view
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import PrizeTerms
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.questions import queries as questions
from quizapp.questions.rules import shown_answer
from tests.factories.accounts import make_staff, reference_data, sign_in
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_draft, make_terms

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture(autouse=True)
def _no_csrf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quizapp.web.security.csrf.protect", lambda: None)


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    reference_data()
    return sign_in(app.test_client(), make_staff("campaign_manager"))


def _counts() -> dict[str, int]:
    db.session.rollback()
    return {table.name: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in db.metadata.sorted_tables}


def _soup(answer: Any, status: int = 200) -> BeautifulSoup:
    assert answer.status_code == status, answer.headers.get("Location")
    return BeautifulSoup(answer.text, "html.parser")


def _right_letters(campaign: Campaign, page: BeautifulSoup) -> list[str]:
    """What a citizen who knows the law would tick."""
    view = draft_view(campaign)
    assert view is not None
    state = page.select_one("form#q input[name=state]")["value"]
    begun = trial.unseal(state, current_app.config["SECRET_KEY"], view)
    question = begun.questions[int(page.select_one("input[name=position]")["value"]) - 1]
    revision = questions.get_revisions([question.revision_id])[question.revision_id]
    return list(shown_answer(revision, question.choice_order))


def _play(client: FlaskClient, campaign: Campaign, knows: int = 5, **who: str) -> BeautifulSoup:
    """Start, answer the first ``knows`` questions right and leave the others, hand in."""
    page = _soup(client.post(f"/admin/campaigns/{campaign.id}/trial", data={"group": "resident", "age_band": "18_59", **who}))
    for number in range(1, 6):
        form = {field["name"]: field["value"] for field in page.select("form#q input[type=hidden]")}
        letters = _right_letters(campaign, page) if number <= knows else []
        data = {**form, "ans": letters, "go": "next" if number < 5 else "hand_in"}
        page = _soup(client.post(f"/admin/campaigns/{campaign.id}/trial/answers", data=data))
        assert "试答" in page.text
    return page


def test_a_test_run_is_played_to_its_end_and_writes_one_line_of_the_trail(manager: FlaskClient) -> None:
    campaign = make_draft("spring", terms=make_terms(prizes=ONE_CODE_PRIZE))
    assert _soup(manager.get(f"/admin/campaigns/{campaign.id}/trial")).select_one("form select[name=group]")
    before = _counts()
    page = _play(manager, campaign)
    after = _counts()
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {"audit_entries": 1}
    entry = db.session.execute(sa.text("SELECT action, changes FROM audit_entries ORDER BY at DESC LIMIT 1")).one()
    assert entry.action == "campaign.tried"
    assert page.select_one(".score .n").text.split()[0] == "5"
    assert "试抽，不是真的" in page.text
    assert "话费券" in page.text, "the one prize has odds 1"


def test_a_test_run_of_a_campaign_that_is_out_leaves_its_figures_alone(manager: FlaskClient) -> None:
    campaign = make_campaign("spring", prizes=ONE_CODE_PRIZE)
    before = _counts()
    _play(manager, campaign, knows=4)
    after = _counts()
    assert {name for name in after if after[name] != before[name]} == {"audit_entries"}


def test_who_fails_or_does_not_draw_has_no_pretend_draw(manager: FlaskClient) -> None:
    campaign = make_draft("spring", terms=make_terms(prizes=ONE_CODE_PRIZE))
    assert "试抽" not in _play(manager, campaign, knows=3).text
    assert "试抽" not in _play(manager, campaign, group="civil_servant").text
    assert "试抽" not in _play(manager, campaign, age_band="14_17").text


def test_large_type_is_played_in_large_type(manager: FlaskClient) -> None:
    campaign = make_draft("spring")
    page = _soup(manager.post(f"/admin/campaigns/{campaign.id}/trial", data={"large": "1"}))
    assert page.select_one("html.is-large")
    begun, ends = (page.select_one("[data-timer]")[name] for name in ("data-now", "data-deadline"))
    minutes = (_moment(ends) - _moment(begun)).total_seconds() / 60
    assert 7.9 < minutes <= 8


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_a_changed_draft_a_strange_page_and_a_thin_bank_end_the_run(manager: FlaskClient) -> None:
    campaign = make_draft("spring")
    url = f"/admin/campaigns/{campaign.id}/trial"
    page = _soup(manager.post(url))
    form = {field["name"]: field["value"] for field in page.select("form#q input[type=hidden]")}
    assert manager.post(f"{url}/answers", data={**form, "state": form["state"][:-2] + "xx"}).status_code == 302
    assert manager.post(f"{url}/answers", data={}).status_code == 302
    assert _soup(manager.post(f"{url}/answers", data={**form, "ans": ["Z"]}), 422).select_one(".err")
    with transaction():
        db.session.execute(sa.update(Campaign).values(draft={**campaign.draft, "pass_count": 2}))
    assert manager.post(f"{url}/answers", data=form).status_code == 302
    thin = make_draft("thin", terms=make_terms(question_count=99, pass_count=4))
    before = _counts()
    assert manager.post(f"/admin/campaigns/{thin.id}/trial").status_code == 302
    assert _counts() == before, "a paper that cannot be drawn is no test run"
    empty = make_draft("empty", terms={})
    assert _soup(manager.get(f"/admin/campaigns/{empty.id}/trial")).select_one(".note-gold")
    assert manager.post(f"/admin/campaigns/{empty.id}/trial").status_code == 302


def test_only_who_may_edit_the_campaign_plays_it(app: Flask, manager: FlaskClient) -> None:
    campaign = make_draft("spring")
    approver = sign_in(app.test_client(), make_staff("approver"))
    assert approver.get(f"/admin/campaigns/{campaign.id}/trial").status_code == 403
    assert approver.post(f"/admin/campaigns/{campaign.id}/trial").status_code == 403


def _view(campaign: Campaign) -> CampaignView:
    view = draft_view(campaign)
    assert view is not None
    return view


def test_the_page_holds_no_key_and_cannot_be_forged(manager: FlaskClient) -> None:
    view = _view(make_draft("spring"))
    begun = trial.begin(view, view.terms.main, group="", age_band="18_59", is_large=False, rng=random.Random(1), now=utc_now())
    text = trial.seal(begun, "k" * 32)
    assert trial.unseal(text, "k" * 32, view) == begun
    with pytest.raises(TrialOver):
        trial.unseal(text, "j" * 32, view)
    with pytest.raises(TrialOver):
        trial.unseal(text, "k" * 32, _view(make_draft("summer", terms=make_terms(pass_count=3))))
    with pytest.raises(InvalidChoice):
        trial.answered(begun, 1, ["A", "A"], "multiple")
    assert not re.search("answer|correct", text)


def test_pretend_draws_follow_the_odds(manager: FlaskClient) -> None:
    prizes = (PrizeTerms("一", "code", 1, 300_000), PrizeTerms("二", "code", 1, 200_000))
    draw = make_terms(prizes=prizes).draw
    assert draw is not None
    rng = random.Random(7)
    results = [trial.pretend(draw, rng) for _ in range(20_000)]
    counts = {name: sum(prize is not None and prize.name == name for prize in results) for name in ("一", "二")}
    assert abs(counts["一"] - 6000) < 300
    assert abs(counts["二"] - 4000) < 300

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts import seeds as accounts_seeds
from quizapp.campaigns import queries, rules
from quizapp.campaigns.models import Campaign, CampaignTermsVersion
from quizapp.campaigns.seeds import EXAM_SLUG, load_demo_campaigns
from quizapp.campaigns.terms import to_dict
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.lottery.models import PrizePool
from quizapp.questions.seeds import load_shipped_banks
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_draft, make_terms
from tests.factories.questions import make_bank

pytestmark = pytest.mark.usefixtures("app")


def _check(app: Flask, what: str | Path) -> tuple[int, list[dict[str, Any]]]:
    result = app.test_cli_runner().invoke(args=["campaigns", "check", str(what), "--format", "json"])
    db.session.rollback()
    report = json.loads(result.output)
    assert report["errors"] == sum(one["severity"] == "error" for one in report["problems"])
    return result.exit_code, report["problems"]


def _file(tmp_path: Path, body: Any) -> Path:
    path = tmp_path / "campaign.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    return path


def test_a_sound_file_passes_with_and_without_its_banks(app: Flask, tmp_path: Path) -> None:
    path = _file(tmp_path, to_dict(make_terms(prizes=ONE_CODE_PRIZE)))
    code, problems = _check(app, path)
    assert (code, [one["severity"] for one in problems]) == (0, ["warning"])
    make_bank(count=30)
    assert _check(app, path) == (0, [])


def test_a_file_may_carry_its_head(app: Flask, tmp_path: Path) -> None:
    terms = to_dict(make_terms(prizes=ONE_CODE_PRIZE))
    exam = {"kind": "statutory_exam", "legal_basis": "", "title": "考试", "terms": terms}
    code, problems = _check(app, _file(tmp_path, exam))
    assert code == 1
    assert {one["field"] for one in problems if one["severity"] == "error"} == {"draw", "legal_basis", "eligibility.allows_guests"}


@pytest.mark.parametrize("text", ["{", "[]", "null", "3", '"x"', "{}", '{"terms": 3}', "[" * 100_000])
def test_a_file_that_is_no_campaign_fails_without_a_traceback(app: Flask, tmp_path: Path, text: str) -> None:
    code, problems = _check(app, _file(tmp_path, text))
    assert code == 1
    assert problems


def test_too_few_questions_fail(app: Flask, tmp_path: Path) -> None:
    make_bank(count=4)
    code, problems = _check(app, _file(tmp_path, to_dict(make_terms())))
    assert (code, [one["field"] for one in problems]) == (1, ["paper.parts[1].count"])


def test_a_campaign_is_checked_by_its_slug(app: Flask) -> None:
    make_draft("draft", terms={"opens_at": None})
    assert _check(app, "draft")[0] == 1
    make_campaign("fine")
    assert _check(app, "fine")[0] == 0
    assert app.test_cli_runner().invoke(args=["campaigns", "check", "nothing"]).exit_code == 1


def test_demo_campaigns_are_published_once(app: Flask) -> None:
    with transaction():
        accounts_seeds.load_reference_data()
        accounts_seeds.load_demo_staff()
        load_shipped_banks()
        load_demo_campaigns()
    counts = [db.session.scalar(sa.select(sa.func.count()).select_from(table)) for table in (Campaign, CampaignTermsVersion, PrizePool)]
    assert counts == [6, 5, 5]
    with transaction():
        load_demo_campaigns()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CampaignTermsVersion)) == 5
    queries.forget_campaigns()
    now = utc_now()
    phases = [(view.slug, rules.phase(view.status, view.terms, now)) for view in queries.list_visible(now)]
    assert phases == [
        ("clean-world", "open"),
        ("consumer-rights", "soon"),
        ("ethnic-unity", "ended"),
        ("tax-benefits", "ended"),
        ("labour-rights", "ended"),
    ]
    assert queries.get_campaign("clean-world").cohosts == ("赤峰市生态环境局（演示）",)
    exam = queries.find_by_slug(EXAM_SLUG)
    assert exam is not None
    assert (exam.status, exam.kind) == ("draft", "statutory_exam")
    for slug in ("clean-world", EXAM_SLUG):
        assert _check(app, slug)[0] == 0, _check(app, slug)

"""Every page: no sideways scroll at four widths and in large type, no serious axe finding, first load within the budget,
no request to another host, nothing the CSP refuses. Pages are found in the URL map, so that a new one joins by itself."""

import gzip
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Error as PlaywrightError

from quizapp.accounts.models import StaffAccount
from quizapp.attempts.models import Attempt
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db
from quizapp.lottery.models import Draw, Prize
from quizapp.payouts.models import Payout
from quizapp.questions.models import Question, QuestionBank
from quizapp.reporting.models import ReportRequest
from tests.journeys.conftest import Site, Watch
from tests.journeys.steps import play_and_register, sign_in_staff

WIDTHS = (320, 375, 768, 1440)
CONSOLE_WIDTHS = (768, 1440)
PHONE_CONSOLE = ("/admin/", "/admin/desk", "/admin/reports")
NOT_PAGES = ("/static/", "/api/", "/healthz", "/readyz", "/metrics")
BUDGET_BYTES = 60 * 1024
DOWNLOADS = (".csv", ".xlsx", ".json", ".jsonl", "/file", "/export", "/download")


def _values(site: Site) -> dict[str, str]:
    """A real value for each kind of path argument."""
    with site.app.app_context():
        session = db.session

        def one(column: "sa.ColumnElement[uuid.UUID]", *order: "sa.ColumnElement[object]") -> str:
            return str(session.scalar(sa.select(column).order_by(*order).limit(1)) or uuid.uuid4())

        found = {
            "slug": str(
                session.scalar(sa.select(Campaign.slug).where(Campaign.status == "published").order_by(Campaign.opens_at.desc()).limit(1))
            ),
            "bank_slug": str(session.scalar(sa.select(QuestionBank.slug).limit(1))),
            "bank": str(session.scalar(sa.select(QuestionBank.slug).limit(1))),
            "attempt_id": str(session.scalar(sa.select(Draw.id).limit(0)) or one(Attempt.id, Attempt.started_at.desc())),
            "payout_id": one(Payout.id),
            "draw_id": one(Draw.id),
            "question_id": one(Question.id),
            "staff_id": one(StaffAccount.id),
            "prize_id": one(Prize.id),
            "report_id": one(ReportRequest.id),
            "request_id": one(ReportRequest.id),
        }
        session.remove()
        return found


def _paths(site: Site, *, is_admin: bool) -> Iterator[str]:
    values = _values(site)
    for rule in sorted(site.app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(NOT_PAGES) or rule.rule.endswith(DOWNLOADS):
            continue
        if rule.rule.startswith("/admin") != is_admin:
            continue
        if rule.arguments - values.keys() - {"position", "step"}:
            continue
        arguments = {name: values.get(name, "1") for name in rule.arguments}
        with site.app.test_request_context():
            yield site.app.url_map.bind("").build(rule.endpoint, {k: _typed(rule, k, v) for k, v in arguments.items()})


def _typed(rule: object, name: str, value: str) -> object:
    converter = rule._converters[name]  # type: ignore[attr-defined]  # werkzeug keeps them there
    return converter.to_python(value)


def _overflow(context: BrowserContext, path: str, width: int) -> list[str]:
    page = context.pages[0]
    page.set_viewport_size({"width": width, "height": 812})
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [f"{path} at {width}: {wide} px wide"] if wide > width else []


def _findings(context: BrowserContext, path: str) -> list[str]:
    results = Axe().run(context.pages[0], options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    return [
        f"{path}: {item['id']} {item['help']} ({len(item['nodes'])}): {json.dumps(item['nodes'][0]['target'], ensure_ascii=False)}"
        for item in results.response["violations"]
    ]


def _walk(context: BrowserContext, site: Site, paths: list[str], widths: tuple[int, ...]) -> tuple[list[str], int]:
    """Visit each page in both sizes of type. Returns what is wrong and how many pages answered as pages."""
    wrong: list[str] = []
    count = 0
    page = context.pages[0]
    watch = Watch(page, site.url)
    for path in paths:
        bodies: dict[str, int] = {}

        def keep(answer: object, bodies: dict[str, int] = bodies) -> None:
            if answer.status == 200:  # type: ignore[attr-defined]  # a playwright response
                bodies[answer.url] = len(gzip.compress(answer.body(), 6))  # type: ignore[attr-defined]  # the same

        page.on("response", keep)
        try:
            answer = page.goto(path, wait_until="load")
        except PlaywrightError as error:
            if "Download is starting" not in error.message:
                raise
            answer = None
        page.remove_listener("response", keep)
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        if answer.status >= 500:
            wrong.append(f"{path}: {answer.status}")
        count += 1
        if path.startswith("/admin") is False and sum(bodies.values()) > BUDGET_BYTES:
            wrong.append(f"{path}: first load {sum(bodies.values())} bytes")
        sizes = (*widths, 375) if path in PHONE_CONSOLE else widths
        for width in sizes:
            wrong += _overflow(context, path, width)
        wrong += _findings(context, path)
        page.evaluate("document.documentElement.classList.add('is-large')")
        for width in sizes:
            wrong += [f"{line} in large type" for line in _overflow(context, path, width)]
    watch.check()
    return wrong, count


@pytest.mark.journey
def test_citizen_pages_fit_and_are_accessible_signed_out_and_in(browser: Browser, site: Site) -> None:
    for is_signed_in in (False, True):
        context = browser.new_context(base_url=site.url, locale="zh-CN")
        context.set_default_timeout(15_000)
        page = context.new_page()
        if is_signed_in:
            play_and_register(page, site, "13700000101")
        wrong, count = _walk(context, site, list(_paths(site, is_admin=False)), WIDTHS)
        context.close()
        assert wrong == []
        assert count > 10


@pytest.mark.journey
@pytest.mark.parametrize(
    "role", ["campaign_manager", "approver", "finance", "security_admin", "system_admin", "audit_admin", "report_reader", "question_editor"]
)
def test_console_pages_fit_and_are_accessible(browser: Browser, site: Site, role: str) -> None:
    context = browser.new_context(base_url=site.url, locale="zh-CN")
    context.set_default_timeout(15_000)
    page = context.new_page()
    sign_in_staff(page, role)
    wrong, count = _walk(context, site, list(_paths(site, is_admin=True)), CONSOLE_WIDTHS)
    context.close()
    assert wrong == []
    assert count > 3


@pytest.mark.journey
def test_no_page_weighs_more_than_its_pictures_allow() -> None:
    """The shared stylesheets and scripts alone stay within half the budget."""
    folder = Path(__file__).resolve().parents[2] / "quizapp" / "web" / "static"
    shared = [folder / "css" / f"{name}.css" for name in ("tokens", "base", "citizen")] + [
        folder / "js" / "app.js",
        folder / "js" / "quiz.js",
    ]
    assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in shared) < BUDGET_BYTES / 2

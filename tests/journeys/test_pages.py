"""Every page: no sideways scroll at four widths and in large type, no serious axe finding, first load within the budget,
no request to another host, nothing the CSP refuses. Pages are found in the URL map, so that a new one joins by itself."""

import gzip
import itertools
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Error as PlaywrightError

from quizapp.accounts.models import StaffAccount
from quizapp.attempts.models import Attempt, AttemptQuestion
from quizapp.audit.services import SYSTEM
from quizapp.campaigns.models import Campaign, CampaignHost
from quizapp.certificates.models import Certificate
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.lottery.models import Draw, Prize, Win
from quizapp.lottery.pool_models import PoolDrawRun
from quizapp.payouts import services as payout_services
from quizapp.payouts.jobs import work_notices
from quizapp.payouts.models import NoticeObjection, Payout, PayoutItem, WinnersNotice
from quizapp.questions import services as question_services
from quizapp.questions.exchange import imports
from quizapp.questions.exchange import jobs as import_jobs
from quizapp.questions.exchange.saving import Options
from quizapp.questions.exchange_models import QuestionImport
from quizapp.questions.models import FaultReport, KeyCorrection, Question, QuestionBank
from quizapp.reporting.models import ReportRequest
from quizapp.statutes.models import Statute
from quizapp.statutes.seeds import DOCUMENT
from tests.journeys.conftest import Site, Watch
from tests.journeys.steps import play_and_register, sign_in_staff

WIDTHS = (320, 375, 768, 1440)
CONSOLE_WIDTHS = (768, 1440)
PHONE_CONSOLE = ("/admin/", "/admin/desk", "/admin/reports")
NOT_PAGES = ("/static/", "/api/", "/healthz", "/readyz", "/metrics")
BUDGET_BYTES = 60 * 1024
DOWNLOADS = (".csv", ".xlsx", ".json", ".jsonl", "/file", "/export", "/download")


def _make_sure_of_notices(site: Site) -> None:
    """The notices of the demo's winners, and an objection to one."""
    with site.app.app_context():
        work_notices()
        with transaction():
            notice = db.session.scalars(sa.select(WinnersNotice).where(WinnersNotice.objection_until > utc_now())).first()
            if notice is not None and db.session.scalar(sa.select(NoticeObjection.id).limit(1)) is None:
                payout_services.object_to(notice=notice, reference="", reason="名单里好像有重复的抽奖号。", now=utc_now())


def _make_sure_of_certificates(site: Site) -> None:
    """A certificate of a demo citizen's win."""
    with site.app.app_context(), transaction():
        won = sa.select(Payout).where(Payout.source_type == "win", Payout.state != "void")
        payout = db.session.scalars(won.order_by(Payout.id).limit(1)).first()
        if payout is not None:
            payout_services.certify_win(payout_id=payout.id, citizen_id=payout.citizen_id, now=utc_now())


def _make_sure_of_corrections(site: Site) -> None:
    """A citizen's report and a proposed key, so that their pages have something to show."""
    with site.app.app_context(), transaction():
        if db.session.scalar(sa.select(FaultReport.id).limit(1)) is not None:
            return
        graded = sa.select(Attempt.id, Attempt.citizen_id, AttemptQuestion.revision_id)
        graded = graded.join(AttemptQuestion, AttemptQuestion.attempt_id == Attempt.id).where(Attempt.state == "graded")
        attempt_id, citizen_id, revision_id = db.session.execute(graded.limit(1)).one()
        now = utc_now()
        question_services.report_fault(
            citizen_id=citizen_id, attempt_id=attempt_id, revision_id=revision_id, reason="key", text="答案对不上", now=now
        )
        proposal = question_services.Proposal(revision_id, (), "题目不成立", "这道题出得不好，人人得分。", suspends=False)
        question_services.propose_correction(proposal, now=now, actor=SYSTEM)


IMPORTED = "1、哪个对？\nA、甲\nB、乙\n答案：A\n2、哪个错？\nA、甲\nB、乙\n答案：E\n"


def _make_sure_of_imports(site: Site, slug: str) -> None:
    """Two files of the demo's editor: one taken in, one looked through."""
    with site.app.app_context():
        editor_id = db.session.scalar(sa.select(StaffAccount.id).filter_by(username="demo-question_editor"))
        assert editor_id is not None
        if db.session.scalar(sa.select(QuestionImport.id).limit(1)) is not None:
            return
        for is_last in (False, True):
            with transaction():
                row, _replaced = imports.request_check(
                    bank_slug=slug, file_name="题.txt", size=len(IMPORTED), organisation_id=None, staff_id=editor_id, now=utc_now()
                )
                imports.put_bytes(import_jobs.storage(), imports.source_key(row.id), IMPORTED.encode())
            import_jobs.work_now(row.id)
            if not is_last:
                with transaction():
                    imports.confirm_import(row.id, Options(), staff_id=editor_id)
                import_jobs.work_now(row.id)


def _values(site: Site) -> dict[str, list[str]]:
    """Real values for each kind of path argument, all of which are visited."""
    _make_sure_of_corrections(site)
    _make_sure_of_notices(site)
    _make_sure_of_certificates(site)
    with site.app.app_context():
        session = db.session

        def one(column: "sa.ColumnElement[uuid.UUID]", *order: "sa.ColumnElement[object]") -> list[str]:
            return [str(session.scalar(sa.select(column).order_by(*order).limit(1)) or uuid.uuid4())]

        published = sa.select(Campaign.slug, Campaign.id).where(Campaign.status == "published").order_by(Campaign.opens_at.desc())
        slug, published_id = session.execute(published.limit(1)).one()
        _make_sure_of_imports(site, slug)
        draft_id = session.scalar(sa.select(Campaign.id).where(Campaign.status == "draft").limit(1))
        codes = sa.select(Question.code).join(QuestionBank, QuestionBank.id == Question.bank_id).where(QuestionBank.slug == slug)
        code = session.scalar(codes.order_by(Question.code).limit(1))
        assert draft_id is not None
        assert code is not None, "the demo's banks bear the names of its campaigns"
        hosted = session.scalar(sa.select(CampaignHost.organisation_id).where(CampaignHost.campaign_id == published_id).limit(1))
        found = {
            "slug": [str(slug)],
            "code": [str(code)],
            "campaign_id": [str(published_id), str(draft_id)],
            "step": ["1", "2", "3", "4", "5"],
            "position": ["1"],
            "attempt_id": one(Attempt.id, Attempt.started_at.desc()),
            "payout_id": one(Payout.id),
            "organisation_id": [str(hosted)] if hosted else [],
            "certificate_id": one(Certificate.id),
            "certificate_number": [str(session.scalar(sa.select(Certificate.number).limit(1)) or "none")],
            "objection_id": one(NoticeObjection.id),
            "objection_number": [str(session.scalar(sa.select(NoticeObjection.number).limit(1)) or "none")],
            "item_id": one(PayoutItem.id),
            "draw_id": one(Draw.id),
            "win_id": one(Win.id),
            "pool_draw_id": one(PoolDrawRun.id, PoolDrawRun.state),
            "question_id": one(Question.id),
            "fault_id": one(FaultReport.id),
            "correction_id": one(KeyCorrection.id),
            "staff_id": one(StaffAccount.id),
            "prize_id": one(Prize.id),
            "request_id": one(ReportRequest.id),
            "import_id": [str(value) for value in session.scalars(sa.select(QuestionImport.id).where(QuestionImport.state != "cancelled"))],
            "statute_id": one(Statute.id),
            "short_title": [DOCUMENT, "消费者权益保护法"],
            "number": ["3"],
            "group": ["resident"],
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
        if rule.arguments - values.keys():
            continue
        names = sorted(rule.arguments)
        for chosen in itertools.product(*(values[name] for name in names)):
            with site.app.test_request_context():
                arguments = {name: _typed(rule, name, value) for name, value in zip(names, chosen, strict=True)}
                yield site.app.url_map.bind("").build(rule.endpoint, arguments)


def _typed(rule: object, name: str, value: str) -> object:
    converter = rule._converters[name]  # type: ignore[attr-defined]  # werkzeug keeps them there
    return converter.to_python(value)


def _overflow(context: BrowserContext, path: str, width: int) -> list[str]:
    page = context.pages[0]
    page.set_viewport_size({"width": width, "height": 812})
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [f"{path} at {width}: {wide} px wide"] if wide > width else []


def _findings(context: BrowserContext, path: str) -> list[str]:
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "rules": {"region": {"enabled": True}}}
    results = Axe().run(context.pages[0], options=options)
    return [
        f"{path}: {item['id']} {item['help']} ({len(item['nodes'])}): {json.dumps(item['nodes'][0]['target'], ensure_ascii=False)}"
        for item in results.response["violations"]
    ]


def _weight(context: BrowserContext, url: str, known: dict[str, int]) -> int:
    """Compressed bytes of a static file."""
    if url not in known:
        known[url] = len(gzip.compress(context.request.get(url).body(), 6))
    return known[url]


def _walk(context: BrowserContext, site: Site, paths: list[str], widths: tuple[int, ...]) -> tuple[list[str], int]:
    """Visit each page in both sizes of type. Returns what is wrong and how many answered with a page."""
    wrong: list[str] = []
    count = 0
    walked: set[str] = set()
    weights: dict[str, int] = {}
    page = context.pages[0]
    watch = Watch(page, site.url)
    for path in paths:
        loaded: list[str] = []

        def keep(answer: object, loaded: list[str] = loaded) -> None:
            loaded.append(answer.url)  # type: ignore[attr-defined]  # a playwright response

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
        seen = urlsplit(page.url).path if answer.status < 400 else str(answer.status)
        if seen in walked:  # the sign-in page that many paths lead to; one error page for all of its kind
            continue
        walked.add(seen)
        count += answer.status == 200
        first_load = len(gzip.compress(answer.body(), 6)) + sum(_weight(context, url, weights) for url in set(loaded) if "/static/" in url)
        if not path.startswith("/admin") and first_load > BUDGET_BYTES:
            wrong.append(f"{path}: first load {first_load} bytes")
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
        assert count >= 10


@pytest.mark.journey
@pytest.mark.parametrize(
    "role",
    [
        "campaign_manager",
        "approver",
        "finance",
        "security_admin",
        "system_admin",
        "audit_admin",
        "report_reader",
        "question_editor",
        "question_reviewer",
    ],
)
def test_console_pages_fit_and_are_accessible(browser: Browser, site: Site, role: str) -> None:
    context = browser.new_context(base_url=site.url, locale="zh-CN")
    context.set_default_timeout(15_000)
    page = context.new_page()
    sign_in_staff(page, role)
    wrong, count = _walk(context, site, list(_paths(site, is_admin=True)), CONSOLE_WIDTHS)
    context.close()
    assert wrong == []
    assert count >= 3


@pytest.mark.journey
def test_no_page_weighs_more_than_its_pictures_allow() -> None:
    """The shared stylesheets and scripts alone stay within half the budget."""
    folder = Path(__file__).resolve().parents[2] / "quizapp" / "web" / "static"
    shared = [folder / "css" / f"{name}.css" for name in ("tokens", "base", "citizen")] + [
        folder / "js" / "app.js",
        folder / "js" / "quiz.js",
    ]
    assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in shared) < BUDGET_BYTES / 2

"""What people do, as functions: the journeys and the page checks share them."""

import re
import uuid

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from quizapp.attempts.models import AttemptQuestion
from quizapp.core.db import db
from quizapp.questions import queries, rules
from tests.journeys.conftest import Site

OPEN_CAMPAIGN = "clean-world"


def answer_paper(page: Page, site: Site, *, knows: bool, slug: str = OPEN_CAMPAIGN) -> None:
    """Start an open campaign as a guest and hand the paper in; ``knows`` answers every question rightly."""
    page.goto(f"/campaigns/{slug}")
    page.click("button[form=start]")
    page.wait_for_url(re.compile(r"/attempts/[0-9a-f-]+/1$"))
    attempt_id = page.url.split("/")[-2]
    keys = right_keys(site, attempt_id)
    for position in range(1, len(keys) + 1):
        expect(page.locator(".qtop .cnt b")).to_have_text(str(position))
        for key in keys[position] if knows else wrong_keys():
            page.locator(f"input.opt-in[value={key}]").check(force=True)
        expect(page.locator("[data-save-status]")).to_contain_text(f"{position}/{len(keys)}")
        if position < len(keys):
            page.get_by_role("button", name="下一题").click()
    page.get_by_role("button", name="交卷", exact=True).click()


def right_keys(site: Site, attempt_id: str) -> dict[int, list[str]]:
    """Displayed letters of the right choices by position, read from the database as no citizen could."""
    with site.app.app_context():
        rows = db.session.scalars(sa.select(AttemptQuestion).filter_by(attempt_id=uuid.UUID(attempt_id))).all()
        views = queries.get_revisions([row.revision_id for row in rows])
        found = {row.position: rules.shown_answer(views[row.revision_id], row.choice_order) for row in rows}
        db.session.remove()
        return found


def wrong_keys() -> list[str]:
    """Some answer: the first choice."""
    return ["A"]


def register(page: Page, phone: str, *, age: str = "18_59") -> None:
    """Fill the form after the hand-in; the demo shows the code."""
    page.fill("input[name=phone]", phone)
    page.get_by_role("button", name="获取验证码").click()
    said = page.locator("#code-say")
    expect(said).to_contain_text(re.compile(r"\d{6}"))
    page.fill("input[name=code]", "".join(re.findall(r"\d{6}", said.inner_text())))
    page.locator("input[name=demographic_group][value=resident]").check(force=True)
    page.select_option("select[name=region]", "150402")
    page.locator(f"input[name=age_band][value='{age}']").check(force=True)
    page.locator("input[name=agree]").check(force=True)
    page.get_by_role("button", name="登录看结果").click()


def play_and_register(page: Page, site: Site, phone: str, *, knows: bool = True, slug: str = OPEN_CAMPAIGN) -> str:
    """A whole first round; ends on the result page. Returns the attempt's id."""
    answer_paper(page, site, knows=knows, slug=slug)
    register(page, phone)
    page.wait_for_url(re.compile(r"/result"))
    return page.url.split("/attempts/")[1].split("/")[0]


def sign_in_staff(page: Page, role: str) -> None:
    """By the demo's sign-in page."""
    page.goto("/admin/sign-in")
    page.locator(f"form:has(input[name=username][value='demo-{role}']) button").click()
    page.wait_for_url(re.compile(r"/admin/(?!sign-in)"))

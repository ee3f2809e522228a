"""A citizen's whole path on a phone: cold link, five answers, registration, result, draw, prizes."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site
from tests.journeys.steps import OPEN_CAMPAIGN, answer_paper, play_and_register, register

pytestmark = pytest.mark.journey


def test_from_a_cold_link_to_the_prize(phone: Page, site: Site) -> None:
    attempt_id = play_and_register(phone, site, "13700000001")
    expect(phone.locator(".score .n")).to_contain_text("5")
    expect(phone.locator("article.ans .cite").first).to_contain_text("《")
    phone.get_by_role("link", name="去拆红包").click()
    assert attempt_id in phone.url
    phone.locator("form[data-packet] button").first.click(force=True)
    expect(phone.locator("form[data-packet]")).to_have_count(0)
    outcome = phone.locator("main h1, main h2").first.inner_text()
    phone.reload()
    expect(phone.locator("main h1, main h2").first).to_have_text(outcome)
    phone.goto("/me/prizes")
    expect(phone.locator("main")).to_be_visible()


def test_a_paper_survives_a_closed_page_and_a_lost_network(phone: Page, site: Site) -> None:
    phone.goto(f"/campaigns/{OPEN_CAMPAIGN}")
    phone.click("button[form=start]")
    phone.wait_for_url(re.compile(r"/attempts/[0-9a-f-]+/1$"))
    address = phone.url
    phone.context.set_offline(True)
    phone.locator("input.opt-in").first.check(force=True)
    expect(phone.locator("[data-save-status]")).to_contain_text("先存在手机里")
    phone.context.set_offline(False)
    expect(phone.locator("[data-save-status]")).to_contain_text("1/5", timeout=20_000)
    phone.goto("/campaigns")
    phone.goto(address)
    expect(phone.locator("input.opt-in").first).to_be_checked()
    phone.goto(f"/campaigns/{OPEN_CAMPAIGN}")
    phone.get_by_role("link", name="接着答").click()
    expect(phone.locator(".qtop .cnt b")).to_have_text("2")


def test_without_script_the_paper_can_be_answered_and_handed_in(browser: object, site: Site) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False, viewport={"width": 375, "height": 812})  # type: ignore[attr-defined]  # playwright's browser
    page = context.new_page()
    page.goto(f"/campaigns/{OPEN_CAMPAIGN}")
    page.click("button[form=start]")
    for position in range(1, 6):
        expect(page.locator(".qtop .cnt b")).to_have_text(str(position))
        page.locator("input.opt-in").first.check(force=True)
        name = "交卷" if position == 5 else "下一题"
        page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator("input[name=phone]")).to_be_visible()
    context.close()


def test_a_child_is_asked_for_the_guardian_before_anything_is_stored(phone: Page, site: Site) -> None:
    answer_paper(phone, site, knows=False)
    register(phone, "13700000002", age="under_14")
    expect(phone.locator("main")).to_contain_text("监护人")
    phone.goto("/me")
    assert "/sign-in" in phone.url


def test_large_type_is_kept_by_the_server(phone: Page, site: Site) -> None:
    phone.goto("/")
    phone.get_by_role("button", name="大字").first.click()
    phone.goto("/campaigns")
    expect(phone.locator("html")).to_have_class(re.compile("is-large"))
    size = phone.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert size >= 1.4 * 16

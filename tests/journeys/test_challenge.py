"""At a peak a phone solves the little work by itself and goes on, on the page and when it asks for a code."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from quizapp.core import challenges
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.web import challenge
from tests.journeys.conftest import Site
from tests.journeys.steps import OPEN_CAMPAIGN


@pytest.fixture
def at_peak(site: Site) -> Iterator[None]:
    def switch(mode: str) -> None:
        with site.app.app_context():
            with transaction():
                challenges.set_mode(mode, utc_now())
            challenge.forget_mode()
            db.session.remove()

    switch("on")
    yield
    switch("auto")


@pytest.mark.journey
def test_a_phone_solves_it_and_nobody_has_to_do_anything(phone: Page, site: Site, at_peak: None) -> None:
    phone.goto(f"/campaigns/{OPEN_CAMPAIGN}")
    phone.click("button[form=start]")
    phone.wait_for_url(re.compile(r"/attempts/[0-9a-f-]+/1$"))
    phone.goto("/sign-in")
    phone.fill("input[name=phone]", "13700000199")
    phone.get_by_role("button", name="获取验证码").click()
    expect(phone.locator("#code-say")).to_contain_text(re.compile(r"\d{6}"))

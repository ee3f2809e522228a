"""A running demo and a real Chromium. The demo is seeded once and served by threads of this process."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from config import DemoConfig
from quizapp import create_app
from quizapp.core import seeding
from quizapp.core.db import db


@dataclass(frozen=True)
class Site:
    """The running demo: its address and its application (for looking things up, not for acting)."""

    url: str
    app: Flask


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("journey")
    app = create_app(DemoConfig({"QUIZAPP_ENV": "demo", "QUIZAPP_DATA_DIR": str(folder), "LOG_LEVEL": "ERROR", "DATABASE_POOL_SIZE": "10"}))
    with app.app_context():
        flask_migrate.upgrade()
        seeding.run_all()
        db.session.remove()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", app)
    server.shutdown()
    thread.join(5)
    with app.app_context():
        db.engine.dispose()


class Watch:
    """What must never happen on any page: a request to another host, a CSP violation, a script error."""

    def __init__(self, page: Page, base: str) -> None:
        self.outside: list[str] = []
        self.console: list[str] = []
        page.on("request", lambda request: None if request.url.startswith((base, "data:", "about:")) else self.outside.append(request.url))
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("console", lambda message: self.console.append(message.text) if "Content Security Policy" in message.text else None)

    def check(self) -> None:
        assert self.outside == []
        assert self.console == []


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Page]:
    """A phone, 375 px wide; whatever it visits is watched."""
    yield from _page(browser, site, {"viewport": {"width": 375, "height": 812}, "is_mobile": True, "has_touch": True})


@pytest.fixture
def desk(browser: Browser, site: Site) -> Iterator[Page]:
    """A desktop screen of 1440 px."""
    yield from _page(browser, site, {"viewport": {"width": 1440, "height": 900}})


def _page(browser: Browser, site: Site, options: dict[str, Any]) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(base_url=site.url, locale="zh-CN", timezone_id="Asia/Shanghai", **options)
    context.set_default_timeout(15_000)
    page = context.new_page()
    watch = Watch(page, site.url)
    yield page
    watch.check()
    context.close()

"""From a cold link to the first question in Chromium: 4x CPU slowdown, 400 kbit/s, 400 ms latency."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def _slow(page: Any) -> None:
    tools = page.context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send(
        "Network.emulateNetworkConditions", {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    )
    tools.send("Emulation.setCPUThrottlingRate", {"rate": 4})


def _one(browser: Browser, base: str, slug: str) -> float:
    context = browser.new_context(
        viewport={"width": 375, "height": 812}, device_scale_factor=2, is_mobile=True, has_touch=True, locale="zh-CN"
    )
    page = context.new_page()
    _slow(page)
    started = time.perf_counter()
    page.goto(f"{base}/campaigns/{slug}", wait_until="domcontentloaded")
    page.locator("form[action$='/start'] button[type=submit], button[form][type=submit]").first.click()
    page.locator("fieldset input[type=radio], fieldset input[type=checkbox], .opt-in").first.wait_for(state="attached", timeout=60_000)
    seconds = time.perf_counter() - started
    context.close()
    return seconds


def cold_link(base: str, slug: str, runs: int, say: Callable[[str], None]) -> dict[str, float]:
    """Seconds at p50 and p95 over ``runs`` cold browser contexts."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        times = sorted(_one(browser, base, slug) for _ in range(runs))
        browser.close()
    say(f"cold link: {runs} runs, {times[0]:.2f} to {times[-1]:.2f} s")
    return {"p50": statistics.median(times), "p95": times[min(len(times) - 1, int(0.95 * len(times)))]}


def page_weights(base: str, paths: list[str]) -> dict[str, float]:
    """First load in KB of each path as a compressing front server sends it: the page and what it loads, each gzipped."""
    import gzip

    weights: dict[str, float] = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for path in paths:
            context = browser.new_context(viewport={"width": 375, "height": 812})
            page, total = context.new_page(), 0
            bodies: list[Any] = []
            page.on("response", lambda answer, bodies=bodies: bodies.append(answer))
            page.goto(base + path, wait_until="networkidle")
            for answer in bodies:
                if answer.status == 200:
                    total += len(gzip.compress(answer.body(), 6))
            weights[path] = total / 1024
            context.close()
        browser.close()
    return weights

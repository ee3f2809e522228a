"""How long a whole half-year of draws takes to check again: ``python -m bench.proof [--draws N] [--write]``.

A ledger of N draws with paced stock, caps, quotas and random amounts is written in memory's own time (no database), then checked by
the page in Chromium, from disk and without a network, and by ``draw_check.py``.
"""

import argparse
import datetime as dt
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench import browser, sections
from quizapp.lottery.proof import bundle
from tests.lottery.scribe import HOUR, Scribe, moment

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "quizapp" / "lottery" / "checker" / "draw-check.html"
TITLE = "Checking draws again"
DAYS = 30
PRIZES = [
    {"name": "一等奖", "kind": "pickup", "quantity": 300, "odds_ppm": 1_000, "value_fen": 20_000, "release": "paced"},
    {"name": "随机红包", "kind": "cash", "quantity": 200_000, "odds_ppm": 150_000, "value_fen": 30, "max_fen": 500, "budget_fen": 24_000_000, "release": "paced"},
    {"name": "话费券", "kind": "code", "quantity": 50_000, "odds_ppm": 20_000, "value_fen": 1_000, "per_day": 1_500, "per_hour": 120},
    {"name": "书签", "kind": "pickup", "quantity": 100_000, "odds_ppm": 0},
]  # fmt: skip
DRAW = {"prizes": PRIZES, "fallback": "书签", "wins_total": 3, "wins_per_day": 1, "ticket_hours": 24, "claim_days": 15, "returns": True}


def write_ledger(path: Path, draws: int) -> None:
    """A month of draws, even over the day's hours, by 320,000 people."""
    rng = random.Random(4)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        scribe = Scribe(DRAW, day_count=DAYS + 2, seed=4, write=file.write)
        each, number = draws // DAYS, 0
        for day in range(DAYS):
            count = each + (draws - each * DAYS if day == DAYS - 1 else 0)
            for turn in range(count):
                at = moment(day, 6 + 17 * turn / count)
                number += 1
                ticket = scribe.grant(f"AAAA-{rng.randrange(320_000) // 1000:04d}-{number % 1000:04d}", at, f"{rng.getrandbits(64):016x}")
                scribe.take(ticket, at)
                if len(scribe.waiting) >= 200:
                    scribe.list_tickets(at)
            scribe.settle_days(moment(day, 24.5))
        scribe.settle_days(moment(DAYS, 0) + 30 * HOUR)
        scribe.close()


def in_browser(path: Path) -> dict[str, str]:
    """Open the page from disk, choose the file, press the button; what it says."""
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser.CHROMIUM, args=[*browser.ARGUMENTS, "--enable-precise-memory-info"])
        page = chromium.new_context(offline=True).new_page()
        page.goto(PAGE.as_uri())
        page.set_input_files("#file", str(path))
        began = time.monotonic()
        page.click("#go")
        page.locator("#card").wait_for(timeout=3_600_000)
        seconds = time.monotonic() - began
        said = page.locator("#card").inner_text()
        is_ok = page.locator("#card").get_attribute("data-ok") == "true"
        seal = page.locator("#card dd.code").last.inner_text() if is_ok else ""
        heap = page.evaluate("performance.memory.usedJSHeapSize") / 2**20
        version = chromium.version
        chromium.close()
    if not is_ok:
        raise SystemExit(said)
    return {"seconds": f"{seconds:.0f}", "seal": seal, "heap": f"{heap:.0f}", "version": version}


def in_python(path: Path, folder: Path) -> tuple[float, str]:
    """Run the downloaded checker alone; seconds and the seal of the wins."""
    script = folder / "draw_check.py"
    script.write_text(bundle.checker(), encoding="utf-8")
    began = time.monotonic()
    output = subprocess.run([sys.executable, "-I", str(script), str(path)], capture_output=True, text=True, check=True).stdout
    return time.monotonic() - began, output.split("中奖名单 ")[1].split()[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2_020_000)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quizproof") as name:
        path = Path(name) / "draws.jsonl"
        began = time.monotonic()
        write_ledger(path, options.draws)
        size = path.stat().st_size / 2**20
        print(f"{options.draws:,} draws, {size:.0f} MB, written in {time.monotonic() - began:.0f} s", flush=True)
        found = in_browser(path)
        print(json.dumps(found), flush=True)
        seconds, seal = in_python(path, Path(name))
        print(f"draw_check.py: {seconds:.0f} s", flush=True)
        if seal != found["seal"]:
            raise SystemExit("the two checkers found different winners")
    load = os.getloadavg()[0]
    lines = [
        "The ledger of a month with paced stock, random amounts, caps, quotas and a fallback; every secret revealed, every draw recomputed. The page runs in",
        "Chromium from disk with no network and reads the file piece by piece.",
        f"Made by `python -m bench.proof --write` on {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, Chromium {found['version']}, load average {load:.0f}.",
        "",
        "| draws | file | the page in the browser | its memory after | draw_check.py | same winners |",
        "|---|---|---|---|---|---|",
        f"| {options.draws:,} | {size:,.0f} MB | {found['seconds']} s | {found['heap']} MB | {seconds:.0f} s | yes |",
    ]
    print("\n".join(lines))
    if options.write:
        sections.replace(ROOT / "docs" / "benchmarks.md", TITLE, lines)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The offline page of pool draws in a real browser, from a file: it agrees with the server and names what was tampered with."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from quizapp.lottery import pool_proof, pool_views
from tests.factories.pool_files import Maker, random_draw, random_file

pytestmark = pytest.mark.journey
PAGE = Path(pool_views.HERE) / "offline" / "pool_check.html"
CHECK = """texts => texts.map(text => {
  try { const book = check(new TextEncoder().encode(text), []); return [book.state, book.wins.size, book.reserves.size]; }
  catch (error) { return [error.line || 0, error.what || '', error.why || error.message]; }
})"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    yield page
    context.close()


def _text(lines: list[bytes]) -> str:
    return b"".join(lines).decode()


def test_a_thousand_random_draws_agree(page: Page) -> None:
    for first in range(0, 1000, 250):
        made = [random_file(seed) for seed in range(first, first + 250)]
        found = page.evaluate(CHECK, [_text(lines) for _maker, lines in made])
        expected = [pool_proof.verify(lines) for _maker, lines in made]
        assert found == [["drawn", each.win_count, each.reserve_count] for each in expected]


def test_what_the_server_calls_wrong_the_page_calls_wrong_on_the_same_line(page: Page) -> None:
    rng, cases, lines_of = random.Random(8), [], []
    for seed in range(60):
        _maker, lines = random_file(seed, 15)
        place = rng.randrange(len(lines))
        how = rng.choice(("drop", "double", "swap", "change"))
        broken = list(lines)
        if how == "drop":
            del broken[place]
        elif how == "double":
            broken.insert(place, broken[place])
        elif how == "swap":
            other = (place + 1) % len(lines)
            broken[place], broken[other] = broken[other], broken[place]
        else:
            text = broken[place].decode()
            spot = rng.choice([index for index, char in enumerate(text) if char.isdigit()])
            broken[place] = f"{text[:spot]}{(int(text[spot]) + 1) % 10}{text[spot + 1 :]}".encode()
        try:
            pool_proof.verify(broken)
        except pool_proof.BadPoolDraw as wrong:
            cases.append(_text(broken))
            lines_of.append(wrong.line)
    assert len(cases) > 50
    assert [found[0] for found in page.evaluate(CHECK, cases)] == lines_of


def test_a_person_chooses_the_file_and_reads_the_result(page: Page, tmp_path: Path) -> None:
    maker = Maker(random.Random(2), {**random_draw(random.Random(2)), "seed_input": "spoken", "mode": "ceremony"})
    maker.open()
    maker.random_entries(40)
    maker.freeze()
    maker.input()
    maker.run()
    path, alias = tmp_path / "pool.jsonl", maker.entries[0][0]
    path.write_bytes(b"".join(maker.finish()))
    page.set_input_files("#file", str(path))
    page.fill("#known", maker.list_hash)
    page.fill("#alias", alias.lower())
    page.click("button")
    page.wait_for_selector(".good")
    assert "每一个结果都重新算过" in page.inner_text("#out")
    assert f"抽奖号 {alias}" in page.inner_text("#out")
    page.fill("#known", "00" * 32)
    page.click("button")
    page.wait_for_selector(".bad")
    assert "文件被整个换过" in page.inner_text("#out")

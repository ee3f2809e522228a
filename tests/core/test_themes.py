"""Every theme has what its pages need, and every shipped bank a theme that is known."""

import re
from pathlib import Path

import pytest

import quizapp.web
from quizapp.audit.titles import WORDS
from quizapp.campaigns.checks import check_head
from quizapp.core.errors import InvalidInput
from quizapp.core.themes import THEMES, TITLES, icon_of
from quizapp.questions.loader import load_bank
from tests.factories.questions import BANKS

WEB = Path(quizapp.web.__file__).parent
HEAD = {"slug": "x", "title": "一场", "summary": "", "kind": "voluntary", "legal_basis": ""}


def test_every_theme_has_a_symbol_and_a_colour_of_its_own_on_both_sides() -> None:
    symbols = set(re.findall(r'<symbol id="i-([a-z]+)"', (WEB / "icons.svg").read_text(encoding="utf-8")))
    assert {icon_of(code) for code in (*THEMES, "unheard-of")} <= symbols
    for sheet in ("citizen.css", "admin.css"):
        colours = dict(re.findall(r"\.th-([a-z]+) \{ background: ([^;]+); \}", (WEB / "static/css" / sheet).read_text(encoding="utf-8")))
        assert colours.keys() >= THEMES.keys()
        assert len({colours[code] for code in THEMES}) == len(THEMES)


def test_titles_differ_and_are_the_words_of_the_trail() -> None:
    assert len(set(TITLES.values())) == len(TITLES)
    assert WORDS["theme"] == TITLES


def test_every_shipped_bank_has_a_known_theme() -> None:
    themes = {folder.name: load_bank(folder).head.theme for folder in sorted(BANKS.iterdir())}
    assert set(themes.values()) == set(THEMES)


def test_a_campaign_may_have_each_of_them_and_no_other() -> None:
    for code in THEMES:
        assert check_head({**HEAD, "theme": code})["theme"] == code
    with pytest.raises(InvalidInput):
        check_head({**HEAD, "theme": "unheard-of"})

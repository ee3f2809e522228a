"""Files that this product did not make arrive with the same keys; what does not is named by row."""

import re

import pytest

from quizapp.questions.exchange import formats
from quizapp.questions.loader import Entry, load_bank
from tests.factories.questions import BANKS
from tests.questions.exchange.foreign import LAYOUTS

SOURCES = ("consumer-rights", "tax-benefits", "labour-rights")


def _bare(text: str) -> str:
    """A text without brackets left for the key, punctuation and blanks."""
    return re.sub(r"[\W_]+", "", text)


def _key(entry: Entry) -> tuple[str, ...]:
    """The texts of the right choices; judge questions as 对 or 错."""
    return tuple(sorted(entry.choices[index] for index in entry.answer))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_at_least_98_of_100_arrive_with_their_key_and_the_rest_is_named(layout: str, source: str) -> None:
    write, name, choose = LAYOUTS[layout]
    wanted = choose(load_bank(BANKS / source).entries)
    parsed = formats.read(write(wanted), name)
    arrived = {(_bare(question.entry.stem), tuple(sorted(question.entry.choices)), _key(question.entry)) for question in parsed.questions}
    lost = [entry for entry in wanted if (_bare(entry.stem), tuple(sorted(entry.choices)), _key(entry)) not in arrived]
    named = {_bare(problem.stem) for problem in parsed.errors}
    unnamed = [entry.stem for entry in lost if not any(stem and _bare(entry.stem).startswith(stem[:12]) for stem in named)]
    assert len(lost) <= 0.02 * len(wanted), [entry.stem for entry in lost]
    assert len(parsed.questions) + len(parsed.bad_rows) >= len(wanted)
    assert unnamed == []

"""Questions that say nearly the same, in one bank or across banks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from quizapp.questions.loader import Entry

SAME = 90.0
"""From here on two stems (in percent of characters kept, punctuation apart) are the same question."""
NEAR = 80.0
_PUNCTUATION = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Pair:
    """Two stems by their places in the list given, and how alike they are in percent."""

    first: int
    second: int
    percent: float

    @property
    def is_same(self) -> bool:
        return self.percent >= SAME


def alike(entries: Sequence[Entry]) -> Iterator[Pair]:
    """Pairs of questions whose stems are nearly the same, the later one second."""
    stems = [_PUNCTUATION.sub("", entry.stem) for entry in entries]
    for place, stem in enumerate(stems):
        later = stems[place + 1 :]
        for _, percent, offset in process.extract(stem, later, scorer=fuzz.ratio, score_cutoff=NEAR, limit=None):
            yield Pair(place, place + 1 + offset, percent)

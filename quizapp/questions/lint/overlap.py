"""Stems that repeat a statute's own words; only where texts are given."""

import re
from collections.abc import Iterable, Iterator, Mapping

from quizapp.questions.loader import Entry

RUN = 15
"""Characters in a row, punctuation apart."""
MAX_SHARE = 0.10
"""Of a bank's stems."""
_PUNCTUATION = re.compile(r"[\W_]+")


def repeated_runs(entries: Iterable[Entry], texts: Mapping[str, Mapping[str, str]]) -> dict[int, str]:
    """For each stem (by its place) that shares a run with a statute: the first such run."""
    runs: dict[str, list[int]] = {}
    for place, entry in enumerate(entries):
        for run in _runs(_PUNCTUATION.sub("", entry.stem)):
            runs.setdefault(run, []).append(place)
    found: dict[int, str] = {}
    for law in texts.values():
        for text in law.values():
            for run in _runs(_PUNCTUATION.sub("", text)):
                for place in runs.get(run, ()):
                    found.setdefault(place, run)
    return found


def _runs(text: str) -> Iterator[str]:
    return (text[start : start + RUN] for start in range(len(text) - RUN + 1))

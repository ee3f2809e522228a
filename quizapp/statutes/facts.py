"""What is kept of an article without its text: a hash, the figures in it, and its vocabulary.

The vocabulary is the set of 16-bit hashes of the pairs of neighbouring Chinese characters. It answers one question - does
this article speak of that? - and the text cannot be rebuilt from it.
"""

import base64
import hashlib
import re
import sys
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from quizapp.statutes.figures import figures_of, find_figures, squeeze

_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_STOP = re.compile(r"[。；]")
REACH = 35
"""Characters to each side of a figure that are near it."""
_GRAMMAR = frozenset("的了是在")


@dataclass(frozen=True)
class ArticleFacts:
    """``sha256`` is of the text as UTF-8, in hexadecimal; ``figures`` are normalised (``7日``, ``500元``).

    ``near`` is the vocabulary around each figure that has others of its unit beside it: what tells 七日 from 三十日.
    """

    sha256: str
    figures: frozenset[str]
    pairs: frozenset[int]
    near: Mapping[str, frozenset[int]] = field(default_factory=dict)


def facts_of(text: str, common: frozenset[int] = frozenset()) -> ArticleFacts:
    """The facts about an article's text.

    :param common: pairs that stand in so many articles that they tell nothing
    """
    return ArticleFacts(sha256=sha256_of(text), figures=_figures(text), pairs=pairs_of(text) - common, near=_near(text, common))


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _figures(text: str) -> frozenset[str]:
    """Figures, and 工作日 alone where an article says that its days are working days."""
    found = figures_of(text)
    return found | {"工作日"} if "是指工作日" in text else found


def _near(text: str, common: frozenset[int]) -> dict[str, frozenset[int]]:
    """For each figure of a unit that the text has several of: the pairs within its sentence, a few words to both sides."""
    figures = [(figure, line) for line in map(squeeze, text.split("\n")) for figure in find_figures(line)]
    found: dict[str, frozenset[int]] = {}
    for figure, line in figures:
        if any(other.unit == figure.unit and other.norm != figure.norm for other, _ in figures):
            left = _STOP.split(line[max(0, figure.start - REACH) : figure.start])[-1]
            right = _STOP.split(line[figure.end : figure.end + REACH])[0]
            found[figure.norm] = found.get(figure.norm, frozenset()) | ((pairs_of(left) | pairs_of(right)) - common)
    return found


def pairs_of(text: str) -> frozenset[int]:
    """Hashes of the pairs of neighbouring Chinese characters of a text, those that begin with grammar left out."""
    return frozenset(
        zlib.crc32(run[place : place + 2].encode()) & 0xFFFF
        for run in _CHINESE.findall(text)
        for place in range(len(run) - 1)
        if run[place] not in _GRAMMAR and run[place + 1] not in _GRAMMAR
    )


def pack_pairs(pairs: frozenset[int]) -> str:
    numbers = array("H", sorted(pairs))
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def unpack_pairs(packed: str) -> frozenset[int]:
    numbers = array("H")
    numbers.frombytes(base64.b64decode(packed))
    if sys.byteorder == "big":
        numbers.byteswap()
    return frozenset(numbers)

"""A paper to print: questions by kind, an answer sheet, and apart from them the key with explanations."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quizapp.core.text import N_
from quizapp.questions import rules
from quizapp.questions.rules import KIND_TITLES, LETTERS, PoolItem, RevisionView

MAX_QUESTIONS = 200
ORDER = ("single", "multiple", "indefinite", "judge")
_NUMERALS = "一二三四"
_HINTS = {
    "single": N_("每题只有一个正确答案"),
    "multiple": N_("每题有两个或两个以上正确答案，多选、少选、错选都不得分"),
    "indefinite": N_("每题有一个或一个以上正确答案"),
    "judge": N_("正确的涂“√”，错误的涂“×”"),
}


@dataclass(frozen=True)
class Line:
    """One question of a paper; ``number`` counts through all sections."""

    number: int
    stem: str
    choices: tuple[str, ...]
    marks: tuple[str, ...]
    """What can be filled in on the answer sheet."""
    key: str
    explanation: str
    citations: str


@dataclass(frozen=True)
class Section:
    title: str
    hint: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Paper:
    """:param serial: what the questions were drawn with; the same one gives the same paper while the bank stays as it is"""

    title: str
    serial: str
    sections: tuple[Section, ...]
    has_key: bool

    @property
    def count(self) -> int:
        return sum(len(section.lines) for section in self.sections)


def draw_for_paper(pool: Sequence[PoolItem], counts: Mapping[str, int], serial: str) -> list[PoolItem]:
    """As many questions of each kind as asked for, or all there are of it. The serial number decides which."""
    rng = random.Random(serial)  # noqa: S311 - anybody may know which questions a serial number gives
    drawn: list[PoolItem] = []
    for kind in ORDER:
        of_kind = [item for item in pool if item.kind == kind]
        drawn += rng.sample(of_kind, min(counts.get(kind, 0), len(of_kind)))
    return drawn[:MAX_QUESTIONS]


def make_paper(title: str, serial: str, views: Sequence[RevisionView], *, has_key: bool) -> Paper:
    sections: list[Section] = []
    number = 0
    for kind in ORDER:
        lines: list[Line] = []
        for view in views:
            if view.kind == kind:
                number += 1
                lines.append(_line(number, view))
        if lines:
            head = f"{_NUMERALS[len(sections)]}、{KIND_TITLES[kind]}题（共 {len(lines)} 题）"
            sections.append(Section(head, _HINTS[kind], tuple(lines)))
    return Paper(title, serial, tuple(sections), has_key)


def _line(number: int, view: RevisionView) -> Line:
    is_judge = view.kind == "judge"
    marks = ("√", "×") if is_judge else tuple(LETTERS[: len(view.choices)])
    return Line(
        number=number,
        stem=view.stem,
        choices=() if is_judge else view.choices,
        marks=marks,
        key="".join(marks[index] for index in sorted(view.answer)),
        explanation=view.explanation,
        citations="、".join(rules.citation_words(citation) for citation in view.citations),
    )

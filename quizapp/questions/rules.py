"""Drawing questions, showing their choices, telling right from wrong. Plain values only; chance comes in as ``rng``."""

import datetime as dt
import random
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quizapp.core.text import N_
from quizapp.questions.errors import PoolTooSmall

LETTERS = "ABCDEFGH"
JUDGE_CHOICES = ("对", "错")
KIND_TITLES = {"single": N_("单选"), "multiple": N_("多选"), "indefinite": N_("不定项"), "judge": N_("判断")}
STATUS_TITLES = {
    "draft": N_("草稿"),
    "in_review": N_("待复核"),
    "published": N_("在用"),
    "suspended": N_("停用"),
    "retired": N_("已退出"),
}
DIFFICULTY_TITLES = {1: N_("1 人人会"), 2: "2", 3: N_("3 半数人会"), 4: "4", 5: N_("5 少数人会")}


@dataclass(frozen=True)
class PoolItem:
    """A published question as a paper is drawn from it."""

    revision_id: uuid.UUID
    question_id: uuid.UUID
    kind: str
    difficulty: int
    choice_count: int


@dataclass(frozen=True)
class RevisionView:
    """What a question says. ``answer`` holds indices into ``choices``; it must not leave the server before hand-in."""

    id: uuid.UUID
    question_id: uuid.UUID
    kind: str
    stem: str
    choices: tuple[str, ...]
    answer: frozenset[int]
    explanation: str
    citations: tuple[Mapping[str, Any], ...]
    difficulty: int
    tags: tuple[str, ...]
    number: int = 1
    reviewed_by: str | None = None
    reviewed_on: dt.date | None = None


def draw(pool: Sequence[PoolItem], count: int, rng: random.Random, exclude: Collection[uuid.UUID] = frozenset()) -> list[PoolItem]:
    """Draw ``count`` different questions, each as likely as any other.

    :param exclude: ids of questions already on the paper
    :raises PoolTooSmall: if fewer are left
    """
    candidates = [item for item in pool if item.question_id not in exclude] if exclude else pool
    if len(candidates) < count:
        raise PoolTooSmall(count, len(candidates))
    return rng.sample(candidates, count)


def draw_paper(parts: Sequence[tuple[Sequence[PoolItem], int]], rng: random.Random) -> list[PoolItem]:
    """Draw the questions of every part, none of them twice.

    Pools may overlap. When a part finds its questions taken by an earlier one although the paper is possible, the earlier
    choice is exchanged (augmenting paths), so that it fails only where no paper exists.

    :raises PoolTooSmall: if no paper of that shape exists
    """
    taken: set[uuid.UUID] = set()
    paper: list[PoolItem] = []
    try:
        for pool, count in parts:
            drawn = draw(pool, count, rng, taken)
            taken.update(item.question_id for item in drawn)
            paper.extend(drawn)
    except PoolTooSmall:
        return _match_paper(parts, rng)
    return paper


def _match_paper(parts: Sequence[tuple[Sequence[PoolItem], int]], rng: random.Random) -> list[PoolItem]:
    slots = [rng.sample(pool, len(pool)) for pool, count in parts for _ in range(count)]
    holder: dict[uuid.UUID, tuple[int, PoolItem]] = {}

    def place(slot: int, seen: set[uuid.UUID]) -> bool:
        for item in slots[slot]:
            if item.question_id in seen:
                continue
            seen.add(item.question_id)
            if item.question_id not in holder or place(holder[item.question_id][0], seen):
                holder[item.question_id] = (slot, item)
                return True
        return False

    placed = sum(place(slot, set()) for slot in range(len(slots)))
    if placed < len(slots):
        raise PoolTooSmall(len(slots), placed)
    by_slot = dict(holder.values())
    return [by_slot[slot] for slot in range(len(slots))]


def shuffle_choices(item: PoolItem, rng: random.Random) -> str:
    """The order in which choices are shown: per displayed letter, the index of the choice. Judge stays 对, 错."""
    if item.kind == "judge":
        return "01"
    return "".join(str(index) for index in rng.sample(range(item.choice_count), item.choice_count))


def file_order(item: PoolItem) -> str:
    """The order of the bank's file, for papers that do not shuffle."""
    return "".join(str(index) for index in range(item.choice_count))


def are_choices(choice_order: str, letters: str) -> bool:
    """Whether every letter is one that is displayed, and none comes twice."""
    shown = LETTERS[: len(choice_order)]
    return len(set(letters)) == len(letters) and all(letter in shown for letter in letters)


def is_right(view: RevisionView, choice_order: str, chosen_letters: Collection[str] | None) -> bool:
    """Grade one question, all or nothing. Nothing chosen is not right.

    :param choice_order: as :func:`shuffle_choices` gave it
    :param chosen_letters: displayed letters (``"AC"`` or a collection of them)
    :raises ValueError: for a letter that is not displayed
    """
    if not chosen_letters:
        return False
    shown = LETTERS[: len(choice_order)]
    if any(len(letter) != 1 or letter not in shown for letter in chosen_letters):
        raise ValueError("a letter that is not displayed")
    return {int(choice_order[shown.index(letter)]) for letter in chosen_letters} == view.answer


def shown_choices(view: RevisionView, choice_order: str) -> list[tuple[str, str]]:
    """Displayed letter and text of each choice, in the order of this paper."""
    return [(LETTERS[place], view.choices[int(index)]) for place, index in enumerate(choice_order)]


def shown_answer(view: RevisionView, choice_order: str) -> list[str]:
    """Displayed letters of the right choices, sorted."""
    return [LETTERS[place] for place, index in enumerate(choice_order) if int(index) in view.answer]


# ---- citations in words

_DIGITS = "零一二三四五六七八九"


def chinese_number(number: int) -> str:
    """``133`` → 一百三十三, as statutes count their articles.

    :param number: 1 to 9999
    """
    if not 0 < number < 10_000:
        raise ValueError("articles are numbered from 1 to 9999")
    words = ""
    for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, power)
        if digit:
            words += _DIGITS[digit] + unit
        elif words and number and not words.endswith("零"):
            words += "零"
    return words[1:] if words.startswith("一十") else words


def article_words(article: str) -> str:
    """``55`` → 第五十五条, ``133-1`` → 第一百三十三条之一."""
    first, _, after = article.partition("-")
    return f"第{chinese_number(int(first))}条" + (f"之{chinese_number(int(after))}" if after else "")


def citation_words(citation: Mapping[str, Any]) -> str:
    """A citation as a citizen reads it: 《消费者权益保护法》第五十五条, or a document with its issuer and number."""
    if "law" in citation:
        return f"《{citation['law']}》{article_words(str(citation['article']))}"
    return f"《{citation['document']}》（{citation['issuer']}，{citation['number']}）{citation['clause']}"


# ---- whose banks


def may_change(scopes: Sequence[str], owner_path: str | None) -> bool:
    """Whether staff with these subtrees may change a bank: its owner's, or, for a shared bank, only those at the top."""
    if owner_path is None:
        return any(path.count("/") <= 2 for path in scopes)
    return any(owner_path.startswith(path) for path in scopes)

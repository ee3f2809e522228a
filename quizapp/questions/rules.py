"""Drawing questions, showing their choices, telling right from wrong. Plain values only; chance comes in as ``rng``."""

import datetime as dt
import difflib
import random
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quizapp.core.text import N_
from quizapp.questions.errors import PoolTooSmall
from quizapp.statutes.rules import article_words as article_words
from quizapp.statutes.rules import numbers_in

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


def is_partly_right(view: RevisionView, choice_order: str, chosen_letters: Collection[str] | None) -> bool:
    """Whether what was chosen of a multiple choice is right as far as it goes: no wrong choice, not all right ones.

    :param chosen_letters: displayed letters, as :func:`is_right` takes them
    """
    if view.kind not in ("multiple", "indefinite") or not chosen_letters:
        return False
    shown = LETTERS[: len(choice_order)]
    return {int(choice_order[shown.index(letter)]) for letter in chosen_letters} < view.answer


Accepted = tuple[frozenset[int], ...]
"""Answers that count as right, each a set of choice indices; none at all gives everybody the mark."""


def is_accepted(accepted: Accepted, choice_order: str, chosen_letters: Collection[str] | None) -> bool:
    """Grade one question whose key was corrected, all or nothing. Where everybody gets the mark, nobody needs an answer.

    :param choice_order: as :func:`shuffle_choices` gave it
    :param chosen_letters: displayed letters
    """
    if not accepted:
        return True
    if not chosen_letters:
        return False
    return frozenset(int(choice_order[LETTERS.index(letter)]) for letter in chosen_letters) in accepted


def accepted_letters(accepted: Accepted, choice_order: str) -> list[str]:
    """Displayed letters of every choice that is part of an accepted answer, sorted."""
    right = frozenset().union(*accepted)
    return [LETTERS[place] for place, index in enumerate(choice_order) if int(index) in right]


def answer_problem(kind: str, choice_count: int, accepted: Accepted) -> str:
    """What is wrong with the answers a correction wants to accept for a question of this kind, or an empty sentence."""
    if any(not answer or not answer <= frozenset(range(choice_count)) for answer in accepted):
        return N_("请选正确答案。")
    if len(set(accepted)) < len(accepted):
        return N_("同一个答案写了两次。")
    if kind in ("single", "judge") and any(len(answer) != 1 for answer in accepted):
        return N_("单选题和判断题的一个答案只有一个选项。")
    if kind == "multiple" and any(len(answer) < 2 for answer in accepted):
        return N_("多选题的答案至少有两个选项。")
    return ""


def shown_choices(view: RevisionView, choice_order: str) -> list[tuple[str, str]]:
    """Displayed letter and text of each choice, in the order of this paper."""
    return [(LETTERS[place], view.choices[int(index)]) for place, index in enumerate(choice_order)]


def shown_answer(view: RevisionView, choice_order: str) -> list[str]:
    """Displayed letters of the right choices, sorted."""
    return [LETTERS[place] for place, index in enumerate(choice_order) if int(index) in view.answer]


# ---- citations in words


def citation_words(citation: Mapping[str, Any]) -> str:
    """A citation as a citizen reads it: 《消费者权益保护法》第五十五条, or a document with its issuer and number."""
    if "law" in citation:
        return f"《{citation['law']}》{article_words(str(citation['article']))}"
    return f"《{citation['document']}》（{citation['issuer']}，{citation['number']}）{citation['clause']}"


def cited_articles(citations: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Name and article number of everything that is cited, once each; a document whose clause names no article is cited as a
    whole, with an empty number."""
    found: list[tuple[str, str]] = []
    for citation in citations:
        if "law" in citation:
            found.append((citation["law"], citation["article"]))
        else:
            found += [(citation["document"], number) for number in numbers_in(citation["clause"]) or ("",)]
    return tuple(dict.fromkeys(found))


# ---- whose banks


def may_change(scopes: Sequence[str], owner_path: str | None) -> bool:
    """Whether staff with these subtrees may change a bank: its owner's, or, for a shared bank, only those at the top."""
    if owner_path is None:
        return any(path.count("/") <= 2 for path in scopes)
    return any(owner_path.startswith(path) for path in scopes)


def may_sign(scopes: Sequence[str], unit_path: str) -> bool:
    """Whether staff with these subtrees may sign for a unit: its own and those of units above it, but not the bureau's at
    the top, which has its say in the review."""
    return any(unit_path.startswith(path) and path.count("/") > 2 for path in scopes)


# ---- reports and corrections in words

FAULT_REASONS = {
    "key": N_("答案不对"),
    "outdated": N_("法条已经改了"),
    "unclear": N_("题目说不清楚"),
    "typo": N_("有错别字"),
    "other": N_("别的问题"),
}
FAULT_STATES = {"open": N_("等答复"), "accepted": N_("您说得对，已处理"), "declined": N_("已核对，题目没有错")}
FLAG_SOURCES = {"lint": N_("文字和格式"), "law": N_("法条有变动"), "items": N_("作答数据异常"), "faults": N_("有人反映，还没答复")}


# ---- differences

FIELD_TITLES = {
    "kind": N_("题型"),
    "stem": N_("题干"),
    "choices": N_("选项"),
    "answer": N_("正确答案"),
    "explanation": N_("讲解"),
    "citations": N_("依据"),
    "difficulty": N_("难度"),
    "tags": N_("标签"),
}


@dataclass(frozen=True)
class Piece:
    """A part of a text: ``same`` in both, ``gone`` from the old, ``new`` in the new."""

    state: str
    text: str


@dataclass(frozen=True)
class Difference:
    """What one field said before and says now, in pieces."""

    field: str
    title: str
    pieces: tuple[Piece, ...]


def text_pieces(before: str, after: str) -> tuple[Piece, ...]:
    """Two texts as what stayed, went and came, character by character; short common runs inside a change are not kept
    apart, so that it reads as words and not as confetti."""
    pieces: list[Piece] = []
    for tag, a0, a1, b0, b1 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal" and a1 - a0 < 2 and a0 > 0 and a1 < len(before):
            pieces += [Piece("gone", before[a0:a1]), Piece("new", after[b0:b1])]
        elif tag == "equal":
            pieces.append(Piece("same", before[a0:a1]))
        else:
            pieces += [Piece("gone", before[a0:a1]), Piece("new", after[b0:b1])]
    return _joined(pieces)


def _joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Neighbouring changes as one gone and one new piece."""
    joined: list[Piece] = []
    gone = new = ""
    for piece in (*pieces, Piece("same", "")):
        if piece.state == "gone":
            gone += piece.text
        elif piece.state == "new":
            new += piece.text
        else:
            joined += [Piece(state, text) for state, text in (("gone", gone), ("new", new)) if text]
            gone = new = ""
            joined += [piece] if piece.text else []
    return tuple(joined)


def _field_text(view: RevisionView, field: str) -> str:
    if field == "kind":
        return KIND_TITLES[view.kind]
    if field == "choices":
        return "\n".join(f"{LETTERS[place]}. {text}" for place, text in enumerate(view.choices))
    if field == "answer":
        return "、".join(f"{LETTERS[index]}（{view.choices[index]}）" for index in sorted(view.answer))
    if field == "citations":
        return "\n".join(citation_words(citation) for citation in view.citations)
    if field == "tags":
        return "，".join(view.tags)
    return str(getattr(view, field))


def differences(before: RevisionView, after: RevisionView) -> tuple[Difference, ...]:
    """What a revision changed, field by field, as a person reads it; fields that say the same are left out."""
    texts = ((field, title, _field_text(before, field), _field_text(after, field)) for field, title in FIELD_TITLES.items())
    return tuple(Difference(field, title, text_pieces(old, new)) for field, title, old, new in texts if old != new)

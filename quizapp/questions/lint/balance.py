"""Patterns over a bank by which a script would do better than chance."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from quizapp.questions.lint.findings import Remark, Remarks
from quizapp.questions.loader import Entry
from quizapp.questions.rules import LETTERS

MAX_POSITION_SHARE = 0.32
"""Of single-choice keys on one letter; even would be a quarter."""
MAX_LONGEST_SHARE = 0.40
"""Of single-choice questions whose key is longer than every other choice."""
MIN_FOR_SHARES = 12
MAX_MISSING_SHARE = 0.10
"""A letter that is the key less often than this is as much of a pattern."""
MAX_RUN = 7
"""The same letter so many times in a row is a slip of the hand."""


def remarks(entries: Sequence[Entry]) -> Remarks:
    singles = [entry for entry in entries if entry.kind == "single"]
    if len(singles) >= MIN_FOR_SHARES:
        yield from _positions(singles)
        longest = sum(map(_is_longest, singles))
        if longest / len(singles) > MAX_LONGEST_SHARE:
            yield Remark("longest-choice", f"{len(singles)} 道单选题里有 {longest} 道的答案是最长的选项")
    judges = [entry.answer[0] for entry in entries if entry.kind == "judge"]
    if len(judges) >= 10 and not 0.3 <= judges.count(0) / len(judges) <= 0.7:
        yield Remark("judge-balance", f"{len(judges)} 道判断题里有 {judges.count(0)} 道是“对”，对错不均匀")
    yield from _all_right(entries)


def _positions(singles: Sequence[Entry]) -> Remarks:
    counts = Counter(entry.answer[0] for entry in singles)
    letter, most = counts.most_common(1)[0]
    if most / len(singles) > MAX_POSITION_SHARE:
        yield Remark("key-position", f"{len(singles)} 道单选题里有 {most} 道的答案是 {LETTERS[letter]}，位置不均匀")
    for place in range(4):
        if len(singles) >= 2 * MIN_FOR_SHARES and counts[place] / len(singles) < MAX_MISSING_SHARE:
            yield Remark("key-position", f"{len(singles)} 道单选题里只有 {counts[place]} 道的答案是 {LETTERS[place]}，位置不均匀")
    run = 1
    for before, entry in pairwise(singles):
        run = run + 1 if entry.answer == before.answer else 1
        if run == MAX_RUN:
            yield Remark("key-run", f"到 {entry.code} 为止，连着 {MAX_RUN} 道单选题的答案都是 {LETTERS[entry.answer[0]]}", "warning")


def _is_longest(entry: Entry) -> bool:
    key = len(entry.choices[entry.answer[0]])
    return key > max(len(choice) for place, choice in enumerate(entry.choices) if place != entry.answer[0])


def _all_right(entries: Sequence[Entry]) -> Remarks:
    multiples = [entry for entry in entries if entry.kind == "multiple"]
    everything = sum(len(entry.answer) == len(entry.choices) for entry in multiples)
    if len(multiples) >= MIN_FOR_SHARES and everything / len(multiples) > MAX_LONGEST_SHARE:
        yield Remark("all-right", f"{len(multiples)} 道多选题里有 {everything} 道全选才对", "warning")

"""What a script can say about a bank's quality, beyond its shape: design of a good question, in checks.

Whether the key is right only people can tell; these catch lengths, give-away patterns and repeated questions.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from quizapp.questions.loader import BankFile, Entry
from quizapp.questions.rules import LETTERS

STEM_LENGTH = (15, 90)
EXPLANATION_LENGTH = (40, 160)
CHOICE_LENGTH = 30
MAX_POSITION_SHARE = 0.32
"""Of single-choice keys on one letter; even would be a quarter."""
MAX_LONGEST_SHARE = 0.40
"""Of single-choice questions whose key is longer than every other choice."""
MIN_FOR_SHARES = 12

_ALL_OF_THEM = re.compile(r"以上(?:都|均|皆|全|各)|^[A-H]\s*[和、与及]")
_LETTER_IN_TEXT = re.compile(r"选项?\s*[A-H](?![A-Za-z])|[A-H]\s*(?:项|选项)|故?选\s*[A-H]{1,5}(?![A-Za-z])")
_DOUBLE_NEGATIVE = re.compile(r"不正确|不是不|并非不|没有不")
_PUNCTUATION = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Finding:
    """One remark. ``rule`` is a stable code; ``entry`` is the question's id, empty for the bank as a whole."""

    severity: Literal["error", "warning"]
    bank: str
    entry: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity} {self.bank} {self.entry or '-'} [{self.rule}] {self.message}"

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def lint_bank(bank: BankFile) -> list[Finding]:
    """Everything to say about one bank whose shape is right."""
    found: list[Finding] = []

    def say(entry: str, rule: str, message: str, severity: Literal["error", "warning"] = "error") -> None:
        found.append(Finding(severity, bank.head.slug, entry, rule, message))

    for name in ("description", "licence"):
        if not getattr(bank.head, name):
            say("", "bank-head", f"bank.yaml 没有填 {name}")
    for entry in bank.entries:
        for rule, message, severity in _entry_remarks(entry):
            say(entry.code, rule, message, severity)
    for first, second in _same_stems(bank.entries):
        say(second, "same-stem", f"题干和 {first} 一样")
    for rule, message in _give_aways(bank.entries):
        say("", rule, message)
    return found


def _entry_remarks(entry: Entry) -> Iterable[tuple[str, str, Literal["error", "warning"]]]:
    yield from (
        (f"{name}-length", f"{name} 有 {len(text)} 个字，应当是 {low} 到 {high} 个字", "error")
        for name, text, (low, high) in (("stem", entry.stem, STEM_LENGTH), ("explanation", entry.explanation, EXPLANATION_LENGTH))
        if not low <= len(text) <= high
    )
    for choice in entry.choices:
        if len(choice) > CHOICE_LENGTH:
            yield "choice-length", f"选项“{choice[:12]}…”超过 {CHOICE_LENGTH} 个字", "error"
        if _ALL_OF_THEM.search(choice):
            yield "all-of-them", f"选项不能写“{choice[:20]}”：选项顺序会变", "error"
    if _LETTER_IN_TEXT.search(entry.explanation):
        yield "letters", "讲解写了选项字母：选项顺序会变", "error"
    if entry.kind == "single" and len(entry.choices) != 4:
        yield "choice-count", f"单选题应当有 4 个选项，现在是 {len(entry.choices)} 个", "warning"
    if _DOUBLE_NEGATIVE.search(entry.stem):
        yield "negative", "题干问的是“不正确”，只有误区本身值得讲时才这样问", "warning"
    if not any(tag.startswith("topic:") for tag in entry.tags):
        yield "topic", "没有 topic: 标签", "warning"
    if entry.reviewed_by and not entry.reviewed_on:
        yield "review", "写了复核人，没有写复核日期", "error"


def _same_stems(entries: Sequence[Entry]) -> Iterable[tuple[str, str]]:
    first: dict[str, str] = {}
    for entry in entries:
        key = _PUNCTUATION.sub("", entry.stem)
        if key in first:
            yield first[key], entry.code
        first.setdefault(key, entry.code)


def _give_aways(entries: Sequence[Entry]) -> Iterable[tuple[str, str]]:
    """Patterns by which a script would do better than chance."""
    singles = [entry for entry in entries if entry.kind == "single"]
    if len(singles) >= MIN_FOR_SHARES:
        letter, most = Counter(entry.answer[0] for entry in singles).most_common(1)[0]
        if most / len(singles) > MAX_POSITION_SHARE:
            yield "key-position", f"{len(singles)} 道单选题里有 {most} 道的答案是 {LETTERS[letter]}，位置不均匀"
        longest = sum(_is_longest(entry) for entry in singles)
        if longest / len(singles) > MAX_LONGEST_SHARE:
            yield "longest-choice", f"{len(singles)} 道单选题里有 {longest} 道的答案是最长的选项"
    judges = [entry.answer[0] for entry in entries if entry.kind == "judge"]
    if len(judges) >= 10 and not 0.3 <= judges.count(0) / len(judges) <= 0.7:
        yield "judge-balance", f"{len(judges)} 道判断题里有 {judges.count(0)} 道是“对”，对错不均匀"


def _is_longest(entry: Entry) -> bool:
    key = len(entry.choices[entry.answer[0]])
    return key > max(len(choice) for place, choice in enumerate(entry.choices) if place != entry.answer[0])

"""From the words of a file to a whole question, or to what is wrong with them. The one place where a key is understood."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from quizapp.core.text import has_forbidden_characters
from quizapp.questions.exchange import words
from quizapp.questions.exchange.parsed import DEFAULT_DIFFICULTY, Parsed, ParsedQuestion, Problem, Raw, shortened
from quizapp.questions.loader import CODE, DAY, MAX_CHOICE, MAX_CITATIONS, MAX_EXPLANATION, MAX_STEM, MAX_TAG, MAX_TAGS, Entry
from quizapp.questions.rules import JUDGE_CHOICES, LETTERS

TITLES = {
    "stem": "题干",
    "kind": "题型",
    "choices": "选项",
    "answer": "正确答案",
    "explanation": "解析",
    "citations": "依据",
    "difficulty": "难度",
    "tags": "标签",
    "code": "平台编号",
    "reviewed_by": "复核人",
    "reviewed_on": "复核日期",
}
_NONCHARACTERS = re.compile("[\ufffe\uffff]")


class _Builder:
    """One question under construction, with what is wrong with it."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.problems: list[Problem] = list(raw.faults)
        self.gaps: list[str] = []

    def has_failed(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    def _say(self, field: str, reason: str, mend: str, value: str, severity: str) -> None:
        raw = self.raw
        column = raw.columns.get(field, TITLES.get(field, field))
        stem = shortened(raw.stem)
        self.problems.append(Problem(raw.row, column, reason, mend, raw.place, shortened(value), stem, severity))  # type: ignore[arg-type]  # the two words below

    def fail(self, field: str, reason: str, mend: str, value: str = "") -> None:
        self._say(field, reason, mend, value, "error")

    def note(self, field: str, reason: str, mend: str, value: str = "") -> None:
        self._say(field, reason, mend, value, "note")

    def text(self, field: str, value: str, limit: int, title: str = "") -> str:
        value = value.replace("\r\n", "\n").replace("\r", "\n").strip()
        name = title or TITLES[field]
        if len(value) > limit:
            self.fail(field, f"{name}有 {len(value)} 个字，最多 {limit} 个字", "请改短，系统不会替您截断", value)
        elif has_forbidden_characters(value) or _NONCHARACTERS.search(value):
            self.fail(field, f"{name}里有看不见的控制字符", "请重新打一遍这一格", value)
        return value


def build(raw: Raw) -> tuple[ParsedQuestion | None, list[Problem]]:
    """A question, or None, and everything there is to say about it."""
    builder = _Builder(raw)
    kind, is_known = _kind(builder)
    stem = builder.text("stem", raw.stem, MAX_STEM)
    if not stem and not builder.has_failed():
        builder.fail("stem", "题干没有填", "请补上题干，或者删掉这一行")
    choices = _choices(builder)
    if builder.has_failed() or not is_known:
        return None, builder.problems
    kind, choices, key = _key(builder, kind, choices)
    explanation = builder.text("explanation", raw.explanation, MAX_EXPLANATION)
    citations, explanation = _citations(builder, explanation)
    entry = Entry(
        code=_code(builder),
        kind=kind,
        stem=stem,
        choices=choices,
        answer=key,
        explanation=explanation,
        citations=citations,
        difficulty=_difficulty(builder),
        tags=_tags(builder),
        reviewed_by=builder.text("reviewed_by", raw.reviewed_by, 64) or None,
        reviewed_on=_day(builder),
    )
    if not explanation:
        builder.gaps.append("explanation")
    if not citations:
        builder.gaps.append("citations")
    if builder.has_failed():
        return None, builder.problems
    return ParsedQuestion(raw.row, raw.place, entry, tuple(builder.gaps)), builder.problems


def build_all(format: str, raws: Sequence[Raw]) -> Parsed:
    parsed = Parsed(format)
    for raw in raws:
        question, problems = build(raw)
        parsed.problems += problems
        if question is not None:
            parsed.questions.append(question)
    return parsed


# ---- the kind


def _kind(builder: _Builder) -> tuple[str, bool]:
    """The kind, "" where it is left to the key; False where the question cannot be taken for it."""
    kind, unsupported = words.read_kind(builder.raw.kind)
    if unsupported:
        builder.fail(
            "kind", f"这是{unsupported}，平台只有单选、多选、不定项和判断", "请改成选择题或判断题，或者不导入这一道", builder.raw.kind
        )
        return "", False
    if kind is None and not words.leaves_kind_open(builder.raw.kind):
        builder.fail("kind", "看不懂这个题型", "请写单选、多选、不定项或判断", builder.raw.kind)
        return "", False
    return kind or "", True


# ---- the choices


def _choices(builder: _Builder) -> tuple[str, ...]:
    choices = [builder.text("choices", choice, MAX_CHOICE, f"选项 {_letter(place)} ") for place, choice in enumerate(builder.raw.choices)]
    while choices and not choices[-1]:
        choices.pop()
    if len(choices) > len(LETTERS):
        builder.fail("choices", f"有 {len(choices)} 个选项，最多 {len(LETTERS)} 个", "请合并或删去几个选项")
    blank = [_letter(place) for place, choice in enumerate(choices) if not choice]
    if blank:
        builder.fail("choices", f"选项 {'、'.join(blank)} 空着，后面的选项却有字", "请补上，或者把后面的往前挪，答案也跟着改")
    seen: dict[str, int] = {}
    for place, choice in enumerate(choices):
        if choice and choice in seen:
            builder.fail("choices", f"选项 {_letter(seen[choice])} 和 {_letter(place)} 一模一样", "请改一个", choice)
            break
        seen.setdefault(choice, place)
    return tuple(choices)


def _letter(place: int) -> str:
    return LETTERS[place] if place < len(LETTERS) else str(place + 1)


# ---- the key


def _key(builder: _Builder, kind: str, choices: tuple[str, ...]) -> tuple[str, tuple[str, ...], tuple[int, ...]]:
    """Kind, choices and key together: each may tell about the others."""
    judged = _as_judge(builder, kind, choices)
    if judged is not None:
        return judged
    if len(choices) < 2:
        reason = "没有选项" if not choices else "只有 1 个选项"
        builder.fail("choices", reason, "选择题至少要有 2 个选项；判断题的题型请写“判断”")
        return kind or "single", choices, ()
    key = builder.raw.key if builder.raw.key is not None else _read_key(builder, builder.raw.answer, choices)
    if not key:
        return kind or "single", choices, ()
    if kind == "judge":
        builder.note("kind", "题型写的是判断，选项却不是对和错，按单选导入", "请核对题型", builder.raw.kind)
        kind = "single"
    kind = kind or ("single" if len(key) == 1 else "multiple")
    answer = builder.raw.answer or words.letters_of(key)
    if kind == "single" and len(key) != 1:
        builder.fail("answer", f"题型是单选，答案却有 {len(key)} 个", "请改题型，或者只留 1 个答案", answer)
    if kind == "multiple" and len(key) < 2:
        builder.fail("answer", "题型是多选，至少要有 2 个答案", "请补答案，或者把题型改成单选、不定项", answer)
    return kind, choices, key


def _as_judge(builder: _Builder, kind: str, choices: tuple[str, ...]) -> tuple[str, tuple[str, ...], tuple[int, ...]] | None:
    """A question whose choices are right and wrong, whatever they are called and in whatever order; None for any other."""
    raw = builder.raw
    order = [words.judge_word(choice) for choice in choices]
    is_pair = sorted(order, key=str) == [0, 1]
    if choices and not is_pair:
        return None
    if kind not in ("", "judge"):
        return None
    if not kind and not choices and raw.key is None and words.judge_word(raw.answer) is None:
        return None
    if raw.key is not None:
        key = raw.key if not choices else tuple(number for place in raw.key if (number := order[place]) is not None)
        if len(key) != 1:
            builder.fail("answer", "判断题只能有 1 个答案", "请写对或错", raw.answer)
        return "judge", JUDGE_CHOICES, tuple(key)
    letter = unicodedata.normalize("NFKC", raw.answer).strip(" \t\n.。()[]【】").upper()
    if letter in ("A", "B"):
        places = order if choices else [0, 1]
        return "judge", JUDGE_CHOICES, (places["AB".index(letter)] or 0,)
    word = words.judge_word(raw.answer)
    if word is None:
        reason = "没有写答案" if not raw.answer.strip() else "判断题的答案看不懂"
        builder.fail("answer", reason, "请写对或错（√、×、正确、错误、1、0 也可以）", raw.answer)
        return "judge", JUDGE_CHOICES, ()
    return "judge", JUDGE_CHOICES, (word,)


_SEPARATORS = re.compile(r"[\s,，、;；/|.。+&和与及]+")
_LABELLED = re.compile(r"([A-H])\s*[.、:：．)）]\s*(.+)", re.S)


def _read_key(builder: _Builder, answer: str, choices: Sequence[str]) -> tuple[int, ...]:
    text = unicodedata.normalize("NFKC", answer).strip()
    if not text:
        builder.fail("answer", "没有写答案", "请补上答案，例如 B 或 ABD")
        return ()
    key = _by_text(answer, choices)
    if key is None:
        bare = _SEPARATORS.sub("", text.strip("()[]【】“”\"'")).upper()
        if re.fullmatch(r"[A-Z]+", bare):
            return _by_letters(builder, bare, choices, answer)
        if re.fullmatch(r"[0-9]+", bare):
            return _by_digits(builder, text, bare, choices)
        labelled = _LABELLED.fullmatch(text)
        if labelled and _by_text(labelled[2], choices) == (LETTERS.index(labelled[1]),):
            return (LETTERS.index(labelled[1]),)
        builder.fail("answer", "看不懂这个答案", f"请写选项字母，例如 {LETTERS[0]} 或 {LETTERS[: len(choices)]} 中的几个", answer)
        return ()
    return key


def _by_text(answer: str, choices: Sequence[str]) -> tuple[int, ...] | None:
    """The answer written out as the choice's own words, several on lines of their own."""
    parts = [part.strip() for part in answer.strip().split("\n") if part.strip()]
    places = [[place for place, choice in enumerate(choices) if choice == part] for part in parts]
    if not parts or any(len(found) != 1 for found in places):
        return None
    if len(parts) == 1 and re.fullmatch(r"[A-Ha-h]|\d", parts[0]):
        return None
    return tuple(sorted({found[0] for found in places}))


def _by_letters(builder: _Builder, letters: str, choices: Sequence[str], answer: str) -> tuple[int, ...]:
    shown = LETTERS[: len(choices)]
    strange = next((letter for letter in letters if letter not in shown), "")
    if strange:
        builder.fail(
            "answer", f"只有 {shown[0]} 到 {shown[-1]} 这几个选项，答案却有 {strange}", f"请改成 {shown[0]} 到 {shown[-1]} 里的字母", answer
        )
        return ()
    if len(set(letters)) < len(letters):
        builder.fail("answer", "同一个字母写了两次", "请核对答案", answer)
        return ()
    return tuple(sorted(shown.index(letter) for letter in letters))


def _by_digits(builder: _Builder, text: str, bare: str, choices: Sequence[str]) -> tuple[int, ...]:
    """Digits: a 1 or 0 for each choice, or the numbers of the right choices from 1."""
    if len(bare) == len(choices) and set(bare) <= {"0", "1"}:
        key = tuple(place for place, digit in enumerate(bare) if digit == "1")
        if not key:
            builder.fail("answer", "每个选项都是 0，没有一个是对的", "请核对答案", text)
        return key
    numbers = [int(digit) for digit in bare]
    if all(1 <= number <= len(choices) for number in numbers) and len(set(numbers)) == len(numbers):
        return tuple(sorted(number - 1 for number in numbers))
    builder.fail("answer", "看不懂这个答案", "请写选项字母，例如 B 或 ABD", text)
    return ()


# ---- the rest


def _citations(builder: _Builder, explanation: str) -> tuple[tuple[dict[str, str], ...], str]:
    """What the question rests on. Words that are no citation are not lost: they are kept at the explanation's end."""
    raw = builder.raw
    if raw.citations is None:
        found = words.find_laws(explanation)
        if found:
            builder.note("citations", "文件里没有依据这一项，依据是从解析里找出来的", "请核对条号")
        return found[:MAX_CITATIONS], explanation
    found, rest, is_finer = words.read_citations(raw.citations.replace("\r\n", "\n").replace("\r", "\n"))
    if rest:
        kept = f"{explanation}\n（依据原文：{rest}）".strip()
        builder.note(
            "citations",
            "依据写得不完整，没有认出法律和条号，原文放在解析末尾",
            "请写成“《法律名》第几条”，或者文件名、机关、文号、条款和日期",
            rest,
        )
        explanation = builder.text("explanation", kept, MAX_EXPLANATION)
    if is_finer and not rest:
        builder.note("citations", "依据写到了款或项，平台只记到条", "要紧的款、项请写进解析", raw.citations)
    if len(found) > MAX_CITATIONS:
        builder.fail("citations", f"有 {len(found)} 条依据，最多 {MAX_CITATIONS} 条", "请只留关键的几条")
    for citation in found:
        for value in citation.values():
            builder.text("citations", value, 200)
    return found, explanation


def _difficulty(builder: _Builder) -> int:
    text = builder.raw.difficulty.strip()
    level = words.read_difficulty(text) if text else None
    if level is None:
        builder.gaps.append("difficulty")
        if text:
            builder.note("difficulty", f"看不懂这个难度，先按 {DEFAULT_DIFFICULTY} 记", "请写 1 到 5", text)
    return level or DEFAULT_DIFFICULTY


def _tags(builder: _Builder) -> tuple[str, ...]:
    raw = builder.raw
    topics = tuple(f"topic:{topic}" for topic in words.read_tags(raw.topic))
    tags = tuple(dict.fromkeys((*words.read_tags(raw.tags), *topics)))
    for tag in tags:
        builder.text("tags", tag, MAX_TAG, "标签")
    if len(tags) > MAX_TAGS:
        builder.fail("tags", f"有 {len(tags)} 个标签，最多 {MAX_TAGS} 个", "请删去几个")
    return tags


def _code(builder: _Builder) -> str:
    code = builder.raw.code.strip()
    if code and not CODE.fullmatch(code):
        builder.fail("code", "平台编号只能用字母、数字、点、横线，最多 64 个字符", "新题不用写平台编号，系统会编", code)
        return ""
    return code


def _day(builder: _Builder) -> str | None:
    text = builder.raw.reviewed_on.strip()
    if text and not DAY.fullmatch(text):
        builder.fail("reviewed_on", "日期看不懂", "请写成 2026-11-22 的样子", text)
        return None
    return text or None


def without_repeats(parsed: Parsed) -> Parsed:
    """Name platform ids that come twice; the second question cannot be taken."""
    first: dict[str, ParsedQuestion] = {}
    kept: list[ParsedQuestion] = []
    for question in parsed.questions:
        code = question.entry.code
        if code and code in first:
            reason = f"和第 {first[code].row} 行的平台编号相同"
            problem = Problem(
                question.row, TITLES["code"], reason, "请改一个，或者清空让系统编", question.place, code, shortened(question.entry.stem)
            )
            parsed.problems.append(problem)
            continue
        if code:
            first[code] = question
        kept.append(question)
    return replace(parsed, questions=kept)

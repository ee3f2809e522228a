"""What GIFT and Moodle XML have no field for, in tags; and what their weighted answers say about a key."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from quizapp.questions.exchange import words
from quizapp.questions.exchange.parsed import Problem, Raw, shortened
from quizapp.questions.loader import CODE, Entry

MARK = "quizapp questions 1"
"""At the head of our files: ids are the platform's, and no citation means none."""
Words = Callable[[str], str]
_FIELDS = {"题型": "kind", "难度": "difficulty", "依据": "citations", "复核人": "reviewed_by", "复核日期": "reviewed_on"}


def marks_of(entry: Entry) -> list[str]:
    """The tags that carry the rest of a question; its own tags come as 标签:…"""
    marks = [f"题型:{words.kind_title(entry.kind)}", f"难度:{entry.difficulty}"]
    marks += [f"依据:{words.write_citation(citation)}" for citation in entry.citations]
    marks += [f"标签:{tag}" for tag in entry.tags]
    marks += [f"复核人:{entry.reviewed_by}"] if entry.reviewed_by else []
    marks += [f"复核日期:{entry.reviewed_on}"] if entry.reviewed_on else []
    return marks


def apply_marks(raw: Raw, marks: Iterable[tuple[str, str]]) -> None:
    """Read ids and tags back. Tags of other systems stay tags; a bare number is a serial number, not an id."""
    tags: list[str] = []
    citations: list[str] = []
    for name, value in marks:
        if name == "id":
            is_id = CODE.fullmatch(value) is not None and (raw.is_ours or not value.isdecimal())
            raw.code = value if is_id else ""
            continue
        head, _, rest = value.partition(":")
        if head == "依据" and rest:
            citations.append(rest)
        elif head in _FIELDS and rest:
            setattr(raw, _FIELDS[head], rest)
        else:
            tags.append(rest if head == "标签" and rest else value)
    raw.tags = words.write_tags(tags) if tags else ""
    if citations or raw.is_ours:
        raw.citations = "\n".join(citations)


@dataclass(frozen=True)
class Option:
    """``share`` is the part of the marks in percent, negative for a penalty."""

    text: str
    share: float
    feedback: str = ""


def settle_options(raw: Raw, options: Sequence[Option], general: str, *, is_single: bool) -> None:
    """Choices and key of a question whose answers carry weights."""
    raw.choices = [option.text for option in options]
    full = tuple(place for place, option in enumerate(options) if option.share >= 99.9)
    positive = tuple(place for place, option in enumerate(options) if option.share > 0)
    raw.key = full if is_single else positive
    if is_single and len(full) != 1:
        reason = "没有一个选项是满分的" if not full else f"单选题有 {len(full)} 个满分的选项"
        raw.faults.append(Problem(raw.row, "答案", reason, "请核对哪个选项是对的", stem=shortened(raw.stem)))
    elif not raw.key:
        raw.faults.append(Problem(raw.row, "答案", "没有一个选项是对的", "请核对哪个选项是对的", stem=shortened(raw.stem)))
    elif is_single and len(positive) > 1:
        raw.faults.append(Problem(raw.row, "答案", "有的选项给部分分，平台只算全对", "请核对", stem=shortened(raw.stem), severity="note"))
    if not raw.kind:
        raw.kind = "single" if is_single else "multiple" if len(raw.key) > 1 else "indefinite"
    notes = [f"{option.text}：{option.feedback}" for option in options if option.feedback]
    raw.explanation = "\n".join(part for part in (general, *notes) if part)


def fractions(entry: Entry) -> list[float]:
    """Percent of the marks for each choice: the right ones share 100, a wrong one takes all away where several may be right."""
    if entry.kind in ("single", "judge"):
        return [100.0 if place in entry.answer else 0.0 for place in range(len(entry.choices))]
    share = 100 / len(entry.answer)
    return [share if place in entry.answer else -100.0 for place in range(len(entry.choices))]


def percent(share: float) -> str:
    """As Moodle writes it: 100, 50, 33.33333."""
    return f"{share:.5f}".rstrip("0").rstrip(".")


def shares_of(entry: Entry) -> list[str]:
    """The sign and weight before each choice in GIFT."""
    if entry.kind == "single":
        return ["=" if place in entry.answer else "~" for place in range(len(entry.choices))]
    return [f"~%{percent(share)}%" for share in fractions(entry)]

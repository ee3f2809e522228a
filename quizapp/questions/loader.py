"""Reading and writing bank files: ``bank.yaml`` and ``questions.yaml`` (or the same as JSON values).

Reading is all or nothing: every mistake of a file is collected with its place, and nothing is returned while there is
one. Scalars are taken as they are written (``article: 133-1``, ``date: 2020-05-28``, ``id: 007``); only null and
true/false have a meaning. Aliases and repeated keys are refused: neither belongs in a file that people compare.
"""

import hashlib
import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quizapp.core.text import has_forbidden_characters
from quizapp.questions.errors import BankFileInvalid, RowError
from quizapp.questions.models import KINDS
from quizapp.questions.rules import JUDGE_CHOICES, LETTERS

BANK_FILE = "bank.yaml"
QUESTIONS_FILE = "questions.yaml"
MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_ENTRIES = 20_000
MAX_DEPTH = 12
MAX_STEM, MAX_CHOICE, MAX_EXPLANATION, MAX_TAGS, MAX_TAG, MAX_CITATIONS = 500, 200, 2000, 20, 64, 20

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_FIELDS = ("id", "kind", "stem", "choices", "answer", "explanation", "citations", "reviewed_by", "reviewed_on", "difficulty", "tags")
_REQUIRED = ("id", "kind", "stem", "answer", "explanation", "citations", "difficulty")
_BANK_LIMITS = {"title": 100, "theme": 32, "description": 400, "licence": 64}
_JUDGE_WORDS = {
    **dict.fromkeys(("对", "正确", "是", "√", "true", "A"), 0),
    **dict.fromkeys(("错", "错误", "否", "×", "false", "B"), 1),
}
DOCUMENT_FIELDS = ("document", "issuer", "number", "clause", "date")


@dataclass(frozen=True)
class BankHead:
    slug: str
    title: str
    theme: str
    description: str
    licence: str


@dataclass(frozen=True)
class Entry:
    """One question of a file. ``answer`` holds sorted indices; judge has the choices 对, 错."""

    code: str
    kind: str
    stem: str
    choices: tuple[str, ...]
    answer: tuple[int, ...]
    explanation: str
    citations: tuple[Mapping[str, str], ...]
    difficulty: int
    tags: tuple[str, ...]
    reviewed_by: str | None = None
    reviewed_on: str | None = None

    def content_hash(self) -> bytes:
        """SHA-256 over everything the entry says except its id: equal content makes no new revision."""
        content = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "code"}
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=list)
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True)
class BankFile:
    head: BankHead
    entries: tuple[Entry, ...]


class _Mistakes:
    """Collects what is wrong in one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.rows: list[RowError] = []
        self.number = 0
        self.entry = ""

    def at(self, number: int, entry: str) -> None:
        self.number, self.entry = number, entry

    def add(self, field: str, reason: str) -> None:
        self.rows.append(RowError(self.file, self.number, self.entry, field, reason))


# ---- YAML


_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[valid-type, misc]  # the fast loader where libyaml is there
    """Plain scalars stay text, except null and booleans."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def _no_repeated_keys(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    mapping: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, "字段名应当是文字", key_node.start_mark)
        if key in mapping:
            raise yaml.constructor.ConstructorError(None, None, f"字段 {key} 写了两次", key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor("tag:yaml.org,2002:map", _no_repeated_keys)


def _check_events(text: str, file: str) -> None:
    """Refuse aliases and deep nesting before anything is built: building recurses, reading events does not."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise BankFileInvalid([RowError(file, 0, "", _line_of(event.start_mark), "不能用 YAML 引用（&、*）")])
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise BankFileInvalid([RowError(file, 0, "", _line_of(event.start_mark), "嵌套太深")])


def _line_of(mark: Any) -> str:
    return f"第 {mark.line + 1} 行" if mark else ""


def read_yaml(text: str, file: str) -> Any:
    """:raises BankFileInvalid: naming the line"""
    try:
        _check_events(text, file)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader that resolves even less
    except yaml.MarkedYAMLError as error:
        problem = error.problem or "格式不对"
        raise BankFileInvalid([RowError(file, 0, "", _line_of(error.problem_mark), f"不是合格的 YAML：{problem}")]) from None
    except (yaml.YAMLError, ValueError):
        raise BankFileInvalid([RowError(file, 0, "", "", "不是合格的 YAML：有不能用的字符")]) from None


def read_text(raw: bytes, file: str) -> str:
    """Bytes of a file as text.

    :raises BankFileInvalid: if it is too large or not UTF-8
    """
    if len(raw) > MAX_FILE_BYTES:
        raise BankFileInvalid([RowError(file, 0, "", "", f"文件超过 {MAX_FILE_BYTES // 1024 // 1024} MB，请拆成几个题库")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BankFileInvalid([RowError(file, 0, "", "", f"不是 UTF-8 编码（第 {error.start + 1} 个字节）")]) from None


# ---- fields


def _line(value: Any) -> str | None:
    """A text field as it is kept, or None if it is not text: outer blanks go, inner ones stay."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return value.strip() if isinstance(value, str) else None


def _text(mistakes: _Mistakes, field: str, value: Any, limit: int) -> str:
    text = _line(value)
    if text is None:
        mistakes.add(field, "没有填" if value is None else "应当是文字")
    elif not text:
        mistakes.add(field, "没有填")
    elif len(text) > limit:
        mistakes.add(field, f"有 {len(text)} 个字，最多 {limit} 个字")
    elif has_forbidden_characters(text):
        mistakes.add(field, "有不能用的控制字符")
    else:
        return text
    return ""


def _choices(mistakes: _Mistakes, kind: str, value: Any) -> tuple[str, ...]:
    if kind == "judge":
        if value not in (None, [], list(JUDGE_CHOICES), {"A": "对", "B": "错"}):
            mistakes.add("choices", "判断题不写选项")
        return JUDGE_CHOICES
    if isinstance(value, Mapping):
        expected = list(LETTERS[: len(value)])
        if [str(key).strip().upper() for key in value] != expected:
            mistakes.add("choices", f"选项字母应当从 A 起连续：{'、'.join(expected)}")
            return ()
        value = list(value.values())
    if not isinstance(value, list):
        mistakes.add("choices", "没有填" if value is None else "应当是选项的列表")
        return ()
    if not 2 <= len(value) <= len(LETTERS):
        mistakes.add("choices", f"有 {len(value)} 个选项，应当是 2 到 {len(LETTERS)} 个")
        return ()
    before = len(mistakes.rows)
    choices = tuple(_text(mistakes, f"choices[{LETTERS[place]}]", item, MAX_CHOICE) for place, item in enumerate(value))
    if len(mistakes.rows) > before:
        return ()
    if len(set(choices)) < len(choices):
        twice = next(text for place, text in enumerate(choices) if text in choices[:place])
        places = "、".join(LETTERS[place] for place, text in enumerate(choices) if text == twice)
        mistakes.add("choices", f"选项 {places} 一模一样")
        return ()
    return choices


def _judge_answer(mistakes: _Mistakes, value: Any) -> tuple[int, ...]:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    word = str(value).strip() if isinstance(value, str | bool) else ""
    index = _JUDGE_WORDS.get(word, _JUDGE_WORDS.get(word.lower(), _JUDGE_WORDS.get(word.upper())))
    if index is None:
        mistakes.add("answer", "判断题的答案应当是 对 或 错")
        return ()
    return (index,)


def _answer(mistakes: _Mistakes, kind: str, choices: tuple[str, ...], value: Any) -> tuple[int, ...]:
    if value is None or value in ("", []):
        mistakes.add("answer", "没有填")
        return ()
    if kind == "judge":
        return _judge_answer(mistakes, value)
    if isinstance(value, str):
        value = re.findall(r"[^\s,，、;；]", value)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        mistakes.add("answer", "应当是选项字母，例如 [B] 或 [A, C]")
        return ()
    letters = [item.strip().upper() for item in value]
    if len(set(letters)) < len(letters):
        mistakes.add("answer", "同一个字母写了两次")
        return ()
    if not choices:
        return ()
    shown = LETTERS[: len(choices)]
    strange = [letter for letter in letters if len(letter) != 1 or letter not in shown]
    if strange:
        mistakes.add("answer", f"只有 {shown[0]} 到 {shown[-1]} 这几个选项，答案却有 {strange[0][:8]}")
    elif kind == "single" and len(letters) != 1:
        mistakes.add("answer", "单选题只能有 1 个答案")
    elif kind == "multiple" and len(letters) < 2:
        mistakes.add("answer", "多选题至少要有 2 个答案")
    else:
        return tuple(sorted(shown.index(letter) for letter in letters))
    return ()


def _citation(mistakes: _Mistakes, field: str, value: Any) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        mistakes.add(field, "应当写明法律和条号，或者文件名、机关、文号、条款和日期")
        return {}
    names = ("law", "article") if "law" in value else DOCUMENT_FIELDS
    unknown = [str(name) for name in value if name not in names]
    if unknown:
        mistakes.add(field, f"不认识的字段 {unknown[0][:40]}")
        return {}
    before = len(mistakes.rows)
    citation = {name: _text(mistakes, f"{field}.{name}", value.get(name), 200) for name in names}
    if len(mistakes.rows) == before:
        if "article" in citation and not re.fullmatch(r"\d{1,4}(?:-\d{1,3})?", citation["article"]):
            mistakes.add(f"{field}.article", "条号写数字，例如 55 或 133-1")
        if "date" in citation and not DAY.fullmatch(citation["date"]):
            mistakes.add(f"{field}.date", "日期写成 2020-05-28 的样子")
    return citation


def _citations(mistakes: _Mistakes, value: Any) -> tuple[Mapping[str, str], ...]:
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list) or not value:
        mistakes.add("citations", "没有填，每道题至少要有一条依据")
        return ()
    if len(value) > MAX_CITATIONS:
        mistakes.add("citations", f"最多 {MAX_CITATIONS} 条")
        return ()
    return tuple(_citation(mistakes, f"citations[{place}]", item) for place, item in enumerate(value, 1))


def _difficulty(mistakes: _Mistakes, value: Any) -> int:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if text.strip() in ("1", "2", "3", "4", "5"):
        return int(text)
    mistakes.add("difficulty", "只能填 1 到 5")
    return 0


def _tags(mistakes: _Mistakes, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_TAGS:
        mistakes.add("tags", f"应当是标签的列表，最多 {MAX_TAGS} 个")
        return ()
    return tuple(dict.fromkeys(_text(mistakes, f"tags[{place}]", item, MAX_TAG) for place, item in enumerate(value, 1)))


def _review(mistakes: _Mistakes, raw: Mapping[str, Any]) -> tuple[str | None, str | None]:
    by, on = raw.get("reviewed_by"), raw.get("reviewed_on")
    who = None if by in (None, "") else _text(mistakes, "reviewed_by", by, 64)
    day = None if on in (None, "") else _text(mistakes, "reviewed_on", on, 10)
    if day and not DAY.fullmatch(day):
        mistakes.add("reviewed_on", "日期写成 2026-11-22 的样子")
    return who or None, day or None


def _entry(mistakes: _Mistakes, raw: Mapping[str, Any]) -> Entry:
    for name in raw:
        if name not in _FIELDS:
            mistakes.add(str(name)[:40], "不认识的字段")
    for name in _REQUIRED:
        if name not in raw:
            mistakes.add(name, "没有这个字段")
    present = {name for name in _FIELDS if name in raw}
    code = _line(raw.get("id")) or ""
    if "id" in present and not CODE.fullmatch(code):
        mistakes.add("id", "只能用字母、数字、点、横线，最多 64 个字符")
    kind = raw.get("kind")
    if "kind" in present and kind not in KINDS:
        mistakes.add("kind", f"应当是 {'、'.join(KINDS)} 之一")
    is_kind = kind in KINDS
    choices = _choices(mistakes, kind, raw.get("choices")) if is_kind and isinstance(kind, str) else ()
    who, day = _review(mistakes, raw)
    return Entry(
        code=code,
        kind=str(kind),
        stem=_text(mistakes, "stem", raw["stem"], MAX_STEM) if "stem" in present else "",
        choices=choices,
        answer=_answer(mistakes, str(kind), choices, raw["answer"]) if "answer" in present and is_kind else (),
        explanation=_text(mistakes, "explanation", raw["explanation"], MAX_EXPLANATION) if "explanation" in present else "",
        citations=_citations(mistakes, raw["citations"]) if "citations" in present else (),
        difficulty=_difficulty(mistakes, raw["difficulty"]) if "difficulty" in present else 0,
        tags=_tags(mistakes, raw.get("tags")),
        reviewed_by=who,
        reviewed_on=day,
    )


def parse_one(raw: Any, number: int, file: str = QUESTIONS_FILE) -> tuple[Entry | None, list[RowError]]:
    """Check one question of a list by itself: the question, or every mistake in it."""
    mistakes = _Mistakes(file)
    code = _line(raw.get("id")) if isinstance(raw, Mapping) else None
    mistakes.at(number, (code or "")[:64])
    if not isinstance(raw, Mapping):
        mistakes.add("", "应当是一道题的各个字段")
        return None, mistakes.rows
    entry = _entry(mistakes, raw)
    return (None if mistakes.rows else entry), mistakes.rows


# ---- whole files


def parse_entries(raw: Any, file: str = QUESTIONS_FILE) -> tuple[Entry, ...]:
    """Check the list of questions of a bank.

    :raises BankFileInvalid: with every mistake in it
    """
    mistakes = _Mistakes(file)
    if isinstance(raw, Mapping) and set(raw) == {"questions"}:
        raw = raw["questions"]
    if not isinstance(raw, list) or not raw:
        mistakes.add("", "应当是题目的列表，至少一道题")
        raise BankFileInvalid(mistakes.rows)
    if len(raw) > MAX_ENTRIES:
        mistakes.add("", f"有 {len(raw)} 道题，一个题库最多 {MAX_ENTRIES} 道")
        raise BankFileInvalid(mistakes.rows)
    entries: list[Entry] = []
    first: dict[str, int] = {}
    for number, item in enumerate(raw, 1):
        code = _line(item.get("id")) if isinstance(item, Mapping) else None
        mistakes.at(number, (code or "")[:64])
        if not isinstance(item, Mapping):
            mistakes.add("", "应当是一道题的各个字段")
            continue
        if code and code in first:
            mistakes.add("id", f"和第 {first[code]} 条的 id 相同")
        elif code:
            first[code] = number
        entries.append(_entry(mistakes, item))
    if mistakes.rows:
        raise BankFileInvalid(mistakes.rows)
    return tuple(entries)


def parse_head(raw: Any, file: str = BANK_FILE) -> BankHead:
    """Check what a bank says of itself.

    :raises BankFileInvalid: with every mistake in it
    """
    mistakes = _Mistakes(file)
    if not isinstance(raw, Mapping):
        mistakes.add("", "应当写明 slug、title、theme、description、licence")
        raise BankFileInvalid(mistakes.rows)
    for name in raw:
        if name not in ("slug", *_BANK_LIMITS):
            mistakes.add(str(name)[:40], "不认识的字段")
    slug = _line(raw.get("slug")) or ""
    if not _SLUG.fullmatch(slug):
        mistakes.add("slug", "只能用小写字母、数字、横线，最多 64 个字符")
    values = {
        name: _text(mistakes, name, raw.get(name), limit) if name in ("title", "theme") or raw.get(name) not in (None, "") else ""
        for name, limit in _BANK_LIMITS.items()
    }
    if mistakes.rows:
        raise BankFileInvalid(mistakes.rows)
    return BankHead(slug=slug, **values)


def parse_bank(bank_text: str, questions_text: str, *, bank_file: str = BANK_FILE, questions_file: str = QUESTIONS_FILE) -> BankFile:
    """Check the two texts of a bank together.

    :raises BankFileInvalid: with the mistakes of both
    """
    rows: list[RowError] = []
    head: BankHead | None = None
    entries: tuple[Entry, ...] = ()
    try:
        head = parse_head(read_yaml(bank_text, bank_file), bank_file)
    except BankFileInvalid as error:
        rows.extend(error.rows)
    try:
        entries = parse_entries(read_yaml(questions_text, questions_file), questions_file)
    except BankFileInvalid as error:
        rows.extend(error.rows)
    if head is None or rows:
        raise BankFileInvalid(rows)
    return BankFile(head, entries)


def parse_questions_text(text: str, file: str = QUESTIONS_FILE) -> tuple[Entry, ...]:
    """:raises BankFileInvalid: with every mistake in it"""
    return parse_entries(read_yaml(text, file), file)


def load_bank(folder: Path) -> BankFile:
    """Read one bank folder.

    :raises BankFileInvalid: with every mistake in it, or naming the file that is not there
    """
    texts: dict[str, str] = {}
    rows: list[RowError] = []
    for name in (BANK_FILE, QUESTIONS_FILE):
        path = folder / name
        try:
            with path.open("rb") as stream:
                texts[name] = read_text(stream.read(MAX_FILE_BYTES + 1), str(path))
        except OSError:
            rows.append(RowError(str(path), 0, "", "", "没有这个文件，或者打不开"))
        except BankFileInvalid as error:
            rows.extend(error.rows)
    if rows:
        raise BankFileInvalid(rows)
    return parse_bank(
        texts[BANK_FILE],
        texts[QUESTIONS_FILE],
        bank_file=str(folder / BANK_FILE),
        questions_file=str(folder / QUESTIONS_FILE),
    )


# ---- writing

_ESCAPED = re.compile(r"[\x85\xa0\u2028\u2029\ufeff\ufffe\uffff]")


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar on one line: JSON's form, with the line ends that YAML knows and JSON does not escaped."""
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _written_answer(entry: Entry) -> str:
    if entry.kind == "judge":
        return _quoted(JUDGE_CHOICES[entry.answer[0]])
    return f"[{', '.join(LETTERS[index] for index in entry.answer)}]"


def write_head(head: BankHead) -> str:
    return f"slug: {head.slug}\n" + "".join(f"{name}: {_quoted(getattr(head, name))}\n" for name in _BANK_LIMITS)


def write_entries(entries: tuple[Entry, ...]) -> str:
    """The text of ``questions.yaml``; the same entries always give the same bytes."""
    lines: list[str] = []
    for entry in entries:
        lines += [f"- id: {_quoted(entry.code)}", f"  kind: {entry.kind}", f"  stem: {_quoted(entry.stem)}"]
        if entry.kind != "judge":
            lines += ["  choices:", *(f"    - {_quoted(choice)}" for choice in entry.choices)]
        lines += [f"  answer: {_written_answer(entry)}", f"  explanation: {_quoted(entry.explanation)}", "  citations:"]
        for citation in entry.citations:
            lines.append("    - {" + ", ".join(f"{name}: {_quoted(value)}" for name, value in citation.items()) + "}")
        lines += [
            f"  reviewed_by: {_quoted(entry.reviewed_by) if entry.reviewed_by else 'null'}",
            f"  reviewed_on: {_quoted(entry.reviewed_on) if entry.reviewed_on else 'null'}",
            f"  difficulty: {entry.difficulty}",
            f"  tags: [{', '.join(_quoted(tag) for tag in entry.tags)}]",
        ]
    return "\n".join(lines) + "\n"

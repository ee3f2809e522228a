"""Our own files: ``questions.yaml``, or a zip with ``bank.yaml`` beside it. Unlike the loader for shipped banks, one wrong
question does not refuse the others, and a missing explanation or citation is a gap."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from quizapp.questions.errors import BankFileInvalid, RowError
from quizapp.questions.exchange.opened import NotText, decode, weigh_zip
from quizapp.questions.exchange.parsed import DEFAULT_DIFFICULTY, GAPS, Parsed, ParsedQuestion, Problem, file_problem, refused, shortened
from quizapp.questions.exchange.reading import TITLES
from quizapp.questions.loader import (
    BANK_FILE,
    MAX_ENTRIES,
    QUESTIONS_FILE,
    BankFile,
    Entry,
    parse_head,
    parse_one,
    read_yaml,
    write_entries,
    write_head,
)

MAX_MEMBERS = 50
_STAND_INS: dict[str, Any] = {
    "id": "x",
    "explanation": "x",
    "citations": [{"law": "x", "article": "1"}],
    "difficulty": DEFAULT_DIFFICULTY,
}
"""What passes the loader's check in the place of something that a draft may lack."""
_EMPTY: dict[str, Any] = {"id": "", "explanation": "", "citations": (), "difficulty": DEFAULT_DIFFICULTY}
_ENTRY_FIELDS = {"id": "code", "explanation": "explanation", "citations": "citations", "difficulty": "difficulty"}
_FIELD_TITLES = {**TITLES, "id": TITLES["code"]}


def looks_like(text: str) -> bool:
    return text.startswith(("- id:", "- kind:", "- stem:", "questions:", "- {"))


def read_zip(raw: bytes) -> Parsed:
    """The two files of a zip, at its top or in one folder."""
    refusal = weigh_zip(raw, "zip")
    if refusal is not None:
        return refusal
    texts: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MAX_MEMBERS:
            return refused("zip", f"压缩包里有 {len(members)} 个文件，最多 {MAX_MEMBERS} 个", "一个压缩包只放一个题库")
        for member in members:
            folder, _, name = member.filename.rpartition("/")
            if name not in (BANK_FILE, QUESTIONS_FILE) or folder.count("/") or folder.startswith("__MACOSX"):
                continue
            if name in texts:
                return refused("zip", f"压缩包里有两个 {name}", "一次只能导入一个题库")
            texts[name] = archive.read(member)
    if QUESTIONS_FILE not in texts:
        return refused("zip", f"压缩包里没有 {QUESTIONS_FILE}", "Excel、Word 文件不用压缩，直接传")
    parsed = _read(texts[QUESTIONS_FILE], "zip")
    if BANK_FILE in texts:
        try:
            parsed.head = parse_head(read_yaml(decode(texts[BANK_FILE]), BANK_FILE), BANK_FILE)
        except NotText:
            parsed.problems.append(file_problem(f"{BANK_FILE} 的文字编码认不出来", "请另存为 UTF-8"))
        except BankFileInvalid as error:
            parsed.problems += [_problem(row, "") for row in error.rows]
    return parsed


def read(raw: bytes) -> Parsed:
    return _read(raw, "yaml")


def _read(raw: bytes, format: str) -> Parsed:
    try:
        body = read_yaml(decode(raw), QUESTIONS_FILE)
    except NotText:
        return refused(format, "文字编码认不出来", "请另存为 UTF-8 再传")
    except BankFileInvalid as error:
        return Parsed(format, problems=[_problem(row, "") for row in error.rows])
    if isinstance(body, Mapping) and set(body) == {"questions"}:
        body = body["questions"]
    if not isinstance(body, list):
        return refused(format, "应当是题目的列表", "请照着导出的文件写")
    if len(body) > MAX_ENTRIES:
        return refused(format, f"有 {len(body)} 道题，一次最多 {MAX_ENTRIES} 道", "请拆成几个文件再传")
    parsed = Parsed(format)
    for number, item in enumerate(body, 1):
        _add(parsed, number, item)
    return parsed


def _add(parsed: Parsed, number: int, item: Any) -> None:
    given = dict(item) if isinstance(item, Mapping) else {}
    missing = {name for name in _STAND_INS if given.get(name) in (None, "", [])}
    filled = {**given, **{name: _STAND_INS[name] for name in missing}} if given else item
    entry, mistakes = parse_one(filled, number)
    stem = shortened(str(given.get("stem") or ""))
    parsed.problems += [_problem(row, stem) for row in mistakes]
    if entry is not None:
        emptied = replace(entry, **{_ENTRY_FIELDS[name]: _EMPTY[name] for name in missing})
        parsed.questions.append(ParsedQuestion(number, "", emptied, tuple(name for name in GAPS if name in missing)))


def _problem(row: RowError, stem: str) -> Problem:
    title = _FIELD_TITLES.get(row.field.split("[")[0].split(".")[0], row.field)
    return Problem(row.number, title, row.reason, "请照这一句改", stem=stem)


def write(entries: Sequence[Entry]) -> str:
    return write_entries(tuple(entries))


def write_zip(bank_file: BankFile) -> bytes:
    """A bank's two files in a folder, as a zip; the same bank always gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in ((BANK_FILE, write_head(bank_file.head)), (QUESTIONS_FILE, write_entries(bank_file.entries))):
            archive.writestr(zipfile.ZipInfo(f"{bank_file.head.slug}/{name}"), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()

"""Every format by name: how a file of it is told, read and written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quizapp.core.text import N_
from quizapp.questions.exchange import aiken, banks, documents, gift, moodle, papers, sheet_files, sheets, tables, word_files
from quizapp.questions.exchange.opened import MAX_TEXT_BYTES, NotText, beginning, decode, is_ole, is_zip, member_names
from quizapp.questions.exchange.parsed import Parsed, Problem, file_problem, refused, shortened
from quizapp.questions.exchange.reading import build_all, without_repeats
from quizapp.questions.loader import MAX_ENTRIES, Entry

ACCEPTED = ".xlsx,.xlsm,.xls,.et,.ods,.csv,.tsv,.txt,.docx,.gift,.xml,.yaml,.yml,.zip"


@dataclass(frozen=True)
class Format:
    """One way out. ``loses`` says in one sentence what it cannot carry, "" where it carries everything."""

    name: str
    title: str
    extension: str
    mimetype: str
    write: Callable[[Sequence[Entry]], bytes]
    loses: str = ""
    can_hold: Callable[[Entry], bool] = lambda entry: True


_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = (
    Format("xlsx", "Excel", "xlsx", _EXCEL, sheet_files.write_xlsx),
    Format("docx", "Word", "docx", _WORD, word_files.write),
    Format("csv", "CSV", "csv", "text/csv", sheet_files.write_csv),
    Format("gift", "GIFT（Moodle 文本）", "gift.txt", "text/plain", lambda entries: gift.write(entries).encode()),
    Format("moodle", "Moodle XML", "xml", "application/xml", moodle.write),
    Format(
        "aiken",
        "Aiken",
        "aiken.txt",
        "text/plain",
        lambda entries: aiken.write(entries).encode(),
        N_("只装得下题干、选项和一个答案：多个答案的题不写进去，解析、依据、难度、标签、编号和题干里的换行都会丢"),
        aiken.can_hold,
    ),
)
"""The bank's own zip is not among them: it holds the bank's head too and is written by ``banks.write_zip``."""
BY_NAME = {format.name: format for format in FORMATS}


def read(raw: bytes, name: str = "") -> Parsed:
    """Questions and problems of a file. What it is, its content decides; its name only where the content leaves it open.

    Never raises for anything a file may hold.
    """
    if not raw:
        return refused("", "文件是空的", "请重新选文件")
    parsed = _read(raw, name.lower())
    if len(parsed.questions) > MAX_ENTRIES:
        return refused(parsed.format, f"有 {len(parsed.questions)} 道题，一次最多 {MAX_ENTRIES} 道", "请拆成几个文件再传")
    if not parsed.questions and not parsed.problems:
        parsed.problems.append(file_problem("没有找到题目", "请下载模板对照，或者看看说明里支持的写法"))
    return _with_repeated_stems(without_repeats(parsed))


def read_text(text: str) -> Parsed:
    """Pasted text."""
    return read(text.encode("utf-8", "replace"), "")


def _read(raw: bytes, name: str) -> Parsed:
    if is_zip(raw):
        return _read_archive(raw)
    if is_ole(raw):
        return _read_ole(raw, name)
    if len(raw) > MAX_TEXT_BYTES:
        return refused("", f"文件超过 {MAX_TEXT_BYTES // 1024 // 1024} MB", "请拆成几个文件再传")
    if raw[:5] == b"%PDF-" or raw[:5] == b"{\\rtf":
        return refused("", "这种文件读不了", "请用 Word 或 WPS 打开，另存为 .docx 再传")
    if b"<quiz" in raw[:2000] or b"<\x00q\x00u\x00i\x00z" in raw[:2000]:
        return moodle.read(raw)
    try:
        text = decode(raw)
    except NotText:
        return refused("", "文字编码认不出来，或者不是文本文件", "请另存为 UTF-8，或者另存为 .xlsx、.docx 再传")
    return _read_plain(text, raw, name)


def _read_plain(text: str, raw: bytes, name: str) -> Parsed:
    head = beginning(text)
    if head.startswith("<"):
        return moodle.read(raw)
    if name.endswith((".yaml", ".yml")) or banks.looks_like(head):
        return banks.read(raw)
    if not name.endswith((".csv", ".tsv")):
        is_named_gift = name.endswith((".gift", ".gift.txt"))
        is_gift = is_named_gift or gift.looks_like(text)
        if aiken.looks_like(text) and not is_named_gift:
            return aiken.read(text)
        if is_gift:
            return gift.read(text)
    delimited = sheets.read_delimited(text)
    if name.endswith((".csv", ".tsv")) or any(tables.find_header(sheet) for sheet in delimited):
        return _from_tables("csv", delimited)
    raws, problems = papers.read_papers(list(papers.lines_of(text)))
    parsed = build_all("text", raws)
    parsed.problems += problems
    return parsed


def _read_archive(raw: bytes) -> Parsed:
    names = member_names(raw)
    if "word/document.xml" in names:
        return documents.read(raw)
    is_book = any(item.startswith("xl/") for item in names) or "content.xml" in names
    return _read_book(raw, "xlsx") if is_book else banks.read_zip(raw)


def _read_ole(raw: bytes, name: str) -> Parsed:
    """Old office files share one container. Word's text can be had only from Word itself."""
    streams = raw[: 4 * 1024 * 1024]
    if "EncryptedPackage".encode("utf-16-le") in streams:
        return refused("", "文件有密码", "请去掉密码再传")
    if "WordDocument".encode("utf-16-le") in streams:
        return refused("doc", "这是旧的 .doc 或 .wps 文件", "请用 Word 或 WPS 打开，另存为 .docx 再传")
    return _read_book(raw, "et" if name.endswith(".et") else "xls")


def _read_book(raw: bytes, format: str) -> Parsed:
    opened = sheets.read_workbook(raw, format)
    if isinstance(opened, Parsed):
        return opened
    parsed = _from_tables(format, opened[0])
    parsed.problems = [*opened[1], *parsed.problems]
    return parsed


def _from_tables(format: str, found: Sequence[sheets.Sheet]) -> Parsed:
    raws, problems = tables.read_tables(found)
    parsed = build_all(format, raws)
    parsed.problems = [*problems, *parsed.problems]
    return parsed


def _with_repeated_stems(parsed: Parsed) -> Parsed:
    """Say where a file holds the same question twice; both are taken unless the import is told to skip."""
    first: dict[tuple[str, tuple[str, ...]], int] = {}
    for question in parsed.questions:
        entry = question.entry
        key = ("".join(entry.stem.split()), tuple(sorted(entry.choices)))
        if key in first:
            reason = f"和第 {first[key]} 行的题一样"
            problem = Problem(question.row, "题干", reason, "不要重复的，就删掉一行再传", question.place, "", shortened(entry.stem), "note")
            parsed.problems.append(problem)
        first.setdefault(key, question.row)
    return parsed

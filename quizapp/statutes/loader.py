"""Reading law files: one JSON object for each statute, alone, in folders or in zips.

Reading is all or nothing: every mistake of every file is collected with its place. What is passed over (lists such as
``index.json``, files that are no JSON) is named too, so that nothing disappears without a word.
"""

import datetime as dt
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from quizapp.core.text import has_forbidden_characters
from quizapp.statutes import rules
from quizapp.statutes.errors import FileError, LawFilesInvalid

MAX_FILES = 2_000
MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_TOTAL_BYTES = 64 * 1024 * 1024
MAX_ARTICLES = 3_000
MAX_ARTICLE = 20_000
LISTS = ("index.json", "repealed.json")
"""Lists that stand beside the statutes in such a folder and are not statutes themselves."""

_LIMITS = {"title": 200, "short_title": 200, "category": 32, "issuer": 200, "number": 100, "note": 1000, "source": 200, "as_of": 10}
_DAYS = ("adopted", "effective", "last_amended", "amendment_effective", "repealed_on", "superseded_on")
_KNOWN = {
    *_LIMITS,
    *_DAYS,
    *("aliases", "status", "repealed_by", "superseded_by", "text_outdated", "preamble", "articles"),
    *("effective_basis", "repeal_evidence", "later_amendment"),
}
_STATUSES = ("in_force", "not_yet_in_force", "repealed")


@dataclass(frozen=True)
class Upload:
    """A file that was sent, or read from a folder: its path and bytes."""

    name: str
    raw: bytes

    @property
    def is_zip(self) -> bool:
        return self.raw[:4] == b"PK\x03\x04"


@dataclass(frozen=True)
class LawFile:
    """What one file says. ``articles`` holds clean texts by number, the preamble under ``0``."""

    path: str
    title: str
    short_title: str
    aliases: tuple[str, ...]
    category: str
    issuer: str
    number: str
    adopted: dt.date | None
    effective: dt.date | None
    last_amended: dt.date | None
    amendment_effective: dt.date | None
    is_repealed: bool
    repealed_by: str
    repealed_on: dt.date | None
    superseded_by: str
    superseded_on: dt.date | None
    is_outdated: bool
    note: str
    source: str
    as_of: str
    articles: Mapping[str, str]
    text_from: dt.date
    successors: tuple["LawFile", ...] = ()
    """Later texts of the same statute that came as files of their own."""

    @property
    def kind(self) -> str:
        return rules.kind_of_category(self.category)

    @property
    def names(self) -> frozenset[str]:
        own = {self.short_title, self.title, *self.aliases}
        return frozenset(own.union(*(successor.names for successor in self.successors)))


@dataclass(frozen=True)
class LawFiles:
    """Everything that came: the statutes by short title, and what was passed over with the reason."""

    statutes: tuple[LawFile, ...]
    passed_over: tuple[tuple[str, str], ...] = field(default=())


class _Twice(ValueError):
    pass


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


class _Reader:
    """Reads the fields of one file and collects what is wrong with them."""

    def __init__(self, path: str, raw: Mapping[str, Any]) -> None:
        self.path = path
        self.raw = raw
        self.errors: list[FileError] = []

    def add(self, name: str, reason: str) -> None:
        self.errors.append(FileError(self.path, name, reason))

    def text(self, name: str, *, is_required: bool = False) -> str:
        value = self.raw.get(name)
        if value in (None, ""):
            if is_required:
                self.add(name, "没有填")
            return ""
        if not isinstance(value, str):
            self.add(name, "应当是文字")
            return ""
        text, limit = " ".join(value.split()), _LIMITS.get(name, 200)
        if len(text) > limit:
            self.add(name, f"有 {len(text)} 个字，最多 {limit} 个字")
        elif has_forbidden_characters(text):
            self.add(name, "有不能用的控制字符")
        else:
            return text
        return ""

    def day(self, name: str) -> dt.date | None:
        value = self.raw.get(name)
        if value in (None, ""):
            return None
        try:
            if isinstance(value, str) and len(value) == 10:
                return dt.date.fromisoformat(value)
        except ValueError:
            pass
        self.add(name, "日期写成 2026-01-01 的样子")
        return None

    def flag(self, name: str) -> bool:
        value = self.raw.get(name, False)
        if not isinstance(value, bool):
            self.add(name, "应当是 true 或 false")
        return value is True

    def aliases(self) -> tuple[str, ...]:
        value = self.raw.get("aliases") or []
        if not isinstance(value, list) or not all(isinstance(item, str) and 0 < len(item.strip()) <= 200 for item in value):
            self.add("aliases", "应当是别名的列表，每个不超过 200 个字")
            return ()
        return tuple(dict.fromkeys(item.strip() for item in value))

    def articles(self) -> dict[str, str]:
        value = self.raw.get("articles")
        if not isinstance(value, Mapping):
            self.add("articles", "没有填" if value is None else "应当是条号到条文的对照")
            return {}
        if len(value) > MAX_ARTICLES:
            self.add("articles", f"有 {len(value)} 条，最多 {MAX_ARTICLES} 条")
            return {}
        found: dict[str, str] = {}
        preamble = self.raw.get("preamble")
        if preamble not in (None, ""):
            found[rules.PREAMBLE] = self._article("preamble", preamble)
        for number, text in value.items():
            if number == rules.PREAMBLE or not rules.is_number(number):
                self.add(f"articles[{number[:20]}]", "条号写数字，例如 25 或 133-1")
            else:
                found[number] = self._article(f"articles[{number}]", text)
        return found

    def _article(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            self.add(name, "没有条文")
            return ""
        text = rules.clean_text(value)
        if len(text) > MAX_ARTICLE:
            self.add(name, f"有 {len(text)} 个字，一条最多 {MAX_ARTICLE} 个字")
        elif has_forbidden_characters(text):
            self.add(name, "有不能用的控制字符")
        return text


def _check_titles(reader: _Reader, title: str, short: str) -> None:
    for name, value in (("title", title), ("short_title", short)):
        if any(char in "/\\?#%" for char in value):
            reader.add(name, "不能有 / \\ ? # %")


def _text_from(reader: _Reader, days: Mapping[str, dt.date | None]) -> dt.date:
    """The day from which the text of a file holds: when its last change took effect, which for an amendment whose own day
    is not given is the day it was made."""
    latest = days["amendment_effective"] or days["last_amended"]
    known = [day for day in (days["effective"], latest) if day is not None] or [day for day in (days["adopted"],) if day is not None]
    if not known:
        reader.add("effective", "没有填施行日期，也没有通过日期，不知道从哪天起有效")
        return dt.date.min
    return max(known)


def parse_law(path: str, raw: Any) -> LawFile:
    """Check one statute.

    :raises LawFilesInvalid: with every mistake in it
    """
    if not isinstance(raw, Mapping):
        raise LawFilesInvalid([FileError(path, "", "应当是一部法律的各个字段")])
    reader = _Reader(path, raw)
    for name in raw:
        if name not in _KNOWN:
            reader.add(str(name)[:40], "不认识的字段")
    if raw.get("status") not in (None, *_STATUSES):
        reader.add("status", f"应当是 {'、'.join(_STATUSES)} 之一")
    texts: dict[str, Any] = {name: reader.text(name, is_required=name in ("title", "short_title")) for name in _LIMITS}
    days: dict[str, Any] = {name: reader.day(name) for name in _DAYS}
    _check_titles(reader, texts["title"], texts["short_title"])
    law = LawFile(
        path=path,
        aliases=reader.aliases(),
        is_repealed=raw.get("status") == "repealed" or days["repealed_on"] is not None,
        repealed_by=reader.text("repealed_by"),
        superseded_by=reader.text("superseded_by"),
        is_outdated=reader.flag("text_outdated"),
        articles=reader.articles(),
        text_from=_text_from(reader, days),
        **texts,
        **days,
    )
    if reader.errors:
        raise LawFilesInvalid(reader.errors)
    return law


def _parse_json(upload: Upload) -> Any:
    """:raises LawFilesInvalid: naming what is wrong with the file as a whole"""

    def refused(reason: str) -> LawFilesInvalid:
        return LawFilesInvalid([FileError(upload.name, "", reason)])

    if len(upload.raw) > MAX_FILE_BYTES:
        raise refused(f"超过 {MAX_FILE_BYTES // 1024 // 1024} MB")
    try:
        return json.loads(upload.raw.decode("utf-8-sig"), object_pairs_hook=_no_repeats)
    except UnicodeDecodeError as error:
        raise refused(f"不是 UTF-8 编码（第 {error.start + 1} 个字节）") from None
    except json.JSONDecodeError as error:
        raise refused(f"不是合格的 JSON：第 {error.lineno} 行第 {error.colno} 列") from None
    except _Twice as error:
        raise refused(f"“{str(error)[:40]}”写了两次") from None
    except (RecursionError, ValueError):
        raise refused("不是合格的 JSON") from None


# ---- uploads


def _reason_to_pass(name: str) -> str:
    base = name.rpartition("/")[2]
    if base in LISTS:
        return "是目录，不是一部法律"
    return "" if base.lower().endswith(".json") and not base.startswith(".") and "__MACOSX/" not in name else "不是 .json 文件"


class _Budget:
    """How much may come out of all archives together; sizes are those that come out, not those that are claimed."""

    def __init__(self) -> None:
        self.files = MAX_FILES
        self.total = MAX_TOTAL_BYTES

    def spend(self, name: str, size: int) -> None:
        self.files -= 1
        self.total -= size
        if self.files < 0:
            raise LawFilesInvalid([FileError(name, "", f"文件太多，一次最多 {MAX_FILES} 个")])
        if self.total < 0:
            raise LawFilesInvalid([FileError(name, "", f"解开后超过 {MAX_TOTAL_BYTES // 1024 // 1024} MB，请分几次导入")])


def _unzip(upload: Upload, budget: _Budget, passed: list[tuple[str, str]]) -> Iterable[Upload]:
    try:
        with zipfile.ZipFile(io.BytesIO(upload.raw)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MAX_FILES:
                raise LawFilesInvalid([FileError(upload.name, "", f"压缩包里有 {len(members)} 个文件，最多 {MAX_FILES} 个")])
            for member in members:
                if reason := _reason_to_pass(member.filename):
                    passed.append((member.filename, reason))
                    continue
                with archive.open(member) as stream:
                    raw = stream.read(MAX_FILE_BYTES + 1)
                budget.spend(upload.name, len(raw))
                yield Upload(member.filename, raw)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error):
        raise LawFilesInvalid([FileError(upload.name, "", "压缩包打不开，请重新打包（不要加密）")]) from None


def read_uploads(uploads: Sequence[Upload]) -> LawFiles:
    """Check everything that was sent.

    :raises LawFilesInvalid: with every mistake of every file, or if there is no statute in it
    """
    budget, passed = _Budget(), list[tuple[str, str]]()
    members: list[Upload] = []
    for upload in uploads:
        if upload.is_zip:
            members += _unzip(upload, budget, passed)
        elif reason := _reason_to_pass(upload.name):
            passed.append((upload.name, reason))
        else:
            budget.spend(upload.name, len(upload.raw))
            members.append(upload)
    if not members:
        name = uploads[0].name if uploads else ""
        raise LawFilesInvalid([FileError(name, "", "里面没有法条文件（.json）")])
    laws: list[LawFile] = []
    errors: list[FileError] = []
    for member in members:
        try:
            laws.append(parse_law(member.name, _parse_json(member)))
        except LawFilesInvalid as error:
            errors += error.rows
    errors += _same_titles(laws)
    if errors:
        raise LawFilesInvalid(errors)
    return LawFiles(tuple(sorted(_merged(laws), key=lambda law: law.short_title)), tuple(passed))


def _same_titles(laws: Sequence[LawFile]) -> list[FileError]:
    first: dict[str, str] = {}
    errors = []
    for law in laws:
        if law.short_title in first:
            errors.append(FileError(law.path, "short_title", f"和 {first[law.short_title]} 的简称相同"))
        first.setdefault(law.short_title, law.path)
    return errors


def _merged(laws: Sequence[LawFile]) -> list[LawFile]:
    """Join a text with the one that its file says supersedes it on a day: both are versions of one statute."""
    later = {law.path: law for law in laws}
    successors: dict[str, LawFile] = {}
    for law in laws:
        if law.superseded_by and law.superseded_on:
            path = next((path for path in later if path == law.superseded_by or path.endswith(f"/{law.superseded_by}")), "")
            if path and path != law.path:
                successors[law.path] = replace(later[path], text_from=law.superseded_on)
    joined = {successor.path for successor in successors.values()}
    return [replace(law, successors=(successors[law.path],)) if law.path in successors else law for law in laws if law.path not in joined]


def read_folder(folder: Path) -> LawFiles:
    """Check every ``.json`` file below a folder, or a zip.

    :raises LawFilesInvalid: with every mistake, or if there is nothing
    """
    if folder.is_file():
        return read_uploads([Upload(folder.name, folder.read_bytes())])
    paths = sorted(path for path in folder.rglob("*.json") if path.is_file())
    return read_uploads([Upload(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths])

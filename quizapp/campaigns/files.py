"""Campaign files: YAML (or JSON, which is YAML too) that staff can write, read as a head and a body of terms.

A file holds ``title``, ``slug``, ``summary``, ``theme``, ``kind``, ``legal_basis``, ``host``, ``cohosts`` and, under
``terms``, what :mod:`campaigns.terms` reads; a file may also be a bare body. Every mistake names its line and field.

Scalars are taken as they are written, except null, true/false and whole numbers: ``10:00`` and ``2026-12-04 09:00`` stay
text. Aliases and repeated fields are refused: neither belongs in a file that people compare.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from quizapp.campaigns import checks
from quizapp.campaigns.checks import FindPool, Problem
from quizapp.core.text import N_, has_forbidden_characters
from quizapp.core.themes import THEMES

MAX_FILE_BYTES = 1024 * 1024
MAX_DEPTH = 24
HEAD_TEXTS = {"title": 40, "slug": 64, "summary": 60, "theme": 16, "kind": 16, "legal_basis": 200, "host": 60}
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class CampaignFile:
    """What a file holds. ``lines`` says on which line (from 1) a path of the body stands; ``mistakes`` what cannot be read."""

    head: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    lines: Mapping[str, int] = field(default_factory=dict)
    mistakes: Sequence[Problem] = ()

    def line_of(self, path: str) -> int | None:
        """The line of a path, or of the nearest part above it that the file has."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get("")


def read_file(path: Path) -> CampaignFile:
    """Read a campaign file; what is wrong with it is in ``mistakes``."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return _broken(f"文件超过 {MAX_FILE_BYTES // 1024} KB。")
        return parse_file(path.read_bytes())
    except OSError as error:
        return _broken(f"打不开这个文件：{error.strerror}")


def parse_file(raw: bytes) -> CampaignFile:
    """The same from the bytes of a file (UTF-8)."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _broken(f"不是 UTF-8 编码（第 {error.start + 1} 个字节）。")
    try:
        _refuse_events(text)
        node = yaml.compose(text, Loader=_Loader)
        reader = _Reader()
        whole = reader.value(node, "")
    except _Refused as error:
        return _broken(str(error), error.line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _broken(f"不是合格的 YAML：{error.problem or '格式不对'}", mark.line + 1 if mark else None)
    except yaml.YAMLError:
        return _broken(N_("不是合格的 YAML：有不能用的字符。"))
    if not isinstance(whole, Mapping):
        return _broken(N_("文件里应当是一组字段。"), 1)
    if "terms" not in whole:
        return CampaignFile({}, whole, reader.lines)
    head = {name: value for name, value in whole.items() if name != "terms"}
    lines = {path.removeprefix("terms").removeprefix("."): line for path, line in reader.lines.items() if path.startswith("terms")}
    lines |= {path: line for path, line in reader.lines.items() if path and not path.startswith("terms")}
    return CampaignFile(head, whole["terms"], lines, tuple(_head_mistakes(head)))


def check_file(file: CampaignFile, find_pool: FindPool | None = None) -> list[Problem]:
    """The rule check of a file."""
    if file.body is None:
        return list(file.mistakes)
    kind = str(file.head.get("kind") or "voluntary")
    found = checks.problems(file.body, kind=kind, legal_basis=str(file.head.get("legal_basis") or ""), find_pool=find_pool)
    return [*(one for one in file.mistakes if one.field not in {problem.field for problem in found}), *found]


def _broken(message: str, line: int | None = None) -> CampaignFile:
    return CampaignFile(lines={"": line} if line else {}, mistakes=(Problem("", message),))


def _head_mistakes(head: Mapping[str, Any]) -> list[Problem]:
    found = []
    for name, value in head.items():
        if name == "cohosts":
            if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
                found.append(Problem(name, N_("应当是协办单位名称的列表。")))
        elif name not in HEAD_TEXTS:
            found.append(Problem(str(name)[:40], N_("不认识的字段。")))
        elif value is not None and (not isinstance(value, str) or has_forbidden_characters(value)):
            found.append(Problem(name, N_("应当是文字。")))
        elif value is not None and len(value) > HEAD_TEXTS[name]:
            found.append(Problem(name, f"最多 {HEAD_TEXTS[name]} 个字，现在有 {len(value)} 个字。"))
    if not str(head.get("title") or "").strip():
        found.append(Problem("title", N_("活动名称没有填。")))
    if head.get("theme") is not None and head["theme"] not in THEMES:
        found.append(Problem("theme", f"应当是 {'、'.join(THEMES)} 之一。"))
    return found


# ---- YAML


class _Refused(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _line_of(mark: Any) -> int:
    return mark.line + 1 if mark else 1


def _refuse_events(text: str) -> None:
    """Refuse aliases and deep nesting before anything is built: building recurses, reading events does not."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(N_("不能用 YAML 引用（&、*）。"), _line_of(event.start_mark))
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _Refused(N_("嵌套太深。"), _line_of(event.start_mark))


class _Reader:
    """Builds values and remembers on which line each path begins."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}

    def value(self, node: yaml.Node | None, path: str) -> Any:
        if node is None:
            return None
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{path}[{place}]") for place, item in enumerate(node.value, 1)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise _Refused(N_("字段名应当是文字。"), line)
            if key.value in found:
                raise _Refused(f"字段 {key.value[:40]} 写了两次。", line)
            inner = f"{path}.{key.value}" if path else key.value
            self.lines[inner] = line
            found[key.value] = self.value(item, inner)
        return found


def _scalar(node: Any) -> Any:
    text: str = node.value
    if node.style in ("'", '"', "|", ">"):
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return int(text) if _WHOLE.fullmatch(text) else text

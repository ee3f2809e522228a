"""Terms as a file people read and write: YAML with the line of every field, moments on the Shanghai clock.

Only plain data is taken: no anchors, no tags, no key twice. ``09:00`` stays text and ``on`` a word, which YAML 1.1 would
take for a number and a yes. JSON is read too.
"""

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from quizapp.campaigns.terms import QUIZ_FIELDS, Terms
from quizapp.campaigns.terms.mapping import mapped, normal
from quizapp.campaigns.terms.reading import moment
from quizapp.core.clock import SHANGHAI
from quizapp.core.text import N_

MAX_BYTES = 256 * 1024
_TAGS = "tag:yaml.org,2002:"


class RuleFileError(ValueError):
    """The text is not readable; ``line`` counts from 1, 0 is not known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True)
class RuleFile:
    """``body`` as the draft keeps it; ``lines`` by path (``draw.prizes[1].name``)."""

    body: dict[str, Any]
    lines: Mapping[str, int]

    def line_of(self, path: str) -> int:
        """Where a path stands, or the nearest part around it that is there; 0 if nothing is."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return 0


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise RuleFileError(N_("不能用 * 引用别处的内容，请写全。"), self.line + 1)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("null", r"|~|null|Null|NULL", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?[0-9]+\.[0-9]+", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(_TAGS + _tag, re.compile(rf"(?:{_pattern})\Z"), _first)


def decode(data: bytes) -> str:
    """The text of an uploaded file.

    :raises RuleFileError: if it is too large or not UTF-8
    """
    if len(data) > MAX_BYTES:
        raise RuleFileError(f"文件太大了，最大 {MAX_BYTES // 1024} KB。")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RuleFileError(N_("文件不是 UTF-8 编码，请另存为 UTF-8 再上传。")) from None


def read(text: str) -> RuleFile:
    """Read a body of terms, or a campaign file that holds one under ``terms`` (what else it holds is left out).

    :raises RuleFileError: with a sentence and the line
    """
    found = read_whole(text)
    if not isinstance(found.body.get("terms"), dict):
        return RuleFile(normal(found.body), found.lines)
    lines = {path.removeprefix("terms."): line for path, line in found.lines.items() if path.startswith("terms.")}
    return RuleFile(normal(found.body["terms"]), lines)


def read_whole(text: str) -> RuleFile:
    """Read a file as it stands.

    :raises RuleFileError: with a sentence and the line
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise RuleFileError(f"内容太长了，最多 {MAX_BYTES // 1024} KB。")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except RuleFileError:
        raise
    except RecursionError:
        raise RuleFileError(N_("套得太深了。")) from None
    except yaml.YAMLError as error:
        return _as_json(text, error)
    lines: dict[str, int] = {}
    body = {} if node is None else _value(node, "", lines, 0)
    if not isinstance(body, dict):
        raise RuleFileError(N_("规则文件应当是一组“名称: 内容”。"), 1)
    return RuleFile(body, lines)


def _as_json(text: str, error: yaml.YAMLError) -> RuleFile:
    """JSON that YAML does not take (indented with tabs)."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return RuleFile(body, {})
    raise _syntax_error(text, error) from None


def _syntax_error(text: str, error: yaml.YAMLError) -> RuleFileError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark is not None else 0
    problem = str(getattr(error, "problem", "") or "")
    if isinstance(error, yaml.reader.ReaderError):
        return RuleFileError(N_("有不能用的字符。"), text[: max(error.position, 0)].count("\n") + 1)
    row = text.splitlines()[line - 1] if 0 < line <= len(text.splitlines()) else ""
    if "\t" in row:
        return RuleFileError(N_("这一行用了制表符，请换成空格。"), line)
    if "mapping values" in problem:
        return RuleFileError(N_("这一行的冒号写得不对：一行只能有一个“名称: 内容”，内容里有冒号要加引号。"), line)
    if "expected a single document" in problem or "document start" in problem:
        return RuleFileError(N_("一个文件只能放一份规则，不要用 --- 隔开。"), line)
    return RuleFileError(N_("这一行附近格式不对，请看缩进、冒号和引号。"), line)


def _value(node: Any, path: str, lines: dict[str, int], depth: int) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if depth > 40:
        raise RuleFileError(N_("套得太深了。"), line)
    if isinstance(node, yaml.MappingNode):
        _refuse_tag(node, "map", line)
        return _mapping(node, path, lines, depth)
    if isinstance(node, yaml.SequenceNode):
        _refuse_tag(node, "seq", line)
        return [_value(item, f"{path}[{place}]", lines, depth + 1) for place, item in enumerate(node.value, 1)]
    return _scalar(node, line)


def _mapping(node: Any, path: str, lines: dict[str, int], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise RuleFileError(N_("名称要是一个词。"), line)
        if key.value in found:
            raise RuleFileError(f"“{key.value}”写了两遍。", line)
        inner = f"{path}.{key.value}" if path else key.value
        lines[inner] = line
        found[key.value] = _value(item, inner, lines, depth + 1)
    return found


def _refuse_tag(node: Any, kind: str, line: int) -> None:
    if node.tag != _TAGS + kind:
        raise RuleFileError(N_("不能用 ! 开头的标记。"), line)


def _scalar(node: Any, line: int) -> Any:
    kind = node.tag.removeprefix(_TAGS)
    if kind == "str":
        return node.value
    if kind == "null":
        return None
    if kind == "bool":
        return node.value.lower() == "true"
    if kind == "int" and len(node.value) <= 20:
        return int(node.value)
    if kind in ("int", "float"):
        return node.value
    raise RuleFileError(N_("不能用 ! 开头的标记。"), line)


# ---- writing

_ORDER = [
    "schema",
    "opens_at",
    "closes_at",
    *QUIZ_FIELDS,
    *(field.name for field in dataclasses.fields(Terms) if field.name not in ("opens_at", "closes_at")),
    "plan",
]
_RANK = {name: place for place, name in enumerate(_ORDER)}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def write(body: Mapping[str, Any]) -> str:
    """A body as :func:`read` reads it back."""
    ordered = dict(sorted(_shown(body).items(), key=lambda item: _RANK.get(item[0], len(_RANK))))
    if not ordered:
        return ""
    text: str = yaml.dump(ordered, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110, indent=2)
    return text


def _shown(body: Mapping[str, Any]) -> dict[str, Any]:
    return mapped(body, lambda hint, value: _local(value) if hint is dt.datetime and isinstance(value, str) else value)


def _local(text: str) -> str:
    """Shanghai time where that loses nothing."""
    try:
        found = moment(text).astimezone(SHANGHAI)
    except (ValueError, OverflowError):
        return text
    return f"{found:%Y-%m-%d %H:%M}" if not (found.second or found.microsecond) and found.year >= 1000 else text

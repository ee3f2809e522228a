"""How a stored body becomes values, and what is wrong with one: both follow from the annotations of the dataclasses.

A field's type says what may stand there; ``Annotated`` adds bounds (:class:`Whole`, :class:`Text`, :class:`Matching`,
:class:`Size`). Bodies are JSON or YAML: objects, lists, texts, whole numbers, booleans.
"""

import dataclasses
import datetime as dt
import functools
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from quizapp.core.clock import SHANGHAI
from quizapp.core.text import N_, has_forbidden_characters

MISSING = N_("没有填。")
MAX_DEPTH = 12
V = TypeVar("V")
Report = Callable[[str, str], None]


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int


@dataclass(frozen=True)
class Text:
    """At most so many characters; empty only where ``may_be_empty``."""

    limit: int
    may_be_empty: bool = False


@dataclass(frozen=True)
class Matching:
    """Text of a pattern; ``message`` says what it should be."""

    pattern: str
    message: str


@dataclass(frozen=True)
class Size:
    """How many items a list has."""

    low: int
    high: int


UNKNOWN = {
    "roster": N_("自愿竞答不登记谁没参加，这里不能放名册。"),
    "must_win": N_("不能指定中奖人。"),
    "whitelist": N_("不能指定中奖人。"),
    "winners": N_("不能指定中奖人。"),
}


def check(kind: type, body: Any) -> list[tuple[str, str]]:
    """Mistakes as (path, sentence), items of lists counted from 1; none means :func:`read` can read the body."""
    found: list[tuple[str, str]] = []
    _check(kind, (), lambda path, message: found.append((path, message)), "", body, 0)
    return found


def read(kind: type[V], body: Mapping[str, Any]) -> V:
    """A body without mistakes as a value of ``kind``; what it leaves out has the field's default.

    :raises KeyError, ValueError, TypeError: for a body :func:`check` would have refused
    """
    value: V = _read(kind, body)
    return value


def plain(value: Any) -> Any:
    """A value as a body: the inverse of :func:`read`, every field written out."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


_LOCAL = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d):(\d\d)")


def moment(text: Any) -> dt.datetime:
    """A moment as bodies write it, in UTC: RFC 3339, or Shanghai's ``2026-12-04 09:00``; ``24:00`` is the next day's 00:00.

    :raises ValueError: for anything else
    """
    local = _LOCAL.fullmatch(str(text))
    if local is None:
        found = dt.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    else:
        hour, minute = int(local[2]), int(local[3])
        if hour > 24 or minute > 59 or (hour == 24 and minute):
            raise ValueError(f"no such time: {text}")
        found = dt.datetime.fromisoformat(local[1]).replace(tzinfo=SHANGHAI) + dt.timedelta(hours=hour, minutes=minute)
    if found.tzinfo is None:
        raise ValueError(f"a moment without a time zone: {text}")
    return found.astimezone(dt.UTC)


# ---- annotations


@functools.cache
def hints(kind: type) -> dict[str, Any]:
    """The annotations of a dataclass by field."""
    return typing.get_type_hints(kind, include_extras=True)


def is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _bare(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A hint without ``Annotated`` and what it was annotated with."""
    if typing.get_origin(hint) is Annotated:
        inner, *notes = typing.get_args(hint)
        return inner, tuple(notes)
    return hint, ()


def _without_none(hint: Any) -> tuple[Any, bool]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        return rest[0], len(rest) < len(typing.get_args(hint))
    return hint, False


def bare(hint: Any) -> Any:
    """The type of a field, without bounds and without None."""
    return _without_none(_bare(hint)[0])[0]


# ---- checking


def _check(hint: Any, notes: tuple[Any, ...], report: Report, path: str, value: Any, depth: int) -> None:
    hint, more = _bare(hint)
    notes = (*more, *notes)
    hint, may_be_none = _without_none(hint)
    if value is None and may_be_none:
        return
    if depth > MAX_DEPTH:
        report(path, N_("套得太深了。"))
    elif dataclasses.is_dataclass(hint):
        _check_record(typing.cast(type, hint), report, path, value, depth)
    elif typing.get_origin(hint) is tuple:
        _check_list(typing.get_args(hint)[0], notes, report, path, value, depth)
    else:
        _check_plain(hint, notes, report, path, value)


def _check_record(kind: type, report: Report, path: str, value: Any, depth: int) -> None:
    if not isinstance(value, Mapping):
        report(path, N_("应当是一组字段。") if path else N_("活动规则应当是一个 JSON 对象。"))
        return
    prefix = f"{path}." if path else ""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name in value:
        if name not in fields:
            report(f"{prefix}{str(name)[:40]}", UNKNOWN.get(str(name), N_("不认识的字段。")))
    for name, field in fields.items():
        if name in value:
            _check(hints(kind)[name], (), report, prefix + name, value[name], depth + 1)
        elif is_required(field):
            report(prefix + name, MISSING)


def _check_list(item: Any, notes: tuple[Any, ...], report: Report, path: str, value: Any, depth: int) -> None:
    size = next((note for note in notes if isinstance(note, Size)), Size(0, 1000))
    rest = tuple(note for note in notes if not isinstance(note, Size))
    if not isinstance(value, list | tuple):
        report(path, N_("应当是列表。"))
    elif not size.low <= len(value) <= size.high:
        report(path, f"应当有 {size.low} 到 {size.high} 项。" if value else MISSING)
    else:
        for place, inner in enumerate(value, 1):
            _check(item, rest, report, f"{path}[{place}]", inner, depth + 1)


def _check_plain(hint: Any, notes: tuple[Any, ...], report: Report, path: str, value: Any) -> None:
    if typing.get_origin(hint) is typing.Literal:
        codes = typing.get_args(hint)
        if value not in codes:
            report(path, MISSING if value is None else f"应当是 {'、'.join(map(str, codes))} 之一。")
    elif hint is bool:
        if not isinstance(value, bool):
            report(path, N_("应当是“是”或“否”。"))
    elif hint is dt.datetime:
        _check_moment(report, path, value)
    elif hint is int:
        _check_whole(next(note for note in notes if isinstance(note, Whole)), report, path, value)
    else:
        _check_text(notes, report, path, value)


def _check_whole(note: Whole, report: Report, path: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        report(path, MISSING if value is None else N_("应当是整数。"))
    elif not note.low <= value <= note.high:
        report(path, f"应当在 {note.low:,} 到 {note.high:,} 之间。")


def _check_text(notes: tuple[Any, ...], report: Report, path: str, value: Any) -> None:
    matching = next((note for note in notes if isinstance(note, Matching)), None)
    if matching is not None:
        if not isinstance(value, str) or not re.fullmatch(matching.pattern, value):
            report(path, MISSING if value in (None, "") else matching.message)
        return
    note = next((note for note in notes if isinstance(note, Text)), Text(200))
    if not isinstance(value, str):
        report(path, MISSING if value is None else N_("应当是文字。"))
    elif not value.strip() and not note.may_be_empty:
        report(path, MISSING)
    elif len(value) > note.limit:
        report(path, f"最多 {note.limit} 个字。")
    elif has_forbidden_characters(value):
        report(path, N_("有不能用的字符。"))


def _check_moment(report: Report, path: str, value: Any) -> None:
    if value is None or value == "":
        report(path, MISSING)
        return
    try:
        found = moment(value)
    except ValueError as error:
        has_no_zone = "time zone" in str(error)
        report(path, N_("时间要带时区，例如 2026-11-22T09:00:00+08:00。") if has_no_zone else N_("时间写得不对。"))
        return
    if not 2000 <= found.year <= 2200:
        report(path, N_("年份不对。"))


# ---- reading


def _read(hint: Any, value: Any) -> Any:
    hint, _ = _bare(hint)
    hint, may_be_none = _without_none(hint)
    if value is None and may_be_none:
        return None
    if dataclasses.is_dataclass(hint):
        kind = typing.cast(type, hint)
        fields = {field.name: field for field in dataclasses.fields(kind)}
        missing = [name for name, field in fields.items() if is_required(field) and name not in value]
        if missing:
            raise KeyError(missing[0])
        return kind(**{name: _read(hints(kind)[name], value[name]) for name in fields if name in value})
    if typing.get_origin(hint) is tuple:
        return tuple(_read(typing.get_args(hint)[0], item) for item in value)
    return moment(value) if hint is dt.datetime else value

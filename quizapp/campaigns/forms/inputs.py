"""Inputs over a body of terms: what each shows, and what a posted one changes.

An input whose text is still what was shown changes nothing, whether or not it could say all that the body holds; so the
steps and the rule file edit the same draft and neither drops what the other wrote.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quizapp.campaigns.forms.posted import Posted
from quizapp.core.clock import SHANGHAI
from quizapp.core.money import yuan
from quizapp.core.text import N_, has_forbidden_characters

Read = Callable[[Posted, str], Any]
Show = Callable[[Any], Any]


@dataclass(frozen=True)
class Kind:
    """How a value is typed: ``show`` gives the text of the input (a set for groups of boxes), ``read`` the value back."""

    read: Read
    show: Show


@dataclass(frozen=True)
class Input:
    """One field of a part. ``default`` is what a body that leaves it out means."""

    name: str
    kind: Kind
    default: Any = None


def show_moment(value: Any) -> str:
    """As ``datetime-local`` wants it, on the Shanghai clock."""
    try:
        moment = dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return ""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _lines(posted: Posted, name: str) -> list[str]:
    text = posted.data.get(name, "")
    if has_forbidden_characters(text.replace("\r", "").replace("\n", "")):
        posted.wrong(name, N_("有不能用的字符。"))
    return [line.strip() for line in text.splitlines() if line.strip()]


def one_of(codes: Sequence[str], default: str) -> Kind:
    """A choice from a list; another code is a slip."""

    def read(posted: Posted, name: str) -> str:
        code = posted.raw(name)
        if code not in codes:
            posted.wrong(name, N_("请从列表里选。"))
            return default
        return code

    return Kind(read, str)


def text(limit: int) -> Kind:
    return Kind(lambda posted, name: posted.line(name, limit), str)


def joined(item: Callable[[str], Any] = str, codes: Sequence[str] | None = None) -> Kind:
    """A list typed, or chosen, with commas."""

    def read(posted: Posted, name: str) -> list[Any]:
        raw = posted.raw(name)
        parts = [part.strip() for part in re.split("[,，、]", raw) if part.strip()]
        if codes is not None and raw not in codes:
            posted.wrong(name, N_("请从列表里选。"))
            return []
        return [item(part) for part in parts]

    return Kind(read, lambda value: ",".join(map(str, value)))


WHOLE = Kind(lambda posted, name: posted.whole(name), str)
WHOLE_OR_ZERO = Kind(lambda posted, name: posted.whole(name, 0), str)
MINUTES = Kind(lambda posted, name: posted.minutes(name), lambda value: _plain(round(Decimal(value) / 60, 2)))
TENTHS = Kind(lambda posted, name: posted.tenths(name), lambda value: _plain(Decimal(value) / 10))
PPM = Kind(lambda posted, name: posted.ppm(name), lambda value: _plain(Decimal(value) / 10_000))
FEN = Kind(lambda posted, name: posted.fen(name), lambda value: yuan(value) if value else "")
FEN_OR_NONE = Kind(lambda posted, name: posted.fen(name) if posted.raw(name) else None, FEN.show)
MOMENT = Kind(lambda posted, name: posted.moment(name), show_moment)
FLAG = Kind(lambda posted, name: posted.flag(name), lambda value: "1" if value else "")
BOXES = Kind(lambda posted, name: posted.chosen(name), set)
LINES = Kind(_lines, "\n".join)


def shown(prefix: str, part: Mapping[str, Any], inputs: Sequence[Input]) -> dict[str, Any]:
    """What the inputs of a part show, by their names."""
    return {f"{prefix}{one.name}": _shown_value(part, one) for one in inputs}


def _shown_value(part: Mapping[str, Any], one: Input) -> Any:
    value = part.get(one.name, one.default)
    if value is None:
        return set() if one.kind is BOXES else ""
    return one.kind.show(value)


def merged(posted: Posted, prefix: str, before: Mapping[str, Any], inputs: Sequence[Input]) -> dict[str, Any]:
    """A part with what was typed into its inputs; what was not touched, or has no input, stays as it is."""
    after = dict(before)
    for one in inputs:
        name, was = f"{prefix}{one.name}", _shown_value(before, one)
        if one.kind is BOXES:
            is_touched = set(posted.chosen(name)) != was
        elif one.kind is FLAG:
            is_touched = posted.flag(name) != (was == "1")
        else:
            is_touched = name in posted.data and _same(posted.data.get(name, "")) != _same(was)
        if is_touched:
            after[one.name] = one.kind.read(posted, name)
    return after


def _same(typed: str) -> str:
    """What browsers may change in a text on its own: line ends and outer spaces."""
    return typed.replace("\r\n", "\n").strip()


def merged_rows(posted: Posted, prefix: str, before: Sequence[Mapping[str, Any]], inputs: Sequence[Input]) -> list[dict[str, Any]]:
    """The rows of a list, each merged with the one it was shown for; all of them stay when none was posted."""
    numbers = posted.rows(prefix)
    if not numbers:
        return [dict(row) for row in before]
    rows = [merged(posted, f"{prefix}[{number}].", before[number - 1] if number <= len(before) else {}, inputs) for number in numbers]
    return [*rows, *(dict(row) for row in before[numbers[-1] :])]


def shown_rows(prefix: str, rows: Sequence[Mapping[str, Any]], inputs: Sequence[Input]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, row in enumerate(rows, 1):
        found.update(shown(f"{prefix}[{number}].", row, inputs))
    return found

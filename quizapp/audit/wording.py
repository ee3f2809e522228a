"""What an entry changed, in lines a person reads. Which unit a value has is told by its field's name (house style: money
``_fen``, moments ``_at``, durations ``_seconds``, odds ``_ppm``)."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from quizapp.audit.titles import FIELDS, IN_ROWS, ROWS, WORDS
from quizapp.core.clock import SHANGHAI
from quizapp.core.money import yuan
from quizapp.core.text import N_

EMPTY = N_("空")
LISTS = ("cohosts", "tickets")
"""Facts that are lists of plain values: two of them are no before and after."""

value_names: dict[str, Callable[[], Mapping[str, str]]] = {}
"""Names of codes that are data (groups, divisions), by the field that holds them; filled by the packages that know."""


def change_lines(changes: Mapping[str, Any]) -> list[str]:
    """``{field: [before, after]}`` and facts, a line each; a change inside a part of something names only what differs."""
    words = _Words()
    return [line for field, value in changes.items() for line in words.of(field, value)]


def _is_pair(field: str, value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    return field not in LISTS or any(isinstance(side, list) for side in value)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


class _Words:
    """The words of one entry; names of codes are asked for once and only where they are needed."""

    def __init__(self) -> None:
        self._names: dict[str, Mapping[str, str]] = {}

    def of(self, field: str, value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
        here = (*path, *([] if field == "draft" else [FIELDS.get(field, field)]))
        if isinstance(value, Mapping):
            for name, inner in value.items():
                yield from self.of(name, inner, here)
        elif _is_pair(field, value):
            yield from self._pair(field, value[0], value[1], here)
        else:
            yield f"{' · '.join(here)}：{self._word(field, value)}"

    def _pair(self, field: str, before: Any, after: Any, path: tuple[str, ...], names: Mapping[str, str] = FIELDS) -> Iterator[str]:
        if isinstance(before, Mapping) or isinstance(after, Mapping):
            old, new = before or {}, after or {}
            for name in dict.fromkeys([*old, *new]):
                if old.get(name) != new.get(name):
                    yield from self._pair(name, old.get(name), new.get(name), (*path, names.get(name, name)))
        elif _is_rows(before) or _is_rows(after):
            yield from self._rows(field, before or [], after or [], path[:-1])
        elif self._word(field, before) != self._word(field, after):
            yield f"{' · '.join(path)}：{self._word(field, before)} 改为 {self._word(field, after)}"

    def _rows(self, field: str, before: list[Any], after: list[Any], path: tuple[str, ...]) -> Iterator[str]:
        title, names = ROWS.get(field, FIELDS.get(field, field)), {**FIELDS, **IN_ROWS.get(field, {})}
        for number in range(1, max(len(before), len(after)) + 1):
            here = (*path, f"{title} {number}")
            if number > len(before):
                yield f"{' · '.join(here)}：增加（{self._summary(after[number - 1], names)}）"
            elif number > len(after):
                yield f"{' · '.join(here)}：去掉（{self._summary(before[number - 1], names)}）"
            elif before[number - 1] != after[number - 1]:
                yield from self._pair(field, before[number - 1], after[number - 1], here, names)

    def _summary(self, row: Mapping[str, Any], names: Mapping[str, str]) -> str:
        filled = [(name, self._word(name, value)) for name, value in row.items() if value not in (None, "", 0, [])]
        return "，".join(f"{names.get(name, name)} {word}" for name, word in filled)

    def _word(self, field: str, value: Any) -> str:
        if value is None or value == "" or value == []:
            return EMPTY
        if isinstance(value, bool):
            return N_("是") if value else N_("否")
        if isinstance(value, list):
            return "、".join(self._word(field, one) for one in value)
        if isinstance(value, int):
            return _amount(field, value)
        if isinstance(value, str):
            return (_moment(value) if field.endswith("_at") else "") or self._name(field, value)
        return str(value)

    def _name(self, field: str, code: str) -> str:
        if field in value_names:
            if field not in self._names:
                self._names[field] = value_names[field]()
            return self._names[field].get(code, code)
        return WORDS.get(field, {}).get(code, code)


def _amount(field: str, number: int) -> str:
    if field.endswith("_fen"):
        return f"{yuan(number)} 元"
    if field.endswith("_ppm"):
        return f"{(Decimal(number) / 10_000).normalize():f}%"
    if field.endswith("_percent"):
        return f"{number}%"
    if field.endswith("_seconds"):
        minutes, seconds = divmod(number, 60)
        return " ".join(part for part in (f"{minutes} 分" if minutes else "", f"{seconds} 秒" if seconds or not minutes else "") if part)
    return f"{number:,}"


def _moment(text: str) -> str:
    """``2026-11-22 09:00`` on the Shanghai clock; "" for what is no moment."""
    try:
        return dt.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return ""

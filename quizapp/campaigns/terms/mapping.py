"""Changing the leaves of a body by their type, whole or unfinished, without reading it as values."""

import dataclasses
import datetime as dt
import typing
from collections.abc import Callable, Mapping
from typing import Any

from quizapp.campaigns.terms import QUIZ_FIELDS, Plan, Quiz, Terms
from quizapp.campaigns.terms.reading import bare, hints, moment, plain

Leaf = Callable[[Any, Any], Any]
"""From the type a leaf should have and its value to a new value."""


def mapped(body: Mapping[str, Any], change: Leaf) -> dict[str, Any]:
    """The body with each leaf of a known field changed; what is not known stays as it is."""
    known = {**{name: hints(Quiz)[name] for name in QUIZ_FIELDS}, **hints(Terms), "plan": Plan}
    return {name: _mapped(known[name], value, change) if name in known else value for name, value in body.items()}


def _mapped(hint: Any, value: Any, change: Leaf) -> Any:
    hint = bare(hint)
    if value is None:
        return None
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            return value
        known = hints(typing.cast(type, hint))
        return {name: _mapped(known[name], inner, change) if name in known else inner for name, inner in value.items()}
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            return value
        item = typing.get_args(hint)[0]
        return [_mapped(item, inner, change) for inner in value]
    return change(hint, value)


def normal(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as it is kept: moments in UTC however they were written, digits as text where text is asked for."""
    return mapped(body, _normal)


def _normal(hint: Any, value: Any) -> Any:
    if hint is dt.datetime and isinstance(value, str):
        try:
            return plain(moment(value))
        except (ValueError, OverflowError):
            return value
    if isinstance(value, int) and not isinstance(value, bool) and (hint is str or typing.get_origin(hint) is typing.Literal):
        return str(value)
    return value


def moved(body: Mapping[str, Any], by: dt.timedelta) -> dict[str, Any]:
    """A body with every moment moved: the calendar of a campaign that is held again."""

    def move(hint: Any, value: Any) -> Any:
        if hint is not dt.datetime or not isinstance(value, str):
            return value
        try:
            return plain(moment(value) + by)
        except (ValueError, OverflowError):
            return value

    return mapped(body, move)

"""Any body of terms whose shape is right, made from the annotations the bodies are checked by."""

import dataclasses
import datetime as dt
import typing
from typing import Any

from hypothesis import strategies as st

from quizapp.campaigns.terms import Quiz, Terms, check_shape, conditions, people
from quizapp.campaigns.terms import quizzes as quiz_terms
from quizapp.campaigns.terms.reading import Matching, Size, Text, Whole, hints, is_required

WORDS = st.sampled_from(["话费券", "一等奖", "a: b", "- 短横", "第 1 份 #1", "yes", "12", "09:00", "null", "“引号”'", "2026-12-04"])
KNOWN = {
    conditions.CODE.pattern: st.sampled_from(["main", "a1", "7", "null", "off", "week_2"]),
    quiz_terms.BANK.pattern: st.sampled_from(["consumer-rights", "tax-benefits", "1984", "no"]),
    quiz_terms.ACTION.pattern: st.sampled_from(["video", "read_article", "yes"]),
    people.UNIT.pattern: st.uuids().map(str),
}
BEGIN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def _moment(draw: st.DrawFn) -> str:
    seconds = draw(st.integers(0, 600_000).map(lambda hours: hours * 3600) | st.integers(0, 2_500_000_000))
    return (BEGIN + dt.timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def _leaf(draw: st.DrawFn, hint: Any, notes: tuple[Any, ...]) -> Any:
    if typing.get_origin(hint) is typing.Literal:
        return draw(st.sampled_from(typing.get_args(hint)))
    if hint is bool:
        return draw(st.booleans())
    if hint is dt.datetime:
        return _moment(draw)
    for note in notes:
        if isinstance(note, Whole):
            return draw(st.integers(note.low, note.high) | st.integers(note.low, min(note.high, max(note.low, 0) + 12)))
        if isinstance(note, Matching):
            known = KNOWN.get(note.pattern)
            return draw(
                st.from_regex(note.pattern, fullmatch=True, alphabet="0123456789abcdefghijklmnopqrstuvwxyz_-:.") if known is None else known
            )
    text = next((note for note in notes if isinstance(note, Text)), Text(20))
    words = WORDS.filter(lambda word: len(word) <= text.limit)
    return draw(words | st.just("") if text.may_be_empty else words)


def _value(draw: st.DrawFn, hint: Any, notes: tuple[Any, ...], depth: int) -> Any:
    """What a field of that type may hold in a body."""
    if typing.get_origin(hint) is typing.Annotated:
        inner, *more = typing.get_args(hint)
        return _value(draw, inner, (*more, *notes), depth)
    if type(None) in typing.get_args(hint):
        whole = next(part for part in typing.get_args(hint) if part is not type(None))
        return None if draw(st.booleans()) else _value(draw, whole, notes, depth)
    if dataclasses.is_dataclass(hint):
        return _record(draw, typing.cast(type, hint), depth + 1)
    if typing.get_origin(hint) is tuple:
        size = next((note for note in notes if isinstance(note, Size)), Size(0, 3))
        rest = tuple(note for note in notes if not isinstance(note, Size))
        count = draw(st.integers(size.low, max(size.low, min(size.high, 2 if depth < 4 else 0))))
        return [_value(draw, typing.get_args(hint)[0], rest, depth) for _ in range(count)]
    return _leaf(draw, hint, notes)


def _record(draw: st.DrawFn, kind: type, depth: int, but: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A mapping with the required fields of a dataclass and some of the others."""
    found = {}
    for field in dataclasses.fields(kind):
        if field.name not in but and (is_required(field) or (depth < 5 and draw(st.integers(0, 2)) == 0)):
            found[field.name] = _value(draw, hints(kind)[field.name], (), depth)
    return found


@st.composite
def valid_bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Bodies without mistakes of shape; what the parts mean together may be nonsense."""
    body = _record(draw, Terms, 1, frozenset({"quizzes"}))
    only_within = frozenset({"id", "title", "stages", "tracks", "channels"})
    if draw(st.booleans()):
        body |= {**_record(draw, Quiz, 2, only_within), "pass_count": draw(st.integers(1, 20))}
    else:
        count = draw(st.integers(1, 2))
        body["quizzes"] = [{**_record(draw, Quiz, 2), "pass_count": draw(st.integers(1, 20))} for _ in range(count)]
    assert not check_shape(body), check_shape(body)
    return body

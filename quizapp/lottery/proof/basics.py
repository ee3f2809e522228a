"""Text, seals, moments, and how a fault is named (docs/draw-proof.md §2, §3, §10)."""

import datetime as dt
import hashlib
import json
from typing import Any

FIRST = "draw-proof/1"
VERSION = "draw-proof/2"
VERSIONS = (FIRST, VERSION)
PPM = 1_000_000
SHANGHAI = dt.timezone(dt.timedelta(hours=8))
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
Shape = dict[str, tuple[type, ...]]


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, non-ASCII as itself; floats are refused."""
    if _holds_float(value):
        raise ValueError("a number with a fraction")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _holds_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_float(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_float(item) for item in value)
    return isinstance(value, float)


def seal(text: str) -> str:
    """SHA-256 of the UTF-8 text, lower-case hex: what ``sha256sum`` prints for the line without its newline."""
    return hashlib.sha256(text.encode()).hexdigest()


def base32(data: bytes, length: int) -> str:
    """The first ``length`` base-32 characters of ``data``, most significant bits first."""
    number, bits = int.from_bytes(data, "big"), len(data) * 8
    return "".join(_ALPHABET[number >> (bits - 5 * (index + 1)) & 31] for index in range(length))


def moment_text(moment: dt.datetime) -> str:
    """A moment in the ledger: UTC, milliseconds, cut: ``2027-03-15T01:42:07.318Z``."""
    utc = moment.astimezone(dt.UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def read_moment(text: str) -> dt.datetime:
    """:raises ValueError: if the text is not exactly what :func:`moment_text` writes"""
    if len(text) != 24 or text[10] != "T" or text[23] != "Z":
        raise ValueError(f"not a moment of the ledger: {text}")
    moment = dt.datetime.fromisoformat(text[:23]).replace(tzinfo=dt.UTC)
    if moment_text(moment) != text:
        raise ValueError(f"not a moment of the ledger: {text}")
    return moment


def day_of(text: str) -> str:
    """The Shanghai date (UTC+8) of a moment of the ledger."""
    return read_moment(text).astimezone(SHANGHAI).date().isoformat()


def hour_of(text: str) -> str:
    """The hour of a moment of the ledger. Shanghai is whole hours from UTC: hours begin and end together."""
    return text[:13]


# ---- faults


class BadLedger(Exception):
    """The first line that is wrong, counted from 1, and why; ``code`` names the kind of fault."""

    def __init__(self, line: int, what: str, why: str, code: str = "malformed") -> None:
        super().__init__(f"line {line} ({what}): {why} [{code}]")
        self.line = line
        self.what = what
        self.why = why
        self.code = code


class Wrong(Exception):
    """Why a record is wrong; the reader adds the line."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def need(condition: bool, code: str, why: str) -> None:
    """:raises Wrong: unless the condition holds"""
    if not condition:
        raise Wrong(code, why)


def need_shape(value: Any, shape: Shape) -> None:
    """:raises Wrong: unless the value is an object with exactly these keys and kinds of value"""
    need(type(value) is dict and set(value) == set(shape), "wrong_fields", "its fields are not those of the specification")
    for name, types in shape.items():
        need(type(value[name]) in types, "wrong_fields", f"the field {name} is of the wrong kind")


def need_date(text: str) -> None:
    """:raises Wrong: unless the text is a date"""
    need(dt.date.fromisoformat(text).isoformat() == text, "malformed", "not a date")


def is_hex(text: str, length: int) -> bool:
    """Whether the text is so many lower-case hexadecimal digits."""
    return len(text) == length and all(char in "0123456789abcdef" for char in text)

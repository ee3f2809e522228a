"""The arithmetic of ``docs/draw-proof.md`` version 1. Standard library only: no Flask, no database, no clock, no dice.

The server draws with these functions and ``flask draws verify`` checks with them.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

VERSION = "draw-proof/1"
PPM = 1_000_000
SHANGHAI = dt.timezone(dt.timedelta(hours=8))
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, non-ASCII as itself; floats are refused (§2)."""
    if _holds_float(value):
        raise ValueError("no floats in a proof")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _holds_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_float(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_float(item) for item in value)
    return isinstance(value, float)


def seal(text: str) -> str:
    """SHA-256 of the UTF-8 text, lower-case hex: what ``sha256sum`` prints for the line without its newline (§3)."""
    return hashlib.sha256(text.encode()).hexdigest()


def commitment(pool: str, day: int, secret: bytes) -> str:
    """The seal of a day's secret, published before the first ticket (§4)."""
    return hashlib.sha256(f"{VERSION}/commit\n{pool}\n{day}\n".encode() + secret).hexdigest()


def draw_number(secret: bytes, pool: str, day: int, serial: int, nonce: str) -> int:
    """The 128-bit number of one draw (§6)."""
    message = canonical([f"{VERSION}/outcome", pool, day, serial, nonce])
    return int.from_bytes(hmac.digest(secret, message.encode(), "sha256")[:16], "big")


def position(secret: bytes, pool: str, day: int, serial: int, nonce: str) -> int:
    """The position of one draw, 0 to 999,999 (§6)."""
    return (draw_number(secret, pool, day, serial, nonce) * PPM) >> 128


def tier_at(odds: Sequence[int], where: int) -> int | None:
    """The index of the prize whose stretch holds the position, or None beyond the sum of the odds (§6)."""
    upper = 0
    for index, share in enumerate(odds):
        upper += share
        if where < upper:
            return index
    return None


def settle(
    manifest: dict[str, Any], tier: int | None, *, won: Sequence[int], wins_total: int, wins_today: int
) -> tuple[str, int | None, str]:
    """What a draw gives, from the manifest and the ledger before it (§7).

    :param won: how often each prize has been won so far
    :param wins_total: wins so far of this 抽奖号; ``wins_today`` on the Shanghai day of the draw
    :returns: outcome (``won`` or ``none``), index of the prize or None, reason (empty when won)
    """
    if tier is None:
        return "none", None, "no_prize"
    if manifest["wins_total"] is not None and wins_total >= manifest["wins_total"]:
        return "none", None, "wins_total"
    if manifest["wins_per_day"] is not None and wins_today >= manifest["wins_per_day"]:
        return "none", None, "wins_per_day"
    if won[tier] >= manifest["prizes"][tier]["quantity"]:
        return "none", None, "stock"
    return "won", tier, ""


def base32(data: bytes, length: int) -> str:
    """The first ``length`` base-32 characters of ``data``, most significant bits first."""
    number = int.from_bytes(data, "big")
    bits = len(data) * 8
    return "".join(_ALPHABET[number >> (bits - 5 * (index + 1)) & 31] for index in range(length))


def moment_text(moment: dt.datetime) -> str:
    """A moment in the ledger: UTC, milliseconds, ``2027-03-15T01:42:07.318Z``."""
    utc = moment.astimezone(dt.UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def read_moment(text: str) -> dt.datetime:
    """:raises ValueError: if the text is not exactly what :func:`moment_text` writes"""
    moment = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
    if moment_text(moment) != text:
        raise ValueError(f"not a moment: {text}")
    return moment


def day_of(text: str) -> str:
    """The Shanghai date (UTC+8) of a moment of the ledger."""
    return read_moment(text).astimezone(SHANGHAI).date().isoformat()

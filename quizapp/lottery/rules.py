"""What the bureau's terms become in a manifest. Plain values in, plain values out."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from quizapp.lottery import proof

SERVED_KINDS = ("cash", "code", "pickup", "points")
"""Kinds of prize that can be handed over without an outside service."""

ALIAS_LENGTH = 12
"""60 bits: among two million citizens of one pool a shared 抽奖号 has a chance of about one in half a million."""


def problems(draw: Mapping[str, Any]) -> list[str]:
    """What is wrong with the plain values of a draw, as names of fields; empty when nothing is.

    :param draw: ``prizes`` (mappings with name, kind, quantity, odds_ppm, and maybe tier, value_fen, points),
        ``wins_total``, ``wins_per_day`` (None is no cap), ``ticket_hours``, ``claim_days``; maybe ``allows_minors``
    """
    prizes = list(draw["prizes"])
    found = [] if prizes else ["prizes"]
    if sum(prize["odds_ppm"] for prize in prizes) > proof.PPM:
        found.append("odds_ppm")
    for prize in prizes:
        if prize["kind"] not in SERVED_KINDS:
            found.append("kind")
        if not prize["name"] or prize["quantity"] < 0 or not 0 <= prize["odds_ppm"] <= proof.PPM:
            found.append("prize")
        if prize["kind"] == "points" and prize.get("points", 0) < 1:
            found.append("points")
        if prize["kind"] == "cash" and prize.get("value_fen", 0) < 1:
            found.append("value_fen")
    found += [name for name in ("ticket_hours", "claim_days") if draw[name] < 1]
    found += [name for name in ("wins_total", "wins_per_day") if draw[name] is not None and draw[name] < 1]
    return found


def manifest(
    *,
    pool_id: uuid.UUID,
    campaign_id: uuid.UUID,
    terms_hash: str,
    draw: Mapping[str, Any],
    days: Sequence[dt.date],
    commitments: Sequence[str],
    now: dt.datetime,
) -> dict[str, Any]:
    """The manifest of a pool (docs/draw-proof.md §4).

    :param commitments: one per day, then one per spare day
    """
    return {
        "allows_minors": bool(draw.get("allows_minors", False)),
        "campaign": str(campaign_id),
        "claim_days": draw["claim_days"],
        "days": [
            {"commitment": text, "day": index, "on": days[index].isoformat() if index < len(days) else None}
            for index, text in enumerate(commitments)
        ],
        "fallback": "none",
        "kind": "manifest",
        "pool": str(pool_id),
        "prizes": [
            {
                "kind": prize["kind"],
                "name": prize["name"],
                "odds_ppm": prize["odds_ppm"],
                "points": prize.get("points", 0),
                "quantity": prize["quantity"],
                "tier": prize.get("tier", ""),
                "value_fen": prize.get("value_fen", 0),
            }
            for prize in draw["prizes"]
        ],
        "published_at": proof.moment_text(now),
        "release": "all",
        "terms_hash": terms_hash,
        "ticket_hours": draw["ticket_hours"],
        "total_odds": proof.PPM,
        "version": proof.VERSION,
        "wins_per_day": draw["wins_per_day"],
        "wins_total": draw["wins_total"],
    }


def alias(tag: bytes) -> str:
    """The 抽奖号 from a keyed tag: ``K7M2-9QXD-3TQH``."""
    text = proof.base32(tag, ALIAS_LENGTH)
    return "-".join(text[start : start + 4] for start in range(0, ALIAS_LENGTH, 4))


def ticket_number(ticket_id: uuid.UUID) -> str:
    """The public number of a ticket: its own id stays inside."""
    return proof.seal(f"{proof.VERSION}/ticket\n{ticket_id}")[:32]


def is_nonce(text: str) -> bool:
    """Whether a device's random number has the shape the ledger takes: at most 64 hexadecimal digits, or nothing."""
    return len(text) <= 64 and all(char in "0123456789abcdefABCDEF" for char in text)

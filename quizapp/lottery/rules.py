"""What the bureau's terms become in a manifest. Plain values in, plain values out."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from quizapp.core.clock import day_end, day_start
from quizapp.lottery import proof

SERVED_KINDS = ("cash", "code", "pickup", "points")
"""Kinds of prize that can be handed over without an outside service."""

REGION_DIGITS = 6
"""A county's code: no smaller place may have a quota of its own, for it names the winners' place in the public ledger."""
PACED_HOURS = (6, 23)
_MS = dt.timedelta(milliseconds=1)

ALIAS_LENGTH = 12
"""60 bits: among two million citizens of one pool a shared 抽奖号 has a chance of about one in half a million."""


def problems(draw: Mapping[str, Any]) -> list[str]:
    """What is wrong with the plain values of a draw, as names of fields; empty when nothing is.

    :param draw: ``prizes`` (mappings with name, kind, quantity, odds_ppm, and maybe tier, value_fen, points, release, per_day,
        per_hour, max_fen, budget_fen), ``wins_total``, ``wins_per_day`` (None is no cap), ``ticket_hours``, ``claim_days``; maybe
        ``allows_minors``, ``fallback`` (a prize's name), ``paced_from_hour``, ``paced_to_hour``, ``region_quotas``, ``returns``
    """
    prizes = list(draw["prizes"])
    found = [] if prizes else ["prizes"]
    if sum(prize["odds_ppm"] for prize in prizes) > proof.PPM:
        found.append("odds_ppm")
    for prize in prizes:
        found += _prize_problems(prize)
    found += [name for name in ("ticket_hours", "claim_days") if draw[name] < 1]
    found += [name for name in ("wins_total", "wins_per_day") if draw[name] is not None and draw[name] < 1]
    if draw.get("fallback"):
        named = [prize for prize in prizes if prize["name"] == draw["fallback"]]
        if len(named) != 1 or named[0]["odds_ppm"] or named[0].get("release", "all") != "all":
            found.append("fallback")
    if draw.get("paced_from_hour", PACED_HOURS[0]) >= draw.get("paced_to_hour", PACED_HOURS[1]):
        found.append("paced_to_hour")
    weights = draw.get("paced_weights") or ()
    if len(weights) not in (0, 24) or any(weight < 0 for weight in weights):
        found.append("paced_weights")
    return found + _region_problems(draw.get("region_quotas", ()))


def _prize_problems(prize: Mapping[str, Any]) -> list[str]:
    found = []
    if prize["kind"] not in SERVED_KINDS:
        found.append("kind")
    if not prize["name"] or prize["quantity"] < 0 or not 0 <= prize["odds_ppm"] <= proof.PPM:
        found.append("prize")
    if prize["kind"] == "points" and prize.get("points", 0) < 1:
        found.append("points")
    if prize["kind"] == "cash" and prize.get("value_fen", 0) < 1:
        found.append("value_fen")
    high, budget, count = prize.get("max_fen"), prize.get("budget_fen"), prize["quantity"]
    can_be_split = high is not None and budget is not None and prize.get("value_fen", 0) * count <= budget <= high * count
    if not can_be_split and (high, budget) != (None, None):
        found.append("budget_fen")
    return found


def _region_problems(quotas: Sequence[Mapping[str, Any]]) -> list[str]:
    """Groups of regions are whole counties or larger, so that none is small enough to tell who somebody is, and do not overlap."""
    codes = [str(code) for quota in quotas for code in quota["regions"]]
    is_small = any(len(code) > REGION_DIGITS for code in codes)
    overlaps = any(one != other and other.startswith(one) for one in codes for other in codes) or len(set(codes)) < len(codes)
    return ["region_quotas"] if is_small or overlaps else []


def release_windows(
    days: Sequence[dt.date],
    *,
    opens_at: dt.datetime | None,
    closes_at: dt.datetime | None,
    from_hour: int,
    to_hour: int,
    weights: Sequence[int] = (),
) -> list[tuple[int, dt.datetime, dt.datetime, int]]:
    """When paced stock is released: on each day between the hours (Shanghai), within the time in which the campaign is open.

    A campaign that is never open in those hours releases over its whole time.

    :param weights: of the 24 hours, where release is not even; hours of weight 0 release nothing
    :returns: place of the day, beginning, end (exclusive), weight of each of its moments
    """

    def within(first: int, last: int, of_hour: Sequence[int]) -> list[tuple[int, dt.datetime, dt.datetime, int]]:
        found = []
        for place, day in enumerate(days):
            midnight = day_start(day)
            for begin, end, weight in _stretches(first, last, of_hour):
                starts = max(midnight + dt.timedelta(hours=begin), opens_at or midnight)
                ends = min(midnight + dt.timedelta(hours=end), closes_at or day_end(day))
                if _whole_ms(starts) < _whole_ms(ends):
                    found.append((place, _whole_ms(starts), _whole_ms(ends), weight))
        return found

    return within(from_hour, to_hour, weights) or within(0, 24, ())


def _stretches(first: int, last: int, weights: Sequence[int]) -> list[tuple[int, int, int]]:
    """Hours in a row with the same weight, as (from, to, weight); the whole time with weight 1 without weights."""
    if not weights:
        return [(first, last, 1)]
    found: list[tuple[int, int, int]] = []
    for hour in range(first, last):
        weight = weights[hour]
        if weight and found and found[-1][1:] == (hour, weight):
            found[-1] = (found[-1][0], hour + 1, weight)
        elif weight:
            found.append((hour, hour + 1, weight))
    return found


def _whole_ms(moment: dt.datetime) -> dt.datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def manifest(
    *,
    pool_id: uuid.UUID,
    campaign_id: uuid.UUID,
    terms_hash: str,
    draw: Mapping[str, Any],
    days: Sequence[dt.date],
    commitments: Sequence[str],
    now: dt.datetime,
    opens_at: dt.datetime | None = None,
    closes_at: dt.datetime | None = None,
) -> dict[str, Any]:
    """The manifest of a pool (docs/draw-proof.md §4).

    :param commitments: one per day, then one per spare day
    """
    prizes = [_manifest_prize(prize) for prize in draw["prizes"]]
    names = [prize["name"] for prize in prizes]
    hours = draw.get("paced_from_hour", PACED_HOURS[0]), draw.get("paced_to_hour", PACED_HOURS[1])
    windows = release_windows(
        days, opens_at=opens_at, closes_at=closes_at, from_hour=hours[0], to_hour=hours[1], weights=draw.get("paced_weights") or ()
    )
    return {
        "allows_minors": bool(draw.get("allows_minors", False)),
        "campaign": str(campaign_id),
        "claim_days": draw["claim_days"],
        "days": [
            {"commitment": text, "day": index, "on": days[index].isoformat() if index < len(days) else None}
            for index, text in enumerate(commitments)
        ],
        "draw": "instant",
        "fallback": names.index(draw["fallback"]) if draw.get("fallback") else None,
        "kind": "manifest",
        "pool": str(pool_id),
        "prizes": prizes,
        "published_at": proof.moment_text(now),
        "returns": bool(draw.get("returns", False)),
        "segments": [
            {"quantity": quota["quantity"], "regions": [str(code) for code in quota["regions"]]} for quota in draw.get("region_quotas", ())
        ],
        "terms_hash": terms_hash,
        "ticket_hours": draw["ticket_hours"],
        "total_odds": proof.PPM,
        "version": proof.VERSION,
        "windows": [
            {"day": place, "from": proof.moment_text(starts), "share": weight * ((ends - starts) // _MS), "to": proof.moment_text(ends)}
            for place, starts, ends, weight in (windows if any(prize["paced"] for prize in prizes) else ())
        ],
        "wins_per_day": draw["wins_per_day"],
        "wins_total": draw["wins_total"],
    }


def _manifest_prize(prize: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "budget_fen": prize.get("budget_fen"),
        "kind": prize["kind"],
        "max_fen": prize.get("max_fen"),
        "name": prize["name"],
        "odds_ppm": prize["odds_ppm"],
        "paced": prize.get("release", "all") == "paced",
        "per_day": prize.get("per_day"),
        "per_hour": prize.get("per_hour"),
        "points": prize.get("points", 0),
        "quantity": prize["quantity"],
        "tier": prize.get("tier", ""),
        "value_fen": prize.get("value_fen", 0),
    }


def segment_for(manifest: Mapping[str, Any], region_code: str | None) -> int:
    """The region group of a citizen, from 1; 0 is none of them."""
    for number, segment in enumerate(manifest["segments"], 1):
        if region_code and any(region_code.startswith(prefix) for prefix in segment["regions"]):
            return number
    return 0


def alias(tag: bytes) -> str:
    """The 抽奖号 from a keyed tag: ``K7M2-9QXD-3TQH``."""
    text = proof.base32(tag, ALIAS_LENGTH)
    return "-".join(text[start : start + 4] for start in range(0, ALIAS_LENGTH, 4))


def ticket_number(ticket_id: uuid.UUID) -> str:
    """The public number of a ticket: its own id stays inside."""
    return proof.seal(f"draw-proof/1/ticket\n{ticket_id}")[:32]


def is_nonce(text: str) -> bool:
    """Whether a device's random number has the shape the ledger takes: at most 64 hexadecimal digits, or nothing."""
    return len(text) <= 64 and all(char in "0123456789abcdefABCDEF" for char in text)

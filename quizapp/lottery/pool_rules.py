"""What the bureau's terms become in the manifest of pool draws, and lists in the file's form. Plain values in, plain values
out."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quizapp.core.text import N_
from quizapp.lottery import pool_proof
from quizapp.lottery.rules import SERVED_KINDS

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
SPARE_SLOTS = 14
"""Secrets committed to beside those of the known days or rounds, so that a longer campaign needs none made later."""

REASONS: dict[str, str] = {
    "citizen_deleted": N_("账号已注销"),
    "excluded_attempts": N_("答卷被剔除"),
    "excluded_person": N_("按规则不参加"),
    "won_before": N_("在本活动别的摇号里已中奖"),
    "expired": N_("过期没有领"),
    "given_up": N_("本人放弃"),
}
STATE_TITLES: dict[str, str] = {
    "spare": N_("备用"),
    "open": N_("等待冻结名单"),
    "frozen": N_("名单已冻结"),
    "ready": N_("现场数已录入"),
    "drawn": N_("已摇出"),
}
MODE_TITLES: dict[str, str] = {"automatic": N_("到点自动摇号"), "ceremony": N_("现场摇号"), "outside": N_("场外摇号")}


@dataclass(frozen=True)
class Scope:
    """One day, round or stage a draw is held for, and when its list is due. ``key`` is the file's: ``2027-03-15``,
    ``spring/2``, ``spring``, ``campaign``."""

    key: str
    due_at: dt.datetime


@dataclass(frozen=True)
class Plan:
    """A pool draw as it is to be published: ``draw`` in the shape of the terms' body, with its scopes in order."""

    draw: Mapping[str, Any]
    scopes: Sequence[Scope]


@dataclass(frozen=True)
class Entry:
    """Somebody who qualifies: ``tickets`` 1 or more, ``band`` 0 for the terms' ``who``, n for the n-th further condition."""

    citizen_id: uuid.UUID
    tickets: int = 1
    band: int = 0


@dataclass(frozen=True)
class Slot:
    """A place in the manifest: the draw's own id and its commitment (none where it is held elsewhere)."""

    id: uuid.UUID
    commitment: str | None


def problems(plan: Plan) -> list[str]:
    """What is wrong with the plain values of a pool draw, as names of fields; empty when nothing is."""
    draw, found = plan.draw, []
    if not draw["tiers"]:
        found.append("tiers")
    for tier in draw["tiers"]:
        if tier["kind"] not in SERVED_KINDS:
            found.append("kind")
        if not tier["name"] or not (tier["quantity"] or tier.get("ratio_ppm")):
            found.append("tiers")
        if tier["kind"] == "points" and tier.get("points", 0) < 1:
            found.append("points")
        if tier["kind"] == "cash" and tier.get("value_fen", 0) < 1:
            found.append("value_fen")
    if draw["seed_input"] == "public_figure" and not draw["public_figure"]:
        found.append("public_figure")
    return found


def manifest(
    *, campaign_id: uuid.UUID, terms_hash: str, plans: Sequence[Plan], slots: Mapping[str, Sequence[Slot]], now: dt.datetime
) -> dict[str, Any]:
    """The manifest of a campaign's pool draws (docs/draw-proof-pools.md §4).

    :param slots: by the draw's id, for its scopes in order and then the spare ones
    """
    return {
        "campaign": str(campaign_id),
        "draws": [_draw(plan, slots[plan.draw["id"]]) for plan in plans],
        "kind": "manifest",
        "published_at": pool_proof.moment_text(now),
        "terms_hash": terms_hash,
        "version": pool_proof.VERSION,
    }


_COPIED = (
    "allows_minors",
    "claim_days",
    "id",
    "max_tickets",
    "mode",
    "one_win",
    "one_win_per_campaign",
    "per",
    "public_figure",
    "reserves",
    "seed_input",
    "sponsor",
    "tickets",
    "title",
    "witness",
)


def _draw(plan: Plan, slots: Sequence[Slot]) -> dict[str, Any]:
    draw, scopes = plan.draw, plan.scopes
    return {
        **{name: draw[name] for name in _COPIED},
        "cascade": len(draw["cascade"]),
        "slots": [
            {
                "commitment": slot.commitment,
                "due_at": pool_proof.moment_text(scopes[number].due_at) if number < len(scopes) else None,
                "pool": str(slot.id),
                "scope": scopes[number].key if number < len(scopes) else None,
            }
            for number, slot in enumerate(slots)
        ],
        "tiers": [
            {
                "kind": tier["kind"],
                "name": tier["name"],
                "points": tier.get("points", 0),
                "quantity": tier["quantity"],
                "ratio_ppm": tier.get("ratio_ppm"),
                "tier": tier.get("tier", ""),
                "value_fen": tier.get("value_fen", 0),
            }
            for tier in draw["tiers"]
        ],
    }


def spare_count(draw: Mapping[str, Any]) -> int:
    """How many slots beyond the known ones: stages and the campaign itself are all known from the start."""
    return SPARE_SLOTS if draw["per"] in ("day", "round") else 0


def alias(tag: bytes) -> str:
    """The 抽奖号 of a keyed tag, as :func:`quizapp.lottery.rules.alias` writes it, faster: lists have hundreds of thousands."""
    bits = int.from_bytes(tag[:8], "big") >> 4
    return (
        f"{_PAIRS[bits >> 50]}{_PAIRS[bits >> 40 & 1023]}-{_PAIRS[bits >> 30 & 1023]}{_PAIRS[bits >> 20 & 1023]}"
        f"-{_PAIRS[bits >> 10 & 1023]}{_PAIRS[bits & 1023]}"
    )


Line = tuple[str, uuid.UUID, int, int]
"""A line of a list, still with the citizen it stands for: 抽奖号, citizen, tickets, band. Its serial is its place from 1."""


def put_in_order(entries: Iterable[Entry], alias_of: Callable[[uuid.UUID], str], draw: Mapping[str, Any]) -> list[Line]:
    """Lines by 抽奖号: an order nobody can choose.

    :raises ValueError: for a citizen named twice, or an entry the manifest has no place for
    """
    lines = sorted((alias_of(entry.citizen_id), entry.citizen_id, entry.tickets, entry.band) for entry in entries)
    most = 1 if draw["tickets"] == "one" else draw["max_tickets"] or pool_proof.MOST_TICKETS
    last_band, before = draw["cascade"], ""
    for alias_text, _citizen_id, tickets, band in lines:
        if alias_text == before:
            raise ValueError("a citizen stands twice in the list")
        before = alias_text
        if not (1 <= tickets <= most and 0 <= band <= last_band):
            raise ValueError("an entry with tickets or a band that the manifest does not have")
    return lines


def clean_input(kind: str, text: str) -> str:
    """What was typed as public input, without spaces and separators between digits."""
    kept = "".join(char for char in text if char not in " \t\u3000,，-、+")
    return kept.translate(str.maketrans("０１２３４５６７８９．", "0123456789.")) if kind != "none" else ""


def masked(alias_text: str) -> str:
    """A 抽奖号 for the big screen: its middle group hidden."""
    first, _middle, last = alias_text.split("-")
    return f"{first}-****-{last}"

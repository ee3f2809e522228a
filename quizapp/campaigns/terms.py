"""The terms of a campaign: one frozen value, read from and written to JSON, validated as a whole.

It is built of parts (window, paper, tries, scoring, rewards, eligibility) so that further kinds of rule can join a part
without touching the others; ``schema`` says which shape a stored body has. Money is whole fen, odds are parts per
million, moments are UTC, durations are seconds.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA = 1
PRIZE_KINDS = ("cash", "code", "pickup", "post", "points", "service", "ticket")
Feedback = Literal["after_hand_in", "after_close"]


@dataclass(frozen=True)
class PaperPart:
    """``count`` questions of these banks (slugs), narrowed by kind, tag and difficulty when given."""

    banks: tuple[str, ...]
    count: int
    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    difficulties: tuple[int, ...] = ()


@dataclass(frozen=True)
class Paper:
    """Random questions part by part; ``shuffles_choices`` mixes the choices of each."""

    parts: tuple[PaperPart, ...]
    shuffles_choices: bool = True

    @property
    def question_count(self) -> int:
        return sum(part.count for part in self.parts)


@dataclass(frozen=True)
class Tries:
    """None is no limit. Tries count on the Shanghai day of the start."""

    per_day: int | None = 3
    total: int | None = None


@dataclass(frozen=True)
class PrizeTerms:
    """One tier. ``value_fen`` is what the winner receives in hand; ``odds_ppm`` of 1,000,000 is odds 1."""

    name: str
    kind: str
    quantity: int
    odds_ppm: int
    tier: str = ""
    value_fen: int = 0
    points: int = 0


@dataclass(frozen=True)
class DrawTerms:
    """Instant draw. ``tickets`` per passed attempt; ``wins_total`` caps one citizen, ``wins_per_day`` likewise."""

    prizes: tuple[PrizeTerms, ...]
    tickets: int = 1
    ticket_hours: int = 24
    wins_total: int | None = 3
    wins_per_day: int | None = None
    claim_days: int = 15
    spare_days: int = 14
    tax_bearer: Literal["host", "winner"] = "host"
    excluded_groups: tuple[str, ...] = ("civil_servant",)
    """Demographic groups that do not draw here (they get the fixed reward)."""
    allows_minors: bool = False


@dataclass(frozen=True)
class FixedReward:
    """What a passed attempt earns where there is no draw for that person: points, once a day at most."""

    points: int = 0


@dataclass(frozen=True)
class Points:
    """Points for a passed and for a failed attempt; the first ``daily_limit`` attempts of a day count."""

    passed: int = 0
    failed: int = 0
    daily_limit: int = 3


@dataclass(frozen=True)
class Eligibility:
    """Empty means everybody. ``regions`` are code prefixes (``1504`` takes in every county of the city)."""

    regions: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    organisation_ids: tuple[str, ...] = ()
    asks_organisation: bool = False
    asks_age_band: bool = True
    allows_guests: bool = True
    guest_starts_per_device_day: int = 10


@dataclass(frozen=True)
class Terms:
    opens_at: dt.datetime
    closes_at: dt.datetime
    """Exclusive: "3月20日 24:00" is the next day's 00:00."""
    paper: Paper
    pass_count: int
    limit_seconds: int | None = 300
    large_type_percent: int = 160
    """Time allowed in large type, in per cent of ``limit_seconds``."""
    grace_seconds: int = 0
    """A hand-in that reaches the server this long after the deadline still counts."""
    tries: Tries = field(default_factory=Tries)
    feedback: Feedback = "after_hand_in"
    draw: DrawTerms | None = None
    fixed_reward: FixedReward = field(default_factory=FixedReward)
    points: Points = field(default_factory=Points)
    eligibility: Eligibility = field(default_factory=Eligibility)
    objection_days: int = 5
    """How long the notice of winners can be objected to."""

    @property
    def question_count(self) -> int:
        return self.paper.question_count


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def to_dict(terms: Terms) -> dict[str, Any]:
    """The JSON shape kept in ``campaign_terms.body``."""
    return {"schema": SCHEMA, **_plain(terms)}


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(dt.UTC)


def from_dict(body: Mapping[str, Any]) -> Terms:
    """Read a stored body. Bodies are checked before they are stored (``campaigns.rules.problems``); what a body leaves
    out has the default of its part.

    :raises ValueError: for a schema this release does not know
    :raises KeyError: for a missing part
    """
    if body.get("schema") != SCHEMA:
        raise ValueError("unknown schema of campaign terms")
    paper = body["paper"]
    draw = body.get("draw")
    eligibility = body.get("eligibility", {})
    return Terms(
        opens_at=_moment(body["opens_at"]),
        closes_at=_moment(body["closes_at"]),
        paper=Paper(
            parts=tuple(
                PaperPart(
                    banks=tuple(part["banks"]),
                    count=part["count"],
                    kinds=tuple(part.get("kinds", ())),
                    tags=tuple(part.get("tags", ())),
                    difficulties=tuple(part.get("difficulties", ())),
                )
                for part in paper["parts"]
            ),
            shuffles_choices=paper.get("shuffles_choices", True),
        ),
        pass_count=body["pass_count"],
        limit_seconds=body.get("limit_seconds", 300),
        large_type_percent=body.get("large_type_percent", 160),
        grace_seconds=body.get("grace_seconds", 0),
        tries=Tries(**body.get("tries", {})),
        feedback=body.get("feedback", "after_hand_in"),
        draw=None
        if draw is None
        else DrawTerms(
            **{
                **draw,
                "prizes": tuple(PrizeTerms(**prize) for prize in draw["prizes"]),
                "excluded_groups": tuple(draw.get("excluded_groups", DrawTerms.excluded_groups)),
            }
        ),
        fixed_reward=FixedReward(**body.get("fixed_reward", {})),
        points=Points(**body.get("points", {})),
        eligibility=Eligibility(
            **{
                **eligibility,
                "regions": tuple(eligibility.get("regions", ())),
                "groups": tuple(eligibility.get("groups", ())),
                "organisation_ids": tuple(eligibility.get("organisation_ids", ())),
            }
        ),
        objection_days=body.get("objection_days", 5),
    )


def body_hash(body: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

"""What a manifest says, of either version, as plain values (docs/draw-proof.md §4)."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from quizapp.lottery.proof.basics import FIRST, PPM, SHANGHAI, VERSION, VERSIONS, Shape, is_hex, need, need_date, need_shape, read_moment

TEXT: tuple[type, ...] = (str,)
WHOLE: tuple[type, ...] = (int,)
MAYBE: tuple[type, ...] = (int, type(None))
_BOTH: Shape = {
    "allows_minors": (bool,),
    "campaign": TEXT,
    "claim_days": WHOLE,
    "days": (list,),
    "kind": TEXT,
    "pool": TEXT,
    "prizes": (list,),
    "published_at": TEXT,
    "terms_hash": TEXT,
    "ticket_hours": WHOLE,
    "total_odds": WHOLE,
    "version": TEXT,
    "wins_per_day": MAYBE,
    "wins_total": MAYBE,
}
_MANIFESTS: dict[str, Shape] = {
    FIRST: {**_BOTH, "fallback": TEXT, "release": TEXT},
    VERSION: {**_BOTH, "draw": TEXT, "fallback": MAYBE, "returns": (bool,), "segments": (list,), "windows": (list,)},
}
_PRIZE: Shape = {
    "kind": TEXT,
    "name": TEXT,
    "odds_ppm": WHOLE,
    "points": WHOLE,
    "quantity": WHOLE,
    "tier": TEXT,
    "value_fen": WHOLE,
}
_PRIZES: dict[str, Shape] = {
    FIRST: _PRIZE,
    VERSION: {**_PRIZE, "budget_fen": MAYBE, "max_fen": MAYBE, "paced": (bool,), "per_day": MAYBE, "per_hour": MAYBE},
}
_DAY: Shape = {"commitment": TEXT, "day": WHOLE, "on": (str, type(None))}
_WINDOW: Shape = {"day": WHOLE, "from": TEXT, "share": WHOLE, "to": TEXT}
_SEGMENT: Shape = {"quantity": WHOLE, "regions": (list,)}


@dataclass(frozen=True)
class PrizeRule:
    """One prize. ``max_fen`` and ``budget_fen`` are None where every one is worth ``value_fen``."""

    odds_ppm: int
    quantity: int
    value_fen: int
    is_paced: bool = False
    per_day: int | None = None
    per_hour: int | None = None
    max_fen: int | None = None
    budget_fen: int | None = None


@dataclass(frozen=True)
class Window:
    """A stretch of time over which paced stock is released; milliseconds since 1970, the end exclusive. ``share_before`` of
    ``Rules.all_shares`` have passed when it begins, ``share_after`` when it ends."""

    day: int
    starts: int
    ends: int
    share_before: int
    share_after: int


@dataclass(frozen=True)
class Rules:
    """All of a manifest that decides draws. ``segments`` are the quotas of region groups, the first is group 1."""

    version: str
    pool: str
    prizes: tuple[PrizeRule, ...]
    wins_total: int | None
    wins_per_day: int | None
    ticket_hours: int
    fallback: int | None = None
    segments: tuple[int, ...] = ()
    windows: tuple[Window, ...] = ()
    allows_returns: bool = False

    @property
    def odds(self) -> tuple[int, ...]:
        return tuple(prize.odds_ppm for prize in self.prizes)

    @property
    def all_shares(self) -> int:
        return self.windows[-1].share_after if self.windows else 0


def milliseconds(text: str) -> int:
    """A moment of the ledger in milliseconds since 1970."""
    return round(read_moment(text).timestamp() * 1000)


def read_manifest(manifest: dict[str, Any]) -> Rules:
    """Check a manifest of either version and take from it what decides draws.

    :raises Wrong: if it is none, or against itself
    """
    version = manifest.get("version")
    need(manifest.get("kind") == "manifest" and version in VERSIONS, "unknown_version", "not a manifest of draw-proof/1 or draw-proof/2")
    need_shape(manifest, _MANIFESTS[str(version)])
    need(manifest["total_odds"] == PPM, "bad_manifest", "total_odds is not a million")
    read_moment(manifest["published_at"])
    _need_days(manifest["days"])
    caps = [manifest[name] for name in ("wins_per_day", "wins_total") if manifest[name] is not None]
    need(min([manifest["ticket_hours"], *caps]) >= 1, "bad_manifest", "a cap or a ticket life below 1")
    prizes = tuple(_read_prize(str(version), prize) for prize in manifest["prizes"])
    need(bool(prizes), "bad_manifest", "no prizes")
    need(sum(prize.odds_ppm for prize in prizes) <= PPM, "bad_manifest", "odds above 1")
    common = {name: manifest[name] for name in ("version", "pool", "wins_total", "wins_per_day", "ticket_hours")}
    if version == FIRST:
        need((manifest["release"], manifest["fallback"]) == ("all", "none"), "bad_manifest", "a rule version 1 does not know")
        return Rules(prizes=prizes, **common)
    need(manifest["draw"] == "instant", "unknown_version", "not an instant draw")
    windows = _read_windows(manifest)
    need(bool(windows) or not any(prize.is_paced for prize in prizes), "bad_manifest", "paced stock without a time of release")
    fallback = manifest["fallback"]
    if fallback is not None:
        need(0 <= fallback < len(prizes), "bad_manifest", "no such fallback prize")
        need(not prizes[fallback].odds_ppm and not prizes[fallback].is_paced, "bad_manifest", "a fallback prize with odds or pacing")
    return Rules(
        prizes=prizes,
        fallback=fallback,
        segments=tuple(_read_segment(segment) for segment in manifest["segments"]),
        windows=windows,
        allows_returns=manifest["returns"],
        **common,
    )


def _read_prize(version: str, prize: Any) -> PrizeRule:
    need_shape(prize, _PRIZES[version])
    good = prize["quantity"] >= 0 and 0 <= prize["odds_ppm"] <= PPM and prize["value_fen"] >= 0 and prize["points"] >= 0
    need(good, "bad_manifest", "a quantity, value or odds out of range")
    if version == FIRST:
        return PrizeRule(prize["odds_ppm"], prize["quantity"], prize["value_fen"])
    low, high, budget, count = prize["value_fen"], prize["max_fen"], prize["budget_fen"], prize["quantity"]
    need((high is None) == (budget is None), "bad_manifest", "random amounts need both a highest amount and a budget")
    if high is not None:
        need(low <= high and low * count <= budget <= high * count, "bad_manifest", "a budget that cannot be split")
    quotas = [prize[name] for name in ("per_day", "per_hour") if prize[name] is not None]
    need(min([1, *quotas]) >= 1, "bad_manifest", "a quota below 1")
    return PrizeRule(prize["odds_ppm"], count, low, prize["paced"], prize["per_day"], prize["per_hour"], high, budget)


def _read_segment(segment: Any) -> int:
    need_shape(segment, _SEGMENT)
    regions = segment["regions"]
    need(bool(regions) and all(type(region) is str for region in regions), "bad_manifest", "a group without regions")
    need(segment["quantity"] >= 0, "bad_manifest", "a quota below 0")
    return int(segment["quantity"])


def _need_days(days: list[Any]) -> None:
    dated: list[str] = []
    for index, day in enumerate(days):
        need_shape(day, _DAY)
        counted = day["day"] == index and is_hex(day["commitment"], 64)
        need(counted, "bad_manifest", "the days are not counted from 0 with their commitments")
        if day["on"] is not None:
            need_date(day["on"])
            need(day["on"] not in dated and len(dated) == index, "bad_manifest", "a date twice, or behind a spare day")
            dated.append(day["on"])


def _read_windows(manifest: dict[str, Any]) -> tuple[Window, ...]:
    windows: list[Window] = []
    shares = last = 0
    for value in manifest["windows"]:
        need_shape(value, _WINDOW)
        starts, ends, share, day = milliseconds(value["from"]), milliseconds(value["to"]), value["share"], value["day"]
        need(last <= starts < ends and share >= 1, "bad_manifest", "times of release out of order, empty or without a share")
        need(0 <= day < len(manifest["days"]), "bad_manifest", "a time of release on a day that is not there")
        dates = {date_at(starts), date_at(ends - 1)}
        need(dates == {manifest["days"][day]["on"]}, "bad_manifest", "a time of release that is not on its day")
        windows.append(Window(day, starts, ends, shares, shares + share))
        shares, last = shares + share, ends
    return tuple(windows)


def date_at(moment: int) -> str:
    """The Shanghai date of a moment in milliseconds."""
    return dt.datetime.fromtimestamp(moment // 1000, SHANGHAI).date().isoformat()

"""How a number becomes an outcome (docs/draw-proof.md §6 to §9). No dice, no clock: the secret, the manifest, the ledger before."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quizapp.lottery.proof.basics import PPM, VERSION, canonical
from quizapp.lottery.proof.manifests import PrizeRule, Rules, Window

REASONS = ("no_prize", "wins_total", "wins_per_day", "region_quota", "stock", "not_released", "day_quota", "hour_quota")


def commitment(pool: str, day: int, secret: bytes, version: str = VERSION) -> str:
    """The seal of a day's secret, published before the first ticket."""
    return hashlib.sha256(f"{version}/commit\n{pool}\n{day}\n".encode() + secret).hexdigest()


def number_of(secret: bytes, label: str, *parts: str | int) -> int:
    """128 bits that follow from a secret and what they are for."""
    return int.from_bytes(hmac.digest(secret, canonical([label, *parts]).encode(), "sha256")[:16], "big")


def draw_number(secret: bytes, pool: str, day: int, serial: int, nonce: str, version: str = VERSION) -> int:
    """The 128-bit number of one draw."""
    return number_of(secret, f"{version}/outcome", pool, day, serial, nonce)


def position(secret: bytes, pool: str, day: int, serial: int, nonce: str, version: str = VERSION) -> int:
    """The position of one draw, 0 to 999,999."""
    return (draw_number(secret, pool, day, serial, nonce, version) * PPM) >> 128


def tier_at(odds: Sequence[int], where: int) -> int | None:
    """The index of the prize whose stretch holds the position, or None beyond the sum of the odds."""
    upper = 0
    for index, share in enumerate(odds):
        upper += share
        if where < upper:
            return index
    return None


# ---- stock that is released over the day


def units_of(rules: Rules, prize: int, window: Window) -> int:
    """How many of a paced prize a window releases."""
    quantity = rules.prizes[prize].quantity
    return quantity * window.share_after // rules.all_shares - quantity * window.share_before // rules.all_shares


def is_unit_released(secret: bytes, rules: Rules, prize: int, place: int, unit: int, moment: int) -> bool:
    """Whether a unit of window ``place`` is out at a moment (milliseconds). Each unit has its own slice of the window, all of
    the same length, and a moment within that nobody knows without the secret."""
    window = rules.windows[place]
    units = units_of(rules, prize, window)
    number = number_of(secret, f"{rules.version}/release", rules.pool, window.day, place, prize, unit)
    return ((unit << 128) + number) * (window.ends - window.starts) <= ((moment - window.starts) * units) << 128


def window_at(rules: Rules, moment: int) -> int | None:
    """The place of the window that holds a moment, if one does."""
    return next((place for place, window in enumerate(rules.windows) if window.starts <= moment < window.ends), None)


def released_count(rules: Rules, prize: int, moment: int, secret: bytes | None) -> int:
    """How many of a paced prize are out at a moment (milliseconds since 1970).

    :param secret: of the day of the window that holds the moment; not needed between windows
    """
    quantity, shares = rules.prizes[prize].quantity, rules.all_shares
    passed = max((window.share_after for window in rules.windows if window.ends <= moment), default=0)
    place = window_at(rules, moment)
    if place is None or secret is None:
        return quantity * passed // shares
    window = rules.windows[place]
    units = units_of(rules, prize, window)
    slice_ = (moment - window.starts) * units // (window.ends - window.starts)
    is_out = units > 0 and is_unit_released(secret, rules, prize, place, slice_, moment)
    return quantity * window.share_before // shares + slice_ + int(is_out)


# ---- amounts


def amount_bounds(prize: PrizeRule, won_count: int, spent_fen: int) -> tuple[int, int]:
    """The least and the most that the next one of a prize with random amounts can be worth: as far below as above what each of
    those left is worth on average, so that nobody's expectation depends on the turn by a fen, and the budget comes out exactly."""
    if prize.max_fen is None or prize.budget_fen is None:
        return prize.value_fen, prize.value_fen
    left, width = prize.quantity - won_count, prize.max_fen - prize.value_fen
    excess = prize.budget_fen - spent_fen - left * prize.value_fen
    reach = min(excess, left * width - excess) if left > 1 else 0
    return prize.value_fen - (reach - excess) // left, prize.value_fen + (excess + reach) // left


def amount_of(secret: bytes, pool: str, day: int, serial: int, nonce: str, bounds: tuple[int, int]) -> int:
    """What a win is worth, in fen."""
    low, high = bounds
    if low == high:
        return low
    return low + (number_of(secret, f"{VERSION}/amount", pool, day, serial, nonce) * (high - low + 1) >> 128)


# ---- what a draw gives


@dataclass(frozen=True)
class Standing:
    """A prize before a draw: won so far, on that Shanghai day and in that hour; ``released`` only where it is paced."""

    won_count: int = 0
    won_today: int = 0
    won_this_hour: int = 0
    released: int | None = None


def settle(
    rules: Rules,
    tier: int | None,
    *,
    standing_of: Callable[[int], Standing],
    wins_total: int,
    wins_today: int,
    segment: int | None = None,
    segment_wins: int = 0,
) -> tuple[str, int | None, str]:
    """What a draw gives, from the manifest and the ledger before it.

    :param tier: index of the prize its position fell on, None for no prize
    :param standing_of: how a prize stands
    :param wins_total: wins so far under this 抽奖号, fallback prizes not counted; ``wins_today`` of them on the day of the draw
    :param segment: the region group (from 1; 0 is none of them) and the wins in it so far
    :returns: outcome (``won`` or ``none``), index of the prize or None, reason: why the drawn prize was not given. With a
        reason, a prize won is the fallback
    """
    if tier is None:
        return "none", None, "no_prize"
    reason = _person_reason(rules, wins_total, wins_today, segment, segment_wins) or _stock_reason(rules.prizes[tier], standing_of(tier))
    if not reason:
        return "won", tier, ""
    if rules.fallback is not None and not _stock_reason(rules.prizes[rules.fallback], standing_of(rules.fallback)):
        return "won", rules.fallback, reason
    return "none", None, reason


def _person_reason(rules: Rules, wins_total: int, wins_today: int, segment: int | None, segment_wins: int) -> str:
    if rules.wins_total is not None and wins_total >= rules.wins_total:
        return "wins_total"
    if rules.wins_per_day is not None and wins_today >= rules.wins_per_day:
        return "wins_per_day"
    if segment and segment_wins >= rules.segments[segment - 1]:
        return "region_quota"
    return ""


def _stock_reason(prize: PrizeRule, standing: Standing) -> str:
    if standing.won_count >= prize.quantity:
        return "stock"
    if standing.released is not None and standing.won_count >= standing.released:
        return "not_released"
    if prize.per_day is not None and standing.won_today >= prize.per_day:
        return "day_quota"
    if prize.per_hour is not None and standing.won_this_hour >= prize.per_hour:
        return "hour_quota"
    return ""

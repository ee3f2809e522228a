"""The arithmetic and the check of ``docs/draw-proof.md``, versions 1 and 2. Standard library only: no web, no database, no
clock, no dice. The server draws with these functions; ``flask draws verify`` and everybody who downloads the checker
(:mod:`.bundle` puts the modules into one file) check with them.
"""

from quizapp.lottery.proof.basics import (
    FIRST,
    PPM,
    VERSION,
    BadLedger,
    base32,
    canonical,
    day_of,
    hour_of,
    moment_text,
    read_moment,
    seal,
)
from quizapp.lottery.proof.book import RETURN_REASONS, VOID_REASONS
from quizapp.lottery.proof.check import Summary, describe, head_line, open_book, receipt_seals, verify
from quizapp.lottery.proof.manifests import PrizeRule, Rules, Window, milliseconds, read_manifest
from quizapp.lottery.proof.outcomes import (
    REASONS,
    Standing,
    amount_bounds,
    amount_of,
    commitment,
    draw_number,
    is_unit_released,
    number_of,
    position,
    released_count,
    settle,
    tier_at,
    units_of,
    window_at,
)

__all__ = [
    "FIRST",
    "PPM",
    "REASONS",
    "RETURN_REASONS",
    "VERSION",
    "VOID_REASONS",
    "BadLedger",
    "PrizeRule",
    "Rules",
    "Standing",
    "Summary",
    "Window",
    "amount_bounds",
    "amount_of",
    "base32",
    "canonical",
    "commitment",
    "day_of",
    "describe",
    "draw_number",
    "head_line",
    "hour_of",
    "is_unit_released",
    "milliseconds",
    "moment_text",
    "number_of",
    "open_book",
    "position",
    "read_manifest",
    "read_moment",
    "receipt_seals",
    "released_count",
    "seal",
    "settle",
    "tier_at",
    "units_of",
    "verify",
    "window_at",
]

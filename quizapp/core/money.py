"""Money is whole fen. Nothing in the project holds a float of yuan."""

import re

_YUAN = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")


def yuan(fen: int) -> str:
    """``1234`` → ``"12.34"``: always two decimals, never abbreviated."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def parse_yuan(text: str) -> int:
    """``"2"``, ``"2.5"``, ``"2.00"`` → fen.

    :raises ValueError: for anything else (signs, thousands separators, a third decimal)
    """
    match = _YUAN.fullmatch(text.strip())
    if not match:
        raise ValueError("not an amount in yuan")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))

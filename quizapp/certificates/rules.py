"""Numbers of certificates and the words for their kinds. No Flask, no session, no clock, no dice."""

import datetime as dt

from quizapp.core.text import N_

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that looks like a digit."""
RANDOM_CHARACTERS = 15
_LOOK_ALIKES = str.maketrans("OIL", "011")
KIND_TITLES: dict[str, str] = {
    "win": N_("获奖证书"),
    "certificate": N_("学法证书"),
    "title": N_("称号证书"),
    "hours": N_("学时证明"),
}
REASON_LENGTH = (4, 100)
MAX_LINES = 6
LINE_LENGTH = 140


def check_character(text: str) -> str:
    """The last character of a number: catches one wrong or two swapped characters of ``text`` (weights are odd, so each has
    its own effect modulo 32)."""
    total = sum((2 * place + 1) * (ALPHABET.index(char) if char in ALPHABET else ord(char)) for place, char in enumerate(text))
    return ALPHABET[total % 32]


def make_number(year: int, characters: str) -> str:
    """``ZS27-K7M2-9QXD-3TQH-81WC`` of 15 random characters; the 16th checks the others."""
    plain = characters + check_character(f"{year % 100:02d}{characters}")
    return f"ZS{year % 100:02d}-" + "-".join(plain[start : start + 4] for start in range(0, 16, 4))


def plain_number(text: str) -> str | None:
    """What somebody typed or scanned, in the form it is kept; None for what cannot be a number."""
    plain = "".join(char for char in text.upper() if char.isascii() and char.isalnum()).translate(_LOOK_ALIKES)
    if len(plain) != 20 or not plain.startswith("ZS") or not plain[2:4].isdigit():
        return None
    body = plain[4:]
    if any(char not in ALPHABET for char in body) or check_character(plain[2:4] + body[:15]) != body[15]:
        return None
    return f"ZS{plain[2:4]}-" + "-".join(body[start : start + 4] for start in range(0, 16, 4))


def kind_title(kind: str) -> str:
    return KIND_TITLES.get(kind, KIND_TITLES["certificate"])


def is_reason(text: str) -> bool:
    shortest, longest = REASON_LENGTH
    return shortest <= len(text.strip()) <= longest


def day_words(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"

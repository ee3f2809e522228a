"""Chinese text in rooms that know nothing of Flask."""

import re
import unicodedata


def N_(message: str) -> str:
    """Mark a sentence for extraction; it is translated where it is shown."""
    return message


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean_line(value: str, limit: int) -> str:
    """One line of somebody's typing: NFC, no control characters, single spaces, at most ``limit`` characters."""
    value = unicodedata.normalize("NFC", _CONTROL.sub("", value))
    return " ".join(value.split())[:limit]


def has_forbidden_characters(value: str) -> bool:
    """Whether a text holds what no database or page should keep (NUL, control characters, lone surrogates)."""
    return bool(_CONTROL.search(value))

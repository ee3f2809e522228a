"""Chance from a seed, for scratch databases alone.

Identifiers and the secrets of draws are made from the operating system's dice; a season that is to come out the same twice
needs them from a seed. They are swapped in this process, only while a season is played, by :func:`seeded`.
"""

import hashlib
import os
import random
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

from quizapp.core import ids
from quizapp.lottery.pooldraw import opening
from quizapp.lottery.services import pools

START_NS = 1_800_000_000_000_000_000
STEP_NS = 1_000_000


class _Source:
    """Bytes and a clock of identifiers that follow from a seed."""

    def __init__(self, seed: str) -> None:
        self._dice = random.Random(hashlib.sha256(seed.encode()).digest())  # noqa: S311 - a simulation that must come out the same
        self._now = START_NS

    def urandom(self, count: int) -> bytes:
        return self._dice.randbytes(count)

    def time_ns(self) -> int:
        self._now += STEP_NS
        return self._now


def _standing_in(module: ModuleType, **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(module), **changes})


@contextmanager
def seeded(seed: str) -> Iterator[None]:
    """Let identifiers and secrets of draws follow from ``seed`` until the end of the block."""
    source = _Source(seed)
    swapped = (
        (ids, "os", _standing_in(os, urandom=source.urandom)),
        (ids, "time", _standing_in(time, time_ns=source.time_ns)),
        (ids, "_last", 0),
        (pools, "secrets", _standing_in(secrets, token_bytes=source.urandom)),
        (opening, "secrets", _standing_in(secrets, token_bytes=source.urandom)),
    )
    kept = [(module, name, getattr(module, name)) for module, name, _ in swapped]
    for module, name, value in swapped:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)

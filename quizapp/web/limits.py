"""Loose limits against floods. Limits that guard money or text messages are rows in the database, not these."""

import threading
import time

import redis

from quizapp.core import redis_keys
from quizapp.core.errors import TooManyRequests
from quizapp.extensions import redis_client

_lock = threading.Lock()
_counts: dict[str, int] = {}


def _count(name: str, key: str, seconds: int) -> int:
    window = int(time.time()) // seconds
    full_key = redis_keys.rate_limit(name, key, window)
    if redis_client.client is not None:
        try:
            pipe = redis_client.client.pipeline()
            pipe.incr(full_key)
            pipe.expire(full_key, 2 * seconds)
            return int(pipe.execute()[0])
        except redis.RedisError:
            pass
    with _lock:
        if len(_counts) > 50_000:
            _counts.clear()
        _counts[full_key] = _counts.get(full_key, 0) + 1
        return _counts[full_key]


def count_up(name: str, key: str, seconds: int) -> int:
    """Count one request of ``key`` and return how many there were in this window, over all processes where there is Redis."""
    return _count(name, key, seconds)


def check_rate(name: str, key: str, limit: int, seconds: int) -> None:
    """Count one request of ``key`` in this window of ``seconds`` and refuse the one after ``limit``.

    Whole villages share one address, so limits by address must be loose.
    :raises TooManyRequests: with ``retry_after_seconds``
    """
    if _count(name, key, seconds) > limit:
        raise TooManyRequests(retry_after_seconds=seconds - int(time.time()) % seconds)

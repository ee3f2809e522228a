"""Every Redis key of the project: type, lifetime, an example, and what happens if it vanishes. Redis may be lost."""


def rate_limit(name: str, key: str, window: int) -> str:
    """Counter of one fixed window; lives two windows. ``quiz:rate:sms-ip:127.0.0.1:29300123``.
    If it vanishes, a caller may try again sooner; limits that guard money or messages are rows in the database."""
    return f"quiz:rate:{name}:{key}:{window}"


def campaign_stamp() -> str:
    """Number raised whenever a campaign changes; no expiry. ``quiz:campaigns:stamp``.
    If it vanishes, other processes see a change when their own cached copy ages out (seconds)."""
    return "quiz:campaigns:stamp"


def worker_seen() -> str:
    """Text, the leading worker's last sign of life, 120 s. ``quiz:worker:seen``. If it vanishes, the dashboard says 未知."""
    return "quiz:worker:seen"

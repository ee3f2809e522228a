"""The server's clock and the Shanghai calendar. Nothing else in the project asks for the time."""

import datetime as dt
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def utc_now() -> dt.datetime:
    """The present moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def shanghai_day(moment: dt.datetime) -> dt.date:
    """The calendar day of a moment in Asia/Shanghai: the day that tries, figures and points count on."""
    return moment.astimezone(SHANGHAI).date()


def day_start(day: dt.date) -> dt.datetime:
    """The first moment of a Shanghai day, in UTC."""
    return dt.datetime.combine(day, dt.time(), SHANGHAI).astimezone(dt.UTC)


def day_end(day: dt.date) -> dt.datetime:
    """The moment at which a Shanghai day is over ("24:00"), exclusive, in UTC."""
    return day_start(day + dt.timedelta(days=1))


def parse_shanghai(text: str) -> dt.datetime:
    """Read ``2026-11-22T09:00`` or ``2026-11-22 24:00`` as Shanghai time; with an offset, as it says. Returns UTC.

    :raises ValueError: if it is not a moment
    """
    text = text.strip()
    is_midnight = text[10:] in (" 24:00", "T24:00", " 24:00:00", "T24:00:00")
    if is_midnight:
        return day_end(dt.date.fromisoformat(text[:10]))
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    return moment.astimezone(dt.UTC)


def rfc3339(moment: dt.datetime | None) -> str | None:
    """A moment as the API writes it: Shanghai offset, whole seconds unless there are fractions."""
    return None if moment is None else moment.astimezone(SHANGHAI).isoformat()

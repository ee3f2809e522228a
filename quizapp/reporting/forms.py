"""What the report pages are asked for."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from quizapp.core.errors import InvalidInput
from quizapp.core.text import N_
from quizapp.reporting.queries import Filter

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _day(values: MultiDict[str, str], name: str, errors: dict[str, str]) -> dt.date | None:
    text = values.get(name, "").strip()
    if not text:
        return None
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return dt.date.fromisoformat(text)
    except ValueError:
        errors[name] = N_("日期写成 2026-03-15 这样。")
        return None


def read_filter(values: MultiDict[str, str]) -> Filter:
    """The filter of a query string or form; empty fields narrow nothing.

    :raises InvalidInput: for days that are none
    """
    errors: dict[str, str] = {}
    campaigns = tuple(slug for slug in values.getlist("campaign") if slug) or None
    first_day, last_day = _day(values, "from", errors), _day(values, "to", errors)
    if errors:
        raise InvalidInput(fields=errors)
    return Filter(campaigns, first_day, last_day, values.get("region") or None, values.get("demographic_group") or None)


def filter_values(chosen: Filter) -> dict[str, Any]:
    """The filter as query arguments, for links that keep it."""
    values: Mapping[str, Any] = {
        "campaign": list(chosen.campaigns) if chosen.campaigns else None,
        "from": chosen.first_day.isoformat() if chosen.first_day else None,
        "to": chosen.last_day.isoformat() if chosen.last_day else None,
        "region": chosen.region,
        "demographic_group": chosen.demographic_group,
    }
    return {name: value for name, value in values.items() if value}

"""The draft's terms as a file people read and write: what the editor's 规则文件 shows, takes and hands out.

Reading is that of campaign files (``campaigns.files``); a draft keeps moments in UTC, the file shows the Shanghai clock.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from quizapp.campaigns.files import CampaignFile, parse_file
from quizapp.campaigns.terms import QUIZ_FIELDS, Terms
from quizapp.campaigns.terms.mapping import mapped, normal
from quizapp.campaigns.terms.reading import moment
from quizapp.core.clock import SHANGHAI


def read(raw: bytes) -> CampaignFile:
    """Read terms, bare or of a whole campaign file, as a draft keeps them. What cannot be read is among ``mistakes``, and
    the body is None then."""
    if not raw.strip():
        return CampaignFile(body={})
    found = parse_file(raw)
    return replace(found, body=normal(found.body)) if isinstance(found.body, Mapping) else found


_ORDER = [
    "schema",
    "opens_at",
    "closes_at",
    *QUIZ_FIELDS,
    *(field.name for field in dataclasses.fields(Terms) if field.name not in ("opens_at", "closes_at")),
    "plan",
]
_RANK = {name: place for place, name in enumerate(_ORDER)}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def write(body: Mapping[str, Any]) -> str:
    """A body as :func:`read` reads it back."""
    ordered = dict(sorted(_shown(body).items(), key=lambda item: _RANK.get(item[0], len(_RANK))))
    if not ordered:
        return ""
    text: str = yaml.dump(ordered, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110, indent=2)
    return text


def _shown(body: Mapping[str, Any]) -> dict[str, Any]:
    return mapped(body, lambda hint, value: _local(value) if hint is dt.datetime and isinstance(value, str) else value)


def _local(text: str) -> str:
    """Shanghai time where that loses nothing."""
    try:
        found = moment(text).astimezone(SHANGHAI)
    except (ValueError, OverflowError):
        return text
    return f"{found:%Y-%m-%d %H:%M}" if not (found.second or found.microsecond) and found.year >= 1000 else text

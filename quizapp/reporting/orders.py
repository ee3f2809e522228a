"""What can be asked for as a file. An order knows how to be stored, checked, said in words and built."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from quizapp.core.errors import InvalidInput
from quizapp.core.text import N_
from quizapp.reporting import exports, items_exports, items_queries, queries, rules
from quizapp.reporting.items_queries import ItemFilter
from quizapp.reporting.queries import Filter, ParticipationTable


class Document(Protocol):
    """The figures of an order as they were read, ready to be written."""

    @property
    def file_name(self) -> str: ...
    def write(self, path: Path) -> int:
        """Write the file. Returns the number of its rows."""
        ...


class Order(Protocol):
    """``permission`` is what the asker needs; ``scope_paths`` what the asker may see, as it was when asking."""

    @property
    def report(self) -> str: ...
    @property
    def permission(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def is_public(self) -> bool: ...
    @property
    def scope_paths(self) -> tuple[str, ...]: ...
    @property
    def title(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    def sentence(self) -> str:
        """The filter in words."""
        ...

    def check(self) -> None:
        """:raises InvalidInput: for what cannot be built"""
        ...

    def build(self, now: dt.datetime) -> Document: ...


def _check_format(format: str) -> None:
    if format not in exports.FORMATS:
        raise InvalidInput(fields={"format": N_("文件格式只能是 xlsx、csv 或 json。")})


# ---- participation


@dataclass(frozen=True)
class _ParticipationDocument:
    table: ParticipationTable
    format: str
    is_public: bool

    @property
    def file_name(self) -> str:
        return exports.file_name(self.table, self.format, self.is_public)

    def write(self, path: Path) -> int:
        return exports.write(self.table, self.format, path, is_public=self.is_public)


@dataclass(frozen=True)
class ReportOrder:
    """Participation by some dimensions."""

    format: str
    is_public: bool
    filter: Filter
    by: tuple[str, ...]
    region_level: str
    scope_paths: tuple[str, ...]
    report = "participation"
    permission = "reports.view"

    @property
    def title(self) -> str:
        return exports.title(self.is_public)

    def to_dict(self) -> dict[str, Any]:
        chosen = self.filter
        return {
            "is_public": self.is_public,
            "campaign": None if chosen.campaigns is None else list(chosen.campaigns),
            "from": chosen.first_day.isoformat() if chosen.first_day else None,
            "to": chosen.last_day.isoformat() if chosen.last_day else None,
            "region": chosen.region,
            "demographic_group": chosen.demographic_group,
            "by": list(self.by),
            "region_level": self.region_level,
            "scope_paths": list(self.scope_paths),
        }

    @classmethod
    def from_dict(cls, format: str, body: Mapping[str, Any]) -> "ReportOrder":
        day = dt.date.fromisoformat
        chosen = Filter(
            None if body["campaign"] is None else tuple(body["campaign"]),
            day(body["from"]) if body["from"] else None,
            day(body["to"]) if body["to"] else None,
            body["region"],
            body["demographic_group"],
        )
        return cls(format, body["is_public"], chosen, tuple(body["by"]), body["region_level"], tuple(body["scope_paths"]))

    def sentence(self) -> str:
        return queries.filter_sentence(self.filter, self.region_level, self.by)

    def check(self) -> None:
        _check_format(self.format)
        if self.is_public and len(self.by) > rules.MAX_PUBLIC_DIMENSIONS:
            raise InvalidInput(fields={"by": N_("公开版最多按两种分组交叉，再细就容易认出人来。")})
        queries.check_filter(self.filter, self.by, self.region_level, self.scope_paths)

    def count(self, now: dt.datetime) -> ParticipationTable:
        """The figures as they are now."""
        chosen = self.filter
        return queries.participation(
            campaigns=chosen.campaigns,
            first_day=chosen.first_day,
            last_day=chosen.last_day,
            by=self.by,
            region_level=self.region_level,
            scope_paths=self.scope_paths,
            region=chosen.region,
            demographic_group=chosen.demographic_group,
            now=now,
        )

    def build(self, now: dt.datetime) -> Document:
        return _ParticipationDocument(self.count(now), self.format, self.is_public)


# ---- item analysis


@dataclass(frozen=True)
class ItemOrder:
    """What answers say about questions."""

    format: str
    filter: ItemFilter
    scope_paths: tuple[str, ...]
    report = "items"
    permission = "questions.view"
    is_public = False

    @property
    def title(self) -> str:
        return items_exports.TITLE

    def to_dict(self) -> dict[str, Any]:
        chosen = {name: getattr(self.filter, name) for name in ItemFilter.__dataclass_fields__}
        return {"is_public": False, **chosen, "scope_paths": list(self.scope_paths)}

    @classmethod
    def from_dict(cls, format: str, body: Mapping[str, Any]) -> "ItemOrder":
        chosen = ItemFilter(**{name: body[name] for name in ItemFilter.__dataclass_fields__})
        return cls(format, chosen, tuple(body["scope_paths"]))

    def sentence(self) -> str:
        return items_queries.filter_sentence(self.filter)

    def check(self) -> None:
        _check_format(self.format)
        items_queries.check_filter(self.filter, self.scope_paths)

    def build(self, now: dt.datetime) -> Document:
        return items_exports.ItemTable.read(self.filter, self.scope_paths, self.format, now)


def read_order(report: str, format: str, body: Mapping[str, Any]) -> ReportOrder | ItemOrder:
    """An order as ``to_dict`` kept it."""
    kinds: dict[str, type[ReportOrder] | type[ItemOrder]] = {"participation": ReportOrder, "items": ItemOrder}
    return kinds[report].from_dict(format, body)

"""Reference data every installation needs, and the demo's staff. All of it may run twice."""

import csv
import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from quizapp.accounts.models import DemographicGroup, Organisation, Region
from quizapp.accounts.queries import find_root_organisation
from quizapp.core.clock import utc_now
from quizapp.core.db import db
from quizapp.core.ids import new_id

DATA = Path(__file__).parent / "data"
GROUPS = (
    ("civil_servant", "领导干部、国家机关工作人员"),
    ("enterprise", "企事业单位工作人员"),
    ("youth", "青少年"),
    ("farmer_herder", "农牧民"),
    ("resident", "社区居民"),
)
LEVELS = ("city", "county", "town", "community", "grid")


@dataclass(frozen=True)
class RegionRow:
    """One line of a region extract."""

    code: str
    name: str
    level: str
    parent: str | None


def read_regions(lines: Iterable[str]) -> list[RegionRow]:
    """Read ``code,name,level,parent``, parents before or after their children.

    :raises ValueError: naming the line that is wrong
    """
    reader = csv.DictReader(lines)
    if reader.fieldnames is None or {"code", "name", "level", "parent"} - set(reader.fieldnames):
        raise ValueError("the first line must name the columns code,name,level,parent")
    rows: dict[str, RegionRow] = {}
    for number, line in enumerate(reader, start=2):
        row = RegionRow(line["code"].strip(), line["name"].strip(), line["level"].strip(), line["parent"].strip() or None)
        if not row.code or len(row.code) > 20 or not row.name or len(row.name) > 64:
            raise ValueError(f"line {number}: code (20 characters at most) and name (64) are needed")
        if row.level not in LEVELS:
            raise ValueError(f"line {number}: level {row.level!r} is none of {', '.join(LEVELS)}")
        if row.code in rows:
            raise ValueError(f"line {number}: code {row.code} appears twice")
        rows[row.code] = row
    _check_parents(rows)
    return sorted(rows.values(), key=lambda row: LEVELS.index(row.level))


def _check_parents(rows: dict[str, RegionRow]) -> None:
    known = set(db.session.scalars(sa.select(Region.code)))
    for row in rows.values():
        if row.parent is None:
            continue
        if row.parent not in rows and row.parent not in known:
            raise ValueError(f"{row.code}: parent {row.parent} is unknown")
        parent = rows.get(row.parent)
        if parent is not None and LEVELS.index(parent.level) >= LEVELS.index(row.level):
            raise ValueError(f"{row.code}: parent {row.parent} is not of a higher level")


def load_regions(rows: Iterable[RegionRow]) -> int:
    """Add or rename regions; none is removed, since history names them. Returns how many were added or changed.

    :param rows: parents before their children, as :func:`read_regions` gives them
    """
    known = {region.code: region for region in db.session.scalars(sa.select(Region))}
    changed = 0
    for row in rows:
        parent = known.get(row.parent) if row.parent else None
        county = row.code if row.level == "county" else parent.county_code if parent else None
        values = (row.name, row.level, row.parent, county)
        region = known.get(row.code)
        if region is None:
            region = Region(code=row.code)
            db.session.add(region)
            known[row.code] = region
        elif (region.name, region.level, region.parent_code, region.county_code) == values:
            continue
        region.name, region.level, region.parent_code, region.county_code = values
        changed += 1
        if row.level != "town":
            db.session.flush()
    db.session.flush()
    return changed


def load_groups() -> None:
    """The five groups of the half-year's figures; names changed by staff stay."""
    known = set(db.session.scalars(sa.select(DemographicGroup.code)))
    for position, (code, name) in enumerate(GROUPS, start=1):
        if code not in known:
            db.session.add(DemographicGroup(code=code, name=name, position=position))
    db.session.flush()


def load_root_organisation(name: str, now: dt.datetime) -> Organisation:
    """The unit everything hangs under: the bureau itself. It is made once and keeps the name staff give it."""
    root = find_root_organisation()
    if root is None:
        identifier = new_id()
        region = db.session.get(Region, "150400")
        root = Organisation(
            id=identifier,
            name=name,
            path=f"/{identifier.hex}/",
            region_code=region.code if region else None,
            is_host=True,
            created_at=now,
        )
        db.session.add(root)
        db.session.flush()
    return root


def add_organisation(
    name: str, parent: Organisation, *, now: dt.datetime, region_code: str | None = None, is_host: bool = False
) -> Organisation:
    """Find or make the unit of this name below ``parent``."""
    found = db.session.scalar(sa.select(Organisation).filter_by(name=name, parent_id=parent.id))
    if found is not None:
        return found
    identifier: uuid.UUID = new_id()
    unit = Organisation(
        id=identifier,
        name=name,
        parent_id=parent.id,
        path=f"{parent.path}{identifier.hex}/",
        region_code=region_code,
        is_host=is_host,
        created_at=now,
    )
    db.session.add(unit)
    db.session.flush()
    return unit


def load_reference_data(*, host_name: str = "赤峰市司法局（演示）", now: dt.datetime | None = None) -> Organisation:
    """Groups, Chifeng's regions and the root unit; returns the root."""
    with (DATA / "chifeng-regions.csv").open(encoding="utf-8", newline="") as lines:
        load_regions(read_regions(lines))
    load_groups()
    return load_root_organisation(host_name, now or utc_now())

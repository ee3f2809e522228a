"""Reference data every installation needs, and the demo's staff and units. All of it may run twice."""

import csv
import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from quizapp.accounts.models import STAFF_ROLES, DemographicGroup, Organisation, Region, StaffAccount, StaffRole
from quizapp.accounts.queries import find_root_organisation
from quizapp.accounts.rules import ROLE_TITLES
from quizapp.accounts.services import hash_password
from quizapp.accounts.services.staff import DEMO_PREFIX
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
DEMO_PASSWORD = "chifeng-pufa-2026"  # noqa: S105 - public on purpose
"""Printed on the demo's sign-in page. Accounts of the demo sign in nowhere else."""

DEMO_UNITS = (
    ("赤峰市市场监督管理局（演示）", "150402", True),
    ("赤峰市税务局（演示）", "150402", True),
    ("赤峰市总工会（演示）", "150402", True),
    ("赤峰市民族事务委员会（演示）", "150402", True),
    ("赤峰市生态环境局（演示）", "150402", True),
    ("红山区司法局（演示）", "150402", True),
    ("元宝山区司法局（演示）", "150403", True),
    ("松山区司法局（演示）", "150404", True),
    ("阿鲁科尔沁旗司法局（演示）", "150421", True),
    ("巴林左旗司法局（演示）", "150422", True),
    ("巴林右旗司法局（演示）", "150423", True),
    ("林西县司法局（演示）", "150424", True),
    ("克什克腾旗司法局（演示）", "150425", True),
    ("翁牛特旗司法局（演示）", "150426", True),
    ("喀喇沁旗司法局（演示）", "150428", True),
    ("宁城县司法局（演示）", "150429", True),
    ("敖汉旗司法局（演示）", "150430", True),
    ("赤峰第一中学（演示）", "150402", False),
    ("赤峰学院（演示）", "150402", False),
    ("宁城县高级中学（演示）", "150429", False),
    ("敖汉旗新惠中学（演示）", "150430", False),
    ("赤峰市医院（演示）", "150402", False),
    ("赤峰热电有限公司（演示）", "150402", False),
    ("平煤社区居委会（演示）", "150403", False),
    ("大板镇居民委员会（演示）", "150423", False),
    ("经棚镇嘎查村民委员会（演示）", "150425", False),
    ("乌丹镇牧业合作社（演示）", "150426", False),
    ("锦山镇果业合作社（演示）", "150428", False),
)
DEMO_NAMES = {
    "system_admin": "白音",
    "security_admin": "图雅",
    "audit_admin": "周宁",
    "campaign_manager": "高娃",
    "approver": "其木格",
    "question_editor": "阿茹娜",
    "question_reviewer": "陈立新",
    "finance": "李晓敏",
    "report_reader": "苏和",
    "cohost": "协办复核员",
}
DEMO_PLACES = {"cohost": "赤峰市市场监督管理局（演示）"}
"""Where a role of the demo is held when it is not the root. Figures belong to the unit that hosts a campaign, so whoever
is to see the demo's figures is held at the root, which hosts them all."""

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


def demo_username(role: str) -> str:
    """Username of the demo's account with this role."""
    return f"{DEMO_PREFIX}{role}"


def load_demo_organisations(root: Organisation, now: dt.datetime) -> dict[str, Organisation]:
    """A few dozen invented units below the root, by name."""
    return {name: add_organisation(name, root, now=now, region_code=region, is_host=is_host) for name, region, is_host in DEMO_UNITS}


def load_demo_staff(now: dt.datetime | None = None) -> None:
    """One account per role, and a second approver for what two people must see. They share one known password."""
    now = now or utc_now()
    root = load_reference_data(now=now)
    units = load_demo_organisations(root, now)
    hashed = hash_password(DEMO_PASSWORD)
    accounts = [(demo_username(role), f"{DEMO_NAMES[role]}（{ROLE_TITLES[role]}）", role) for role in STAFF_ROLES]
    accounts.append((f"{demo_username('approver')}-2", "乌兰（复核人）", "approver"))
    known = set(db.session.scalars(sa.select(StaffAccount.username)))
    for username, name, role in accounts:
        if username in known:
            continue
        account = StaffAccount(
            username=username,
            display_name=name,
            password_hash=hashed,
            must_change_password=False,
            password_changed_at=now,
            created_at=now,
        )
        db.session.add(account)
        db.session.flush()
        place = units[DEMO_PLACES[role]] if role in DEMO_PLACES else root
        db.session.add(StaffRole(staff_id=account.id, role=role, organisation_id=place.id, granted_at=now))
    db.session.flush()


def list_demo_accounts() -> list[StaffAccount]:
    """The demo's accounts that exist, for its sign-in page."""
    found = sa.select(StaffAccount).where(StaffAccount.username.startswith(DEMO_PREFIX), StaffAccount.is_active)
    return list(db.session.scalars(found.order_by(StaffAccount.created_at, StaffAccount.id)))

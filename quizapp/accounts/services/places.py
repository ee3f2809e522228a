"""The lists staff keep: demographic groups and organisations."""

import datetime as dt
import re
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.accounts import queries
from quizapp.accounts.errors import BadValue
from quizapp.accounts.models import DemographicGroup, Organisation
from quizapp.audit.services import Actor, record
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.ids import new_id
from quizapp.core.text import N_, clean_line

_CODE = re.compile(r"[a-z][a-z0-9_]{1,31}")
DEEPEST = 10
"""Levels of the tree: a path has room for this many ids."""


def add_group(code: str, name: str, *, actor: Actor, now: dt.datetime) -> DemographicGroup:
    """Add a group at the end. None is ever removed, since history names it.

    :raises BadValue: for a code that is taken or malformed, or an empty name
    """
    name = _require_name(name, 64)
    if not _CODE.fullmatch(code):
        raise BadValue({"code": N_("代码用小写字母开头，只含字母、数字和下划线。")})
    if queries.find_group(code) is not None:
        raise BadValue({"code": N_("这个代码已经有了。")})
    last = db.session.scalar(sa.select(sa.func.max(DemographicGroup.position))) or 0
    group = DemographicGroup(code=code, name=name, position=last + 1)
    db.session.add(group)
    record("group.added", actor=actor, target_type="group", target_id=code, target_name=name, now=now)
    db.session.flush()
    return group


def rename_group(code: str, name: str, *, actor: Actor, now: dt.datetime) -> None:
    """Give a group another name; its code and its past figures stay.

    :raises NotFound: if there is no such group
    """
    group = queries.find_group(code)
    if group is None:
        raise NotFound
    name, before = _require_name(name, 64), group.name
    group.name = name
    record("group.renamed", actor=actor, target_type="group", target_id=code, target_name=name, changes={"name": [before, name]}, now=now)
    db.session.flush()


def add_organisation(
    name: str,
    parent_id: uuid.UUID,
    *,
    actor: Actor,
    paths: Sequence[str],
    now: dt.datetime,
    region_code: str | None = None,
    is_host: bool = False,
) -> Organisation:
    """Add a unit below another within the actor's subtrees.

    :param is_host: whether it may host campaigns
    :raises BadValue: for an empty name, one that its parent has already, or too deep a tree
    """
    name = _require_name(name, 100)
    parent = _require_organisation(parent_id, paths)
    if parent.path.count("/") > DEEPEST:
        raise BadValue({"parent_id": N_("层级太深了。")})
    if db.session.scalar(sa.select(Organisation.id).filter_by(name=name, parent_id=parent_id)) is not None:
        raise BadValue({"name": N_("上级下面已经有同名的单位。")})
    if region_code and queries.find_region(region_code) is None:
        raise BadValue({"region_code": N_("没有这个地区。")})
    identifier = new_id()
    unit = Organisation(
        id=identifier,
        name=name,
        parent_id=parent_id,
        path=f"{parent.path}{identifier.hex}/",
        region_code=region_code or None,
        is_host=is_host,
        created_at=now,
    )
    db.session.add(unit)
    db.session.flush()
    _record("organisation.added", unit, actor, now)
    return unit


def rename_organisation(organisation_id: uuid.UUID, name: str, *, actor: Actor, paths: Sequence[str], now: dt.datetime) -> None:
    """:raises NotFound: outside the actor's subtrees"""
    unit = _require_organisation(organisation_id, paths)
    before, unit.name = unit.name, _require_name(name, 100)
    _record("organisation.renamed", unit, actor, now, changes={"name": [before, unit.name]})


def set_organisation_active(organisation_id: uuid.UUID, *, is_active: bool, actor: Actor, paths: Sequence[str], now: dt.datetime) -> None:
    """Offer a unit to citizens, or no longer; whoever belongs to it stays.

    :raises BadValue: for the root
    """
    unit = _require_organisation(organisation_id, paths)
    if unit.parent_id is None:
        raise BadValue({"organisation": N_("最上级单位不能停用。")})
    if unit.is_active != is_active:
        unit.is_active = is_active
        _record("organisation.activated" if is_active else "organisation.deactivated", unit, actor, now)


def _require_name(name: str, limit: int) -> str:
    cleaned = clean_line(name, limit + 1)
    if not 1 <= len(cleaned) <= limit:
        raise BadValue({"name": N_("请填名称，不要太长。")})
    return cleaned


def _require_organisation(organisation_id: uuid.UUID, paths: Sequence[str]) -> Organisation:
    unit = queries.get_organisation(organisation_id)
    if not any(path == "/" or unit.path.startswith(path) for path in paths):
        raise NotFound
    return unit


def _record(action: str, unit: Organisation, actor: Actor, now: dt.datetime, changes: dict[str, list[str]] | None = None) -> None:
    record(
        action,
        actor=actor,
        target_type="organisation",
        target_id=unit.id,
        target_name=unit.name,
        organisation_path=unit.path,
        changes=changes,
        now=now,
    )
    db.session.flush()

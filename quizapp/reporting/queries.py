"""Figures read straight from the attempts, in one statement, so that rows, total and exclusions are of one moment."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import DemographicGroup, Organisation, Region
from quizapp.attempts.models import Attempt
from quizapp.campaigns.models import Campaign
from quizapp.core.clock import rfc3339, utc_now
from quizapp.core.db import db
from quizapp.core.errors import InvalidInput
from quizapp.core.text import N_, has_forbidden_characters
from quizapp.reporting import rules
from quizapp.reporting.items_queries import item_statistics as item_statistics
from quizapp.reporting.rules import Figures, Row
from quizapp.reporting.scopes import EVERYTHING as EVERYTHING
from quizapp.reporting.scopes import AnySession, is_whole
from quizapp.reporting.scopes import campaigns_in_scope as campaigns_in_scope


@dataclass(frozen=True)
class CampaignChoice:
    """A campaign as filters show it."""

    id: uuid.UUID
    slug: str
    title: str
    status: str
    opens_at: dt.datetime | None
    closes_at: dt.datetime | None


@dataclass(frozen=True)
class Filter:
    """What a report is narrowed to. ``campaigns`` None is every campaign in scope; days are Shanghai days, both ends
    included; ``region`` takes in everything below it."""

    campaigns: tuple[str, ...] | None = None
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    region: str | None = None
    demographic_group: str | None = None


@dataclass(frozen=True)
class ParticipationTable:
    """A report with everything that must be printed beside it. ``exclusions`` are (reason in Chinese, attempts)."""

    by: tuple[str, ...]
    region_level: str
    rows: tuple[Row, ...]
    total: Row
    definitions: Mapping[str, str]
    filter: Filter
    filter_sentence: str
    as_of: dt.datetime
    excluded_count: int
    exclusions: tuple[tuple[str, int], ...]

    @property
    def figures(self) -> Figures:
        """The counts of the total; zeros where it is masked."""
        return self.total.figures or Figures()

    def to_dict(self) -> dict[str, Any]:
        """The body of ``GET admin/reports/participation``."""
        chosen = self.filter
        return {
            "rows": [_row_dict(self.by, row) for row in self.rows],
            "total": _row_dict((), self.total),
            "definitions": dict(self.definitions),
            "filter": {
                "campaign": None if chosen.campaigns is None else list(chosen.campaigns),
                "from": chosen.first_day.isoformat() if chosen.first_day else None,
                "to": chosen.last_day.isoformat() if chosen.last_day else None,
                "region": chosen.region,
                "demographic_group": chosen.demographic_group,
                "by": list(self.by),
                "region_level": self.region_level,
                "sentence": self.filter_sentence,
            },
            "as_of": rfc3339(self.as_of),
            "excluded_count": self.excluded_count,
            "exclusions": [{"reason": reason, "count": count} for reason, count in self.exclusions],
        }


def _row_dict(by: Sequence[str], row: Row) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, code, label in zip(by, row.codes, row.labels, strict=True):
        body[name] = code
        body[f"{name}_label"] = label
    return {**body, **(row.figures.to_dict() if row.figures else dict.fromkeys(rules.FIGURE_NAMES))}


# ---- what may be chosen


def list_campaigns(scope_paths: Sequence[str], session: AnySession | None = None) -> list[CampaignChoice]:
    """Campaigns that figures can be asked for, the latest first; drafts have none."""
    columns = (Campaign.id, Campaign.slug, Campaign.title, Campaign.status, Campaign.opens_at, Campaign.closes_at)
    statement = sa.select(*columns).where(campaigns_in_scope(scope_paths), Campaign.status.not_in(("draft", "pending_approval")))
    rows = (session or db.session).execute(statement.order_by(Campaign.opens_at.desc(), Campaign.slug))
    return [CampaignChoice(*row) for row in rows]


def list_regions_at(level: str, session: AnySession | None = None) -> list[tuple[str, str]]:
    """(code, name) of every division of one level, by code."""
    statement = sa.select(Region.code, Region.name).filter_by(level=level).order_by(Region.code)
    return [(code, name) for code, name in (session or db.session).execute(statement)]


def find_region(code: str, session: AnySession | None = None) -> Region | None:
    """The division of this code, whatever somebody typed."""
    if has_forbidden_characters(code):
        return None
    return (session or db.session).get(Region, code)


def list_groups(session: AnySession | None = None) -> list[tuple[str, str]]:
    statement = sa.select(DemographicGroup.code, DemographicGroup.name).order_by(DemographicGroup.position, DemographicGroup.code)
    return [(code, name) for code, name in (session or db.session).execute(statement)]


def check_filter(
    chosen: Filter, by: Sequence[str], region_level: str, scope_paths: Sequence[str], session: AnySession | None = None
) -> None:
    """Refuse what cannot be asked: an unknown dimension or level, one dimension twice, days the wrong way round, an unknown
    region or group, a campaign that does not exist or is not in the asker's scope (the two look alike).

    :raises InvalidInput: naming each field
    """
    fields: dict[str, str] = {}
    if any(name not in rules.DIMENSIONS for name in by):
        fields["by"] = N_("只能按人群、地区、单位、日期、活动分组。")
    elif len(set(by)) != len(by):
        fields["by"] = N_("同一种分组只能选一次。")
    if region_level not in rules.REGION_LEVELS:
        fields["region_level"] = N_("地区层级只能是 city、county 或 town。")
    if chosen.first_day and chosen.last_day and chosen.first_day > chosen.last_day:
        fields["from"] = N_("开始日期不能晚于结束日期。")
    if chosen.campaigns is not None:
        known = {campaign.slug for campaign in list_campaigns(scope_paths, session)}
        if not set(chosen.campaigns) <= known:
            fields["campaign"] = N_("没有找到这个活动，或者您看不到它。")
    if chosen.region is not None and find_region(chosen.region, session) is None:
        fields["region"] = N_("没有这个地区。")
    if chosen.demographic_group is not None and chosen.demographic_group not in dict(list_groups(session)):
        fields["demographic_group"] = N_("没有这个人群。")
    if fields:
        raise InvalidInput(fields=fields)


# ---- the figures


def _ancestors(level: str) -> sa.CTE:
    """(code, at): every division with its ancestor of this level, itself included; those above it are not in it."""
    top = sa.select(Region.code, Region.code.label("at")).where(Region.level == level).cte("ancestors", recursive=True)
    return top.union_all(sa.select(Region.code, top.c.at).join(top, Region.parent_code == top.c.code))


def _subtree(code: str) -> sa.Select[Any]:
    top = sa.select(Region.code).where(Region.code == code).cte("subtree", recursive=True)
    below = top.union_all(sa.select(Region.code).join(top, Region.parent_code == top.c.code))
    return sa.select(below.c.code)


def _chosen_attempts(chosen: Filter, scope_paths: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    campaigns = sa.select(Campaign.id).where(campaigns_in_scope(scope_paths))
    if chosen.campaigns is not None:
        campaigns = campaigns.where(Campaign.slug.in_(chosen.campaigns))
    conditions: list[sa.ColumnElement[bool]] = [
        Attempt.state == "graded",
        Attempt.citizen_id.is_not(None),
        Attempt.campaign_id.in_(campaigns),
    ]
    if chosen.first_day:
        conditions.append(Attempt.submitted_on >= chosen.first_day)
    if chosen.last_day:
        conditions.append(Attempt.submitted_on <= chosen.last_day)
    if chosen.region:
        conditions.append(Attempt.region_code.in_(_subtree(chosen.region)))
    if chosen.demographic_group:
        conditions.append(Attempt.demographic_group == chosen.demographic_group)
    return conditions


def _base(by: Sequence[str], region_level: str, chosen: Filter, scope_paths: Sequence[str]) -> sa.CTE:
    """The attempts of the filter with one column per dimension (d0, d1 …)."""
    ancestors = _ancestors(region_level)
    columns: dict[str, sa.ColumnElement[Any]] = {
        "demographic_group": sa.type_coerce(Attempt.demographic_group, sa.String),
        "region": ancestors.c.at,
        "organisation": sa.type_coerce(Attempt.organisation_id, sa.Uuid),
        "day": sa.type_coerce(Attempt.submitted_on, sa.Date),
        "campaign": sa.type_coerce(Attempt.campaign_id, sa.Uuid),
    }
    is_valid = Attempt.excluded_at.is_(None)
    is_passed = sa.and_(is_valid, Attempt.is_passed.is_(True))
    statement = sa.select(
        *(columns[name].label(f"d{index}") for index, name in enumerate(by)),
        sa.case((is_valid, 1), else_=0).label("valid"),
        sa.case((is_passed, 1), else_=0).label("passed"),
        sa.case((is_valid, Attempt.correct_count), else_=0).label("correct"),
        sa.case((is_valid, Attempt.citizen_id)).label("person"),
        sa.case((is_passed, Attempt.citizen_id)).label("passed_person"),
        sa.case((~is_valid, sa.func.coalesce(Attempt.exclusion_reason, ""))).label("reason"),
    )
    if "region" in by:
        statement = statement.outerjoin(ancestors, ancestors.c.code == Attempt.region_code)
    return statement.where(*_chosen_attempts(chosen, scope_paths)).cte("chosen")


def _counts(base: sa.CTE) -> list[sa.ColumnElement[Any]]:
    c = base.c
    return [
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(c.valid), 0),
        sa.func.count(sa.distinct(c.person)),
        sa.func.coalesce(sa.func.sum(c.passed), 0),
        sa.func.count(sa.distinct(c.passed_person)),
        sa.func.coalesce(sa.func.sum(c.correct), 0),
    ]


def _statement(base: sa.CTE, dimension_count: int) -> sa.CompoundSelect[Any]:
    """Three results under each other: ``what`` 0 the rows, 1 the total (a recount, not a sum), 2 the exclusions."""
    dimensions = [base.c[f"d{index}"] for index in range(dimension_count)]
    nothing = [sa.null().label(f"d{index}") for index in range(dimension_count)]
    no_reason = sa.cast(sa.null(), sa.String)
    zeros = [sa.literal(0, sa.BigInteger)] * 5
    total = sa.select(sa.literal(1).label("what"), *nothing, no_reason.label("reason"), *_counts(base))
    excluded = sa.select(sa.literal(2), *nothing, base.c.reason, sa.func.count(), *zeros)
    excluded = excluded.where(base.c.reason.is_not(None)).group_by(base.c.reason)
    if not dimensions:
        return sa.union_all(total, excluded)
    rows = sa.select(sa.literal(0).label("what"), *dimensions, no_reason.label("reason"), *_counts(base)).group_by(*dimensions)
    return sa.union_all(rows, total, excluded)


@dataclass(frozen=True)
class _Names:
    """Labels of a dimension's codes and the order of its rows."""

    label: Callable[[Any], str]
    order: Callable[[Any], Any]
    code: Callable[[Any], str] = str


def _names(dimension: str, values: set[Any], session: AnySession) -> _Names:
    if dimension == "demographic_group":
        groups = list_groups(session)
        names, places = dict(groups), {code: place for place, (code, _) in enumerate(groups)}
        return _Names(lambda code: names.get(code, code), lambda code: (places.get(code, len(places)), code))
    if dimension == "region":
        names = dict(session.execute(sa.select(Region.code, Region.name)).all())
        return _Names(lambda code: names.get(code, code), lambda code: code)
    if dimension == "organisation":
        found = session.execute(sa.select(Organisation.id, Organisation.name).where(Organisation.id.in_(values)))
        units = dict(found.all())
        return _Names(lambda id_: units.get(id_, str(id_)), lambda id_: (units.get(id_, ""), str(id_)))
    if dimension == "campaign":
        slugs = session.execute(sa.select(Campaign.id, Campaign.slug, Campaign.title).where(Campaign.id.in_(values)))
        campaigns = {id_: (slug, title) for id_, slug, title in slugs}
        return _Names(lambda id_: campaigns[id_][1], lambda id_: campaigns[id_][0], lambda id_: campaigns[id_][0])
    return _Names(lambda day: f"{day:%Y-%m-%d}", lambda day: day, lambda day: f"{day:%Y-%m-%d}")


def _rows(by: Sequence[str], found: Sequence[tuple[tuple[Any, ...], Figures]], session: AnySession) -> tuple[Row, ...]:
    """Name and order the lines: by the codes' own order, what is not filled in last; never by size."""
    names = [_names(name, {codes[place] for codes, _ in found} - {None}, session) for place, name in enumerate(by)]

    def order(line: tuple[tuple[Any, ...], Figures]) -> list[tuple[Any, ...]]:
        return [(1,) if code is None else (0, of.order(code)) for of, code in zip(names, line[0], strict=True)]

    def row(codes: tuple[Any, ...], figures: Figures) -> Row:
        pairs = list(zip(names, codes, strict=True))
        return Row(
            tuple(None if code is None else of.code(code) for of, code in pairs),
            tuple(rules.NOT_FILLED if code is None else of.label(code) for of, code in pairs),
            figures,
        )

    return tuple(row(codes, figures) for codes, figures in sorted(found, key=order))


def filter_sentence(chosen: Filter, region_level: str, by: Sequence[str], session: AnySession | None = None) -> str:
    """The filter in words, to be printed with the table."""
    session = session or db.session
    parts = [N_("全部活动")]
    if chosen.campaigns is not None:
        titles = dict(session.execute(sa.select(Campaign.slug, Campaign.title).where(Campaign.slug.in_(chosen.campaigns))).all())
        parts = ["、".join(titles.get(slug, slug) for slug in chosen.campaigns)]
    parts.append(rules.day_range_sentence(chosen.first_day, chosen.last_day))
    if chosen.region:
        region = find_region(chosen.region, session)
        parts.append(region.name if region else chosen.region)
    if chosen.demographic_group:
        parts.append(dict(list_groups(session)).get(chosen.demographic_group, chosen.demographic_group))
    if by:
        level = rules.REGION_LEVEL_NAMES[region_level]
        parts.append("按" + "、".join(level if name == "region" else rules.DIMENSION_NAMES[name] for name in by) + "分组")
    return "；".join(parts)


def participation(
    *,
    campaigns: Sequence[str] | None = None,
    first_day: dt.date | None = None,
    last_day: dt.date | None = None,
    by: Sequence[str] = (),
    region_level: str = "county",
    scope_paths: Sequence[str] = EVERYTHING,
    region: str | None = None,
    demographic_group: str | None = None,
    session: AnySession | None = None,
    now: dt.datetime | None = None,
) -> ParticipationTable:
    """Count participation under the definitions of :mod:`quizapp.reporting.rules`.

    :param campaigns: slugs, None for all in scope
    :param first_day: Shanghai day of the hand-in, included, as is ``last_day``
    :param scope_paths: subtrees whose hosted and co-hosted campaigns count; unless the root is among them, results of
        fewer than five persons are withheld (docs/decisions/008)
    :param region: a division; attempts made in it or below it count
    :raises InvalidInput: for what cannot be asked (:func:`check_filter`)
    """
    chosen = Filter(None if campaigns is None else tuple(campaigns), first_day, last_day, region, demographic_group)
    session = session or db.session
    check_filter(chosen, by, region_level, scope_paths, session)
    base = _base(by, region_level, chosen, scope_paths)
    lines: list[tuple[tuple[Any, ...], Figures]] = []
    total = Figures()
    exclusions: list[tuple[str, int]] = []
    for what, *rest in session.execute(_statement(base, len(by))):
        codes, reason, counts = tuple(rest[: len(by)]), rest[len(by)], [int(count) for count in rest[len(by) + 1 :]]
        if what == 0:
            lines.append((codes, Figures(*counts)))
        elif what == 1:
            total = Figures(*counts)
        else:
            exclusions.append((reason, counts[0]))
    rows, total_row = _rows(by, lines, session), Row((), (), total)
    is_employer = not is_whole(scope_paths, session)
    if is_employer:
        rows, total_row = rules.withhold_results(rows, total_row)
    return ParticipationTable(
        by=tuple(by),
        region_level=region_level,
        rows=rows,
        total=total_row,
        definitions=rules.definitions(by, withholds=is_employer),
        filter=chosen,
        filter_sentence=filter_sentence(chosen, region_level, by, session),
        as_of=now or utc_now(),
        excluded_count=sum(count for _, count in exclusions),
        exclusions=tuple((rules.exclusion_name(reason), count) for reason, count in sorted(exclusions)),
    )


def count_by_correct(
    *, chosen: Filter, scope_paths: Sequence[str] = EVERYTHING, session: AnySession | None = None
) -> list[tuple[int, int]]:
    """(questions answered right, valid attempts), ascending."""
    statement = sa.select(Attempt.correct_count, sa.func.count()).where(
        *_chosen_attempts(chosen, scope_paths), Attempt.excluded_at.is_(None)
    )
    rows = (session or db.session).execute(statement.group_by(Attempt.correct_count).order_by(Attempt.correct_count))
    return [(int(correct or 0), count) for correct, count in rows]

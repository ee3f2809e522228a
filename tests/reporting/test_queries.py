import datetime as dt
import random
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.attempts.models import Attempt
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db
from quizapp.core.errors import InvalidInput
from quizapp.reporting import queries, rules
from quizapp.reporting.queries import Filter, participation
from tests.factories.reporting import (
    COUNTIES,
    DAY,
    GROUPS,
    NOW,
    TOWNS,
    add_attempts,
    attempt_row,
    make_counted_campaign,
    make_person,
    make_unit,
    reference_rows,
)

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def campaign(app: object) -> Campaign:
    reference_rows()
    return make_counted_campaign("consumer", make_unit())


def _round(part: int, whole: int) -> float | None:
    """Half up, by the book: written anew here, so that a mistake in the product's own function shows."""
    if whole == 0:
        return None
    scaled, rest = divmod(part * 10_000, whole)
    return (scaled + (1 if 2 * rest >= whole else 0)) / 10_000


def _naive(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """The printed definitions, word by word."""
    counted = [a for a in attempts if a.state == "graded" and a.citizen_id is not None]
    valid = [a for a in counted if a.excluded_at is None]
    passed = [a for a in valid if a.is_passed]
    persons, passed_persons = {a.citizen_id for a in valid}, {a.citizen_id for a in passed}
    return {
        "attempt_count": len(counted),
        "valid_attempt_count": len(valid),
        "participant_count": len(persons),
        "passed_count": len(passed),
        "person_passed_count": len(passed_persons),
        "pass_rate": _round(len(passed), len(valid)),
        "person_pass_rate": _round(len(passed_persons), len(persons)),
        "mean_correct": _round(sum(a.correct_count or 0 for a in valid), len(valid)),
    }


def _code(attempt: Attempt, dimension: str, level: str, slugs: dict[uuid.UUID, str]) -> str | None:
    region = attempt.region_code
    if dimension == "region":
        if region is None or region not in ("150400", *COUNTIES, *TOWNS):
            return None
        if level == "city":
            return "150400"
        if level == "county":
            return None if region == "150400" else region[:6]
        return region if len(region) == 9 else None
    if dimension == "organisation":
        return str(attempt.organisation_id) if attempt.organisation_id else None
    if dimension == "day":
        return attempt.submitted_on.isoformat() if attempt.submitted_on else None
    if dimension == "campaign":
        return slugs[attempt.campaign_id]
    return attempt.demographic_group


def _random_attempts(rng: random.Random, campaigns: Sequence[Campaign], units: Sequence[Organisation], count: int) -> list[Attempt]:
    people = [make_person() for _ in range(12)]
    rows = []
    for _ in range(count):
        person = rng.choice(people)
        state = rng.choice(["graded"] * 6 + ["open", "lapsed", "handed_in"])
        is_guest = state in ("handed_in", "lapsed") and rng.random() < 0.6
        correct = rng.randrange(6)
        excluded = rng.random() < 0.15
        day = DAY + dt.timedelta(days=rng.randrange(4))
        rows.append(
            attempt_row(
                rng.choice(campaigns),
                None if is_guest else person,
                day,
                state="lapsed" if state == "open" else state,
                correct_count=correct if state == "graded" else rng.choice([None, correct]),
                is_passed=correct >= 4 if state == "graded" else None,
                submitted_on=day if state == "graded" else rng.choice([None, day]),
                demographic_group=rng.choice([*GROUPS, None]),
                region_code=rng.choice([*COUNTIES, *TOWNS, "150400", "990000", None]),
                organisation_id=rng.choice([*(unit.id for unit in units), None]),
                excluded_at=NOW if excluded else None,
                exclusion_reason=rng.choice(["script", "设备异常", None]) if excluded else None,
            )
        )
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_every_figure_equals_a_naive_recount(app: object, seed: int) -> None:
    rng = random.Random(seed)
    reference_rows()
    root = make_unit("司法局")
    units = [root, make_unit("甲厂", root), make_unit("乙校")]
    campaigns = [make_counted_campaign("a", root), make_counted_campaign("b", units[2], cohosts=[units[1]])]
    slugs = {campaign.id: campaign.slug for campaign in campaigns}
    attempts = _random_attempts(rng, campaigns, units, 150)
    add_attempts(attempts)
    for _ in range(14):
        by = tuple(rng.sample(rules.DIMENSIONS, rng.randrange(4)))
        level = rng.choice(rules.REGION_LEVELS)
        chosen = rng.choice([None, ("a",), ("b",), ("a", "b")])
        first, last = rng.choice([None, DAY, DAY + dt.timedelta(days=1)]), rng.choice([None, DAY + dt.timedelta(days=2)])
        region, group = rng.choice([None, None, "150402", "150400"]), rng.choice([None, None, "youth"])
        table = participation(
            campaigns=chosen, first_day=first, last_day=last, by=by, region_level=level, region=region, demographic_group=group
        )
        kept = [
            a
            for a in attempts
            if a.state == "graded"
            and a.submitted_on is not None
            and (chosen is None or slugs[a.campaign_id] in chosen)
            and (first is None or a.submitted_on >= first)
            and (last is None or a.submitted_on <= last)
            and (region is None or (a.region_code or "").startswith(region.removesuffix("00")))
            and (group is None or a.demographic_group == group)
        ]
        assert table.figures.to_dict() == _naive(kept)
        lines: dict[tuple[str | None, ...], list[Attempt]] = {}
        for attempt in kept:
            lines.setdefault(tuple(_code(attempt, name, level, slugs) for name in by), []).append(attempt)
        expected = {codes: _naive(members) for codes, members in lines.items()} if by else {}
        assert {row.codes: row.figures and row.figures.to_dict() for row in table.rows} == expected
        excluded = [a for a in kept if a.excluded_at is not None]
        assert table.excluded_count == len(excluded) == sum(count for _, count in table.exclusions)
        names = [rules.exclusion_name(a.exclusion_reason) for a in excluded]
        assert dict(table.exclusions) == {name: names.count(name) for name in names}
        assert sum(count for _, count in queries.count_by_correct(chosen=table.filter)) == table.figures.valid_attempt_count


def test_a_person_of_two_lines_is_one_person_in_the_total(campaign: Campaign) -> None:
    person = make_person()
    add_attempts([attempt_row(campaign, person), attempt_row(campaign, person, DAY + dt.timedelta(days=1), demographic_group="youth")])
    table = participation(by=("demographic_group",), now=NOW)
    assert [row.figures.participant_count for row in table.rows if row.figures] == [1, 1]
    assert table.figures.participant_count == 1
    assert table.as_of == NOW


def test_rows_stand_in_the_order_of_their_codes_and_the_unfilled_ones_last(campaign: Campaign) -> None:
    people = [make_person() for _ in range(9)]
    add_attempts(
        [attempt_row(campaign, person, demographic_group="resident", region_code="150424") for person in people]
        + [attempt_row(campaign, people[0], demographic_group="civil_servant", region_code="150402101")]
        + [attempt_row(campaign, people[0], demographic_group=None, region_code=None)]
    )
    table = participation(by=("demographic_group",))
    assert [row.codes[0] for row in table.rows] == ["civil_servant", "resident", None]
    assert table.rows[-1].labels == ("未填写",)
    assert [row.codes[0] for row in participation(by=("region",)).rows] == ["150402", "150424", None]


def test_a_move_later_changes_nothing(campaign: Campaign) -> None:
    person = make_person()
    add_attempts([attempt_row(campaign, person)])
    before = participation(by=("region", "demographic_group")).rows
    from quizapp.accounts.models import Citizen
    from quizapp.core.db import transaction

    with transaction():
        db.session.execute(sa.update(Citizen).filter_by(id=person).values(region_code="150424", demographic_group="youth"))
    assert participation(by=("region", "demographic_group")).rows == before


def test_nothing_at_all_is_zeros_and_null_rates(campaign: Campaign) -> None:
    table = participation(by=("day",))
    assert table.rows == ()
    assert table.figures.to_dict() == _naive([])
    assert table.to_dict()["total"]["pass_rate"] is None


def test_only_campaigns_of_the_subtree_count_hosted_or_cohosted(app: object) -> None:
    reference_rows()
    bureau = make_unit("司法局")
    county = make_unit("旗司法局", bureau)
    union = make_unit("总工会")
    hosted = make_counted_campaign("hosted", county)
    cohosted = make_counted_campaign("cohosted", bureau, cohosts=[union])
    make_counted_campaign("draft", bureau, status="draft")
    add_attempts([attempt_row(campaign, make_person()) for campaign in (hosted, cohosted, cohosted)])

    def slugs(*paths: str) -> list[str | None]:
        rows = participation(by=("campaign",), scope_paths=paths).rows
        return [row.codes[0] for row in rows]

    assert slugs(*queries.EVERYTHING) == slugs(bureau.path) == ["cohosted", "hosted"]
    assert slugs(county.path) == ["hosted"]
    assert slugs(union.path) == ["cohosted"]
    assert slugs() == []
    assert participation(scope_paths=(union.path,)).figures.attempt_count == 2
    assert {campaign.slug for campaign in queries.list_campaigns((bureau.path,))} == {"hosted", "cohosted"}
    with pytest.raises(InvalidInput) as refusal:
        participation(campaigns=["hosted"], scope_paths=(union.path,))
    assert set(refusal.value.fields) == {"campaign"}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"by": ("shoe_size",)}, "by"),
        ({"by": ("day", "day")}, "by"),
        ({"region_level": "planet"}, "region_level"),
        ({"first_day": DAY, "last_day": DAY - dt.timedelta(days=1)}, "from"),
        ({"campaigns": ("nothing",)}, "campaign"),
        ({"campaigns": ("consumer", "nothing")}, "campaign"),
        ({"region": "999999"}, "region"),
        ({"demographic_group": "kings"}, "demographic_group"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_field(campaign: Campaign, asked: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        participation(**asked)
    assert set(refusal.value.fields) == {field}


def test_one_day_is_a_range_of_one_day(campaign: Campaign) -> None:
    add_attempts([attempt_row(campaign, make_person(), DAY + dt.timedelta(days=offset)) for offset in range(3)])
    assert participation(first_day=DAY, last_day=DAY).figures.attempt_count == 1
    assert participation(first_day=DAY, last_day=DAY + dt.timedelta(days=1)).figures.attempt_count == 2


def test_the_figures_are_one_statement(campaign: Campaign) -> None:
    """Rows, total and exclusions of one moment: a hand-in in between must not make them disagree."""
    seen: list[str] = []

    def listen(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if " attempts" in statement:
            seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", listen)
    try:
        participation(by=("day", "region"))
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", listen)
    assert len(seen) == 1


def test_the_filter_is_said_in_words(campaign: Campaign) -> None:
    sentence = queries.filter_sentence(Filter(("consumer",), DAY, DAY, "150402", "youth"), "town", ("region", "day"))
    assert sentence == "活动 consumer；2026-03-10；县150402；人群youth；按苏木乡镇街道、日期分组"
    assert queries.filter_sentence(Filter(), "county", ()) == "全部活动；全部日期"

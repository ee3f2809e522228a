"""Item statistics in the database: equal to a recomputation by NumPy and SciPy over the same rows, and kept up to date."""

import datetime as dt
import random
import tracemalloc
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask
from scipy import stats

from quizapp.attempts.models import Attempt, AttemptQuestion
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db, transaction
from quizapp.questions.models import QuestionBank, QuestionFlag
from quizapp.questions.queries import get_revisions
from quizapp.reporting import items_fold
from quizapp.reporting.items_fold import ALL, fold_due
from quizapp.reporting.items_rules import Tally
from quizapp.reporting.models import ItemFold, ItemStatistic
from tests.factories.items import Given, add_papers, give, paper_rows, random_paper, views_of
from tests.factories.questions import make_bank
from tests.factories.reporting import DAY, NOW, make_counted_campaign, make_person, make_unit

LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
def bank(app: Flask) -> QuestionBank:
    return make_bank(count=12)


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make_counted_campaign("spring", make_unit())


@pytest.fixture
def second(campaign: Campaign) -> Campaign:
    return make_counted_campaign("autumn", make_unit("另一个局"))


def _fill(campaign: Campaign, bank: QuestionBank, seed: int, count: int = 150, length: int = 5) -> None:
    rng, views, person = random.Random(seed), views_of(bank), make_person()
    papers = []
    for number in range(count):
        changes: dict[str, Any] = {"excluded_at": NOW, "exclusion_reason": "script"} if number % 15 == 0 else {}
        day = DAY + dt.timedelta(days=number % 3)
        papers.append(paper_rows(campaign, person, random_paper(views, length, rng), day, **changes))
    papers.append(paper_rows(campaign, None, random_paper(views, length, rng), state="lapsed", submitted_on=None, submitted_at=None))
    add_papers(papers)


def _rows(scope: uuid.UUID = ALL) -> dict[uuid.UUID, ItemStatistic]:
    db.session.rollback()
    db.session.expire_all()
    return {row.revision_id: row for row in db.session.scalars(sa.select(ItemStatistic).filter_by(scope=scope))}


def _recounted(*campaigns: Campaign) -> Iterator[tuple[uuid.UUID, list[dict[str, Any]]]]:
    """What every revision met with, read by the ORM and counted with nothing of ours."""
    ids = [campaign.id for campaign in campaigns]
    papers = sa.select(Attempt).where(Attempt.campaign_id.in_(ids), Attempt.state == "graded", Attempt.excluded_at.is_(None))
    met: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for attempt in db.session.scalars(papers):
        sheets = db.session.scalars(sa.select(AttemptQuestion).filter_by(attempt_id=attempt.id).order_by(AttemptQuestion.position)).all()
        marks = np.array([int(mark) for mark in attempt.marks or ""])
        moments = [(sheet.answered_at - attempt.started_at).total_seconds() if sheet.answered_at else np.nan for sheet in sheets]
        in_order = bool(np.all(np.diff([0.0, *(moment for moment in moments if not np.isnan(moment))]) >= 0))
        gaps = np.diff([0.0, *moments])
        for place, sheet in enumerate(sheets):
            view = get_revisions([sheet.revision_id])[sheet.revision_id]
            shown = [view.choices[int(index)] for index in sheet.choice_order]
            met.setdefault(sheet.revision_id, []).append(
                {
                    "mark": marks[place],
                    "rest": (marks.sum() - marks[place]) / (len(marks) - 1) if len(marks) > 1 else np.nan,
                    "texts": frozenset(shown["ABCDEFGH".index(letter)] for letter in sheet.chosen or ""),
                    "seconds": np.floor(round(gaps[place], 3)) if in_order else np.nan,
                }
            )
    yield from met.items()


def _third_weights(rest: np.ndarray[Any, Any], upper: bool) -> np.ndarray[Any, Any]:
    """How much of each paper is in the third: the mean over the two extreme orders of ties would not do, so the border's
    papers share what is left evenly."""
    size, weights = len(rest) / 3, np.zeros(len(rest))
    for value in sorted(set(rest), reverse=upper):
        here = rest == value
        weights[here] = min(1.0, max(0.0, (size - weights.sum()) / here.sum()))
    return weights / size


def _assert_equal(row: ItemStatistic, papers: list[dict[str, Any]]) -> None:
    mark, rest = np.array([paper["mark"] for paper in papers]), np.array([paper["rest"] for paper in papers])
    assert row.shown_count == len(papers)
    assert row.answered_count == sum(bool(paper["texts"]) for paper in papers)
    assert row.correct_count == mark.sum()
    assert row.facility == pytest.approx(mark.mean(), abs=1e-12)
    has_rest = ~np.isnan(rest)
    x, y = mark[has_rest], rest[has_rest]
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert row.discrimination == pytest.approx(stats.pointbiserialr(x, y).statistic, abs=1e-9)
        assert row.discrimination == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9)
    else:
        assert row.discrimination is None
    seconds = np.array([paper["seconds"] for paper in papers])
    timed = seconds[~np.isnan(seconds)]
    assert row.timed_count == len(timed)
    assert row.median_seconds == (pytest.approx(np.median(timed)) if len(timed) else None)
    view = get_revisions([row.revision_id])[row.revision_id]
    found = items_fold.figures_of({row.revision_id: Tally.from_dict(row.tally)})[row.revision_id]
    kept = [paper["texts"] for paper, keep in zip(papers, has_rest, strict=True) if keep]
    for choice in found.choices:
        text = None if choice.index is None else view.choices[choice.index]
        took = np.array([not texts if text is None else text in texts for texts in kept])
        assert choice.count == sum(not paper["texts"] if text is None else text in paper["texts"] for paper in papers)
        assert choice.is_right == (choice.index in view.answer)
        if len(kept):
            assert choice.upper_share == pytest.approx((took * _third_weights(y, True)).sum(), abs=1e-9)
            assert choice.lower_share == pytest.approx((took * _third_weights(y, False)).sum(), abs=1e-9)


@pytest.mark.parametrize("length", [5, 2, 12])
def test_figures_equal_a_recomputation_with_scipy(bank: QuestionBank, campaign: Campaign, length: int) -> None:
    _fill(campaign, bank, seed=length, length=length)
    assert fold_due(LATER) == 1
    rows = _rows()
    recounted = dict(_recounted(campaign))
    assert rows.keys() == recounted.keys()
    assert len(rows) == 12
    for revision_id, papers in recounted.items():
        _assert_equal(rows[revision_id], papers)


def test_campaigns_with_papers_of_different_lengths_add_up(bank: QuestionBank, campaign: Campaign, second: Campaign) -> None:
    _fill(campaign, bank, seed=1)
    _fill(second, bank, seed=2, length=8, count=60)
    third = make_counted_campaign("single", make_unit("第三个局"))
    _fill(third, bank, seed=3, length=1, count=40)
    assert fold_due(LATER) == 3
    for scope, campaigns in ((ALL, (campaign, second, third)), (campaign.id, (campaign,)), (third.id, (third,))):
        rows = _rows(scope)
        recounted = dict(_recounted(*campaigns))
        assert rows.keys() == recounted.keys()
        for revision_id, papers in recounted.items():
            _assert_equal(rows[revision_id], papers)
    folds = {row.scope: row for row in db.session.scalars(sa.select(ItemFold))}
    assert folds[campaign.id].paper_count == 140
    assert folds[campaign.id].exclusions == [["script", 10]]


def test_only_what_changed_is_read_again(bank: QuestionBank, campaign: Campaign, second: Campaign) -> None:
    _fill(campaign, bank, seed=1)
    _fill(second, bank, seed=2, count=30)
    assert fold_due(LATER) == 2
    assert fold_due(LATER + dt.timedelta(minutes=1)) == 0
    _fill(second, bank, seed=3, count=16)
    again = LATER + dt.timedelta(minutes=2)
    assert fold_due(again) == 1
    folds = {row.scope: row for row in db.session.scalars(sa.select(ItemFold))}
    assert (folds[campaign.id].folded_at, folds[campaign.id].checked_at) == (LATER, again)
    assert (folds[second.id].folded_at, folds[second.id].checked_at) == (again, again)
    for revision_id, papers in _recounted(campaign, second):
        _assert_equal(_rows()[revision_id], papers)


def test_exclusions_and_changed_marks_are_followed(bank: QuestionBank, campaign: Campaign) -> None:
    _fill(campaign, bank, seed=4)
    fold_due(LATER)
    some = db.session.scalars(sa.select(Attempt.id).where(Attempt.excluded_at.is_(None), Attempt.state == "graded").limit(20)).all()
    with transaction():
        db.session.execute(sa.update(Attempt).where(Attempt.id.in_(some[:10])).values(excluded_at=LATER, exclusion_reason="staff_test"))
    assert fold_due(LATER + dt.timedelta(hours=1)) == 1
    with transaction():
        for attempt in db.session.scalars(sa.select(Attempt).where(Attempt.id.in_(some[10:]))):
            attempt.marks = "1" * 5
            attempt.correct_count = 5
    assert fold_due(LATER + dt.timedelta(hours=2)) == 1
    for revision_id, papers in _recounted(campaign):
        _assert_equal(_rows()[revision_id], papers)


def test_a_campaign_that_took_long_is_left_alone_for_a_while(bank: QuestionBank, campaign: Campaign) -> None:
    _fill(campaign, bank, seed=5, count=30)
    fold_due(LATER)
    with transaction():
        db.session.execute(sa.update(ItemFold).where(ItemFold.scope == campaign.id).values(took_ms=30_000))
    _fill(campaign, bank, seed=6, count=30)
    assert fold_due(LATER + dt.timedelta(minutes=9)) == 0
    assert db.session.scalar(sa.select(ItemFold.checked_at).filter_by(scope=campaign.id)) == LATER
    assert fold_due(LATER + dt.timedelta(minutes=10)) == 1


def test_an_older_reading_never_overwrites_a_later_one(bank: QuestionBank, campaign: Campaign) -> None:
    _fill(campaign, bank, seed=7, count=30)
    old = items_fold.read_campaign(campaign.id, LATER)
    _fill(campaign, bank, seed=8, count=30)
    assert fold_due(LATER + dt.timedelta(minutes=1)) == 1
    assert old is not None
    with transaction():
        assert items_fold.write_fold(items_fold.figure_out(old)) is False
    for revision_id, papers in _recounted(campaign):
        _assert_equal(_rows()[revision_id], papers)


def test_two_campaigns_folded_at_once_are_both_in_the_sums(bank: QuestionBank, campaign: Campaign, second: Campaign) -> None:
    _fill(campaign, bank, seed=13, count=30)
    _fill(second, bank, seed=14, count=30)
    folds = [items_fold.read_campaign(one.id, LATER) for one in (campaign, second)]
    figured = [items_fold.figure_out(fold) for fold in folds if fold is not None]
    with transaction():
        assert items_fold.write_fold(figured[0]) is True
    with transaction():
        assert items_fold.write_fold(figured[1]) is False, "added up without the first"
    assert fold_due(LATER + dt.timedelta(minutes=1)) == 1
    for revision_id, papers in _recounted(campaign, second):
        _assert_equal(_rows()[revision_id], papers)


def test_a_crash_while_writing_leaves_the_earlier_figures(bank: QuestionBank, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(campaign, bank, seed=9, count=30)
    fold_due(LATER)
    before = {id_: row.shown_count for id_, row in _rows().items()}
    _fill(campaign, bank, seed=10, count=30)

    def crash(*_: Any) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(sa, "insert", crash)
        with pytest.raises(RuntimeError):
            fold_due(LATER + dt.timedelta(minutes=1))
    assert {id_: row.shown_count for id_, row in _rows().items()} == before
    assert fold_due(LATER + dt.timedelta(minutes=2)) == 1
    for revision_id, papers in _recounted(campaign):
        _assert_equal(_rows()[revision_id], papers)


def test_odd_questions_are_told_to_the_staffs_list_and_taken_back(bank: QuestionBank, campaign: Campaign) -> None:
    rng, views, person = random.Random(11), views_of(bank), make_person()
    upside_down = next(view for view in views if view.kind == "single")
    others = [view for view in views if view.id != upside_down.id]

    def paper() -> list[Given]:
        ability = rng.random()
        rest = [give(view, ability, 5.0 * place, rng, 0) for place, view in enumerate(rng.sample(others, 4), 1)]
        return [*rest, give(upside_down, 1 - ability, 30.0, rng, 0)]

    add_papers(paper_rows(campaign, person, paper()) for _ in range(400))
    fold_due(LATER)
    flags = {(row.question_id, row.code): row.detail for row in db.session.scalars(sa.select(QuestionFlag).filter_by(source="items"))}
    assert (upside_down.question_id, "negative") in flags
    assert flags[upside_down.question_id, "negative"].startswith("区分度为负：区分度 -0.")
    with transaction():
        db.session.execute(sa.update(Attempt).values(excluded_at=LATER, exclusion_reason="script"))
    fold_due(LATER + dt.timedelta(minutes=1))
    assert db.session.scalars(sa.select(QuestionFlag).filter_by(source="items")).all() == []
    assert _rows() == {}


def test_reading_keeps_tallies_and_not_papers(bank: QuestionBank, campaign: Campaign) -> None:
    _fill(campaign, bank, seed=12, count=300)

    def peak() -> int:
        tracemalloc.start()
        items_fold.read_campaign(campaign.id, LATER)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak()
    small = peak()
    for seed in range(4):
        _fill(campaign, bank, seed=20 + seed, count=300)
    assert peak() < small + 300_000

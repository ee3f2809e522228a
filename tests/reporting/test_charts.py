import datetime as dt
import re

import pytest
from flask import Flask

from quizapp.reporting import charts
from quizapp.reporting.queries import Filter, ParticipationTable
from quizapp.reporting.rules import Figures, Row
from tests.factories.reporting import DAY, NOW


def _table(counts: dict[dt.date, int]) -> ParticipationTable:
    rows = tuple(Row((day.isoformat(),), (str(day),), Figures(count, count, count)) for day, count in counts.items())
    return ParticipationTable(("day",), "county", rows, Row((), (), Figures()), {}, Filter(), "", NOW, 0, ())


def test_a_day_without_anybody_is_drawn_as_zero() -> None:
    days = charts.days_of(_table({DAY: 3, DAY + dt.timedelta(days=2): 5}))
    assert [(day.day, figures.valid_attempt_count) for day, figures in days] == [(10, 3), (11, 0), (12, 5)]


def test_a_very_long_range_keeps_only_days_with_figures() -> None:
    assert len(charts.days_of(_table({DAY: 3, DAY + dt.timedelta(days=5000): 5}))) == 2


@pytest.mark.parametrize("count", [1, 7, 8, 15, 31, 100, 181, 400])
def test_labels_stay_few_enough_for_a_phone(app: Flask, count: int) -> None:
    with app.test_request_context():
        drawing = charts.by_day(_table({DAY + dt.timedelta(days=offset): offset + 1 for offset in range(count)}))
    assert drawing is not None
    labels = re.findall(r'text-anchor="middle">([^<]+)<', str(drawing))
    assert 1 <= len(labels) <= charts.MANY_DAYS
    assert labels[0] == "3月10日"
    assert f"{count} 次" in str(drawing)


def test_nothing_is_not_drawn(app: Flask) -> None:
    with app.test_request_context():
        assert charts.by_day(_table({})) is None
        assert charts.by_correct([]) is None


def test_numbers_nobody_reached_have_an_empty_column(app: Flask) -> None:
    with app.test_request_context():
        drawing = str(charts.by_correct([(1, 4), (3, 9)]))
    assert drawing.count("<rect") == 3
    assert "答对 3 题的最多，9 次" in drawing

"""Pictures of the figures. Each stands beside the table with the same numbers."""

import datetime as dt
from collections.abc import Sequence

from flask_babel import gettext as _
from markupsafe import Markup

from quizapp.reporting.queries import ParticipationTable
from quizapp.reporting.rules import Figures
from quizapp.web.ui import column_chart, line_chart

MAX_DAYS = 400
MANY_DAYS = 7
MOST_LABELS = 6


def _day_labels(days: Sequence[dt.date], width: int) -> list[str]:
    """``3月10日, 11日, 12日 … 4月1日`` for a few days; beyond that at most six labels, each with its month, so that they
    stay apart on a phone. ``line_chart`` itself prints every n-th of them."""
    if len(days) <= MANY_DAYS:
        return [
            f"{day.month}月{day.day}日" if place == 0 or days[place - 1].month != day.month else f"{day.day}日"
            for place, day in enumerate(days)
        ]
    printed = max(1, round(len(days) * 62 / width))
    step = printed * -(-len(days) // (printed * MOST_LABELS))
    last = len(days) - 1  # a label at the edge would be cut off
    return [f"{day.month}月{day.day}日" if place % step == 0 and place != last else "" for place, day in enumerate(days)]


def days_of(table: ParticipationTable) -> list[tuple[dt.date, Figures]]:
    """A table by day without holes: a day on which nobody took part is a day with zeros. Very long ranges keep only
    the days that have figures."""
    known = {dt.date.fromisoformat(row.codes[0]): row.figures or Figures() for row in table.rows if row.codes[0]}
    if not known:
        return []
    first, last = min(known), max(known)
    span = (last - first).days + 1
    days = [first + dt.timedelta(days=offset) for offset in range(span)] if span <= MAX_DAYS else sorted(known)
    return [(day, known.get(day, Figures())) for day in days]


def by_day(table: ParticipationTable, width: int = 760, height: int = 220) -> Markup | None:
    """Valid attempts and persons by day; None when there is nothing to draw."""
    days = days_of(table)
    if not days:
        return None
    attempts = [figures.valid_attempt_count for _day, figures in days]
    persons = [figures.participant_count for _day, figures in days]
    peak = max(range(len(days)), key=lambda place: attempts[place])
    highest = days[peak][0]
    alt = _(
        "每天有效人次和人数，有效人次最高是 %(month)s月%(day)s日的 %(count)s 次",
        month=highest.month,
        day=highest.day,
        count=f"{attempts[peak]:,}",
    )
    series = [(_("有效人次"), "s1area", attempts), (_("人数"), "s2", persons)]
    return line_chart(series, _day_labels([day for day, _figures in days], width), width, height, alt=alt)


def by_correct(counts: Sequence[tuple[int, int]]) -> Markup | None:
    """Valid attempts by the number of right answers, holes filled; None when there is nothing to draw."""
    if not counts:
        return None
    known = dict(counts)
    numbers = list(range(min(known), max(known) + 1))
    values = [known.get(number, 0) for number in numbers]
    peak = max(range(len(values)), key=lambda place: values[place])
    alt = _("答对 %(number)s 题的最多，%(count)s 次", number=numbers[peak], count=f"{values[peak]:,}")
    return column_chart(values, [_("%(number)s 题", number=number) for number in numbers], 360, 210, "col-g", alt=alt)

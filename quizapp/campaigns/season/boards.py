"""Places on a board: exact figures, a chain of ties, equal places shared. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from quizapp.campaigns.season.measures import History, Number, value_of
from quizapp.campaigns.terms import Board, Component, Terms

SCALE = 10_000
"""Figures are kept in ten-thousandths."""


@dataclass(frozen=True)
class Player:
    """One person's part in a board: the values of the board's measures, and what decides ties.

    :param reached_at: when the present values were first reached (UTC)
    :param seconds: answering time of all counted attempts
    :param unit: the school or organisation, where it is known
    """

    subject: str
    values: Mapping[str, Number]
    has_passed: bool
    seconds: int
    attempts: int
    reached_at: dt.datetime
    unit: str = ""


@dataclass(frozen=True)
class Placed:
    """A line of a board; ``place`` from 1, equal ones share it."""

    subject: str
    figure: Fraction
    people: int
    place: int

    @property
    def figure_scaled(self) -> int:
        return round(self.figure * SCALE)


def player(terms: Terms, board: Board, subject: str, history: History) -> Player | None:
    """One person as a board sees it; None without a counted attempt or action."""
    done = tuple(
        item
        for item in history.done
        if (not board.stages or item.stage_id in board.stages) and (not board.tracks or not item.is_attempt or item.track in board.tracks)
    )
    if not done:
        return None
    part = History(done, history.granted)
    names = sorted({component.measure for component in board.by if component.measure})
    values = {name: value_of(terms, part)(name) for name in names}
    attempts = [item for item in done if item.is_attempt]
    return Player(
        subject,
        values,
        any(item.values.get("passed") for item in attempts),
        sum(int(item.values["seconds"]) for item in attempts),
        len(attempts),
        _reached_at(terms, part, names, values),
    )


def _reached_at(terms: Terms, history: History, names: Sequence[str], values: Mapping[str, Number]) -> dt.datetime:
    """The moment of the event with which the values came to what they are now."""
    for count in range(len(history.done), 1, -1):
        ask = value_of(terms, History(history.done[: count - 1], tuple(g for g in history.granted if g.at < history.done[count - 1].at)))
        if any(ask(name) != values[name] for name in names):
            return history.done[count - 1].at
    return history.done[0].at


def rank_people(board: Board, players: Iterable[Player]) -> list[Placed]:
    """People by their weighted figure, the best first, at most ``board.places`` places."""
    rows = [
        (sum((Fraction(item.values.get(component.measure, 0)) * component.weight for component in board.by), Fraction(0)) / 100, item)
        for item in players
    ]
    return _place(board, [(figure, _ties(board, [item]), item.subject, 1) for figure, item in rows])


def rank_groups(board: Board, groups: Mapping[str, Sequence[Player]], sizes: Mapping[str, int]) -> list[Placed]:
    """Teams, units or regions by their people. Groups of fewer than ``board.min_people`` are left out.

    :param sizes: people on the roster, where there is one; a rate without a roster leaves the group out
    """
    rows = []
    for subject, members in groups.items():
        if len(members) < board.min_people:
            continue
        figures = [_figure(component, members, sizes.get(subject)) for component in board.by]
        weighed = [figure * component.weight for figure, component in zip(figures, board.by, strict=True) if figure is not None]
        if len(weighed) == len(board.by):
            rows.append((sum(weighed, Fraction(0)) / 100, _ties(board, members), subject, len(members)))
    return _place(board, rows)


def _figure(component: Component, members: Sequence[Player], size: int | None) -> Fraction | None:
    values = sorted((Fraction(member.values.get(component.measure, 0)) for member in members), reverse=True)
    if component.how == "rate":
        return Fraction(100 * len(members), size) if size else None
    figures = {
        "mean": lambda: sum(values, Fraction(0)) / len(values),
        "sum": lambda: sum(values, Fraction(0)),
        "best": lambda: sum(values[: component.k], Fraction(0)),
        "passed": lambda: Fraction(100 * sum(member.has_passed for member in members), len(members)),
        "people": lambda: Fraction(len(members)),
        "people_above": lambda: Fraction(sum(value > 0 for value in values)),
        "units": lambda: Fraction(len({member.unit for member in members if member.unit})),
    }
    return figures[component.how]()


_Row = tuple[Fraction, tuple[float, ...], str, int]


def _ties(board: Board, members: Sequence[Player]) -> tuple[float, ...]:
    keys = {
        "least_seconds": lambda: float(sum(member.seconds for member in members)) / len(members),
        "earliest": lambda: max(member.reached_at for member in members).timestamp(),
        "attempts": lambda: float(sum(member.attempts for member in members)) / len(members),
    }
    return tuple(keys[name]() for name in board.ties)


def _place(board: Board, rows: Sequence[_Row]) -> list[Placed]:
    ordered = sorted(rows, key=lambda row: (-row[0], row[1], row[2]))
    placed: list[Placed] = []
    for number, (figure, ties, subject, people) in enumerate(ordered, 1):
        before = ordered[number - 2] if number > 1 else None
        place = placed[-1].place if before is not None and (before[0], before[1]) == (figure, ties) else number
        if place > board.places:
            break
        placed.append(Placed(subject, figure, people, place))
    return placed

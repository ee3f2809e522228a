"""Boards of a campaign: computed from the attempts by the worker, read by pages. Nothing is ranked that the terms do not declare."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import sqlalchemy as sa

from quizapp.accounts import queries as account_queries
from quizapp.accounts.models import Citizen, Organisation
from quizapp.attempts import histories
from quizapp.attempts.models import Attempt, BoardRow, CampaignEntry, CampaignTeam
from quizapp.attempts.services.awarding import round_key_of
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.season.boards import SCALE, Placed, Player, player, rank_groups, rank_people
from quizapp.campaigns.terms import Board, Stage
from quizapp.core.db import db

LEVELS = {"city": 4, "county": 6, "town": 9}
"""Digits of a region's code by level (GB/T 2260, GB/T 10114)."""
FREEZE_AFTER = dt.timedelta(days=1)
"""A paper begun in the last second, or a guest's adopted within its day, still counts; afterwards a board stays as it is."""


@dataclass(frozen=True)
class Line:
    """A board's line with the name it is shown under."""

    place: int
    name: str
    figure: str
    people: int
    is_own: bool = False


def compute_board(view: CampaignView, board: Board, now: dt.datetime) -> int:
    """Compute a board anew from the attempts and keep it in place of the old one. Returns how many lines it has."""
    players = {}
    for citizen_id, history in histories.iter_histories(view.id, round_key_of(view.terms)):
        found = player(view.terms, board, str(citizen_id), history)
        if found is not None:
            players[citizen_id] = found
    placed = _rank(view, board, players)
    db.session.execute(sa.delete(BoardRow).where(BoardRow.campaign_id == view.id, BoardRow.board_id == board.id))
    if placed:
        rows = [
            {
                "campaign_id": view.id,
                "board_id": board.id,
                "subject": item.subject,
                "figure": item.figure_scaled,
                "people": item.people,
                "place": item.place,
                "computed_at": now,
            }
            for item in placed
        ]
        db.session.execute(sa.insert(BoardRow), rows)
    return len(placed)


def _rank(view: CampaignView, board: Board, players: Mapping[uuid.UUID, Player]) -> list[Placed]:
    if board.of == "person":
        allowed = _on_boards(view.id) if board.opt_in else None
        active = set(db.session.scalars(sa.select(Citizen.id).where(Citizen.status == "active", Citizen.id.in_(_took_part(view.id)))))
        shown = [item for key, item in players.items() if key in active and (allowed is None or key in allowed)]
        return rank_people(board, shown)
    groups: dict[str, list[Player]] = {}
    units = dict(_last_places(view, is_unit=True)) if any(part.how == "units" for part in board.by) else {}
    for key, subject in _groups(view, board):
        if key in players and subject:
            groups.setdefault(subject, []).append(replace(players[key], unit=units.get(key, "")))
    return rank_groups(board, groups, {})


def _took_part(campaign_id: uuid.UUID) -> sa.Select[uuid.UUID | None]:
    return sa.select(Attempt.citizen_id).where(Attempt.campaign_id == campaign_id, Attempt.state == "graded")


def _on_boards(campaign_id: uuid.UUID) -> set[uuid.UUID]:
    return set(db.session.scalars(sa.select(CampaignEntry.citizen_id).filter_by(campaign_id=campaign_id, is_on_boards=True)))


def _groups(view: CampaignView, board: Board) -> Iterable[tuple[uuid.UUID, str]]:
    """Whom each person counts for: the team of the entry; unit and place as the person's last attempt here copied them."""
    if board.of == "team":
        found = sa.select(CampaignEntry.citizen_id, CampaignEntry.team_id).where(
            CampaignEntry.campaign_id == view.id, CampaignEntry.team_id.is_not(None)
        )
        return [(citizen_id, str(team_id)) for citizen_id, team_id in db.session.execute(found)]
    return _last_places(view, is_unit=board.of == "organisation", digits=LEVELS[board.region_level])


def _last_places(view: CampaignView, *, is_unit: bool, digits: int = 0) -> Iterable[tuple[uuid.UUID, str]]:
    """The unit, or the region's code cut to ``digits``, of each person's last attempt."""
    rows = sa.select(Attempt.citizen_id, Attempt.organisation_id, Attempt.region_code).where(
        Attempt.campaign_id == view.id, Attempt.state == "graded", Attempt.excluded_at.is_(None)
    )
    last: dict[uuid.UUID, str] = {}
    for citizen_id, unit, code in db.session.execute(rows.order_by(Attempt.submitted_at, Attempt.id)):
        place = code[:digits] if code is not None and len(code) >= digits else ""
        if citizen_id is not None:
            last[citizen_id] = (str(unit) if unit else "") if is_unit else place
    return list(last.items())


def is_frozen(view: CampaignView, board: Board, now: dt.datetime) -> bool:
    """Whether what a board counts is over for good."""
    stages = [stage for stage in view.terms.stages if stage.id in board.stages]
    return now >= _end(stages, view.terms.closes_at) + FREEZE_AFTER


def _end(stages: list[Stage], closes_at: dt.datetime) -> dt.datetime:
    return max((stage.closes_at for stage in stages), default=closes_at)


def find_computed_at(campaign_id: uuid.UUID, board_id: str) -> dt.datetime | None:
    """When a board was last computed."""
    return db.session.scalar(sa.select(BoardRow.computed_at).filter_by(campaign_id=campaign_id, board_id=board_id).limit(1))


def list_lines(view: CampaignView, board: Board, own_id: uuid.UUID | None, limit: int = 100) -> list[Line]:
    """A board from the top. People are shown by their nickname, and only those who agreed."""
    statement = (
        sa.select(BoardRow).filter_by(campaign_id=view.id, board_id=board.id).order_by(BoardRow.place, BoardRow.subject).limit(limit)
    )
    rows = list(db.session.scalars(statement))
    names = _names(board, [row.subject for row in rows])
    return [
        Line(row.place, names.get(row.subject, ""), figure_words(row.figure), row.people, own_id is not None and row.subject == str(own_id))
        for row in rows
    ]


def figure_words(scaled: int) -> str:
    """A kept figure as it is read: 87.5, 12."""
    return f"{float(Fraction(scaled, SCALE)):.2f}".rstrip("0").rstrip(".")


def _names(board: Board, subjects: list[str]) -> dict[str, str]:
    if board.of == "region":
        known = account_queries.region_names()
        return {code: known.get(code, code) for code in subjects}
    ids = [uuid.UUID(subject) for subject in subjects]
    columns = {
        "person": (Citizen.id, Citizen.nickname),
        "team": (CampaignTeam.id, CampaignTeam.name),
        "organisation": (Organisation.id, Organisation.name),
    }
    key, name = columns[board.of]
    return {str(found): text for found, text in db.session.execute(sa.select(key, name).where(key.in_(ids)))}

"""Boards: exact places, ties, groups, consent, and prizes by place."""

import datetime as dt
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from quizapp.accounts.models import Citizen
from quizapp.attempts import boards, services
from quizapp.attempts.board_jobs import compute_boards
from quizapp.attempts.models import Attempt, BoardRow
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.season.boards import Player, rank_groups, rank_people
from quizapp.campaigns.terms import Board, Component, Measure, PoolTier, RankPrize, Terms
from quizapp.core.db import db, transaction
from quizapp.payouts.models import Payout
from tests.attempts.conftest import MINUTE, NOW
from tests.factories import attempts as make
from tests.factories.accounts import make_citizen
from tests.factories.campaigns import make_campaign, make_terms

DAY = dt.timedelta(days=1)
BEST = Measure("best", value="correct", outer="best")
PEOPLE = Board("people", "个人榜", by=(Component("best"),), ties=("least_seconds", "earliest"))


def _player(subject: str, value: int, *, seconds: int = 60, minute: int = 0, passed: bool = True) -> Player:
    return Player(subject, {"best": value}, passed, seconds, 1, NOW + minute * MINUTE)


def test_places_go_by_figure_then_time_and_equals_share_one() -> None:
    players = [_player("a", 4), _player("b", 5, seconds=90), _player("c", 5, seconds=60), _player("d", 4), _player("e", 3)]
    assert [(item.subject, item.place) for item in rank_people(PEOPLE, players)] == [("c", 1), ("b", 2), ("a", 3), ("d", 3), ("e", 5)]
    assert [item.subject for item in rank_people(replace(PEOPLE, places=2), players)] == ["c", "b"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [("mean", 4), ("sum", 12), ("best", 9), ("passed", Fraction(200, 3)), ("people", 3), ("people_above", 3), ("rate", 30)],
)
def test_a_groups_figure_is_put_together_as_the_terms_say(how: Any, expected: Any) -> None:
    board = Board("teams", "团队榜", of="team", by=(Component("best", how, k=2),), min_people=2)
    members = [_player("a", 5), _player("b", 4), _player("c", 3, passed=False)]
    [placed] = rank_groups(board, {"x": members, "small": members[:1]}, {"x": 10})
    assert (placed.subject, placed.figure, placed.people) == ("x", expected, 3)


def test_a_rate_without_a_roster_and_half_a_formula_leave_a_group_out() -> None:
    board = Board("units", "单位榜", of="organisation", by=(Component("", "rate", 50), Component("best", "mean", 50)), min_people=1)
    members = [_player("a", 4), _player("b", 2)]
    assert [item.figure for item in rank_groups(board, {"x": members, "y": members}, {"x": 4})] == [Fraction(50 + 3, 2)]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=30))
def test_nobody_with_less_stands_before_somebody_with_more(rows: list[tuple[int, int]]) -> None:
    placed = rank_people(PEOPLE, [_player(str(number), value, seconds=seconds) for number, (value, seconds) in enumerate(rows)])
    figures = [item.figure for item in placed]
    assert figures == sorted(figures, reverse=True)
    for item in placed:
        better = sum(1 for value, seconds in rows if (-value, seconds) < (-rows[int(item.subject)][0], rows[int(item.subject)][1]))
        assert item.place == better + 1


# ---- from attempts to pages and prizes


def _campaign(*board: Board, **values: Any) -> Campaign:
    terms: Terms = replace(make_terms(now=NOW), boards=board or (PEOPLE,), measures=(BEST,), **values)
    return make_campaign("ranked", terms=terms, now=NOW)


def _join(campaign: Campaign, citizen: Citizen, is_on_boards: bool) -> None:
    with transaction():
        view = campaign_queries.get_campaign(campaign.slug)
        services.enter_campaign(campaign=view, citizen_id=citizen.id, is_on_boards=is_on_boards, now=NOW)


def _play(campaign: Campaign, citizen: Citizen, right: int, *, is_on_boards: bool = True, seconds: int = 60) -> None:
    _join(campaign, citizen, is_on_boards)
    attempt = make.start(campaign, citizen, now=NOW).attempt
    make.answer(attempt, citizen, right, now=NOW)
    make.hand_in(attempt, citizen, now=NOW + dt.timedelta(seconds=seconds))


def _rows(board_id: str = "people") -> list[tuple[str, int, int]]:
    db.session.rollback()
    found = db.session.scalars(sa.select(BoardRow).filter_by(board_id=board_id).order_by(BoardRow.place, BoardRow.subject))
    return [(row.subject, row.place, row.figure) for row in found]


def test_only_who_agreed_is_ranked_and_an_excluded_attempt_is_not(app: Flask) -> None:
    campaign = _campaign()
    people = [make_citizen(now=NOW) for _ in range(4)]
    for person, right in zip(people, (3, 5, 4, 5), strict=True):
        _play(campaign, person, right, is_on_boards=person is not people[3])
    with transaction():
        db.session.execute(sa.update(Attempt).where(Attempt.citizen_id == people[2].id).values(excluded_at=NOW, exclusion_reason="script"))
    assert compute_boards(NOW + DAY) == 1
    assert _rows() == [(str(people[1].id), 1, 50_000), (str(people[0].id), 2, 30_000)]
    assert compute_boards(NOW + DAY + MINUTE) == 0, "computed a minute ago"


def test_regions_are_ranked_by_the_place_of_the_attempt(app: Flask) -> None:
    board = Board("regions", "旗县区榜", of="region", by=(Component("best", "mean"),), min_people=2, opt_in=False)
    campaign = _campaign(board)
    for region, right in (("150402", 5), ("150402", 4), ("150403", 5), ("150403", 3), ("150404", 5)):
        citizen = make_citizen(region=region, now=NOW)
        make.play(campaign, citizen, right=right, now=NOW)
    compute_boards(NOW + MINUTE)
    assert _rows("regions") == [("150402", 1, 45_000), ("150403", 2, 40_000)]


def test_prizes_go_by_place_once_when_the_board_is_final(app: Flask) -> None:
    tiers = (PoolTier("一等奖书包", "pickup", quantity=1, value_fen=10_000), PoolTier("二等奖水杯", "pickup", quantity=2, value_fen=2_000))
    campaign = _campaign(rank_prizes=(RankPrize("people", tiers),))
    people = [make_citizen(now=NOW) for _ in range(4)]
    for person, right in zip(people, (5, 4, 3, 2), strict=True):
        _play(campaign, person, right)
    closes_at = campaign_queries.get_campaign("ranked").terms.closes_at
    compute_boards(closes_at + MINUTE)
    assert db.session.scalars(sa.select(Payout)).all() == []
    for again in range(3):
        compute_boards(closes_at + boards.FREEZE_AFTER + again * DAY)
    db.session.rollback()
    found = {payout.citizen_id: payout.title for payout in db.session.scalars(sa.select(Payout))}
    assert found == {people[0].id: "一等奖书包", people[1].id: "二等奖水杯", people[2].id: "二等奖水杯"}


def test_the_page_shows_places_and_marks_nothing_of_others(app: Flask, client: FlaskClient) -> None:
    campaign = _campaign()
    _play(campaign, make_citizen(nickname="草原之鹰", now=NOW), 5)
    _play(campaign, make_citizen(nickname="不上榜的人", now=NOW), 5, is_on_boards=False)
    compute_boards(NOW + MINUTE)
    page = client.get("/campaigns/ranked/boards/people").get_data(as_text=True)
    assert "草原之鹰" in page
    assert "不上榜的人" not in page
    assert client.get("/campaigns/ranked/boards/none").status_code == 404

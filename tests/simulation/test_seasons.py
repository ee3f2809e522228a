"""Seasons through the real services, in scratch databases of their own."""

import datetime as dt
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from config import load_config
from quizapp import create_app
from quizapp.campaigns.files import CampaignFile, parse_file
from quizapp.core import ids
from quizapp.core.clock import SHANGHAI
from quizapp.core.db import db, transaction
from quizapp.lottery.models import Prize
from quizapp.simulation import halfyear
from quizapp.simulation.account import Account, account_for, as_dict, as_text
from quizapp.simulation.chance import seeded
from quizapp.simulation.crowd import Curve, make_people
from quizapp.simulation.promises import check_promises
from quizapp.simulation.scratch import NotEmpty, scratch_app
from quizapp.simulation.season import find_jobs, play

TERMS = """
title: 试算活动
terms:
  opens_at: 2027-03-01 09:00
  closes_at: 2027-03-03 24:00
  paper: {parts: [{banks: [clean-world], count: 5}]}
  pass_count: 4
  tries: {per_day: 2}
  points: {passed: 10, failed: 2}
  draw:
    wins_total: 1
    fallback: 积分
    prizes:
      - {name: 话费, tier: 一等奖, kind: code, quantity: 6, odds_ppm: 200000, value_fen: 1000, release: paced}
      - {name: 现金, tier: 二等奖, kind: cash, quantity: 10, odds_ppm: 300000, value_fen: 200, per_day: 4}
      - {name: 积分, kind: points, quantity: 500, odds_ppm: 0, points: 5}
"""


@pytest.fixture(scope="module")
def outer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application whose database the season must not touch: it does not even exist."""
    folder = str(tmp_path_factory.mktemp("outer"))
    app = create_app(
        load_config(
            {"QUIZAPP_ENV": "testing", "DATABASE_URL": f"sqlite:///{folder}/nowhere.db", "SMS_SENDER": "fake", "QUIZAPP_DATA_DIR": folder}
        )
    )
    with app.app_context():
        yield app


def _play(file: CampaignFile, seed: int = 5, citizens: int = 40) -> tuple[Account, list[str]]:
    with scratch_app():
        account = account_for(play(file, citizens=citizens, seed=seed, curve=Curve()))
        with transaction():
            db.session.execute(sa.update(Prize).where(Prize.name == "现金").values(quantity=500))
        broken = [one.name for one in check_promises(_with_less(account)) if not one.is_kept]
    return account, broken


def _with_less(account: Account) -> Any:
    """The campaign as if it had promised less than it gave."""
    campaign = account.played.campaign
    draw = campaign.terms.draw
    assert draw is not None
    prizes = tuple(replace(prize, quantity=1, per_day=1 if prize.per_day else None) for prize in draw.prizes)
    quiz = replace(campaign.terms.main, tries=replace(campaign.terms.tries, per_day=1))
    terms = replace(campaign.terms, draw=replace(draw, prizes=prizes, wins_total=None, wins_per_day=None, fallback=""), quizzes=(quiz,))
    return replace(campaign, terms=terms)


@pytest.fixture(scope="module")
def season(outer: Flask) -> tuple[Account, list[str]]:
    return _play(parse_file(TERMS.encode()))


def test_a_season_keeps_every_promise_and_gives_out_scarce_prizes(season: tuple[Account, list[str]]) -> None:
    account, _ = season
    assert account.is_kept, [one for one in account.promises if not one.is_kept]
    assert {one.name for one in account.promises} == {"tries", "balances", "stock", "caps", "quotas", "tickets", "ledger"}
    assert not account.played.failed_jobs
    assert account.people == 40
    assert account.attempts > 45
    assert account.wins > 10
    assert sum(tier.wins for tier in account.tiers) == account.wins
    assert account.payouts.get("claimable", 0) == 0, "after the last deadline nothing waits"


def test_what_happened_lies_where_the_forecast_said(season: tuple[Account, list[str]]) -> None:
    account, _ = season
    told = account.forecast
    assert told.draws.low * 0.8 <= account.draws <= told.draws.high * 1.2
    assert told.net_fen.low * 0.6 <= account.net_fen <= told.cap_fen


def test_broken_promises_are_seen(season: tuple[Account, list[str]]) -> None:
    _, broken = season
    assert {"tries", "stock", "quotas"} <= set(broken)


def test_the_same_seed_plays_the_same_season(season: tuple[Account, list[str]]) -> None:
    again, _ = _play(parse_file(TERMS.encode()))
    assert as_dict(again) == as_dict(season[0])
    assert as_text(again) == as_text(season[0])
    json.dumps(as_dict(again))


# ---- parts


def test_a_database_that_holds_something_is_refused(outer: Flask, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'full.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE things (id INTEGER)")
    engine.dispose()
    with pytest.raises(NotEmpty), scratch_app(url):
        pass


def test_chance_is_the_systems_own_again_after_a_season() -> None:
    with seeded("a"):
        first = [ids.new_id() for _ in range(3)]
    with seeded("a"):
        assert [ids.new_id() for _ in range(3)] == first
    assert first == sorted(first)
    later = [ids.new_id() for _ in range(3)]
    assert not set(first) & set(later)
    assert later == sorted(later)


def test_every_job_that_moves_a_season_on_is_found() -> None:
    names = {name for name, _ in find_jobs()}
    assert {"attempts.close_overdue", "lottery.chain_grants", "lottery.reveal_secrets", "payouts.expire_claims"} <= names


def test_people_come_only_when_something_is_open() -> None:
    opens = dt.datetime(2027, 3, 1, 1, tzinfo=dt.UTC)
    people = make_people(
        200,
        Curve(attempts=3, faithful=0.2),
        opens_at=opens,
        closes_at=opens + dt.timedelta(days=5),
        is_open=lambda moment: moment.astimezone(SHANGHAI).hour in (10, 20),
        groups=("youth",),
        regions=("150402",),
        dice=random.Random(1),
    )
    moments = [moment.astimezone(SHANGHAI) for person in people for moment in person.visits]
    assert {moment.hour for moment in moments} == {10, 20}
    assert {person.group for person in people} == {"youth"}
    assert any(len({moment.date() for moment in person.visits}) == 5 for person in people)


@pytest.mark.parametrize("text", ["weekly", '{"attempts": 0.5}', '{"right": 2}', '{"pace": 1}', '{"hours": [1, 2]}', "{"])
def test_a_curve_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Curve.read(text)


def test_the_command_says_what_happened_and_refuses_what_cannot_be_published(outer: Flask, tmp_path: Path) -> None:
    runner = outer.test_cli_runner()
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(TERMS, encoding="utf-8")
    bad.write_text(TERMS.replace("pass_count: 4", "pass_count: 9"), encoding="utf-8")
    found = runner.invoke(args=["campaigns", "simulate", str(good), "--citizens", "12", "--seed", "2", "--format", "json"])
    assert found.exit_code == 0, found.output
    body = json.loads(found.output)
    assert body["citizens"] == 12
    assert all(promise["kept"] for promise in body["promises"])
    assert runner.invoke(args=["campaigns", "simulate", str(bad)]).exit_code == 2


def test_a_half_year_counts_people_once_over_its_campaigns(outer: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halfyear, "CAMPAIGNS", halfyear.CAMPAIGNS[2:4])
    monkeypatch.setattr(halfyear, "SHARES", (0.5, 0.5))
    monkeypatch.setattr(halfyear, "ATTEMPTS", 400_000)
    with scratch_app():
        found = halfyear.play_half_year(0.0001, seed=3)
    rows, total = found.by_campaign["rows"], found.by_campaign["total"]
    assert found.is_kept
    assert len(rows) == 2
    assert total["attempt_count"] == sum(row["attempt_count"] for row in rows)
    assert total["participant_count"] < sum(row["participant_count"] for row in rows), "the same people come again"
    assert "合计" in halfyear.as_text(found)
    json.dumps(halfyear.as_dict(found))

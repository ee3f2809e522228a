"""Version 2 through the services: paced stock, quotas, region groups, random amounts, the fallback, prizes that come back."""

import datetime as dt
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from quizapp.core.db import db, transaction
from quizapp.lottery import jobs, proof, rules, services
from quizapp.lottery.errors import DrawUnavailable
from quizapp.lottery.models import Draw, Prize, PrizePool, QuotaUse
from quizapp.payouts.models import Payout
from tests.factories.accounts import make_citizen
from tests.factories.lottery import NOW, count_rows, draw, grant, ledger_lines, make_pool, win, won_counts
from tests.lottery import independent_verifier

pytestmark = pytest.mark.usefixtures("app")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
MORNING = dt.datetime(2027, 3, 14, 22, tzinfo=dt.UTC)
"""15 March 2027, 06:00 in Shanghai."""


def _prize(**values: object) -> dict[str, object]:
    return {"name": "奖", "kind": "pickup", "quantity": 10, "odds_ppm": 1_000_000, **values}


CONSOLATION = {"name": "书签", "kind": "pickup", "quantity": 100, "odds_ppm": 0}


def _draws() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ledger_lines() if b'"kind":"draw"' in line]


def _reasons() -> list[tuple[int | None, str]]:
    return [(record["prize"], record["reason"]) for record in _draws()]


def _whole(days: int = 4) -> proof.Summary:
    """Everything settled and revealed; both checkers find the ledger whole and the same wins in it."""
    for day in range(days):
        jobs.chain_grants(NOW + day * DAY)
        jobs.expire_tickets(NOW + day * DAY)
        jobs.reveal_secrets(NOW + day * DAY)
    lines = ledger_lines()
    assert independent_verifier.check(b"".join(lines)) is None
    summary = proof.verify(lines)
    assert independent_verifier.wins_seal(b"".join(lines)) == summary.wins_seal
    return summary


def test_paced_stock_goes_out_over_the_day_and_what_is_left_carries_over() -> None:
    pool = make_pool([_prize(quantity=34, release="paced")], day_count=2)
    manifest = json.loads(db.session.get_one(PrizePool, pool.id).manifest)
    assert [(window["day"], window["from"], window["to"]) for window in manifest["windows"]] == [
        (0, "2027-03-14T22:00:00.000Z", "2027-03-15T15:00:00.000Z"),
        (1, "2027-03-15T22:00:00.000Z", "2027-03-16T15:00:00.000Z"),
    ]
    assert win(pool, now=MORNING - HOUR)[1].outcome == "none"
    noon = MORNING + 8 * HOUR
    first = [win(pool, now=noon)[1].outcome for _ in range(10)]
    assert first.count("won") in (8, 9)
    assert first == sorted(first, reverse=True)
    night = MORNING + 17 * HOUR
    assert [win(pool, now=night)[1].outcome for _ in range(12)].count("won") == 17 - first.count("won")
    assert [win(pool, now=night + DAY)[1].outcome for _ in range(20)].count("won") == 17
    assert {reason for _, reason in _reasons()} == {"", "not_released", "stock"}
    assert _whole().hidden_days == ()


def test_quotas_of_an_hour_and_a_day_hold_and_are_told() -> None:
    pool = make_pool([_prize(per_hour=2, per_day=3)])
    moments = [NOW, NOW, NOW, NOW + HOUR, NOW + HOUR, NOW + DAY]
    for moment in moments:
        win(pool, now=moment)
    assert _reasons() == [(0, ""), (0, ""), (None, "hour_quota"), (0, ""), (None, "day_quota"), (0, "")]
    used = db.session.execute(sa.select(QuotaUse.scope, QuotaUse.used_count, QuotaUse.quota).order_by(QuotaUse.scope)).all()
    assert ("prize/0/2027-03-15", 3, 3) in [tuple(row) for row in used]
    _whole()


def test_the_database_refuses_a_win_beyond_a_quota_or_a_budget() -> None:
    pool = make_pool([_prize(kind="cash", per_day=1, value_fen=100, max_fen=300, budget_fen=2000)])
    win(pool)
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(QuotaUse).values(used_count=2))
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(Prize).values(spent_fen=2001))


def test_a_region_groups_quota_holds_and_names_only_those_who_hit_a_prize() -> None:
    quotas = [{"regions": ["150402", "150403"], "quantity": 2}, {"regions": ["1504"], "quantity": 0}]
    with pytest.raises(ValueError, match="region_quotas"):
        make_pool([_prize()], region_quotas=quotas)
    quotas[1]["regions"] = ["150421"]
    pool = make_pool([_prize(odds_ppm=500_000, quantity=99)], slug="regions", region_quotas=quotas)
    for region in ["150402", "150403", "150421", "150404"] * 5:
        win(pool, make_citizen(region=region))
    records = [json.loads(line) for line in ledger_lines("regions") if b'"kind":"draw"' in line]
    for record in records:
        assert (record["segment"] is None) == (record["reason"] == "no_prize")
    given = [record["segment"] for record in records if record["outcome"] == "won"]
    hit = [record["segment"] for record in records if record["segment"] is not None]
    assert given.count(1) == min(2, hit.count(1))
    assert given.count(2) == 0
    assert given.count(0) == hit.count(0)
    assert independent_verifier.check(b"".join(ledger_lines("regions"))) is None


def test_who_moves_stays_in_the_region_group_the_ledger_named() -> None:
    pool = make_pool([_prize()], region_quotas=[{"regions": ["150402"], "quantity": 5}])
    citizen = make_citizen(region="150402")
    win(pool, citizen)
    with transaction():
        db.session.execute(sa.text("UPDATE citizens SET region_code = '150403'"))
    win(pool, citizen)
    assert [record["segment"] for record in _draws()] == [1, 1]
    _whole()


def test_random_amounts_come_to_the_budget_and_reach_payout_and_receipt() -> None:
    pool = make_pool([_prize(kind="cash", quantity=8, value_fen=30, max_fen=500, budget_fen=1234)])
    results = [win(pool)[1] for _ in range(9)]
    amounts = [result.value_fen for result in results[:8]]
    assert (sum(amounts), results[8].outcome) == (1234, "none")
    assert all(30 <= amount <= 500 for amount in amounts)
    assert len(set(amounts)) > 2
    assert sorted(db.session.scalars(sa.select(Payout.amount_fen))) == sorted(amounts)
    assert [record["amount_fen"] for record in _draws()] == [*amounts, None]
    citizen = make_citizen()
    attempt = grant(pool, citizen)
    first = draw(citizen, attempt)
    assert draw(citizen, attempt) == first
    _whole()


def test_a_drawn_prize_that_is_gone_gives_the_fallback_which_no_cap_counts() -> None:
    pool = make_pool([_prize(quantity=3), CONSOLATION], fallback="书签", wins_total=1)
    regular = make_citizen()
    results = [win(pool, regular)[1] for _ in range(3)]
    assert [(result.prize_name, result.is_fallback) for result in results] == [("奖", False), ("书签", True), ("书签", True)]
    assert _reasons() == [(0, ""), (1, "wins_total"), (1, "wins_total")]
    for _ in range(3):
        win(pool)
    assert _reasons()[3:] == [(0, ""), (0, ""), (1, "stock")]
    assert won_counts(pool) == [3, 3]
    _whole()


def test_a_fallback_that_is_gone_gives_nothing() -> None:
    pool = make_pool([_prize(quantity=0), {**CONSOLATION, "quantity": 1}], fallback="书签")
    assert [win(pool)[1].outcome for _ in range(2)] == ["won", "none"]
    assert _reasons() == [(1, "stock"), (None, "stock")]
    _whole()


@pytest.mark.parametrize(
    "change",
    [
        {"fallback": "没有"},
        {"fallback": "奖"},
        {"prizes": [_prize(max_fen=10)]},
        {"prizes": [_prize(value_fen=2, max_fen=10, budget_fen=101)]},
        {"prizes": [_prize(value_fen=2, max_fen=10, budget_fen=19)]},
        {"paced_from_hour": 9, "paced_to_hour": 9},
        {"region_quotas": [{"regions": ["150402001"], "quantity": 1}]},
        {"region_quotas": [{"regions": ["15"], "quantity": 1}, {"regions": ["150402"], "quantity": 1}]},
    ],
)
def test_a_draw_against_itself_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        make_pool(**{"prizes": [_prize()], **change})  # type: ignore[arg-type]


def test_a_prize_that_comes_back_can_be_won_again_and_the_ledger_says_so() -> None:
    pool = make_pool([_prize(kind="cash", quantity=2, value_fen=100, max_fen=200, budget_fen=300)], returns=True)
    first = win(pool)[1]
    win(pool)
    assert win(pool)[1].outcome == "none"
    assert first.win_id is not None
    with transaction():
        assert services.return_wins(campaign_id=pool.campaign_id, win_ids=[first.win_id], reason="unclaimed", now=NOW) == 1
    with transaction():
        assert services.return_wins(campaign_id=pool.campaign_id, win_ids=[first.win_id], reason="unclaimed", now=NOW) == 0
    again = win(pool)[1]
    assert (again.outcome, again.value_fen) == ("won", first.value_fen)
    assert win(pool)[1].outcome == "none"
    _whole()


def test_nothing_comes_back_where_the_manifest_does_not_say_so() -> None:
    pool = make_pool()
    result = win(pool)[1]
    assert result.win_id is not None
    with transaction():
        assert services.return_wins(campaign_id=pool.campaign_id, win_ids=[result.win_id], reason="unclaimed", now=NOW) == 0
    with pytest.raises(ValueError), transaction():
        services.return_wins(campaign_id=pool.campaign_id, win_ids=[result.win_id], reason="we like it back", now=NOW)
    assert won_counts(pool) == [1]


def test_no_stock_is_released_for_a_day_whose_secret_is_public() -> None:
    """A clock that jumps back behind a reveal: the moments of release are known to everybody by then."""
    pool = make_pool([_prize(quantity=30, release="paced")])
    jobs.reveal_secrets(NOW + DAY)
    citizen = make_citizen()
    attempt = grant(pool, citizen, now=NOW + DAY)
    with pytest.raises(DrawUnavailable):
        draw(citizen, attempt, now=NOW)
    assert count_rows(Draw) == 0


def test_a_pool_of_version_1_goes_on_as_it_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened by the first release, drawn by this one: records, labels and outcomes stay those of version 1."""
    made = rules.manifest

    def first(**values: Any) -> dict[str, Any]:
        manifest = made(**values)
        for name in ("draw", "fallback", "returns", "segments", "windows"):
            del manifest[name]
        for prize in manifest["prizes"]:
            for name in ("budget_fen", "max_fen", "paced", "per_day", "per_hour"):
                del prize[name]
        return {**manifest, "fallback": "none", "release": "all", "version": proof.FIRST}

    monkeypatch.setattr(rules, "manifest", first)
    monkeypatch.setattr(proof, "commitment", partial(proof.commitment, version=proof.FIRST))
    pool = make_pool([_prize(quantity=3, odds_ppm=700_000)], wins_total=1)
    monkeypatch.undo()
    regular = make_citizen()
    for _ in range(6):
        win(pool, regular)
        win(pool)
    assert "amount_fen" not in _draws()[0]
    assert won_counts(pool) == [3]
    assert _whole().version == proof.FIRST


def test_a_ledger_of_version_1_still_verifies() -> None:
    """Made by the first release; kept as it was written."""
    data = (Path(__file__).parent / "ledger_version_1.jsonl").read_bytes()
    summary = proof.verify(data.splitlines(keepends=True))
    assert (summary.version, summary.hidden_days) == ("draw-proof/1", (2, 3))
    assert summary.recomputed_count > 5
    assert independent_verifier.check(data) is None

import datetime as dt
import json

import pytest
import sqlalchemy as sa

from quizapp.accounts.services import delete_citizen
from quizapp.audit.services import SYSTEM
from quizapp.core.db import db, transaction
from quizapp.ledger.queries import get_balance
from quizapp.lottery import jobs, proof, queries, services
from quizapp.lottery.errors import (
    DrawUnavailable,
    MinorExcluded,
    NoTicket,
    PoolAlreadyOpen,
    PrizeKindNotServed,
    ProfileIncomplete,
    TicketExpired,
    TicketVoid,
)
from quizapp.lottery.models import DaySecret, Draw, DrawTicket, Prize, Win
from quizapp.payouts.models import Payout
from tests.factories.accounts import make_citizen
from tests.factories.lottery import (
    NOW,
    count_rows,
    draw,
    draw_terms,
    grant,
    ledger_lines,
    make_pool,
    pool_row,
    win,
    won_counts,
)
from tests.lottery import independent_verifier

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.timedelta(days=1)


def _prize(**values: object) -> dict[str, object]:
    return {"name": "奖", "kind": "pickup", "quantity": 10, "odds_ppm": 1_000_000, **values}


def test_a_pool_publishes_its_manifest_and_keeps_its_secrets() -> None:
    pool = make_pool()
    row = pool_row(pool)
    manifest = json.loads(row.manifest)
    assert proof.canonical(manifest) == row.manifest
    assert proof.seal(row.manifest) == row.manifest_hash
    assert [day["on"] for day in manifest["days"]] == ["2027-03-15", "2027-03-16", "2027-03-17", None, None]
    secrets = db.session.scalars(sa.select(DaySecret).order_by(DaySecret.day_index)).all()
    plain = [services.pools.vault().decrypt_bytes(secret.secret_encrypted) for secret in secrets]  # type: ignore[attr-defined]
    assert len(set(plain)) == 5
    for index, secret in enumerate(plain):
        assert len(secret) == 32
        assert proof.commitment(str(pool.id), index, secret) == manifest["days"][index]["commitment"]
        assert secret.hex() not in row.manifest
        assert secret not in secrets[index].secret_encrypted
    assert proof.verify(ledger_lines()).record_count == 1


def test_a_campaign_has_one_pool() -> None:
    pool = make_pool()
    with pytest.raises(PoolAlreadyOpen), transaction():
        services.open_pool(
            campaign_id=pool.campaign_id, terms_hash="00" * 32, draw=draw_terms(), days=[dt.date(2027, 3, 15)], spare_days=1, now=NOW
        )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"prizes": []}, ValueError),
        ({"prizes": [_prize(odds_ppm=600_000), _prize(odds_ppm=600_000)]}, ValueError),
        ({"prizes": [_prize(kind="post")]}, PrizeKindNotServed),
        ({"prizes": [_prize(kind="points", points=0)]}, ValueError),
        ({"prizes": [_prize(kind="cash")]}, ValueError),
        ({"wins_total": 0}, ValueError),
        ({"ticket_hours": 0}, ValueError),
    ],
)
def test_a_draw_that_cannot_be_is_refused(change: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        make_pool(**{"prizes": [_prize()], **change})  # type: ignore[arg-type]


def test_a_certain_draw_wins_and_opens_a_hand_over() -> None:
    pool = make_pool()
    citizen, result = win(pool)
    assert (result.outcome, result.prize_name, result.prize_kind, result.value_fen, result.serial) == (
        "won",
        "普法帆布袋",
        "pickup",
        800,
        1,
    )
    payout = db.session.scalars(sa.select(Payout)).one()
    assert (payout.source_id, payout.state, payout.reference, payout.citizen_id) == (result.win_id, "claimable", result.alias, citizen.id)
    assert payout.claim_deadline_at == dt.datetime(2027, 3, 22, 16, tzinfo=dt.UTC)
    assert won_counts(pool) == [1]


def test_the_same_ticket_gives_the_same_answer() -> None:
    pool = make_pool()
    citizen = make_citizen()
    attempt = grant(pool, citizen, count=2)
    first = draw(citizen, attempt)
    assert draw(citizen, attempt) == first
    assert draw(citizen, attempt, now=NOW + 30 * DAY) == first
    assert draw(citizen, attempt, sequence=2) != first
    assert count_rows(Draw) == 2


def test_tickets_that_are_not_there_or_not_ones_own_are_refused() -> None:
    pool = make_pool()
    citizen, other = make_citizen(), make_citizen()
    attempt = grant(pool, citizen)
    with pytest.raises(NoTicket):
        draw(citizen, attempt, sequence=2)
    with pytest.raises(NoTicket):
        draw(other, attempt)
    assert count_rows(Draw) == 0


def test_an_expired_ticket_is_refused_whether_or_not_the_worker_ran() -> None:
    pool = make_pool()
    citizen = make_citizen()
    attempt = grant(pool, citizen)
    with pytest.raises(TicketExpired):
        draw(citizen, attempt, now=NOW + DAY)
    assert jobs.expire_tickets(NOW + DAY) == 1
    assert jobs.expire_tickets(NOW + DAY) == 0
    with pytest.raises(TicketExpired):
        draw(citizen, attempt, now=NOW)
    assert [json.loads(line)["kind"] for line in ledger_lines()] == ["manifest", "open", "tickets", "expire", "head"]
    proof.verify(ledger_lines())


def test_the_last_moment_of_a_ticket_still_counts() -> None:
    pool = make_pool()
    citizen = make_citizen()
    attempt = grant(pool, citizen)
    assert draw(citizen, attempt, now=NOW + DAY - dt.timedelta(microseconds=1)).is_won
    proof.verify(ledger_lines())


def test_the_manifest_decides_how_long_a_ticket_lives_whatever_later_terms_say() -> None:
    pool = make_pool(ticket_hours=24)
    citizen = make_citizen()
    short, long = grant(pool, citizen, hours=1), grant(pool, citizen, hours=72)
    assert draw(citizen, short, now=NOW + dt.timedelta(hours=23)).is_won
    with pytest.raises(TicketExpired):
        draw(citizen, long, now=NOW + DAY)
    jobs.expire_tickets(NOW + 3 * DAY)
    proof.verify(ledger_lines())


def test_without_an_age_band_the_ticket_waits_and_a_minor_does_not_draw() -> None:
    pool = make_pool()
    nobody, child = make_citizen(age_band=None), make_citizen(age_band="14_17")
    waiting, refused = grant(pool, nobody), grant(pool, child)
    with pytest.raises(ProfileIncomplete):
        draw(nobody, waiting)
    with pytest.raises(MinorExcluded):
        draw(child, refused)
    with transaction():
        db.session.execute(sa.text("UPDATE citizens SET age_band = '60_plus' WHERE age_band IS NULL"))
    assert draw(nobody, waiting).is_won


def test_minors_draw_where_the_manifest_lets_them() -> None:
    pool = make_pool(allows_minors=True)
    assert win(pool, make_citizen(age_band="14_17"))[1].is_won


def test_the_fifth_winner_gets_nothing_when_the_pool_holds_four() -> None:
    pool = make_pool([_prize(quantity=4)])
    outcomes = [win(pool)[1].outcome for _ in range(6)]
    assert outcomes == ["won"] * 4 + ["none"] * 2
    assert won_counts(pool) == [4]
    last = json.loads(ledger_lines()[-2])
    assert (last["outcome"], last["prize"], last["reason"]) == ("none", None, "stock")


def test_caps_of_a_citizen_hold_and_are_told_in_the_ledger() -> None:
    pool = make_pool(wins_total=3, wins_per_day=2)
    citizen = make_citizen()
    today = [win(pool, citizen)[1].outcome for _ in range(3)]
    tomorrow = [win(pool, citizen, now=NOW + DAY)[1].outcome for _ in range(2)]
    assert (today, tomorrow) == (["won", "won", "none"], ["won", "none"])
    reasons = [json.loads(line)["reason"] for line in ledger_lines() if b'"kind":"draw"' in line]
    assert reasons == ["", "", "wins_per_day", "", "wins_total"]
    assert win(pool)[1].is_won
    proof.verify(ledger_lines())


def test_points_are_posted_with_the_win() -> None:
    pool = make_pool([_prize(kind="points", points=50)])
    citizen, result = win(pool)
    assert get_balance("citizen", str(citizen.id), "points") == 50
    payout = db.session.scalars(sa.select(Payout)).one()
    assert (payout.state, payout.done_at, payout.claim_deadline_at) == ("done", NOW, None)
    draw(citizen, db.session.scalars(sa.select(DrawTicket.source_id)).one())
    assert get_balance("citizen", str(citizen.id), "points") == 50
    assert result.points == 50


def test_a_pool_without_a_chance_never_pays() -> None:
    pool = make_pool([_prize(odds_ppm=0), _prize(quantity=0)])
    assert {win(pool)[1].outcome for _ in range(5)} == {"none"}
    assert count_rows(Win) == 0
    proof.verify(ledger_lines())


def test_positions_decide_between_tiers_as_the_manifest_says() -> None:
    pool = make_pool([_prize(name="a", odds_ppm=300_000, quantity=99), _prize(name="b", odds_ppm=300_000, quantity=99)])
    names = [win(pool)[1].prize_name for _ in range(40)]
    records = [json.loads(line) for line in ledger_lines() if b'"kind":"draw"' in line]
    for name, record in zip(names, records, strict=True):
        assert name == ("a" if record["position"] < 300_000 else "b" if record["position"] < 600_000 else None)
    assert len(set(names)) == 3


def test_serials_have_no_gaps_and_refused_draws_use_none() -> None:
    pool = make_pool()
    for _ in range(3):
        win(pool)
        with pytest.raises(ProfileIncomplete):
            win(pool, make_citizen(age_band=None))
    assert [json.loads(line)["serial"] for line in ledger_lines() if b'"kind":"draw"' in line] == [1, 2, 3]


def test_the_day_of_a_draw_is_the_day_of_its_grant() -> None:
    pool = make_pool()
    citizen = make_citizen()
    attempt = grant(pool, citizen)
    draw(citizen, attempt, now=NOW + 20 * dt.timedelta(hours=1))
    record = json.loads(ledger_lines()[-2])
    assert (record["day"], record["on"]) == (0, "2027-03-16")


def test_a_grant_after_the_last_day_takes_a_spare_day_until_none_is_left() -> None:
    pool = make_pool(day_count=1, spare_days=1)
    assert win(pool)[1].is_won
    late = NOW + DAY
    assert win(pool, now=late)[1].is_won
    assert [json.loads(line)["kind"] for line in ledger_lines()[1:-1]] == ["open", "draw", "day", "draw"]
    assert queries.count_spare_days(pool.campaign_id) == 0
    citizen = make_citizen()
    attempt = grant(pool, citizen, now=NOW + 2 * DAY)
    with pytest.raises(DrawUnavailable):
        draw(citizen, attempt, now=NOW + 2 * DAY)
    jobs.chain_grants(NOW + 2 * DAY)
    with pytest.raises(TicketVoid):
        draw(citizen, attempt, now=NOW + 2 * DAY)
    jobs.reveal_secrets(NOW + 4 * DAY)
    assert proof.verify(ledger_lines()).recomputed_count == 2


def test_a_secret_is_published_only_when_the_day_is_settled() -> None:
    pool = make_pool()
    win(pool)
    citizen = make_citizen()
    attempt = grant(pool, citizen, now=NOW + 10 * dt.timedelta(hours=1))
    midnight = dt.datetime(2027, 3, 15, 16, tzinfo=dt.UTC)
    assert jobs.reveal_secrets(midnight) == 0
    assert jobs.reveal_secrets(midnight + dt.timedelta(hours=1)) == 0
    draw(citizen, attempt, now=midnight + dt.timedelta(hours=2))
    assert jobs.reveal_secrets(midnight + dt.timedelta(minutes=9)) == 0
    assert jobs.reveal_secrets(midnight + dt.timedelta(hours=3)) == 1
    assert jobs.reveal_secrets(midnight + dt.timedelta(hours=3)) == 0
    summary = proof.verify(ledger_lines())
    assert (summary.recomputed_count, summary.hidden_days) == (2, ())
    days = queries.list_days(pool.id)
    assert days[0].secret is not None
    assert days[0].draw_count == 2
    assert [day.secret for day in days[1:]] == [None] * 4


def test_a_grant_that_comes_after_its_day_was_published_is_listed_and_voided_and_the_chain_stays_whole() -> None:
    """A machine whose clock is wrong by hours grants for yesterday."""
    make = make_pool()
    win(make)
    assert jobs.reveal_secrets(NOW + DAY) == 1
    citizen = make_citizen()
    drawn_early, listed_first = grant(make, citizen), grant(make, citizen)
    with pytest.raises(DrawUnavailable):
        draw(citizen, drawn_early, now=NOW)
    assert jobs.chain_grants(NOW + DAY) == 2
    for attempt in (drawn_early, listed_first):
        with pytest.raises(TicketVoid):
            draw(citizen, attempt, now=NOW)
    proof.verify(ledger_lines())
    assert independent_verifier.check(b"".join(ledger_lines())) is None


def test_one_campaign_that_fails_does_not_keep_the_others_waiting(caplog: pytest.LogCaptureFixture) -> None:
    broken, whole = make_pool(), make_pool(slug="other")
    citizen = make_citizen()
    for pool in (broken, whole):
        grant(pool, citizen)
    with transaction():
        db.session.execute(sa.delete(DaySecret).filter_by(pool_id=broken.id))
        db.session.execute(
            sa.text("UPDATE prize_pools SET record_count = 0 WHERE id = :id").bindparams(sa.bindparam("id", broken.id, sa.Uuid))
        )
    assert jobs.chain_grants(NOW) == 1
    assert "chain_grants failed" in caplog.text
    proof.verify(ledger_lines("other"))


def test_a_leaver_takes_undrawn_tickets_along() -> None:
    pool = make_pool()
    citizen = make_citizen()
    attempt = grant(pool, citizen, count=2)
    draw(citizen, attempt)
    with transaction():
        delete_citizen(citizen.id, NOW, gives_up=True)
    states = [ticket.state for ticket in queries.list_tickets("attempt", attempt)]
    assert states == ["drawn", "void"]
    assert b'"reason":"citizen_deleted"' in b"".join(ledger_lines())
    proof.verify(ledger_lines())


def test_days_without_tickets_are_published_too_and_unused_spare_days_stay_closed() -> None:
    pool = make_pool()
    assert jobs.reveal_secrets(NOW + 10 * DAY) == 3
    assert jobs.reveal_secrets(NOW + 10 * DAY) == 0
    assert [day.secret is None for day in queries.list_days(pool.id)] == [False, False, False, True, True]
    proof.verify(ledger_lines())


def test_grants_are_chained_once_and_match_the_draws_before_and_after() -> None:
    pool = make_pool()
    citizen = make_citizen()
    early = grant(pool, citizen, count=2)
    draw(citizen, early)
    assert jobs.chain_grants(NOW) == 2
    assert jobs.chain_grants(NOW) == 0
    draw(citizen, early, sequence=2)
    late = grant(pool, citizen, now=NOW + DAY)
    proof.verify(ledger_lines())
    jobs.chain_grants(NOW + DAY)
    draw(citizen, late, now=NOW + DAY)
    assert proof.verify(ledger_lines()).ticket_count == 3


def test_a_long_list_of_grants_is_cut_into_records(monkeypatch: pytest.MonkeyPatch) -> None:
    from quizapp.lottery.services import chain

    monkeypatch.setattr(chain, "TICKETS_PER_RECORD", 3)
    pool = make_pool()
    citizen = make_citizen()
    attempts = [grant(pool, citizen) for _ in range(8)]
    draw(citizen, attempts[7])
    jobs.chain_grants(NOW)
    lists = [json.loads(line) for line in ledger_lines() if b'"kind":"tickets"' in line]
    assert [(len(entry["tickets"]), entry["more"]) for entry in lists] == [(3, True), (3, True), (2, False)]
    proof.verify(ledger_lines())


def test_voiding_takes_an_undrawn_ticket_and_leaves_a_trace() -> None:
    pool = make_pool()
    citizen = make_citizen()
    attempt = grant(pool, citizen, count=2)
    draw(citizen, attempt)
    tickets = queries.list_tickets("attempt", attempt)
    db.session.rollback()

    def void(reason: str) -> int:
        with transaction():
            return services.void_tickets(
                campaign_id=pool.campaign_id,
                ticket_ids=[ticket.id for ticket in tickets],
                reason=reason,
                actor=SYSTEM,
                organisation_path="/",
                now=NOW,
            )

    with pytest.raises(ValueError):
        void("we do not like them")
    assert void("duplicate") == 1
    assert void("duplicate") == 0
    with pytest.raises(TicketVoid):
        draw(citizen, attempt, sequence=2)
    assert draw(citizen, attempt).is_won
    proof.verify(ledger_lines())


def test_two_pools_give_one_citizen_two_names() -> None:
    first, second = make_pool(), make_pool(slug="other")
    citizen = make_citizen()
    assert win(first, citizen)[1].alias != win(second, citizen)[1].alias
    assert win(first, citizen)[1].alias == win(first, citizen)[1].alias


def test_the_ledger_names_nobody() -> None:
    pool = make_pool()
    citizen = make_citizen(group="farmer_herder", region="150423", phone="13900001234", nickname="草原小兰")
    win(pool, citizen)
    jobs.chain_grants(NOW)
    text = b"".join(ledger_lines()).decode()
    ticket = db.session.scalars(sa.select(DrawTicket)).one()
    for private in (citizen.id, citizen.id.hex, ticket.id, ticket.source_id, "13900001234", "farmer_herder", "150423", "草原小兰"):
        assert str(private) not in text


def test_a_nonce_is_hexadecimal_and_stored_small() -> None:
    pool = make_pool()
    citizen = make_citizen()
    with pytest.raises(ValueError):
        grant(pool, citizen, nonce="<script>")
    draw(citizen, grant(pool, citizen, nonce="ABCDEF"))
    assert json.loads(ledger_lines()[-2])["client_nonce"] == "abcdef"
    draw(citizen, grant(pool, citizen, nonce=""))
    jobs.chain_grants(NOW)
    proof.verify(ledger_lines())


def test_the_database_refuses_a_win_beyond_the_quantity_and_a_changed_draw() -> None:
    pool = make_pool([_prize(quantity=1)])
    win(pool)
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(Prize).values(won_count=2))
    with pytest.raises(sa.exc.DBAPIError), transaction():
        db.session.execute(sa.update(Draw).values(outcome="none"))
    for table in ("pool_records", "draws", "payout_events"):
        with pytest.raises(sa.exc.DBAPIError), transaction():
            db.session.execute(sa.text(f"DELETE FROM {table}"))


def test_a_clock_that_jumps_back_breaks_nothing() -> None:
    pool = make_pool()
    win(pool, now=NOW + DAY)
    win(pool)
    jobs.chain_grants(NOW - DAY)
    proof.verify(ledger_lines())

"""Holds, refusals, winners out of reach, deferred hand-overs, what becomes of prizes nobody got."""

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM
from quizapp.certificates.queries import get_by_number
from quizapp.core.db import db, transaction
from quizapp.ledger.queries import get_balance
from quizapp.payouts import jobs, queries, rules, services
from quizapp.payouts.errors import ClaimExpired, NoSuchPoint, OnAList, PaidLater, StillInReach, UnderReview, WrongMove
from quizapp.payouts.models import Payout, PayoutForfeit
from tests.factories.accounts import make_citizen, make_staff
from tests.factories.lottery import NOW, Pool, grant, make_pool, win
from tests.factories.payouts import claim, make_payout, make_shop, reload, set_terms, upload

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.timedelta(days=1)


@pytest.fixture
def pool() -> Pool:
    return make_shop()


def _hold(payout: Payout, reason: str = "review", now: dt.datetime = NOW) -> None:
    with transaction():
        services.hold(payout.id, reason, SYSTEM, now)


def _forfeits() -> list[PayoutForfeit]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(PayoutForfeit)))


# ---- holds


def test_a_held_prize_cannot_be_claimed_and_its_time_stands_still(pool: Pool) -> None:
    payout = make_payout(pool, "cash", days=7)
    deadline = payout.claim_deadline_at
    assert deadline is not None
    _hold(payout, "fast_answers")
    with pytest.raises(UnderReview):
        claim(payout, now=NOW + DAY)
    jobs.expire_claims(NOW + 20 * DAY)
    assert reload(payout).state == "held"
    with transaction():
        services.release(payout.id, "cleared", SYSTEM, NOW + 10 * DAY)
    assert reload(payout).claim_deadline_at == deadline + 10 * DAY
    assert claim(payout, now=NOW + 12 * DAY).state == "processing"


def test_a_held_pickup_is_not_handed_over(pool: Pool) -> None:
    payout = make_payout(pool, "pickup")
    claim(payout)
    code = queries.pickup_code(reload(payout)) or ""
    _hold(payout)
    with pytest.raises(UnderReview), transaction():
        services.hand_over(code=code, staff_id=make_staff().id, paths=["/"], actor=SYSTEM, now=NOW)
    with transaction():
        services.release(payout.id, "cleared", SYSTEM, NOW)
    assert reload(payout).state == "ready"


def test_cash_on_a_list_and_what_is_handed_over_are_not_held(pool: Pool) -> None:
    listed, done = make_payout(pool, "cash"), make_payout(pool, "code")
    claim(listed)
    upload(pool, 1)
    claim(done)
    staff = make_staff()
    with transaction():
        services.make_cash_list(campaign_id=pool.campaign_id, staff_id=staff.id, paths=["/"], review_above_fen=-1, actor=SYSTEM, now=NOW)
    with pytest.raises(OnAList):
        _hold(listed)
    with pytest.raises(WrongMove):
        _hold(done)
    with pytest.raises(ValueError, match="not a reason"):
        _hold(make_payout(pool, "cash"), "because")


def test_a_cancelled_prize_says_why_and_is_in_the_trail(pool: Pool) -> None:
    payout = make_payout(pool, "cash")
    with transaction():
        number = services.certify_win(payout_id=payout.id, citizen_id=payout.citizen_id, now=NOW).number
    _hold(payout)
    with transaction():
        services.cancel(payout.id, "breach", SYSTEM, NOW)
    found = reload(payout)
    assert (found.state, rules.hold_words(found.hold_reason)) == ("void", rules.HOLD_REASONS["breach"])
    assert [entry.action for entry in db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id))] == [
        "payout.held",
        "certificate.revoked",
        "payout.cancelled",
    ]
    assert get_by_number(number).revoked_at == NOW
    [forfeit] = _forfeits()
    assert (forfeit.cause, forfeit.rule, forfeit.outcome) == ("void", "void", "kept")


# ---- what nobody got


def test_what_is_lost_is_written_down_once_with_the_rule_of_the_terms(pool: Pool) -> None:
    set_terms(pool, claim={"forfeits": "stock"})
    late, refused = make_payout(pool, "cash", days=1), make_payout(pool, "cash")
    with transaction():
        services.refuse_payout(payout_id=refused.id, citizen_id=refused.citizen_id, now=NOW)
        services.refuse_payout(payout_id=refused.id, citizen_id=refused.citizen_id, now=NOW)
    jobs.expire_claims(NOW + 2 * DAY)
    jobs.expire_claims(NOW + 3 * DAY)
    assert {(each.payout_id, each.cause, each.rule, each.worked_at) for each in _forfeits()} == {
        (late.id, "expired", "stock", None),
        (refused.id, "forfeited", "stock", None),
    }


def test_a_forfeit_is_worked_once(pool: Pool) -> None:
    set_terms(pool, claim={"forfeits": "stock"})
    make_payout(pool, "cash", days=1)
    jobs.expire_claims(NOW + 2 * DAY)
    for expected in (1, 0):
        with transaction():
            found = services.lock_forfeits(source_type="win", rule="stock", campaign_id=pool.campaign_id, draw_key="")
            assert len(found) == expected
            for each in found:
                services.settle_forfeit(each, "returned", NOW)


def test_a_winner_counts_as_out_of_reach_after_three_calls_on_three_days(pool: Pool) -> None:
    payout = make_payout(pool, "pickup", days=30)

    def call(day: int) -> None:
        with transaction():
            services.record_contact(payout_id=payout.id, note="打了电话，没有人接", paths=["/"], actor=SYSTEM, now=NOW + day * DAY)

    def give_up() -> None:
        with transaction():
            services.give_up_unreachable(payout_id=payout.id, paths=["/"], actor=SYSTEM, now=NOW + 3 * DAY)

    for day in (0, 0, 0, 1):
        call(day)
    with pytest.raises(StillInReach):
        give_up()
    call(2)
    give_up()
    assert reload(payout).state == "forfeited"


# ---- when and where


def test_a_prize_not_opened_in_its_hours_is_void(pool: Pool) -> None:
    set_terms(pool, claim={"void_hours": 24})
    payout = make_payout(pool, "cash", days=7)
    assert payout.claim_deadline_at == NOW + DAY
    with pytest.raises(ClaimExpired):
        claim(payout, now=NOW + DAY)


def test_what_is_paid_together_is_claimed_before_and_given_out_then(pool: Pool) -> None:
    set_terms(pool, claim={"deferred_until": "2027-03-20T00:00:00Z"})
    cash, code, pickup = (make_payout(pool, kind, days=30) for kind in ("cash", "code", "pickup"))
    upload(pool, 1)
    for payout in (cash, code, pickup):
        claim(payout)
    assert [reload(each).state for each in (cash, code, pickup)] == ["processing", "processing", "ready"]
    assert reload(pickup).pickup_from_on == dt.date(2027, 3, 20)

    def make_list(now: dt.datetime) -> None:
        with transaction():
            services.make_cash_list(
                campaign_id=pool.campaign_id, staff_id=make_staff().id, paths=["/"], review_above_fen=-1, actor=SYSTEM, now=now
            )

    with pytest.raises(PaidLater):
        make_list(NOW + DAY)
    jobs.serve_waiting_codes(NOW + DAY)
    assert reload(code).state == "processing"
    make_list(NOW + 10 * DAY)
    jobs.serve_waiting_codes(NOW + 10 * DAY)
    assert reload(code).state == "done"


def test_points_paid_together_are_posted_once_and_not_before() -> None:
    prize = {"name": "100 积分", "kind": "points", "quantity": 5, "odds_ppm": 1_000_000, "points": 100}
    pool = make_pool([prize])
    set_terms(pool, claim={"deferred_until": "2027-03-20T00:00:00Z"})
    citizen, _result = win(pool)
    owner = ("citizen", str(citizen.id), "points")
    jobs.pay_deferred_points(NOW + DAY)
    assert get_balance(*owner) == 0
    for _ in range(2):
        jobs.pay_deferred_points(NOW + 10 * DAY)
    db.session.rollback()
    assert get_balance(*owner) == 100


def test_a_pickup_place_is_chosen_among_those_of_the_terms(pool: Pool) -> None:
    set_terms(pool, claim={"pickup_points": ["市司法局一楼", "红山区司法局"], "pickup_after_days": 3})
    payout = make_payout(pool, "pickup", days=30)

    def claim_at(point: str) -> None:
        with transaction():
            services.claim_payout(payout_id=payout.id, citizen_id=payout.citizen_id, now=NOW, pickup_point=point)

    with pytest.raises(NoSuchPoint):
        claim_at("别处")
    with transaction():
        services.set_workday(day=dt.date(2027, 3, 16), is_working=False, note="调休", actor=SYSTEM, now=NOW)
    claim_at("红山区司法局")
    found = reload(payout)
    assert found.pickup_point == "红山区司法局"
    assert found.pickup_from_on == dt.date(2027, 3, 19)  # Monday, three working days on, one of them off


def test_tickets_of_a_campaign_with_terms_are_drawn_as_before(pool: Pool) -> None:
    set_terms(pool, claim={"void_hours": 12})
    citizen = make_citizen()
    grant(pool, citizen)
    citizen, result = win(pool)
    assert result.win_id is None or queries.find_by_source("win", result.win_id) is not None


# ---- rules


@given(st.lists(st.integers(0, 40), max_size=8))
def test_shown_counts_never_give_a_small_group_away(counts: list[int]) -> None:
    shown = rules.shown_counts(counts)
    hidden = [count for count, left in zip(counts, shown, strict=True) if left is None]
    assert all(left is None or left == 0 or left >= rules.LEAST_SHOWN for left in shown)
    if hidden and any(left for left in shown):
        assert len(hidden) > 1
        assert sum(hidden) >= rules.LEAST_SHOWN


@given(st.dates(dt.date(2026, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 40), st.dictionaries(st.dates(), st.booleans(), max_size=5))
def test_working_days_between_are_as_many_as_asked(start: dt.date, count: int, changes: dict[dt.date, bool]) -> None:
    end = rules.add_workdays(start, count, changes)
    days = [start + dt.timedelta(days=number) for number in range(1, (end - start).days + 1)]
    assert sum(rules.is_workday(day, changes) for day in days) == count
    assert end == start or rules.is_workday(end, changes)

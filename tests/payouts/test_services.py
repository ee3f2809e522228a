import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import Consent
from quizapp.accounts.services import delete_citizen, give_consent, withdraw_consent
from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM
from quizapp.core.db import db, transaction
from quizapp.core.errors import NotFound
from quizapp.payouts import jobs, queries, services
from quizapp.payouts.errors import (
    AlreadyHandedOver,
    ClaimExpired,
    NotClaimable,
    NothingToPay,
    OnItsWay,
    PayoutNotFound,
    ReasonNeeded,
    ReviewNeeded,
    SameReviewer,
    WrongMove,
    WrongPickupCode,
)
from quizapp.payouts.jobs import work_notices
from quizapp.payouts.models import CashList, Payout, PayoutEvent, PrizeCode
from quizapp.payouts.queries import notices
from tests.conftest import postgresql_only
from tests.factories.accounts import make_citizen, make_organisation, make_staff
from tests.factories.lottery import NOW, Pool, make_pool
from tests.factories.payouts import claim, claim_by, item_of, make_payout, make_shop, reload, upload

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.timedelta(days=1)


@pytest.fixture
def pool() -> Pool:
    return make_shop()


def _events(payout: Payout) -> list[tuple[str | None, str]]:
    db.session.rollback()
    return [(event.from_state, event.to_state) for event in queries.list_events(payout.id)]


def _pickup_code(payout: Payout) -> str:
    return queries.pickup_code(reload(payout)) or ""


def _hand_over(code: str, path: str = "/", staff_id: Any = None) -> Payout:
    staff_id = staff_id or make_staff().id
    with transaction():
        return services.hand_over(code=code, staff_id=staff_id, paths=[path], actor=SYSTEM, now=NOW)


# ---- opening and claiming


def test_a_source_is_handed_over_once(pool: Pool) -> None:
    payout = make_payout(pool, "cash")
    with pytest.raises(sa.exc.IntegrityError), transaction():
        services.open_payout(
            services.Opening(
                source_type="win",
                source_id=payout.source_id,
                citizen_id=payout.citizen_id,
                campaign_id=pool.campaign_id,
                kind="cash",
                title="again",
                item_id=payout.item_id,
                amount_fen=200,
                points=0,
                claim_deadline_at=NOW,
                now=NOW,
            )
        )


def test_cash_waits_for_the_finance_desk(pool: Pool) -> None:
    payout = claim(make_payout(pool, "cash"))
    assert payout.state == "processing"
    assert _events(payout) == [(None, "claimable"), ("claimable", "processing")]


def test_a_code_is_given_at_once_and_only_its_owner_reads_it(pool: Pool) -> None:
    upload(pool, 2)
    payout = claim(make_payout(pool, "code"))
    assert payout.state == "done"
    assert queries.find_code(payout.id) in ("CODE-0001", "CODE-0002")
    stored = db.session.scalars(sa.select(PrizeCode)).all()
    assert all(b"CODE" not in code.code_encrypted for code in stored)


def test_claiming_again_gives_the_same_code(pool: Pool) -> None:
    upload(pool, 2)
    payout = make_payout(pool, "code")
    claim(payout)
    first = queries.find_code(payout.id)
    claim(payout)
    assert queries.find_code(payout.id) == first is not None
    assert _events(payout) == [(None, "claimable"), ("claimable", "done")]


def test_who_claims_before_codes_are_there_is_served_first(pool: Pool) -> None:
    first, second = make_payout(pool, "code"), make_payout(pool, "code")
    claim(first, now=NOW + dt.timedelta(minutes=1))
    claim(second)
    assert (reload(first).state, reload(second).state) == ("processing", "processing")
    result = upload(pool, 1)
    assert (result.added_count, result.served_count) == (1, 1)
    assert (reload(second).state, reload(first).state) == ("done", "processing")
    assert upload(pool, 2).known_count == 1
    assert reload(first).state == "done"


def test_the_worker_serves_who_still_waits(pool: Pool) -> None:
    payout = make_payout(pool, "code")
    claim(payout)
    assert jobs.serve_waiting_codes(NOW) == 0
    item = item_of(pool, "code")
    with transaction():
        cipher = queries.vault().encrypt("LATE")
        db.session.add(PrizeCode(item_id=item.id, code_tag=b"t" * 32, code_encrypted=cipher, uploaded_at=NOW))
    assert jobs.serve_waiting_codes(NOW) == 1
    assert queries.find_code(payout.id) == "LATE"


def test_pickup_gets_a_code_and_a_month(pool: Pool) -> None:
    payout = claim(make_payout(pool, "pickup"))
    assert (payout.state, payout.claim_deadline_at) == ("ready", NOW + 30 * DAY)
    assert len(_pickup_code(payout)) == 8
    assert _pickup_code(payout).encode() not in (payout.pickup_code_encrypted or b"")


def test_a_prize_is_not_claimed_by_somebody_else(pool: Pool) -> None:
    payout = make_payout(pool, "cash")
    stranger = make_citizen()
    with pytest.raises(PayoutNotFound), transaction():
        services.claim_payout(payout_id=payout.id, citizen_id=stranger.id, now=NOW)


def test_the_deadline_holds_whether_or_not_the_worker_ran(pool: Pool) -> None:
    payout = make_payout(pool, "cash")
    with pytest.raises(ClaimExpired):
        claim(payout, now=NOW + 7 * DAY)
    assert jobs.expire_claims(NOW + 7 * DAY) == 1
    assert jobs.expire_claims(NOW + 7 * DAY) == 0
    assert reload(payout).state == "expired"
    with pytest.raises(ClaimExpired):
        claim(payout)


def test_what_is_on_its_way_does_not_expire(pool: Pool) -> None:
    payout = claim(make_payout(pool, "cash"))
    assert jobs.expire_claims(NOW + 90 * DAY) == 0
    assert reload(payout).state == "processing"


def test_a_voided_or_given_up_prize_is_not_claimed(pool: Pool) -> None:
    payout = make_payout(pool, "cash")
    with transaction():
        assert services.forfeit_payouts(citizen_id=payout.citizen_id, now=NOW) == 1
    with pytest.raises(NotClaimable):
        claim(payout)


# ---- publicity


def _published(pool: Pool) -> dict[Any, bool]:
    db.session.rollback()
    work_notices(NOW + DAY)
    notice = notices.get_notice(pool.slug, NOW + DAY)
    return {row[0].id: row[1] for row in db.session.execute(notices.select_notice_rows(notice.row, NOW + DAY))}


def test_a_masked_phone_is_published_only_with_the_separate_consent(pool: Pool) -> None:
    quiet, open_one = make_payout(pool, "cash"), make_payout(pool, "cash", reference="AAAA-AAAA-AAAA")
    claim(quiet)
    claim(open_one, is_phone_public=True)
    db.session.rollback()
    assert _published(pool) == {quiet.id: False, open_one.id: True}
    consents = db.session.scalars(sa.select(Consent).filter_by(purpose="publicity")).all()
    assert [consent.citizen_id for consent in consents] == [open_one.citizen_id]
    with transaction():
        withdraw_consent(open_one.citizen_id, "publicity", NOW)
    assert set(_published(pool).values()) == {False}


def test_consent_for_one_prize_is_not_consent_for_another(pool: Pool) -> None:
    citizen = make_citizen()
    first, second = make_payout(pool, "cash", citizen), make_payout(pool, "cash", citizen)
    claim(first, is_phone_public=True)
    claim(second)
    assert (reload(first).is_phone_public, reload(second).is_phone_public) == (True, False)


def test_a_minor_is_never_published(pool: Pool) -> None:
    child = make_citizen(age_band="14_17")
    payout = claim(make_payout(pool, "pickup", child), is_phone_public=True)
    assert not reload(payout).is_phone_public
    assert db.session.scalars(sa.select(Consent).filter_by(purpose="publicity")).all() == []


def test_a_notice_shows_the_day_after_and_is_taken_down(pool: Pool) -> None:
    make_payout(pool, "cash")
    work_notices(NOW)
    assert notices.list_notices(NOW) == []
    work_notices(NOW + DAY)
    notice = notices.list_notices(NOW + DAY)[0]
    assert notice.first_on == dt.date(2027, 3, 15)
    assert notice.is_growing
    assert notice.row.objection_until == NOW + 15 * DAY
    assert notices.list_notices(NOW + 41 * DAY) == []
    with pytest.raises(NotFound):
        notices.get_notice("draws", NOW + 41 * DAY)


# ---- the desk


def test_a_prize_is_handed_over_once_and_the_second_time_says_when_and_by_whom(pool: Pool) -> None:
    payout = claim(make_payout(pool, "pickup"))
    clerk = make_staff(display_name="王窗口")
    code = _pickup_code(payout)
    assert _hand_over(code.lower()[:4] + " " + code[4:], staff_id=clerk.id).state == "done"
    with pytest.raises(AlreadyHandedOver, match=r"3月15日 09:42.*王窗口"):
        _hand_over(code)
    entries = db.session.scalars(sa.select(AuditEntry).filter_by(action="payout.handed_over")).all()
    assert [entry.organisation_path for entry in entries] == [pool.host.path]


def test_a_wrong_code_and_another_units_code_look_the_same(pool: Pool) -> None:
    payout = claim(make_payout(pool, "pickup"))
    elsewhere = make_organisation("外单位")
    with pytest.raises(WrongPickupCode):
        _hand_over("00000000")
    with pytest.raises(WrongPickupCode):
        _hand_over("")
    with pytest.raises(WrongPickupCode):
        _hand_over(_pickup_code(payout), path=elsewhere.path)
    assert reload(payout).state == "ready"


def test_a_prize_nobody_fetched_is_not_handed_over_late(pool: Pool) -> None:
    payout = claim(make_payout(pool, "pickup"))
    code = _pickup_code(payout)
    staff = make_staff()
    with pytest.raises(ClaimExpired), transaction():
        services.hand_over(code=code, staff_id=staff.id, paths=["/"], actor=SYSTEM, now=NOW + 30 * DAY)
    assert jobs.expire_claims(NOW + 30 * DAY) == 1


# ---- cash lists


def _make_list(pool: Pool, staff_id: Any, *, limit_fen: int = 20_000, now: dt.datetime = NOW) -> CashList:
    with transaction():
        return services.make_cash_list(
            campaign_id=pool.campaign_id, staff_id=staff_id, paths=["/"], review_above_fen=limit_fen, actor=SYSTEM, now=now
        )


def _mark(cash_list: CashList, payouts: list[Payout], result: str, staff_id: Any, reason: str = "") -> int:
    with transaction():
        return services.mark_payouts(
            cash_list_id=cash_list.id,
            payout_ids=[payout.id for payout in payouts],
            result=result,
            reason=reason,
            staff_id=staff_id,
            paths=["/"],
            actor=SYSTEM,
            now=NOW,
        )


def test_a_claim_stands_on_one_list_only(pool: Pool) -> None:
    staff = make_staff("finance")
    payouts = [claim(make_payout(pool, "cash")) for _ in range(3)]
    make_payout(pool, "cash")
    first = _make_list(pool, staff.id)
    assert (first.payout_count, first.total_fen, first.number) == (3, 600, "XJ20270315-001")
    with pytest.raises(NothingToPay):
        _make_list(pool, staff.id)
    claim(make_payout(pool, "cash"))
    assert _make_list(pool, staff.id).number == "XJ20270315-002"
    assert {reload(payout).cash_list_id for payout in payouts} == {first.id}


def test_rows_are_settled_returned_or_unknown_and_unknown_is_never_paid_again(pool: Pool) -> None:
    staff = make_staff("finance")
    paid, back, lost = (claim(make_payout(pool, "cash")) for _ in range(3))
    cash_list = _make_list(pool, staff.id)
    assert _mark(cash_list, [paid], "done", staff.id, "R-3380") == 1
    assert _mark(cash_list, [back], "returned", staff.id) == 1
    assert _mark(cash_list, [lost], "unknown", staff.id) == 1
    assert [reload(each).state for each in (paid, back, lost)] == ["done", "returned", "unknown"]
    assert claim(lost).state == "unknown"
    claim(back)
    second = _make_list(pool, staff.id)
    assert second.payout_count == 1
    assert queries.list_cash_rows(second.id)[0].id == back.id
    with pytest.raises(WrongMove):
        _mark(cash_list, [paid], "returned", staff.id)
    assert _mark(cash_list, [paid], "done", staff.id) == 0
    assert _mark(cash_list, [lost], "done", staff.id) == 1
    assert db.session.get_one(CashList, cash_list.id, populate_existing=True).settled_at == NOW


def test_returned_money_can_be_claimed_for_another_week(pool: Pool) -> None:
    staff = make_staff("finance")
    payout = claim(make_payout(pool, "cash", days=1))
    _mark(_make_list(pool, staff.id), [payout], "returned", staff.id)
    assert reload(payout).claim_deadline_at == NOW + 7 * DAY
    assert claim(payout, now=NOW + 6 * DAY).state == "processing"


def test_a_large_list_needs_somebody_else(pool: Pool) -> None:
    maker, reviewer = make_staff("finance"), make_staff("approver")
    payout = claim(make_payout(pool, "cash", amount_fen=20_001))
    cash_list = _make_list(pool, maker.id)
    assert cash_list.needs_review
    with pytest.raises(ReviewNeeded):
        _mark(cash_list, [payout], "done", maker.id)
    with pytest.raises(ReviewNeeded), transaction():
        services.export_rows(cash_list_id=cash_list.id, paths=["/"], unmask_reason=None, actor=SYSTEM, now=NOW)

    def review(staff_id: Any) -> None:
        with transaction():
            services.review_cash_list(cash_list_id=cash_list.id, staff_id=staff_id, paths=["/"], actor=SYSTEM, now=NOW)

    with pytest.raises(SameReviewer):
        review(maker.id)
    review(reviewer.id)
    review(reviewer.id)
    assert _mark(cash_list, [payout], "done", maker.id) == 1


def test_the_review_can_be_switched_off(pool: Pool) -> None:
    claim(make_payout(pool, "cash", amount_fen=20_001))
    assert not _make_list(pool, make_staff("finance").id, limit_fen=-1).needs_review


def test_whole_numbers_leave_only_with_a_reason_in_the_trail(pool: Pool) -> None:
    claim(make_payout(pool, "cash"))
    cash_list = _make_list(pool, make_staff("finance").id)
    for reason in ("", "  ", "abc"):
        with pytest.raises(ReasonNeeded), transaction():
            services.export_rows(cash_list_id=cash_list.id, paths=["/"], unmask_reason=reason, actor=SYSTEM, now=NOW)
    with transaction():
        services.export_rows(cash_list_id=cash_list.id, paths=["/"], unmask_reason="发放 3 月现金奖品", actor=SYSTEM, now=NOW)
    entry = db.session.scalars(sa.select(AuditEntry).filter_by(action="payout.phones_unmasked")).one()
    assert entry.changes["reason"] == "发放 3 月现金奖品"


def test_a_list_of_another_unit_is_not_there(pool: Pool) -> None:
    staff = make_staff("finance")
    claim(make_payout(pool, "cash"))
    elsewhere = make_organisation("外单位")
    with pytest.raises(NotFound), transaction():
        services.make_cash_list(
            campaign_id=pool.campaign_id, staff_id=staff.id, paths=[elsewhere.path], review_above_fen=-1, actor=SYSTEM, now=NOW
        )
    cash_list = _make_list(pool, staff.id)
    with pytest.raises(NotFound):
        queries.get_cash_list(cash_list.id, [elsewhere.path])
    assert queries.get_cash_list(cash_list.id, [pool.host.path])[0].id == cash_list.id
    with pytest.raises(NotFound):
        queries.get_cash_list(cash_list.id, [])


def test_lists_of_staff_show_their_own_units_only(pool: Pool) -> None:
    other = make_pool(slug="other", host=make_organisation("旗司法局"))
    make_payout(pool, "cash")
    assert queries.count_by_state(queries.PayoutFilter(paths=(pool.host.path,))) == {"claimable": 1}
    assert queries.count_by_state(queries.PayoutFilter(paths=(other.host.path,))) == {}
    assert queries.count_by_state(queries.PayoutFilter(paths=())) == {}
    assert queries.count_by_state(queries.PayoutFilter(paths=("/",))) == {"claimable": 1}


# ---- leaving


def test_an_account_leaves_only_after_its_prizes_are_settled_or_given_up(pool: Pool) -> None:
    payout = make_payout(pool, "cash")
    assert queries.list_open_payouts(payout.citizen_id) != []
    with transaction():
        give_consent(payout.citizen_id, "publicity", "x", NOW)
        delete_citizen(payout.citizen_id, NOW, gives_up=True)
    assert reload(payout).state == "forfeited"


def test_money_on_a_list_keeps_the_account(pool: Pool) -> None:
    payout = claim(make_payout(pool, "cash"))
    _make_list(pool, make_staff("finance").id)
    with pytest.raises(OnItsWay), transaction():
        delete_citizen(payout.citizen_id, NOW, gives_up=True)
    assert reload(payout).state == "processing"


# ---- at once


def _at_once(app: Flask, works: list[Callable[[], Any]]) -> list[Any]:
    results: list[Any] = []
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        with app.app_context():
            gate.wait()
            try:
                results.append(work())
            except Exception as error:
                results.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    return results


@postgresql_only
def test_twenty_claims_at_once_get_ten_different_codes(app: Flask, pool: Pool) -> None:
    upload(pool, 10)
    payouts = [make_payout(pool, "code") for _ in range(20)]
    pairs = [(payout.id, payout.citizen_id) for payout in payouts]
    db.session.rollback()
    results = _at_once(app, [lambda pair=pair: claim_by(*pair).state for pair in pairs])  # type: ignore[misc]
    assert Counter(results) == {"done": 10, "processing": 10}
    given = db.session.scalars(sa.select(PrizeCode.payout_id).where(PrizeCode.payout_id.is_not(None))).all()
    assert len(set(given)) == 10
    upload(pool, 10, first=11)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Payout).filter_by(state="done")) == 20


@postgresql_only
def test_one_prize_claimed_from_ten_devices_takes_one_code(app: Flask, pool: Pool) -> None:
    upload(pool, 5)
    payout = make_payout(pool, "code")
    payout_id, citizen_id = payout.id, payout.citizen_id
    db.session.rollback()
    assert Counter(_at_once(app, [lambda: claim_by(payout_id, citizen_id).state] * 10)) == {"done": 10}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PrizeCode).where(PrizeCode.payout_id.is_not(None))) == 1
    assert len(_events(payout)) == 2


@postgresql_only
def test_two_desks_hand_one_prize_over_once(app: Flask, pool: Pool) -> None:
    code = _pickup_code(claim(make_payout(pool, "pickup")))
    staff_id = make_staff().id
    results = _at_once(app, [lambda: _hand_over(code, staff_id=staff_id).state] * 8)
    assert Counter("done" if each == "done" else type(each).__name__ for each in results) == {"done": 1, "AlreadyHandedOver": 7}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PayoutEvent).filter_by(reason="handed_over")) == 1


@postgresql_only
def test_two_finance_desks_share_what_waits(app: Flask, pool: Pool) -> None:
    staff_id = make_staff("finance").id
    for _ in range(10):
        claim(make_payout(pool, "cash"))
    results = _at_once(app, [lambda: _make_list(pool, staff_id).payout_count] * 4)
    assert sum(each for each in results if isinstance(each, int)) == 10
    assert {type(each).__name__ for each in results} <= {"int", "NothingToPay"}


@postgresql_only
def test_claiming_beside_the_worker_that_expires_ends_in_one_state(app: Flask, pool: Pool) -> None:
    edge = NOW + 7 * DAY
    payouts = [make_payout(pool, "cash") for _ in range(10)]
    pairs = [(payout.id, payout.citizen_id) for payout in payouts]
    db.session.rollback()
    claims: list[Callable[[], Any]] = [lambda pair=pair: claim_by(*pair, now=edge - DAY).state for pair in pairs]  # type: ignore[misc]
    results = _at_once(app, [*claims, lambda: jobs.expire_claims(edge)])
    states = Counter(reload(payout).state for payout in payouts)
    assert states["processing"] == sum(each == "processing" for each in results)
    assert sum(states.values()) == 10
    assert set(states) <= {"processing", "expired"}

"""Two reviewers at once, a decision while a prize is claimed or a ticket drawn, a scan beside a scan: real threads, PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import StaffAccount
from quizapp.audit.services import SYSTEM, Actor
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError
from quizapp.integrity import queries, services
from quizapp.integrity.errors import AlreadyDecided
from quizapp.integrity.models import Case, Decision, Effect
from quizapp.integrity.services.cases import open_case
from quizapp.ledger.queries import get_balance
from quizapp.lottery import services as lottery
from quizapp.lottery.errors import BarredFromDraw, TicketVoid
from quizapp.lottery.models import Draw, DrawTicket, Win
from quizapp.payouts import services as payouts
from quizapp.payouts.models import Payout, PrizeCode
from tests.conftest import postgresql_only
from tests.factories.accounts import make_citizen, make_staff
from tests.factories.integrity import draw, make_case, play_slowly
from tests.integrity.conftest import LATER, NOW

pytestmark = postgresql_only
ROUNDS = 6


def _together(app: Flask, *works: Callable[[], Any]) -> list[Any]:
    """Each work in a thread of its own, all let go at once; a refusal is a result, anything else fails the test."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        with app.app_context():
            try:
                barrier.wait(10)
                with transaction():
                    return work()
            except AppError as refusal:
                return refusal
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(works)) as threads:
        results = list(threads.map(run, works))
    db.session.rollback()
    return results


def _actor(account: StaffAccount) -> Actor:
    return Actor("staff", account.id, account.display_name)


def _decider(case_id: Any, version: int, kind: str, actor: Actor) -> Callable[[], Any]:
    asked = services.Asked(kind, "script", "看过了，写清楚理由")
    return lambda: services.decide(case_id=case_id, version=version, asked=asked, paths=("/",), actor=actor, now=LATER).kind


def test_of_two_reviewers_at_once_one_decides(app: Flask, campaign: Campaign) -> None:
    first, second = _actor(make_staff("campaign_manager")), _actor(make_staff("approver"))
    for _ in range(ROUNDS):
        citizen = make_citizen()
        play_slowly(campaign, citizen, now=NOW)
        case = make_case(campaign, citizen, now=LATER)
        works = [_decider(case.id, case.version, kind, actor) for kind, actor in (("clear", first), ("exclude_person", second))]
        results = _together(app, *works)
        assert sum(isinstance(result, AlreadyDecided) for result in results) == 1
        assert db.session.scalar(sa.select(sa.func.count()).where(Decision.case_id == case.id)) == 1


def test_a_reversal_by_two_at_once_gives_back_once(app: Flask, campaign: Campaign) -> None:
    decider = _actor(make_staff("campaign_manager"))
    others = [_actor(make_staff("approver")) for _ in range(4)]
    citizen = make_citizen()
    play_slowly(campaign, citizen, now=NOW)
    case = make_case(campaign, citizen, now=LATER)
    with transaction():
        asked = services.Asked("exclude_person", "script", "看过了，写清楚理由")
        decision_id = services.decide(case_id=case.id, version=case.version, asked=asked, paths=("/",), actor=decider, now=LATER).id

    def back(actor: Actor) -> Callable[[], Any]:
        return lambda: services.restore(decision_id=decision_id, note="申诉有道理", paths=("/",), actor=actor, now=LATER).kind

    results = _together(app, *[back(actor) for actor in others])
    assert sum(result == "restore" for result in results) == 1
    assert get_balance("citizen", str(citizen.id), "points") == 20


def test_a_claim_and_a_case_at_once_end_claimed_or_held_never_both(app: Flask, campaign: Campaign) -> None:
    """A code that was given is the citizen's; one that is held has not been given."""
    path = queries.get_campaign_facts(campaign.id).host_path
    for _ in range(ROUNDS):
        citizen = make_citizen()
        draw(play_slowly(campaign, citizen, now=NOW), citizen, now=NOW)
        payout_id, item_id = db.session.execute(sa.select(Payout.id, Payout.item_id).filter_by(citizen_id=citizen.id)).one()
        with transaction():
            db.session.add(PrizeCode(item_id=item_id, code_tag=payout_id.bytes * 2, code_encrypted=b"x", uploaded_at=NOW))
        person, campaign_id = citizen.id, campaign.id

        def claim(payout_id: Any = payout_id, person: Any = person) -> Any:
            return payouts.claim_payout(payout_id=payout_id, citizen_id=person, now=LATER).state

        def hold(person: Any = person, campaign_id: Any = campaign_id) -> Any:
            return open_case(campaign_id, person, 70, host_path=path, actor=SYSTEM, now=LATER).state

        _together(app, claim, hold)
        state = db.session.scalars(sa.select(Payout.state).filter_by(id=payout_id)).one()
        given = db.session.scalar(sa.select(PrizeCode.id).filter_by(payout_id=payout_id))
        assert (state, given is not None) in (("done", True), ("held", False))
        assert db.session.scalar(sa.select(sa.func.count()).where(Case.citizen_id == person)) == 1


def test_a_draw_and_an_exclusion_at_once_leave_no_open_prize(app: Flask, campaign: Campaign) -> None:
    """Whichever comes first: a drawn ticket stays drawn and its prize is kept back, an undrawn one is void."""
    actor = _actor(make_staff("campaign_manager"))
    for _ in range(ROUNDS):
        citizen = make_citizen()
        attempt = play_slowly(campaign, citizen, now=NOW)
        case = make_case(campaign, citizen, now=LATER)
        person, attempt_id = citizen.id, attempt.id

        def take(person: Any = person, attempt_id: Any = attempt_id) -> Any:
            return lottery.draw_ticket(citizen_id=person, source_type="attempt", source_id=attempt_id, sequence=1, now=LATER).outcome

        drawn, decided = _together(app, take, _decider(case.id, case.version, "exclude_person", actor))
        assert decided == "exclude_person"
        state = db.session.scalars(sa.select(DrawTicket.state).filter_by(citizen_id=person)).one()
        prizes = db.session.scalars(sa.select(Payout.state).filter_by(citizen_id=person)).all()
        if isinstance(drawn, BarredFromDraw | TicketVoid):
            assert (state, list(prizes)) == ("void", [])
        else:
            assert (drawn, state, list(prizes)) == ("won", "drawn", ["held"])
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Draw)) == db.session.scalar(sa.select(sa.func.count()).select_from(Win))


def test_two_workers_that_scan_at_once_open_one_case_each(app: Flask, campaign: Campaign) -> None:
    from tests.factories import attempts as make
    from tests.factories.integrity import device

    people = [make_citizen() for _ in range(10)]
    for citizen in people:
        make.play(campaign, citizen, now=NOW, device=device("farm"))
    campaign_id = campaign.id
    _together(app, *[lambda: services.scan_campaign(campaign_id=campaign_id, now=LATER).cases] * 3)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Case)) == 10
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Effect)) == 0

"""What decisions do and undo, and that they never touch what has been handed over or drawn."""

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import StaffAccount
from quizapp.attempts.models import Attempt
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db, transaction
from quizapp.core.errors import InvalidInput
from quizapp.integrity import jobs, queries, services
from quizapp.integrity.errors import (
    AlreadyDecided,
    AppealExists,
    CaseNotFound,
    NoteNeeded,
    NothingToDo,
    SamePerson,
    UnknownReason,
)
from quizapp.integrity.models import Appeal, Case, Decision, Effect
from quizapp.ledger import services as ledger
from quizapp.ledger.queries import get_balance
from quizapp.lottery import queries as lottery_queries
from quizapp.lottery.errors import BarredFromDraw, TicketVoid
from quizapp.lottery.models import Draw, DrawTicket, PoolRecord, Win
from quizapp.payouts.models import Payout
from quizapp.reporting.queries import participation
from tests.factories.accounts import make_citizen, make_organisation, make_phone, make_staff
from tests.factories.integrity import decide, draw, make_case, play_slowly, restore
from tests.factories.payouts import claim_by
from tests.integrity.conftest import LATER, NOW, actor_of

DAY = dt.timedelta(days=1)


def _effects(decision: Decision) -> dict[str, int]:
    rows = db.session.execute(sa.select(Effect.kind, sa.func.count()).filter_by(decision_id=decision.id).group_by(Effect.kind))
    return dict(rows.all())


def _fresh(case: Case) -> Case:
    db.session.rollback()
    return db.session.get_one(Case, case.id, populate_existing=True)


def _points(citizen_id: object) -> int:
    return get_balance("citizen", str(citizen_id), "points")


def test_clearing_a_case_lets_the_prize_go_and_puts_off_the_deadline(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    citizen = make_citizen()
    attempt = play_slowly(campaign, citizen, now=NOW)
    draw(attempt, citizen, now=NOW)
    case = make_case(campaign, citizen, now=NOW)
    much_later, deadline = NOW + 30 * DAY, db.session.scalars(sa.select(Payout.claim_deadline_at)).one()
    assert db.session.scalars(sa.select(Payout.state)).one() == "held"
    decide(case, reviewer, "clear", now=much_later)
    payout = db.session.scalars(sa.select(Payout).execution_options(populate_existing=True)).one()
    assert deadline is not None
    assert payout.claim_deadline_at == deadline + 30 * DAY
    assert claim_by(payout.id, citizen.id, now=much_later).state == "processing"
    assert _fresh(case).state == "cleared"


def test_excluded_attempts_leave_the_figures_and_what_follows_from_them(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    citizen = make_citizen()
    bad, undrawn, good = (play_slowly(campaign, citizen, now=NOW) for _ in range(3))
    draw(bad, citizen, now=NOW)
    draw(good, citizen, now=NOW)
    assert _points(citizen.id) == 60
    case = make_case(campaign, citizen, now=LATER)
    decision = decide(case, reviewer, "exclude_attempts", attempts=(bad.id, undrawn.id), now=LATER)
    assert _effects(decision) == {"attempt_excluded": 2, "ticket_voided": 1, "payout_withheld": 1, "points_taken": 2}
    table = participation(campaigns=[campaign.slug], now=LATER)
    assert (table.total.figures.attempt_count, table.total.figures.valid_attempt_count, table.total.figures.participant_count) == (3, 1, 1)
    assert dict(table.exclusions) == {"脚本作答": 2}
    assert _points(citizen.id) == 20
    states = dict(db.session.execute(sa.select(Payout.source_id, Payout.state)).all())
    wins = {attempt.id: queries.list_wins_of([attempt.id])[0] for attempt in (bad, good)}
    assert (states[wins[bad.id]], states[wins[good.id]]) == ("held", "claimable")
    with pytest.raises(TicketVoid):
        draw(undrawn, citizen, now=LATER)


def test_the_whole_part_of_a_person_goes_and_later_attempts_too(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    citizen = make_citizen()
    play_slowly(campaign, citizen, now=NOW)
    case = make_case(campaign, citizen, now=LATER)
    decision = decide(case, reviewer, "exclude_person", reason="one_person_many_accounts", now=LATER)
    assert _effects(decision)["barred"] == 1
    after = play_slowly(campaign, citizen, now=LATER)
    with pytest.raises(BarredFromDraw):
        draw(after, citizen, now=LATER)
    jobs.scan(LATER + dt.timedelta(minutes=2))
    jobs.scan(LATER + dt.timedelta(minutes=3))
    assert _effects(decision)["attempt_excluded"] == 2
    assert participation(campaigns=[campaign.slug], now=LATER).total.figures.participant_count == 0
    assert _points(citizen.id) == 0


def test_what_was_handed_over_is_never_taken_back(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    citizen = make_citizen()
    attempt = play_slowly(campaign, citizen, now=NOW)
    draw(attempt, citizen, now=NOW)
    with transaction():
        payout = db.session.scalars(sa.select(Payout)).one()
        payout.state = "done"
    case = make_case(campaign, citizen, now=LATER)
    decision = decide(case, reviewer, "exclude_person", now=LATER)
    assert _effects(decision)["payout_kept"] == 1
    assert db.session.scalars(sa.select(Payout.state)).one() == "done"


def test_a_prize_kept_back_is_voided_only_when_nobody_appealed_in_time(
    app: Flask, campaign: Campaign, reviewer: StaffAccount, second: StaffAccount
) -> None:
    silent, appealing = make_citizen(), make_citizen()
    decisions = {}
    for citizen in (silent, appealing):
        draw(play_slowly(campaign, citizen, now=NOW), citizen, now=NOW)
        decisions[citizen.id] = decide(make_case(campaign, citizen, now=NOW), reviewer, "exclude_person", now=NOW)
    appeal = _appeal(decisions[appealing.id], appealing.id)
    assert jobs.finish_exclusions(NOW + 6 * DAY) == 0
    assert jobs.finish_exclusions(NOW + 8 * DAY) == 1
    states = dict(db.session.execute(sa.select(Payout.citizen_id, Payout.state)).all())
    assert states == {silent.id: "void", appealing.id: "held"}
    with transaction():
        services.answer_appeal(
            appeal_id=appeal.id, is_granted=False, reply="核对过，维持原决定", paths=("/",), actor=actor_of(second), now=NOW + 9 * DAY
        )
    assert jobs.finish_exclusions(NOW + 9 * DAY) == 1
    assert jobs.finish_exclusions(NOW + 9 * DAY) == 0
    late = restore(decisions[silent.id], second, now=NOW + 10 * DAY)
    assert _effects(late)["payout_gone"] == 1


def test_points_go_as_far_as_the_balance_and_the_rest_is_noted(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    citizen = make_citizen()
    attempt = play_slowly(campaign, citizen, now=NOW)
    spent = ledger.Posting("points", ("citizen", str(citizen.id)), ("system", "points"), 15, "shop", "1", "redeemed", NOW)
    with transaction():
        ledger.post(spent)
    case = make_case(campaign, citizen, now=LATER)
    decision = decide(case, reviewer, "exclude_attempts", attempts=(attempt.id,), now=LATER)
    rows = dict(db.session.execute(sa.select(Effect.kind, Effect.amount).where(Effect.decision_id == decision.id, Effect.amount > 0)).all())
    assert rows == {"points_taken": 5, "points_short": 15}
    assert _points(citizen.id) == 0


def test_a_reversal_gives_back_exactly_what_was_taken(app: Flask, campaign: Campaign, reviewer: StaffAccount, second: StaffAccount) -> None:
    citizen = make_citizen()
    won, undrawn = play_slowly(campaign, citizen, now=NOW), play_slowly(campaign, citizen, now=NOW)
    draw(won, citizen, now=NOW)
    case = make_case(campaign, citizen, now=LATER)
    decision = decide(case, reviewer, "exclude_person", now=LATER)
    with pytest.raises(SamePerson):
        restore(decision, reviewer, now=LATER)
    back = restore(decision, second, now=LATER)
    assert back.follows_id == decision.id
    assert _points(citizen.id) == 40
    assert db.session.scalars(sa.select(Payout.state)).one() == "claimable"
    total = participation(campaigns=[campaign.slug], now=LATER).total.figures
    assert (total.valid_attempt_count, total.participant_count) == (2, 1)
    with pytest.raises(TicketVoid):
        draw(undrawn, citizen, now=LATER)
    draw(undrawn, citizen, now=LATER, sequence=2)
    assert _fresh(case).state == "cleared"
    with pytest.raises(AlreadyDecided):
        restore(decision, second, now=LATER)
    assert _points(citizen.id) == 40


def test_prizes_of_more_worth_need_a_second_person(app: Flask, campaign: Campaign, reviewer: StaffAccount, second: StaffAccount) -> None:
    citizen = make_citizen()
    attempt = play_slowly(campaign, citizen, now=NOW)
    draw(attempt, citizen, now=NOW)
    with transaction():
        db.session.execute(sa.update(Payout).values(amount_fen=20_001))
    case = make_case(campaign, citizen, now=LATER)
    proposal = decide(case, reviewer, "exclude_attempts", attempts=(attempt.id,), now=LATER)
    assert (proposal.step, proposal.worth_fen) == ("proposed", 20_001)
    assert _effects(proposal) == {}
    assert db.session.get_one(Attempt, attempt.id).excluded_at is None
    version = _fresh(case).version
    with pytest.raises(SamePerson), transaction():
        services.confirm(decision_id=proposal.id, version=version, note="", paths=("/",), actor=actor_of(reviewer), now=LATER)
    with transaction():
        done = services.confirm(decision_id=proposal.id, version=version, note="", paths=("/",), actor=actor_of(second), now=LATER)
    assert _effects(done)["payout_withheld"] == 1
    with pytest.raises(SamePerson):
        restore(done, reviewer, now=LATER)


def test_a_proposal_can_be_sent_back_and_nothing_has_happened(
    app: Flask, campaign: Campaign, reviewer: StaffAccount, second: StaffAccount
) -> None:
    citizen = make_citizen()
    attempt = play_slowly(campaign, citizen, now=NOW)
    draw(attempt, citizen, now=NOW)
    with transaction():
        facts = queries.get_campaign_facts(campaign.id)
        services.set_policy(facts=facts, hold_score=60, second_above_fen=0, actor=actor_of(reviewer), now=NOW)
        db.session.execute(sa.update(Payout).values(amount_fen=100))
    case = make_case(campaign, citizen, now=LATER)
    proposal = decide(case, reviewer, "exclude_person", now=LATER)
    with transaction():
        services.send_back(
            decision_id=proposal.id,
            version=_fresh(case).version,
            note="证据不够，再看看",
            paths=("/",),
            actor=actor_of(second),
            now=LATER,
        )
    assert _fresh(case).state == "waiting"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Effect)) == 0


def test_decisions_need_words_reasons_attempts_and_the_right_unit(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    citizen = make_citizen()
    play_slowly(campaign, citizen, now=NOW)
    case = make_case(campaign, citizen, now=LATER)
    actor = actor_of(reviewer)

    def ask(asked: services.Asked, paths: tuple[str, ...] = ("/",)) -> None:
        with transaction():
            services.decide(case_id=case.id, version=case.version, asked=asked, paths=paths, actor=actor, now=LATER)

    with pytest.raises(NoteNeeded):
        ask(services.Asked("clear", "", "好"))
    with pytest.raises(UnknownReason):
        ask(services.Asked("exclude_person", "because", "写清楚理由"))
    with pytest.raises(NothingToDo):
        ask(services.Asked("exclude_attempts", "script", "写清楚理由"))
    with pytest.raises(CaseNotFound):
        ask(services.Asked("clear", "", "写清楚理由"), (make_organisation().path,))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Decision)) == 0


def test_the_database_keeps_decisions_and_effects_as_they_are(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    citizen = make_citizen()
    play_slowly(campaign, citizen, now=NOW)
    decide(make_case(campaign, citizen, now=LATER), reviewer, "exclude_person", now=LATER)
    for model in (Decision, Effect):
        for statement in (sa.delete(model), sa.update(model).values(id=None)):
            with pytest.raises(sa.exc.DBAPIError), transaction():
                db.session.execute(statement.execution_options(synchronize_session=False))


def test_no_decision_changes_a_draw_a_win_or_a_record_before_it(
    app: Flask, campaign: Campaign, reviewer: StaffAccount, second: StaffAccount
) -> None:
    """The ledger of the draws stays checkable and only grows: exclusion and reversal add records and touch none."""
    citizen, other = make_citizen(), make_citizen()
    attempts = [play_slowly(campaign, citizen, now=NOW) for _ in range(3)]
    others = play_slowly(campaign, other, now=NOW)
    for person, attempt in ((citizen, attempts[0]), (other, others)):
        draw(attempt, person, now=NOW)

    def state() -> list[object]:
        db.session.rollback()
        drawn = db.session.execute(sa.select(Draw.id, Draw.serial, Draw.outcome, Draw.prize_id, Draw.alias).order_by(Draw.serial)).all()
        won = db.session.execute(sa.select(Win.id, Win.draw_id, Win.prize_id, Win.citizen_id).order_by(Win.id)).all()
        return [drawn, won]

    def records() -> list[tuple[int, str]]:
        return [tuple(row) for row in db.session.execute(sa.select(PoolRecord.number, PoolRecord.hash).order_by(PoolRecord.number))]

    before, ledger_before = state(), records()
    decision = decide(make_case(campaign, citizen, now=LATER), reviewer, "exclude_person", now=LATER)
    restore(decision, second, now=LATER)
    assert state() == before
    assert records()[: len(ledger_before)] == ledger_before
    pool = lottery_queries.get_pool(campaign.slug)
    assert pool.draw_count == 2


# ---- appeals


def _appeal(decision: Decision, citizen_id: object, text: str = "是我帮老人点的，不是脚本") -> Appeal:
    with transaction():
        return services.file_appeal(decision_id=decision.id, citizen_id=citizen_id, text=text, now=LATER)  # type: ignore[arg-type]


def test_an_appeal_is_answered_by_somebody_else_and_granting_it_restores(
    app: Flask, campaign: Campaign, reviewer: StaffAccount, second: StaffAccount
) -> None:
    citizen = make_citizen()
    play_slowly(campaign, citizen, now=NOW)
    decision = decide(make_case(campaign, citizen, now=LATER), reviewer, "exclude_person", now=LATER)
    with pytest.raises(CaseNotFound):
        _appeal(decision, make_citizen().id)
    appeal = _appeal(decision, citizen.id)
    assert appeal.due_on == dt.date(2026, 11, 27)
    with pytest.raises(AppealExists):
        _appeal(decision, citizen.id)

    def answer(staff: StaffAccount, is_granted: bool) -> None:
        with transaction():
            services.answer_appeal(
                appeal_id=appeal.id, is_granted=is_granted, reply="核对过了，恢复成绩", paths=("/",), actor=actor_of(staff), now=LATER
            )

    with pytest.raises(SamePerson):
        answer(reviewer, True)
    answer(second, True)
    assert participation(campaigns=[campaign.slug], now=LATER).total.figures.valid_attempt_count == 1
    with pytest.raises(AlreadyDecided):
        answer(second, False)


# ---- the list


def test_somebody_on_the_list_plays_and_does_not_draw(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    """Listed by number before they register."""
    phone = make_phone()
    facts = queries.get_campaign_facts(campaign.id)
    with transaction():
        listed = services.bar_people(facts=facts, phones=[phone], reason="host_staff", note="", actor=actor_of(reviewer), now=NOW)
    assert (listed.added, listed.cases) == (1, 0)
    citizen = make_citizen(phone=phone)
    attempt = play_slowly(campaign, citizen, now=NOW)
    assert attempt.state == "graded"
    with pytest.raises(BarredFromDraw):
        draw(attempt, citizen, now=NOW)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Draw)) == 0
    with transaction():
        bar = db.session.scalars(queries.select_bars(campaign.id)).one()
        services.end_bar(facts=facts, bar_id=bar.id, actor=actor_of(reviewer), now=LATER)
    draw(attempt, citizen, now=LATER)


def test_who_has_won_before_being_listed_is_looked_into_and_loses_nothing_by_it(
    app: Flask, campaign: Campaign, reviewer: StaffAccount
) -> None:
    phone = make_phone()
    citizen = make_citizen(phone=phone)
    draw(play_slowly(campaign, citizen, now=NOW), citizen, now=NOW)
    with transaction():
        facts = queries.get_campaign_facts(campaign.id)
        listed = services.bar_people(facts=facts, phones=[phone], reason="host_staff", note="", actor=actor_of(reviewer), now=NOW)
    assert listed.cases == 1
    assert db.session.scalars(sa.select(Payout.state)).one() == "held"
    assert db.session.scalars(sa.select(Case.state)).one() == "waiting"


def test_a_threshold_that_one_sign_could_reach_is_refused(app: Flask, campaign: Campaign) -> None:
    staff = make_staff()
    facts = queries.get_campaign_facts(campaign.id)
    for value in (50, 0, 251):
        with pytest.raises(InvalidInput), transaction():
            services.set_policy(facts=facts, hold_score=value, second_above_fen=0, actor=actor_of(staff), now=NOW)


def test_published_totals_are_a_recount(app: Flask, campaign: Campaign, reviewer: StaffAccount, second: StaffAccount) -> None:
    people = [make_citizen() for _ in range(4)]
    for citizen in people:
        play_slowly(campaign, citizen, now=NOW)
    cases = [make_case(campaign, citizen, now=LATER) for citizen in people]
    decide(cases[0], reviewer, "clear", now=LATER)
    decide(cases[1], reviewer, "exclude_person", now=LATER)
    restore(decide(cases[2], reviewer, "exclude_person", now=LATER), second, now=LATER)
    totals = queries.count_totals(campaign.id)
    assert (totals.held_people, totals.waiting_people, totals.cleared_people) == (4, 1, 2)
    assert (totals.excluded_people, totals.restored_people, totals.excluded_attempts) == (1, 1, 1)
    assert totals.people_by_reason == {"script": 1}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(DrawTicket).filter_by(state="void")) == 2

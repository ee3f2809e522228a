"""Signs are found behind the hand-ins, and only what points the same way from two sides holds a prize."""

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import Citizen, Identity
from quizapp.attempts.services.starting import Device
from quizapp.audit.models import AuditEntry
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db, transaction
from quizapp.integrity import jobs, services
from quizapp.integrity.models import Case, Mark, Signal
from quizapp.payouts.errors import UnderReview
from quizapp.payouts.models import Payout, PayoutWatch
from tests.factories import attempts as make
from tests.factories.accounts import make_citizen, make_phone
from tests.factories.campaigns import make_campaign
from tests.factories.integrity import device, draw, play_slowly
from tests.factories.payouts import claim_by
from tests.factories.questions import make_bank
from tests.integrity.conftest import LATER, NOW


def _codes(citizen: Citizen) -> set[str]:
    return set(db.session.scalars(sa.select(Signal.code).filter_by(citizen_id=citizen.id)))


def _cases() -> list[Case]:
    return list(db.session.scalars(sa.select(Case).order_by(Case.id)))


def test_an_ordinary_attempt_leaves_no_sign(app: Flask, campaign: Campaign) -> None:
    citizen = make_citizen()
    play_slowly(campaign, citizen, now=NOW)
    assert jobs.scan(LATER) == 1
    assert _codes(citizen) == set()
    assert _cases() == []


def test_an_attempt_is_looked_at_once_and_only_when_it_has_settled(app: Flask, campaign: Campaign) -> None:
    play_slowly(campaign, make_citizen(), now=NOW)
    assert jobs.scan(NOW + dt.timedelta(seconds=30)) == 0
    assert jobs.scan(LATER) == 1
    assert jobs.scan(LATER) == 0


def test_answers_faster_than_reading_are_a_sign_and_alone_hold_nothing(app: Flask, campaign: Campaign) -> None:
    citizen = make_citizen()
    attempt = make.play(campaign, citizen, now=NOW)
    jobs.scan(LATER)
    sign = db.session.scalars(sa.select(Signal)).one()
    assert (sign.code, sign.subject, sign.citizen_id) == ("fast_answers", str(attempt.id), citizen.id)
    assert sign.facts["seconds"] < sign.facts["least_seconds"]
    assert _cases() == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PayoutWatch)) == 0


def test_the_whole_time_counts_and_not_the_gaps(app: Flask, campaign: Campaign) -> None:
    """A phone that was offline sends all its answers in one second, two minutes after the start."""
    citizen = make_citizen()
    play_slowly(campaign, citizen, now=NOW, seconds=120)
    jobs.scan(LATER)
    assert "fast_answers" not in _codes(citizen)


def test_a_family_on_one_phone_is_no_sign(app: Flask, campaign: Campaign) -> None:
    for _ in range(3):
        play_slowly(campaign, make_citizen(), now=NOW, on="family")
    jobs.scan(LATER)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Signal)) == 0


def test_those_who_came_first_get_the_sign_of_a_device_that_filled_later(app: Flask, campaign: Campaign) -> None:
    people = [make_citizen() for _ in range(6)]
    for citizen in people[:2]:
        play_slowly(campaign, citizen, now=NOW, on="shop")
    jobs.scan(LATER)
    assert _codes(people[0]) == set()
    for citizen in people[2:]:
        play_slowly(campaign, citizen, now=LATER, on="shop")
    jobs.scan(LATER + dt.timedelta(minutes=5))
    assert all(_codes(citizen) == {"same_device"} for citizen in people)
    facts = db.session.scalars(sa.select(Signal.facts)).all()
    assert all(fact == {"accounts": 6} for fact in facts)


def test_clients_without_a_device_name_are_not_one_device(app: Flask, campaign: Campaign) -> None:
    """Behind one address of a carrier sits a whole city."""
    nameless = Device(tag=b"a" * 32, is_shared=True)
    for _ in range(12):
        citizen = make_citizen()
        attempt = make.start(campaign, citizen, now=NOW - dt.timedelta(minutes=2), device=nameless).attempt
        make.answer(attempt, citizen, now=NOW)
        make.hand_in(attempt, citizen, now=NOW)
    jobs.scan(LATER)
    assert db.session.scalar(sa.select(sa.func.count()).where(Mark.kind == "device")) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Signal)) == 0


def test_numbers_in_a_row_show_and_none_can_be_read(app: Flask, campaign: Campaign) -> None:
    people = [make_citizen(phone=f"138000010{number:02d}") for number in range(8)]
    stranger = make_citizen(phone=make_phone())
    for citizen in [*people, stranger]:
        play_slowly(campaign, citizen, now=NOW)
    jobs.scan(LATER)
    assert all(_codes(citizen) == {"number_block"} for citizen in people)
    assert _codes(stranger) == set()
    tags = {bytes(tag) for tag in db.session.scalars(sa.select(Identity.block_tag)) if tag}
    assert len(tags) == 2
    assert not any(b"138000010" in tag for tag in tags)


def test_equal_mistakes_of_a_few_against_the_crowd_are_a_sign(app: Flask) -> None:
    """Everybody has the same five questions; forty make none or one mistake, six the same two."""
    make_bank("few", 5, now=NOW)
    campaign = make_campaign("few", now=NOW, banks=("few",))
    copied = [make_citizen() for _ in range(6)]
    for place, citizen in enumerate([make_citizen() for _ in range(40)]):
        play_slowly(campaign, citizen, now=NOW, right=5 if place % 4 else 4)
    for citizen in copied:
        attempt = make.start(campaign, citizen, now=NOW - dt.timedelta(minutes=3), device=device(citizen.id.hex[-12:])).attempt
        ordered = sorted(attempt.questions, key=lambda question: str(question.revision_id))
        for question in ordered:
            index = ordered.index(question)
            letters = make.right_letters(question) if index > 1 else _fixed_mistake(question)
            make.save(attempt, citizen, question.position, letters, now=NOW)
        make.hand_in(attempt, citizen, now=NOW)
    jobs.scan(LATER)
    assert all(_codes(citizen) == {"same_mistakes"} for citizen in copied)


def _fixed_mistake(question: make.QuestionView) -> list[str]:
    """The same wrong choice of the bank, whatever letter it bears on this paper."""
    right = {question.choice_order[ord(letter) - ord("A")] for letter in make.right_letters(question)}
    wrong = min(index for index in question.choice_order if index not in right)
    return [chr(ord("A") + question.choice_order.index(wrong))]


@pytest.fixture
def suspects(app: Flask, campaign: Campaign) -> list[Citizen]:
    """Ten accounts on one device that answer faster than one can read."""
    people = [make_citizen() for _ in range(10)]
    for citizen in people:
        make.play(campaign, citizen, now=NOW, device=device("farm"))
    return people


def test_two_signs_together_open_a_case_and_hold_what_is_won_before_and_after(
    app: Flask, campaign: Campaign, suspects: list[Citizen]
) -> None:
    early, late = suspects[0], suspects[1]
    early_attempt = make.play(campaign, early, now=NOW)
    draw(early_attempt, early, now=NOW)
    jobs.scan(LATER)
    cases = _cases()
    assert {case.citizen_id for case in cases} == {citizen.id for citizen in suspects}
    assert all(case.state == "waiting" and case.score >= 60 for case in cases)
    attempt = make.play(campaign, late, now=LATER)
    draw(attempt, late, now=LATER)
    for citizen in (early, late):
        payout = db.session.scalars(sa.select(Payout).filter_by(citizen_id=citizen.id)).one()
        with pytest.raises(UnderReview):
            claim_by(payout.id, citizen.id, now=LATER)
    opened = db.session.scalars(sa.select(AuditEntry).filter_by(action="integrity.case_opened")).all()
    assert len(opened) == 10


def test_scanning_again_changes_nothing(app: Flask, campaign: Campaign, suspects: list[Citizen]) -> None:
    jobs.scan(LATER)
    before = [(case.id, case.score, case.version) for case in _cases()]
    jobs.scan(LATER + dt.timedelta(minutes=1))
    assert [(case.id, case.score, case.version) for case in _cases()] == before


def test_a_higher_threshold_of_the_campaign_opens_no_case(app: Flask, campaign: Campaign, suspects: list[Citizen]) -> None:
    from quizapp.audit.services import SYSTEM
    from quizapp.integrity import queries

    with transaction():
        facts = queries.get_campaign_facts(campaign.id)
        services.set_policy(facts=facts, hold_score=200, second_above_fen=0, actor=SYSTEM, now=NOW)
    jobs.scan(LATER)
    assert _cases() == []


def test_facts_of_signs_are_numbers_and_name_nobody(app: Flask, campaign: Campaign, suspects: list[Citizen]) -> None:
    jobs.scan(LATER)
    for facts in db.session.scalars(sa.select(Signal.facts)):
        assert all(isinstance(value, int | float) for value in facts.values())

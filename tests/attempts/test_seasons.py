"""Campaigns of several quizzes, rounds, tracks and awards, through the services and against both databases."""

import datetime as dt
import threading
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import Citizen
from quizapp.attempts import services
from quizapp.attempts.errors import ChannelClosed, EntryClosed, EntryRequired, NotUnlocked, QuizNotFound, RoundClosed, TeamFull, TrackFixed
from quizapp.attempts.jobs import return_award_prizes
from quizapp.attempts.models import AttemptQuestion, AwardGrant, AwardQuota, CampaignTeam
from quizapp.attempts.pool_jobs import hold_pool_draws
from quizapp.attempts.pool_lists import list_qualified
from quizapp.audit.services import SYSTEM
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.errors import AttemptLimitReached, NotEligible
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import (
    Action,
    Award,
    Band,
    Claim,
    Condition,
    Entry,
    EntryField,
    ExtraTries,
    Gift,
    Measure,
    PoolDraw,
    PoolTier,
    Quiz,
    Rounds,
    Scoring,
    Stage,
    StockPrize,
    Terms,
    Track,
    Tries,
)
from quizapp.certificates.queries import list_own
from quizapp.core.db import db, transaction
from quizapp.core.errors import InvalidInput, NotSignedIn
from quizapp.ledger import queries as ledger
from quizapp.lottery.pool_models import PoolWin
from quizapp.lottery.services.bars import bar_person
from quizapp.payouts.models import Payout
from quizapp.payouts.services import forfeit_payouts
from tests.attempts.conftest import MINUTE, NOW
from tests.attempts.looking import row_of, tickets
from tests.conftest import postgresql_only
from tests.factories import attempts as make
from tests.factories.accounts import make_citizen
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, make_terms

DAY = dt.timedelta(days=1)
ALL_RIGHT = Condition("all_right", at_least=1)
GOOD_DAYS = Measure("good_days", where=ALL_RIGHT, within="day", inner="any")


def season(slug: str = "season", *, quizzes: tuple[Quiz, ...] | None = None, main: dict[str, Any] | None = None, **values: Any) -> Campaign:
    """A campaign with further parts of the terms; ``main`` changes its first quiz."""
    prizes = values.pop("prizes_to_draw", None)
    terms: Terms = make_terms(now=NOW, prizes=prizes)
    terms = replace(terms, quizzes=quizzes or (replace(terms.main, **(main or {})),), **values)
    return make_campaign(slug, terms=terms, now=NOW)


def quiz(quiz_id: str, **values: Any) -> Quiz:
    return replace(make_terms(now=NOW).main, id=quiz_id, title=f"第{quiz_id}关", **values)


def act(campaign: Campaign, citizen: Citizen, kind: str, source: str, *, now: dt.datetime = NOW, **values: Any) -> bool:
    with transaction():
        view = campaign_queries.get_campaign(campaign.slug)
        return services.record_action(campaign=view, citizen_id=citizen.id, kind=kind, source=source, now=now, **values)


def enter(campaign: Campaign, citizen: Citizen, *, now: dt.datetime = NOW, **values: Any) -> None:
    with transaction():
        services.enter_campaign(campaign=campaign_queries.get_campaign(campaign.slug), citizen_id=citizen.id, now=now, **values)


def grants(citizen: Citizen) -> list[tuple[str, str, int, int]]:
    found = sa.select(AwardGrant).filter_by(citizen_id=citizen.id).order_by(AwardGrant.granted_at, AwardGrant.id)
    return [(row.award_id, row.scope, row.band, row.points) for row in db.session.scalars(found)]


def points(citizen: Citizen) -> int:
    return ledger.get_balance("citizen", str(citizen.id), "points")


# ---- quizzes, rounds, channels


def test_a_level_opens_when_the_one_before_is_passed(citizen: Citizen) -> None:
    passed = Measure("first", where=Condition("passed", at_least=1), quizzes=("one",))
    campaign = season(quizzes=(quiz("one"), quiz("two", requires=Condition("first", at_least=1))), measures=(passed,))
    with pytest.raises(NotUnlocked):
        make.start(campaign, citizen, now=NOW, quiz_id="two")
    make.play(campaign, citizen, right=3, now=NOW, quiz_id="one")
    with pytest.raises(NotUnlocked):
        make.start(campaign, citizen, now=NOW, quiz_id="two")
    make.play(campaign, citizen, right=4, now=NOW + MINUTE, quiz_id="one")
    assert row_of(make.play(campaign, citizen, now=NOW + 2 * MINUTE, quiz_id="two").id).quiz_id == "two"
    with pytest.raises(QuizNotFound):
        make.start(campaign, citizen, now=NOW, quiz_id="three")


def test_tries_of_one_quiz_leave_those_of_another(citizen: Citizen) -> None:
    campaign = season(quizzes=(quiz("one", tries=Tries(per_day=1)), quiz("two", tries=Tries(per_day=1))))
    make.play(campaign, citizen, now=NOW, quiz_id="one")
    with pytest.raises(AttemptLimitReached):
        make.start(campaign, citizen, now=NOW, quiz_id="one")
    make.play(campaign, citizen, now=NOW, quiz_id="two")
    make.play(campaign, citizen, now=NOW + DAY, quiz_id="one")


def test_between_rounds_nothing_begins_and_a_round_has_its_own_tries(citizen: Citizen) -> None:
    stage = Stage("s", NOW - 12 * 60 * MINUTE, NOW + 5 * DAY, rounds=Rounds("day"), opens="09:00", closes="17:00")
    campaign = season(main={"tries": Tries(per_day=None, per_round=1)}, stages=(stage,))
    first = make.play(campaign, citizen, now=NOW)
    with pytest.raises(AttemptLimitReached):
        make.start(campaign, citizen, now=NOW + MINUTE)
    with pytest.raises(RoundClosed) as closed:
        make.start(campaign, citizen, now=NOW + 8 * 60 * MINUTE)
    assert closed.value.extra["next_at"] == "2026-11-23T09:00:00+08:00"
    second = make.play(campaign, citizen, now=NOW + DAY)
    assert row_of(second.id).round_key != row_of(first.id).round_key


def test_an_entrance_has_its_own_count_where_the_terms_say_so(citizen: Citizen) -> None:
    campaign = season(main={"tries": Tries(per_day=1, per_channel=True), "channels": ("web", "app")})
    make.play(campaign, citizen, now=NOW)
    make.play(campaign, citizen, now=NOW, channel="app")
    with pytest.raises(AttemptLimitReached):
        make.start(campaign, citizen, now=NOW, channel="app")
    with pytest.raises(ChannelClosed):
        make.start(campaign, citizen, now=NOW, channel="paper")


def test_everybody_has_the_same_paper_of_the_day(citizen: Citizen) -> None:
    campaign = season(main={"paper": replace(make_terms(now=NOW).paper, same_for="day")})
    other = make_citizen(now=NOW)
    one, two = make.start(campaign, citizen, now=NOW).attempt, make.start(campaign, other, now=NOW).attempt
    papers = [[question.revision_id for question in attempt.questions] for attempt in (one, two)]
    assert papers[0] == papers[1]
    make.hand_in(one, citizen, now=NOW)
    later = make.start(campaign, make_citizen(now=NOW), now=NOW + DAY).attempt
    assert [question.revision_id for question in later.questions] != papers[0]


def test_a_paper_is_repaired_until_all_is_right(citizen: Citizen) -> None:
    campaign = season(main={"tries": Tries(per_day=None, repairs=True), "pass_when": ALL_RIGHT})
    first = make.play(campaign, citizen, right=3, now=NOW)
    again = make.start(campaign, citizen, now=NOW + MINUTE).attempt
    assert [question.revision_id for question in again.questions] == [question.revision_id for question in first.questions]
    assert [question.chosen is not None for question in again.questions] == [True, True, True, False, False]
    for question in again.questions[3:]:
        make.save(again, citizen, question.position, make.right_letters(question), now=NOW + MINUTE)
    assert make.hand_in(again, citizen, now=NOW + 2 * MINUTE).attempt.is_passed
    fresh = make.start(campaign, citizen, now=NOW + 3 * MINUTE).attempt
    assert all(question.chosen is None for question in fresh.questions)


def test_an_invitation_gives_a_further_try(citizen: Citizen) -> None:
    campaign = season(main={"tries": Tries(per_day=1, extra=(ExtraTries("invite"),))}, actions=(Action("invite", "邀请新人"),))
    make.play(campaign, citizen, now=NOW)
    with pytest.raises(AttemptLimitReached):
        make.start(campaign, citizen, now=NOW)
    assert act(campaign, citizen, "invite", "friend-1")
    make.play(campaign, citizen, now=NOW)


# ---- scoring


def test_speed_makes_the_score_and_the_score_makes_the_pass(citizen: Citizen) -> None:
    scoring = Scoring(per_second_left=1, item_seconds=20)
    campaign = season(main={"scoring": scoring, "pass_when": Condition("score", at_least=60), "pass_count": 0})
    attempt = make.start(campaign, citizen, now=NOW).attempt
    for number, question in enumerate(attempt.questions, 1):
        make.save(attempt, citizen, question.position, make.right_letters(question), now=NOW + number * dt.timedelta(seconds=8))
    done = make.hand_in(attempt, citizen, now=NOW + MINUTE).attempt
    assert (done.score, done.correct_count, done.is_passed) == (5 * (1 + 12), 5, True)
    assert row_of(attempt.id).score == 65


def test_after_the_first_wrong_answer_nothing_counts(citizen: Citizen) -> None:
    campaign = season(main={"scoring": Scoring(sudden_death=True)})
    attempt = make.start(campaign, citizen, now=NOW).attempt
    for question in attempt.questions:
        letters = make.wrong_letters(question) if question.position == 3 else make.right_letters(question)
        make.save(attempt, citizen, question.position, letters, now=NOW)
    done = make.hand_in(attempt, citizen, now=NOW).attempt
    assert (done.marks, done.correct_count, done.is_passed) == ("11000", 2, False)


# ---- awards


BANDS = (Band((Gift("points", 2), Gift("tickets")), Condition("correct", at_least=4)), Band((Gift("points", 1),)))


def test_success_brings_points_and_a_ticket_and_failure_a_point(citizen: Citizen) -> None:
    campaign = season(prizes_to_draw=ONE_CODE_PRIZE, awards=(Award("play", BANDS),))
    won = make.play(campaign, citizen, now=NOW)
    lost = make.play(campaign, citizen, right=1, now=NOW)
    assert [(row[0], row[2], row[3]) for row in grants(citizen)] == [("play", 0, 2), ("play", 1, 1)]
    assert points(citizen) == 3
    assert won.ticket_count == row_of(won.id).ticket_count == 2, "one by the draw's own rule and one by the award"
    assert len(tickets(won.id)) == 2
    assert lost.ticket_count == 0
    make.hand_in(won, citizen, now=NOW + MINUTE)
    assert points(citizen) == 3, "a repeat brings nothing"


def test_good_days_of_a_stage_bring_its_certificate_once(citizen: Citizen) -> None:
    stages = (Stage("a", NOW - DAY, NOW + 3 * DAY), Stage("b", NOW + 3 * DAY, NOW + 8 * DAY))
    award = Award("cert", (Band((Gift("certificate", name="普法达人"),), Condition("good_days", at_least=2)),), per="stage")
    campaign = season(stages=stages, measures=(GOOD_DAYS,), awards=(award,))
    for number in range(6):
        make.play(campaign, citizen, now=NOW + number * DAY)
        make.play(campaign, citizen, right=2, now=NOW + number * DAY)
    assert [row[:2] for row in grants(citizen)] == [("cert", "stage:a"), ("cert", "stage:b")]
    assert [(each.kind, each.title) for each in list_own(citizen.id)] == [("certificate", "普法达人")] * 2


def test_minors_play_for_points_but_get_no_ticket_and_no_cash(citizen: Citizen) -> None:
    child = make_citizen(age_band="14_17", now=NOW)
    gifts = (Gift("points", 3), Gift("tickets"), Gift("prize", name="话费"))
    cash = StockPrize("话费", "cash", 5, value_fen=500)
    campaign = season(prizes_to_draw=ONE_CODE_PRIZE, prizes=(cash,), awards=(Award("full", (Band(gifts, ALL_RIGHT),)),))
    attempt = make.play(campaign, child, now=NOW)
    assert (points(child), attempt.ticket_count) == (3, 0)
    assert db.session.scalars(sa.select(Payout)).all() == []


def test_an_action_counts_once_per_source_and_within_its_cap(citizen: Citizen) -> None:
    award = Award("read", (Band((Gift("points", 2),)),), per="action", action="read")
    campaign = season(actions=(Action("read", "读文章", per_day=3),), awards=(award,), points_per_day=5)
    assert act(campaign, citizen, "read", "article-1")
    assert not act(campaign, citizen, "read", "article-1")
    assert act(campaign, citizen, "read", "article-2")
    assert act(campaign, citizen, "read", "article-3")
    assert not act(campaign, citizen, "read", "article-4")
    assert not act(campaign, citizen, "watch", "video-1")
    assert points(citizen) == 5
    assert act(campaign, citizen, "read", "article-4", now=NOW + DAY)
    assert points(citizen) == 7


def test_the_first_two_of_a_day_get_the_prize_from_stock(citizen: Citizen) -> None:
    prize = StockPrize("水杯", "pickup", 24, value_fen=2000)
    award = Award("early", (Band((Gift("prize", name="水杯"),), ALL_RIGHT),), per="campaign", first_per_day=2)
    campaign = season(prizes=(prize,), awards=(award,))
    people = [make_citizen(now=NOW) for _ in range(5)]
    for person in people[:3]:
        make.play(campaign, person, now=NOW)
    for person in people[3:]:
        make.play(campaign, person, now=NOW + DAY)
    owners = [payout.citizen_id for payout in db.session.scalars(sa.select(Payout).order_by(Payout.created_at, Payout.id))]
    assert len(owners) == 4
    assert set(owners) == {people[0].id, people[1].id, people[3].id, people[4].id}
    assert db.session.scalars(sa.select(AwardQuota.used).filter_by(key="prize:水杯")).one() == 4


def test_a_prize_of_an_award_that_nobody_took_is_there_for_the_next(citizen: Citizen) -> None:
    prize = StockPrize("水杯", "pickup", 1, value_fen=2000)
    award = Award("full", (Band((Gift("prize", name="水杯"),), ALL_RIGHT),), per="campaign")
    campaign = season(prizes=(prize,), awards=(award,), claim=Claim(forfeits="stock"))
    make.play(campaign, citizen, now=NOW)
    with transaction():
        forfeit_payouts(citizen_id=citizen.id, now=NOW + MINUTE)
    assert (return_award_prizes(NOW + MINUTE), return_award_prizes(NOW + MINUTE)) == (1, 0)
    follower = make_citizen(now=NOW)
    make.play(campaign, follower, now=NOW + 2 * MINUTE)
    assert [each.citizen_id for each in db.session.scalars(sa.select(Payout).order_by(Payout.id))] == [citizen.id, follower.id]


@postgresql_only
def test_prizes_from_stock_never_pass_their_quantity(app: Flask) -> None:
    prize = StockPrize("水杯", "pickup", 4, value_fen=2000)
    award = Award("full", (Band((Gift("prize", name="水杯"),), ALL_RIGHT),))
    campaign = season(prizes=(prize,), awards=(award,))
    people = [make_citizen(now=NOW) for _ in range(12)]
    papers = [make.start(campaign, person, now=NOW).attempt for person in people]
    for paper, person in zip(papers, people, strict=True):
        make.answer(paper, person, now=NOW)
    gate = threading.Barrier(len(people))
    ids = [person.id for person in people]

    def hand_in(number: int) -> None:
        with app.app_context():
            gate.wait()
            make.hand_in(papers[number], ids[number], now=NOW)

    threads = [threading.Thread(target=hand_in, args=(number,)) for number in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Payout)) == 4


# ---- registration for a campaign


FIELDS = (
    EntryField("school", "学校", "给学校计算参与率"),
    EntryField("grade", "年级", "分年级出榜", kind="choice", choices=("初一", "初二"), is_required=False),
)


def test_one_registers_before_answering_and_is_told_what_is_missing(citizen: Citizen) -> None:
    campaign = season(entry=Entry(fields=FIELDS, closes_at=NOW + DAY))
    with pytest.raises(EntryRequired):
        make.start(campaign, citizen, now=NOW)
    with pytest.raises(NotSignedIn):
        make.start(campaign, now=NOW)
    with pytest.raises(InvalidInput) as refused:
        enter(campaign, citizen, answers={"grade": "高一"})
    assert set(refused.value.fields) == {"school", "grade"}
    enter(campaign, citizen, answers={"school": "松山二中"})
    make.play(campaign, citizen, now=NOW)
    enter(campaign, citizen, answers={"school": "松山一中", "grade": "初一"})
    kept = services.find_entry(campaign.id, citizen.id)
    assert kept is not None
    assert services.read_answers(kept) == {"school": "松山一中", "grade": "初一"}
    assert "松山".encode() not in (kept.answers_encrypted or b"")
    with pytest.raises(EntryClosed):
        enter(campaign, make_citizen(now=NOW), answers={"school": "x"}, now=NOW + DAY)


def test_answers_are_forgotten_when_their_time_is_over(citizen: Citizen) -> None:
    campaign = season(entry=Entry(fields=FIELDS))
    enter(campaign, citizen, answers={"school": "松山二中"})
    view = campaign_queries.get_campaign(campaign.slug)
    for at, expected in ((view.terms.closes_at + 179 * DAY, 0), (view.terms.closes_at + 180 * DAY, 1)):
        with transaction():
            assert services.forget_answers(view, at) == expected


def test_track_and_team_are_chosen_once_and_a_team_has_only_so_many_places(citizen: Citizen) -> None:
    tracks = (Track("solo", "个人赛"), Track("team", "团队赛", kind="team", team_size=2))
    campaign = season(quizzes=(quiz("all"), quiz("teams", tracks=("team",))), tracks=tracks)
    friend, third = make_citizen(now=NOW), make_citizen(now=NOW)
    enter(campaign, citizen, track="team", team_name="红山先锋")
    enter(campaign, friend, track="team", team_name="红山先锋")
    with pytest.raises(TeamFull):
        enter(campaign, third, track="team", team_name="红山先锋")
    with pytest.raises(TrackFixed):
        enter(campaign, citizen, track="solo")
    with pytest.raises(TrackFixed):
        enter(campaign, citizen, track="team", team_name="别的队伍")
    enter(campaign, third, track="solo")
    with pytest.raises(NotEligible):
        make.start(campaign, third, now=NOW, quiz_id="teams")
    assert row_of(make.play(campaign, citizen, now=NOW, quiz_id="teams").id).track == "team"
    assert db.session.scalars(sa.select(CampaignTeam.member_count)).one() == 2


def test_a_plain_campaign_reads_nothing_of_all_this(citizen: Citizen) -> None:
    campaign = make_campaign("plain", terms=make_terms(now=NOW), now=NOW)
    attempt = make.play(campaign, citizen, now=NOW)
    row = row_of(attempt.id)
    assert (row.quiz_id, row.track, row.channel, row.round_key, row.score) == ("main", "", "web", "", None)
    assert db.session.scalars(sa.select(AwardGrant)).all() == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AttemptQuestion)) == 5


# ---- who qualifies for a pool draw


TIER = PoolTier("书包", "pickup", quantity=3)


def qualified(campaign: Campaign, draw: PoolDraw, scope: str) -> dict[Any, tuple[int, int]]:
    db.session.rollback()
    view = campaign_queries.get_campaign(campaign.slug)
    return {entry.citizen_id: (entry.tickets, entry.band) for entry in list_qualified(view, draw, scope)}


def test_good_days_within_a_stage_qualify_for_its_draw(citizen: Citizen) -> None:
    stages = (Stage("a", NOW - DAY, NOW + 3 * DAY), Stage("b", NOW + 3 * DAY, NOW + 8 * DAY))
    many, one = Condition("good_days", at_least=2), Condition("good_days", at_least=1)
    draw = PoolDraw("monthly", "阶段摇号", (TIER,), who=many, cascade=(one,), per="stage")
    campaign = season(stages=stages, measures=(GOOD_DAYS,), draws=(draw,))
    other, idle = make_citizen(now=NOW), make_citizen(now=NOW)
    for number in (0, 1, 3):
        make.play(campaign, citizen, now=NOW + number * DAY)
    make.play(campaign, other, now=NOW)
    make.play(campaign, idle, right=1, now=NOW)
    assert qualified(campaign, draw, "a") == {citizen.id: (1, 0), other.id: (1, 1)}
    assert qualified(campaign, draw, "b") == {citizen.id: (1, 1)}


def test_tickets_that_awards_gave_weigh_up_to_the_cap(citizen: Citizen) -> None:
    award = Award("number", (Band((Gift("tickets", name="grand"),), Condition("percent", at_least=80)),))
    draw = PoolDraw("grand", "收官摇号", (TIER,), tickets="awards", max_tickets=2)
    campaign = season(main={"tries": Tries(per_day=None)}, awards=(award,), draws=(draw,))
    other = make_citizen(now=NOW)
    for number in range(3):
        make.play(campaign, citizen, now=NOW + number * MINUTE)
    make.play(campaign, other, right=4, now=NOW)
    make.play(campaign, other, right=2, now=NOW + MINUTE)
    assert qualified(campaign, draw, "campaign") == {citizen.id: (2, 0), other.id: (1, 0)}


def test_a_paper_begun_in_a_round_and_handed_in_after_it_counts_for_that_round(citizen: Citizen) -> None:
    stage = Stage("s", NOW - 12 * 60 * MINUTE, NOW + 5 * DAY, rounds=Rounds("day"))
    draw = PoolDraw("daily", "每日摇号", (TIER,), per="round")
    campaign = season(stages=(stage,), draws=(draw,))
    last_minute = NOW + 14 * 60 * MINUTE - MINUTE
    paper = make.start(campaign, citizen, now=last_minute).attempt
    make.answer(paper, citizen, now=last_minute)
    make.hand_in(paper, citizen, now=last_minute + 2 * MINUTE)
    key = row_of(paper.id).round_key
    assert set(qualified(campaign, draw, key)) == {citizen.id}


def test_what_must_be_done_first_can_be_asked_of_the_same_day(citizen: Citizen) -> None:
    watched = Measure("watched", of="action:watch")
    campaign = season(
        main={"requires": Condition("watched", at_least=1), "requires_per": "day"},
        actions=(Action("watch", "看视频"),),
        measures=(watched,),
    )
    act(campaign, citizen, "watch", "v1")
    make.play(campaign, citizen, now=NOW)
    with pytest.raises(NotUnlocked):
        make.start(campaign, citizen, now=NOW + DAY)
    act(campaign, citizen, "watch", "v2", now=NOW + DAY)
    make.play(campaign, citizen, now=NOW + DAY)


def test_wins_of_one_draw_qualify_for_another(citizen: Citizen) -> None:
    wins = Measure("wins", of="win:weekly")
    weekly = PoolDraw("weekly", "每周摇号", (PoolTier("水杯", "pickup", quantity=1),), after_days=1, at="00:00")
    extra = PoolDraw("extra", "加奖", (TIER,), who=Condition("wins", at_least=1), after_days=9)
    campaign = season(measures=(wins,), draws=(weekly, extra))
    other = make_citizen(now=NOW)
    make.play(campaign, citizen, now=NOW)
    make.play(campaign, other, now=NOW)
    closes_at = campaign_queries.get_campaign(campaign.slug).terms.closes_at
    assert qualified(campaign, extra, "campaign") == {}
    for minutes in (1, 2):
        hold_pool_draws(closes_at + DAY + minutes * MINUTE)
    [winner] = db.session.scalars(sa.select(PoolWin.citizen_id))
    assert qualified(campaign, extra, "campaign") == {winner: (1, 0)}


def test_who_takes_no_part_in_prizes_is_on_no_list_and_gets_none_from_stock(citizen: Citizen) -> None:
    award = Award("full", (Band((Gift("points", 2), Gift("prize", name="水杯")), ALL_RIGHT),))
    draw = PoolDraw("grand", "收官摇号", (TIER,))
    weighed = replace(draw, id="weighed", who=Condition("good_days", at_least=1))
    prize = StockPrize("水杯", "pickup", 9, value_fen=2000)
    campaign = season(measures=(GOOD_DAYS,), awards=(award,), prizes=(prize,), draws=(draw, weighed))
    staff = make_citizen(now=NOW)
    with transaction():
        bar_person(
            campaign_id=campaign.id, reason="organiser_staff", note="", staff_id=None, actor=SYSTEM, organisation_path="/", now=NOW,
            citizen_id=staff.id,
        )  # fmt: skip
    for person in (citizen, staff):
        make.play(campaign, person, now=NOW)
    assert (points(citizen), points(staff)) == (2, 2)
    assert db.session.scalars(sa.select(Payout.citizen_id)).all() == [citizen.id]
    assert set(qualified(campaign, draw, "campaign")) == set(qualified(campaign, weighed, "campaign")) == {citizen.id}

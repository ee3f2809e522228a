import datetime as dt
from dataclasses import replace

import pytest

from quizapp.accounts.models import Citizen
from quizapp.attempts.errors import (
    AdoptionExpired,
    AlreadyAdopted,
    AttemptClosed,
    AttemptNotFound,
    GuestLimitReached,
    OpenAttemptExists,
    ProfileIncomplete,
    RegistrationRequired,
)
from quizapp.campaigns.errors import AttemptLimitReached, NotEligible
from quizapp.campaigns.models import Campaign
from quizapp.core.errors import NotSignedIn
from tests.attempts.conftest import MINUTE, NOW
from tests.attempts.looking import points, row_of, tickets
from tests.factories import attempts as make
from tests.factories.accounts import make_citizen
from tests.factories.attempts import DEVICE
from tests.factories.campaigns import make_campaign, pause

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def test_a_guests_answers_are_kept_and_the_result_waits_for_adoption(campaign: Campaign, citizen: Citizen) -> None:
    started = make.start(campaign, now=NOW)
    token = started.guest_token or ""
    row = row_of(started.attempt.id)
    assert (row.citizen_id, row.day_try, row.total_try) == (None, None, None)
    assert token.encode() not in (row.guest_token_hash or b"")
    make.answer(started.attempt, token, 4, now=NOW)
    for _ in range(2):
        handed_in = make.hand_in(started.attempt, token, now=NOW + MINUTE)
        assert isinstance(handed_in.refusal, RegistrationRequired)
        assert (handed_in.refusal.code, handed_in.refusal.http_status) == ("registration_required", 401)
    row = row_of(started.attempt.id)
    assert (row.state, row.handed_in_at, row.correct_count) == ("handed_in", NOW + MINUTE, None)
    assert make.save(started.attempt, token, 5, ["A"], now=NOW + MINUTE).refusal is not None

    adopted = make.adopt(started.attempt, citizen, token, now=NOW + HOUR)
    assert adopted.refusal is None
    assert (adopted.attempt.correct_count, adopted.attempt.ticket_count) == (4, 1)
    row = row_of(started.attempt.id)
    assert (row.citizen_id, row.day_try, row.adopted_at, row.submitted_at) == (citizen.id, 1, NOW + HOUR, NOW + HOUR)
    assert (row.handed_in_at, row.demographic_group, row.is_automatic) == (NOW + MINUTE, "resident", False)
    assert points(citizen) == 20


def test_adoption_twice_by_the_same_citizen_answers_the_same_and_by_another_is_refused(campaign: Campaign, citizen: Citizen) -> None:
    paper, token = make.guest_paper(campaign, right=4, now=NOW)
    first = make.adopt(paper, citizen, token, now=NOW)
    again = make.adopt(paper, citizen, token, now=NOW + MINUTE)
    assert first == again
    with pytest.raises(AlreadyAdopted) as refusal:
        make.adopt(paper, make_citizen(), token, now=NOW + MINUTE)
    assert (refusal.value.code, refusal.value.http_status) == ("already_adopted", 409)
    assert len(tickets(paper.id)) == 1
    assert points(citizen) == 20


def test_after_adoption_the_token_opens_nothing(campaign: Campaign, citizen: Citizen) -> None:
    paper, token = make.guest_paper(campaign, now=NOW)
    make.adopt(paper, citizen, token, now=NOW)
    with pytest.raises(AttemptNotFound):
        make.hand_in(paper, token, now=NOW)


def test_a_wrong_token_adopts_nothing(campaign: Campaign, citizen: Citizen) -> None:
    paper, token = make.guest_paper(campaign, now=NOW)
    other, other_token = make.guest_paper(campaign, now=NOW)
    for wrong in ("", "x", token[:-1], other_token):
        with pytest.raises(AttemptNotFound):
            make.adopt(paper, citizen, wrong, now=NOW)
    assert row_of(paper.id).citizen_id is None
    assert other.id != paper.id


def test_adoption_uses_a_try_of_the_day_of_the_start(campaign: Campaign, citizen: Citizen) -> None:
    evening = dt.datetime(2026, 11, 22, 15, 50, tzinfo=dt.UTC)
    paper, token = make.guest_paper(campaign, now=evening)
    spare, spare_token = make.guest_paper(campaign, now=evening)
    for _ in range(2):
        make.play(campaign, citizen, now=NOW)
    next_day = evening + 12 * HOUR
    assert make.adopt(paper, citizen, token, now=next_day).attempt.state == "graded"
    row = row_of(paper.id)
    assert (row.started_on, row.day_try, row.submitted_on, row.day_turn) == (dt.date(2026, 11, 22), 3, dt.date(2026, 11, 23), 1)
    with pytest.raises(AttemptLimitReached):
        make.adopt(spare, citizen, spare_token, now=next_day)
    assert row_of(spare.id).citizen_id is None
    assert make.start(campaign, citizen, now=next_day).is_new


def test_a_guests_paper_waits_24_hours(campaign: Campaign, citizen: Citizen) -> None:
    paper, token = make.guest_paper(campaign, now=NOW)
    late, late_token = make.guest_paper(campaign, now=NOW)
    assert make.adopt(paper, citizen, token, now=NOW + DAY - MINUTE).attempt.state == "graded"
    with pytest.raises(AdoptionExpired) as refusal:
        make.adopt(late, citizen, late_token, now=NOW + DAY)
    assert refusal.value.code == "adoption_expired"


def test_an_open_paper_becomes_the_citizens_and_goes_on(campaign: Campaign, citizen: Citizen) -> None:
    paper, token = make.guest_paper(campaign, right=2, handed_in=False, now=NOW)
    adopted = make.adopt(paper, citizen, token, now=NOW + MINUTE).attempt
    assert (adopted.state, adopted.citizen_id, adopted.correct_count) == ("open", citizen.id, None)
    assert make.start(campaign, citizen, now=NOW + MINUTE).attempt.id == paper.id
    make.answer(adopted, citizen, 5, now=NOW + 2 * MINUTE)
    assert make.hand_in(adopted, citizen, now=NOW + 3 * MINUTE).attempt.correct_count == 5


def test_an_open_paper_is_refused_to_somebody_who_has_one_open(campaign: Campaign, citizen: Citizen) -> None:
    own = make.start(campaign, citizen, now=NOW).attempt
    paper, token = make.guest_paper(campaign, handed_in=False, now=NOW)
    with pytest.raises(OpenAttemptExists) as refusal:
        make.adopt(paper, citizen, token, now=NOW)
    assert refusal.value.extra == {"attempt_id": str(own.id)}
    done, done_token = make.guest_paper(campaign, now=NOW)
    assert make.adopt(done, citizen, done_token, now=NOW).attempt.state == "graded"
    assert row_of(own.id).state == "open"


def test_adoption_settles_the_citizens_overdue_paper_first(campaign: Campaign, citizen: Citizen) -> None:
    own = make.start(campaign, citizen, now=NOW).attempt
    make.answer(own, citizen, 4, now=NOW)
    paper, token = make.guest_paper(campaign, handed_in=False, now=NOW + 6 * MINUTE)
    assert make.adopt(paper, citizen, token, now=NOW + 7 * MINUTE).attempt.state == "open"
    assert row_of(own.id).state == "graded"


def test_a_guests_answered_paper_past_its_deadline_counts_as_handed_in(campaign: Campaign, citizen: Citizen) -> None:
    paper, token = make.guest_paper(campaign, right=4, handed_in=False, now=NOW)
    adopted = make.adopt(paper, citizen, token, now=NOW + HOUR).attempt
    assert (adopted.state, adopted.correct_count, adopted.is_automatic) == ("graded", 4, True)


def test_a_guests_blank_paper_past_its_deadline_is_closed(campaign: Campaign, citizen: Citizen) -> None:
    started = make.start(campaign, now=NOW)
    handed_in = make.adopt(started.attempt, citizen, started.guest_token or "", now=NOW + HOUR)
    assert isinstance(handed_in.refusal, AttemptClosed)
    row = row_of(started.attempt.id)
    assert (row.state, row.citizen_id) == ("lapsed", None)


def test_adoption_by_somebody_unregistered_waits_for_the_profile(campaign: Campaign) -> None:
    new = make_citizen(group=None)
    paper, token = make.guest_paper(campaign, now=NOW)
    with pytest.raises(ProfileIncomplete):
        make.adopt(paper, new, token, now=NOW)
    assert row_of(paper.id).citizen_id is None


def test_adoption_asks_for_eligibility_and_survives_pause_and_end(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, eligibility={"groups": ("youth",)}, closes_at=NOW + HOUR)
    paper, token = make.guest_paper(campaign, now=NOW)
    with pytest.raises(NotEligible):
        make.adopt(paper, citizen, token, now=NOW)
    pause(campaign, now=NOW)
    assert make.adopt(paper, make_citizen(group="youth"), token, now=NOW + 2 * HOUR).attempt.state == "graded"


def test_guests_are_limited_per_device_campaign_and_day(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, eligibility={"guest_starts_per_device_day": 2})
    other = make_campaign("other", now=NOW, eligibility={"guest_starts_per_device_day": 2})
    make.start(campaign, now=NOW)
    make.start(campaign, now=NOW)
    for _ in range(2):
        with pytest.raises(GuestLimitReached):
            make.start(campaign, now=NOW)
    make.start(campaign, now=NOW, device=replace(DEVICE, tag=b"e" * 32))
    make.start(other, now=NOW)
    make.start(campaign, citizen, now=NOW)
    make.start(campaign, now=NOW + DAY)


def test_an_address_shared_by_many_has_a_looser_limit(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, eligibility={"guest_starts_per_device_day": 1})
    village = replace(DEVICE, is_shared=True)
    for _ in range(5):
        make.start(campaign, now=NOW, device=village)


def test_a_campaign_may_want_registration_first(citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, eligibility={"allows_guests": False})
    with pytest.raises(NotSignedIn):
        make.start(campaign, now=NOW)

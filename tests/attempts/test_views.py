import datetime as dt
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Citizen
from quizapp.accounts.services import export_citizen
from quizapp.attempts import hooks, queries
from quizapp.attempts.models import Attempt, AttemptEvent
from quizapp.attempts.queries import AttemptView
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import FixedReward, Points
from quizapp.core.db import db, transaction
from quizapp.lottery.services import draw_ticket
from quizapp.questions.queries import get_revisions, list_pool
from tests.attempts.conftest import MINUTE, NOW
from tests.factories import attempts as make
from tests.factories.accounts import headers_for, make_citizen, make_staff, sign_in
from tests.factories.campaigns import ONE_CODE_PRIZE, make_campaign, pause
from tests.factories.questions import make_bank

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def phone(client: FlaskClient) -> FlaskClient:
    """A browser of somebody who is not signed in."""
    return client


def _csrf(client: FlaskClient, path: str) -> str:
    found = TOKEN.search(client.get(path).text)
    assert found, f"{path} has no form"
    return found[1]


def _post(client: FlaskClient, path: str, page: str, **form: Any) -> Any:
    return client.post(path, data={"csrf_token": _csrf(client, page), **form})


def _start(client: FlaskClient, slug: str = "c", **form: Any) -> Any:
    return _post(client, f"/campaigns/{slug}/start", f"/campaigns/{slug}", **form)


def _now(attempt: AttemptView) -> AttemptView:
    """The paper as it has become."""
    db.session.rollback()
    return queries.get_attempt(attempt.id)


def _begin(client: FlaskClient, slug: str = "c", **form: Any) -> AttemptView:
    """Press the start button; the paper that came of it."""
    started = _start(client, slug, **form)
    assert started.status_code == 303, started.text
    db.session.rollback()
    return queries.get_attempt(uuid.UUID(started.location.split("/")[2]))


def _path(attempt: AttemptView, tail: Any) -> str:
    return f"/attempts/{attempt.id}/{tail}"


def _answer_all(client: FlaskClient, attempt: AttemptView, right: int = 5) -> Any:
    """Without JavaScript: choose, press the button, until the last one hands in."""
    answer = None
    for question in attempt.questions:
        path = _path(attempt, question.position)
        letters = make.right_letters(question) if question.position <= right else make.wrong_letters(question)
        go = "next" if question.position < attempt.question_count else "hand_in"
        answer = _post(client, path, path, ans=letters, go=go)
        assert answer.status_code == 303
    return answer


# ---- a citizen without JavaScript


def test_a_citizen_plays_without_javascript(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    sign_in(phone, citizen)
    attempt = _begin(phone, client_nonce="ab" * 16)
    assert (attempt.citizen_id, attempt.client_nonce) == (citizen.id, "ab" * 16)
    page = phone.get(_path(attempt, 1)).text
    assert "data-timer" in page
    assert f'data-save-url="/api/v1/attempts/{attempt.id}/answers/1"' in page
    assert "没登录也能答" not in page

    handed_in = _answer_all(phone, attempt, right=4)
    assert handed_in.location == _path(attempt, "result")
    result = phone.get(handed_in.location).text
    assert "/ 5 题答对" in result
    assert "真不错，可以拆红包了" in result
    assert f"/attempts/{attempt.id}/draw?ticket=1" in result
    assert '《消费者权益保护法》<span class="nb">第二十五条</span>' in result
    assert result.count("的讲解") == 5
    assert "再答一次" in result
    assert "积分 +20" in result


def test_going_back_keeps_answers_and_shows_them(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    sign_in(phone, citizen)
    attempt = _begin(phone)
    first, second = _path(attempt, 1), _path(attempt, 2)
    assert _post(phone, first, first, ans=["B"], go="next").location == second
    assert _post(phone, second, second, ans=["A"], go="previous").location == first
    assert re.search(r'value="B" checked', phone.get(first).text)
    assert queries.get_attempt(attempt.id).saved_positions == (1, 2)


def test_leaving_and_starting_again_resumes_at_the_first_unanswered(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    sign_in(phone, citizen)
    attempt = _begin(phone)
    _post(phone, _path(attempt, 1), _path(attempt, 1), ans=["A"])
    assert _path(attempt, 2) in phone.get("/campaigns/c").text
    assert _start_again(phone, "/me/attempts").location == _path(attempt, 2)


def _start_again(client: FlaskClient, page: str) -> Any:
    return _post(client, "/campaigns/c/start", page)


def test_the_overview_names_what_is_not_answered(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    sign_in(phone, citizen)
    attempt = _begin(phone)
    last = _path(attempt, 5)
    assert _post(phone, last, last, ans=["A"], go="hand_in").location == _path(attempt, "review")
    page = phone.get(_path(attempt, "review")).text
    assert "还有 4 道题没选答案" in page
    assert (page.count("没答"), page.count("已答")) == (4, 1)
    answer = _post(phone, _path(attempt, "hand-in"), _path(attempt, "review"))
    assert answer.location == _path(attempt, "result")
    assert "没有选" in phone.get(answer.location).text


def test_two_answers_to_a_single_choice_keep_the_page_with_its_error(phone: FlaskClient, citizen: Citizen) -> None:
    make_bank("singles", count=5, kinds=("single",), now=NOW)
    make_campaign("singles", now=NOW, banks=("singles",))
    sign_in(phone, citizen)
    attempt = _begin(phone, "singles")
    path = _path(attempt, 1)
    answer = _post(phone, path, path, ans=["A", "B"])
    assert answer.status_code == 422
    assert "这道题只能选一个答案" in answer.text
    assert _post(phone, path, path, ans=["Z"]).status_code == 422
    assert queries.get_attempt(attempt.id).saved_positions == ()


def test_large_type_by_cookie_gives_more_time(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    sign_in(phone, citizen)
    phone.set_cookie("large", "1")
    assert _begin(phone).deadline_at == NOW + 8 * MINUTE


def test_a_nonsense_nonce_of_a_page_counts_as_none(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    sign_in(phone, citizen)
    assert _begin(phone, client_nonce="not hex" * 30).client_nonce == ""


def test_a_campaign_without_a_time_limit_shows_no_countdown(phone: FlaskClient, citizen: Citizen) -> None:
    make_campaign("slow", now=NOW, limit_seconds=None)
    sign_in(phone, citizen)
    page = phone.get(_start(phone, "slow").location).text
    assert "data-timer-text" not in page


# ---- time


def test_at_the_deadline_the_pages_hand_in_what_was_saved(
    phone: FlaskClient, campaign: Campaign, citizen: Citizen, clock: time_machine.Traveller
) -> None:
    sign_in(phone, citizen)
    attempt = _begin(phone)
    token = _csrf(phone, _path(attempt, 1))
    phone.post(_path(attempt, 1), data={"csrf_token": token, "ans": make.right_letters(attempt.questions[0])})
    clock.move_to(NOW + 5 * MINUTE)
    late = phone.post(_path(attempt, 2), data={"csrf_token": token, "ans": ["A"]})
    assert (late.status_code, late.location) == (303, _path(attempt, "result"))
    db.session.rollback()
    assert db.session.scalar(sa.select(AttemptEvent.kind)) == "late_answer"
    assert phone.get(_path(attempt, 2)).location == _path(attempt, "result")
    page = phone.get(_path(attempt, "result"))
    assert "时间到了，正在交卷" in page.text
    assert _now(attempt).state == "open"
    done = phone.post(_path(attempt, "hand-in"), data={"csrf_token": token})
    assert done.location == _path(attempt, "result")
    assert "这一轮到时间自动交卷" in phone.get(done.location).text
    assert _now(attempt).correct_count == 1


def test_a_blank_paper_past_its_deadline_says_so(
    phone: FlaskClient, campaign: Campaign, citizen: Citizen, clock: time_machine.Traveller
) -> None:
    sign_in(phone, citizen)
    attempt = _begin(phone)
    clock.move_to(NOW + 5 * MINUTE)
    page = phone.get(_path(attempt, "result"))
    assert "没有作答" in page.text
    assert phone.get(_path(attempt, "review")).location == _path(attempt, "result")


# ---- guests


def test_a_guest_plays_registers_and_sees_the_result(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    attempt = _begin(phone)
    assert attempt.citizen_id is None
    assert "没登录也能答" in phone.get(_path(attempt, 1)).text
    handed_in = _answer_all(phone, attempt, right=4)
    assert handed_in.location == _path(attempt, "hand-in")
    held = phone.get(handed_in.location).text
    assert "5 道题都收到了" in held
    assert f"/register?next=/attempts/{attempt.id}/adopt" in held.replace("%2F", "/")
    for word in ("题答对", "正确答案", "讲解：", "的讲解"):
        assert word not in held
    assert phone.get(_path(attempt, 1)).location == _path(attempt, "hand-in")
    assert phone.get(_path(attempt, "result")).location == _path(attempt, "hand-in")
    assert phone.get(_path(attempt, "adopt")).location.startswith("/sign-in?next=")

    sign_in(phone, citizen)
    adopting = phone.get(_path(attempt, "adopt"))
    assert "算作您的一次答题" in adopting.text
    assert 'data-timer-form="adopt"' in adopting.text
    assert _now(attempt).citizen_id is None
    taken = _post(phone, _path(attempt, "adopt"), _path(attempt, "adopt"))
    assert (taken.status_code, taken.location) == (303, _path(attempt, "result"))
    assert "真不错，可以拆红包了" in phone.get(taken.location).text
    with phone.session_transaction() as session:
        assert session.get("guests") == {}
    assert _post(phone, _path(attempt, "adopt"), "/me/attempts").location == _path(attempt, "result")


def test_a_guest_who_comes_back_goes_on_where_they_were(phone: FlaskClient, campaign: Campaign) -> None:
    attempt = _begin(phone)
    _post(phone, _path(attempt, 1), _path(attempt, 1), ans=["A"])
    page = phone.get("/campaigns/c").text
    assert _path(attempt, 2) in page
    assert _post(phone, "/campaigns/c/start", _path(attempt, 2)).location == _path(attempt, 2)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) == 1
    stranger = phone.application.test_client()
    assert stranger.get(_path(attempt, 2)).location.startswith("/sign-in")


def test_a_guest_with_a_waiting_paper_is_led_to_it_and_may_begin_another(phone: FlaskClient, campaign: Campaign) -> None:
    attempt = _begin(phone)
    _answer_all(phone, attempt)
    assert _start(phone).location == _path(attempt, "hand-in")
    assert _begin(phone, again="1").id != attempt.id


def test_the_same_browser_remembers_only_so_many_papers(phone: FlaskClient, campaign: Campaign) -> None:
    begun = [_begin(phone, again="1").id.hex for _ in range(7)]
    with phone.session_transaction() as session:
        assert list(session["guests"]) == begun[2:]
    cookie = phone.get_cookie("quiz_citizen")
    assert cookie is not None
    assert len(cookie.value) < 2000


def test_an_open_guests_paper_goes_on_after_sign_in(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    attempt = _begin(phone)
    _post(phone, _path(attempt, 1), _path(attempt, 1), ans=["A"])
    sign_in(phone, citizen)
    assert _path(attempt, "adopt") in phone.get("/campaigns/c").text
    taken = _post(phone, _path(attempt, "adopt"), _path(attempt, "adopt"))
    assert taken.location == _path(attempt, 2)
    assert _now(attempt).citizen_id == citizen.id


def test_a_guests_hand_in_after_sign_in_leads_to_adoption(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    attempt = _begin(phone)
    for question in attempt.questions:
        _post(phone, _path(attempt, question.position), _path(attempt, question.position), ans=make.right_letters(question))
    sign_in(phone, citizen)
    assert _post(phone, _path(attempt, "hand-in"), _path(attempt, "review")).location == _path(attempt, "adopt")


def test_adoption_without_tries_left_says_so_and_keeps_the_citizens_count(phone: FlaskClient, citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, per_day=1)
    make.play(campaign, citizen, now=NOW)
    attempt = _begin(phone)
    _answer_all(phone, attempt)
    sign_in(phone, citizen)
    answer = _post(phone, _path(attempt, "adopt"), _path(attempt, "adopt"))
    assert answer.status_code == 409
    assert "今日答题次数已用完" in answer.text
    assert _now(attempt).citizen_id is None


def test_adopting_an_open_paper_with_another_open_leads_to_that_one(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    own = make.start(campaign, citizen, now=NOW).attempt
    _start(phone)
    guest = _guest_row()
    sign_in(phone, citizen)
    answer = _post(phone, _path(guest, "adopt"), _path(guest, "adopt"))
    assert answer.status_code == 409
    assert _path(own, "result") in answer.text


def _guest_row() -> AttemptView:
    db.session.rollback()
    attempt_id = db.session.scalar(sa.select(Attempt.id).where(Attempt.citizen_id.is_(None)))
    assert attempt_id is not None
    return queries.get_attempt(attempt_id)


def test_somebody_unregistered_is_sent_to_the_form_and_back(phone: FlaskClient, campaign: Campaign) -> None:
    new = make_citizen(group=None)
    sign_in(phone, new)
    attempt = _begin(phone)
    handed_in = _answer_all(phone, attempt)
    assert handed_in.location.startswith("/register?")
    assert _now(attempt).state == "handed_in"
    with transaction():
        db.session.execute(sa.update(Citizen).filter_by(id=new.id).values(demographic_group="youth"))
    page = phone.get(_path(attempt, "result"))
    assert "答卷收到了" in page.text
    assert _post(phone, _path(attempt, "hand-in"), _path(attempt, "result")).location == _path(attempt, "result")
    assert _now(attempt).correct_count == 5


def test_a_guests_paper_of_yesterday_is_gone(phone: FlaskClient, campaign: Campaign, clock: time_machine.Traveller) -> None:
    attempt = _begin(phone)
    _answer_all(phone, attempt)
    clock.move_to(NOW + dt.timedelta(hours=24))
    page = phone.get(_path(attempt, "hand-in"))
    assert "这份答卷过期了" in page.text
    assert _begin(phone).id != attempt.id


# ---- refusals as pages


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"opens_at": NOW + 60 * MINUTE}, "活动还没开始"),
        ({"eligibility": {"groups": ("youth",)}}, "这场活动有参加范围"),
    ],
)
def test_a_start_that_cannot_be_is_a_page_with_the_reason(phone: FlaskClient, citizen: Citizen, values: dict[str, Any], words: str) -> None:
    make_campaign(now=NOW, **values)
    sign_in(phone, citizen)
    answer = _post(phone, "/campaigns/c/start", "/me/attempts")
    assert answer.status_code in (403, 409)
    assert words in answer.text
    assert "/campaigns/c" in answer.text


def test_paused_ended_and_used_up_are_pages(
    phone: FlaskClient, campaign: Campaign, citizen: Citizen, clock: time_machine.Traveller
) -> None:
    sign_in(phone, citizen)
    for _ in range(3):
        make.play(campaign, citizen, now=NOW)
    token = _csrf(phone, "/me/attempts")
    assert "今天的次数用完了" in phone.post("/campaigns/c/start", data={"csrf_token": token}).text
    pause(campaign, now=NOW)
    assert "活动先停一停" in phone.post("/campaigns/c/start", data={"csrf_token": token}).text
    clock.move_to(NOW + dt.timedelta(days=11))
    assert phone.post("/campaigns/c/start", data={"csrf_token": token}).status_code == 409


def test_a_guest_past_the_devices_limit_is_asked_to_sign_in(phone: FlaskClient, citizen: Citizen) -> None:
    make_campaign(now=NOW, eligibility={"guest_starts_per_device_day": 1})
    _start(phone)
    answer = _start(phone, again="1")
    assert answer.status_code == 409
    assert "/sign-in?next=" in answer.text


def test_where_registration_comes_first_the_start_leads_to_sign_in(phone: FlaskClient, citizen: Citizen) -> None:
    make_campaign(now=NOW, eligibility={"allows_guests": False})
    answer = _start(phone)
    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in?next=")


def test_anothers_pages_are_not_found_and_nobodys_ask_to_sign_in(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.play(campaign, citizen, now=NOW)
    paths = [_path(attempt, tail) for tail in (1, "review", "result", "hand-in", "adopt")]
    for path in paths:
        assert phone.get(path).location.startswith("/sign-in?next=")
    unknown = f"/attempts/{uuid.uuid4()}/result"
    assert phone.get(unknown).location.startswith("/sign-in?next=")
    sign_in(phone, make_citizen())
    for path in paths:
        assert phone.get(path).status_code == 404
    token = _csrf(phone, "/me/attempts")
    for tail in (1, "hand-in", "adopt"):
        assert phone.post(_path(attempt, tail), data={"csrf_token": token, "ans": "A"}).status_code == 404


def test_posts_need_the_token(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    sign_in(phone, citizen)
    attempt = make.start(campaign, citizen, now=NOW).attempt
    for path in ("/campaigns/c/start", _path(attempt, 1), _path(attempt, "hand-in"), _path(attempt, "adopt")):
        assert phone.post(path, data={"ans": "A"}).status_code == 400
    saved = phone.put(f"/api/v1/attempts/{attempt.id}/answers/1", json={"choices": ["A"]})
    assert (saved.status_code, saved.json["code"]) == (400, "csrf_failed")
    assert queries.get_attempt(attempt.id).saved_positions == ()


def test_a_page_saves_by_put_with_its_cookie_and_token(phone: FlaskClient, campaign: Campaign) -> None:
    """What the script does, for a guest: the token of the paper is in the signed cookie."""
    attempt = _begin(phone)
    token = re.search(r'name="csrf-token" content="([^"]+)"', phone.get(_path(attempt, 1)).text)
    assert token
    saved = phone.put(f"/api/v1/attempts/{attempt.id}/answers/1", json={"choices": ["A"]}, headers={"X-CSRFToken": token[1]})
    assert saved.status_code == 200
    assert queries.get_attempt(attempt.id).saved_positions == (1,)


def test_a_request_with_a_bearer_token_is_judged_without_the_cookie(phone: FlaskClient, campaign: Campaign) -> None:
    attempt = _begin(phone)
    path = f"/api/v1/attempts/{attempt.id}"
    assert phone.get(path).status_code == 200
    assert phone.get(path, headers=headers_for(make_citizen())).status_code == 404


def test_staff_do_not_play_with_their_own_cookie(phone: FlaskClient, campaign: Campaign) -> None:
    sign_in(phone, make_staff())
    assert _begin(phone).citizen_id is None


# ---- the key, and what is shown


def test_no_page_before_the_hand_in_carries_the_key(phone: FlaskClient, campaign: Campaign) -> None:
    pool = get_revisions(item.revision_id for item in list_pool(banks=("consumer-rights",)))
    secrets = {view.explanation for view in pool.values()} | {"的讲解", "正确答案", "消费者权益保护法"}
    attempt = _begin(phone)
    seen = [_start(phone).text]
    for question in attempt.questions:
        path = _path(attempt, question.position)
        seen.append(phone.get(path).text)
        seen.append(_post(phone, path, path, ans=["Z"]).text)
        seen.append(_post(phone, path, path, ans=make.wrong_letters(question)).text)
    for page in (_path(attempt, "review"), "/campaigns/c", "/", "/campaigns"):
        seen.append(phone.get(page).text)
    seen.append(_post(phone, _path(attempt, "hand-in"), _path(attempt, "review")).text)
    seen += [phone.get(_path(attempt, tail), follow_redirects=True).text for tail in ("hand-in", "result", "adopt", 1)]
    assert len(seen) > 20
    for body in seen:
        for secret in secrets:
            assert secret not in body


def test_withheld_feedback_shows_the_count_and_the_own_answers_only(phone: FlaskClient, citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, feedback="after_close")
    attempt = make.play(campaign, citizen, right=3, now=NOW)
    sign_in(phone, citizen)
    page = phone.get(_path(attempt, "result")).text
    assert "正确答案和讲解" in page
    assert "您选的：" in page
    assert "的讲解" not in page
    assert "正确答案：" not in page


def test_a_minor_sees_the_fixed_reward_and_no_packet(phone: FlaskClient, citizen: Citizen) -> None:
    campaign = make_campaign(now=NOW, prizes=ONE_CODE_PRIZE, fixed_reward=FixedReward(30), points=Points(passed=20))
    young = make_citizen(age_band="14_17")
    attempt = make.play(campaign, young, now=NOW)
    sign_in(phone, young)
    page = phone.get(_path(attempt, "result")).text
    assert "30 积分奖励已经到手" in page
    assert "红包" not in page


def test_a_drawn_ticket_is_no_packet_any_more(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.play(campaign, citizen, now=NOW)
    sign_in(phone, citizen)
    assert "您有 1 个红包待拆" in phone.get(_path(attempt, "result")).text
    with transaction():
        draw_ticket(citizen_id=citizen.id, source_type="attempt", source_id=attempt.id, sequence=1, now=NOW)
    page = phone.get(_path(attempt, "result")).text
    assert "这轮的红包拆过了" in page
    assert "看抽奖结果" in page
    assert "待拆" not in page


def test_a_ticket_nobody_used_in_time_has_ended(
    phone: FlaskClient, campaign: Campaign, citizen: Citizen, clock: time_machine.Traveller
) -> None:
    attempt = make.play(campaign, citizen, now=NOW)
    clock.move_to(NOW + dt.timedelta(hours=25))
    sign_in(phone, citizen)
    assert "这轮的红包过期了" in phone.get(_path(attempt, "result")).text


def test_the_list_shows_every_state_and_leads_on(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    sign_in(phone, citizen)
    assert "还没有答题记录" in phone.get("/me/attempts").text
    make.play(campaign, citizen, right=3, now=NOW)
    opened = make.start(campaign, citizen, now=NOW).attempt
    page = phone.get("/me/attempts").text
    assert "3 / 5 题" in page
    assert _path(opened, "result") in page
    assert phone.get(_path(opened, "result")).location == _path(opened, 1)
    assert "还没有答题记录" in phone.get("/me/attempts?page=2").text


def test_the_list_is_for_citizens(phone: FlaskClient) -> None:
    assert phone.get("/me/attempts").location.startswith("/sign-in")


# ---- what the package tells others


def test_the_campaign_page_counts_the_tries_left(phone: FlaskClient, campaign: Campaign, citizen: Citizen) -> None:
    sign_in(phone, citizen)
    assert re.search(r'<p class="n">3 ', phone.get("/campaigns/c").text)
    make.play(campaign, citizen, now=NOW)
    assert re.search(r'<p class="n">2 ', phone.get("/campaigns/c").text)
    for _ in range(2):
        make.play(campaign, citizen, now=NOW)
    page = phone.get("/campaigns/c").text
    assert "今日答题次数已用完" in page


def test_the_export_of_a_citizens_data_holds_the_attempts(app: Flask, campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.play(campaign, citizen, right=3, now=NOW)
    make.play(campaign, make_citizen(), now=NOW)
    exported = export_citizen(app.extensions["vault"], citizen.id, NOW)["attempts"]
    assert [(item["id"], item["correct_count"]) for item in exported] == [(str(attempt.id), 3)]


def test_open_papers_of_somebody_who_leaves_are_given_up(campaign: Campaign, citizen: Citizen) -> None:
    attempt = make.start(campaign, citizen, now=NOW).attempt
    with transaction():
        hooks.give_up_papers(citizen.id, NOW)
    assert queries.get_attempt(attempt.id).state == "lapsed"

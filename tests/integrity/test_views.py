"""Pages of reviewers, citizens, the complaint desk and the public."""

import re
import uuid

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import StaffAccount
from quizapp.audit.models import AuditEntry
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db, transaction
from quizapp.integrity import rules
from quizapp.integrity.models import Appeal, Case, Complaint, ComplaintEvent, Decision
from quizapp.payouts.models import Payout
from quizapp.web import limits
from tests.factories.accounts import headers_for, make_citizen, make_organisation, make_phone, make_staff, sign_in
from tests.factories.integrity import decide, draw, make_case, play_slowly
from tests.integrity.conftest import LATER, NOW


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    limits._counts.clear()


def _staff_client(app: Flask, account: StaffAccount) -> FlaskClient:
    return sign_in(app.test_client(), account)


def _post(client: FlaskClient, path: str, page: str, **data: object) -> object:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).get_data(as_text=True))
    assert token is not None, page
    return client.post(path, data={"csrf_token": token[1], **data})


def test_a_reviewer_sees_signs_and_no_number_or_name_and_decides(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    phone = make_phone()
    citizen = make_citizen(phone=phone, nickname="草原上的人")
    attempt = play_slowly(campaign, citizen, now=NOW)
    draw(attempt, citizen, now=NOW)
    case = make_case(campaign, citizen, now=LATER)
    client = _staff_client(app, reviewer)
    assert str(case.id) in client.get("/admin/integrity/").get_data(as_text=True)
    page = client.get(f"/admin/integrity/{case.id}").get_data(as_text=True)
    assert phone not in page
    assert phone[-4:] not in page
    assert "草原上的人" not in page
    data = {"version": "1", "kind": "exclude_attempts", "reason": "script", "note": "一秒答完五题", "attempt": str(attempt.id)}
    _post(client, f"/admin/integrity/{case.id}", f"/admin/integrity/{case.id}", **data)
    db.session.rollback()
    assert db.session.scalars(sa.select(Decision.kind)).one() == "exclude_attempts"
    assert db.session.scalars(sa.select(Payout.state)).one() == "held"


def test_another_units_reviewer_finds_nothing(app: Flask, campaign: Campaign) -> None:
    case = make_case(campaign, make_citizen(), now=LATER)
    client = _staff_client(app, make_staff("campaign_manager", make_organisation()))
    assert client.get(f"/admin/integrity/{case.id}").status_code == 404
    assert str(case.id) not in client.get("/admin/integrity/").get_data(as_text=True)
    assert client.get(f"/admin/integrity/campaigns/{campaign.id}").status_code == 404


@pytest.mark.parametrize("role", ["finance", "report_reader", "cohost", "question_editor", "system_admin"])
def test_other_roles_stay_outside(app: Flask, campaign: Campaign, role: str) -> None:
    client = _staff_client(app, make_staff(role))
    assert client.get("/admin/integrity/").status_code == 403
    assert client.get("/admin/complaints/").status_code == 403


def test_a_citizen_reads_the_reason_appeals_and_reads_the_answer(
    app: Flask, campaign: Campaign, reviewer: StaffAccount, second: StaffAccount
) -> None:
    citizen = make_citizen()
    attempt = play_slowly(campaign, citizen, now=NOW)
    draw(attempt, citizen, now=NOW)
    case = make_case(campaign, citizen, now=LATER)
    client = sign_in(app.test_client(), citizen)
    page = client.get("/me/reviews").get_data(as_text=True)
    assert "核查中" in page
    assert not any(title in page for title in rules.CODES.values())
    decision = decide(case, reviewer, "exclude_person", now=LATER)
    path = f"/me/reviews/{decision.id}"
    assert "看过了，写清楚理由" in client.get(path).get_data(as_text=True)
    payout_id = db.session.scalars(sa.select(Payout.id)).one()
    assert client.get(f"/me/prizes/{payout_id}/appeal").headers["Location"] == path
    assert path in client.get("/me/reviews").get_data(as_text=True)
    _post(client, path, path, text="是我帮奶奶点的")
    db.session.rollback()
    appeal = db.session.scalars(sa.select(Appeal)).one()
    stranger = sign_in(app.test_client(), make_citizen())
    assert stranger.get(path).status_code == 404
    staff = _staff_client(app, second)
    queue = "/admin/integrity/?state=appeals"
    assert "是我帮奶奶点的" in staff.get(queue).get_data(as_text=True)
    _post(staff, f"/admin/integrity/appeals/{appeal.id}", queue, result="granted", reply="核对过了，成绩恢复")
    db.session.rollback()
    assert db.session.scalars(sa.select(Payout.state)).one() == "claimable"
    assert "核对过了，成绩恢复" in client.get(path).get_data(as_text=True)


def test_published_totals_hide_small_counts_on_page_and_in_the_api(
    app: Flask, client: FlaskClient, campaign: Campaign, reviewer: StaffAccount
) -> None:
    for place in range(7):
        citizen = make_citizen()
        play_slowly(campaign, citizen, now=NOW)
        case = make_case(campaign, citizen, now=LATER)
        if place < 6:
            decide(case, reviewer, "exclude_person", reason="script" if place < 5 else "staff_test", now=LATER)
    body = client.get(f"/api/v1/campaigns/{campaign.slug}/integrity").get_json()
    people = {row["code"]: row["people"] for row in body["by_reason"]}
    assert people == {"script": 5, "staff_test": None}
    assert (body["waiting_people"], body["cleared_people"], body["excluded_people"], body["people"]) == (None, 0, None, None)
    assert "少于 5" in client.get(f"/campaigns/{campaign.slug}/integrity").get_data(as_text=True)
    assert client.get("/api/v1/campaigns/none/integrity").status_code == 404


# ---- the list and thresholds


def test_numbers_are_listed_all_or_none_and_never_shown(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    client, page = _staff_client(app, reviewer), f"/admin/integrity/campaigns/{campaign.id}"
    _post(client, f"{page}/bars", page, phones="13800000001\n1380000", reason="host_staff")
    assert "名单是空的" in client.get(page).get_data(as_text=True)
    _post(client, f"{page}/bars", page, phones="13800000001\n13800000002", reason="host_staff", note="技术组")
    text = client.get(page).get_data(as_text=True)
    assert text.count("在名单里") == 2
    assert "1380000" not in text
    assert "13800000001" not in str(db.session.scalars(sa.select(AuditEntry.changes)).all())


# ---- complaints


def test_a_guest_complains_and_looks_the_answer_up_with_the_word(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    guest = app.test_client()
    done = _post(guest, "/feedback", "/feedback", kind="page", text="字太小看不清", reference="").get_data(as_text=True)  # type: ignore[attr-defined]
    number = re.search(r"T-\d{8}-\d{3}", done)
    word = re.search(r'class="big2 num code">([0-9A-Z]{6})<', done)
    assert number is not None
    assert word is not None
    db.session.rollback()
    complaint = db.session.scalars(sa.select(Complaint)).one()
    staff, path = _staff_client(app, reviewer), f"/admin/complaints/{complaint.id}"
    assert number[0] in staff.get("/admin/complaints/").get_data(as_text=True)
    _post(staff, path, path, step="answer", text="已经加了大字版，在右上角")
    wrong = _post(guest, "/feedback/answer", "/feedback", number=number[0], word="AAAAAA")
    assert wrong.status_code == 404  # type: ignore[attr-defined]
    right = _post(guest, "/feedback/answer", "/feedback", number=number[0], word=word[1])
    assert "已经加了大字版" in right.get_data(as_text=True)  # type: ignore[attr-defined]
    db.session.rollback()
    assert [event.kind for event in db.session.scalars(sa.select(ComplaintEvent).order_by(ComplaintEvent.at))] == ["filed", "answered"]


def test_an_answer_about_a_decision_reaches_the_citizen_only_after_a_second_person(
    app: Flask, campaign: Campaign, reviewer: StaffAccount, second: StaffAccount
) -> None:
    citizen = make_citizen()
    client = sign_in(app.test_client(), citizen)
    _post(client, "/feedback", "/feedback", kind="limited", text="为什么限制我", reference="")
    db.session.rollback()
    path = f"/admin/complaints/{db.session.scalars(sa.select(Complaint.id)).one()}"
    first, other = _staff_client(app, reviewer), _staff_client(app, second)
    _post(first, path, path, step="answer", text="核对过了，没有限制您")
    assert "没有限制您" not in client.get("/feedback").get_data(as_text=True)
    _post(first, path, path, step="confirm", text="")
    assert "没有限制您" not in client.get("/feedback").get_data(as_text=True)
    _post(other, path, path, step="confirm", text="")
    assert "没有限制您" in client.get("/feedback").get_data(as_text=True)


# ---- evidence


def _search(client: FlaskClient, word: str, reason: str = "T-1，问为什么没到账") -> object:
    return _post(client, "/admin/complaints/search", "/admin/complaints/", word=word, reason=reason)


def test_the_desk_finds_by_number_alias_and_attempt_with_a_reason_and_says_so_in_the_trail(
    app: Flask, campaign: Campaign, reviewer: StaffAccount
) -> None:
    phone = make_phone()
    citizen = make_citizen(phone=phone)
    attempt = play_slowly(campaign, citizen, now=NOW)
    alias = draw(attempt, citizen, now=NOW).alias
    client = _staff_client(app, reviewer)
    assert _search(client, phone, "问").status_code == 422  # type: ignore[attr-defined]
    for word in (phone, alias, alias.lower().replace("-", " "), str(attempt.id)):
        page = _search(client, word)
        text = page.get_data(as_text=True)  # type: ignore[attr-defined]
        assert alias in text
        assert phone not in text
        assert f"{phone[:3]}****{phone[-4:]}" in text
    assert _search(client, make_phone()).status_code == 404  # type: ignore[attr-defined]
    trail = db.session.scalars(sa.select(AuditEntry).filter_by(action="evidence.searched")).all()
    assert [entry.changes["count"] for entry in trail] == [1, 1, 1, 1, 0]
    assert phone not in str([entry.changes for entry in trail])
    other = _staff_client(app, make_staff("campaign_manager", make_organisation()))
    assert _search(other, phone).status_code == 404  # type: ignore[attr-defined]


def test_the_evidence_file_says_everything_on_page_and_as_pdf(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    phone = make_phone()
    citizen = make_citizen(phone=phone)
    attempt = play_slowly(campaign, citizen, now=NOW, right=4)
    result = draw(attempt, citizen, now=NOW)
    client = _staff_client(app, reviewer)
    data = {"attempt": str(attempt.id), "reason": "T-1，问为什么没到账"}
    page = _post(client, "/admin/complaints/evidence", "/admin/complaints/", **data).get_data(as_text=True)  # type: ignore[attr-defined]
    for text in (result.alias, "答对 4/5 题", "2026-11-22 10:00:00", "待领取", "第 1 号", "第 1 版", f"{phone[:3]}****{phone[-4:]}"):
        assert text in page, text
    assert phone not in page
    assert page.count("<td>错</td></tr>") == 1
    seal = re.search(r"[0-9a-f]{64}", page)
    assert seal is not None
    made = _post(client, "/admin/complaints/evidence", "/admin/complaints/", format="pdf", **data)
    assert made.get_data()[:5] == b"%PDF-"  # type: ignore[attr-defined]
    assert len(db.session.scalars(sa.select(AuditEntry).filter_by(action="evidence.made")).all()) == 2


def test_an_employer_never_sees_what_somebody_got_wrong(app: Flask, campaign: Campaign) -> None:
    unit = make_organisation("旗财政局")
    citizen = make_citizen(organisation=unit, phone=make_phone())
    attempt = play_slowly(campaign, citizen, now=NOW, right=3)
    own = make_staff("campaign_manager", unit)
    from tests.factories.accounts import add_role

    add_role(own, "campaign_manager")
    client = _staff_client(app, own)
    data = {"attempt": str(attempt.id), "reason": "T-1，问为什么没到账"}
    page = _post(client, "/admin/complaints/evidence", "/admin/complaints/", **data).get_data(as_text=True)  # type: ignore[attr-defined]
    assert "<td>错</td></tr>" not in page
    assert "同一个单位" in page


def test_evidence_of_a_guests_paper_or_of_nothing_is_not_found(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    client = _staff_client(app, reviewer)
    data = {"attempt": str(uuid.uuid4()), "reason": "T-1，问为什么没到账"}
    answer = _post(client, "/admin/complaints/evidence", "/admin/complaints/", **data)
    assert answer.status_code == 404  # type: ignore[attr-defined]


def test_a_case_opened_by_hand_decides_nothing(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    citizen = make_citizen()
    attempt = play_slowly(campaign, citizen, now=NOW)
    client = _staff_client(app, reviewer)
    data = {"citizen": str(citizen.id), "campaign": str(campaign.id), "note": "工作人员试答的号"}
    _post(client, "/admin/complaints/cases", "/admin/complaints/", **data)
    db.session.rollback()
    assert db.session.scalars(sa.select(Case.state)).one() == "waiting"
    body = app.test_client().get(f"/api/v1/attempts/{attempt.id}", headers=headers_for(citizen)).get_json()
    assert body["state"] == "graded"


def test_own_data_holds_reviews_and_complaints(app: Flask, campaign: Campaign, reviewer: StaffAccount) -> None:
    citizen = make_citizen()
    play_slowly(campaign, citizen, now=NOW)
    decide(make_case(campaign, citizen, now=LATER), reviewer, "exclude_person", now=LATER)
    with transaction():
        db.session.execute(sa.select(Case))
    body = app.test_client().get("/api/v1/me/export", headers=headers_for(citizen)).get_json()
    assert body["integrity"]["reviews"][0]["decisions"][0]["reason"] == "script"

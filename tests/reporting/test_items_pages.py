"""The pages, the API, the files and the command about questions."""

import csv
import datetime as dt
import io
import json
import random
import uuid
from collections.abc import Sequence
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Organisation
from quizapp.audit.models import AuditEntry
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db, transaction
from quizapp.core.errors import InvalidInput, NotFound
from quizapp.questions.models import KeyCorrection, KeyCorrectionRevision, Question, QuestionBank
from quizapp.questions.queries import forget_corrections
from quizapp.questions.rules import RevisionView
from quizapp.reporting import items_queries, jobs, queries
from quizapp.reporting.items_fold import fold_due
from quizapp.reporting.items_queries import ItemFilter
from quizapp.reporting.models import ReportRequest
from tests.factories.accounts import headers_for, make_organisation, make_staff, reference_data, sign_in
from tests.factories.items import Given, add_papers, give, paper_rows, views_of
from tests.factories.questions import import_file, make_bank, make_entry
from tests.factories.reporting import NOW, make_counted_campaign, make_person

LATER = NOW + dt.timedelta(hours=1)
LIST = "/admin/items"
API = "/api/v1/admin/reports/items"


@pytest.fixture
def root(app: Flask) -> Organisation:
    return reference_data()


@pytest.fixture
def bank(root: Organisation) -> QuestionBank:
    return make_bank(count=8)


@pytest.fixture
def campaign(root: Organisation) -> Campaign:
    return make_counted_campaign("spring", root)


def _play(campaign: Campaign, papers: Sequence[Sequence[Given]]) -> None:
    person = make_person()
    add_papers(paper_rows(campaign, person, paper) for paper in papers)


@pytest.fixture
def played(campaign: Campaign, bank: QuestionBank) -> list[RevisionView]:
    """Forty papers of the first five questions; the first is a single choice answered by everybody as 甲, the key."""
    rng, views = random.Random(3), views_of(bank)
    first = Given(views[0], "3210", "D", 4.0)
    _play(
        campaign,
        [[first, *(give(view, 0.3 + (n % 7) / 10, 9.0 * place, rng, 0) for place, view in enumerate(views[1:5], 1))] for n in range(40)],
    )
    fold_due(LATER)
    return views


@pytest.fixture
def console(client: FlaskClient, root: Organisation) -> FlaskClient:
    return sign_in(client, make_staff("question_editor"))


def _soup(answer: Any, status: int = 200) -> BeautifulSoup:
    assert answer.status_code == status, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def _cells(table: Any) -> list[list[str]]:
    return [[cell.get_text(" ", strip=True) for cell in line.select("th, td")] for line in table.select("tbody tr")]


# ---- the list


def test_the_list_shows_every_question_in_use_also_those_never_met(console: FlaskClient, played: list[RevisionView]) -> None:
    soup = _soup(console.get(LIST))
    lines = _cells(soup.select_one("table.tbl"))
    assert len(lines) == 8
    assert [line[3] for line in lines] == ["40"] * 5 + ["0"] * 3
    assert lines[0][5:7] == ["100.0%", "—"]
    assert lines[0][8] == "太容易"
    assert lines[-1][4:9] == ["0", "—", "—", "—", "不足 30 次"]
    footer = soup.select_one("footer.defs")
    assert footer is not None
    assert all(word in footer.get_text() for word in ("区分度", "其余题", "数据时间", "没有剔除", "现在用的一版"))


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"flag": "easy"}, ["q-001"]),
        ({"flag": "any", "kind": "single"}, ["q-001"]),
        ({"flag": "negative", "kind": "judge", "q": "不会有"}, []),
        ({"kind": "judge", "order": "bank"}, ["q-003", "q-007"]),
        ({"q": "Q-008"}, ["q-008"]),
        ({"q": "100%_"}, []),
        ({"campaign": "spring", "order": "bank"}, ["q-001", "q-002", "q-003", "q-004", "q-005"]),
        ({"revisions": "all", "order": "bank", "bank": "consumer-rights"}, [f"q-00{n}" for n in range(1, 9)]),
        ({"order": "facility_desc", "campaign": "spring", "kind": "single"}, ["q-001", "q-005"]),
        ({"order": "facility", "campaign": "spring", "kind": "single"}, ["q-005", "q-001"]),
    ],
)
def test_the_list_is_filtered_and_ordered(
    console: FlaskClient, played: list[RevisionView], query: dict[str, str], codes: list[str]
) -> None:
    lines = _cells(_soup(console.get(LIST, query_string=query)).select_one("table.tbl"))
    assert [line[0].rsplit("，", 1)[-1] for line in lines if len(line) > 1] == codes


@pytest.mark.parametrize(
    "query", [{"bank": "none"}, {"kind": "essay"}, {"campaign": "none"}, {"flag": "odd"}, {"order": "luck"}, {"revisions": "x"}]
)
def test_what_cannot_be_asked_is_said_under_the_filter(console: FlaskClient, played: list[RevisionView], query: dict[str, str]) -> None:
    soup = _soup(console.get(LIST, query_string=query), 422)
    assert soup.select_one(f"#err-{next(iter(query))}")
    assert soup.select_one("table.tbl") is None


def test_before_anything_was_counted_the_list_says_so(console: FlaskClient, bank: QuestionBank) -> None:
    assert "还没有统计过" in _soup(console.get(LIST)).get_text()


def test_a_list_of_many_questions_has_pages(console: FlaskClient, root: Organisation) -> None:
    make_bank(count=25)
    assert len(_cells(_soup(console.get(LIST, query_string={"page": 2})).select_one("table.tbl"))) == 5


# ---- one question


def test_one_question_shows_who_took_which_choice(console: FlaskClient, played: list[RevisionView]) -> None:
    item = queries.item_statistics(played[4].question_id)
    figures = item.current.figures
    soup = _soup(console.get(f"{LIST}/{played[4].question_id}"))
    table = soup.select_one("table.tbl")
    assert table is not None
    assert table.caption is not None
    assert [th["scope"] for th in table.select("tbody th")] == ["row"] * 5
    lines = _cells(table)
    assert [line[0][:1] for line in lines] == ["A", "B", "C", "D", "未"]
    assert [int(line[1]) for line in lines] == [choice.count for choice in figures.choices]
    assert "正确" in lines[0][0]
    assert lines[0][3] == f"{figures.choices[0].upper_share:.1%}"
    charts = soup.select("svg.chart[role=img][aria-label]")
    assert len(charts) == 2
    assert str(charts[0]["aria-label"]).startswith("各选项在前三分之一和后三分之一里的占比：A 前")
    kpis = [card.get_text() for card in soup.select(".kpi .n")]
    assert kpis[0] == "40次"
    assert kpis[2] == f"{figures.discrimination:.2f}"


def test_the_statistics_undo_the_order_of_choices(played: list[RevisionView]) -> None:
    """Everybody saw 甲 last and chose the last letter."""
    choices = queries.item_statistics(played[0].question_id).current.figures.choices
    assert [choice.count for choice in choices] == [40, 0, 0, 0, 0]
    assert choices[0].is_right


def test_revisions_are_kept_apart(console: FlaskClient, campaign: Campaign, played: list[RevisionView], bank: QuestionBank) -> None:
    from quizapp.questions.loader import BankFile, BankHead

    changed = make_entry(1, "single", stem="改过的题：牧民老白网购的毛衣第 5 天想退，吊牌完好，依法可以怎么办呢？")
    import_file(BankFile(BankHead(bank.slug, bank.title, bank.theme, bank.description, bank.licence), (changed,)))
    new = next(view for view in views_of(bank) if view.stem.startswith("改过的题"))
    _play(campaign, [[Given(new, "0123", "B", 5.0), Given(played[4], "0123", "A", 9.0)] for _ in range(2)])
    fold_due(LATER + dt.timedelta(hours=1))
    item = queries.item_statistics(new.question_id)
    assert [(one.view.number, one.is_current, one.figures.shown_count) for one in item.revisions] == [(2, True, 2), (1, False, 40)]
    assert item.current.figures.choices[1].count == 2
    old = _soup(console.get(f"{LIST}/{new.question_id}?revision=1"))
    assert old.select(".kpi .n")[0].get_text() == "40次"
    assert _soup(console.get(f"{LIST}/{new.question_id}?revision=9999999999")).select(".kpi .n")[0].get_text() == "2次"
    listed = _cells(_soup(console.get(LIST, query_string={"revisions": "all", "q": "q-001"})).select_one("table.tbl"))
    assert [(line[0][-6:], line[3]) for line in listed] == [("，第 1 版", "40"), ("，q-001", "2")]


def test_campaigns_are_told_apart_and_add_up(console: FlaskClient, root: Organisation, played: list[RevisionView]) -> None:
    autumn = make_counted_campaign("autumn", root)
    _play(autumn, [[Given(played[0], "0123", "B", 5.0), Given(played[4], "0123", "A", 9.0)] for _ in range(10)])
    fold_due(LATER + dt.timedelta(hours=1))
    counts = {
        slug: queries.item_statistics(played[0].question_id, campaign=slug).current.figures.shown_count for slug in ("", "spring", "autumn")
    }
    assert counts == {"": 50, "spring": 40, "autumn": 10}
    soup = _soup(console.get(f"{LIST}/{played[0].question_id}?campaign=autumn"))
    assert soup.select(".kpi .n")[0].get_text() == "10次"
    assert {line[0]: line[1] for line in _cells(soup.select("table.tbl")[-1])} == {"活动 autumn": "10", "活动 spring": "40"}
    with pytest.raises(InvalidInput):
        queries.item_statistics(played[0].question_id, campaign="winter")


def test_a_corrected_key_is_the_one_that_is_shown(console: FlaskClient, played: list[RevisionView]) -> None:
    proposer, confirmer = make_staff("question_editor"), make_staff("question_reviewer")
    with transaction():
        correction = KeyCorrection(
            question_id=played[0].question_id,
            accepted=[[1], [2]],
            reason="错了",
            notice="改了",
            status="confirmed",
            proposed_at=NOW,
            proposed_by=proposer.id,
            confirmed_at=NOW,
            confirmed_by=confirmer.id,
        )
        db.session.add(correction)
        db.session.flush()
        db.session.add(KeyCorrectionRevision(correction_id=correction.id, revision_id=played[0].id, accepted_before=[[0]]))
    forget_corrections()
    choices = queries.item_statistics(played[0].question_id).current.figures.choices
    assert [choice.is_right for choice in choices] == [False, True, True, False, False]
    lines = _cells(_soup(console.get(f"{LIST}/{played[0].question_id}")).select_one("table.tbl"))
    assert ["正确" in line[0] for line in lines] == [False, True, True, False, False]
    forget_corrections()


def test_the_editor_and_the_questions_page_lead_to_its_figures(console: FlaskClient, played: list[RevisionView]) -> None:
    figures = f"{LIST}/{played[0].question_id}"
    page = "/admin/questions/banks/consumer-rights/q/q-001"
    links = {str(link["href"]) for path in (page, f"{page}/edit") for link in _soup(console.get(path)).select(f'a[href^="{figures}"]')}
    assert links == {figures, f"{figures}?revision=1"}
    assert _soup(console.get(figures)).select_one(f'a[href^="{page}"]')


# ---- who may see what


def test_the_pages_are_for_who_may_see_questions(client: FlaskClient, played: list[RevisionView]) -> None:
    for path in (LIST, f"{LIST}/{played[0].question_id}"):
        assert client.get(path).status_code == 302
    reader = sign_in(client, make_staff("report_reader"))
    for path in (LIST, f"{LIST}/{played[0].question_id}"):
        assert reader.get(path).status_code == 403
    assert reader.get(API).status_code == 403


def test_a_unit_sees_its_own_and_shared_banks_only_and_no_few_answers(
    app: Flask, client: FlaskClient, root: Organisation, campaign: Campaign
) -> None:
    ours, theirs = make_organisation("甲单位"), make_organisation("乙单位")
    mine, shared = make_bank("mine", 4, organisation_id=ours.id), make_bank("shared", 4)
    hidden = make_bank("hidden", 4, organisation_id=theirs.id)
    own = make_counted_campaign("own", ours)
    _play(own, [[Given(view, "01" if view.kind == "judge" else "0123", "A", 5.0) for view in views_of(mine)] for _ in range(29)])
    _play(campaign, [[Given(view, "01" if view.kind == "judge" else "0123", "A", 5.0) for view in views_of(shared)] for _ in range(30)])
    fold_due(LATER)
    staff = make_staff("question_editor", ours)
    lines = client.get(API, headers=headers_for(staff), query_string={"order": "bank"}).json["items"]
    assert [line["bank"] for line in lines] == ["mine"] * 4 + ["shared"] * 4
    assert [(line["shown_count"], line["is_withheld"], line["facility"] is None) for line in lines] == [(29, True, True)] * 4 + [
        (30, False, False)
    ] * 4
    one = client.get(f"{API}/{views_of(mine)[0].question_id}", headers=headers_for(staff)).json["revisions"][0]
    assert (one["shown_count"], one["correct_count"], one["choices"], one["levels"]) == (29, None, [], [])
    assert client.get(f"{API}/{views_of(hidden)[0].question_id}", headers=headers_for(staff)).status_code == 404
    assert client.get(API, headers=headers_for(staff), query_string={"campaign": "spring"}).status_code == 422
    assert client.get(API, headers=headers_for(staff), query_string={"campaign": "own"}).status_code == 200
    page = _soup(sign_in(client, staff).get(f"{LIST}/{views_of(mine)[0].question_id}")).get_text()
    assert "不足 30 次" in page
    whole = client.get(API, headers=headers_for(make_staff("question_editor")), query_string={"bank": "mine"}).json["items"]
    assert [line["facility"] is None for line in whole] == [False] * 4


def test_an_unknown_question_is_not_found(console: FlaskClient, bank: QuestionBank) -> None:
    assert console.get(f"{LIST}/{uuid.uuid4()}").status_code == 404
    with pytest.raises(NotFound):
        queries.item_statistics(uuid.uuid4())


# ---- JSON


def test_the_list_as_json_comes_in_pages(app: Flask, client: FlaskClient, root: Organisation) -> None:
    make_bank("large", 130)
    headers = headers_for(make_staff("question_editor"))
    first = client.get(API, headers=headers, query_string={"order": "bank"}).json
    second = client.get(API, headers=headers, query_string={"order": "bank", "after": first["next"]}).json
    codes = [line["code"] for line in first["items"] + second["items"]]
    assert (len(first["items"]), len(second["items"]), second["next"]) == (100, 30, None)
    assert len(set(codes)) == 130


def test_one_question_as_json_is_what_the_query_says(client: FlaskClient, played: list[RevisionView]) -> None:
    answer = client.get(f"{API}/{played[4].question_id}", headers=headers_for(make_staff("question_editor"))).json
    figures = queries.item_statistics(played[4].question_id).current.figures
    one = answer["revisions"][0]
    assert one["discrimination"] == round(figures.discrimination or 0, 4)
    assert [choice["upper_share"] for choice in one["choices"]] == [round(choice.upper_share or 0, 4) for choice in figures.choices]
    assert [choice["key"] for choice in one["choices"]] == ["A", "B", "C", "D", None]
    assert sum(level["count"] for level in one["levels"]) == 40
    assert (answer["paper_count"], answer["excluded_count"]) == (40, 0)
    assert answer["as_of"] == "2026-03-20T13:00:00+08:00"


# ---- files


def _fetched(answer: Any) -> bytes:
    raw: bytes = answer.data
    answer.close()
    return raw


def _built(app: Flask, request_id: str) -> tuple[bytes, ReportRequest]:
    assert jobs.build_pending_reports() == 1
    db.session.rollback()
    request = db.session.get_one(ReportRequest, uuid.UUID(request_id), populate_existing=True)
    with app.extensions["storage"].open(request.file_key) as file:
        return file.read(), request


def test_the_list_as_a_workbook(app: Flask, console: FlaskClient, played: list[RevisionView]) -> None:
    token = _soup(console.get(LIST)).select_one("form[action='/admin/items/exports'] input[name=csrf_token]")
    assert token is not None
    answer = console.post(f"{LIST}/exports", data={"csrf_token": token["value"], "format": "xlsx", "campaign": "spring", "order": "bank"})
    assert answer.status_code == 303
    page = answer.headers["Location"]
    raw, request = _built(app, page.rsplit("/", 1)[-1])
    assert (request.report, request.row_count) == ("items", 5)
    sheet = openpyxl.load_workbook(io.BytesIO(raw)).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    head = next(place for place, row in enumerate(rows) if row[0] == "题库")
    facts = {str(row[0]): str(row[1]) for row in rows[1:head] if row[0]}
    assert facts["筛选"] == "活动 spring；全部题库；现在用的一版"
    assert facts["有效答卷"] == "40 份"
    assert "口径：区分度" in facts
    first = dict(zip(rows[head], rows[head + 1], strict=True))
    assert (first["题号"], first["正确答案"], first["出现次数"], first["答对率"], first["A 人次"], first["A 占比"]) == (
        "q-001",
        "A",
        40,
        1,
        40,
        1,
    )
    assert first["标记"] == "太容易"
    judge = dict(zip(rows[head], rows[head + 3], strict=True))
    assert (judge["题型"], judge["C 人次"]) == ("判断", None)
    ready = _soup(console.get(page))
    assert "题目分析" in ready.get_text()
    assert _fetched(console.get(f"{page}/file")) == raw
    db.session.rollback()
    said = db.session.scalars(sa.select(AuditEntry.changes).filter_by(action="report.requested")).one()
    assert said["filter"] == "活动 spring；全部题库；现在用的一版"


def test_the_file_is_the_askers_and_gone_with_the_permission(app: Flask, client: FlaskClient, played: list[RevisionView]) -> None:
    editor, other = make_staff("question_editor"), make_staff("question_editor")
    asked = client.post(API, json={"format": "csv", "flag": "easy"}, headers=headers_for(editor))
    assert asked.status_code == 202
    raw, _ = _built(app, asked.json["id"])
    table = list(csv.reader(io.StringIO(raw.decode("utf-8-sig").split("\r\n\r\n", 1)[1])))
    assert [row[1] for row in table[1:]] == ["q-001"]
    place = asked.headers["Location"]
    assert client.get(place, headers=headers_for(editor)).json["state"] == "ready"
    assert _fetched(client.get(f"{place}/file", headers=headers_for(editor))) == raw
    assert client.get(place, headers=headers_for(other)).status_code == 404
    with transaction():
        db.session.execute(
            sa.text("UPDATE staff_roles SET role = 'report_reader' WHERE staff_id = :id").bindparams(
                sa.bindparam("id", editor.id, type_=sa.Uuid)
            )
        )
    assert client.get(f"{place}/file", headers=headers_for(editor)).status_code == 404


@pytest.mark.parametrize("body", [{"format": "docx"}, {"format": "csv", "kind": "essay"}, {"format": "csv", "campaign": "none"}, {}])
def test_an_export_that_cannot_be_built_is_refused(client: FlaskClient, played: list[RevisionView], body: dict[str, str]) -> None:
    assert client.post(API, json=body, headers=headers_for(make_staff("question_editor"))).status_code == 422


def test_the_command_counts_first_and_prints_what_the_api_says(
    app: Flask, client: FlaskClient, campaign: Campaign, bank: QuestionBank
) -> None:
    views = views_of(bank)
    _play(campaign, [[Given(views[0], "0123", "A", 5.0), Given(views[4], "0123", "B", 9.0)] for _ in range(3)])
    runner = app.test_cli_runner()
    out = json.loads(runner.invoke(args=["reports", "items", "--bank", "consumer-rights"]).output)
    assert [(line["code"], line["shown_count"], line["facility"]) for line in out["items"]][:5:4] == [("q-001", 3, 1.0), ("q-005", 3, 0.0)]
    choice = out["items"][4]["choices"][1]
    assert {name: choice[name] for name in ("key", "text", "count", "share")} == {
        "key": "B",
        "text": "乙：第 5 题的选项",
        "count": 3,
        "share": 1.0,
    }
    assert runner.invoke(args=["reports", "items", "--bank", "none"]).exit_code == 1
    assert "1 campaigns counted" in runner.invoke(args=["reports", "fold-items", "--all"]).output


def test_a_row_of_an_unused_question_has_no_figures(app: Flask, bank: QuestionBank) -> None:
    with transaction():
        db.session.execute(sa.update(Question).values(current_revision_id=None))
    assert list(items_queries.stream_items(ItemFilter())) == []
    view = views_of(bank)[0]
    assert queries.item_statistics(view.question_id).current.view.id == view.id

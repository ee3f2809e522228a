import csv
import io
import json
import uuid
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts.models import Organisation, StaffAccount
from quizapp.audit.models import AuditEntry
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db
from quizapp.reporting import jobs
from quizapp.reporting.models import ReportRequest
from quizapp.reporting.queries import participation
from tests.factories.accounts import headers_for, make_citizen, make_organisation, make_staff, reference_data, sign_in
from tests.factories.reporting import DAY, NOW, add_attempts, attempt_row, make_counted_campaign, make_person

URL = "/api/v1/admin/reports/participation"


@pytest.fixture
def root(app: Flask) -> Organisation:
    return reference_data()


@pytest.fixture
def campaign(root: Organisation) -> Campaign:
    campaign = make_counted_campaign("consumer", root)
    people = [make_person() for _ in range(7)]
    add_attempts(
        [attempt_row(campaign, person, correct_count=4) for person in people]
        + [attempt_row(campaign, people[0], correct_count=2, is_passed=False)]
        + [attempt_row(campaign, people[1], demographic_group="youth", region_code=None)]
        + [attempt_row(campaign, people[2], excluded_at=NOW, exclusion_reason="script")]
    )
    return campaign


@pytest.fixture
def reader(root: Organisation) -> StaffAccount:
    return make_staff("report_reader")


def _get(client: FlaskClient, person: Any, **query: Any) -> Any:
    return client.get(URL, query_string=query, headers=headers_for(person))


def test_the_report_has_the_promised_body(client: FlaskClient, campaign: Campaign, reader: StaffAccount) -> None:
    answer = _get(client, reader, campaign="consumer", by=["demographic_group", "region"], **{"from": "2026-03-10", "to": "2026-03-10"})
    assert answer.status_code == 200
    body = answer.json
    assert list(body) == ["rows", "total", "definitions", "filter", "as_of", "excluded_count", "exclusions"]
    assert [(row["demographic_group"], row["region"], row["region_label"]) for row in body["rows"]] == [
        ("youth", None, "未填写"),
        ("resident", "150402", "红山区"),
    ]
    assert body["rows"][1] == {
        "demographic_group": "resident",
        "demographic_group_label": "社区居民",
        "region": "150402",
        "region_label": "红山区",
        "attempt_count": 9,
        "valid_attempt_count": 8,
        "participant_count": 7,
        "passed_count": 7,
        "pass_rate": 0.875,
        "person_passed_count": 7,
        "person_pass_rate": 1.0,
        "mean_correct": 3.75,
    }
    assert body["total"]["participant_count"] == 7
    assert body["total"]["valid_attempt_count"] == 9
    assert body["total"]["pass_rate"] == 0.8889
    assert body["excluded_count"] == 1
    assert body["exclusions"] == [{"reason": "脚本作答", "count": 1}]
    assert body["filter"]["campaign"] == ["consumer"]
    assert (body["filter"]["from"], body["filter"]["to"]) == ("2026-03-10", "2026-03-10")
    assert body["as_of"].endswith("+08:00")
    assert {"participant_count", "pass_rate", "region"} <= set(body["definitions"])


def test_without_a_dimension_there_is_a_total_and_no_row(client: FlaskClient, campaign: Campaign, reader: StaffAccount) -> None:
    body = _get(client, reader).json
    assert body["rows"] == []
    assert body["total"]["attempt_count"] == 10


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"by": "shoe_size"}, "by"),
        ({"by": ["day", "day"]}, "by"),
        ({"from": "2026-03-11", "to": "2026-03-10"}, "from"),
        ({"from": "10.03.2026"}, "from"),
        ({"campaign": "nothing"}, "campaign"),
        ({"campaign": "x" * 65}, "campaign.0"),
        ({"region_level": "planet"}, "region_level"),
        ({"region": "1"}, "region"),
        ({"region": "\x00"}, "region"),
        ({"demographic_group": "kings"}, "demographic_group"),
        ({"by": "\x00"}, "by"),
    ],
)
def test_a_wrong_query_names_the_field(
    client: FlaskClient, campaign: Campaign, reader: StaffAccount, query: dict[str, Any], field: str
) -> None:
    answer = _get(client, reader, **query)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")
    assert list(answer.json["errors"]) == [field]
    assert answer.content_type == "application/problem+json"


def test_only_who_may_see_reports_sees_them(client: FlaskClient, campaign: Campaign) -> None:
    assert client.get(URL).status_code == 401
    assert _get(client, make_citizen()).status_code == 401
    assert _get(client, make_staff("question_editor")).status_code == 403
    assert _get(client, make_staff("approver")).status_code == 200


def test_a_reader_of_a_subtree_sees_its_campaigns_and_not_even_the_names_of_others(client: FlaskClient, root: Organisation) -> None:
    mine, other = make_organisation("甲旗司法局"), make_organisation("乙旗司法局")
    for slug, host in (("mine", mine), ("other", other)):
        add_attempts([attempt_row(make_counted_campaign(slug, host), make_person())])
    reader = make_staff("report_reader", mine)
    body = _get(client, reader, by="campaign").json
    assert [row["campaign"] for row in body["rows"]] == ["mine"]
    assert body["total"]["attempt_count"] == 1
    hidden, unknown = _get(client, reader, campaign="other"), _get(client, reader, campaign="nothing")
    assert hidden.status_code == unknown.status_code == 422
    assert hidden.json["errors"] == unknown.json["errors"]
    assert "乙旗" not in client.get("/api/v1/admin/reports/participation", headers=headers_for(reader)).text


def test_a_unit_never_sees_how_one_of_its_people_answered(client: FlaskClient, root: Organisation) -> None:
    unit = make_organisation("甲局")
    campaign = make_counted_campaign("mine", unit)
    add_attempts([attempt_row(campaign, make_person(), organisation_id=unit.id, correct_count=3, is_passed=False)])
    add_attempts([attempt_row(campaign, make_person(), correct_count=5) for _ in range(7)])
    results = ("passed_count", "pass_rate", "person_passed_count", "person_pass_rate", "mean_correct")
    employer, bureau = make_staff("report_reader", unit), make_staff("report_reader")
    body = _get(client, employer, by="organisation").json
    row = next(row for row in body["rows"] if row["organisation"] == str(unit.id))
    assert (row["attempt_count"], row["participant_count"]) == (1, 1)
    assert [row[name] for name in results] == [None] * 5
    other = next(row for row in body["rows"] if row["organisation"] is None)
    assert other["mean_correct"] is None, "the total less this line would tell"
    assert body["total"]["mean_correct"] == 4.75
    assert "withholding" in body["definitions"]
    whole = _get(client, bureau, by="organisation").json
    assert [row["mean_correct"] for row in whole["rows"] if row["organisation"] == str(unit.id)] == [3.0]
    assert "withholding" not in whole["definitions"]


def test_a_unit_gets_no_results_of_few_in_files_or_on_the_page(client: FlaskClient, root: Organisation) -> None:
    unit = make_organisation("甲局")
    campaign = make_counted_campaign("mine", unit)
    add_attempts([attempt_row(campaign, make_person(), organisation_id=unit.id, correct_count=3, is_passed=False)])
    employer = make_staff("report_reader", unit)
    request = _order(client, employer, format="csv", by=["organisation"])
    assert jobs.build_pending_reports() == 1
    url = request.headers["Location"]
    with client.get(url + "/file", headers=headers_for(employer)) as file:
        lines = list(csv.reader(io.StringIO(file.text)))
    line = next(line for line in lines if line and line[0] == "甲局")
    assert line[1:] == ["1", "1", "1", *["不足 5 人"] * 5]
    sign_in(client, employer)
    page = client.get("/admin/reports?view=organisation").text
    assert "不足 5 人" in page
    assert "3.00" not in page
    assert "3 题" not in page


def _order(client: FlaskClient, person: Any, key: str = "", **body: Any) -> Any:
    headers = headers_for(person)
    return client.post("/api/v1/admin/reports", json=body, headers={**headers, **({"Idempotency-Key": key} if key else {})})


def test_an_export_is_ordered_built_and_fetched(client: FlaskClient, campaign: Campaign, reader: StaffAccount) -> None:
    ordered = _order(client, reader, format="xlsx", campaign=["consumer"], by=["region"])
    assert ordered.status_code == 202
    assert (ordered.json["state"], ordered.json["message"], ordered.json["file_url"]) == ("pending", "排队中", None)
    url = ordered.headers["Location"]
    headers = headers_for(reader)
    early = client.get(url + "/file", headers=headers)
    assert (early.status_code, early.json["code"]) == (409, "report_not_ready")
    assert jobs.build_pending_reports() == 1
    ready = client.get(url, headers=headers).json
    assert (ready["state"], ready["percent"], ready["row_count"]) == ("ready", 100, 2)
    file = client.get(ready["file_url"], headers=headers)
    assert file.status_code == 200
    assert "attachment" in file.headers["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(file.data)).active
    assert sheet is not None
    lines = list(sheet.iter_rows(values_only=True))
    expected = participation(campaigns=["consumer"], by=("region",))
    assert [line[:2] for line in lines[-3:]] == [("红山区", 9), ("未填写", 1), ("合计", 10)]
    assert list(lines[-2][1:]) == list((expected.rows[1].figures or expected.figures).to_dict().values())
    assert list(lines[-1][1:]) == list(expected.figures.to_dict().values())
    file.close()
    actions = db.session.scalars(sa.select(AuditEntry.action).filter_by(target_id=ready["id"]).order_by(AuditEntry.at)).all()
    assert actions == ["report.requested", "report.downloaded"]


def test_the_same_order_twice_is_one_and_a_key_repeats_its_answer(client: FlaskClient, campaign: Campaign, reader: StaffAccount) -> None:
    first = _order(client, reader, key="k1", format="csv", by=["day"])
    again = _order(client, reader, key="k1", format="csv", by=["day"])
    other = _order(client, reader, key="k2", format="csv", by=["day"])
    assert first.status_code == 202
    assert first.json == again.json
    assert other.json["id"] == first.json["id"]
    jobs.build_pending_reports()
    assert _order(client, reader, key="k1", format="csv", by=["day"]).json == first.json
    later = _order(client, reader, key="k3", format="csv", by=["day"])
    assert later.json["id"] != first.json["id"]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ReportRequest)) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"format": "docx"},
        {"format": "csv", "report": "everything"},
        {"format": "csv", "by": ["shoe_size"]},
        {"format": "csv", "campaign": ["nothing"]},
        {"format": "csv", "is_public": True, "by": ["day", "region", "campaign"]},
        {"format": "csv", "surprise": 1},
        {"format": "csv", "from": "2026-03-11", "to": "2026-03-10"},
        {"format": "csv", "campaign": ["\x00"]},
    ],
)
def test_an_order_that_cannot_be_built_is_refused(
    client: FlaskClient, campaign: Campaign, reader: StaffAccount, body: dict[str, Any]
) -> None:
    answer = _order(client, reader, **body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ReportRequest)) == 0


@pytest.mark.parametrize("field", ["region", "demographic_group", "region_level"])
def test_half_a_character_is_refused_like_any_unknown_value(
    client: FlaskClient, campaign: Campaign, reader: StaffAccount, field: str
) -> None:
    raw = f'{{"format": "csv", "{field}": "\\ud800"}}'
    answer = client.post("/api/v1/admin/reports", data=raw, content_type="application/json", headers=headers_for(reader))
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_nobody_reaches_anothers_file(client: FlaskClient, campaign: Campaign, reader: StaffAccount) -> None:
    url = _order(client, reader, format="json").headers["Location"]
    jobs.build_pending_reports()
    stranger = headers_for(make_staff("report_reader"))
    assert client.get(url, headers=stranger).status_code == 404
    assert client.get(url + "/file", headers=stranger).status_code == 404
    assert client.get(f"/api/v1/admin/reports/{uuid.uuid4()}", headers=stranger).status_code == 404
    with client.get(url + "/file", headers=headers_for(reader)) as file:
        assert file.json["total"]["attempt_count"] == 10


def test_the_command_prints_the_api_body(app: Flask, client: FlaskClient, campaign: Campaign, reader: StaffAccount) -> None:
    args = ["reports", "participation", "--campaign", "consumer", "--by", "region", "--by", "day", "--from", "2026-03-10"]
    result = app.test_cli_runner().invoke(args=[*args, "--format", "json"])
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    body = _get(client, reader, campaign="consumer", by=["region", "day"], **{"from": "2026-03-10"}).json
    assert {**printed, "as_of": ""} == {**body, "as_of": ""}


def test_the_command_writes_files_and_refuses_what_is_unknown(app: Flask, campaign: Campaign, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    base = ["reports", "participation", "--by", "region"]
    target = tmp_path / "t.xlsx"
    assert runner.invoke(args=[*base, "--format", "xlsx", "--output", str(target)]).exit_code == 0
    assert openpyxl.load_workbook(target).active is not None
    printed = runner.invoke(args=[*base, "--format", "csv", "--public"])
    assert printed.exit_code == 0
    lines = list(csv.reader(printed.stdout_bytes.decode("utf-8-sig").splitlines()))
    assert lines[-1][0] == "合计"
    assert lines[-2] == ["未填写", *["隐去"] * 8]
    assert runner.invoke(args=[*base, "--campaign", "nothing"]).exit_code == 1
    assert runner.invoke(args=["reports", "participation", "--by", "shoe_size"]).exit_code == 2
    many = ["reports", "participation", "--by", "day", "--by", "region", "--by", "campaign", "--public"]
    assert runner.invoke(args=many).exit_code == 2
    backwards = [*base, "--from", "2026-03-11", "--to", "2026-03-10"]
    assert runner.invoke(args=backwards).exit_code == 1


def test_days_without_anybody_are_zeros(client: FlaskClient, campaign: Campaign, reader: StaffAccount) -> None:
    body = _get(client, reader, **{"from": DAY.replace(year=2020).isoformat(), "to": DAY.replace(year=2021).isoformat()}).json
    assert body["total"]["attempt_count"] == 0
    assert body["total"]["pass_rate"] is None

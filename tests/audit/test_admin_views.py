import datetime as dt

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from quizapp.audit.models import AuditEntry
from quizapp.audit.services import Actor, record
from quizapp.core.clock import day_start
from quizapp.core.db import db, transaction
from tests.factories.accounts import make_organisation, make_staff, reference_data, sign_in

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.date(2027, 3, 15)


def write(
    action: str = "staff.created",
    *,
    who: str = "高娃",
    target: str = "某人",
    path: str = "/",
    at: dt.datetime | None = None,
    **changes: object,
) -> None:
    with transaction():
        record(
            action,
            actor=Actor("staff", None, who),
            target_type="staff",
            target_id="1",
            target_name=target,
            organisation_path=path,
            changes=changes,
            now=at or day_start(DAY),
        )


def page(client: FlaskClient, query: str = "") -> str:
    answer = client.get(f"/admin/audit{query}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_entries_are_shown_with_titles_and_changes(client: FlaskClient) -> None:
    sign_in(client, make_staff("audit_admin"))
    write("staff.role_granted", role="财务", name=["旧", "新"])
    text = page(client)
    assert "授予角色" in text
    assert "角色：财务" in text
    assert "名称：旧 改为 新" in text
    assert "2027-03-15 00:00:00" in text


def test_entries_are_filtered_by_action_person_and_day(client: FlaskClient) -> None:
    sign_in(client, make_staff("audit_admin"))
    write("staff.created", who="高娃", target="甲对象", at=day_start(DAY))
    write("staff.unlocked", who="图雅", target="乙对象", at=day_start(DAY + dt.timedelta(days=1)) - dt.timedelta(seconds=1))
    write("staff.unlocked", who="图雅", target="丙对象", at=day_start(DAY + dt.timedelta(days=1)))
    for query, shown in (
        ("?action=staff.created", "甲"),
        ("?q=图雅", "乙丙"),
        ("?q=丙对", "丙"),
        ("?from=2027-03-15&to=2027-03-15", "甲乙"),
        ("?from=2027-03-16", "丙"),
        ("?from=nonsense&to=2027-02-31&action=unknown", "甲乙丙"),
        ("?q=%25", ""),
    ):
        text = page(client, query)
        assert "".join(name for name in "甲乙丙" if f"{name}对象" in text) == shown, query


def test_a_reader_of_a_subtree_sees_that_subtree_alone(client: FlaskClient) -> None:
    inside, outside = make_organisation("甲"), make_organisation("乙")
    below = make_organisation("甲之下", inside)
    write(target="在内", path=inside.path)
    write(target="在下", path=below.path)
    write(target="在外", path=outside.path)
    write(target="不属于谁", path="/")
    sign_in(client, make_staff("audit_admin", inside))
    text = page(client)
    assert "在内" in text
    assert "在下" in text
    assert "在外" not in text
    assert "不属于谁" not in text
    body = client.get("/admin/audit/entries.csv").get_data(as_text=True)
    assert "在内" in body
    assert "在外" not in body


def test_pages_of_twenty(client: FlaskClient) -> None:
    sign_in(client, make_staff("audit_admin"))
    for number in range(25):
        write(target=f"对象{number:02d}", at=day_start(DAY) + dt.timedelta(minutes=number))
    assert "对象24" in page(client)
    assert "对象04" not in page(client)
    assert "对象04" in page(client, "?page=2")


def test_the_csv_follows_the_filter_starts_no_formula_and_is_itself_recorded(client: FlaskClient) -> None:
    sign_in(client, make_staff("audit_admin"))
    write(target="=1+1", who="高娃")
    write("staff.unlocked", target="别的")
    answer = client.get("/admin/audit/entries.csv?action=staff.created")
    text = answer.get_data(as_text=True)
    assert answer.mimetype == "text/csv"
    assert text.startswith("\ufeff")
    assert "'=1+1" in text
    assert "别的" not in text
    db.session.rollback()
    assert db.session.scalars(sa.select(AuditEntry.action).filter_by(action="audit.exported")).all() == ["audit.exported"]


def test_nobody_edits_the_trail_not_even_the_database_user() -> None:
    write()
    for statement in (sa.update(AuditEntry).values(action="x"), sa.delete(AuditEntry)):
        with pytest.raises(sa.exc.DatabaseError), transaction():
            db.session.execute(statement)
    db.session.rollback()
    assert db.session.scalars(sa.select(AuditEntry.action)).all() == ["staff.created"]


def test_a_saved_draft_reads_as_lines_with_the_names_of_groups(client: FlaskClient) -> None:
    reference_data()
    sign_in(client, make_staff("audit_admin"))
    before = {"prizes": [{"name": "帆布袋", "quantity": 30000}], "excluded_groups": ["civil_servant"]}
    after = {"prizes": [{"name": "帆布袋", "quantity": 36000}], "excluded_groups": ["civil_servant", "youth"]}
    write("campaign.saved", draft={"draw": [before, after], "pass_count": [4, 3]})
    soup = BeautifulSoup(page(client), "html.parser")
    lines = [line.get_text() for line in soup.select("td.changes span")]
    assert lines == [
        "抽奖 · 奖品 1 · 数量：30,000 改为 36,000",
        "抽奖 · 不抽奖的人群：领导干部、国家机关工作人员 改为 领导干部、国家机关工作人员、青少年",
        "合格题数：4 改为 3",
    ]
    assert "；".join(lines) in client.get("/admin/audit/entries.csv").get_data(as_text=True)

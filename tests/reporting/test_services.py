import datetime as dt
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import StaffAccount
from quizapp.audit.models import AuditEntry
from quizapp.audit.services import Actor
from quizapp.campaigns.models import Campaign
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import InvalidInput, NotFound
from quizapp.reporting import exports, jobs, services
from quizapp.reporting.errors import ReportGone, ReportNotReady
from quizapp.reporting.models import ReportRequest
from quizapp.reporting.queries import EVERYTHING, Filter, participation
from quizapp.reporting.services import ReportOrder
from tests.conftest import postgresql_only
from tests.factories.reporting import (
    NOW,
    add_attempts,
    attempt_row,
    make_counted_campaign,
    make_person,
    make_reader,
    make_unit,
    reference_rows,
)

ACTOR = Actor("staff", None, "统计员")


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    reference_rows()
    campaign = make_counted_campaign("consumer", make_unit())
    add_attempts([attempt_row(campaign, make_person(), region_code=code) for code in ("150402",) * 6 + ("150403",) * 2])
    return campaign


@pytest.fixture
def reader(app: Flask) -> StaffAccount:
    return make_reader()


def _order(**kw: Any) -> ReportOrder:
    values: dict[str, Any] = {
        "format": "csv",
        "is_public": False,
        "filter": Filter(),
        "by": ("region",),
        "region_level": "county",
        "scope_paths": EVERYTHING,
    }
    return ReportOrder(**{**values, **kw})


def _ask(reader: StaffAccount, **kw: Any) -> ReportRequest:
    with transaction():
        return services.request_report(_order(**kw), staff_id=reader.id, now=NOW, actor=ACTOR)


def _fresh(request: ReportRequest) -> ReportRequest:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(ReportRequest, request.id)


def _files(app: Flask) -> list[str]:
    return sorted(path.name for path in (Path(app.config["DATA_DIR"]) / "files").glob("report-*"))


@pytest.fixture(autouse=True)
def _no_files(app: Flask) -> None:
    for path in (Path(app.config["DATA_DIR"]) / "files").glob("*"):
        path.unlink()


def test_an_order_survives_being_stored() -> None:
    order = _order(filter=Filter(("a",), dt.date(2026, 3, 1), None, "150402", "youth"), by=("day", "region"), is_public=True)
    assert ReportOrder.from_dict(order.format, order.to_dict()) == order


def test_a_request_is_audited_and_the_same_one_is_not_made_twice(campaign: Campaign, reader: StaffAccount) -> None:
    first = _ask(reader)
    assert _ask(reader).id == first.id
    assert _ask(reader, format="xlsx").id != first.id
    assert _ask(reader, by=("day",)).id != first.id
    assert _ask(make_reader()).id != first.id
    entries = db.session.scalars(sa.select(AuditEntry).filter_by(action="report.requested", target_id=str(first.id))).all()
    assert [entry.changes for entry in entries] == [{"filter": "全部活动；全部日期；按旗县区分组", "format": "csv", "is_public": False}]


@pytest.mark.parametrize(
    ("kw", "field"),
    [
        ({"format": "docx"}, "format"),
        ({"is_public": True, "by": ("day", "region", "demographic_group")}, "by"),
        ({"filter": Filter(("nothing",))}, "campaign"),
    ],
)
def test_what_cannot_be_built_is_refused_at_once(campaign: Campaign, reader: StaffAccount, kw: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        _ask(reader, **kw)
    assert set(refusal.value.fields) == {field}


@pytest.mark.parametrize("format", exports.FORMATS)
def test_the_worker_builds_what_waits_and_the_file_can_be_fetched(
    app: Flask, campaign: Campaign, reader: StaffAccount, format: str
) -> None:
    request = _ask(reader, format=format)
    assert jobs.build_pending_reports() == 1
    assert jobs.build_pending_reports() == 0
    request = _fresh(request)
    assert (request.state, request.progress, request.row_count, request.error) == ("ready", 100, 2, "")
    assert request.file_name.startswith("参与统计-内部-全部活动-")
    assert request.ready_at is not None
    assert request.expires_at == request.ready_at + services.KEEP
    with transaction():
        key = services.record_download(request, now=utc_now(), actor=ACTOR)
    with app.extensions["storage"].open(key) as file:
        assert len(file.read()) > 100
    assert _files(app) == [key]
    assert db.session.scalar(sa.select(AuditEntry.changes).filter_by(action="report.downloaded")) == {
        "file_name": request.file_name,
        "row_count": 2,
    }


def test_a_public_file_hides_small_groups_and_says_so(app: Flask, campaign: Campaign, reader: StaffAccount) -> None:
    request = _ask(reader, is_public=True)
    jobs.build_pending_reports()
    with app.extensions["storage"].open(_fresh(request).file_key) as file:
        text = file.read().decode("utf-8-sig")
    assert "不足 5 人的行隐去" in text
    table = text.split("\r\n\r\n", 1)[1].splitlines()
    assert table[1].split(",")[1:] == ["隐去"] * 8
    assert table[2].split(",")[1:] == ["隐去"] * 8
    assert table[3].startswith("合计,8,8,8,8,")


def test_an_unfinished_file_cannot_be_fetched_and_an_expired_one_is_gone(app: Flask, campaign: Campaign, reader: StaffAccount) -> None:
    request = _ask(reader)
    with pytest.raises(ReportNotReady), transaction():
        services.record_download(request, now=NOW, actor=ACTOR)
    jobs.build_pending_reports()
    request = _fresh(request)
    assert request.expires_at is not None
    assert jobs.expire_reports(request.expires_at - dt.timedelta(seconds=1)) == 0
    with pytest.raises(ReportGone), transaction():
        services.record_download(_fresh(request), now=request.expires_at, actor=ACTOR)
    assert jobs.expire_reports(request.expires_at) == 1
    assert jobs.expire_reports(request.expires_at) == 0
    assert _fresh(request).state == "expired"
    assert _files(app) == []
    with pytest.raises(ReportGone), transaction():
        services.record_download(_fresh(request), now=NOW, actor=ACTOR)


def test_nobody_sees_anothers_report_nor_one_beyond_a_narrowed_scope(campaign: Campaign, reader: StaffAccount) -> None:
    request = _ask(reader, scope_paths=("/aa/bb/",))
    found = services.get_report(request.id, staff_id=reader.id, scopes=lambda _: ("/aa/",))
    assert found.id == request.id
    with pytest.raises(NotFound):
        services.get_report(request.id, staff_id=make_reader().id, scopes=lambda _: ("/",))
    with pytest.raises(NotFound):
        services.get_report(request.id, staff_id=reader.id, scopes=lambda _: ("/aa/bb/cc/",))
    with pytest.raises(NotFound):
        services.get_report(request.id, staff_id=reader.id, scopes=lambda _: ())


def test_a_builder_that_died_is_followed_by_another_and_its_late_file_counts_for_nothing(
    app: Flask, campaign: Campaign, reader: StaffAccount
) -> None:
    request = _ask(reader)
    with transaction():
        dead = services.claim_report(NOW)
    assert dead is not None
    with transaction():
        assert services.claim_report(NOW + services.CLAIM - dt.timedelta(seconds=1)) is None
    assert jobs.build_pending_reports(NOW + services.CLAIM) == 1
    with transaction():
        assert not services.note_progress(dead, 60, NOW)
        assert not services.finish_report(dead, file_name="late", row_count=0, now=NOW)
        assert not services.give_up_report(dead, "late")
    request = _fresh(request)
    assert (request.state, request.build_count, request.row_count) == ("ready", 2, 2)
    assert _files(app) == [request.file_key]


def test_a_report_that_fails_three_times_is_given_up(
    app: Flask, campaign: Campaign, reader: StaffAccount, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    request = _ask(reader)
    other = _ask(reader, format="json")
    calls: list[str] = []
    write = exports.write

    def fail(table: Any, format: str, path: Path, **kw: Any) -> int:
        calls.append(format)
        if format == "csv":
            raise OSError("disk full")
        return write(table, format, path, **kw)

    monkeypatch.setattr(exports, "write", fail)
    for _ in range(4):
        jobs.build_pending_reports(utc_now() + dt.timedelta(seconds=1))
    assert calls.count("csv") == services.MAX_BUILDS
    assert _fresh(request).state == "failed"
    assert "重新导出" in _fresh(request).error
    assert _fresh(other).state == "ready"
    assert len(_files(app)) == 1


def test_a_campaign_that_went_out_of_scope_gives_up_with_a_sentence(campaign: Campaign, reader: StaffAccount) -> None:
    request = _ask(reader, filter=Filter(("consumer",)))
    with transaction():
        db.session.execute(sa.update(Campaign).values(status="draft"))
    assert jobs.build_pending_reports() == 0
    assert _fresh(request).state == "failed"
    assert "活动" in _fresh(request).error


@postgresql_only
def test_several_workers_build_each_report_once(app: Flask, campaign: Campaign, reader: StaffAccount) -> None:
    requests = [_ask(reader, filter=Filter(first_day=dt.date(2026, 3, day))) for day in range(1, 13)]
    built: list[int] = []
    gate = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            gate.wait()
            built.append(jobs.build_pending_reports())
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(built) == 12
    assert {_fresh(request).build_count for request in requests} == {1}
    assert len(_files(app)) == 12


def test_every_file_prints_title_definition_filter_data_time_and_exclusions(campaign: Campaign, tmp_path: Path) -> None:
    import openpyxl

    add_attempts([attempt_row(campaign, make_person(), excluded_at=NOW, exclusion_reason="script")])
    table = participation(by=("day", "region"), now=NOW)
    exports.write(table, "csv", tmp_path / "t.csv")
    exports.write(table, "xlsx", tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    assert sheet is not None
    xlsx = "\n".join(",".join("" if cell is None else str(cell) for cell in line) for line in sheet.iter_rows(values_only=True))
    for text in ((tmp_path / "t.csv").read_text(encoding="utf-8-sig"), xlsx):
        for word in ("参与统计（内部使用）", "口径：人数", "口径：旗县区", "全部活动；全部日期；按日期、旗县区分组"):
            assert word in text
        assert "2026-03-20 12:00:00（北京时间）" in text
        assert "剔除 1 次：脚本作答 1 次" in text
        assert "合计" in text

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from quizapp.accounts import queries, services
from quizapp.accounts.jobs import delete_expired
from quizapp.accounts.models import Citizen, DailyCounter, SmsCode, UserSession
from quizapp.core import seeding
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import db, transaction
from tests.accounts.helpers import issue, vault
from tests.factories.accounts import bearer_for, make_citizen, make_phone, reference_data

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.timedelta(days=1)


def run(app: Flask, *args: str):  # type: ignore[no-untyped-def]
    """A command as from the shell: outside the test's application context."""
    db.session.rollback()
    with app.app_context():
        return app.test_cli_runner().invoke(args=list(args))


def test_demo_citizens_are_adults_spread_over_groups_and_counties(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    file = tmp_path / "tokens.txt"
    for _ in range(2):
        assert run(app, "demo", "citizens", "--count", "130", "--tokens", str(file)).exit_code == 0
    tokens = file.read_text().split()
    assert len(set(tokens)) == 130
    assert file.stat().st_mode & 0o077 == 0
    counted = db.session.execute(sa.select(Citizen.demographic_group, Citizen.region_code, sa.func.count()).group_by(sa.text("1, 2"))).all()
    assert len(counted) == 5 * 12
    assert {row[2] for row in counted} <= {4, 5, 6}
    assert set(db.session.scalars(sa.select(Citizen.age_band))) == {"18_59"} or "60_plus" in set(
        db.session.scalars(sa.select(Citizen.age_band))
    )
    me = client.get("/api/v1/me", headers={"Authorization": f"Bearer {tokens[7]}"}).json
    assert me["needs_profile"] is False
    assert me["consent_version"] == services.CONSENT_VERSION


def test_a_bearer_of_demo_staff_opens_the_staff_side(app: Flask, client: FlaskClient) -> None:
    for _ in range(2):
        answer = run(app, "demo", "staff", "--role", "security_admin")
        assert answer.exit_code == 0
        assert client.get("/admin/users", headers={"Authorization": f"Bearer {answer.output.strip()}"}).status_code == 200
    assert run(app, "demo", "staff", "--role", "emperor").exit_code == 2


@pytest.mark.parametrize(
    "args", [("seed",), ("citizens", "--count", "1", "--tokens", "/dev/null"), ("staff", "--role", "finance")], ids=lambda args: args[0]
)
def test_demo_commands_refuse_outside_the_demo(app: Flask, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]) -> None:
    monkeypatch.setitem(app.config, "IS_DEMO", False)
    answer = run(app, "demo", *args)
    assert answer.exit_code == 2
    assert "refused" in answer.output
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Citizen)) == 0


def test_seeders_run_in_order_and_a_name_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(seeding, "SEEDERS", [])
    seeding.register(20, "second", lambda: ran.append("second"))
    seeding.register(10, "first", lambda: ran.append("never"))
    seeding.register(10, "first", lambda: ran.append("first"))
    assert seeding.run_all() == ["first", "second"]
    assert ran == ["first", "second"]


def test_regions_are_imported_and_renamed_never_removed(app: Flask, tmp_path: Path) -> None:
    reference_data()
    file = tmp_path / "regions.csv"
    file.write_text("code,name,level,parent\n150423,巴林右旗（新名）,county,150400\n150423999,新苏木,town,150423\n", encoding="utf-8-sig")
    answer = run(app, "regions", "import", str(file))
    assert answer.exit_code == 0, answer.output
    db.session.rollback()
    names = queries.region_names()
    assert names["150423"] == "巴林右旗（新名）"
    assert names["150402"] == "红山区"
    region = queries.find_region("150423999")
    assert region is not None
    assert region.county_code == "150423"
    assert "0 added or changed" in run(app, "regions", "import", str(file)).output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "first line"),
        ("code,name,level,parent\n1,x,village,\n", "line 2"),
        ("code,name,level,parent\n1,x,county,9\n", "parent 9 is unknown"),
        ("code,name,level,parent\n1,x,town,\n2,y,county,1\n", "higher level"),
        ("code,name,level,parent\n1,x,county,\n1,y,county,\n", "twice"),
        ("code,name,level,parent\n,x,county,\n", "line 2"),
    ],
)
def test_a_broken_extract_is_refused_whole_with_its_line(app: Flask, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "regions.csv"
    file.write_text(text, encoding="utf-8")
    answer = run(app, "regions", "import", str(file))
    assert answer.exit_code == 1
    assert message in answer.output
    assert queries.region_names() == {}


def test_the_first_administrator_is_made_by_command(app: Flask) -> None:
    answer = run(app, "staff", "create", "CF0001", "--name", "图雅", "--role", "security_admin")
    assert answer.exit_code == 0
    password = answer.output.split()[-1]
    with transaction():
        tried = services.sign_in_staff(vault(), username="CF0001", password=password, totp="", is_demo=False, now=utc_now())
    assert tried.staff_id is not None
    assert run(app, "staff", "create", "CF0001", "--name", "图雅", "--role", "security_admin").exit_code == 1
    assert run(app, "staff", "create", "CF0002", "--name", "白音", "--role", "system_admin").exit_code == 0
    root = queries.find_root_organisation()
    assert root is not None
    assert root.name == app.config["HOST_NAME"]


def test_the_nightly_cleaning_takes_what_has_run_out_and_nothing_else() -> None:
    now = utc_now()
    kept, ended = make_citizen(), make_citizen()
    bearer_for(kept)
    bearer_for(ended)
    issue(make_phone(), now=now - 2 * DAY)
    issue(make_phone(), now=now)
    with transaction():
        services.count_up("sms-phone", "old", shanghai_day(now - 5 * DAY))
        services.count_up("gone-phone", "waiting", shanghai_day(now - 20 * DAY))
        services.count_up("gone-phone", "over", shanghai_day(now - 40 * DAY))
        db.session.execute(sa.update(UserSession).filter_by(citizen_id=ended.id).values(ended_at=now - 31 * DAY))
    for expected in ({"user_sessions": 1, "sms_codes": 1}, {"user_sessions": 0, "sms_codes": 0}):
        counts = delete_expired(now)
        assert {name: counts[name] for name in expected} == expected
    db.session.rollback()
    assert db.session.scalars(sa.select(UserSession.citizen_id)).all() == [kept.id]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SmsCode)) == 1
    subjects = set(db.session.scalars(sa.select(DailyCounter.subject)))
    assert "waiting" in subjects
    assert not subjects & {"over", "old"}

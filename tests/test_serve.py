"""What ``make run`` finds out before it makes the application."""

from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from quizapp.core.db import db
from quizapp.serve import is_ready
from tests.conftest import Database
from tests.factories.questions import make_bank


def test_a_database_is_ready_with_all_tables_and_a_bank(app: Flask, database: Database) -> None:
    assert not is_ready(database.url), "no bank yet"
    make_bank("consumer-rights", 3)
    db.session.remove()
    assert is_ready(database.url)


def test_an_older_or_a_new_database_is_not(app: Flask, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    assert not is_ready(url)
    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("CREATE TABLE question_banks (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")
        connection.exec_driver_sql("INSERT INTO question_banks VALUES (1)")
    assert not is_ready(url)

from pathlib import Path

import pytest
from flask import Flask

from quizapp.core import seeding
from quizapp.core.db import transaction
from quizapp.statutes import queries
from quizapp.statutes.seeds import DOCUMENT
from tests.factories.accounts import reference_data
from tests.factories.statutes import law_json, upload


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for law in upload(law_json(), law_json("鞋法")):
        path = tmp_path / law.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(law.raw)
    (tmp_path / "index.json").write_text("[]")
    return tmp_path


def test_a_folder_is_taken_in_and_again_without_change(app: Flask, folder: Path) -> None:
    run = app.test_cli_runner()
    dry = run.invoke(args=["statutes", "import", str(folder), "--dry-run"])
    assert "2 statutes, 0 unchanged" in dry.output
    assert queries.find_statute("试衣法") is None
    first = run.invoke(args=["statutes", "import", str(folder)])
    assert first.exit_code == 0, first.output
    assert "2 statutes (2 new): 8 articles added" in first.output
    assert "passed over index.json" in first.output
    again = run.invoke(args=["statutes", "import", str(folder)])
    assert "2 statutes (0 new): 0 articles added" in again.output


def test_mistakes_are_printed_and_nothing_is_taken_in(app: Flask, folder: Path) -> None:
    (folder / "national" / "bad.json").write_text('{"title": "x"}')
    answer = app.test_cli_runner().invoke(args=["statutes", "import", str(folder)])
    assert answer.exit_code == 1
    assert "bad.json short_title" in answer.stderr
    assert queries.find_statute("试衣法") is None


def test_an_empty_folder_is_refused(app: Flask, tmp_path: Path) -> None:
    answer = app.test_cli_runner().invoke(args=["statutes", "import", str(tmp_path)])
    assert answer.exit_code == 1


def test_the_demo_has_a_document_in_two_versions_and_a_list_for_each_group(app: Flask) -> None:
    reference_data()
    [seed] = [seeder for _, name, seeder in seeding.SEEDERS if name == "statutes"]
    for _ in range(2):
        with transaction():
            seed()
    assert len(queries.list_versions(queries.get_statute(DOCUMENT).id, "3")) == 2
    assert len(queries.list_reading_lists(shown_only=True)) == 5

import json
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from quizapp.core.db import db, transaction
from quizapp.questions import loader, queries
from quizapp.questions.loader import BankHead, Entry
from quizapp.questions.models import Question, QuestionRevision
from tests.factories.questions import BANKS, make_bank, make_entry

HEAD = BankHead("b", "题库", "consumer", "说明", "CC BY 4.0")


def _write(folder: Path, *entries: Entry, head: BankHead = HEAD) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bank.yaml").write_text(loader.write_head(head), encoding="utf-8")
    (folder / "questions.yaml").write_text(loader.write_entries(entries), encoding="utf-8")
    return folder


def _run(app: Flask, *args: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["questions", *args])
    db.session.rollback()
    return result.exit_code, result.output


def test_import_takes_shipped_banks_by_default(app: Flask) -> None:
    code, output = _run(app, "import")
    assert code == 0, output
    assert output.count(" added") == len(list(BANKS.iterdir()))
    assert len(queries.list_pool(banks=["clean-world"])) >= 30
    code, output = _run(app, "import", "all")
    assert code == 0
    assert " 0 added, 0 revised" in output


def test_import_takes_a_folder_a_folder_of_banks_or_a_shipped_slug(app: Flask, tmp_path: Path) -> None:
    _write(tmp_path / "one" / "b", make_entry(1))
    _write(tmp_path / "two", make_entry(1), head=BankHead("c", "题库", "tax", "", ""))
    for place in (str(tmp_path / "one"), str(tmp_path / "two"), "tax-benefits"):
        code, output = _run(app, "import", place)
        assert code == 0, output
    assert {bank.slug for bank in queries.list_bank_counts()} == {"b", "c", "tax-benefits"}


def test_a_broken_bank_among_good_ones_stops_the_whole_import(app: Flask, tmp_path: Path) -> None:
    _write(tmp_path / "b", make_entry(1))
    broken = _write(tmp_path / "c", make_entry(1), head=BankHead("c", "题库", "tax", "", ""))
    text = (broken / "questions.yaml").read_text(encoding="utf-8")
    (broken / "questions.yaml").write_text(text.replace("answer: [A]", "answer: [Z]"), encoding="utf-8")
    code, output = _run(app, "import", str(tmp_path))
    assert code == 1
    assert "questions.yaml 第 1 条（q-001） answer" in output
    assert queries.list_bank_counts() == []


def test_replace_lets_the_file_win(app: Flask, tmp_path: Path) -> None:
    folder = str(_write(tmp_path / "b", make_entry(1)))
    _run(app, "import", folder)
    with transaction():
        question = db.session.scalars(sa.select(Question)).one()
        first = queries.list_revisions(question.id)[0]
        values = {name: getattr(first, name) for name in ("kind", "choices", "answer", "explanation", "citations", "difficulty", "tags")}
        staff = QuestionRevision(
            question_id=question.id, number=2, origin="staff", content_hash=b"x" * 32, stem="后台", created_at=first.created_at, **values
        )
        db.session.add(staff)
        db.session.flush()
        question.current_revision_id = staff.id
    code, output = _run(app, "import", folder)
    assert (code, "1 kept" in output) == (0, True)
    code, output = _run(app, "import", folder, "--replace")
    assert (code, "1 revised" in output) == (0, True)


def test_an_export_is_the_same_bytes_after_a_round_trip(app: Flask, tmp_path: Path) -> None:
    _run(app, "import", "ethnic-unity")
    assert _run(app, "export", "ethnic-unity", str(tmp_path / "a"))[0] == 0
    assert " 0 added, 0 revised" in _run(app, "import", str(tmp_path / "a"))[1]
    assert _run(app, "export", "ethnic-unity", str(tmp_path / "b"))[0] == 0
    for name in ("bank.yaml", "questions.yaml"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert _run(app, "lint", str(tmp_path / "a"))[0] == 0


def test_exporting_an_unknown_bank_and_importing_from_nowhere_fail(app: Flask, tmp_path: Path) -> None:
    assert _run(app, "export", "nothing", str(tmp_path / "x"))[0] != 0
    assert _run(app, "import", str(tmp_path / "nowhere"))[0] != 0


def test_stats_count_the_files(app: Flask, tmp_path: Path) -> None:
    entries = (*(make_entry(number) for number in (1, 2)), make_entry(3, "judge", reviewed_by="某人", reviewed_on="2026-11-01"))
    folder = str(_write(tmp_path / "b", *entries))
    code, output = _run(app, "stats", folder, "--format", "json")
    body = json.loads(output)
    assert (code, body["source"]) == (0, "files")
    (bank,) = body["banks"]
    assert (bank["slug"], bank["total"], bank["by_kind"]) == ("b", 3, {"single": 2, "judge": 1})
    assert bank["by_difficulty"] == {"2": 1, "3": 1, "4": 1}
    assert bank["by_status"] == {"reviewed": 1, "unreviewed": 2}
    assert (bank["situations"], bank["articles"]) == (3, 1)
    assert body["total"]["total"] == 3
    lines = _run(app, "stats", folder)[1].splitlines()
    assert [line.split()[0] for line in lines] == ["题库", "b", "合计"]
    assert lines[1].split()[1:] == ["3", "2", "1", "1", "1", "1", "1", "2", "3"]
    assert _run(app, "stats", str(tmp_path / "nowhere"))[0] != 0


def test_stats_of_the_shipped_banks_add_up(app: Flask) -> None:
    body = json.loads(_run(app, "stats", "--format", "json")[1])
    assert len(body["banks"]) == len(list(BANKS.iterdir()))
    for bank in (*body["banks"], body["total"]):
        assert bank["total"] == sum(bank["by_kind"].values()) == sum(bank["by_difficulty"].values()) == sum(bank["by_status"].values())
    assert body["total"]["total"] == sum(bank["total"] for bank in body["banks"])


def test_stats_count_what_the_database_holds(app: Flask) -> None:
    make_bank(count=10, kinds=("single", "judge"))
    code, output = _run(app, "stats", "--database", "--format", "json")
    body = json.loads(output)
    (bank,) = body["banks"]
    assert (code, body["source"]) == (0, "database")
    assert (bank["slug"], bank["total"], bank["by_kind"]) == ("consumer-rights", 10, {"single": 5, "judge": 5})
    assert bank["by_status"] == {"published": 10}
    assert sum(bank["by_difficulty"].values()) == 10
    assert "consumer-rights" in _run(app, "stats", "--database")[1]


def test_shipped_banks_hold_at_least_thirty_questions_of_each_kind_mix() -> None:
    for folder in BANKS.iterdir():
        bank = loader.load_bank(folder)
        assert {entry.kind for entry in bank.entries} == {"single", "multiple", "indefinite", "judge"}

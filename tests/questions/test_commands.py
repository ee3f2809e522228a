import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.core.db import db, transaction
from quizapp.questions import loader, queries
from quizapp.questions.lint import lint_bank
from quizapp.questions.loader import BankFile, BankHead, Entry
from quizapp.questions.models import Question, QuestionRevision
from tests.factories.questions import BANKS, make_bank, make_entry

HEAD = BankHead("b", "题库", "consumer", "说明", "CC BY 4.0")


def _write(folder: Path, *entries: Entry, head: BankHead = HEAD) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bank.yaml").write_text(loader.write_head(head), encoding="utf-8")
    (folder / "questions.yaml").write_text(loader.write_entries(entries), encoding="utf-8")
    return folder


def _good(number: int, **changes: object) -> Entry:
    """An entry that lint has nothing to say about, with its key at another place each time."""
    values: dict[str, object] = {
        "answer": (number % 4,),
        "choices": tuple(f"第 {number} 题的第 {place} 个选项" for place in range(4)),
        "explanation": f"第 {number} 题：可以退。收到之日起七日内可以退，不用说理由，商品要完好。先留好聊天记录，再打 12315 求助。",
        **changes,
    }
    return make_entry(number, **values)  # type: ignore[arg-type]


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


def test_lint_passes_the_shipped_banks(app: Flask) -> None:
    code, output = _run(app, "lint", "--format", "json")
    report = json.loads(output)
    assert (code, report["errors"], report["banks"]) == (0, 0, len(list(BANKS.iterdir())))


def test_lint_reports_schema_mistakes_as_json_and_fails(app: Flask, tmp_path: Path) -> None:
    folder = _write(tmp_path / "b", make_entry(1))
    (folder / "questions.yaml").write_text("- id: x\n", encoding="utf-8")
    code, output = _run(app, "lint", str(folder), "--format", "json")
    report = json.loads(output)
    assert code == 1
    assert {finding["rule"] for finding in report["findings"]} == {"schema"}
    assert {finding["entry"] for finding in report["findings"]} == {"x"}


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (_good(1, stem="太短的题干"), "stem-length"),
        (_good(1, stem="长" * 91), "stem-length"),
        (_good(1, explanation="太短"), "explanation-length"),
        (_good(1, explanation="长" * 161), "explanation-length"),
        (_good(1, choices=("以上都对", "乙", "丙", "丁")), "all-of-them"),
        (_good(1, choices=("A 和 B", "乙", "丙", "丁")), "all-of-them"),
        (_good(1, choices=("长" * 31, "乙", "丙", "丁")), "choice-length"),
        (_good(1, explanation="应当选B，因为收到之日起七日内可以退，不用说理由，商品要完好，先留好聊天记录，再打 12315。"), "letters"),
        (_good(1, explanation="C项不对，因为收到之日起七日内可以退，不用说理由，商品要完好，先留好聊天记录，再打 12315。"), "letters"),
        (_good(1, reviewed_by="某人"), "review"),
    ],
)
def test_lint_finds(entry: Entry, rule: str) -> None:
    findings = lint_bank(BankFile(HEAD, (_good(2), entry)))
    assert [(finding.entry, finding.rule, finding.severity) for finding in findings] == [("q-001", rule, "error")]


def test_lint_finds_nothing_in_good_entries() -> None:
    assert lint_bank(BankFile(HEAD, tuple(_good(number) for number in range(1, 25)))) == []


def test_lint_finds_patterns_a_script_could_learn() -> None:
    always_a = tuple(_good(number, answer=(0,)) for number in range(1, 25))
    assert {finding.rule for finding in lint_bank(BankFile(HEAD, always_a))} == {"key-position"}
    longest = tuple(
        _good(number, choices=tuple("选项很长很长" if place == number % 4 else f"选项{place}" for place in range(4)))
        for number in range(1, 25)
    )
    assert {finding.rule for finding in lint_bank(BankFile(HEAD, longest))} == {"longest-choice"}
    judges = tuple(_good(number, kind="judge", choices=("对", "错"), answer=(0,)) for number in range(1, 13))
    assert {finding.rule for finding in lint_bank(BankFile(HEAD, judges))} == {"judge-balance"}


def test_lint_finds_the_same_stem_in_other_clothes() -> None:
    first, second = _good(1), _good(2)
    twin = _good(2, stem=first.stem.replace("，", "、").replace("？", "?"))
    assert lint_bank(BankFile(HEAD, (first, second))) == []
    (finding,) = lint_bank(BankFile(HEAD, (first, twin)))
    assert (finding.rule, finding.entry) == ("same-stem", "q-002")


def test_stats_count_by_kind_difficulty_and_status(app: Flask) -> None:
    make_bank(count=10, kinds=("single", "judge"))
    code, output = _run(app, "stats", "--format", "json")
    (bank,) = json.loads(output)
    assert code == 0
    assert (bank["slug"], bank["total"], bank["by_kind"]) == ("consumer-rights", 10, {"single": 5, "judge": 5})
    assert bank["by_status"] == {"published": 10}
    assert sum(bank["by_difficulty"].values()) == 10
    assert "consumer-rights 10" in _run(app, "stats")[1]


def test_shipped_banks_hold_at_least_thirty_questions_of_each_kind_mix() -> None:
    for folder in BANKS.iterdir():
        bank = loader.load_bank(folder)
        assert {entry.kind for entry in bank.entries} == {"single", "multiple", "indefinite", "judge"}

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from quizapp.questions import loader
from quizapp.questions.errors import BankFileInvalid
from quizapp.questions.loader import BankHead, Entry
from tests.factories.questions import BANKS, make_entry

SINGLE: dict[str, Any] = {
    "id": "x-001",
    "kind": "single",
    "stem": "刘叔网购的毛衣第 5 天想退，吊牌完好，可以怎么办？",
    "choices": ["只能换货", "可以退", "要商家点头", "先做鉴定"],
    "answer": ["B"],
    "explanation": "可以退。收到之日起七日内，不用说理由。",
    "citations": [{"law": "消费者权益保护法", "article": "25"}],
    "difficulty": 2,
    "tags": ["topic:七日退货"],
}


def _with(**changes: Any) -> dict[str, Any]:
    entry = {**SINGLE, **changes}
    return {name: value for name, value in entry.items() if value is not ...}


def _reasons(*entries: Any) -> list[tuple[int, str, str]]:
    with pytest.raises(BankFileInvalid) as refusal:
        loader.parse_entries(list(entries), "f.yaml")
    assert {row.file for row in refusal.value.rows} == {"f.yaml"}
    return [(row.number, row.entry, row.field) for row in refusal.value.rows]


def test_a_right_entry_is_read() -> None:
    (entry,) = loader.parse_entries([SINGLE])
    assert entry.answer == (1,)
    assert entry.choices[1] == "可以退"
    assert entry.reviewed_by is None


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"kind": "multiple", "answer": "BD"}, (1, 3)),
        ({"kind": "multiple", "answer": "d、b"}, (1, 3)),
        ({"kind": "multiple", "answer": ["D", "B"]}, (1, 3)),
        ({"kind": "indefinite", "answer": ["A"]}, (0,)),
        ({"kind": "indefinite", "answer": "ABCD"}, (0, 1, 2, 3)),
        ({"answer": "b"}, (1,)),
        ({"choices": {"A": "只能换货", "B": "可以退"}}, (1,)),
        ({"kind": "judge", "choices": ..., "answer": "对"}, (0,)),
        ({"kind": "judge", "choices": ..., "answer": "错"}, (1,)),
        ({"kind": "judge", "choices": None, "answer": True}, (0,)),
        ({"kind": "judge", "choices": [], "answer": False}, (1,)),
        ({"kind": "judge", "choices": ["对", "错"], "answer": "B"}, (1,)),
        ({"kind": "judge", "choices": ..., "answer": ["A"]}, (0,)),
        ({"kind": "judge", "choices": ..., "answer": "False"}, (1,)),
    ],
)
def test_answers_are_read_in_each_way_people_write_them(changes: dict[str, Any], answer: tuple[int, ...]) -> None:
    (entry,) = loader.parse_entries([_with(**changes)])
    assert entry.answer == answer


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": ...}, "id"),
        ({"id": "有空 格"}, "id"),
        ({"id": ""}, "id"),
        ({"kind": "essay"}, "kind"),
        ({"kind": None}, "kind"),
        ({"stem": None}, "stem"),
        ({"stem": "  "}, "stem"),
        ({"stem": ["x"]}, "stem"),
        ({"stem": "长" * 501}, "stem"),
        ({"stem": "有\x00控制符"}, "stem"),
        ({"stem": "单独的代理\ud800"}, "stem"),
        ({"choices": ...}, "choices"),
        ({"choices": "ABCD"}, "choices"),
        ({"choices": ["只有一个"]}, "choices"),
        ({"choices": [str(n) for n in range(9)]}, "choices"),
        ({"choices": ["甲", "乙", "甲", "丁"]}, "choices"),
        ({"choices": ["甲", "", "丙", "丁"]}, "choices[B]"),
        ({"choices": ["甲", None, "丙", "丁"]}, "choices[B]"),
        ({"choices": {"A": "甲", "C": "乙"}}, "choices"),
        ({"answer": ["E"]}, "answer"),
        ({"answer": []}, "answer"),
        ({"answer": None}, "answer"),
        ({"answer": ["A", "A"], "kind": "multiple"}, "answer"),
        ({"answer": ["A"], "kind": "multiple"}, "answer"),
        ({"answer": ["A", "B"]}, "answer"),
        ({"answer": 2}, "answer"),
        ({"answer": [["A"]]}, "answer"),
        ({"answer": "也许", "kind": "judge", "choices": ...}, "answer"),
        ({"answer": "对", "kind": "judge"}, "choices"),
        ({"explanation": None}, "explanation"),
        ({"citations": []}, "citations"),
        ({"citations": ...}, "citations"),
        ({"citations": ["消费者权益保护法"]}, "citations[1]"),
        ({"citations": [{"law": "消费者权益保护法"}]}, "citations[1].article"),
        ({"citations": [{"law": "消费者权益保护法", "article": "二十五"}]}, "citations[1].article"),
        ({"citations": [{"law": "消费者权益保护法", "article": "25", "page": 1}]}, "citations[1]"),
        ({"citations": [{"document": "某解释", "issuer": "法院", "clause": "第一条", "date": "2020-01-01"}]}, "citations[1].number"),
        (
            {"citations": [{"document": "某解释", "issuer": "法院", "number": "1", "clause": "第一条", "date": "2020年"}]},
            "citations[1].date",
        ),
        ({"difficulty": 0}, "difficulty"),
        ({"difficulty": 6}, "difficulty"),
        ({"difficulty": True}, "difficulty"),
        ({"difficulty": "普通"}, "difficulty"),
        ({"difficulty": ...}, "difficulty"),
        ({"tags": "topic"}, "tags"),
        ({"tags": [None]}, "tags[1]"),
        ({"reviewed_on": "昨天"}, "reviewed_on"),
        ({"reviewed_by": "某" * 65}, "reviewed_by"),
        ({"hint": "x"}, "hint"),
    ],
)
def test_a_mistake_is_named_by_entry_and_field(changes: dict[str, Any], field: str) -> None:
    fine = {**SINGLE, "id": "ok"}
    (place,) = _reasons(fine, _with(**changes))
    assert (place[0], place[2]) == (2, field)


def test_every_mistake_of_a_file_is_reported_at_once() -> None:
    places = _reasons(_with(answer=["E"], difficulty=9), "nonsense", _with(id="x-001"), _with(id="x-004", stem=""))
    assert places == [(1, "x-001", "answer"), (1, "x-001", "difficulty"), (2, "", ""), (3, "x-001", "id"), (4, "x-004", "stem")]


@pytest.mark.parametrize("raw", [None, [], {}, "text", 3, {"questions": []}])
def test_a_file_without_questions_is_refused(raw: Any) -> None:
    with pytest.raises(BankFileInvalid):
        loader.parse_entries(raw)


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("- id: &a x\n  kind: *a\n", "第 2 行"),
        ("- id: 1\n  id: 2\n", "写了两次"),
        ("- {id: 1\n", "不是合格的 YAML"),
        ("- !!python/object/apply:os.system ['true']\n", "不是合格的 YAML"),
        ("[" * 200_000, "嵌套太深"),
        ("- a: \x07\n", "不能用的字符"),
    ],
)
def test_yaml_that_is_dangerous_or_broken_is_refused(text: str, needle: str) -> None:
    with pytest.raises(BankFileInvalid) as refusal:
        loader.parse_questions_text(text)
    assert needle in str(refusal.value)


def test_scalars_stay_as_they_are_written() -> None:
    text = """
- id: 007
  kind: single
  stem: 第几条？
  choices: [1.10, no, 2020-01-01, 0x1F]
  answer: B
  explanation: 无。
  citations: {law: 刑法, article: 133-1}
  difficulty: 3
  reviewed_by: ~
  reviewed_on: 2026-11-22
"""
    (entry,) = loader.parse_questions_text(text)
    assert entry.code == "007"
    assert entry.choices == ("1.10", "no", "2020-01-01", "0x1F")
    assert entry.citations == ({"law": "刑法", "article": "133-1"},)
    assert (entry.reviewed_by, entry.reviewed_on) == (None, "2026-11-22")


@pytest.mark.parametrize("folder", sorted(BANKS.iterdir()), ids=lambda path: path.name)
def test_shipped_banks_load_and_survive_a_round_trip(folder: Path) -> None:
    bank = loader.load_bank(folder)
    assert bank.head.slug == folder.name
    assert len(bank.entries) >= 30
    text = loader.write_entries(bank.entries)
    assert loader.parse_questions_text(text) == bank.entries
    assert loader.write_entries(loader.parse_questions_text(text)) == text
    assert [entry["id"] for entry in yaml.safe_load(text)] == [entry.code for entry in bank.entries]
    assert loader.parse_head(yaml.safe_load(loader.write_head(bank.head))) == bank.head


_words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).map(str.strip).filter(bool)


@given(_words, _words, st.lists(_words.map(lambda word: word[:40].strip()).filter(bool), max_size=3, unique=True), st.integers(1, 5))
def test_any_text_survives_export_and_import(stem: str, explanation: str, tags: list[str], difficulty: int) -> None:
    entry = replace(make_entry(1), stem=stem, explanation=explanation, tags=tuple(tags), difficulty=difficulty)
    text = loader.write_entries((entry,))
    assert loader.parse_questions_text(text) == (entry,)
    assert [item["stem"] for item in yaml.safe_load(text)] == [stem]


def test_the_hash_sees_every_part_of_the_content_but_not_the_id() -> None:
    entry = make_entry(1)
    changes: dict[str, Any] = {
        "kind": "multiple",
        "stem": "另一个题干",
        "choices": ("甲", "乙", "丙", "丁"),
        "answer": (1,),
        "explanation": "另一个讲解",
        "citations": ({"law": "刑法", "article": "1"},),
        "difficulty": 5,
        "tags": ("另一个",),
        "reviewed_by": "某人",
        "reviewed_on": "2026-11-22",
    }
    assert set(changes) | {"code"} == set(Entry.__dataclass_fields__)
    hashes = {replace(entry, **{name: value}).content_hash() for name, value in changes.items()}
    assert len(hashes | {entry.content_hash()}) == len(changes) + 1
    assert replace(entry, code="q-999").content_hash() == entry.content_hash()


def _bank_folder(tmp_path: Path, bank: str, questions: bytes) -> Path:
    (tmp_path / "bank.yaml").write_text(bank, encoding="utf-8")
    (tmp_path / "questions.yaml").write_bytes(questions)
    return tmp_path


def test_both_files_are_reported_and_nothing_is_returned(tmp_path: Path) -> None:
    folder = _bank_folder(tmp_path, "slug: Bad Slug\ntitle: x\n", b"- id: 1\n")
    with pytest.raises(BankFileInvalid) as refusal:
        loader.load_bank(folder)
    files = {row.file for row in refusal.value.rows}
    assert files == {str(tmp_path / "bank.yaml"), str(tmp_path / "questions.yaml")}
    assert str(refusal.value).count("\n") >= 5


def test_a_missing_file_and_a_file_that_is_not_utf8_are_named(tmp_path: Path) -> None:
    with pytest.raises(BankFileInvalid) as refusal:
        loader.load_bank(tmp_path)
    assert len(refusal.value.rows) == 2
    folder = _bank_folder(tmp_path, "slug: x\ntitle: x\ntheme: x\n", "- id: 中文".encode("gbk"))
    with pytest.raises(BankFileInvalid) as refusal:
        loader.load_bank(folder)
    assert "UTF-8" in str(refusal.value)


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "MAX_FILE_BYTES", 1000)
    folder = _bank_folder(tmp_path, "slug: x\ntitle: x\ntheme: x\n", b"- id: " + b"x" * 2000)
    with pytest.raises(BankFileInvalid) as refusal:
        loader.load_bank(folder)
    assert "MB" in str(refusal.value)


def test_too_many_entries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "MAX_ENTRIES", 2)
    with pytest.raises(BankFileInvalid):
        loader.parse_entries([{**SINGLE, "id": str(number)} for number in range(3)])


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    text = loader.write_entries((make_entry(1),))
    folder = _bank_folder(tmp_path, "slug: x\ntitle: x\ntheme: x\n", b"\xef\xbb\xbf" + text.encode())
    assert loader.load_bank(folder).head == BankHead("x", "x", "x", "", "")

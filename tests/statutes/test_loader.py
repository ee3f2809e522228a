import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from quizapp.statutes import loader
from quizapp.statutes.errors import LawFilesInvalid
from quizapp.statutes.loader import LawFile, Upload, read_folder, read_uploads
from tests.factories.statutes import law_json, upload


def _rows(files: list[Upload]) -> list[tuple[str, str, str]]:
    with pytest.raises(LawFilesInvalid) as caught:
        read_uploads(files)
    return [(row.file, row.field, row.reason) for row in caught.value.rows]


def _raw(raw: bytes | str) -> list[Upload]:
    return [Upload("a.json", raw.encode() if isinstance(raw, str) else raw)]


def _one(**changes: Any) -> LawFile:
    return read_uploads(upload(law_json(**changes))).statutes[0]


def test_a_file_is_read() -> None:
    law = _one(preamble="序言的话。", aliases=["试衣"], amendment_effective="2024-01-01", last_amended="2023-12-20")
    assert law.names == {"试衣法", "中华人民共和国试衣法", "试衣"}
    assert law.text_from.isoformat() == "2024-01-01"
    assert law.articles["0"] == "序言的话。"
    assert law.articles["2"] == "买毛衣的人可以在三日内试穿。\n试穿不得剪掉吊牌。"
    assert law.kind == "law"


@pytest.mark.parametrize(
    ("days", "text_from"),
    [
        ({}, "2020-03-01"),
        ({"last_amended": "2013-10-25"}, "2020-03-01"),
        ({"last_amended": "2023-10-25"}, "2023-10-25"),
        ({"last_amended": "2023-10-25", "amendment_effective": "2024-03-01"}, "2024-03-01"),
        ({"effective": None}, "2020-01-05"),
    ],
)
def test_a_text_holds_from_its_last_change(days: dict[str, str], text_from: str) -> None:
    assert _one(**days).text_from.isoformat() == text_from


@pytest.mark.parametrize(
    ("category", "kind"), [("行政法规", "regulation"), ("司法解释", "interpretation"), ("党内法规", "party_rule"), ("刑法", "law")]
)
def test_categories_are_kinds(category: str, kind: str) -> None:
    assert _one(category=category).kind == kind


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"short_title": ""}, "short_title"),
        ({"title": 5}, "title"),
        ({"title": "甲" * 201}, "title"),
        ({"short_title": "a/b"}, "short_title"),
        ({"effective": "2020-3-1"}, "effective"),
        ({"effective": None, "adopted": None}, "effective"),
        ({"status": "gone"}, "status"),
        ({"aliases": "x"}, "aliases"),
        ({"text_outdated": "yes"}, "text_outdated"),
        ({"articles": None}, "articles"),
        ({"articles": {"第一条": "x"}}, "articles[第一条]"),
        ({"articles": {"0": "x"}}, "articles[0]"),
        ({"articles": {"1": ""}}, "articles[1]"),
        ({"articles": {"1": "x" * 20_001}}, "articles[1]"),
        ({"articles": {"1": "a\x00b"}}, "articles[1]"),
        ({"articles": {str(number): "x" for number in range(1, 3_002)}}, "articles"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_every_mistake_names_its_field(changes: dict[str, Any], field: str) -> None:
    raw = json.dumps({**law_json(), **changes}, ensure_ascii=False)
    assert [row[1] for row in _rows(_raw(raw))] == [field]


def test_all_mistakes_of_all_files_are_named_at_once() -> None:
    rows = _rows([*upload(law_json("甲法", status="x", title="")), *upload(law_json("乙法", {"1": "", "x": "y"}))])
    assert [(file, field) for file, field, _ in rows] == [
        ("national/甲法.json", "status"),
        ("national/甲法.json", "title"),
        ("national/乙法.json", "articles[1]"),
        ("national/乙法.json", "articles[x]"),
    ]


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        ("{", "JSON"),
        ("[1]", "各个字段"),
        ("中文".encode("gb18030"), "UTF-8"),
        ('{"title": "x", "title": "y"}', "两次"),
        ("[" * 100_000, "JSON"),
        ('{"articles": {"1": "x", "1": "y"}}', "两次"),
    ],
)
def test_files_that_are_no_statute_are_refused(raw: bytes | str, word: str) -> None:
    [(file, _, reason)] = _rows(_raw(raw))
    assert file == "a.json"
    assert word in reason


def test_two_files_of_one_title_are_refused() -> None:
    rows = _rows([*upload(law_json()), Upload("b.json", upload(law_json())[0].raw)])
    assert [(row[0], row[1]) for row in rows] == [("b.json", "short_title")]


def _zip(members: dict[str, bytes]) -> Upload:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return Upload("x.zip", out.getvalue())


def test_a_zip_of_a_folder_is_read_and_what_is_passed_over_is_named() -> None:
    law = upload(law_json())[0].raw
    files = read_uploads([_zip({"laws/national/a.json": law, "laws/index.json": b"[]", "laws/README.md": b"#", "__MACOSX/a.json": b"?"})])
    assert [statute.short_title for statute in files.statutes] == ["试衣法"]
    assert {name for name, _ in files.passed_over} == {"laws/index.json", "laws/README.md", "__MACOSX/a.json"}


def test_bombs_and_broken_archives_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "打不开" in _rows([Upload("x.zip", b"PK\x03\x04 not a zip")])[0][2]
    assert "没有法条文件" in _rows([_zip({"a.txt": b""})])[0][2]
    assert "4 MB" in _rows([_zip({"a.json": b" " * (loader.MAX_FILE_BYTES + 1)})])[0][2]
    monkeypatch.setattr(loader, "MAX_TOTAL_BYTES", 10_000)
    assert "解开后超过" in _rows([_zip({f"{number}.json": b" " * 6_000 for number in range(2)})])[0][2]
    monkeypatch.setattr(loader, "MAX_FILES", 3)
    assert "最多 3 个" in _rows([_zip({f"{number}.json": b"{}" for number in range(4)})])[0][2]
    assert "最多 3 个" in _rows([Upload(f"{number}.json", b"{}") for number in range(4)])[0][2]


def test_a_corrupt_member_is_refused() -> None:
    raw = bytearray(_zip({"a.json": upload(law_json())[0].raw}).raw)
    raw[60:70] = b"\xff" * 10
    assert _rows([Upload("x.zip", bytes(raw))])


def test_a_text_that_supersedes_another_is_a_later_version_of_it() -> None:
    old = law_json("试衣法", superseded_by="试衣法二.json", superseded_on="2027-01-01")
    new = law_json("试衣法二", {"1": "新的。"}, title="中华人民共和国试衣法", status="not_yet_in_force", effective="2027-01-01")
    files = [
        Upload("national/试衣法.json", json.dumps(old, ensure_ascii=False).encode()),
        Upload("national/试衣法二.json", json.dumps(new, ensure_ascii=False).encode()),
    ]
    [law] = read_uploads(files).statutes
    [successor] = law.successors
    assert successor.text_from.isoformat() == "2027-01-01"
    assert "试衣法二" in law.names
    assert [statute.short_title for statute in read_uploads(files[1:]).statutes] == ["试衣法二"]


def test_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "national").mkdir()
    (tmp_path / "national" / "a.json").write_bytes(upload(law_json())[0].raw)
    (tmp_path / "index.json").write_text("[]")
    files = read_folder(tmp_path)
    assert files.statutes[0].path == "national/a.json"
    assert files.passed_over == (("index.json", "是目录，不是一部法律"),)
    with pytest.raises(LawFilesInvalid):
        read_folder(tmp_path / "national" / "none")

import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.questions.lint.citations import cited_articles
from quizapp.questions.loader import load_bank
from quizapp.statutes.facts import facts_of, pack_pairs, pairs_of, unpack_pairs
from quizapp.statutes.registry import REGISTRY_FILE, expand, load_registry, shorten
from quizapp.statutes.registry_file import FolderInvalid, build_registry, write_registry
from tests.factories.questions import BANKS
from tests.factories.registry import DAY, LAWS, PASTURE, make_registry, write_folder


def test_every_citation_of_the_shipped_banks_is_registered() -> None:
    registry = load_registry()
    missing = []
    for folder in sorted(BANKS.iterdir()):
        for entry in load_bank(folder).entries:
            for cited in cited_articles(entry.citations):
                is_known = registry.find(cited.name) is not None or not cited.is_document
                if is_known and registry.article(cited.name, cited.number) is None:
                    missing.append(f"{entry.code}: {cited.name} {cited.number}")
    assert missing == [], "build the registry anew: python -m tools.registry LAWS"


def test_the_shipped_registry_knows_names_dates_and_status() -> None:
    registry = load_registry()
    code = registry.find("中华人民共和国民法典")
    assert code is not None
    assert (code.short_title, code.kind, code.effective, len(code.article_numbers)) == ("民法典", "law", dt.date(2021, 1, 1), 1260)
    assert registry.find("《民法典》") is code
    assert registry.find("电商法") is registry.find("电子商务法")
    gone = registry.find("环境保护法")
    assert gone is not None
    assert gone.status_on(dt.date(2026, 8, 14)) == "in_force"
    assert gone.status_on(dt.date(2026, 8, 15)) == "repealed"
    contracts = registry.find("合同法")
    assert contracts is not None
    assert contracts.status_on(DAY) == "repealed"
    assert registry.find("没有这部法") is None


def test_a_revised_law_replaces_the_old_one_on_its_day() -> None:
    registry = load_registry()
    revised = registry.find("商标法（2026年修订）", dt.date(2026, 12, 31))
    assert revised is not None
    assert revised.status_on(dt.date(2026, 12, 31)) == "not_yet_in_force"
    assert revised.status_on(dt.date(2027, 1, 1)) == "in_force"
    old = registry.find("商标法", dt.date(2026, 12, 31))
    assert old is not None
    assert old.changed_on(dt.date(2026, 12, 31)) == dt.date(2019, 4, 23)
    assert old.changed_on(dt.date(2027, 1, 1)) == dt.date(2027, 1, 1)


def test_the_registry_holds_no_texts() -> None:
    """The longest string of the file is the packed vocabulary of an article, never a sentence."""
    raw = json.loads(REGISTRY_FILE.read_text(encoding="utf-8"))
    for numbers in raw["articles"].values():
        for facts in numbers.values():
            assert facts.keys() - {"near"} == {"sha256", "figures", "pairs"}
            assert all(packed.isascii() for packed in (facts["pairs"], *facts.get("near", {}).values()))
            assert all(len(figure) < 20 for figure in facts["figures"])


def test_facts_of_an_article(tmp_path: Path) -> None:
    registry = make_registry(tmp_path)
    facts = registry.article("放牧法", "2")
    assert facts is not None
    assert facts.sha256 == hashlib.sha256(PASTURE["2"].encode()).hexdigest()
    assert facts.figures == {"7日", "24小时"}
    assert facts == facts_of(PASTURE["2"], registry.common)
    assert registry.article("转场放牧法", "9") is None
    assert registry.article("没有这部法", "1") is None


def test_the_order_of_names_decides_nothing(tmp_path: Path) -> None:
    registry = make_registry(tmp_path)
    pasture = registry.find("转场放牧法")
    assert pasture is not None
    assert pasture.article_numbers == ("1", "2", "3", "3-1", "3-2", "4")
    gone = registry.find("驿站法")
    assert gone is not None
    assert (gone.status_on(DAY), gone.repealed_on) == ("repealed", None)


def test_a_cited_article_that_is_not_in_the_folder_stops_the_build(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    for name, number in (("转场放牧法", "99"), ("旧牧法", "1"), ("没有这部法", "1")):
        with pytest.raises(FolderInvalid, match=name):
            build_registry(folder, must={(name, number)}, as_of="2026-11-22")
        assert build_registry(folder, must=set(), may={(name, number)}, as_of="2026-11-22")["articles"] == {}
    with pytest.raises(FolderInvalid, match=r"index\.json"):
        build_registry(tmp_path / "nothing", must=set(), as_of="2026-11-22")


def test_building_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    cited = {("转场放牧法", number) for number in PASTURE}
    first, second = (write_registry(build_registry(write_folder(tmp_path), must=cited, as_of="2026-11-22")) for _ in range(2))
    assert first == second
    assert all(law["short_title"] in first for law in LAWS)
    assert not any(text in first for text in PASTURE.values())


@given(st.lists(st.integers(1, 300), unique=True).map(sorted))
def test_runs_of_articles_are_shortened_and_come_back(numbers: list[int]) -> None:
    written = [str(number) for number in numbers]
    assert list(expand(shorten(written))) == written


@given(st.text(alphabet="牧民可以申请缓期转场的了，。一二三", max_size=80))
def test_vocabulary_survives_packing(text: str) -> None:
    assert unpack_pairs(pack_pairs(pairs_of(text))) == pairs_of(text)

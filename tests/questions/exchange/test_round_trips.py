"""Export, then import, gives the same questions: for any text a question may hold, as far as the format can carry it."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from quizapp.questions.exchange import banks, formats, sheets, words
from quizapp.questions.exchange.formats import BY_NAME
from quizapp.questions.loader import BankFile, BankHead, Entry, load_bank
from quizapp.questions.rules import JUDGE_CHOICES
from tests.factories.questions import BANKS

TRICKY = "ABCab019 .、．:：()（）[]【】{}<>&=~#%\\/\"'|;；,，-+@\n\t√×对错《》第条款《》：答案解析依据$*_　—“”é😀\u2028"
LIMIT = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def _texts(most: int) -> st.SearchStrategy[str]:
    """Texts as a bank keeps them: outer blanks gone, no control characters, no bare carriage return."""
    anything = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    return st.text(st.one_of(st.sampled_from(TRICKY), anything), min_size=1, max_size=most).map(lambda text: text.strip() or "字")


_days = st.dates(min_value=dt.date(1949, 10, 1)).map(str)
_articles = st.one_of(st.integers(1, 1260).map(str), st.builds("{}-{}".format, st.integers(1, 500), st.integers(1, 20)))
_laws = st.fixed_dictionaries({"law": st.one_of(st.sampled_from(["消费者权益保护法", "民法典"]), _texts(20)), "article": _articles})
_documents = st.fixed_dictionaries(
    {
        "document": _texts(20),
        "issuer": _texts(10),
        "number": _texts(10),
        "clause": _texts(10),
        "date": _days,
    }
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(["single", "multiple", "indefinite", "judge"]))
    count = draw(st.integers(2, 8))
    choices = JUDGE_CHOICES if kind == "judge" else tuple(draw(st.lists(_texts(30), min_size=count, max_size=count, unique=True)))
    sizes = {"single": (1, 1), "judge": (1, 1), "multiple": (2, len(choices)), "indefinite": (1, len(choices))}[kind]
    key = draw(st.lists(st.integers(0, len(choices) - 1), min_size=sizes[0], max_size=sizes[1], unique=True))
    citations = draw(st.lists(st.one_of(_laws, _documents), max_size=4, unique_by=lambda item: str(sorted(item.items()))))
    reviewed = draw(st.none() | _texts(10))
    return Entry(
        code=draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)),
        kind=kind,
        stem=draw(_texts(120)),
        choices=choices,
        answer=tuple(sorted(key)),
        explanation=draw(st.just("") | _texts(120)),
        citations=tuple(citations),
        difficulty=draw(st.integers(1, 5)),
        tags=tuple(draw(st.lists(_texts(20), max_size=4, unique=True))),
        reviewed_by=reviewed,
        reviewed_on=draw(st.none() | _days),
    )


_banks = st.lists(entries(), min_size=1, max_size=4, unique_by=lambda entry: entry.code)
_HARD = [
    Entry(
        "007", "single", "=cmd()|'x'!A1", ("+1", "-1", "@x", "'=1"), (3,), "'quoted'", ({"law": "民法典", "article": "1"},), 1, ("a,b", "c")
    ),
    Entry("b", "judge", "1. A. 甲\nB. 乙\n答案：A\n解析：x", JUDGE_CHOICES, (1,), "2. 【单选】x\n平台编号：zz", (), 5, ()),
    Entry(
        "c",
        "indefinite",
        "（ B ）::x::{=a ~b}####",
        ("（正确答案）", "A. x", "答案：B", "// [id:z]"),
        (0, 2),
        "#### \\n \\\\",
        (),
        3,
        ("依据:x", "难度:5", "[]"),
    ),
    Entry(
        "d",
        "multiple",
        "<b>&amp;]]></b>",
        ("&lt;", "<p>", "a\tb"),
        (1, 2),
        "A；B",
        ({"law": "A》（b", "article": "3-1"},),
        2,
        ("[1]", "x\ny"),
    ),
]


def _there_and_back(name: str, given_entries: list[Entry]) -> list[Entry]:
    format = BY_NAME[name]
    parsed = formats.read(format.write(given_entries), f"x.{format.extension}")
    assert not parsed.errors, parsed.errors
    return [question.entry for question in parsed.questions]


@pytest.mark.parametrize("name", ["csv", "gift", "moodle"])
@given(bank=_banks)
@example(bank=_HARD)
@LIMIT
def test_text_formats_carry_everything(name: str, bank: list[Entry]) -> None:
    assert _there_and_back(name, bank) == bank


@pytest.mark.parametrize("name", ["xlsx", "docx"])
@given(bank=st.lists(entries(), min_size=1, max_size=12, unique_by=lambda entry: entry.code))
@example(bank=_HARD)
@settings(LIMIT, max_examples=12)
def test_office_files_carry_everything(name: str, bank: list[Entry]) -> None:
    """Fewer examples: each opens a process."""
    assert _there_and_back(name, bank) == bank


@given(bank=_banks)
@example(bank=_HARD)
@LIMIT
def test_our_own_files_carry_everything_and_a_draft_s_gaps(bank: list[Entry]) -> None:
    head = BankHead("b", "题库", "tax", "", "")
    parsed = formats.read(banks.write_zip(BankFile(head, tuple(bank))))
    assert not parsed.errors
    assert [question.entry for question in parsed.questions] == bank
    assert parsed.head == head
    for question, entry in zip(parsed.questions, bank, strict=True):
        assert ("explanation" in question.gaps) == (not entry.explanation)
        assert ("citations" in question.gaps) == (not entry.citations)


@given(bank=_banks)
@LIMIT
def test_aiken_carries_questions_with_one_key_on_single_lines(bank: list[Entry]) -> None:
    """What it cannot: several keys, explanation, citations, difficulty, tags, ids, line ends, blanks within, an indefinite kind."""

    def flat(text: str) -> str:
        return "".join(text.split()) or "空"

    plain = [
        replace(
            entry,
            stem=f"题 {flat(entry.stem)}",
            choices=entry.choices
            if entry.kind == "judge"
            else tuple(f"选 {flat(text)} {place}" for place, text in enumerate(entry.choices)),
        )
        for entry in bank
        if len(entry.answer) == 1
    ]
    parsed = formats.read(BY_NAME["aiken"].write(plain), "x.txt")
    if not plain:
        return
    assert [(q.entry.stem, q.entry.choices, q.entry.answer) for q in parsed.questions] == [(e.stem, e.choices, e.answer) for e in plain]
    assert {q.entry.kind for q in parsed.questions} <= {"single", "judge"}


@pytest.mark.parametrize("name", [format.name for format in formats.FORMATS if not format.loses])
def test_every_shipped_bank_goes_out_and_in(name: str) -> None:
    shipped = [load_bank(folder) for folder in sorted(BANKS.iterdir()) if (folder / "questions.yaml").exists()]
    everything = [replace(entry, code=f"{bank.head.slug}.{entry.code}"[:64]) for bank in shipped for entry in bank.entries]
    assert _there_and_back(name, everything) == everything


def test_only_aiken_loses_anything_and_says_so() -> None:
    assert [format.name for format in formats.FORMATS if format.loses] == ["aiken"]


@given(text=st.text(st.sampled_from("'=+-@ \n\tx＝"), max_size=6))
def test_guarding_a_cell_against_formulas_can_be_undone(text: str) -> None:
    assert sheets.unguarded(sheets.guarded(text)) == text
    assert not sheets.guarded(text).lstrip(" \n").startswith(tuple("=+-@\t＝＋－＠"))


@given(citations=st.lists(st.one_of(_laws, _documents), max_size=4, unique_by=lambda item: str(sorted(item.items()))))
def test_citations_come_back_from_words(citations: list[dict[str, str]]) -> None:
    found, rest, _ = words.read_citations(words.write_citations(citations))
    assert (list(found), rest) == (citations, "")


@given(tags=st.lists(_texts(20), max_size=4, unique=True))
def test_tags_come_back_from_words(tags: list[str]) -> None:
    assert words.read_tags(words.write_tags(tags)) == tuple(tags)

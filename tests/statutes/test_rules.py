import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.statutes import rules
from quizapp.statutes.rules import Version

DAY = dt.date(2026, 6, 1)
MOMENT = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def _version(text: str | None, effective_from: dt.date, recorded_days: int = 0) -> Version:
    return Version(uuid.uuid4(), "1", text, effective_from, MOMENT + dt.timedelta(days=recorded_days))


@given(st.integers(1, 9999))
def test_numerals_come_back_as_the_number(number: int) -> None:
    assert rules.to_number(rules.chinese_number(number)) == number


@pytest.mark.parametrize(
    ("clause", "numbers"),
    [
        ("第十三条", ("13",)),
        ("第十三条第二款", ("13",)),
        ("第一百三十三条之一", ("133-1",)),
        ("第2条、第十五条", ("2", "15")),
        ("第三条、第三条第二款", ("3",)),
        ("三、（二）", ("3",)),
        ("第二部分", ("2",)),
        ("附件", ()),
        ("第零条", ()),
    ],
)
def test_a_clause_names_its_articles(clause: str, numbers: tuple[str, ...]) -> None:
    assert rules.numbers_in(clause) == numbers


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("民法典 1064", "民法典", "1064"),
        ("民法典1064条", "民法典", "1064"),
        ("《民法典》第一千零六十四条", "民法典", "1064"),
        ("刑法 第一百三十三条之一", "刑法", "133-1"),
        ("刑法133-1", "刑法", "133-1"),
        ("七日 退货", "", ""),
        ("1064", "", ""),
    ],
)
def test_a_search_may_name_an_article(text: str, name: str, number: str) -> None:
    query = rules.parse_query(text)
    assert (query.name, query.number) == (name, number)


def test_a_search_has_few_and_short_words() -> None:
    assert rules.parse_query("a b c d e f g").terms == ("a", "b", "c", "d", "e")
    assert len("".join(rules.parse_query("退" * 500).terms)) == rules.MAX_QUERY
    assert rules.parse_query("  ").terms == ()


def test_a_snippet_marks_every_word() -> None:
    text = "前" * 100 + "七日内可以退货" + "后" * 100
    pieces = rules.snippet(text, ["退货", "七日"])
    assert [piece for piece, is_term in pieces if is_term] == ["七日", "退货"]
    assert pieces[0] == ("…", False)
    assert pieces[-1] == ("…", False)
    assert rules.snippet("短文", ["没有"]) == [("短文", False)]


# ---- which version holds


def test_the_version_of_a_day_is_the_last_begun() -> None:
    old, new = _version("旧", dt.date(2020, 1, 1)), _version("新", DAY)
    assert rules.pick([old, new], dt.date(2019, 12, 31)) is None
    assert rules.pick([new, old], DAY - dt.timedelta(days=1)) is old
    assert rules.pick([new, old], DAY) is new
    assert rules.ends_on(old, [old, new]) == DAY
    assert rules.ends_on(new, [old, new]) is None


def test_a_correction_of_the_same_day_wins_and_what_was_seen_stays() -> None:
    typed, corrected = _version("错字", DAY), _version("对了", DAY, recorded_days=5)
    assert rules.pick([typed, corrected], DAY) is corrected
    assert rules.pick([typed, corrected], DAY, MOMENT + dt.timedelta(days=4)) is typed
    assert rules.pick([typed, corrected], DAY, MOMENT + dt.timedelta(days=5)) is corrected


def test_a_change_entered_late_does_not_alter_what_was_seen() -> None:
    """Taken in on 1 June, changed on 20 June with effect from 5 June: who looked on 10 June saw the old text."""
    old, late = _version("旧", dt.date(2020, 1, 1)), _version("新", dt.date(2026, 6, 5), recorded_days=19)
    ten = MOMENT + dt.timedelta(days=9)
    assert rules.pick([old, late], dt.date(2026, 6, 10), ten) is old
    assert rules.pick([old, late], dt.date(2026, 6, 10)) is late


def test_before_anything_was_recorded_the_first_text_is_shown() -> None:
    first, second = _version("先", dt.date(2020, 1, 1)), _version("后", dt.date(2020, 1, 1), recorded_days=3)
    before = MOMENT - dt.timedelta(days=30)
    assert rules.pick([first, second], dt.date(2026, 5, 2), before) is first


@given(
    st.lists(
        st.tuples(st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 50)),
        min_size=1,
        max_size=8,
    ),
    st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
    st.integers(0, 50),
    st.integers(0, 50),
)
def test_what_is_recorded_later_never_alters_what_was_known(rows: list[tuple[dt.date, int]], on: dt.date, known: int, later: int) -> None:
    versions = [_version(str(place), day, recorded) for place, (day, recorded) in enumerate(rows)]
    known_at = MOMENT + dt.timedelta(days=known)
    if not any(version.recorded_at <= known_at and version.effective_from <= on for version in versions):
        return
    fresh = _version("fresh", on, known + 1 + later)
    assert rules.pick([*versions, fresh], on, known_at) is rules.pick(versions, on, known_at)


@pytest.mark.parametrize(
    ("effective_from", "existing", "matters"),
    [
        (dt.date(2026, 7, 1), [dt.date(2020, 1, 1)], True),
        (dt.date(2026, 1, 1), [dt.date(2020, 1, 1)], True),
        (dt.date(2012, 1, 1), [dt.date(2020, 1, 1)], False),
        (dt.date(2012, 1, 1), [dt.date(2027, 1, 1)], True),
        (dt.date(2020, 1, 1), [dt.date(2020, 1, 1)], True),
    ],
)
def test_only_a_text_that_holds_from_today_on_matters(effective_from: dt.date, existing: list[dt.date], matters: bool) -> None:
    assert rules.matters_from([_version("x", day) for day in existing], effective_from, DAY) is matters


def test_status_on_a_day() -> None:
    def status(on: dt.date, **known: object) -> str:
        values = {"effective_on": dt.date(2020, 3, 1), "repealed_on": None, "is_repealed": False, **known}
        return rules.status_on(on, **values)  # type: ignore[arg-type]  # made of the defaults above

    assert status(dt.date(2020, 2, 29)) == "not_yet_in_force"
    assert status(dt.date(2020, 3, 1)) == "in_force"
    assert status(DAY, is_repealed=True) == "repealed"
    assert status(DAY, is_repealed=True, repealed_on=DAY) == "repealed"
    assert status(DAY - dt.timedelta(days=1), is_repealed=True, repealed_on=DAY) == "in_force"


# ---- text


def test_text_is_kept_in_one_form() -> None:
    assert rules.clean_text("　第一款。\r\n\r\n  第二款。\u3000\n") == "第一款。\n第二款。"


def test_typed_text_is_cut_at_its_articles() -> None:
    cut = rules.cut_text(
        "试衣条例\n目录\n第一章　总则\n\n第一章　总则\n第一条　为了试衣。\n第二条 应当有镜子。\n（一）大的；\n"
        "第一条规定的镜子除外。\n第二条之一　镜子要亮。\n第二章　附则\n第三条　自公布之日起施行。"
    )
    assert cut.gap is None
    assert cut.unit == "article"
    assert dict(cut.articles) == {
        "1": "为了试衣。",
        "2": "应当有镜子。\n（一）大的；\n第一条规定的镜子除外。",
        "2-1": "镜子要亮。",
        "3": "自公布之日起施行。",
    }


def test_a_document_without_articles_is_cut_at_its_sections() -> None:
    cut = rules.cut_text("关于试衣的通知\n各单位：\n一、提高认识\n要重视。\n二、加强领导\n（一）成立小组。")
    assert cut.unit == "section"
    assert dict(cut.articles) == {"1": "提高认识\n要重视。", "2": "加强领导\n（一）成立小组。"}
    assert rules.label("2", cut.unit) == "二、"


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("第一条 甲\n第三条 乙", ("第一条", "第三条")),
        ("第二条 甲", ("", "第二条")),
        ("一、甲\n三、乙", ("一、", "三、")),
    ],
)
def test_a_missing_article_is_named(text: str, gap: tuple[str, str]) -> None:
    assert rules.cut_text(text).gap == gap


def test_text_without_articles_gives_none() -> None:
    assert dict(rules.cut_text("一段话而已").articles) == {}
    assert rules.cut_text("").gap is None


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=400))
def test_pages_hold_every_article_once_and_stay_small(lengths: list[int]) -> None:
    starts = rules.page_starts(lengths)
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    for start, end in zip(starts, [*starts[1:], len(lengths)], strict=True):
        assert end > start
        assert end - start <= rules.PAGE_ARTICLES
        assert end - start == 1 or sum(lengths[start:end]) <= rules.PAGE_CHARACTERS


def test_labels() -> None:
    assert rules.label("133-1") == "第一百三十三条之一"
    assert rules.label("0") == "序言"
    assert [rules.is_number(text) for text in ("25", "133-1", "0", "025", "a", "", "1-", "99999")] == [True, True, True, *[False] * 5]
    assert sorted(["134", "133-10", "133", "133-2"], key=rules.sort_key) == ["133", "133-2", "133-10", "134"]
    assert rules.position("133-10") < rules.position("134")

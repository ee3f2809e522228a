"""Real questions broken on purpose: lint must find nearly all of them.

Each plant takes the shipped question that fits first (from a different place of the banks each time) and breaks one thing, as
an author on old knowledge or a slip of the hand would. Whether lint finds it is not looked at while choosing.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

import pytest

from quizapp.questions.lint import Context, Finding, SecondPass, lint_bank
from quizapp.questions.lint.citations import cited_articles
from quizapp.questions.loader import BankFile, Entry, load_bank
from quizapp.statutes.figures import Figure, find_figures, squeeze
from quizapp.statutes.registry import load_registry
from quizapp.statutes.rules import chinese_number
from tests.factories.questions import BANKS
from tests.factories.registry import DAY

CONTEXT = Context(load_registry(), DAY)
Break = Callable[[Entry], Entry | None]
"""Breaks a question, or says that it does not lend itself."""


@cache
def _banks() -> tuple[BankFile, ...]:
    return tuple(load_bank(folder) for folder in sorted(BANKS.iterdir()))


@dataclass(frozen=True)
class Plant:
    """A way to break a question; ``start`` is where in all banks (0 to 1) to look for one."""

    name: str
    start: float
    break_: Break


# ---- hands that break


def _figures_held(entry: Entry) -> set[str]:
    articles = [CONTEXT.registry.article(cited.name, cited.number) for cited in cited_articles(entry.citations)]
    return {figure for article in articles if article for figure in article.figures}


def _rewritten(text: str, figure: Figure, value: int) -> str | None:
    """A text with one figure's number replaced, in the numerals it was written in."""
    text = squeeze(text)
    match = re.match(r"[\d零一二三四五六七八九十百千两]+", text[figure.start : figure.end])
    if match is None or "万" in text[figure.start : figure.end]:
        return None
    if figure.unit == "月" and "年" in text[figure.start : figure.end]:
        if value % 12:
            return None
        value //= 12
    written = str(value) if match[0][0].isdigit() else chinese_number(value)
    return text[: figure.start] + written + text[figure.start + len(match[0]) :]


def _other_value(entry: Entry, figure: Figure, values: Iterable[int]) -> int | None:
    """The first of some values that no cited article holds."""
    held = _figures_held(entry)
    fitting = (value for value in values if replace(figure, value=Fraction(value)).norm not in held)
    return next(fitting, None)


def _key_figure(entry: Entry, unit: str) -> tuple[int, Figure] | None:
    """Place of the right choice and the figure in it that an article holds."""
    held = _figures_held(entry)
    if entry.kind == "judge":
        return None
    found = ((place, figure) for place in entry.answer for figure in find_figures(entry.choices[place]))
    return next(((place, figure) for place, figure in found if figure.unit == unit and figure.norm in held), None)


def _in_key(unit: str, values: Iterable[int], *, and_explanation: bool = False) -> Break:
    """An old figure in the key; on request also wherever the explanation names it."""

    def break_(entry: Entry) -> Entry | None:
        found = _key_figure(entry, unit)
        value = found and _other_value(entry, found[1], values)
        text = _rewritten(entry.choices[found[0]], found[1], value) if found and value else None
        if text is None or found is None or value is None or text in entry.choices:
            return None
        choices = tuple(text if place == found[0] else choice for place, choice in enumerate(entry.choices))
        broken = replace(entry, choices=choices)
        return _everywhere(broken, found[1], value) if and_explanation else broken

    return break_


def _everywhere(entry: Entry, figure: Figure, value: int) -> Entry | None:
    """The explanation with every mention of a figure rewritten; None if it never names it."""
    text = squeeze(entry.explanation)
    for _ in range(8):
        same = [other for other in find_figures(text) if other.norm == figure.norm]
        if not same:
            break
        text = _rewritten(text, same[0], value) or text
    return None if text == squeeze(entry.explanation) else replace(entry, explanation=text)


def _in_explanation(unit: str, values: Iterable[int]) -> Break:
    def break_(entry: Entry) -> Entry | None:
        held = _figures_held(entry)
        figure = next((item for item in find_figures(entry.explanation) if item.unit == unit and item.norm in held), None)
        value = figure and _other_value(entry, figure, values)
        text = _rewritten(entry.explanation, figure, value) if figure and value else None
        return replace(entry, explanation=text) if text else None

    return break_


def _in_true_statement(unit: str, values: Iterable[int]) -> Break:
    def break_(entry: Entry) -> Entry | None:
        held = _figures_held(entry)
        if entry.kind != "judge" or entry.answer != (0,):
            return None
        figure = next((item for item in find_figures(entry.stem) if item.unit == unit and item.norm in held), None)
        value = figure and _other_value(entry, figure, values)
        text = _rewritten(entry.stem, figure, value) if figure and value else None
        return replace(entry, stem=text) if text else None

    return break_


def _other_paragraph(entry: Entry, unit: str) -> tuple[int, Figure, int] | None:
    """A key's figure and another of the same unit that the same articles hold."""
    found = _key_figure(entry, unit)
    if found is None:
        return None
    place, figure = found
    others = sorted(
        int(item.value)
        for norm in _figures_held(entry)
        for item in find_figures(norm)
        if item.unit == unit and item.norm != figure.norm and item.value.denominator == 1
    )
    return (place, figure, others[-1]) if others else None


def _paragraph_in_key(unit: str) -> Break:
    def break_(entry: Entry) -> Entry | None:
        found = _other_paragraph(entry, unit)
        text = found and _rewritten(entry.choices[found[0]], found[1], found[2])
        if not found or not text or text in entry.choices or entry.kind != "single":
            return None
        return replace(entry, choices=tuple(text if place == found[0] else choice for place, choice in enumerate(entry.choices)))

    return break_


def _paragraph_in_explanation(unit: str) -> Break:
    def break_(entry: Entry) -> Entry | None:
        found = _other_paragraph(entry, unit)
        return _everywhere(entry, found[1], found[2]) if found and entry.kind == "single" else None

    return break_


OLD_NUMBERS = {
    ("治安管理处罚法", "51"): "43",
    ("治安管理处罚法", "58"): "49",
    ("治安管理处罚法", "119"): "100",
    ("治安管理处罚法", "23"): "21",
    ("治安管理处罚法", "117"): "98",
    ("仲裁法", "72"): "59",
    ("反不正当竞争法", "11"): "10",
    ("反不正当竞争法", "12"): "11",
    ("反不正当竞争法", "9"): "8",
    ("村民委员会组织法", "28"): "24",
    ("村民委员会组织法", "18"): "15",
    ("网络安全法", "61"): "59",
    ("网络安全法", "23"): "21",
    ("行政复议法", "20"): "9",
    ("公司法", "47"): "26",
    ("监察法", "46"): "43",
    ("国家通用语言文字法", "10"): "12",
    ("国家通用语言文字法", "11"): "10",
    ("保守国家秘密法", "57"): "48",
}
"""Article numbers before the last full revision."""


def _old_number(entry: Entry) -> Entry | None:
    if len(entry.citations) != 1 or "law" not in entry.citations[0]:
        return None
    citation = entry.citations[0]
    old = OLD_NUMBERS.get((citation["law"], citation["article"]))
    return replace(entry, citations=({**citation, "article": old},)) if old else None


def _cites(law: str, old_law: str, old_article: str) -> Break:
    """A law that is gone in place of the one in force."""

    def break_(entry: Entry) -> Entry | None:
        if entry.citations[0].get("law") != law:
            return None
        return replace(entry, citations=({"law": old_law, "article": old_article}, *entry.citations[1:]))

    return break_


def _wrong_number(law: str, article: str) -> Break:
    return _cites(law, law, article)


def _without_reason(entry: Entry) -> Entry | None:
    """The key again and a friendly word, as hurried authors write."""
    if entry.kind != "single":
        return None
    key = entry.choices[entry.answer[0]]
    return replace(entry, explanation=f"{key}。请大家记住这个知识点，遇到类似的事情不要慌。可以先打12348问一问，也可以找身边的人帮忙。")


def _advice_alone(entry: Entry) -> Entry | None:
    if entry.kind != "judge":
        return None
    result = "说法对" if entry.answer == (0,) else "说法错"
    return replace(
        entry, explanation=f"{result}。遇到这样的事，先留好聊天记录、票据和照片。拿不准的，可以打12348问一问，或者到司法所请人看一看。"
    )


def _all_of_them(entry: Entry) -> Entry | None:
    return replace(entry, choices=(*entry.choices[:3], "以上都对")) if entry.kind == "single" and entry.answer[0] != 3 else None


def _names_letters(entry: Entry) -> Entry | None:
    if entry.kind != "single" or len(entry.explanation) > 140:
        return None
    return replace(entry, explanation=f"应当选{'ABCD'[entry.answer[0]]}。{entry.explanation}")


def _double_negative(entry: Entry) -> Entry | None:
    stem = entry.stem.replace("下列说法对的是", "下列说法不正确的不包括")
    return replace(entry, stem=stem) if stem != entry.stem and entry.kind == "single" else None


def _names_old_law(entry: Entry) -> Entry | None:
    if entry.citations[0].get("law") != "民法典" or "民法典" not in entry.stem or entry.kind == "judge":
        return None
    return replace(entry, stem=entry.stem.replace("民法典", "合同法"))


OLD_SUMS = (200, 50, 100, 300, 3000, 20000)
OLD_AGES = (60, 12, 10, 25)
OLD_DAYS = (45, 20, 12, 90)
OLD_MONTHS = (36, 24, 4)

PLANTS = (
    Plant("old article number", 0.0, _old_number),
    Plant("old article number", 0.55, _old_number),
    Plant("old article number", 0.8, _old_number),
    Plant("repealed: environment", 0.1, _cites("生态环境法典", "环境保护法", "58")),
    Plant("repealed: noise", 0.12, _cites("生态环境法典", "噪声污染防治法", "63")),
    Plant("repealed: contracts", 0.05, _cites("民法典", "合同法", "52")),
    Plant("repealed: marriage", 0.6, _cites("民法典", "婚姻法", "32")),
    Plant("repealed: value added tax", 0.9, _cites("增值税法", "增值税暂行条例", "2")),
    Plant("number beyond the last article", 0.5, _wrong_number("治安管理处罚法", "145")),
    Plant("a neighbouring article", 0.3, _wrong_number("消费者权益保护法", "56")),
    Plant("not yet in force", 0.3, _cites("消费者权益保护法", "商标法（2026年修订）", "57")),
    Plant("old sum in the key", 0.2, _in_key("元", OLD_SUMS)),
    Plant("old sum in key and explanation", 0.75, _in_key("元", OLD_SUMS, and_explanation=True)),
    Plant("old sum in the explanation", 0.4, _in_explanation("元", OLD_SUMS)),
    Plant("old sum in the explanation", 0.85, _in_explanation("元", OLD_SUMS)),
    Plant("old age in the key", 0.0, _in_key("岁", OLD_AGES)),
    Plant("old age in the explanation", 0.35, _in_explanation("岁", OLD_AGES)),
    Plant("old age in the explanation", 0.7, _in_explanation("岁", OLD_AGES)),
    Plant("old age in a true statement", 0.0, _in_true_statement("岁", OLD_AGES)),
    Plant("old period in the key", 0.45, _in_key("日", OLD_DAYS)),
    Plant("old period in key and explanation", 0.1, _in_key("日", OLD_DAYS, and_explanation=True)),
    Plant("old period in the explanation", 0.65, _in_explanation("日", OLD_DAYS)),
    Plant("old period in months", 0.25, _in_key("月", OLD_MONTHS)),
    Plant("old period in months, explanation", 0.5, _in_explanation("月", OLD_MONTHS)),
    Plant("old multiple", 0.3, _in_key("倍", (7, 8))),
    Plant("another paragraph's days in the key", 0.0, _paragraph_in_key("日")),
    Plant("another paragraph's days in the key", 0.6, _paragraph_in_key("日")),
    Plant("another paragraph's months in the key", 0.3, _paragraph_in_key("月")),
    Plant("another paragraph's days in the explanation", 0.3, _paragraph_in_explanation("日")),
    Plant("another paragraph's months in the explanation", 0.4, _paragraph_in_explanation("月")),
    Plant("no reason", 0.15, _without_reason),
    Plant("no reason", 0.75, _without_reason),
    Plant("no reason", 0.33, _advice_alone),
    Plant("all of the above", 0.66, _all_of_them),
    Plant("letters in the explanation", 0.2, _names_letters),
    Plant("double negative", 0.3, _double_negative),
    Plant("an old law's name", 0.05, _names_old_law),
)


def _places(start: float) -> Iterator[tuple[BankFile, int]]:
    """Every question of every bank once, beginning at a share of the whole."""
    everything = [(bank, place) for bank in _banks() for place in range(len(bank.entries))]
    first = int(start * len(everything))
    yield from everything[first:] + everything[:first]


@cache
def _findings(slug: str) -> frozenset[Finding]:
    (bank,) = (bank for bank in _banks() if bank.head.slug == slug)
    return frozenset(lint_bank(bank, CONTEXT, is_shipped=True))


def _with(bank: BankFile, place: int, entry: Entry) -> BankFile:
    return replace(bank, entries=(*bank.entries[:place], entry, *bank.entries[place + 1 :]))


def _new_findings(bank: BankFile, broken: BankFile) -> set[Finding]:
    return set(lint_bank(broken, CONTEXT, is_shipped=True)) - _findings(bank.head.slug)


def _try(plant: Plant) -> tuple[str, set[Finding]]:
    """Break the first question that lends itself; its code and what lint says of it now that it did not say before."""
    for bank, place in _places(plant.start):
        broken = plant.break_(bank.entries[place])
        if broken is not None:
            before, after = (
                set(lint_bank(replace(bank, entries=(entry,)), CONTEXT, is_shipped=True)) for entry in (bank.entries[place], broken)
            )
            return broken.code, after - before
    raise AssertionError(f"no shipped question lends itself to: {plant.name}")


def test_at_least_28_of_30_planted_faults_are_found() -> None:
    results = [(plant.name, *_try(plant)) for plant in PLANTS]
    missed = [f"{name}: {code}" for name, code, found in results if not found]
    as_errors = sum(any(finding.severity == "error" for finding in found) for _, _, found in results)
    assert len(PLANTS) >= 30
    assert len(missed) <= len(PLANTS) * 2 / 30, missed
    assert as_errors >= len(PLANTS) * 28 / 30


def test_biased_key_positions_are_found_in_every_bank() -> None:
    for bank in _banks():
        entries = list(bank.entries)
        singles = [place for place, entry in enumerate(entries) if entry.kind == "single"]
        for place in singles[: len(singles) // 3]:
            entry = entries[place]
            choices = list(entry.choices)
            key = choices.pop(entry.answer[0])
            entries[place] = replace(entry, choices=(choices[0], choices[1], key, choices[2]), answer=(2,))
        found = _new_findings(bank, replace(bank, entries=tuple(entries)))
        assert "key-position" in {finding.rule for finding in found}, bank.head.slug


def test_keys_that_became_the_longest_choice_are_found() -> None:
    for bank in _banks():
        entries = tuple(
            replace(
                entry,
                choices=tuple(
                    choice[:3] + str(place) if place not in entry.answer else choice for place, choice in enumerate(entry.choices)
                ),
            )
            if entry.kind == "single"
            else entry
            for entry in bank.entries
        )
        assert "longest-choice" in {finding.rule for finding in _new_findings(bank, replace(bank, entries=entries))}, bank.head.slug


def test_a_question_asked_twice_is_found() -> None:
    for bank in _banks():
        twin = replace(bank.entries[3], code="twin-1", stem=bank.entries[3].stem.replace("，", "、", 1))
        found = _new_findings(bank, replace(bank, entries=(*bank.entries, twin)))
        assert {"twin-1"} == {finding.entry for finding in found if finding.rule == "same-stem"}, bank.head.slug


def test_a_swapped_key_differs_from_the_second_reading() -> None:
    for bank in _banks():
        place, entry = next((place, entry) for place, entry in enumerate(bank.entries) if entry.kind == "single")
        swapped = _with(bank, place, replace(entry, answer=((entry.answer[0] + 1) % 4,)))
        reading = SecondPass(DAY, {entry.code: entry.answer for entry in bank.entries}, ())
        found = [finding for finding in lint_bank(swapped, CONTEXT, reading) if finding.rule == "second-reading"]
        assert [finding.entry for finding in found] == [entry.code]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.name} from {plant.start}")
def test_a_plant_breaks_a_question_that_was_good(plant: Plant) -> None:
    """A fault counts only where lint was silent before."""
    for bank, place in _places(plant.start):
        if plant.break_(bank.entries[place]) is not None:
            code = bank.entries[place].code
            assert not [finding for finding in _findings(bank.head.slug) if finding.entry == code and finding.severity == "error"]
            return

"""Lint, rule by rule, over invented statutes (tests/factories/registry.py)."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from quizapp.core.db import db
from quizapp.questions import loader
from quizapp.questions.lint import Context, Finding, SecondPass, lint_bank, lint_banks, load_texts
from quizapp.questions.lint.readings import load_second_pass, read_answer
from quizapp.questions.lint.running import lint_folders
from quizapp.questions.loader import BankFile, BankHead, Entry
from tests.factories.questions import BANKS
from tests.factories.registry import make_context, write_folder

HEAD = BankHead("b", "题库", "pasture", "说明", "CC BY 4.0")
LAW = {"law": "转场放牧法", "article": "2"}
FINE = {"law": "转场放牧法", "article": "3"}
RULING = {
    "document": "最高人民法院关于审理羊毛买卖案件的解释",
    "issuer": "最高人民法院",
    "number": "法释〔2026〕2号",
    "clause": "第五条",
    "date": "2026-02-10",
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return make_context(tmp_path_factory.mktemp("laws"))


def _single(code: str = "q-1", **changes: object) -> Entry:
    """A question that lint has nothing to say about."""
    values: dict[str, object] = {
        "code": code,
        "kind": "single",
        "stem": "牧民老白收到转场通知，家里有病羊，想申请缓期转场。依法他应当在多久内提出？",
        "choices": ("二十日内", "七日内", "三个月内", "没有期限"),
        "answer": (1,),
        "explanation": "七日内。牧民可以从收到转场通知之日起七日内向苏木人民政府申请缓期，因为草场要统一安排。先写清楚情况，再交申请。",
        "citations": (LAW,),
        "difficulty": 2,
        "tags": ("topic:转场",),
        **changes,
    }
    return Entry(**values)  # type: ignore[arg-type]  # values are checked by Entry's users


def _judge(code: str = "j-1", **changes: object) -> Entry:
    return _single(
        code,
        **{
            "kind": "judge",
            "stem": "拖欠羊毛收购款，情节不严重的，可以处五百元以上二千元以下罚款。",
            "choices": ("对", "错"),
            "answer": (0,),
            "explanation": "说法对。无正当理由拖欠羊毛收购款的，责令限期支付，处五百元以上二千元以下罚款，为的是让牧民早拿到钱。留好单据。",
            "citations": (FINE,),
            **changes,
        },
    )


def _found(context: Context, *entries: Entry, reading: SecondPass | None = None) -> list[Finding]:
    return lint_bank(BankFile(HEAD, entries), context, reading)


def _rules(context: Context, *entries: Entry) -> dict[str, str]:
    return {finding.rule: finding.severity for finding in _found(context, *entries)}


def test_good_questions_pass(context: Context) -> None:
    multiple = _single(
        "m-1",
        kind="multiple",
        stem="收购站老板一直拖着老海的羊毛款不给。依照转场放牧法，旗政府可以怎么处理？",
        choices=("责令限期支付", "处八百元罚款", "收走收购站的车", "情节严重的，处拖欠数额两成的罚款"),
        answer=(0, 3),
        explanation="可以责令限期支付，并处五百元以上二千元以下罚款；情节严重的，罚款是拖欠数额的20%，因为拖得越久损失越大。收车没有依据。",
        citations=(FINE,),
    )
    ruling = _single(
        "d-1",
        stem="买羊毛的人发现一批羊毛含水百分之二十。依照司法解释，他可以要求什么？",
        choices=("退回全部货款", "请求减少价款", "扣下货车抵债", "只能自己认了"),
        explanation="可以请求减少价款。司法解释写明，羊毛含水超过百分之十五的，买的人可以请求减少价款，因为多出来的是水。称重时当面测一测。",
        citations=(RULING,),
    )
    assert _found(context, _single(), _judge(), multiple, ruling) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"stem": "太短的题干转场"}, "stem-length"),
        ({"stem": "牧民老白收到转场通知" * 10}, "stem-length"),
        ({"explanation": "七日内，因为要转场。"}, "explanation-length"),
        ({"explanation": "牧民可以从收到转场通知之日起七日内申请缓期，因为草场要统一安排。" * 6}, "explanation-length"),
        ({"choices": ("二十日内", "七日内", "三个月内", "以上都对")}, "all-of-them"),
        ({"choices": ("二十日内", "七日内", "A 和 B", "没有期限")}, "all-of-them"),
        ({"choices": ("二十日内", "七日内", "以上说法均不正确", "没有期限")}, "all-of-them"),
        ({"choices": ("二十日内", "七日内", "三个月内", "没有期限" * 8)}, "choice-length"),
        ({"explanation": "应当选B。牧民可以从收到转场通知之日起七日内向苏木人民政府申请缓期，因为草场要统一安排。"}, "letters"),
        ({"explanation": "七日内，C项不对。牧民可以从收到转场通知之日起七日内申请缓期转场，因为草场要统一安排。"}, "letters"),
        (
            {"stem": "关于申请缓期转场的期限，下列说法不正确的不是哪一项？", "choices": ("二十日内", "七日内", "三个月内", "无")},
            "double-negative",
        ),
        ({"reviewed_by": "某人"}, "review"),
        ({"citations": ({"law": "转场放牧法", "article": "9"},)}, "article-missing"),
        ({"citations": ({"law": "没有这部法", "article": "2"},)}, "citation-unknown"),
        ({"citations": ({"law": "旧牧法", "article": "1"},)}, "citation-repealed"),
        ({"citations": ({"law": "驿站法", "article": "1"},)}, "citation-repealed"),
        ({"citations": (LAW, {"law": "驼绒法", "article": "1"})}, "citation-not-in-force"),
        ({"citations": (LAW, {"law": "围栏法", "article": "1"})}, "citation-outdated"),
        ({"citations": ({"law": "放牧法", "article": "2"},)}, "citation-name"),
        ({"citations": (LAW, {"law": "毛皮法", "article": "1"}), "reviewed_by": "某人", "reviewed_on": "2026-08-31"}, "citation-amended"),
        ({"citations": ({"law": "毛皮法", "article": "1"},)}, "article-apart"),
        ({"citations": ({**RULING, "clause": "第九条"},)}, "article-missing"),
        ({"citations": ({**RULING, "date": "2026-03-05"},)}, "document-date"),
        (
            {"explanation": "七日内。过去的驿站法不管，牧民从收到转场通知之日起七日内申请缓期，因为草场要统一安排。先写清楚病羊的情况。"},
            None,
        ),
        (
            {"explanation": "七日内。依照驿站法，牧民可以从收到转场通知之日起七日内申请缓期，因为草场要统一安排。先写清楚病羊的情况。"},
            "repealed-name",
        ),
        ({"stem": "按照毛皮法，牧民老白收到转场通知，想申请缓期转场。依法他应当在多久内提出？"}, "basis"),
        (
            {"explanation": "七日内。第三条说，牧民从收到转场通知之日起七日内申请缓期，因为草场要统一安排。先写清楚病羊的情况。"},
            "article-in-text",
        ),
    ],
)
def test_errors(context: Context, changes: dict[str, object], rule: str | None) -> None:
    rules = _rules(context, _single(**changes))
    if rule is None:  # the old law is named as such
        assert rules == {}
    else:
        assert rules.get(rule) == "error", rules


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"tags": ("audience:resident",)}, "topic"),
        ({"choices": ("二十日内", "七日内", "没有期限")}, "choice-count"),
        ({"stem": "关于牧民申请缓期转场，下列说法不正确的是哪一项？"}, "negative"),
    ],
)
def test_warnings(context: Context, changes: dict[str, object], rule: str) -> None:
    assert _rules(context, _single(**changes)) == {rule: "warning"}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"choices": ("二十日内", "十五日内", "三个月内", "没有期限")}, "figure-key"),
        (
            {"explanation": "七日内。牧民可以从收到转场通知之日起十日内向苏木人民政府申请缓期，因为草场要统一安排。先把病羊的情况写清楚。"},
            "figure-explanation",
        ),
        (
            {"explanation": "七日内。过去是十日，现在牧民可以从收到转场通知之日起七日内申请缓期，因为草场要统一安排。先写清楚病羊的情况。"},
            None,
        ),
        ({"explanation": "七日内，不是二十日。牧民可以从收到转场通知之日起七日内申请缓期，因为草场要统一安排。先写清楚病羊的情况。"}, None),
        ({"stem": "牧民收到转场通知之日起十五日内可以申请缓期。情况没有变化的，依法他应当在多久内提出？"}, "figure-stem"),
        ({"stem": "牧民老白收到转场通知后第15天才想起申请缓期转场。依法他应当在多久内提出？"}, None),
    ],
)
def test_figures_of_the_articles(context: Context, changes: dict[str, object], rule: str | None) -> None:
    rules = _rules(context, _single(**changes))
    assert rules == {} if rule is None else rules.get(rule) == "error", rules


def test_a_key_at_odds_with_its_explanation(context: Context) -> None:
    wrong = _single(
        stem="牧民老白收到转场通知，情况紧急，要马上申请缓期转场。依法他应当在多久内提出？",
        choices=("二十小时内", "四十八小时内", "二十四小时内", "没有期限"),
        answer=(2,),
        explanation="二十四小时内。平时是从收到转场通知起七日内申请，情况紧急的应当在二十四小时内提出，因为耽误不起。先打电话，再补交申请。",
    )
    assert _rules(context, wrong) == {}
    told = replace(wrong, explanation=wrong.explanation.replace("二十四小时", "四十八小时"))
    assert _rules(context, told)["figure-odds"] == "error"
    key = _judge(stem="拖欠羊毛收购款，情节不严重的，可以处五百元以上二千元以下罚款。".replace("五百", "二百"))
    assert _rules(context, key) == {"figure-stem": "error", "figure-odds": "error"}


def test_what_follows_by_arithmetic_needs_no_article(context: Context) -> None:
    fine = _single(
        stem="收购站拖欠老海的羊毛款8000元，情节严重。依照转场放牧法，罚款是多少？",
        choices=("800元", "1600元", "8000元", "2400元"),
        explanation="罚1600元。情节严重的，罚款是拖欠数额的百分之二十，8000元的两成就是1600元，因为拖得越久损失越大。留好过磅单去投诉。",
        citations=(FINE,),
    )
    assert _rules(context, fine) == {}
    assert "figure-key" in _rules(context, replace(fine, choices=("800元", "1700元", "8000元", "2400元")))


def test_a_figure_of_another_paragraph(context: Context) -> None:
    lost = _single(
        stem="转场路上，老海丢失了两头牛，想请嘎查张贴寻畜告示。他应当在多久内报告？",
        choices=("当天内", "十日内", "一个月内", "什么时候都行"),
        explanation="十日内。丢失的牲畜，牧民应当在十日内报告嘎查，由嘎查张贴寻畜告示，因为越早越好找。记下耳标号，再去报告。",
        citations=({"law": "转场放牧法", "article": "3-2"},),
    )
    assert _rules(context, lost) == {}
    wrong = replace(lost, choices=("当天内", "三日内", "一个月内", "什么时候都行"), explanation=lost.explanation.replace("十日", "三日"))
    assert _rules(context, wrong) == {"figure-elsewhere": "warning"}


def test_a_range_whose_ends_are_the_same(context: Context) -> None:
    key = _judge(stem="拖欠羊毛收购款，情节不严重的，可以处二千元以上二千元以下罚款。")
    assert "figure-range" in _rules(context, key)


def test_a_minors_age_is_known_without_a_figure(context: Context) -> None:
    entry = _judge(
        stem="十五周岁的小宝要去放牧羊群，应当由成年亲属陪同。",
        explanation="说法对。年满十六周岁、不满十八周岁的可以单独放牧羊群，不满十六周岁的应当由成年亲属陪同，目的是保护孩子。出门前说好去处。",
        citations=({"law": "转场放牧法", "article": "3-1"},),
    )
    assert _rules(context, entry) == {}
    assert "figure-explanation" in _rules(context, replace(entry, explanation=entry.explanation.replace("十六", "十四")))


def test_an_explanation_without_a_reason(context: Context) -> None:
    for text in (
        "应当在七日内提出。请大家记住这个知识点，认真学习。先把病羊的情况写清楚，再交申请，留好回执，有疑问可以问。",
        "七日内。先把病羊的情况写清楚，再到苏木人民政府交申请。遇到问题可以打12348问一问。留好回执。",
    ):
        assert _rules(context, _single(explanation=text)) == {"reason": "error"}
    restated = _judge(explanation="说法对。拖欠羊毛收购款，情节不严重的，可以处五百元以上二千元以下罚款。先留好过磅单，再去投诉举报。")
    assert _rules(context, restated) == {"reason": "error"}


def test_an_article_nobody_registered_is_a_warning_unless_the_bank_is_shipped(context: Context) -> None:
    bare = replace(context, registry=replace(context.registry, articles={}))
    assert _rules(bare, _single()) == {"article-unregistered": "warning"}
    shipped = lint_bank(BankFile(HEAD, (_single(),)), bare, is_shipped=True)
    assert ("article-unregistered", "error") in {(finding.rule, finding.severity) for finding in shipped}


def test_texts_tell_of_a_changed_article_and_of_borrowed_words(tmp_path: Path) -> None:
    context = make_context(tmp_path, has_texts=True)
    assert _rules(context, _single()) == {}
    changed = {**context.texts["转场放牧法"], "2": context.texts["转场放牧法"]["2"].replace("七日", "十日")}
    newer = replace(context, texts={**context.texts, "转场放牧法": changed})
    rules = _rules(newer, _single())
    assert rules["article-changed"] == "error"
    assert rules["figure-key"] == "error"
    copied = _single(stem="牧民收到转场通知之日起七日内，可以向苏木人民政府申请缓期转场，对吗？应当怎么做？")
    found = lint_banks([BankFile(HEAD, (copied, _single("q-2")))], context)
    assert [(finding.entry, finding.rule, finding.severity) for finding in found] == [
        ("q-1", "statute-words", "warning"),
        ("", "statute-words", "error"),  # one of two is more than one in ten
    ]
    assert load_texts(write_folder(tmp_path / "again"))["毛皮法"].keys() == {"1"}


def test_law_changes_with_the_day(tmp_path: Path) -> None:
    entry = _single(citations=({"law": "旧牧法", "article": "1"},))
    before = make_context(tmp_path, today=dt.date(2025, 12, 31))
    assert "citation-repealed" not in _rules(before, entry)
    assert _rules(before, _single())["citation-not-in-force"] == "error"


def test_the_second_reading(context: Context) -> None:
    agreed = SecondPass(dt.date(2026, 11, 1), {"q-1": (1,)}, ())
    assert _found(context, _single(), reading=agreed) == []
    differs = replace(agreed, answers={"q-1": (2,)})
    (finding,) = _found(context, _single(), reading=differs)
    assert (finding.rule, finding.severity) == ("second-reading", "error")
    assert _found(context, _single(), reading=replace(differs, settled_notes=({"id": "q-1"},))) == []
    stale = replace(agreed, read_on=dt.date(2025, 12, 1))
    assert {finding.rule for finding in _found(context, _single(), reading=stale)} == {"citation-amended"}
    for reading in (None, replace(agreed, answers={"gone": (1,)})):
        rules = {finding.rule for finding in lint_bank(BankFile(HEAD, (_single(),)), context, reading, is_shipped=True)}
        assert "unread" in rules


def test_a_second_reading_that_cannot_be_read(tmp_path: Path, context: Context) -> None:
    assert load_second_pass(tmp_path) is None
    for text in ("answers: [", "read_on: 2026-11-22", "answers: {q-1: [Z]}"):
        (tmp_path / "second_pass.yaml").write_text(text, encoding="utf-8")
        reading = load_second_pass(tmp_path)
        assert reading is not None
        found = lint_bank(BankFile(HEAD, (_single(),)), context, reading, is_shipped=True)
        assert ("second-pass", "error") in {(finding.rule, finding.severity) for finding in found}
    assert [read_answer(value) for value in ("对", "错", ["C", "A"], "AC", [], "", None, 3, ["AB"])] == [
        (0,),
        (1,),
        (0, 2),
        (0, 2),
        None,
        None,
        None,
        None,
        None,
    ]


# ---- a bank as a whole


def _many(context: Context, count: int, **changes: object) -> list[Finding]:
    """Findings about a bank of ``count`` questions whose stems share nothing."""
    things = (
        *("病羊", "断崖", "雪灾", "缺草", "缺水", "修圈", "搬家", "生羔", "剪毛", "药浴", "断奶", "卖羊"),
        *("打草", "修车", "看病", "上学", "接亲", "过河", "封路", "大风", "沙暴", "狼害", "失火", "断电"),
    )
    entries = []
    for number in range(count):
        stem = "，".join(things[(number * 7 + step * step) % len(things)] for step in range(1, 6))
        values = {"stem": f"牧民遇到{stem}，申请缓期转场应当在多久内提出？", "answer": (number % 4,), **changes}
        choices = ["二十日内", "三十日内", "三个月内", "没有期限"]
        choices[values["answer"][0]] = "七日内"  # type: ignore[index]  # answers are tuples
        entries.append(_single(f"q-{number}", **{"choices": tuple(choices), **values}))
    found = lint_bank(BankFile(HEAD, tuple(entries)), context)
    return [finding for finding in found if finding.rule not in ("near-stem", "same-stem")]


def test_an_even_bank_passes(context: Context) -> None:
    assert _many(context, 24) == []


def test_patterns_a_script_could_learn(context: Context) -> None:
    assert "key-position" in {finding.rule for finding in _many(context, 24, answer=(0,))}
    long = [
        replace(_single(f"q-{number}"), choices=("短", "七日内，从收到通知的那一天起算", "三天", "没有"), answer=(1,))
        for number in range(12)
    ]
    assert "longest-choice" in {finding.rule for finding in lint_bank(BankFile(HEAD, tuple(long)), context)}
    judges = tuple(_judge(f"j-{number}") for number in range(12))
    assert "judge-balance" in {finding.rule for finding in lint_bank(BankFile(HEAD, judges), context)}
    lonely = tuple(_single(f"q-{number}", answer=(number % 3,)) for number in range(24))
    assert "key-position" in {finding.rule for finding in lint_bank(BankFile(HEAD, lonely), context)}


def test_key_positions_may_be_uneven_up_to_the_limit(context: Context) -> None:
    def positions(most: int) -> list[str]:
        others = [1, 2, 3] * 8
        entries = [_single(f"q-{number}", answer=(0 if number < most else others[number - most],)) for number in range(25)]
        found = lint_bank(BankFile(HEAD, tuple(entries)), context)
        return [finding.rule for finding in found if finding.rule == "key-position"]

    assert positions(8) == []  # 8 of 25 are 32 percent
    assert positions(9) == ["key-position"]


def test_the_same_question_in_other_clothes(context: Context) -> None:
    first = _single()
    twin = _single("q-2", stem=first.stem.replace("，", "、").replace("老白", "老海"))
    (finding,) = _found(context, first, twin)
    assert (finding.rule, finding.entry, finding.severity) == ("same-stem", "q-2", "error")
    near = _single("q-2", stem="牧民老白收到转场通知，家里有病羊病牛，想申请缓期。依照法律，他应当在多久之内提出来？")
    (finding,) = _found(context, first, near)
    assert (finding.rule, finding.severity) == ("near-stem", "warning")
    other = BankFile(replace(HEAD, slug="c"), (twin,))
    (finding,) = lint_banks([BankFile(HEAD, (first,)), other], context)
    assert (finding.bank, finding.entry, finding.rule) == ("c", "q-2", "same-stem")


def test_one_document_cited_in_two_ways(context: Context) -> None:
    first = _single(citations=(RULING,))
    second = _judge(citations=({**RULING, "number": "法释〔2026〕3号"},))
    (finding,) = lint_banks([BankFile(HEAD, (first, second))], context)
    assert (finding.entry, finding.rule, finding.severity) == ("j-1", "document-differs", "error")


def test_a_bank_says_what_it_is(context: Context) -> None:
    bare = BankFile(replace(HEAD, description="", licence=""), (_single(),))
    assert [finding.rule for finding in lint_bank(bare, context)] == ["bank-head", "bank-head"]


# ---- folders and the command


def _write(folder: Path, *entries: Entry, head: BankHead = HEAD) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bank.yaml").write_text(loader.write_head(head), encoding="utf-8")
    (folder / "questions.yaml").write_text(loader.write_entries(entries), encoding="utf-8")
    return folder


def _run(app: Flask, *args: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["questions", "lint", *args])
    db.session.rollback()
    return result.exit_code, result.output


def test_folders_are_linted_one_by_one_and_together(tmp_path: Path, context: Context) -> None:
    first = _write(tmp_path / "a", _single())
    second = _write(tmp_path / "b", _judge())
    broken = _write(tmp_path / "c", _single())
    (broken / "questions.yaml").write_text("- {id: x}\n- {id: x}\n", encoding="utf-8")
    report = lint_folders([first, second, broken], context)
    assert (report.banks, report.questions) == (2, 2)
    assert {finding.rule for finding in report.errors} == {"schema", "same-slug"}
    assert {finding.entry for finding in report.errors if finding.rule == "schema"} == {"x"}
    assert any("id" in finding.message for finding in report.errors)


def test_the_command_fails_on_errors_and_not_on_warnings(app: Flask, tmp_path: Path) -> None:
    folder = _write(tmp_path / "b", _single(citations=({"law": "合同法", "article": "52"},)))
    code, output = _run(app, str(folder), "--format", "json")
    body = json.loads(output)
    assert code == 1
    assert body["errors"] >= 1
    assert {finding["rule"] for finding in body["findings"] if finding["severity"] == "error"} == {"citation-repealed"}
    code, text = _run(app, str(folder))
    assert code == 1
    assert "error b q-1 [citation-repealed]" in text
    harmless = _write(
        tmp_path / "c",
        _single(
            stem="王姐网购的毛衣没穿过，吊牌完好，收到后第五天想退掉。依法她能怎么办？",
            choices=("只能换货", "七日内可以退货", "先鉴定再退", "商家点头才能退"),
            explanation="可以退货。网购的多数商品自收到之日起七日内可以退，不用说明理由，商品要完好，因为网上看不到实物。先留好订单和聊天记录。",
            citations=({"law": "消费者权益保护法", "article": "25"},),
            tags=(),
        ),
    )
    code, text = _run(app, str(harmless))
    assert (code, text.splitlines()[-1]) == (0, "1 banks, 1 questions, 0 errors, 1 warnings")
    assert _run(app, str(harmless), "--texts", str(harmless))[0] != 0


def test_the_shipped_banks_have_no_errors(app: Flask) -> None:
    code, output = _run(app, "--format", "json")
    body = json.loads(output)
    errors = [finding for finding in body["findings"] if finding["severity"] == "error"]
    assert (code, errors, body["banks"]) == (0, [], len(list(BANKS.iterdir())))
    doubted = {finding["entry"] for finding in body["findings"] if finding["entry"]}
    assert len(doubted) <= body["questions"] / 100

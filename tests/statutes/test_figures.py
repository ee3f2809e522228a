from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.statutes.figures import figures_of, find_figures, to_number
from quizapp.statutes.rules import chinese_number


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("收到之日起七日内", ["7日"]),
        ("收到之日起 7 天内", ["7日"]),
        ("一周、两个星期", ["7日", "14日"]),
        ("第5天想退，第三款，第十二条，第3次", []),
        ("处五百元以上一千元以下罚款", ["500元", "1000元"]),
        ("处五百至一千元罚款，拘留五到十日", ["500元", "1000元", "5日", "10日"]),
        ("6 万元、六万块钱、1.5万元、罚二十万", ["60000元", "60000元", "15000元", "200000元"]),
        ("七十周岁以上，不满十四岁", ["70岁", "14岁"]),
        ("百分之二十、20%、两成、三分之二、一半", ["20%", "20%", "20%", "2/3", "50%"]),
        ("按日加收万分之五的滞纳金", ["1/2000"]),
        ("二年、24个月、两年半、半年", ["24个月", "24个月", "30个月", "6个月"]),
        ("一年以上三年以下", ["12个月", "36个月"]),
        ("二十四小时、48个小时", ["24小时", "48小时"]),
        ("三倍、双倍、四倍", ["3倍", "2倍", "4倍"]),
        ("3月15日、十二月四日、国庆节", ["3月15号", "12月4号", "10月1号"]),
        ("每年九月第三周、9月第三个星期六", ["9月份", "第3周", "9月份", "第3周"]),
        ("2026年8月15日起、二〇二六年", ["2026年", "8月15号", "2026年"]),
        ("十五个工作日", ["15工作日"]),
        ("一百二十平方米、三公顷", ["120平方米", "45亩"]),
        ("三五天、十几天、十多天、几百元、几千年、一天到晚、一年四季、千万别", []),
        ("一次性告知，人民检察院，三人民，一人一户", []),
        ("三人以上、五十户", ["3人", "50户"]),
    ],
)
def test_figures_are_brought_to_one_form(text: str, figures: list[str]) -> None:
    assert [figure.norm for figure in find_figures(text)] == figures


def test_a_figure_knows_its_place_blanks_left_out() -> None:
    text = "罚 500 元，限 3 日"
    squeezed = text.replace(" ", "")
    assert [squeezed[figure.start : figure.end] for figure in find_figures(text)] == ["500元", "3日"]


@given(st.integers(1, 9999))
def test_chinese_and_arabic_numerals_mean_the_same(number: int) -> None:
    assert to_number(chinese_number(number)) == Fraction(number) == to_number(str(number))
    assert figures_of(f"限{chinese_number(number)}元") == figures_of(f"限{number}元") == {f"{number}元"}


@given(st.integers(1, 99), st.sampled_from(["万", "亿"]))
def test_large_sums(number: int, unit: str) -> None:
    factor = {"万": 10_000, "亿": 100_000_000}[unit]
    assert figures_of(f"{chinese_number(number)}{unit}元") == {f"{number * factor}元"} == figures_of(f"{number}{unit}元")


@given(st.text(alphabet="一二三十百千万亿零半0123456789.,第至到年月日天周元岁倍%分之成个以上不满多几 ", max_size=40))
def test_no_text_is_too_strange(text: str) -> None:
    for figure in find_figures(text):
        assert 0 <= figure.start < figure.end <= len(text)

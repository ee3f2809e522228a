import dataclasses
import datetime as dt
import typing
from typing import Any

import pytest

from quizapp.audit.titles import FIELDS, WORDS
from quizapp.audit.wording import change_lines
from quizapp.campaigns.checks import HEAD_LIMITS, KINDS
from quizapp.campaigns.terms import PRIZE_KINDS, Plan, Terms
from quizapp.campaigns.terms.reading import hints

NOW = dt.datetime(2026, 11, 22, 1, tzinfo=dt.UTC)
PRIZE = {"name": "帆布袋", "kind": "pickup", "quantity": 3000, "odds_ppm": 50_000, "value_fen": 800, "points": 0, "tier": ""}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, []),
        ({"reason": "奖品太多"}, ["理由：奖品太多"]),
        ({"name": [None, True]}, ["名称：空 改为 是"]),
        ({"closes_at": ["2026-11-22T01:00:00Z", "2026-11-30T16:00:00Z"]}, ["结束时间：2026-11-22 09:00 改为 2026-12-01 00:00"]),
        ({"closes_at": [None, "whenever"]}, ["结束时间：空 改为 whenever"]),
        ({"total_fen": 123456}, ["合计：1234.56 元"]),
        ({"tickets": ["T1", "T2"]}, ["抽奖机会：T1、T2"]),
        ({"cohosts": [["甲局"], ["甲局", "乙局"]]}, ["协办单位：甲局 改为 甲局、乙局"]),
        ({"cohosts": [[], ["甲局"]]}, ["协办单位：空 改为 甲局"]),
        (
            {"theme": ["tax", "eco"], "kind": ["voluntary", "statutory_exam"]},
            ["主题：税收优惠 改为 生态环境", "性质：自愿竞答 改为 法定学法考试"],
        ),
        ({"draft": {"limit_seconds": [300, 90]}}, ["答题时间：5 分 改为 1 分 30 秒"]),
        ({"draft": {"limit_seconds": [300, None]}}, ["答题时间：5 分 改为 空"]),
        (
            {"draft": {"tries": [{"per_day": 3, "total": None}, {"per_day": 2, "total": 10}]}},
            ["答题次数 · 每天：3 改为 2", "答题次数 · 整场：空 改为 10"],
        ),
        ({"draft": {"draw": [{"prizes": [PRIZE]}, {"prizes": [{**PRIZE, "odds_ppm": 1250}]}]}}, ["抽奖 · 奖品 1 · 概率：5% 改为 0.125%"]),
        (
            {"draft": {"draw": [None, {"prizes": [PRIZE], "claim_days": 15}]}},
            [
                "抽奖 · 奖品 1：增加（名称 帆布袋，发放方式 到点领取，数量 3,000，概率 5%，金额 8.00 元）",
                "抽奖 · 领奖期限（天）：空 改为 15",
            ],
        ),
        (
            {"draft": {"draw": [{"prizes": [PRIZE, PRIZE]}, {"prizes": [PRIZE]}]}},
            ["抽奖 · 奖品 2：去掉（名称 帆布袋，发放方式 到点领取，数量 3,000，概率 5%，金额 8.00 元）"],
        ),
        (
            {"draft": {"draw": [{"prizes": [PRIZE]}, None]}},
            ["抽奖 · 奖品 1：去掉（名称 帆布袋，发放方式 到点领取，数量 3,000，概率 5%，金额 8.00 元）"],
        ),
        (
            {"draft": {"draw": [{"prizes": [PRIZE]}, {"prizes": [{**PRIZE, "kind": "post"}]}]}},
            ["抽奖 · 奖品 1 · 发放方式：到点领取 改为 邮寄"],
        ),
        ({"unheard_of": {"a": [1, 2], "b": [1, 2, 3]}}, ["unheard_of · a：1 改为 2", "unheard_of · b：1、2、3"]),
    ],
)
def test_changes_are_lines_a_person_reads(changes: dict[str, Any], lines: list[str]) -> None:
    assert change_lines(changes) == lines


def _names(kind: type) -> set[str]:
    """The fields of a dataclass and of every dataclass inside it."""
    inner = {part for hint in hints(kind).values() for part in _classes(hint)} - {kind}
    return {field.name for field in dataclasses.fields(kind)}.union(*(_names(part) for part in inner))


def _classes(hint: Any) -> set[type]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return {hint}
    return set().union(*(_classes(part) for part in typing.get_args(hint)))


def test_every_field_of_a_campaign_has_a_chinese_name_and_every_code_a_word() -> None:
    names = _names(Terms) | _names(Plan) | {"schema", "plan", "slug", "theme", "kind", "cohosts", "host", *HEAD_LIMITS}
    assert names - FIELDS.keys() == set()
    assert {*KINDS, *PRIZE_KINDS} - WORDS["kind"].keys() == set()

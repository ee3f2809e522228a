"""Real organisers' rule sets as campaign files: each reads, and is checked as its notice deserves."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from quizapp.campaigns import checks, files, wording
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import SCHEMA, Terms, from_dict, to_dict

FOLDER = Path(__file__).resolve().parents[1] / "rule_sets"
FILES = {path.stem.partition("-")[0]: path for path in sorted(FOLDER.glob("R*.yaml"))}
NUMBERS = (1, 2, 3, 4, 6, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24)  # popularisation of law
NUMBERS += (25, 26, 28, 29, 30, 32, 33, 34, 36, 37, 38, 39, 40, 42, 43, 44, 45, 48)  # other campaigns of the same kind
ALL = [f"R{number:02}" for number in NUMBERS]

ERRORS = {"R06": {"draw.per_day"}}
"""The contradictions that notices really held."""
WARNINGS = {
    "R02": {"closes_at"},
    "R06": {"draws.mode"},
    "R10": {"draws.tiers.kind"},
    "R11": {"draws.mode"},
    "R25": {"actions", "actions.is_confirmed", "quizzes.tries.extra", "quizzes.tries.extra.is_confirmed"},
    "R28": {"actions.is_confirmed", "quizzes.tries.extra.is_confirmed"},
    "R32": {"closes_at", "draws.tiers.kind"},
    "R36": {"actions", "tries.extra"},
    "R39": {"actions.is_confirmed"},
}
"""What people have to decide, by part."""


def _part(field: str) -> str:
    """``quizzes[2].tries.extra[1]`` → ``quizzes.tries.extra``."""
    return "".join(piece.partition("]")[2] if number else piece for number, piece in enumerate(field.split("[")))


def test_every_rule_set_stands_as_a_file() -> None:
    assert sorted(FILES) == sorted(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_rule_set_passes_the_check_or_is_refused_for_its_contradiction(name: str) -> None:
    file = files.read_file(FILES[name])
    assert file.mistakes == ()
    found = files.check_file(file)
    assert {_part(one.field) for one in found if one.is_error} == ERRORS.get(name, set())
    assert {_part(one.field) for one in found if not one.is_error} == WARNINGS.get(name, set())
    assert all(file.line_of(one.field) for one in found)


@pytest.mark.parametrize("name", ALL)
def test_a_rule_set_survives_being_kept(name: str) -> None:
    terms = from_dict({"schema": SCHEMA, **files.read_file(FILES[name]).body})
    assert from_dict(to_dict(terms)) == terms


@pytest.mark.parametrize(("name", "points"), [("R01", 20), ("R08", 9), ("R38", 22), ("R39", 55), ("R40", 1440), ("R44", 100), ("R15", 0)])
def test_the_most_points_of_a_day_follow_from_the_terms(name: str, points: int) -> None:
    assert checks.max_points_per_day(from_dict({"schema": SCHEMA, **files.read_file(FILES[name]).body})) == points


def test_the_most_points_are_computed_without_the_written_limit() -> None:
    """R40's notice says 1,440 a day: thirty runs of 48."""
    body = {**files.read_file(FILES["R40"]).body, "points_per_day": None}
    assert checks.max_points_per_day(from_dict({"schema": SCHEMA, **body})) == 1440


# ---- the rule page says what the notice said

FACTS: dict[str, tuple[str, ...]] = {
    "R01": ("答对 4 道及以上为合格。", "百分之 20", "协办单位：赤峰市生态环境局（演示）。", "共 20,000 份"),
    "R02": ("2018年9月1日 08:00 到2018年10月31日 24:00", "每月一轮，1 日到 20 日答题，共 7 轮", "5 道题全对为合格。"),
    "R03": (
        "答题次数不限。",
        "改到全对为止。",
        "每天一次，当天“全对次数”达到 1 或以上的人有资格。",
        "“100 元话费”（兑换码，价值 100 元）50 名",
    ),
    "R04": (
        "第二阶段：2023年11月16日 00:00 到2023年11月25日 24:00，每天一轮，共 10 轮。",
        "每天一份题，当天人人相同。",
        "一个阶段里“全对的天数”达到 7 或以上的人有资格。",
        "4,200 名",
        "开奖时间：2023年11月16日 10:00、2023年11月26日 10:00、2023年12月6日 10:00。",
        "奖品在2023年12月20日 10:00 统一发放。",
        "前 120 名通报表扬。",
    ),
    "R06": ("每天最多发出 1,000 份。", "每天前 100 名，以服务器收到的先后为准", "数最长连续多少天。", "由市公证处见证"),
    "R08": (
        "当天要先做到：“今天看完的视频”达到 2 或以上。",
        "第 1 部分：各种题型 3 道。",
        "得分率 60% 及以上为合格。",
        "可以在活动期间更正。",
    ),
    "R09": ("入口：网页、公众号。", "每个入口分别计算", "5 道题全对为合格。"),
    "R10": (
        "现场当众抽出",
        "来宾当场报出的数字",
        "特等奖“平板电脑”（邮寄，价值 3000 元）1 名",
        "候补 50 名",
        "开奖时间：2019年9月10日 15:00。",
    ),
    "R11": ("见证：公证处。", "微博赛道：个人参加，在平台以外进行", "周一到周三答题，共 8 轮"),
    "R13": ("这一轮里要先做到：“本期文章读完”达到 1 或以上。", "交卷为合格。", "共 50 轮"),
    "R14": ("“第一关过关次数”达到 1 或以上", "得“宪法奖章”", "得 1 次抽奖机会", "抽奖机会按下面的办法给"),
    "R15": ("先选队再答题，选定后不能换", "看“总分”的平均，相同的先达到的在前", "要本人同意才上榜"),
    "R16": ("到2020年9月15日 24:00 截止", "到2020年9月27日 17:00", "时间 30 分钟", "第 1 到 400 名得", "相同的用时少的在前"),
    "R17": ("参加的学校或单位数占 30%", "初赛：2022年11月1日 08:00", "现场决赛：个人参加，在平台以外进行"),
    "R18": (
        "本考试依据：法治宣传教育法第三十六条。",
        "2020年7月6日 08:00 到2020年7月10日 17:00",
        "时间 90 分钟",
        "整场最多 3 次",
        "“最好成绩”达到 90 或以上（优秀）得“学法考试优秀证书”",
    ),
    "R19": ("得“学法考试合格证书”和 10 学时", "得 60 分及以上为合格。"),
    "R20": ("得“宪法卫士”徽章", "参与率（参加的人数比名册人数）", "小学：个人参加，答“小学综合评价”。"),
    "R21": ("单选题 20 道。", "答题次数不限。", "全部答对的人有资格。", "1,000 名", "公示 14 天后撤下"),
    "R23": ("参与率（参加的人数比名册人数）占 50%，“最好成绩”的平均占 50%", "前 16 名晋级省赛。", "取消所在学校上榜和晋级的资格。"),
    "R24": ("得 6 学时", "200 名", "第 2 部分：多选题 10 道。"),
    "R25": ("合格得 2 积分；其他情况得 1 积分", "每完成一次“分享活动”，多答 1 次", "一个人一天最多得 12 积分。"),
    "R26": ("入口：网页、公众号、手机应用。", "每个入口分别计算", "“第一套”、“第二套”"),
    "R28": ("“逛完展厅”达到 1 或以上", "“集到的卡片”达到 5 或以上的人有资格。", "大于 0 的人数", "得一张“主题一卡片”"),
    "R29": ("每份 0.30元到 8.88元随机，总共 5000 元", "24 小时没有拆开的作废", "得“学法达人”称号和“学法达人证书”"),
    "R30": ("整场最多 1 次", "第 1 次放宽：答对 9 题及以上的人也进来。", "一等奖“500 元购物卡”（兑换码，价值 500 元）10 名"),
    "R32": ("每轮 10 次", "得“月度抽奖”的 1 个抽奖号", "7 天内到“我的奖品”里领取", "邮寄"),
    "R33": (
        "每周一轮（周一开始），共 4 轮",
        "2012年10月16日 10:00",
        "由海南省消防协会提供。",
        "符合条件的人的 100%",
        "只在海南省的人里抽。",
    ),
    "R34": ("第 3 部分：判断题 5 道，每道 4 分。", "最好的 10 人“得分”相加", "报名内容交上以后不能改"),
    "R36": ("全部答对得“小红花”10 张；其他情况得一张“小红花”", "每道扣 10 分", "高校赛道：个人参加，面向青少年。", "总共前 500 名"),
    "R37": ("每天取最好的一次，再相加。", "时间 3 分钟", "接着答对，每道再加 5 分。"),
    "R38": ("领取点：枫桥派出所、狮山派出所、横塘派出所。", "5 个工作日以后可以去领。", "至少 15 秒才算", "一天最多得 22 积分"),
    "R39": ("每天 20:00 到 22:00 积分乘 2", "全部答对得 8 积分；其他情况得 6 积分", "一天最多得 55 积分"),
    "R40": ("一个人一天最多得 1,440 积分。", "取消本人在这场活动里的全部成绩和奖品。"),
    "R42": ("每道题限 20 秒。", "每剩一秒加 30 分。", "看“总分”"),
    "R43": ("打开了没答完也算一次。", "领取点：市图书馆、县图书馆。", "奖品不再补发。", "开奖时间：2026年5月26日 10:00。"),
    "R44": ("“阅读积分”达到 1,000 或以上", "一个人一天最多得 100 积分。", "“写一条笔记”由平台自动记录，每天最多算 8 次。"),
    "R45": ("主办单位和技术服务单位的工作人员不参加评奖。", "相同的用时少的在前，先达到的在前", "整场最多 1 次"),
    "R48": ("一个人最多 5 个", "见证：四名网友代表现场见证。", "每人在一次抽奖里最多中一次。"),
}


def _page(name: str) -> str:
    file = files.read_file(FILES[name])
    terms = from_dict({"schema": SCHEMA, **file.body})
    return "\n".join(sentence for rule in page_of(terms, file.head) for sentence in rule.sentences)


def page_of(terms: Terms, head: Mapping[str, Any]) -> list[wording.Rule]:
    view = CampaignView(
        id=UUID(int=1),
        slug="c",
        title=str(head["title"]),
        summary="",
        kind=str(head["kind"]),
        legal_basis=str(head.get("legal_basis") or ""),
        theme="civil",
        status="published",
        pause_reason="",
        version=1,
        host_name="市司法局",
        host_path="/",
        cohosts=tuple(head.get("cohosts", ())),
        terms_id=UUID(int=2),
        terms=terms,
        terms_number=1,
        terms_hash="x",
    )
    return wording.rule_page(view, {"youth": "青少年", "civil_servant": "公职人员"}, {"46": "海南省"}, "12348")


@pytest.mark.parametrize("name", ALL)
def test_the_rule_page_says_what_the_notice_said(name: str) -> None:
    page = _page(name)
    assert [fact for fact in FACTS[name] if fact not in page] == []


@pytest.mark.parametrize("name", ALL)
def test_the_rule_page_is_chinese_to_the_end(name: str) -> None:
    """No code, no English word of ours, no empty quotation reaches a citizen."""
    page = _page(name)
    assert re.findall(r"[a-z_]{3,}|None|“”|。。|，，|，。", page) == []
    assert all(line.endswith(("。", "！")) for line in page.splitlines())


WITH_PRIZES = [name for name in ALL if {"draw", "draws", "prizes", "rank_prizes"} & files.read_file(FILES[name]).body.keys()]


@pytest.mark.parametrize("name", WITH_PRIZES)
def test_promotions_publish_what_the_regulation_asks(name: str) -> None:
    page = _page(name)
    for needed in ("主办单位：", "联系和投诉：", "天内", "弃奖：", "领奖凭"):
        assert needed in page, needed
    file = files.read_file(FILES[name])
    prizes = (file.body.get("draw") or {}).get("prizes", []) + file.body.get("prizes", [])
    prizes += [tier for one in file.body.get("draws", []) + file.body.get("rank_prizes", []) for tier in one["tiers"]]
    assert [prize["name"] for prize in prizes if f"“{prize['name']}”" not in page] == []

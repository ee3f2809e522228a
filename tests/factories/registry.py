"""A small registry of invented statutes, for tests of lint."""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quizapp.questions.lint import Context
from quizapp.statutes.registry import Registry, parse_registry
from quizapp.statutes.registry_file import build_registry, write_registry

DAY = dt.date(2026, 11, 22)

PASTURE = {
    "1": "为了保护放牧，制定本法。",
    "2": "牧民收到转场通知之日起七日内，可以向苏木人民政府申请缓期转场；情况紧急的，应当在二十四小时内提出申请。",
    "3": "无正当理由拖欠羊毛收购款的，由旗人民政府责令限期支付，处五百元以上二千元以下罚款；情节严重的，处拖欠数额百分之二十的罚款。",
    "3-1": "年满十六周岁的未成年人可以单独放牧羊群；不满十六周岁的，应当由成年亲属陪同。",
    "3-2": "转场途中病死的牲畜，应当在三日内报告兽医站，由兽医站登记掩埋。\n丢失的牲畜，牧民应当在十日内报告嘎查，由嘎查张贴寻畜告示。",
    "4": "本法自2026年1月1日起施行。",
}
LAWS: tuple[dict[str, Any], ...] = (
    {
        "title": "中华人民共和国转场放牧法",
        "short_title": "转场放牧法",
        "aliases": ["放牧法"],
        "category": "行政法",
        "adopted": "2025-10-28",
        "last_amended": None,
        "effective": "2026-01-01",
        "status": "in_force",
        "repealed_by": None,
        "articles": PASTURE,
    },
    {
        "title": "中华人民共和国毛皮法",
        "short_title": "毛皮法",
        "aliases": [],
        "category": "经济法",
        "adopted": "1999-01-01",
        "last_amended": "2026-06-01",
        "amendment_effective": "2026-09-01",
        "effective": "1999-05-01",
        "status": "in_force",
        "repealed_by": None,
        "articles": {"1": "毛皮交易应当当面称重，重量有争议的，可以请市场监督管理部门复称。"},
    },
    {
        "title": "中华人民共和国旧牧法",
        "short_title": "旧牧法",
        "aliases": [],
        "category": "行政法",
        "adopted": "1990-01-01",
        "last_amended": None,
        "effective": "1990-05-01",
        "status": "repealed",
        "repealed_by": "中华人民共和国转场放牧法",
        "repealed_on": "2026-01-01",
        "articles": {"1": "牧民可以在十五日内申请缓期转场。"},
    },
    {
        "title": "中华人民共和国驼绒法",
        "short_title": "驼绒法",
        "aliases": [],
        "category": "行政法",
        "adopted": "2026-08-28",
        "last_amended": None,
        "effective": "2027-01-01",
        "status": "not_yet_in_force",
        "repealed_by": None,
        "articles": {"1": "驼绒分级由协会组织。"},
    },
    {
        "title": "中华人民共和国围栏法",
        "short_title": "围栏法",
        "aliases": [],
        "category": "行政法",
        "adopted": "2001-01-01",
        "last_amended": None,
        "effective": "2001-05-01",
        "status": "in_force",
        "repealed_by": None,
        "text_outdated": True,
        "later_amendment": {"effective": "2026-09-01"},
        "articles": {"1": "草场围栏由使用人维护。"},
    },
    {
        "title": "最高人民法院关于审理羊毛买卖案件的解释",
        "short_title": "最高人民法院关于审理羊毛买卖案件的解释",
        "aliases": ["羊毛解释"],
        "category": "司法解释",
        "adopted": "2026-02-01",
        "last_amended": None,
        "effective": "2026-03-01",
        "status": "in_force",
        "repealed_by": None,
        "articles": {"5": "羊毛含水超过百分之十五的，买受人可以请求减少价款。"},
    },
)
GONE = [{"title": "中华人民共和国驿站法", "short_title": "驿站法", "repealed_by": None, "repealed_on": None, "evidence": "tests"}]


def write_folder(folder: Path, laws: tuple[Mapping[str, Any], ...] = LAWS) -> Path:
    """The statutes as a folder of the shape that the product reads."""
    folder.mkdir(parents=True, exist_ok=True)
    index = [{"file": f"{place}.json", "short_title": law["short_title"]} for place, law in enumerate(laws)]
    for place, law in enumerate(laws):
        (folder / f"{place}.json").write_text(json.dumps(law, ensure_ascii=False), encoding="utf-8")
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
    (folder / "repealed.json").write_text(json.dumps(GONE, ensure_ascii=False), encoding="utf-8")
    return folder


def make_registry(folder: Path) -> Registry:
    """Facts about the invented statutes, every article of those in force taken in; through the file's text and back."""
    cited = {(law["short_title"], number) for law in LAWS if law["status"] == "in_force" for number in law["articles"]}
    return parse_registry(json.loads(write_registry(build_registry(write_folder(folder), must=cited, as_of=DAY.isoformat()))))


def make_context(folder: Path, *, has_texts: bool = False, today: dt.date = DAY) -> Context:
    registry = make_registry(folder)
    return Context(registry, today, {law["short_title"]: law["articles"] for law in LAWS} if has_texts else {})

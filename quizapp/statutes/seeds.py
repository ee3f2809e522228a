"""The demo's reading lists, and one document of our own wording, so that the reader has something to show."""

import datetime as dt

from quizapp.accounts.queries import group_names
from quizapp.audit.services import SYSTEM
from quizapp.core.clock import utc_now
from quizapp.statutes import queries, services
from quizapp.statutes.services import Facts, ListEntry

DOCUMENT = "竞答活动约定（演示）"
ARTICLES = {
    "1": "为了让大家安心学法，写下这份约定。它是演示用的，不是法律文件。",
    "2": "参加竞答全凭自愿，不花钱，不用转账。",
    "3": "每人每天可以答三次。\n答到一半离开，回来接着答。",
    "4": "答对四题可以拆一次红包。拆红包的结果由公开的数据算出来，谁都可以再算一遍。",
    "5": "手机号只用来登录，不公开，不给别人。",
}
CHANGED = ("3", "每人每天可以答五次。\n答到一半离开，回来接着答。", dt.date(2026, 10, 1))
LISTS = {
    "civil_servant": (
        "领导干部应知应会法律清单",
        ("宪法", "民法典", "法治宣传教育法", "行政处罚法", "行政复议法", "保守国家秘密法", "生态环境法典", "民族团结进步促进法"),
    ),
    "enterprise": ("企事业单位人员应知应会法律清单", ("宪法", "民法典", "劳动合同法", "安全生产法", "个人信息保护法", "反不正当竞争法")),
    "youth": ("青少年应知应会法律清单", ("宪法", "未成年人保护法", "国家通用语言文字法", "反电信网络诈骗法", "道路交通安全法")),
    "farmer_herder": ("农牧民应知应会法律清单", ("宪法", "民法典", "草原法", "农村土地承包法", "村民委员会组织法", "农村集体经济组织法")),
    "resident": ("社区居民应知应会法律清单", ("宪法", "民法典", "消费者权益保护法", "反家庭暴力法", "治安管理处罚法", "反电信网络诈骗法")),
}


def load_demo() -> None:
    """Write the lists of the groups that are there and the document; what is there already stays as it is."""
    now, groups = utc_now(), group_names()
    for group, (title, laws) in LISTS.items():
        if group in groups and queries.find_reading_list(group) is None:
            entries = [ListEntry(law) for law in laws]
            services.save_reading_list(group, title=title, note="", is_shown=True, entries=entries, now=now, actor=SYSTEM)
    if queries.find_statute(DOCUMENT) is None:
        _add_document(now)


def _add_document(now: dt.datetime) -> None:
    day = dt.date(2026, 1, 1)
    facts = Facts(DOCUMENT, DOCUMENT, "document", issuer="演示", adopted_on=day, effective_on=day, note="演示用的文字，不是法律文件。")
    statute = services.create_statute(facts, ARTICLES, unit="article", now=now, actor=SYSTEM)
    number, text, effective_from = CHANGED
    seen = services.newest_id(queries.list_versions(statute.id, number))
    services.change_article(
        statute.id, number, text, effective_from=effective_from, seen_id=seen, note="演示", suspend=False, now=now, actor=SYSTEM
    )

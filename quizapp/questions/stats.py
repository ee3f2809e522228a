"""Counts of bank files: by kind, difficulty and review, how many tell a situation, how many articles they cite."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from quizapp.questions.loader import BankFile, Entry
from quizapp.questions.models import KINDS, STATUSES

KIND_TITLES = {"single": "单选", "multiple": "多选", "indefinite": "不定项", "judge": "判断"}
STATUS_TITLES = {
    "draft": "草稿",
    "in_review": "待复核",
    "published": "在用",
    "suspended": "停用",
    "retired": "退役",
    "reviewed": "有人复核",
    "unreviewed": "没人复核",
}

_Key = TypeVar("_Key", int, str)

_NAMED = re.compile(
    r"(?:小(?![于组区时额型店学孩朋吃麦心的路户数两偷狗猫猪轿车程微货票事卖规公怎厂作国])|老(?![年人师板乡百实旧早路鼠虎婆公家字是标赖化大二三住]))[\u4e00-\u9fff]"
    r"|[\u4e00-\u9fff](?:叔|姨|姐|婶|哥|嫂|大爷|大妈|大娘|大伯|师傅|爷爷|奶奶|老伯|女士|先生)"
    r"|巴图|其木格|朝鲁|其其格|阿茹娜|乌兰|苏和|娜仁|宝音|那仁|达来|巴根|托娅|高娃|萨仁|斯琴|哈斯|格日|乌云|布和|满都|塔娜|安娜|孟和|牧仁|吉雅|敖登"
)
_ACTOR = re.compile(
    r"^(?!依照|按照|依据|根据|按|关于|下列|对于|为了).{0,10}?"
    r"(?:一[家名位所个户对条份]|两[家户名位个人车]|几[户个名位]|有人|某|老板|店主|业主|牧民|司机|村里|村民|居民|学生|职工|员工|顾客|客商|邻居|妈妈|爸爸|孩子|同学|公司|工厂|企业|学校|饭馆|网店|平台)"
)


def is_situation(stem: str) -> bool:
    """Whether a stem tells of somebody to whom something happens. An estimate: a name, or an actor and what was done, in some length."""
    if _NAMED.search(stem):
        return True
    return bool(_ACTOR.match(stem)) and len(stem) >= 30 and (stem.count("，") + stem.count("。")) >= 2


@dataclass(frozen=True)
class BankStats:
    """Counts of one bank. ``by_status`` is of the database's statuses, or of who reviewed the file's questions."""

    slug: str
    title: str
    total: int
    by_kind: Mapping[str, int]
    by_difficulty: Mapping[int, int]
    by_status: Mapping[str, int]
    situations: int | None = None
    articles: int | None = None


def file_stats(bank: BankFile) -> BankStats:
    entries = bank.entries
    return BankStats(
        slug=bank.head.slug,
        title=bank.head.title,
        total=len(entries),
        by_kind=_ordered(Counter(entry.kind for entry in entries), KINDS),
        by_difficulty=_ordered(Counter(entry.difficulty for entry in entries), range(1, 6)),
        by_status=_ordered(Counter("reviewed" if entry.reviewed_on else "unreviewed" for entry in entries), ("reviewed", "unreviewed")),
        situations=sum(is_situation(entry.stem) for entry in entries),
        articles=len({place for entry in entries for place in _cited(entry)}),
    )


def _cited(entry: Entry) -> list[tuple[str, str]]:
    return [(cited.get("law") or cited["document"], cited.get("article") or cited["clause"]) for cited in entry.citations]


def _ordered(counts: Mapping[_Key, int], order: Sequence[_Key]) -> dict[_Key, int]:
    return {value: counts[value] for value in order if counts[value]}


def total_of(banks: Sequence[BankStats]) -> BankStats:
    """All banks together. Articles are not added up: banks share them."""

    situations = [bank.situations for bank in banks if bank.situations is not None]
    return BankStats(
        slug="total",
        title="合计",
        total=sum(bank.total for bank in banks),
        by_kind=_ordered(_added(bank.by_kind for bank in banks), KINDS),
        by_difficulty=_ordered(_added(bank.by_difficulty for bank in banks), range(1, 6)),
        by_status=_ordered(_added(bank.by_status for bank in banks), (*STATUSES, "reviewed", "unreviewed")),
        situations=sum(situations) if situations else None,
    )


def _added(counts: Iterable[Mapping[_Key, int]]) -> Counter[_Key]:
    sums: Counter[_Key] = Counter()
    for part in counts:
        sums.update(part)
    return sums


def table(banks: Sequence[BankStats]) -> str:
    """The counts as lines of text, one bank a line, columns set by what is there."""
    total = total_of(banks)
    kinds, levels, statuses = list(total.by_kind), list(total.by_difficulty), list(total.by_status)
    head = ["题库", "题数", *(KIND_TITLES[kind] for kind in kinds), *(f"难度{level}" for level in levels)]
    head += [STATUS_TITLES[status] for status in statuses] + ([] if total.situations is None else ["情境题"])
    rows = [head]
    for bank in (*banks, total):
        row = [bank.slug if bank is not total else total.title, bank.total]
        row += [bank.by_kind.get(kind, 0) for kind in kinds] + [bank.by_difficulty.get(level, 0) for level in levels]
        row += [bank.by_status.get(status, 0) for status in statuses] + ([] if total.situations is None else [bank.situations or 0])
        rows.append([str(cell) for cell in row])
    widths = [max(_width(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(_padded(cell, width, is_left=place == 0) for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(1 if char.isascii() else 2 for char in text)


def _padded(cell: str, width: int, *, is_left: bool) -> str:
    blanks = " " * (width - _width(cell))
    return cell + blanks if is_left else blanks + cell

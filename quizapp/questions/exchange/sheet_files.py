"""Our spreadsheet: the template with its instructions, and banks as .xlsx and .csv. Every cell is text, none a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

import xlsxwriter

from quizapp.core.spreadsheets import safe_text
from quizapp.questions.exchange import words
from quizapp.questions.exchange.parsed import Problem
from quizapp.questions.exchange.sheets import guarded
from quizapp.questions.loader import Entry
from quizapp.questions.rules import JUDGE_CHOICES, LETTERS

COLUMNS = (
    ("平台编号", 16),
    ("题型", 8),
    ("题干", 60),
    *((f"选项{letter}", 24) for letter in LETTERS),
    ("正确答案", 10),
    ("解析", 60),
    ("依据", 40),
    ("难度", 6),
    ("标签", 24),
    ("复核人", 10),
    ("复核日期", 12),
)
_GUIDE = (
    ("题型", "单选、多选、不定项、判断。不写就按答案推断。"),
    ("题干", "必填，最多 500 个字。"),
    ("选项A 到 选项H", "选择题 2 到 8 个选项，从 A 起连着填，每个最多 200 个字。判断题不填。"),
    ("正确答案", "必填。选择题写字母，例如 B 或 ABD；判断题写 对 或 错。"),
    ("解析", "先说结果，再说道理，最后说怎么办。没有也能导入，题目会标“缺解析”。"),
    ("依据", "每行一条，例如：《消费者权益保护法》第25条。没有也能导入，题目会标“缺依据”。"),
    ("", "文件写成：《文件名》（发文机关，文号，2020-05-28）第三条"),
    ("难度", "1 到 5，1 人人会，5 少数人会。不写按 3 记。"),
    ("标签", "每行一个。"),
    ("平台编号", "新题不要填，系统会编。从平台导出的题有编号，改好再导入就存成那道题的新版本。"),
    ("", "别的表也能导入：表头写“题目”“类型”“答案”等常见叫法都认得，选项写在一格里也可以。"),
)
_EXAMPLES = (
    Entry(
        "",
        "single",
        "刘叔网购的毛衣第 5 天想退，吊牌完好没穿过，下单时没有提示过这件不能退。依法他可以怎么做？",
        ("只能换货，不能退钱", "可以退，不用说理由", "要商家点头才能退", "先做质量鉴定再退"),
        (1,),
        "可以退。网购的多数商品，收到之日起七日内可以退，不需要理由，商品要完好。先留好聊天记录，再打 12315。",
        ({"law": "消费者权益保护法", "article": "25"},),
        2,
        ("topic:七日退货",),
    ),
    Entry(
        "",
        "judge",
        "申请人身安全保护令，遇到紧急情况，法院应当在 24 小时内作出保护令或者驳回申请。",
        JUDGE_CHOICES,
        (0,),
        "对。法院受理后一般在七十二小时内作出，紧急的在二十四小时内。先报警，留好伤情照片和报警记录。",
        ({"law": "反家庭暴力法", "article": "28"},),
        3,
        ("topic:人身安全保护令",),
    ),
)


def row_of(entry: Entry) -> list[str]:
    is_judge = entry.kind == "judge"
    choices = [] if is_judge else list(entry.choices)
    return [
        entry.code,
        words.kind_title(entry.kind),
        entry.stem,
        *choices,
        *([""] * (len(LETTERS) - len(choices))),
        JUDGE_CHOICES[entry.answer[0]] if is_judge else words.letters_of(entry.answer),
        entry.explanation,
        words.write_citations(entry.citations),
        str(entry.difficulty),
        words.write_tags(entry.tags),
        entry.reviewed_by or "",
        entry.reviewed_on or "",
    ]


def _workbook(sheets: Iterable[tuple[str, Sequence[tuple[str, int]], Iterable[Sequence[str]]]]) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        head = book.add_format({"bold": True, "bottom": 1, "valign": "top", "num_format": "@"})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        for title, columns, rows in sheets:
            sheet = book.add_worksheet(title)
            for index, (name, width) in enumerate(columns):
                sheet.set_column(index, index, width, text)
                sheet.write_string(0, index, name, head)
            for number, row in enumerate(rows, 1):
                for index, value in enumerate(row):
                    if value:
                        sheet.write_string(number, index, safe_text(value), text)
            sheet.freeze_panes(1, 0)
    return out.getvalue()


def write_xlsx(entries: Sequence[Entry]) -> bytes:
    return _workbook([("题目", COLUMNS, map(row_of, entries))])


def write_template() -> bytes:
    """An empty table with two examples, and how to fill it in."""
    guide = (("这一列", 18), ("怎么填", 90))
    return _workbook([("题目", COLUMNS, map(row_of, _EXAMPLES)), ("填写说明", guide, _GUIDE)])


def write_csv(entries: Sequence[Entry]) -> bytes:
    """UTF-8 with a mark, so that Excel reads Chinese."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([name for name, _ in COLUMNS])
    for entry in entries:
        writer.writerow([guarded(safe_text(value)) for value in row_of(entry)])
    return out.getvalue().encode("utf-8-sig")


def write_problems(problems: Sequence[Problem]) -> bytes:
    """The list of what to mend, for whoever mends it."""
    columns = (("工作表", 14), ("行", 8), ("题干", 40), ("列", 14), ("现在的内容", 30), ("问题", 40), ("怎么改", 40), ("结果", 12))
    rows = (
        [
            item.place,
            str(item.row or ""),
            item.stem,
            item.column,
            item.value,
            item.reason,
            item.mend,
            "没有导入" if item.severity == "error" else "可以导入",
        ]
        for item in problems
    )
    return _workbook([("要处理的行", columns, rows)])

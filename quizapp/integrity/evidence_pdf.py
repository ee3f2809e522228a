"""The evidence file as PDF, set by Typst: data in, no file and no network in reach."""

from pathlib import Path
from typing import Any

from quizapp.core.pdf import compile_page
from quizapp.core.text import N_
from quizapp.integrity.evidence import Evidence

_TEMPLATE = Path(__file__).with_name("evidence.typ")


def parts_of(file: Evidence) -> list[dict[str, Any]]:
    """The sections of the page, in order, as titles, pairs and rows; the HTML page and the PDF say the same."""
    return [
        _part(
            N_("一、查的是谁"),
            pairs=[
                (N_("活动"), file.campaign.title),
                (N_("抽奖号"), file.alias or N_("还没有抽过奖")),
                (N_("手机号"), file.phone),
                (N_("资料（交卷时）"), file.profile),
                (N_("同意"), file.consent),
                (N_("答卷编号"), str(file.attempt_id)),
                (N_("按哪版规则"), f"{file.terms}，封存码 {file.terms_hash}"),
                (N_("结果"), file.result),
            ],
        ),
        _part(
            N_("二、经过（服务器时间）"),
            heads=[N_("时间"), N_("发生了什么"), N_("编号")],
            widths=[3, 6, 2],
            rows=[[line.clock, line.what, line.number or "—"] for line in file.timeline],
        ),
        _part(
            N_("三、问了什么、答了什么"),
            heads=[N_("题号"), N_("题目"), N_("最后存答案"), N_("选了"), N_("对错")],
            widths=[1, 6, 2, 4, 1],
            rows=[
                [str(each.position), each.stem, each.clock, each.chosen if each.chosen is not None else "—", _mark(each.is_right)]
                for each in file.asked
            ],
            note="" if file.shows_answers else N_("查的人和当事人在同一个单位，依规定不显示选了什么、哪题错。"),
        ),
        _part(
            N_("四、抽奖能不能重算"),
            heads=[N_("抽奖"), N_("结果"), N_("账本第几条"), N_("这一条的封存码")],
            widths=[1, 2, 1, 6],
            rows=[[f"第 {draw.serial:,} 号", draw.outcome, str(draw.record_number), draw.seal] for draw in file.draws],
            note=_how_to_check(file),
        ),
        _part(
            N_("五、奖品发放"),
            heads=[N_("奖品"), N_("时间"), N_("状态"), N_("经手")],
            widths=[3, 3, 2, 2],
            rows=[[title, line.clock, line.what, line.number] for title, _state, lines in file.payouts for line in lines],
            note=N_("没有奖品。") if not file.payouts else "；".join(f"{title}：{state}" for title, state, _lines in file.payouts),
        ),
        _part(
            N_("六、判定和改动"),
            heads=[N_("时间"), N_("决定和理由"), N_("经手")],
            widths=[3, 6, 2],
            rows=[[line.clock, line.what, line.number] for line in file.decisions],
            note="" if file.decisions else N_("没有被剔除、限制或恢复的记录。"),
        ),
    ]


def _part(
    title: str,
    *,
    pairs: list[tuple[str, str]] | None = None,
    heads: list[str] | None = None,
    widths: list[int] | None = None,
    rows: list[list[str]] | None = None,
    note: str = "",
) -> dict[str, Any]:
    return {"title": title, "pairs": pairs or [], "heads": heads or [], "widths": widths or [], "rows": rows or [], "note": note}


def _mark(is_right: bool | None) -> str:
    return "—" if is_right is None else N_("对") if is_right else N_("错")


def _how_to_check(file: Evidence) -> str:
    if not file.draws:
        return N_("这份答卷没有抽过奖。")
    first = file.draws[0]
    when = N_("当天密钥已经公布") if all(draw.is_revealed for draw in file.draws) else N_("当天密钥还没有公布，公布后")
    return f"规则清单封存码 {first.manifest_hash}。{when}，任何人都可以下载公开账本和查验程序，用上面的封存码重算。"


def write(file: Evidence) -> bytes:
    """:raises NoChineseFont: where no Chinese font is installed"""
    data = {
        "title": N_("答题和抽奖经过"),
        "subtitle": f"{file.campaign.host_name}，证据单 {file.number}，{file.made_clock} 生成，查询人 {file.made_by}",
        "number": file.number,
        "parts": parts_of(file),
    }
    return compile_page(_TEMPLATE, data)
